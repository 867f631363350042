//! Zones, days and moments of the week, as the contract writes them.

use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;

use crate::config::decode::Cursor;
use crate::config::names;
use crate::contract::WeekSlot;

/// `{from: …, to: …}`.
pub(super) fn slot(cursor: &Cursor<'_>) -> Option<WeekSlot> {
    let mut map = cursor.map()?;
    let from = map.require("from").and_then(|c| moment(&c));
    let to = map.require("to").and_then(|c| moment(&c));
    map.finish();
    let slot = WeekSlot { from: from?, to: to? };
    if slot.from == slot.to {
        return cursor.error("`from` and `to` are the same moment; leave `slot` out to allow any time");
    }
    Some(slot)
}

/// `Fri 21:00`.
fn moment(cursor: &Cursor<'_>) -> Option<(Weekday, Time)> {
    let text = cursor.string()?;
    let parsed = text.split_once(' ').and_then(|(day, time)| Some((weekday(day)?, clock(time)?)));
    parsed.or_else(|| {
        cursor.error(format_args!(
            "`{}` is not a moment of the week; write a day (Mon, Tue, Wed, Thu, Fri, Sat, Sun) and a time from 00:00 to 23:59, for example \"Fri 21:00\"",
            names::shorten(&text)
        ))
    })
}

fn weekday(text: &str) -> Option<Weekday> {
    Some(match text.to_ascii_lowercase().as_str() {
        "mon" | "monday" => Weekday::Monday,
        "tue" | "tuesday" => Weekday::Tuesday,
        "wed" | "wednesday" => Weekday::Wednesday,
        "thu" | "thursday" => Weekday::Thursday,
        "fri" | "friday" => Weekday::Friday,
        "sat" | "saturday" => Weekday::Saturday,
        "sun" | "sunday" => Weekday::Sunday,
        _ => return None,
    })
}

/// `21:00`: two digits each.
pub(in crate::config) fn clock(text: &str) -> Option<Time> {
    let (hour, minute) = text.split_once(':')?;
    let two_digits = |text: &str| text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit());
    if !two_digits(hour) || !two_digits(minute) {
        return None;
    }
    Time::new(hour.parse().ok()?, minute.parse().ok()?, 0, 0).ok()
}

/// A zone of the IANA database, and its name.
pub(in crate::config) fn zone(cursor: &Cursor<'_>) -> Option<(TimeZone, String)> {
    let text = cursor.non_empty()?;
    let database = jiff::tz::db();
    // By the list, not by asking: a name is never taken for a file's path.
    let known: Vec<String> = database.available().map(|name| name.as_str().to_owned()).collect();
    if known.contains(&text)
        && let Ok(zone) = database.get(&text)
    {
        return Some((zone, text));
    }
    cursor.error(format_args!(
        "unknown time zone `{}`; write a name of the IANA database, for example Asia/Tokyo{}",
        names::shorten(&text),
        names::closest(&text, known.iter().map(String::as_str))
    ))
}

/// `2026-09-01`.
pub(super) fn date(cursor: &Cursor<'_>) -> Option<Date> {
    let text = cursor.string()?;
    text.parse().ok().filter(|_| text.len() == 10).or_else(|| {
        cursor.error(format_args!("`{}` is not a date; write for example 2026-09-01", names::shorten(&text)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_day_have_two_digits_each_and_end_before_24_00() {
        for (text, fits) in [
            ("00:00", true),
            ("23:59", true),
            ("24:00", false),
            ("23:60", false),
            ("9:00", false),
            ("09:0", false),
            ("+9:00", false),
            ("09:00:00", false),
            ("0900", false),
            ("", false),
        ] {
            assert_eq!(clock(text).is_some(), fits, "{text}");
        }
    }

    #[test]
    fn days_are_named_short_or_long() {
        for day in ["Sun", "sunday", "SUN"] {
            assert_eq!(weekday(day), Some(Weekday::Sunday));
        }
        assert_eq!(weekday("Su"), None);
    }
}
