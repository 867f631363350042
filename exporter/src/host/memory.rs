//! Everything `/proc/meminfo` says, as node_exporter's `meminfo`: `Active(anon):  5 kB` becomes
//! `node_memory_Active_anon_bytes 5120`, counts such as `HugePages_Total` keep their bare name.

use super::source::{ParseError, lines, number, shown, value, words};
use super::{Collector, Error, Pass};
use crate::exposition::{Kind, Page};

#[derive(Debug)]
pub(super) struct Memory;

/// One line: the metric's name after `node_memory_`, and its value in its unit.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Field {
    name: String,
    value: u64,
}

impl Collector for Memory {
    fn name(&self) -> &'static str {
        "memory"
    }

    fn owns(&self, family: &str) -> bool {
        family.starts_with("node_memory_")
    }

    fn collect(&self, pass: &mut Pass<'_>, page: &mut Page) -> Result<(), Error> {
        let fields = pass.proc("meminfo", parse)?;
        let (mut name, mut help) = (String::new(), String::new());
        for field in fields {
            name.clear();
            name.push_str("node_memory_");
            name.push_str(&field.name);
            help.clear();
            help.push_str("Memory information field ");
            help.push_str(&field.name);
            help.push('.');
            if !page.has(&name) {
                page.single(&name, &help, Kind::Gauge, value(field.value));
            }
        }
        Ok(())
    }
}

fn parse(text: &[u8]) -> Result<Vec<Field>, ParseError> {
    let mut fields = Vec::with_capacity(64);
    for (i, line) in lines(text) {
        let mut words = words(line);
        let (name, count, unit) = (words.next().unwrap_or_default(), words.next(), words.next());
        let name = name
            .strip_suffix(b":")
            .and_then(metric_name)
            .ok_or_else(|| ParseError::at(i, format!("found `{}` where `Name: value kB` is expected", shown(line))))?;
        let count = number(i, count.unwrap_or_default())?;
        fields.push(match unit {
            None => Field { name, value: count },
            Some(b"kB") => Field { name: name + "_bytes", value: count.saturating_mul(1024) },
            Some(unit) => return Err(ParseError::at(i, format!("unit `{}`; expected kB or none", shown(unit)))),
        });
    }
    if fields.is_empty() {
        return Err(ParseError::whole("empty; expected lines such as `MemTotal: 1024 kB`"));
    }
    Ok(fields)
}

/// `Active(anon)` as `Active_anon`; nothing that could not be part of a metric's name.
fn metric_name(field: &[u8]) -> Option<String> {
    let mut name = String::with_capacity(field.len() + "_bytes".len());
    for byte in field {
        match byte {
            b'(' => name.push('_'),
            b')' => {}
            b if b.is_ascii_alphanumeric() || *b == b'_' => name.push(char::from(*b)),
            _ => return None,
        }
    }
    (!name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[(&str, u64)]) {
        let fields = parse(text.as_bytes()).unwrap();
        let fields: Vec<_> = fields.iter().map(|field| (field.name.as_str(), field.value)).collect();
        assert_eq!(fields, expected);
    }

    #[test]
    fn kilobytes_become_bytes_and_counts_stay_counts() {
        check("MemTotal:       24684084 kB\n", &[("MemTotal_bytes", 24_684_084 * 1024)]);
        check("HugePages_Total:       3\n", &[("HugePages_Total", 3)]);
    }

    #[test]
    fn parentheses_become_an_underscore() {
        check(
            "Active(anon): 1 kB\nInactive(file): 2 kB\n",
            &[("Active_anon_bytes", 1024), ("Inactive_file_bytes", 2048)],
        );
    }

    #[test]
    fn a_value_beyond_64_bits_of_bytes_stays_at_the_top_rather_than_wrapping() {
        check("VmallocTotal: 18446744073709551615 kB\n", &[("VmallocTotal_bytes", u64::MAX)]);
    }

    #[test]
    fn garbage_names_its_line() {
        for (text, line) in [
            ("", 0),
            ("\n\n", 0),
            ("MemTotal 1 kB\n", 1),
            ("A: 1 kB\nMemFree: -5 kB\n", 2),
            ("A: 1 MB\n", 1),
            ("A:\n", 1),
            (": 1 kB\n", 1),
            ("A\"{}: 1 kB\n", 1),
        ] {
            assert_eq!(parse(text.as_bytes()).map_err(|error| error.line), Err(line), "{text:?}");
        }
    }
}
