//! The whole report of one month as plain values: everything a renderer or the closed file needs, and nothing of a language
//! or a layout.
//!
//! Conventions, valid for every field: moments (`…_at`, `start`, `end`) are whole seconds since the epoch, stretches
//! half-open, `[start, end)`; lengths (`…_seconds`) whole seconds; shares (`objective`, `availability…`) 0 to 1. Lists are
//! in order of time unless said otherwise. Texts for people are in both languages; enumerations are words in snake case.
//! `null` is "not known" or "does not exist", never zero. This is also the shape of `--format json`: fields are added, and
//! changed only along with [`SCHEMA`]. Not for: how figures come about (`figures`, `assemble`), how they are rounded and
//! worded (`rounding`, `words`).

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::slots::Slot;
use crate::calendar::Month;
use crate::contract::Text;
use crate::ledger::{AdvisoryDecision, Channel};
use crate::windows::Window;

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

/// One incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncidentReport {
    /// Id in the ledger.
    pub id: String,
    /// For people.
    pub title: Text,
    /// What it was about, in the entry's order.
    pub functions: Vec<IncidentFunction>,
    /// `internal`, `upstream`, `force_majeure` or `false_alarm`; `null`: not known yet, measurement decides.
    pub cause: Option<CauseKind>,
    /// Name and title of the upstream, with that cause.
    pub upstream: Option<UpstreamHead>,
    /// When it occurred (C4.1.2).
    pub started_at: i64,
    /// When it converged; `null`: it goes on.
    pub resolved_at: Option<i64>,
    /// Its part of the month, up to `generated_at`.
    pub seconds_in_month: i64,
    /// Who judged it; `null`: nobody yet.
    pub decided: Option<DecisionReport>,
    /// How customers were told, by hand and by the exporter, by time.
    pub notices: Vec<NoticeReport>,
    /// From the occurrence to the first notice (C2.2); below 0: told before it was reckoned to have begun. `null`: nobody
    /// was told.
    pub first_report_seconds: Option<i64>,
    /// What customers were told, by time.
    pub updates: Vec<UpdateReport>,
}

/// What an incident means for one function in the month.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncidentFunction {
    /// The function's name.
    pub function: String,
    /// Judged downtime it adds. Time that several entries judge down counts for the first in the ledger: the parts of
    /// all incidents and overruns add up to `judged_downtime_seconds`.
    pub downtime_seconds: i64,
    /// Service time it takes away, in the same manner.
    pub excluded_seconds: i64,
    /// 300 for each unexplained slot within it, while it has no cause: counts as measured downtime for now.
    pub unjudged_downtime_seconds: i64,
    /// What was measured within it.
    pub slots: SlotCount,
}

/// Slots within a stretch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlotCount {
    /// Measured up.
    pub up: i64,
    /// Measured down.
    pub down: i64,
    /// Missing.
    pub unmeasured: i64,
}

/// Whose doing an incident was, without the upstream's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CauseKind {
    /// The service's own: downtime.
    Internal,
    /// An upstream platform's: excluded (C4.1ii).
    Upstream,
    /// Beyond reasonable control: excluded (C4.1iii).
    ForceMajeure,
    /// The function was up.
    FalseAlarm,
}

/// Whom an exclusion names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpstreamHead {
    /// As the ledger names it.
    pub name: String,
    /// For people.
    pub title: Text,
}

/// A ruling.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecisionReport {
    /// Who judged.
    pub by: String,
    /// When.
    pub at: i64,
    /// On what; may be empty.
    pub evidence: Text,
}

/// Customers were told (C2.2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoticeReport {
    /// When.
    pub at: i64,
    /// `page`, `mail` or `phone`.
    pub channel: Channel,
    /// By whom.
    pub sender: Sender,
}

/// Who told customers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sender {
    /// A person, who noted it in the ledger.
    Ledger,
    /// The exporter.
    Exporter,
}

/// One step of an incident as customers were told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpdateReport {
    /// When.
    pub at: i64,
    /// `investigating`, `identified`, `monitoring` or `resolved`.
    pub status: crate::ledger::Status,
    /// What was said.
    pub text: Text,
}

/// One maintenance (C2.3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MaintenanceReport {
    /// Id in the ledger.
    pub id: String,
    /// For people.
    pub title: Text,
    /// Scope in more words; may be empty.
    pub text: Text,
    /// What it is about, in the entry's order.
    pub functions: Vec<MaintenanceFunction>,
    /// May be announced late (C2.3); then counted.
    pub emergency: bool,
    /// When customers were told; `null`: never.
    pub announced_at: Option<i64>,
    /// Announced begin.
    pub start: i64,
    /// Announced end.
    pub end: i64,
    /// When the functions were usable again; `null`: not recorded.
    pub finished_at: Option<i64>,
    /// When it was called off; `null`: it was not.
    pub cancelled_at: Option<i64>,
    /// From the announcement to the start; `null`: not announced.
    pub notice_seconds: Option<i64>,
    /// Whether that is enough (C4.1i).
    pub notice_kept: bool,
    /// Whether it lies in the weekly slot (C2.3); true without one.
    pub slot_kept: bool,
    /// Whether it is excluded, and if not, why.
    pub exclusion: ExclusionKind,
    /// How long the stop was, or as announced where the end is not recorded.
    pub stop_seconds: i64,
    /// How customers were told, by hand and by the exporter, by time.
    pub notices: Vec<NoticeReport>,
}

/// What a maintenance means for one function in the month.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MaintenanceFunction {
    /// The function's name.
    pub function: String,
    /// Longest stop allowed; `null`: no limit.
    pub limit_seconds: Option<i64>,
    /// Whether the stop keeps it; true without one.
    pub limit_kept: bool,
    /// Service time it takes away; shared time counts for the first in the ledger.
    pub excluded_seconds: i64,
    /// Judged downtime after the announced end; shared time counts for the first in the ledger.
    pub overrun_judged_seconds: i64,
    /// Measured downtime from the announced end on, where no end is recorded: the stretches linked as an overrun.
    pub overrun_measured_seconds: i64,
    /// Measured downtime within it where it is not excluded: the stretches linked as counted.
    pub counted_downtime_seconds: i64,
}

/// Whether a maintenance is excluded (C4.1i).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExclusionKind {
    /// It is.
    Excluded,
    /// Not: called off, there was no stop.
    Cancelled,
    /// Not: never announced.
    NotAnnounced,
    /// Not: announced too late.
    ShortNotice,
}

/// A restore drill.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DrillReport {
    /// When.
    pub at: i64,
    /// What was done and found.
    pub text: Text,
}

/// A security update.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdvisoryReport {
    /// Such as a CVE.
    pub id: String,
    /// What it is about.
    pub component: String,
    /// When it was published.
    pub published_at: i64,
    /// One calendar month later: normally applied by then (C2.6.8).
    pub due_at: i64,
    /// `apply` or `not_applicable`; `null`: not decided yet.
    pub decision: Option<AdvisoryDecision>,
    /// When it was applied; `null`: not yet.
    pub applied_at: Option<i64>,
}
