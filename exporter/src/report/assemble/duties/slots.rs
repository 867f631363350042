//! A duty by the recording rules' verdicts.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{ENOUGH, Verdict};
use crate::report::duties::{Stretch, Watched};
use crate::report::model::{Breach, BreachKind, DutyEvidence, DutyState, MOST_BREACHES, Missing};

/// In `[from, to)`; by days of `days` where it is given.
pub(super) fn verdict(watched: &Watched, (from, to): (i64, i64), days: Option<&TimeZone>) -> Verdict {
    let sum = |stretches: &[Stretch]| -> i64 { stretches.iter().map(|stretch| stretch.seconds(from, to)).sum() };
    let expected_seconds = to - from;
    let broken_seconds = sum(&watched.broken);
    let measured_seconds = sum(&watched.kept) + broken_seconds;
    let days = days.map(|zone| days_of(watched, (from, to), zone));
    let enough = match days {
        Some((expected, measured)) => expected > 0 && measured == expected,
        #[allow(clippy::cast_precision_loss)]
        None => expected_seconds > 0 && measured_seconds as f64 >= ENOUGH * expected_seconds as f64,
    };
    let state = match broken_seconds {
        1.. => DutyState::NotKept,
        _ if enough => DutyState::Kept,
        _ => DutyState::NotMeasured,
    };
    let breaches = watched.items.iter().filter_map(|(item, stretches)| breach(item, stretches, (from, to))).collect();
    let mut missing: Vec<Missing> = watched
        .missing
        .iter()
        .map(|(item, stretches)| Missing { item: item.clone(), seconds: sum(stretches) })
        .filter(|missing| missing.seconds > 0)
        .collect();
    missing.sort_by_key(|missing| std::cmp::Reverse(missing.seconds));
    missing.truncate(MOST_BREACHES);
    let evidence = DutyEvidence::Slots {
        expected_seconds,
        measured_seconds,
        broken_seconds,
        expected_days: days.map(|(expected, _)| expected),
        measured_days: days.map(|(_, measured)| measured),
    };
    Verdict { state, evidence, breaches, missing }
}

fn breach(item: &str, stretches: &[Stretch], (from, to): (i64, i64)) -> Option<Breach> {
    let within: Vec<Stretch> = stretches
        .iter()
        .filter(|stretch| stretch.seconds(from, to) > 0)
        .map(|stretch| Stretch { start: stretch.start.max(from), end: stretch.end.min(to) })
        .collect();
    let (first, last) = (within.first()?, within.last()?);
    Some(Breach {
        item: item.to_owned(),
        how: BreachKind::Measured,
        start: Some(first.start),
        end: Some(last.end),
        seconds: within.iter().map(|stretch| stretch.end - stretch.start).sum(),
        stretches: within.len(),
    })
}

/// Days of the zone in `[from, to)`, and of those the ones with a verdict. One that has only begun counts once it has a verdict: it is
/// not over.
fn days_of(watched: &Watched, (from, to): (i64, i64), zone: &TimeZone) -> (i64, i64) {
    let known = || watched.kept.iter().chain(&watched.broken);
    let (mut expected, mut measured, mut day) = (0, 0, from);
    while day < to {
        let next = tomorrow(day, zone).unwrap_or(to).max(day + 1);
        let seen = known().any(|stretch| stretch.seconds(day, next.min(to)) > 0);
        if seen || next <= to {
            expected += 1;
            measured += i64::from(seen);
        }
        day = next;
    }
    (expected, measured)
}

/// The first second of the day after the one of `at`.
fn tomorrow(at: i64, zone: &TimeZone) -> Option<i64> {
    let day = zone.to_datetime(Timestamp::from_second(at).ok()?).date().tomorrow().ok()?;
    Some(day.to_zoned(zone.clone()).ok()?.timestamp().as_second())
}
