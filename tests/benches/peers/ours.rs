//! This exporter: its own scheduler probes, we scrape `/metrics` once per interval.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::Plan;
use crate::client::{Answer, Client, sum};
use crate::kind::Kind;
use crate::process::Process;
use crate::report::Measured;
use crate::target::Targets;

pub(crate) async fn measure(kind: Kind, targets: &Targets, plan: Plan, folder: &Path) -> Measured {
    let config = config(&kind.module(&targets.ca_file), &targets.list, plan.interval);
    let process = start(&write(folder, &config)).await;
    let mut client = Client::new(process.port);
    let started = Instant::now();
    sleep_until(started + plan.warm_up).await;

    let before = page(&mut client).await.text;
    let cpu = process.cpu_seconds();
    let (begin, end) = (Instant::now(), Instant::now() + plan.measured);
    let mut scrapes = Vec::new();
    for n in 1.. {
        let due = begin + plan.interval * n;
        if due > end {
            break;
        }
        sleep_until(due).await;
        scrapes.push(page(&mut client).await);
    }
    sleep_until(end).await;
    let after = page(&mut client).await;
    let cpu = process.cpu_seconds() - cpu;

    let runs = |text: &str| sum(text, "probe_runs_total");
    let missed = |text: &str| sum(text, "sla_exporter_probe_runs_missed_total");
    let failures = |text: &str| sum(text, "probe_failures_total");
    let mut took: Vec<Duration> = scrapes.iter().map(|scrape| scrape.took).collect();
    took.sort_unstable();
    Measured {
        runs: runs(&after.text) - runs(&before),
        failed: failures(&after.text) - failures(&before),
        missed: missed(&after.text) - missed(&before),
        expected: expected(plan),
        cpu_seconds: cpu,
        memory: process.memory("VmRSS"),
        memory_peak: process.memory("VmHWM"),
        memory_own: process.memory("RssAnon"),
        page_bytes: after.text.len(),
        page_bytes_compressed: after.wire_bytes,
        scrape_median: took.get(took.len() / 2).copied().unwrap_or_default(),
        scrape_worst: took.last().copied().unwrap_or_default(),
    }
}

/// Runs due within the measured time.
pub(crate) fn expected(plan: Plan) -> f64 {
    let probes = f64::from(u32::try_from(plan.probes).unwrap());
    probes * plan.measured.as_secs_f64() / plan.interval.as_secs_f64()
}

pub(crate) async fn page(client: &mut Client) -> Answer {
    client.get("/metrics").await.expect("a page of metrics")
}

/// A configuration with one probe of many targets, and nothing of the host.
pub(crate) fn config(module: &str, targets: &[String], interval: Duration) -> String {
    let mut text = format!(
        "site: bench\n\
         contract: {{name: bench, title: Bench, timezone: UTC, functions: {{f: {{title: F, objective: 99, capabilities: {{c: {{quorum: all}}}}}}}}}}\n\
         collectors: []\n\
         modules:\n  m: {module}\n\
         probes:\n  - name: load\n    module: m\n    interval: {}s\n    evidence: f/c\n    targets:\n",
        interval.as_secs()
    );
    for target in targets {
        let _ = writeln!(text, "      - \"{target}\"");
    }
    text
}

pub(crate) fn write(folder: &Path, config: &str) -> PathBuf {
    let path = folder.join("sla.yml");
    std::fs::write(&path, config).unwrap();
    path
}

pub(crate) async fn start(config: &Path) -> Process {
    Process::start(&binary().display().to_string(), |port| {
        let config = config.display();
        vec![
            format!("--config.file={config}"),
            format!("--web.listen-address=127.0.0.1:{port}"),
            "--log.level=error".to_owned(),
        ]
    })
    .await
}

/// The release build, whatever profile this bench was built in: another is measured by nobody.
pub(crate) fn binary() -> PathBuf {
    let here = std::env::current_exe().unwrap();
    let path = here.ancestors().nth(3).unwrap().join("release/sla-exporter");
    assert!(path.exists(), "build it first: cargo build --release -p sla-exporter");
    path
}
