//! The 17 rules of grafana/dashboard-linter, each kept by a check or excepted with a reason.
//!
//! Written anew: the linter is a Go program, and what a rule is for is checked here on more panels than it looks at. Rules that ask
//! whether a query parses are kept by running it (`queries`).

use super::{Dashboard, Findings, list, text, title};

/// Rule, and how it is kept.
const RULES: [(&str, &str); 17] = [
    ("template-datasource-rule", "checked here"),
    ("template-job-rule", "excepted, see JOB"),
    ("template-instance-rule", "excepted, see JOB"),
    ("template-label-promql-rule", "run by `queries`"),
    ("template-on-time-change-reload-rule", "checked here"),
    ("panel-datasource-rule", "the schema: every data panel and every target has ${datasource}"),
    ("panel-title-description-rule", "`conventions`, on every panel"),
    ("panel-units-rule", "`conventions`, on every data panel"),
    ("panel-no-targets-rule", "checked here"),
    ("target-promql-rule", "run by `queries`"),
    ("target-logql-rule", "there is no Loki: the schema allows Prometheus only"),
    ("target-logql-auto-rule", "there is no Loki: the schema allows Prometheus only"),
    ("target-rate-interval-rule", "checked here"),
    ("target-job-rule", "excepted, see JOB"),
    ("target-instance-rule", "excepted, see JOB"),
    ("target-counter-agg-rule", "checked here"),
    ("uneditable-dashboard", "the schema: editable is false"),
];

/// Why there is no variable `job` and `instance` to choose by: SLA series are told apart by contract, function, site and probe. The same
/// contract measured by two exporters is one contract, and a figure of one instance alone would be wrong. Where a dashboard is about
/// processes, it may have the variables; then they keep the rules.
const JOB: [&str; 2] = ["job", "instance"];

#[test]
fn all_seventeen_rules_have_an_answer() {
    let mut names: Vec<&str> = RULES.iter().map(|(name, _)| *name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), 17);
    assert!(RULES.iter().all(|(_, answer)| answer.len() > 10));
}

#[test]
fn variables_keep_the_rules() {
    let mut findings = Findings::default();
    for dashboard in &Dashboard::all() {
        let sources: Vec<_> =
            dashboard.variables().iter().filter(|variable| text(variable, "type") == "datasource").collect();
        let good = matches!(sources.as_slice(), [one] if text(one, "name") == "datasource" && text(one, "label") == "Data source");
        findings.check(good, || format!("{}: template-datasource-rule", dashboard.file));
        for variable in dashboard.variables().iter().filter(|variable| text(variable, "type") == "query") {
            let name = text(variable, "name");
            let what = format!("{}: variable {name}", dashboard.file);
            findings.check(variable["refresh"] == 2, || format!("{what}: template-on-time-change-reload-rule"));
            let same = text(variable, "definition") == text(&variable["query"], "query");
            findings.check(same, || format!("{what}: definition and query differ"));
            if JOB.contains(&name) {
                let good = variable["multi"] == true && text(variable, "allValue") == ".+";
                findings.check(good, || format!("{what}: template-{name}-rule"));
            }
        }
    }
    findings.none();
}

/// The innermost function whose argument position `at` is in, and its argument up to there.
fn called(expression: &str, at: usize) -> &str {
    let mut depth = 0;
    for (place, sign) in expression[..at].char_indices().rev() {
        match sign {
            ')' => depth += 1,
            '(' if depth > 0 => depth -= 1,
            '(' => {
                let name = |sign: char| sign.is_alphanumeric() || sign == '_';
                let start = expression[..place].trim_end_matches(name).len();
                return &expression[start..place];
            }
            _ => {}
        }
    }
    ""
}

#[test]
fn the_function_around_a_place_is_found() {
    let expression = "sum by (x) (rate(a_total[5m])) + (max(b) - c_total)";
    for (what, expected) in [("a_total", "rate"), ("b)", "max"), ("c_total", "")] {
        assert_eq!(called(expression, expression.find(what).unwrap()), expected, "{what}");
    }
}

#[test]
fn queries_keep_the_rules() {
    let mut findings = Findings::default();
    for dashboard in &Dashboard::all() {
        for panel in dashboard.data_panels() {
            let what = || format!("{}: {:?}: panel-no-targets-rule", dashboard.file, title(panel));
            findings.check(!list(&panel["targets"]).is_empty(), what);
        }
        for (place, expression) in dashboard.expressions() {
            for function in ["rate(", "irate("] {
                for (at, _) in expression.match_indices(function) {
                    if expression[..at].ends_with(|sign: char| sign.is_alphanumeric() || sign == '_') {
                        continue;
                    }
                    let range =
                        expression[at..].split('[').nth(1).and_then(|rest| rest.split(']').next()).unwrap_or_default();
                    findings.check(range == "$__rate_interval", || {
                        format!("{place}: target-rate-interval-rule: [{range}]")
                    });
                }
            }
            for (at, word) in expression.match_indices("_total") {
                let rest = &expression[at + word.len()..];
                let counter = rest.starts_with(['{', '[']) || rest.starts_with(char::is_whitespace);
                let inside = ["rate", "irate", "increase", "resets"];
                let function = called(expression, at);
                findings.check(!counter || inside.contains(&function), || {
                    format!("{place}: target-counter-agg-rule: a counter in {function:?}")
                });
            }
        }
    }
    findings.none();
}
