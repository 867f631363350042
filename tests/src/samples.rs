//! Samples of the past, brought into Prometheus as blocks and into VictoriaMetrics by its import.
//!
//! Not for what a program scrapes or records by itself.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use crate::http;

/// Longer than what is written at once: few blocks, few passes over the text.
const BLOCK: &str = "--max-block-duration=2000h";

/// Samples by metric and labels.
#[derive(Clone, Debug, Default)]
pub struct Samples(BTreeMap<String, BTreeMap<String, Vec<(i64, f64)>>>);

impl Samples {
    /// One more sample of `metric{labels}`, at milliseconds since the epoch; the samples of a series in order of time.
    pub fn add(&mut self, metric: &str, labels: &str, at: i64, value: f64) {
        // No `entry`: it wants owned keys for each of a hundred thousand samples.
        if !self.0.get(metric).is_some_and(|family| family.contains_key(labels)) {
            self.0.entry(metric.to_owned()).or_default().insert(labels.to_owned(), Vec::new());
        }
        if let Some(series) = self.0.get_mut(metric).and_then(|family| family.get_mut(labels)) {
            series.push((at, value));
        }
    }

    /// Writes blocks into Prometheus' data folder, which it reads when it starts.
    pub fn write_blocks(&self, data: &Path) {
        let mut text = String::new();
        for (metric, family) in &self.0 {
            let _ = writeln!(text, "# TYPE {metric} gauge");
            for (labels, samples) in family {
                for (at, value) in samples {
                    let _ = writeln!(text, "{metric}{{{labels}}} {value} {}.{:03}", at / 1000, at % 1000);
                }
            }
        }
        text.push_str("# EOF\n");
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), text).expect("a file");
        let made = Command::new("promtool")
            .args(["tsdb", "create-blocks-from", "openmetrics", BLOCK])
            .args([file.path(), data])
            .output()
            .expect("promtool does not start; deploy/native/install.sh test installs it");
        assert!(made.status.success(), "promtool: {}", String::from_utf8_lossy(&made.stderr));
    }

    /// Imports them into a running VictoriaMetrics and waits until they can be searched.
    pub async fn import(&self, port: u16) {
        let mut text = String::new();
        for (metric, family) in &self.0 {
            for (labels, samples) in family {
                for (at, value) in samples {
                    let _ = writeln!(text, "{metric}{{{labels}}} {value} {at}");
                }
            }
        }
        http::post_body(port, "/api/v1/import/prometheus", "text/plain", &text).await.expect("VictoriaMetrics imports");
        http::get(port, "/internal/force_flush").await.expect("VictoriaMetrics flushes");
    }
}
