//! What people drew in Grafana with the tag `sla`, as ledger entries to complete. Pure.
//!
//! Somebody who looks at a graph marks a stretch of it; that is a hint, and nothing counts before it is in the ledger. Tags may
//! say which function it was and why: both are proposed, the cause in a comment only. What the ledger has already is told, and
//! not proposed again. Not for: what the exporter wrote there itself (`annotations`), asking Grafana (`command`).

mod tags;
mod yaml;

use jiff::Timestamp;

use self::tags::Said;
pub(super) use self::yaml::{Head, write};
use super::proposals::{AGREE, APART};
use crate::annotations::tags as ours;
use crate::contract::Contract;
use crate::grafana::Annotation;
use crate::ledger::Ledger;

/// Annotations that are proposed at once, the newest; who has more asks for a shorter time.
pub(super) const MAX_DRAWN: usize = 1000;
/// 2000 to 2199, as in the ledger: seconds since the epoch.
const YEARS: std::ops::Range<i64> = 946_684_800..7_258_118_400;

/// All that was drawn.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Drawn {
    /// To be completed, in order of time.
    pub(super) entries: Vec<Entry>,
    /// In the ledger already, in order of time.
    pub(super) known: Vec<Known>,
    /// How many were left out because there are too many.
    pub(super) more: usize,
    /// How many lie in years that no ledger has.
    pub(super) odd: usize,
}

/// One stretch or moment, as an entry to complete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) origin: Origin,
    /// What the tags say of it.
    pub(super) said: Said,
    /// Begin, in whole seconds since the epoch.
    pub(super) start: i64,
    /// End; absent: a moment was marked, and nobody knows how long it went on.
    pub(super) end: Option<i64>,
    /// Entries of the ledger that overlap or lie close by.
    pub(super) near: Vec<String>,
}

/// One that the ledger has already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) origin: Origin,
    pub(super) start: i64,
    pub(super) end: Option<i64>,
    /// The entry's id.
    pub(super) entry: String,
}

/// Where it was drawn, and what somebody wrote beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Origin {
    /// Grafana's number.
    pub(super) id: i64,
    pub(super) login: Option<String>,
    pub(super) dashboard: Option<String>,
    pub(super) tags: Vec<String>,
    pub(super) text: String,
}

/// An entry of the ledger, for comparison.
struct There<'a> {
    id: &'a str,
    functions: &'a [String],
    start: i64,
    end: Option<i64>,
}

/// What `annotations`, with the latest ends first, come to beside `ledger`.
pub(super) fn read(annotations: Vec<Annotation>, contract: &Contract, ledger: &Ledger) -> Drawn {
    let mut drawn = Drawn::default();
    let there = there(ledger);
    let is_drawn = |tags: &[String]| tags.iter().any(|t| t == ours::SLA) && !tags.iter().any(|t| t == ours::LEDGER);
    for annotation in annotations.into_iter().filter(|annotation| is_drawn(&annotation.tags)) {
        // Whole seconds, and none of it lost.
        let start = annotation.time.div_euclid(1000);
        let point = annotation.end <= annotation.time;
        let end = (!point).then(|| annotation.end.saturating_add(999).div_euclid(1000));
        if !YEARS.contains(&start) || end.is_some_and(|end| !YEARS.contains(&end)) {
            drawn.odd += 1;
            continue;
        }
        if drawn.entries.len() + drawn.known.len() == MAX_DRAWN {
            drawn.more += 1;
            continue;
        }
        let said = tags::read(&annotation.tags, contract);
        let Annotation { id, text, tags, dashboard, login, .. } = annotation;
        let origin = Origin { id, login, dashboard, tags, text };
        match known(&origin, &said, start, end, &there) {
            Some(entry) => drawn.known.push(Known { origin, start, end, entry: entry.to_owned() }),
            None => {
                let near = near(&said, start, end, &there);
                drawn.entries.push(Entry { origin, said, start, end, near });
            }
        }
    }
    drawn.entries.sort_by_key(|entry| (entry.start, entry.end, entry.origin.id));
    drawn.known.sort_by_key(|known| (known.start, known.end, known.origin.id));
    drawn
}

fn there(ledger: &Ledger) -> Vec<There<'_>> {
    let incidents = ledger.incidents.iter().map(|incident| There {
        id: &incident.id,
        functions: &incident.functions,
        start: incident.started_at.as_second(),
        end: incident.resolved_at.map(Timestamp::as_second),
    });
    let stops = ledger.maintenance.iter().filter(|stop| stop.cancelled_at.is_none()).map(|stop| There {
        id: &stop.id,
        functions: &stop.functions,
        start: stop.start.as_second(),
        end: Some(stop.finished_at.unwrap_or(stop.end).as_second()),
    });
    incidents.chain(stops).collect()
}

/// The entry it is: named by a tag, made of an earlier draft, or of the same time and functions.
fn known<'a>(origin: &Origin, said: &Said, start: i64, end: Option<i64>, there: &[There<'a>]) -> Option<&'a str> {
    let suffix = format!("-{}", mark(origin.id));
    let named = |entry: &There<'_>| said.entries.iter().any(|id| id == entry.id) || entry.id.ends_with(&suffix);
    let same = |entry: &There<'_>| {
        let times = match (end, entry.end) {
            (Some(end), Some(there)) => (start - entry.start).abs() <= AGREE && (end - there).abs() <= AGREE,
            // It goes on: the end that was drawn is when somebody looked.
            (Some(_), None) => (start - entry.start).abs() <= AGREE,
            (None, there) => {
                entry.start - AGREE <= start && there.is_none_or(|there| start <= there.saturating_add(AGREE))
            }
        };
        times && common(said, entry)
    };
    there.iter().find(|entry| named(entry)).or_else(|| there.iter().find(|entry| same(entry))).map(|entry| entry.id)
}

fn common(said: &Said, entry: &There<'_>) -> bool {
    said.functions.is_empty() || said.functions.iter().any(|name| entry.functions.contains(name))
}

fn near(said: &Said, start: i64, end: Option<i64>, there: &[There<'_>]) -> Vec<String> {
    let close = |entry: &&There<'_>| {
        entry.start < end.unwrap_or(start).saturating_add(APART)
            && entry.end.is_none_or(|there| there > start - APART)
            && common(said, entry)
    };
    there.iter().filter(close).take(10).map(|entry| entry.id.to_owned()).collect()
}

/// What an id made of an annotation ends with: while it does, the entry is recognised.
fn mark(id: i64) -> String {
    format!("grafana-{id}")
}

#[cfg(test)]
mod tests;
