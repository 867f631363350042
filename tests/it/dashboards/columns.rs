//! Columns of tables are named as Grafana names them: a name nothing has is one it ignores, and the column stays raw.
//!
//! Prometheus' value column is `Value` when a panel has one table query, `Value #A` when it has several, also where a query finds
//! nothing. Labels are columns by their names. Transformations run in their order; only `organize` renames.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Dashboard, Findings, list, text, title};

/// The value columns of a panel.
fn values(panel: &Value) -> BTreeSet<String> {
    let tables: Vec<&str> = list(&panel["targets"])
        .iter()
        .filter(|target| target["format"] == "table")
        .map(|target| text(target, "refId"))
        .collect();
    match tables.as_slice() {
        [_] => ["Value".to_owned()].into(),
        several => several.iter().map(|name| format!("Value #{name}")).collect(),
    }
}

/// What the last `organize` renames, from and to.
fn renamed(panel: &Value) -> Vec<(&str, &str)> {
    let organize = list(&panel["transformations"]).iter().rev().find(|step| step["id"] == "organize");
    let names = organize.and_then(|step| step["options"]["renameByName"].as_object());
    names.into_iter().flatten().map(|(from, to)| (from.as_str(), to.as_str().unwrap_or_default())).collect()
}

#[test]
fn every_column_that_is_named_exists() {
    let mut findings = Findings::default();
    for dashboard in &Dashboard::all() {
        for panel in dashboard.data_panels().into_iter().filter(|panel| text(panel, "type") == "table") {
            let what = format!("{}: {:?}", dashboard.file, title(panel));
            let (values, renamed) = (values(panel), renamed(panel));
            for (from, _) in renamed.iter().filter(|(from, _)| from.starts_with("Value")) {
                findings.check(values.contains(*from), || format!("{what}: renames {from:?}, there is {values:?}"));
            }
            if renamed.is_empty() {
                continue;
            }
            let shown: BTreeSet<&str> = renamed.iter().map(|(_, to)| *to).collect();
            let by_name = list(&panel["fieldConfig"]["overrides"]).iter().map(|entry| &entry["matcher"]);
            let overrides = by_name.filter(|matcher| matcher["id"] == "byName").map(|matcher| text(matcher, "options"));
            let sorts = list(&panel["options"]["sortBy"]).iter().map(|entry| text(entry, "displayName"));
            for name in overrides.chain(sorts) {
                findings.check(shown.contains(name), || format!("{what}: {name:?} is no column of {shown:?}"));
            }
        }
    }
    findings.none();
}
