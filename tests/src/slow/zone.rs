//! The calendar months of a zone, found by looking at the clock on the wall at one moment after the other.
//!
//! With chrono-tz, which has its own copy of the zones' rules. No civil time is turned into a moment here, so neither
//! midnights that do not exist nor those that exist twice are a special case.

use chrono::{DateTime, Datelike as _, TimeZone as _};
use chrono_tz::Tz;

/// A calendar month of a zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MonthSpan {
    /// `2026-10`.
    pub name: String,
    /// Its first second.
    pub start: i64,
    /// The first second after it.
    pub end: i64,
}

/// Steps that find every change of a month: zones change their clocks on minutes.
const STEP: i64 = 60;
const DAY: i64 = 86_400;

fn month(zone: Tz, at: i64) -> (i32, u32) {
    let clock = zone.from_utc_datetime(&DateTime::from_timestamp(at, 0).expect("a time").naive_utc());
    (clock.year(), clock.month())
}

/// The month that `at` is in.
#[must_use]
pub fn month_of(zone: Tz, at: i64) -> MonthSpan {
    let this = month(zone, at);
    let edge = |direction: i64| {
        let mut inside = at - at.rem_euclid(STEP);
        while month(zone, inside + direction * DAY) == this {
            inside += direction * DAY;
        }
        while month(zone, inside + direction * STEP) == this {
            inside += direction * STEP;
        }
        inside
    };
    MonthSpan { name: format!("{:04}-{:02}", this.0, this.1), start: edge(-1), end: edge(1) + STEP }
}

/// The month before the one `at` is in, and that one.
#[must_use]
pub fn two_months(zone: Tz, at: i64) -> [MonthSpan; 2] {
    let current = month_of(zone, at);
    [month_of(zone, current.start - 1), current]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(zone: Tz, at: i64, name: &str, hours: i64) {
        let month = month_of(zone, at);
        assert_eq!((month.name.as_str(), month.end - month.start), (name, hours * 3600), "{zone} {at}");
    }

    #[test]
    fn months_are_as_long_as_the_zone_makes_them() {
        check(chrono_tz::Asia::Tokyo, 1_790_780_400, "2026-10", 31 * 24);
        check(chrono_tz::Asia::Tokyo, 1_790_780_399, "2026-09", 30 * 24);
        check(chrono_tz::Asia::Tokyo, 1_709_000_000, "2024-02", 29 * 24);
        // The clock goes back an hour in October, forward in March.
        check(chrono_tz::Europe::Berlin, 1_792_000_000, "2026-10", 31 * 24 + 1);
        check(chrono_tz::Europe::Berlin, 1_774_000_000, "2026-03", 31 * 24 - 1);
        // Samoa had no 30 December 2011.
        check(chrono_tz::Pacific::Apia, 1_325_000_000, "2011-12", 30 * 24);
    }
}
