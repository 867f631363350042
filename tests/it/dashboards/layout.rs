//! The grid: 24 columns, nothing over another, every id once.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Dashboard, Findings, list, text, title};

/// Left, top, right, bottom; right and bottom are outside.
fn place(panel: &Value) -> [i64; 4] {
    let of = |key: &str| panel["gridPos"][key].as_i64().unwrap_or(-1);
    [of("x"), of("y"), of("x") + of("w"), of("y") + of("h")]
}

fn overlap(a: [i64; 4], b: [i64; 4]) -> bool {
    a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3]
}

#[test]
fn touching_is_not_overlapping() {
    for (a, b, expected) in [
        ([0, 0, 12, 4], [12, 0, 24, 4], false),
        ([0, 0, 12, 4], [11, 0, 24, 4], true),
        ([0, 0, 24, 4], [0, 4, 24, 8], false),
        ([0, 0, 24, 4], [0, 3, 24, 8], true),
        ([0, 0, 24, 9], [4, 4, 5, 5], true),
    ] {
        assert_eq!(overlap(a, b), expected, "{a:?} {b:?}");
        assert_eq!(overlap(b, a), expected, "{b:?} {a:?}");
    }
}

#[test]
fn nothing_lies_over_another_and_nothing_outside_of_the_grid() {
    let mut findings = Findings::default();
    for dashboard in Dashboard::all() {
        let boxes = dashboard.boxes();
        for (n, panel) in boxes.iter().enumerate() {
            let at = place(panel);
            findings.check(at[0] >= 0 && at[1] >= 0 && at[2] <= 24 && at[0] < at[2] && at[1] < at[3], || {
                format!("{}: {:?} is outside: {at:?}", dashboard.file, title(panel))
            });
            for other in boxes.iter().take(n).filter(|other| overlap(at, place(other))) {
                findings
                    .check(false, || format!("{}: {:?} lies over {:?}", dashboard.file, title(panel), title(other)));
            }
        }
        // Grafana moves panels up into holes, and then all below are elsewhere than written.
        for panel in &boxes {
            let [left, top, right, _] = place(panel);
            let held = top == 0
                || boxes.iter().any(|above| {
                    let [l, _, r, bottom] = place(above);
                    bottom == top && l < right && left < r
                });
            findings.check(held, || format!("{}: nothing is above {:?}", dashboard.file, title(panel)));
        }
    }
    findings.none();
}

#[test]
fn every_id_is_there_once() {
    let (mut findings, mut uids, mut titles) = (Findings::default(), BTreeSet::new(), BTreeSet::new());
    for dashboard in Dashboard::all() {
        let file = &dashboard.file;
        findings.check(uids.insert(dashboard.uid().to_owned()), || format!("{file}: uid {:?} again", dashboard.uid()));
        findings.check(titles.insert(title(&dashboard.json).to_owned()), || format!("{file}: its title again"));
        let mut ids = BTreeSet::new();
        for panel in dashboard.boxes() {
            let id = panel["id"].as_i64().unwrap_or_default();
            findings.check(id > 0 && ids.insert(id), || format!("{file}: {:?}: id {id} again, or none", title(panel)));
            let refs: Vec<&str> = list(&panel["targets"]).iter().map(|target| text(target, "refId")).collect();
            let once: BTreeSet<&&str> = refs.iter().collect();
            findings.check(once.len() == refs.len(), || format!("{file}: {:?}: refIds {refs:?}", title(panel)));
        }
        let names: Vec<&str> = dashboard.variables().iter().map(|variable| text(variable, "name")).collect();
        let once: BTreeSet<&&str> = names.iter().collect();
        findings.check(once.len() == names.len(), || format!("{file}: variables {names:?}"));
        let panels: Vec<&str> = dashboard.panels().into_iter().map(title).collect();
        let once: BTreeSet<&&str> = panels.iter().collect();
        findings.check(once.len() == panels.len(), || format!("{file}: a panel's title is there twice: {panels:?}"));
    }
    findings.none();
}
