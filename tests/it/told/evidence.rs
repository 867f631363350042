//! A notice that was sent is evidence: from the ledger over Alertmanager to the customer, over Prometheus into the month's report.

use std::process::{Command, Stdio};

use jiff::{Timestamp, ToSpan as _, tz};
use serde_json::Value;
use sla_tests::program::ours;
use sla_tests::samples::Samples;
use sla_tests::{eventually, http};

use super::Told;
use super::ledger::{A, Exporter, incident};
use crate::months::servers::{Scraped, Server, prometheus};

/// Prometheus that scrapes the exporter, with slots from `from` on, which is some minutes ago: a month without any is not
/// reported on, and one in the future would keep what is scraped now out.
async fn with_slots(exporter: u16, from: Timestamp) -> Server {
    let mut samples = Samples::default();
    let labels = "contract=\"synergy-lead\",function=\"client\"";
    for second in (0..100).step_by(10) {
        samples.add("sla:function_up:5m", labels, (from + second.seconds()).as_millisecond(), 1.0);
    }
    prometheus(&[samples], Some(Scraped { exporters: vec![exporter] })).await
}

fn report(exporter: &Exporter, server: &Server, arguments: &[&str]) -> String {
    let made = Command::new(ours("sla-exporter"))
        .arg("report")
        .args(arguments)
        .arg(format!("--config.file={}", exporter.folder.path().join("sla.yml").display()))
        .arg(format!("--prometheus.url=http://127.0.0.1:{}", server.port))
        .env_clear()
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    String::from_utf8(made.stdout).unwrap()
}

/// C2.2: the report says who was told when, and how long after the failure, of a notice that nobody entered by hand.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_notice_that_was_mailed_is_the_first_report_in_the_months_report() {
    let told = Told::start().await;
    let exporter = Exporter::start(told.port).await;
    exporter.shows("sla_notices_pending{contract=\"synergy-lead\"} 0").await;
    let started = Timestamp::now() - 200.seconds();
    let server = with_slots(exporter.port, started + 1.second()).await;
    let before = Timestamp::now().as_second();
    exporter.ledger(&incident(started, &[], "")).await;
    told.exactly(A, 1).await;
    let after = Timestamp::now().as_second();
    let sent = "sla_notice_sent_timestamp_seconds{entry=\"login\",event=\"opened\"}";
    let at = eventually(sent, async || http::value(server.port, &format!("max({sent})")).await).await;

    let month = started.to_zoned(tz::TimeZone::get("Asia/Tokyo").unwrap()).strftime("%Y-%m").to_string();
    let text = report(&exporter, &server, &["--month", &month, "--format=json"]);
    let made: Value = serde_json::from_str(&text).unwrap();
    let incident = &made["incidents"][0];
    assert_eq!(incident["id"], "login", "{text}");
    let notices = incident["notices"].as_array().unwrap();
    assert_eq!(notices.len(), 1, "{notices:?}");
    let notice = &notices[0];
    assert_eq!((&notice["sender"], &notice["channel"]), (&"exporter".into(), &"mail".into()));
    let told_at = notice["at"].as_i64().unwrap();
    assert!((before..=after).contains(&told_at), "{before} {told_at} {after}");
    assert!((at - notice["at"].as_f64().unwrap()).abs() < 1.0, "{at} {told_at}");
    // Whole seconds, as the ledger has them.
    let began = incident["started_at"].as_i64().unwrap();
    assert!((began - started.as_second()).abs() <= 1);
    assert_eq!(incident["first_report_seconds"].as_i64(), Some(told_at - began));

    let read = report(&exporter, &server, &["--month", &month, "--format=md", "--lang=en"]);
    let line = read.lines().find(|line| line.starts_with("| First report after |")).unwrap_or_else(|| panic!("{read}"));
    let seconds = told_at - began;
    let words = match seconds % 60 {
        0 => format!("{} min", seconds / 60),
        rest => format!("{} min {rest} s", seconds / 60),
    };
    assert!(line.contains(&words), "{line}: {words}");
    println!("{line}");
}
