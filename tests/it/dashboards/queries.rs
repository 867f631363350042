//! Every query of every dashboard, run as Grafana would run it, against a real Prometheus with the demo's history.

mod empty;
mod ranges;
mod run;
mod variables;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Dashboard, Findings, figures, list, regions, text, title};
use crate::stack::Stack;

pub(crate) use self::run::{Row, ask, range};
pub(crate) use self::variables::choices;

/// The choices to try: the first of everything, each function, and open and closed months.
const TRIED: [(&str, &[usize]); 2] = [("function", &[0, 1]), ("month", &[0, 1, 2, 12])];

/// Title and refId of what a query belongs to.
type Place = (String, String);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_query_finds_something() {
    let (stack, _) = Stack::start_with_history(sla_demo::clock::now()).await;
    // The rules have the exporter's ledger.
    stack.has("count(count by (month) (sla:month_parts:seconds)) == bool 2", 1.0).await;
    // What has no history is scraped often enough for a rate, and the rules have seen it.
    for live in [
        "rate(node_cpu_seconds_total{host!=\"\",mode=\"idle\"}[30s])",
        "rate(process_cpu_seconds_total{job=\"sla-exporter\"}[30s])",
        "rate(sla_exporter_scheduler_lag_seconds_bucket[30s])",
        "sla:host_filesystem_used:ratio",
    ] {
        stack.has(&format!("count({live}) > bool 0"), 1.0).await;
    }
    regions::are_as_long_as_the_windows(&stack).await;
    figures::are_the_reports(&stack).await;
    let mut findings = Findings::default();
    for dashboard in &Dashboard::all() {
        let mut found: BTreeMap<Place, bool> = BTreeMap::new();
        for (n, given) in given(dashboard).into_iter().enumerate() {
            let choices = choices(stack.prometheus, dashboard, &given)
                .await
                .unwrap_or_else(|why| panic!("{}: {given:?}: {why}", dashboard.file));
            let mut shown: BTreeSet<&str> = BTreeSet::new();
            for target in dashboard.targets() {
                let place = (title(target.panel).to_owned(), text(target.json, "refId").to_owned());
                match ask(stack.prometheus, dashboard, target.panel, target.json, &choices).await {
                    Ok(rows) => {
                        let some = rows.iter().any(Row::has_value);
                        if some {
                            shown.insert(title(target.panel));
                        }
                        *found.entry(place).or_default() |= some;
                    }
                    Err(why) => findings.check(false, || format!("{} · {place:?}: {why}", dashboard.file)),
                }
            }
            for annotation in dashboard.annotations() {
                let name = text(annotation, "name");
                match run::annotation(stack.prometheus, annotation, &choices).await {
                    Ok(rows) => {
                        *found.entry((name.to_owned(), "annotation".to_owned())).or_default() |=
                            rows.iter().any(Row::has_value);
                    }
                    Err(why) => findings.check(false, || format!("{} · annotation {name}: {why}", dashboard.file)),
                }
            }
            if n == 0 {
                for panel in dashboard.data_panels().into_iter().filter(|panel| !shown.contains(title(panel))) {
                    let allowed = empty::reason(dashboard.uid(), title(panel), None).is_some();
                    findings.check(allowed, || format!("{} · {:?} is empty when opened", dashboard.file, title(panel)));
                }
            }
        }
        for ((title, query), some) in &found {
            let allowed = empty::reason(dashboard.uid(), title, Some(query)).is_some();
            findings
                .check(*some || allowed, || format!("{} · {title:?} · {query} never finds anything", dashboard.file));
        }
    }
    findings.none();
}

/// Which choice of which variable to take, per run; the first of everything in the first.
fn given(dashboard: &Dashboard) -> Vec<BTreeMap<&'static str, usize>> {
    let mut runs = vec![BTreeMap::new()];
    for (name, places) in TRIED {
        let one = |variable: &Value| text(variable, "name") == name && variable["multi"] != true;
        if dashboard.variables().iter().any(one) {
            let with = |run: &BTreeMap<&'static str, usize>, place: usize| {
                let mut run = run.clone();
                run.insert(name, place);
                run
            };
            runs =
                places.iter().flat_map(|place| runs.iter().map(|run| with(run, *place)).collect::<Vec<_>>()).collect();
        }
    }
    runs
}

#[test]
fn what_may_be_empty_exists() {
    let (dashboards, mut findings) = (Dashboard::all(), Findings::default());
    for (uid, panel, query, reason) in empty::ALLOWED {
        findings.check(reason.split(' ').count() > 3, || format!("{uid} · {panel}: {reason:?} is no reason"));
        let Some(dashboard) = dashboards.iter().find(|dashboard| dashboard.uid() == *uid) else {
            findings.check(false, || format!("{uid} is no dashboard"));
            continue;
        };
        let exists = dashboard.panels().into_iter().any(|json| {
            empty::is(title(json), panel)
                && (*query == "*" || list(&json["targets"]).iter().any(|target| text(target, "refId") == *query))
        }) || dashboard.annotations().any(|json| text(json, "name") == *panel);
        findings.check(exists, || format!("{uid} · {panel} · {query} is not there"));
    }
    findings.none();
}
