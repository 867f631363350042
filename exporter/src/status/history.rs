//! What was measured, as customers see it: ninety days, this month and the last.
//!
//! The figures are the report's own ([`assemble`]), and a day is a report's month of one day: nothing is calculated here a
//! second time. Pure: slots and the time are parameters. Not for: asking for slots (`refresh`), drawing days (`html`).

use std::collections::BTreeMap;

use jiff::ToSpan as _;
use jiff::civil::{Date, Time};

use crate::calendar::{Month, first_moment};
use crate::config::Config;
use crate::contract::Contract;
use crate::report::assemble::{Input, assemble, first_second};
use crate::report::duties::Watch;
use crate::report::figures::{Frame, figures};
use crate::report::model::{Report, Source};
use crate::report::slots::{Slot, beat};
use crate::span::Span;
use crate::windows::{Rulings, Window, windows};

/// How many days are shown, today among them.
pub const DAYS: i32 = 90;

/// The slots of all functions, as one answer of Prometheus had them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Measurements {
    /// When it was asked, seconds since the epoch.
    pub at: i64,
    /// Of which contract.
    pub contract: String,
    /// By function, in order, one per five minutes of the clock; since [`first`].
    pub slots: BTreeMap<String, Vec<Slot>>,
}

/// What is shown of them.
#[derive(Clone, Debug)]
pub struct History {
    /// The moment all of it is of.
    pub at: i64,
    /// By function: each day, the oldest first.
    pub days: BTreeMap<String, Vec<Day>>,
    /// The reports of this month and the one before, without slots.
    pub months: [Report; 2],
    /// By function: the last slot that was up.
    pub last_up: BTreeMap<String, i64>,
}

/// One function's day, up to [`History::at`]. Its seconds add up to those of the day that have passed, but for what nobody owed
/// and for a slot that is not there yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Day {
    /// Which.
    pub date: Date,
    /// Seconds down, judged or measured.
    pub down: i64,
    /// Seconds that do not count: planned stops, upstream platforms, force majeure.
    pub excluded: i64,
    /// Seconds that nobody measured.
    pub unmeasured: i64,
    /// Seconds up, measured or judged.
    pub up: i64,
}

/// The first second of which slots are needed at `now`.
#[must_use]
pub fn first(contract: &Contract, now: i64) -> i64 {
    let month = Month::containing(now, &contract.timezone).previous().span(&contract.timezone).start();
    dates(contract, now).next().and_then(|date| midnight(contract, date)).map_or(month, |day| day.min(month))
}

/// The days that are shown at `now`.
fn dates(contract: &Contract, now: i64) -> impl Iterator<Item = Date> {
    let moment = jiff::Timestamp::from_second(now).unwrap_or_default();
    let today = contract.timezone.to_datetime(moment).date();
    (0..DAYS).rev().filter_map(move |back| today.checked_sub(back.days()).ok())
}

fn midnight(contract: &Contract, date: Date) -> Option<i64> {
    first_moment(date.to_datetime(Time::midnight()), &contract.timezone)
}

impl History {
    /// What `measured` amounts to under the contract and ledger of `config`; nothing where it is of another contract.
    #[must_use]
    pub fn of(config: &Config, measured: &Measurements) -> Option<Self> {
        let contract = &config.contract;
        if measured.contract != contract.name {
            return None;
        }
        let now = measured.at;
        let this = Month::containing(now, &contract.timezone);
        let report = |month| {
            let input = Input {
                contract,
                ledger: &config.ledger,
                month,
                now,
                slots: &measured.slots,
                past: &[],
                sent: &[],
                watch: &Watch::default(),
                source: &Source::default(),
                revision: None,
            };
            let mut report = assemble(&input);
            // Not shown, and most of its memory.
            report.functions.iter_mut().for_each(|function| function.slots = Vec::new());
            report
        };
        let windows = windows(contract, &config.ledger, Rulings::All);
        let beat = beat(measured.slots.values().map(Vec::as_slice));
        let days = contract.functions.iter().map(|function| {
            let slots = measured.slots.get(&function.name).map_or(&[][..], Vec::as_slice);
            let days =
                dates(contract, now).filter_map(|date| day(contract, &function.name, date, now, beat, slots, &windows));
            (function.name.clone(), days.collect())
        });
        let last_up = measured
            .slots
            .iter()
            .filter_map(|(function, slots)| Some((function.clone(), slots.iter().rev().find(|slot| slot.up)?.at)));
        Some(Self {
            at: now,
            days: days.collect(),
            months: [report(this), report(this.previous())],
            last_up: last_up.collect(),
        })
    }
}

fn day(
    contract: &Contract,
    function: &str,
    date: Date,
    now: i64,
    beat: i64,
    slots: &[Slot],
    windows: &[Window],
) -> Option<Day> {
    let (start, end) = (midnight(contract, date)?, midnight(contract, date.tomorrow().ok()?)?);
    // What is planned for later today has not happened.
    let Some(span) = Span::new(start, end.min(now)) else {
        return Some(Day { date, down: 0, excluded: 0, unmeasured: 0, up: 0 });
    };
    let frame = Frame::new(span, now, first_second(contract), beat);
    let figures = figures(&frame, function, 1.0, slots, windows);
    let excluded = figures.excluded;
    let judged = crate::months::Judged::of(windows, function, span, now);
    Some(Day {
        date,
        down: figures.downtime_seconds,
        excluded: excluded.planned_seconds + excluded.upstream_seconds + excluded.force_majeure_seconds,
        unmeasured: figures.unmeasured_seconds,
        up: figures.up_seconds + judged.up.seconds(),
    })
}
