//! docs/dashboards.md lists every dashboard with its question, its panels and the alerts that lead to it, as the files say.
//!
//! `UPDATE=1 cargo test -p sla-tests --test it dashboards` writes that part anew.

use std::fmt::Write as _;

use super::{Dashboard, text, title};
use crate::rules::{alerts, read, root};

const FILE: &str = "docs/dashboards.md";
/// What stands between them is written here.
const MARKS: [&str; 2] = ["<!-- written by a test: from here -->\n", "<!-- to here -->\n"];

/// The English half of a title.
fn english(title: &str) -> &str {
    title.split(" / ").next().unwrap_or_default()
}

/// Names of the alerts whose link leads to a dashboard.
fn leading_to(uid: &str) -> Vec<String> {
    let leads = |url: &str| {
        let rest = url.split_once("/d/").map_or("", |(_, rest)| rest);
        rest.strip_prefix(uid).is_some_and(|rest| rest.is_empty() || rest.starts_with('?'))
    };
    let mut names: Vec<String> = alerts()
        .into_iter()
        .filter(|rule| leads(rule.text(&["annotations", "dashboard_url"])))
        .map(|rule| rule.name)
        .collect();
    names.sort();
    names.into_iter().map(|name| format!("[{name}](runbooks/{name}.md)")).collect()
}

/// One dashboard.
fn section(dashboard: &Dashboard) -> String {
    let mut out = format!(
        "\n## {}\n\n{} [`{}`](../{})\n\n| row | panels |\n|---|---|\n",
        english(title(&dashboard.json)).trim_start_matches("SLA: "),
        text(&dashboard.json, "description"),
        dashboard.uid(),
        dashboard.file
    );
    let mut rows: Vec<(&str, Vec<&str>)> = Vec::new();
    for panel in dashboard.boxes() {
        if text(panel, "type") == "row" {
            rows.push((english(title(panel)), Vec::new()));
        } else if let Some((_, panels)) = rows.last_mut() {
            panels.push(english(title(panel)));
        } else {
            rows.push(("at the top", vec![english(title(panel))]));
        }
    }
    for (row, panels) in rows {
        let _ = writeln!(out, "| {row} | {} |", panels.join(" · "));
    }
    let alerts = leading_to(dashboard.uid());
    if !alerts.is_empty() {
        let _ = writeln!(out, "\nAlerts that lead here: {}.", alerts.join(", "));
    }
    out
}

#[test]
fn every_dashboard_is_listed_with_its_question_its_panels_and_its_alerts() {
    let wanted: String = Dashboard::all().iter().map(section).collect::<String>() + "\n";
    let whole = read(FILE);
    let (before, rest) = whole.split_once(MARKS[0]).expect("the first mark");
    let (found, after) = rest.split_once(MARKS[1]).expect("the second mark");
    if found != wanted && std::env::var_os("UPDATE").is_some() {
        let text = format!("{before}{}{wanted}{}{after}", MARKS[0], MARKS[1]);
        std::fs::write(root().join(FILE), text).unwrap();
    } else {
        assert_eq!(found, wanted, "{FILE} is not as UPDATE=1 would write it");
    }
}
