//! The ledger's windows as regions: the annotations' queries give regions of the right length, however far one zooms out.
//!
//! Grafana knows no regions in Prometheus: it joins consecutive samples, not further apart than the step it reads from the query that
//! was run, and a region ends with its last sample. Start and end as two series are two points. So the query has a sample in each
//! step that a window touches, on both sides of it too, and a region is at most a step longer at either end, never shorter, and
//! never a mere point.

use serde_json::Value;
use sla_tests::http;

use super::interpolate::{Window, interpolate};
use super::queries::{Row, choices, range};
use super::{Dashboard, text};
use crate::stack::Stack;

const DAY: i64 = 86_400;
/// Ranges to look at: what a wide screen makes of them are steps of a minute to half an hour.
const RANGES: [i64; 4] = [DAY, 7 * DAY, 30 * DAY, 50 * DAY];
/// Grafana asks for as many points as the window is wide.
const WIDTH: i64 = 1920;
/// The steps its server rounds to, each with the first range per point that is too long for it, in seconds.
const STEPS: [(i64, f64); 13] = [
    (60, 90.0),
    (120, 210.0),
    (300, 450.0),
    (600, 750.0),
    (900, 1050.0),
    (1200, 1500.0),
    (1800, 2700.0),
    (3600, 5400.0),
    (7200, 9000.0),
    (10_800, 16_200.0),
    (21_600, 32_400.0),
    (43_200, 86_400.0),
    (86_400, f64::INFINITY),
];

#[allow(clippy::cast_precision_loss)]
fn step(range: i64) -> i64 {
    let exact = range as f64 / WIDTH as f64;
    STEPS.iter().find(|(_, end)| exact < *end).map_or(86_400, |(step, _)| *step)
}

/// Where Grafana draws regions, as begin and end: @grafana/prometheus 13.2, `processEvents`.
fn events(row: &Row, step: i64) -> Vec<(i64, i64)> {
    let mut found: Vec<(i64, i64)> = Vec::new();
    for at in row.samples.iter().filter(|(_, value)| *value > 0.0).map(|(at, _)| at.round()) {
        #[allow(clippy::cast_possible_truncation)]
        let at = at as i64;
        match found.last_mut() {
            Some((_, end)) if *end + step >= at => *end = at,
            _ => found.push((at, at)),
        }
    }
    found
}

/// How Go writes a step, of which Grafana reads the first unit alone.
fn first_unit(step: i64) -> i64 {
    match step {
        step if step >= 3600 => step / 3600 * 3600,
        step if step >= 60 => step / 60 * 60,
        step => step,
    }
}

#[test]
fn steps_are_of_one_unit() {
    for (step, _) in STEPS {
        assert_eq!(first_unit(step), step, "regions fall apart in steps of {step} s");
    }
    assert_eq!([DAY, 7 * DAY, 30 * DAY].map(step), [60, 300, 1200]);
}

/// The pieces of time a function's windows of one entry, effect and reason take within a range, joined where they touch.
fn windows(rows: &[(Value, f64)], ends: &[(Value, f64)], of: &Row, from: i64, to: i64) -> Vec<(i64, i64)> {
    let names = ["contract", "function", "window", "effect", "reason"];
    let same = |labels: &Value| names.iter().all(|name| text(labels, name) == of.label(name));
    let mut found: Vec<(i64, i64)> = Vec::new();
    for (labels, start) in rows.iter().filter(|(labels, _)| same(labels)) {
        let end = ends.iter().find(|(other, _)| same(other) && text(other, "month") == text(labels, "month"));
        #[allow(clippy::cast_possible_truncation)]
        found.push(((*start as i64).max(from), (end.expect("an end").1 as i64).min(to)));
    }
    found.retain(|(start, end)| start < end);
    found.sort_unstable();
    found.dedup_by(|next, one| {
        next.0 <= one.1 && {
            one.1 = one.1.max(next.1);
            true
        }
    });
    found
}

pub(super) async fn are_as_long_as_the_windows(stack: &Stack) {
    let port = stack.prometheus;
    let (starts, ends) = tokio::join!(
        http::query(port, "sla_window_start_timestamp_seconds"),
        http::query(port, "sla_window_end_timestamp_seconds")
    );
    let (starts, ends) = (starts.unwrap(), ends.unwrap());
    let now = sla_demo::clock::now();
    for dashboard in Dashboard::all().iter().filter(|dashboard| dashboard.annotations().count() > 0) {
        let choices = choices(port, dashboard, &Default::default()).await.unwrap();
        for length in RANGES {
            let step = step(length);
            let (from, to) = ((now - length) / step * step, now);
            let mut drawn = 0;
            for annotation in dashboard.annotations() {
                let what = format!("{}: {} over {length} s", dashboard.file, text(annotation, "name"));
                let window = Window { from, to, step, scrape: 60 };
                let query = interpolate(text(&annotation["target"], "expr"), &choices, window).unwrap();
                for row in range(port, &query, window).await.unwrap() {
                    let regions = events(&row, step);
                    let wanted = windows(&starts, &ends, &row, from, to);
                    let near = |(a, b): (i64, i64), (start, end): (i64, i64)| a <= end + step && start <= b + step;
                    for region in &regions {
                        let real = wanted.iter().any(|window| near(*region, *window));
                        assert!(real, "{what}: {:?}: {region:?} is of no window: {wanted:?}", row.labels);
                    }
                    // What crosses the ends of the range is cut by them.
                    for (start, end) in wanted.iter().filter(|(a, b)| *a > from + step && *b < to - step) {
                        let region = regions.iter().find(|(a, b)| a <= start && b >= end);
                        let Some((a, b)) = region else { panic!("{what}: {start}..{end} is in none of {regions:?}") };
                        assert!(start - a <= step && b - end <= step, "{what}: {a}..{b} is longer than {start}..{end}");
                        assert!(a < b, "{what}: a point, not a region");
                        drawn += 1;
                    }
                }
            }
            assert!(
                length < 50 * DAY || drawn > dashboard.annotations().count(),
                "{}: {drawn} regions over {length} s",
                dashboard.file
            );
        }
    }
}
