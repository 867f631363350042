//! recording-rules/burn.yml on both servers, at the whole minutes at which vmalert evaluates. What it counts is in
//! tests/promtool/budget.yml; here is that `@ end()` finds the ledger wherever between two slots it is asked.

use sla_tests::http;
use sla_tests::samples::Samples;

use super::expression;
use super::servers::{prometheus, victoria_metrics};

/// A slot's mark of the clock.
const BASE: i64 = 1_789_999_800;
/// Slots are recorded so long before the clock's five minutes.
const LAG: i64 = 170;
/// 99 % of thirty days allow so many slots.
const ALLOWED: f64 = 86.4;

/// One contract that is looked at so many seconds after a mark.
fn contract(samples: &mut Samples, after: i64) -> i64 {
    let now = BASE + 7200 + after;
    let function = format!("contract=\"after-{after}\",function=\"f\"");
    let month = "month=\"2026-09\",period=\"current\"";
    for mark in (300..=7200).step_by(300) {
        let down = (3300..=4800).contains(&mark) || (5400..=6000).contains(&mark);
        samples.add("sla:function_up:5m", &function, (BASE + mark - LAG) * 1000, f64::from(u8::from(!down)));
    }
    let mut scraped: Vec<(&str, String, i64)> = vec![
        ("sla_month_start_timestamp_seconds", format!("contract=\"after-{after}\",{month}"), BASE),
        ("sla_month_service_seconds", format!("{function},{month}"), 30 * 86_400),
    ];
    // Three of the slots are excluded, and one that was up is judged down.
    for (effect, reason, start, end) in [("exclude", "planned", 3600, 4500), ("down", "internal", 6100, 6500)] {
        let window = format!("{function},window=\"{reason}\",effect=\"{effect}\",reason=\"{reason}\",{month}");
        scraped.push(("sla_window_start_timestamp_seconds", window.clone(), BASE + start));
        scraped.push(("sla_window_end_timestamp_seconds", window, BASE + end));
    }
    for before in (0..=7200 / 15).rev().map(|number| number * 15) {
        for (metric, labels, value) in &scraped {
            samples.add(metric, labels, (now - before) * 1000, *value as f64);
        }
        samples.add("sla_objective_ratio", &function, (now - before) * 1000, 0.99);
    }
    now
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_burns_is_the_same_at_every_minute_between_two_slots() {
    let mut samples = Samples::default();
    let moments: Vec<(i64, i64)> = (0..300).step_by(60).map(|after| (after, contract(&mut samples, after))).collect();
    let samples = [samples];
    let (prometheus, victoria) = tokio::join!(prometheus(&samples, None), victoria_metrics(&samples, None));
    for server in [&prometheus, &victoria] {
        for &(after, now) in &moments {
            for (range, expected) in [("30m", 4.0), ("6h", 7.0), ("3d", 7.0)] {
                let rule = expression(&format!("sla:month_budget_spent:ratio{range}"));
                let mut rows = http::query_at(server.port, &rule, now).await.unwrap();
                // Others are looked at a minute before or after.
                rows.retain(|(labels, _)| labels["contract"] == format!("after-{after}"));
                let [(labels, value)] = &rows[..] else { panic!("{}, {range}, {after} s: {rows:?}", server.name) };
                assert_eq!((&labels["function"], &labels["month"]), (&"f".into(), &"2026-09".into()));
                let slots = value * ALLOWED;
                assert!((slots - expected).abs() < 1e-6, "{}, {range}, {after} s after a mark: {slots}", server.name);
            }
        }
    }
}
