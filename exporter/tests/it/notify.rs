//! Notices to customers and Alertmanagers that are not as they should be: each is told once, and nothing else suffers.
//!
//! With the real Alertmanager: `tests/it/told/ledger.rs`.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::{Timestamp, ToSpan as _};
use sla_exporter::app::App;
use sla_exporter::notify::{self, Pace};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::support::certs::Certs;
use crate::support::exporter;
use crate::support::http::{Server, answer, serve, serve_tls};
use crate::support::server;

const PATIENCE: Duration = Duration::from_secs(30);
const PACE: Pace =
    Pace { look: Duration::from_millis(50), repeat: Duration::from_millis(300), pause: Duration::from_millis(100) };
const PASSWORD: &str = "hunter2-secret";

/// An exporter's folder, which stays while the exporter is started again.
struct Site {
    folder: TempDir,
    contract: &'static str,
}

struct Running {
    app: Arc<App>,
    shutdown: CancellationToken,
    telling: JoinHandle<()>,
}

impl Site {
    fn new() -> Self {
        let site = Self { folder: TempDir::new().unwrap(), contract: "c" };
        site.ledger("");
        site
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn config(&self, alertmanager: &str) {
        let contract = self.contract;
        let text = format!(
            "site: here\ncontract:\n  name: {contract}\n  timezone: Asia/Tokyo\n  functions:\n    client: {{objective: 99, \
             capabilities: {{web: {{quorum: all}}}}}}\nmodules:\n  open: {{prober: tcp, timeout: 500ms}}\nprobes:\n  \
             - {{name: port, module: open, targets: [\"127.0.0.1:1\"], interval: 1s, evidence: client/web}}\n\
             ledger: ledger.yml\n{alertmanager}"
        );
        std::fs::write(self.path("sla.yml"), text).unwrap();
    }

    fn ledger(&self, text: &str) {
        std::fs::write(self.path("ledger.yml"), text).unwrap();
    }

    /// The exporter, with its book in `data` of its folder.
    fn start(&self) -> Running {
        self.start_with(&self.path("data"))
    }

    fn start_with(&self, storage: &Path) -> Running {
        let app = exporter::exporter(&self.path("sla.yml"));
        let shutdown = CancellationToken::new();
        drop(app.run(shutdown.clone()));
        let telling = tokio::spawn(notify::run(Arc::clone(&app), storage.to_owned(), PACE, shutdown.clone()));
        Running { app, shutdown, telling }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

impl Running {
    async fn page(&self) -> String {
        exporter::page(&self.app).await
    }

    async fn shows(&self, line: &str) {
        until(line, async || {
            let page = self.page().await;
            let found = page.lines().any(|l| l.starts_with(line));
            if found {
                Ok(())
            } else {
                Err(page.lines().filter(|l| l.starts_with("sla_notice")).collect::<Vec<_>>().join("\n"))
            }
        })
        .await;
    }

    async fn sent(&self, entry: &str, event: &str) {
        self.shows(&format!(
            "sla_notice_sent_timestamp_seconds{{contract=\"c\",entry=\"{entry}\",event=\"{event}\"}} "
        ))
        .await;
    }

    async fn pending(&self, count: usize) {
        self.shows(&format!("sla_notices_pending{{contract=\"c\"}} {count}")).await;
    }

    /// Looked at the empty ledger: what comes from now on is news.
    async fn begun(self) -> Self {
        self.shows("sla_notices_pending{").await;
        self
    }

    fn reload(&self) {
        self.app.reload().unwrap_or_else(|findings| panic!("{findings:#?}"));
    }

    async fn stop(mut self) {
        self.shutdown.cancel();
        tokio::time::timeout(PATIENCE, &mut self.telling).await.expect("telling ends").unwrap();
    }
}

async fn until<T>(what: &str, mut check: impl AsyncFnMut() -> Result<T, String>) -> T {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        match check().await {
            Ok(value) => return value,
            Err(why) => assert!(tokio::time::Instant::now() < deadline, "{what}: {why}"),
        }
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
}

fn incident(id: &str) -> String {
    incidents(&[id])
}

fn incidents(ids: &[&str]) -> String {
    let started = Timestamp::now() - 20.seconds();
    let entry = |id: &&str| format!("  - {{id: {id}, title: T, functions: [client], started_at: {started:.0}}}\n");
    format!("incidents:\n{}", ids.iter().map(entry).collect::<String>())
}

fn urls(urls: &[String]) -> String {
    format!("alertmanager: {{urls: [{}], timeout: 2s}}\n", urls.join(", "))
}

/// The values of label `notice` that were posted, each as often as it was.
fn notices(server: &Server) -> Vec<String> {
    let posted = |request: &String| -> Vec<String> {
        let body = request.split_once("\r\n\r\n").unwrap_or_default().1;
        let alerts: serde_json::Value = serde_json::from_str(body).unwrap_or_else(|e| panic!("{e}: {request}"));
        alerts.as_array().unwrap().iter().map(|alert| alert["labels"]["notice"].as_str().unwrap().to_owned()).collect()
    };
    server.requests().iter().flat_map(posted).collect()
}

async fn hears(server: &Server, notice: &str) {
    until(notice, async || {
        let heard = notices(server);
        if heard.iter().any(|n| n == notice) { Ok(()) } else { Err(format!("{heard:?}")) }
    })
    .await;
}

async fn good() -> Server {
    serve(|_| answer(200, "", "")).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_alertmanager_that_refuses_at_first_is_told_when_it_is_back() {
    for first in [
        answer(500, "", "out of order"),
        answer(400, "", "no"),
        answer(401, "", "no"),
        answer(404, "", "<html>not here</html>"),
        answer(302, "Location: /login\r\n", ""),
        b"garbage\r\n\r\n".to_vec(),
        Vec::new(),
    ] {
        let what = String::from_utf8_lossy(&first).into_owned();
        let works = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&works);
        let server =
            serve(move |_| if flag.load(Ordering::SeqCst) { answer(200, "", "") } else { first.clone() }).await;
        let site = Site::new();
        site.config(&urls(&[server.url("")]));
        let running = site.start().begun().await;
        site.ledger(&incident("i"));
        running.reload();
        running.pending(1).await;
        hears(&server, "i/opened").await;
        let failures = format!("sla_notice_posts_failed_total{{contract=\"c\",alertmanager=\"{}\"}} ", server.url(""));
        running.shows(&failures).await;
        assert!(!running.page().await.contains("sla_notice_sent"), "{what}");
        works.store(true, Ordering::SeqCst);
        running.sent("i", "opened").await;
        running.pending(0).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_members_one_that_hangs_or_is_away_delays_nobody_and_hears_it_later() {
    let hanging = server(|stream| async move {
        let _keep = stream;
        std::future::pending::<()>().await;
    })
    .await;
    let slow_first = Arc::new(AtomicBool::new(true));
    let flag = Arc::clone(&slow_first);
    let away = serve(move |_| if flag.load(Ordering::SeqCst) { Vec::new() } else { answer(200, "", "") }).await;
    let works = good().await;
    let site = Site::new();
    let all = [format!("http://{hanging}"), away.url(""), works.url("")];
    site.config(&urls(&all).replace("timeout: 2s", "timeout: 1m"));
    let running = site.start().begun().await;
    site.ledger(&incident("a"));
    running.reload();
    running.sent("a", "opened").await;
    // While the first of them still keeps the first request.
    site.ledger(&incidents(&["a", "b"]));
    running.reload();
    running.sent("b", "opened").await;
    running.pending(0).await;
    slow_first.store(false, Ordering::SeqCst);
    let before = notices(&away).len();
    until("told again", async || {
        let heard = notices(&away);
        let both = ["a/opened", "b/opened"].iter().all(|n| heard[before..].iter().any(|h| h == n));
        if both { Ok(()) } else { Err(format!("{heard:?}")) }
    })
    .await;
    // The end does not wait for the one that hangs.
    tokio::time::timeout(Duration::from_secs(10), running.stop()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_notice_that_is_refused_keeps_no_other_from_being_told() {
    let server = serve(
        |request: &str| {
            if request.contains("bad/opened") { answer(413, "", "too large") } else { answer(200, "", "") }
        },
    )
    .await;
    let site = Site::new();
    site.config(&urls(&[server.url("")]));
    let running = site.start().begun().await;
    let ids: Vec<String> = (0..250).map(|number| format!("e{number}")).collect();
    let mut ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    ids.insert(0, "bad");
    site.ledger(&incidents(&ids));
    running.reload();
    running.pending(1).await;
    for id in &ids[1..] {
        assert!(notices(&server).contains(&format!("{id}/opened")), "{id}");
    }
    running.sent("e249", "opened").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_repeats_nothing_that_was_passed_over_and_loses_nothing_that_fell_due_meanwhile() {
    let server = good().await;
    let site = Site::new();
    site.config(&urls(&[server.url("")]));
    // There at the very first start: history.
    site.ledger(&incident("past"));
    site.start().begun().await.stop().await;
    site.ledger(&incidents(&["past", "new"]));
    let running = site.start();
    running.sent("new", "opened").await;
    running.stop().await;
    assert!(!notices(&server).contains(&"past/opened".to_owned()));
    // Of another name: nobody knows what its customers were told.
    let renamed = Site { folder: site.folder, contract: "renamed" };
    renamed.config(&urls(&[server.url("")]));
    let before = server.requests().len();
    let running = renamed.start();
    running.shows("sla_notices_pending{contract=\"renamed\"} 0").await;
    tokio::time::sleep(PACE.repeat * 2).await;
    assert_eq!(server.requests().len(), before);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reload_changes_and_removes_the_alertmanagers() {
    let (one, other) = (good().await, good().await);
    let site = Site::new();
    site.config(&urls(&[one.url("")]));
    let running = site.start().begun().await;
    site.config(&urls(&[other.url("")]));
    site.ledger(&incident("a"));
    running.reload();
    running.sent("a", "opened").await;
    hears(&other, "a/opened").await;
    assert!(one.requests().is_empty());
    assert!(!running.page().await.contains(&one.address));
    site.config("");
    running.reload();
    until("no notices on the page", async || {
        let page = running.page().await;
        if page.contains("sla_notice") { Err(page) } else { Ok(()) }
    })
    .await;
    site.config(&urls(&[one.url("")]));
    site.ledger(&incidents(&["a", "b"]));
    running.reload();
    running.sent("b", "opened").await;
    hears(&one, "b/opened").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_book_tells_nobody_and_shows_that_somebody_waits_until_it_is_mended() {
    let server = good().await;
    let site = Site::new();
    site.config(&urls(&[server.url("")]));
    site.start().begun().await.stop().await;
    let book = std::fs::read(site.path("data/notices.json")).unwrap();
    std::fs::write(site.path("data/notices.json"), &book[..book.len() - 3]).unwrap();
    site.ledger(&incident("a"));
    let running = site.start();
    running.shows("sla_notices_book_ok{contract=\"c\"} 0").await;
    running.pending(1).await;
    assert!(server.requests().is_empty());
    std::fs::write(site.path("data/notices.json"), &book).unwrap();
    running.shows("sla_notices_book_ok{contract=\"c\"} 1").await;
    running.sent("a", "opened").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_book_that_cannot_be_written_is_said_and_written_as_soon_as_it_can_be() {
    let server = good().await;
    let site = Site::new();
    site.config(&urls(&[server.url("")]));
    let storage = site.path("data");
    // Where the folder should be is a file, whoever asks.
    std::fs::write(&storage, "").unwrap();
    let running = site.start().begun().await;
    running.shows("sla_notices_book_ok{contract=\"c\"} 0").await;
    assert!(server.requests().is_empty());
    std::fs::remove_file(&storage).unwrap();
    running.shows("sla_notices_book_ok{contract=\"c\"} 1").await;
    // In the middle of it: customers are told all the same.
    std::fs::remove_dir_all(&storage).unwrap();
    std::fs::write(&storage, "").unwrap();
    site.ledger(&incident("a"));
    running.reload();
    running.sent("a", "opened").await;
    running.shows("sla_notices_book_ok{contract=\"c\"} 0").await;
    std::fs::remove_file(&storage).unwrap();
    running.shows("sla_notices_book_ok{contract=\"c\"} 1").await;
    assert!(std::fs::read_to_string(storage.join("notices.json")).unwrap().contains("a/opened"));
}

/// Two exporters of one contract with a book each.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_exporters_post_alerts_alertmanager_takes_for_one() {
    let server = good().await;
    let site = Site::new();
    site.config(&urls(&[server.url("")]));
    let (one, other) =
        (site.start_with(&site.path("one")).begun().await, site.start_with(&site.path("two")).begun().await);
    site.ledger(&incident("a"));
    one.reload();
    one.sent("a", "opened").await;
    other.reload();
    other.sent("a", "opened").await;
    let requests = server.requests();
    let bodies: std::collections::BTreeSet<&str> =
        requests.iter().map(|request| request.split_once("\r\n\r\n").unwrap().1).collect();
    assert!(requests.len() >= 2);
    assert_eq!(bodies.len(), 1, "{bodies:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn credentials_are_read_at_each_posting_and_shown_nowhere() {
    let (certs, site) = (Certs::of(&["127.0.0.1"]), Site::new());
    let server = serve_tls(certs.acceptor(), |request: &str| {
        // A server that repeats what it was sent.
        if request.contains("authorization: Bearer second-token") {
            answer(200, "", "")
        } else {
            answer(401, "", request)
        }
    })
    .await;
    std::fs::copy(certs.ca_file(), site.path("ca.pem")).unwrap();
    std::fs::write(site.path("token"), PASSWORD).unwrap();
    site.config(&format!(
        "alertmanager:\n  urls: [\"https://{}\"]\n  authorization: {{credentials_file: token}}\n  tls_config: {{ca_file: ca.pem}}\n",
        server.address
    ));
    let running = site.start().begun().await;
    site.ledger(&incident("a"));
    running.reload();
    until("a refusal", async || if server.requests().is_empty() { Err(String::new()) } else { Ok(()) }).await;
    assert!(server.requests()[0].contains(&format!("authorization: Bearer {PASSWORD}")));
    std::fs::write(site.path("token"), "second-token").unwrap();
    running.sent("a", "opened").await;
    let page = running.page().await;
    assert!(!page.contains(PASSWORD) && !page.contains("second-token"));
}
