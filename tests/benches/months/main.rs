//! How long one evaluation of recording-rules/months.yml takes on Prometheus: two functions, two full months of slots, and
//! ledgers of several sizes.
//!
//! Prometheus evaluates the shipped file once a second and says how long it took. Loopback only, ends by itself. Not a
//! test: nothing here fails for being slow; README.md beside `peers` says how to run it.

// A bench stops at the first thing that is not as expected, and its result is what it prints.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::{Request, StatusCode};
use sla_demo::web;
use sla_tests::program::Program;
use sla_tests::samples::Samples;
use sla_tests::slow::{Beat, Cause, Contract, Entry, Function, Kind, slots, two_months};
use sla_tests::{eventually, http, repository, shortened};

/// The aim with 20 windows, in seconds.
const AIM: f64 = 0.5;
const EVALUATIONS: usize = 15;
/// Windows in the ledger's two months, half of them each function's.
const LEDGERS: [usize; 3] = [0, 20, 60];
/// The last minutes of August in Tokyo: July and August are the longest two months there are.
const END: i64 = 1_788_188_400 - 120;
const FUNCTIONS: [&str; 2] = ["client", "consumer"];

fn main() {
    println!("- Prometheus: {}", first_line("prometheus", &["--version"]));
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    println!("- Load before: {}", load.split(' ').next().unwrap_or_default());
    println!("\nOne evaluation of months.yml: 2 functions, 62 days of slots, {EVALUATIONS} evaluations each:\n");
    println!("| windows | seconds, median (worst) | of it sla:month_parts:seconds | aim |\n|---|---|---|---|");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    for windows in LEDGERS {
        let Measured { whole, worst, parts } = runtime.block_on(measure(windows));
        let aim = if windows == 20 { format!("< {AIM}") } else { "–".to_owned() };
        println!("| {windows} | {whole:.3} ({worst:.3}) | {parts:.3} | {aim} |");
    }
}

fn first_line(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().unwrap_or_else(|error| panic!("{program}: {error}"));
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    text.lines().next().unwrap_or_default().to_owned()
}

struct Measured {
    whole: f64,
    worst: f64,
    parts: f64,
}

/// Two full months with so many windows, their end being now.
struct Page(String);

impl web::Handler for Page {
    async fn handle(&self, _: Request<Incoming>) -> Option<web::Page> {
        Some(web::text(StatusCode::OK, self.0.clone()))
    }
}

#[allow(clippy::disallowed_methods)]
fn clock() -> i64 {
    chrono::DateTime::<chrono::Utc>::from(std::time::SystemTime::now()).timestamp()
}

fn contract(windows: usize) -> Contract {
    let mut rng = fastrand::Rng::with_seed(1);
    let [previous, current] = two_months(chrono_tz::Asia::Tokyo, END);
    let beat = Beat(162_541);
    let functions =
        FUNCTIONS.map(|name| Function { name: name.to_owned(), slots: slots(&mut rng, beat, previous.start, END) });
    let causes = [Cause::Internal, Cause::Upstream, Cause::ForceMajeure, Cause::FalseAlarm];
    let entries = (0..windows).map(|n| {
        // None crosses the edge of the months, or it would be two windows.
        let month = if n % 4 < 2 { &previous } else { &current };
        let started = rng.i64(month.start..month.end - 90_000);
        Entry {
            id: format!("2026-08-entry-{n}"),
            functions: vec![FUNCTIONS[n % 2].to_owned()],
            kind: Kind::Incident {
                cause: Some(causes[n / 4 % 4]),
                started,
                resolved: Some(started + rng.i64(60..8 * 3600)),
            },
        }
    });
    let entries = entries.collect();
    Contract {
        name: "synergy-lead".to_owned(),
        zone: chrono_tz::Asia::Tokyo,
        start: Some(previous.start - 1),
        lag: beat.0,
        functions: functions.into(),
        entries,
    }
}

async fn measure(windows: usize) -> Measured {
    let contract = contract(windows);
    // Now is the end of August.
    let shift = (clock() - END) / 300 * 300;
    let mut samples = Samples::default();
    for function in &contract.functions {
        let labels = format!("contract=\"{}\",function=\"{}\"", contract.name, function.name);
        for slot in &function.slots {
            samples.add("sla:function_up:5m", &labels, slot.at + shift * 1000, f64::from(u8::from(slot.up)));
        }
    }
    let mut page = String::new();
    let mut shown = 0;
    for line in contract.page(END) {
        shown += usize::from(line.metric == "sla_window_start_timestamp_seconds");
        let moved = if line.metric.ends_with("_timestamp_seconds") { shift as f64 } else { 0.0 };
        let _ = writeln!(page, "{}{{{}}} {}", line.metric, line.labels, line.value + moved);
    }
    assert_eq!(shown, windows, "windows on the page");

    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    samples.write_blocks(&data);
    let listener = web::listen("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let exporter = listener.local_addr().unwrap();
    tokio::spawn(web::serve(listener, Arc::new(Page(page))));
    let rules = folder.path().join("months.yml");
    shortened::copy(&repository().join("recording-rules/months.yml"), &rules, &[("interval: 5m", "interval: 1s")]);
    let config = folder.path().join("prometheus.yml");
    let text = format!(
        "rule_files: ['{}']\nscrape_configs:\n  - job_name: sla-exporter\n    scrape_interval: 1s\n    scrape_timeout: 1s\n    \
         static_configs: [{{targets: ['{exporter}']}}]\n",
        rules.display()
    );
    std::fs::write(&config, text).unwrap();
    let arguments = |port: u16| {
        vec![
            format!("--config.file={}", config.display()),
            format!("--storage.tsdb.path={}", data.display()),
            "--storage.tsdb.retention.time=400d".to_owned(),
            format!("--web.listen-address=127.0.0.1:{port}"),
        ]
    };
    let (mut prometheus, port) = Program::listening("prometheus", arguments, folder.path());
    prometheus.ready(port, "/-/ready").await;
    eventually("figures are recorded", async || match http::query(port, "sla:month_availability:ratio").await? {
        rows if rows.len() == 4 => Ok(()),
        rows => Err(format!("{rows:?}")),
    })
    .await;
    evaluations(port).await
}

/// What Prometheus says its evaluations took.
async fn evaluations(port: u16) -> Measured {
    let mut seen = BTreeMap::new();
    while seen.len() < EVALUATIONS {
        let rules: serde_json::Value = serde_json::from_str(&http::get(port, "/api/v1/rules").await.unwrap()).unwrap();
        let group = &rules["data"]["groups"][0];
        let parts = group["rules"].as_array().unwrap().iter().find(|rule| rule["name"] == "sla:month_parts:seconds");
        let times = (group["evaluationTime"].as_f64().unwrap(), parts.unwrap()["evaluationTime"].as_f64().unwrap());
        seen.insert(group["lastEvaluation"].as_str().unwrap().to_owned(), times);
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    let sorted = |of: fn(&(f64, f64)) -> f64| {
        let mut times: Vec<f64> = seen.values().map(of).collect();
        times.sort_by(f64::total_cmp);
        times
    };
    let (whole, parts) = (sorted(|times| times.0), sorted(|times| times.1));
    Measured { whole: whole[EVALUATIONS / 2], worst: whole[EVALUATIONS - 1], parts: parts[EVALUATIONS / 2] }
}
