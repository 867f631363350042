//! Tickets out of a CSV file that a ticket system or a spreadsheet exports.

use ::csv::{ReaderBuilder, StringRecord, Trim};
use jiff::tz::TimeZone;

use super::settings::{CsvFile, Encoding};
use super::ticket::Ticket;
use crate::regular_file;

/// The largest file that is read, in bytes.
const MAX_BYTES: u64 = 16 << 20;
/// Tickets that are kept: of more, the figures would cost more than they tell.
pub(super) const MAX_TICKETS: usize = 200_000;

/// Reads all tickets of the file, now. Blocks.
///
/// # Errors
/// With the file, and the line and column at fault.
pub(super) fn read(file: &CsvFile, zone: &TimeZone) -> Result<Vec<Ticket>, String> {
    let shown = file.path.display();
    let bytes = regular_file::read(&file.path, MAX_BYTES).map_err(|error| format!("cannot read {shown}: {error}"))?;
    parse(&bytes, file, zone).map_err(|why| format!("{shown}: {why}"))
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
    head.iter().position(|found| found == name).ok_or_else(|| {
        let found: Vec<&str> = head.iter().take(20).collect();
        format!("line 1: there is no column `{name}`; found: {}", found.join(", "))
    })
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
}
