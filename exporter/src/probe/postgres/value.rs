//! `probe_postgres_query_value`: what a number is, of what PostgreSQL writes as text.

/// A number, a boolean (1 or 0) or a moment with its offset (seconds since the epoch); `None` for any other text.
///
/// A timestamp without time zone is no moment, so it is no number either.
pub(super) fn of(text: &str) -> Option<f64> {
    match text {
        "t" | "true" => Some(1.0),
        "f" | "false" => Some(0.0),
        "NaN" => Some(f64::NAN),
        "Infinity" | "infinity" => Some(f64::INFINITY),
        "-Infinity" | "-infinity" => Some(f64::NEG_INFINITY),
        // Rust reads words such as `inf` and `nan` as numbers, which PostgreSQL does not write.
        _ if text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.')) => {
            text.parse().ok().or_else(|| moment(text))
        }
        _ => None,
    }
}

fn moment(text: &str) -> Option<f64> {
    // `2026-10-07 10:02:00+09`: the shortest date and time with an offset.
    let at: jiff::Timestamp = (text.len() >= 22).then(|| text.parse().ok())??;
    Some(at.as_duration().as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, value: Option<f64>) {
        assert_eq!(of(text), value, "{text}");
    }

    #[test]
    fn numbers_booleans_and_moments_are_values() {
        check("42", Some(42.0));
        check("-0.5", Some(-0.5));
        check("1e+20", Some(1e20));
        check("12345678901234567890.5", Some(12_345_678_901_234_567_000.0));
        check("t", Some(1.0));
        check("f", Some(0.0));
        check("-Infinity", Some(f64::NEG_INFINITY));
        check("1970-01-02 00:00:00+00", Some(86_400.0));
        check("1970-01-01 09:00:01.5+09", Some(1.5));
        check("1970-01-01 05:30:00+05:30", Some(0.0));
        check("1969-12-31 23:59:59+00", Some(-1.0));
        assert!(of("NaN").is_some_and(f64::is_nan));
    }

    #[test]
    fn any_other_text_is_none() {
        for text in [
            "",
            "nan",
            "inf",
            "yes",
            "PostgreSQL 15",
            "1 day",
            "00:00:01",
            "1970-01-01",
            "1970-01-01 00:00:00",
            "1,5",
            "0x1f",
        ] {
            check(text, None);
        }
    }
}
