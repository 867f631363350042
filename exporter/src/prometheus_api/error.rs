//! What can go wrong when Prometheus is asked, told so that it can be acted on.

use std::fmt;

use crate::secret::Secret;

/// The longest text of a server or a query that a message repeats, in characters.
const MAX_TEXT: usize = 400;

/// What kind of fault it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// No answer: the name, the connection, TLS.
    Unreachable,
    /// No answer in time.
    Timeout,
    /// Credentials are missing, refused, or cannot be read.
    Denied,
    /// An answer, but not that of Prometheus' HTTP API: a login page, a wrong path, a redirect, broken JSON.
    NotPrometheus,
    /// The server refused the query, or failed at it.
    Query,
    /// More data than the server or this client has room for.
    TooMuch,
    /// The server had only a part of the data.
    Partial,
}

/// Why Prometheus could not be asked. Displayed as `server: what was asked: what happened; what to do`, without secrets.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{server}: {asked}: {detail}")]
pub struct Error {
    /// For callers that treat some of them differently.
    pub kind: ErrorKind,
    pub(super) server: String,
    pub(super) asked: String,
    pub(super) detail: String,
}

/// An error that does not know yet what was asked.
#[derive(Clone, Debug)]
pub(super) struct Fault {
    pub(super) kind: ErrorKind,
    pub(super) detail: String,
    /// Whether a new connection may well do: the one that was kept had ended, or ended early.
    pub(super) retry: bool,
}

impl Fault {
    pub(super) fn new(kind: ErrorKind, detail: impl fmt::Display) -> Self {
        Self { kind, detail: detail.to_string(), retry: false }
    }

    /// A connection that ended before the answer was complete.
    pub(super) fn reset(detail: impl fmt::Display) -> Self {
        Self { retry: true, ..Self::new(ErrorKind::Unreachable, detail) }
    }
}

/// `text` on one line, cut where it is long: servers can be talkative.
pub(super) fn excerpt(text: &str) -> String {
    let mut words = String::new();
    let mut kept = 0;
    for c in text.trim().chars() {
        let c = if c.is_control() || c.is_whitespace() { ' ' } else { c };
        if c == ' ' && words.ends_with(' ') {
            continue;
        }
        if kept == MAX_TEXT {
            words.push('…');
            break;
        }
        words.push(c);
        kept += 1;
    }
    words
}

/// `text` without any of `secrets`: a server may repeat what it was sent.
pub(super) fn redact(text: String, secrets: &[Secret]) -> String {
    /// Shorter ones are words that occur anyway; nobody would know they are one.
    const LEAST: usize = 4;
    secrets
        .iter()
        .map(Secret::expose)
        .filter(|secret| secret.len() >= LEAST)
        .fold(text, |text, secret| if text.contains(secret) { text.replace(secret, "<secret>") } else { text })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_is_one_line_of_bounded_length() {
        assert_eq!(excerpt(" a\n\t b\u{1b}[31m "), "a b [31m");
        assert_eq!(excerpt(&"x".repeat(400)).chars().count(), 400);
        assert_eq!(excerpt(&"é".repeat(401)).chars().count(), 401);
        assert!(excerpt(&"é".repeat(401)).ends_with("é…"));
    }

    #[test]
    fn secrets_are_taken_out_of_a_text() {
        let secrets = ["hunter2", "abc"].map(Secret::new);
        assert_eq!(redact("no hunter2, abc".to_owned(), &secrets), "no <secret>, abc");
    }
}
