//! Entries about the same time of the same function: two rulings that contradict are refused, two entries of one kind are
//! odd.
//!
//! Overlaps of other kinds are what precedence is for: exclude over up over down. Entries are sorted and passed once: each
//! is compared with the one before it that lasts longest, so that an entry with an overlap is found, if not each of its
//! overlaps.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Display;

use jiff::Timestamp;

use super::place::Place;
use super::{Entries, report};
use crate::config::decode::shorten;
use crate::config::diagnostics::{Document, Severity};
use crate::contract::Contract;
use crate::ledger::{Assessment, Cause, Exclusion};

/// An entry's time of one function.
#[derive(Clone, Copy)]
struct Stretch<'a> {
    start: i64,
    /// Beyond everything while it goes on.
    end: i64,
    id: &'a str,
    place: &'a Place,
    /// The key whose place is shown.
    key: &'static str,
}

/// Stretches by what must not meet: a function, and a kind.
type Groups<'a, K> = HashMap<(&'a str, K), Vec<Stretch<'a>>>;

/// Reports every entry that meets another.
pub(super) fn check(entries: &Entries, contract: Option<&Contract>, documents: &[Document]) {
    contradictions(entries, contract, documents);
    doubles(entries, documents);
}

/// A judgement that the function was up, over one that it was down.
fn contradictions(entries: &Entries, contract: Option<&Contract>, documents: &[Document]) {
    let mut groups: Groups<'_, ()> = HashMap::new();
    let mut ups: HashMap<&str, Vec<Stretch<'_>>> = HashMap::new();
    for (function, cause, stretch) in incidents(entries) {
        match cause {
            Some(Cause::FalseAlarm) => ups.entry(function).or_default().push(stretch),
            Some(Cause::Internal) => groups.entry((function, ())).or_default().push(stretch),
            _ => {}
        }
    }
    for stop in &entries.maintenance {
        // Only a stop that is excluded has an overrun; of others measurement decides.
        let excluded = contract.is_some_and(|c| Assessment::of(&stop.value, c).exclusion == Exclusion::Excluded);
        if let Some(finished) = stop.value.finished_at.filter(|finished| excluded && *finished > stop.value.end) {
            let stretch = Stretch {
                start: stop.value.end.as_second(),
                end: finished.as_second(),
                id: &stop.value.id,
                place: &stop.place,
                key: "finished_at",
            };
            for function in &stop.value.functions {
                groups.entry((function, ())).or_default().push(stretch);
            }
        }
    }
    let mut found = Pairs::default();
    for (function, ups) in &ups {
        let downs = groups.remove(&(*function, ())).unwrap_or_default();
        let mut all: Vec<(Stretch<'_>, bool)> =
            ups.iter().map(|up| (*up, true)).chain(downs.iter().map(|down| (*down, false))).collect();
        all.sort_by_key(|(stretch, _)| stretch.start);
        let mut longest: [Option<Stretch<'_>>; 2] = [None, None];
        for (stretch, up) in all {
            if let Some(other) = longest[usize::from(!up)].filter(|other| other.end > stretch.start) {
                found.add(function, stretch, other);
            }
            keep_longer(&mut longest[usize::from(up)], stretch);
        }
    }
    found.report(documents, Severity::Error, |other, functions| {
        format!(
            "it shares time of {functions} with {other}: one says that all was up (false_alarm), the other that it was down; correct the times or the cause of one of them"
        )
    });
}

/// Two maintenances, or two incidents of one cause, of one function at one time.
fn doubles(entries: &Entries, documents: &[Document]) {
    let mut stops: Groups<'_, ()> = HashMap::new();
    for stop in entries.maintenance.iter().filter(|stop| stop.value.cancelled_at.is_none()) {
        let (start, end) = (stop.value.start.as_second(), stop.value.end.as_second());
        let stretch = Stretch { start, end, id: &stop.value.id, place: &stop.place, key: "start" };
        for function in &stop.value.functions {
            stops.entry((function, ())).or_default().push(stretch);
        }
    }
    let mut causes: Groups<'_, Option<&'static str>> = HashMap::new();
    for (function, cause, stretch) in incidents(entries) {
        causes.entry((function, cause.map(Cause::word))).or_default().push(stretch);
    }
    let mut found = Pairs::default();
    stops.into_iter().for_each(|((function, ()), group)| sweep(function, group, &mut found));
    found.report(documents, Severity::Warning, |other, functions| {
        format!("it shares time of {functions} with another maintenance, {other}; that time counts once")
    });
    let mut found = Pairs::default();
    causes.into_iter().for_each(|((function, _), group)| sweep(function, group, &mut found));
    found.report(documents, Severity::Warning, |other, functions| {
        format!("it shares time of {functions} with another incident of the same cause, {other}; that time counts once")
    });
}

fn incidents(entries: &Entries) -> impl Iterator<Item = (&str, Option<&Cause>, Stretch<'_>)> {
    entries.incidents.iter().flat_map(|incident| {
        let stretch = Stretch {
            start: incident.value.started_at.as_second(),
            end: incident.value.resolved_at.map_or(i64::MAX, Timestamp::as_second),
            id: &incident.value.id,
            place: &incident.place,
            key: "started_at",
        };
        incident.value.functions.iter().map(move |function| (function.as_str(), incident.value.cause.as_ref(), stretch))
    })
}

fn sweep<'a>(function: &'a str, mut group: Vec<Stretch<'a>>, found: &mut Pairs<'a>) {
    group.sort_by_key(|stretch| stretch.start);
    let mut longest: Option<Stretch<'a>> = None;
    for stretch in group {
        if let Some(other) = longest.filter(|other| other.end > stretch.start) {
            found.add(function, stretch, other);
        }
        keep_longer(&mut longest, stretch);
    }
}

fn keep_longer<'a>(longest: &mut Option<Stretch<'a>>, stretch: Stretch<'a>) {
    if longest.is_none_or(|longest| stretch.end > longest.end) {
        *longest = Some(stretch);
    }
}

/// Entries that meet, by the later one; functions they share are said in one finding.
#[derive(Default)]
struct Pairs<'a>(BTreeMap<(&'a str, &'a str), Pair<'a>>);

struct Pair<'a> {
    later: Stretch<'a>,
    earlier: Stretch<'a>,
    functions: Vec<&'a str>,
}

impl<'a> Pairs<'a> {
    fn add(&mut self, function: &'a str, later: Stretch<'a>, earlier: Stretch<'a>) {
        let pair =
            self.0.entry((later.id, earlier.id)).or_insert_with(|| Pair { later, earlier, functions: Vec::new() });
        pair.functions.push(function);
    }

    fn report<D: Display>(self, documents: &[Document], severity: Severity, message: impl Fn(String, String) -> D) {
        for mut pair in self.0.into_values() {
            pair.functions.sort_unstable();
            let functions: Vec<String> = pair.functions.iter().map(|name| format!("`{}`", shorten(name))).collect();
            let (mark, _) = pair.earlier.place.of(pair.earlier.key);
            let file = documents.get(pair.earlier.place.index).map(|doc| doc.file.display().to_string());
            let other = format!("`{}` ({}:{})", shorten(pair.earlier.id), file.unwrap_or_default(), mark.line);
            report(documents, pair.later.place, pair.later.key, severity, message(other, functions.join(" and ")));
        }
    }
}
