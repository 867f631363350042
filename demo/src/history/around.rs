//! What is recorded beside the slots in the last days, so that dashboards have something to draw: phases of runs, how loaded
//! the inventory's device was, the alerts that fired.
//!
//! Nothing is calculated from any of it. Of file systems there is nothing: the device is this machine, and its disks are real.

use std::io;

use super::duties;
use super::measure::Stretch;
use super::openmetrics::{Page, duration, failure, noise, number, series, stretches};
use super::probes::Watch;
use super::story::DAY;
use super::{CONTRACT, FUNCTIONS, History};

/// How far back phases and the device's figures reach: a week of graphs, and a hundred thousand samples less than two months.
const BACK: i64 = 7 * DAY;

/// The device of deploy/demo/sla.yml and its role's limits.
const HOST: &str = "demo";
const LIMITS: [(&str, f64); 3] =
    [("load_per_cpu", 8.0), ("filesystem_used_percent", 95.0), ("memory_used_percent", 95.0)];

/// Writes all of it; alerts from `detailed` on.
pub(super) fn write(history: &History, detailed: i64, page: &mut Page) -> io::Result<()> {
    let start = detailed.max(history.end() - BACK);
    phases(history, start, page)?;
    device(history, start, page)?;
    failed_steps(history, detailed, page)?;
    duties::verdicts(history, detailed, HOST, page)?;
    alerts(history, detailed, page)
}

/// The shares of a run's time its phases took.
type Phases = (&'static str, &'static [(&'static str, f64)]);
const HTTP: Phases = (
    "probe_http_duration_seconds",
    &[("resolve", 0.001), ("connect", 0.02), ("tls", 0.0), ("processing", 0.9), ("transfer", 0.05)],
);
const ICMP: Phases = ("probe_icmp_duration_seconds", &[("resolve", 0.15), ("setup", 0.15), ("rtt", 0.6)]);

fn phases(history: &History, start: i64, page: &mut Page) -> io::Result<()> {
    for (prober, (name, phases)) in [("http", HTTP), ("icmp", ICMP)] {
        page.family(name, "gauge")?;
        for watch in history.watched().filter(|watch| watch.prober() == prober) {
            for (phase, share) in phases {
                let labels = watch.labels(&history.addresses, false);
                parts(history, start, watch, &format!("{name}{{{labels},phase=\"{phase}\"}}"), *share, page)?;
            }
        }
    }
    page.family("probe_flow_step_duration_seconds", "gauge")?;
    for watch in history.watched() {
        for (step, share) in watch.steps() {
            let labels = watch.labels(&history.addresses, false);
            let name = format!("probe_flow_step_duration_seconds{{{labels},step=\"{step}\"}}");
            parts(history, start, watch, &name, *share, page)?;
        }
    }
    Ok(())
}

/// Where flows ended that failed: at their first step, or, where it answered, at the second.
fn failed_steps(history: &History, detailed: i64, page: &mut Page) -> io::Result<()> {
    page.family("probe_flow_failed_step_info", "gauge")?;
    for watch in history.watched().filter(|watch| !watch.steps().is_empty()) {
        let own = history.story.faults.iter().filter(|fault| fault.what.contains(&watch) && fault.end > detailed);
        let mut reasons: Vec<&str> = own.map(|fault| fault.reason).collect();
        reasons.sort_unstable();
        reasons.dedup();
        for reason in reasons {
            let place = usize::from(matches!(reason, "status" | "body"));
            let Some((step, _)) = watch.steps().get(place) else { continue };
            let labels = watch.labels(&history.addresses, false);
            let name = format!("probe_flow_failed_step_info{{{labels},step=\"{step}\",reason=\"{reason}\"}}");
            series(history, detailed, &name, page, |stretch| {
                (failure(stretch, watch).flatten() == Some(reason)).then_some(1.0)
            })?;
        }
    }
    Ok(())
}

/// The part of each run's time that is `share`.
fn parts(history: &History, start: i64, watch: Watch, name: &str, share: f64, page: &mut Page) -> io::Result<()> {
    for (stretch, times) in stretches(history, start) {
        let Some(failure) = failure(stretch, watch) else { continue };
        for at in times {
            page.sample(name, duration(watch, failure, at) * share, at)?;
        }
    }
    Ok(())
}

/// The inventory's one device: its place in it, that it was measured, its limits, and loads as they might have been.
fn device(history: &History, start: i64, page: &mut Page) -> io::Result<()> {
    let measured = |stretch: &Stretch| stretch.failing.map(|_| 1.0);
    let exporter = &history.addresses.exporter;
    page.family("sla_host_info", "gauge")?;
    let info = format!(
        "sla_host_info{{contract=\"{CONTRACT}\",host=\"{HOST}\",role=\"web\",job=\"sla-exporter\",instance=\"{exporter}\"}}"
    );
    series(history, start, &info, page, measured)?;
    page.family("sla:host_measured:5m", "gauge")?;
    let name = format!("sla:host_measured:5m{{contract=\"{CONTRACT}\",host=\"{HOST}\"}}");
    series(history, start, &name, page, measured)?;
    page.family("sla:host_threshold:min", "gauge")?;
    for (check, limit) in LIMITS {
        let name = format!("sla:host_threshold:min{{host=\"{HOST}\",check=\"{check}\"}}");
        series(history, start, &name, page, |stretch| measured(stretch).map(|_| limit))?;
    }
    // More by day than by night, and never quite the same.
    for (name, watch, least, more) in [
        ("sla:host_load_per_cpu:ratio", Watch::WebApp, 0.2, 0.6),
        ("sla:host_memory_used:ratio", Watch::WebForm, 0.4, 0.1),
    ] {
        page.family(name, "gauge")?;
        let name = format!("{name}{{host=\"{HOST}\"}}");
        for (_, times) in stretches(history, start).filter(|(stretch, _)| stretch.failing.is_some()) {
            for at in times {
                let day = (at + 9 * 3600).rem_euclid(DAY) / 3600;
                let busy = if (9..18).contains(&day) { 1.0 } else { 0.4 };
                page.sample(&name, least + more * busy * (0.7 + 0.3 * noise(watch, at)), at)?;
            }
        }
    }
    Ok(())
}

/// Prometheus' own record of what fired: a function that was down, a probe that failed.
fn alerts(history: &History, start: i64, page: &mut Page) -> io::Result<()> {
    page.family("ALERTS", "gauge")?;
    let firing = |name: &str, severity: &str, clause: &str, labels: &str| {
        format!(
            "ALERTS{{alertname=\"{name}\",alertstate=\"firing\",severity=\"{severity}\",clause=\"{clause}\",{labels}}}"
        )
    };
    for (place, function) in FUNCTIONS.iter().enumerate() {
        let labels = format!("contract=\"{CONTRACT}\",function=\"{function}\"");
        let name = firing("SlaFunctionDown", "page", "C4.1 C4.2", &labels);
        series(history, start, &name, page, |stretch| {
            (stretch.functions.get(place).copied().flatten() == Some(false)).then_some(1.0)
        })?;
    }
    for watch in history.watched() {
        let labels = format!("{},module=\"{}\"", watch.labels(&history.addresses, true), watch.module());
        let name = firing("SlaProbeFailing", "ticket", "C2.1 C2.4", &labels);
        series(history, start, &name, page, |stretch| failure(stretch, watch).flatten().map(|_| number(true)))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_device_and_its_limits_are_those_of_the_demos_configuration() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/demo/sla.yml");
        let text = std::fs::read_to_string(path).unwrap();
        assert!(text.contains(&format!("{{name: {HOST}, role: web,")));
        let limits = LIMITS.map(|(check, limit)| format!("{check}: {limit}")).join(", ");
        assert!(text.contains(&format!("web: {{{limits},")), "{limits}");
    }
}
