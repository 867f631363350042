//! Calendar months of the contract's zone (C4.1f): from a moment to its month, and from a month to its seconds.
//!
//! A month begins when the zone's clocks show its first day for the first time, and lasts until the next one begins: months share
//! no moment and leave none out, also where clocks are changed at midnight. Pure: the zone is a parameter, and so is the
//! time. Not for: business hours and holidays.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::{AmbiguousOffset, TimeZone};
use serde::{Deserialize, Serialize};

use crate::span::Span;

/// The years this software knows months of. They begin before the epoch: a clock that was never set shows that, and the months
/// before it are shown too.
const YEARS: std::ops::RangeInclusive<i16> = 1900..=9000;

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

    /// The month a moment (seconds since the epoch) lies in; the first or last known one for moments outside of them.
    #[must_use]
    pub fn containing(seconds: i64, zone: &TimeZone) -> Self {
        let moment =
            Timestamp::from_second(seconds).unwrap_or(if seconds < 0 { Timestamp::MIN } else { Timestamp::MAX });
        let date = zone.to_datetime(moment).date();
        let month = match date.year() {
            year if year < *YEARS.start() => return Self { year: *YEARS.start(), month: 1 },
            year if year > *YEARS.end() => return Self { year: *YEARS.end(), month: 12 },
            year => Self { year, month: date.month() },
        };
        // Clocks that are set back over midnight show the month before once more.
        let span = month.span(zone);
        if seconds < span.start() {
            month.previous()
        } else if seconds >= span.end() {
            month.next()
        } else {
            month
        }
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

    /// The month before; of the first known one, itself.
    #[must_use]
    pub fn previous(self) -> Self {
        match self.month {
            1 if self.year == *YEARS.start() => self,
            1 => Self { year: self.year - 1, month: 12 },
            month => Self { month: month - 1, ..self },
        }
    }

    /// The month after; of the last known one, itself.
    #[must_use]
    pub fn next(self) -> Self {
        match self.month {
            12 if self.year == *YEARS.end() => self,
            12 => Self { year: self.year + 1, month: 1 },
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
        let first = self.first_day();
        let last = first.last_of_month();
        let next = last.tomorrow().unwrap_or(last);
        let start = first_moment(first.to_datetime(jiff::civil::Time::midnight()), zone).unwrap_or(i64::MIN);
        let end = first_moment(next.to_datetime(jiff::civil::Time::midnight()), zone).unwrap_or(i64::MAX);
        // Of known years every moment is known, and days follow each other; the second is for the compiler alone.
        Span::new(start, end).unwrap_or_else(|| Span::second(start))
    }
}

/// The first moment, in seconds since the epoch, at which the clocks of `zone` show `civil` or, where they jump over it, later.
#[must_use]
pub fn first_moment(civil: DateTime, zone: &TimeZone) -> Option<i64> {
    let moment = match zone.to_ambiguous_timestamp(civil).offset() {
        AmbiguousOffset::Unambiguous { offset } => offset.to_timestamp(civil).ok()?,
        AmbiguousOffset::Fold { before, .. } => before.to_timestamp(civil).ok()?,
        AmbiguousOffset::Gap { before, .. } => {
            // As if the clocks had gone on: at the jump or after it.
            let after = before.to_timestamp(civil).ok()?;
            let past = after.checked_add(jiff::SignedDuration::from_secs(1)).ok()?;
            zone.preceding(past).next().map_or(after, |jump| jump.timestamp())
        }
    };
    Some(moment.as_second())
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
            // Clocks went from midnight to 1:00 on the first: the month starts at 1:00.
            ("1949-12", "America/Sao_Paulo", "1949-12-01T03:00:00Z", 743.0),
            // On the first, from 0:01 back to 23:01 of the day before: it starts at the first midnight, once.
            ("2009-11", "America/St_Johns", "2009-11-01T02:30:00Z", 721.0),
        ] {
            check(month, zone, start, hours);
        }
    }

    #[test]
    fn a_moment_the_clocks_jump_over_is_the_jump() {
        for (civil, zone_name, expected) in [
            // From 23:30 to 0:30.
            ("1919-03-31T00:00", "America/Toronto", "1919-03-31T04:30:00Z"),
            // A whole day.
            ("2011-12-30T21:00", "Pacific/Apia", "2011-12-30T10:00:00Z"),
            // Shown twice: the first time.
            ("2026-10-25T02:30", "Europe/Berlin", "2026-10-25T00:30:00Z"),
            ("2026-10-25T03:00", "Europe/Berlin", "2026-10-25T02:00:00Z"),
        ] {
            let moment = first_moment(civil.parse().unwrap(), &zone(zone_name)).unwrap();
            assert_eq!(Timestamp::from_second(moment).unwrap().to_string(), expected, "{zone_name}");
        }
    }

    #[test]
    fn a_month_is_written_one_way() {
        assert_eq!("2026-01".parse::<Month>().unwrap().to_string(), "2026-01");
        for text in
            ["", "2026", "2026-1", "2026-13", "2026-00", "26-10", "2026-10-01", "+026-10", "２０２６-10", "1899-12"]
        {
            let error = text.parse::<Month>().unwrap_err();
            assert!(error.to_string().contains("2026-10"), "{error}");
        }
    }

    #[test]
    fn the_ends_of_known_time_are_months_like_others() {
        for (moment, expected) in
            [(i64::MIN, "1900-01"), (-9_999_999_999, "1900-01"), (-1, "1969-12"), (i64::MAX, "9000-12")]
        {
            let month = Month::containing(moment, &TimeZone::UTC);
            assert_eq!(month.to_string(), expected);
            let days = i64::from(month.days());
            assert_eq!(month.span(&TimeZone::UTC).seconds(), days * 86_400);
            assert_eq!(month.to_string().parse(), Ok(month));
        }
    }

    #[test]
    fn clocks_set_back_over_midnight_do_not_bring_the_month_before_back() {
        let zone = zone("America/St_Johns");
        for (moment, month) in [
            ("2009-11-01T02:29:59Z", "2009-10"),
            ("2009-11-01T02:30:00Z", "2009-11"),
            // Shown as 31 October, 23:01.
            ("2009-11-01T02:31:00Z", "2009-11"),
        ] {
            let moment: Timestamp = moment.parse().unwrap();
            assert_eq!(Month::containing(moment.as_second(), &zone).to_string(), month, "{moment}");
        }
    }

    #[test]
    fn a_clock_that_was_never_set_has_months_before_it() {
        let months: Vec<String> =
            std::iter::successors(Some(Month::containing(0, &zone("Asia/Tokyo"))), |month| Some(month.previous()))
                .take(14)
                .map(|month| month.to_string())
                .collect();
        assert_eq!((months[0].as_str(), months[1].as_str(), months[13].as_str()), ("1970-01", "1969-12", "1968-12"));
    }
}
