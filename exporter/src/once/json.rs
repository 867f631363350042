//! A run as a JSON object on one line, for scripts. Pure.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Told, advice};
use crate::probe::Extra;
use crate::probe::trace::Certificate;

#[derive(Serialize)]
struct Document<'a> {
    target: &'a str,
    module: &'a str,
    prober: &'static str,
    built_in: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    probe: Option<&'a str>,
    timeout_seconds: f64,
    success: bool,
    duration_seconds: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<Failure<'a>>,
    steps: Vec<Step<'a>>,
    phases_seconds: BTreeMap<&'static str, f64>,
    certificates: &'a [Certificate],
    /// Those without labels of their own.
    metrics: BTreeMap<&'static str, f64>,
}

#[derive(Serialize)]
struct Failure<'a> {
    reason: &'static str,
    detail: &'a str,
    advice: &'static str,
}

#[derive(Serialize)]
struct Step<'a> {
    at_seconds: f64,
    /// A step that begins, or what it found.
    kind: &'static str,
    text: &'a str,
}

/// The object, with its line end.
pub(super) fn render(told: &Told<'_>) -> serde_json::Result<String> {
    let Told { chosen, timeout, run, trace } = told;
    let samples = || run.samples.iter();
    let document = Document {
        target: &chosen.target,
        module: &chosen.module.name,
        prober: chosen.module.prober.name(),
        built_in: chosen.built_in,
        probe: chosen.probe.as_deref(),
        timeout_seconds: timeout.as_secs_f64(),
        success: run.failure.is_none(),
        duration_seconds: run.duration.as_secs_f64(),
        failure: run.failure.as_ref().map(|failure| Failure {
            reason: failure.reason.as_str(),
            detail: &failure.detail,
            advice: advice::of(failure.reason, &chosen.module.prober),
        }),
        steps: trace
            .steps()
            .iter()
            .map(|step| Step {
                at_seconds: step.at.as_secs_f64(),
                kind: if step.found { "found" } else { "step" },
                text: &step.what,
            })
            .collect(),
        phases_seconds: samples()
            .filter_map(|sample| match sample.extra {
                Extra::Phase(phase) => Some((phase, sample.value)),
                _ => None,
            })
            .collect(),
        certificates: trace.certificates(),
        metrics: samples().filter(|s| s.extra == Extra::None).map(|s| (s.metric.name(), s.value)).collect(),
    };
    Ok(serde_json::to_string(&document)? + "\n")
}
