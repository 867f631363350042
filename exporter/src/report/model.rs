//! The whole report of one month as plain values: everything a renderer or the closed file needs, and nothing of a language
//! or a layout.
//!
//! Conventions, valid for every field: moments (`…_at`, `start`, `end`) are whole seconds since the epoch, stretches
//! half-open, `[start, end)`; lengths (`…_seconds`) whole seconds; shares (`objective`, `availability…`) 0 to 1. Lists are
//! in order of time unless said otherwise. Texts for people are in both languages; enumerations are words in snake case.
//! `null` is "not known" or "does not exist", never zero. This is also the shape of `--format json`: fields are added, and
//! changed only along with [`SCHEMA`]. Not for: how figures come about (`figures`, `assemble`), how they are rounded and
//! worded (`rounding`, `words`).

mod duties;
mod entries;
mod function;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::calendar::Month;
use crate::contract::Text;

pub use self::duties::{Breach, BreachKind, DutyEvidence, DutyReport, DutyState, MOST_BREACHES, Missing};
pub use self::entries::{
    AdvisoryReport, CauseKind, DecisionReport, DrillReport, ExclusionKind, IncidentFunction, IncidentReport,
    MaintenanceFunction, MaintenanceReport, NoticeReport, Sender, SlotCount, UpdateReport, UpstreamHead,
};
pub use self::function::{
    CapabilityHead, Excluded, Figures, FunctionReport, Gap, Link, Origin, Outcome, Overrun, Unexplained, YearMonth,
};

/// Version of this shape.
pub const SCHEMA: u32 = 1;

/// One month of one contract.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// [`SCHEMA`] of the version that wrote it.
    pub schema: u32,
    /// Which contract.
    pub contract: ContractHead,
    /// Which month of its zone.
    pub month: Month,
    /// The month's first second.
    pub month_start: i64,
    /// The next month's first second.
    pub month_end: i64,
    /// Days the calendar gives the month: the `days` of the contract's formula (C4.1f).
    pub days: i8,
    /// Up to which clock time slots are counted: the month's end, or one to six minutes before `generated_at`. A multiple
    /// of 300; at most `month_start` in the month's first minutes.
    pub counted_until: i64,
    /// The moment the ledger and the slots were looked at.
    pub generated_at: i64,
    /// Version of sla-exporter.
    pub tool_version: String,
    /// What identifies the ledger's content: hexadecimal.
    pub ledger_sha256: String,
    /// Entries in the whole ledger.
    pub ledger_entries: usize,
    /// Where the slots came from.
    pub source: Source,
    /// Which revision of a closed month this is, from 1; `null`: the month is not closed.
    pub revision: Option<u32>,
    /// Whether anything can still change the figures.
    pub status: Status,
    /// What this revision of a closed month changed; `null`: it is not closed, or this is the first.
    pub difference: Option<Difference>,
    /// The contract's functions, in the contract's order.
    pub functions: Vec<FunctionReport>,
    /// Incidents that have a second in the month, by when they occurred.
    pub incidents: Vec<IncidentReport>,
    /// Maintenance that has a second in the month (as announced or as it was), by its start. Called-off ones included.
    pub maintenance: Vec<MaintenanceReport>,
    /// Restore drills in the month (C2.5).
    pub drills: Vec<DrillReport>,
    /// Security updates (C2.6.8) published before the month's end and not settled before its start.
    pub advisories: Vec<AdvisoryReport>,
    /// What else the contract promises, in the order of its clauses; empty in a report older than this.
    #[serde(default)]
    pub duties: Vec<DutyReport>,
}

/// What a revision of a closed month changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    /// From which revision.
    pub revision: u32,
    /// When that one was made.
    pub closed_at: i64,
    /// Headlines of both; all functions, changed or not.
    pub functions: Vec<FigureChange>,
    /// Incidents and maintenance of the whole ledger that differ, by id.
    pub entries: Vec<EntryChange>,
    /// Whether the contract's terms differ.
    pub terms: bool,
}

/// One function's headline before and after.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FigureChange {
    /// The function's name.
    pub function: String,
    /// In the revision before; `null`: it had no such function.
    pub before: Option<Figures>,
    /// In this one.
    pub after: Figures,
}

/// One entry that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryChange {
    /// Its id.
    pub id: String,
    /// How.
    pub change: Change,
}

/// How an entry differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// It says something else.
    Changed,
}

/// Which contract, and its terms.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContractHead {
    /// Label `contract`.
    pub name: String,
    /// For people.
    pub title: Text,
    /// IANA name of the zone of months, days and all times shown.
    pub timezone: String,
    /// Nothing before this day is owed; `null`: not configured.
    pub start: Option<Date>,
    /// That day's first second.
    pub start_at: Option<i64>,
    /// Shortest notice of a maintenance that is excluded (C4.1i).
    pub notice_required_seconds: i64,
    /// The weekly stretch for maintenance (C2.3), such as `Fri 21:00` to `Mon 03:00`; `null`: any time.
    pub maintenance_slot: Option<WeeklySlot>,
}

/// A stretch of the week by the clock of the contract's zone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WeeklySlot {
    /// First moment inside: `Fri 21:00`.
    pub from: String,
    /// First moment outside: `Mon 03:00`.
    pub to: String,
}

/// Where the slots came from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// URL of the Prometheus that was asked, without credentials.
    pub url: String,
    /// Its version; `null`: it does not tell.
    pub version: Option<String>,
    /// What it remarked on its answers.
    pub warnings: Vec<String>,
}

/// Whether anything can still change the figures.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// Whether it is final.
    pub state: State,
    /// What is waited for; empty exactly when final.
    pub waiting: Vec<Waiting>,
    /// What does not wait for anything, and belongs beside the figures all the same.
    pub notes: Vec<Note>,
}

/// Whether figures can still change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Nothing waits. Only a later ruling changes it.
    Final,
    /// Something waits.
    Provisional,
}

/// What a final figure waits for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Waiting {
    /// The month goes on, or ended less than a minute ago: its last slots are not counted yet.
    MonthNotOver,
    /// This incident has not converged.
    OpenIncident {
        /// Its id.
        id: String,
    },
    /// Nobody has decided this incident, which has converged.
    UndecidedIncident {
        /// Its id.
        id: String,
    },
    /// This function has measured downtime nobody has judged: see [`FunctionReport::unexplained`].
    UnexplainedDowntime {
        /// The function's name.
        function: String,
        /// How much.
        seconds: i64,
    },
}

/// What belongs beside the figures.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Note {
    /// Nobody knows whether this function was up: see [`FunctionReport::gaps`].
    UnmeasuredTime {
        /// The function's name.
        function: String,
        /// How much.
        seconds: i64,
    },
    /// The contract began within the month: the time before is service time by the formula, and not called unmeasured.
    ContractBegan {
        /// When.
        at: i64,
    },
    /// Clocks changed within the month: its true length is not `days × 24 h`.
    ClocksChanged {
        /// True length minus `days × 86 400`.
        seconds: i64,
    },
}
