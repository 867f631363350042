//! The seconds of a month that the ledger decides, exact (C4.1f): service time, what is excluded and why, judged downtime.
//!
//! Pure: windows, a month and the time in; seconds out. Not for: measured slots (`report`, recording-rules/months.yml).

use serde::{Deserialize, Serialize};

use crate::span::{Span, Spans};
use crate::windows::{Effect, Reason, Window};

/// One function's month as far as the ledger decides it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// Time taken out, for each of [`Reason::EXCLUDING`]; they share no second.
    pub excluded: [Spans; 3],
    /// Judged up, and neither excluded nor in the future.
    pub up: Spans,
    /// Judged down, and neither excluded nor judged up nor in the future.
    pub down: Spans,
    month: Span,
    now: i64,
}

/// The seconds of [`Judged`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seconds {
    /// The month's own length.
    pub calendar: i64,
    /// `calendar` without what is excluded: the contract's service time.
    pub service: i64,
    /// The same, up to now.
    pub elapsed_service: i64,
    /// For each of [`Reason::EXCLUDING`].
    pub excluded: [i64; 3],
    /// Judged downtime, up to now.
    pub judged_downtime: i64,
}

impl Judged {
    /// What `windows` decide about `function` in `month`, as known at `now`.
    #[must_use]
    pub fn of<'a>(windows: impl IntoIterator<Item = &'a Window>, function: &str, month: Span, now: i64) -> Self {
        let parts: Vec<(Reason, Span)> = windows
            .into_iter()
            .filter(|window| window.function == function)
            .filter_map(|window| Some((window.reason, window.counted(now)?.clip(month)?)))
            .collect();
        let all = |wanted: &dyn Fn(Reason) -> bool| -> Spans {
            parts.iter().filter(|(reason, _)| wanted(*reason)).map(|(_, span)| *span).collect()
        };
        let mut taken = Spans::default();
        let excluded = Reason::EXCLUDING.map(|reason| {
            let own = all(&|other| other == reason).minus(&taken);
            taken = taken.union(&own);
            own
        });
        let up = all(&|reason| reason.effect() == Effect::Up).minus(&taken);
        let down = all(&|reason| reason.effect() == Effect::Down).minus(&taken).minus(&up);
        Self { excluded, up, down, month, now }
    }

    /// All that is excluded.
    #[must_use]
    pub fn excluded_time(&self) -> Spans {
        self.excluded.iter().flat_map(Spans::as_slice).copied().collect()
    }

    /// Its seconds.
    #[must_use]
    pub fn seconds(&self) -> Seconds {
        let excluded_time = self.excluded_time();
        let elapsed = Span::new(self.month.start(), self.now.min(self.month.end()));
        Seconds {
            calendar: self.month.seconds(),
            service: self.month.seconds() - excluded_time.seconds(),
            elapsed_service: elapsed.map_or(0, |elapsed| elapsed.seconds() - excluded_time.clip(elapsed).seconds()),
            excluded: self.excluded.each_ref().map(Spans::seconds),
            judged_downtime: self.down.seconds(),
        }
    }
}
