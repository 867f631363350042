//! Calendar months of the contract's zone (C4.1f): from a moment to its month, and from a month to its seconds.
//!
//! Pure: the zone is a parameter, and so is the time. Not for: business hours and holidays.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::span::Span;

/// The years this software knows months of.
const YEARS: std::ops::RangeInclusive<i16> = 1970..=9000;

/// A month, written `2026-10`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Month {
    year: i16,
    /// 1 to 12.
    month: i8,
}

impl Month {
    /// The month, where there is such a one.
    #[must_use]
    pub fn new(year: i16, month: i8) -> Option<Self> {
        (YEARS.contains(&year) && (1..=12).contains(&month)).then_some(Self { year, month })
    }

    /// The month a moment (seconds since the epoch) lies in; the ends of known time for moments outside of it.
    #[must_use]
    pub fn containing(seconds: i64, zone: &TimeZone) -> Self {
        let moment =
            Timestamp::from_second(seconds).unwrap_or(if seconds < 0 { Timestamp::MIN } else { Timestamp::MAX });
        let date = zone.to_datetime(moment).date();
        let year = date.year().clamp(*YEARS.start(), *YEARS.end());
        Self { year, month: date.month() }
    }

    /// Year, such as 2026.
    #[must_use]
    pub fn year(self) -> i16 {
        self.year
    }

    /// 1 to 12.
    #[must_use]
    pub fn number(self) -> i8 {
        self.month
    }

    /// The month before.
    #[must_use]
    pub fn previous(self) -> Self {
        match self.month {
            1 => Self { year: (self.year - 1).max(*YEARS.start()), month: 12 },
            month => Self { month: month - 1, ..self },
        }
    }

    /// The month after.
    #[must_use]
    pub fn next(self) -> Self {
        match self.month {
            12 => Self { year: (self.year + 1).min(*YEARS.end()), month: 1 },
            month => Self { month: month + 1, ..self },
        }
    }

    /// Its first day.
    #[must_use]
    pub fn first_day(self) -> Date {
        Date::constant(self.year, self.month, 1)
    }

    /// How many days the calendar gives it: the `days` of the contract's formula.
    #[must_use]
    pub fn days(self) -> i8 {
        self.first_day().days_in_month()
    }

    /// From its first second in `zone` to the next month's. Over a change of clocks it is an hour more or less than
    /// `days × 24 h`: the seconds are what really passes.
    #[must_use]
    pub fn span(self, zone: &TimeZone) -> Span {
        let first = |month: Self| {
            month.first_day().to_zoned(zone.clone()).map_or(i64::MAX, |zoned| zoned.timestamp().as_second())
        };
        let (start, end) = (first(self), first(self.next()));
        // Months of known years begin later than the ones before; a month of seconds is for the compiler alone.
        Span::new(start, end)
            .unwrap_or_else(|| Span::new(start.min(i64::MAX - 1), i64::MAX).unwrap_or_else(|| unreachable!()))
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}

/// A text that is not a month.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a month; write year and month, for example 2026-10")]
pub struct NotAMonth(String);

impl FromStr for Month {
    type Err = NotAMonth;

    fn from_str(text: &str) -> Result<Self, NotAMonth> {
        let digits = |part: &str, count| part.len() == count && part.bytes().all(|b| b.is_ascii_digit());
        text.split_once('-')
            .filter(|(year, month)| digits(year, 4) && digits(month, 2))
            .and_then(|(year, month)| Self::new(year.parse().ok()?, month.parse().ok()?))
            .ok_or_else(|| NotAMonth(text.chars().take(40).collect()))
    }
}

impl TryFrom<String> for Month {
    type Error = NotAMonth;

    fn try_from(text: String) -> Result<Self, NotAMonth> {
        text.parse()
    }
}

impl From<Month> for String {
    fn from(month: Month) -> Self {
        month.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zone(name: &str) -> TimeZone {
        TimeZone::get(name).unwrap()
    }

    #[track_caller]
    fn check(month: &str, zone_name: &str, start: &str, hours: f64) {
        let month: Month = month.parse().unwrap();
        let span = month.span(&zone(zone_name));
        assert_eq!(Timestamp::from_second(span.start()).unwrap().to_string(), start, "{month} {zone_name}");
        assert_eq!(span.seconds() as f64 / 3600.0, hours, "{month} {zone_name}");
        for (moment, expected) in [
            (span.start() - 1, month.previous()),
            (span.start(), month),
            (span.end() - 1, month),
            (span.end(), month.next()),
        ] {
            assert_eq!(Month::containing(moment, &zone(zone_name)), expected, "{zone_name} {moment}");
        }
    }

    #[test]
    fn months_are_the_zones_with_every_change_of_clocks() {
        for (month, zone, start, hours) in [
            ("2026-10", "Asia/Tokyo", "2026-09-30T15:00:00Z", 744.0),
            ("2026-02", "Asia/Tokyo", "2026-01-31T15:00:00Z", 672.0),
            ("2028-02", "Asia/Tokyo", "2028-01-31T15:00:00Z", 696.0),
            ("2026-12", "UTC", "2026-12-01T00:00:00Z", 744.0),
            ("2026-03", "Europe/Berlin", "2026-02-28T23:00:00Z", 743.0),
            ("2026-10", "Europe/Berlin", "2026-09-30T22:00:00Z", 745.0),
            ("2026-11", "America/New_York", "2026-11-01T04:00:00Z", 721.0),
            // Half an hour.
            ("2026-04", "Australia/Lord_Howe", "2026-03-31T13:00:00Z", 720.5),
            // 30 December 2011 did not take place.
            ("2011-12", "Pacific/Apia", "2011-12-01T10:00:00Z", 720.0),
            // Clocks went back from 1:00 to 0:00 on the first: the month starts at the first midnight of the two.
            ("2026-11", "America/Havana", "2026-11-01T04:00:00Z", 721.0),
        ] {
            check(month, zone, start, hours);
        }
    }

    #[test]
    fn a_month_is_written_one_way() {
        assert_eq!("2026-01".parse::<Month>().unwrap().to_string(), "2026-01");
        for text in
            ["", "2026", "2026-1", "2026-13", "2026-00", "26-10", "2026-10-01", "+026-10", "２０２６-10", "1969-12"]
        {
            let error = text.parse::<Month>().unwrap_err();
            assert!(error.to_string().contains("2026-10"), "{error}");
        }
    }

    #[test]
    fn the_ends_of_known_time_do_not_panic() {
        for moment in [i64::MIN, -1, i64::MAX] {
            let month = Month::containing(moment, &zone("Asia/Tokyo"));
            let _ = (month.previous(), month.next(), month.span(&zone("Asia/Tokyo")), month.days());
        }
    }
}
