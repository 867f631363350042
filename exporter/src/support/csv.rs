//! Tickets out of a CSV file that a ticket system or a spreadsheet exports.
//!
//! Some write it in place. A file that changed just now is therefore looked at again a little later: a last line that was cut can look
//! whole, and what is missing behind a line's end cannot be seen at all.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::Duration;

use ::csv::{ReaderBuilder, StringRecord, Trim};
use jiff::tz::TimeZone;

use super::settings::{CsvFile, Encoding};
use super::ticket::Ticket;
use crate::{clock, regular_file};

/// The largest file that is read, in bytes.
const MAX_BYTES: u64 = 16 << 20;
/// Tickets that are kept: of more, the figures would cost more than they tell.
pub(super) const MAX_TICKETS: usize = 200_000;

/// What changed within that is looked at again after as long.
pub(super) const SETTLE: Duration = Duration::from_secs(3);

/// What tells one state of a file from the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    modified: (i64, i64),
    length: u64,
    inode: u64,
}

/// What a look at the file found.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// It is being written, for all that can be seen: to be looked at again after [`SETTLE`].
    Changing(Stamp),
    /// All of its tickets.
    Tickets(Vec<Ticket>),
}

/// Looks at the file, now; `before` is what it was at the last look, [`SETTLE`] ago. Blocks.
///
/// # Errors
/// With the file, and the line and column at fault.
pub(super) fn look(file: &CsvFile, zone: &TimeZone, before: Option<&Stamp>) -> Result<Look, String> {
    let shown = file.path.display();
    let unreadable = |error: std::io::Error| format!("cannot read {shown}: {error}");
    let stamp = stamp(&file.path).map_err(unreadable)?;
    // By two looks rather than by the clock alone: a file server's may be another one.
    let young = clock::whole_seconds() - stamp.modified.0 <= SETTLE.as_secs().cast_signed();
    if young && before.is_none() {
        return Ok(Look::Changing(stamp));
    }
    let bytes = regular_file::read(&file.path, MAX_BYTES).map_err(unreadable)?;
    let still = before.is_none_or(|before| *before == stamp) && self::stamp(&file.path).map_err(unreadable)? == stamp;
    // What grows all the time, such as a log of tickets, is read up to the line it has come to.
    if !still && !bytes.ends_with(b"\n") {
        return Ok(Look::Changing(stamp));
    }
    parse(&bytes, file, zone).map(Look::Tickets).map_err(|why| format!("{shown}: {why}"))
}

fn stamp(path: &Path) -> std::io::Result<Stamp> {
    let metadata = std::fs::metadata(path)?;
    Ok(Stamp { modified: (metadata.mtime(), metadata.mtime_nsec()), length: metadata.len(), inode: metadata.ino() })
}

fn parse(bytes: &[u8], file: &CsvFile, zone: &TimeZone) -> Result<Vec<Ticket>, String> {
    let encoding = match file.encoding {
        Encoding::Utf8 => encoding_rs::UTF_8,
        Encoding::ShiftJis => encoding_rs::SHIFT_JIS,
    };
    let (text, used, broken) = encoding.decode(bytes);
    if broken {
        return Err(format!("is not written in {}; give `encoding: utf-8` or `encoding: shift_jis`", used.name()));
    }
    // Spreadsheets leave out the last commas of a row whose last cells are empty.
    let mut reader = ReaderBuilder::new().trim(Trim::All).flexible(true).from_reader(text.as_bytes());
    let head = reader.headers().map_err(|error| error.to_string())?.clone();
    let received = column(&head, &file.columns.received_at)?;
    let answered = column(&head, &file.columns.answered_at)?;
    let closed = file.columns.closed_at.as_deref().map(|name| column(&head, name)).transpose()?;
    let mut tickets = Vec::new();
    let mut record = StringRecord::new();
    while reader.read_record(&mut record).map_err(|error| error.to_string())? {
        if tickets.len() == MAX_TICKETS {
            return Err(format!("has more than {MAX_TICKETS} tickets; export those of the last 14 months"));
        }
        // And they save rows that were cleared, as commas only.
        if record.iter().all(str::is_empty) {
            continue;
        }
        let line = record.position().map_or(0, ::csv::Position::line);
        if record.len() > head.len() {
            return Err(format!(
                "line {line}: has {} fields, and line 1 has {}; quote what has a comma in it",
                record.len(),
                head.len()
            ));
        }
        if record.len() < head.len() && reader.position().byte() >= text.len() as u64 && !text.ends_with(['\n', '\r']) {
            return Err(format!(
                "line {line}: ends early; write the file under another name and rename it when it is whole"
            ));
        }
        let field = |at: usize| record.get(at).unwrap_or_default();
        let ticket = Ticket::read(field(received), field(answered), closed.map_or("", field), zone);
        tickets.push(ticket.map_err(|why| format!("line {line}: {why}"))?);
    }
    Ok(tickets)
}

fn column(head: &StringRecord, name: &str) -> Result<usize, String> {
    let mut places = head.iter().enumerate().filter(|(_, found)| *found == name).map(|(at, _)| at);
    match (places.next(), places.next()) {
        (Some(at), None) => Ok(at),
        (Some(_), Some(_)) => Err(format!("line 1: there are two columns `{name}`; which one is meant?")),
        (None, _) => {
            let found: Vec<&str> = head.iter().take(20).collect();
            Err(format!("line 1: there is no column `{name}`; found: {}", found.join(", ")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::support::settings::Columns;

    fn file(encoding: Encoding, received: &str, answered: &str) -> CsvFile {
        let columns = Columns { received_at: received.to_owned(), answered_at: answered.to_owned(), closed_at: None };
        CsvFile { path: "tickets.csv".into(), encoding, columns }
    }

    fn tokyo() -> TimeZone {
        TimeZone::get("Asia/Tokyo").unwrap()
    }

    #[test]
    fn a_spreadsheets_export_is_read_in_either_encoding() {
        let text = "番号,件名,受付日時,回答日時\r\n1,\"使い方, その他\",2026/11/20 9:05,2026/11/20 10:00\r\n2,\"改行\r\nあり\",2026/11/20 9:06,\r\n";
        let expected = [
            Ticket { received_at: 1_795_133_100, done_at: Some(1_795_136_400) },
            Ticket { received_at: 1_795_133_160, done_at: None },
        ];
        let (sjis, _, _) = encoding_rs::SHIFT_JIS.encode(text);
        assert_eq!(parse(&sjis, &file(Encoding::ShiftJis, "受付日時", "回答日時"), &tokyo()).unwrap(), expected);
        let bom = [b"\xef\xbb\xbf", text.as_bytes()].concat();
        assert_eq!(parse(&bom, &file(Encoding::Utf8, "受付日時", "回答日時"), &tokyo()).unwrap(), expected);
        let why = parse(&sjis, &file(Encoding::Utf8, "受付日時", "回答日時"), &tokyo()).unwrap_err();
        assert!(why.contains("encoding: shift_jis"), "{why}");
    }

    #[test]
    fn rows_that_a_spreadsheet_cleared_are_none_and_its_last_commas_may_be_missing() {
        let waiting = |received_at| Ticket { received_at, done_at: None };
        let text = "r,a,note\r\n1000000000,,x\r\n1000000060\r\n,,\r\n  , ,\r\n1000000120,,\r\n,,\r\n";
        let found = parse(text.as_bytes(), &file(Encoding::Utf8, "r", "a"), &tokyo()).unwrap();
        assert_eq!(found, [1_000_000_000, 1_000_000_060, 1_000_000_120].map(waiting));
        let whole = parse(b"r,a\n1000000000,", &file(Encoding::Utf8, "r", "a"), &tokyo()).unwrap();
        assert_eq!(whole, [waiting(1_000_000_000)], "the last line needs no end");
    }

    #[test]
    fn what_cannot_be_read_is_said_with_its_line() {
        let spoilt = file(Encoding::Utf8, "r", "a");
        for (text, part) in [
            ("x,y\n", "line 1: there is no column `r`; found: x, y"),
            ("r,a\n2026-11-20 10:00,\nsoon,\n", "line 3: received_at: `soon` is not a moment"),
            ("r,a,r\n", "line 1: there are two columns `r`"),
            ("r,a,n\n,,3\n", "line 2: received_at: is empty"),
            ("r,a\n1,2,3\n", "line 2: has 3 fields, and line 1 has 2; quote"),
            ("r,a\n2026-11-20 10:00,\n2026-11-20 10:00", "line 3: ends early"),
            ("n,r,a\n1\n", "line 2: received_at: is empty"),
            ("", "there is no column"),
        ] {
            let why = parse(text.as_bytes(), &spoilt, &tokyo()).unwrap_err();
            assert!(why.contains(part), "{text}: {why}");
        }
        assert_eq!(parse(b"r,a\n", &spoilt, &tokyo()).unwrap(), []);
    }

    #[test]
    fn a_file_that_changed_just_now_is_looked_at_again_and_read_when_it_is_still_or_has_whole_lines() {
        let folder = tempfile::tempdir().unwrap();
        let file = CsvFile { path: folder.path().join("t.csv"), ..file(Encoding::Utf8, "r", "a") };
        let write = |text: &str| std::fs::write(&file.path, text).unwrap();
        let look = |before: Option<&Stamp>| super::look(&file, &tokyo(), before).unwrap();
        let changing = |before: Option<&Stamp>| match look(before) {
            Look::Changing(stamp) => stamp,
            Look::Tickets(tickets) => panic!("{tickets:?}"),
        };
        let tickets = |before: Option<&Stamp>| match look(before) {
            Look::Tickets(tickets) => tickets.len(),
            Look::Changing(stamp) => panic!("{stamp:?}"),
        };
        write("r,a\n1000000000,\n1000000060,1000000");
        let first = changing(None);
        write("r,a\n1000000000,\n1000000060,1000000120");
        let second = changing(Some(&first));
        assert_eq!(tickets(Some(&second)), 2, "still, though its last line has no end");
        write("r,a\n1000000000,\n1000000060,1000000120\n1000000240,\n");
        assert_eq!(tickets(Some(&second)), 3, "it goes on growing, by whole lines");
        // What was written long ago needs no second look.
        let long_ago = std::time::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        std::fs::File::options().write(true).open(&file.path).unwrap().set_modified(long_ago).unwrap();
        assert_eq!(tickets(None), 3);
    }
}
