//! `require`: what must be measured of a device (C2.1), and what could measure it.
//!
//! A check is a probe's (of that kind, with the device as its target) or the device's own exporter's. Not for whether it is
//! measured: that is asked of Prometheus (recording-rules/inventory.yml).

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::decode::Cursor;
use super::names;
use super::{Host, TargetSpec};

/// What can be required of a device, and who measures it.
pub const REQUIRABLE: &[(&str, Measured)] = &[
    ("ping", Measured::Probe("icmp")),
    ("http", Measured::Probe("http or http_flow")),
    ("tcp", Measured::Probe("tcp")),
    ("dns", Measured::Probe("dns")),
    ("grpc", Measured::Probe("grpc")),
    ("websocket", Measured::Probe("websocket")),
    ("postgres", Measured::Probe("postgres")),
    ("clamd", Measured::Probe("clamd")),
    ("closed_port", Measured::Probe("tcp, with `expect: closed`")),
    ("refused_access", Measured::Probe("http, with `expect: refused`")),
    ("load", Measured::Exporter),
    ("cpu", Measured::Exporter),
    ("memory", Measured::Exporter),
    ("filesystem", Measured::Exporter),
    ("disk", Measured::Exporter),
    ("network", Measured::Exporter),
    ("mdadm", Measured::Exporter),
];

/// Who measures a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measured {
    /// A probe whose module's prober is this.
    Probe(&'static str),
    /// The exporter on the device.
    Exporter,
}

/// Reads a list of checks.
pub(super) fn read(cursor: &Cursor<'_>) -> Option<Vec<&'static str>> {
    let items = cursor.list()?;
    let mut checks = Vec::new();
    for item in &items {
        let Some(name) = item.non_empty() else { continue };
        match REQUIRABLE.iter().find(|(known, _)| *known == name) {
            None => {
                item.error::<()>(names::unknown("check", &name, REQUIRABLE.iter().map(|(known, _)| *known)));
            }
            Some((known, _)) if checks.contains(known) => {
                item.error::<()>(format_args!("check `{known}` is listed twice"));
            }
            Some((known, _)) => checks.push(*known),
        }
    }
    (checks.len() == items.len()).then_some(checks)
}

/// The checks that probes make, by host.
pub(super) type Probed<'t> = HashMap<&'t str, HashSet<&'static str>>;

/// Which checks the probes of `targets` make of each host; hosts without any are not in it.
pub(super) fn probed(targets: &[Arc<TargetSpec>]) -> Probed<'_> {
    let mut probed = Probed::new();
    for target in targets {
        if let Some(host) = target.host.as_deref() {
            probed.entry(host).or_default().insert(target.module.prober.check());
        }
    }
    probed
}

/// What is required of `host` and nothing could ever measure: a sentence for each. `callable` is how a target calls it.
pub(super) fn unmeasurable(host: &Host, callable: &str, probed: &Probed<'_>) -> Vec<String> {
    let kinds = probed.get(host.name.as_str());
    let made = |check: &str| kinds.is_some_and(|kinds| kinds.contains(check));
    let missing = |check: &str| match REQUIRABLE.iter().find(|(known, _)| *known == check).map(|(_, by)| by) {
        Some(Measured::Probe(prober)) if !made(check) => Some(format!(
            "`{}` requires `{check}`, and no probe of that kind has it as a target; add {callable} to a probe whose module has prober {prober}, or take the check out of `require` (C2.1)",
            host.name
        )),
        Some(Measured::Exporter) if host.exporter.is_none() => Some(format!(
            "`{}` requires `{check}`, which only an exporter on it can measure; add `exporter: \"{}:10115\"`, or take the check out of `require` (C2.1)",
            host.name, host.address
        )),
        _ => None,
    };
    host.require.iter().filter_map(|check| missing(check)).collect()
}
