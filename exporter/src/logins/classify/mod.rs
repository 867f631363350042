//! Which lines of the system's log are failed logins (C2.6.7): text in, meaning out. Pure.
//!
//! Only the daemon's own words at the start of its message are trusted, never a search through the line: whoever is refused
//! chooses the user name that stands further on. What each service logs, and what of it counts, is in `docs/logins.md`.
//! Not for: counting an attempt once that several lines tell of (`once`), an application's own log (`patterns`).

mod pam;
mod sshd;
mod sudo;
pub mod syslog;
mod terminal;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use self::syslog::Message;
use super::kinds::{Reason, System};

/// What a line says about one attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said<'a> {
    /// Who says it.
    pub system: System,
    /// Why somebody was refused.
    pub reason: Reason,
    /// Which of the lines about one attempt this is: each service writes at most one of each kind for an attempt, so of
    /// several kinds the one with most lines is the number of attempts.
    pub kind: u8,
    /// How many attempts.
    pub count: u64,
    /// Who tried.
    pub user: Option<Cow<'a, str>>,
    /// Nothing more comes of this connection.
    pub last: bool,
}

/// Whether somebody came in over the connection of this message: what failed on it before is counted, what fails under the
/// same number later is another attempt.
#[must_use]
pub fn accepted(message: &Message<'_>) -> bool {
    message.program.starts_with("sshd") && message.text.starts_with("Accepted ")
}

/// What a message says of a failed login; `None`: nothing.
#[must_use]
pub fn classify<'a>(message: &Message<'a>) -> Option<Said<'a>> {
    let (text, times) = repeated(message.text);
    let mut said = one(message.program, text)?;
    said.count = said.count.saturating_mul(times);
    Some(said)
}

fn one<'a>(program: &str, text: &'a str) -> Option<Said<'a>> {
    match program {
        // Since 9.8 each connection has a program of its own, since 10.0 one more that authenticates.
        "sshd" | "sshd-session" | "sshd-auth" => sshd::classify(text),
        "sudo" => sudo::classify(text),
        "su" => terminal::su(text),
        "login" => terminal::login(text),
        _ => pam::classify(program, text),
    }
}

/// `message repeated 3 times: [ … ]`, as rsyslog shortens it: the message, and how often.
fn repeated(text: &str) -> (&str, u64) {
    let inner = || {
        let (times, rest) = text.strip_prefix("message repeated ")?.split_once(" times: [")?;
        Some((rest.trim_end().strip_suffix(']')?.trim(), times.parse().ok().filter(|times| *times <= 1_000_000)?))
    };
    inner().unwrap_or((text, 1))
}

/// A name as it stands in a message; an empty one is none.
fn user(name: &str) -> Option<Cow<'_, str>> {
    let name = name.trim();
    (!name.is_empty()).then_some(Cow::Borrowed(name))
}
