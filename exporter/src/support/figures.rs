//! Tickets against the promise of C3.4: what waits now, and how each month went. Pure.

use jiff::tz::TimeZone;

use super::settings::Support;
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
    fn new(month: Month) -> Self {
        Self { month, in_time: 0, late: 0, overdue: 0, waiting: 0, elapsed: Vec::new(), business: Vec::new() }
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
    let mut month = Month::containing(now, zone);
    let mut months = Vec::with_capacity(MONTHS_BACK + 1);
    for _ in 0..=MONTHS_BACK {
        months.push(MonthFigures::new(month));
        month = month.previous();
    }
    let mut figures = Figures { open: 0, overdue: 0, due_soon: 0, next_due: None, overdue_since: None, months };
    let near = i64::try_from(support.due_soon.as_secs()).unwrap_or(i64::MAX);
    for ticket in tickets.iter().filter(|ticket| ticket.received_at <= now) {
        let due = support.calendar.due(ticket.received_at, support.answer_within, support.day_end);
        // An answer of the future is none yet: clocks differ.
        let done = ticket.done_at.filter(|done| *done <= now);
        // Without a business day in a year there is no deadline to miss.
        let past = |moment: i64| due.is_some_and(|due| moment > due);
        if done.is_none() {
            figures.open += 1;
            match due {
                Some(due) if now > due => {
                    figures.overdue += 1;
                    figures.overdue_since = Some(figures.overdue_since.map_or(due, |first| first.min(due)));
                }
                Some(due) => {
                    figures.next_due = Some(figures.next_due.map_or(due, |first| first.min(due)));
                    figures.due_soon += usize::from(support.calendar.open_seconds(now, due) <= near);
                }
                None => {}
            }
        }
        let received = Month::containing(ticket.received_at, zone);
        let Some(month) = figures.months.iter_mut().find(|month| month.month == received) else { continue };
        match done {
            Some(done) => {
                month.elapsed.push(done - ticket.received_at);
                month.business.push(support.calendar.open_seconds(ticket.received_at, done));
                if past(done) { month.late += 1 } else { month.in_time += 1 }
            }
            None if past(now) => month.overdue += 1,
            None => month.waiting += 1,
        }
    }
    for month in &mut figures.months {
        month.elapsed.sort_unstable();
        month.business.sort_unstable();
    }
    figures
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

    #[test]
    fn quantiles_are_values_that_occurred() {
        let sorted: Vec<i64> = (1..=10).collect();
        for (share, expected) in [(0.0, 1), (0.5, 5), (0.51, 6), (0.9, 9), (0.91, 10), (1.0, 10)] {
            assert_eq!(quantile(&sorted, share), Some(expected), "{share}");
        }
        assert_eq!((quantile(&[7], 0.5), quantile(&[], 0.5)), (Some(7), None));
    }
}
