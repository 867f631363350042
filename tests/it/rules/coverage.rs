//! Alerts ⇄ runbooks ⇄ unit tests ⇄ docs/rules.md, one to one, and every recorded series has an expectation.

use std::collections::{BTreeMap, BTreeSet};

use serde_yaml::Value;

use super::{alerts, files, read, records, yaml};

/// The headings of every runbook, in this order.
const HEADINGS: [&str; 5] = ["Meaning", "Impact on the contract", "First look", "What to do", "Often mistaken for"];

/// The dead man's switch: never silent, never resolved.
const ALWAYS_FIRING: &str = "SlaWatchdog";

fn alert_names() -> BTreeSet<String> {
    alerts().into_iter().map(|rule| rule.name).collect()
}

/// Seconds of a promtool time such as `1m30s`.
fn seconds(text: &str) -> u64 {
    let (mut total, mut number) = (0, 0);
    for sign in text.chars() {
        match sign {
            '0'..='9' => number = number * 10 + u64::from(sign.to_digit(10).unwrap()),
            's' => total += std::mem::take(&mut number),
            'm' => total += 60 * std::mem::take(&mut number),
            'h' => total += 3600 * std::mem::take(&mut number),
            'd' => total += 86400 * std::mem::take(&mut number),
            _ => panic!("{text}: {sign:?} is no unit this test knows"),
        }
    }
    total
}

/// Every case of every unit test file.
fn cases(kind: &str) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    for file in files("tests/promtool", ".yml") {
        for test in yaml(&file)["tests"].as_sequence().expect("tests") {
            let name = test["name"].as_str().unwrap_or_else(|| panic!("{file}: a test without a name"));
            let cases = test[kind].as_sequence().cloned().unwrap_or_default();
            found.extend(cases.into_iter().map(|case| (format!("{file}: {name}"), case)));
        }
    }
    found
}

#[test]
fn every_alert_has_a_runbook_and_every_runbook_an_alert() {
    let runbooks: BTreeSet<String> = files("docs/runbooks", ".md")
        .iter()
        .map(|path| path.trim_start_matches("docs/runbooks/").trim_end_matches(".md").to_owned())
        .collect();
    assert_eq!(alert_names(), runbooks);
}

#[test]
fn every_runbook_has_the_five_headings_and_says_what_the_rule_says() {
    for rule in alerts() {
        let path = format!("docs/runbooks/{}.md", rule.name);
        let text = read(&path);
        assert!(text.starts_with(&format!("# {}\n", rule.name)), "{path}: its title is not the alert's name");
        let headings: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("## ")).collect();
        assert_eq!(headings, HEADINGS, "{path}");
        for heading in text.split("\n## ").skip(1) {
            assert!(heading.lines().filter(|line| !line.is_empty()).count() > 1, "{path}: nothing under {heading}");
        }
        let clause = rule.text(&["labels", "clause"]).replace(' ', ", ");
        let head = format!(
            "Severity {} · {clause} · [{file}](../../{file})",
            rule.text(&["labels", "severity"]),
            file = rule.file
        );
        assert!(text.contains(&head), "{path}: {head}");
        let first_look = text.split("## First look").nth(1).unwrap().split("## What to do").next().unwrap();
        assert!(first_look.contains("```promql"), "{path}: no query to look at first");
    }
}

#[test]
fn links_in_runbooks_lead_somewhere() {
    for path in files("docs/runbooks", ".md").into_iter().chain(["docs/rules.md".to_owned()]) {
        let folder = super::root().join(&path).parent().unwrap().to_owned();
        for link in read(&path).split("](").skip(1) {
            let link = link.split([')', '#']).next().unwrap();
            if !link.is_empty() && !link.contains("://") {
                assert!(folder.join(link).exists(), "{path}: {link} does not exist");
            }
        }
    }
}

/// promtool takes the groups of one moment in an order of its own, another one in each run, where the file does not say which.
#[test]
fn unit_tests_of_several_groups_say_in_which_order_they_are_evaluated() {
    for file in files("tests/promtool", ".yml") {
        let test = yaml(&file);
        let mut groups = Vec::new();
        for rules in test["rule_files"].as_sequence().expect("rule_files") {
            let rules = yaml(rules.as_str().expect("a path").trim_start_matches("../../"));
            groups.extend(rules["groups"].as_sequence().expect("groups").iter().map(|group| group["name"].clone()));
        }
        if groups.len() > 1 {
            assert_eq!(test["group_eval_order"], Value::Sequence(groups), "{file}: group_eval_order");
        }
    }
}

#[test]
fn every_alert_is_silent_fires_and_resolves_in_one_unit_test() {
    let mut by_alert: BTreeMap<String, BTreeMap<String, Vec<(u64, bool)>>> = BTreeMap::new();
    for (test, case) in cases("alert_rule_test") {
        let alert = case["alertname"].as_str().expect("alertname").to_owned();
        let fires = case["exp_alerts"].as_sequence().is_some_and(|alerts| !alerts.is_empty());
        let at = seconds(case["eval_time"].as_str().expect("eval_time"));
        by_alert.entry(alert).or_default().entry(test).or_default().push((at, fires));
    }
    assert_eq!(alert_names(), by_alert.keys().cloned().collect());
    for (alert, tests) in by_alert.iter().filter(|(alert, _)| *alert != ALWAYS_FIRING) {
        let whole = tests.values().any(|cases| {
            let fired: Vec<u64> = cases.iter().filter(|(_, fires)| *fires).map(|(at, _)| *at).collect();
            let (Some(first), Some(last)) = (fired.iter().min(), fired.iter().max()) else { return false };
            cases.iter().any(|(at, fires)| !fires && at < first) && cases.iter().any(|(at, fires)| !fires && at > last)
        });
        // One device goes on firing while another resolves: the last expectation has fewer alerts than the one before.
        let fewer = cases("alert_rule_test").windows(2).any(|pair| {
            let count = |case: &Value| case["exp_alerts"].as_sequence().map_or(0, Vec::len);
            pair[0].0 == pair[1].0
                && pair.iter().all(|(_, case)| case["alertname"].as_str() == Some(alert))
                && count(&pair[0].1) > count(&pair[1].1)
        });
        assert!(whole || fewer, "{alert}: no unit test in which it is silent, fires, and resolves");
    }
}

#[test]
fn every_expected_alert_is_given_with_all_labels_and_annotations() {
    for rule in alerts() {
        for (test, case) in cases("alert_rule_test") {
            if case["alertname"].as_str() != Some(&rule.name) {
                continue;
            }
            for expected in case["exp_alerts"].as_sequence().into_iter().flatten() {
                for part in ["labels", "annotations"] {
                    for key in rule.rule[part].as_mapping().expect(part).keys() {
                        assert!(expected[format!("exp_{part}").as_str()].get(key).is_some(), "{test}: no {key:?}");
                    }
                }
            }
        }
    }
}

#[test]
fn every_recorded_series_has_an_expected_value() {
    let expected: String = cases("promql_expr_test")
        .into_iter()
        .filter(|(_, case)| case["exp_samples"].as_sequence().is_some_and(|samples| !samples.is_empty()))
        .map(|(_, case)| format!(" {} ", case["expr"].as_str().expect("expr")))
        .collect();
    for rule in records() {
        // promtool refuses subqueries over months ("too many samples"): `months.rs` has them, every one, in real programs.
        if rule.file == "recording-rules/months.yml" {
            continue;
        }
        let named = expected.match_indices(&rule.name).any(|(at, name)| {
            !expected[at + name.len()..].starts_with(|sign: char| sign.is_alphanumeric() || sign == '_' || sign == ':')
        });
        assert!(named, "{}: no unit test expects a value of {}", rule.file, rule.name);
    }
}

#[test]
fn docs_list_every_rule_with_its_severity_clause_and_delay() {
    let text = read("docs/rules.md");
    let mut listed: BTreeSet<&str> =
        text.lines().filter(|line| line.starts_with("| [") || line.starts_with("| `sla:")).collect();
    for rule in alerts() {
        let delay = rule.text(&["for"]);
        let row = format!(
            "| [{name}](runbooks/{name}.md) | {} | {} | {} |",
            rule.text(&["labels", "severity"]),
            rule.text(&["labels", "clause"]).replace(' ', ", "),
            if delay.is_empty() { "0s" } else { delay },
            name = rule.name,
        );
        let found = listed.iter().copied().find(|line| line.starts_with(&row));
        listed.remove(found.unwrap_or_else(|| panic!("docs/rules.md has no row {row}")));
    }
    for name in records().into_iter().map(|rule| rule.name).collect::<BTreeSet<_>>() {
        // One row for both ranges where a series has two.
        let pair = name.trim_end_matches(":now").trim_end_matches(":5m");
        let found = listed.iter().copied().find(|line| line.contains(&format!("`{name}`")));
        let Some(found) = found.or_else(|| text.lines().find(|line| line.contains(&format!("`{name}`")))) else {
            panic!("docs/rules.md has no row for {name} ({pair})")
        };
        listed.remove(found);
    }
    assert!(listed.is_empty(), "docs/rules.md lists what does not exist: {listed:#?}");
}
