//! The ledger as annotations in a Grafana that fails, forgets, is edited by people and written to by two exporters.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use sla_exporter::app::{App, Source};
use sla_exporter::grafana::{self, Pace};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::support::exporter;
use crate::support::grafana::{Grafana, READER, TOKEN};
use crate::support::http::answer;

const PATIENCE: Duration = Duration::from_secs(30);
const PACE: Pace = Pace {
    look: Duration::from_millis(30),
    again: Duration::from_millis(200),
    verify: Duration::from_millis(100),
    pause: Duration::from_millis(50),
    max_pause: Duration::from_millis(200),
};

/// 2026-10-07 10:02 to 10:31 in Tokyo, in milliseconds.
const START: i64 = 1_791_334_920_000;
const END: i64 = START + 29 * 60_000;

struct Site {
    folder: TempDir,
    contract: &'static str,
}

struct Running {
    app: Arc<App>,
    shutdown: CancellationToken,
    writing: JoinHandle<()>,
}

impl Site {
    /// With an incident `i`, and `more` in its section `grafana`.
    fn new(grafana: &Grafana, more: &str) -> Self {
        let site = Self { folder: TempDir::new().unwrap(), contract: "c" };
        site.token(TOKEN);
        site.config(&format!("grafana: {{url: \"{}\", token_file: token, timeout: 2s{more}}}\n", grafana.url()));
        site.incidents(&["i"]);
        site
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn token(&self, token: &str) {
        std::fs::write(self.path("token"), format!("{token}\n")).unwrap();
    }

    fn config(&self, section: &str) {
        let contract = self.contract;
        let text = format!(
            "site: here\ncontract:\n  name: {contract}\n  timezone: Asia/Tokyo\n  functions:\n    client: {{title: {{ja: クライアント機能, en: \
             Client function}}, objective: 99, capabilities: {{web: {{quorum: all}}}}}}\nmodules:\n  open: {{prober: tcp}}\nprobes:\n  - \
             {{name: port, module: open, targets: [\"127.0.0.1:1\"], evidence: client/web}}\nledger: ledger.yml\n{section}"
        );
        std::fs::write(self.path("sla.yml"), text).unwrap();
    }

    fn ledger(&self, text: &str) {
        std::fs::write(self.path("ledger.yml"), text).unwrap();
    }

    fn incidents(&self, ids: &[&str]) {
        let entry = |id: &&str| {
            format!(
                "  - {{id: {id}, title: {{ja: ログイン障害, en: \"Login <failure>\"}}, functions: [client], cause: internal, started_at: \
                 \"2026-10-07T10:02:00+09:00\", resolved_at: \"2026-10-07T10:31:00+09:00\"}}\n"
            )
        };
        self.ledger(&format!("incidents:\n{}", ids.iter().map(entry).collect::<String>()));
    }

    fn start(&self) -> Running {
        let app = exporter::exporter(&self.path("sla.yml"));
        let shutdown = CancellationToken::new();
        let writing = tokio::spawn(grafana::run(Arc::clone(&app), PACE, shutdown.clone()));
        Running { app, shutdown, writing }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

impl Running {
    fn reload(&self) {
        self.app.reload().unwrap_or_else(|findings| panic!("{findings:#?}"));
    }

    async fn stop(mut self) {
        self.shutdown.cancel();
        tokio::time::timeout(PATIENCE, &mut self.writing).await.expect("writing ends").unwrap();
    }

    async fn page(&self) -> String {
        exporter::page(&self.app).await
    }

    async fn shows(&self, line: &str) {
        until(line, async || {
            let page = self.page().await;
            let lines: Vec<&str> = page.lines().filter(|l| l.starts_with("sla_grafana")).collect();
            if lines.iter().any(|l| l.starts_with(line)) { Ok(()) } else { Err(lines.join("\n")) }
        })
        .await;
    }
}

async fn until(what: &str, mut check: impl AsyncFnMut() -> Result<(), String>) {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while let Err(why) = check().await {
        assert!(tokio::time::Instant::now() < deadline, "{what}: {why}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Values of the tag `window:` of all annotations, in order.
fn shown(grafana: &Grafana) -> Vec<String> {
    let window = |one: &Value| {
        let tags = one["tags"].as_array().unwrap();
        tags.iter().find_map(|tag| tag.as_str().unwrap().strip_prefix("window:").map(str::to_owned))
    };
    let mut shown: Vec<String> = grafana.all().values().filter_map(window).collect();
    shown.sort();
    shown
}

async fn has(grafana: &Grafana, windows: &[&str]) {
    until("annotations", async || {
        let found = shown(grafana);
        if found == windows { Ok(()) } else { Err(format!("{found:?}, not {windows:?}")) }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_window_is_written_once_and_follows_the_ledger() {
    let grafana = Grafana::start().await;
    let site = Site::new(&grafana, ", org_id: 7, tags: [production]");
    let running = site.start();
    has(&grafana, &["i"]).await;
    let (id, one) = grafana.all().into_iter().next().unwrap();
    assert_eq!((one["time"].as_i64(), one["timeEnd"].as_i64()), (Some(START), Some(END)));
    assert!(one["dashboardUID"].is_null());
    let text = one["text"].as_str().unwrap();
    for words in [
        "停止（停止時間に算入） / Failure (downtime)",
        "ログイン障害 / Login &lt;failure&gt;",
        "クライアント機能",
        "Ledger: i",
    ] {
        assert!(text.contains(words), "{words} in {text}");
    }
    let tags = one["tags"].to_string();
    for tag in [
        "\"sla\"",
        "\"sla-ledger\"",
        "\"contract:c\"",
        "\"function:client\"",
        "\"internal\"",
        "\"effect:down\"",
        "\"production\"",
    ] {
        assert!(tags.contains(tag), "{tag} in {tags}");
    }
    assert!(grafana.server.requests().iter().all(|request| request.contains("x-grafana-org-id: 7\r\n")));
    running.shows("sla_grafana_sync_success{contract=\"c\"} 1").await;
    running.shows("sla_grafana_last_sync_timestamp_seconds{contract=\"c\"} ").await;
    running.shows("sla_grafana_changes_total{contract=\"c\",change=\"created\"} 1").await;

    // Corrected: the same annotation. Asked again many times: none is added.
    site.ledger(
        "incidents:\n  - {id: i, title: T, functions: [client], cause: force_majeure, started_at: \"2026-10-07T10:02:00+09:00\", \
         resolved_at: \"2026-10-07T10:32:00+09:00\"}\n",
    );
    running.reload();
    until("another reason is another region", async || {
        let all = grafana.all();
        let (new, one) = all.iter().next().unwrap();
        let good = all.len() == 1 && *new != id && one["timeEnd"] == json!(END + 60_000);
        if good { Ok(()) } else { Err(format!("{all:?}")) }
    })
    .await;
    site.ledger(
        "incidents:\n  - {id: i, title: Another, functions: [client], cause: force_majeure, started_at: \"2026-10-07T10:02:00+09:00\", \
         resolved_at: \"2026-10-07T10:40:00+09:00\"}\n",
    );
    running.reload();
    running.shows("sla_grafana_changes_total{contract=\"c\",change=\"updated\"} 1").await;
    site.ledger("");
    running.reload();
    has(&grafana, &[]).await;
    running.shows("sla_grafana_regions{contract=\"c\"} 0").await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_restart_nothing_is_written_twice_and_what_left_the_ledger_meanwhile_goes() {
    let grafana = Grafana::start().await;
    let site = Site::new(&grafana, "");
    site.incidents(&["a", "b"]);
    let running = site.start();
    has(&grafana, &["a", "b"]).await;
    running.stop().await;
    site.incidents(&["b", "d"]);
    let running = site.start();
    has(&grafana, &["b", "d"]).await;
    running.shows("sla_grafana_changes_total{contract=\"c\",change=\"created\"} 1").await;
    running.shows("sla_grafana_changes_total{contract=\"c\",change=\"deleted\"} 1").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_person_deletes_or_edits_comes_back_and_what_a_person_drew_stays_as_it_is() {
    let grafana = Grafana::start().await;
    let drawn = [
        json!({"time": START, "timeEnd": END, "tags": ["sla", "function:client"], "text": "drawn"}),
        json!({"time": START, "tags": ["deploy"], "text": "v1"}),
        // Another contract's, and one that lost a tag of ours.
        json!({"time": START, "tags": ["sla", "sla-ledger", "contract:other", "sla-key:x"], "text": "other"}),
        json!({"time": START, "tags": ["sla", "sla-ledger", "contract:c"], "text": "no key"}),
    ];
    let ids: Vec<i64> = drawn.iter().map(|one| grafana.draw(one.clone())).collect();
    let before: Vec<Value> = ids.iter().map(|id| grafana.all()[id].clone()).collect();
    let site = Site::new(&grafana, "");
    let running = site.start();
    has(&grafana, &["i"]).await;
    let ours = || grafana.all().into_iter().find(|(id, _)| !ids.contains(id));
    let (id, one) = ours().unwrap();
    grafana.edit(id, "text", json!("mine"));
    until("the text", async || if grafana.all()[&id] == one { Ok(()) } else { Err(format!("{:?}", grafana.all())) })
        .await;
    grafana.delete(id);
    has(&grafana, &["i"]).await;
    site.ledger("");
    running.reload();
    has(&grafana, &[]).await;
    let after: Vec<Value> = ids.iter().map(|id| grafana.all()[id].clone()).collect();
    assert_eq!(after, before);
    assert!(ours().is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_exporters_with_one_ledger_leave_one_region_for_each_window() {
    let grafana = Grafana::start().await;
    let (one, two) = (Site::new(&grafana, ""), Site::new(&grafana, ""));
    let ids: Vec<String> = (0..15).map(|i| format!("i{i:02}")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    one.incidents(&ids);
    two.incidents(&ids);
    let running = [one.start(), two.start()];
    has(&grafana, &ids).await;
    for running in &running {
        running.shows("sla_grafana_sync_success{contract=\"c\"} 1").await;
        running.shows("sla_grafana_disputed{contract=\"c\"} 0").await;
    }
    has(&grafana, &ids).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_exporters_with_different_ledgers_soon_stop_undoing_each_other() {
    let grafana = Grafana::start().await;
    let (one, two) = (Site::new(&grafana, ""), Site::new(&grafana, ""));
    one.incidents(&["i", "mine"]);
    let running = [one.start(), two.start()];
    running[0].shows("sla_grafana_disputed{contract=\"c\"} 1").await;
    running[0].shows("sla_grafana_sync_success{contract=\"c\"} 0").await;
    let (posts, deletes) = (grafana.count("POST"), grafana.count("DELETE"));
    tokio::time::sleep(PACE.again * 5).await;
    assert_eq!(grafana.count("POST"), posts);
    assert!(grafana.count("DELETE") <= deletes + 1 && posts <= 8, "{posts} {deletes}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_grafana_that_fails_is_written_to_when_it_is_back() {
    for (instead, secret) in [
        (answer(500, "", "out of order"), false),
        (answer(502, "", "<html>bad gateway</html>"), false),
        (answer(401, "", "{\"message\":\"Invalid API key glsa_hunter2\"}"), true),
        (answer(404, "", "<html>"), false),
        (answer(302, "Location: /login\r\n", ""), false),
        (answer(200, "", "<html>login</html>"), false),
        (answer(200, "", "{}"), false),
        (b"garbage\r\n\r\n".to_vec(), false),
        (Vec::new(), false),
    ] {
        let what = String::from_utf8_lossy(&instead).into_owned();
        let grafana = Grafana::start().await;
        grafana.say(Some(instead));
        let site = Site::new(&grafana, "");
        let running = site.start();
        running.shows("sla_grafana_sync_success{contract=\"c\"} 0").await;
        running.shows("sla_grafana_requests_failed_total{contract=\"c\"} ").await;
        let page = running.page().await;
        assert!(!page.contains("sla_grafana_last_sync") && !page.contains("sla_grafana_pending"), "{what}: {page}");
        assert!(!secret || !page.contains(TOKEN));
        grafana.say(None);
        has(&grafana, &["i"]).await;
        running.shows("sla_grafana_sync_success{contract=\"c\"} 1").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_annotation_that_is_refused_keeps_no_other_from_being_written() {
    let grafana = Grafana::start().await;
    grafana.refuse("Ledger: bad");
    let site = Site::new(&grafana, "");
    site.incidents(&["bad1", "bad2", "bad3", "bad4", "good1", "good2"]);
    let running = site.start();
    has(&grafana, &["good1", "good2"]).await;
    running.shows("sla_grafana_pending{contract=\"c\"} 4").await;
    running.shows("sla_grafana_sync_success{contract=\"c\"} 0").await;
    grafana.refuse("nothing");
    has(&grafana, &["bad1", "bad2", "bad3", "bad4", "good1", "good2"]).await;
    running.shows("sla_grafana_pending{contract=\"c\"} 0").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_that_may_only_read_is_said_so_and_a_new_token_is_used_without_a_reload() {
    let grafana = Grafana::start().await;
    let site = Site::new(&grafana, "");
    site.token(READER);
    let running = site.start();
    running.shows("sla_grafana_pending{contract=\"c\"} 1").await;
    site.token(TOKEN);
    has(&grafana, &["i"]).await;
    running.shows("sla_grafana_sync_success{contract=\"c\"} 1").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_than_grafana_sends_unasked_are_all_read() {
    let grafana = Grafana::start().await;
    let site = Site::new(&grafana, "");
    let ids: Vec<String> = (0..250).map(|i| format!("i{i:03}")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    site.incidents(&ids);
    let running = site.start();
    has(&grafana, &ids).await;
    running.shows("sla_grafana_sync_success{contract=\"c\"} 1").await;
    running.shows("sla_grafana_changes_total{contract=\"c\",change=\"created\"} 250").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_dashboard_of_the_list_gets_its_own_and_loses_it_with_the_list() {
    let grafana = Grafana::start().await;
    let site = Site::new(&grafana, ", dashboards: [one, two]");
    let running = site.start();
    let on = || {
        let mut on: Vec<String> = grafana.all().values().map(|one| one["dashboardUID"].to_string()).collect();
        on.sort();
        on
    };
    until("both", async || if on() == ["\"one\"", "\"two\""] { Ok(()) } else { Err(format!("{:?}", on())) }).await;
    site.config(&format!("grafana: {{url: \"{}\", token_file: token}}\n", grafana.url()));
    running.reload();
    until("neither", async || if on() == ["null"] { Ok(()) } else { Err(format!("{:?}", on())) }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_section_or_with_write_false_nothing_is_asked_or_shown() {
    let grafana = Grafana::start().await;
    let site = Site::new(&grafana, ", write: false");
    let running = site.start();
    tokio::time::sleep(PACE.look * 5).await;
    assert!(!running.page().await.contains("sla_grafana"));
    site.config("");
    running.reload();
    tokio::time::sleep(PACE.look * 5).await;
    assert!(!running.page().await.contains("sla_grafana"));
    assert_eq!(grafana.server.requests(), Vec::<String>::new());
    // And what was written stays when the section goes.
    let site = Site::new(&grafana, "");
    let running = site.start();
    has(&grafana, &["i"]).await;
    site.config("");
    running.reload();
    until("no metrics", async || {
        let page = running.page().await;
        if page.contains("sla_grafana") { Err(page) } else { Ok(()) }
    })
    .await;
    has(&grafana, &["i"]).await;
}

/// Findings of a section, with their places.
fn findings(section: &str) -> Vec<String> {
    let folder = TempDir::new().unwrap();
    let site = Site { folder, contract: "c" };
    site.token(TOKEN);
    site.ledger("");
    site.config(section);
    match Source::File(site.path("sla.yml")).load() {
        Ok(loaded) => loaded.warnings.iter().map(ToString::to_string).collect(),
        Err(findings) => findings.iter().map(ToString::to_string).collect(),
    }
}

#[test]
fn what_is_wrong_in_the_section_is_said_with_its_place_and_no_secret() {
    for good in [
        "grafana: {url: \"http://g:3000\", token_file: token}\n",
        "grafana: {url: \"https://g/grafana/\", basic_auth: {username: u, password_file: token}, write: no, tags: [a, \"b:c\"]}\n",
        "grafana: {url: \"http://u:p@g\", dashboards: [], timeout: 1m}\n",
    ] {
        assert_eq!(findings(good), Vec::<String>::new(), "{good}");
    }
    for (bad, words) in [
        ("{}", "`url` is missing"),
        ("{url: \"g:3000\"}", "grafana.url: expected http://"),
        ("{url: \"http://u:hunter2@g\", token_file: token}", "grafana.url: it has a user, and so has grafana"),
        ("{url: \"http://g\", token: hunter2}", "grafana.token: a secret does not belong in this file"),
        ("{url: \"http://g\", token_file: token, basic_auth: {username: u}}", "give one of `token_file`"),
        ("{url: \"http://g\", token_file: nowhere}", "grafana.token_file: cannot read secret file"),
        ("{url: \"http://g\", org_id: 0}", "grafana.org_id: expected a whole number from 1"),
        ("{url: \"http://g\", timeout: 61s}", "grafana.timeout: expected a duration above 0 and up to 1m"),
        ("{url: \"http://g\", dashboards: [\"a b\"]}", "grafana.dashboards[0]: is not a dashboard's uid"),
        ("{url: \"http://g\", dashboards: [a, a]}", "grafana.dashboards[1]: `a` is listed twice"),
        ("{url: \"http://g\", tags: [sla]}", "grafana.tags[0]: `sla` is a tag of the exporter's own"),
        (
            "{url: \"http://g\", tags: [abcdefghijabcdefghijabcdefghijabcd, abcdefghijabcdefghijabcdefghijabcde, ab]}",
            "bytes of tags; at most 80",
        ),
        ("{url: \"http://g\", tokn_file: x}", "unknown key `tokn_file`"),
    ] {
        let found = findings(&format!("grafana: {bad}\n"));
        assert!(found.iter().any(|finding| finding.contains(words)), "{bad}: {found:#?}");
        assert!(!found.iter().any(|finding| finding.contains("hunter2")), "{found:#?}");
    }
}
