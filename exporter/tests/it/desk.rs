//! The support desk with real files and a real PostgreSQL: what an operator configures, what the page then says.

use std::path::Path;
use std::sync::Arc;

use sla_exporter::app::App;
use sla_exporter::config;
use sla_exporter::support;
use tokio_util::sync::CancellationToken;

use crate::support::exporter;
use crate::support::postgres::{PASSWORD, Postgres};

const CONTRACT: &str = "site: s
contract: {name: c, timezone: Asia/Tokyo, functions: {f: {objective: 99, capabilities: {a: {}}}}}
collectors: []
";

/// An exporter that reads tickets; it ends when dropped.
struct Desk {
    app: Arc<App>,
    shutdown: CancellationToken,
    folder: tempfile::TempDir,
}

impl Desk {
    fn start(rest: &str, files: &[(&str, &[u8])]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, content) in files {
            std::fs::write(folder.path().join(name), content).unwrap();
        }
        let path = folder.path().join("sla.yml");
        std::fs::write(&path, format!("{CONTRACT}{rest}")).unwrap();
        let app = exporter::exporter(&path);
        let shutdown = CancellationToken::new();
        tokio::spawn(support::run(Arc::clone(&app), shutdown.clone()));
        Self { app, shutdown, folder }
    }

    async fn page(&self) -> String {
        exporter::page(&self.app).await
    }

    /// The page once it has `line`.
    async fn shows(&self, line: &str) -> String {
        exporter::shows(&self.app, &[line]).await
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

#[track_caller]
fn has(page: &str, lines: &[&str]) {
    for line in lines {
        assert!(page.lines().any(|found| found == *line), "{line} in\n{page}");
    }
}

const HOURS: &str = "support:\n  hours: [\"10:00-12:00\", \"13:00-18:00\"]\n  holidays: japan\n";

#[tokio::test]
async fn a_file_is_read_and_read_again() {
    let csv = "  tickets: {interval: 10s, csv: {path: tickets.csv, encoding: shift_jis, columns: {received_at: 受付, answered_at: 回答}}}\n";
    let (text, _, _) = encoding_rs::SHIFT_JIS
        .encode("番号,受付,回答\r\n1,2020/01/06 10:00,2020/01/06 11:00\r\n2,2020/01/06 10:00,\r\n");
    let desk = Desk::start(&format!("{HOURS}{csv}"), &[("tickets.csv", &text)]);
    let page = desk.shows("sla_support_tickets_success{contract=\"c\"} 1").await;
    has(&page, &["sla_support_tickets_open{contract=\"c\"} 1", "sla_support_tickets_overdue{contract=\"c\"} 1"]);
    // 2020-01-07T18:00+09:00
    has(&page, &["sla_support_tickets_overdue_since_timestamp_seconds{contract=\"c\"} 1578387600"]);
    // Cut within its last moment, and complete a little later: it is waited for. 10:0 is no time.
    let path = desk.folder.path().join("tickets.csv");
    let rows = "番号,受付,回答\r\n1,2020/01/06 10:00,2020/01/06 11:00\r\n2,2020/01/06 10:00,2020/01/06 1";
    std::fs::write(&path, encoding_rs::SHIFT_JIS.encode(&format!("{rows}0:0")).0).unwrap();
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    std::fs::write(&path, encoding_rs::SHIFT_JIS.encode(&format!("{rows}1:00")).0).unwrap();
    desk.shows("sla_support_tickets_open{contract=\"c\"} 0").await;
    // What cannot be read any more is not shown as it was.
    std::fs::write(desk.folder.path().join("tickets.csv"), "spoilt").unwrap();
    let page = desk.shows("sla_support_tickets_success{contract=\"c\"} 0").await;
    assert!(!page.contains("sla_support_tickets_open{"), "{page}");
    assert!(page.contains("sla_support_business_day{contract=\"c\"} "), "the calendar stays: {page}");
}

#[tokio::test]
async fn tickets_come_out_of_a_database_and_nothing_can_be_changed_there() {
    let server = Postgres::shared();
    let password = server.password_file(PASSWORD);
    let rest = |query: &str| {
        format!(
            "modules: {{pg: {{prober: postgres, postgres: {{user: monitor, password_file: {}, dbname: postgres, sslmode: disable}}}}}}\n\
             {HOURS}  tickets: {{interval: 10s, postgres: {{module: pg, target: \"127.0.0.1:{}\", query: \"{query}\"}}}}\n",
            password.display(),
            server.port
        )
    };
    let good = "SELECT now() - interval '1 minute' AS received_at, NULL::timestamptz AS answered_at \
                UNION ALL SELECT now() - interval '2 minutes', now() - interval '1 minute'";
    let epoch = "SELECT extract(epoch FROM now() - interval '1 minute') AS received_at, NULL AS answered_at;";
    Desk::start(&rest(epoch), &[]).shows("sla_support_tickets_open{contract=\"c\"} 1").await;
    let page = Desk::start(&rest(good), &[]).shows("sla_support_tickets_success{contract=\"c\"} 1").await;
    has(&page, &["sla_support_tickets_open{contract=\"c\"} 1", "sla_support_tickets_overdue{contract=\"c\"} 0"]);
    let answered =
        page.lines().find(|line| line.starts_with("sla_support_answer_seconds_sum") && line.contains("current"));
    assert!(answered.is_some_and(|line| line.ends_with(" 60") || line.ends_with(" 61")), "{answered:?}");

    for query in [
        "INSERT INTO t VALUES (1) RETURNING now() AS received_at, now() AS answered_at",
        "SELECT 1 AS received_at",
        "SELECT now() AS received_at, NULL AS answered_at; SELECT now() AS received_at, NULL AS answered_at",
        "SELECT now() AS received_at, now() AS received_at, NULL AS answered_at",
        "SELECT pg_sleep(60), now() AS received_at, now() AS answered_at",
        "SELECT n AS received_at, n AS answered_at FROM forbidden",
    ] {
        let rest = rest(query).replace("interval: 10s,", "interval: 10s, timeout: 2s,");
        let page = Desk::start(&rest, &[]).shows("sla_support_tickets_success{contract=\"c\"} 0").await;
        assert!(!page.contains("sla_support_tickets_open{") && !page.contains(PASSWORD), "{query}: {page}");
    }
}

#[tokio::test]
async fn without_tickets_there_is_the_calendar() {
    let desk = Desk::start(HOURS, &[]);
    let page = desk.page().await;
    assert!(page.contains("sla_support_open{contract=\"c\"} ") && !page.contains("sla_support_tickets"), "{page}");
}

/// The findings of a `support` section.
fn findings(section: &str, files: &[(&str, &str)]) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in files {
        std::fs::write(folder.path().join(name), content).unwrap();
    }
    let path = folder.path().join("sla.yml");
    let modules = "modules: {ping: {prober: icmp}, pg: {prober: postgres, postgres: {user: u}}}\n";
    std::fs::write(&path, format!("{CONTRACT}{modules}support: {section}\n")).unwrap();
    match config::load(&path) {
        Ok(loaded) => loaded.warnings.iter().map(ToString::to_string).collect(),
        Err(findings) => findings.iter().map(ToString::to_string).collect(),
    }
}

#[test]
fn what_does_not_fit_is_said_with_what_would() {
    for (section, part) in [
        ("{}", "support: `hours` is missing"),
        ("{hours: []}", "support.hours: expected at least one stretch"),
        ("{hours: [\"9:00-17:00\"]}", "`9:00-17:00` is not a stretch of the day"),
        ("{hours: [\"18:00-10:00\"]}", "ends before it begins; one that goes over midnight is two"),
        ("{hours: [\"10:00-13:00\", \"12:00-18:00\"]}", "overlap or are not in order"),
        ("{hours: [\"10:00-24:00\", \"12:00-18:00\"]}", "overlap or are not in order"),
        ("{hours: [\"10:00-18:00\"], days: [Mo]}", "support.days[0]: "),
        ("{hours: [\"10:00-18:00\"], days: []}", "expected at least one of Mon"),
        ("{hours: [\"10:00-18:00\"], holidays: germany}", "accepted: japan, none"),
        ("{hours: [\"10:00-18:00\"], closed: [12-32]}", "`12-32` is not a day off"),
        ("{hours: [\"10:00-18:00\"], closed: [2026-02-30]}", "`2026-02-30` is not a day off"),
        ("{hours: [\"10:00-18:00\"], closed: [2026-08-14..2026-08-13]}", "ends before it begins"),
        ("{hours: [\"10:00-18:00\"], answer_within: 0}", "from 1 to 60"),
        ("{hours: [\"10:00-18:00\"], timezone: Tokyo}", "support.timezone: "),
        ("{hours: [\"10:00-18:00\"], tickets: {}}", "`csv` or `postgres` is missing"),
        ("{hours: [\"10:00-18:00\"], tickets: {csv: {path: a}, postgres: {}}}", "not both"),
        ("{hours: [\"10:00-18:00\"], tickets: {csv: {path: a}, interval: 1s}}", "from 10s to 3600s"),
        ("{hours: [\"10:00-18:00\"], tickets: {csv: {path: a, encoding: utf-16}}}", "accepted: utf-8, shift_jis"),
        (
            "{hours: [\"10:00-18:00\"], tickets: {postgres: {module: ping, target: \"a:1\", query: q}}}",
            "module `ping` is not one of `prober: postgres`",
        ),
        (
            "{hours: [\"10:00-18:00\"], tickets: {postgres: {module: pq, target: \"a:1\", query: q}}}",
            "did you mean `pg`?",
        ),
        (
            "{hours: [\"10:00-18:00\"], tickets: {postgres: {module: pg, target: \"a:x\", query: q}}}",
            "tickets.postgres.target: ",
        ),
    ] {
        let found = findings(section, &[]);
        assert!(found.iter().any(|finding| finding.contains(part)), "{section}: {found:?}");
    }
    let good = "{hours: [\"00:00-24:00\"], days: [Sat], closed: [02-29], tickets: {postgres: {module: pg, target: /run/pg, query: q}}}";
    let found = findings(good, &[]);
    assert!(!found.iter().any(|finding| finding.contains("support") || finding.contains("modules.pg")), "{found:?}");
}

#[test]
fn the_example_of_the_documentation_is_read() {
    let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/configuration.md")).unwrap();
    let blocks = page.split("```yml\n").skip(1).map(|block| block.split("```").next().unwrap());
    let section = blocks.filter_map(|block| block.strip_prefix("support:")).next().unwrap();
    let found = findings(section, &[]);
    assert!(!found.iter().any(|finding| finding.contains("support")), "{found:?}");
}
