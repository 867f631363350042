//! The page `/metrics` shows: one pass over the targets, grouped by family.
//!
//! Each family has a buffer of lines; a target's samples go to their families' buffers, which are then
//! joined. The buffers are kept from scrape to scrape, so a scrape allocates next to nothing.

use tokio::time::Instant;

use crate::exposition::{Kind, Page, write_line};
use crate::probe::{Extra, Metric, Prober, Reason};
use crate::schedule::Target;

const RUNS: &str = "probe_runs_total";
const FAILURES: &str = "probe_failures_total";

/// Reused memory of one render.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    families: Vec<Vec<u8>>,
    runs: Vec<u8>,
    failures: Vec<u8>,
    echoes: [Vec<u8>; 3],
}

/// Writes all families of probe results.
pub(super) fn write_probes(page: &mut Page, targets: &[std::sync::Arc<Target>], now: Instant, scratch: &mut Scratch) {
    scratch.families.resize_with(Metric::ALL.len(), Vec::new);
    scratch
        .families
        .iter_mut()
        .chain([&mut scratch.runs, &mut scratch.failures])
        .chain(&mut scratch.echoes)
        .for_each(Vec::clear);
    for target in targets {
        write_target(target, now, scratch);
    }
    for (metric, lines) in Metric::ALL.iter().zip(&scratch.families) {
        if !lines.is_empty() {
            page.family(metric.name(), metric.help(), Kind::Gauge);
            page.raw(lines);
        }
    }
    if !targets.is_empty() {
        page.family(RUNS, "Completed runs.", Kind::Counter);
        page.raw(&scratch.runs);
    }
    if !scratch.failures.is_empty() {
        page.family(FAILURES, "Failed runs by reason; a reason appears with its first failure.", Kind::Counter);
        page.raw(&scratch.failures);
    }
    for ((name, help), lines) in ECHOES.iter().zip(&scratch.echoes).filter(|(_, lines)| !lines.is_empty()) {
        page.family(name, help, Kind::Counter);
        page.raw(lines);
    }
}

/// The families of echo requests, with their HELP texts.
const ECHOES: [(&str, &str); 3] = [
    ("probe_icmp_requests_total", "Echo requests that were sent, those of failed attempts included."),
    ("probe_icmp_replies_total", "Echo replies that came in time; what is missing to the requests is lost."),
    ("probe_icmp_send_errors_total", "Echo requests this host could not send."),
];

fn write_target(target: &Target, now: Instant, scratch: &mut Scratch) {
    let state = target.state();
    let last = state.last.clone();
    let (runs, failures, echoes) = (state.runs, state.failures, state.echoes);
    drop(state);

    write_line(&mut scratch.runs, RUNS, &target.labels, "", runs as f64);
    for (reason, count) in Reason::ALL.iter().zip(failures).filter(|(_, count)| *count > 0) {
        write_line(&mut scratch.failures, FAILURES, &target.labels, reason.label(), count as f64);
    }
    if matches!(target.spec.module.prober, Prober::Icmp(_)) {
        let counts = [echoes.requests, echoes.replies, echoes.send_errors];
        for ((lines, (name, _)), count) in scratch.echoes.iter_mut().zip(&ECHOES).zip(counts) {
            write_line(lines, name, &target.labels, "", count as f64);
        }
    }
    // Unknown is not up: without a recent run there is no series at all.
    let Some((run, at)) = last else { return };
    if !target.is_fresh(at, now) {
        return;
    }
    for sample in &run.samples {
        let Some(lines) = scratch.families.get_mut(sample.metric as usize) else { continue };
        let (phase, rendered) = match &sample.extra {
            Extra::None => (None, ""),
            Extra::Phase(phase) => (Some(*phase), ""),
            Extra::Rendered(text) => (None, text.as_ref()),
        };
        match phase {
            None => write_line(lines, sample.metric.name(), &target.labels, rendered, sample.value),
            Some(phase) => write_phase(lines, sample.metric.name(), &target.labels, phase, sample.value),
        }
    }
}

fn write_phase(lines: &mut Vec<u8>, name: &str, labels: &str, phase: &str, value: f64) {
    lines.extend_from_slice(name.as_bytes());
    lines.push(b'{');
    lines.extend_from_slice(labels.as_bytes());
    lines.extend_from_slice(b",phase=\"");
    lines.extend_from_slice(phase.as_bytes());
    lines.extend_from_slice(b"\"} ");
    crate::exposition::write_value(lines, value);
    lines.push(b'\n');
}
