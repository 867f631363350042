//! `sla_incident_*`: failures as the ledger has them, judged or not (C4.1.2): for dashboards and for what still waits.
//!
//! Those that were over before the oldest month shown are left out. Not for: what they do to a month (`windows`).

use jiff::Timestamp;

use crate::contract::Contract;
use crate::exposition::{Kind, Page};
use crate::ledger::{Cause, Incident, Ledger};

/// `oldest`: the first second of the oldest month shown.
pub(super) fn write(contract: &Contract, ledger: &Ledger, oldest: i64, page: &mut Page) {
    let shown = |incident: &&Incident| incident.resolved_at.is_none_or(|end| end.as_second() > oldest);
    // A family without samples is left out.
    let mut family = |metric, help, moment: fn(&Incident) -> Option<Timestamp>| {
        let incidents = ledger.incidents.iter().filter(shown);
        let mut found = incidents.filter_map(|incident| Some((incident, moment(incident)?))).peekable();
        if found.peek().is_none() {
            return;
        }
        page.family(metric, help, Kind::Gauge);
        for (incident, moment) in found {
            let cause = incident.cause.as_ref().map_or("", Cause::word);
            for function in &incident.functions {
                let labels = [
                    ("contract", contract.name.as_str()),
                    ("function", function),
                    ("incident", &incident.id),
                    ("cause", cause),
                ];
                page.sample(&labels, moment.as_second() as f64);
            }
        }
    };
    family(
        "sla_incident_started_timestamp_seconds",
        "When an incident occurred, in seconds since the epoch (C4.1.2); without cause: nobody knows it yet.",
        |incident| Some(incident.started_at),
    );
    family(
        "sla_incident_resolved_timestamp_seconds",
        "When an incident converged, in seconds since the epoch (C4.1.2); absent: it goes on.",
        |incident| incident.resolved_at,
    );
    family(
        "sla_incident_decided_timestamp_seconds",
        "When somebody ruled on an incident, in seconds since the epoch (C4.1.2); absent: nobody has.",
        |incident| incident.decided.as_ref().map(|decision| decision.at),
    );
}
