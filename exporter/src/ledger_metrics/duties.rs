//! Restore drills and security advisories of the ledger (C2.5, C2.6.8).

use std::time::Duration;

use jiff::{Timestamp, ToSpan as _};

use crate::contract::Contract;
use crate::exposition::{Kind, Page};
use crate::ledger::{Advisory, AdvisoryDecision, Ledger};

/// Writes all families at `now`; `drills`: how often a drill is to be made, where that is configured.
#[allow(clippy::cast_precision_loss)]
pub(super) fn write(contract: &Contract, ledger: &Ledger, drills: Option<Duration>, now: i64, page: &mut Page) {
    let name = [("contract", contract.name.as_str())];
    if let Some(every) = drills {
        page.family(
            "sla_restore_drill_interval_seconds",
            "How often a restore drill is to be made (C2.5).",
            Kind::Gauge,
        );
        page.sample(&name, every.as_secs_f64());
    }
    // One that is planned is no drill yet.
    let last = ledger.drills.iter().map(|drill| drill.at.as_second()).filter(|at| *at <= now).max();
    if let Some(last) = last {
        page.family(
            "sla_restore_drill_last_timestamp_seconds",
            "When a backup was last restored to see whether it can be, in seconds since the epoch (C2.5).",
            Kind::Gauge,
        );
        page.sample(&name, last as f64);
    }
    if ledger.advisories.is_empty() {
        return;
    }
    each(contract, ledger, page, "sla_advisory_info", "What was decided of a security update; always 1.", |advisory| {
        Some((1.0, Some(decision(advisory))))
    });
    each(
        contract,
        ledger,
        page,
        "sla_advisory_published_timestamp_seconds",
        "When a security update was published, in seconds since the epoch (C2.6.8).",
        |advisory| Some((advisory.published_at.as_second() as f64, None)),
    );
    each(
        contract,
        ledger,
        page,
        "sla_advisory_due_timestamp_seconds",
        "By when a security update that waits is to be judged and applied: a month from its publication.",
        |advisory| waits(advisory, now).then(|| (due(contract, advisory).as_second() as f64, None)),
    );
    each(
        contract,
        ledger,
        page,
        "sla_advisory_applied_timestamp_seconds",
        "When a security update was applied, in seconds since the epoch.",
        |advisory| Some((advisory.applied_at?.as_second() as f64, None)),
    );
}

type Value = Option<(f64, Option<&'static str>)>;

fn each(
    contract: &Contract,
    ledger: &Ledger,
    page: &mut Page,
    family: &str,
    help: &str,
    value: impl Fn(&Advisory) -> Value,
) {
    let mut begun = false;
    for advisory in &ledger.advisories {
        let Some((value, decision)) = value(advisory) else { continue };
        if !std::mem::replace(&mut begun, true) {
            page.family(family, help, Kind::Gauge);
        }
        let labels = [
            ("contract", contract.name.as_str()),
            ("advisory", advisory.id.as_str()),
            ("component", advisory.component.as_str()),
            ("decision", decision.unwrap_or_default()),
        ];
        page.sample(&labels[..if decision.is_some() { 4 } else { 3 }], value);
    }
}

fn decision(advisory: &Advisory) -> &'static str {
    match advisory.decision {
        Some(AdvisoryDecision::Apply) => "apply",
        Some(AdvisoryDecision::NotApplicable) => "not_applicable",
        None => "undecided",
    }
}

/// Published, and neither judged not to apply nor applied.
fn waits(advisory: &Advisory, now: i64) -> bool {
    let done = advisory.applied_at.is_some_and(|at| at.as_second() <= now);
    advisory.published_at.as_second() <= now && !done && advisory.decision != Some(AdvisoryDecision::NotApplicable)
}

/// A calendar month of the contract's zone later, at the same time of day.
fn due(contract: &Contract, advisory: &Advisory) -> Timestamp {
    let published = advisory.published_at.to_zoned(contract.timezone.clone());
    published.checked_add(1.month()).map_or(Timestamp::MAX, |due| due.timestamp())
}
