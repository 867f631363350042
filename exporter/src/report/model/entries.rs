//! The ledger's entries as a report tells them.

use serde::{Deserialize, Serialize};

use crate::contract::Text;
use crate::ledger::{AdvisoryDecision, Channel};

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
