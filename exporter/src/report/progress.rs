//! What a person sees while Prometheus is read: nothing within the first second, then how far it is.

use std::io::{IsTerminal as _, Write as _, stderr};
use std::time::Duration;

use tokio::time::Instant;

/// Silent for as long.
const PATIENCE: Duration = Duration::from_secs(1);
/// Where standard error is a log, a line this often.
const LINES: Duration = Duration::from_secs(10);

/// Tells on standard error how far something is.
#[derive(Debug)]
pub(crate) struct Progress {
    what: String,
    terminal: bool,
    next: Instant,
    /// Something stands on the terminal's line.
    shown: bool,
}

impl Progress {
    /// `what` is being done, such as `reading 2026-10 from http://…`.
    pub(crate) fn new(what: String) -> Self {
        Self { what, terminal: stderr().is_terminal(), next: Instant::now() + PATIENCE, shown: false }
    }

    /// `done` of `total` is done.
    pub(crate) fn tell(&mut self, done: u64, total: u64) {
        if Instant::now() < self.next {
            return;
        }
        let percent = done.saturating_mul(100).checked_div(total).unwrap_or(100);
        // Progress nobody can see is no reason to fail.
        if self.terminal {
            self.shown = true;
            let _ = write!(stderr(), "\r{}: {percent:3} %", self.what);
        } else {
            self.next = Instant::now() + LINES;
            let _ = writeln!(stderr(), "{}: {percent} %", self.what);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.shown {
            // What comes next begins on an empty line.
            let _ = write!(stderr(), "\r\x1b[K");
        }
    }
}
