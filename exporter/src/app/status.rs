//! A target's state in words, for the landing page.

use std::time::Duration;

use tokio::time::Instant;

use crate::config::Evidence;
use crate::schedule::Target;

/// What is known of a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Health {
    /// The last run failed.
    Down,
    /// No run completed lately: neither up nor down.
    Unknown,
    /// The last run succeeded.
    Up,
}

/// One target as it stands.
#[derive(Clone, Debug)]
pub struct TargetStatus {
    /// The probe's name.
    pub probe: String,
    /// What is probed.
    pub target: String,
    /// The module's name.
    pub module: String,
    /// What it counts for.
    pub evidence: Option<Evidence>,
    /// Up, down or unknown.
    pub health: Health,
    /// Duration of the last completed run.
    pub duration: Option<Duration>,
    /// Time since it completed.
    pub age: Option<Duration>,
    /// Why it failed: `reason: detail`, no secrets.
    pub failure: Option<String>,
}

impl Health {
    pub(super) fn of(target: &Target, now: Instant) -> Self {
        match &target.state().last {
            Some((run, at)) if target.is_fresh(*at, now) => {
                if run.failure.is_some() {
                    Self::Down
                } else {
                    Self::Up
                }
            }
            _ => Self::Unknown,
        }
    }
}

impl TargetStatus {
    pub(super) fn of(target: &Target, now: Instant) -> Self {
        let last = target.state().last.clone();
        let fresh = last.as_ref().filter(|(_, at)| target.is_fresh(*at, now));
        Self {
            probe: target.spec.probe.clone(),
            target: target.spec.target.clone(),
            module: target.spec.module.name.clone(),
            evidence: target.spec.evidence.clone(),
            health: match fresh {
                None => Health::Unknown,
                Some((run, _)) if run.failure.is_some() => Health::Down,
                Some(_) => Health::Up,
            },
            duration: fresh.map(|(run, _)| run.duration),
            age: last.as_ref().map(|(_, at)| now.saturating_duration_since(*at)),
            failure: fresh.and_then(|(run, _)| run.failure.as_ref().map(ToString::to_string)),
        }
    }
}
