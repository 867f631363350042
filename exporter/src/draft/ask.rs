//! Asks Prometheus what failed in a stretch of time.

use super::evidence::{Evidence, Failing, Listed, What, explain, recorded, sampled};
use crate::contract::Contract;
use crate::prometheus_api::{Client, Error, ErrorKind, Sample, Series, quoted};
use crate::report::slots::STEP;

/// Everything from the slot `first` to the slot `end` (timestamps), for an entry about `functions`.
///
/// # Errors
/// When Prometheus cannot be asked.
pub(super) async fn ask(
    client: &mut Client,
    contract: &Contract,
    functions: &[&str],
    first: i64,
    end: i64,
) -> Result<Evidence, Error> {
    let start = first - STEP;
    let own = format!("contract={}", quoted(&contract.name));
    let capabilities = client.raw(&format!("sla:capability_up:5m{{{own}}}"), start, end, |_, _| {}).await?;
    let mut capabilities = recorded(&capabilities, first);
    capabilities.retain(|capability| capability.failed > 0);
    let selector = format!("sla:probe_up:5m{{{own},function=~{}}}", any(functions.iter().copied()));
    let mut probes = Listed::worst(recorded(&client.raw(&selector, start, end, |_, _| {}).await?, first));
    let mut upstreams = upstreams(client, contract, &own, first, end).await?;
    let mut others = others(client, contract, &own, first, end).await?;
    let all = || probes.first.iter().chain(upstreams.iter().map(|(_, failing)| failing)).chain(&others.first);
    let failed: Vec<&str> = all().filter(|f| f.failed > 0).map(|f| f.what.probe.as_str()).collect();
    let reasons = reasons(client, &own, &failed, start, end).await?;
    let all = probes.first.iter_mut().chain(upstreams.iter_mut().map(|(_, failing)| failing));
    explain(all.chain(&mut others.first).filter(|failing| failing.failed > 0), &reasons);
    Ok(Evidence { capabilities, probes, upstreams, others })
}

/// Every probe of every upstream, by upstream.
async fn upstreams(
    client: &mut Client,
    contract: &Contract,
    own: &str,
    first: i64,
    end: i64,
) -> Result<Vec<(String, Failing)>, Error> {
    let mut all = Vec::new();
    for upstream in contract.upstreams.iter().filter(|upstream| !upstream.probes.is_empty()) {
        let selector = format!("probe_success{{{own},probe=~{}}}", any(upstream.probes.iter().map(String::as_str)));
        let found = sampled(&client.raw(&selector, first - STEP, end, |_, _| {}).await?, first);
        all.extend(found.into_iter().map(|failing| (upstream.name.clone(), failing)));
    }
    Ok(all)
}

/// Probes that are nobody's evidence: components, references.
async fn others(client: &mut Client, contract: &Contract, own: &str, first: i64, end: i64) -> Result<Listed, Error> {
    let known = any(contract.upstreams.iter().flat_map(|upstream| &upstream.probes).map(String::as_str));
    let by = "sum by (site, probe, target)";
    let samples = format!("(probe_success{{{own},function=\"\",probe!~{known}}}[5m])");
    // At the moments of the slots, and only where they are down.
    let query = format!("{by} (sum_over_time{samples}) / {by} (count_over_time{samples}) <= 0.5");
    match client.range(&query, first, end, STEP, |_, _| {}).await {
        Ok(series) => {
            let slots = usize::try_from((end - first) / STEP + 1).unwrap_or_default();
            let failing = |series: &Series| Failing {
                what: What::of(&series.labels),
                failed: series.points.len(),
                measured: slots,
                reasons: Vec::new(),
            };
            Ok(Listed::worst(series.iter().map(failing).collect()))
        }
        // All of thousands of probes: that they failed is said, not which.
        Err(error) if error.kind == ErrorKind::TooMuch => Ok(Listed { first: Vec::new(), more: None }),
        Err(error) => Err(error),
    }
}

/// How often each probe failed for which reason.
async fn reasons(
    client: &mut Client,
    own: &str,
    probes: &[&str],
    start: i64,
    end: i64,
) -> Result<Vec<(What, String, f64)>, Error> {
    if probes.is_empty() {
        return Ok(Vec::new());
    }
    let (failures, length) =
        (format!("probe_failures_total{{{own},probe=~{}}}", any(probes.iter().copied())), end - start);
    // A reason's counter is there from its first failure on: one that was not there before has begun at 0.
    let before = format!("last_over_time({failures}[1d] offset {length}s)");
    let query = format!(
        "sum by (site, probe, target, reason) ((increase({failures}[{length}s]) and {before}) \
         or (last_over_time({failures}[{length}s]) unless {before})) > 0"
    );
    let samples = client.query(&query, end).await?;
    let reason = |sample: &Sample| sample.labels.get("reason").cloned().unwrap_or_default();
    Ok(samples.iter().map(|sample| (What::of(&sample.labels), reason(sample), sample.point.value)).collect())
}

/// A regular expression, as PromQL writes it, for these names and nothing else.
fn any<'n>(names: impl Iterator<Item = &'n str>) -> String {
    quoted(&names.map(regex::escape).collect::<Vec<_>>().join("|"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_matched_as_they_are() {
        assert_eq!(any(["a.b", "c-d"].into_iter()), r#""a\\.b|c\\-d""#);
        assert_eq!(any(std::iter::empty()), "\"\"");
    }
}
