//! clamd's answer to VERSION: `ClamAV 1.0.7/27105/Mon Nov 20 08:40:55 2026`, or without signatures `ClamAV 1.0.7`.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::probe::{Metric, Samples};

/// The longest text taken into a label, in characters.
const MAX_LABEL: usize = 60;

#[derive(Debug, PartialEq)]
pub(super) struct Version {
    engine: String,
    signatures: Option<u32>,
    /// Seconds since the epoch.
    published: Option<i64>,
}

/// Reads the answer; `None` where it is not clamd's.
pub(super) fn read(said: &str, zone: &TimeZone) -> Option<Version> {
    let mut parts = said.strip_prefix("ClamAV ")?.splitn(3, '/');
    let engine: String = parts.next()?.chars().filter(|c| !c.is_control()).take(MAX_LABEL).collect();
    if !engine.starts_with(|c: char| c.is_ascii_digit() || c == 'd') {
        return None;
    }
    let signatures = parts.next().and_then(|number| number.parse().ok());
    let published = parts.next().and_then(|time| moment(time, zone));
    Some(Version { engine, signatures, published })
}

/// As C's `ctime` writes it.
fn moment(text: &str, zone: &TimeZone) -> Option<i64> {
    // The day of the month is padded with a blank; the name of the day adds nothing.
    let words: Vec<&str> = text.split_ascii_whitespace().skip(1).collect();
    let time = DateTime::strptime("%b %d %H:%M:%S %Y", words.join(" ")).ok()?;
    Some(time.to_zoned(zone.clone()).ok()?.timestamp().as_second())
}

impl Version {
    /// In words, for who looks at one run.
    pub(super) fn text(&self) -> String {
        let Self { engine, signatures, published } = self;
        let number = signatures.map(|number| format!(" {number}")).unwrap_or_default();
        match published.and_then(|at| jiff::Timestamp::from_second(at).ok()) {
            Some(at) => format!("ClamAV {engine}, signatures{number} of {at}"),
            None => format!(
                "ClamAV {engine}, which does not say of when its signatures{number} are: are the daily ones there?"
            ),
        }
    }

    /// Shows what is known; a date nobody knows is no date.
    pub(super) fn show(&self, out: &mut Samples) {
        let signatures = self.signatures.map(|number| number.to_string()).unwrap_or_default();
        out.set_info(Metric::ClamdInfo, &[("version", &self.engine), ("signatures", &signatures)], 1.0);
        if let Some(number) = self.signatures {
            out.set(Metric::ClamdSignatureVersion, f64::from(number));
        }
        if let Some(published) = self.published {
            out.set(Metric::ClamdSignatureTimestamp, published as f64);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_is_read_in_the_zone_of_clamds_host() {
        let said = "ClamAV 1.0.7/27105/Mon Nov  2 08:40:55 2026";
        let utc = read(said, &TimeZone::UTC).unwrap();
        assert_eq!(
            utc,
            Version { engine: "1.0.7".to_owned(), signatures: Some(27105), published: Some(1_793_608_855) }
        );
        let tokyo = read(said, &TimeZone::get("Asia/Tokyo").unwrap()).unwrap();
        assert_eq!(tokyo.published, Some(1_793_608_855 - 9 * 3600));
    }

    #[test]
    fn what_is_not_said_is_not_known() {
        for (said, signatures, dated) in [
            ("ClamAV 1.0.7", None, false),
            ("ClamAV 1.4.3-rc/27105/", Some(27105), false),
            ("ClamAV 1.0.7/27105/some day", Some(27105), false),
            ("ClamAV 1.0.7//Mon Nov 30 08:40:55 2026", None, true),
        ] {
            let version = read(said, &TimeZone::UTC).unwrap();
            assert_eq!((version.signatures, version.published.is_some()), (signatures, dated), "{said}");
        }
        for (said, text) in [
            ("ClamAV 1.0.7/27105/Mon Nov  2 08:40:55 2026", "ClamAV 1.0.7, signatures 27105 of 2026-11-02T08:40:55Z"),
            ("ClamAV 1.0.7", "ClamAV 1.0.7, which does not say of when its signatures are: are the daily ones there?"),
        ] {
            assert_eq!(read(said, &TimeZone::UTC).unwrap().text(), text);
        }
        for said in ["", "ClamAV ", "SSH-2.0-OpenSSH", "UNKNOWN COMMAND"] {
            assert_eq!(read(said, &TimeZone::UTC), None, "{said}");
        }
    }
}
