//! Evidence as comments, and the cause that may follow from it: proposed, never given.

use super::evidence::{Evidence, Failing, Listed};
use super::yaml::Page;
use crate::report::slots::STEP;

/// What failed from the slot `first` to the slot `end`. `propose`: say so where an upstream failed along.
pub(super) fn write(page: &mut Page<'_>, evidence: &Evidence, first: i64, end: i64, propose: bool, indent: &str) {
    for capability in &evidence.capabilities {
        let what = format!("{}/{}", capability.what.function, capability.what.capability);
        page.line(&format!("{indent}{what}: down in {}", share(capability)));
    }
    list(page, &evidence.probes, indent, |failing| {
        format!("{} ({}/{})", failing.what.probe, failing.what.function, failing.what.capability)
    });
    if evidence.capabilities.is_empty() && evidence.probes.first.is_empty() {
        page.line(&format!("{indent}which probes failed is not in this Prometheus"));
    }
    for (upstream, failing) in &evidence.upstreams {
        page.line(&format!("{indent}upstream {upstream}: {}", probe(failing, &failing.what.probe)));
    }
    list(page, &evidence.others, indent, |failing| format!("also {}", failing.what.probe));
    let slots = (end - first) / STEP + 1;
    for (upstream, failing) in worst(evidence).into_iter().filter(|(_, failing)| propose && mostly(failing, slots)) {
        page.line(&format!(
            "{indent}proposed: cause: upstream, upstream: {upstream} — its probe `{}` failed in {}",
            failing.what.probe,
            share(failing)
        ));
    }
}

fn list(page: &mut Page<'_>, listed: &Listed, indent: &str, title: impl Fn(&Failing) -> String) {
    for failing in &listed.first {
        page.line(&format!("{indent}{}", probe(failing, &title(failing))));
    }
    match listed.more {
        Some(0) => {}
        Some(more) => page.line(&format!("{indent}and {more} more that failed")),
        None => page.line(&format!("{indent}also others, too many to be listed")),
    }
}

/// One probe's target.
fn probe(failing: &Failing, title: &str) -> String {
    let Failing { what, reasons, .. } = failing;
    let reasons: Vec<String> = reasons.iter().map(|(why, count)| format!("{why} {count}×")).collect();
    let why = if reasons.is_empty() { String::new() } else { format!("; why: {}", reasons.join(", ")) };
    format!("{title} of {} from {}: failed in {}{why}", what.target, what.site, share(failing))
}

fn share(failing: &Failing) -> String {
    format!("{} of {} slots", failing.failed, failing.measured)
}

/// Of each upstream the probe that failed most.
fn worst(evidence: &Evidence) -> Vec<(&str, &Failing)> {
    let mut worst: Vec<(&str, &Failing)> = Vec::new();
    for (upstream, failing) in &evidence.upstreams {
        match worst.iter_mut().find(|(known, _)| known == upstream) {
            Some((_, known)) if known.failed >= failing.failed => {}
            Some((_, known)) => *known = failing,
            None => worst.push((upstream, failing)),
        }
    }
    worst
}

/// Whether it failed in half of the entry's slots or more.
fn mostly(failing: &Failing, slots: i64) -> bool {
    failing.failed > 0 && i64::try_from(failing.failed).unwrap_or(i64::MAX).saturating_mul(2) >= slots
}
