//! A run as an answer: metrics for Prometheus, or the same with what happened for a person (`debug=true`).

use std::fmt::Write as _;
use std::time::Duration;

use super::Admitted;
use crate::config::decode::format_duration;
use crate::exposition::{Format, Kind, Page};
use crate::once::advice;
use crate::probe::{self, Echoes, Extra, Failure, Metric, Module, Prober, Reason, Run, Sample, Trace};

/// The run against a target that the module cannot probe. It fails, as it does in blackbox_exporter: an answer without
/// `probe_success` would be silence for whoever alerts on it.
pub(super) fn refused(why: &str) -> Run {
    let sample = |metric| Sample { metric, extra: Extra::None, value: 0.0 };
    Run {
        samples: [sample(Metric::Success), sample(Metric::Duration)].into(),
        failure: Some(Failure::new(Reason::Connect, format_args!("no such target: {why}"))),
        duration: Duration::ZERO,
        latency: None,
        echoes: Echoes::default(),
    }
}

/// The run with what blackbox_exporter's answers always have, and scheduled probes leave out to keep their page small.
pub(super) fn completed(module: &Module, mut run: Run) -> Run {
    let always = match module.prober {
        Prober::Http(_) => Metric::FailedDueToRegex,
        Prober::Tcp(_) | Prober::Unix(_) => Metric::FailedDueToBytes,
        _ => return run,
    };
    if run.samples.iter().all(|sample| sample.metric != always) {
        let no = Sample { metric: always, extra: Extra::None, value: 0.0 };
        run.samples = run.samples.into_iter().chain([no]).collect();
    }
    run
}

/// The run's metrics, without labels of a scheduled probe: whoever scrapes adds their own.
pub(super) fn page(run: &Run, format: Format) -> Vec<u8> {
    let mut page = Page::new(format, Vec::with_capacity(4096));
    for metric in Metric::ALL {
        let mut samples = run.samples.iter().filter(|sample| sample.metric == *metric).peekable();
        if samples.peek().is_some() {
            page.family(metric.name(), metric.help(), Kind::Gauge);
        }
        for sample in samples {
            match &sample.extra {
                Extra::None => page.sample(&[], sample.value),
                Extra::Phase(phase) => page.sample(&[("phase", phase)], sample.value),
                Extra::Rendered(labels) => page.rendered(labels, "", sample.value),
            }
        }
    }
    page.finish()
}

/// What blackbox_exporter shows under the same three headings; `trace` is absent where nothing was tried.
pub(super) fn debug(module: &Module, request: &Admitted, run: &Run, trace: Option<&Trace>) -> String {
    let mut text = String::from("Logs for the probe:\n");
    let Admitted { target, hostname, timeout, .. } = request;
    // One that is refused may be so for the password in it.
    let shown = probe::check_target(module, target).map_or("(refused, see below)", |()| target.as_str());
    let _ = writeln!(text, "target:   {shown}");
    if let Some(name) = hostname.as_ref().and_then(|name| name.to_str().ok()) {
        let _ = writeln!(text, "hostname: {name}");
    }
    let _ = writeln!(text, "module:   {} ({})", module.name, module.prober.name());
    let _ = writeln!(text, "timeout:  {}", format_duration(*timeout));
    for step in trace.into_iter().flat_map(Trace::steps) {
        let arrow = if step.found { "  → " } else { "" };
        let _ = writeln!(text, "{:>10.6} s  {arrow}{}", step.at.as_secs_f64(), step.what);
    }
    for sample in &run.samples {
        if let Extra::Phase(phase) = sample.extra {
            let _ = writeln!(text, "{phase:<10} {:.6} s", sample.value);
        }
    }
    let seconds = run.duration.as_secs_f64();
    let _ = match &run.failure {
        None => writeln!(text, "result:   success after {seconds:.6} s"),
        Some(Failure { reason, detail }) => {
            writeln!(text, "result:   failure after {seconds:.6} s\nreason:   {reason}\nbecause:  {detail}")
        }
    };
    // Nothing was tried against a target that is none.
    if let (Some(failure), Some(_)) = (&run.failure, trace) {
        let _ = writeln!(text, "try:      {}", advice::of(failure.reason, &module.prober));
    }
    let metrics = page(run, Format::Text);
    let _ = write!(text, "\n\n\nMetrics that would have been returned:\n{}", String::from_utf8_lossy(&metrics));
    let _ = write!(text, "\n\n\nModule configuration:\n{}", module.source);
    text
}
