//! From the ledger to the customer's mailbox: a real exporter whose ledger is edited, a real Alertmanager, restarts of both.

use jiff::{Timestamp, ToSpan as _};
use sla_demo::mail::Mail;
use sla_tests::program::{Program, ours};
use sla_tests::{eventually, free_port, http};
use tempfile::TempDir;

use super::{SETTLED, Told, assert_well_formed};

pub(super) const A: &str = "customer-a@example.com";

pub(super) struct Exporter {
    pub(super) folder: TempDir,
    pub(super) port: u16,
    program: Program,
}

impl Exporter {
    pub(super) async fn start(alertmanager: u16) -> Self {
        Self::watching(alertmanager, alertmanager).await
    }

    /// One whose function is up while something listens on `watched`.
    async fn watching(alertmanager: u16, watched: u16) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = format!(
            "site: here
contract:
  name: synergy-lead
  timezone: Asia/Tokyo
  functions:
    client: {{title: {{ja: クライアント機能, en: Client function}}, objective: 99, capabilities: {{web_app: {{quorum: all}}}}}}
modules:
  port: {{prober: tcp, timeout: 1s}}
probes:
  - {{name: app, module: port, targets: [\"127.0.0.1:{watched}\"], interval: 1s, evidence: client/web_app}}
ledger: ledger.yml
alertmanager:
  urls: [\"http://127.0.0.1:{alertmanager}\"]
"
        );
        std::fs::write(folder.path().join("sla.yml"), config).unwrap();
        std::fs::write(folder.path().join("ledger.yml"), "").unwrap();
        let port = free_port();
        let program = Self::program(&folder, port).await;
        Self { folder, port, program }
    }

    async fn program(folder: &TempDir, port: u16) -> Program {
        let mut program = Program::start(
            "sla-exporter",
            &ours("sla-exporter"),
            &[
                format!("--config.file={}", folder.path().join("sla.yml").display()),
                format!("--storage.path={}", folder.path().join("data").display()),
                format!("--web.listen-address=127.0.0.1:{port}"),
            ],
            folder.path(),
        );
        program.ready(port, "/-/ready").await;
        program
    }

    async fn restart(&mut self) {
        self.program.stop();
        self.program = Self::program(&self.folder, self.port).await;
    }

    /// Puts the ledger in force.
    pub(super) async fn ledger(&self, text: &str) {
        std::fs::write(self.folder.path().join("ledger.yml"), text).unwrap();
        http::post(self.port, "/-/reload").await.unwrap();
    }

    /// Waits until the page shows a line that begins so.
    pub(super) async fn shows(&self, line: &str) {
        eventually(&format!("{line} on the page"), async || {
            let page = http::get(self.port, "/metrics").await?;
            let notices: Vec<&str> = page.lines().filter(|l| l.starts_with("sla_notice")).collect();
            if notices.iter().any(|l| l.starts_with(line)) { Ok(()) } else { Err(notices.join("\n")) }
        })
        .await;
    }
}

pub(super) fn incident(started: Timestamp, updates: &[(&str, &str)], rest: &str) -> String {
    let updates: String = updates
        .iter()
        .enumerate()
        .map(|(number, (status, text))| {
            let at = started + i64::try_from(number + 1).unwrap().seconds();
            format!("      - {{at: {at:.0}, status: {status}, text: {{ja: {text}です。, en: {text}}}}}\n")
        })
        .collect();
    let updates = if updates.is_empty() { String::new() } else { format!("    updates:\n{updates}") };
    format!(
        "incidents:
  - id: login
    title: {{ja: ログイン障害, en: Login failure}}
    functions: [client]
    started_at: {started:.0}
{rest}{updates}"
    )
}

/// One incident, three updates: five mails to each customer, over two restarts of the exporter and one of Alertmanager, with the
/// ledger corrected in between.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_incident_with_three_updates_is_five_mails_whatever_restarts() {
    let mut told = Told::start().await;
    let mut exporter = Exporter::start(told.port).await;
    let started = Timestamp::now() - 20.seconds();

    exporter.shows("sla_notices_pending{contract=\"synergy-lead\"} 0").await;
    exporter.ledger(&incident(started, &[], "")).await;
    let first = told.exactly(A, 1).await.remove(0);
    assert_well_formed(&first);
    assert_eq!(first.subject, "【障害】クライアント機能: ログイン障害 / [Failure] Client function: Login failure");
    assert!(first.text.contains("発生日時: ") && first.text.contains(" JST"), "{}", first.text);
    exporter
        .shows("sla_notice_sent_timestamp_seconds{contract=\"synergy-lead\",entry=\"login\",event=\"opened\"} ")
        .await;

    exporter.restart().await;
    let updates = [("investigating", "Looking"), ("identified", "Found")];
    exporter.ledger(&incident(started, &updates, "")).await;
    told.exactly(A, 3).await;

    // What is posted again to the new one was mailed by the old one.
    told.restart_with(&[]).await;
    // Corrected afterwards: text and, for the first report, time.
    let started = started + 1.second();
    let updates = [("investigating", "Looked"), ("identified", "Found"), ("monitoring", "Watching")];
    exporter.ledger(&incident(started, &updates, "")).await;
    told.exactly(A, 4).await;

    exporter.restart().await;
    let over = format!("    resolved_at: {:.0}\n    cause: internal\n", started + 10.seconds());
    exporter.ledger(&incident(started, &updates, &over)).await;
    let mails = told.exactly(A, 5).await;
    assert!(mails[4].subject.starts_with("【復旧】"), "{}", mails[4].subject);
    tokio::time::sleep(SETTLED).await;
    told.exactly(A, 5).await;
}

/// A maintenance whose announced end passes while the function works is finished, by measurement.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_maintenance_is_announced_and_begun_and_one_of_last_week_is_history() {
    let told = Told::start().await;
    let exporter = Exporter::start(told.port).await;
    exporter.shows("sla_notices_pending{contract=\"synergy-lead\"} 0").await;
    let now = Timestamp::now();
    let at = |seconds: i64| format!("{:.0}", now + seconds.seconds());
    exporter
        .ledger(&format!(
            "maintenance:
  - {{id: today, title: {{ja: 作業, en: Work}}, functions: [client], announced_at: {}, start: {}, end: {}}}
  - {{id: past, title: {{ja: 過去, en: Past}}, functions: [client], announced_at: {}, start: {}, end: {}}}
",
            at(-7200),
            at(-3600),
            at(-600),
            at(-30 * 86_400),
            at(-8 * 86_400),
            at(-8 * 86_400 + 3600),
        ))
        .await;
    let mails = told.exactly(A, 3).await;
    let subjects: Vec<&str> = mails.iter().map(|mail| mail.subject.as_str()).collect();
    for (word, other) in [("メンテナンスのお知らせ", "Maintenance]"), ("開始", " begins]"), ("終了", " finished]")]
    {
        assert!(subjects.iter().any(|s| s.contains(word) && s.contains(other)), "{word}: {subjects:?}");
    }
    assert!(!subjects.iter().any(|subject| subject.contains("Past")), "{subjects:?}");
}

/// A maintenance whose announced end passed five minutes ago while the function is down takes longer, and is over when it works.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_maintenance_that_takes_longer_is_told_and_so_is_its_end() {
    let told = Told::start().await;
    let watched = free_port();
    let exporter = Exporter::watching(told.port, watched).await;
    exporter.shows("sla_notices_pending{contract=\"synergy-lead\"} 0").await;
    let now = Timestamp::now();
    let at = |seconds: i64| format!("{:.0}", now + seconds.seconds());
    let (announced, start, end) = (at(-7200), at(-3600), at(-301));
    exporter
        .ledger(&format!(
            "maintenance:\n  - {{id: long, title: {{ja: 作業, en: Work}}, functions: [client], announced_at: {announced}, start: {start}, end: {end}}}\n"
        ))
        .await;
    let mails = told.exactly(A, 3).await;
    let has = |mails: &[Mail], word: &str| mails.iter().any(|mail| mail.subject.contains(word));
    assert!(has(&mails, "【メンテナンス延長】"), "{:?}", mails.iter().map(|m| &m.subject).collect::<Vec<_>>());
    let _works = tokio::net::TcpListener::bind(("127.0.0.1", watched)).await.unwrap();
    let mails = told.exactly(A, 4).await;
    assert!(has(&mails, "【メンテナンス終了】"), "{:?}", mails.iter().map(|m| &m.subject).collect::<Vec<_>>());
}

/// Announced, and then at another time: each change is a mail, a corrected text is none.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_maintenance_at_another_time_than_announced_is_told_anew() {
    let told = Told::start().await;
    let mut exporter = Exporter::start(told.port).await;
    exporter.shows("sla_notices_pending{contract=\"synergy-lead\"} 0").await;
    let now = Timestamp::now();
    let ledger = |title: &str, end: i64| {
        let at = |seconds: i64| format!("{:.0}", now + seconds.seconds());
        let (announced, start, end) = (at(-60), at(3600), at(end));
        format!(
            "maintenance:\n  - {{id: m, title: {title}, functions: [client], announced_at: {announced}, start: {start}, end: {end}}}\n"
        )
    };
    exporter.ledger(&ledger("Work", 7200)).await;
    told.exactly(A, 1).await;
    exporter.restart().await;
    exporter.ledger(&ledger("Works", 7200)).await;
    exporter.ledger(&ledger("Works", 9000)).await;
    let mails = told.exactly(A, 2).await;
    assert!(mails[1].subject.starts_with("【メンテナンス変更】"), "{}", mails[1].subject);
    assert_well_formed(&mails[1]);
    exporter.restart().await;
    tokio::time::sleep(SETTLED).await;
    told.exactly(A, 2).await;
}
