//! Latency histograms in a real Prometheus: classic, and native where it asks for them; both formats carry the same page.

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::Value;
use sla_tests::program::{Program, on_path, ours};
use sla_tests::{eventually, free_port, http};
use tempfile::TempDir;

/// A Prometheus that scrapes the exporter at `port` every second, and asks for native histograms or does not.
async fn prometheus(port: u16, native: bool) -> (Program, u16, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    // A flag before Prometheus 3.8, a setting since.
    let version = Command::new(on_path(&["prometheus"])).arg("--version").output().unwrap().stdout;
    let by_flag = String::from_utf8_lossy(&version).starts_with("prometheus, version 2.");
    let asks = if native && !by_flag { ", scrape_native_histograms: true" } else { "" };
    let config = format!(
        "global: {{scrape_interval: 1s, scrape_timeout: 1s{asks}}}
scrape_configs: [{{job_name: x, static_configs: [{{targets: ['127.0.0.1:{port}']}}]}}]\n"
    );
    std::fs::write(folder.path().join("prometheus.yml"), config).unwrap();
    let own = free_port();
    let mut arguments = vec![
        format!("--config.file={}", folder.path().join("prometheus.yml").display()),
        format!("--storage.tsdb.path={}", folder.path().join("data").display()),
        format!("--web.listen-address=127.0.0.1:{own}"),
    ];
    if native && by_flag {
        arguments.push("--enable-feature=native-histograms".to_owned());
    }
    let mut program = Program::start("prometheus", &on_path(&["prometheus"]), &arguments, folder.path());
    program.ready(own, "/-/ready").await;
    (program, own, folder)
}

async fn exporter() -> (Program, u16, TempDir) {
    let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
    let config = format!(
        "site: s
contract: {{name: c, timezone: UTC, functions: {{f: {{objective: 99, capabilities: {{a: {{}}}}}}}}}}
modules: {{web: {{prober: http, timeout: 150ms}}}}
probes:
  - name: self
    module: web
    targets: [\"http://127.0.0.1:{port}/-/healthy\", \"http://127.0.0.1:{port}/-/ready\"]
    interval: 200ms
    evidence: f/a
    latency_buckets: [0.05, 300]
"
    );
    std::fs::write(folder.path().join("sla.yml"), config).unwrap();
    let arguments = [
        format!("--config.file={}", folder.path().join("sla.yml").display()),
        format!("--web.listen-address=127.0.0.1:{port}"),
    ];
    let mut program = Program::start("sla-exporter", &ours("sla-exporter"), &arguments, folder.path());
    program.ready(port, "/-/ready").await;
    (program, port, folder)
}

/// The one value of a query.
async fn value(port: u16, promql: &str) -> Result<f64, String> {
    let found: Vec<(Value, f64)> = http::query(port, promql).await?;
    match found.as_slice() {
        [(_, value)] => Ok(*value),
        _ => Err(format!("{promql}: {found:?}")),
    }
}

/// How many series each family has, but for what a target appears with.
async fn series(port: u16) -> BTreeMap<String, f64> {
    let found = http::query(port, "count by (__name__) ({job='x', __name__!~'up|scrape_.*'})").await.unwrap();
    found.into_iter().map(|(labels, value)| (labels["__name__"].as_str().unwrap().to_owned(), value)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn prometheus_reads_latencies_as_classic_and_as_native_histograms_and_everything_else_alike() {
    let (_exporter, port, _folder) = exporter().await;
    let (_classic, classic, _data) = prometheus(port, false).await;
    let (_native, native, _more) = prometheus(port, true).await;

    eventually("runs are counted in classic buckets", async || {
        let above = value(classic, "histogram_quantile(0.5, probe_latency_seconds_bucket{probe='self'})").await?;
        if above > 0.0 { Ok(()) } else { Err(format!("{above}")) }
    })
    .await;
    // Both targets of the probe in one histogram: `le` is its only label more.
    assert_eq!(value(classic, "count(probe_latency_seconds_bucket{function='f', capability='a'})").await, Ok(3.0));

    eventually("the native histogram counts on", async || {
        let (count, sum) = ("histogram_count(probe_latency_seconds)", "histogram_sum(probe_latency_seconds)");
        let (count, sum) = (value(native, count).await?, value(native, sum).await?);
        let middle = value(native, "histogram_quantile(0.5, probe_latency_seconds)").await?;
        let rising = value(native, "histogram_count(rate(probe_latency_seconds[10s]))").await?;
        // Half of the runs cannot take more than twice the mean; a bucket is 9 % wide.
        let plausible = middle > 0.0 && middle < 2.0 * 1.1 * sum / count;
        if count > 5.0 && rising > 0.0 && plausible {
            Ok(())
        } else {
            Err(format!("{count} runs, {sum} s, {rising} per second, the middle one {middle} s"))
        }
    })
    .await;

    let (mut text, mut protobuf) = (series(classic).await, series(native).await);
    // A reason appears with its first failure: a slow machine's probe may fail between two scrapes.
    for page in [&mut text, &mut protobuf] {
        page.remove("probe_failures_total");
    }
    for part in ["bucket", "sum", "count"] {
        assert!(text.remove(&format!("probe_latency_seconds_{part}")).is_some(), "{part}");
    }
    assert_eq!(protobuf.remove("probe_latency_seconds"), Some(1.0));
    assert!(text.len() > 50, "{}", text.len());
    assert_eq!(text, protobuf);
}
