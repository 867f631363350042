//! One function's month: the formula's numbers, slots, what is left to be judged, the year so far.

use serde::{Deserialize, Serialize};

use crate::calendar::Month;
use crate::contract::Text;
use crate::report::slots::Slot;
use crate::windows::Window;

/// One function's month.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FunctionReport {
    /// Label `function`.
    pub name: String,
    /// For people.
    pub title: Text,
    /// What must work for it to be up.
    pub capabilities: Vec<CapabilityHead>,
    /// Promised share of the month.
    pub objective: f64,
    /// Longest stop of one maintenance (C2.3); `null`: no limit.
    pub maintenance_limit_seconds: Option<i64>,
    /// The headline's [`provisional`](Self::provisional) figures against the objective.
    pub outcome: Outcome,
    /// The slots alone, nothing of the ledger.
    pub measured: Figures,
    /// The whole ledger as it stands: the headline, and what the recording rules show.
    pub provisional: Figures,
    /// Of the incidents only those somebody has decided; maintenance as in the headline.
    pub adjudicated: Figures,
    /// The part of the headline's downtime that followed the announced end of a maintenance (C4.1.2).
    pub overrun: Overrun,
    /// Every slot measured in the month, one per five minutes of the clock; what is missing is unmeasured.
    pub slots: Vec<Slot>,
    /// All windows with a second in the month, whole (not clipped), in the ledger's order. They may overlap: exclude over up
    /// over down.
    pub windows: Vec<Window>,
    /// The headline's measured downtime, slot by slot joined: what still needs a judgement.
    pub unexplained: Vec<Unexplained>,
    /// The headline's unmeasured time, joined.
    pub gaps: Vec<Gap>,
    /// The calendar year up to this month, this month included. A month nothing is known of is missing.
    pub year: Vec<YearMonth>,
}

/// A part of a function.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CapabilityHead {
    /// Label `capability`.
    pub name: String,
    /// For people.
    pub title: Text,
}

/// What became of the objective.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The month is over, and met it even if all unmeasured time had been downtime.
    Met,
    /// The month is over and met it by what was measured; with all unmeasured time as downtime it would have missed it.
    Unproven,
    /// More downtime than the whole month allows, whether it is over or not.
    Missed,
    /// The month is not over, and not missed so far.
    Open,
    /// Neither a slot nor a ruling about all of it: there is no figure.
    Unmeasured,
    /// All of the month is excluded: there is no service time to have a share of.
    NoService,
    /// The contract had not begun when the month ended: nothing was owed.
    NotOwed,
}

/// The contract's formula with its numbers (C4.1f).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// True length of the month: `days × 86 400` unless clocks changed.
    pub calendar_seconds: i64,
    /// What is taken out, by clause; the parts share no second.
    pub excluded: Excluded,
    /// `calendar_seconds` minus what is excluded: the service time.
    pub service_seconds: i64,
    /// The same, up to `generated_at`.
    pub elapsed_service_seconds: i64,
    /// `judged_downtime_seconds + measured_downtime_seconds`: the downtime.
    pub downtime_seconds: i64,
    /// Downtime the ledger judged, to the second.
    pub judged_downtime_seconds: i64,
    /// 300 for each slot that is down and in no window.
    pub measured_downtime_seconds: i64,
    /// 300 for each slot that is up and in no window.
    pub up_seconds: i64,
    /// 300 for each slot that should be there, is not, and is in no window; none before the contract's start.
    pub unmeasured_seconds: i64,
    /// `(service − downtime) ÷ service`, not below 0; `null`: no service time; all unmeasured, with neither a slot nor judged
    /// downtime; nothing owed; or not one slot counted yet. Print it with `rounding`.
    pub availability: Option<f64>,
    /// The same against the elapsed service time: what it would be if the month ended now.
    pub availability_to_date: Option<f64>,
    /// `availability` if all unmeasured time had been downtime; shown wherever it is shown. `null`: no service time,
    /// nothing owed, or not one slot counted yet.
    pub availability_lower: Option<f64>,
    /// Downtime the objective allows in the whole month, whole seconds: a second more misses it.
    pub allowed_downtime_seconds: i64,
    /// `allowed_downtime_seconds − downtime_seconds`, below 0 when missed; `null` where `availability` is.
    pub budget_remaining_seconds: Option<i64>,
}

impl Figures {
    /// What is excluded for any reason.
    #[must_use]
    pub fn excluded_seconds(&self) -> i64 {
        self.excluded.planned_seconds + self.excluded.upstream_seconds + self.excluded.force_majeure_seconds
    }
}

/// What is taken out of the month. Time that several reasons share is attributed to the first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Excluded {
    /// C4.1i: stops announced in time.
    pub planned_seconds: i64,
    /// C4.1ii: an upstream platform.
    pub upstream_seconds: i64,
    /// C4.1iii: beyond reasonable control.
    pub force_majeure_seconds: i64,
}

/// Downtime after announced ends (C4.1.2); a part of the downtime, not beside it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overrun {
    /// From the announced end to the recorded one, of the judged downtime.
    pub judged_seconds: i64,
    /// Slots down without a break from the announced end on, where no end is recorded: of the measured downtime.
    pub measured_seconds: i64,
}

/// Consecutive slots that are down and in no window.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unexplained {
    /// Begin: a slot speaks for the five minutes before it.
    pub start: i64,
    /// Timestamp of its last slot.
    pub end: i64,
    /// 300 for each slot.
    pub seconds: i64,
    /// The entry that is about it without deciding it; `null`: none.
    pub link: Option<Link>,
}

/// An entry that is about downtime it does not decide.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Link {
    /// Within an incident that has no cause yet.
    Incident {
        /// Its id.
        id: String,
    },
    /// From the announced end of an excluded maintenance on, without a break.
    Overrun {
        /// The maintenance's id.
        id: String,
    },
    /// Within a maintenance that is not excluded: too short a notice, or none.
    Counted {
        /// The maintenance's id.
        id: String,
    },
}

impl Link {
    /// The entry's id.
    #[must_use]
    pub fn id(&self) -> &str {
        match self {
            Self::Incident { id } | Self::Overrun { id } | Self::Counted { id } => id,
        }
    }
}

/// Consecutive slots that are missing and in no window: nobody knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// Begin.
    pub start: i64,
    /// End.
    pub end: i64,
    /// 300 for each slot.
    pub seconds: i64,
}

/// One month in the table of the year.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct YearMonth {
    /// Which.
    pub month: Month,
    /// Where it comes from.
    pub origin: Origin,
    /// Its service time.
    pub service_seconds: i64,
    /// Its downtime.
    pub downtime_seconds: i64,
    /// Its unmeasured time.
    pub unmeasured_seconds: i64,
    /// As in [`Figures`].
    pub availability: Option<f64>,
    /// As in [`Figures`].
    pub availability_lower: Option<f64>,
    /// Against the objective as it is now.
    pub outcome: Outcome,
}

/// Where a month's figures come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Origin {
    /// The month of this report.
    Report,
    /// The last values recorded as `sla:month_parts:seconds`.
    Recorded,
    /// A closed month's file.
    Closed {
        /// Its newest revision.
        revision: u32,
    },
}
