//! What happened in one run, for a person who looks at it: steps with their times, and the certificates the peer sent.
//!
//! Kept only where asked for: scheduled runs have none. Contains what a target sends, cut to size and without control
//! characters, and nothing of what is sent to it.

use std::time::Duration;

use tokio::time::Instant;

/// Steps kept, those within a flow's among them; a target that talks on is not worth more.
const MAX_STEPS: usize = 400;
/// Certificates kept of a chain.
const MAX_CERTIFICATES: usize = 10;
/// The longest text of a step, in characters.
const MAX_TEXT: usize = 300;

/// What happened in one run.
#[derive(Clone, Debug)]
pub struct Trace {
    began: Instant,
    steps: Vec<Step>,
    certificates: Vec<Certificate>,
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Since the run began.
    pub at: Duration,
    /// What began then, or what was found out.
    pub what: String,
    /// It says what was found out by the step before.
    pub found: bool,
}

/// What a certificate says.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Certificate {
    /// Whom it is for.
    pub subject: String,
    /// Who says so.
    pub issuer: String,
    /// Its alternative names, DNS names and addresses.
    pub names: Vec<String>,
    /// Seconds since the epoch.
    pub not_before: i64,
    /// Seconds since the epoch.
    pub not_after: i64,
}

impl Trace {
    pub(super) fn new() -> Self {
        Self { began: Instant::now(), steps: Vec::new(), certificates: Vec::new() }
    }

    /// Something begins.
    pub(super) fn step(&mut self, what: &str) {
        self.push(what, false);
    }

    /// Something was found out.
    pub(super) fn found(&mut self, what: &str) {
        self.push(what, true);
    }

    fn push(&mut self, what: &str, found: bool) {
        // A step that goes on is one step, however often it says so.
        if self.steps.len() >= MAX_STEPS || self.steps.last().is_some_and(|last| last.what == what) {
            return;
        }
        self.steps.push(Step { at: self.began.elapsed(), what: plain(what), found });
    }

    /// The certificates of the newest handshake, the peer's own first.
    pub(super) fn chain(&mut self, chain: impl Iterator<Item = Certificate>) {
        self.certificates = chain
            .take(MAX_CERTIFICATES)
            .map(|one| Certificate {
                subject: plain(&one.subject),
                issuer: plain(&one.issuer),
                names: one.names.iter().map(|name| plain(name)).collect(),
                ..one
            })
            .collect();
    }

    /// What happened within the newest step, and the certificates of it where there are any; `say` takes out of a text what must
    /// not be in it.
    pub(super) fn within(&mut self, inner: Self, say: impl Fn(&str) -> String) {
        for step in inner.steps {
            if self.steps.len() < MAX_STEPS {
                self.steps.push(Step { at: step.at, what: plain(&say(&step.what)), found: true });
            }
        }
        if !inner.certificates.is_empty() {
            self.certificates = inner.certificates;
        }
    }

    /// One for what happens within the next step, on the same clock.
    pub(super) fn inner(&self) -> Self {
        Self { began: self.began, ..Self::new() }
    }

    /// What happened, in its order.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The certificates of the newest handshake, the peer's own first.
    #[must_use]
    pub fn certificates(&self) -> &[Certificate] {
        &self.certificates
    }
}

/// One line of text that moves no cursor.
fn plain(text: &str) -> String {
    let mut plain: String =
        text.chars().take(MAX_TEXT).map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect();
    if text.chars().nth(MAX_TEXT).is_some() {
        plain.push('…');
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_talkative_target_fills_no_memory_and_moves_no_cursor() {
        let mut trace = Trace::new();
        for number in 0..1000 {
            trace.step(&format!("{number}\x1b[2J\r\n{}", "x".repeat(10_000)));
        }
        assert_eq!(trace.steps().len(), MAX_STEPS);
        let longest = trace.steps().iter().map(|step| step.what.chars().count()).max();
        assert_eq!(longest, Some(MAX_TEXT + 1));
        assert!(trace.steps().iter().all(|step| !step.what.contains(['\x1b', '\r', '\n'])));
    }

    #[test]
    fn a_step_that_goes_on_is_one() {
        let mut trace = Trace::new();
        for what in ["a", "a", "b", "a"] {
            trace.step(what);
        }
        assert_eq!(trace.steps().iter().map(|step| step.what.as_str()).collect::<Vec<_>>(), ["a", "b", "a"]);
    }
}
