//! The text format 0.0.4, read strictly: every line is understood or the text is refused with the line
//! and the reason, because a metric that is silently missing looks like a system that is well.
//!
//! Stricter than the format only where its own promises end: no timestamps (they would outlive the file), no series
//! twice. More lenient in one point, as node_exporter is: the lines of a family need not stand together.
//! Not for: files, and what several of them say together.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use super::line::{Sample, is_metric_name};
use crate::exposition::{Kind, escape_label, write_line};
use crate::host::source::{ParseError, shown};

/// A family of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Family {
    pub(super) name: String,
    pub(super) help: Option<String>,
    pub(super) kind: Kind,
    /// Where it is first mentioned, counted from 1.
    pub(super) line: usize,
    /// Its samples, ready for a page of either format.
    pub(super) samples: Vec<u8>,
    /// What tells its series apart, with each one's line.
    pub(super) series: Vec<(u64, usize)>,
}

/// The families that have samples, in the order of their first lines.
pub(super) fn parse(text: &[u8], max_series: usize) -> Result<Vec<Family>, ParseError> {
    let text = utf8(text)?;
    if !text.is_empty() && !text.ends_with('\n') {
        let last = text.split('\n').count() - 1;
        return Err(ParseError::at(last, "the last line does not end: is the file still being written?"));
    }
    let mut parser = Parser { families: Vec::new(), by_name: HashMap::new(), series: HashMap::new(), max_series };
    for (i, line) in text.lines().enumerate() {
        parser.line(i, line).map_err(|what| ParseError::at(i, what))?;
    }
    let families = parser.families.into_iter().map(|building| building.family);
    Ok(families.filter(|family| !family.samples.is_empty()).collect())
}

fn utf8(text: &[u8]) -> Result<&str, ParseError> {
    let text = std::str::from_utf8(text).map_err(|error| {
        let line = text[..error.valid_up_to()].iter().filter(|byte| **byte == b'\n').count();
        ParseError::at(line, "not UTF-8")
    })?;
    if text.starts_with('\u{feff}') {
        return Err(ParseError::at(0, "begins with a byte order mark; write UTF-8 without one"));
    }
    // `lines` would take the carriage return for part of the line's end.
    match text.find('\r') {
        Some(at) => {
            Err(ParseError::at(text[..at].matches('\n').count(), "a carriage return; lines end in a line feed alone"))
        }
        None => Ok(text),
    }
}

struct Parser {
    families: Vec<Building>,
    by_name: HashMap<String, usize>,
    /// All series of the text, with their lines.
    series: HashMap<u64, usize>,
    max_series: usize,
}

struct Building {
    family: Family,
    typed: bool,
}

// === impl Parser ===

impl Parser {
    fn line(&mut self, i: usize, line: &str) -> Result<(), String> {
        let line = line.trim_matches([' ', '\t']);
        match line.strip_prefix('#') {
            Some(comment) => self.comment(i, comment.trim_start_matches([' ', '\t'])),
            None if line.is_empty() => Ok(()),
            None => self.sample(i, line),
        }
    }

    /// `HELP name text`, `TYPE name kind`, or anything else, which is only for people.
    fn comment(&mut self, i: usize, comment: &str) -> Result<(), String> {
        let (keyword, rest) = split_word(comment);
        if keyword != "HELP" && keyword != "TYPE" {
            return Ok(());
        }
        let (name, rest) = split_word(rest);
        if !is_metric_name(name) {
            return Err(format!("{keyword} of `{}`, which is not a metric name", shown(name.as_bytes())));
        }
        let at = self.family(i, name);
        let building = &mut self.families[at];
        if keyword == "HELP" {
            if building.family.help.is_some() {
                return Err(format!("a second HELP for `{name}`"));
            }
            building.family.help = Some(unescape_help(rest)?);
            return Ok(());
        }
        if building.typed {
            return Err(format!("a second TYPE for `{name}`"));
        }
        if !building.family.samples.is_empty() {
            return Err(format!("TYPE of `{name}` after its samples; it comes before them"));
        }
        building.typed = true;
        building.family.kind = match rest {
            "counter" => Kind::Counter,
            "gauge" => Kind::Gauge,
            "histogram" => Kind::Histogram,
            "summary" => Kind::Summary,
            "untyped" => Kind::Untyped,
            _ => {
                let rest = shown(rest.as_bytes());
                return Err(format!("TYPE `{rest}`; accepted: counter, gauge, histogram, summary, untyped"));
            }
        };
        Ok(())
    }

    fn sample(&mut self, i: usize, line: &str) -> Result<(), String> {
        let mut sample = Sample::parse(line)?;
        let at = self.family_of(i, &sample)?;
        if self.series.len() == self.max_series {
            return Err(format!("more than {} series", self.max_series));
        }
        // An empty label is no label to Prometheus.
        sample.labels.retain(|(_, value)| !value.is_empty());
        let mut labels = String::new();
        for (name, value) in &sample.labels {
            if !labels.is_empty() {
                labels.push(',');
            }
            labels.extend([name, "=\"", &escape_label(value), "\""]);
        }
        sample.labels.sort();
        let mut hasher = DefaultHasher::new();
        (sample.name, &sample.labels).hash(&mut hasher);
        let series = hasher.finish();
        if let Some(first) = self.series.insert(series, i + 1) {
            return Err(format!("the same series as on line {first}"));
        }
        let family = &mut self.families[at].family;
        family.series.push((series, i + 1));
        write_line(&mut family.samples, sample.name, &labels, "", sample.value);
        Ok(())
    }

    /// The family a sample belongs to: of its own name, or the histogram or summary it is a part of.
    fn family_of(&mut self, i: usize, sample: &Sample<'_>) -> Result<usize, String> {
        let name = sample.name;
        let own = self.by_name.get(name).copied();
        let part = |suffix: &str| {
            let at = *self.by_name.get(name.strip_suffix(suffix)?)?;
            Some((at, self.families[at].family.kind))
        };
        if own.is_none() {
            match part("_bucket") {
                Some((at, Kind::Histogram)) => return sample.require_number("le", "bucket").map(|()| at),
                _ => {
                    if let Some((at, Kind::Histogram | Kind::Summary)) = part("_sum").or_else(|| part("_count")) {
                        return Ok(at);
                    }
                }
            }
        }
        let at = own.unwrap_or_else(|| self.family(i, name));
        match self.families[at].family.kind {
            Kind::Histogram => Err(format!(
                "`{name}` is a histogram; its samples are `{name}_bucket`, `{name}_sum` and `{name}_count`"
            )),
            Kind::Summary => sample.require_number("quantile", "summary's sample").map(|()| at),
            Kind::Gauge | Kind::Counter | Kind::Untyped => Ok(at),
        }
    }

    /// The family of this name, made where there is none.
    fn family(&mut self, i: usize, name: &str) -> usize {
        if let Some(at) = self.by_name.get(name) {
            return *at;
        }
        let family = Family {
            name: name.to_owned(),
            help: None,
            kind: Kind::Untyped,
            line: i + 1,
            samples: Vec::new(),
            series: Vec::new(),
        };
        self.families.push(Building { family, typed: false });
        self.by_name.insert(name.to_owned(), self.families.len() - 1);
        self.families.len() - 1
    }
}

fn split_word(text: &str) -> (&str, &str) {
    let (word, rest) = text.split_once([' ', '\t']).unwrap_or((text, ""));
    (word, rest.trim_start_matches([' ', '\t']))
}

/// Knows `\\` and `\n`, as the format does.
pub(crate) fn unescape_help(text: &str) -> Result<String, String> {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(char) = chars.next() {
        match (char, char == '\\') {
            (_, false) => plain.push(char),
            (_, true) => match chars.next() {
                Some('\\') => plain.push('\\'),
                Some('n') => plain.push('\n'),
                other => return Err(escape_error(other, r"`\\` and `\n`")),
            },
        }
    }
    Ok(plain)
}

/// A backslash before something it cannot stand before.
pub(super) fn escape_error(found: Option<char>, known: &str) -> String {
    let found: String = found.into_iter().flat_map(char::escape_debug).collect();
    format!("`\\{found}` is not an escape; a backslash stands only in {known}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Families as `name kind: samples joined by |`.
    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let families = parse(text.as_bytes(), 1000).unwrap();
        let shown: Vec<String> = families
            .iter()
            .map(|family| {
                let samples = String::from_utf8(family.samples.clone()).unwrap();
                format!("{} {:?}: {}", family.name, family.kind, samples.trim_end().replace('\n', "|"))
            })
            .collect();
        assert_eq!(shown, expected);
    }

    #[track_caller]
    fn refused(text: &str, line: usize, what: &str) {
        let error = parse(text.as_bytes(), 3).unwrap_err();
        assert_eq!((error.line, error.what.as_str()), (line, what), "{text:?}");
    }

    #[test]
    fn samples_of_every_shape() {
        check("x 1\n", &["x Untyped: x 1"]);
        check("  x\t1  \n\n", &["x Untyped: x 1"]);
        check("x{} 1\n", &["x Untyped: x 1"]);
        check("x { a = \"1\" , b=\"2\", } 1\n", &["x Untyped: x{a=\"1\",b=\"2\"} 1"]);
        check("x{a=\"}\"}1\n", &["x Untyped: x{a=\"}\"} 1"]);
        check(
            "x 1e3\ny -Inf\nz NaN\nw +Inf\n",
            &["x Untyped: x 1000", "y Untyped: y -Inf", "z Untyped: z NaN", "w Untyped: w +Inf"],
        );
        check("x{a=\"q\\\"b\\\\n\\n日本\"} 0\n", &["x Untyped: x{a=\"q\\\"b\\\\n\\n日本\"} 0"]);
    }

    #[test]
    fn an_empty_label_is_no_label() {
        check("x{a=\"\",b=\"1\"} 1\n", &["x Untyped: x{b=\"1\"} 1"]);
        refused("x 1\nx{a=\"\"} 1\n", 2, "the same series as on line 1");
    }

    #[test]
    fn families_with_help_and_type() {
        let text = "# HELP x_total things\\n\\\\ counted\n# TYPE x_total counter\nx_total 1\n# a remark\n#\n# EOF\n";
        let families = parse(text.as_bytes(), 9).unwrap();
        assert_eq!(families[0].help.as_deref(), Some("things\n\\ counted"));
        assert_eq!((families[0].kind, families[0].line), (Kind::Counter, 1));
        check("# TYPE x gauge\n", &[]);
        check("# HELP x\nx 1\n", &["x Untyped: x 1"]);
        check("x{a=\"1\"} 1\ny 2\nx{a=\"2\"} 3\n", &["x Untyped: x{a=\"1\"} 1|x{a=\"2\"} 3", "y Untyped: y 2"]);
    }

    #[test]
    fn histograms_and_summaries_gather_their_parts() {
        check(
            "# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_bucket{le=\"+Inf\"} 2\nh_sum 3\nh_count 2\n",
            &["h Histogram: h_bucket{le=\"1\"} 1|h_bucket{le=\"+Inf\"} 2|h_sum 3|h_count 2"],
        );
        check(
            "# TYPE s summary\ns{quantile=\"0.5\"} 1\ns_sum 3\ns_count 2\n",
            &["s Summary: s{quantile=\"0.5\"} 1|s_sum 3|s_count 2"],
        );
        // A family of its own goes before being a part.
        check(
            "# TYPE h histogram\n# TYPE h_sum gauge\nh_sum 3\nh_count 1\n",
            &["h Histogram: h_count 1", "h_sum Gauge: h_sum 3"],
        );
        check("# TYPE x gauge\nx_sum 3\n", &["x_sum Untyped: x_sum 3"]);
        refused(
            "# TYPE h histogram\nh 1\n",
            2,
            "`h` is a histogram; its samples are `h_bucket`, `h_sum` and `h_count`",
        );
        refused("# TYPE h histogram\nh_bucket 1\n", 2, "a bucket without the label `le`");
        refused("# TYPE h histogram\nh_bucket{le=\"x\"} 1\n", 2, "`le` is `x`, expected a number");
        refused("# TYPE s summary\ns 1\n", 2, "a summary's sample without the label `quantile`");
    }

    #[test]
    fn refusals_name_the_line_and_the_cure() {
        refused("x 1", 1, "the last line does not end: is the file still being written?");
        refused("x 1\ny", 2, "the last line does not end: is the file still being written?");
        refused("x 1\r\n", 1, "a carriage return; lines end in a line feed alone");
        refused("\u{feff}x 1\n", 1, "begins with a byte order mark; write UTF-8 without one");
        refused("x 1\n# TYPE x gauge\n", 2, "TYPE of `x` after its samples; it comes before them");
        refused("# TYPE x gauge\n# TYPE x gauge\n", 2, "a second TYPE for `x`");
        refused("# HELP x a\n# HELP x a\n", 2, "a second HELP for `x`");
        refused("# TYPE x info\n", 1, "TYPE `info`; accepted: counter, gauge, histogram, summary, untyped");
        refused("# TYPE x\n", 1, "TYPE ``; accepted: counter, gauge, histogram, summary, untyped");
        refused("# HELP 1x a\n", 1, "HELP of `1x`, which is not a metric name");
        refused("# HELP x a\\t\n", 1, r"`\t` is not an escape; a backslash stands only in `\\` and `\n`");
        refused("x 1\nx 2\n", 2, "the same series as on line 1");
        refused("x{a=\"1\",b=\"2\"} 1\nx{b=\"2\",a=\"1\"} 2\n", 2, "the same series as on line 1");
        refused("a 1\nb 1\nc 1\nd 1\n", 4, "more than 3 series");
        assert_eq!(parse(b"x 1\ny \xff\n", 9).unwrap_err(), ParseError::at(1, "not UTF-8"));
    }

    proptest! {
        #[test]
        fn garbage_is_refused_or_read_but_never_panics(text in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&text, 10);
        }

        #[test]
        fn nearly_right_text_never_panics(text in "([x#{}\"=,\\\\ \n1TYPEHLle_sumcount]|# TYPE x (histogram|summary|gauge)\n|x_bucket\\{le=\"){0,40}\n") {
            let _ = parse(text.as_bytes(), 10);
        }

        /// What was read is written so that reading it again gives the same.
        #[test]
        fn what_is_written_reads_back(value in ".*", number in proptest::num::f64::ANY) {
            prop_assume!(!value.contains('\r'));
            let text = format!("x{{a=\"{}\"}} {number}\n", escape_label(&value));
            let once = parse(text.as_bytes(), 10).unwrap();
            let twice = parse(&once[0].samples, 10).unwrap();
            prop_assert_eq!(&once[0].samples, &twice[0].samples);
        }
    }
}
