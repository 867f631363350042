//! Months and ledgers, second by second: the slow calculation the fast one is compared with.
//!
//! It shares no code with the crate: the zones are another library's, every entry is asked anew what it makes of a second, and
//! a month is the seconds that are its own. Stretches in which nothing begins or ends are counted at once, as long as their
//! first, middle and last second agree.

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike as _, NaiveDate, Timelike as _, Weekday};
use chrono_tz::Tz;
use sla_exporter::ledger::{Cause, Incident, Ledger, Maintenance};

/// 14 days.
const NOTICE: i64 = 14 * 86_400;

/// What is known of one function's month.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sums {
    pub(crate) calendar: i64,
    pub(crate) service: i64,
    pub(crate) elapsed: i64,
    /// Planned, upstream, force majeure.
    pub(crate) excluded: [i64; 3],
    pub(crate) judged: i64,
}

/// Year and month.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Name(pub(crate) i32, pub(crate) u32);

impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:04}-{:02}", self.0, self.1)
    }
}

impl Name {
    /// So many months later, or earlier.
    pub(crate) fn plus(self, months: i32) -> Self {
        let count = self.0 * 12 + i32::try_from(self.1).unwrap() - 1 + months;
        Self(count.div_euclid(12), u32::try_from(count.rem_euclid(12)).unwrap() + 1)
    }
}

/// The date and time the zone's clocks show.
fn shown(second: i64, zone: Tz) -> chrono::NaiveDateTime {
    DateTime::from_timestamp(second, 0).unwrap().with_timezone(&zone).naive_local()
}

/// The first second at which the clocks show the month's first day or later. Offsets of these years are whole minutes.
pub(crate) fn begins(month: Name, zone: Tz) -> i64 {
    let first = NaiveDate::from_ymd_opt(month.0, month.1, 1).unwrap();
    let near = first.and_hms_opt(0, 0, 0).unwrap().and_utc().timestamp();
    (near - 26 * 3600..near + 26 * 3600).step_by(60).find(|second| shown(*second, zone).date() >= first).unwrap()
}

/// The month whose seconds `second` is one of.
pub(crate) fn month_of(second: i64, zone: Tz) -> Name {
    let date = shown(second, zone).date();
    let guess = Name(date.year(), date.month());
    let months = [guess.plus(1), guess, guess.plus(-1)];
    months.into_iter().find(|month| begins(*month, zone) <= second).unwrap()
}

/// Every second of the stop is shown by the clocks as between Friday 21:00 and Monday 3:00.
pub(crate) fn is_in_slot(stop: &Maintenance, zone: Tz) -> bool {
    let inside = |second: i64| {
        let shown = shown(second, zone);
        match shown.weekday() {
            Weekday::Fri => shown.hour() >= 21,
            Weekday::Sat | Weekday::Sun => true,
            Weekday::Mon => shown.hour() < 3,
            _ => false,
        }
    };
    let (start, end) = (stop.start.as_second(), stop.end.as_second());
    (start..end).step_by(60).all(inside) && inside(end - 1)
}

pub(crate) fn is_announced_in_time(stop: &Maintenance) -> bool {
    stop.announced_at.is_some_and(|at| stop.start.as_second() >= at.as_second() + NOTICE)
}

/// The stops that are taken out, whole or in part.
pub(crate) fn excluded_stops<'a>(ledger: &'a Ledger, function: &'a str) -> impl Iterator<Item = &'a Maintenance> {
    let stops = ledger.maintenance.iter().filter(|stop| stop.cancelled_at.is_none() && is_announced_in_time(stop));
    stops.filter(move |stop| stop.functions.iter().any(|name| name == function))
}

pub(crate) fn incidents<'a>(ledger: &'a Ledger, function: &'a str) -> impl Iterator<Item = &'a Incident> {
    ledger.incidents.iter().filter(move |incident| incident.functions.iter().any(|name| name == function))
}

/// What the ledger makes of one second of a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Second {
    Planned,
    Upstream,
    ForceMajeure,
    Up,
    Down,
    Undecided,
}

fn judge(second: i64, ledger: &Ledger, function: &str, now: i64) -> Second {
    let (mut planned, mut overrun) = (false, false);
    for stop in excluded_stops(ledger, function) {
        let finished = stop.finished_at.map(jiff::Timestamp::as_second);
        let is_done = finished.is_some_and(|finished| second >= finished);
        let (start, end) = (stop.start.as_second(), stop.end.as_second());
        planned |= second >= start && second < end && !is_done;
        overrun |= second >= end && finished.is_some() && !is_done && second < now;
    }
    let happened = |wanted: fn(&Cause) -> bool| {
        incidents(ledger, function).any(|incident| {
            incident.cause.as_ref().is_some_and(wanted)
                && second < now
                && second >= incident.started_at.as_second()
                && incident.resolved_at.is_none_or(|at| second < at.as_second())
        })
    };
    if planned {
        Second::Planned
    } else if happened(|cause| matches!(cause, Cause::Upstream(_))) {
        Second::Upstream
    } else if happened(|cause| *cause == Cause::ForceMajeure) {
        Second::ForceMajeure
    } else if happened(|cause| *cause == Cause::FalseAlarm) {
        Second::Up
    } else if overrun || happened(|cause| *cause == Cause::Internal) {
        Second::Down
    } else {
        Second::Undecided
    }
}

/// The months `from..=to` of a function.
pub(crate) fn months(
    ledger: &Ledger,
    function: &str,
    zone: Tz,
    now: i64,
    from: Name,
    to: Name,
) -> BTreeMap<Name, Sums> {
    let mut edges = vec![now];
    for stop in &ledger.maintenance {
        edges.extend(
            [Some(stop.start), Some(stop.end), stop.finished_at].into_iter().flatten().map(jiff::Timestamp::as_second),
        );
    }
    for incident in &ledger.incidents {
        edges.push(incident.started_at.as_second());
        edges.extend(incident.resolved_at.map(jiff::Timestamp::as_second));
    }
    let mut all = BTreeMap::new();
    let mut month = from;
    while month <= to {
        let (start, end) = (begins(month, zone), begins(month.plus(1), zone));
        let mut own: Vec<i64> = edges.iter().copied().filter(|edge| start < *edge && *edge < end).collect();
        own.extend([start, end]);
        own.sort_unstable();
        own.dedup();
        let mut sums = Sums::default();
        for pair in own.windows(2) {
            let (first, seconds) = (pair[0], pair[1] - pair[0]);
            let verdict = judge(first, ledger, function, now);
            for other in [first + seconds / 2, pair[1] - 1] {
                assert_eq!(judge(other, ledger, function, now), verdict, "an edge is missing between {pair:?}");
            }
            sums.calendar += seconds;
            match verdict {
                Second::Planned => sums.excluded[0] += seconds,
                Second::Upstream => sums.excluded[1] += seconds,
                Second::ForceMajeure => sums.excluded[2] += seconds,
                Second::Up | Second::Down | Second::Undecided => {
                    sums.service += seconds;
                    sums.elapsed += if first < now { seconds } else { 0 };
                    sums.judged += if verdict == Second::Down { seconds } else { 0 };
                }
            }
        }
        all.insert(month, sums);
        month = month.plus(1);
    }
    all
}
