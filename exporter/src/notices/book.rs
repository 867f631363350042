//! Which events were told: kept over restarts, so that each is told once.
//!
//! An event that fell due long before anybody could tell it is not told any more: an incident written up weeks later is
//! history, not news. Pure, but for the shape in which it is stored.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Event, Happening};

/// Events older than this when they are first seen are history: 24 hours, in seconds.
pub const NEWS: i64 = 86_400;
/// For how long an accepted event is posted again, in seconds: an Alertmanager that restarts before it mailed has forgotten it.
pub const INSIST: i64 = 600;

/// What became of one event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// When it was first accepted by every Alertmanager, or passed over.
    pub at: Timestamp,
    /// Passed over as history: customers were not told.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub passed_over: bool,
}

/// Everything told about one contract, by [`Event::key`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Book {
    told: BTreeMap<String, Told>,
    /// Something was stored once: what is found at the very first start is all history.
    #[serde(default)]
    begun: bool,
}

/// What to do about an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Todo {
    /// Nothing.
    Nothing,
    /// Note that it is history, and tell nobody.
    PassOver,
    /// Post it: for the first time, or again.
    Post,
}

impl Book {
    /// What is to be done about `event` at `now`.
    #[must_use]
    pub fn todo(&self, event: &Event<'_>, now: i64) -> Todo {
        match self.told.get(&event.key()) {
            Some(told) if told.passed_over || told.at.as_second() + INSIST <= now => Todo::Nothing,
            Some(_) => Todo::Post,
            None if !self.begun || event.at + NEWS <= now => Todo::PassOver,
            // Back already, and said so: what fails afterwards is an incident of its own.
            None if event.happening == Happening::Overrun && self.has(event, Happening::Finished) => Todo::PassOver,
            None => Todo::Post,
        }
    }

    /// Whether it was told, or passed over.
    #[must_use]
    pub fn is_told(&self, event: &Event<'_>) -> bool {
        self.told.contains_key(&event.key())
    }

    fn has(&self, event: &Event<'_>, other: Happening) -> bool {
        self.told.contains_key(&Event { happening: other, ..*event }.key())
    }

    /// `event` was accepted by every Alertmanager. Returns whether that is new.
    pub fn accepted(&mut self, event: &Event<'_>, now: i64) -> bool {
        self.note(event, now, false)
    }

    /// `event` is history.
    pub fn pass_over(&mut self, event: &Event<'_>, now: i64) {
        self.note(event, now, true);
    }

    fn note(&mut self, event: &Event<'_>, now: i64, passed_over: bool) -> bool {
        let mut new = false;
        self.told.entry(event.key()).or_insert_with(|| {
            new = true;
            Told { at: Timestamp::from_second(now).unwrap_or_default(), passed_over }
        });
        new
    }

    /// The ledger was looked at for the first time; what comes up from now on is news. Returns whether that is new.
    pub fn begin(&mut self) -> bool {
        !std::mem::replace(&mut self.begun, true)
    }

    /// Everything that was told and not passed over: key and when.
    pub fn told(&self) -> impl Iterator<Item = (&str, i64)> {
        self.told.iter().filter(|(_, told)| !told.passed_over).map(|(key, told)| (key.as_str(), told.at.as_second()))
    }

    /// Forgets what was told before `before`, in seconds since the epoch: it is too old to be told again.
    pub fn forget(&mut self, before: i64) {
        self.told.retain(|_, told| told.at.as_second() >= before);
    }
}
