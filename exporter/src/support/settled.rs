//! Tickets as they were read, with what no longer changes about them worked out once: a page is asked for every few seconds, and a
//! deadline of next spring's holidays is not to be found again for each of a hundred thousand tickets. Pure.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;

use super::figures::{Figures, MONTHS_BACK, MonthFigures};
use super::settings::Support;
use super::ticket::Ticket;
use crate::business::{Calendar, DayEnd};
use crate::calendar::Month;

/// Tickets with their deadlines, as one desk and one zone have them.
#[derive(Debug)]
pub struct Settled {
    terms: Terms,
    /// What was settled then stays so from then on (seconds since the epoch).
    at: i64,
    /// Answered by then, by the month they were received in.
    months: BTreeMap<Month, MonthFigures>,
    /// The others: few, since desks answer.
    moving: Vec<Moving>,
}

/// What a deadline depends on.
#[derive(Clone, Debug, PartialEq)]
struct Terms {
    calendar: Calendar,
    answer_within: u32,
    day_end: DayEnd,
    zone: TimeZone,
}

#[derive(Clone, Copy, Debug)]
struct Moving {
    ticket: Ticket,
    month: Month,
    due: Option<i64>,
}

impl Settled {
    /// Works `tickets` out as they are at `now`; months are those of `zone`, the contract's.
    #[must_use]
    pub fn of(tickets: &[Ticket], support: &Support, zone: &TimeZone, now: i64) -> Self {
        let mut settled =
            Self { terms: Terms::of(support, zone), at: now, months: BTreeMap::new(), moving: Vec::new() };
        for ticket in tickets {
            let month = Month::containing(ticket.received_at, zone);
            let due = support.calendar.due(ticket.received_at, support.answer_within, support.day_end);
            match ticket.done_at {
                // A moment of the future is none yet: clocks differ.
                Some(done) if done <= now && ticket.received_at <= now => {
                    let figures = settled.months.entry(month).or_insert_with(|| MonthFigures::new(month));
                    figures.add_answered(ticket.received_at, done, due, support);
                }
                _ => settled.moving.push(Moving { ticket: *ticket, month, due }),
            }
        }
        settled.months.values_mut().for_each(MonthFigures::sort);
        settled
    }

    /// Whether this is what [`Settled::of`] would say at `now`: same calendar, same zone, and the clock has not gone back.
    #[must_use]
    pub fn is_of(&self, support: &Support, zone: &TimeZone, now: i64) -> bool {
        self.at <= now && self.terms == Terms::of(support, zone)
    }

    /// What the tickets come to at `now`, with the calendar they were worked out with.
    #[must_use]
    pub fn figures(&self, support: &Support, zone: &TimeZone, now: i64) -> Figures {
        let mut month = Month::containing(now, zone);
        let mut months = Vec::with_capacity(MONTHS_BACK + 1);
        for _ in 0..=MONTHS_BACK {
            months.push(self.months.get(&month).cloned().unwrap_or_else(|| MonthFigures::new(month)));
            month = month.previous();
        }
        let mut figures = Figures { open: 0, overdue: 0, due_soon: 0, next_due: None, overdue_since: None, months };
        for Moving { ticket, month, due } in self.moving.iter().filter(|moving| moving.ticket.received_at <= now) {
            let done = ticket.done_at.filter(|done| *done <= now);
            if done.is_none() {
                figures.add_open(*due, support, now);
            }
            let Some(month) = figures.months.iter_mut().find(|known| known.month == *month) else { continue };
            match done {
                Some(done) => month.add_answered(ticket.received_at, done, *due, support),
                None => month.add_open(*due, now),
            }
        }
        figures.months.iter_mut().for_each(MonthFigures::sort);
        figures
    }
}

impl Terms {
    fn of(support: &Support, zone: &TimeZone) -> Self {
        let Support { calendar, answer_within, day_end, .. } = support;
        Self { calendar: calendar.clone(), answer_within: *answer_within, day_end: *day_end, zone: zone.clone() }
    }
}
