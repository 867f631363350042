//! The figures shown are the report's: for the current month, the previous one and closed ones.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};

use serde_json::Value;
use sla_tests::eventually;
use sla_tests::program::ours;

use super::queries::{Row, ask, choices};
use super::{Dashboard, list, text, title};
use crate::stack::Stack;

/// What is shown, by name, and how it follows from the report's figures.
type Shows = (&'static str, fn(&Value) -> f64);

/// Panels of `sla-month` by the English half of their title, and the report's figure each is, in the panel's unit.
const MONTH: [Shows; 5] = [
    ("Availability", |figures| cut(&figures["availability"])),
    ("At least", |figures| cut(&figures["availability_lower"])),
    ("Downtime", |figures| minutes(&figures["downtime_seconds"])),
    ("Downtime left", |figures| minutes(&figures["budget_remaining_seconds"])),
    ("Objective", |_| 0.99),
];

/// Rows of its formula, by the beginning of their name.
const FORMULA: [(&str, &str); 10] = [
    ("01 ", "calendar_seconds"),
    ("02 ", "excluded/planned_seconds"),
    ("03 ", "excluded/upstream_seconds"),
    ("04 ", "excluded/force_majeure_seconds"),
    ("05 ", "service_seconds"),
    ("06 ", "judged_downtime_seconds"),
    ("07 ", "measured_downtime_seconds"),
    ("08 ", "downtime_seconds"),
    ("09 ", "allowed_downtime_seconds"),
    ("10 ", "unmeasured_seconds"),
];

/// Columns of the overview's months, by refId.
const YEAR: [Shows; 5] = [
    ("A", |figures| cut(&figures["availability"])),
    ("B", |figures| cut(&figures["availability_lower"])),
    ("C", |figures| minutes(&figures["downtime_seconds"])),
    ("D", |figures| {
        let of = |reason: &str| figures["excluded"][reason].as_f64().unwrap();
        (of("planned_seconds") + of("upstream_seconds") + of("force_majeure_seconds")) / 60.0
    }),
    ("E", |figures| minutes(&figures["unmeasured_seconds"])),
];

fn minutes(seconds: &Value) -> f64 {
    seconds.as_f64().expect("seconds") / 60.0
}

/// After the third decimal of the percentage, as the report prints it.
fn cut(ratio: &Value) -> f64 {
    (ratio.as_f64().expect("a ratio") * 1e5 + 1e-6).floor() / 1e5
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() < 1e-6
}

/// The report's provisional figures of a month, by function: the headline's.
fn report(stack: &Stack, month: &str) -> BTreeMap<String, Value> {
    let output = Command::new(ours("sla-exporter"))
        .args(["report", "--format=json", "--month", month])
        .arg(format!("--config.file={}", stack.folder().join("sla.yml").display()))
        .arg(format!("--prometheus.url=http://127.0.0.1:{}", stack.prometheus))
        .env_clear()
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(output.status.success(), "{month}: {}", String::from_utf8_lossy(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let of = |function: &Value| (text(function, "name").to_owned(), function["provisional"].clone());
    list(&report["functions"]).iter().map(of).collect()
}

struct Shown<'a> {
    port: u16,
    dashboard: &'a Dashboard,
    given: BTreeMap<&'static str, usize>,
}

impl Shown<'_> {
    /// All rows of a panel's queries, or of one of them.
    async fn rows(&self, panel: &str, query: Option<&str>) -> Vec<Row> {
        let choices = choices(self.port, self.dashboard, &self.given).await.unwrap();
        let mut rows = Vec::new();
        for target in self.dashboard.targets() {
            let named = title(target.panel).split(" / ").next() == Some(panel);
            if named && query.is_none_or(|query| text(target.json, "refId") == query) {
                rows.extend(ask(self.port, self.dashboard, target.panel, target.json, &choices).await.unwrap());
            }
        }
        rows
    }

    async fn value(&self, variable: &str) -> String {
        let choices = choices(self.port, self.dashboard, &self.given).await.unwrap();
        choices[variable].values.first().cloned().unwrap_or_default()
    }
}

/// `sla-month` with every function, and the current, the previous and two closed months.
async fn months(stack: &Stack, dashboard: &Dashboard) {
    for month in [0, 1, 2, 7, 12] {
        for function in [0, 1] {
            let shown =
                Shown { port: stack.prometheus, dashboard, given: [("function", function), ("month", month)].into() };
            let (function, month) = (shown.value("function").await, shown.value("month").await);
            // A slot of the month that goes on may come between the two.
            eventually(&format!("sla-month shows what the report of {month} says of {function}"), async || {
                let figures = &report(stack, &month)[&function];
                for (panel, of) in MONTH {
                    let rows = shown.rows(panel, None).await;
                    let values: Vec<f64> = rows.iter().map(Row::last).collect();
                    if !matches!(values.as_slice(), [value] if close(*value, of(figures))) {
                        return Err(format!("{panel}: {values:?}, the report has {}", of(figures)));
                    }
                }
                let rows = shown.rows("The formula", Some("A")).await;
                for (part, field) in FORMULA {
                    let row = rows.iter().find(|row| row.label("part").starts_with(part)).map(Row::last);
                    let wanted = minutes(figures.pointer(&format!("/{field}")).expect(field));
                    if !row.is_some_and(|value| close(value, wanted)) {
                        return Err(format!("{part}: {row:?}, the report has {wanted} for {field}"));
                    }
                }
                Ok(())
            })
            .await;
            // Days add up to what the formula has, in steps of five minutes.
            let days = shown.rows("Day by day", None).await;
            let of =
                |state: &str| -> f64 { days.iter().filter(|row| row.label("state") == state).map(Row::last).sum() };
            let figures = &report(stack, &month)[&function];
            for (state, field) in
                [("0", "measured_downtime_seconds"), ("2", "judged_downtime_seconds"), ("1", "unmeasured_seconds")]
            {
                let wanted = minutes(&figures[field]);
                assert!(
                    (of(state) - wanted).abs() < 5.5,
                    "{month} {function}: state {state}: {} for {wanted}",
                    of(state)
                );
            }
            let hours: f64 = shown.rows("Hours of downtime", None).await.iter().map(|row| row.last().floor()).sum();
            assert!((hours - of("0") - of("2")).abs() < 1e-6, "{month} {function}: {hours} in the map of hours");
        }
    }
}

/// The overview's table of months: what was recorded, which is what the report says of months nobody ruled on since.
async fn year(stack: &Stack, dashboard: &Dashboard, months: &[String]) {
    let shown = Shown { port: stack.prometheus, dashboard, given: BTreeMap::new() };
    for month in months {
        let figures = report(stack, month);
        for (query, of) in YEAR {
            let rows = shown.rows("Month by month", Some(query)).await;
            for (function, figures) in &figures {
                let row = rows.iter().find(|row| row.label("month") == month && row.label("function") == function);
                let value = row.map(Row::last);
                assert!(
                    value.is_some_and(|value| close(value, of(figures))),
                    "{month} {function} {query}: {value:?}, not {}",
                    of(figures)
                );
            }
        }
    }
    let since = shown.rows("Month by month", Some("G")).await;
    assert!(since.len() > 20 && since.iter().all(|row| close(row.last(), 0.0)), "nobody ruled since: {since:?}");
}

pub(super) async fn are_the_reports(stack: &Stack) {
    let dashboards = Dashboard::all();
    let of = |uid: &str| dashboards.iter().find(|dashboard| dashboard.uid() == uid).expect("the dashboard");
    let month = of("sla-month");
    months(stack, month).await;
    let mut closed = Vec::new();
    for place in [1, 2, 7, 12] {
        let shown = Shown { port: stack.prometheus, dashboard: month, given: [("month", place)].into() };
        closed.push(shown.value("month").await);
    }
    year(stack, of("sla-overview"), &closed).await;
}
