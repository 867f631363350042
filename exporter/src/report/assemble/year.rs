//! The year so far.

use serde::{Deserialize, Serialize};

use super::Context;
use crate::calendar::Month;
use crate::contract::Function;
use crate::report::figures::{Frame, allowed, outcome, share};
use crate::report::model::{Figures, Origin, YearMonth};

/// What is known of one function's earlier month.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Past {
    /// Which month.
    pub month: Month,
    /// Of which function.
    pub function: String,
    /// From where; not [`Origin::Report`].
    pub origin: Origin,
    /// Its service time.
    pub service_seconds: i64,
    /// Its downtime.
    pub downtime_seconds: i64,
    /// Its unmeasured time.
    pub unmeasured_seconds: i64,
    /// Whether there is an availability: there was a slot, or judged downtime, or nothing was unmeasured.
    pub known: bool,
}

impl Context<'_> {
    /// The calendar year up to this month, whose figures are `current`.
    pub(super) fn year(&self, function: &Function, current: &Figures) -> Vec<YearMonth> {
        let this = self.input.month;
        let mut months: Vec<YearMonth> = Vec::new();
        let past = self
            .input
            .past
            .iter()
            .filter(|past| past.function == function.name && past.month.year() == this.year() && past.month < this);
        for past in past {
            let month = self.past(past, function.objective);
            months.retain(|other| other.month != month.month);
            months.push(month);
        }
        months.sort_by_key(|month| month.month);
        months.push(YearMonth {
            month: this,
            origin: Origin::Report,
            service_seconds: current.service_seconds,
            downtime_seconds: current.downtime_seconds,
            unmeasured_seconds: current.unmeasured_seconds,
            availability: current.availability,
            availability_lower: current.availability_lower,
            outcome: outcome(current, self.frame.is_over(), self.frame.is_owed()),
        });
        months
    }

    fn past(&self, past: &Past, objective: f64) -> YearMonth {
        let span = past.month.span(&self.input.contract.timezone);
        let frame = Frame::new(span, self.frame.now, self.frame.contract_start, 0);
        let Past { service_seconds: service, downtime_seconds: down, unmeasured_seconds: missing, .. } = *past;
        let (known, owed) = (past.known && frame.is_owed(), frame.is_owed());
        let figures = Figures {
            service_seconds: service,
            downtime_seconds: down,
            unmeasured_seconds: missing,
            availability: known.then(|| share(service, down)).flatten(),
            availability_lower: owed.then(|| share(service, down + missing)).flatten(),
            allowed_downtime_seconds: allowed(service, objective),
            ..Figures::default()
        };
        YearMonth {
            month: past.month,
            origin: past.origin,
            service_seconds: service,
            downtime_seconds: down,
            unmeasured_seconds: missing,
            availability: figures.availability,
            availability_lower: figures.availability_lower,
            outcome: outcome(&figures, frame.is_over(), owed),
        }
    }
}
