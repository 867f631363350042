//! The demo's generated history in a real Prometheus, with the shipped rules and the live exporter behind it: the figures
//! are the rules' own, and live measurement goes on where it ends.

use std::collections::BTreeSet;
use std::process::Command;

use sla_demo::history::{FUNCTIONS, Figures, History, SLOT};
use sla_tests::program::ours;
use sla_tests::{eventually, http};

use crate::stack::Stack;

/// The figures of `months.yml` that can be compared before and after the seam, with what the history promises.
fn promised(figures: Figures) -> Vec<(&'static str, f64)> {
    let seconds = |seconds: i64| seconds as f64;
    let mut promised = vec![
        ("sla:month_parts:seconds{part=\"service\",", seconds(figures.service)),
        ("sla:month_parts:seconds{part=\"judged\",", seconds(figures.judged)),
        ("sla:month_downtime:seconds{", seconds(figures.downtime())),
        ("sla:month_unexplained_downtime:seconds{", seconds(figures.unexplained)),
        ("sla:month_unmeasured:seconds{", seconds(figures.unmeasured)),
    ];
    // In the first minutes of a month there is none.
    promised.extend(figures.availability().map(|ratio| ("sla:month_availability:ratio{", ratio)));
    promised
}

/// The figures of the month that ended are exact, also the recorded ones before the start; those of the current month, too, but
/// for a slot that the start itself may cost.
async fn figures_are_as_promised(stack: &Stack, history: &History) {
    let current = history.current();
    for (month, slack) in [(current.back(1), 0), (current, SLOT)] {
        for (function, figures) in FUNCTIONS.iter().zip(history.figures(month)) {
            for (series, wanted) in promised(figures) {
                let series = format!("{series}function=\"{function}\",month=\"{}\"}}", month.name());
                let slack = if series.contains("unmeasured") { slack as f64 } else { 0.0 };
                eventually(&format!("{series} is {wanted}"), async || {
                    // The rules' own, with the exporter's ledger: recorded since the start.
                    let value = http::value(
                        stack.prometheus,
                        &format!("{series} and (timestamp({series}) > {})", history.end()),
                    )
                    .await?;
                    let good = value >= wanted - 1e-12 && value <= wanted + slack + 1e-12;
                    if good { Ok(()) } else { Err(format!("it is {value}")) }
                })
                .await;
            }
        }
    }
    // What was recorded before is the same number.
    let before = current.back(1);
    for (function, figures) in FUNCTIONS.iter().zip(history.figures(before)) {
        let query = format!(
            "last_over_time(sla:month_availability:ratio{{function=\"{function}\",month=\"{}\"}}[10m])",
            before.name()
        );
        let recorded = http::query_at(stack.prometheus, &query, history.end()).await.unwrap();
        assert_eq!(recorded.first().map(|row| row.1), figures.availability(), "{query}");
    }
}

/// Every slot of the clock has its sample from an hour before the seam until now.
async fn the_seam_is_clean(stack: &Stack, history: &History) {
    let first = history.end() / SLOT * SLOT - 3600;
    let now: i64 = sla_demo::clock::now();
    for clock in (first..=now).step_by(300) {
        let query = "sum(last_over_time(sla:function_up:5m[299999ms]))";
        let up = http::query_at(stack.prometheus, query, clock).await.unwrap();
        assert_eq!(up.first().map(|row| row.1), Some(2.0), "at {clock}, {} s from the seam", clock - history.end());
    }
    // Recording goes on under the same names and labels: a series of the history that had other ones would be one more.
    for series in [
        "probe_success{job=\"sla-exporter\"}",
        "probe_duration_seconds{job=\"sla-exporter\"}",
        "probe_runs_total{job=\"sla-exporter\"}",
        "probe_http_duration_seconds{job=\"sla-exporter\"}",
        "probe_icmp_duration_seconds{job=\"sla-exporter\"}",
        "sla_host_info{job=\"sla-exporter\"}",
        "sla:host_measured:5m",
        "sla:host_threshold:min",
        "sla:host_load_per_cpu:ratio",
        "sla:host_memory_used:ratio",
        "sla:site_connected:5m",
        "sla:probe_up:5m",
        "sla:capability_evidence_up:5m",
        "sla:capability_evidence_measured:5m",
        "sla:capability_evidence_expected:5m",
        "sla:capability_up:5m",
        "sla:function_up:5m",
        "sla:month_parts:seconds{MONTH}",
        "sla:month_budget_remaining:seconds{MONTH}",
        "sla:month_availability_lower:ratio{MONTH}",
        "sla:month_availability_to_date:ratio{MONTH}",
    ] {
        let series = series.replace("MONTH", &format!("month=\"{}\"", history.current().back(1).name()));
        let live = format!("count({series} and timestamp({series}) > {})", history.end());
        let before = format!("count(last_over_time({series}[2h]))");
        eventually(&live, async || {
            let live = http::value(stack.prometheus, &live).await?;
            let before = http::query_at(stack.prometheus, &before, history.end()).await?;
            let all = http::value(stack.prometheus, &format!("count(last_over_time({series}[2h]))")).await?;
            let before = before.first().map_or(0.0, |row| row.1);
            if [before, all].iter().all(|count| (count - live).abs() < 0.5) {
                Ok(())
            } else {
                Err(format!("before {before}, live {live}, together {all}"))
            }
        })
        .await;
    }
}

/// Of everything the ledger knows there is one, in a month whose figure misses the objective.
async fn everything_is_there(stack: &Stack, history: &History) {
    let month = history.current().back(1).name();
    let query = format!("count by (effect, reason) (sla_window_start_timestamp_seconds{{month=\"{month}\"}})");
    let found = eventually("windows", async || {
        let rows = http::query(stack.prometheus, &query).await?;
        if rows.is_empty() { Err("none".to_owned()) } else { Ok(rows) }
    })
    .await;
    let label = |row: &serde_json::Value, name: &str| row[name].as_str().unwrap().to_owned();
    let reasons: BTreeSet<(String, String)> =
        found.iter().map(|(row, _)| (label(row, "effect"), label(row, "reason"))).collect();
    let all = [
        ("exclude", "planned"),
        ("exclude", "upstream"),
        ("exclude", "force_majeure"),
        ("down", "internal"),
        ("down", "overrun"),
        ("up", "false_alarm"),
    ];
    assert_eq!(reasons, all.map(|(effect, reason)| (effect.to_owned(), reason.to_owned())).into());
    for (what, query) in [
        ("announced too late", "count(max by (maintenance) (sla_maintenance_compliant{rule=\"notice\"} == 0)) >= 1"),
        ("to come", "count(max by (maintenance) (sla_maintenance_start_timestamp_seconds > time())) == 1"),
        (
            "a replica down, the function up",
            "count_over_time((sla:probe_up:5m{target=~\".*campaign-2\"} == 0 and on (contract) sla:function_up:5m{function=\"consumer\"} == 1)[62d:5m]) > 90",
        ),
        ("the upstream's probe failed", "sum_over_time((1 - probe_success{probe=\"sfdc\"})[62d:5m]) >= 30"),
        ("why", "count(count by (reason) (max_over_time(probe_failures_total{job=\"sla-exporter\"}[62d]))) >= 5"),
        ("a site that was cut off", "sum_over_time((1 - sla:site_connected:5m)[62d:5m]) >= 5"),
        ("a year of figures", "count(last_over_time(sla:month_downtime:seconds[400d])) >= 24"),
        ("nobody is paged", "absent(ALERTS{severity=\"page\"})"),
    ] {
        let rows = http::query(stack.prometheus, query).await.unwrap();
        assert!(!rows.is_empty(), "{what}: {query}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_history_is_what_the_rules_would_have_recorded_and_live_measurement_goes_on() {
    let (stack, history) = Stack::start_with_history(sla_demo::clock::now()).await;

    let check = Command::new(ours("sla-exporter")).arg("check").arg(stack.folder().join("sla.yml")).output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&check.stdout), String::from_utf8_lossy(&check.stderr));
    assert!(check.status.success(), "{said}");
    let warnings: Vec<&str> = said.lines().filter(|line| line.contains("warning")).collect();
    assert!(matches!(warnings.as_slice(), [one] if one.contains("13d ahead, 1d less than the 14d asked")), "{said}");

    everything_is_there(&stack, &history).await;
    figures_are_as_promised(&stack, &history).await;
    the_seam_is_clean(&stack, &history).await;

    // Nothing is in the future: the blocks end with the history.
    let blocks = std::fs::read_dir(stack.folder().join("prometheus-data")).unwrap().flatten();
    let metas = blocks.filter_map(|block| std::fs::read_to_string(block.path().join("meta.json")).ok());
    let ends: Vec<i64> = metas
        .map(|meta| serde_json::from_str::<serde_json::Value>(&meta).unwrap()["maxTime"].as_i64().unwrap())
        .collect();
    assert_eq!(ends.iter().max(), Some(&(history.end() * 1000 + 1)));
}
