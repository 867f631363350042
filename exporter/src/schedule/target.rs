//! A target at work: its settings, its labels, and what its last completed run found.
//!
//! One short lock per target and scrape, none per sample. Not for: deciding when to run.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::config::{Config, TargetSpec};
use crate::exposition::escape_label;
use crate::latency::Latency;
use crate::probe::{Echoes, Failure, Reason, Run};

/// Results older than this many intervals are unknown …
const FRESH_INTERVALS: u32 = 3;
/// … but not before this time, which the contract allows between two checks (C2.1).
const FRESH_AT_LEAST: Duration = Duration::from_secs(300);

/// One target of one probe.
#[derive(Debug)]
pub struct Target {
    /// What to run.
    pub spec: Arc<TargetSpec>,
    /// The labels of all its series, escaped: `contract="…",site="…",probe="…",module="…",target="…"…`.
    pub labels: Box<str>,
    /// How long runs take, shared by all targets of the probe.
    pub latency: Arc<Latency>,
    state: Mutex<State>,
}

/// What is known of a target.
#[derive(Clone, Debug, Default)]
pub struct State {
    /// The last completed run and when it completed.
    pub last: Option<(Arc<Run>, Instant)>,
    /// Completed runs.
    pub runs: u64,
    /// Failed runs by reason, in the order of [`Reason::ALL`].
    pub failures: [u64; Reason::ALL.len()],
    /// Echo requests, where pings are sent.
    pub echoes: Echoes,
    /// A run is under way.
    pub in_flight: bool,
    /// The last run took so long that the next one is expected to hang too.
    pub slow: bool,
}

impl Target {
    /// A target without results.
    #[must_use]
    pub fn new(config: &Config, spec: Arc<TargetSpec>, latency: Arc<Latency>) -> Self {
        Self { labels: labels(config, &spec), spec, latency, state: Mutex::default() }
    }

    /// The state, locked. A panic elsewhere while it was held does not spoil it: each change is complete in itself.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Claims the target for a run; `false` while another one is under way.
    pub(super) fn begin(&self) -> bool {
        !std::mem::replace(&mut self.state().in_flight, true)
    }

    /// Takes in a completed run; returns the failure before it, for the log.
    pub(super) fn complete(&self, run: Run, at: Instant) -> Previous {
        let slow = run.duration * 2 >= self.spec.timeout;
        if let Some(latency) = run.latency {
            self.latency.observe(latency.as_secs_f64());
        }
        let mut state = self.state();
        state.in_flight = false;
        state.slow = slow;
        state.runs += 1;
        state.echoes += run.echoes;
        if let Some(failure) = &run.failure
            && let Some(count) = state.failures.get_mut(failure.reason as usize)
        {
            *count += 1;
        }
        match state.last.replace((Arc::new(run), at)) {
            None => Previous::None,
            Some((run, _)) => run.failure.clone().map_or(Previous::Success, Previous::Failure),
        }
    }

    /// Whether a result of `at` still says something about `now`.
    #[must_use]
    pub fn is_fresh(&self, at: Instant, now: Instant) -> bool {
        now.saturating_duration_since(at) <= (self.spec.interval * FRESH_INTERVALS).max(FRESH_AT_LEAST)
    }
}

/// The outcome of the run before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Previous {
    None,
    Success,
    Failure(Failure),
}

fn labels(config: &Config, spec: &TargetSpec) -> Box<str> {
    let mut text = String::with_capacity(160);
    put(&mut text, "contract", &config.contract.name);
    put(&mut text, "site", &config.site);
    put(&mut text, "probe", &spec.probe);
    put(&mut text, "module", &spec.module.name);
    put(&mut text, "target", &spec.target);
    put_evidence(&mut text, spec);
    if let Some(host) = &spec.host {
        put(&mut text, "host", host);
    }
    if spec.reference {
        put(&mut text, "reference", "true");
    }
    text.into()
}

/// The labels of series about a whole probe, escaped: those of its targets without what differs between them.
#[must_use]
pub fn probe_labels(config: &Config, spec: &TargetSpec) -> Box<str> {
    let mut text = String::with_capacity(120);
    put(&mut text, "contract", &config.contract.name);
    put(&mut text, "site", &config.site);
    put(&mut text, "probe", &spec.probe);
    put(&mut text, "module", &spec.module.name);
    put_evidence(&mut text, spec);
    text.into()
}

fn put_evidence(text: &mut String, spec: &TargetSpec) {
    if let Some(evidence) = &spec.evidence {
        put(text, "function", &evidence.function);
        put(text, "capability", &evidence.capability);
    }
}

fn put(text: &mut String, name: &str, value: &str) {
    let comma = if text.is_empty() { "" } else { "," };
    let _ = write!(text, "{comma}{name}=\"{}\"", escape_label(value));
}
