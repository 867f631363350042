//! Tickets against the promise of C3.4: what waits now, and how each month went. Pure.

use jiff::tz::TimeZone;

use super::settings::Support;
use super::settled::Settled;
use super::ticket::Ticket;
use crate::calendar::Month;

/// The current month and so many before it, as for availability.
pub const MONTHS_BACK: usize = 13;

/// What tickets come to at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Figures {
    /// Waiting for an answer.
    pub open: usize,
    /// Of those, past their deadline.
    pub overdue: usize,
    /// Of those that are not, the ones whose deadline is near.
    pub due_soon: usize,
    /// The first deadline that is not past among those waiting (seconds since the epoch).
    pub next_due: Option<i64>,
    /// When the first deadline passed of those that are overdue.
    pub overdue_since: Option<i64>,
    /// Newest first, the current month included.
    pub months: Vec<MonthFigures>,
}

/// The tickets received in one month of the contract's zone, wherever their deadlines lie.
#[derive(Clone, Debug, PartialEq)]
pub struct MonthFigures {
    /// Which.
    pub month: Month,
    /// Answered by the deadline.
    pub in_time: usize,
    /// Answered after it.
    pub late: usize,
    /// Not answered, and past it.
    pub overdue: usize,
    /// Not answered, and not past it.
    pub waiting: usize,
    /// Seconds from receipt to answer of those that were answered, shortest first.
    pub elapsed: Vec<i64>,
    /// The same, counting business hours only.
    pub business: Vec<i64>,
}

impl MonthFigures {
    pub(super) fn new(month: Month) -> Self {
        Self { month, in_time: 0, late: 0, overdue: 0, waiting: 0, elapsed: Vec::new(), business: Vec::new() }
    }

    /// One that was answered; without a business day in a year there is no deadline to miss.
    pub(super) fn add_answered(&mut self, received: i64, done: i64, due: Option<i64>, support: &Support) {
        self.elapsed.push(done - received);
        self.business.push(support.calendar.open_seconds(received, done));
        if due.is_some_and(|due| done > due) { self.late += 1 } else { self.in_time += 1 }
    }

    /// One that waits at `now`.
    pub(super) fn add_open(&mut self, due: Option<i64>, now: i64) {
        if due.is_some_and(|due| now > due) { self.overdue += 1 } else { self.waiting += 1 }
    }

    pub(super) fn sort(&mut self) {
        self.elapsed.sort_unstable();
        self.business.sort_unstable();
    }
}

impl Figures {
    /// One that waits at `now`.
    pub(super) fn add_open(&mut self, due: Option<i64>, support: &Support, now: i64) {
        let near = i64::try_from(support.due_soon.as_secs()).unwrap_or(i64::MAX);
        self.open += 1;
        match due {
            Some(due) if now > due => {
                self.overdue += 1;
                self.overdue_since = Some(self.overdue_since.map_or(due, |first| first.min(due)));
            }
            Some(due) => {
                self.next_due = Some(self.next_due.map_or(due, |first| first.min(due)));
                self.due_soon += usize::from(support.calendar.open_seconds(now, due) <= near);
            }
            None => {}
        }
    }
}

/// The value below or at which the share `quantile` of `sorted` lies; of nothing, nothing.
#[must_use]
#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)] // counts are small
pub fn quantile(sorted: &[i64], quantile: f64) -> Option<i64> {
    let rank = (quantile * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.clamp(1, sorted.len().max(1)) - 1).copied()
}

/// What `tickets` come to at `now`; months are those of `zone`, the contract's.
#[must_use]
pub fn figures(tickets: &[Ticket], support: &Support, zone: &TimeZone, now: i64) -> Figures {
    Settled::of(tickets, support, zone, now).figures(support, zone, now)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jiff::Timestamp;
    use jiff::civil::time;

    use super::*;
    use crate::business::hours::WEEKDAYS;
    use crate::business::{Calendar, DayEnd, Holidays, Shift};

    fn support() -> Support {
        Support {
            calendar: Calendar {
                zone: TimeZone::get("Asia/Tokyo").unwrap(),
                weekdays: WEEKDAYS,
                shifts: vec![
                    Shift { from: time(10, 0, 0, 0), to: time(12, 0, 0, 0) },
                    Shift { from: time(13, 0, 0, 0), to: time(18, 0, 0, 0) },
                ],
                holidays: Holidays::Japan,
                closed: Vec::new(),
            },
            answer_within: 1,
            day_end: DayEnd::Closing,
            due_soon: Duration::from_secs(3 * 3600),
            tickets: None,
        }
    }

    fn at(text: &str) -> i64 {
        format!("{text}:00+09:00").parse::<Timestamp>().unwrap().as_second()
    }

    fn ticket(received: &str, done: Option<&str>) -> Ticket {
        Ticket { received_at: at(received), done_at: done.map(at) }
    }

    fn of(tickets: &[Ticket], now: &str) -> Figures {
        figures(tickets, &support(), &support().calendar.zone, at(now))
    }

    #[test]
    fn a_ticket_waits_is_due_soon_and_overdue() {
        let open = [ticket("2026-11-20T17:00", None)]; // due on Tuesday 24th at 18:00: Monday is a holiday
        for (now, expected) in [
            ("2026-11-20T16:59", (0, 0, 0, None)),
            ("2026-11-20T17:00", (1, 0, 0, Some("2026-11-24T18:00"))),
            ("2026-11-24T14:59", (1, 0, 0, Some("2026-11-24T18:00"))),
            ("2026-11-24T15:00", (1, 0, 1, Some("2026-11-24T18:00"))),
            ("2026-11-24T18:00", (1, 0, 1, Some("2026-11-24T18:00"))),
            ("2026-11-24T18:01", (1, 1, 0, None)),
        ] {
            let found = of(&open, now);
            assert_eq!(
                (found.open, found.overdue, found.due_soon, found.next_due),
                {
                    let (open, overdue, soon, due) = expected;
                    (open, overdue, soon, due.map(at))
                },
                "{now}"
            );
        }
        assert_eq!(of(&open, "2026-11-25T09:00").overdue_since, Some(at("2026-11-24T18:00")));
    }

    #[test]
    fn a_month_is_what_was_received_in_it() {
        let tickets = [
            ticket("2026-10-30T11:00", Some("2026-11-02T18:00")), // Friday; Monday's end is in time
            ticket("2026-10-30T11:00", Some("2026-11-02T18:01")), // a minute late
            ticket("2026-10-31T23:59", None),                     // never answered
            ticket("2026-11-20T11:00", Some("2026-11-20T12:30")),
            ticket("2026-11-20T11:00", None),
            ticket("2020-01-01T00:00", Some("2020-01-02T00:00")), // before all months
        ];
        let found = of(&tickets, "2026-11-24T12:00");
        assert_eq!(found.months.len(), 14);
        let counts = |month: &MonthFigures| (month.in_time, month.late, month.overdue, month.waiting);
        assert_eq!((counts(&found.months[0]), counts(&found.months[1])), ((1, 0, 0, 1), (1, 1, 1, 0)));
        assert_eq!((found.open, found.overdue), (2, 1));
        assert_eq!((&found.months[0].elapsed, &found.months[0].business), (&vec![5400], &vec![3600]));
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(300))]
        /// What was worked out earlier comes to the same as what is worked out now, whatever was answered in between.
        #[test]
        fn what_was_settled_stays_so(
            tickets in proptest::collection::vec((0_i64..200 * 86_400, proptest::option::of(0_i64..30 * 86_400)), 0..40),
            then in 0_i64..230 * 86_400,
            later in 0_i64..60 * 86_400,
        ) {
            let start = at("2026-05-01T00:00");
            let ticket = |(received, took): &(i64, Option<i64>)| {
                Ticket { received_at: start + received, done_at: took.map(|took| start + received + took) }
            };
            let tickets: Vec<Ticket> = tickets.iter().map(ticket).collect();
            let (support, zone) = (support(), support().calendar.zone);
            let now = start + then + later;
            let settled = Settled::of(&tickets, &support, &zone, start + then);
            proptest::prop_assert!(settled.is_of(&support, &zone, now));
            proptest::prop_assert_eq!(settled.figures(&support, &zone, now), figures(&tickets, &support, &zone, now));
        }
    }

    #[test]
    fn another_calendar_or_zone_or_an_earlier_clock_is_worked_out_anew() {
        let (ours, zone) = (support(), support().calendar.zone);
        let settled = Settled::of(&[], &ours, &zone, 1000);
        assert!(settled.is_of(&ours, &zone, 1000) && !settled.is_of(&ours, &zone, 999));
        let other = Support { answer_within: 2, ..support() };
        assert!(!settled.is_of(&other, &zone, 1000) && !settled.is_of(&ours, &TimeZone::UTC, 1000));
    }

    #[test]
    fn quantiles_are_values_that_occurred() {
        let sorted: Vec<i64> = (1..=10).collect();
        for (share, expected) in [(0.0, 1), (0.5, 5), (0.51, 6), (0.9, 9), (0.91, 10), (1.0, 10)] {
            assert_eq!(quantile(&sorted, share), Some(expected), "{share}");
        }
        assert_eq!((quantile(&[7], 0.5), quantile(&[], 0.5)), (Some(7), None));
    }
}
