//! `sla-exporter report` with real servers: the recording rules' figures, the slow calculation's, and what it says when there is
//! nothing to report.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use chrono_tz::{America, Asia, Australia, Europe, Tz};
use fastrand::Rng;
use serde_json::Value;
use sla_tests::program::ours;
use sla_tests::samples::Samples;
use sla_tests::slow::{Beat, Contract, Entry, Function, MonthSpan, slots, two_months};
use sla_tests::{free_port, http};
use tempfile::TempDir;

use crate::months::expected::{self, SERIES, values};
use crate::months::expression;
use crate::months::live::clock;
use crate::months::servers::{Server, prometheus, victoria_metrics};

const DAY: i64 = 86_400;
const FUNCTIONS: [&str; 2] = ["client", "consumer"];

/// Two months of random slots, and a random ledger such as the exporter takes.
fn contract(name: &str, zone: Tz, beat: Beat, start: Option<i64>, seed: u64, now: i64) -> Contract {
    println!("{name}: seed {seed}, now {now}");
    let mut rng = Rng::with_seed(seed);
    let months = two_months(zone, now);
    let functions = FUNCTIONS
        .map(|name| Function { name: name.to_owned(), slots: slots(&mut rng, beat, months[0].start - DAY, now) });
    let entries = Entry::random(&mut rng, 24, &FUNCTIONS, &months, now, beat, true);
    Contract { name: name.to_owned(), zone, start, lag: beat.0, functions: functions.into(), entries }
}

/// What Prometheus has of it: the slots, and what scrapes before `now` saw of the exporter.
fn samples(contract: &Contract, now: i64) -> Samples {
    let mut samples = Samples::default();
    for Function { name, slots } in &contract.functions {
        let labels = format!("contract=\"{}\",function=\"{name}\"", contract.name);
        for slot in slots {
            samples.add("sla:function_up:5m", &labels, slot.at, f64::from(u8::from(slot.up)));
        }
    }
    for before in (0..=720).rev().step_by(60) {
        for line in contract.page(now) {
            samples.add(line.metric, &line.labels, (now - before) * 1000, line.value);
        }
    }
    samples
}

/// The files of `contract`.
fn files(contract: &Contract) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("ledger.yml"), Entry::yaml(&contract.entries)).unwrap();
    let start = contract.start.map(|at| {
        let day = chrono::DateTime::from_timestamp(at, 0).unwrap().with_timezone(&contract.zone).date_naive();
        format!("  start: {day}\n")
    });
    let text = format!(
        "site: here\n\
         contract:\n  name: {}\n  timezone: {}\n{}  functions:\n\
         \x20   client: {{objective: 99, capabilities: {{web_app: {{quorum: all}}}}}}\n\
         \x20   consumer: {{objective: 99, capabilities: {{web_form: {{quorum: all}}}}}}\n\
         \x20 upstreams: {{sfdc: {{}}}}\n  maintenance: {{notice: 14d}}\n\
         ledger: ledger.yml\n\
         modules: {{self: {{prober: http}}}}\n\
         probes:\n\
         \x20 - {{name: a, module: self, targets: [\"http://127.0.0.1:9/\"], evidence: client/web_app}}\n\
         \x20 - {{name: b, module: self, targets: [\"http://127.0.0.1:9/\"], evidence: consumer/web_form}}\n",
        contract.name,
        contract.zone,
        start.unwrap_or_default()
    );
    fs::write(folder.path().join("sla.yml"), text).unwrap();
    folder
}

fn report(folder: &Path, port: u16, further: &[&str]) -> Output {
    Command::new(ours("sla-exporter"))
        .arg("report")
        .arg(format!("--config.file={}", folder.join("sla.yml").display()))
        .arg(format!("--prometheus.url=http://127.0.0.1:{port}"))
        .args(further)
        .env_clear()
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

/// The JSON report of a month.
#[track_caller]
fn json(folder: &Path, port: u16, month: &str) -> Value {
    let made = report(folder, port, &["--format=json", "--month", month]);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    serde_json::from_slice(&made.stdout).unwrap()
}

/// The headline's parts, in the words of the recorded series.
fn parts(report: &Value, contract: &str, month: &str) -> BTreeMap<String, String> {
    let mut values = BTreeMap::new();
    for function in report["functions"].as_array().unwrap() {
        let (name, figures) = (function["name"].as_str().unwrap(), &function["provisional"]);
        for (part, field) in [
            ("service", "service_seconds"),
            ("judged", "judged_downtime_seconds"),
            ("unexplained", "measured_downtime_seconds"),
            ("up", "up_seconds"),
            ("unmeasured", "unmeasured_seconds"),
        ] {
            let seconds = figures[field].as_f64().unwrap();
            values.insert(format!("{} {contract} {name} {month} {part}", SERIES[0]), format!("{seconds:.9}"));
        }
    }
    values
}

/// The parts of one month that do not grow while the test runs.
fn settled(all: &BTreeMap<String, String>, month: &str) -> BTreeMap<String, String> {
    let of =
        |key: &str| key.contains(&format!(" {month} ")) && !key.ends_with(" elapsed") && !key.ends_with(" allowed");
    all.iter().filter(|(key, _)| of(key)).map(|(key, value)| (key.clone(), value.clone())).collect()
}

struct Case {
    contract: Contract,
    folder: TempDir,
    month: MonthSpan,
}

fn cases(now: i64) -> Vec<Case> {
    let contracts = [
        contract("tokyo", Asia::Tokyo, Beat(120_345), None, 31, now),
        contract("berlin", Europe::Berlin, Beat(0), None, 32, now),
        contract("new-york", America::New_York, Beat(280_000), None, 34, now),
        contract("lord-howe", Australia::Lord_Howe, Beat(250_000), None, 35, now),
        contract("tokyo-late", Asia::Tokyo, Beat(299_000), None, 36, now),
        // It began within the previous month, at midnight.
        contract("late", Asia::Tokyo, Beat(1), Some(two_months(Asia::Tokyo, now)[0].start + 9 * DAY), 33, now),
    ];
    let case = |contract: Contract| Case {
        folder: files(&contract),
        month: two_months(contract.zone, now)[0].clone(),
        contract,
    };
    contracts.into_iter().map(case).collect()
}

/// C4.1f: the report of the previous month has the seconds that the recording rules have, which are those of the slow
/// calculation; on both servers.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_report_has_the_figures_of_the_recording_rules_and_of_the_slow_calculation() {
    let now = clock();
    let cases = cases(now);
    let samples: Vec<Samples> = cases.iter().map(|case| samples(&case.contract, now)).collect();
    let (prometheus, victoria) = tokio::join!(prometheus(&samples, None), victoria_metrics(&samples, None));
    let rule = expression(SERIES[0]);
    for server in [&prometheus, &victoria] {
        let rows = http::query_at(server.port, &rule, now).await.unwrap();
        let recorded = values(SERIES[0], &rows);
        for Case { contract, folder, month } in &cases {
            let report = json(folder.path(), server.port, &month.name);
            let reported = parts(&report, &contract.name, &month.name);
            let slow = settled(&expected::parts(contract, now, now), &month.name);
            expected::compare(&reported, &slow).unwrap_or_else(|why| panic!("{}, slow:\n{why}", server.name));
            let own: BTreeMap<_, _> =
                recorded.clone().into_iter().filter(|(key, _)| key.contains(&format!(" {} ", contract.name))).collect();
            expected::compare(&reported, &settled(&own, &month.name))
                .unwrap_or_else(|why| panic!("{}, recorded:\n{why}", server.name));
            shares_are_their_parts(&report);

            // The month that goes on, at the moment it was looked at.
            let current = &two_months(contract.zone, now)[1];
            let report = json(folder.path(), server.port, &current.name);
            let at = report["generated_at"].as_i64().unwrap();
            let slow = settled(&expected::parts(contract, at, at), &current.name);
            expected::compare(&parts(&report, &contract.name, &current.name), &slow)
                .unwrap_or_else(|why| panic!("{}, so far:\n{why}", server.name));
        }
    }
}

/// What is printed besides follows from the parts.
fn shares_are_their_parts(report: &Value) {
    for function in report["functions"].as_array().unwrap() {
        for which in ["measured", "provisional", "adjudicated"] {
            let figures = &function[which];
            let of = |field: &str| figures[field].as_f64().unwrap();
            let (service, down) = (of("service_seconds"), of("downtime_seconds"));
            assert_eq!(down, of("judged_downtime_seconds") + of("measured_downtime_seconds"));
            let share = |down: f64| (1.0 - down / service).max(0.0);
            assert_eq!(figures["availability"].as_f64().unwrap(), share(down), "{which}");
            assert_eq!(figures["availability_lower"].as_f64().unwrap(), share(down + of("unmeasured_seconds")));
        }
    }
}

/// The same report from either server, slot for slot; and from Prometheus 2 asked by day.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_document_is_made_and_says_the_same_everywhere() {
    let now = clock();
    let cases = cases(now);
    let samples: Vec<Samples> = cases.iter().map(|case| samples(&case.contract, now)).collect();
    let (prometheus, victoria) = tokio::join!(prometheus(&samples, None), victoria_metrics(&samples, None));
    let Case { folder, month, .. } = &cases[0];
    let of = |server: &Server| {
        let mut report = json(folder.path(), server.port, &month.name);
        for odd in ["source", "generated_at"] {
            report.as_object_mut().unwrap().remove(odd);
        }
        report
    };
    assert!(of(&prometheus) == of(&victoria), "the two servers' reports differ");

    let port = prometheus.port;
    let document = |further: &[&str]| {
        let made = report(folder.path(), port, further);
        assert!(made.status.success(), "{further:?}: {}", String::from_utf8_lossy(&made.stderr));
        String::from_utf8(made.stdout).unwrap()
    };
    // The month before this one without being told.
    assert!(document(&[]).starts_with("# Monthly availability report "));
    assert!(document(&["--lang=ja", "--month", &month.name]).starts_with("# 月間稼働率報告書 "));
    let slots = document(&["--format=csv", "--csv-table=slots"]);
    assert!(slots.lines().count() > 10_000 && slots.starts_with("contract,month,function,at,up\r\n"));

    // Into a file, whole.
    let out = folder.path().join("report.md");
    let written = report(folder.path(), port, &["--out", out.to_str().unwrap()]);
    assert!(written.status.success() && written.stdout.is_empty() && written.stderr.is_empty(), "{written:?}");
    assert!(fs::read_to_string(&out).unwrap().starts_with("# Monthly"));

    // Random slots are never 99 %.
    let breach = report(folder.path(), port, &["--fail-on-breach", "--out", "/dev/null"]);
    assert_eq!(breach.status.code(), Some(3));
}

/// Code and words of what went wrong.
fn refused(output: &Output) -> (Option<i32>, String) {
    assert!(output.stdout.is_empty(), "something on standard output");
    (output.status.code(), String::from_utf8(output.stderr.clone()).unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_reported_is_said_with_what_to_do() {
    let now = clock();
    let contract = contract("tokyo", Asia::Tokyo, Beat(120_345), None, 34, now);
    let server = prometheus(&[samples(&contract, now)], None).await;
    let folder = files(&contract);
    let [previous, current] = two_months(contract.zone, now);
    #[track_caller]
    fn check(output: &Output, code: i32, words: &[&str]) {
        let (found, said) = refused(output);
        assert_eq!(found, Some(code), "{said}");
        assert!(words.iter().all(|word| said.contains(word)), "{words:?} in: {said}");
        assert!(!said.contains("panicked"), "{said}");
    }
    let folder = folder.path();
    // No Prometheus.
    check(&report(folder, free_port(), &[]), 1, &["--prometheus.url", "refused"]);
    // Not a month, none that has begun, a table of another format.
    check(&report(folder, server.port, &["--month=2026-13"]), 2, &["2026-13", "2026-10"]);
    check(&report(folder, server.port, &["--month=2099-01"]), 2, &["has not begun", &current.name]);
    check(&report(folder, server.port, &["--csv-table=slots"]), 2, &["--format csv"]);
    // No slots: years ago, and another contract's name.
    check(
        &report(folder, server.port, &["--month=2020-01"]),
        1,
        &["no slots of contract `tokyo` in 2020-01", "retention"],
    );
    let other = contract_named(&contract, "other");
    check(&report(other.path(), server.port, &["--month", &previous.name]), 1, &["contract `other`", "`tokyo`"]);
    // No configuration, and a folder that is not there.
    check(&report(Path::new("/nonexistent"), server.port, &[]), 1, &["/nonexistent/sla.yml"]);
    check(&report(folder, server.port, &["--out=/nonexistent/report.md"]), 1, &["cannot write /nonexistent/report.md"]);
    // A month that goes on is reported as far as it is.
    let open = json(folder, server.port, &current.name);
    assert_eq!(open["status"]["waiting"][0]["kind"], "month_not_over");
}

fn contract_named(contract: &Contract, name: &str) -> TempDir {
    files(&Contract { name: name.to_owned(), ..contract.clone() })
}
