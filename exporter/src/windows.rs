//! What the ledger decides: stretches of a function's time that are excluded, down or up whatever was measured (C4.1i–iii,
//! C4.1.2). Inside a window the ledger decides, to the second; outside, the measured slots do.
//!
//! Pure: contract and ledger in, windows out. Not for: the seconds of a month (`months`), metrics.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::contract::Contract;
use crate::ledger::{Assessment, Cause, Exclusion, Incident, Ledger, Maintenance};
use crate::span::Span;

/// What a window does with the time in it. Where windows overlap: exclude over up over down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Taken out of the service time.
    Exclude,
    /// The function was up.
    Up,
    /// The function was down.
    Down,
}

impl Effect {
    /// Label `effect`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Exclude => "exclude",
            Self::Up => "up",
            Self::Down => "down",
        }
    }
}

/// Why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Excluded: a stop announced in time (C4.1i).
    Planned,
    /// Excluded: an upstream platform (C4.1ii).
    Upstream,
    /// Excluded: beyond reasonable control (C4.1iii).
    ForceMajeure,
    /// Down: the service's own failure (C4.1.2).
    Internal,
    /// Down: a maintenance that went on after its announced end (C4.1.2).
    Overrun,
    /// Up: nothing had failed.
    FalseAlarm,
}

impl Reason {
    /// The reasons of exclusion, in the order in which shared time is attributed.
    pub const EXCLUDING: [Self; 3] = [Self::Planned, Self::Upstream, Self::ForceMajeure];

    /// Label `reason`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Upstream => "upstream",
            Self::ForceMajeure => "force_majeure",
            Self::Internal => "internal",
            Self::Overrun => "overrun",
            Self::FalseAlarm => "false_alarm",
        }
    }

    /// What a window of this reason does.
    #[must_use]
    pub fn effect(self) -> Effect {
        match self {
            Self::Planned | Self::Upstream | Self::ForceMajeure => Effect::Exclude,
            Self::Internal | Self::Overrun => Effect::Down,
            Self::FalseAlarm => Effect::Up,
        }
    }
}

/// One stretch of one function's time about which the ledger decides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// Label `function`.
    pub function: String,
    /// The entry's id: label `window`.
    pub entry: String,
    /// Why; [`Reason::effect`] says what it does.
    pub reason: Reason,
    /// First second inside, since the epoch.
    pub start: i64,
    /// First second outside; absent while the incident goes on.
    pub end: Option<i64>,
}

impl Window {
    /// The part whose seconds count at `now`: plans whole, incidents up to now.
    #[must_use]
    pub fn counted(&self, now: i64) -> Option<Span> {
        let end = match self.reason {
            Reason::Planned => self.end.unwrap_or(now),
            _ => self.end.unwrap_or(now).min(now),
        };
        Span::new(self.start, end)
    }

    /// The part that is shown in a month: an incident that goes on reaches to its end.
    #[must_use]
    pub fn shown(&self, month: Span) -> Option<Span> {
        Span::new(self.start, self.end.unwrap_or(month.end()))?.clip(month)
    }
}

/// Which entries are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rulings {
    /// The ledger as it stands: what metrics, rules and the headline of the report show.
    All,
    /// Of the incidents only those somebody has decided.
    Decided,
}

/// All windows of `ledger` under `contract`, in the ledger's order.
#[must_use]
pub fn windows(contract: &Contract, ledger: &Ledger, rulings: Rulings) -> Vec<Window> {
    let stops = ledger.maintenance.iter().flat_map(|stop| of_maintenance(stop, contract));
    let incidents = ledger
        .incidents
        .iter()
        .filter(|incident| rulings == Rulings::All || incident.decided.is_some())
        .flat_map(of_incident);
    stops.chain(incidents).collect()
}

fn of_maintenance(stop: &Maintenance, contract: &Contract) -> Vec<Window> {
    if Assessment::of(stop, contract).exclusion != Exclusion::Excluded {
        return Vec::new();
    }
    let (start, end) = (stop.start.as_second(), stop.end.as_second());
    let finished = stop.finished_at.map(Timestamp::as_second);
    let mut windows = Vec::new();
    for function in &stop.functions {
        let mut add = |reason, start, end| {
            if start < end {
                let (function, entry) = (function.clone(), stop.id.clone());
                windows.push(Window { function, entry, reason, start, end: Some(end) });
            }
        };
        // Finished early, a failure in the time that was left is a failure.
        add(Reason::Planned, start, finished.map_or(end, |finished| finished.min(end)));
        if let Some(finished) = finished {
            add(Reason::Overrun, end, finished);
        }
    }
    windows
}

fn of_incident(incident: &Incident) -> Vec<Window> {
    let reason = match &incident.cause {
        None => return Vec::new(),
        Some(Cause::Internal) => Reason::Internal,
        Some(Cause::Upstream(_)) => Reason::Upstream,
        Some(Cause::ForceMajeure) => Reason::ForceMajeure,
        Some(Cause::FalseAlarm) => Reason::FalseAlarm,
    };
    let window = |function: &String| Window {
        function: function.clone(),
        entry: incident.id.clone(),
        reason,
        start: incident.started_at.as_second(),
        end: incident.resolved_at.map(Timestamp::as_second),
    };
    incident.functions.iter().map(window).collect()
}
