//! docs/clauses.md: every clause of the reference contract leads to what measures it, who is told, where it is looked at, and what tests it,
//! and all of that exists.
//!
//! Not for: whether it does what the clause says, which is what the tests that are named there are for.

use std::collections::{BTreeMap, BTreeSet};

use crate::rules::metrics::{exists, known};
use crate::rules::{alerts, read, root};

/// The clauses of the reference contract that software can do something about.
const CLAUSES: [&str; 21] = [
    "C2.1", "C2.2", "C2.3", "C2.4", "C2.5", "C2.6.2", "C2.6.3", "C2.6.4", "C2.6.5", "C2.6.6", "C2.6.7", "C2.6.8",
    "C3.2", "C3.4", "C4.1", "C4.1f", "C4.1i", "C4.1ii", "C4.1iii", "C4.1.2", "C4.2",
];

/// Columns after the clause.
const COLUMNS: [&str; 6] = ["what was promised", "configuration", "metrics and rules", "alerts", "dashboards", "tests"];

/// Those of which every clause names something that exists.
const NAMED: [usize; 4] = [2, 3, 4, 5];

struct Row {
    clauses: Vec<String>,
    cells: Vec<String>,
}

/// The rows of the table; panics where one has another number of cells.
fn rows() -> Vec<Row> {
    let text = read("docs/clauses.md");
    let table: Vec<&str> = text.lines().filter(|line| line.starts_with('|')).collect();
    assert_eq!(table[0], format!("| clause | {} |", COLUMNS.join(" | ")));
    let row = |line: &&str| {
        let mut cells: Vec<String> = line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect();
        assert_eq!(cells.len(), COLUMNS.len() + 1, "{line}");
        let first = cells.remove(0);
        let clauses = first.split('(').next().unwrap_or_default();
        Row { clauses: clauses.split(',').map(|id| id.trim().to_owned()).collect(), cells }
    };
    table[2..].iter().map(row).collect()
}

/// What stands between backticks.
fn quoted(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

/// What is wrong with what a cell names: nothing, where it exists.
fn fault(column: usize, word: &str, metrics: &BTreeSet<String>, names: &BTreeSet<String>) -> Option<String> {
    let missing = |is_there: bool, what: &str| (!is_there).then(|| format!("there is no {what} `{word}`"));
    let file = |folder: &str| word.starts_with(folder).then(|| missing(root().join(word).is_file(), "file"));
    match column {
        2 if ["sla_", "sla:", "probe_", "node_"].iter().any(|start| word.starts_with(start)) => {
            let name = word.split('{').next().unwrap_or_default();
            let some = name.strip_suffix('*').map(|start| metrics.iter().any(|known| known.starts_with(start)));
            missing(some.unwrap_or_else(|| exists(metrics, name)), "metric")
        }
        2 => file("recording-rules/").flatten(),
        3 if word.chars().all(char::is_alphanumeric) && word.starts_with(char::is_uppercase) => {
            missing(names.contains(word), "alert")
        }
        3 => file("alert-rules/").flatten(),
        4 => missing(root().join(format!("dashboards/{word}.json")).is_file(), "dashboard"),
        5 => match word.split_once("::") {
            Some((path, name)) => {
                let text = std::fs::read_to_string(root().join(path)).unwrap_or_default();
                missing(text.contains(&format!("fn {name}()")), "test")
            }
            None => missing(root().join(word).is_file(), "file of tests"),
        },
        _ => None,
    }
}

#[test]
fn everything_the_table_names_exists() {
    let (metrics, names) = (known(), alerts().into_iter().map(|rule| rule.name).collect());
    let mut faults = Vec::new();
    for Row { clauses, cells } in rows() {
        for (column, cell) in cells.iter().enumerate() {
            let found = quoted(cell).into_iter().filter_map(|word| fault(column, word, &metrics, &names));
            faults.extend(found.map(|why| format!("{}: {}: {why}", clauses.join(", "), COLUMNS[column])));
        }
    }
    assert!(faults.is_empty(), "docs/clauses.md:\n{}", faults.join("\n"));
}

#[test]
fn every_clause_has_a_row_and_something_in_each_column() {
    let mut columns: BTreeMap<String, [bool; COLUMNS.len()]> = BTreeMap::new();
    for Row { clauses, cells } in rows() {
        for clause in clauses {
            let of = columns.entry(clause).or_default();
            for (column, cell) in cells.iter().enumerate() {
                of[column] |= !quoted(cell).is_empty();
            }
        }
    }
    for clause in CLAUSES {
        let of = columns.get(clause).unwrap_or_else(|| panic!("docs/clauses.md has no row of {clause}"));
        for column in NAMED {
            assert!(of[column], "docs/clauses.md: {clause} names nothing under {:?}", COLUMNS[column]);
        }
    }
    let unknown: Vec<&String> = columns.keys().filter(|clause| !CLAUSES.contains(&clause.as_str())).collect();
    assert!(unknown.is_empty(), "docs/clauses.md has rows of what the contract does not have: {unknown:?}");
}

#[test]
fn what_does_not_exist_is_found() {
    let (metrics, names) = (known(), alerts().into_iter().map(|rule| rule.name).collect());
    for (column, good, bad) in [
        (2, "probe_success", "probe_succeeded"),
        (2, "sla:month_*", "sla:week_*"),
        (2, "recording-rules/slots.yml", "recording-rules/slot.yml"),
        (3, "SlaFunctionDown", "SlaFunctionDead"),
        (3, "alert-rules/meta.yml", "alert-rules/beta.yml"),
        (4, "sla-month", "sla-week"),
        (5, "tests/it/clauses.rs::what_does_not_exist_is_found", "tests/it/clauses.rs::what_exists_is_found"),
        (5, "tests/promtool/slots.yml", "tests/promtool/slot.yml"),
    ] {
        assert_eq!(fault(column, good, &metrics, &names), None, "{good}");
        assert!(fault(column, bad, &metrics, &names).is_some(), "{bad}");
    }
}
