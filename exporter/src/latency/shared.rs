//! Which histogram a target counts in: that of its probe, the one of before a reload where labels and bounds are the same.

use std::collections::HashMap;
use std::sync::Arc;

use super::Latency;
use crate::config::{Config, TargetSpec};
use crate::schedule::Target;

/// The histograms there are, by probe.
#[derive(Debug, Default)]
pub struct Latencies {
    by_probe: HashMap<String, Arc<Latency>>,
}

impl Latencies {
    /// Those that `targets` count in.
    #[must_use]
    pub fn of(targets: &[Arc<Target>]) -> Self {
        let by_probe = targets.iter().map(|target| (target.spec.probe.clone(), Arc::clone(&target.latency))).collect();
        Self { by_probe }
    }

    /// The one for `spec`: what was counted stays, unless it was about something else.
    pub fn get(&mut self, config: &Config, spec: &TargetSpec) -> Arc<Latency> {
        match self.by_probe.get(&spec.probe) {
            Some(latency) if latency.is_of(config, spec) => Arc::clone(latency),
            _ => {
                let latency = Arc::new(Latency::new(config, spec));
                self.by_probe.insert(spec.probe.clone(), Arc::clone(&latency));
                latency
            }
        }
    }
}

/// Each histogram that `targets` count in, once, in their order. The targets of a probe stand together.
#[must_use]
pub fn latencies_in_use(targets: &[Arc<Target>]) -> Vec<Arc<Latency>> {
    let mut latencies: Vec<Arc<Latency>> = targets.iter().map(|target| Arc::clone(&target.latency)).collect();
    latencies.dedup_by(|one, other| Arc::ptr_eq(one, other));
    latencies
}
