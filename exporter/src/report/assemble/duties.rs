//! Which of the contract's duties were kept in the month.
//!
//! One breach and it was not. Kept it was only where that is known: of what is watched all the time, nearly every slot
//! ([`ENOUGH`]); of what changes slowly, such as backups, every day of the month so far; of what the ledger or a function tells, all
//! of it. Else it was not measured. Not for: how a duty is measured (recording-rules/duties.yml), words.

mod ledger;
mod slots;

use super::Context;
use crate::contract::{DutyTerms, Function, Text};
use crate::report::duties::kinds::{AVAILABILITY, KINDS};
use crate::report::duties::{Kind, Source, facts};
use crate::report::model::{
    Breach, DutyEvidence, DutyReport, DutyState, Figures, FunctionReport, IncidentReport, MOST_BREACHES,
    MaintenanceReport, Missing, Outcome,
};

/// What part of the time must be known for a duty to be called kept. Below 1, because a restart of Prometheus loses a slot or two
/// each time; the report says how much was measured.
const ENOUGH: f64 = 0.99;

/// A duty's verdict before it has a name.
struct Verdict {
    state: DutyState,
    evidence: DutyEvidence,
    breaches: Vec<Breach>,
    missing: Vec<Missing>,
}

impl Verdict {
    fn of(state: DutyState, evidence: DutyEvidence) -> Self {
        Self { state, evidence, breaches: Vec::new(), missing: Vec::new() }
    }

    /// Kept unless something broke it.
    fn told(evidence: DutyEvidence, breaches: Vec<Breach>) -> Self {
        let state = if breaches.is_empty() { DutyState::Kept } else { DutyState::NotKept };
        Self { breaches, ..Self::of(state, evidence) }
    }
}

impl Context<'_> {
    /// All duties the contract has, in the order of the reference contract's clauses; availability last.
    pub(super) fn duties(
        &self,
        functions: &[FunctionReport],
        incidents: &[IncidentReport],
        maintenance: &[MaintenanceReport],
    ) -> Vec<DutyReport> {
        let mut duties: Vec<DutyReport> = Vec::new();
        for kind in KINDS {
            let verdict = match kind.source {
                _ if !self.frame.is_owed() => Verdict::of(DutyState::NotMeasured, DutyEvidence::BeforeContract),
                Source::Slots | Source::Days => self.watched(kind),
                Source::Notices => self.notices_told(incidents, functions),
                Source::Maintenance => self.terms_kept(maintenance),
                Source::Advisories => self.advisories_settled(),
                Source::Answers => self.answered(kind),
                Source::Unseen => Verdict::of(DutyState::NotMeasured, DutyEvidence::Unseen),
            };
            duties.extend(self.named(kind.name, kind.clause, kind.title(), verdict));
        }
        for (number, function) in functions.iter().enumerate() {
            let name = format!("{AVAILABILITY}{}", function.name);
            // The reference contract promises one function after another: C4.1, C4.2.
            let clause = format!("C4.{}", number + 1);
            let promised = self.input.contract.functions.iter().find(|promised| promised.name == function.name);
            let title = promised.map(availability_title).unwrap_or_default();
            duties.extend(self.named(&name, &clause, title, available(function)));
        }
        duties
    }

    /// Under the contract's own clause and title; nothing where the contract has no such duty.
    fn named(&self, duty: &str, clause: &str, title: Text, verdict: Verdict) -> Option<DutyReport> {
        let own = self.input.contract.duties.iter().find(|terms| terms.duty == duty);
        if own.is_some_and(|terms| !terms.owed) {
            return None;
        }
        let DutyTerms { clause: own_clause, title: own_title, .. } = own.cloned().unwrap_or_default();
        let Verdict { state, evidence, mut breaches, missing } = verdict;
        breaches.sort_by(|a, b| (a.start, &a.item).cmp(&(b.start, &b.item)));
        let more_breaches = breaches.len().saturating_sub(MOST_BREACHES);
        breaches.truncate(MOST_BREACHES);
        Some(DutyReport {
            duty: duty.to_owned(),
            clause: own_clause.unwrap_or_else(|| clause.to_owned()),
            title: own_title.unwrap_or(title),
            state,
            evidence,
            breaches,
            more_breaches,
            missing,
        })
    }

    /// The month's seconds in which anything is owed, as far as slots are counted.
    fn owed(&self) -> (i64, i64) {
        let month = self.frame.month;
        let from = self.frame.contract_start.map_or(month.start(), |start| start.max(month.start()));
        (from, self.frame.clock.until.max(from))
    }

    fn watched(&self, kind: &Kind) -> Verdict {
        let Some(watched) = self.input.watch.duties.get(kind.name) else {
            return self.unwatched(kind);
        };
        slots::verdict(watched, self.owed(), (kind.source == Source::Days).then_some(&self.input.contract.timezone))
    }

    /// Why there is no verdict.
    fn unwatched(&self, kind: &Kind) -> Verdict {
        let watch = self.input.watch;
        let evidence = if watch.is_empty() {
            DutyEvidence::NotAsked
        } else if watch.configured.contains(kind.name) {
            DutyEvidence::NotRecorded
        } else {
            DutyEvidence::NotConfigured { setting: facts::setting(kind.name).to_owned() }
        };
        Verdict::of(DutyState::NotMeasured, evidence)
    }
}

fn availability_title(function: &Function) -> Text {
    Text { ja: format!("{}の月間稼働率", function.title.ja), en: format!("Availability: {}", function.title.en) }
}

fn available(function: &FunctionReport) -> Verdict {
    let state = match function.outcome {
        Outcome::Met => DutyState::Kept,
        // So far: but where so much is unmeasured that it may be missed already, nobody knows.
        Outcome::Open if proven(&function.provisional) => DutyState::Kept,
        Outcome::Missed => DutyState::NotKept,
        Outcome::Open | Outcome::Unproven | Outcome::Unmeasured | Outcome::NoService | Outcome::NotOwed => {
            DutyState::NotMeasured
        }
    };
    let evidence = match function.outcome {
        Outcome::NotOwed => DutyEvidence::BeforeContract,
        outcome => DutyEvidence::Availability { function: function.name.clone(), outcome },
    };
    Verdict::of(state, evidence)
}

/// Whether the objective is not missed even if all unmeasured time was downtime.
fn proven(figures: &Figures) -> bool {
    figures.availability.is_some()
        && figures.downtime_seconds + figures.unmeasured_seconds <= figures.allowed_downtime_seconds
}

#[cfg(test)]
mod tests;
