//! What fails an `http_flow` probe; the message names the step.

use sla_exporter::probe::Reason;

use super::peers::{Peer, after_request, listen, wants_certificate};
use super::{Case, case, check};
use crate::support::http::{answer, serve};
use crate::support::postgres::{PASSWORD, Postgres};

/// A flow of one step.
fn step(text: &str) -> String {
    format!("{{steps: [{{name: only, {text}}}]}}")
}

/// The target's first page, and what is expected of it.
fn get(expect: &str) -> String {
    step(&format!("request: {{url: /}}, expect: {{{expect}}}"))
}

pub(super) async fn provoke() {
    let mut cases = of_requests().await;
    cases.extend(of_answers().await);
    cases.extend(of_texts_and_databases().await);
    check("http_flow", &cases).await;
}

async fn of_requests() -> Vec<Case> {
    let url = |address: String| format!("http://{address}/");
    let https = |address: String| format!("https://{address}/");
    let slow = after_request(|stream| async move {
        std::future::pending::<()>().await;
        drop(stream);
    })
    .await;
    let slow = url(slow);
    vec![
        case(Reason::Dns, &["step only", "no-such-host.invalid"], get(""), "http://no-such-host.invalid/"),
        case(Reason::Refused, &["step only", "refused"], get(""), url(listen(Peer::Gone).await)),
        case(
            Reason::Connect,
            &["step only", "192.0.2.1"],
            format!("{{source_ip_address: 192.0.2.1, {}", &get("")[1..]),
            url(listen(Peer::Says(b"")).await),
        ),
        case(Reason::Reset, &["step only"], get(""), url(listen(Peer::Says(b"")).await)),
        case(Reason::Tls, &["step only", "does not speak TLS"], get(""), https(listen(Peer::Says(b"220 a\r\n")).await)),
        case(
            Reason::ClientCertificate,
            &["step only", "asks for a client certificate"],
            get(""),
            https(wants_certificate().await),
        ),
        case(Reason::Certificate, &["step only", "issuer"], get(""), https(listen(Peer::Tls(b"")).await)),
        case(Reason::Protocol, &["step only", "not HTTP"], get(""), url(listen(Peer::Says(b"SSH-2.0-a\r\n")).await)),
        case(Reason::Timeout, &["step only", "while waiting for the response"], get(""), slow.clone()),
        case(Reason::Timeout, &["step only", "200ms"], step("timeout: 200ms, request: {url: /}"), slow),
    ]
}

async fn of_answers() -> Vec<Case> {
    let shop = serve(|request| {
        let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
        match path.as_str() {
            "/gone" => answer(404, "", ""),
            "/moved" => answer(302, "Location: /elsewhere\r\n", ""),
            "/loop" => answer(302, "Location: /loop\r\n", ""),
            "/large" => answer(200, "", &"x".repeat(4096)),
            _ => answer(200, "X-Node: a\r\n", "<h1>hello</h1>"),
        }
    })
    .await
    .url("/");
    let of = |path: &str, more: &str| step(&format!("request: {{url: {path}}}{more}"));
    vec![
        case(Reason::Status, &["step only: status 404; expected 2xx"], of("/gone", ""), &shop),
        case(
            Reason::Redirect,
            &["step only", "/elsewhere", "app"],
            of("/moved", ", expect: {redirect: '/app$'}"),
            &shop,
        ),
        case(Reason::Redirect, &["step only", "more than 10 redirects"], of("/loop", ""), &shop),
        case(
            Reason::Header,
            &["step only", "x-none"],
            of("/", ", expect: {checks: [{header: X-None, contains: a}]}"),
            &shop,
        ),
        case(Reason::Header, &["step only", "session"], of("/", ", capture: {s: {cookie: session}}"), &shop),
        case(
            Reason::Body,
            &["step only", "h1", "Welcome"],
            of("/", ", expect: {checks: [{css: h1, contains: Welcome}]}"),
            &shop,
        ),
        case(Reason::Body, &["step only", "JSON"], of("/", ", expect: {checks: [{json: $.a}]}"), &shop),
        case(
            Reason::TooLarge,
            &["step only", "body_size_limit"],
            format!("{{body_size_limit: 1KB, {}", &of("/large", "")[1..]),
            shop,
        ),
    ]
}

async fn of_texts_and_databases() -> Vec<Case> {
    let found = serve(|_| answer(200, "", "")).await.url("/");
    let database = Postgres::shared();
    let query = |password: &str, query: &str| {
        let (port, file) = (database.port, database.password_file(password));
        step(&format!(
            "postgres: {{target: '127.0.0.1:{port}', user: monitor, dbname: postgres, password_file: {}, query: {query}}}, \
             expect: {{checks: [{{value: true, above: 1}}]}}",
            file.display()
        ))
    };
    let long = "x".repeat(100_000);
    let far = format!(
        "{{variables: {{v: {long}}}, {}",
        &step(&format!("request: {{url: /, body: '{}'}}", "{{v}}".repeat(11)))[1..]
    );
    vec![
        case(Reason::Permission, &["step only", "28P01"], query("wrong", "SELECT 2"), &found),
        case(Reason::Query, &["step only", "is 1; expected above 1"], query(PASSWORD, "SELECT 1"), &found),
        case(Reason::Internal, &["step only", "1048576 bytes"], far, found),
    ]
}
