//! Which events were told: kept over restarts, so that each is told once.
//!
//! An event that fell due long before anybody could tell it is not told any more: an incident written up weeks later is
//! history, not news. Beside that it is remembered what was told of a maintenance, so that a change of it is told, and which
//! update of an incident is which, so that one put between others is not taken for them. Pure, but for the shape in which
//! it is stored.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{Entry, Event, Happening};
use crate::contract::Text;
use crate::ledger::{Cause, Incident, Ledger, Maintenance};

/// Events older than this when they are first seen are history: 24 hours, in seconds.
pub const NEWS: i64 = 86_400;
/// For how long an accepted event is posted again, in seconds: an Alertmanager that restarts before it mailed has forgotten it.
pub const INSIST: i64 = 600;

/// What became of one event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// When it was first accepted by an Alertmanager, or passed over.
    pub at: Timestamp,
    /// Passed over as history: customers were not told.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub passed_over: bool,
}

/// What customers know of a maintenance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    start: Timestamp,
    end: Timestamp,
    functions: Vec<String>,
}

impl Terms {
    fn of(stop: &Maintenance) -> Self {
        let mut functions = stop.functions.clone();
        functions.sort();
        Self { start: stop.start, end: stop.end, functions }
    }
}

/// The terms of a maintenance as they were last seen, and how often they changed since it was announced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Known {
    terms: Terms,
    #[serde(default)]
    changes: usize,
    /// When the last change was seen.
    #[serde(default)]
    at: Option<Timestamp>,
}

/// An update that was seen: what it is known by, should the list be edited.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Seen {
    number: usize,
    at: Timestamp,
    text: String,
    /// Taken out again; its number is not given to another.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    gone: bool,
}

/// An event that was posted, as the book needs it once it is accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Posted {
    /// [`Event::key`].
    pub key: String,
    /// What it says of a maintenance, by id.
    terms: Option<(String, Terms)>,
}

impl Posted {
    /// What to note of `event` once it is accepted.
    #[must_use]
    pub fn of(event: &Event<'_>) -> Self {
        let terms = match (event.entry, event.happening) {
            (Entry::Maintenance(stop), Happening::Announced) => Some((stop.id.clone(), Terms::of(stop))),
            _ => None,
        };
        Self { key: event.key(), terms }
    }
}

/// Everything told about one contract, by [`Event::key`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Book {
    told: BTreeMap<String, Told>,
    /// Something was stored once: what is found at the very first start is all history.
    #[serde(default)]
    begun: bool,
    /// By maintenance.
    #[serde(default)]
    terms: BTreeMap<String, Known>,
    /// By incident; those taken out are last.
    #[serde(default)]
    updates: BTreeMap<String, Vec<Seen>>,
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
            // On both sides: the clock may have been set back.
            Some(told) if told.passed_over || (now - told.at.as_second()).abs() >= INSIST => Todo::Nothing,
            Some(_) => Todo::Post,
            None if !self.begun || event.at + NEWS <= now => Todo::PassOver,
            None => match event.entry {
                Entry::Incident(incident) => self.of_incident(incident, event),
                Entry::Maintenance(stop) => self.of_maintenance(stop, event, now),
            },
        }
    }

    fn of_incident(&self, incident: &Incident, event: &Event<'_>) -> Todo {
        // What never was is not told; that it never was, if it was told.
        let opened = self.other(event, Happening::Opened);
        if incident.cause == Some(Cause::FalseAlarm) && opened.is_none_or(|told| told.passed_over) {
            return Todo::Nothing;
        }
        Todo::Post
    }

    fn of_maintenance(&self, stop: &Maintenance, event: &Event<'_>, now: i64) -> Todo {
        match event.happening {
            // It has begun: nothing is to be reminded of.
            Happening::Reminder if now >= stop.start.as_second() => Todo::PassOver,
            // Back already, and said so: what fails afterwards is an incident of its own.
            Happening::Overrun if self.other(event, Happening::Finished).is_some() => Todo::PassOver,
            Happening::Overrun | Happening::Finished => match self.other(event, Happening::Started) {
                None => Todo::Nothing,
                // Written up afterwards.
                Some(told) if told.passed_over && told.at >= stop.end => Todo::PassOver,
                Some(_) => Todo::Post,
            },
            _ => Todo::Post,
        }
    }

    fn other(&self, event: &Event<'_>, happening: Happening) -> Option<&Told> {
        self.told.get(&Event { happening, ..*event }.key())
    }

    /// Whether it was told, or passed over.
    #[must_use]
    pub fn is_told(&self, event: &Event<'_>) -> bool {
        self.told.contains_key(&event.key())
    }

    /// Compares the ledger with what is known of it: which updates are new, which maintenance is not what was told. Returns
    /// whether anything is.
    pub fn study(&mut self, ledger: &Ledger, now: i64) -> bool {
        let mut new = false;
        for incident in &ledger.incidents {
            let last = incident.updates.last().map(|update| update.at.as_second());
            if last.is_some_and(|last| last + 2 * NEWS > now) || self.updates.contains_key(&incident.id) {
                new |= self.count(incident);
            }
        }
        for stop in ledger.maintenance.iter().filter(|stop| stop.cancelled_at.is_none()) {
            new |= self.compare(stop, now);
        }
        new
    }

    /// Gives each update its number.
    fn count(&mut self, incident: &Incident) -> bool {
        let known = self.updates.get(&incident.id).map_or(&[][..], Vec::as_slice);
        let found: Vec<Found> = incident.updates.iter().map(|update| (update.at, fingerprint(&update.text))).collect();
        let mut last = known.iter().map(|seen| seen.number).max().unwrap_or(0);
        let mut seen: Vec<Seen> = Vec::with_capacity(found.len());
        for (index, number) in recognised(known, &found).into_iter().enumerate() {
            let number = number.unwrap_or_else(|| {
                last += 1;
                last
            });
            let (at, text) = found[index].clone();
            seen.push(Seen { number, at, text, gone: false });
        }
        let gone = known.iter().filter(|old| seen.iter().all(|new| new.number != old.number));
        let gone: Vec<Seen> = gone.map(|old| Seen { gone: true, ..old.clone() }).collect();
        seen.extend(gone);
        if seen == known {
            return false;
        }
        self.updates.insert(incident.id.clone(), seen);
        true
    }

    /// The number of the update at `index` of an incident, from 1.
    #[must_use]
    pub fn number(&self, incident: &str, index: usize) -> usize {
        self.updates.get(incident).and_then(|seen| seen.get(index)).map_or(index + 1, |seen| seen.number)
    }

    fn compare(&mut self, stop: &Maintenance, now: i64) -> bool {
        if !self.told.contains_key(&format!("{}/{}", stop.id, Happening::Announced.key())) {
            return false;
        }
        let terms = Terms::of(stop);
        let Some(known) = self.terms.get_mut(&stop.id) else {
            if terms.end.as_second() <= now {
                return false;
            }
            self.terms.insert(stop.id.clone(), Known { terms, changes: 0, at: None });
            return true;
        };
        if known.terms == terms {
            return false;
        }
        // Over by both: the record is corrected, and nobody has to know it beforehand.
        let over = stop.finished_at.is_some() || known.terms.end.max(terms.end).as_second() <= now;
        known.terms = terms;
        if !over {
            known.changes += 1;
            known.at = Timestamp::from_second(now).ok();
        }
        true
    }

    /// The last change of a maintenance that customers are to know: its number, from 1, and when it was seen.
    #[must_use]
    pub fn change(&self, maintenance: &str) -> Option<(usize, i64)> {
        let known = self.terms.get(maintenance)?;
        Some((known.changes, known.at?.as_second()))
    }

    /// It was accepted by an Alertmanager. Returns whether that is new.
    pub fn accepted(&mut self, posted: &Posted, now: i64) -> bool {
        self.note(posted.clone(), now, false)
    }

    /// `event` is history.
    pub fn pass_over(&mut self, event: &Event<'_>, now: i64) {
        self.note(Posted::of(event), now, true);
    }

    fn note(&mut self, posted: Posted, now: i64, passed_over: bool) -> bool {
        if self.told.contains_key(&posted.key) {
            return false;
        }
        self.told.insert(posted.key, Told { at: Timestamp::from_second(now).unwrap_or_default(), passed_over });
        if let Some((id, terms)) = posted.terms.filter(|(_, terms)| terms.end.as_second() > now) {
            self.terms.entry(id).or_insert(Known { terms, changes: 0, at: None });
        }
        true
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
        self.terms.retain(|_, known| known.terms.end.as_second() >= before);
        self.updates.retain(|_, seen| seen.iter().any(|seen| seen.at.as_second() >= before));
    }
}

/// An update of the ledger: its time and the fingerprint of its text.
type Found = (Timestamp, String);

/// Which of the `found` updates are `known`, by number: by time and text, by time, by text, and then, where both were
/// corrected, by their order.
fn recognised(known: &[Seen], found: &[Found]) -> Vec<Option<usize>> {
    let mut numbers = vec![None; found.len()];
    let mut left: Vec<&Seen> = known.iter().collect();
    let same: [fn(&Seen, &Found) -> bool; 4] = [
        |seen, (at, text)| seen.at == *at && seen.text == *text,
        |seen, (at, _)| seen.at == *at,
        |seen, (_, text)| seen.text == *text,
        |seen, _| !seen.gone,
    ];
    for same in same {
        for (number, found) in numbers.iter_mut().zip(found).filter(|(number, _)| number.is_none()) {
            if let Some(place) = left.iter().position(|seen| same(seen, found)) {
                *number = Some(left.remove(place).number);
            }
        }
    }
    numbers
}

fn fingerprint(text: &Text) -> String {
    let digest = Sha256::new().chain_update(&text.ja).chain_update([0]).chain_update(&text.en).finalize();
    digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}
