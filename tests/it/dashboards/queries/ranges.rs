//! Grafana's relative times, such as `now-30d` and `now-1M/M`, in a zone.

use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _, Zoned};

/// The moment in seconds; `end`: a rounded time is its unit's last second.
pub(super) fn moment(text: &str, now: i64, zone: &str, end: bool) -> Result<i64, String> {
    let wrong = || format!("{text:?} is no relative time such as now-30d or now/M");
    let rest = text.strip_prefix("now").ok_or_else(wrong)?;
    let (shift, round) = rest.split_once('/').map_or((rest, None), |(shift, unit)| (shift, Some(unit)));
    let zone = TimeZone::get(zone).map_err(|error| error.to_string())?;
    let mut at = Timestamp::from_second(now).map_err(|error| error.to_string())?.to_zoned(zone);
    if !shift.is_empty() {
        let sign = if shift.starts_with('-') { -1 } else { 1 };
        let (number, unit) = shift[1..].split_at(shift.len() - 2);
        let n = sign * number.parse::<i64>().map_err(|_| wrong())?;
        let span = match unit {
            "s" => n.seconds(),
            "m" => n.minutes(),
            "h" => n.hours(),
            "d" => n.days(),
            "w" => n.weeks(),
            "M" => n.months(),
            "y" => n.years(),
            _ => return Err(wrong()),
        };
        at = at.checked_add(span).map_err(|error| error.to_string())?;
    }
    if let Some(unit) = round {
        at = rounded(&at, unit, end).ok_or_else(wrong)?;
    }
    Ok(at.timestamp().as_second())
}

fn rounded(at: &Zoned, unit: &str, end: bool) -> Option<Zoned> {
    let day = at.start_of_day().ok()?;
    let (start, length) = match unit {
        "d" => (day, 1.days()),
        "w" => (day.date().nth_weekday(-1, Weekday::Monday).ok()?.to_zoned(day.time_zone().clone()).ok()?, 1.weeks()),
        "M" => (day.first_of_month().ok()?, 1.months()),
        "y" => (day.first_of_year().ok()?, 1.years()),
        _ => return None,
    };
    if end { start.checked_add(length).ok()?.checked_sub(1.second()).ok() } else { Some(start) }
}

#[test]
fn relative_times_are_read_as_grafana_does() {
    // 2026-11-23 18:13:08 in Tokyo.
    let now = 1_795_425_188;
    for (text, end, expected) in [
        ("now", false, "2026-11-23T18:13:08"),
        ("now-6h", false, "2026-11-23T12:13:08"),
        ("now-30d", false, "2026-10-24T18:13:08"),
        ("now/M", false, "2026-11-01T00:00:00"),
        ("now-1M/M", false, "2026-10-01T00:00:00"),
        ("now-1M/M", true, "2026-10-31T23:59:59"),
        ("now+2d/d", false, "2026-11-25T00:00:00"),
    ] {
        let zone = TimeZone::get("Asia/Tokyo").unwrap();
        let at = moment(text, now, "Asia/Tokyo", end).unwrap();
        let shown = Timestamp::from_second(at).unwrap().to_zoned(zone).datetime().to_string();
        assert_eq!(shown, expected, "{text}");
    }
    for text in ["2026-11-01", "now-1", "now-1x", "now/q"] {
        assert!(moment(text, now, "Asia/Tokyo", false).is_err(), "{text}");
    }
}
