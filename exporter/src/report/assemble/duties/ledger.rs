//! Duties that the ledger tells exactly, and inquiries.

use jiff::Timestamp;

use super::{Context, Verdict, slots};
use crate::ledger::{Advisory, AdvisoryDecision};
use crate::report::assemble::entries::due;
use crate::report::duties::Kind;
use crate::report::model::{
    Breach, BreachKind, CauseKind, DutyEvidence, DutyState, ExclusionKind, FunctionReport, IncidentReport,
    MaintenanceReport,
};

impl Context<'_> {
    /// C2.2: customers were told of every failure. How soon is "promptly" the contract does not say; the slowest is told along.
    /// Downtime that no entry is about may be a failure nobody was told of: until somebody has judged it, nobody knows.
    pub(super) fn notices_told(&self, incidents: &[IncidentReport], functions: &[FunctionReport]) -> Verdict {
        let told_of = || incidents.iter().filter(|incident| incident.cause != Some(CauseKind::FalseAlarm));
        let breaches = told_of().filter(|incident| incident.first_report_seconds.is_none()).map(|incident| Breach {
            item: incident.id.clone(),
            how: BreachKind::Untold,
            start: Some(incident.started_at),
            end: incident.resolved_at,
            seconds: 0,
            stretches: 1,
        });
        let unexplained = functions.iter().flat_map(|function| &function.unexplained);
        let unexplained = unexplained.filter(|stretch| stretch.link.is_none()).count();
        let evidence = DutyEvidence::Notices {
            incidents: told_of().count(),
            told: told_of().filter(|incident| incident.first_report_seconds.is_some()).count(),
            slowest_seconds: told_of().filter_map(|incident| incident.first_report_seconds).max(),
            unexplained,
        };
        let mut verdict = Verdict::told(evidence, breaches.collect());
        if unexplained > 0 && verdict.state == DutyState::Kept {
            verdict.state = DutyState::NotMeasured;
        }
        verdict
    }

    /// C2.3: announced in time and within the weekly slot, emergencies apart; within each function's limit.
    pub(super) fn terms_kept(&self, maintenance: &[MaintenanceReport]) -> Verdict {
        let held: Vec<&MaintenanceReport> =
            maintenance.iter().filter(|stop| stop.exclusion != ExclusionKind::Cancelled).collect();
        let mut breaches = Vec::new();
        for stop in &held {
            let mut broken = |how: BreachKind, kept: bool| {
                if !kept {
                    breaches.push(Breach {
                        item: stop.id.clone(),
                        how,
                        start: Some(stop.start),
                        end: Some(stop.finished_at.unwrap_or(stop.end)),
                        seconds: stop.stop_seconds,
                        stretches: 1,
                    });
                }
            };
            // What is not announced yet, and begins later, may still be called off.
            let begun = stop.start <= self.frame.now;
            broken(BreachKind::Notice, stop.notice_kept || stop.emergency || !(begun || stop.announced_at.is_some()));
            broken(BreachKind::Slot, stop.slot_kept || stop.emergency || !begun);
            broken(BreachKind::Limit, !begun || stop.functions.iter().all(|function| function.limit_kept));
        }
        Verdict::told(DutyEvidence::Maintenance { stops: held.len() }, breaches)
    }

    /// C2.6.8: what waited past its due day within the month. A ledger without any advisory says nothing.
    pub(super) fn advisories_settled(&self) -> Verdict {
        let all = &self.input.ledger.advisories;
        let month = self.frame.month;
        let until = self.frame.now.min(month.end());
        let waited = all.iter().filter(|advisory| {
            let published = advisory.published_at.as_second();
            published < until && settled(advisory).is_none_or(|at| at >= month.start())
        });
        let mut advisories = 0;
        let mut breaches = Vec::new();
        for advisory in waited {
            advisories += 1;
            let due = due(advisory.published_at, &self.input.contract.timezone);
            let (start, end) = (due.max(month.start()), settled(advisory).unwrap_or(until).min(until));
            if start < end {
                breaches.push(Breach {
                    item: format!("{} {}", advisory.id, advisory.component).trim().to_owned(),
                    how: BreachKind::Overdue,
                    start: Some(due),
                    end: settled(advisory),
                    seconds: end - start,
                    stretches: 1,
                });
            }
        }
        let evidence = DutyEvidence::Advisories { advisories, recorded: all.len() };
        match all.len() {
            0 => Verdict::of(DutyState::NotMeasured, evidence),
            _ => Verdict::told(evidence, breaches),
        }
    }

    /// C3.4: of the inquiries received in the month none was answered late, and at no time in it was one overdue.
    pub(super) fn answered(&self, kind: &Kind) -> Verdict {
        let watched = self.input.watch.duties.get(kind.name);
        let Some(tickets) = self.input.watch.tickets else {
            return self.watched(kind);
        };
        let mut verdict = match watched {
            Some(watched) => slots::verdict(watched, self.owed(), Some(&self.input.contract.timezone)),
            None => self.unwatched(kind),
        };
        let (expected_days, measured_days) = match verdict.evidence {
            DutyEvidence::Slots { expected_days, measured_days, .. } => (expected_days, measured_days),
            _ => (None, None),
        };
        verdict.evidence = DutyEvidence::Answers { tickets, expected_days, measured_days };
        let late = tickets.late + tickets.overdue;
        if late > 0 {
            verdict.state = DutyState::NotKept;
            verdict.breaches.push(Breach {
                item: kind.name.to_owned(),
                how: BreachKind::Late,
                start: None,
                end: None,
                seconds: 0,
                stretches: usize::try_from(late).unwrap_or(usize::MAX),
            });
        }
        verdict
    }
}

/// When an advisory was settled. That it does not apply has no date of its own: it is settled from the day it was published.
fn settled(advisory: &Advisory) -> Option<i64> {
    match advisory.decision {
        Some(AdvisoryDecision::NotApplicable) => Some(advisory.published_at.as_second()),
        _ => advisory.applied_at.map(Timestamp::as_second),
    }
}
