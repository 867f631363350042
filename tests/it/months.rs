//! recording-rules/months.yml beside an independent slow calculation (`sla_tests::slow`), to the slot, on Prometheus and on
//! VictoriaMetrics: random slots and random ledgers, many zones, edges of months.
//!
//! `past` asks for the one rule that reads everything at chosen moments of history; `live` lets the programs evaluate the
//! file over and over while the ledger changes and the exporter goes away and comes back; `exporter` has the real one with
//! real ledgers; `burn` is about burn.yml. promtool can do none of it (a subquery over two months is too many samples).

mod burn;
pub(crate) mod expected;
mod exporter;
pub(crate) mod live;
mod past;
pub(crate) mod servers;

use std::collections::BTreeSet;

use crate::rules::records;

/// The expression of a rule in months.yml.
#[track_caller]
pub(crate) fn expression(record: &str) -> String {
    let rule = records().into_iter().find(|rule| rule.name == record).unwrap_or_else(|| panic!("no rule {record}"));
    rule.text(&["expr"]).to_owned()
}

#[test]
fn every_series_of_the_file_is_compared() {
    let recorded: BTreeSet<String> =
        records().into_iter().filter(|rule| rule.file == "recording-rules/months.yml").map(|rule| rule.name).collect();
    assert_eq!(recorded, expected::SERIES.map(str::to_owned).into());
}
