//! Durations and sizes as people write them in configuration files. Not for: how metrics print numbers.

use std::time::Duration;

use super::names::shorten;

/// A duration in Prometheus' notation: units `ms s m h d w y`, largest first, each at most once; `0` is zero.
///
/// # Errors
/// With the reason, for people.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    const UNITS: [(&str, u64); 7] = [
        ("y", 31_536_000_000),
        ("w", 604_800_000),
        ("d", 86_400_000),
        ("h", 3_600_000),
        ("m", 60_000),
        ("s", 1000),
        ("ms", 1),
    ];
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    let (mut rest, mut next_unit, mut total) = (text, 0, 0u64);
    if rest.is_empty() {
        return Err("it is empty".to_owned());
    }
    while !rest.is_empty() {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, tail) = rest.split_at(digits);
        let letters = tail.len() - tail.trim_start_matches(|c: char| c.is_ascii_alphabetic()).len();
        let (unit, tail) = tail.split_at(letters);
        if number.is_empty() {
            return Err("a number is missing".to_owned());
        }
        if unit.is_empty() {
            return Err("the unit is missing (ms, s, m, h, d, w, y)".to_owned());
        }
        let Some(position) = UNITS.iter().position(|(name, _)| *name == unit) else {
            return Err(format!("unknown unit `{}` (ms, s, m, h, d, w, y)", shorten(unit)));
        };
        if position < next_unit {
            return Err("units go from large to small, each once".to_owned());
        }
        next_unit = position + 1;
        let amount = number.parse::<u64>().ok().and_then(|n| n.checked_mul(UNITS[position].1));
        total = amount.and_then(|a| total.checked_add(a)).ok_or_else(|| "it is too large".to_owned())?;
        rest = tail;
    }
    Ok(Duration::from_millis(total))
}

/// A duration as [`parse_duration`] reads it: `1h30m`, `500ms`, `0s`.
#[must_use]
pub fn format_duration(duration: Duration) -> String {
    let mut rest = duration.as_millis();
    let mut text = String::new();
    for (unit, length) in [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)] {
        if rest >= length {
            text += &format!("{}{unit}", rest / length);
            rest %= length;
        }
    }
    if text.is_empty() { "0s".to_owned() } else { text }
}

/// A number of bytes: `1024`, `64KB`, `10MiB`; both notations mean powers of 1024, as alecthomas/units has it.
#[must_use]
pub fn parse_bytes(text: &str) -> Option<u64> {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    let factor: u64 = match unit {
        "" | "B" => 1,
        "K" | "KB" | "KiB" => 1 << 10,
        "M" | "MB" | "MiB" => 1 << 20,
        "G" | "GB" | "GiB" => 1 << 30,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, milliseconds: u64) {
        assert_eq!(parse_duration(text), Ok(Duration::from_millis(milliseconds)), "{text}");
    }

    #[test]
    fn durations_are_read_as_prometheus_reads_them() {
        check("0", 0);
        check("15s", 15_000);
        check("1h30m", 5_400_000);
        check("14d", 1_209_600_000);
        check("1m500ms", 60_500);
    }

    #[test]
    fn what_is_not_a_duration_is_said() {
        for (text, why) in [
            ("", "it is empty"),
            ("5", "the unit is missing (ms, s, m, h, d, w, y)"),
            ("5 m", "the unit is missing (ms, s, m, h, d, w, y)"),
            ("5min", "unknown unit `min` (ms, s, m, h, d, w, y)"),
            ("30s1m", "units go from large to small, each once"),
            ("-5s", "a number is missing"),
            ("99999999999999999y", "it is too large"),
        ] {
            assert_eq!(parse_duration(text), Err(why.to_owned()), "{text}");
        }
    }

    #[test]
    fn a_duration_is_printed_as_it_can_be_read_again() {
        for text in ["0s", "1ms", "1m500ms", "1h30m", "14d", "1d1s"] {
            assert_eq!(parse_duration(text).map(format_duration), Ok(text.to_owned()));
        }
    }

    #[test]
    fn sizes_are_powers_of_1024() {
        for (text, bytes) in [
            ("0", Some(0)),
            ("512B", Some(512)),
            ("64KB", Some(65_536)),
            ("10MiB", Some(10 << 20)),
            ("1G", Some(1 << 30)),
        ] {
            assert_eq!(parse_bytes(text), bytes, "{text}");
        }
        for text in ["", "KB", "-1", "1.5MB", "10 MB", "1XB", "99999999999GB"] {
            assert_eq!(parse_bytes(text), None, "{text}");
        }
    }
}
