//! `probes`: what is probed, how often, and what it proves.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;
use std::time::Duration;

use super::contract::{Reference, Terms};
use super::decode::{Cursor, format_duration};
use super::diagnostics::{Document, Severity};
use super::hosts::Inventory;
use super::modules::Modules;
use super::names::{self, MAX_TARGET, check_label};
use super::{Evidence, TargetSpec};
use crate::latency::DEFAULT_BUCKETS;
use crate::probe::{Module, check_target};

/// Where `interval` is absent.
const DEFAULT_INTERVAL: Duration = Duration::from_secs(60);
/// Below it a probe is a load test.
const MIN_INTERVAL: Duration = Duration::from_millis(100);
/// C2.1: every device is watched every 5 minutes.
const MAX_INTERVAL: Duration = Duration::from_secs(300);
/// More than this confirms nothing further.
const MAX_ATTEMPTS: i64 = 10;
/// Bounds of one histogram: a series each, and more tell nothing that native histograms do not tell better.
const MAX_BUCKETS: usize = 40;
/// What a bound may be, in seconds: from what clocks resolve to the longest interval.
const BUCKET_SECONDS: std::ops::RangeInclusive<f64> = 1e-6..=300.0;

/// All probes, in the file's order.
#[derive(Default)]
pub(super) struct Probes {
    list: Vec<Probe>,
    /// Every name that was given, also of probes whose settings were refused, and where.
    names: HashMap<String, usize>,
    order: Vec<String>,
}

struct Probe {
    name: String,
    module: Arc<Module>,
    targets: Vec<String>,
    interval: Duration,
    attempts: u32,
    timeout: Duration,
    evidence: Option<Evidence>,
    latency_buckets: Arc<[f64]>,
}

/// Labels that every series carries, and that a fingerprint therefore covers.
pub(super) struct Labels<'a> {
    pub(super) site: &'a str,
    pub(super) contract: &'a str,
}

/// Reads the section.
pub(super) fn read(cursor: &Cursor<'_>, modules: &Modules, terms: &Terms) -> Probes {
    let mut probes = Probes::default();
    for item in cursor.list().unwrap_or_default() {
        if let Some(probe) = probes.read(&item, modules, terms) {
            probes.list.push(probe);
        }
    }
    probes
}

impl Probes {
    fn read(&mut self, cursor: &Cursor<'_>, modules: &Modules, terms: &Terms) -> Option<Probe> {
        let mut map = cursor.map()?;
        let name = map.require("name").and_then(|c| self.name(&c));
        let module_cursor = map.require("module");
        let module = module_cursor.as_ref().and_then(|c| modules.find(c));
        let targets = map.require("targets").and_then(|c| targets(&c, module.as_deref()));
        let interval = map.get("interval").map_or(Some(DEFAULT_INTERVAL), |c| interval(&c));
        let attempts = map.get("attempts").map_or(Some(1), |c| c.integer(1..=MAX_ATTEMPTS));
        let attempts = attempts.and_then(|n| u32::try_from(n).ok());
        let evidence = match map.get("evidence") {
            None => Some(None),
            Some(c) => terms.evidence(&c).map(Some),
        };
        let latency_buckets =
            map.get("latency_buckets").map_or_else(|| Some(Arc::from(DEFAULT_BUCKETS)), |c| latency_buckets(&c));
        map.finish();
        let (module, interval, attempts) = (module?, interval?, attempts?);
        let timeout = module.timeout_within(interval, attempts);
        let needed = timeout.saturating_mul(attempts);
        if needed > interval {
            // Said where the probe begins: the interval, the attempts and the timeout may each be the one to change.
            return cursor.error(format_args!(
                "the interval of {} has no room for {} of {} (`timeout` of module `{}`); lower `timeout` or `attempts`, or raise `interval` (to 5m at most)",
                format_duration(interval),
                names::plural(attempts as usize, "attempt"),
                format_duration(timeout),
                names::shorten(&module.name),
            ));
        }
        let (name, targets, evidence, latency_buckets) = (name?, targets?, evidence?, latency_buckets?);
        Some(Probe { name, module, targets, interval, attempts, timeout, evidence, latency_buckets })
    }

    fn name(&mut self, cursor: &Cursor<'_>) -> Option<String> {
        let name = cursor.identifier()?;
        let line = cursor.node().mark.line;
        if let Some(first) = self.names.get(&name) {
            return cursor.error(format_args!("probe `{name}` is already defined on line {first}"));
        }
        self.names.insert(name.clone(), line);
        self.order.push(name.clone());
        Some(name)
    }

    /// The names in `connectivity`, each looked up.
    pub(super) fn references(&self, connectivity: &[Reference], doc: &Document) -> HashSet<String> {
        self.look_up(connectivity, "whether this site is cut off", doc)
    }

    /// Looks up the probes of one of `contract.upstreams`.
    pub(super) fn check_upstream(&self, probes: &[Reference], doc: &Document) {
        self.look_up(probes, "whether an upstream works", doc);
    }

    /// The names in `list`, which are to tell something other than whether the service works.
    fn look_up(&self, list: &[Reference], tells: &str, doc: &Document) -> HashSet<String> {
        let mut found = HashSet::new();
        let report = |at: &Reference, message: String| doc.report(Severity::Error, at.mark, &at.path, message);
        for reference in list {
            let name = &reference.name;
            if !self.names.contains_key(name) {
                report(reference, names::unknown("probe", name, self.order.iter().map(String::as_str)));
            } else if !found.insert(name.clone()) {
                report(reference, format!("probe `{name}` is named twice"));
            }
        }
        for probe in self.list.iter().filter(|p| p.evidence.is_some() && found.contains(&p.name)) {
            if let Some(reference) = list.iter().find(|r| r.name == probe.name) {
                let message = format!(
                    "probe `{}` is evidence for the service, so it cannot tell {tells}; name a probe of something else",
                    probe.name
                );
                report(reference, message);
            }
        }
        found
    }

    /// One spec per probe and target.
    pub(super) fn into_targets(
        self,
        references: &HashSet<String>,
        inventory: &Inventory,
        labels: &Labels<'_>,
    ) -> Vec<Arc<TargetSpec>> {
        let mut specs = Vec::new();
        for probe in self.list {
            let reference = references.contains(&probe.name);
            for target in probe.targets {
                let host = inventory.host_of(&target).map(str::to_owned);
                let mut spec = TargetSpec {
                    probe: probe.name.clone(),
                    target,
                    module: Arc::clone(&probe.module),
                    interval: probe.interval,
                    attempts: probe.attempts,
                    timeout: probe.timeout,
                    evidence: probe.evidence.clone(),
                    host,
                    reference,
                    latency_buckets: Arc::clone(&probe.latency_buckets),
                    fingerprint: 0,
                };
                spec.fingerprint = fingerprint(&spec, labels);
                specs.push(Arc::new(spec));
            }
        }
        specs
    }
}

/// Covers everything a running probe was started with, and the labels of its series.
fn fingerprint(spec: &TargetSpec, labels: &Labels<'_>) -> u64 {
    // Every field by name: a new one does not compile until it is decided here.
    let TargetSpec {
        probe,
        target,
        module,
        interval,
        attempts,
        timeout,
        evidence,
        host,
        reference,
        latency_buckets,
        fingerprint: _,
    } = spec;
    let Labels { site, contract } = labels;
    let mut hasher = DefaultHasher::new();
    (site, contract, probe, target, &module.name, module.fingerprint).hash(&mut hasher);
    (interval, attempts, timeout, evidence, host, reference).hash(&mut hasher);
    latency_buckets.iter().for_each(|bound| bound.to_bits().hash(&mut hasher));
    hasher.finish()
}

fn interval(cursor: &Cursor<'_>) -> Option<Duration> {
    let interval = cursor.duration()?;
    let written = format_duration(interval);
    if interval > MAX_INTERVAL {
        cursor.error(format_args!(
            "{written} is longer than the 5m in which every device is to be watched (C2.1); write 5m or less"
        ))
    } else if interval < MIN_INTERVAL {
        let least = format_duration(MIN_INTERVAL);
        cursor.error(format_args!("{written} is too short to be kept; write {least} to 5m, for example 60s"))
    } else {
        Some(interval)
    }
}

fn latency_buckets(cursor: &Cursor<'_>) -> Option<Arc<[f64]>> {
    let items = cursor.list()?;
    if items.len() > MAX_BUCKETS {
        return cursor.error(format_args!("{} bounds; at most {MAX_BUCKETS}, each is a series", items.len()));
    }
    let mut bounds: Vec<f64> = Vec::with_capacity(items.len());
    for item in &items {
        let bound = item.number(BUCKET_SECONDS)?;
        match bounds.last() {
            Some(before) if bound <= *before => return item.error("bounds rise; each once, the smallest first"),
            _ => bounds.push(bound),
        }
    }
    Some(bounds.into())
}

fn targets(cursor: &Cursor<'_>, module: Option<&Module>) -> Option<Vec<String>> {
    let items = cursor.list()?;
    if items.is_empty() {
        return cursor.error("expected at least one target, found none");
    }
    let mut seen = HashMap::with_capacity(items.len());
    let targets: Vec<String> = items
        .iter()
        .filter_map(|item| {
            let text = target(item, module)?;
            if let Some(first) = seen.insert(text.clone(), item.node().mark.line) {
                return item.error(format_args!("target `{}` is already on line {first}", names::shorten(&text)));
            }
            Some(text)
        })
        .collect();
    (targets.len() == items.len()).then_some(targets)
}

fn target(cursor: &Cursor<'_>, module: Option<&Module>) -> Option<String> {
    let text = cursor.string()?;
    // Before any message that would show it.
    if has_password(&text) {
        return cursor.error(
            "a target is shown everywhere, so it cannot hold a password; write it without, and the password to a file that the module names (`password_file`)",
        );
    }
    let fits = check_label(&text, MAX_TARGET).and_then(|()| module.map_or(Ok(()), |m| check_target(m, &text)));
    match fits {
        Ok(()) => Some(text),
        Err(why) => cursor.error(why),
    }
}

/// Whether there is a `user:password@` in front of the host.
fn has_password(target: &str) -> bool {
    let authority = target.split_once("://").map_or(target, |(_, rest)| rest);
    let authority = authority.split(['/', '?', '#']).next().unwrap_or_default();
    authority.rsplit_once('@').is_some_and(|(user, _)| user.contains(':'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_in_a_target_is_seen_and_a_port_is_none() {
        for (target, has) in [
            ("https://u:p@example.com/", true),
            ("postgres://u:p@h:5432/db", true),
            ("u:p@h", true),
            ("https://u@example.com/", false),
            ("https://example.com:8443/a:b@c", false),
            ("[::1]:443", false),
            ("10.0.0.1", false),
        ] {
            assert_eq!(has_password(target), has, "{target}");
        }
    }
}
