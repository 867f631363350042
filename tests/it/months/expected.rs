//! What the slow calculation says, in the words of the recorded series; and what a program recorded, in the same form.

use std::collections::BTreeMap;

use serde_json::Value;
use sla_tests::slow::{Contract, Figures, OBJECTIVE};

/// All that months.yml records.
pub(crate) const SERIES: [&str; 8] = [
    "sla:month_parts:seconds",
    "sla:month_downtime:seconds",
    "sla:month_availability:ratio",
    "sla:month_availability_to_date:ratio",
    "sla:month_budget_remaining:seconds",
    "sla:month_unmeasured:seconds",
    "sla:month_availability_lower:ratio",
    "sla:month_unexplained_downtime:seconds",
];

/// Value by series and labels. Values are rounded to a billionth, far below a second of a month.
pub(crate) type Values = BTreeMap<String, String>;

fn key(series: &str, contract: &str, function: &str, month: &str, part: &str) -> String {
    format!("{series} {contract} {function} {month} {part}").trim_end().to_owned()
}

/// What a query's rows say.
pub(crate) fn values(series: &str, rows: &[(Value, f64)]) -> Values {
    let of = |(labels, value): &(Value, f64)| {
        let allowed = ["__name__", "contract", "function", "month", "part"];
        for (label, _) in labels.as_object().expect("labels") {
            assert!(allowed.contains(&label.as_str()), "{series} has a label {label}");
        }
        let label = |name: &str| labels[name].as_str().unwrap_or_default();
        (key(series, label("contract"), label("function"), label("month"), label("part")), format!("{value:.9}"))
    };
    rows.iter().map(of).collect()
}

/// The parts of the months of `contract`, with what the exporter knew at `now`, evaluated at `evaluated`.
pub(crate) fn parts(contract: &Contract, now: i64, evaluated: i64) -> Values {
    of(contract, now, evaluated, parts_of)
}

/// Everything that is recorded of the months of `contract`.
pub(crate) fn all(contract: &Contract, now: i64, evaluated: i64) -> Values {
    of(contract, now, evaluated, |figures| {
        let mut all = parts_of(figures);
        if figures.begun {
            all.extend(derived(figures));
        }
        all
    })
}

/// Series, part and value of each function's months.
fn of(
    contract: &Contract,
    now: i64,
    evaluated: i64,
    said: impl Fn(&Figures) -> Vec<(&'static str, &'static str, f64)>,
) -> Values {
    let mut values = Values::new();
    for (function, month, figures) in contract.figures(now, evaluated) {
        for (series, part, value) in said(&figures) {
            values.insert(key(series, &contract.name, &function, &month, part), format!("{value:.9}"));
        }
    }
    values
}

fn parts_of(figures: &Figures) -> Vec<(&'static str, &'static str, f64)> {
    let mut parts = vec![
        (SERIES[0], "service", figures.service as f64),
        (SERIES[0], "elapsed", figures.elapsed as f64),
        (SERIES[0], "judged", figures.judged as f64),
        (SERIES[0], "allowed", figures.service as f64 * (1.0 - OBJECTIVE)),
    ];
    if figures.begun {
        parts.extend([
            (SERIES[0], "unexplained", figures.unexplained as f64),
            (SERIES[0], "up", figures.up as f64),
            (SERIES[0], "unmeasured", figures.unmeasured as f64),
        ]);
    }
    parts
}

fn derived(figures: &Figures) -> Vec<(&'static str, &'static str, f64)> {
    let Figures { service, elapsed, judged, unexplained, up, unmeasured, .. } = *figures;
    let downtime = judged + unexplained;
    let ratio = |down: i64, of: i64| (1.0 - down as f64 / of as f64).max(0.0);
    let mut all =
        vec![(SERIES[1], "", downtime as f64), (SERIES[5], "", unmeasured as f64), (SERIES[7], "", unexplained as f64)];
    if service > 0 {
        all.push((SERIES[6], "", ratio(downtime + unmeasured, service)));
    }
    // 100 % is not said of a month nobody knows anything about.
    if up > 0 || downtime > 0 || unmeasured == 0 {
        if service > 0 {
            all.push((SERIES[2], "", ratio(downtime, service)));
        }
        if elapsed > 0 {
            all.push((SERIES[3], "", ratio(downtime, elapsed)));
        }
        all.push((SERIES[4], "", service as f64 * (1.0 - OBJECTIVE) - downtime as f64));
    }
    all
}

/// Fails with the differences.
pub(crate) fn compare(recorded: &Values, expected: &Values) -> Result<(), String> {
    if recorded == expected {
        return Ok(());
    }
    let mut text = String::new();
    for key in recorded.keys().chain(expected.keys()).collect::<std::collections::BTreeSet<_>>() {
        let (recorded, expected) = (recorded.get(key), expected.get(key));
        if recorded != expected {
            text += &format!("{key}: {recorded:?}, calculated slowly {expected:?}\n");
        }
    }
    Err(text)
}
