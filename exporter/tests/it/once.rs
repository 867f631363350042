//! `sla-exporter probe`: what a person sees of one probe, on a terminal and in scripts, and what it never shows.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::client::{SMALL, write};
use crate::support::http::{Server, answer, serve, serve_tls};
use crate::support::pki::{Authority, Identity};

/// Runs it beside the servers of the test; `variables` are all it has in its environment.
async fn probe_in(variables: &[(&str, &str)], arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sla-exporter"));
    command.arg("probe").args(arguments).env_clear().envs(variables.iter().copied()).stdin(Stdio::null());
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

async fn probe(arguments: &[&str]) -> (Option<i32>, String) {
    let output = probe_in(&[], arguments).await;
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code(), text(&output.stdout) + &text(&output.stderr))
}

/// The objects of `--json`, one a line.
async fn json(arguments: &[&str]) -> (Option<i32>, Vec<Value>) {
    let (code, text) = probe(&[&["--json"], arguments].concat()).await;
    (code, text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{text}"))).collect())
}

#[track_caller]
fn has(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "{word:?} is not in:\n{text}");
    }
}

fn config(folder: &Path, modules: &str, probes: &str) -> String {
    let (head, _) = SMALL.split_once("modules:").unwrap();
    let text = format!("{head}modules:\n{modules}probes:\n{probes}");
    format!("--config.file={}", write(folder, "sla.yml", text).display())
}

/// Redirects once, with a token in the way.
async fn redirecting() -> Server {
    serve(|request| {
        if request.starts_with("GET /end?token=hunter2") {
            return answer(200, "", "all is well");
        }
        answer(302, "Location: /end?token=hunter2\r\n", "")
    })
    .await
}

#[tokio::test]
async fn a_success_is_told_step_by_step() {
    let server = redirecting().await;
    let (code, text) = probe(&[&server.url("/")]).await;
    assert_eq!(code, Some(0), "{text}");
    has(
        &text,
        &[
            "built-in module http, at most 10s",
            "resolving the name",
            "→ 127.0.0.1",
            "connecting",
            "→ HTTP/1.1 302 Found",
            "→ redirected to http://127.0.0.1",
            "→ HTTP/1.1 200 OK",
            "reading the body",
            "probe_http_status_code",
            "✓ success after",
        ],
    );
    assert!(!text.contains("hunter2"), "a query can be a token: {text}");
    assert!(!text.contains('\x1b'), "colours where there is no terminal: {text:?}");
}

#[tokio::test]
async fn a_redirect_that_is_not_followed_is_told_without_its_query() {
    let server = redirecting().await;
    let folder = tempfile::tempdir().unwrap();
    let module = "  m:\n    prober: http\n    http: {follow_redirects: false, valid_status_codes: [302], \
                  fail_if_header_not_matches: [{header: Location, regexp: '^https://'}]}\n";
    let config =
        config(folder.path(), module, &format!("- {{name: p, module: m, targets: ['{}']}}\n", server.url("/")));
    let (code, text) = probe(&[&config, "p"]).await;
    assert_eq!(code, Some(1), "{text}");
    has(&text, &["→ a redirect to http://127.0.0.1", "/end, not followed", "header location does not match"]);
    assert!(!text.contains("hunter2"), "a query can be a token: {text}");
}

#[tokio::test]
async fn colours_come_when_wanted_and_never_with_no_color() {
    let server = redirecting().await;
    for (variables, coloured) in [
        (&[("CLICOLOR_FORCE", "1")][..], true),
        (&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], false),
        (&[("TERM", "xterm-256color")], false),
    ] {
        let output = probe_in(variables, &[&server.url("/")]).await;
        assert_eq!(output.stdout.contains(&0x1b), coloured, "{variables:?}");
    }
}

#[tokio::test]
async fn a_refused_certificate_is_shown_with_its_chain_and_what_to_do() {
    let identity = Authority::new("root").below("between", (2010, 2070)).issue(&["a.example"], (2010, 2015));
    let server = serve_tls(identity.acceptor(&["http/1.1"], None), |_| answer(200, "", "ok")).await;
    let url = format!("https://{}/", server.address);
    let (code, text) = probe(&[&url]).await;
    assert_eq!(code, Some(1), "{text}");
    has(
        &text,
        &[
            "waiting for the TLS handshake",
            "CN=leaf",
            "names   a.example",
            "issued  by CN=between",
            "2010-01-01 00:00 UTC to 2015-01-01 00:00 UTC, expired ",
            "CN=between",
            "issued  by CN=root",
            "✗ failure after",
            ": certificate\n",
            "What to do: see the certificates above",
        ],
    );
    let (code, documents) = json(&[&url]).await;
    assert_eq!((code, documents.len()), (Some(1), 1));
    let document = &documents[0];
    assert_eq!((&document["success"], &document["failure"]["reason"]), (&false.into(), &"certificate".into()));
    assert_eq!(document["certificates"][0]["names"][0], "a.example");
    assert_eq!(document["certificates"][0]["not_after"], 1_420_070_400);
    assert_eq!(document["certificates"].as_array().unwrap().len(), 2);
    assert!(document["failure"]["advice"].as_str().unwrap().contains("ca_file"));
}

#[tokio::test]
async fn a_peers_texts_move_no_cursor() {
    let (identity, _) = Identity::self_signed(&["127.0.0.1"], false);
    let server =
        serve_tls(identity.acceptor(&["http/1.1"], None), |_| answer(302, "Location: /\u{9b}31m\r\n", "")).await;
    let folder = tempfile::tempdir().unwrap();
    let config =
        config(folder.path(), "  lax: {prober: http, http: {tls_config: {insecure_skip_verify: true}}}\n", "  []\n");
    let url = format!("https://{}/", server.address);
    let (code, text) = probe(&[&config, "--module=lax", &url]).await;
    assert_eq!(code, Some(1), "{text}");
    let odd: Vec<char> = text.chars().filter(|c| c.is_control() && *c != '\n').collect();
    assert!(odd.is_empty(), "{odd:?} in {text:?}");
    has(&text, &[": redirect\n", "lax (http)"]);
}

#[tokio::test]
async fn a_probe_of_the_configuration_is_run_as_configured_and_its_secrets_stay_secret() {
    let server = serve(|request| {
        // The password arrives, so hiding it is no accident.
        let known = request.to_ascii_lowercase().contains("authorization: basic bw9uaxrvcjpzm2nyzxq=");
        answer(if known { 503 } else { 401 }, "", "no")
    })
    .await;
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "password", "s3cret");
    let modules = "  login: {prober: http, timeout: 3s, http: {basic_auth: {username: monitor, password_file: password}}}\n  \
                   port: {prober: tcp, timeout: 2s}\n";
    let probes = format!(
        "  - {{name: form, module: login, targets: [\"{}\"], interval: 5m, evidence: f/a}}\n  \
           - {{name: ports, module: port, targets: [\"{}\", \"127.0.0.1:1\"], interval: 5m}}\n",
        server.url("/health"),
        server.address
    );
    let config = config(folder.path(), modules, &probes);
    for target in ["form", &server.url("/health")] {
        let (code, text) = probe(&[&config, target]).await;
        assert_eq!(code, Some(1), "{text}");
        has(&text, &["probe form, module login (http), at most 3s", ": status\n", "503", "valid_status_codes"]);
        let (_, documents) = json(&[&config, target]).await;
        assert_eq!((&documents[0]["probe"], &documents[0]["timeout_seconds"]), (&"form".into(), &3.0.into()));
        for shown in [text, documents[0].to_string()] {
            assert!(
                !shown.contains("s3cret") && !shown.to_ascii_lowercase().contains("bw9uaxrvcjpzm2nyzxq"),
                "{shown}"
            );
        }
    }

    // A probe of several targets is run for each.
    let (code, text) = probe(&[&config, "ports"]).await;
    assert_eq!(code, Some(1), "{text}");
    has(&text, &["✓ success", "✗ failure", ": refused\n", "\n1 of 2 succeeded\n"]);
    let (code, documents) = json(&[&config, "ports"]).await;
    let success: Vec<&Value> = documents.iter().map(|document| &document["success"]).collect();
    assert_eq!((code, success), (Some(1), vec![&true.into(), &false.into()]));
}

#[tokio::test]
async fn a_target_that_says_nothing_is_given_up_and_the_step_is_named() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let (code, text) = probe(&["--timeout=300ms", &url]).await;
    assert_eq!(code, Some(1), "{text}");
    has(
        &text,
        &["at most 300ms", ": timeout\n", "no result after 300ms, while waiting for the response", "What to do:"],
    );
}

#[tokio::test]
async fn what_cannot_be_probed_at_all_is_another_exit_code() {
    let folder = tempfile::tempdir().unwrap();
    let bad = write(folder.path(), "bad.yml", SMALL.replace("5m", "6m"));
    for (arguments, words) in [
        (vec![], &["TARGET"][..]),
        (vec!["a:1", "--module=nothing"], &["nothing", "tcp_connect", "--config.file"]),
        (vec!["ftp://a/"], &["`ftp://…`"]),
        (vec!["a", "--module=tcp"], &["a: ", "port"]),
        (vec!["a:1", "--timeout=0s"], &["no time"]),
        (vec!["a:1", "--hostname=a b"], &["hostname"]),
        (vec!["a:1", "--config.file=/nonexistent.yml"], &["/nonexistent.yml"]),
        (vec!["p", "--config.file", bad.to_str().unwrap()], &["bad.yml:8", "6m"]),
    ] {
        let output = probe_in(&[], &arguments).await;
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{arguments:?}: {said}");
        has(&said, words);
    }
}

#[tokio::test]
async fn a_reader_that_has_read_enough_is_no_failure() {
    let server = redirecting().await;
    let line = format!("{} probe {} | head -1", env!("CARGO_BIN_EXE_sla-exporter"), server.url("/"));
    let mut command = Command::new("bash");
    command.args(["-c", &format!("set -o pipefail; {line}")]);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    assert_eq!((output.status.code(), output.stderr.len()), (Some(0), 0), "{output:?}");
}
