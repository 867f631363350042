//! `sla-exporter ledger draft --grafana`: what people drew, with whose credentials, and what it says when it cannot be asked.

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use serde_json::json;
use tempfile::TempDir;
use tokio::process::Command;

use crate::support::grafana::{Grafana, READER};

const HOUR: i64 = 3_600_000;

/// A configuration with two functions, an empty ledger, and `section`.
fn site(section: &str) -> TempDir {
    let folder = TempDir::new().unwrap();
    let functions = "{client: {objective: 99, capabilities: {a: {quorum: all}}}, consumer: {objective: 99, capabilities: {a: {quorum: all}}}}";
    let text = format!(
        "site: here\ncontract: {{name: c, timezone: Asia/Tokyo, functions: {functions}}}\nledger: ledger.yml\n{section}"
    );
    std::fs::write(folder.path().join("sla.yml"), text).unwrap();
    std::fs::write(folder.path().join("ledger.yml"), "").unwrap();
    std::fs::write(folder.path().join("token"), READER).unwrap();
    folder
}

async fn draft(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sla-exporter"))
        .args(["ledger", "draft", "--config.file=sla.yml"])
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .unwrap()
}

#[track_caller]
fn good(output: Output) -> (String, String) {
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    (String::from_utf8(output.stdout).unwrap(), said)
}

#[track_caller]
fn bad(output: &Output, code: i32, words: &str) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{said}");
    assert!(said.contains(words), "{words}\nis missing in\n{said}");
    assert!(!said.contains("hunter2") && !said.contains(READER), "{said}");
}

/// In milliseconds, some hours ago.
fn ago(hours: i64) -> i64 {
    jiff::Timestamp::now().as_second() * 1000 - hours * HOUR
}

async fn drawn() -> Grafana {
    let grafana = Grafana::start().await;
    let tags = json!(["sla", "function:client", "internal"]);
    grafana.draw(json!({"time": ago(30), "timeEnd": ago(29), "tags": tags, "text": "Login: failed", "login": "tanaka", "dashboardUID": "d"}));
    grafana.draw(json!({"time": ago(-48), "timeEnd": ago(-50), "tags": ["sla", "planned", "function:consumer"], "text": "Works"}));
    // Long ago, the exporter's own, and somebody's deployment.
    grafana.draw(json!({"time": ago(2400), "timeEnd": ago(2399), "tags": ["sla", "function:client"], "text": "old"}));
    grafana.draw(json!({"time": ago(20), "tags": ["sla", "sla-ledger", "contract:c", "sla-key:k"], "text": "ours"}));
    grafana.draw(json!({"time": ago(20), "tags": ["deploy"], "text": "v2"}));
    grafana
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_people_drew_is_a_draft_that_the_ledger_takes() {
    let grafana = drawn().await;
    let folder = site(&format!("grafana: {{url: \"{}\", token_file: token, write: false}}\n", grafana.url()));
    let (made, said) = good(draft(folder.path(), &["--grafana"]).await);
    assert_eq!(said, "");
    for words in [
        "maintenance:\n",
        "incidents:\n",
        "grafana-1\n",
        "grafana-2\n",
        "title: {ja: \"Login: failed\", en: \"Login: failed\"}",
        "annotation 1 by tanaka on dashboard d; tags: sla, function:client, internal",
        "proposed: cause: internal",
    ] {
        assert!(made.contains(words), "{words}\n{made}");
    }
    for not in ["says: old", "says: ours", "says: v2"] {
        assert!(!made.contains(not), "{not}\n{made}");
    }
    // Taken over as it stands: recognised, and nothing is left.
    std::fs::write(folder.path().join("ledger.yml"), &made).unwrap();
    let (made, said) = good(draft(folder.path(), &["--grafana"]).await);
    assert!(said.contains("nothing to judge: all 2 that were drawn in"), "{said}");
    assert!(made.contains("# In the ledger already:\n") && !made.contains("incidents:"), "{made}");
    // It was only read.
    assert!(
        grafana
            .server
            .requests()
            .iter()
            .all(|request| request.starts_with("GET /api/annotations?tags=sla&type=annotation&"))
    );

    let (made, _) = good(draft(folder.path(), &["--grafana", "--from", &stamp(2500), "--to", &stamp(2300)]).await);
    assert!(made.contains("says: old") && !made.contains("Login"), "{made}");
}

fn stamp(hours: i64) -> String {
    jiff::Timestamp::from_millisecond(ago(hours)).unwrap().to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn credentials_come_from_flags_or_the_section_and_go_to_nobody_else() {
    let (grafana, other) = (drawn().await, drawn().await);
    let folder = site(&format!("grafana: {{url: \"{}\", token_file: token}}\n", grafana.url()));
    // The same address: known. Another: not.
    good(draft(folder.path(), &["--grafana", &grafana.url()]).await);
    let refused = draft(folder.path(), &["--grafana", &other.url()]).await;
    bad(
        &refused,
        1,
        "401 Unauthorized (Invalid API key): the credentials are missing or refused; --grafana.token-file or",
    );
    assert!(!other.server.requests()[0].contains("authorization"));
    let (made, _) = good(draft(folder.path(), &["--grafana", &other.url(), "--grafana.token-file=token"]).await);
    assert!(made.contains("Login"), "{made}");
    let file = folder.path().join("http.yml");
    std::fs::write(&file, "authorization: {credentials_file: token}\n").unwrap();
    good(draft(folder.path(), &["--grafana", &other.url(), "--grafana.config.file=http.yml"]).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_asked_is_said_with_what_to_do() {
    let grafana = drawn().await;
    let without = site("");
    bad(&draft(without.path(), &["--grafana"]).await, 2, "has no section `grafana`");
    bad(&draft(without.path(), &["--grafana", "u:hunter2@g"]).await, 1, "--grafana: expected http://");
    bad(&draft(without.path(), &["--grafana", "http://127.0.0.1:1"]).await, 1, "Connection refused");
    bad(
        &draft(without.path(), &["--grafana", &grafana.url(), "--grafana.token-file=nowhere"]).await,
        1,
        "--grafana.token-file: cannot read",
    );
    bad(
        &draft(without.path(), &["--grafana", &grafana.url(), "--out=ledger.yml"]).await,
        2,
        "is the ledger, which a draft would replace",
    );
    let elsewhere = format!("{}/prefix", grafana.url());
    bad(
        &draft(without.path(), &["--grafana", &elsewhere, "--grafana.token-file=token"]).await,
        1,
        "the path prefix in --grafana is not Grafana's",
    );
    let out: PathBuf = without.path().join("draft.yml");
    good(draft(without.path(), &["--grafana", &grafana.url(), "--grafana.token-file=token", "--out=draft.yml"]).await);
    assert!(std::fs::read_to_string(out).unwrap().contains("Login"));
}
