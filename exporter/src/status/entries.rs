//! Incidents and maintenance as customers may read them: titles, times, and what was written for them.
//!
//! Pure. What a ledger entry has beside that (who decided, on what evidence, its id, how customers were told) is not copied.

use jiff::Timestamp;

use super::identity::uuid;
use super::state::{self, Measured, Phase};
use crate::contract::{Contract, Text};
use crate::ledger::{Cause, Incident, Ledger, Maintenance, Status};

/// An incident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IncidentView {
    /// See [`uuid`].
    pub id: String,
    /// What customers read.
    pub title: Text,
    /// Names of the functions it is about.
    pub functions: Vec<String>,
    /// When it occurred.
    pub started: i64,
    /// When it converged; absent while it goes on.
    pub resolved: Option<i64>,
    /// How far it is.
    pub status: Status,
    /// Whose doing it was, where that is known and not the service's own.
    pub cause: Option<CauseView>,
    /// What customers were told, the newest first.
    pub updates: Vec<UpdateView>,
    /// When the last of all this happened.
    pub updated: i64,
}

/// Whose doing an incident was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CauseView {
    /// That of an upstream platform with this title.
    Upstream(Text),
    /// Beyond reasonable control.
    ForceMajeure,
    /// There was no failure.
    FalseAlarm,
}

/// One step of an incident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpdateView {
    /// When.
    pub at: i64,
    /// How far it was.
    pub status: Status,
    /// What was said.
    pub text: Text,
}

/// A maintenance that was announced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StopView {
    /// See [`uuid`].
    pub id: String,
    /// What customers read.
    pub title: Text,
    /// Scope in more words; may be empty.
    pub text: Text,
    /// Names of the functions it is about.
    pub functions: Vec<String>,
    /// How far it is.
    pub phase: Phase,
    /// Announced late because it could not wait.
    pub emergency: bool,
    /// When customers were told.
    pub announced: i64,
    /// Announced begin.
    pub start: i64,
    /// Announced end.
    pub end: i64,
    /// When the functions were usable again, where that is recorded.
    pub finished: Option<i64>,
    /// How often it changed since it was announced, as far as the ledger shows.
    pub revision: usize,
    /// When the last of all this happened.
    pub updated: i64,
}

/// Incidents that have begun at `now` and had not ended at `since`, the newest first.
#[must_use]
pub fn incidents(contract: &Contract, ledger: &Ledger, since: i64, now: i64) -> Vec<IncidentView> {
    let mut all: Vec<IncidentView> = ledger
        .incidents
        .iter()
        .filter(|incident| incident.started_at.as_second() <= now)
        .filter(|incident| incident.resolved_at.is_none_or(|at| at.as_second() > since))
        .map(|incident| incident_view(contract, incident, now))
        .collect();
    all.sort_by(|a, b| (b.started, &b.id).cmp(&(a.started, &a.id)));
    all
}

fn incident_view(contract: &Contract, incident: &Incident, now: i64) -> IncidentView {
    let known = |at: Timestamp| Some(at.as_second()).filter(|at| *at <= now);
    let resolved = incident.resolved_at.and_then(known);
    let mut updates: Vec<UpdateView> = incident
        .updates
        .iter()
        .filter_map(|update| {
            Some(UpdateView { at: known(update.at)?, status: update.status, text: update.text.clone() })
        })
        .collect();
    updates.reverse();
    let status = match updates.first() {
        _ if resolved.is_some() => Status::Resolved,
        // Said to be over, but no end is recorded: it is still being watched.
        Some(update) if update.status == Status::Resolved => Status::Monitoring,
        Some(update) => update.status,
        None => Status::Investigating,
    };
    let cause = match &incident.cause {
        Some(Cause::Upstream(name)) => {
            let upstream = contract.upstreams.iter().find(|upstream| upstream.name == *name);
            upstream.map(|upstream| CauseView::Upstream(upstream.title.clone()))
        }
        Some(Cause::ForceMajeure) => Some(CauseView::ForceMajeure),
        Some(Cause::FalseAlarm) => Some(CauseView::FalseAlarm),
        Some(Cause::Internal) | None => None,
    };
    let decided = incident.decided.as_ref().and_then(|decision| known(decision.at));
    let times = updates.iter().map(|update| update.at).chain(resolved).chain(decided);
    let started = incident.started_at.as_second();
    IncidentView {
        id: uuid(&contract.name, "incident", &incident.id),
        title: incident.title.clone(),
        functions: incident.functions.clone(),
        started,
        resolved,
        status,
        cause,
        updated: times.fold(started, i64::max),
        updates,
    }
}

/// Maintenance that customers know of at `now` and that had not ended at `since`, the earliest first.
#[must_use]
pub fn stops(contract: &Contract, ledger: &Ledger, measured: &dyn Measured, since: i64, now: i64) -> Vec<StopView> {
    let mut all: Vec<StopView> = ledger
        .maintenance
        .iter()
        .filter(|stop| stop.finished_at.unwrap_or(stop.end).as_second().max(stop.end.as_second()) > since)
        .filter_map(|stop| stop_view(contract, stop, measured, now))
        .collect();
    all.sort_by(|a, b| (a.start, &a.id).cmp(&(b.start, &b.id)));
    all
}

fn stop_view(contract: &Contract, stop: &Maintenance, measured: &dyn Measured, now: i64) -> Option<StopView> {
    let phase = state::phase(stop, measured, now)?;
    let known = |at: Timestamp| Some(at.as_second()).filter(|at| *at <= now);
    let announced = stop.announced_at.and_then(known)?;
    let cancelled = stop.cancelled_at.and_then(known);
    let finished = stop.finished_at.and_then(known);
    let told: Vec<i64> =
        stop.notices.iter().filter_map(|notice| known(notice.at)).filter(|at| *at > announced).collect();
    let times = told.iter().copied().chain(cancelled).chain(finished);
    Some(StopView {
        id: uuid(&contract.name, "maintenance", &stop.id),
        title: stop.title.clone(),
        text: stop.text.clone(),
        functions: stop.functions.clone(),
        phase,
        emergency: stop.emergency,
        announced,
        start: stop.start.as_second(),
        end: stop.end.as_second(),
        finished,
        revision: told.len() + usize::from(cancelled.is_some()) + usize::from(finished.is_some()),
        updated: times.fold(announced, i64::max),
    })
}
