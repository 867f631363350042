//! One process with ten thousand probes every 60 s: memory, processor, lag, the page, start and reload.

use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until};

use crate::client::{Client, sum};
use crate::kind::Kind;
use crate::ours;
use crate::target::Targets;

const PROBES: usize = 10_000;
const INTERVAL: Duration = Duration::from_secs(60);
const SCRAPES: u32 = 100;

/// What it takes.
pub(crate) struct Many {
    pub(crate) start_to_ready: Duration,
    pub(crate) runs: f64,
    pub(crate) seconds: f64,
    pub(crate) failed: f64,
    pub(crate) missed: f64,
    /// While probing, without scrapes.
    pub(crate) cpu_seconds: f64,
    /// The bound below which 99 of 100 runs started after their due time, in seconds: a histogram's.
    pub(crate) lag_p99: f64,
    pub(crate) memory: f64,
    pub(crate) memory_peak: f64,
    pub(crate) memory_own: f64,
    pub(crate) page_bytes: usize,
    pub(crate) page_bytes_compressed: usize,
    pub(crate) scrape_median: Duration,
    pub(crate) scrape_p99: Duration,
    pub(crate) scrape_cpu_seconds: f64,
    pub(crate) reload: Duration,
    pub(crate) runs_missed_by_reload: f64,
}

pub(crate) async fn measure(measured: Duration) -> Many {
    let folder = tempfile::tempdir().unwrap();
    let targets = Targets::start(Kind::Http, PROBES, folder.path()).await;
    let module = Kind::Http.module(&targets.ca_file);
    let config = ours::config(&module, &targets.list, INTERVAL);
    let path = ours::write(folder.path(), &config);

    let begin = Instant::now();
    let process = ours::start(&path).await;
    let mut client = Client::new(process.port);
    while client.get("/-/ready").await.is_none() {
        sleep(Duration::from_millis(2)).await;
    }
    let start_to_ready = begin.elapsed();

    // First runs are spread over 30 s, the regular ones over 60 s: from here on it is even.
    sleep_until(begin + INTERVAL + Duration::from_secs(5)).await;
    let before = ours::page(&mut client).await.text;
    let (cpu, from) = (process.cpu_seconds(), Instant::now());
    sleep(measured).await;
    let cpu_seconds = process.cpu_seconds() - cpu;
    let seconds = from.elapsed().as_secs_f64();
    let after = ours::page(&mut client).await;
    let delta = |family: &str| sum(&after.text, family) - sum(&before, family);

    let scrape_cpu = process.cpu_seconds();
    let mut took = Vec::new();
    for _ in 0..SCRAPES {
        took.push(ours::page(&mut client).await.took);
        sleep(Duration::from_millis(50)).await;
    }
    took.sort_unstable();
    let idle = cpu_seconds / seconds * (f64::from(SCRAPES) * 0.05 + took.iter().sum::<Duration>().as_secs_f64());
    let scrape_cpu_seconds = (process.cpu_seconds() - scrape_cpu - idle) / f64::from(SCRAPES);

    // One target gone, one new: every other probe goes on as it was.
    std::fs::write(&path, config.replacen("http://127.0.1.1:", "http://127.0.254.1:", 1)).unwrap();
    let missed = |page: &str| sum(page, "sla_exporter_probe_runs_missed_total");
    let missed_before = missed(&ours::page(&mut client).await.text);
    let asked = Instant::now();
    client.ask("POST", "/-/reload").await.expect("the reload succeeds");
    let reload = asked.elapsed();
    let last = ours::page(&mut client).await;

    Many {
        start_to_ready,
        runs: delta("probe_runs_total"),
        seconds,
        failed: delta("probe_failures_total"),
        missed: delta("sla_exporter_probe_runs_missed_total"),
        cpu_seconds,
        lag_p99: lag_p99(&before, &after.text),
        memory: process.memory("VmRSS"),
        memory_peak: process.memory("VmHWM"),
        memory_own: process.memory("RssAnon"),
        page_bytes: after.text.len(),
        page_bytes_compressed: after.wire_bytes,
        scrape_median: took[took.len() / 2],
        scrape_p99: took[took.len() * 99 / 100],
        scrape_cpu_seconds,
        reload,
        runs_missed_by_reload: missed(&last.text) - missed_before,
    }
}

/// The upper bound of the bucket that holds the 99th of 100.
fn lag_p99(before: &str, after: &str) -> f64 {
    const FAMILY: &str = "sla_exporter_scheduler_lag_seconds";
    let count = sum(after, &format!("{FAMILY}_count")) - sum(before, &format!("{FAMILY}_count"));
    let buckets = |page: &str| -> Vec<(f64, f64)> {
        let of = |line: &str| {
            let rest = line.strip_prefix(FAMILY)?.strip_prefix("_bucket{le=\"")?;
            let (bound, rest) = rest.split_once("\"}")?;
            Some((bound.parse().ok()?, rest.trim().parse().ok()?))
        };
        page.lines().filter_map(of).collect()
    };
    let (old, new) = (buckets(before), buckets(after));
    let reached = new.iter().zip(&old).find(|(now, then)| now.1 - then.1 >= 0.99 * count);
    reached.map_or(f64::INFINITY, |(now, _)| now.0)
}
