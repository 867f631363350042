//! Failed logins from real files that are rotated while the exporter reads them, and over its restarts (C2.6.7).

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use sla_exporter::app::App;
use sla_exporter::exposition::{Format, Page};
use sla_exporter::logins;
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::support::exporter;

const PATIENCE: Duration = Duration::from_secs(30);
const BASE: &str = "site: s\ncontract: {name: c, timezone: UTC, functions: {f: {objective: 99, capabilities: {a: }}}}\n\
                    modules: {m: {prober: icmp}}\nprobes: [{name: p, module: m, targets: [127.0.0.1], evidence: f/a}]\n";

pub(crate) struct Host(TempDir);

pub(crate) struct Running {
    app: Arc<App>,
    end: CancellationToken,
    counting: JoinHandle<()>,
}

impl Host {
    pub(crate) fn new(logins: &str) -> Self {
        let host = Self(TempDir::new().unwrap());
        host.configure(logins);
        host
    }

    fn configure(&self, logins: &str) {
        fs::write(self.path("sla.yml"), format!("{BASE}logins:\n  interval: 1s\n{logins}")).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn append(&self, name: &str, text: impl AsRef<[u8]>) {
        let mut file = OpenOptions::new().append(true).create(true).open(self.path(name)).unwrap();
        file.write_all(text.as_ref()).unwrap();
    }

    pub(crate) fn start(&self) -> Running {
        let app = exporter::exporter(&self.path("sla.yml"));
        let end = CancellationToken::new();
        let counting = tokio::spawn(logins::run(Arc::clone(&app), self.path("data"), end.clone()));
        Running { app, end, counting }
    }
}

impl Running {
    fn page(&self) -> String {
        let mut page = Page::new(Format::Text, Vec::new());
        self.app.logins().write(&mut page);
        String::from_utf8(page.finish()).unwrap()
    }

    #[track_caller]
    pub(crate) fn shows(&self, line: &str) -> impl Future<Output = ()> {
        let place = std::panic::Location::caller();
        async move {
            let waiting = async {
                while !self.page().lines().any(|shown| shown == line) {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            };
            let found = tokio::time::timeout(PATIENCE, waiting).await;
            assert!(found.is_ok(), "{place}: {line} not in\n{}", self.page());
        }
    }

    pub(crate) async fn end(self) {
        self.end.cancel();
        self.counting.await.unwrap();
    }
}

fn failed(process: u32) -> String {
    format!("Nov 23 09:24:01 web1 sshd[{process}]: Failed password for root from 10.0.0.9 port 5 ssh2\n")
}

pub(crate) fn count(number: u64) -> String {
    format!("sla_login_failures_total{{contract=\"c\",service=\"sshd\",reason=\"password\"}} {number}")
}

#[tokio::test(flavor = "multi_thread")]
async fn each_failed_login_counts_once_through_rotations_and_restarts() {
    let host = Host::new("  users: [root]\n  thresholds: {sudo: 1}\n  sources: [{file: auth.log}]\n");
    host.append("auth.log", failed(1));
    let running = host.start();
    // What is there at the first start is history, and there is a 0 to count from.
    running.shows(&count(0)).await;
    running.shows("sla_login_failures_threshold{contract=\"c\",service=\"sudo\"} 1").await;
    host.append("auth.log", failed(2));
    running.shows(&count(1)).await;
    running.shows("sla_login_failures_by_user_total{contract=\"c\",service=\"sshd\",user=\"root\"} 1").await;
    // Half a line, something that is no text, and a rotation in between.
    host.append("auth.log", &failed(3).as_bytes()[..30]);
    host.append("auth.log", &failed(3).as_bytes()[30..]);
    host.append("auth.log", b"\xff\xfe\n");
    fs::rename(host.path("auth.log"), host.path("auth.log.1")).unwrap();
    host.append("auth.log.1", failed(4));
    host.append("auth.log", failed(5));
    running.shows(&count(4)).await;
    running.end().await;

    // Rotated twice, once each way, while nothing ran.
    host.append("auth.log", failed(6));
    fs::rename(host.path("auth.log.1"), host.path("auth.log.3")).unwrap();
    fs::rename(host.path("auth.log"), host.path("auth.log.2")).unwrap();
    host.append("auth.log", failed(7));
    fs::copy(host.path("auth.log"), host.path("auth.log.1")).unwrap();
    File::create(host.path("auth.log")).unwrap();
    host.append("auth.log", failed(8));
    let running = host.start();
    running.shows(&count(7)).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    running.shows(&count(7)).await;
    running.shows("sla_login_log_gaps_total{contract=\"c\",log=\"auth.log\"} 0").await;
    running.shows("sla_login_log_success{contract=\"c\",log=\"auth.log\"} 1").await;
    running.end().await;
    let kept = fs::read_to_string(host.path("data/logins.json")).unwrap();
    assert!(!kept.contains("10.0.0.9"), "{kept}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unreadable_log_says_so_and_the_others_are_read() {
    let host = Host::new(
        "  sources:\n  - {file: none.log}\n  - file: app.log\n    silent_after: 0\n    patterns: [{regex: 'denied (?P<reason>\\w+)', service: app}]\n",
    );
    host.append("app.log", "");
    let running = host.start();
    running.shows("sla_login_log_success{contract=\"c\",log=\"none.log\"} 0").await;
    host.append("app.log", "x denied locked\nx denied nonsense\nx allowed\n");
    running.shows("sla_login_failures_total{contract=\"c\",service=\"app\",reason=\"locked\"} 1").await;
    running.shows("sla_login_failures_total{contract=\"c\",service=\"app\",reason=\"other\"} 1").await;
    assert!(!running.page().contains("silent_after_seconds{contract=\"c\",log=\"app.log\"}"));
    host.append("none.log", failed(1));
    running.shows("sla_login_log_success{contract=\"c\",log=\"none.log\"} 1").await;
    running.shows(&count(1)).await;
    // Without the section nothing is shown.
    fs::write(host.path("sla.yml"), BASE).unwrap();
    let app = Arc::clone(&running.app);
    tokio::task::spawn_blocking(move || app.reload().unwrap()).await.unwrap();
    let gone = async {
        while !running.page().is_empty() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(PATIENCE, gone).await.unwrap();
    running.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_book_that_is_damaged_is_said_and_not_overwritten() {
    let host = Host::new("  sources: [{file: auth.log}]\n");
    host.append("auth.log", "");
    fs::create_dir(host.path("data")).unwrap();
    host.append("data/logins.json", "{");
    let running = host.start();
    running.shows("sla_login_book_ok{contract=\"c\"} 0").await;
    running.shows("sla_login_log_success{contract=\"c\",log=\"auth.log\"} 0").await;
    assert_eq!(fs::read_to_string(host.path("data/logins.json")).unwrap(), "{");
    fs::remove_file(host.path("data/logins.json")).unwrap();
    running.shows("sla_login_book_ok{contract=\"c\"} 1").await;
    running.end().await;
}

#[test]
fn what_cannot_be_read_as_logins_is_refused_with_its_place() {
    for (logins, expected) in [
        ("  sources: []\n", "logins.sources: expected at least one log"),
        ("  {}\n", "logins"),
        ("  sources: [{file: a}, {file: a}]\n", "logins.sources[1]: `a` is listed twice"),
        ("  sources: [{file: a}, {journal: {}}]\n", "logins.sources[1]: the system's log file and the journal"),
        ("  sources: [{file: a, journal: {}}]\n", "give one of `file` and `journal`"),
        ("  sources: [{}]\n", "give one of `file` and `journal`"),
        ("  sources: [{file: a, silent_after: 1m}]\n", "logins.sources[0].silent_after: expected 5m or longer"),
        ("  sources: [{file: a, patterns: []}]\n", "expected at least one pattern"),
        ("  sources: [{file: a, patterns: [{regex: '(?P<ip>.)', service: x}]}]\n", "unknown group `ip`"),
        ("  sources: [{file: a, patterns: [{regex: '(', service: x}]}]\n", "is not a regular expression"),
        ("  sources: [{file: a, patterns: [{regex: a, service: sshd}]}]\n", "is a service of the system"),
        ("  sources: [{file: a, patterns: [{regex: a, service: [x, y]}]}]\n", "needs a group (?P<service>…)"),
        ("  sources: [{file: a, patterns: [{regex: a, service: x, reason: bad}]}]\n", "unknown value `bad`"),
        ("  thresholds: {sshdd: 1}\n  sources: [{file: a}]\n", "did you mean `sshd`?"),
        ("  threshold: 0\n  sources: [{file: a}]\n", "logins.threshold: expected a whole number from 1"),
        ("  users: [root, root]\n  sources: [{file: a}]\n", "logins.users[1]: is listed twice"),
    ] {
        let text = exporter::refused(&format!("{BASE}logins:\n{logins}")).join("\n");
        assert!(text.contains(expected), "{logins}: {text}");
    }
}
