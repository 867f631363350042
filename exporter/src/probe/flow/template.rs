//! Texts with `{{variables}}` in them. Nothing else: no conditions, no calls, no code.

use std::collections::BTreeMap;
use std::fmt;

use crate::http_client::Secrets;
use crate::secret::Secret;

/// The longest text that comes of a template, in bytes.
const MAX_RENDERED: usize = 1 << 20;

/// A text with variables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Template(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Variable(String),
}

/// Why a template has no text now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Unfilled {
    /// No step has captured this variable.
    Missing(String),
    /// The text would be too long.
    TooLong,
}

impl fmt::Display for Unfilled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(name) => write!(f, "variable `{name}` was not captured"),
            Self::TooLong => write!(f, "a text of more than {MAX_RENDERED} bytes is not sent"),
        }
    }
}

impl Template {
    /// Reads a text.
    ///
    /// # Errors
    /// Where braces do not close, or hold no name.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            if !before.is_empty() {
                parts.push(Part::Text(before.to_owned()));
            }
            let Some((name, after)) = after.split_once("}}") else {
                return Err("`{{` without `}}`; a variable is written {{name}}".to_owned());
            };
            let name = name.trim();
            check_name(name)?;
            parts.push(Part::Variable(name.to_owned()));
            rest = after;
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        Ok(Self(parts))
    }

    /// Its variables.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|part| match part {
            Part::Variable(name) => Some(name.as_str()),
            Part::Text(_) => None,
        })
    }

    /// Whether it begins with a variable: as a URL, that is one.
    pub(super) fn begins_with_variable(&self) -> bool {
        matches!(self.0.first(), Some(Part::Variable(_)))
    }

    /// Its text, each value as it is.
    pub(super) fn render(&self, variables: &Variables) -> Result<String, Unfilled> {
        self.render_with(variables, |_, value| value.to_owned())
    }

    /// Its text, each value as `encode` writes it: with the number of its part and the value.
    pub(super) fn render_with(
        &self,
        variables: &Variables,
        mut encode: impl FnMut(usize, &str) -> String,
    ) -> Result<String, Unfilled> {
        let mut out = String::new();
        for (number, part) in self.0.iter().enumerate() {
            match part {
                Part::Text(text) => out += text,
                Part::Variable(name) => {
                    let value = variables.get(name).ok_or_else(|| Unfilled::Missing(name.clone()))?;
                    out += &encode(number, value);
                }
            }
            if out.len() > MAX_RENDERED {
                return Err(Unfilled::TooLong);
            }
        }
        Ok(out)
    }
}

/// What a variable is called.
///
/// # Errors
/// With what is accepted.
pub(super) fn check_name(name: &str) -> Result<(), String> {
    let first = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if first && name.len() <= 64 && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
        return Ok(());
    }
    Err(format!(
        "`{}` is not a variable's name; letters, digits and `_`, a letter first, at most 64",
        crate::config::names::shorten(name)
    ))
}

/// The variables of one run.
#[derive(Default)]
pub(super) struct Variables {
    values: BTreeMap<String, String>,
    secret: Vec<Secret>,
    secrets: Secrets,
}

impl fmt::Debug for Variables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.values.keys()).finish()
    }
}

impl Variables {
    /// Gives `name` a value; a secret one is taken out of every message.
    pub(super) fn set(&mut self, name: &str, value: String, secret: bool) {
        if secret {
            self.secret.push(Secret::new(value.clone()));
            self.secrets.replace(self.secret.clone());
        }
        self.values.insert(name.to_owned(), value);
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// `text` without secrets, on one line and cut.
    pub(super) fn excerpt(&self, text: &str) -> String {
        self.secrets.excerpt(text)
    }

    /// Whether a template uses a secret one.
    pub(super) fn is_secret(&self, text: &str) -> bool {
        self.secret.iter().any(|secret| !secret.expose().is_empty() && text.contains(secret.expose()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables() -> Variables {
        let mut variables = Variables::default();
        variables.set("id", "a/b c".to_owned(), false);
        variables.set("password", "hunter2".to_owned(), true);
        variables
    }

    #[test]
    fn variables_are_put_in_as_they_are_or_as_they_are_written() {
        let template = Template::parse("x {{id}} y{{ id }}").unwrap();
        assert_eq!(template.render(&variables()).unwrap(), "x a/b c ya/b c");
        assert_eq!(template.render_with(&variables(), |_, v| v.len().to_string()).unwrap(), "x 5 y5");
        assert_eq!(template.names().collect::<Vec<_>>(), ["id", "id"]);
        assert!(Template::parse("{{id}}").unwrap().begins_with_variable());
        assert!(!template.begins_with_variable());
        assert_eq!(Template::parse("a { b } c").unwrap().render(&variables()).unwrap(), "a { b } c");
    }

    #[test]
    fn a_value_is_never_read_as_a_template() {
        let mut variables = variables();
        variables.set("evil", "{{password}}".to_owned(), false);
        assert_eq!(Template::parse("{{evil}}").unwrap().render(&variables).unwrap(), "{{password}}");
    }

    #[test]
    fn what_is_not_there_or_too_long_is_said() {
        let template = Template::parse("{{nothing}}").unwrap();
        assert_eq!(template.render(&variables()), Err(Unfilled::Missing("nothing".to_owned())));
        let mut variables = variables();
        variables.set("long", "x".repeat(MAX_RENDERED / 2 + 1), false);
        assert_eq!(Template::parse("{{long}}{{long}}").unwrap().render(&variables), Err(Unfilled::TooLong));
    }

    #[test]
    fn braces_hold_names() {
        for (text, words) in [
            ("{{", "without `}}`"),
            ("a {{b", "without"),
            ("{{}}", "not a variable's name"),
            ("{{1a}}", "not a variable's name"),
            ("{{a b}}", "not a variable's name"),
            ("{{a.b}}", "not a variable's name"),
        ] {
            let why = Template::parse(text).unwrap_err();
            assert!(why.contains(words), "{text}: {why}");
        }
    }

    #[test]
    fn a_secret_is_in_no_message() {
        let variables = variables();
        assert_eq!(variables.excerpt("wrong password hunter2"), "wrong password <secret>");
        assert!(variables.is_secret("user=a&password=hunter2") && !variables.is_secret("user=a"));
        assert!(!format!("{variables:?}").contains("hunter2"));
    }
}
