//! One sample's line of the text format: `name{label="value",…} number`.

use super::parse::escape_error;
use crate::host::source::shown;

/// Names and values, in the line's order, each name once.
pub(crate) type Labels<'a> = Vec<(&'a str, String)>;

/// A sample as the line says it.
#[derive(Debug)]
pub(crate) struct Sample<'a> {
    pub(crate) name: &'a str,
    pub(crate) labels: Labels<'a>,
    pub(crate) value: f64,
}

impl<'a> Sample<'a> {
    /// The line has no space at its ends. An error says what was found and what is accepted.
    pub(crate) fn parse(line: &'a str) -> Result<Self, String> {
        let (name, rest) = line.split_at(line.find([' ', '\t', '{']).unwrap_or(line.len()));
        if !is_metric_name(name) {
            let name = shown(name.as_bytes());
            return Err(format!("`{name}` is not a metric name: letters, digits, `_` and `:`, no digit first"));
        }
        let (labels, rest) = match skip_space(rest).strip_prefix('{') {
            Some(rest) => labels(rest)?,
            None => (Vec::new(), rest),
        };
        let mut words = rest.split([' ', '\t']).filter(|word| !word.is_empty());
        let value = words.next().ok_or_else(|| format!("no value after `{name}`"))?;
        let value = value.parse().map_err(|_| format!("value `{}`, expected a number", shown(value.as_bytes())))?;
        match words.next() {
            None => Ok(Self { name, labels, value }),
            Some(word) if word.parse::<i64>().is_ok() => {
                Err(format!("timestamp `{word}`: a file cannot say when it is scraped; leave it out"))
            }
            Some(word) => Err(format!("`{}` after the value", shown(word.as_bytes()))),
        }
    }

    /// That a label is there and a number; `what` is what has to have it.
    pub(super) fn require_number(&self, label: &str, what: &str) -> Result<(), String> {
        let Some((_, value)) = self.labels.iter().find(|(name, _)| *name == label) else {
            return Err(format!("a {what} without the label `{label}`"));
        };
        match value.parse::<f64>() {
            Ok(_) => Ok(()),
            Err(_) => Err(format!("`{label}` is `{}`, expected a number", shown(value.as_bytes()))),
        }
    }
}

/// Labels after the opening brace, and what follows the closing one.
fn labels(mut rest: &str) -> Result<(Labels<'_>, &str), String> {
    let mut labels = Labels::new();
    loop {
        rest = skip_space(rest);
        if let Some(rest) = rest.strip_prefix('}') {
            return Ok((labels, rest));
        }
        let (name, after) = rest.split_at(rest.find([' ', '\t', '=', '}', ',']).unwrap_or(rest.len()));
        if !is_label_name(name) {
            let name = shown(name.as_bytes());
            return Err(format!("`{name}` is not a label name: letters, digits and `_`, no digit first"));
        }
        if name == "__name__" {
            return Err("the label `__name__`; the name stands before the brace".to_owned());
        }
        if labels.iter().any(|(known, _)| *known == name) {
            return Err(format!("the label `{name}` twice"));
        }
        let after = skip_space(after).strip_prefix('=').map(skip_space).and_then(|after| after.strip_prefix('"'));
        let (value, after) = quoted(after.ok_or_else(|| format!("no `=\"` after the label `{name}`"))?)
            .map_err(|what| format!("label `{name}`: {what}"))?;
        labels.push((name, value));
        rest = skip_space(after);
        match rest.strip_prefix(',') {
            Some(after) => rest = after,
            None if rest.starts_with('}') => {}
            None => return Err(format!("no `,` or `}}` after the label `{name}`")),
        }
    }
}

/// A value after its opening quotation mark, and what follows the closing one.
fn quoted(text: &str) -> Result<(String, &str), String> {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, char)) = chars.next() {
        match char {
            '"' => return Ok((value, &text[at + 1..])),
            '\\' => match chars.next().map(|(_, char)| char) {
                Some('\\') => value.push('\\'),
                Some('"') => value.push('"'),
                Some('n') => value.push('\n'),
                other => return Err(escape_error(other, r#"`\\`, `\"` and `\n`"#)),
            },
            _ => value.push(char),
        }
    }
    Err("no closing quotation mark".to_owned())
}

fn skip_space(text: &str) -> &str {
    text.trim_start_matches([' ', '\t'])
}

/// As Prometheus has always accepted them.
pub(super) fn is_metric_name(name: &str) -> bool {
    let first = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_' || byte == b':';
    name.bytes().next().is_some_and(first) && name.bytes().all(|byte| first(byte) || byte.is_ascii_digit())
}

fn is_label_name(name: &str) -> bool {
    is_metric_name(name) && !name.contains(':')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refused(line: &str, what: &str) {
        assert_eq!(Sample::parse(line).unwrap_err(), what, "{line}");
    }

    #[test]
    fn each_fault_has_its_own_message() {
        refused("x", "no value after `x`");
        refused("x{a=\"1\"}", "no value after `x`");
        refused("x one", "value `one`, expected a number");
        refused("x 0x10", "value `0x10`, expected a number");
        refused("x 1_000", "value `1_000`, expected a number");
        refused("x 1,5", "value `1,5`, expected a number");
        refused("x 1 1395066363000", "timestamp `1395066363000`: a file cannot say when it is scraped; leave it out");
        refused("x 1 # {trace=\"a\"} 1", "`#` after the value");
        refused("1x 1", "`1x` is not a metric name: letters, digits, `_` and `:`, no digit first");
        refused("{a=\"1\"} 1", "`` is not a metric name: letters, digits, `_` and `:`, no digit first");
        refused("x-y 1", "`x-y` is not a metric name: letters, digits, `_` and `:`, no digit first");
        refused("x{a:b=\"1\"} 1", "`a:b` is not a label name: letters, digits and `_`, no digit first");
        refused("x{__name__=\"y\"} 1", "the label `__name__`; the name stands before the brace");
        refused("x{a=\"1\",a=\"2\"} 1", "the label `a` twice");
        refused("x{a=1} 1", "no `=\"` after the label `a`");
        refused("x{a} 1", "no `=\"` after the label `a`");
        refused("x{a=\"1\" b=\"2\"} 1", "no `,` or `}` after the label `a`");
        refused("x{a=\"1\",,} 1", "`` is not a label name: letters, digits and `_`, no digit first");
        refused("x{a=\"1} 1", "label `a`: no closing quotation mark");
        refused("x{a=\"1\"", "no `,` or `}` after the label `a`");
        refused(
            "x{a=\"\\t\"} 1",
            r#"label `a`: `\t` is not an escape; a backslash stands only in `\\`, `\"` and `\n`"#,
        );
        refused("x{a=\"\\", r#"label `a`: `\` is not an escape; a backslash stands only in `\\`, `\"` and `\n`"#);
    }
}
