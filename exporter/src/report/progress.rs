//! What a person sees while Prometheus is read: nothing within the first second, then that it is asked and how far it is.

use std::cell::Cell;
use std::io::{IsTerminal as _, Write as _, stderr};
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval_at};

/// Silent for as long.
const PATIENCE: Duration = Duration::from_secs(1);
/// Where standard error is a log, a line this often.
const LINES: Duration = Duration::from_secs(10);

/// Tells on standard error how far something is.
#[derive(Debug)]
pub(crate) struct Progress {
    what: String,
    terminal: bool,
    next: Cell<Instant>,
    /// How much of how much is done; `None` until something is.
    done: Cell<Option<(u64, u64)>>,
    /// Something stands on the terminal's line.
    shown: Cell<bool>,
}

impl Progress {
    /// `what` is being done, such as `reading 2026-10 from http://…`.
    pub(crate) fn new(what: String) -> Self {
        Self::at(what, stderr().is_terminal(), Instant::now())
    }

    fn at(what: String, terminal: bool, now: Instant) -> Self {
        let next = Cell::new(now + PATIENCE);
        Self { what, terminal, next, done: Cell::default(), shown: Cell::default() }
    }

    /// `done` of `total` is done.
    pub(crate) fn tell(&self, done: u64, total: u64) {
        self.done.set(Some((done, total)));
        self.show();
    }

    /// Does `work`, and tells of it also while nothing comes back: a server that takes its time is not a program that hangs.
    pub(crate) async fn during<T>(&self, work: impl Future<Output = T>) -> T {
        let mut ticks = interval_at(self.next.get(), PATIENCE);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        tokio::pin!(work);
        loop {
            tokio::select! {
                // What is done is done: nothing more is told of it.
                biased;
                result = &mut work => return result,
                _ = ticks.tick() => self.show(),
            }
        }
    }

    fn show(&self) {
        // Progress nobody can see is no reason to fail.
        if let Some(text) = self.text(Instant::now()) {
            let _ = write!(stderr(), "{text}");
        }
    }

    /// What is written at `now`, if anything is.
    fn text(&self, now: Instant) -> Option<String> {
        if now < self.next.get() {
            return None;
        }
        let percent = |(done, total): (u64, u64)| done.saturating_mul(100).checked_div(total).unwrap_or(100);
        let far = self.done.get().map(percent);
        if self.terminal {
            self.shown.set(true);
            let far = far.map_or_else(|| " …".to_owned(), |percent| format!(": {percent:3} %"));
            Some(format!("\r{}{far}", self.what))
        } else {
            self.next.set(now + LINES);
            let far = far.map_or_else(String::new, |percent| format!(": {percent} %"));
            Some(format!("{}{far}\n", self.what))
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.shown.get() {
            // What comes next begins on an empty line.
            let _ = write!(stderr(), "\r\x1b[K");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(terminal: bool, events: &[(u64, Option<(u64, u64)>)]) -> Vec<Option<String>> {
        let start = Instant::now();
        let progress = Progress::at("reading".to_owned(), terminal, start);
        let tell = |(millis, done): &(u64, Option<(u64, u64)>)| {
            progress.done.set(*done);
            progress.text(start + Duration::from_millis(*millis))
        };
        let told = events.iter().map(tell).collect();
        // Nothing of this stands on a terminal.
        progress.shown.set(false);
        told
    }

    #[test]
    fn a_log_gets_a_line_after_a_second_and_then_one_in_ten() {
        let said = told(
            false,
            &[(999, None), (1_000, None), (10_999, Some((1, 2))), (11_000, Some((1, 2))), (12_000, Some((2, 2)))],
        );
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(said, [None, text("reading\n"), None, text("reading: 50 %\n"), None]);
    }

    #[test]
    fn a_terminal_gets_every_step_after_a_second_on_one_line() {
        let said = told(true, &[(999, Some((0, 9))), (1_000, None), (1_001, Some((0, 9))), (1_002, Some((7, 0)))]);
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(said, [None, text("\rreading …"), text("\rreading:   0 %"), text("\rreading: 100 %")]);
    }
}
