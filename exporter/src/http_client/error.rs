//! What can go wrong with a request, told so that it can be acted on.

use std::fmt;

use crate::secret::Secret;

/// The longest text of a server or a query that a message repeats, in characters.
const MAX_TEXT: usize = 400;
/// How much of a server's text is looked at for that, in characters.
const LOOK: usize = 8192;

/// What kind of fault it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// No answer: the name, the connection, TLS.
    Unreachable,
    /// No answer in time.
    Timeout,
    /// Credentials are missing, refused, or cannot be read.
    Denied,
    /// An answer, but not that of the API that was asked: a login page, a wrong path, a redirect, broken JSON.
    NotTheApi,
    /// The server refused the query, or failed at it.
    Query,
    /// More data than the server or this client has room for.
    TooMuch,
    /// The server had only a part of the data.
    Partial,
}

/// An error that does not know yet what was asked.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    pub(crate) kind: ErrorKind,
    pub(crate) detail: String,
    /// Whether a new connection may well do: the one that was kept had ended, or ended early.
    pub(crate) retry: bool,
}

impl Fault {
    pub(crate) fn new(kind: ErrorKind, detail: impl fmt::Display) -> Self {
        Self { kind, detail: detail.to_string(), retry: false }
    }

    /// A connection that ended before the answer was complete.
    pub(crate) fn reset(detail: impl fmt::Display) -> Self {
        Self { retry: true, ..Self::new(ErrorKind::Unreachable, detail) }
    }
}

/// `text` on one line, cut where it is long: servers can be talkative.
pub(crate) fn excerpt(text: &str) -> String {
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

/// What must not appear in a message: a server may repeat what it was sent.
#[derive(Debug, Default)]
pub(crate) struct Secrets(Vec<Secret>);

impl Secrets {
    /// Shorter ones are words that occur anyway; nobody would know they are one.
    const LEAST: usize = 4;

    /// Those of one request, in place of those of the one before.
    pub(crate) fn replace(&mut self, secrets: Vec<Secret>) {
        self.0 = secrets;
        self.0.retain(|secret| secret.expose().len() >= Self::LEAST);
        // One may be a part of another.
        self.0.sort_by_key(|secret| std::cmp::Reverse(secret.expose().len()));
    }

    /// `text` without them.
    pub(crate) fn redact(&self, text: &str) -> String {
        self.0.iter().map(Secret::expose).fold(text.to_owned(), |text, secret| {
            if text.contains(secret) { text.replace(secret, "<secret>") } else { text }
        })
    }

    /// What a server said, for a message. Redacted before it is cut: what is left of a secret is one, too.
    pub(crate) fn excerpt(&self, text: &str) -> String {
        let start = text.char_indices().nth(LOOK).map_or(text, |(end, _)| &text[..end]);
        let mut shown = self.redact(start);
        if start.len() < text.len() {
            let half = self.0.first().map_or(0, |longest| longest.expose().len());
            let end = shown.floor_char_boundary(shown.len().saturating_sub(half));
            shown.truncate(end);
        }
        excerpt(&shown)
    }
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

    fn secrets(all: &[&str]) -> Secrets {
        let mut secrets = Secrets::default();
        secrets.replace(all.iter().map(|text| Secret::new(*text)).collect());
        secrets
    }

    #[test]
    fn secrets_are_taken_out_of_a_text() {
        let secrets = secrets(&["abc", "hunter2", "hunter2-long", "two  words"]);
        assert_eq!(secrets.redact("no hunter2, hunter2-long, abc"), "no <secret>, <secret>, abc");
        assert_eq!(secrets.excerpt("with two  words"), "with <secret>");
    }

    #[test]
    fn no_half_of_a_secret_is_left_where_a_text_is_cut() {
        let secrets = secrets(&["hunter2"]);
        for shift in 0..20 {
            for length in [MAX_TEXT, LOOK] {
                let text = "x".repeat(length - shift) + "hunter2" + &"y".repeat(LOOK);
                assert!(!secrets.excerpt(&text).contains("hu"), "{length} - {shift}");
            }
            // Where the text is short only because secrets are taken out of it.
            let text = "x".repeat(shift) + &"hunter2".repeat(LOOK);
            let shown = secrets.excerpt(&text);
            assert!(!shown.contains('h'), "{shown}");
        }
    }
}
