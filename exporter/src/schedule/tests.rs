//! Scheduling under a paused clock: a stand-in for the probers sleeps instead of using sockets.

use std::collections::HashMap;
use std::sync::Mutex;

use super::*;
use crate::config::{Collectors, Config};
use crate::contract::{Contract, MaintenanceTerms, Text};
use crate::probe::{Module, Prober};

const SECOND: Duration = Duration::from_secs(1);

/// Sleeps as long as the target's name says (`sleep-7`), fails where it says so, and remembers when each run began.
#[derive(Default)]
struct Sleeper {
    starts: Mutex<HashMap<String, Vec<Instant>>>,
}

impl Runner for Sleeper {
    async fn run(&self, spec: &TargetSpec) -> Run {
        self.starts.lock().unwrap().entry(spec.target.clone()).or_default().push(Instant::now());
        assert!(!spec.target.contains("panic"), "as asked");
        let seconds = spec.target.rsplit('-').next().and_then(|n| n.parse().ok()).unwrap_or(0);
        tokio::time::sleep(SECOND * seconds).await;
        let failure = spec.target.contains("fail").then(|| Failure::new(Reason::Timeout, "as asked"));
        let duration = SECOND * seconds;
        let latency = failure.is_none().then_some(duration);
        Run { samples: Box::default(), failure, duration, latency, echoes: probe::Echoes::default() }
    }
}

fn config() -> Config {
    Config {
        site: "s".into(),
        contract: Contract {
            name: "c".into(),
            title: Text::default(),
            timezone: jiff::tz::TimeZone::UTC,
            timezone_name: "UTC".into(),
            start: None,
            maintenance: MaintenanceTerms { notice: Duration::ZERO, slot: None },
            functions: Vec::new(),
            upstreams: Vec::new(),
            connectivity: Vec::new(),
            duties: Vec::new(),
        },
        targets: Vec::new(),
        modules: Vec::new(),
        replaces_blackbox: false,
        unusable_modules: Vec::new(),
        roles: Vec::new(),
        hosts: Vec::new(),
        collectors: Collectors::default(),
        restore_drills: None,
        backups: Vec::new(),
        certificates: Vec::new(),
        support: None,
        updates: None,
        ledger: Arc::default(),
        ledger_path: None,
        alertmanager: None,
        logins: None,
        grafana: None,
        files: Vec::new(),
    }
}

fn target(name: &str, interval: Duration) -> Arc<Target> {
    let doc = crate::config::diagnostics::Document::new(std::path::Path::new("test.yml"));
    let node = crate::config::node::parse("prober: icmp\ntimeout: 10s").unwrap();
    let module = probe::decode_module("m", &crate::config::decode::Cursor::root(&doc, &node)).unwrap();
    assert!(matches!(module, Module { prober: Prober::Icmp(_), .. }));
    let spec = TargetSpec {
        probe: "p".into(),
        target: name.into(),
        module: Arc::new(module),
        interval,
        attempts: 1,
        timeout: SECOND * 10,
        evidence: None,
        host: None,
        reference: false,
        latency_buckets: Arc::from([1.0]),
        fingerprint: 0,
    };
    let config = config();
    let latency = Arc::new(crate::latency::Latency::new(&config, &spec));
    Arc::new(Target::new(&config, Arc::new(spec), latency))
}

struct Fixture {
    sleeper: Arc<Sleeper>,
    metrics: Arc<SelfMetrics>,
    handle: Handle,
    shutdown: CancellationToken,
    task: tokio::task::JoinHandle<()>,
}

impl Fixture {
    fn start(places: usize) -> Self {
        let (sleeper, metrics) = (Arc::new(Sleeper::default()), Arc::new(SelfMetrics::new()));
        let (scheduler, handle) = Scheduler::new(Arc::clone(&sleeper), Arc::clone(&metrics), places);
        let shutdown = CancellationToken::new();
        let task = tokio::spawn(scheduler.run(shutdown.clone()));
        Self { sleeper, metrics, handle, shutdown, task }
    }

    fn starts(&self, name: &str) -> Vec<Instant> {
        self.sleeper.starts.lock().unwrap().get(name).cloned().unwrap_or_default()
    }
}

#[tokio::test(start_paused = true)]
async fn a_target_runs_once_per_interval() {
    let fixture = Fixture::start(10);
    let a = target("a", SECOND * 15);
    fixture.handle.replace(vec![Arc::clone(&a)]);
    tokio::time::sleep(SECOND * 150).await;
    let starts = fixture.starts("a");
    assert_eq!(starts.len(), 10);
    for pair in starts.windows(2) {
        let gap = pair[1] - pair[0];
        assert!(gap.abs_diff(SECOND * 15) <= TICK + Duration::from_millis(1), "{gap:?}");
    }
    assert_eq!(a.state().runs, 10);
    assert_eq!(fixture.metrics.runs_missed.get(), 0);
}

#[tokio::test(start_paused = true)]
async fn first_runs_come_within_the_interval_and_within_30_s() {
    let fixture = Fixture::start(1000);
    let targets: Vec<_> =
        (0..200).map(|i| target(&format!("t{i}"), SECOND * if i % 2 == 0 { 5 } else { 300 })).collect();
    fixture.handle.replace(targets.clone());
    tokio::time::sleep(SECOND * 5 + TICK).await;
    assert!(targets.iter().step_by(2).all(|t| t.state().runs == 1), "a 5 s probe has not run");
    tokio::time::sleep(SECOND * 25).await;
    assert!(targets.iter().all(|t| t.state().runs >= 1), "a 5 min probe has not run within 30 s");
}

#[tokio::test(start_paused = true)]
async fn a_run_longer_than_its_interval_misses_runs_and_delays_nobody() {
    let fixture = Fixture::start(10);
    fixture.handle.replace(vec![target("hangs-25", SECOND * 10), target("a", SECOND * 10)]);
    tokio::time::sleep(SECOND * 100).await;
    assert_eq!(fixture.starts("a").len(), 10);
    assert!(fixture.metrics.runs_missed.get() >= 5, "{}", fixture.metrics.runs_missed.get());
}

#[tokio::test(start_paused = true)]
async fn hanging_targets_do_not_take_the_places_of_healthy_ones() {
    let fixture = Fixture::start(4);
    let mut targets: Vec<_> = (0..20).map(|i| target(&format!("fail{i}-9"), SECOND * 10)).collect();
    let healthy = target("healthy", SECOND * 10);
    targets.push(Arc::clone(&healthy));
    fixture.handle.replace(targets);
    tokio::time::sleep(SECOND * 300).await;
    let before = healthy.state().runs;
    tokio::time::sleep(SECOND * 100).await;
    // Once the hanging ones are known as slow, the healthy one runs at its own pace.
    assert_eq!(healthy.state().runs - before, 10);
}

#[tokio::test(start_paused = true)]
async fn a_reload_leaves_unchanged_targets_on_their_beat() {
    let fixture = Fixture::start(10);
    let (kept, gone) = (target("kept", SECOND * 10), target("gone", SECOND * 10));
    fixture.handle.replace(vec![Arc::clone(&kept), gone]);
    tokio::time::sleep(SECOND * 35).await;
    let first = fixture.starts("kept")[0];
    fixture.handle.replace(vec![Arc::clone(&kept), target("new", SECOND * 10)]);
    tokio::time::sleep(SECOND * 35).await;
    let starts = fixture.starts("kept");
    assert_eq!(starts.len(), 7);
    assert!((starts[6] - first).abs_diff(SECOND * 60) <= TICK + Duration::from_millis(1));
    assert!(fixture.starts("gone").len() <= 4 && fixture.starts("new").len() >= 3);
}

#[tokio::test(start_paused = true)]
async fn a_prober_that_panics_fails_its_own_run_only() {
    let fixture = Fixture::start(10);
    let (bad, good) = (target("panic", SECOND * 10), target("a", SECOND * 10));
    fixture.handle.replace(vec![Arc::clone(&bad), Arc::clone(&good)]);
    tokio::time::sleep(SECOND * 30).await;
    assert_eq!(good.state().runs, 3);
    let last = bad.state().last.clone();
    let failure = last.and_then(|(run, _)| run.failure.clone());
    assert_eq!(failure.map(|f| f.reason), Some(Reason::Internal));
    assert_eq!(bad.state().runs, 3, "it goes on being run");
    assert_eq!(fixture.metrics.probes_in_flight.get(), 0);
}

#[tokio::test(start_paused = true)]
async fn shutdown_does_not_wait_for_hanging_runs() {
    let fixture = Fixture::start(10);
    fixture.handle.replace(vec![target("hangs-1000", SECOND * 10)]);
    tokio::time::sleep(SECOND * 30).await;
    fixture.shutdown.cancel();
    tokio::time::timeout(SECOND, fixture.task).await.expect("ended within a second").unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_result_is_known_for_three_intervals_and_at_least_five_minutes() {
    let at = Instant::now();
    for (interval, fresh) in [(15, 300), (60, 300), (100, 300), (101, 303), (300, 900)] {
        let target = target("a", SECOND * interval);
        assert!(target.is_fresh(at, at + SECOND * fresh), "{interval} s");
        assert!(!target.is_fresh(at, at + SECOND * fresh + Duration::from_millis(1)), "{interval} s");
    }
}
