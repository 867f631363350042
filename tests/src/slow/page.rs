//! A contract with its functions, and what an exporter says of their months: the metrics of design and docs/metrics.md,
//! calculated slowly.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use chrono_tz::Tz;

use super::count::{Figures, Month, Slot};
use super::ledger::{Entry, Window};
use super::zone::{MonthSpan, month_of, two_months};

/// What every function is promised.
pub const OBJECTIVE: f64 = 0.99;

/// A contract and everything known of it.
#[derive(Clone, Debug)]
pub struct Contract {
    /// Label `contract`.
    pub name: String,
    /// Whose months they are.
    pub zone: Tz,
    /// `contract.start`.
    pub start: Option<i64>,
    /// How many milliseconds before a mark of the clock slots are recorded.
    pub lag: i64,
    /// Its functions.
    pub functions: Vec<Function>,
    /// Its ledger.
    pub entries: Vec<Entry>,
}

/// A function.
#[derive(Clone, Debug)]
pub struct Function {
    /// Label `function`.
    pub name: String,
    /// Its slots in order of time.
    pub slots: Vec<Slot>,
}

/// One line of a page.
#[derive(Clone, Debug)]
pub struct Line {
    /// The metric.
    pub metric: &'static str,
    /// Its labels as they are written.
    pub labels: String,
    /// Its value.
    pub value: f64,
}

impl Contract {
    fn windows(&self, function: &str) -> Vec<Window> {
        let about = self.entries.iter().filter(|entry| entry.functions.iter().any(|name| name == function));
        about.flat_map(Entry::windows).collect()
    }

    /// The figures of every function in the month before `evaluated` and in its month, with what the exporter knew at
    /// `now`. None of a month that had ended when the contract began.
    #[must_use]
    pub fn figures(&self, now: i64, evaluated: i64) -> Vec<(String, String, Figures)> {
        let mut all = Vec::new();
        for function in &self.functions {
            let windows = self.windows(&function.name);
            for month in &two_months(self.zone, now) {
                if self.start.is_none_or(|start| month.end > start) {
                    let figures = self.month(function, &windows, month, now, evaluated).figures();
                    all.push((function.name.clone(), month.name.clone(), figures));
                }
            }
        }
        all
    }

    fn month<'a>(
        &self,
        function: &'a Function,
        windows: &'a [Window],
        month: &'a MonthSpan,
        now: i64,
        evaluated: i64,
    ) -> Month<'a> {
        Month { month, now, evaluated, contract_start: self.start, windows, slots: &function.slots, lag: self.lag }
    }

    /// What an exporter of this contract says at `now`: the current month, the previous, and one that is closed.
    #[must_use]
    pub fn page(&self, now: i64) -> Vec<Line> {
        let [previous, current] = two_months(self.zone, now);
        let closed = month_of(self.zone, previous.start - 1);
        let months = [(closed, "closed"), (previous, "previous"), (current, "current")];
        let contract = &self.name;
        let mut lines = Vec::new();
        let mut line = |metric, labels: String, value: f64| lines.push(Line { metric, labels, value });
        let mut hasher = DefaultHasher::new();
        format!("{:?}", self.entries).hash(&mut hasher);
        let sum = format!("contract=\"{contract}\",sha256=\"{:x}\"", hasher.finish());
        line("sla_exporter_ledger_info", sum, 1.0);
        if let Some(start) = self.start {
            line("sla_contract_start_timestamp_seconds", format!("contract=\"{contract}\""), start as f64);
        }
        for (month, period) in &months {
            let labels = format!("contract=\"{contract}\",month=\"{}\",period=\"{period}\"", month.name);
            line("sla_month_start_timestamp_seconds", labels.clone(), month.start as f64);
            line("sla_month_end_timestamp_seconds", labels, month.end as f64);
        }
        for function in &self.functions {
            let name = &function.name;
            let of = format!("contract=\"{contract}\",function=\"{name}\"");
            line("sla_objective_ratio", of.clone(), OBJECTIVE);
            let windows = self.windows(name);
            for (span, period) in &months {
                let labels = format!("{of},month=\"{}\",period=\"{period}\"", span.name);
                let month = self.month(function, &windows, span, now, now);
                let figures = month.figures();
                line("sla_month_service_seconds", labels.clone(), figures.service as f64);
                line("sla_month_elapsed_service_seconds", labels.clone(), figures.elapsed as f64);
                // What is zero may be absent.
                if figures.judged > 0 {
                    line("sla_month_judged_downtime_seconds", labels.clone(), figures.judged as f64);
                }
                for (reason, seconds) in ["planned", "upstream", "force_majeure"].iter().zip(figures.excluded) {
                    if seconds > 0 {
                        line("sla_month_excluded_seconds", format!("{labels},reason=\"{reason}\""), seconds as f64);
                    }
                }
                for window in &windows {
                    let Some((start, end)) = month.shown(window) else { continue };
                    let (effect, reason) = window.reason.labels();
                    let id = &window.id;
                    let labels = format!("{labels},window=\"{id}\",effect=\"{effect}\",reason=\"{reason}\"");
                    line("sla_window_start_timestamp_seconds", labels.clone(), start as f64);
                    line("sla_window_end_timestamp_seconds", labels, end as f64);
                }
            }
        }
        lines
    }
}
