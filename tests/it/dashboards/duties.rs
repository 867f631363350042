//! The page of duties is the report's: states, broken time and what broke them, in a month with several broken duties.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};

use chrono::{Datelike as _, TimeZone as _};
use serde_json::Value;
use sla_tests::program::ours;
use sla_tests::samples::Samples;

use super::queries::{Row, ask, choices};
use super::{Dashboard, list, text, title};
use crate::closing::CONFIG;
use crate::months::servers::prometheus;

const SLOT: i64 = 300;

/// A duty's item: in which share of the month (from, to) it is broken, and in which unmeasured.
type Item = (&'static str, &'static str, &'static [(f64, f64)], &'static [(f64, f64)]);

const ITEMS: &[Item] = &[
    ("monitoring", "web1", &[], &[]),
    ("monitoring", "web2", &[(0.25, 0.26), (0.7, 0.72)], &[]),
    ("closed_ports", "telnet db1:23", &[(0.5, 0.51)], &[]),
    // Two at the same time are one broken time of the duty.
    ("virus_check", "clamd a:3310", &[(0.3, 0.4)], &[]),
    ("virus_check", "clamd b:3310", &[(0.35, 0.45)], &[]),
    // Never broken, and unmeasured for too long to be kept; the next one for little enough.
    ("encryption", "form https://a", &[], &[(0.5, 0.6)]),
    ("authentication", "login https://a", &[], &[(0.5, 0.505)]),
    // By days: an hour without a look is none of them, all of them are.
    ("backups", "db e:1 age", &[(0.8, 0.82)], &[]),
    ("client_certificates", "clients CN=a", &[], &[(0.5, 0.5005)]),
    ("security_updates", "e:1", &[], &[(0.0, 1.0)]),
];

/// The first second of the month of Tokyo that `now` is in.
fn month_start(now: i64) -> i64 {
    let zone = chrono_tz::Asia::Tokyo;
    let today = zone.timestamp_opt(now, 0).unwrap();
    zone.with_ymd_and_hms(today.year(), today.month(), 1, 0, 0, 0).unwrap().timestamp()
}

#[allow(clippy::cast_precision_loss)]
fn samples(start: i64, now: i64) -> Samples {
    let mut samples = Samples::default();
    let mut at = start + 60;
    while at < now {
        let place = (at - start) as f64 / (now - start) as f64;
        let within = |stretches: &[(f64, f64)]| stretches.iter().any(|(from, to)| (*from..*to).contains(&place));
        for (duty, item, broken, unmeasured) in ITEMS {
            let labels = format!("contract=\"closing\",duty=\"{duty}\",clause=\"C2\",item=\"{item}\"");
            let unmeasured = within(unmeasured);
            samples.add("sla:duty_measured:5m", &labels, at * 1000, f64::from(u8::from(!unmeasured)));
            if !unmeasured {
                samples.add("sla:duty_kept:5m", &labels, at * 1000, f64::from(u8::from(!within(broken))));
            }
        }
        samples.add("sla:function_up:5m", "contract=\"closing\",function=\"client\"", at * 1000, 1.0);
        at += SLOT;
    }
    // What the variables ask for, a little ahead of now, too.
    for at in (0..12).map(|minute| now + (minute - 2) * 60) {
        samples.add("sla_objective_ratio", "contract=\"closing\",function=\"client\"", at * 1000, 0.99);
        let labels = "contract=\"closing\",month=\"now\",period=\"current\"";
        samples.add("sla_month_start_timestamp_seconds", labels, at * 1000, start as f64);
    }
    samples
}

/// The duties of `ITEMS` as the report of the month has them, by name.
fn report(port: u16, month: &str) -> BTreeMap<String, Value> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("sla.yml"), CONFIG).unwrap();
    std::fs::write(folder.path().join("ledger.yml"), "").unwrap();
    let output = Command::new(ours("sla-exporter"))
        .args(["report", "--config.file=sla.yml", "--format=json", "--month", month])
        .arg(format!("--prometheus.url=http://127.0.0.1:{port}"))
        .current_dir(folder.path())
        .env_clear()
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let known = |duty: &&Value| ITEMS.iter().any(|(name, ..)| text(duty, "duty") == *name);
    list(&report["duties"]).iter().filter(known).map(|duty| (text(duty, "duty").to_owned(), duty.clone())).collect()
}

/// Seconds of `list` of a duty, by item.
fn seconds(duty: &Value, of: &str) -> BTreeMap<String, i64> {
    list(&duty[of]).iter().map(|one| (text(one, "item").to_owned(), one["seconds"].as_i64().unwrap())).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_of_duties_shows_what_the_report_of_the_month_says() {
    let now = sla_demo::clock::now();
    let start = month_start(now);
    // In the month's first hours its shares are less than a slot.
    if now - start < 12 * 3600 {
        println!("NOT TESTED: the month is too young for stretches of it");
        return;
    }
    let server = prometheus(&[samples(start, now)], None).await;
    let month = chrono_tz::Asia::Tokyo.timestamp_opt(now, 0).unwrap().format("%Y-%m").to_string();
    let duties = report(server.port, &month);
    let dashboards = Dashboard::all();
    let dashboard = dashboards.iter().find(|dashboard| dashboard.uid() == "sla-duties").unwrap();
    let choices = choices(server.port, dashboard, &BTreeMap::new()).await.unwrap();
    let rows = async |panel: &str, query: &str| -> Vec<Row> {
        for target in dashboard.targets() {
            if title(target.panel).split(" / ").next() == Some(panel) && text(target.json, "refId") == query {
                return ask(server.port, dashboard, target.panel, target.json, &choices).await.unwrap();
            }
        }
        panic!("no query {query} of {panel}")
    };
    // A slot may begin between the two.
    #[allow(clippy::cast_precision_loss)]
    let same = |shown: f64, said: i64| (shown - said as f64).abs() <= SLOT as f64;

    let (states, broken) = (rows("Duties of the month", "A").await, rows("Duties of the month", "C").await);
    let measured = rows("Duties of the month", "D").await;
    let of = |rows: &[Row], duty: &str| rows.iter().find(|row| row.label("duty") == duty).map(Row::last);
    let mut counted = BTreeMap::new();
    for (name, duty) in &duties {
        let state = text(duty, "state");
        *counted.entry(state).or_insert(0) += 1;
        let expected = match state {
            "kept" => Some(1.0),
            "not_kept" => Some(0.0),
            _ => None,
        };
        assert_eq!(of(&states, name), expected, "{name}: {duty:#}");
        let evidence = &duty["evidence"];
        let seconds_of = |key: &str| evidence[key].as_i64().unwrap();
        let shown = of(&broken, name).unwrap_or(0.0);
        assert!(same(shown, seconds_of("broken_seconds")), "{name}: {shown} is shown, {duty:#}");
        let shown = of(&measured, name).unwrap();
        #[allow(clippy::cast_precision_loss)]
        let shown = shown * seconds_of("expected_seconds") as f64;
        assert!(same(shown, seconds_of("measured_seconds")), "{name}: measured {shown} is shown, {duty:#}");
    }
    assert_eq!(counted, BTreeMap::from([("kept", 2), ("not_kept", 4), ("not_measured", 2)]), "{duties:#?}");
    for (panel, key) in [("What broke them", "breaches"), ("What was not measured", "missing")] {
        let mut shown: BTreeMap<(String, String), f64> = rows(panel, "A")
            .await
            .iter()
            .map(|row| ((row.label("duty").to_owned(), row.label("item").to_owned()), row.last()))
            .collect();
        for (name, duty) in &duties {
            for (item, said) in seconds(duty, key) {
                let found = shown.remove(&(name.clone(), item.clone()));
                assert!(found.is_some_and(|found| same(found, said)), "{panel}: {name} {item}: {found:?}, not {said}");
            }
        }
        assert!(shown.is_empty(), "{panel}: the report has nothing of {shown:?}");
    }
    for (panel, state) in [("Not kept", "not_kept"), ("Kept so far", "kept")] {
        let shown = rows(panel, "A").await;
        assert_eq!(shown.len(), 1, "{panel}: {shown:?}");
        assert_eq!(shown[0].last(), f64::from(counted[state]), "{panel}");
    }
}
