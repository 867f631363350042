//! The status page with real servers: ninety days of slots in Prometheus become bars whose minutes are the report's figures and an
//! independent count's; the running exporter and the static site show the same; a browser shows it without complaint.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use chrono::{Days, NaiveDate, TimeZone as _};
use chrono_tz::Asia::Tokyo;
use serde_json::Value;
use sla_tests::program::{Program, on_path, ours};
use sla_tests::samples::Samples;
use sla_tests::{eventually, free_port, http};
use tempfile::TempDir;

use crate::months::live::clock;
use crate::months::servers::{Server, prometheus};

const FUNCTIONS: [&str; 2] = ["client", "consumer"];
const SLOT: i64 = 300;
/// Where in five minutes of the clock slots come.
const BEAT: i64 = 41;

/// What the slot that ends at `clock` says of a function: down now and then, and now and then nothing.
fn slot(function: &str, clock: i64) -> Option<bool> {
    let n = clock / SLOT;
    let seed = if function == "client" { 7 } else { 11 };
    match n % (97 * seed) {
        0..=2 => Some(false),
        40..=44 => None,
        _ => Some(true),
    }
}

/// The clock's fives of ninety and some days until `now`, for which there are slots.
fn clocks(now: i64) -> impl Iterator<Item = i64> {
    ((now - 100 * 86_400) / SLOT..=(now - 120) / SLOT).map(|n| n * SLOT)
}

async fn recorded(now: i64) -> Server {
    let mut samples = Samples::default();
    for function in FUNCTIONS {
        let labels = format!("contract=\"c\",function=\"{function}\"");
        for clock in clocks(now) {
            if let Some(up) = slot(function, clock) {
                samples.add("sla:function_up:5m", &labels, (clock - BEAT) * 1000, f64::from(u8::from(up)));
            }
        }
        // Of one function something is known now, and goes on being so for the length of the test.
        if function == "client" {
            for at in (now - 600..now + 600).step_by(15) {
                samples.add("sla:function_up:now", &labels, at * 1000, 0.0);
            }
        }
    }
    prometheus(&[samples], None).await
}

fn files() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let text = "site: here
contract:
  name: c
  title: {ja: サービス, en: Service}
  timezone: Asia/Tokyo
  functions:
    client: {title: {ja: クライアント機能, en: Client function}, objective: 99, capabilities: {a: {quorum: all}}}
    consumer: {title: {ja: コンシューマ機能, en: Consumer function}, objective: 99, capabilities: {b: {quorum: all}}}
modules: {tcp: {prober: tcp, timeout: 1s}}
probes:
  - {name: a, module: tcp, targets: [\"127.0.0.1:9\"], interval: 5m, evidence: client/a}
  - {name: b, module: tcp, targets: [\"127.0.0.1:9\"], interval: 5m, evidence: consumer/b}
";
    fs::write(folder.path().join("sla.yml"), text).unwrap();
    folder
}

fn run(folder: &Path, port: u16, arguments: &[&str]) -> Output {
    Command::new(ours("sla-exporter"))
        .args(arguments)
        .arg(format!("--config.file={}", folder.join("sla.yml").display()))
        .arg(format!("--prometheus.url=http://127.0.0.1:{port}"))
        .env_clear()
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

/// The minutes of each day that a page's bars say: by function in the page's order, then by day.
fn bars(page: &str) -> Vec<BTreeMap<NaiveDate, BTreeMap<String, i64>>> {
    let charts = page.split("<svg class=\"days\"").skip(1);
    let of_chart = |chart: &str| {
        let chart = chart.split("</svg>").next().unwrap();
        let titles = chart.split("<title>").skip(1).map(|rest| rest.split("</title>").next().unwrap());
        titles.filter_map(day).collect()
    };
    charts.map(of_chart).collect()
}

/// `7 Oct 2026: down 1,440 min, unmeasured 25 min`.
fn day(title: &str) -> Option<(NaiveDate, BTreeMap<String, i64>)> {
    let (date, told) = title.split_once(": ")?;
    let part = |part: &str| {
        let (state, minutes) = part.trim_end_matches(" min").split_once(' ')?;
        Some((state.to_owned(), minutes.replace(',', "").parse().ok()?))
    };
    // A comma in a number has no space after it.
    Some((NaiveDate::parse_from_str(date, "%d %b %Y").unwrap(), told.split(", ").filter_map(part).collect()))
}

/// What the slots of a day come to, counted one by one.
fn counted(function: &str, date: NaiveDate, now: i64) -> BTreeMap<String, i64> {
    let midnight =
        |date: NaiveDate| Tokyo.from_local_datetime(&date.and_hms_opt(0, 0, 0).unwrap()).unwrap().timestamp();
    let (start, end) = (midnight(date), midnight(date + Days::new(1)));
    let mut minutes = BTreeMap::new();
    for clock in clocks(now).filter(|clock| start < *clock && *clock <= end) {
        let state = match slot(function, clock) {
            Some(true) => "up",
            Some(false) => "down",
            None => "unmeasured",
        };
        *minutes.entry(state.to_owned()).or_insert(0) += 5;
    }
    minutes
}

fn report(folder: &Path, port: u16, month: &str) -> Value {
    let made = run(folder, port, &["report", "--format=json", "--month", month]);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    serde_json::from_slice(&made.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn ninety_days_of_bars_are_the_slots_and_the_months_are_the_reports() {
    let now = clock();
    let server = recorded(now).await;
    let folder = files();
    let out = folder.path().join("site");
    let out_flag = format!("--out={}", out.display());
    let made = run(folder.path(), server.port, &["status-page", &out_flag, "--status.url=https://status.example.com"]);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));

    let page = fs::read_to_string(out.join("en/index.html")).unwrap();
    let charts = bars(&page);
    assert_eq!(charts.len(), 2);
    let today = Tokyo.timestamp_opt(now, 0).unwrap().date_naive();
    for (function, days) in FUNCTIONS.iter().zip(&charts) {
        assert_eq!(days.len(), 90);
        for (date, told) in days.iter().filter(|(date, _)| **date != today) {
            assert_eq!(*told, counted(function, *date, now), "{function} {date}");
        }
        // The last slots of today may not have been due yet.
        let (told, all) = (&days[&today], counted(function, today, now));
        let minutes = |of: &BTreeMap<String, i64>| of.values().sum::<i64>();
        assert!((minutes(&all) - minutes(told)).abs() <= 10, "{told:?} {all:?}");
    }

    let month = today.format("%Y-%m").to_string();
    let before =
        (today.format("%Y-%m-01").to_string().parse::<NaiveDate>().unwrap() - Days::new(1)).format("%Y-%m").to_string();
    for month in [&month, &before] {
        let report = report(folder.path(), server.port, month);
        for (function, days) in report["functions"].as_array().unwrap().iter().zip(&charts) {
            let in_month = days.iter().filter(|(date, _)| date.format("%Y-%m").to_string() == *month);
            let sum = |state: &str| in_month.clone().filter_map(|(_, told)| told.get(state)).sum::<i64>() * 60;
            let figures = &function["provisional"];
            // Between page and report a slot may have come.
            let slack = if *month == before { 0 } else { SLOT };
            for (state, field) in
                [("down", "downtime_seconds"), ("unmeasured", "unmeasured_seconds"), ("up", "up_seconds")]
            {
                let figure = figures[field].as_i64().unwrap();
                assert!((figure - sum(state)).abs() <= slack, "{month} {field}: {figure}, bars {}", sum(state));
            }
        }
    }

    // Known is what the rules say of now, and nothing else.
    let summary: Value = serde_json::from_slice(&fs::read(out.join("summary.json")).unwrap()).unwrap();
    let states: Vec<&str> = summary["components"]
        .as_array()
        .unwrap()
        .iter()
        .map(|component| component["state"].as_str().unwrap())
        .collect();
    assert_eq!(states, ["down", "unknown"]);
    for file in
        ["index.html", "feed.atom", "maintenance.ics", "badge/client.svg", "en/badge/consumer.svg", "en/feed.atom"]
    {
        assert!(fs::metadata(out.join(file)).unwrap().len() > 100, "{file}");
    }
    assert!(fs::read_to_string(out.join("index.html")).unwrap().contains("クライアント機能が停止しています"));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_prometheus_the_static_site_stays_as_it_was() {
    let folder = files();
    let out = folder.path().join("site");
    fs::create_dir(&out).unwrap();
    fs::write(out.join("index.html"), "before").unwrap();
    let made = run(folder.path(), free_port(), &["status-page", &format!("--out={}", out.display())]);
    assert_eq!(made.status.code(), Some(1));
    assert!(!made.stderr.is_empty());
    assert_eq!(fs::read_to_string(out.join("index.html")).unwrap(), "before");
    assert_eq!(fs::read_dir(&out).unwrap().count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_running_exporter_shows_history_from_prometheus_and_a_browser_shows_its_page() {
    let server = recorded(clock()).await;
    let folder = files();
    let port = free_port();
    let arguments = [
        format!("--config.file={}", folder.path().join("sla.yml").display()),
        format!("--web.listen-address=127.0.0.1:{port}"),
        format!("--storage.path={}", folder.path().join("data").display()),
        format!("--prometheus.url=http://127.0.0.1:{}", server.port),
    ];
    let mut exporter = Program::start("sla-exporter", &ours("sla-exporter"), &arguments, folder.path());
    exporter.ready(port, "/-/ready").await;
    eventually("history on the page", async || {
        let page = http::get(port, "/status?lang=en").await?;
        let whole = bars(&page).len() == 2 && page.contains("Client function is down");
        if whole { Ok(()) } else { Err(page.split("</style>").last().unwrap_or_default().to_owned()) }
    })
    .await;

    for lang in ["ja", "en"] {
        let shown = browse(&format!("http://127.0.0.1:{port}/status?lang={lang}"));
        let (dom, log) = (String::from_utf8_lossy(&shown.stdout), String::from_utf8_lossy(&shown.stderr));
        assert!(
            dom.contains(&format!("<html lang=\"{lang}\">")) && dom.contains("class=\"overall down\""),
            "{log}\n{dom}"
        );
        // A style or a link that its own policy forbids would be said here.
        assert!(!log.contains("Content Security Policy") && !log.contains("Refused"), "{log}");
    }
}

/// What a browser makes of a page.
pub(crate) fn browse(url: &str) -> Output {
    let profile = tempfile::tempdir().unwrap();
    Command::new("timeout")
        .arg("60")
        .arg(on_path(&["chromium", "chromium-browser", "google-chrome"]))
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"])
        .args([
            "--disable-background-networking",
            "--disable-component-update",
            "--enable-logging=stderr",
            "--dump-dom",
        ])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .arg(url)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}
