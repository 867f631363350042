//! What failed while a function was down: capabilities, probes and their reasons, upstreams and other probes. Pure: out of
//! samples, which `ask` gets.

use std::collections::BTreeMap;

use crate::prometheus_api::{Labels, Series};
use crate::report::slots::STEP;

/// Probes listed of one kind; more would bury it.
pub(super) const MAX_LISTED: usize = 20;

/// What was seen during one entry's time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Evidence {
    /// The capabilities that were down in a slot, of all functions.
    pub capabilities: Vec<Failing>,
    /// The evidence of the entry's functions that was down in a slot, most slots first.
    pub probes: Listed,
    /// Every probe of an upstream.
    pub upstreams: Vec<(String, Failing)>,
    /// Probes that are nobody's evidence and failed.
    pub others: Listed,
}

/// The first of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listed {
    /// At most `MAX_LISTED`.
    pub first: Vec<Failing>,
    /// How many there are besides; `None`: too many to be asked for.
    pub more: Option<usize>,
}

impl Listed {
    /// The worst of `all`.
    pub(super) fn worst(mut all: Vec<Failing>) -> Self {
        all.retain(|failing| failing.failed > 0);
        all.sort_by(|a, b| (b.failed, &a.what).cmp(&(a.failed, &b.what)));
        let more = all.len().saturating_sub(MAX_LISTED);
        all.truncate(MAX_LISTED);
        Self { first: all, more: Some(more) }
    }
}

/// One capability, or one probe's target at one site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failing {
    /// Which.
    pub what: What,
    /// In how many slots it was down.
    pub failed: usize,
    /// Out of how many in which it was measured.
    pub measured: usize,
    /// Why, and about how often; the commonest first.
    pub reasons: Vec<(String, u64)>,
}

/// What a count is about. What does not apply is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct What {
    /// Label `function`.
    pub function: String,
    /// Label `capability`.
    pub capability: String,
    /// Label `probe`.
    pub probe: String,
    /// Label `target`.
    pub target: String,
    /// Label `site`.
    pub site: String,
}

impl What {
    pub(super) fn of(labels: &Labels) -> Self {
        let label = |name: &str| labels.get(name).cloned().unwrap_or_default();
        Self {
            function: label("function"),
            capability: label("capability"),
            probe: label("probe"),
            target: label("target"),
            site: label("site"),
        }
    }

    fn is_of(&self, probe: &Self) -> bool {
        (&self.probe, &self.target, &self.site) == (&probe.probe, &probe.target, &probe.site)
    }
}

/// Slots of series that are recorded once per slot: down where they are 0. Several series of the same thing are servers that
/// recorded the same: up where any says so.
pub(super) fn recorded(series: &[Series], first: i64) -> Vec<Failing> {
    let mut all: BTreeMap<What, BTreeMap<i64, bool>> = BTreeMap::new();
    for Series { labels, points } in series {
        let slots = all.entry(What::of(labels)).or_default();
        for point in points.iter().filter(|point| !point.value.is_nan()) {
            *slots.entry(slot(point.millis, first)).or_default() |= point.value > 0.5;
        }
    }
    let failing = |(what, slots): (What, BTreeMap<i64, bool>)| Failing {
        what,
        failed: slots.values().filter(|up| !**up).count(),
        measured: slots.len(),
        reasons: Vec::new(),
    };
    all.into_iter().map(failing).collect()
}

/// Slots of probes out of their samples: down where half or more are bad. As recording-rules/slots.yml has it, but for a lone bad
/// sample, which is enough for a hint: where samples were thinned out for keeping, there are no more.
pub(super) fn sampled(series: &[Series], first: i64) -> Vec<Failing> {
    let mut all: BTreeMap<What, BTreeMap<i64, (usize, usize)>> = BTreeMap::new();
    for Series { labels, points } in series {
        let what = What { function: String::new(), capability: String::new(), ..What::of(labels) };
        let slots = all.entry(what).or_default();
        for point in points.iter().filter(|point| !point.value.is_nan()) {
            let (good, bad) = slots.entry(slot(point.millis, first)).or_default();
            *if point.value > 0.5 { good } else { bad } += 1;
        }
    }
    let failing = |(what, slots): (What, BTreeMap<i64, (usize, usize)>)| {
        let failed = slots.values().filter(|(good, bad)| bad >= good).count();
        let measured = slots.len();
        Failing { what, failed, measured, reasons: Vec::new() }
    };
    all.into_iter().map(failing).collect()
}

/// Which slot a sample is of, counted from the one with the timestamp `first`.
fn slot(millis: i64, first: i64) -> i64 {
    // A slot has its timestamp, and the five minutes before it.
    (millis - first * 1000 - 1).div_euclid(STEP * 1000)
}

/// Adds to `failing` why it failed: increases by probe and reason.
pub(super) fn explain<'a>(failing: impl Iterator<Item = &'a mut Failing>, reasons: &[(What, String, f64)]) {
    for failing in failing {
        let own = reasons.iter().filter(|(probe, _, count)| probe.is_of(&failing.what) && *count > 0.0);
        #[allow(clippy::cast_possible_truncation)] // a count, above 0
        let counted = own.map(|(_, reason, count)| (reason.clone(), (count.round() as u64).max(1)));
        failing.reasons = counted.collect();
        failing.reasons.sort_by(|a, b| (b.1, &a.0).cmp(&(a.1, &b.0)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prometheus_api::Point;

    const FIRST: i64 = 1_000_047;

    fn series(pairs: &[(&str, &str)], points: &[(i64, f64)]) -> Series {
        Series {
            labels: pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            points: points.iter().map(|(at, value)| Point { millis: FIRST * 1000 + at, value: *value }).collect(),
        }
    }

    #[test]
    fn a_recorded_slot_is_down_where_no_server_says_up() {
        let a = series(&[("probe", "p"), ("replica", "a")], &[(0, 0.0), (300_000, 0.0), (600_000, f64::NAN)]);
        let b = series(&[("probe", "p"), ("replica", "b")], &[(-20_000, 0.0), (280_000, 1.0)]);
        let found = recorded(&[a, b], FIRST);
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].failed, found[0].measured), (1, 2));
    }

    #[test]
    fn a_sampled_slot_is_down_with_half_of_its_samples() {
        for (samples, failed, measured) in [
            (&[(-240_000, 1.0), (-180_000, 0.0)][..], 1, 1),
            (&[(-240_000, 0.0)], 1, 1),
            (&[(-240_000, 1.0)], 0, 1),
            (&[(-240_000, 0.0), (-180_000, 0.0)], 1, 1),
            (&[(-240_000, 1.0), (-180_000, 0.0), (-120_000, 0.0), (0, 1.0)], 1, 1),
            (&[(-240_000, 1.0), (-180_000, 1.0), (-120_000, 0.0), (-60_000, 0.0), (0, 1.0)], 0, 1),
            // Of two slots: the end belongs to the first, what is a moment later to the second.
            (&[(-1, 0.0), (0, 0.0), (1, 1.0)], 1, 2),
        ] {
            let found = sampled(&[series(&[("probe", "p")], samples)], FIRST);
            assert_eq!((found[0].failed, found[0].measured), (failed, measured), "{samples:?}");
        }
    }

    #[test]
    fn the_worst_are_listed_and_the_others_counted() {
        let failing = |probe: usize, failed| Failing {
            what: What { probe: format!("p{probe:02}"), ..What::default() },
            failed,
            measured: 9,
            reasons: Vec::new(),
        };
        let listed = Listed::worst((0..25).map(|probe| failing(probe, probe % 5)).collect());
        assert_eq!((listed.first.len(), listed.more), (20, Some(0)));
        assert_eq!((listed.first[0].what.probe.as_str(), listed.first[0].failed), ("p04", 4));
        let listed = Listed::worst((0..25).map(|probe| failing(probe, 1)).collect());
        assert_eq!((listed.first.len(), listed.more), (20, Some(5)));
    }

    #[test]
    fn reasons_are_those_of_the_same_probe_target_and_site_the_commonest_first() {
        let what = |target: &str, site: &str| What {
            probe: "p".to_owned(),
            target: target.to_owned(),
            site: site.to_owned(),
            ..What::default()
        };
        let mut failing = Failing { what: what("t", "s"), failed: 1, measured: 1, reasons: Vec::new() };
        failing.what.capability = "web_app".to_owned();
        let reasons = [
            (what("t", "s"), "dns".to_owned(), 0.2),
            (what("t", "s"), "timeout".to_owned(), 7.4),
            (what("t", "s"), "tls".to_owned(), 0.0),
            (what("u", "s"), "status".to_owned(), 9.0),
            (what("t", "other"), "status".to_owned(), 9.0),
        ];
        explain([&mut failing].into_iter(), &reasons);
        assert_eq!(failing.reasons, [("timeout".to_owned(), 7), ("dns".to_owned(), 1)]);
    }
}
