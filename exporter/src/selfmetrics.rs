//! The exporter about itself: `sla_exporter_*` and `process_*`.
//!
//! Counted with the `prometheus` crate, written by our page writer, which knows both formats.

use prometheus::process_collector::ProcessCollector;
use prometheus::proto::{MetricFamily, MetricType};
use prometheus::{Gauge, Histogram, HistogramOpts, IntCounter, IntGauge, Opts, Registry};

use crate::exposition::{Kind, Page, escape_label};

/// Upper bounds of the scheduler's lag, in seconds; a tick is 0.05.
const LAG_BUCKETS: &[f64] = &[0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0];

/// blackbox_exporter's name.
const UNKNOWN_MODULES: &str = "blackbox_module_unknown_total";

/// Counters and gauges of this process.
#[derive(Debug)]
pub struct SelfMetrics {
    registry: Registry,
    /// From due time to start, one observation per run.
    pub scheduler_lag: Histogram,
    /// Runs that did not happen: the one before was still under way, or the process slept.
    pub runs_missed: IntCounter,
    /// Runs under way.
    pub probes_in_flight: IntGauge,
    /// Targets of the configuration in force.
    pub targets: IntGauge,
    /// 1 while the newest configuration is the one in force.
    pub reload_successful: IntGauge,
    /// When the configuration in force was loaded.
    pub reload_timestamp: Gauge,
    /// Requests to `/probe` for a module that is not there.
    pub unknown_modules: IntCounter,
}

impl SelfMetrics {
    /// All at zero.
    #[must_use]
    pub fn new() -> Self {
        let registry = Registry::new();
        // Registering fails only for a name that is invalid or taken; a test renders them all.
        let gauge = |name: &str, help: &str| -> IntGauge {
            let gauge = IntGauge::new(name, help).unwrap_or_else(|e| unreachable!("{name}: {e}"));
            let _ = registry.register(Box::new(gauge.clone()));
            gauge
        };
        let build = gauge_vec("sla_exporter_build_info", "The running version; always 1.");
        build.with_label_values(&[env!("CARGO_PKG_VERSION"), revision()]).set(1.0);
        let _ = registry.register(Box::new(build));
        let lag = HistogramOpts::new(
            "sla_exporter_scheduler_lag_seconds",
            "How late runs started, against their due time; one observation per run.",
        )
        .buckets(LAG_BUCKETS.to_vec());
        let scheduler_lag = Histogram::with_opts(lag).unwrap_or_else(|e| unreachable!("lag: {e}"));
        let _ = registry.register(Box::new(scheduler_lag.clone()));
        let runs_missed = IntCounter::new(
            "sla_exporter_probe_runs_missed_total",
            "Runs that did not start because the run before was under way or the process was asleep.",
        )
        .unwrap_or_else(|e| unreachable!("missed: {e}"));
        let _ = registry.register(Box::new(runs_missed.clone()));
        // Not registered: shown under blackbox_exporter's name alone.
        let unknown_modules = IntCounter::new(UNKNOWN_MODULES, "Requests to /probe for a module that is not there.")
            .unwrap_or_else(|e| unreachable!("unknown modules: {e}"));
        let reload_timestamp = Gauge::new(
            "sla_exporter_config_last_reload_success_timestamp_seconds",
            "When the configuration in force was loaded, in seconds since the epoch.",
        )
        .unwrap_or_else(|e| unreachable!("reload: {e}"));
        let _ = registry.register(Box::new(reload_timestamp.clone()));
        let _ = registry.register(Box::new(ProcessCollector::for_self()));
        Self {
            scheduler_lag,
            runs_missed,
            probes_in_flight: gauge("sla_exporter_probes_in_flight", "Runs under way now."),
            targets: gauge("sla_exporter_targets", "Targets of the configuration in force."),
            reload_successful: gauge(
                "sla_exporter_config_last_reload_successful",
                "Whether the last attempt to load the configuration succeeded (0: an older one is in force).",
            ),
            reload_timestamp,
            unknown_modules,
            registry,
        }
    }

    /// Writes all families.
    pub fn write(&self, page: &mut Page) {
        for family in self.registry.gather() {
            write_family(page, &family);
        }
    }

    /// What blackbox_exporter says of itself and people alert on, under its names: for those who replaced one.
    pub fn write_as_blackbox_exporter(&self, page: &mut Page) {
        #[allow(clippy::cast_precision_loss)] // 0 or 1, and a count
        for (name, help, kind, value) in [
            (
                "blackbox_exporter_config_last_reload_successful",
                "As sla_exporter_config_last_reload_successful, under blackbox_exporter's name.",
                Kind::Gauge,
                self.reload_successful.get() as f64,
            ),
            (
                "blackbox_exporter_config_last_reload_success_timestamp_seconds",
                "As sla_exporter_config_last_reload_success_timestamp_seconds, under blackbox_exporter's name.",
                Kind::Gauge,
                self.reload_timestamp.get(),
            ),
            (
                UNKNOWN_MODULES,
                "Requests to /probe for a module that is not there.",
                Kind::Counter,
                self.unknown_modules.get() as f64,
            ),
        ] {
            page.family(name, help, kind);
            page.sample(&[], value);
        }
    }
}

impl Default for SelfMetrics {
    fn default() -> Self {
        Self::new()
    }
}

/// The source revision this binary was built from, where the build said so.
#[must_use]
pub fn revision() -> &'static str {
    option_env!("SLA_EXPORTER_REVISION").unwrap_or("unknown")
}

fn gauge_vec(name: &str, help: &str) -> prometheus::GaugeVec {
    prometheus::GaugeVec::new(Opts::new(name, help), &["version", "revision"])
        .unwrap_or_else(|e| unreachable!("{name}: {e}"))
}

fn write_family(page: &mut Page, family: &MetricFamily) {
    let kind = match family.get_field_type() {
        MetricType::COUNTER => Kind::Counter,
        MetricType::GAUGE => Kind::Gauge,
        MetricType::HISTOGRAM => Kind::Histogram,
        MetricType::SUMMARY => Kind::Summary,
        MetricType::UNTYPED => Kind::Untyped,
    };
    let name = family.name();
    page.family(name, family.help(), kind);
    for metric in family.get_metric() {
        let labels = metric
            .get_label()
            .iter()
            .map(|pair| format!("{}=\"{}\"", pair.name(), escape_label(pair.value())))
            .collect::<Vec<_>>()
            .join(",");
        match kind {
            Kind::Counter => page.rendered(&labels, "", metric.get_counter().get_value()),
            Kind::Histogram => {
                let histogram = metric.get_histogram();
                let count = histogram.get_sample_count() as f64;
                for bucket in histogram.get_bucket() {
                    let bound = format!("le=\"{:?}\"", bucket.upper_bound());
                    page.line(&format!("{name}_bucket"), &labels, &bound, bucket.cumulative_count() as f64);
                }
                page.line(&format!("{name}_bucket"), &labels, "le=\"+Inf\"", count);
                page.line(&format!("{name}_sum"), &labels, "", histogram.get_sample_sum());
                page.line(&format!("{name}_count"), &labels, "", count);
            }
            _ => page.rendered(&labels, "", metric.get_gauge().get_value()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exposition::Format;

    #[test]
    fn every_family_is_registered_and_written() {
        let metrics = SelfMetrics::new();
        metrics.scheduler_lag.observe(0.02);
        let mut page = Page::new(Format::Text, Vec::new());
        metrics.write(&mut page);
        let text = String::from_utf8(page.finish()).unwrap();
        for line in [
            "sla_exporter_build_info{revision=",
            "sla_exporter_scheduler_lag_seconds_bucket{le=\"0.025\"} 1\n",
            "sla_exporter_scheduler_lag_seconds_bucket{le=\"0.01\"} 0\n",
            "sla_exporter_scheduler_lag_seconds_count 1\n",
            "sla_exporter_probe_runs_missed_total 0\n",
            "sla_exporter_probes_in_flight 0\n",
            "sla_exporter_targets 0\n",
            "sla_exporter_config_last_reload_successful 0\n",
            "sla_exporter_config_last_reload_success_timestamp_seconds 0\n",
            "process_resident_memory_bytes ",
        ] {
            assert!(text.contains(line), "{line} is missing in\n{text}");
        }
    }
}
