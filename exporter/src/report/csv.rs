//! The report for spreadsheets and scripts: one table at a time, a row for each thing, names of columns the same in every
//! language.
//!
//! UTF-8; with a byte order mark in Japanese, because Excel takes the text for Shift_JIS without one. No cell is a
//! formula, whatever a title says. Moments are RFC 3339 in UTC, lengths seconds, shares 0 to 1 as in `model`. What is not
//! known is an empty cell. Not for: reading back (`json`).

mod duties;
mod tables;

use csv::{Terminator, Writer, WriterBuilder};
use serde::{Deserialize, Serialize};

use super::model::Report;
use crate::lang::Lang;

/// Which table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Table {
    /// The figures: a row for each function and each of the three figures
    #[default]
    Figures,
    /// Incidents: a row for each and function
    Incidents,
    /// Maintenance: a row for each and function
    Maintenance,
    /// Measured downtime nobody judged: a row for each stretch
    Unexplained,
    /// Unmeasured time: a row for each stretch
    Gaps,
    /// Every slot
    Slots,
    /// What the ledger decides: a row for each window
    Windows,
    /// The year so far: a row for each month and function
    Year,
    /// The contract's duties: a row for each, and for each thing that broke one or was not measured
    Duties,
}

/// `table` of `report`.
///
/// # Errors
/// Never: it is written to memory.
pub fn render(report: &Report, table: Table, lang: Lang) -> Result<Vec<u8>, csv::Error> {
    let mark: &[u8] = lang.pick("\u{feff}".as_bytes(), b"");
    // As RFC 4180 has it, and Excel.
    let rows = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(mark.to_vec());
    let mut rows = Rows { rows, lang, report };
    match table {
        Table::Figures => rows.figures()?,
        Table::Incidents => rows.incidents()?,
        Table::Maintenance => rows.maintenance()?,
        Table::Unexplained => rows.unexplained()?,
        Table::Gaps => rows.gaps()?,
        Table::Slots => rows.slots()?,
        Table::Windows => rows.windows()?,
        Table::Year => rows.year()?,
        Table::Duties => rows.duties()?,
    }
    rows.rows.into_inner().map_err(|error| error.into_error().into())
}

/// The table being written.
struct Rows<'a> {
    rows: Writer<Vec<u8>>,
    lang: Lang,
    report: &'a Report,
}

/// A text somebody wrote: what a spreadsheet would take for a formula gets an apostrophe in front.
fn text(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠']) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

fn cell<T: ToString>(value: Option<T>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

/// The word JSON has for a value of an enumeration.
fn word<T: Serialize>(value: &T) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

fn moment(at: i64) -> String {
    jiff::Timestamp::from_second(at).map_or_else(|_| at.to_string(), |moment| moment.to_string())
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum as _;

    use super::*;
    use crate::report::golden;
    use crate::report::sample::report;

    fn table(table: Table, lang: Lang) -> Vec<Vec<String>> {
        let bytes = render(&report(), table, lang).unwrap();
        let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&bytes);
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(bytes);
        reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect()
    }

    #[test]
    fn every_table_is_rectangular_and_has_rows() {
        for kind in Table::value_variants() {
            for lang in Lang::ALL {
                // The reader refuses rows of another length.
                let rows = table(*kind, lang);
                assert!(rows.len() > 1, "{kind:?}");
                assert_eq!(rows[0][..3], ["contract", "month", "function"]);
            }
        }
    }

    #[test]
    fn every_table_is_documented_with_its_columns() {
        let documentation = include_str!("../../../docs/report.md");
        for kind in Table::value_variants() {
            let name = word(kind);
            let row = documentation.lines().find(|line| line.starts_with(&format!("| `{name}` |")));
            let row = row.unwrap_or_else(|| panic!("docs/report.md lacks the table {name}"));
            let columns: Vec<String> = table(*kind, Lang::En)[0][3..].iter().map(|name| format!("`{name}`")).collect();
            assert!(row.ends_with(&format!("| {} |", columns.join(", "))), "{name}: {}", columns.join(", "));
        }
    }

    #[test]
    fn no_text_is_a_formula() {
        let rows = table(Table::Incidents, Lang::En);
        assert!(rows.iter().any(|row| row[4] == "'=Form failures"), "{rows:?}");
        for (raw, safe) in [
            ("=1+1", "'=1+1"),
            ("+81 3", "'+81 3"),
            ("-x", "'-x"),
            ("@SUM(1)", "'@SUM(1)"),
            ("\t=1", "'\t=1"),
            ("a=1", "a=1"),
            ("", ""),
        ] {
            assert_eq!(text(raw), safe);
        }
    }

    #[test]
    fn what_a_text_contains_stays_in_its_cell() {
        let rows = table(Table::Incidents, Lang::Ja);
        assert!(rows.iter().any(|row| row[4] == "監視の誤検知 | \"proxy\""));
    }

    #[test]
    fn tables_read_as_they_did() {
        for kind in [Table::Figures, Table::Incidents, Table::Maintenance, Table::Year, Table::Duties] {
            golden::check(&format!("{}.en.csv", word(&kind)), &render(&report(), kind, Lang::En).unwrap());
        }
        for kind in [Table::Incidents, Table::Duties] {
            golden::check(&format!("{}.ja.csv", word(&kind)), &render(&report(), kind, Lang::Ja).unwrap());
        }
    }

    #[test]
    fn excel_is_told_the_encoding_in_japanese_only() {
        let starts = |lang| render(&report(), Table::Figures, lang).unwrap().starts_with(&[0xef, 0xbb, 0xbf]);
        assert!(starts(Lang::Ja));
        assert!(!starts(Lang::En));
    }
}
