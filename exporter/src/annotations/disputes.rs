//! Who undoes what we did: another exporter with another ledger, or a person. Twice it is done again at once; after
//! that ever more rarely, so that two who disagree do not keep Grafana busy.
//!
//! Kept in memory only: a restart forgets it, which costs a few requests.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use super::{Change, Region};

/// From the how manieth time on there is a pause.
const FREE: u32 = 2;
/// The first pause, in seconds, doubled each time.
const PAUSE: i64 = 600;
/// The longest pause; what nobody undid for as long is no dispute any more.
const DAY: i64 = 86_400;

/// What was done to each region, and how often somebody undid it.
#[derive(Debug, Default)]
pub struct Disputes(BTreeMap<String, Done>);

#[derive(Debug)]
struct Done {
    /// What the region is to be: a hash of it; absent: gone.
    goal: Option<u64>,
    at: i64,
    undone: u32,
    not_before: i64,
}

impl Disputes {
    /// Whether `change` may be made at `now`. Not while a pause lasts that began when the same was undone before.
    #[must_use]
    pub fn allow(&self, change: &Change<'_>, now: i64) -> bool {
        let Some(goal) = goal(change) else { return true };
        self.0.get(change.key()).is_none_or(|done| done.goal != goal || !(done.at..done.not_before).contains(&now))
    }

    /// `change` was made at `now`.
    pub fn made(&mut self, change: &Change<'_>, now: i64) {
        let Some(goal) = goal(change) else { return };
        let again = self.0.get(change.key()).filter(|done| done.goal == goal && now - done.at < 2 * DAY);
        let undone = again.map_or(0, |done| done.undone.saturating_add(1));
        let pause = match undone {
            0..FREE => 0,
            times => PAUSE.saturating_mul(1 << (times - FREE).min(20)).min(DAY),
        };
        self.0.insert(change.key().to_owned(), Done { goal, at: now, undone, not_before: now.saturating_add(pause) });
    }

    /// Forgets what is neither wanted nor recent.
    pub fn forget(&mut self, wanted: &[Region], now: i64) {
        if self.0.len() > 2 * wanted.len() + 1000 || self.0.values().any(|done| (now - done.at).abs() > 2 * DAY) {
            self.0.retain(|_, done| (now - done.at).abs() <= 2 * DAY);
        }
    }
}

/// What a change wants, where it can be disputed: one of two annotations for the same region goes in any case.
fn goal(change: &Change<'_>) -> Option<Option<u64>> {
    match change {
        Change::Create(region) | Change::Update { region, .. } => {
            let mut hasher = DefaultHasher::new();
            region.hash(&mut hasher);
            Some(Some(hasher.finish()))
        }
        Change::Delete { twice: true, .. } => None,
        Change::Delete { twice: false, .. } => Some(None),
    }
}
