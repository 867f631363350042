//! Alerts lead to the dashboard that answers them: one that is there, with its variables chosen by the alert's own labels.

use super::{Dashboard, Findings, text};
use crate::rules::{alerts, read};

/// How the links begin as shipped; docs/rules.md says how to change it.
const BASE: &str = "https://example.com/grafana/d/";

#[test]
fn every_alert_leads_to_a_dashboard_with_variables_it_has() {
    let dashboards = Dashboard::all();
    let mut findings = Findings::default();
    for rule in alerts() {
        let url = rule.text(&["annotations", "dashboard_url"]);
        let what = format!("{}: {}: {url:?}", rule.file, rule.name);
        let Some(path) = url.strip_prefix(BASE) else {
            findings.check(false, || format!("{what}: not below {BASE}"));
            continue;
        };
        let (uid, query) = path.split_once('?').unwrap_or((path, ""));
        let Some(dashboard) = dashboards.iter().find(|dashboard| dashboard.uid() == uid) else {
            findings.check(false, || format!("{what}: no such dashboard"));
            continue;
        };
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            if matches!(name, "from" | "to") {
                continue;
            }
            let name = name.strip_prefix("var-").unwrap_or_default();
            let has = dashboard.variables().iter().any(|variable| text(variable, "name") == name);
            findings.check(has, || format!("{what}: it has no variable {name:?}"));
            // A label's value may hold any sign.
            let escaped = value == format!("{{{{ $labels.{name} | urlquery }}}}");
            findings.check(escaped, || format!("{what}: {name} is not the label {name}, escaped"));
        }
        // A month is chosen by its variable; mails would add the alert's own time, at which less was known.
        let of_months = dashboard.variables().iter().any(|variable| text(variable, "name") == "month");
        let own = format!("&from={}&to=now", text(&dashboard.json["time"], "from"));
        findings.check(!of_months || query.ends_with(&own), || format!("{what}: without its own range {own}"));
        // Not chosen, the first contract would be shown.
        let of_one = rule.text(&["annotations", "description"]).contains("$labels.contract");
        let choosable = dashboard.variables().iter().any(|variable| text(variable, "name") == "contract");
        findings.check(!of_one || !choosable || query.contains("var-contract="), || {
            format!("{what}: the alert's contract is not chosen")
        });
    }
    findings.none();
}

#[test]
fn docs_say_how_the_links_are_changed() {
    let documented = read("docs/rules.md");
    let base = BASE.trim_end_matches("/d/");
    assert!(documented.contains(&format!("s|{base}|")), "docs/rules.md: {base}");
}
