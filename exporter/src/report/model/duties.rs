//! The contract's duties as a report tells them.

use serde::{Deserialize, Serialize};

use super::Outcome;
use crate::contract::Text;
use crate::report::duties::Tickets;

/// One duty in the month.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DutyReport {
    /// Which, such as `backups` or `availability/client`.
    pub duty: String,
    /// The contract's clause.
    pub clause: String,
    /// For people.
    pub title: Text,
    /// Whether it was kept.
    pub state: DutyState,
    /// On what that rests.
    pub evidence: DutyEvidence,
    /// What broke it, by the first time. At most [`MOST_BREACHES`].
    pub breaches: Vec<Breach>,
    /// How many more there were.
    pub more_breaches: usize,
    /// What should have been measured and was not, with the seconds. At most [`MOST_BREACHES`].
    pub missing: Vec<Missing>,
}

/// Breaches listed of one duty.
pub const MOST_BREACHES: usize = 20;

/// Whether a duty was kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DutyState {
    /// Measured, and nothing broke it; so far, while the month goes on.
    Kept,
    /// Something broke it.
    NotKept,
    /// Nobody knows enough to say that it was kept.
    NotMeasured,
}

/// On what a duty's state rests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum DutyEvidence {
    /// The contract had not begun.
    BeforeContract,
    /// In the whole month no configuration that Prometheus knows of had anything that measures it.
    NotConfigured {
        /// What of sla.yml does.
        setting: String,
    },
    /// It was configured, and the recording rules have no verdict of the whole month.
    NotRecorded,
    /// The month was closed by a version that did not record duties.
    NotAsked,
    /// Monitoring cannot see it.
    Unseen,
    /// Five-minute verdicts of the recording rules.
    Slots {
        /// Time in which it was owed, up to `counted_until`.
        expected_seconds: i64,
        /// Of that, the time that is known: kept or broken.
        measured_seconds: i64,
        /// Of that, the time in which something was broken.
        broken_seconds: i64,
        /// Days of the month, as far as they are over or begun, on which it was owed; for what is judged by days, else `null`.
        expected_days: Option<i64>,
        /// Of those, the days with a verdict.
        measured_days: Option<i64>,
    },
    /// A function's availability; the figures are the function's.
    Availability {
        /// The function's name.
        function: String,
        /// What became of its objective.
        outcome: Outcome,
    },
    /// The ledger's maintenance.
    Maintenance {
        /// Stops of the month that took place or are announced.
        stops: usize,
    },
    /// The ledger's incidents, false alarms left out.
    Notices {
        /// Incidents of the month.
        incidents: usize,
        /// Of those, the ones customers were told of.
        told: usize,
        /// The longest time from an occurrence to the first report; `null`: nobody was told of any.
        slowest_seconds: Option<i64>,
        /// Stretches of downtime that no entry of the ledger is about: failures nobody was told of, or none.
        unexplained: usize,
    },
    /// The ledger's advisories.
    Advisories {
        /// Those that waited in the month.
        advisories: usize,
        /// Those of the whole ledger.
        recorded: usize,
    },
    /// Inquiries received in the month.
    Answers {
        /// By what became of them.
        tickets: Tickets,
        /// Days on which answers were owed; `null`: none was looked at.
        expected_days: Option<i64>,
        /// Of those, the days on which inquiries could be read.
        measured_days: Option<i64>,
    },
}

/// Something that broke a duty.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Breach {
    /// What: a host, a target, a set of backups, an entry of the ledger.
    pub item: String,
    /// In which manner.
    pub how: BreachKind,
    /// First moment; `null`: it has none.
    pub start: Option<i64>,
    /// Last moment; `null`: it goes on, or has none.
    pub end: Option<i64>,
    /// How long in all; 0 where it has no length.
    pub seconds: i64,
    /// In how many stretches.
    pub stretches: usize,
}

/// In which manner a duty was broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BreachKind {
    /// Measured so.
    Measured,
    /// A maintenance was announced too late, or not at all.
    Notice,
    /// A maintenance lay outside of the weekly slot.
    Slot,
    /// A maintenance took longer than a function's limit.
    Limit,
    /// Nobody was told of an incident.
    Untold,
    /// An advisory was settled after its due day, or waits.
    Overdue,
    /// Inquiries were answered late, or wait past their deadline: `stretches` says how many.
    Late,
}

/// Something configured that was not measured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Missing {
    /// What.
    pub item: String,
    /// How long.
    pub seconds: i64,
}
