//! The ledger's windows as regions in Grafana (C4.1i–iii, C4.1.2): which there are to be, and what to change of those that are.
//!
//! [`regions`] makes them of the ledger, [`tags`] tells ours from others', [`plan()`] compares, [`Disputes`] keeps two who disagree
//! from changing the same region over and over. All of it is pure: the time is a parameter. Not for: Grafana's HTTP API
//! (`grafana`), annotations that people draw (`draft`), what a window does to a month (`months`).

mod disputes;
mod plan;
pub mod tags;
mod words;

use std::collections::BTreeMap;

pub use self::disputes::Disputes;
pub use self::plan::{Change, Existing, plan};
use crate::contract::Contract;
use crate::ledger::Ledger;
use crate::report::slots::STEP;
use crate::windows::{Reason, Rulings, Window, windows};

/// Regions of one contract at most; of more the newest are kept.
pub const MAX_REGIONS: usize = 5000;

/// Where regions go, and what they carry beside the usual.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Uids of dashboards, each with a region of its own; none: one that any dashboard can show by its tags.
    pub dashboards: Vec<String>,
    /// Tags in addition to ours.
    pub tags: Vec<String>,
}

/// One region as Grafana is to show it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Region {
    /// What it is known by: one of its tags, the same at every exporter of the contract.
    pub key: String,
    /// Uid of the dashboard it is on; absent: on any.
    pub dashboard: Option<String>,
    /// Begin, in milliseconds since the epoch.
    pub time: i64,
    /// End, after the begin.
    pub end: i64,
    /// All tags, the key's included.
    pub tags: Vec<String>,
    /// What people read, Japanese and English.
    pub text: String,
}

/// All windows of one entry for one reason: they differ in the function alone.
struct Group<'a> {
    entry: &'a str,
    reason: Reason,
    functions: Vec<&'a str>,
    start: i64,
    /// Where it is shown to end; what goes on is shown to the end of the slot that runs.
    end: i64,
    open: bool,
}

/// The regions of the ledger at `now`, the newest first, and how many more there would be.
#[must_use]
pub fn regions(contract: &Contract, ledger: &Ledger, options: &Options, now: i64) -> (Vec<Region>, usize) {
    let windows = windows(contract, ledger, Rulings::All);
    let mut groups = grouped(&windows, now);
    groups.sort_by(|a, b| (b.end, b.start, a.entry).cmp(&(a.end, a.start, b.entry)));
    let places: Vec<Option<&String>> =
        if options.dashboards.is_empty() { vec![None] } else { options.dashboards.iter().map(Some).collect() };
    let mut regions = Vec::new();
    for group in &groups {
        let text = words::text(&words::Subject {
            contract,
            ledger,
            entry: group.entry,
            reason: group.reason,
            functions: &group.functions,
            open: group.open,
        });
        for (part, functions) in tags::parts(&group.functions).into_iter().enumerate() {
            for place in &places {
                let place = place.map(String::as_str);
                let key = tags::key(&contract.name, group.entry, group.reason, part, place);
                regions.push(Region {
                    tags: tags::all(&contract.name, group.entry, group.reason, functions, &key, &options.tags),
                    key,
                    dashboard: place.map(str::to_owned),
                    time: group.start.saturating_mul(1000),
                    end: group.end.saturating_mul(1000),
                    text: text.clone(),
                });
            }
        }
    }
    let more = regions.len().saturating_sub(MAX_REGIONS);
    regions.truncate(MAX_REGIONS);
    (regions, more)
}

fn grouped<'a>(windows: &'a [Window], now: i64) -> Vec<Group<'a>> {
    let mut groups: BTreeMap<(&str, Reason), Group<'a>> = BTreeMap::new();
    for window in windows {
        let group = groups.entry((&window.entry, window.reason)).or_insert_with(|| Group {
            entry: &window.entry,
            reason: window.reason,
            functions: Vec::new(),
            start: window.start,
            end: window.end.unwrap_or_else(|| slot_end(window.start.max(now))),
            open: window.end.is_none(),
        });
        group.functions.push(&window.function);
    }
    groups.into_values().collect()
}

/// The end of the five minutes that `at` is in, by the clock: the same at every exporter, and another only once per slot.
fn slot_end(at: i64) -> i64 {
    (at.div_euclid(STEP).saturating_add(1)).saturating_mul(STEP)
}

#[cfg(test)]
mod tests;
