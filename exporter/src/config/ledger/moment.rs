//! Moments as the ledger writes them: RFC 3339, whole seconds, always with the offset.
//!
//! Stricter than the parsers at hand on purpose: a time without offset means another moment to whoever reads it in another
//! zone, and the contract's figures are to the second.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};

use crate::config::decode::{Cursor, shorten};
use crate::contract::Contract;

/// A year outside is a slip of the keyboard.
const YEARS: std::ops::RangeInclusive<i16> = 2000..=2199;
/// No zone is further from UTC.
const MAX_OFFSET_HOURS: i32 = 14;

/// The moment at `cursor`. The contract's zone is for the remedy of a time without offset.
pub(super) fn read(cursor: &Cursor<'_>, contract: Option<&Contract>) -> Option<Timestamp> {
    let text = cursor.string()?;
    match parse(&text) {
        Ok(moment) => Some(moment),
        Err(Fault::NoOffset(civil)) => cursor.error(format_args!(
            "`{}` has no offset, so nobody knows which moment it is; {}",
            shorten(&text),
            with_offset(civil, contract)
        )),
        Err(Fault::Fraction(whole)) => {
            cursor.error(format_args!("`{}` has a fraction of a second; write whole seconds: {whole}", shorten(&text)))
        }
        Err(Fault::DayOnly(date)) => cursor
            .error(format_args!("`{}` is a day; write a time of that day too: {date}T10:02:00+09:00", shorten(&text))),
        Err(Fault::Other(why)) => cursor.error(format_args!(
            "`{}` is not a time{}{why}; write date, time and offset, for example 2026-10-07T10:02:00+09:00",
            shorten(&text),
            if why.is_empty() { "" } else { ": " }
        )),
    }
}

/// Why a text is not a moment.
#[derive(Debug, PartialEq, Eq)]
enum Fault {
    NoOffset(DateTime),
    /// The text without it.
    Fraction(String),
    DayOnly(Date),
    /// With the reason, where there is more to say.
    Other(&'static str),
}

/// `2026-10-07T10:02:00+09:00`; `t`, `z` and a space instead of `T` as RFC 3339 allows them.
fn parse(text: &str) -> Result<Timestamp, Fault> {
    const SHAPE: Fault = Fault::Other("");
    let date = text.get(..10).and_then(date).ok_or(SHAPE)?;
    if !YEARS.contains(&date.year()) {
        return Err(Fault::Other("its year is not between 2000 and 2199"));
    }
    let rest = &text[10..];
    if rest.is_empty() {
        return Err(Fault::DayOnly(date));
    }
    let rest = rest.strip_prefix(['T', 't', ' ']).ok_or(SHAPE)?;
    let (time, rest) = clock(rest)?;
    let civil = date.to_datetime(time);
    let (fraction, rest) = fraction(rest);
    if rest.is_empty() {
        return Err(Fault::NoOffset(civil));
    }
    let offset = offset(rest)?;
    if fraction {
        return Err(Fault::Fraction(format!("{}{rest}", iso(civil))));
    }
    offset.to_timestamp(civil).map_err(|_| SHAPE)
}

/// `2026-10-07`.
fn date(text: &str) -> Option<Date> {
    let bytes = text.as_bytes();
    if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' {
        return None;
    }
    let number = |range: std::ops::Range<usize>| digits(text.get(range)?);
    Date::new(number(0..4)?, number(5..7)?.try_into().ok()?, number(8..10)?.try_into().ok()?).ok()
}

/// `10:02:00`, and what follows.
fn clock(text: &str) -> Result<(Time, &str), Fault> {
    let part = |range: std::ops::Range<usize>| text.get(range).and_then(digits).and_then(|n| i8::try_from(n).ok());
    let (Some(hour), Some(":"), Some(minute)) = (part(0..2), text.get(2..3), part(3..5)) else {
        return Err(Fault::Other(""));
    };
    let (Some(":"), Some(second)) = (text.get(5..6), part(6..8)) else {
        return Err(Fault::Other("its seconds are missing"));
    };
    let time = Time::new(hour, minute, second, 0).map_err(|_| Fault::Other("there is no such time of day"))?;
    Ok((time, &text[8..]))
}

/// Whether `.123` or its like comes next, and what follows.
fn fraction(text: &str) -> (bool, &str) {
    match text.strip_prefix(['.', ',']) {
        Some(rest) => (true, rest.trim_start_matches(|c: char| c.is_ascii_digit())),
        None => (false, text),
    }
}

/// `Z` or `+09:00`.
fn offset(text: &str) -> Result<Offset, Fault> {
    const SHAPE: Fault = Fault::Other("its offset is not Z, +HH:MM or -HH:MM");
    if matches!(text, "Z" | "z") {
        return Ok(Offset::UTC);
    }
    let sign = match text.as_bytes().first() {
        Some(b'+') => 1,
        Some(b'-') => -1,
        _ => return Err(SHAPE),
    };
    let (hours, minutes) = text[1..].split_once(':').ok_or(SHAPE)?;
    if hours.len() != 2 || minutes.len() != 2 {
        return Err(SHAPE);
    }
    let (hours, minutes) = (digits(hours).ok_or(SHAPE)?, digits(minutes).ok_or(SHAPE)?);
    let seconds = i32::from(hours) * 3600 + i32::from(minutes) * 60;
    if minutes > 59 || seconds > MAX_OFFSET_HOURS * 3600 {
        return Err(Fault::Other("its offset is not between -14:00 and +14:00"));
    }
    Offset::from_seconds(sign * seconds).map_err(|_| SHAPE)
}

/// A number of nothing but digits, at most four.
fn digits(text: &str) -> Option<i16> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

fn iso(civil: DateTime) -> String {
    civil.strftime("%Y-%m-%dT%H:%M:%S").to_string()
}

/// The moments a time without offset can be in the contract's zone, to be copied.
fn with_offset(civil: DateTime, contract: Option<&Contract>) -> String {
    let time = iso(civil);
    let Some(contract) = contract else {
        return format!("add it, for example {time}+09:00 in Japan, {time}Z in UTC");
    };
    let zone = &contract.timezone_name;
    match offset_in(civil, &contract.timezone) {
        AmbiguousOffset::Unambiguous { offset } => format!("in {zone} it is {time}{}", written(offset)),
        AmbiguousOffset::Fold { before, after } => {
            let (before, after) = (written(before), written(after));
            format!("in {zone} it comes twice: {time}{before} and, clocks set back, {time}{after}")
        }
        AmbiguousOffset::Gap { .. } => {
            format!("in {zone} there is no such time either: clocks are set forward over it")
        }
    }
}

fn offset_in(civil: DateTime, zone: &TimeZone) -> AmbiguousOffset {
    zone.to_ambiguous_timestamp(civil).offset()
}

/// `+09:00`. Zones had seconds in their offsets only long ago.
fn written(offset: Offset) -> String {
    let minutes = offset.seconds() / 60;
    let sign = if minutes < 0 { '-' } else { '+' };
    format!("{sign}{:02}:{:02}", minutes.abs() / 60, minutes.abs() % 60)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(text: &str, seconds: i64) {
        assert_eq!(parse(text).map(Timestamp::as_second), Ok(seconds), "{text}");
    }

    #[test]
    fn a_moment_is_the_same_however_it_is_written() {
        for text in [
            "2026-10-07T10:02:00+09:00",
            "2026-10-07 10:02:00+09:00",
            "2026-10-07t01:02:00z",
            "2026-10-07T01:02:00Z",
            "2026-10-07T01:02:00-00:00",
            "2026-10-06T15:32:00-09:30",
            "2026-10-07T15:02:00+14:00",
            "2026-10-06T11:02:00-14:00",
        ] {
            check(text, 1_791_334_920);
        }
    }

    #[test]
    fn years_and_days_are_known_to_their_ends() {
        check("2000-01-01T00:00:00Z", 946_684_800);
        check("2199-12-31T23:59:59Z", 7_258_118_399);
        check("2028-02-29T00:00:00Z", 1_835_395_200);
        for text in ["1999-12-31T23:59:59Z", "2200-01-01T00:00:00Z", "2027-02-29T00:00:00Z", "2100-02-29T00:00:00Z"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_only_looks_like_a_moment_is_refused() {
        for text in [
            "",
            "2026",
            "2026-10",
            "2026-10-07T",
            "2026-10-07T10",
            "2026-10-07T10:02",
            "2026-10-07T10:02:0",
            "2026-10-07T1:02:00Z",
            "2026-10-07T10:02:00+9:00",
            "2026-10-07T10:02:00+09:00 ",
            "2026-10-07T10:02:00+09:60",
            "2026-10-07T10:02:00++9:00",
            "2026-10-07T10:02:00Zulu",
            "2026-10-07T10:02:00.Z",
            "2026-10-07T10:02:00\u{2212}09:00",
            "2026-10-07T+1:02:00Z",
            "+026-10-07T10:02:00Z",
            "2026-1\u{662}-07T10:02:00Z",
            "2026-10-07\u{3000}10:02:00+09:00",
            "2026-W41-3T10:02:00Z",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    fn remedy(text: &str, zone: &str) -> String {
        let Err(Fault::NoOffset(civil)) = parse(text) else { panic!("{text} is no time without offset") };
        let contract = Contract {
            name: String::new(),
            title: crate::contract::Text::default(),
            timezone: TimeZone::get(zone).unwrap(),
            timezone_name: zone.to_owned(),
            start: None,
            maintenance: crate::contract::MaintenanceTerms { notice: std::time::Duration::ZERO, slot: None },
            functions: Vec::new(),
            upstreams: Vec::new(),
            connectivity: Vec::new(),
            duties: Vec::new(),
        };
        with_offset(civil, Some(&contract))
    }

    #[test]
    fn a_time_without_offset_is_shown_with_the_zones_also_where_clocks_change() {
        for (text, zone, shown) in [
            ("2026-10-07T10:02:00", "Asia/Tokyo", "in Asia/Tokyo it is 2026-10-07T10:02:00+09:00"),
            ("2026-10-07 10:02:00.5", "America/St_Johns", "in America/St_Johns it is 2026-10-07T10:02:00-02:30"),
            (
                "2026-10-25T02:30:00",
                "Europe/Berlin",
                "in Europe/Berlin it comes twice: 2026-10-25T02:30:00+02:00 and, clocks set back, 2026-10-25T02:30:00+01:00",
            ),
            (
                "2026-03-29T02:30:00",
                "Europe/Berlin",
                "in Europe/Berlin there is no such time either: clocks are set forward over it",
            ),
        ] {
            assert_eq!(remedy(text, zone), shown);
        }
        let Err(Fault::NoOffset(civil)) = parse("2026-10-07T10:02:00") else { panic!() };
        assert!(with_offset(civil, None).contains("2026-10-07T10:02:00Z in UTC"));
    }

    proptest! {
        /// What is shown to be copied is accepted, and is that moment.
        #[test]
        fn the_remedy_is_the_moment_in_that_zone(seconds in 946_684_800i64..7_258_118_400, zone in 0usize..5) {
            let zone = ["Asia/Tokyo", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia"][zone];
            let moment = Timestamp::from_second(seconds).unwrap();
            let civil = TimeZone::get(zone).unwrap().to_datetime(moment);
            let shown = remedy(&iso(civil), zone);
            let candidates: Vec<i64> =
                shown.split(' ').filter_map(|word| Some(parse(word.trim_end_matches(',')).ok()?.as_second())).collect();
            prop_assert!(candidates.contains(&seconds), "{} is not in: {}", seconds, shown);
        }

        /// Stricter than the library, never of another opinion.
        #[test]
        fn what_is_accepted_is_what_others_read(text in "20[0-9]{2}-[01][0-9]-[0-3][0-9][T ][0-2][0-9]:[0-5][0-9]:[0-6][0-9](\\.[0-9])?(Z|[+-][01][0-9]:[0-6][0-9])") {
            match parse(&text) {
                Ok(moment) => prop_assert_eq!(text.parse::<Timestamp>().ok(), Some(moment)),
                Err(Fault::Fraction(whole)) => prop_assert!(parse(&whole).is_ok(), "{}", whole),
                Err(_) => {}
            }
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,40}") {
            let _ = parse(&text);
        }
    }
}
