//! What failed while a function was down: probes, their reasons, and upstreams at the same time.

use std::collections::BTreeMap;

use crate::contract::Contract;
use crate::prometheus_api::{Client, Error, Labels, quoted};
use crate::report::slots::STEP;

/// Probes and reasons listed for one stretch; more would bury it.
const MAX_LISTED: usize = 20;
/// An upstream counts as failing in a slot when at least this share of its samples failed.
const FAILING: f64 = 0.5;

/// What was seen during one stretch.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Evidence {
    /// The probes that failed, the one with most slots first.
    pub failing: Vec<Failing>,
    /// Probes that failed beyond those listed.
    pub more: usize,
    /// Every upstream that has probes.
    pub upstreams: Vec<UpstreamSeen>,
}

/// One probe's target at one site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failing {
    /// Where it was seen from.
    pub site: String,
    /// The probe's name.
    pub probe: String,
    /// Its target.
    pub target: String,
    /// `function/capability`.
    pub evidence: String,
    /// In how many slots it was down.
    pub down: usize,
    /// Out of how many in which it was measured.
    pub measured: usize,
    /// Why, and how often; the commonest first.
    pub reasons: Vec<(String, u64)>,
}

/// How an upstream's probes did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpstreamSeen {
    /// As the contract names it.
    pub name: String,
    /// Its probe that failed most.
    pub probe: String,
    /// In how many slots it failed.
    pub failed: usize,
    /// Out of how many in which it was measured.
    pub measured: usize,
}

/// Asks for what failed from `start` to `end`.
///
/// # Errors
/// When Prometheus cannot be asked.
pub(super) async fn collect(
    client: &mut Client,
    contract: &Contract,
    functions: &[String],
    start: i64,
    end: i64,
) -> Result<Evidence, Error> {
    let own = format!("contract={}", quoted(&contract.name));
    let names = functions.iter().map(|name| pattern(name)).collect::<Vec<_>>().join("|");
    let selector = format!("sla:probe_up:5m{{{own},function=~{}}}", quoted(&names));
    let mut failing: Vec<Failing> = Vec::new();
    for series in client.raw(&selector, start, end, |_, _| {}).await? {
        let down = series.points.iter().filter(|point| point.value == 0.0).count();
        if down > 0 {
            let label = |name: &str| label(&series.labels, name);
            failing.push(Failing {
                site: label("site"),
                probe: label("probe"),
                target: label("target"),
                evidence: format!("{}/{}", label("function"), label("capability")),
                down,
                measured: series.points.len(),
                reasons: Vec::new(),
            });
        }
    }
    failing.sort_by(|a, b| (b.down, &a.probe, &a.target, &a.site).cmp(&(a.down, &b.probe, &b.target, &b.site)));
    let more = failing.len().saturating_sub(MAX_LISTED);
    failing.truncate(MAX_LISTED);
    reasons(client, &own, &mut failing, start, end).await?;
    let mut upstreams = Vec::new();
    for upstream in contract.upstreams.iter().filter(|upstream| !upstream.probes.is_empty()) {
        if let Some(seen) = upstream_seen(client, &own, &upstream.name, &upstream.probes, start, end).await? {
            upstreams.push(seen);
        }
    }
    Ok(Evidence { failing, more, upstreams })
}

async fn reasons(client: &mut Client, own: &str, failing: &mut [Failing], start: i64, end: i64) -> Result<(), Error> {
    if failing.is_empty() {
        return Ok(());
    }
    let probes = failing.iter().map(|failing| pattern(&failing.probe)).collect::<Vec<_>>().join("|");
    // A little longer than the stretch: the failure that began it was counted before its first slot ended.
    let query = format!(
        "sum by (site, probe, target, reason) (increase(probe_failures_total{{{own},probe=~{}}}[{}s])) > 0",
        quoted(&probes),
        end - start + STEP
    );
    for sample in client.query(&query, end).await? {
        let label = |name: &str| label(&sample.labels, name);
        let (site, probe, target) = (label("site"), label("probe"), label("target"));
        let known = failing.iter_mut().find(|f| f.site == site && f.probe == probe && f.target == target);
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a count, above 0
        if let Some(known) = known {
            known.reasons.push((label("reason"), (sample.point.value.round() as u64).max(1)));
        }
    }
    for failing in failing {
        failing.reasons.sort_by(|a, b| (b.1, &a.0).cmp(&(a.1, &b.0)));
    }
    Ok(())
}

async fn upstream_seen(
    client: &mut Client,
    own: &str,
    name: &str,
    probes: &[String],
    start: i64,
    end: i64,
) -> Result<Option<UpstreamSeen>, Error> {
    let names = probes.iter().map(|probe| pattern(probe)).collect::<Vec<_>>().join("|");
    let selector = format!("probe_success{{{own},probe=~{}}}", quoted(&names));
    let mut all = Vec::new();
    for series in client.raw(&selector, start, end, |_, _| {}).await? {
        // By slot of the stretch: good samples and all.
        let mut slots: BTreeMap<i64, (f64, f64)> = BTreeMap::new();
        for point in &series.points {
            let slot = slots.entry((point.millis.div_euclid(1000) - start - 1).div_euclid(STEP)).or_default();
            slot.0 += point.value;
            slot.1 += 1.0;
        }
        let failed = slots.values().filter(|(good, all)| 1.0 - good / all >= FAILING).count();
        let probe = label(&series.labels, "probe");
        all.push(UpstreamSeen { name: name.to_owned(), probe, failed, measured: slots.len() });
    }
    Ok(all.into_iter().max_by_key(|seen| seen.failed))
}

fn label(labels: &Labels, name: &str) -> String {
    labels.get(name).cloned().unwrap_or_default()
}

/// A name as a regular expression that matches nothing else.
fn pattern(name: &str) -> String {
    regex::escape(name)
}
