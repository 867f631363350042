//! Tokens for the target: fetched once for many, kept, renewed, and every way in which there is none.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use base64::Engine as _;
use sla_exporter::probe::{Budget, Metric, Module, Reason, Run, Shared, run_traced};
use tokio::time::Instant;

use crate::support::certs::Certs;
use crate::support::http::{Server, answer, serve, serve_tls};
use crate::support::{self, failure, module, run, succeeded, value};

/// A token endpoint that answers with `body` as JSON.
async fn tokens(status: u16, body: &str) -> Server {
    let bytes = answer(status, "Content-Type: application/json\r\n", body);
    serve(move |_| bytes.clone()).await
}

/// A token endpoint with tokens `t0`, `t1`, …, good for so many seconds.
async fn counted(expires: u64) -> Server {
    let number = AtomicUsize::new(0);
    serve(move |_| {
        let number = number.fetch_add(1, Ordering::Relaxed);
        let body = format!(r#"{{"access_token": "t{number}", "token_type": "Bearer", "expires_in": {expires}}}"#);
        answer(200, "Content-Type: application/json\r\n", &body)
    })
    .await
}

/// A target that takes any token but those in `refused`.
async fn target(refused: &'static [&'static str]) -> Server {
    serve(move |request| {
        let token = request.split_once("authorization: Bearer ").and_then(|(_, rest)| rest.split("\r\n").next());
        answer(token.map_or(401, |token| if refused.contains(&token) { 401 } else { 200 }), "", "")
    })
    .await
}

/// `client` keeps the tests' tokens apart: sections that agree share them.
fn section(url: &str, client: &str, more: &str) -> String {
    format!("{{prober: http, timeout: 5s, http: {{oauth2: {{client_id: {client}, token_url: '{url}'{more}}}}}}}")
}

fn shown(server: &Server) -> Vec<String> {
    let token = |request: &String| {
        request.lines().find_map(|line| line.strip_prefix("authorization: ")).unwrap_or_default().to_owned()
    };
    server.requests().iter().map(token).collect()
}

#[track_caller]
fn check_fails(run: &Run, reason: Reason, part: &str) {
    let (found, detail) = failure(run);
    assert_eq!(found, reason, "{detail}");
    assert!(detail.contains(part), "{detail}");
    assert!(!detail.contains("s3cret"), "{detail}");
}

#[tokio::test]
async fn a_token_is_fetched_with_the_clients_credentials_and_shown_to_the_target() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secret");
    std::fs::write(&file, "s3cret\n").unwrap();
    let (endpoint, target) = (counted(3600).await, target(&[]).await);
    let more = format!(", client_secret_file: {}, scopes: [a, b], endpoint_params: {{audience: x}}", file.display());
    let module = module(&section(&endpoint.url("/token?tenant=1"), "first", &more));
    assert!(module.sends_credentials());
    for _ in 0..3 {
        succeeded(&run(&module, &target.url("/")).await);
    }
    assert_eq!(shown(&target), ["Bearer t0", "Bearer t0", "Bearer t0"]);
    let requests = endpoint.requests();
    assert_eq!(requests.len(), 1, "it is kept");
    let request = &requests[0];
    assert!(request.starts_with("POST /token?tenant=1 HTTP/1.1\r\n"), "{request}");
    let pair = base64::engine::general_purpose::STANDARD.encode("first:s3cret");
    for part in [&format!("authorization: Basic {pair}\r\n"), "content-type: application/x-www-form-urlencoded\r\n"] {
        assert!(request.contains(part), "{request}");
    }
    assert!(request.ends_with("\r\n\r\ngrant_type=client_credentials&scope=a+b&audience=x"), "{request}");
    // What is measured is the target alone.
    let run = run(&module, &target.url("/")).await;
    assert_eq!(value(&run, Metric::HttpStatusCode), Some(200.0));
    assert_eq!(value(&run, Metric::HttpRedirects), Some(0.0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_probes_at_once_fetch_one_token() {
    let (endpoint, target) = (counted(3600).await, target(&[]).await);
    let yaml = section(&endpoint.url("/"), "many", "");
    // Two modules, as after a reload, and with two names.
    let modules = [module(&yaml), module(&yaml)];
    let runs: Vec<_> = (0..20)
        .map(|number| {
            let (module, url) = (Arc::clone(&modules[number % 2]), target.url("/"));
            tokio::spawn(async move { run(&module, &url).await })
        })
        .collect();
    for one in runs {
        succeeded(&one.await.unwrap());
    }
    assert_eq!(endpoint.requests().len(), 1);
    // A reload: the new module is there before the old one goes.
    let [one, other] = modules;
    drop(one);
    let reloaded = module(&yaml);
    drop(other);
    succeeded(&run(&reloaded, &target.url("/")).await);
    assert_eq!(endpoint.requests().len(), 1, "the token is kept over a reload");
}

#[tokio::test]
async fn a_token_that_ends_soon_is_fetched_for_each_run() {
    let (endpoint, target) = (counted(5).await, target(&[]).await);
    let module = module(&section(&endpoint.url("/"), "soon", ""));
    for _ in 0..2 {
        succeeded(&run(&module, &target.url("/")).await);
    }
    assert_eq!(shown(&target), ["Bearer t0", "Bearer t1"]);
}

/// The target began anew and knows no token of before: that is no downtime.
#[tokio::test]
async fn a_token_that_is_no_longer_taken_is_replaced_within_the_run() {
    static REFUSED: AtomicUsize = AtomicUsize::new(0);
    let endpoint = counted(3600).await;
    let target = serve(|request| {
        let withdrawn = REFUSED.load(Ordering::Relaxed) > 0 && request.contains("Bearer t0");
        answer(if withdrawn { 401 } else { 200 }, "", "")
    })
    .await;
    let module = module(&section(&endpoint.url("/"), "withdrawn", ""));
    succeeded(&run(&module, &target.url("/")).await);
    REFUSED.store(1, Ordering::Relaxed);
    let again = run(&module, &target.url("/")).await;
    succeeded(&again);
    assert_eq!(value(&again, Metric::HttpStatusCode), Some(200.0));
    assert_eq!(shown(&target), ["Bearer t0", "Bearer t0", "Bearer t1"]);
}

/// One that is new and not taken is the target's answer: nothing is tried without end.
#[tokio::test]
async fn a_new_token_that_is_not_taken_fails_once() {
    let (endpoint, target) = (counted(3600).await, target(&["t0", "t1", "t2"]).await);
    let module = module(&section(&endpoint.url("/"), "untaken", ""));
    for expected in 1..=2 {
        check_fails(&run(&module, &target.url("/")).await, Reason::Status, "status 401");
        assert_eq!((endpoint.requests().len(), target.requests().len()), (expected, expected));
    }
}

#[tokio::test]
async fn a_changed_secret_fetches_another_token_and_an_unreadable_one_none() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secret");
    std::fs::write(&file, "s3cret-1").unwrap();
    let (endpoint, target) = (counted(3600).await, target(&[]).await);
    let module = module(&section(&endpoint.url("/"), "changed", &format!(", client_secret_file: {}", file.display())));
    succeeded(&run(&module, &target.url("/")).await);
    std::fs::write(&file, "s3cret-2").unwrap();
    succeeded(&run(&module, &target.url("/")).await);
    assert_eq!(shown(&target), ["Bearer t0", "Bearer t1"]);
    std::fs::remove_file(&file).unwrap();
    check_fails(&run(&module, &target.url("/")).await, Reason::Permission, "cannot read secret file");
    assert_eq!((endpoint.requests().len(), target.requests().len()), (2, 2));
}

#[tokio::test]
async fn a_server_that_wants_the_secret_in_the_form_is_given_it_there() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secret");
    std::fs::write(&file, "s3cret").unwrap();
    let endpoint = serve(|request| {
        let good = request.contains("client_secret=s3cret") && !request.contains("authorization: ");
        let body = if good { r#"{"access_token": "t"}"# } else { r#"{"error": "invalid_client"}"# };
        answer(if good { 200 } else { 401 }, "Content-Type: application/json\r\n", body)
    })
    .await;
    let target = target(&[]).await;
    let more = |scope: &str| format!(", client_secret_file: {}, scopes: [{scope}]", file.display());
    let module = module(&section(&endpoint.url("/"), "in-form", &more("a")));
    succeeded(&run(&module, &target.url("/")).await);
    assert_eq!(endpoint.requests().len(), 2, "first as every server must know it, then in the form");
    std::fs::write(&file, "wrong").unwrap();
    check_fails(&run(&module, &target.url("/")).await, Reason::Permission, "status 401 `invalid_client`");
    assert_eq!(endpoint.requests().len(), 3, "it is remembered how");
}

#[tokio::test]
async fn without_a_token_the_reason_says_why_and_the_target_is_not_asked() {
    let target = target(&[]).await;
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let huge = format!(r#"{{"access_token": "{}"}}"#, "x".repeat(2 << 20));
    let redirects = serve(|_| answer(302, "Location: http://127.0.0.1:1/\r\n", "")).await;
    let noise = serve(|_| b"SSH-2.0-x\r\n\r\n".to_vec()).await;
    let cut = serve(|_| b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{".to_vec()).await;
    let mut cases = vec![
        (format!("http://127.0.0.1:{closed}/"), Reason::Refused, "no token from http://127.0.0.1:".to_owned()),
        ("http://login.invalid/token".to_owned(), Reason::Dns, "no token from http://login.invalid/token: ".to_owned()),
        (redirects.url("/"), Reason::Status, "status 302".to_owned()),
        (noise.url("/"), Reason::Protocol, "not HTTP".to_owned()),
        (cut.url("/"), Reason::Reset, "read the answer".to_owned()),
    ];
    let mut servers = vec![redirects, noise, cut];
    for (status, body, reason, part) in [
        (200, huge.as_str(), Reason::TooLarge, "more than"),
        (200, "<html>login</html>", Reason::Protocol, "neither a JSON object nor a form"),
        (200, "{}", Reason::Protocol, "without `access_token`"),
        (
            401,
            r#"{"error": "invalid_client", "error_description": "who?"}"#,
            Reason::Permission,
            "`invalid_client`: who?",
        ),
        (503, "", Reason::Status, "status 503"),
    ] {
        let server = tokens(status, body).await;
        cases.push((server.url("/?code=s3cret"), reason, part.to_owned()));
        servers.push(server);
    }
    for (number, (url, reason, part)) in cases.iter().enumerate() {
        let module = module_with_warnings(&section(url, &format!("none-{number}"), ""));
        let run = run(&module, &target.url("/")).await;
        check_fails(&run, *reason, part);
        assert_eq!(value(&run, Metric::HttpStatusCode), Some(0.0), "{url}");
    }
    assert!(target.requests().is_empty());
}

/// As [`module`], whatever is warned of: some of these URLs are without TLS.
fn module_with_warnings(yaml: &str) -> Arc<Module> {
    use sla_exporter::config::{decode::Cursor, diagnostics::Document, node};
    let doc = Document::new(std::path::Path::new("sla.yml"));
    let tree = node::parse(yaml).unwrap();
    Arc::new(sla_exporter::probe::decode_module("test", &Cursor::root(&doc, &tree)).unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_endpoint_that_says_nothing_is_given_up_in_time_and_asked_by_one_probe_at_a_time() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    let address = support::server(move |mut stream| {
        counted.fetch_add(1, Ordering::SeqCst);
        async move {
            let _ = tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut Vec::new()).await;
        }
    })
    .await;
    let target = target(&[]).await;
    let yaml = section(&format!("http://{address}/token"), "silent", "").replace("timeout: 5s", "timeout: 1s");
    let module = module(&yaml);
    let began = Instant::now();
    let runs: Vec<_> = (0..5)
        .map(|_| {
            let (module, url) = (Arc::clone(&module), target.url("/"));
            tokio::spawn(async move { run(&module, &url).await })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(asked.load(Ordering::SeqCst) <= 1, "the others wait");
    for one in runs {
        check_fails(&one.await.unwrap(), Reason::Timeout, &format!("from http://{address}/token"));
    }
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
    assert!(target.requests().is_empty());
}

#[tokio::test]
async fn a_failure_is_shared_by_those_who_waited_for_it() {
    let endpoint = serve(|_| {
        std::thread::sleep(Duration::from_millis(200));
        answer(503, "", "")
    })
    .await;
    let target = target(&[]).await;
    let module = module(&section(&endpoint.url("/"), "shared-failure", ""));
    let url = target.url("/");
    let runs = futures_util::future::join_all((0..10).map(|_| run(&module, &url))).await;
    for run in &runs {
        check_fails(run, Reason::Status, "status 503");
    }
    assert_eq!(endpoint.requests().len(), 1);
    check_fails(&run(&module, &url).await, Reason::Status, "status 503");
    assert_eq!(endpoint.requests().len(), 2, "who comes later tries again");
}

#[tokio::test]
async fn the_endpoint_is_verified_and_may_be_behind_a_proxy() {
    let certs = Certs::of(&["localhost"]);
    let endpoint = serve_tls(certs.acceptor(), |_| {
        answer(200, "Content-Type: application/json\r\n", r#"{"access_token": "tls"}"#)
    })
    .await;
    let target = target(&[]).await;
    let url = format!("https://localhost:{}/", endpoint.address.rsplit_once(':').unwrap().1);
    let trusted = format!(", tls_config: {{ca_file: {}}}", certs.ca_file().display());
    succeeded(&run(&module(&section(&url, "trusted", &trusted)), &target.url("/")).await);
    check_fails(
        &run(&module(&section(&url, "untrusted", "")), &target.url("/")).await,
        Reason::Certificate,
        "no token",
    );
    // The proxy is asked for the whole URL, and the target is not asked through it.
    let proxy = tokens(200, r#"{"access_token": "proxied"}"#).await;
    let through = format!(", proxy_url: 'http://{}'", proxy.address);
    let module = module_with_warnings(&section("http://only.the.proxy.invalid/token", "proxied", &through));
    succeeded(&run(&module, &target.url("/")).await);
    assert!(proxy.requests()[0].starts_with("POST http://only.the.proxy.invalid/token HTTP/1.1\r\n"));
    assert_eq!(shown(&target), ["Bearer tls", "Bearer proxied"]);
}

#[tokio::test]
async fn a_token_is_not_shown_to_where_the_target_redirects() {
    let (endpoint, other) = (counted(3600).await, target(&[]).await);
    let elsewhere = other.url("/");
    let target = serve(move |_| answer(302, &format!("Location: {elsewhere}\r\n"), "")).await;
    let module = module(&section(&endpoint.url("/"), "redirected", ""));
    check_fails(&run(&module, &target.url("/")).await, Reason::Status, "status 401");
    assert_eq!((shown(&target), shown(&other)), (vec!["Bearer t0".to_owned()], vec![String::new()]));
}

#[tokio::test]
async fn a_person_is_told_of_the_token_and_never_shown_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secret");
    std::fs::write(&file, "s3cret").unwrap();
    let (endpoint, target) = (counted(3600).await, target(&[]).await);
    let more = format!(", client_secret_file: {}", file.display());
    let module = module(&section(&endpoint.url("/token"), "told", &more));
    let budget = Budget { timeout: Duration::from_secs(5), attempts: 1, spare: Duration::ZERO };
    let mut told = Vec::new();
    for _ in 0..2 {
        let (run, trace) = run_traced(&module, &target.url("/"), None, budget, &Shared::new()).await;
        succeeded(&run);
        told.push(trace.steps().iter().map(|step| step.what.clone()).collect::<Vec<_>>().join("\n"));
    }
    let place = endpoint.url("/token");
    assert!(told[0].contains(&format!("fetching a token from {place}\na token that is good for 3600 s")), "{told:?}");
    assert!(told[1].contains(&format!("a token from {place} is at hand")), "{told:?}");
    let pair = base64::engine::general_purpose::STANDARD.encode("told:s3cret");
    let all = format!("{told:?}{module:?}{}", module.source);
    assert!(!all.contains("s3cret") && !all.contains(&pair) && !all.contains("t0"), "{all}");
}
