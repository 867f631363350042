//! Generated history of the demo's contract: what Prometheus would have recorded, had the stack run for a year, and the
//! ledger that belongs to it.
//!
//! `story` says what happened and what people wrote down about it, in the calendar's terms (`calendar`), so that it is the
//! same for the same moment and moves on with it. `measure` says what the demo's probes (`probes`) saw of that, by the same
//! steps as recording-rules/slots.yml, `figures` what recording-rules/months.yml would have recorded, with the ledger as it was
//! known each time. `openmetrics`, with `around` beside it, and `ledger` write both down; `load` says how promtool makes blocks of it. Every time is a multiple
//! of five minutes, so that slots and windows meet exactly. Invented from end to end, and not for production.

mod around;
mod calendar;
mod duties;
mod figures;
mod ledger;
mod load;
mod measure;
mod older;
mod openmetrics;
mod probes;
mod recent;
mod story;
#[cfg(test)]
mod tests;

use std::path::Path;

pub use self::calendar::Month;
pub use self::figures::Figures;
pub use self::load::promtool_arguments;
pub use self::probes::Addresses;

/// A slot, in seconds.
pub const SLOT: i64 = 300;
/// Closed months in the history, the newest with everything that is measured, the others with the functions' slots only.
pub const CLOSED_MONTHS: i32 = 12;
/// The name of the contract, as in deploy/demo/sla.yml.
pub const CONTRACT: &str = "synergy-lead";
/// Its functions, in its order.
pub const FUNCTIONS: [&str; 2] = ["client", "consumer"];

/// One year of the demo that ends at one moment.
#[derive(Debug)]
pub struct History {
    now: i64,
    story: story::Story,
    measured: measure::Measured,
    addresses: Addresses,
}

impl History {
    /// The history that ends at `now`, in seconds since the epoch; the same for the same arguments.
    #[must_use]
    pub fn new(now: i64, addresses: Addresses) -> Self {
        let current = Month::containing(now);
        let mut story = story::Story::default();
        older::tell(&mut story, current);
        recent::tell(&mut story, current, now);
        story.sort();
        let measured = measure::Measured::of(&story, current.back(CLOSED_MONTHS).start(), now);
        Self { now, story, measured, addresses }
    }

    /// The contract's first day: that of the history.
    #[must_use]
    pub fn start(&self) -> Month {
        self.current().back(CLOSED_MONTHS)
    }

    /// The month in which it ends.
    #[must_use]
    pub fn current(&self) -> Month {
        Month::containing(self.now)
    }

    /// When it ends, in seconds since the epoch.
    #[must_use]
    pub fn end(&self) -> i64 {
        self.now
    }

    /// What is watched and was recorded.
    fn watched(&self) -> impl Iterator<Item = probes::Watch> {
        let ping = self.addresses.ping;
        probes::Watch::ALL.into_iter().filter(move |watch| *watch != probes::Watch::Loopback || ping)
    }

    /// ledger.yml.
    #[must_use]
    pub fn ledger(&self) -> String {
        ledger::write(&self.story, self.now)
    }

    /// The files beside it that sla.yml names: name, contents.
    #[must_use]
    pub fn duties(&self) -> Vec<(&'static str, String)> {
        duties::files(self)
    }

    /// What the contract's formula makes of `month` for each of [`FUNCTIONS`], with the ledger as it stands at the end.
    #[must_use]
    pub fn figures(&self, month: Month) -> [Figures; 2] {
        figures::final_figures(&self.story, &self.measured, month, self.now)
    }

    /// Writes the samples in OpenMetrics' text format to `path`.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write_samples(&self, path: &Path) -> Result<(), String> {
        openmetrics::write(self, path).map_err(|error| format!("{}: {error}", path.display()))
    }

    /// deploy/demo/sla.yml, which `text` is, made to say that its history is invented, with the contract's start and the ledger.
    ///
    /// # Errors
    /// With what it no longer has that was to be replaced.
    pub fn configure(&self, text: &str) -> Result<String, String> {
        let start = format!("start: {}-01\n", self.start().name());
        let beside = format!("\nledger: ledger.yml\n{}\nmodules:\n", duties::SECTION);
        let replace = [
            ("サービス品質保証制度\"", "サービス品質保証制度（デモ、履歴は架空）\""),
            ("service level agreement\"", "service level agreement (demo, invented history)\""),
            ("start: 2026-09-01\n", start.as_str()),
            ("\nmodules:\n", beside.as_str()),
        ];
        replace.iter().try_fold(text.to_owned(), |text, (old, new)| match text.matches(old).count() {
            1 => Ok(text.replacen(old, new, 1)),
            count => Err(format!("deploy/demo/sla.yml has `{}` {count} times: the history needs it once", old.trim())),
        })
    }
}
