//! What fails an `http` probe. The ten faults that people meet most have cases of their own here: expired, wrong host, untrusted,
//! handshake failure, reset, slow header, slow body, gzip bomb, redirect loop, bad chunk.

use std::io::Write as _;
use std::path::Path;

use sla_exporter::probe::Reason;
use tempfile::TempDir;
use tokio::io::AsyncWriteExt as _;

use super::peers::{Peer, after_request, listen};
use super::{Case, case, check};
use crate::support::http::{Server, answer, serve, serve_tls};
use crate::support::pki::{Authority, Identity};

pub(super) async fn provoke() {
    let (_folder, cases) = cases().await;
    check("http", &cases).await;
}

/// The cases, and the files they need as long as they run.
pub(super) async fn cases() -> (TempDir, Vec<Case>) {
    let folder = tempfile::tempdir().unwrap();
    let mut cases = of_connections().await;
    cases.extend(of_certificates(folder.path()).await);
    cases.extend(of_answers().await);
    cases.extend(of_bodies().await);
    cases.extend(of_secrets(folder.path()).await);
    (folder, cases)
}

/// An address as a URL.
fn url(address: &str) -> String {
    format!("http://{address}/")
}

fn https(address: &str) -> String {
    format!("https://{address}/")
}

async fn says(bytes: Vec<u8>) -> Server {
    serve(move |_| bytes.clone()).await
}

async fn of_connections() -> Vec<Case> {
    let silent = listen(Peer::Stays(b"")).await;
    let resets_at_once = listen(Peer::Resets).await;
    let closes = after_request(|_| async {}).await;
    let in_the_body = after_request(|mut stream| async move {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart").await;
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        let _ = stream.set_zero_linger();
    })
    .await;
    let slow_head = after_request(|mut stream| async move {
        for byte in b"HTTP/1.1 200 OK\r\n\r\n" {
            let _ = stream.write_all(&[*byte]).await;
            tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        }
    })
    .await;
    let slow_body = after_request(|mut stream| async move {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n").await;
        while stream.write_all(b"x").await.is_ok() {
            tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        }
    })
    .await;
    vec![
        case(Reason::Dns, &["no-such-host.invalid"], "{}", url("no-such-host.invalid")),
        case(Reason::Refused, &["refused"], "{}", url(&listen(Peer::Gone).await)),
        case(Reason::Connect, &["192.0.2.1", "source_ip_address"], "{source_ip_address: 192.0.2.1}", url(&silent)),
        case(Reason::Reset, &[], "{}", url(&resets_at_once)),
        case(Reason::Reset, &[], "{}", url(&closes)),
        case(Reason::Reset, &[], "{}", url(&in_the_body)),
        case(Reason::Timeout, &["2s", "TLS handshake"], "{}", https(&silent)),
        case(Reason::Timeout, &["2s", "while waiting for the response"], "{}", url(&slow_head)),
        case(Reason::Timeout, &["2s", "while reading the body"], "{}", url(&slow_body)),
    ]
}

async fn of_certificates(folder: &Path) -> Vec<Case> {
    let root = Authority::new("root");
    let ca = root.write(folder);
    let trust = format!("{{tls_config: {{ca_file: {}}}}}", ca.display());
    let with = |more: &str| format!("{{tls_config: {{ca_file: {}}}, {more}}}", ca.display());
    const GOOD: (i32, i32) = (2020, 2080);
    let server = async |identity: &Identity| {
        https(&serve_tls(identity.acceptor(&["http/1.1"], None), |_| answer(200, "", "ok")).await.address)
    };
    let mine = root.issue(&["127.0.0.1"], GOOD);
    let good = server(&mine).await;
    let old = mine.acceptor_with(&[], None, &[&rustls::version::TLS12]);
    let old = https(&serve_tls(old, |_| answer(200, "", "ok")).await.address);
    let new = format!("{{tls_config: {{ca_file: {}, min_version: TLS13}}}}", ca.display());
    let demanding = https(&serve_tls(mine.acceptor(&[], Some(&root)), |_| answer(200, "", "ok")).await.address);
    vec![
        case(
            Reason::Certificate,
            &["expired since 2020-01-01T00:00:00Z"],
            &trust,
            server(&root.issue(&["127.0.0.1"], (2019, 2020))).await,
        ),
        case(
            Reason::Certificate,
            &["not valid before 2085-01-01T00:00:00Z"],
            &trust,
            server(&root.issue(&["127.0.0.1"], (2085, 2089))).await,
        ),
        case(
            Reason::Certificate,
            &["is for other.example, not for 127.0.0.1"],
            &trust,
            server(&root.issue(&["other.example"], GOOD)).await,
        ),
        case(Reason::Certificate, &["unknown issuer: `CN=root`"], "{}", good.clone()),
        case(Reason::Tls, &["HandshakeFailure"], "{}", https(&listen(Peer::Says(b"\x15\x03\x03\0\x02\x02\x28")).await)),
        case(Reason::Tls, &["does not speak TLS"], "{}", https(&listen(Peer::Says(b"220 mail\r\n")).await)),
        case(Reason::Tls, &["version"], new, old),
        case(Reason::ClientCertificate, &["asks for a client certificate"], &trust, demanding),
        case(Reason::Tls, &["fail_if_ssl"], with("fail_if_ssl: true"), good),
        case(Reason::Tls, &["fail_if_not_ssl"], "{fail_if_not_ssl: true}", says(answer(200, "", "")).await.url("/")),
    ]
}

async fn of_answers() -> Vec<Case> {
    let found = says(answer(200, "X-Node: a\r\n", "hello")).await.url("/");
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n";
    let endless = after_request(|mut stream| async move {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n").await;
        while stream.write_all(b"X-More: and more\r\n").await.is_ok() {}
    })
    .await;
    vec![
        case(Reason::Protocol, &["not HTTP"], "{}", url(&listen(Peer::Says(b"SSH-2.0-OpenSSH_9.2\r\n")).await)),
        case(Reason::Protocol, &["not in chunks"], "{}", says(chunked.into()).await.url("/")),
        case(Reason::Protocol, &["HTTP/1.1", "HTTP/2.0"], "{valid_http_versions: [HTTP/2.0]}", found.clone()),
        case(Reason::Status, &["status 503; expected"], "{}", says(answer(503, "", "")).await.url("/")),
        case(Reason::Header, &["x-node"], "{fail_if_header_matches: [{header: X-Node, regexp: a}]}", found.clone()),
        case(
            Reason::Header,
            &["x-none is missing"],
            "{fail_if_header_not_matches: [{header: X-None, regexp: a}]}",
            found,
        ),
        case(
            Reason::Redirect,
            &["more than 10 redirects"],
            "{}",
            says(answer(302, "Location: /\r\n", "")).await.url("/"),
        ),
        case(
            Reason::ExpectedFailure,
            &["let in", "status 200"],
            "{expect: refused}",
            says(answer(200, "", "")).await.url("/"),
        ),
        case(Reason::Redirect, &["ftp"], "{}", says(answer(302, "Location: ftp://a/\r\n", "")).await.url("/")),
        case(Reason::TooLarge, &["headers"], "{}", url(&endless)),
    ]
}

async fn of_bodies() -> Vec<Case> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(&vec![0; 32 << 20]).unwrap();
    let body = encoder.finish().unwrap();
    let head = format!("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n", body.len());
    let bomb = says([head.as_bytes(), &body].concat()).await.url("/");
    let huge = says(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n".to_vec()).await.url("/");
    let found = says(answer(200, "", "hello")).await.url("/");
    let lying = says(answer(200, "Content-Encoding: gzip\r\n", "hello")).await.url("/");
    vec![
        case(Reason::TooLarge, &["10485760", "body_size_limit"], "{compression: gzip}", bomb),
        case(Reason::TooLarge, &["body_size_limit"], "{}", huge),
        case(Reason::Body, &["`hell`"], "{fail_if_body_matches_regexp: [hell]}", found.clone()),
        case(Reason::Body, &["`up`"], "{fail_if_body_not_matches_regexp: [up]}", found.clone()),
        case(Reason::Body, &["JSON"], "{fail_if_body_json_not_matches_cel: 'body.a == 1.0'}", found),
        case(Reason::Body, &["gzip"], "{compression: gzip}", lying),
    ]
}

async fn of_secrets(folder: &Path) -> Vec<Case> {
    let found = says(answer(200, "", "hello")).await.url("/");
    let lines = folder.join("lines");
    std::fs::write(&lines, "a\nb").unwrap();
    let refusing = says(answer(401, "", r#"{"error": "invalid_client"}"#)).await.url("/token");
    vec![
        case(
            Reason::Permission,
            &["x-api-key", "line end"],
            format!("{{http_headers: {{X-Api-Key: {{files: [{}]}}}}}}", lines.display()),
            found.clone(),
        ),
        case(
            Reason::Permission,
            &["no token from"],
            format!("{{oauth2: {{client_id: of-reasons, token_url: '{refusing}'}}}}"),
            found,
        ),
    ]
}
