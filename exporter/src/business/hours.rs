//! A calendar of business days and hours in one zone: open or closed, what comes next, how much of it lies between two moments.
//!
//! Hours are what clocks on the wall show; where those are changed, an opening hour may be longer or shorter. Pure.

use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

use super::japan;
use crate::span::Span;

/// Days that are looked through for the next opening: more than any holidays last.
const HORIZON: i32 = 400;

/// From one time of day to another, the second not included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shift {
    /// Opens.
    pub from: Time,
    /// Closes; midnight (`00:00`) is the end of the day.
    pub to: Time,
}

/// Whose public holidays are days off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holidays {
    /// Nobody's.
    None,
    /// Japan's, computed.
    Japan,
}

/// Days off of the company.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closed {
    /// From one date to another, both included.
    Dates(Date, Date),
    /// Each year from one (month, day) to another, both included; `(12, 28)` to `(1, 4)` goes over the new year.
    Yearly((i8, i8), (i8, i8)),
}

impl Closed {
    fn covers(&self, day: Date) -> bool {
        match *self {
            Self::Dates(first, last) => (first..=last).contains(&day),
            Self::Yearly(from, to) => {
                let day = (day.month(), day.day());
                if from <= to { (from..=to).contains(&day) } else { day >= from || day <= to }
            }
        }
    }
}

/// What the end of a business day is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DayEnd {
    /// Its last closing time.
    Closing,
    /// The midnight after it.
    Midnight,
}

/// When somebody is there (C3.2).
#[derive(Clone, Debug, PartialEq)]
pub struct Calendar {
    /// Whose clocks.
    pub zone: TimeZone,
    /// Monday first.
    pub weekdays: [bool; 7],
    /// In order, without overlaps; the same on every business day.
    pub shifts: Vec<Shift>,
    /// Public holidays.
    pub holidays: Holidays,
    /// The company's own.
    pub closed: Vec<Closed>,
}

impl Calendar {
    /// Whether `day` is one on which somebody is there.
    #[must_use]
    pub fn is_business_day(&self, day: Date) -> bool {
        self.weekdays[index(day.weekday())]
            && !(self.holidays == Holidays::Japan && japan::is_holiday(day))
            && !self.closed.iter().any(|closed| closed.covers(day))
    }

    /// Whether `now` (seconds since the epoch) lies on a business day.
    #[must_use]
    pub fn is_business_day_at(&self, now: i64) -> bool {
        self.is_business_day(self.date(now))
    }

    /// Whether somebody is there at `now` (seconds since the epoch).
    #[must_use]
    pub fn is_open(&self, now: i64) -> bool {
        self.on(self.date(now)).any(|span| span.start() <= now && now < span.end())
    }

    /// When that changes next; `None` where it does not within a year.
    #[must_use]
    pub fn next_change(&self, now: i64) -> Option<i64> {
        let today = self.date(now);
        // Shifts that touch, over midnight too, are one.
        let edge = |moment: &i64| *moment > now && self.is_open(*moment) != self.is_open(*moment - 1);
        self.days(today).flat_map(|day| self.on(day).flat_map(|span| [span.start(), span.end()])).find(edge)
    }

    /// The end of the `days`th business day after the one `received` (seconds since the epoch) lies on: with 1, what C3.4
    /// promises. It counts from the date, whether somebody was there or not: a mail of Saturday is due on Monday.
    ///
    /// `None` where there is no such day within a year.
    #[must_use]
    pub fn due(&self, received: i64, days: u32, end: DayEnd) -> Option<i64> {
        let mut left = days;
        for day in self.days(self.date(received)).skip(1) {
            if self.is_business_day(day) {
                left = left.saturating_sub(1);
                if left == 0 {
                    return match end {
                        DayEnd::Closing => self.on(day).last().map(Span::end),
                        DayEnd::Midnight => self.moment(day.tomorrow().ok()?, Time::midnight()),
                    };
                }
            }
        }
        None
    }

    /// Seconds of business hours from one moment to a later one; at most a year is looked at.
    #[must_use]
    pub fn open_seconds(&self, from: i64, to: i64) -> i64 {
        let spans = self.days(self.date(from)).flat_map(|day| self.on(day)).take_while(|span| span.start() < to);
        spans.map(|span| (span.end().min(to) - span.start().max(from)).max(0)).sum()
    }

    /// The spans of `day` in which somebody is there.
    fn on(&self, day: Date) -> impl Iterator<Item = Span> {
        let shifts = if self.is_business_day(day) { self.shifts.as_slice() } else { &[] };
        shifts.iter().filter_map(move |shift| {
            let end = if shift.to == Time::midnight() { day.tomorrow().ok()? } else { day };
            // Clocks that jump over an opening hour leave nothing of it.
            Span::new(self.moment(day, shift.from)?, self.moment(end, shift.to)?)
        })
    }

    fn days(&self, first: Date) -> impl Iterator<Item = Date> {
        (0..HORIZON).map_while(move |n| first.checked_add(n.days()).ok())
    }

    fn date(&self, now: i64) -> Date {
        let limit = if now < 0 { Timestamp::MIN } else { Timestamp::MAX };
        self.zone.to_datetime(Timestamp::from_second(now).unwrap_or(limit)).date()
    }

    fn moment(&self, day: Date, time: Time) -> Option<i64> {
        Some(self.zone.to_ambiguous_timestamp(day.to_datetime(time)).compatible().ok()?.as_second())
    }
}

/// Monday to Friday.
pub const WEEKDAYS: [bool; 7] = [true, true, true, true, true, false, false];

/// Where in [`Calendar::weekdays`] a day stands.
#[must_use]
pub fn index(day: Weekday) -> usize {
    usize::try_from(day.to_monday_zero_offset()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use jiff::civil::{date, time};

    use super::*;

    /// C3.2 as it stands.
    fn contract() -> Calendar {
        Calendar {
            zone: TimeZone::get("Asia/Tokyo").unwrap(),
            weekdays: WEEKDAYS,
            shifts: vec![
                Shift { from: time(10, 0, 0, 0), to: time(12, 0, 0, 0) },
                Shift { from: time(13, 0, 0, 0), to: time(18, 0, 0, 0) },
            ],
            holidays: Holidays::Japan,
            closed: vec![Closed::Yearly((12, 28), (1, 4)), Closed::Dates(date(2026, 8, 13), date(2026, 8, 14))],
        }
    }

    fn at(text: &str) -> i64 {
        format!("{text}+09:00").parse::<Timestamp>().unwrap().as_second()
    }

    #[test]
    fn open_in_the_contracts_hours_and_no_second_longer() {
        let calendar = contract();
        for (moment, open) in [
            ("2026-11-24T09:59:59", false),
            ("2026-11-24T10:00:00", true),
            ("2026-11-24T11:59:59", true),
            ("2026-11-24T12:00:00", false),
            ("2026-11-24T13:00:00", true),
            ("2026-11-24T17:59:59", true),
            ("2026-11-24T18:00:00", false),
            ("2026-11-23T11:00:00", false), // 勤労感謝の日
            ("2026-11-22T11:00:00", false), // Sunday
            ("2026-12-28T11:00:00", false),
            ("2027-01-04T11:00:00", false),
            ("2027-01-05T11:00:00", true),
            ("2026-08-13T11:00:00", false), // the company's own
            ("2026-08-12T11:00:00", true),
        ] {
            assert_eq!(calendar.is_open(at(moment)), open, "{moment}");
        }
    }

    #[test]
    fn what_comes_next_is_an_opening_or_a_closing() {
        let calendar = contract();
        for (now, next) in [
            ("2026-11-24T09:00:00", "2026-11-24T10:00:00"),
            ("2026-11-24T10:00:00", "2026-11-24T12:00:00"),
            ("2026-11-24T12:00:00", "2026-11-24T13:00:00"),
            ("2026-11-20T18:00:00", "2026-11-24T10:00:00"), // over a weekend and a holiday
            ("2026-12-25T18:00:00", "2027-01-05T10:00:00"),
        ] {
            assert_eq!(calendar.next_change(at(now)), Some(at(next)), "{now}");
        }
        let never = Calendar { shifts: Vec::new(), ..contract() };
        assert_eq!((never.next_change(0), never.due(0, 1, DayEnd::Closing)), (None, None));
    }

    #[test]
    fn shifts_that_touch_are_one() {
        let always = Calendar {
            weekdays: [true; 7],
            shifts: vec![Shift { from: Time::midnight(), to: Time::midnight() }],
            holidays: Holidays::None,
            closed: vec![Closed::Dates(date(2026, 11, 25), date(2026, 11, 25))],
            ..contract()
        };
        assert_eq!(always.next_change(at("2026-11-23T12:00:00")), Some(at("2026-11-25T00:00:00")));
        assert_eq!(always.next_change(at("2026-11-25T12:00:00")), Some(at("2026-11-26T00:00:00")));
    }

    #[test]
    fn an_answer_is_due_at_the_end_of_the_next_business_day() {
        let calendar = contract();
        for (received, due) in [
            ("2026-11-24T09:00:00", "2026-11-25T18:00:00"),
            ("2026-11-24T23:59:59", "2026-11-25T18:00:00"),
            ("2026-11-25T00:00:00", "2026-11-26T18:00:00"),
            ("2026-11-20T17:00:00", "2026-11-24T18:00:00"), // Friday before a long weekend
            ("2026-11-21T08:00:00", "2026-11-24T18:00:00"), // Saturday
            ("2026-11-23T08:00:00", "2026-11-24T18:00:00"), // the holiday
            ("2026-12-27T08:00:00", "2027-01-05T18:00:00"),
            ("2026-04-28T12:00:00", "2026-04-30T18:00:00"),
            ("2026-04-30T12:00:00", "2026-05-01T18:00:00"),
            ("2026-05-01T12:00:00", "2026-05-07T18:00:00"),
        ] {
            assert_eq!(calendar.due(at(received), 1, DayEnd::Closing), Some(at(due)), "{received}");
        }
        let friday = at("2026-11-20T17:00:00");
        assert_eq!(calendar.due(friday, 1, DayEnd::Midnight), Some(at("2026-11-25T00:00:00")));
        assert_eq!(calendar.due(friday, 3, DayEnd::Closing), Some(at("2026-11-26T18:00:00")));
    }

    #[test]
    fn business_time_is_what_second_by_second_counting_gives() {
        // Clocks go back in the night to Sunday and forward months later; opening hours lie over both.
        let odd = Calendar {
            zone: TimeZone::get("America/New_York").unwrap(),
            weekdays: [true, false, true, true, true, false, true],
            shifts: vec![
                Shift { from: time(1, 30, 0, 0), to: time(3, 15, 0, 0) },
                Shift { from: time(22, 0, 0, 0), to: Time::midnight() },
            ],
            holidays: Holidays::None,
            closed: Vec::new(),
        };
        let november = "2026-10-31T12:00:00-04:00".parse::<Timestamp>().unwrap().as_second();
        let march = "2027-03-13T12:00:00-05:00".parse::<Timestamp>().unwrap().as_second();
        for (calendar, start) in [(&odd, november), (&odd, march), (&contract(), at("2026-12-24T00:00:00"))] {
            for (from, to) in [(0, 86_400), (1, 172_801), (50_000, 250_000), (7200, 7200), (9000, 8000)] {
                let slow = (start + from..start + to).filter(|t| calendar.is_open(*t)).count();
                assert_eq!(
                    calendar.open_seconds(start + from, start + to),
                    i64::try_from(slow).unwrap(),
                    "{from} {to}"
                );
            }
        }
    }

    #[test]
    fn moments_out_of_all_calendars_are_no_panic() {
        let calendar = contract();
        for moment in [i64::MIN, -1, 0, 253_402_300_799, i64::MAX] {
            let _ = (calendar.is_open(moment), calendar.next_change(moment), calendar.due(moment, 1, DayEnd::Closing));
            let _ = calendar.open_seconds(0, moment);
        }
    }
}
