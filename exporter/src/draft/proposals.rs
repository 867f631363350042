//! From stretches to entries. Pure.
//!
//! Stretches of one function that are less than [`APART`] apart are one entry; those of several functions are one where
//! both begins and both ends agree within [`AGREE`]. Nothing is joined over a ruling, nor what lies in a maintenance with what
//! does not. What is about a stretch already gets a remark, and no entry.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::stretches::{Seen, State, Stretch, near};
use crate::ledger::Ledger;
use crate::report::model::{Link, Report};
use crate::report::slots::{STEP, clock};
use crate::span::Span;
use crate::windows::Effect;

/// Failures of one function with less than this in between are one, in seconds.
pub const APART: i64 = 900;
/// Functions failed together when their times differ by no more than this, in seconds: two slots.
pub const AGREE: i64 = 2 * STEP;
/// An id has this much of its functions' names, in characters.
const MAX_NAMES: usize = 100;

/// An entry to complete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// Not in the ledger yet.
    pub id: String,
    /// At least one, in the contract's order.
    pub parts: Vec<Part>,
    /// Begin: the first slot speaks for the five minutes before its timestamp.
    pub started_at: i64,
    /// Timestamp of the first slot.
    pub first: i64,
    /// Timestamp of the last slot.
    pub ended_at: i64,
    /// Nothing says that it is over.
    pub open: bool,
    /// A maintenance it lies within, which is not excluded.
    pub counted: Option<String>,
    /// How the contract's other functions were meanwhile.
    pub others: Vec<Part>,
}

impl Proposal {
    /// The functions' names.
    pub fn functions(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().map(|part| part.function.as_str())
    }
}

/// One function within an entry's time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Its name.
    pub function: String,
    /// Its own begin.
    pub start: i64,
    /// Timestamp of its own last slot.
    pub end: i64,
    /// Slots in the entry's time that are down and that nothing decides.
    pub down: usize,
    /// The same, up: with `cause: internal` they would be downtime.
    pub up: usize,
    /// The same, missing.
    pub unmeasured: usize,
    /// The slot before its own first.
    pub before: State,
    /// The slot after its own last.
    pub after: State,
    /// Entries that end shortly before or begin shortly after.
    pub near: Vec<String>,
}

/// What an entry is about already, and what to write into that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    /// Which entry, and how.
    pub link: Link,
    /// The stretches, by function and in order of time: name, begin, timestamp of the last slot.
    pub parts: Vec<(String, i64, i64)>,
    /// Timestamp of the first slot of all.
    pub first: i64,
    /// Timestamp of the last slot of all.
    pub end: i64,
    /// Nothing says that it is over.
    pub open: bool,
}

/// All that is to be judged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Draft {
    /// In order of time.
    pub proposals: Vec<Proposal>,
    /// In order of time.
    pub remarks: Vec<Remark>,
}

impl Draft {
    /// Whether nothing is to be judged.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.proposals.is_empty() && self.remarks.is_empty()
    }

    /// The same without what has no second in `span`.
    #[must_use]
    pub fn within(mut self, span: Span) -> Self {
        let inside = |first: i64, end: i64| Span::new(first - STEP, end).is_some_and(|own| own.overlaps(span));
        self.proposals.retain(|proposal| inside(proposal.first, proposal.ended_at));
        self.remarks.retain(|remark| inside(remark.first, remark.end));
        self
    }
}

/// What is left to be judged in `reports`: of one contract and one moment, in the order of months, with `ledger`.
#[must_use]
pub fn proposals(reports: &[Report], ledger: &Ledger, zone: &TimeZone) -> Draft {
    let seen = Seen::all(reports);
    let mut draft = Draft::default();
    let mut groups: Vec<Vec<(usize, Stretch)>> = Vec::new();
    for (index, function) in seen.iter().enumerate() {
        for stretch in joined(function, &mut draft.remarks) {
            match groups.iter_mut().find(|group| together(group, (index, &stretch), &seen)) {
                Some(group) => group.push((index, stretch)),
                None => groups.push(vec![(index, stretch)]),
            }
        }
    }
    draft.proposals = groups.iter().map(|group| proposal(group, &seen, ledger)).collect();
    draft.proposals.sort_by_key(|proposal| (proposal.started_at, proposal.ended_at));
    draft.remarks.sort_by_key(|remark| (remark.first, remark.end));
    name(&mut draft.proposals, zone, ledger);
    draft
}

/// A function's stretches, joined; those that an entry is about already become remarks.
fn joined(function: &Seen<'_>, remarks: &mut Vec<Remark>) -> Vec<Stretch> {
    let mut all: Vec<Stretch> = Vec::new();
    for stretch in &function.stretches {
        if let Some(link @ (Link::Incident { .. } | Link::Overrun { .. })) = &stretch.link {
            remark(remarks, function.name, stretch, link);
            continue;
        }
        let between = |last: &Stretch| Span::new(last.end, stretch.start);
        match all.last_mut() {
            Some(last)
                if last.link == stretch.link
                    && stretch.start - last.end < APART
                    && !function.judged(between(last), None) =>
            {
                last.end = stretch.end;
                last.open = stretch.open;
            }
            _ => all.push(stretch.clone()),
        }
    }
    all
}

fn remark(remarks: &mut Vec<Remark>, function: &str, stretch: &Stretch, link: &Link) {
    let part = (function.to_owned(), stretch.start, stretch.end);
    match remarks.iter_mut().find(|remark| remark.link == *link) {
        Some(remark) => {
            remark.parts.push(part);
            remark.first = remark.first.min(stretch.first);
            remark.end = remark.end.max(stretch.end);
            remark.open |= stretch.open;
        }
        None => remarks.push(Remark {
            link: link.clone(),
            parts: vec![part],
            first: stretch.first,
            end: stretch.end,
            open: stretch.open,
        }),
    }
}

/// Whether a stretch of another function is of the same outage as a group. Measured against the group's first, so that times do
/// not drift apart from function to function.
fn together(group: &[(usize, Stretch)], (index, stretch): (usize, &Stretch), seen: &[Seen<'_>]) -> bool {
    let Some((_, anchor)) = group.first() else { return false };
    let span = |a: &Stretch, b: &Stretch| Span::new(a.start.min(b.start), a.end.max(b.end));
    group.iter().all(|(other, _)| *other != index)
        && anchor.link == stretch.link
        && anchor.open == stretch.open
        && (anchor.start - stretch.start).abs() <= AGREE
        && (anchor.end - stretch.end).abs() <= AGREE
        && anchor.start < stretch.end
        && stretch.start < anchor.end
        // An entry for all of them must not contradict what was ruled about one.
        && group.iter().map(|(other, _)| *other).chain([index]).all(|function| {
            group.iter().all(|(_, known)| !seen[function].judged(span(known, stretch), Some(Effect::Up)))
        })
}

fn proposal(group: &[(usize, Stretch)], seen: &[Seen<'_>], ledger: &Ledger) -> Proposal {
    let of = |value: fn(&Stretch) -> i64| group.iter().map(move |(_, stretch)| value(stretch));
    let started_at = of(|stretch| stretch.start).min().unwrap_or_default();
    let ended_at = of(|stretch| stretch.end).max().unwrap_or_default();
    let part = |function: &Seen<'_>, start: i64, first: i64, end: i64| {
        let states: Vec<State> = function.undecided(started_at, ended_at).collect();
        let count = |state: State| states.iter().filter(|found| **found == state).count();
        Part {
            function: function.name.to_owned(),
            start,
            end,
            down: count(State::Down),
            up: count(State::Up),
            unmeasured: count(State::Unmeasured),
            before: function.state(clock(first) - STEP),
            after: function.state(clock(end) + STEP),
            near: near(ledger, function.name, start, end, APART),
        }
    };
    let first = of(|stretch| stretch.first).min().unwrap_or_default();
    let others = seen.iter().enumerate().filter(|(index, _)| group.iter().all(|(own, _)| own != index));
    Proposal {
        id: String::new(),
        parts: group.iter().map(|(index, s)| part(&seen[*index], s.start, s.first, s.end)).collect(),
        started_at,
        first,
        ended_at,
        open: group.iter().any(|(_, stretch)| stretch.open),
        counted: group.first().and_then(|(_, stretch)| stretch.link.as_ref()).map(|link| link.id().to_owned()),
        others: others.map(|(_, function)| part(function, started_at, first, ended_at)).collect(),
    }
}

/// `draft-2026-10-07-1002-client`, with a number where that is taken.
fn name(proposals: &mut [Proposal], zone: &TimeZone, ledger: &Ledger) {
    let incidents = ledger.incidents.iter().map(|entry| &entry.id);
    let stops = ledger.maintenance.iter().map(|entry| &entry.id);
    let advisories = ledger.advisories.iter().map(|entry| &entry.id);
    let mut taken: BTreeSet<String> = incidents.chain(stops).chain(advisories).cloned().collect();
    for proposal in proposals {
        let at = Timestamp::from_second(proposal.started_at).unwrap_or_default().to_zoned(zone.clone());
        let who: String = proposal.functions().collect::<Vec<_>>().join("-").chars().take(MAX_NAMES).collect();
        let stem = format!("draft-{}-{who}", at.strftime("%Y-%m-%d-%H%M"));
        let mut id = stem.clone();
        let mut number = 2;
        while !taken.insert(id.clone()) {
            id = format!("{stem}-{number}");
            number += 1;
        }
        proposal.id = id;
    }
}
