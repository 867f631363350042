//! Runs every target at its own interval, on the monotonic clock, in one task for all of them.
//!
//! One heap of due times and a coarse tick: no timer per target. Each run is a task of its own, so a
//! hanging probe never delays another; a target has at most one run under way. Not for: what a run
//! does (`probe`), what is shown of it (`app`).

mod lanes;
mod plan;
mod target;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashSet};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::lanes::Lanes;
use self::plan::Plan;
pub use self::plan::TICK;
use self::target::Previous;
pub use self::target::{State, Target, probe_labels};
use crate::config::TargetSpec;
use crate::probe::{self, Failure, Reason, Run, Shared};
use crate::selfmetrics::SelfMetrics;

/// Names a new set of targets to a running scheduler.
#[derive(Clone, Debug)]
pub struct Handle {
    sets: mpsc::UnboundedSender<Vec<Arc<Target>>>,
}

impl Handle {
    /// Replaces the targets. Those that were there before (the same `Arc`) keep their schedule undisturbed.
    pub fn replace(&self, targets: Vec<Arc<Target>>) {
        // Without a receiver the scheduler has ended, and with it the process.
        let _ = self.sets.send(targets);
    }
}

/// What carries out a run: the probers, or a stand-in where scheduling itself is tested.
pub trait Runner: Send + Sync + 'static {
    /// One run of `spec`, all its attempts together.
    fn run(&self, spec: &TargetSpec) -> impl Future<Output = Run> + Send;
}

impl Runner for Shared {
    async fn run(&self, spec: &TargetSpec) -> Run {
        probe::run(&spec.module, &spec.target, spec.budget(), self).await
    }
}

/// The scheduler before it runs.
#[derive(Debug)]
pub struct Scheduler<R = Shared> {
    runner: Arc<R>,
    metrics: Arc<SelfMetrics>,
    lanes: Arc<Lanes>,
    sets: mpsc::UnboundedReceiver<Vec<Arc<Target>>>,
    queue: BinaryHeap<Reverse<Entry>>,
    runs: TaskTracker,
}

/// A target in the queue; ordered by due time alone.
#[derive(Debug)]
struct Entry {
    due: Instant,
    added: Instant,
    number: u32,
    plan: Plan,
    target: Arc<Target>,
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.due == other.due
    }
}

impl Eq for Entry {}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.due.cmp(&other.due)
    }
}

impl<R: Runner> Scheduler<R> {
    /// A scheduler with at most `places` runs under way at once.
    #[must_use]
    pub fn new(runner: Arc<R>, metrics: Arc<SelfMetrics>, places: usize) -> (Self, Handle) {
        let (sender, sets) = mpsc::unbounded_channel();
        let lanes = Arc::new(Lanes::new(places));
        let queue = BinaryHeap::new();
        (Self { runner, metrics, lanes, sets, queue, runs: TaskTracker::new() }, Handle { sets: sender })
    }

    /// Runs until `shutdown`; runs under way are then dropped, not waited for.
    pub async fn run(mut self, shutdown: CancellationToken) {
        // Ticks lie on one grid for all targets, so that those of one tick are due at the same instant.
        let start = Instant::now();
        loop {
            let wake = self.queue.peek().map(|Reverse(entry)| entry.due);
            tokio::select! {
                () = shutdown.cancelled() => break,
                set = self.sets.recv() => match set {
                    Some(targets) => self.replace(targets, start),
                    None => break,
                },
                () = sleep_until(wake) => self.tick(&shutdown),
            }
        }
        self.runs.close();
        self.runs.wait().await;
    }

    /// Drops targets that are gone, adds new ones, leaves the others alone.
    fn replace(&mut self, targets: Vec<Arc<Target>>, start: Instant) {
        let wanted: HashSet<*const Target> = targets.iter().map(Arc::as_ptr).collect();
        let mut kept = HashSet::with_capacity(wanted.len());
        self.queue.retain(|Reverse(entry)| {
            let keep = wanted.contains(&Arc::as_ptr(&entry.target));
            if keep {
                kept.insert(Arc::as_ptr(&entry.target));
            }
            keep
        });
        let added = on_grid(start, Instant::now());
        for target in targets {
            if kept.contains(&Arc::as_ptr(&target)) {
                continue;
            }
            let spec = &target.spec;
            let plan = Plan::new(&[&spec.probe, &spec.target], spec.interval);
            self.queue.push(Reverse(Entry { due: added + plan.due(0), added, number: 0, plan, target }));
        }
    }

    /// Starts everything that is due.
    fn tick(&mut self, shutdown: &CancellationToken) {
        let now = Instant::now();
        while self.queue.peek().is_some_and(|Reverse(entry)| entry.due <= now) {
            let Some(Reverse(mut entry)) = self.queue.pop() else { break };
            self.start(&entry, now, shutdown);
            let next = entry.plan.next_after(entry.number, now - entry.added);
            // Runs whose time passed while the process slept or was starved are lost, and said to be.
            self.metrics.runs_missed.inc_by(u64::from(next - entry.number - 1));
            entry.number = next;
            entry.due = entry.added + entry.plan.due(next);
            self.queue.push(Reverse(entry));
        }
    }

    fn start(&self, entry: &Entry, now: Instant, shutdown: &CancellationToken) {
        self.metrics.scheduler_lag.observe(now.saturating_duration_since(entry.due).as_secs_f64());
        let target = Arc::clone(&entry.target);
        if !target.begin() {
            self.metrics.runs_missed.inc();
            return;
        }
        let (runner, lanes, metrics) = (Arc::clone(&self.runner), Arc::clone(&self.lanes), Arc::clone(&self.metrics));
        let shutdown = shutdown.clone();
        self.runs.spawn(async move {
            tokio::select! {
                biased;
                () = shutdown.cancelled() => {}
                () = run_target(&target, &*runner, &lanes, &metrics) => {}
            }
        });
    }
}

async fn run_target(target: &Target, runner: &impl Runner, lanes: &Lanes, metrics: &SelfMetrics) {
    let slow = target.state().slow;
    let place = lanes.enter(slow).await;
    metrics.probes_in_flight.inc();
    let run = AssertUnwindSafe(runner.run(&target.spec))
        // A prober's bug fails its own run and nothing else.
        .catch_unwind()
        .await;
    metrics.probes_in_flight.dec();
    drop(place);
    let run = run.unwrap_or_else(|_| Run {
        samples: Box::new([probe::Sample { metric: probe::Metric::Success, extra: probe::Extra::None, value: 0.0 }]),
        failure: Some(Failure::new(Reason::Internal, "the prober panicked: please report this with the log around it")),
        duration: Duration::ZERO,
        latency: None,
        echoes: probe::Echoes::default(),
    });
    let failure = run.failure.clone();
    let duration = run.duration;
    let before = target.complete(run, Instant::now());
    log_change(target, &before, failure.as_ref(), duration);
}

/// One line per change of state, not per run; a failure that changes its reason is a change.
fn log_change(target: &Target, before: &Previous, failure: Option<&Failure>, duration: Duration) {
    let spec = &target.spec;
    let (probe, module, seconds) = (&spec.probe, &spec.module.name, duration.as_secs_f64());
    let target = &spec.target;
    match (before, failure) {
        (Previous::Failure(old), Some(new)) if old.reason == new.reason => {}
        (_, Some(new)) => {
            tracing::warn!(%probe, %target, %module, reason = %new.reason, detail = %new.detail, seconds, "probe fails");
        }
        (Previous::Failure(old), None) => {
            tracing::info!(%probe, %target, %module, before = %old.reason, seconds, "probe succeeds again");
        }
        (Previous::None, None) => tracing::debug!(%probe, %target, %module, seconds, "probe succeeds"),
        (Previous::Success, None) => {}
    }
}

async fn sleep_until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}

/// The last grid point at or before `now`.
fn on_grid(start: Instant, now: Instant) -> Instant {
    let passed = now.saturating_duration_since(start).as_nanos();
    let ticks = passed / TICK.as_nanos();
    start + Duration::from_nanos(u64::try_from(ticks * TICK.as_nanos()).unwrap_or(0))
}

#[cfg(test)]
mod tests;
