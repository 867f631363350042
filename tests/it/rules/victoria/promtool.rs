//! What promtool makes of a file of unit tests: every series that rules recorded, at every moment. It is made to tell by
//! tests that expect something else.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use serde::{Deserialize, Serialize};

use super::remote_write::Labels;
use crate::rules::{root, yaml};

/// A unit test with what its rules did.
pub(super) struct Evaluated {
    pub(super) file: String,
    pub(super) name: String,
    /// In the order in which they are evaluated.
    pub(super) rules: Vec<Rule>,
    /// The test's own series: milliseconds, `None` where one ends.
    pub(super) given: Vec<(Labels, Samples)>,
    pub(super) recorded: Vec<Recorded>,
    /// The moments the test looks at, in milliseconds, each one of an evaluation.
    pub(super) looked_at: BTreeSet<i64>,
}

pub(super) type Samples = Vec<(i64, Option<f64>)>;

/// One rule.
pub(super) struct Rule {
    /// Of the recorded series, or of the alert.
    pub(super) name: String,
    pub(super) is_alert: bool,
    pub(super) expr: String,
    pub(super) labels: Labels,
}

/// A series that a rule recorded, or an alert's `ALERTS`.
pub(super) struct Recorded {
    pub(super) labels: Labels,
    /// The rule's place.
    pub(super) place: usize,
    pub(super) samples: Samples,
}

impl Evaluated {
    /// What the rule said at this moment, as its expression has it; `None` where that cannot be told: what it records is given, or its
    /// labels depend on values.
    pub(super) fn said(&self, place: usize, at: i64) -> Option<Vec<(Labels, f64)>> {
        let rule = &self.rules[place];
        let given = self.given.iter().any(|(labels, _)| labels["__name__"] == rule.name);
        if given || rule.labels.values().any(|label| label.contains("{{")) {
            return None;
        }
        let mine = self.recorded.iter().filter(|series| series.place == place);
        let rows = mine.filter(|series| series.labels["__name__"] != "ALERTS_FOR_STATE").filter_map(|series| {
            let (_, value) = series.samples.iter().find(|sample| sample.0 == at)?;
            let own = series
                .labels
                .iter()
                .filter(|(name, _)| !["__name__", "alertname", "alertstate"].contains(&name.as_str()));
            Some((own.map(|(name, value)| (name.clone(), value.clone())).collect(), (*value)?))
        });
        Some(rows.collect())
    }
}

#[derive(Deserialize)]
struct File {
    rule_files: Vec<String>,
    evaluation_interval: String,
    #[serde(default)]
    group_eval_order: Vec<String>,
    tests: Vec<Test>,
}

#[derive(Deserialize)]
struct Test {
    name: String,
    interval: String,
    #[serde(default)]
    input_series: Vec<Series>,
    #[serde(default)]
    promql_expr_test: Vec<Look>,
    #[serde(default)]
    alert_rule_test: Vec<Look>,
}

/// Texts as they stand there: `0x20` is no number.
#[derive(Clone, Deserialize, Serialize)]
struct Series {
    series: String,
    values: String,
}

#[derive(Deserialize)]
struct Look {
    eval_time: String,
}

/// All tests of a file.
pub(super) fn evaluate(file: &str) -> Vec<Evaluated> {
    let path = root().join(file);
    let text = std::fs::read_to_string(&path).unwrap();
    let unit: File = serde_yaml::from_str(&text).unwrap_or_else(|error| panic!("{file}: {error}"));
    let interval = milliseconds(&unit.evaluation_interval);
    let rule_files: Vec<_> =
        unit.rule_files.iter().map(|rules| path.parent().unwrap().join(rules).canonicalize().unwrap()).collect();
    let plans: Vec<(BTreeSet<i64>, Vec<i64>)> = unit
        .tests
        .iter()
        .map(|test| {
            let looks = test.promql_expr_test.iter().chain(&test.alert_rule_test);
            let looked_at: BTreeSet<i64> =
                looks.map(|look| milliseconds(&look.eval_time) / interval * interval).collect();
            let last = looked_at.last().copied().unwrap_or_else(|| panic!("{file}: {}: looks at nothing", test.name));
            (looked_at, (0..=last / interval).map(|step| step * interval).collect())
        })
        .collect();
    let asking: Vec<_> = unit.tests.iter().zip(&plans).map(|(test, (_, moments))| asking(test, moments)).collect();
    let document = serde_json::json!({
        "rule_files": rule_files,
        "evaluation_interval": unit.evaluation_interval,
        "group_eval_order": unit.group_eval_order,
        "tests": asking,
    });
    let mut said = run(&document).into_iter();
    let every_rule = rules(&unit.rule_files, &unit.group_eval_order);
    let mut evaluated = Vec::new();
    for (test, (looked_at, moments)) in unit.tests.into_iter().zip(plans) {
        let rules = every_rule();
        let said: Vec<String> = said.by_ref().take(moments.len()).collect();
        assert_eq!(said.len(), moments.len(), "{file}: {}: promtool says less than it is asked", test.name);
        let step = milliseconds(&test.interval);
        let given: Vec<_> =
            test.input_series.iter().map(|series| (labels(&series.series), expand(&series.values, step))).collect();
        let recorded = recorded(&rules, &given, &moments, &said);
        evaluated.push(Evaluated {
            file: file.rsplit('/').next().unwrap().to_owned(),
            name: test.name,
            rules,
            given,
            recorded,
            looked_at,
        });
    }
    evaluated
}

/// A test of the same data that fails at each of these moments, and so tells all there is.
fn asking(test: &Test, moments: &[i64]) -> serde_json::Value {
    let looks: Vec<_> = moments
        .iter()
        .map(|at| {
            serde_json::json!({
                "expr": "{__name__=~\"sla:.+|ALERTS.*\"}",
                "eval_time": format!("{at}ms"),
                "exp_samples": [{"labels": "nothing", "value": 5}],
            })
        })
        .collect();
    serde_json::json!({"name": test.name, "interval": test.interval, "input_series": test.input_series, "promql_expr_test": looks})
}

/// The lines `got: …`.
fn run(document: &serde_json::Value) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let path: &Path = &folder.path().join("asking.yml");
    std::fs::write(path, document.to_string()).unwrap();
    let output = Command::new("promtool").args(["test", "rules"]).arg(path).output().expect("promtool");
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8(text).unwrap();
    text.lines().filter_map(|line| Some(line.strip_prefix("        got: ")?.to_owned())).collect()
}

/// The rules of these files as promtool takes them.
fn rules(files: &[String], order: &[String]) -> impl Fn() -> Vec<Rule> {
    let mut groups: Vec<serde_yaml::Value> = Vec::new();
    for file in files {
        groups.extend(yaml(file.trim_start_matches("../"))["groups"].as_sequence().unwrap().clone());
    }
    groups.sort_by_key(|group| order.iter().position(|name| group["name"] == name.as_str()));
    move || {
        let rules = groups.iter().flat_map(|group| group["rules"].as_sequence().unwrap());
        let text = |value: &serde_yaml::Value| value.as_str().map(str::to_owned);
        rules
            .map(|rule| Rule {
                name: text(&rule["record"]).or_else(|| text(&rule["alert"])).unwrap(),
                is_alert: rule["alert"].is_string(),
                expr: text(&rule["expr"]).unwrap_or_else(|| panic!("{rule:?}")),
                labels: rule["labels"]
                    .as_mapping()
                    .into_iter()
                    .flatten()
                    .map(|(name, value)| (text(name).unwrap(), text(value).unwrap()))
                    .collect(),
            })
            .collect()
    }
}

/// Series by series what was said moment by moment; one that was there and is not has ended.
fn recorded(rules: &[Rule], given: &[(Labels, Samples)], moments: &[i64], said: &[String]) -> Vec<Recorded> {
    let is_given = |name: &str| given.iter().any(|(labels, _)| labels["__name__"] == name);
    let mut series: BTreeMap<Labels, Samples> = BTreeMap::new();
    for (at, line) in moments.iter().zip(said) {
        let now: BTreeMap<Labels, f64> =
            rows(line).into_iter().filter(|(labels, _)| !is_given(&labels["__name__"])).collect();
        for (labels, samples) in &mut series {
            if !now.contains_key(labels) && samples.last().is_some_and(|(_, value)| value.is_some()) {
                samples.push((*at, None));
            }
        }
        for (labels, value) in now {
            series.entry(labels).or_default().push((*at, Some(value)));
        }
    }
    series
        .into_iter()
        .map(|(labels, samples)| {
            let place =
                rules.iter().position(|rule| made(rule, &labels)).unwrap_or_else(|| panic!("no rule makes {labels:?}"));
            Recorded { labels, place, samples }
        })
        .collect()
}

/// Whether the rule makes this series.
fn made(rule: &Rule, labels: &Labels) -> bool {
    if rule.is_alert {
        return labels["__name__"].starts_with("ALERTS") && labels.get("alertname") == Some(&rule.name);
    }
    labels["__name__"] == rule.name && rule.labels.iter().all(|(name, value)| labels.get(name) == Some(value))
}

/// `{a="b"} 1E+00, {a="c"} 2E+00`, or `nil`.
fn rows(line: &str) -> Vec<(Labels, f64)> {
    let mut rows = Vec::new();
    let mut rest = line;
    while rest.starts_with('{') {
        let (labels, after) = braces(rest);
        let (value, next) = after.trim_start().split_once(", ").unwrap_or((after.trim_start(), ""));
        rows.push((labels, value.parse().unwrap_or_else(|_| panic!("{value} in {line}"))));
        rest = next;
    }
    rows
}

/// `name{a="b"}`.
fn labels(text: &str) -> Labels {
    let (name, _) = text.split_once('{').unwrap_or((text, ""));
    let mut labels = text.find('{').map(|place| braces(&text[place..]).0).unwrap_or_default();
    if !name.is_empty() {
        labels.insert("__name__".to_owned(), name.trim().to_owned());
    }
    labels
}

/// The labels between the braces that `text` begins with, and what is after them.
fn braces(text: &str) -> (Labels, &str) {
    let mut labels = Labels::new();
    let mut rest = text[1..].trim_start();
    loop {
        if let Some(after) = rest.strip_prefix('}') {
            return (labels, after);
        }
        let (name, value) = rest.split_once('=').unwrap_or_else(|| panic!("no label in {rest}"));
        let value = value.trim_start();
        let quote = value.chars().next().unwrap();
        let mut end = 1;
        while !value[end..].starts_with(quote) {
            end += if value[end..].starts_with('\\') { 2 } else { value[end..].chars().next().unwrap().len_utf8() };
        }
        let text = format!("\"{}\"", &value[1..end]);
        labels.insert(name.trim().to_owned(), serde_json::from_str(&text).unwrap_or_else(|_| panic!("{text}")));
        rest = value[end + 1..].trim_start().trim_start_matches(',').trim_start();
    }
}

/// promtool's notation: `1+2x3 _x4 stale`.
fn expand(values: &str, step: i64) -> Samples {
    let mut all: Vec<Option<Option<f64>>> = Vec::new();
    for word in values.split_whitespace() {
        let (what, times) = match word.rsplit_once('x') {
            Some((what, times)) => (what, times.parse::<usize>().unwrap()),
            None => (word, 0),
        };
        match what {
            // `_x3` is three of them, `1x3` is four.
            "_" => all.extend(std::iter::repeat_n(None, times.max(1))),
            "stale" => all.push(Some(None)),
            _ => {
                let sign =
                    what.char_indices().skip(1).find(|(place, c)| "+-".contains(*c) && !what[..*place].ends_with('e'));
                let (first, more) = what.split_at(sign.map_or(what.len(), |(place, _)| place));
                let number = |text: &str| text.parse::<f64>().unwrap_or_else(|_| panic!("{word}"));
                let more = if more.is_empty() { 0.0 } else { number(more) };
                all.extend((0..=times).map(|time| Some(Some(number(first) + more * time as f64))));
            }
        }
    }
    all.into_iter().zip(0..).filter_map(|(sample, place)| Some((place * step, sample?))).collect()
}

/// `1h30m`.
fn milliseconds(text: &str) -> i64 {
    let (mut all, mut number, mut rest) = (0, 0, text);
    while let Some(c) = rest.chars().next() {
        if let Some(digit) = c.to_digit(10) {
            number = number * 10 + i64::from(digit);
            rest = &rest[1..];
            continue;
        }
        let units = [
            ("ms", 1),
            ("s", 1000),
            ("m", 60_000),
            ("h", 3_600_000),
            ("d", 86_400_000),
            ("w", 604_800_000),
            ("y", 31_536_000_000),
        ];
        let (unit, length) =
            units.into_iter().find(|(unit, _)| rest.starts_with(unit)).unwrap_or_else(|| panic!("{text}"));
        all += number * length;
        number = 0;
        rest = &rest[unit.len()..];
    }
    all
}

#[test]
fn promtools_notations_are_read() {
    assert_eq!(milliseconds("1h2m3s"), 3_723_000);
    assert_eq!(milliseconds("500ms"), 500);
    let read = expand("1 _ 2-1x2 _x2 stale -1e3", 10);
    let expected = [(0, Some(1.0)), (20, Some(2.0)), (30, Some(1.0)), (40, Some(0.0)), (70, None), (80, Some(-1000.0))];
    assert_eq!(read, expected);
    assert_eq!(expand("0x2", 1), [(0, Some(0.0)), (1, Some(0.0)), (2, Some(0.0))]);
    let found = rows(r#"{__name__="a", b="x, \"{y}\""} 1.5E+00, {} NaN"#);
    assert_eq!(found[0], (labels(r#"a{b="x, \"{y}\""}"#), 1.5));
    assert!(found.len() == 2 && found[1].1.is_nan(), "{found:?}");
    assert_eq!(rows("nil"), []);
}
