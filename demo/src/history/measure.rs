//! What the probes saw of a story, slot by slot, by the steps of recording-rules/slots.yml.
//!
//! Nothing changes but at the edges of what failed, so there is one state per stretch between two of them, and all its slots
//! have it. `None` is unmeasured: no sample.

use super::probes::{CAPABILITIES, Watch};
use super::story::Story;
use super::{FUNCTIONS, SLOT};

/// All stretches, in order, without a hole.
#[derive(Debug)]
pub(super) struct Measured(Vec<Stretch>);

/// From one edge to the next.
#[derive(Debug)]
pub(super) struct Stretch {
    /// Its slots lie after this moment …
    pub(super) start: i64,
    /// … and up to this one.
    pub(super) end: i64,
    /// Why each of [`Watch::ALL`] failed, where it did; `None`: nothing was recorded.
    pub(super) failing: Option<[Option<&'static str>; Watch::ALL.len()]>,
    /// Whether the site was connected.
    pub(super) connected: Option<bool>,
    /// `sla:probe_up:5m` of each of [`Watch::ALL`] that is evidence.
    pub(super) probes: [Option<bool>; Watch::ALL.len()],
    /// Of each of [`CAPABILITIES`].
    pub(super) capabilities: [Option<Evidence>; CAPABILITIES.len()],
    /// `sla:function_up:5m`.
    pub(super) functions: [Option<bool>; FUNCTIONS.len()],
}

/// What was measured of a capability.
#[derive(Clone, Copy, Debug)]
pub(super) struct Evidence {
    pub(super) up: usize,
    pub(super) measured: usize,
    pub(super) expected: usize,
}

impl Measured {
    /// What was measured from `start` to `now`.
    pub(super) fn of(story: &Story, start: i64, now: i64) -> Self {
        let faults = story.faults.iter().flat_map(|fault| [fault.start, fault.end]);
        let silences = story.silences.iter().flat_map(|(start, end)| [*start, *end]);
        let mut edges: Vec<i64> = faults.chain(silences).filter(|edge| start < *edge && *edge < now).collect();
        edges.extend([start, now]);
        edges.sort_unstable();
        edges.dedup();
        let pairs = edges.iter().zip(edges.iter().skip(1));
        Self(pairs.map(|(start, end)| Stretch::of(story, *start, *end)).collect())
    }

    pub(super) fn stretches(&self) -> &[Stretch] {
        &self.0
    }

    /// `sla:function_up:5m` of a function's slots from `start` to `end`, one after another.
    pub(super) fn slots(&self, function: usize, start: i64, end: i64) -> Vec<Option<bool>> {
        let mut slots = Vec::new();
        for stretch in self.0.iter().filter(|stretch| stretch.end > start && stretch.start < end) {
            let count = (stretch.end.min(end) - stretch.start.max(start)) / SLOT;
            let state = stretch.functions.get(function).copied().flatten();
            slots.extend((0..count).map(|_| state));
        }
        slots
    }
}

impl Stretch {
    fn of(story: &Story, start: i64, end: i64) -> Self {
        let covers = |from: i64, to: i64| from <= start && end <= to;
        let silent = story.silences.iter().any(|(from, to)| covers(*from, *to));
        let failing = (!silent).then(|| {
            Watch::ALL.map(|watch| {
                let fault = story.faults.iter().find(|f| covers(f.start, f.end) && f.what.contains(&watch));
                fault.map(|fault| fault.reason)
            })
        });
        let fails = |watch: Watch| failing.map(|all| all.get(watch as usize).copied().flatten().is_some());
        let references = [Watch::ReferenceA, Watch::ReferenceB];
        let connected = failing.map(|_| !references.iter().all(|reference| fails(*reference) == Some(true)));
        let probes = Watch::ALL.map(|watch| match (watch.capability(), connected) {
            (Some(_), Some(true)) => fails(watch).map(|fails| !fails),
            _ => None,
        });
        let capabilities = CAPABILITIES.map(|capability| {
            let seen = || capability.evidence.iter().filter_map(|watch| probes.get(*watch as usize).copied().flatten());
            let (up, measured) = (seen().filter(|up| *up).count(), seen().count());
            (connected == Some(true)).then_some(Evidence { up, measured, expected: capability.evidence.len() })
        });
        let functions = [0, 1].map(|function| {
            let own = || CAPABILITIES.iter().zip(capabilities).filter(move |(c, _)| c.function == function);
            let states: Vec<Option<bool>> = own().map(|(c, evidence)| evidence?.state(c.quorum)).collect();
            if states.contains(&Some(false)) {
                Some(false)
            } else {
                states.iter().all(|state| *state == Some(true)).then_some(true)
            }
        });
        Self { start, end, failing, connected, probes, capabilities, functions }
    }
}

impl Evidence {
    /// `sla:capability_up:5m`.
    pub(super) fn state(self, quorum: usize) -> Option<bool> {
        if self.up >= quorum {
            Some(true)
        } else {
            (self.up + self.expected.saturating_sub(self.measured) < quorum).then_some(false)
        }
    }
}
