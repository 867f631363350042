//! Months and weekdays in Japan, whose clock is nine hours ahead all year round.

use jiff::civil::{Date, Weekday};
use jiff::{SignedDuration, Timestamp, ToSpan as _};

/// Japan's clock minus UTC, in seconds.
const OFFSET: i64 = 9 * 3600;

/// A calendar month in Japan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Month(Date);

impl Month {
    /// The month `now`, in seconds since the epoch, lies in.
    #[must_use]
    pub fn containing(now: i64) -> Self {
        Self(date(now).first_of_month())
    }

    /// This many months earlier; later, where negative.
    #[must_use]
    pub fn back(self, months: i32) -> Self {
        Self(self.0.saturating_sub(months.months()))
    }

    /// First second inside.
    #[must_use]
    pub fn start(self) -> i64 {
        at(self.0, 0, 0)
    }

    /// First second outside.
    #[must_use]
    pub fn end(self) -> i64 {
        self.back(-1).start()
    }

    /// `2026-10`.
    #[must_use]
    pub fn name(self) -> String {
        self.0.strftime("%Y-%m").to_string()
    }

    /// The `nth` such weekday of the month, at a time of day; `24:30` is half past midnight of the day after.
    #[must_use]
    pub fn on(self, nth: i8, weekday: Weekday, (hour, minute): (i64, i64)) -> i64 {
        at(self.0.nth_weekday_of_month(nth, weekday).unwrap_or(self.0), hour, minute)
    }
}

/// The day in Japan.
pub(super) fn date(seconds: i64) -> Date {
    let epoch = Date::constant(1970, 1, 1).to_datetime(jiff::civil::Time::midnight());
    epoch.saturating_add(SignedDuration::from_secs(seconds + OFFSET)).date()
}

/// A time of day in Japan, in seconds since the epoch.
pub(super) fn at(day: Date, hour: i64, minute: i64) -> i64 {
    day.duration_since(Date::constant(1970, 1, 1)).as_secs() - OFFSET + hour * 3600 + minute * 60
}

/// The first such weekday at or after `seconds`, at a time of day.
pub(super) fn next(seconds: i64, weekday: Weekday, hour: i64, minute: i64) -> i64 {
    let mut day = date(seconds);
    for _ in 0..8 {
        if day.weekday() == weekday && at(day, hour, minute) >= seconds {
            break;
        }
        day = day.saturating_add(1.day());
    }
    at(day, hour, minute)
}

/// As the ledger writes a time: `2026-10-07T10:02:00+09:00`.
pub(super) fn written(seconds: i64) -> String {
    let local = Timestamp::from_second(seconds + OFFSET).unwrap_or(Timestamp::UNIX_EPOCH);
    format!("{}+09:00", local.strftime("%Y-%m-%dT%H:%M:%S"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_begin_at_midnight_in_japan() {
        let first: Timestamp = "2026-10-31T15:00:00Z".parse().unwrap();
        let november = Month::containing(first.as_second());
        assert_eq!((november.name().as_str(), november.start()), ("2026-11", first.as_second()));
        assert_eq!(Month::containing(first.as_second() - 1), november.back(1));
        assert_eq!(november.end(), "2026-11-30T15:00:00Z".parse::<Timestamp>().unwrap().as_second());
        assert_eq!(november.back(12).name(), "2025-11");
    }

    #[test]
    fn times_are_written_with_their_offset_and_weekdays_found() {
        let november = Month::containing("2026-11-10T00:00:00Z".parse::<Timestamp>().unwrap().as_second());
        assert_eq!(written(november.on(1, Weekday::Saturday, (22, 0))), "2026-11-07T22:00:00+09:00");
        assert_eq!(written(november.on(2, Weekday::Friday, (24, 15))), "2026-11-14T00:15:00+09:00");
        let saturday = november.on(1, Weekday::Saturday, (22, 0));
        assert_eq!(next(saturday, Weekday::Saturday, 22, 0), saturday);
        assert_eq!(written(next(saturday + 1, Weekday::Saturday, 22, 0)), "2026-11-14T22:00:00+09:00");
    }
}
