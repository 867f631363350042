//! A target at work: its settings, its labels, and what its last completed run found.
//!
//! One short lock per target and scrape, none per sample. Not for: deciding when to run.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::config::{Config, TargetSpec};
use crate::exposition::escape_label;
use crate::probe::{Failure, Reason, Run};

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
    /// A run is under way.
    pub in_flight: bool,
    /// The last run took so long that the next one is expected to hang too.
    pub slow: bool,
}

impl Target {
    /// A target without results.
    #[must_use]
    pub fn new(config: &Config, spec: Arc<TargetSpec>) -> Self {
        Self { labels: labels(config, &spec), spec, state: Mutex::default() }
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
        let mut state = self.state();
        state.in_flight = false;
        state.slow = slow;
        state.runs += 1;
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
    let mut put = |name: &str, value: &str| {
        let comma = if text.is_empty() { "" } else { "," };
        let _ = write!(text, "{comma}{name}=\"{}\"", escape_label(value));
    };
    put("contract", &config.contract.name);
    put("site", &config.site);
    put("probe", &spec.probe);
    put("module", &spec.module.name);
    put("target", &spec.target);
    if let Some(evidence) = &spec.evidence {
        put("function", &evidence.function);
        put("capability", &evidence.capability);
    }
    if let Some(host) = &spec.host {
        put("host", host);
    }
    if spec.reference {
        put("reference", "true");
    }
    text.into()
}
