//! The app as a whole: results on the page, reloads that disturb nothing, bad configurations that change nothing.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sla_exporter::app::{App, Health};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::support::exporter;

/// How long a test waits for something that takes a second on an idle machine.
const PATIENCE: Duration = Duration::from_secs(20);

struct Running {
    app: Arc<App>,
    shutdown: CancellationToken,
    folder: tempfile::TempDir,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

impl Running {
    fn start(config: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = write(folder.path(), config);
        let app = exporter::exporter(&path);
        let shutdown = CancellationToken::new();
        drop(app.run(shutdown.clone()));
        Self { app, shutdown, folder }
    }

    fn rewrite(&self, config: &str) {
        write(self.folder.path(), config);
    }

    async fn page(&self) -> String {
        exporter::page(&self.app).await
    }

    async fn value(&self, series: &str) -> Option<f64> {
        let page = self.page().await;
        let line = page.lines().find(|line| line.starts_with(series) && !line.starts_with('#'))?;
        line.rsplit(' ').next()?.parse().ok()
    }

    async fn eventually(&self, series: &str, accept: impl Fn(Option<f64>) -> bool) {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            let value = self.value(series).await;
            if accept(value) {
                return;
            }
            assert!(tokio::time::Instant::now() < deadline, "{series} is {value:?} on\n{}", self.page().await);
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

fn write(folder: &Path, config: &str) -> PathBuf {
    let path = folder.join("sla.yml");
    std::fs::write(&path, config).unwrap();
    path
}

fn config(targets: &[&str], extra: &str) -> String {
    let list = targets.iter().map(|t| format!("\"{t}\"")).collect::<Vec<_>>().join(", ");
    format!(
        "site: here\n\
         contract:\n  name: test\n  timezone: Asia/Tokyo\n  start: 2026-09-01\n  functions:\n    client:\n      objective: 99\n      capabilities:\n        web: {{quorum: majority}}\n\
         modules:\n  open: {{prober: tcp, timeout: 500ms}}\n\
         probes:\n  - {{name: port, module: open, targets: [{list}], interval: 1s, evidence: client/web}}\n\
         {extra}"
    )
}

async fn listener() -> (String, tokio::task::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let task = tokio::spawn(async move { while listener.accept().await.is_ok() {} });
    (address, task)
}

/// A port nobody listens on.
async fn closed_port() -> String {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().to_string()
}

fn success(target: &str) -> String {
    format!(
        "probe_success{{contract=\"test\",site=\"here\",probe=\"port\",module=\"open\",target=\"{target}\",function=\"client\",capability=\"web\"}}"
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn results_come_onto_the_page_with_their_reasons() {
    let ((open, _keep), closed) = (listener().await, closed_port().await);
    let running = Running::start(&config(&[&open, &closed], ""));
    running.eventually(&success(&open), |v| v == Some(1.0)).await;
    running.eventually(&success(&closed), |v| v == Some(0.0)).await;
    let page = running.page().await;
    let refused = page.lines().find(|l| l.starts_with("probe_failures_total")).unwrap();
    assert!(refused.contains(&closed) && refused.contains("reason=\"refused\""), "{refused}");
    for line in [
        "sla_objective_ratio{contract=\"test\",function=\"client\"} 0.99\n",
        "sla_function_capabilities{contract=\"test\",function=\"client\"} 1\n",
        "sla_capability_evidence{contract=\"test\",site=\"here\",function=\"client\",capability=\"web\"} 2\n",
        "sla_capability_quorum_ratio{contract=\"test\",function=\"client\",capability=\"web\"} 0.500000001\n",
        // 2026-09-01 00:00 in Tokyo.
        "sla_contract_start_timestamp_seconds{contract=\"test\"} 1788188400\n",
        "sla_exporter_targets 2\n",
    ] {
        assert!(page.contains(line), "{line} is missing in\n{page}");
    }
    let down: Vec<_> = running.app.targets().into_iter().filter(|t| t.health == Health::Down).collect();
    assert_eq!(down.len(), 1);
    assert!(down[0].failure.as_ref().unwrap().starts_with("refused: "), "{down:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_family_stands_on_the_page_once_and_in_one_piece() {
    let ((open, _keep), closed) = (listener().await, closed_port().await);
    let running = Running::start(&config(&[&open, &closed], "collectors: [load, cpu, memory, time]\n"));
    running.eventually(&success(&closed), |v| v == Some(0.0)).await;
    let page = running.page().await;
    let mut seen = std::collections::HashSet::new();
    let mut current = String::new();
    for line in page.lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            current = rest.split(' ').next().unwrap().to_owned();
            assert!(seen.insert(current.clone()), "{current} stands twice");
        } else if !line.starts_with('#') {
            let name = line.split(['{', ' ']).next().unwrap();
            assert!(name.starts_with(&current), "{line} stands under {current}");
        }
    }
    assert!(seen.contains("probe_success") && seen.contains("node_load1"), "{seen:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reload_keeps_unchanged_targets_and_replaces_changed_ones() {
    let ((a, _keep_a), (b, _keep_b)) = (listener().await, listener().await);
    let running = Running::start(&config(&[&a], ""));
    let runs =
        format!("probe_runs_total{{contract=\"test\",site=\"here\",probe=\"port\",module=\"open\",target=\"{a}\"");
    running.eventually(&runs, |v| v >= Some(2.0)).await;
    let before = running.value(&runs).await.unwrap();
    running.rewrite(&config(&[&a, &b], ""));
    let summary = running.app.reload().unwrap();
    assert_eq!((summary.kept, summary.added, summary.removed), (1, 1, 0));
    assert!(running.value(&runs).await.unwrap() >= before, "the counter of an unchanged target went back");
    assert_eq!(running.value(&success(&a)).await, Some(1.0), "the result of an unchanged target is gone");
    running.eventually(&success(&b), |v| v == Some(1.0)).await;
    // A changed timeout is another probe: counted from the beginning.
    running.rewrite(&config(&[&a, &b], "").replace("500ms", "600ms"));
    let summary = running.app.reload().unwrap();
    assert_eq!((summary.kept, summary.added, summary.removed), (0, 2, 2));
    // A target that is gone leaves no series behind.
    running.rewrite(&config(&[&b], ""));
    running.app.reload().unwrap();
    assert!(!running.page().await.contains(&a));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bad_configuration_changes_nothing_and_is_said() {
    let (open, _keep) = listener().await;
    let running = Running::start(&config(&[&open], ""));
    running.eventually(&success(&open), |v| v == Some(1.0)).await;
    running.rewrite(&config(&[&open], "").replace("interval: 1s", "interval: 10m"));
    let findings = running.app.reload().unwrap_err();
    assert!(findings.iter().any(|f| f.to_string().contains("probes[0].interval")), "{findings:?}");
    assert_eq!(running.value("sla_exporter_config_last_reload_successful ").await, Some(0.0));
    assert_eq!(running.value(&success(&open)).await, Some(1.0));
    assert!(running.app.load_state().1.unwrap().contains("10m"));
    running.rewrite(&config(&[&open], ""));
    running.app.reload().unwrap();
    assert_eq!(running.value("sla_exporter_config_last_reload_successful ").await, Some(1.0));
    assert_eq!(running.app.load_state().1, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hanging_target_delays_nobody() {
    // Accepts into its backlog and never answers: the TLS-less tcp prober succeeds, so a banner is asked for.
    let hanging = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let ((open, _keep), hanging) = (listener().await, hanging.local_addr().unwrap().to_string());
    let text = format!(
        "{}  - {{name: hang, module: banner, targets: [\"{hanging}\"], interval: 3s}}\n",
        config(&[&open], "").replace(
            "modules:\n",
            "modules:\n  banner: {prober: tcp, timeout: 2s, tcp: {query_response: [{expect: never}]}}\n"
        )
    );
    let running = Running::start(&text);
    let runs = "probe_runs_total{contract=\"test\",site=\"here\",probe=\"port\"";
    running.eventually(runs, |v| v >= Some(5.0)).await;
    assert_eq!(running.value("sla_exporter_probe_runs_missed_total").await, Some(0.0));
}
