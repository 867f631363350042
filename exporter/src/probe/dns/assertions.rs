//! Assertions on the records of one section, as blackbox_exporter's `validate_*_rrs` have them.
//!
//! Regular expressions see a record as a line of a zone file, fields apart by tabs:
//! `example.com.<tab>3600<tab>IN<tab>A<tab>192.0.2.1`.

use hickory_proto::rr::Record;
use regex::Regex;

use super::record::line;
use super::{Failure, Reason};
use crate::config::decode::{Cursor, collect, shorten};

/// Assertions on one section; none by default.
#[derive(Clone, Debug, Default)]
pub(super) struct Assertions {
    /// One record that matches one of them fails.
    fail_if_matches: Vec<Regex>,
    /// Fails *unless* every record matches all of them: what blackbox_exporter does, whatever the name says.
    fail_if_all_match: Vec<Regex>,
    /// One record that does not match one of them fails; no record at all fails too.
    fail_if_not_matches: Vec<Regex>,
    /// Fails when no record matches any of them; no record at all fails too.
    fail_if_none_matches: Vec<Regex>,
}

const ALL_MATCH: &str = "fail_if_all_match_regexp";

/// Reads one `validate_*_rrs` section.
pub(super) fn decode(cursor: &Cursor<'_>) -> Option<Assertions> {
    let mut map = cursor.map()?;
    let mut list = |key| map.get(key).map_or(Some(Vec::new()), |c| collect(&c.list()?, Cursor::regex));
    let fail_if_matches = list("fail_if_matches_regexp");
    let fail_if_all_match = list(ALL_MATCH);
    let fail_if_not_matches = list("fail_if_not_matches_regexp");
    let fail_if_none_matches = list("fail_if_none_matches_regexp");
    if let (Some(list), Some(cursor)) = (&fail_if_all_match, map.get(ALL_MATCH))
        && !list.is_empty()
    {
        cursor.warn(
            "fails unless all records match, as in blackbox_exporter, although its name says the opposite; \
             write fail_if_not_matches_regexp, which says so and also fails without any record",
        );
    }
    map.finish();
    Some(Assertions {
        fail_if_matches: fail_if_matches?,
        fail_if_all_match: fail_if_all_match?,
        fail_if_not_matches: fail_if_not_matches?,
        fail_if_none_matches: fail_if_none_matches?,
    })
}

impl Assertions {
    /// Checks the records of `section`.
    ///
    /// # Errors
    /// Reason `body`, with the expression and a record.
    pub(super) fn check(&self, section: &str, records: &[Record]) -> Result<(), Failure> {
        let fail = |why: String| Err(Failure::new(Reason::Body, format_args!("{section} section: {why}")));
        let lines: Vec<String> = records.iter().map(line).collect();
        let required = self.fail_if_not_matches.first().or(self.fail_if_none_matches.first());
        if let (true, Some(regex)) = (lines.is_empty(), required) {
            return fail(format!("no record, and one that matches `{}` is required", shorten(regex.as_str())));
        }
        for line in &lines {
            if let Some(regex) = self.fail_if_matches.iter().find(|regex| regex.is_match(line)) {
                return fail(format!("`{}` matches `{}`", shorten(line), shorten(regex.as_str())));
            }
            if let Some(regex) = self.fail_if_not_matches.iter().find(|regex| !regex.is_match(line)) {
                return fail(format!("`{}` does not match `{}`", shorten(line), shorten(regex.as_str())));
            }
        }
        for line in &lines {
            if let Some(regex) = self.fail_if_all_match.iter().find(|regex| !regex.is_match(line)) {
                return fail(format!("`{}` does not match `{}` ({ALL_MATCH})", shorten(line), shorten(regex.as_str())));
            }
        }
        let any = |line: &String| self.fail_if_none_matches.iter().any(|regex| regex.is_match(line));
        if !self.fail_if_none_matches.is_empty() && !lines.iter().any(any) {
            let rules: Vec<String> =
                self.fail_if_none_matches.iter().map(|regex| format!("`{}`", shorten(regex.as_str()))).collect();
            return fail(format!(
                "none of {} matches {} (fail_if_none_matches_regexp)",
                crate::config::names::plural(lines.len(), "record"),
                rules.join(" or ")
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::diagnostics::Document;
    use crate::config::node;
    use hickory_proto::rr::rdata::A;
    use hickory_proto::rr::{Name, RData};

    fn check(rules: &str, addresses: &[[u8; 4]]) -> Result<(), String> {
        let doc = Document::new(std::path::Path::new("test.yml"));
        let node = node::parse(rules).unwrap();
        let assertions = decode(&Cursor::root(&doc, &node)).unwrap();
        let name = Name::from_ascii("example.com.").unwrap();
        let records: Vec<Record> = addresses
            .iter()
            .map(|a| Record::from_rdata(name.clone(), 60, RData::A(A::from(std::net::Ipv4Addr::from(*a)))))
            .collect();
        assertions.check("answer", &records).map_err(|failure| failure.detail)
    }

    #[test]
    fn each_assertion_fails_exactly_when_it_says() {
        const A: [u8; 4] = [192, 0, 2, 1];
        const B: [u8; 4] = [192, 0, 2, 2];
        for (rules, records, good) in [
            ("fail_if_matches_regexp: ['2\\.1$']", &[B][..], true),
            ("fail_if_matches_regexp: ['2\\.1$']", &[B, A][..], false),
            ("fail_if_matches_regexp: ['.']", &[][..], true),
            ("fail_if_all_match_regexp: ['2\\.1$']", &[A, B][..], false),
            ("fail_if_all_match_regexp: ['2\\.1$']", &[A, A][..], true),
            ("fail_if_all_match_regexp: ['.']", &[][..], true),
            ("fail_if_not_matches_regexp: ['2\\.1$']", &[A][..], true),
            ("fail_if_not_matches_regexp: ['2\\.1$']", &[A, B][..], false),
            ("fail_if_not_matches_regexp: ['.']", &[][..], false),
            ("fail_if_none_matches_regexp: ['2\\.1$', '2\\.9$']", &[B, A][..], true),
            ("fail_if_none_matches_regexp: ['2\\.9$']", &[B, A][..], false),
            ("fail_if_none_matches_regexp: ['.']", &[][..], false),
            ("fail_if_not_matches_regexp: ['^example\\.com\\.\\t60\\tIN\\tA\\t192\\.0\\.2\\.1$']", &[A][..], true),
        ] {
            let result = check(rules, records);
            assert_eq!(result.is_ok(), good, "{rules} on {records:?}: {result:?}");
        }
    }
}
