//! The Markdown report as a whole, against what was last looked at, and its tables.

use super::*;
use crate::report::golden;
use crate::report::sample::report;

#[test]
fn a_report_reads_as_it_did() {
    let report = report();
    golden::check("report.ja.md", render(&report, Lang::Ja).as_bytes());
    golden::check("report.en.md", render(&report, Lang::En).as_bytes());
}

#[test]
fn every_table_has_as_many_cells_as_columns() {
    let report = report();
    for lang in Lang::ALL {
        let text = render(&report, lang);
        let mut columns = None;
        for line in text.lines() {
            if !line.starts_with('|') {
                columns = None;
                continue;
            }
            let cells = line.replace("\\|", "").matches('|').count();
            assert_eq!(*columns.get_or_insert(cells), cells, "{line}");
        }
    }
}
