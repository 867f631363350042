//! `http` with `expect: refused` (C2.6.5): who is let in, who is not, and what says nothing about it.

use std::io::BufRead as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use sla_exporter::probe::{Metric, Reason, Run};

use crate::client::{SMALL, Server, write};
use crate::support::http::{answer, serve, serve_tls};
use crate::support::pki::{Authority, Identity};
use crate::support::{closed, failure, module, run, succeeded, value};

const YEARS: (i32, i32) = (2020, 2080);

async fn probe(options: &str, target: &str) -> Run {
    run(&module(&format!("{{prober: http, timeout: 5s, http: {{expect: refused, {options}}}}}")), target).await
}

fn refused(run: &Run) {
    succeeded(run);
    assert_eq!(value(run, Metric::AccessOpen), Some(0.0));
}

#[track_caller]
fn let_in(run: &Run, words: &str) {
    let (reason, detail) = failure(run);
    assert_eq!(reason, Reason::ExpectedFailure, "{detail}");
    assert!(detail.contains(words) && detail.contains("let in"), "{detail}");
    assert_eq!(value(run, Metric::AccessOpen), Some(1.0));
}

#[track_caller]
fn unknown(run: &Run, expected: Reason) {
    assert_eq!(failure(run).0, expected, "{:?}", run.failure);
    assert_eq!(value(run, Metric::AccessOpen), None, "{:?}", run.failure);
    assert!(
        run.samples.iter().any(|sample| sample.metric == Metric::Expectation),
        "that it should be refused is known"
    );
}

/// Who asks for a client certificate in TLS refuses whoever has none, or another's; in every version, over HTTP/1.1 and HTTP/2.
#[tokio::test]
async fn tls_refuses_whoever_has_no_certificate_of_the_right_authority() {
    let folder = tempfile::tempdir().unwrap();
    let root = Authority::new("root");
    let ca = root.write(folder.path());
    let service = root.issue(&["127.0.0.1"], YEARS);
    let (mine, theirs) = (folder.path().join("mine"), folder.path().join("theirs"));
    let shown = |folder: &Path, identity: Identity| {
        std::fs::create_dir(folder).unwrap();
        let (cert, key) = identity.write(folder);
        format!(", cert_file: {}, key_file: {}", cert.display(), key.display())
    };
    let mine = shown(&mine, root.issue(&["client"], YEARS));
    let theirs = shown(&theirs, Authority::new("another").issue(&["client"], YEARS));
    let options = |more: &str| format!("tls_config: {{ca_file: {}{more}}}", ca.display());
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        for alpn in [&["http/1.1"], &["h2"]] {
            let demanding = service.acceptor_with(alpn, Some(&root), &[version]);
            let target = serve_tls(demanding, |_| answer(200, "", "hello")).await;
            let target = format!("https://{}/", target.address);
            refused(&probe(&options(""), &target).await);
            refused(&probe(&options(&theirs), &target).await);
            if alpn == &["http/1.1"] {
                let_in(&probe(&options(&mine), &target).await, "status 200");
            }
        }
    }
    // Nobody asks, and everybody is let in.
    let open = serve_tls(service.acceptor(&[], None), |_| answer(200, "", "hello")).await;
    let open = format!("https://{}/", open.address);
    let_in(&probe(&options(""), &open).await, "status 200");
    // A server that cannot be trusted may be anybody.
    unknown(&probe("", &open).await, Reason::Certificate);
}

/// OpenSSL, which most servers are built on, says `handshake_failure` with TLS 1.2, as it does where no cipher is common.
#[tokio::test]
async fn openssl_says_it_otherwise() {
    let folder = tempfile::tempdir().unwrap();
    let root = Authority::new("root");
    let ca = root.write(folder.path());
    let (cert, key) = root.issue(&["127.0.0.1"], YEARS).write(folder.path());
    let options = format!("tls_config: {{ca_file: {}}}", ca.display());
    for (more, is_refused) in [
        (&["-Verify", "1", "-tls1_2"][..], true),
        (&["-Verify", "1", "-tls1_3"], true),
        (&["-tls1_2", "-cipher", "ADH-AES128-SHA256:@SECLEVEL=0"], false),
        (&["-Verify", "1", "-tls1_2", "-cipher", "ADH-AES128-SHA256:@SECLEVEL=0"], false),
    ] {
        let server = OpenSsl::start(&cert, &key, more);
        let run = probe(&options, &server.url).await;
        if is_refused { refused(&run) } else { unknown(&run, Reason::Tls) }
    }
}

struct OpenSsl {
    process: Child,
    url: String,
}

impl OpenSsl {
    fn start(cert: &Path, key: &Path, more: &[&str]) -> Self {
        let mut process = Command::new("openssl")
            .args(["s_server", "-accept", "127.0.0.1:0", "-www"])
            .args(["-cert".as_ref(), cert.as_os_str(), "-key".as_ref(), key.as_os_str()])
            .args(more)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("openssl");
        let lines = std::io::BufReader::new(process.stdout.take().unwrap()).lines();
        let address =
            lines.map(Result::unwrap).find_map(|line| Some(line.strip_prefix("ACCEPT ")?.to_owned())).unwrap();
        Self { process, url: format!("https://{address}/") }
    }
}

impl Drop for OpenSsl {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// nginx with `ssl_verify_client on` lets TLS pass and answers 400.
#[tokio::test]
async fn a_status_of_400_refuses_where_a_certificate_was_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let root = Authority::new("root");
    let options = format!("tls_config: {{ca_file: {}}}", root.write(folder.path()).display());
    let service = root.issue(&["127.0.0.1"], YEARS);
    let required = "No required SSL certificate was sent";
    let asks = serve_tls(service.asking_acceptor(&root), move |_| answer(400, "", required)).await;
    let asks = probe(&options, &format!("https://{}/", asks.address)).await;
    refused(&asks);
    assert_eq!(value(&asks, Metric::HttpStatusCode), Some(400.0));
    let does_not = serve_tls(service.acceptor(&[], None), |_| answer(400, "", "")).await;
    let does_not = probe(&options, &format!("https://{}/", does_not.address)).await;
    unknown(&does_not, Reason::Status);
    assert!(failure(&does_not).1.contains("none was asked for"), "{:?}", does_not.failure);
}

/// Where an answer is expected, such a 400 is told as what it mostly is; any other status, or one nobody asked a certificate for, is not.
#[tokio::test]
async fn a_status_for_want_of_a_certificate_is_told_as_such_where_an_answer_is_expected() {
    let folder = tempfile::tempdir().unwrap();
    let root = Authority::new("root");
    let ca = root.write(folder.path());
    let module = module(&format!("{{prober: http, timeout: 5s, http: {{tls_config: {{ca_file: {}}}}}}}", ca.display()));
    let service = root.issue(&["127.0.0.1"], YEARS);
    for (status, asked, told) in [(400, true, true), (496, true, true), (400, false, false), (403, true, false)] {
        let acceptor = if asked { service.asking_acceptor(&root) } else { service.acceptor(&[], None) };
        let target = serve_tls(acceptor, move |_| answer(status, "", "")).await;
        let run = run(&module, &format!("https://{}/", target.address)).await;
        let (reason, detail) = failure(&run);
        assert_eq!(reason, Reason::Status, "{detail}");
        assert_eq!(detail.contains("a client certificate was asked for"), told, "{status} {asked}: {detail}");
    }
}

#[tokio::test]
async fn statuses_refuse_let_in_or_say_nothing() {
    let service = serve(|request| {
        let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
        match path.as_str() {
            "/401" => answer(401, "WWW-Authenticate: Basic\r\n", ""),
            "/302" => answer(302, "Location: /open\r\n", ""),
            "/open" => answer(200, "", "<h1>Welcome</h1>"),
            "/login" => answer(200, "", "<input name=\"password\">"),
            status => answer(status[1..].parse().unwrap(), "", ""),
        }
    })
    .await;
    let of = async |options: &str, path: &str| probe(options, &service.url(path)).await;
    for path in ["/401", "/403"] {
        refused(&of("", path).await);
    }
    for path in ["/open", "/login", "/204"] {
        let_in(&of("", path).await, "status 2");
    }
    // Not where it leads to either: what counts is what the page itself says.
    for path in ["/302", "/404", "/429", "/500", "/503"] {
        let run = of("", path).await;
        unknown(&run, Reason::Status);
        assert!(failure(&run).1.contains("neither let in nor refused"), "{:?}", run.failure);
    }
    refused(&of("valid_status_codes: [302]", "/302").await);
    unknown(&of("valid_status_codes: [302]", "/401").await, Reason::Status);
    let form = "valid_status_codes: [200], fail_if_body_not_matches_regexp: ['name=\"password\"']";
    refused(&of(form, "/login").await);
    let_in(&of(form, "/open").await, "the body does not match");
    unknown(&of(form, "/503").await, Reason::Status);
    unknown(&probe("", &format!("http://{}/", closed())).await, Reason::Refused);
    assert_eq!(value(&run(&module("{prober: http}"), &service.url("/open")).await, Metric::AccessOpen), None);
}

#[tokio::test]
async fn the_page_and_the_command_say_open_and_refused() {
    let service =
        serve(|request| if request.contains("/open") { answer(200, "", "") } else { answer(403, "", "") }).await;
    let (open, shut) = (service.url("/open"), service.url("/"));
    let config =
        SMALL.replace("modules: {", "modules: {bare: {prober: http, timeout: 5s, http: {expect: refused}}, ").replace(
            "probes: [",
            &format!("probes: [{{name: stranger, module: bare, targets: [\"{open}\", \"{shut}\"]}}, "),
        );
    let endpoint = Server::start(&config);
    for (target, lines) in
        [(&open, ["probe_access_open 1", "probe_success 0"]), (&shut, ["probe_access_open 0", "probe_success 1"])]
    {
        let answer = endpoint.get(&format!("/probe?module=bare&target={target}")).await;
        let text = answer.text();
        for line in lines {
            assert!(text.lines().any(|found| found == line), "{target}: no {line} in\n{text}");
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), "sla.yml", config);
    let output = tokio::task::spawn_blocking(move || {
        let program = env!("CARGO_BIN_EXE_sla-exporter");
        Command::new(program)
            .args(["probe", &format!("--config.file={}", path.display()), "stranger"])
            .output()
            .unwrap()
    })
    .await
    .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(1), "one of two is open: {text}");
    for part in ["refused: status 403", "probe_access_open", "expected_failure", "must be refused"] {
        assert!(text.contains(part), "no {part} in\n{text}");
    }
}
