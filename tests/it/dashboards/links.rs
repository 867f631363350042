//! Links lead somewhere: to a dashboard that exists, with variables it has, and the time range goes along.

use serde_json::Value;

use super::{Dashboard, Findings, list, text, title};

/// Every text of a JSON value that is an address of a dashboard.
fn addresses<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::String(text) if text.starts_with("/d/") => found.push(text),
        Value::Array(list) => list.iter().for_each(|value| addresses(value, found)),
        Value::Object(map) => map.values().for_each(|value| addresses(value, found)),
        _ => {}
    }
}

#[test]
fn every_address_is_one_of_ours_with_variables_it_has() {
    let dashboards = Dashboard::all();
    let mut findings = Findings::default();
    for dashboard in &dashboards {
        let mut found = Vec::new();
        addresses(&dashboard.json, &mut found);
        for address in found {
            let what = format!("{}: {address}", dashboard.file);
            let (path, query) = address.split_once('?').unwrap_or((address, ""));
            let target = dashboards.iter().find(|other| path == format!("/d/{}", other.uid()));
            findings.check(target.is_some(), || format!("{what}: no such dashboard"));
            let timed = query.contains("${__url_time_range}") || query.contains("from=");
            findings.check(timed, || format!("{what}: no time range"));
            for name in query.split('&').filter_map(|part| part.strip_prefix("var-")?.split('=').next()) {
                let has = target.is_some_and(|target| target.variables().iter().any(|v| text(v, "name") == name));
                findings.check(has, || format!("{what}: it has no variable {name}"));
            }
            // `${contract:queryparam}` is `var-contract=…` whole.
            for part in query.split('&').filter(|part| part.ends_with(":queryparam}")) {
                let name = part.trim_start_matches("${").trim_end_matches(":queryparam}");
                let has = target.is_some_and(|target| target.variables().iter().any(|v| text(v, "name") == name));
                let own = dashboard.variables().iter().any(|variable| text(variable, "name") == name);
                findings.check(has && own, || format!("{what}: the variable {name} is not on both"));
            }
        }
    }
    findings.none();
}

#[test]
fn each_leads_to_all_others_with_time_and_variables() {
    let mut findings = Findings::default();
    for Dashboard { file, json, .. } in &Dashboard::all() {
        let all = list(&json["links"]).iter().any(|link| {
            link["type"] == "dashboards"
                && link["tags"] == serde_json::json!(["sla"])
                && link["keepTime"] == true
                && link["includeVars"] == true
        });
        findings.check(all, || format!("{file}: no link to the dashboards tagged sla"));
        findings.check(!title(json).is_empty(), || format!("{file}: no title"));
    }
    findings.none();
}
