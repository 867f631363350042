//! Every metric a rule reads is one the exporter writes (docs/metrics.md, which a test of the exporter holds equal to its page),
//! one that is recorded, or one of Prometheus' own.

use std::collections::BTreeSet;

use super::{alerts, files, read, records};

/// Prometheus' and Alertmanager's own series.
const PROMETHEUS: &[&str] = &[
    "up",
    "ALERTS",
    "alertmanager_notifications_failed_total",
    "prometheus_notifications_alertmanagers_discovered",
    "prometheus_notifications_errors_total",
    "prometheus_rule_evaluation_failures_total",
    "prometheus_rule_group_iterations_missed_total",
    "prometheus_rule_group_iterations_total",
];

/// Operators, modifiers and functions that the rules use: a new one is added here after a look at reference of the oldest
/// version supported.
const LANGUAGE: &[&str] = &[
    "abs",
    "absent",
    "and",
    "avg",
    "avg_over_time",
    "bool",
    "by",
    "changes",
    "clamp_min",
    "count",
    "count_over_time",
    "end",
    "floor",
    "group_left",
    "group_right",
    "increase",
    "label_join",
    "label_replace",
    "last_over_time",
    "max",
    "max_over_time",
    "min",
    "min_over_time",
    "offset",
    "on",
    "or",
    "round",
    "sum",
    "sum_over_time",
    "time",
    "timestamp",
    "unless",
    "vector",
];

/// Names, and beginnings of names where the list has `node_memory_*`.
pub(crate) fn known() -> BTreeSet<String> {
    let listed = read("docs/metrics.md");
    let exported = listed.lines().filter_map(|line| Some(line.strip_prefix("| `")?.split('`').next()?.to_owned()));
    let recorded = records().into_iter().map(|rule| rule.name);
    exported.chain(recorded).chain(PROMETHEUS.iter().map(|&name| name.to_owned())).collect()
}

pub(crate) fn exists(known: &BTreeSet<String>, name: &str) -> bool {
    known.contains(name)
        || known.iter().filter_map(|known| known.strip_suffix('*')).any(|start| name.starts_with(start))
}

/// The identifiers of an expression outside of strings, label lists and comments.
pub(crate) fn identifiers(expression: &str) -> BTreeSet<String> {
    let mut bare = String::new();
    let (mut quoted, mut skipping) = (false, None);
    for line in expression.lines() {
        let line = line.split(" # ").next().unwrap_or_default();
        let line = if line.trim_start().starts_with('#') { "" } else { line };
        for sign in line.chars() {
            if sign == '"' {
                quoted = !quoted;
            } else if quoted {
            } else if let Some(end) = skipping {
                if sign == end {
                    skipping = None;
                    bare.push(',');
                }
            } else if sign == '{' || sign == '[' {
                skipping = Some(if sign == '{' { '}' } else { ']' });
            } else if sign == '('
                && ["by", "on", "group_left", "group_right"].iter().any(|word| bare.trim_end().ends_with(word))
            {
                skipping = Some(')');
            } else {
                bare.push(sign);
            }
        }
        bare.push('\n');
    }
    bare.split(|sign: char| !sign.is_alphanumeric() && sign != '_' && sign != ':')
        .filter(|word| word.starts_with(|sign: char| sign.is_alphabetic()))
        .map(str::to_owned)
        .collect()
}

#[test]
fn identifiers_are_found_and_labels_strings_and_comments_are_not() {
    let found = identifiers(
        "# down: of it\nsum by (contract) (count_over_time(probe_success{function!=\"\"}[1m])) > 0.5\nunless on (site) sla:x:now # why",
    );
    let expected = ["sum", "by", "count_over_time", "probe_success", "unless", "on", "sla:x:now"];
    assert_eq!(found, expected.map(str::to_owned).into());
}

#[test]
fn every_metric_in_a_rule_exists() {
    let known = known();
    assert!(known.contains("probe_success") && known.contains("sla_threshold"), "docs/metrics.md is not read right");
    for rule in alerts().into_iter().chain(records()) {
        for name in identifiers(rule.text(&["expr"])) {
            let duration = name.ends_with(['s', 'm', 'h', 'd']) && name.starts_with(|sign: char| sign.is_ascii_digit());
            assert!(
                duration || LANGUAGE.contains(&name.as_str()) || exists(&known, &name),
                "{}: {} reads {name}, which nothing writes",
                rule.file,
                rule.name
            );
        }
    }
}

#[test]
fn every_metric_in_a_runbook_exists() {
    let known = known();
    for path in files("docs/runbooks", ".md") {
        let text = read(&path);
        for word in text.split(|sign: char| !sign.is_alphanumeric() && sign != '_' && sign != ':') {
            let word = word.trim_matches(':').trim_end_matches("_bucket");
            let metric = ["probe_", "sla_", "sla:", "node_", "process_"].iter().any(|prefix| word.starts_with(prefix));
            let host_metric = word.starts_with("node_") || word.starts_with("process_");
            if metric && word.len() > 6 && !(host_metric && word.ends_with('_')) {
                assert!(exists(&known, word), "{path}: {word} does not exist");
            }
        }
    }
}
