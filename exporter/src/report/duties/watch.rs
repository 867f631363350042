//! What was watched of the duties in a month: stretches of the clock's five minutes, small enough to be kept in a closed month.
//!
//! Pure. Not for: asking (`collect`), judging (`assemble::duties`).

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::report::slots::STEP;

/// Items kept of one duty; of more, those that were broken or missing the longest.
const MOST_ITEMS: usize = 200;

/// `[start, end)`, multiples of 300 seconds since the epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "(i64, i64)", into = "(i64, i64)")]
pub struct Stretch {
    /// Its begin.
    pub start: i64,
    /// Its end.
    pub end: i64,
}

impl From<(i64, i64)> for Stretch {
    fn from((start, end): (i64, i64)) -> Self {
        Self { start, end }
    }
}

impl From<Stretch> for (i64, i64) {
    fn from(stretch: Stretch) -> Self {
        (stretch.start, stretch.end)
    }
}

impl Stretch {
    /// How long it is within `[from, to)`.
    #[must_use]
    pub fn seconds(self, from: i64, to: i64) -> i64 {
        (self.end.min(to) - self.start.max(from)).max(0)
    }
}

/// All that was watched in a month.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Watch {
    /// Whether somebody asked; not in a closed month from before duties.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub asked: bool,
    /// By duty; one without any verdict is missing.
    pub duties: BTreeMap<String, Watched>,
    /// Of those that are missing, the ones that were configured.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub configured: BTreeSet<String>,
    /// The month's inquiries; `None`: nobody knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tickets: Option<Tickets>,
}

impl Watch {
    /// Whether nothing was asked for. Versions that did not note it had no such months but those of which something was known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        !self.asked && self.duties.is_empty() && self.tickets.is_none()
    }
}

/// What was watched of one duty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Watched {
    /// All that is configured was measured, and nothing was broken.
    pub kept: Vec<Stretch>,
    /// Something was broken.
    pub broken: Vec<Stretch>,
    /// What was broken, and when.
    pub items: BTreeMap<String, Vec<Stretch>>,
    /// What is configured and was not measured, and when.
    pub missing: BTreeMap<String, Vec<Stretch>>,
}

/// Inquiries received in the month, by what became of them (C3.4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tickets {
    /// Answered by the deadline.
    pub in_time: i64,
    /// Answered after it.
    pub late: i64,
    /// Not answered, and past it.
    pub overdue: i64,
    /// Not answered, and not due.
    pub waiting: i64,
}

/// What the server said of one duty, by moments: multiples of 300 seconds that speak for the five minutes before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// The least of all items: broken is `false`.
    pub verdicts: BTreeMap<i64, bool>,
    /// Whether all that is configured was measured.
    pub measured: BTreeMap<i64, bool>,
    /// Moments at which an item was broken.
    pub broken: BTreeMap<String, Vec<i64>>,
    /// Moments at which something configured was not measured.
    pub missing: BTreeMap<String, Vec<i64>>,
}

impl Said {
    /// As stretches.
    #[must_use]
    pub fn watched(&self) -> Watched {
        let broken = self.verdicts.iter().filter(|(_, kept)| !**kept).map(|(at, _)| *at);
        let whole = |at: &i64| self.measured.get(at).copied().unwrap_or(false);
        let kept = self.verdicts.iter().filter(|(at, kept)| **kept && whole(at)).map(|(at, _)| *at);
        Watched {
            kept: stretches(kept),
            broken: stretches(broken),
            items: longest(&self.broken),
            missing: longest(&self.missing),
        }
    }
}

/// Moments in order, joined where they follow one another.
fn stretches(moments: impl IntoIterator<Item = i64>) -> Vec<Stretch> {
    let mut all: Vec<Stretch> = Vec::new();
    for at in moments {
        match all.last_mut() {
            Some(last) if last.end >= at - STEP => last.end = last.end.max(at),
            _ => all.push(Stretch { start: at - STEP, end: at }),
        }
    }
    all
}

fn longest(items: &BTreeMap<String, Vec<i64>>) -> BTreeMap<String, Vec<Stretch>> {
    let mut by_length: Vec<(&String, &Vec<i64>)> = items.iter().collect();
    by_length.sort_by_key(|(name, moments)| (std::cmp::Reverse(moments.len()), *name));
    by_length.truncate(MOST_ITEMS);
    by_length.into_iter().map(|(name, moments)| (name.clone(), stretches(moments.iter().copied()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(verdicts: &[(i64, bool)], measured: &[(i64, bool)]) -> Watched {
        let said = Said {
            verdicts: verdicts.iter().copied().collect(),
            measured: measured.iter().copied().collect(),
            ..Said::default()
        };
        said.watched()
    }

    #[test]
    fn a_moment_speaks_for_the_five_minutes_before_it_and_neighbours_join() {
        let all = [(300, true), (600, true), (900, false), (1500, true)];
        let seen = said(&all, &[(300, true), (600, true), (900, true), (1500, true)]);
        assert_eq!(seen.kept, [(0, 600), (1200, 1500)].map(Stretch::from));
        assert_eq!(seen.broken, [(600, 900)].map(Stretch::from));
    }

    #[test]
    fn what_is_not_measured_as_a_whole_is_not_kept_and_may_be_broken() {
        let seen = said(&[(300, true), (600, false), (900, true)], &[(300, false), (600, false)]);
        assert_eq!((seen.kept, seen.broken), (vec![], vec![(300, 600).into()]));
    }

    #[test]
    fn of_too_many_items_the_longest_are_kept() {
        let items = (0..MOST_ITEMS + 5).map(|n| (format!("{n:03}"), vec![300; usize::from(n != 7)]));
        let seen = Said { broken: items.collect(), ..Said::default() }.watched();
        assert_eq!(seen.items.len(), MOST_ITEMS);
        assert!(!seen.items.contains_key("007"));
    }

    #[test]
    fn a_stretch_is_cut_to_what_is_asked() {
        let stretch = Stretch::from((300, 900));
        assert_eq!(
            [(0, 1200), (600, 1200), (900, 1200), (0, 300)].map(|(a, b)| stretch.seconds(a, b)),
            [600, 300, 0, 0]
        );
    }
}
