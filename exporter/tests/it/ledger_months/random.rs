//! Ledgers with everything in them: overlaps, open incidents, late and cancelled stops, times at and around months' edges.

use jiff::Timestamp;
use proptest::prelude::*;
use sla_exporter::contract::Text;
use sla_exporter::ledger::{Cause, Incident, Ledger, Maintenance};

/// A moment, before it is known when months begin.
#[derive(Clone, Copy, Debug)]
pub(crate) enum When {
    /// Seconds after now.
    Now(i64),
    /// Seconds after the beginning of the month so many after the current one.
    Month(i32, i64),
}

/// A stop; everything else counts from its start.
#[derive(Clone, Debug)]
pub(crate) struct Stop {
    start: When,
    length: i64,
    notice: Option<i64>,
    /// After the start.
    finished: Option<i64>,
    cancelled: bool,
    emergency: bool,
    functions: u8,
}

#[derive(Clone, Debug)]
pub(crate) struct Failure {
    start: When,
    length: Option<i64>,
    cause: Option<Cause>,
    functions: u8,
}

fn when() -> impl Strategy<Value = When> {
    prop_oneof![
        4 => (-100i64..50, 0i64..86_400).prop_map(|(days, seconds)| When::Now(days * 86_400 + seconds)),
        1 => (-500i64..60, 0i64..86_400).prop_map(|(days, seconds)| When::Now(days * 86_400 + seconds)),
        1 => (-2i64..=2).prop_map(When::Now),
        3 => (-14i32..=2, -3i64..=3).prop_map(|(month, seconds)| When::Month(month, seconds)),
    ]
}

fn length() -> impl Strategy<Value = i64> {
    prop_oneof![1i64..=3, 60i64..86_400, Just(86_400), 86_400i64..86_400 * 4, 86_400i64..86_400 * 70]
}

fn stops() -> impl Strategy<Value = Vec<Stop>> {
    const NOTICE: i64 = 14 * 86_400;
    let notice = prop_oneof![
        1 => Just(None),
        4 => prop::sample::select(vec![0, NOTICE - 1, NOTICE, NOTICE + 1, NOTICE, NOTICE]).prop_map(Some),
        2 => (0..3 * NOTICE).prop_map(Some),
    ];
    let stop = (when(), length(), notice, 0u8..8, 1u8..4, prop::bool::weighted(0.15), any::<bool>());
    let stop = stop.prop_map(|(start, length, notice, finished, functions, cancelled, emergency)| {
        let finished = match finished {
            0 => Some(length),
            1 => Some(length + 1),
            2 => Some((length - 1).max(1)),
            3 => Some(1),
            4 => Some(length * 2),
            _ => None,
        };
        Stop { start, length, notice, finished: finished.filter(|_| !cancelled), cancelled, emergency, functions }
    });
    prop::collection::vec(stop, 0..8)
}

fn failures() -> impl Strategy<Value = Vec<Failure>> {
    let cause = prop::sample::select(vec![
        None,
        Some(Cause::Internal),
        Some(Cause::Internal),
        Some(Cause::Upstream("u".to_owned())),
        Some(Cause::ForceMajeure),
        Some(Cause::FalseAlarm),
    ]);
    let failure = (when(), prop::option::weighted(0.8, length()), cause, 1u8..4)
        .prop_map(|(start, length, cause, functions)| Failure { start, length, cause, functions });
    prop::collection::vec(failure, 0..10)
}

pub(crate) fn entries() -> impl Strategy<Value = (Vec<Stop>, Vec<Failure>)> {
    (stops(), failures())
}

fn functions(bits: u8) -> Vec<String> {
    [(1, "f"), (2, "g")].into_iter().filter(|(bit, _)| bits & bit != 0).map(|(_, name)| name.to_owned()).collect()
}

/// The ledger, where `at` tells when a moment is.
pub(crate) fn ledger((stops, failures): &(Vec<Stop>, Vec<Failure>), at: impl Fn(When) -> i64) -> Ledger {
    let moment = |second: i64| Timestamp::from_second(second).unwrap();
    let maintenance = stops.iter().enumerate().map(|(i, stop)| {
        let start = at(stop.start);
        Maintenance {
            id: format!("m{i}"),
            title: Text::default(),
            text: Text::default(),
            functions: functions(stop.functions),
            announced_at: stop.notice.map(|notice| moment(start - notice)),
            start: moment(start),
            end: moment(start + stop.length),
            finished_at: stop.finished.map(|after| moment(start + after)),
            emergency: stop.emergency,
            cancelled_at: stop.cancelled.then(|| moment(start - 1)),
            notices: Vec::new(),
        }
    });
    let incidents = failures.iter().enumerate().map(|(i, failure)| Incident {
        id: format!("i{i}"),
        title: Text::default(),
        functions: functions(failure.functions),
        cause: failure.cause.clone(),
        started_at: moment(at(failure.start)),
        resolved_at: failure.length.map(|length| moment(at(failure.start) + length)),
        decided: None,
        notices: Vec::new(),
        updates: Vec::new(),
    });
    Ledger { maintenance: maintenance.collect(), incidents: incidents.collect(), ..Ledger::default() }
}
