//! Debian's prometheus-blackbox-exporter: it probes when asked, so it is asked for each target once per
//! interval, over a connection per target, as Prometheus would.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use crate::Plan;
use crate::client::{Client, sum};
use crate::kind::Kind;
use crate::ours::expected;
use crate::process::Process;
use crate::report::Measured;
use crate::target::Targets;

pub(crate) const PROGRAM: &str = "prometheus-blackbox-exporter";

#[derive(Default)]
struct Counts {
    runs: AtomicU32,
    failed: AtomicU32,
    /// Not begun in their turn: the one before took longer than the interval.
    missed: AtomicU32,
}

pub(crate) async fn measure(kind: Kind, targets: &Targets, plan: Plan, folder: &Path) -> Measured {
    let config = folder.join("blackbox.yml");
    std::fs::write(&config, format!("modules:\n  m: {}\n", kind.module(&targets.ca_file))).unwrap();
    let process = Process::start(PROGRAM, |port| {
        let config = config.display();
        vec![
            format!("--config.file={config}"),
            format!("--web.listen-address=127.0.0.1:{port}"),
            "--log.level=error".to_owned(),
        ]
    })
    .await;
    let counts = Arc::new(Counts::default());
    let started = Instant::now();
    let mut asking = JoinSet::new();
    for (i, target) in targets.list.iter().enumerate() {
        let offset = plan.interval.mul_f64(ratio(i, targets.list.len()));
        asking.spawn(ask(process.port, target.clone(), started + offset, plan.interval, Arc::clone(&counts)));
    }
    sleep_until(started + plan.warm_up).await;

    let read = |counter: &AtomicU32| f64::from(counter.load(Ordering::Relaxed));
    let (cpu, runs) = (process.cpu_seconds(), read(&counts.runs));
    let (failed, missed) = (read(&counts.failed), read(&counts.missed));
    sleep_until(Instant::now() + plan.measured).await;
    let measured = Measured {
        cpu_seconds: process.cpu_seconds() - cpu,
        runs: read(&counts.runs) - runs,
        failed: read(&counts.failed) - failed,
        missed: read(&counts.missed) - missed,
        expected: expected(plan),
        memory: process.memory("VmRSS"),
        memory_peak: process.memory("VmHWM"),
        memory_own: process.memory("RssAnon"),
        page_bytes: 0,
        page_bytes_compressed: 0,
        scrape_median: Duration::ZERO,
        scrape_worst: Duration::ZERO,
    };
    asking.shutdown().await;
    measured
}

fn ratio(i: usize, of: usize) -> f64 {
    f64::from(u32::try_from(i).unwrap()) / f64::from(u32::try_from(of.max(1)).unwrap())
}

/// Asks for one target's probe again and again; ends when it is aborted.
async fn ask(port: u16, target: String, first: Instant, interval: Duration, counts: Arc<Counts>) {
    let path = format!("/probe?module=m&target={}", target.replace(':', "%3A").replace('/', "%2F"));
    let mut client = Client::new(port);
    let mut due = first;
    loop {
        sleep_until(due).await;
        let answer = client.get(&path).await;
        counts.runs.fetch_add(1, Ordering::Relaxed);
        if answer.is_none_or(|answer| sum(&answer.text, "probe_success") < 1.0) {
            counts.failed.fetch_add(1, Ordering::Relaxed);
        }
        due += interval;
        while due < Instant::now() {
            due += interval;
            counts.missed.fetch_add(1, Ordering::Relaxed);
        }
    }
}
