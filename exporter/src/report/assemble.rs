//! The report of a month out of contract, ledger and slots: what each entry contributes, what is left to be judged, and
//! whether it is final. Pure: the same [`Input`] gives the same report, from Prometheus or from a closed file.

mod duties;
mod entries;
mod shares;
mod stretches;
mod year;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use self::shares::Shares;
use super::duties::Watch;
use super::figures::{Frame, figures, outcome};
use super::model::{
    CapabilityHead, ContractHead, Figures, FunctionReport, IncidentReport, Link, Note, Overrun, Report, SCHEMA, Source,
    State, Status, Unexplained, Waiting, WeeklySlot,
};
use super::slots::{Slot, beat};
use crate::calendar::Month;
use crate::contract::{Contract, Function, WeekSlot};
use crate::ledger::Ledger;
use crate::windows::{Rulings, Window, windows};

pub use self::year::Past;

/// All a report is made of.
#[derive(Clone, Debug)]
pub struct Input<'a> {
    /// What was promised.
    pub contract: &'a Contract,
    /// What people recorded and decided.
    pub ledger: &'a Ledger,
    /// Which month of the contract's zone.
    pub month: Month,
    /// The moment it is of, seconds since the epoch.
    pub now: i64,
    /// By function: the month's slots in order, one per five minutes of the clock (`slots::merge`).
    pub slots: &'a BTreeMap<String, Vec<Slot>>,
    /// Earlier months; those of other years are left out. Of several about one month and function the last counts.
    pub past: &'a [Past],
    /// What the exporter told customers by itself.
    pub sent: &'a [Sent],
    /// What was watched of the contract's duties.
    pub watch: &'a Watch,
    /// Where the slots came from.
    pub source: &'a Source,
    /// Which revision of a closed month it is.
    pub revision: Option<u32>,
}

/// A notice the exporter sent, by mail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent {
    /// Id of the entry.
    pub entry: String,
    /// When.
    pub at: i64,
}

/// What the functions of one month have in common while its report is made.
struct Context<'a> {
    input: &'a Input<'a>,
    frame: Frame,
    /// The whole ledger's windows.
    windows: Vec<Window>,
    /// Those of decided incidents and maintenance.
    adjudicated: Vec<Window>,
}

/// The report.
#[must_use]
pub fn assemble(input: &Input<'_>) -> Report {
    let Input { contract, ledger, month, now, .. } = *input;
    let span = month.span(&contract.timezone);
    let contract_start = first_second(contract);
    let beat = beat(input.slots.values().map(Vec::as_slice));
    let context = Context {
        input,
        frame: Frame::new(span, now, contract_start, beat),
        windows: windows(contract, ledger, Rulings::All),
        adjudicated: windows(contract, ledger, Rulings::Decided),
    };
    let made: Vec<Made> = contract.functions.iter().map(|function| context.function(function)).collect();
    let incidents = context.incidents(&made);
    let maintenance = context.maintenance(&made);
    let functions: Vec<FunctionReport> = made.into_iter().map(|made| made.report).collect();
    Report {
        schema: SCHEMA,
        contract: head(contract, contract_start),
        month,
        month_start: span.start(),
        month_end: span.end(),
        days: month.days(),
        counted_until: context.frame.clock.until,
        generated_at: now,
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        ledger_sha256: ledger.sha256(),
        ledger_entries: ledger.len(),
        source: input.source.clone(),
        revision: input.revision,
        status: context.status(&functions, &incidents),
        difference: None,
        duties: context.duties(&functions, &incidents, &maintenance),
        functions,
        incidents,
        maintenance,
        drills: context.drills(),
        advisories: context.advisories(),
    }
}

/// The contract's first second, where it has one.
#[must_use]
pub fn first_second(contract: &Contract) -> Option<i64> {
    let start = contract.start?.to_zoned(contract.timezone.clone()).ok()?;
    Some(start.timestamp().as_second())
}

/// A function's report, and what its entries are reported from.
struct Made {
    report: FunctionReport,
    shares: Shares,
}

impl Context<'_> {
    fn slots(&self, function: &str) -> &[Slot] {
        self.input.slots.get(function).map_or(&[], Vec::as_slice)
    }

    fn figures(&self, function: &Function, windows: &[Window]) -> Figures {
        figures(&self.frame, &function.name, function.objective, self.slots(&function.name), windows)
    }

    fn function(&self, function: &Function) -> Made {
        let name = function.name.as_str();
        let shares = Shares::of(&self.frame, name, &self.windows);
        let (unexplained, gaps) = self.stretches(name);
        let provisional = self.figures(function, &self.windows);
        let overrun = Overrun {
            judged_seconds: shares.overrun(),
            measured_seconds: sum(&unexplained, |link| matches!(link, Link::Overrun { .. })),
        };
        let report = FunctionReport {
            name: name.to_owned(),
            title: function.title.clone(),
            capabilities: function
                .capabilities
                .iter()
                .map(|capability| CapabilityHead { name: capability.name.clone(), title: capability.title.clone() })
                .collect(),
            objective: function.objective,
            maintenance_limit_seconds: function.maintenance_limit.map(seconds),
            outcome: outcome(&provisional, self.frame.is_over(), self.frame.is_owed()),
            measured: self.figures(function, &[]),
            adjudicated: self.figures(function, &self.adjudicated),
            overrun,
            slots: self.slots(name).to_vec(),
            windows: self
                .windows
                .iter()
                .filter(|window| window.function == name && window.shown(self.frame.month).is_some())
                .cloned()
                .collect(),
            unexplained,
            gaps,
            year: self.year(function, &provisional),
            provisional,
        };
        Made { report, shares }
    }

    fn status(&self, functions: &[FunctionReport], incidents: &[IncidentReport]) -> Status {
        let mut waiting = Vec::new();
        if !self.frame.is_over() {
            waiting.push(Waiting::MonthNotOver);
        }
        for incident in incidents {
            let id = incident.id.clone();
            if incident.resolved_at.is_none() {
                waiting.push(Waiting::OpenIncident { id });
            } else if incident.decided.is_none() {
                waiting.push(Waiting::UndecidedIncident { id });
            }
        }
        let mut notes = Vec::new();
        for function in functions.iter().filter(|_| self.frame.is_owed()) {
            let figures = &function.provisional;
            let function = function.name.clone();
            if figures.measured_downtime_seconds > 0 {
                let seconds = figures.measured_downtime_seconds;
                waiting.push(Waiting::UnexplainedDowntime { function: function.clone(), seconds });
            }
            if figures.unmeasured_seconds > 0 {
                notes.push(Note::UnmeasuredTime { function, seconds: figures.unmeasured_seconds });
            }
        }
        let month = self.frame.month;
        if let Some(at) = self.frame.contract_start.filter(|at| month.start() < *at && *at < month.end()) {
            notes.push(Note::ContractBegan { at });
        }
        let seconds = month.seconds() - i64::from(self.input.month.days()) * 86_400;
        if seconds != 0 {
            notes.push(Note::ClocksChanged { seconds });
        }
        let state = if waiting.is_empty() { State::Final } else { State::Provisional };
        Status { state, waiting, notes }
    }
}

fn sum(unexplained: &[Unexplained], wanted: impl Fn(&Link) -> bool) -> i64 {
    unexplained.iter().filter(|stretch| stretch.link.as_ref().is_some_and(&wanted)).map(|stretch| stretch.seconds).sum()
}

fn head(contract: &Contract, start_at: Option<i64>) -> ContractHead {
    ContractHead {
        name: contract.name.clone(),
        title: contract.title.clone(),
        timezone: contract.timezone_name.clone(),
        start: contract.start,
        start_at,
        notice_required_seconds: seconds(contract.maintenance.notice),
        maintenance_slot: contract
            .maintenance
            .slot
            .map(|slot| WeeklySlot { from: WeekSlot::written(slot.from), to: WeekSlot::written(slot.to) }),
    }
}

fn seconds(duration: std::time::Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
