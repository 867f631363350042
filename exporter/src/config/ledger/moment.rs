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
