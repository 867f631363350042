//! The head of an archive's `InRelease` or `Release` file, as apt keeps it: whose it is, and of when.
//!
//! Pure.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::policy::Archive;

/// The archive and when the file was made (seconds since the epoch); nothing where that is not said.
#[must_use]
pub fn read(head: &str) -> Option<(Archive, i64)> {
    let field = |name: &str| {
        let mut lines = head.lines().take_while(|line| *line != "SHA256:" && *line != "MD5Sum:");
        lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).unwrap_or_default().trim()
    };
    let archive = Archive {
        origin: field("Origin").to_owned(),
        label: field("Label").to_owned(),
        suite: field("Suite").to_owned(),
        codename: field("Codename").to_owned(),
    };
    Some((archive, moment(field("Date"))?))
}

/// `Sat, 21 Nov 2026 00:53:02 UTC`; archives are dated in UTC, whatever they call it.
fn moment(date: &str) -> Option<i64> {
    let date = date.split_once(',').map_or(date, |(_weekday, date)| date).trim();
    let (time, zone) = date.rsplit_once(' ')?;
    if !matches!(zone, "UTC" | "GMT" | "UT" | "Z" | "+0000" | "-0000") {
        return None;
    }
    let time = DateTime::strptime("%d %b %Y %H:%M:%S", time.trim()).ok()?;
    Some(time.to_zoned(TimeZone::UTC).ok()?.timestamp().as_second())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_says_whose_it_is_and_of_when() {
        let head = "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nOrigin: Debian\nLabel: Debian-Security\nSuite: \
                    oldstable-security\nCodename: bookworm-security\nDate: Sat, 21 Nov 2026 00:53:02 UTC\nSHA256:\n Date: x\n";
        let (archive, at) = read(head).unwrap();
        assert_eq!((archive.label.as_str(), archive.origin.as_str(), at), ("Debian-Security", "Debian", 1_795_222_382));
        assert!(archive.is_security(&[]));
    }

    #[test]
    fn dates_are_read_in_the_ways_archives_write_them_and_no_other() {
        for (date, seconds) in [
            ("Thu, 01 Jan 1970 00:01:00 UTC", Some(60)),
            ("Thu,  1 Jan 1970 00:01:00 GMT", Some(60)),
            ("1 Jan 1970 00:01:00 +0000", Some(60)),
            ("Thu, 01 Jan 1970 00:01:00 JST", None),
            ("Thu, 32 Jan 1970 00:01:00 UTC", None),
            ("yesterday", None),
            ("", None),
        ] {
            assert_eq!(moment(date), seconds, "{date}");
        }
    }
}
