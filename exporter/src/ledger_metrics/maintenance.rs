//! `sla_maintenance_*`: planned stops against the contract's terms (C2.3, C4.1i).
//!
//! Cancelled ones are left out, and so are those that were over before the oldest month shown.

use jiff::Timestamp;

use crate::contract::Contract;
use crate::exposition::{Kind, Page};
use crate::ledger::{Assessment, Exclusion, Ledger, Maintenance};

/// Terms first, then stops. `oldest`: the first second of the oldest month shown.
pub(super) fn write(contract: &Contract, ledger: &Ledger, oldest: i64, page: &mut Page) {
    write_terms(contract, page);
    let stops: Vec<Stop<'_>> = ledger
        .maintenance
        .iter()
        .filter(|stop| stop.cancelled_at.is_none())
        .filter(|stop| stop.finished_at.unwrap_or(stop.end).max(stop.end).as_second() > oldest)
        .map(|entry| Stop { entry, rules: Assessment::of(entry, contract) })
        .collect();
    write_moments(&contract.name, &stops, page);
    if !stops.is_empty() {
        write_rules(contract, &stops, page);
    }
}

/// A maintenance, and what the contract's terms make of it.
struct Stop<'a> {
    entry: &'a Maintenance,
    rules: Assessment,
}

fn write_terms(contract: &Contract, page: &mut Page) {
    let name = contract.name.as_str();
    page.family(
        "sla_maintenance_notice_required_seconds",
        "How long before its start a maintenance must be announced to be excluded (C2.3, C4.1i).",
        Kind::Gauge,
    );
    page.sample(&[("contract", name)], contract.maintenance.notice.as_secs() as f64);
    let limits: Vec<_> =
        contract.functions.iter().filter_map(|function| Some((function, function.maintenance_limit?))).collect();
    if limits.is_empty() {
        return;
    }
    page.family(
        "sla_maintenance_limit_seconds",
        "The longest stop of the function that one maintenance should make (C2.3).",
        Kind::Gauge,
    );
    for (function, limit) in limits {
        page.sample(&[("contract", name), ("function", &function.name)], limit.as_secs_f64());
    }
}

fn write_moments(contract: &str, stops: &[Stop<'_>], page: &mut Page) {
    let second = Timestamp::as_second;
    // A family without samples is left out.
    let mut family = |metric, help, value: &dyn Fn(&Stop<'_>) -> Option<i64>| {
        let mut found = stops.iter().filter_map(|stop| Some((stop.entry, value(stop)?))).peekable();
        if found.peek().is_none() {
            return;
        }
        page.family(metric, help, Kind::Gauge);
        for (entry, value) in found {
            for function in &entry.functions {
                let labels = [("contract", contract), ("maintenance", &entry.id), ("function", function)];
                page.sample(&labels, value as f64);
            }
        }
    };
    family(
        "sla_maintenance_start_timestamp_seconds",
        "Announced begin of a maintenance, in seconds since the epoch.",
        &|stop| Some(second(stop.entry.start)),
    );
    family(
        "sla_maintenance_end_timestamp_seconds",
        "Announced end of a maintenance, in seconds since the epoch.",
        &|stop| Some(second(stop.entry.end)),
    );
    family(
        "sla_maintenance_announced_timestamp_seconds",
        "When a maintenance was announced, in seconds since the epoch; absent: not yet (C2.3).",
        &|stop| stop.entry.announced_at.map(second),
    );
    family(
        "sla_maintenance_finished_timestamp_seconds",
        "When the functions were usable again, in seconds since the epoch; absent: not recorded.",
        &|stop| stop.entry.finished_at.map(second),
    );
    family(
        "sla_maintenance_notice_seconds",
        "Seconds from the announcement of a maintenance to its start; absent: not announced (C2.3, C4.1i).",
        &|stop| stop.rules.notice,
    );
}

fn write_rules(contract: &Contract, stops: &[Stop<'_>], page: &mut Page) {
    let name = contract.name.as_str();
    let each = || stops.iter().flat_map(|stop| stop.entry.functions.iter().map(move |function| (stop, function)));
    page.family(
        "sla_maintenance_compliant",
        "Whether a maintenance keeps the contract's notice, weekly slot and longest stop (C2.3); 0: no.",
        Kind::Gauge,
    );
    for (stop, function) in each() {
        let terms = contract.functions.iter().find(|terms| terms.name == *function);
        let limit = terms.is_none_or(|terms| Assessment::limit_kept(stop.entry, terms));
        for (rule, kept) in [("notice", stop.rules.notice_kept), ("slot", stop.rules.slot_kept), ("limit", limit)] {
            let labels = [("contract", name), ("maintenance", &stop.entry.id), ("function", function), ("rule", rule)];
            page.sample(&labels, f64::from(u8::from(kept)));
        }
    }
    page.family(
        "sla_maintenance_excluded",
        "Whether a maintenance is taken out of the month's service time (C4.1i); 0: what was measured counts.",
        Kind::Gauge,
    );
    for (stop, function) in each() {
        let excluded = stop.rules.exclusion == Exclusion::Excluded;
        let labels = [("contract", name), ("maintenance", &stop.entry.id), ("function", function)];
        page.sample(&labels, f64::from(u8::from(excluded)));
    }
}
