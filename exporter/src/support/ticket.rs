//! A ticket: when it came and when it was answered. Pure.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// The longest text that is looked at as a moment, in bytes.
const MAX_TEXT: usize = 64;

/// One inquiry. Whose it is and what it says is not known here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// When it came (seconds since the epoch).
    pub received_at: i64,
    /// When it was answered, or closed without an answer; absent while it waits.
    pub done_at: Option<i64>,
}

impl Ticket {
    /// A ticket out of a row's texts; empty ones count as absent. Moments without an offset are of `zone`.
    ///
    /// # Errors
    /// With what is wrong with which of them.
    pub fn read(received: &str, answered: &str, closed: &str, zone: &TimeZone) -> Result<Self, String> {
        let received_at = moment(received, zone)
            .map_err(|why| format!("received_at: {why}"))?
            .ok_or("received_at: is empty; a ticket without it has no deadline")?;
        let answered_at = moment(answered, zone).map_err(|why| format!("answered_at: {why}"))?;
        let closed_at = moment(closed, zone).map_err(|why| format!("closed_at: {why}"))?;
        let done_at = [answered_at, closed_at].into_iter().flatten().min();
        if done_at.is_some_and(|done| done < received_at) {
            return Err("it was answered or closed before it was received; are both moments of one zone?".to_owned());
        }
        Ok(Self { received_at, done_at })
    }
}

/// Reads `2026-11-20T10:00:00+09:00`, PostgreSQL's `2026-11-20 10:00:00.123+09`, the same without an offset, a spreadsheet's
/// `2026/11/20 9:05`, or seconds since the epoch, PostgreSQL's `1795136400.000000` among them. A day without a time is none: it would be
/// midnight, which is before every answer of that day and after every deadline.
fn moment(text: &str, zone: &TimeZone) -> Result<Option<i64>, String> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let unreadable = || {
        let shown: String = text.chars().take(MAX_TEXT).collect();
        format!(
            "`{shown}` is not a moment, with its time of day; accepted are for example 2026-11-20T10:00:00+09:00, 2026-11-20 10:00:00, 2026/11/20 10:00"
        )
    };
    if text.len() > MAX_TEXT {
        return Err(unreadable());
    }
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Ok(Some(moment.as_second()));
    }
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.len() >= 9 && digits(whole) && digits(fraction) {
        let seconds = whole.parse::<i64>().ok().filter(|seconds| Timestamp::from_second(*seconds).is_ok());
        return seconds.map(Some).ok_or_else(unreadable);
    }
    let civil = civil(text).ok_or_else(unreadable)?;
    let moment = zone.to_ambiguous_timestamp(civil).compatible().map_err(|_| unreadable())?;
    Ok(Some(moment.as_second()))
}

fn civil(text: &str) -> Option<DateTime> {
    // Two digits each for minutes and seconds: with one, the end of the text is missing.
    let two = |part: &str| part.len() >= 2 && part.bytes().take(2).all(|byte| byte.is_ascii_digit());
    if !text.contains(':') || !text.split(':').skip(1).all(two) {
        return None;
    }
    if let Ok(civil) = text.parse::<DateTime>() {
        return Some(civil);
    }
    let forms = ["%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M", "%Y-%m-%d %H:%M"];
    forms.iter().find_map(|form| DateTime::strptime(form, text).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokyo() -> TimeZone {
        TimeZone::get("Asia/Tokyo").unwrap()
    }

    #[test]
    fn moments_are_read_as_databases_and_spreadsheets_write_them() {
        let expected = 1_763_600_705; // 2025-11-20T10:05:05+09:00
        for text in [
            "2025-11-20T10:05:05+09:00",
            "2025-11-20T01:05:05Z",
            "2025-11-20 10:05:05+09",
            "2025-11-20 10:05:05.999+09:00",
            "2025-11-20 10:05:05",
            " 2025/11/20 10:05:05 ",
            "1763600705",
            "1763600705.987654",
        ] {
            assert_eq!(moment(text, &tokyo()), Ok(Some(expected)), "{text}");
        }
        for text in ["2025/11/20 10:05", "2025-11-20 10:05", "2025-11-20T10:05"] {
            assert_eq!(moment(text, &tokyo()), Ok(Some(expected - 5)), "{text}");
        }
        assert_eq!(moment("  ", &tokyo()), Ok(None));
        let long = "1".repeat(1000);
        let cut =
            ["2025/11/20 10:5", "2025-11-20 10:05:5", "2025-11-20 10:", "2025-11-20T10", "2025-11-20", "2025/11/20"];
        let odd =
            ["yesterday", "2025-13-01 00:00", "12", "1763600705.", "1763600705.1e3", "99999999999999999999", &long];
        for text in cut.into_iter().chain(odd) {
            let why = moment(text, &tokyo()).unwrap_err();
            assert!(why.contains("is not a moment") && why.len() < 300, "{why}");
        }
    }

    #[test]
    fn a_ticket_is_done_when_it_is_answered_or_closed() {
        let read = |answered, closed| Ticket::read("1000000000", answered, closed, &tokyo());
        assert_eq!(read("", "").unwrap().done_at, None);
        assert_eq!(read("1000000060", "").unwrap().done_at, Some(1_000_000_060));
        assert_eq!(read("", "1000000070").unwrap().done_at, Some(1_000_000_070));
        assert_eq!(read("1000000060", "1000000070").unwrap().done_at, Some(1_000_000_060));
        assert!(read("0999999999", "").unwrap_err().contains("before it was received"));
        assert!(Ticket::read("", "", "", &tokyo()).unwrap_err().starts_with("received_at"));
    }
}
