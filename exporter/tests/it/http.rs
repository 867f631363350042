//! The `http` prober, option by option, against servers written in bytes and (for HTTP/2) hyper.

use std::convert::Infallible;
use std::io::Write as _;
use std::path::Path;

use bytes::Bytes;
use http_body_util::Full;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use sla_exporter::config::decode::Cursor;
use sla_exporter::config::diagnostics::Document;
use sla_exporter::config::node;
use sla_exporter::probe::{self, Extra, Metric, Reason, Run};

use crate::support::http::{Server, answer, serve, serve_tls};
use crate::support::pki::Authority;
use crate::support::{self, failure, module, run, succeeded, value};

async fn probe(http: &str, target: &str) -> Run {
    run(&module(&format!("{{prober: http, timeout: 5s, http: {http}}}")), target).await
}

async fn fixed(bytes: Vec<u8>) -> Server {
    serve(move |_| bytes.clone()).await
}

#[track_caller]
fn check_fails(run: &Run, reason: Reason, part: &str) {
    let (found, detail) = failure(run);
    assert_eq!(found, reason, "{detail}");
    assert!(detail.contains(part), "{detail}");
}

fn phase(run: &Run, name: &str) -> Option<f64> {
    let wanted = |s: &&probe::Sample| matches!(s.extra, Extra::Phase(phase) if phase == name);
    run.samples.iter().filter(|s| s.metric == Metric::HttpDuration).find(wanted).map(|s| s.value)
}

/// What is wrong with a section `http`, all of it.
fn findings(http: &str) -> String {
    let doc = Document::new(Path::new("sla.yml"));
    let tree = node::parse(&format!("{{prober: http, http: {http}}}")).unwrap();
    probe::decode_module("test", &Cursor::root(&doc, &tree));
    let (findings, _) = doc.into_parts();
    findings.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn a_plain_answer_shows_what_blackbox_exporter_shows() {
    let server = fixed(answer(200, "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n", "hello")).await;
    let run = probe("{}", &server.url("/health?deep=1")).await;
    succeeded(&run);
    for (metric, expected) in [
        (Metric::HttpStatusCode, Some(200.0)),
        (Metric::HttpContentLength, Some(5.0)),
        (Metric::HttpUncompressedBodyLength, Some(5.0)),
        (Metric::HttpRedirects, Some(0.0)),
        (Metric::HttpSsl, Some(0.0)),
        (Metric::HttpVersion, Some(1.1)),
        (Metric::HttpLastModified, Some(784_111_777.0)),
        (Metric::IpProtocol, Some(4.0)),
        (Metric::FailedDueToRegex, None),
        (Metric::SslEarliestCertExpiry, None),
    ] {
        assert_eq!(value(&run, metric), expected, "{}", metric.name());
    }
    for name in ["resolve", "connect", "processing", "transfer"] {
        assert!(phase(&run, name).unwrap() > 0.0, "{name}");
    }
    assert_eq!(phase(&run, "tls"), Some(0.0));
    let request = &server.requests()[0];
    assert!(request.starts_with("GET /health?deep=1 HTTP/1.1\r\n"), "{request}");
    assert!(request.contains(&format!("host: {}\r\n", server.address)), "{request}");
    assert!(request.contains("user-agent: sla-exporter/"), "{request}");
    assert!(request.contains("connection: close\r\n"), "{request}");
}

#[tokio::test]
async fn a_target_without_a_scheme_is_http() {
    let server = fixed(answer(200, "", "")).await;
    succeeded(&probe("{}", &server.address).await);
}

#[tokio::test]
async fn answers_without_a_length_are_read_to_their_end() {
    let to_the_end = fixed(b"HTTP/1.0 200 OK\r\n\r\nuntil the end".to_vec()).await;
    let run = probe("{}", &to_the_end.url("/")).await;
    succeeded(&run);
    assert_eq!(value(&run, Metric::HttpVersion), Some(1.0));
    assert_eq!(value(&run, Metric::HttpContentLength), Some(-1.0));
    assert_eq!(value(&run, Metric::HttpUncompressedBodyLength), Some(13.0));
    let chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n".to_vec();
    let run = probe("{}", &fixed(chunked).await.url("/")).await;
    succeeded(&run);
    assert_eq!(value(&run, Metric::HttpUncompressedBodyLength), Some(7.0));
}

#[tokio::test]
async fn two_hundreds_are_valid_unless_codes_are_given() {
    for (http, status, good) in [
        ("{}", 200, true),
        ("{}", 299, true),
        ("{}", 300, false),
        ("{}", 404, false),
        ("{}", 500, false),
        ("{valid_status_codes: [404]}", 404, true),
        ("{valid_status_codes: [204, 404]}", 200, false),
    ] {
        let run = probe(http, &fixed(answer(status, "", "")).await.url("/")).await;
        assert_eq!(value(&run, Metric::HttpStatusCode), Some(f64::from(status)));
        if good {
            succeeded(&run);
        } else {
            check_fails(&run, Reason::Status, &format!("status {status}; expected"));
        }
    }
}

#[tokio::test]
async fn method_headers_and_body_are_sent_as_configured() {
    let server = fixed(answer(200, "", "")).await;
    let http = "{method: post, headers: {Host: a.example, Accept-Language: ja, User-Agent: mine}, body: '{\"a\": 1}'}";
    succeeded(&probe(http, &server.url("/api")).await);
    let request = &server.requests()[0];
    assert!(request.starts_with("POST /api HTTP/1.1\r\n"), "{request}");
    for part in ["host: a.example\r\n", "accept-language: ja\r\n", "user-agent: mine\r\n", "content-length: 8\r\n"] {
        assert!(request.contains(part), "{part} in {request}");
    }
    assert!(request.ends_with("\r\n\r\n{\"a\": 1}"), "{request}");
}

#[tokio::test]
async fn a_body_comes_from_a_file_too() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("body");
    std::fs::write(&file, "from the file").unwrap();
    let server = fixed(answer(200, "", "")).await;
    succeeded(&probe(&format!("{{method: PUT, body_file: {}}}", file.display()), &server.url("/")).await);
    assert!(server.requests()[0].ends_with("\r\n\r\nfrom the file"));
}

#[tokio::test]
async fn a_head_has_no_body_to_wait_for() {
    let server = fixed(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n".to_vec()).await;
    let run = probe("{method: HEAD}", &server.url("/")).await;
    succeeded(&run);
    assert_eq!(value(&run, Metric::HttpContentLength), Some(1000.0));
    assert_eq!(value(&run, Metric::HttpUncompressedBodyLength), Some(0.0));
}

#[tokio::test]
async fn body_assertions_match_bytes() {
    let page = || answer(200, "", "Status: OK\nline two");
    for (http, reason) in [
        ("{fail_if_body_matches_regexp: [error, 'Fail']}", None),
        ("{fail_if_body_matches_regexp: [nothing, 'Status: (OK|UP)']}", Some(Reason::Body)),
        ("{fail_if_body_not_matches_regexp: ['^Status', 'two$']}", None),
        ("{fail_if_body_not_matches_regexp: ['Status', '^line']}", Some(Reason::Body)),
    ] {
        let run = probe(http, &fixed(page()).await.url("/")).await;
        assert_eq!(run.failure.as_ref().map(|f| f.reason), reason, "{http}: {:?}", run.failure);
        let by_regex = if reason.is_some() { 1.0 } else { 0.0 };
        assert_eq!(value(&run, Metric::FailedDueToRegex), Some(by_regex), "{http}");
    }
    let binary = [b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n".as_slice(), &[0xff, 0xfe, b'o', b'k']].concat();
    succeeded(&probe("{fail_if_body_not_matches_regexp: [ok]}", &fixed(binary).await.url("/")).await);
}

#[tokio::test]
async fn a_large_body_is_searched_to_its_end() {
    let body = format!("{}needle", "hay ".repeat(50_000));
    let server = fixed(answer(200, "", &body)).await;
    succeeded(&probe("{fail_if_body_not_matches_regexp: ['needle$']}", &server.url("/")).await);
    check_fails(&probe("{fail_if_body_matches_regexp: [needle]}", &server.url("/")).await, Reason::Body, "`needle`");
}

#[tokio::test]
async fn header_assertions_look_at_every_value() {
    let headers = "X-Node: a1\r\nX-Node: b2\r\n";
    for (http, part) in [
        ("{fail_if_header_matches: [{header: X-Node, regexp: '^b'}]}", Some("x-node matches")),
        ("{fail_if_header_matches: [{header: X-Node, regexp: '^c'}]}", None),
        ("{fail_if_header_matches: [{header: X-None, regexp: x}]}", Some("x-none is missing")),
        ("{fail_if_header_matches: [{header: X-None, regexp: x, allow_missing: true}]}", None),
        ("{fail_if_header_not_matches: [{header: X-Node, regexp: '^b'}]}", None),
        ("{fail_if_header_not_matches: [{header: X-Node, regexp: '^c'}]}", Some("x-node does not match")),
        ("{fail_if_header_not_matches: [{header: X-None, regexp: x}]}", Some("x-none is missing")),
        ("{fail_if_header_not_matches: [{header: X-None, regexp: x, allow_missing: true}]}", None),
    ] {
        let run = probe(http, &fixed(answer(200, headers, "")).await.url("/")).await;
        match part {
            None => succeeded(&run),
            Some(part) => check_fails(&run, Reason::Header, part),
        }
        assert_eq!(value(&run, Metric::FailedDueToRegex), Some(f64::from(u8::from(part.is_some()))), "{http}");
    }
}

/// C2.6.3, with the module as docs/modules/http.md shows it.
#[tokio::test]
async fn plain_http_must_redirect_to_https() {
    let page = std::fs::read_to_string("../docs/modules/http.md").unwrap();
    let shown = page.split("  redirect_to_https:\n").nth(1).unwrap().split("\n\n").next().unwrap();
    let module = module(shown);
    for (status, headers, wrong) in [
        (301, "Location: https://www.example.com/\r\n", None),
        (302, "Location: https://www.example.com/login?a=b\r\n", None),
        (307, "Location: https://www.example.com/\r\n", None),
        (308, "Location: https://www.example.com/\r\n", None),
        // The page itself without TLS, also where it says where it would rather be.
        (200, "Location: https://www.example.com/\r\n", Some((Reason::Status, "200"))),
        (503, "", Some((Reason::Status, "503"))),
        // To somewhere else without TLS: by name, by path, or in disguise.
        (301, "Location: http://www.example.com/https://\r\n", Some((Reason::Header, "location"))),
        (301, "Location: /login\r\n", Some((Reason::Header, "location"))),
        (301, "", Some((Reason::Header, "location"))),
    ] {
        let server = fixed(answer(status, headers, "")).await;
        let run = run(&module, &server.url("/")).await;
        match wrong {
            None => succeeded(&run),
            Some((reason, part)) => check_fails(&run, reason, part),
        }
    }
}

#[tokio::test]
async fn the_final_answer_must_come_with_or_without_tls() {
    let folder = tempfile::tempdir().unwrap();
    let root = Authority::new("root");
    let ca = root.write(folder.path());
    let acceptor = root.issue(&["127.0.0.1"], (2020, 2080)).acceptor(&[], None);
    let secure = serve_tls(acceptor, |_| answer(200, "", "")).await;
    let https = format!("https://{}/", secure.address);
    let plain = fixed(answer(302, &format!("Location: {https}\r\n"), "")).await;
    let bare = fixed(answer(200, "", "")).await;
    let tls = format!("tls_config: {{ca_file: {}}}", ca.display());

    check_fails(&probe(&format!("{{fail_if_ssl: true, {tls}}}"), &https).await, Reason::Tls, "fail_if_ssl");
    check_fails(&probe("{fail_if_not_ssl: true}", &bare.url("/")).await, Reason::Tls, "fail_if_not_ssl");
    succeeded(&probe("{fail_if_ssl: true}", &bare.url("/")).await);
    let run = probe(&format!("{{fail_if_not_ssl: true, {tls}}}"), &plain.url("/")).await;
    succeeded(&run);
    assert_eq!(value(&run, Metric::HttpSsl), Some(1.0));
    assert_eq!(value(&run, Metric::HttpRedirects), Some(1.0));
    assert!(phase(&run, "tls").unwrap() > 0.0);
}

#[tokio::test]
async fn versions_are_asserted() {
    let server = fixed(answer(200, "", "")).await;
    succeeded(&probe("{valid_http_versions: ['HTTP/1.1', 'HTTP/2.0']}", &server.url("/")).await);
    check_fails(
        &probe("{valid_http_versions: ['HTTP/2.0']}", &server.url("/")).await,
        Reason::Protocol,
        "answered in HTTP/1.1",
    );
}

// --- redirects

#[tokio::test]
async fn a_redirect_is_followed_with_the_method_its_status_demands() {
    for (status, method, body) in
        [(301, "GET", ""), (302, "GET", ""), (303, "GET", ""), (307, "POST", "the body"), (308, "POST", "the body")]
    {
        let server = serve(move |request: &str| {
            if request.contains(" /first ") {
                answer(status, "Location: ../second?x=1\r\n", "moved")
            } else {
                answer(200, "", "here")
            }
        })
        .await;
        let run = probe("{method: POST, body: the body, headers: {Host: a.example}}", &server.url("/first")).await;
        succeeded(&run);
        assert_eq!(value(&run, Metric::HttpRedirects), Some(1.0));
        let second = &server.requests()[1];
        assert!(second.starts_with(&format!("{method} /second?x=1 HTTP/1.1")), "{status}: {second}");
        assert!(second.ends_with(&format!("\r\n\r\n{body}")), "{status}: {second}");
        // The same server is meant, by the name it was given.
        assert!(second.contains("host: a.example\r\n"), "{status}: {second}");
    }
}

#[tokio::test]
async fn a_redirect_is_the_answer_where_it_is_not_followed_or_leads_nowhere() {
    let server = fixed(answer(302, "Location: /elsewhere\r\n", "")).await;
    let run = probe("{follow_redirects: false}", &server.url("/")).await;
    check_fails(&run, Reason::Status, "status 302");
    succeeded(&probe("{follow_redirects: false, valid_status_codes: [302]}", &server.url("/")).await);
    assert_eq!(server.requests().len(), 2);
    check_fails(&probe("{}", &fixed(answer(302, "", "")).await.url("/")).await, Reason::Status, "status 302");
    for location in ["ftp://a.example/", "http://", "mailto:a@example.com"] {
        let server = fixed(answer(302, &format!("Location: {location}\r\n"), "")).await;
        check_fails(&probe("{}", &server.url("/")).await, Reason::Redirect, "Location");
    }
}

#[tokio::test]
async fn ten_redirects_are_followed_and_no_more() {
    let counting = |last: u32| {
        move |request: &str| {
            let n: u32 = request.split(['/', ' ']).nth(2).and_then(|n| n.parse().ok()).unwrap();
            if n == last { answer(200, "", "") } else { answer(302, &format!("Location: /{}\r\n", n + 1), "") }
        }
    };
    let run = probe("{}", &serve(counting(10)).await.url("/0")).await;
    succeeded(&run);
    assert_eq!(value(&run, Metric::HttpRedirects), Some(10.0));
    let run = probe("{}", &serve(counting(11)).await.url("/0")).await;
    check_fails(&run, Reason::Redirect, "more than 10 redirects");
}

#[tokio::test]
async fn credentials_do_not_follow_a_redirect_to_another_service() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("password");
    std::fs::write(&file, "geheim\n").unwrap();
    let other = fixed(answer(200, "", "")).await;
    let away = format!("Location: {}\r\n", other.url("/there"));
    let server = serve(move |request: &str| {
        if request.contains(" /away ") {
            answer(302, &away, "")
        } else if request.contains(" /stay ") {
            answer(302, "Location: /here\r\n", "")
        } else {
            answer(200, "", "")
        }
    })
    .await;
    let http = format!(
        "{{basic_auth: {{username: user, password_file: {0}}}, headers: {{Cookie: a=b, X-Api-Key: open, X-Other: c}},
          http_headers: {{X-Open: {{values: [d, e]}}, X-Key: {{files: [{0}]}}}}}}",
        file.display()
    );
    succeeded(&probe(&http, &server.url("/away")).await);
    succeeded(&probe(&http, &server.url("/stay")).await);
    for request in server.requests() {
        assert!(request.contains("authorization: Basic dXNlcjpnZWhlaW0=\r\n"), "{request}");
        assert!(request.contains("cookie: a=b\r\n") && request.contains("x-api-key: open\r\n"), "{request}");
        assert!(request.contains("x-key: geheim\r\n") && request.contains("x-open: e\r\n"), "{request}");
    }
    let request = &other.requests()[0];
    assert!(!request.contains("authorization") && !request.contains("cookie"), "{request}");
    assert!(!request.contains("geheim") && !request.contains("-key"), "{request}");
    assert!(request.contains("x-other: c") && request.contains("x-open: d\r\n"), "{request}");
}

#[tokio::test]
async fn a_cookie_that_is_set_breaks_the_loop_that_waits_for_it() {
    let server = serve(|request: &str| {
        if request.contains("cookie: seen=1\r\n") {
            answer(200, "", "welcome")
        } else {
            answer(302, "Location: /\r\nSet-Cookie: seen=1; Path=/; HttpOnly\r\n", "")
        }
    })
    .await;
    let run = probe("{}", &server.url("/")).await;
    succeeded(&run);
    assert_eq!(value(&run, Metric::HttpRedirects), Some(1.0));
    // The next run knows nothing of it.
    assert_eq!(value(&probe("{}", &server.url("/")).await, Metric::HttpRedirects), Some(1.0));
}

// --- credentials

#[tokio::test]
async fn secrets_are_read_from_their_files_at_each_run() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, "first\n").unwrap();
    for (http, first, second) in [
        (format!("{{bearer_token_file: {}}}", file.display()), "Bearer first", "Bearer second"),
        (format!("{{authorization: {{credentials_file: {}}}}}", file.display()), "Bearer first", "Bearer second"),
        (
            format!("{{authorization: {{type: Token, credentials_file: {}}}}}", file.display()),
            "Token first",
            "Token second",
        ),
        (format!("{{basic_auth: {{username_file: {}}}}}", file.display()), "Basic Zmlyc3Q6", "Basic c2Vjb25kOg=="),
    ] {
        std::fs::write(&file, "first\n").unwrap();
        let server = fixed(answer(200, "", "")).await;
        let module = module(&format!("{{prober: http, http: {http}}}"));
        succeeded(&run(&module, &server.url("/")).await);
        std::fs::write(&file, "second\n").unwrap();
        succeeded(&run(&module, &server.url("/")).await);
        for (request, expected) in server.requests().iter().zip([first, second]) {
            assert!(request.contains(&format!("authorization: {expected}\r\n")), "{request}");
        }
        assert!(!format!("{module:?}").contains("first"), "{module:?}");
    }
}

#[tokio::test]
async fn a_secret_that_cannot_be_read_fails_without_asking() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, "x").unwrap();
    let server = fixed(answer(200, "", "")).await;
    let module = module(&format!("{{prober: http, http: {{bearer_token_file: {}}}}}", file.display()));
    std::fs::write(&file, "two\nlines").unwrap();
    let shown = run(&module, &server.url("/")).await;
    check_fails(&shown, Reason::Permission, "line end");
    assert!(!failure(&shown).1.contains("two"));
    std::fs::remove_file(&file).unwrap();
    check_fails(&run(&module, &server.url("/")).await, Reason::Permission, "cannot read secret file");
    assert_eq!(server.requests().len(), 0);
}

// --- compression and limits

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(text).unwrap();
    let body = encoder.finish().unwrap();
    let head = format!("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n", body.len());
    [head.as_bytes(), &body].concat()
}

#[tokio::test]
async fn compressed_bodies_are_searched_as_text() {
    let server = fixed(gzip(&[b"x".repeat(1000), b"needle".to_vec()].concat())).await;
    let run = probe("{compression: gzip, fail_if_body_not_matches_regexp: [xneedle]}", &server.url("/")).await;
    succeeded(&run);
    assert_eq!(value(&run, Metric::HttpUncompressedBodyLength), Some(1006.0));
    assert!(value(&run, Metric::HttpContentLength).unwrap() < 100.0);
    assert!(server.requests()[0].contains("accept-encoding: gzip\r\n"));
    let plain = fixed(answer(200, "", "not compressed")).await;
    check_fails(&probe("{compression: gzip}", &plain.url("/")).await, Reason::Body, "not gzip");
}

#[tokio::test]
async fn the_body_limit_is_the_last_size_accepted() {
    let server = fixed(answer(200, "", &"x".repeat(1024))).await;
    succeeded(&probe("{body_size_limit: 1KB}", &server.url("/")).await);
    check_fails(&probe("{body_size_limit: 1023B}", &server.url("/")).await, Reason::TooLarge, "1023 bytes");
}

// --- HTTP/2

/// A server for HTTP/2 and HTTP/1.1 that tells what it was asked in its body.
async fn h2_server(root: &Authority, alpn: &'static [&'static str]) -> String {
    let acceptor = root.issue(&["127.0.0.1", "a.example"], (2020, 2080)).acceptor(alpn, None);
    support::server(move |stream| {
        let acceptor = acceptor.clone();
        async move {
            let Ok(stream) = acceptor.accept(stream).await else { return };
            let sni = stream.get_ref().1.server_name().unwrap_or("none").to_owned();
            let service = service_fn(move |request: Request<hyper::body::Incoming>| {
                let host = request.headers().get("host").and_then(|v| v.to_str().ok()).unwrap_or("none").to_owned();
                let authority = request.uri().authority().map_or(host, ToString::to_string);
                let text = format!("{} {} {authority} {sni}", request.method(), request.uri().path());
                async move { Ok::<_, Infallible>(Response::new(Full::new(Bytes::from(text)))) }
            });
            let _ = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new())
                .serve_connection(TokioIo::new(stream), service)
                .await;
        }
    })
    .await
}

#[tokio::test]
async fn http2_is_spoken_where_both_sides_do() {
    let folder = tempfile::tempdir().unwrap();
    let root = Authority::new("root");
    let tls = format!("tls_config: {{ca_file: {}}}", root.write(folder.path()).display());
    let address = h2_server(&root, &["h2", "http/1.1"]).await;
    let url = format!("https://{address}/path");
    for (http, version) in [("", 2.0), ("enable_http2: false, ", 1.1)] {
        let text = format!("^GET /path {address} none$");
        let http = format!("{{{http}{tls}, fail_if_body_not_matches_regexp: ['{text}']}}");
        let run = probe(&http, &url).await;
        succeeded(&run);
        assert_eq!(value(&run, Metric::HttpVersion), Some(version));
        assert_eq!(value(&run, Metric::HttpSsl), Some(1.0));
    }
    let old = h2_server(&root, &["http/1.1"]).await;
    let run = probe(&format!("{{{tls}}}"), &format!("https://{old}/")).await;
    succeeded(&run);
    assert_eq!(value(&run, Metric::HttpVersion), Some(1.1));
}

#[tokio::test]
async fn a_host_header_is_the_authority_and_the_name_in_tls() {
    let folder = tempfile::tempdir().unwrap();
    let root = Authority::new("root");
    let tls = format!("tls_config: {{ca_file: {}}}", root.write(folder.path()).display());
    let address = h2_server(&root, &["h2", "http/1.1"]).await;
    for http in ["", "enable_http2: false, "] {
        let text = "^POST / a.example a.example$";
        let http = format!(
            "{{{http}{tls}, method: POST, body: x, headers: {{host: a.example}}, fail_if_body_not_matches_regexp: ['{text}']}}"
        );
        succeeded(&probe(&http, &format!("https://{address}/")).await);
    }
}

// --- configuration

#[test]
fn the_default_configuration_is_without_findings() {
    assert_eq!(findings("{}"), "");
}

#[test]
fn every_option_that_is_not_supported_is_refused_by_name() {
    for (key, why) in [
        ("use_proxy_dns", "names are resolved here, or by the proxy"),
        ("enable_http3", "its library calls itself experimental"),
    ] {
        let text = findings(&format!("{{{key}: true}}"));
        assert!(text.contains(&format!("`{key}` is not supported: {why}")), "{text}");
    }
    assert_eq!(findings("{enable_http3: false}"), "");
}

#[test]
fn bad_values_are_refused_with_what_is_accepted() {
    for (http, part) in [
        ("{unknown: 1}", "unknown key `unknown`"),
        ("{valid_status_codes: [99]}", "a whole number from 100 to 999"),
        ("{valid_http_versions: ['HTTP/3']}", "accepted: HTTP/1.0, HTTP/1.1, HTTP/2.0"),
        ("{method: 'G ET'}", "not a method"),
        ("{preferred_ip_protocol: ip5}", "accepted: ip4, ip6"),
        ("{source_ip_address: here}", "not an IP address"),
        ("{body: a, body_file: b}", "not both"),
        ("{body_size_limit: 0B}", "never read without bound"),
        ("{body_size_limit: 2GB}", "never read without bound"),
        ("{compression: zstd}", "accepted: gzip, deflate, identity, br"),
        ("{fail_if_ssl: true, fail_if_not_ssl: true}", "always fail"),
        ("{fail_if_body_matches_regexp: ['(']}", "not a regular expression"),
        ("{fail_if_header_matches: [{header: A}]}", "`regexp` is missing"),
        ("{fail_if_header_matches: [{regexp: a}]}", "`header` is missing"),
        ("{headers: {'a b': c}}", "not a header's name"),
        ("{headers: {a: \"b\\nc\"}}", "a line end"),
        ("{headers: {Content-Length: 3}}", "belongs to the connection"),
        ("{headers: {Authorization: geheim}}", "credentials_file"),
        ("{basic_auth: {}}", "`username` is missing"),
        ("{basic_auth: {username: a, password: geheim}}", "password_file"),
        ("{basic_auth: {username: 'a:b'}}", "a colon"),
        ("{authorization: {}}", "`credentials_file` is missing"),
        ("{authorization: {type: Basic, credentials_file: /dev/null}}", "use `basic_auth`"),
        ("{bearer_token: geheim}", "bearer_token_file"),
        ("{basic_auth: {username: a}, authorization: {credentials_file: /dev/null}}", "not several"),
        ("{tls_config: {ca_file: /nonexistent/ca.pem}}", "cannot read /nonexistent/ca.pem"),
        ("{tls_config: {ca: nothing}}", "no certificate in PEM form"),
        ("{tls_config: {cert: nothing}}", "needs `key_file`"),
        ("{tls_config: {min_version: TLS13, max_version: TLS12}}", "above `max_version`"),
        ("{tls_config: {max_version: TLS11}}", "accepted: TLS12, TLS13"),
        ("{tls_config: {min_version: SSL3}}", "accepted: TLS10, TLS11, TLS12, TLS13"),
        ("{tls_config: {server_name: 'a b'}}", "not a host name"),
        ("{tls_config: {ca_ref: x}}", "`ca_ref` is not supported"),
    ] {
        let text = findings(http);
        assert!(text.contains(part), "{http}: {text}");
        assert!(!text.contains("geheim"), "{http}: {text}");
    }
}
