//! From YAML values to typed ones, with an error message for whatever does not fit.
//!
//! A [`Cursor`] is a value with its path; a [`MapCursor`] hands out a mapping's keys and, at its end,
//! refuses those nobody asked for. Every method that fails has reported why and returns `None`, so a
//! reader goes on and finds the next fault too.

use std::fmt::Display;
use std::path::PathBuf;
use std::time::Duration;

use regex::Regex;

use super::diagnostics::{Document, Severity};
pub use super::names::{did_you_mean, shorten};
use super::node::{Mark, Node, Value};
pub use super::units::{format_duration, parse_duration};
use super::{names, units};
use crate::regular_file;

mod map;
#[cfg(test)]
mod tests;

pub use map::MapCursor;

/// The largest file a setting may name, in bytes: certificates, not archives.
const MAX_FILE_BYTES: u64 = 1024 * 1024;

/// A value, its path, and the document findings go to.
#[derive(Clone, Debug)]
pub struct Cursor<'a> {
    doc: &'a Document,
    node: &'a Node,
    path: String,
}

impl<'a> Cursor<'a> {
    /// The document's root.
    #[must_use]
    pub fn root(doc: &'a Document, node: &'a Node) -> Self {
        Self { doc, node, path: String::new() }
    }

    /// The document this value is of.
    #[must_use]
    pub fn document(&self) -> &'a Document {
        self.doc
    }

    /// The value itself.
    #[must_use]
    pub fn node(&self) -> &'a Node {
        self.node
    }

    /// Its path, such as `probes[2].interval`.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Reports an error at this value; returns `None` so that callers can `return cursor.error(…)`.
    pub fn error<T>(&self, message: impl Display) -> Option<T> {
        self.doc.report(Severity::Error, self.node.mark, self.path.clone(), message);
        None
    }

    /// Reports a warning at this value.
    pub fn warn(&self, message: impl Display) {
        self.doc.report(Severity::Warning, self.node.mark, self.path.clone(), message);
    }

    /// The value as a mapping.
    #[must_use]
    pub fn map(&self) -> Option<MapCursor<'a>> {
        match &self.node.value {
            Value::Map(entries) => Some(MapCursor {
                doc: self.doc,
                entries,
                mark: self.node.mark,
                path: self.path.clone(),
                known: Vec::new(),
                handled: Vec::new(),
            }),
            _ => self.wrong_type("a mapping (`key: value`)"),
        }
    }

    /// The value as a list; null is an empty one.
    #[must_use]
    pub fn list(&self) -> Option<Vec<Cursor<'a>>> {
        match &self.node.value {
            Value::List(items) => Some(
                items
                    .iter()
                    .enumerate()
                    .map(|(i, node)| Cursor { doc: self.doc, node, path: format!("{}[{i}]", self.path) })
                    .collect(),
            ),
            _ if self.node.is_null() => Some(Vec::new()),
            _ => self.wrong_type("a list"),
        }
    }

    /// The entries of a mapping whose keys are names: `(key, where the key is, value)`; null is an empty one.
    #[must_use]
    pub fn named(&self) -> Option<Vec<(&'a str, Mark, Cursor<'a>)>> {
        match &self.node.value {
            Value::Map(entries) => Some(
                entries
                    .iter()
                    .map(|e| {
                        let path = join(&self.path, &e.key);
                        (e.key.as_str(), e.key_mark, Cursor { doc: self.doc, node: &e.node, path })
                    })
                    .collect(),
            ),
            _ if self.node.is_null() => Some(Vec::new()),
            _ => self.wrong_type("a mapping (`name: …`)"),
        }
    }

    /// The text of a scalar; `expected` is for the message.
    fn scalar(&self, expected: &str) -> Option<&'a str> {
        match &self.node.value {
            Value::Scalar { text, .. } if !self.node.is_null() => Some(text),
            _ => self.wrong_type(expected),
        }
    }

    fn wrong_type<T>(&self, expected: &str) -> Option<T> {
        let found = match &self.node.value {
            _ if self.node.is_null() => "nothing".to_owned(),
            Value::Scalar { text, .. } => format!("`{}`", shorten(text)),
            Value::List(_) => "a list".to_owned(),
            Value::Map(_) => "a mapping".to_owned(),
        };
        self.error(format_args!("expected {expected}, found {found}"))
    }

    /// A text; numbers and booleans count as the text they are written as.
    #[must_use]
    pub fn string(&self) -> Option<String> {
        self.scalar("a text").map(str::to_owned)
    }

    /// A text of at least one character.
    #[must_use]
    pub fn non_empty(&self) -> Option<String> {
        let text = self.string()?;
        if text.trim().is_empty() { self.error("expected a text, found an empty one") } else { Some(text) }
    }

    /// A list of texts; a single text is a list of one.
    #[must_use]
    pub fn strings(&self) -> Option<Vec<String>> {
        match &self.node.value {
            Value::Scalar { .. } if !self.node.is_null() => Some(vec![self.string()?]),
            _ => collect(&self.list()?, Cursor::string),
        }
    }

    /// `true` or `false` (also `yes`/`no`/`on`/`off` without quotes, as Go's YAML takes them).
    #[must_use]
    pub fn bool(&self) -> Option<bool> {
        match &self.node.value {
            Value::Scalar { text, plain: true } => match text.to_ascii_lowercase().as_str() {
                "true" | "yes" | "on" => Some(true),
                "false" | "no" | "off" => Some(false),
                _ => self.wrong_type("true or false"),
            },
            _ => self.wrong_type("true or false"),
        }
    }

    /// A whole number within `range`.
    #[must_use]
    pub fn integer(&self, range: std::ops::RangeInclusive<i64>) -> Option<i64> {
        let expected = format!("a whole number from {} to {}", range.start(), range.end());
        match self.scalar(&expected)?.parse::<i64>() {
            Ok(number) if range.contains(&number) => Some(number),
            _ => self.wrong_type(&expected),
        }
    }

    /// A finite number within `range`.
    #[must_use]
    pub fn number(&self, range: std::ops::RangeInclusive<f64>) -> Option<f64> {
        let expected = format!("a number from {} to {}", range.start(), range.end());
        match self.scalar(&expected)?.parse::<f64>() {
            Ok(number) if number.is_finite() && range.contains(&number) => Some(number),
            _ => self.wrong_type(&expected),
        }
    }

    /// A number above 0 and up to `max`.
    #[must_use]
    pub fn positive(&self, max: f64) -> Option<f64> {
        let expected = format!("a number above 0 and up to {max}");
        match self.scalar(&expected)?.parse::<f64>() {
            Ok(number) if number > 0.0 && number <= max => Some(number),
            _ => self.wrong_type(&expected),
        }
    }

    /// A duration as Prometheus writes them: `90s`, `1h30m`, `14d`.
    #[must_use]
    pub fn duration(&self) -> Option<Duration> {
        let text = self.scalar("a duration such as 30s, 5m or 1h30m")?;
        match parse_duration(text) {
            Ok(duration) => Some(duration),
            Err(why) => self.error(format_args!(
                "`{}` is not a duration: {why}; write for example 500ms, 30s, 5m, 1h30m or 14d",
                shorten(text)
            )),
        }
    }

    /// A number of bytes: `1024`, `64KB`, `10MiB` (as alecthomas/units: both mean powers of 1024).
    #[must_use]
    pub fn bytes(&self) -> Option<u64> {
        let text = self.scalar("a size such as 64KB or 10MB")?;
        match units::parse_bytes(text) {
            Some(bytes) => Some(bytes),
            None => self.error(format_args!("`{}` is not a size; write for example 512B, 64KB or 10MB", shorten(text))),
        }
    }

    /// A regular expression, not anchored, as RE2 and the `regex` crate have them.
    #[must_use]
    pub fn regex(&self) -> Option<Regex> {
        let text = self.scalar("a regular expression")?;
        match Regex::new(text) {
            Ok(regex) => Some(regex),
            Err(error) => {
                let why = error.to_string();
                let why = why.lines().last().unwrap_or_default().trim_start_matches("error: ");
                self.error(format_args!("`{}` is not a regular expression: {why}", shorten(text)))
            }
        }
    }

    /// One of a closed list of words.
    #[must_use]
    pub fn one_of<T: Clone>(&self, words: &[(&str, T)]) -> Option<T> {
        let list = words.iter().map(|(word, _)| *word).collect::<Vec<_>>();
        let text = self.scalar(&format!("one of {}", list.join(", ")))?;
        match words.iter().find(|(word, _)| *word == text) {
            Some((_, value)) => Some(value.clone()),
            None => self.error(format_args!(
                "unknown value `{}`; accepted: {}{}",
                shorten(text),
                list.join(", "),
                did_you_mean(text, list.iter().copied())
            )),
        }
    }

    /// A file's name, relative to the folder of the file it is written in. Not opened here.
    #[must_use]
    pub fn file(&self) -> Option<PathBuf> {
        self.non_empty().map(|text| self.doc.refer(&text))
    }

    /// The content of a small file (at most 1 MiB), read now; its name is relative to the folder of the file it is
    /// written in.
    #[must_use]
    pub fn file_content(&self) -> Option<Vec<u8>> {
        let path = self.file()?;
        match regular_file::read(&path, MAX_FILE_BYTES) {
            Ok(content) => Some(content),
            Err(error) => self.error(format_args!("cannot read {}: {error}", path.display())),
        }
    }

    /// Reports an error at this value's path, but at another place: that of its key.
    pub fn error_at(&self, mark: Mark, message: impl Display) {
        self.doc.report(Severity::Error, mark, self.path.clone(), message);
    }

    /// As [`error_at`](Self::error_at), a warning.
    pub fn warn_at(&self, mark: Mark, message: impl Display) {
        self.doc.report(Severity::Warning, mark, self.path.clone(), message);
    }

    /// A name of the contract or of a probe: letters, digits, `_`, `.` and `-`, at most 256.
    #[must_use]
    pub fn identifier(&self) -> Option<String> {
        let text = self.string()?;
        match names::check_identifier(&text) {
            Ok(()) => Some(text),
            Err(why) => self.error(why),
        }
    }

    /// A label's value: any text on one line, at most 256 characters.
    #[must_use]
    pub fn label(&self) -> Option<String> {
        let text = self.string()?;
        match names::check_label(&text, names::MAX_NAME) {
            Ok(()) => Some(text),
            Err(why) => self.error(why),
        }
    }
}

/// Every item converted, or `None` after all were tried.
pub fn collect<'a, T>(items: &[Cursor<'a>], convert: impl FnMut(&Cursor<'a>) -> Option<T>) -> Option<Vec<T>> {
    let wanted = items.len();
    let found: Vec<T> = items.iter().filter_map(convert).collect();
    (found.len() == wanted).then_some(found)
}

fn join(path: &str, key: &str) -> String {
    let key = shorten(key);
    if path.is_empty() { key } else { format!("{path}.{key}") }
}
