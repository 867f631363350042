//! The client of Prometheus' HTTP API and servers that are not as they should be.
//!
//! What it makes of good servers' data is tested with the real ones, in `tests/it/prometheus_api.rs`.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use sla_exporter::cli::PrometheusFlags;
use sla_exporter::prometheus_api::{Client, Error, ErrorKind, Sample, Settings};
use sla_exporter::secret::Secret;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::time::{Instant, sleep};

use crate::support::certs::Certs;
use crate::support::http::{Server, answer, read_request, serve, serve_tls};
use crate::support::server;

const PASSWORD: &str = "hunter2-secret";
/// `user:hunter2-secret`
const BASIC: &str = "dXNlcjpodW50ZXIyLXNlY3JldA==";
const GOOD: &str =
    r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{"a":"b"},"value":[60,"1"]}]}}"#;

fn settings_with(url: &str, config_file: Option<PathBuf>, timeout: Duration) -> Settings {
    Settings::from_flags(&PrometheusFlags { url: Secret::new(url), config_file, timeout }).unwrap()
}

fn settings(url: &str) -> Settings {
    settings_with(url, None, Duration::from_secs(20))
}

fn client(url: &str) -> Client {
    Client::new(settings(url))
}

/// A client with a configuration file.
fn configured(url: &str, folder: &TempDir, yaml: &str) -> Client {
    let file = folder.path().join("http.yml");
    std::fs::write(&file, yaml).unwrap();
    Client::new(settings_with(url, Some(file), Duration::from_secs(20)))
}

async fn ask(client: &mut Client) -> Result<Vec<Sample>, Error> {
    client.query("up == 1", 60).await
}

#[track_caller]
fn is_good(result: Result<Vec<Sample>, Error>) {
    let samples = result.unwrap();
    assert_eq!((samples.len(), samples[0].point.millis), (1, 60_000));
}

#[track_caller]
fn fails(result: Result<Vec<Sample>, Error>, kind: ErrorKind, part: &str) {
    let error = result.unwrap_err();
    assert_eq!(error.kind, kind, "{error}");
    let text = error.to_string();
    assert!(text.contains(part), "{part:?} is not in: {text}");
    assert!(text.contains("query `up == 1` at 1970-01-01T00:01:00Z: "), "{text}");
    assert!(!text.ends_with('.') && text.len() < 1500 && !text.contains('\n'), "{text}");
    for secret in [PASSWORD, BASIC] {
        assert!(!format!("{error} {error:?}").contains(secret), "{error:?}");
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn with_body(head: &str, body: &[u8]) -> Vec<u8> {
    [format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n{head}\r\n", body.len()).as_bytes(), body].concat()
}

#[tokio::test]
async fn a_question_is_a_form_posted_below_the_prefix() {
    let server = serve(|_| answer(200, "", GOOD)).await;
    is_good(client(&server.url("/prefix/")).query("up{a=\"b c&d\"} == 1", 60).await);
    let request = server.requests().remove(0);
    assert!(request.starts_with("POST /prefix/api/v1/query HTTP/1.1\r\n"), "{request}");
    assert!(request.contains(&format!("host: {}\r\n", server.address)), "{request}");
    assert!(request.contains("content-type: application/x-www-form-urlencoded\r\n"), "{request}");
    assert!(request.contains("accept-encoding: gzip\r\n"), "{request}");
    assert!(!request.contains("authorization"), "{request}");
    assert!(request.contains("\r\n\r\nquery=up%7Ba%3D%22b+c%26d%22%7D+%3D%3D+1&time=60&"), "{request}");
}

#[tokio::test]
async fn a_server_that_knows_only_get_is_asked_that_way_from_then_on() {
    let server = serve(|request: &str| {
        if request.starts_with("GET /api/v1/query?query=up") { answer(200, "", GOOD) } else { answer(405, "", "") }
    })
    .await;
    let mut client = client(&server.url(""));
    is_good(ask(&mut client).await);
    is_good(ask(&mut client).await);
    let methods: Vec<_> = server.requests().iter().map(|request| request[..4].to_owned()).collect();
    assert_eq!(methods, ["POST", "GET ", "GET "]);
}

/// Answers every request of a connection; says how many connections there were.
async fn keeping() -> (String, Arc<AtomicUsize>) {
    let connections = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&connections);
    let address = server(move |mut stream| {
        counted.fetch_add(1, Ordering::SeqCst);
        async move {
            while !read_request(&mut stream).await.is_empty() {
                stream.write_all(&answer(200, "", GOOD)).await.unwrap();
            }
        }
    })
    .await;
    (address, connections)
}

#[tokio::test]
async fn successive_requests_share_one_connection() {
    let (address, connections) = keeping().await;
    let mut client = client(&format!("http://{address}"));
    for _ in 0..5 {
        is_good(ask(&mut client).await);
    }
    assert_eq!(connections.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_connection_that_ended_in_the_meantime_is_replaced() {
    let server = serve(|_| answer(200, "", GOOD)).await;
    let mut client = client(&server.url(""));
    is_good(ask(&mut client).await);
    sleep(Duration::from_millis(50)).await;
    is_good(ask(&mut client).await);
    assert_eq!(server.requests().len(), 2);
}

/// Breaks off the first `faulty` connections with a reset after the request was read, and answers the others.
async fn resetting(faulty: usize) -> (String, Arc<AtomicUsize>) {
    let connections = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&connections);
    let address = server(move |mut stream| {
        let number = counted.fetch_add(1, Ordering::SeqCst);
        async move {
            let _ = read_request(&mut stream).await;
            if number < faulty {
                // Half an answer, then a reset.
                let _ = stream.write_all(&answer(200, "", GOOD)[..60]).await;
                let _ = stream.set_zero_linger();
            } else {
                let _ = stream.write_all(&answer(200, "", GOOD)).await;
            }
        }
    })
    .await;
    (address, connections)
}

#[tokio::test]
async fn a_reset_is_survived_once_and_not_twice() {
    let (address, connections) = resetting(1).await;
    is_good(ask(&mut client(&format!("http://{address}"))).await);
    assert_eq!(connections.load(Ordering::SeqCst), 2);

    let (address, connections) = resetting(2).await;
    let result = ask(&mut client(&format!("http://{address}"))).await;
    fails(result, ErrorKind::Unreachable, "");
    assert_eq!(connections.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_compressed_answer_is_read() {
    let server = serve(|_| with_body("Content-Encoding: gzip\r\n", &gzip(GOOD.as_bytes()))).await;
    is_good(ask(&mut client(&server.url(""))).await);
}

#[tokio::test]
async fn answers_that_are_not_prometheus_are_told_apart() {
    let login = "<!DOCTYPE html><html><body>Please log in</body></html>";
    let error = |kind: &str, text: &str| format!(r#"{{"status":"error","errorType":"{kind}","error":"{text}"}}"#);
    let cut = &GOOD[..GOOD.len() - 30];
    let cases: Vec<(Vec<u8>, ErrorKind, &str)> = vec![
        (answer(401, "", "no"), ErrorKind::Denied, "answered 401 Unauthorized (no): it wants credentials"),
        (answer(403, "", login), ErrorKind::Denied, "answered 403 Forbidden: it wants credentials"),
        (answer(401, "", &error("unauthorized", "no")), ErrorKind::Denied, "wants credentials"),
        (
            answer(404, "", "404 page not found"),
            ErrorKind::NotTheApi,
            "/api/v1/query: the path prefix of --prometheus.url",
        ),
        (answer(400, "", "unsupported path"), ErrorKind::NotTheApi, "(unsupported path)"),
        (
            answer(302, &format!("Location: https://user:{PASSWORD}@sso.example.com/login?token={PASSWORD}\r\n"), ""),
            ErrorKind::NotTheApi,
            "redirects to https://sso.example.com/login; is that a login page",
        ),
        (answer(302, "", ""), ErrorKind::NotTheApi, "without saying where to"),
        (answer(200, "Content-Type: text/html\r\n", login), ErrorKind::NotTheApi, "web page, not JSON: a login page"),
        (answer(200, "", ""), ErrorKind::NotTheApi, "empty"),
        (answer(204, "", ""), ErrorKind::NotTheApi, "empty"),
        (answer(200, "", cut), ErrorKind::NotTheApi, "ends too early"),
        (answer(200, "", "{\"a\": 1}"), ErrorKind::NotTheApi, "not that of Prometheus' HTTP API"),
        (answer(200, "", "[1,2]"), ErrorKind::NotTheApi, "not that of Prometheus' HTTP API"),
        (answer(200, "", "{\"status\":\"success\"}"), ErrorKind::NotTheApi, "without data"),
        (answer(400, "", &error("bad_data", "parse error")), ErrorKind::Query, "bad_data: parse error"),
        (answer(422, "", &error("execution", "found duplicate series")), ErrorKind::Query, "duplicate series"),
        (
            answer(422, "", r#"{"status":"error","data":"?","errorType":"execution","error":"odd"}"#),
            ErrorKind::Query,
            "execution: odd",
        ),
        (answer(422, "", &error("execution", "too many samples")), ErrorKind::TooMuch, "--query.max-samples"),
        (answer(503, "", &error("timeout", "query timed out")), ErrorKind::Timeout, "--query.timeout"),
        (answer(503, "", &error("unavailable", "not ready")), ErrorKind::Unreachable, "not ready"),
        (answer(502, "", login), ErrorKind::Unreachable, "answered 502 Bad Gateway: it is not ready"),
        (answer(429, "", "slow down"), ErrorKind::Unreachable, "(slow down)"),
        (answer(504, "", ""), ErrorKind::Timeout, "does not wait as long"),
        (answer(413, "", ""), ErrorKind::Query, "too long"),
        (answer(418, "", "teapot"), ErrorKind::NotTheApi, "(teapot)"),
        (
            answer(200, "", r#"{"status":"success","isPartial":true,"data":{"result":[]}}"#),
            ErrorKind::Partial,
            "partial",
        ),
        (b"SSH-2.0-OpenSSH_9.2\r\n".to_vec(), ErrorKind::NotTheApi, "not HTTP"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n".to_vec(), ErrorKind::NotTheApi, "not HTTP"),
        (
            [b"HTTP/1.1 200 OK\r\nX: ", "x".repeat(1_000_000).as_bytes(), b"\r\n\r\n"].concat(),
            ErrorKind::NotTheApi,
            "headers have more than",
        ),
        (with_body("Content-Encoding: br\r\n", b"x"), ErrorKind::NotTheApi, "compressed as `br`"),
        (with_body("Content-Encoding: gzip\r\n", GOOD.as_bytes()), ErrorKind::NotTheApi, "not the gzip it says"),
        (Vec::new(), ErrorKind::Unreachable, "closed before"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{".to_vec(), ErrorKind::Unreachable, "closed before"),
    ];
    for (bytes, kind, part) in cases {
        let server = serve(move |_| bytes.clone()).await;
        fails(ask(&mut client(&server.url(""))).await, kind, part);
    }
}

/// A server that sends `start` and then `again` without end.
async fn endless(start: Vec<u8>, again: Vec<u8>) -> String {
    server(move |mut stream| {
        let (start, again) = (start.clone(), again.clone());
        async move {
            let _ = read_request(&mut stream).await;
            let _ = stream.write_all(&start).await;
            while stream.write_all(&again).await.is_ok() {}
        }
    })
    .await
}

#[tokio::test]
async fn no_answer_is_read_past_its_limit() {
    let head = b"HTTP/1.1 200 OK\r\n".as_slice();
    // Nothing comes of it: the announcement is enough.
    let announced = server(|mut stream| async move {
        let _ = read_request(&mut stream).await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1048577\r\n\r\n").await;
        let _ = stream.read_to_end(&mut Vec::new()).await;
    })
    .await;
    let unannounced = endless([head, b"\r\n"].concat(), vec![b' '; 10_000]).await;
    let zeros = gzip(&vec![b' '; 1 << 20]);
    let bomb = endless([head, b"Content-Encoding: gzip\r\n\r\n"].concat(), zeros).await;
    for address in [announced, unannounced, bomb] {
        let mut settings = settings(&format!("http://{address}"));
        settings.limit_body(1 << 20);
        fails(ask(&mut Client::new(settings)).await, ErrorKind::TooMuch, "more than 1 MiB");
    }
}

#[tokio::test]
async fn no_more_samples_are_kept_than_there_is_room_for() {
    let values: Vec<String> = (1..=100).map(|at| format!("[{at},\"1\"]")).collect();
    let body = format!(
        r#"{{"status":"success","data":{{"resultType":"matrix","result":[{{"metric":{{}},"values":[{}]}}]}}}}"#,
        values.join(",")
    );
    let server = serve(move |_| answer(200, "", &body)).await;
    for (limit, good) in [(100, true), (99, false)] {
        let mut settings = settings(&server.url(""));
        settings.max_points = limit;
        let result = Client::new(settings).raw("up", 0, 100, |_, _| ()).await;
        match result {
            Ok(series) => assert!(good && series[0].points.len() == 100),
            Err(error) => assert!(!good && error.kind == ErrorKind::TooMuch, "{error}"),
        }
    }
}

#[tokio::test]
async fn a_server_that_is_silent_or_slow_ends_with_the_timeout() {
    let silent = server(|mut stream| async move {
        let _ = stream.read_to_end(&mut Vec::new()).await;
    })
    .await;
    let slow = server(|mut stream| async move {
        let _ = read_request(&mut stream).await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n").await;
        while stream.write_all(b" ").await.is_ok() {
            sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
    for (address, scheme, part) in [
        (&silent, "http", "no answer within 1s (waiting for the answer); --prometheus.timeout"),
        (&silent, "https", "(waiting for the TLS handshake)"),
        (&slow, "http", "(reading the answer)"),
    ] {
        let began = Instant::now();
        let settings = settings_with(&format!("{scheme}://{address}"), None, Duration::from_secs(1));
        fails(ask(&mut Client::new(settings)).await, ErrorKind::Timeout, part);
        assert!(began.elapsed() < Duration::from_secs(10));
    }
}

#[tokio::test]
async fn a_call_of_many_requests_ends_too() {
    let body = r#"{"status":"success","data":{"resultType":"matrix","result":[]}}"#;
    let server = server(move |mut stream| async move {
        while !read_request(&mut stream).await.is_empty() {
            sleep(Duration::from_millis(100)).await;
            let _ = stream.write_all(&answer(200, "", body)).await;
        }
    })
    .await;
    let settings = settings_with(&format!("http://{server}"), None, Duration::from_millis(400));
    let mut steps = 0;
    let result = Client::new(settings).range("up", 0, 100_000_000, 1, |done, _| steps = done).await;
    let error = result.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Timeout, "{error}");
    assert!(steps < 100_000_000, "{steps}");
    // On a machine that is very busy a single request may be what took too long.
    let (all, one) = ("all requests of it took longer than 4s", "no answer within 400ms");
    assert!([all, one].iter().any(|part| error.to_string().contains(part)), "{error}");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_named() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    fails(
        ask(&mut client(&format!("http://user:{PASSWORD}@{address}/prefix"))).await,
        ErrorKind::Unreachable,
        &format!("connect to {address}: Connection refused (os error 111); does it run there? --prometheus.url"),
    );
    fails(
        ask(&mut client(&format!("http://user:{PASSWORD}@name.invalid"))).await,
        ErrorKind::Unreachable,
        "cannot resolve `name.invalid`",
    );
}

#[tokio::test]
async fn every_address_of_a_name_is_tried() {
    // `localhost` is ::1 first on many systems, and Prometheus listens on one of the two.
    let server = serve(|_| answer(200, "", GOOD)).await;
    let port = server.address.rsplit(':').next().unwrap();
    is_good(ask(&mut client(&format!("http://localhost:{port}"))).await);
}

#[tokio::test]
async fn tls_is_verified_as_the_file_says() {
    let (certs, folder) = (Certs::of(&["127.0.0.1"]), TempDir::new().unwrap());
    let server = serve_tls(certs.acceptor(), |_| answer(200, "", GOOD)).await;
    let url = format!("https://{}", server.address);
    let ca = certs.ca_file();

    fails(ask(&mut client(&url)).await, ErrorKind::Unreachable, "`tls_config` in --prometheus.config.file");
    let yaml = format!("tls_config: {{ca_file: {}}}", ca.display());
    is_good(ask(&mut configured(&url, &folder, &yaml)).await);
    let yaml = format!("tls_config: {{ca_file: {}, server_name: other.example.com}}", ca.display());
    fails(ask(&mut configured(&url, &folder, &yaml)).await, ErrorKind::Unreachable, "name mismatch");
    is_good(ask(&mut configured(&url, &folder, "tls_config: {insecure_skip_verify: true}")).await);

    // TLS where there is none, and none where there is.
    let plain = crate::support::server(|mut stream| async move {
        let _ = stream.write_all(&answer(400, "", "")).await;
    })
    .await;
    let mut mistaken = client(&format!("https://{plain}"));
    fails(ask(&mut mistaken).await, ErrorKind::Unreachable, "does not speak TLS");
    let mut mistaken = client(&format!("http://{}", server.address));
    assert!(ask(&mut mistaken).await.is_err());
}

#[tokio::test]
async fn a_client_certificate_is_shown_to_a_server_that_wants_one() {
    let (certs, folder) = (Certs::of(&["127.0.0.1"]), TempDir::new().unwrap());
    let server = serve_tls(certs.demanding_acceptor(), |_| answer(200, "", GOOD)).await;
    let url = format!("https://{}", server.address);
    let ca = format!("ca_file: {}", certs.ca_file().display());
    let mut without = configured(&url, &folder, &format!("tls_config: {{{ca}}}"));
    fails(ask(&mut without).await, ErrorKind::Unreachable, "client certificate");
    std::fs::write(folder.path().join("cert.pem"), &certs.certificate).unwrap();
    std::fs::write(folder.path().join("key.pem"), &certs.key).unwrap();
    let yaml = format!("tls_config: {{{ca}, cert_file: cert.pem, key_file: key.pem}}");
    is_good(ask(&mut configured(&url, &folder, &yaml)).await);
}

/// Lets in whoever sends `line`, and repeats to others what they sent.
async fn guarded(line: &'static str) -> Server {
    serve(move |request: &str| if request.contains(line) { answer(200, "", GOOD) } else { answer(401, "", request) })
        .await
}

#[tokio::test]
async fn credentials_come_from_the_url_or_the_file() {
    let folder = TempDir::new().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("password", "hunter2-secret\n");
    write("token", "t0ken-1\n");
    write("tenant", "tenant-1\n");

    let server = guarded("authorization: Basic dXNlcjpodW50ZXIyLXNlY3JldA==\r\n").await;
    is_good(ask(&mut client(&format!("http://user:hunter2%2Dsecret@{}", server.address))).await);
    let yaml = "basic_auth: {username: user, password_file: password}";
    is_good(ask(&mut configured(&server.url(""), &folder, yaml)).await);

    let server = guarded("authorization: Bearer t0ken-2\r\n").await;
    let mut client = configured(&server.url(""), &folder, "authorization: {credentials_file: token}");
    fails(ask(&mut client).await, ErrorKind::Denied, "the credentials are refused");
    // Read at each use: a rotated one works.
    write("token", "t0ken-2\n");
    is_good(ask(&mut client).await);
    std::fs::remove_file(folder.path().join("token")).unwrap();
    fails(ask(&mut client).await, ErrorKind::Denied, "cannot read secret file");

    let server = guarded("x-scope-orgid: tenant-1\r\n").await;
    let yaml = "http_headers: {X-Scope-OrgID: {files: [tenant]}}";
    is_good(ask(&mut configured(&server.url(""), &folder, yaml)).await);
    let yaml = "http_headers: {X-Scope-OrgID: {values: [tenant-1]}}";
    is_good(ask(&mut configured(&server.url(""), &folder, yaml)).await);
}

#[tokio::test]
async fn a_token_is_fetched_kept_and_replaced_when_it_is_withdrawn() {
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("secret"), PASSWORD).unwrap();
    let number = AtomicUsize::new(0);
    let endpoint = serve(move |_| {
        let body = format!(r#"{{"access_token":"t{}"}}"#, number.fetch_add(1, Ordering::Relaxed));
        answer(200, "Content-Type: application/json\r\n", &body)
    })
    .await;
    let withdrawn = Arc::new(AtomicUsize::new(0));
    let since = Arc::clone(&withdrawn);
    let server = serve(move |request: &str| {
        let good = format!("authorization: Bearer t{}\r\n", since.load(Ordering::Relaxed));
        if request.contains(&good) { answer(200, "", GOOD) } else { answer(401, "", request) }
    })
    .await;
    let section = |url: &str| {
        format!("oauth2: {{client_id: report, client_secret_file: secret, token_url: '{url}', scopes: [read]}}")
    };
    let mut client = configured(&server.url(""), &folder, &section(&endpoint.url("/token")));
    for _ in 0..2 {
        is_good(ask(&mut client).await);
    }
    assert_eq!(endpoint.requests().len(), 1);
    withdrawn.store(1, Ordering::Relaxed);
    is_good(ask(&mut client).await);
    withdrawn.store(5, Ordering::Relaxed);
    // One more is fetched and not taken either.
    fails(ask(&mut client).await, ErrorKind::Denied, "the credentials are refused");
    assert_eq!(endpoint.requests().len(), 3);

    let refusing = serve(|request: &str| answer(401, "", request)).await;
    let mut client = configured(&server.url(""), &folder, &section(&refusing.url("/token")));
    fails(ask(&mut client).await, ErrorKind::Denied, "/token: the client is refused with status 401");
    let mut client = configured(&server.url(""), &folder, &section("http://127.0.0.1:1/token"));
    fails(ask(&mut client).await, ErrorKind::Unreachable, "no token from http://127.0.0.1:1/token: ");
}

#[tokio::test]
async fn a_server_that_repeats_the_credentials_does_not_get_them_printed() {
    let told = format!("you sent {BASIC}, which is {PASSWORD}");
    let error = format!(r#"{{"status":"error","errorType":"{PASSWORD}","error":"{told}"}}"#);
    let warning = GOOD.replacen('{', &format!(r#"{{"warnings":["{told}"],"#), 1);
    for body in [told.clone(), error] {
        for status in [200, 400, 401, 404, 422, 500, 502] {
            let body = body.clone();
            let server = serve(move |_| answer(status, "", &body)).await;
            let mut client = client(&format!("http://user:{PASSWORD}@{}", server.address));
            let error = ask(&mut client).await.unwrap_err();
            let shown = format!("{error} {error:?} {client:?}");
            assert!(!shown.contains(PASSWORD) && !shown.contains(BASIC), "{shown}");
        }
    }
    let server = serve(move |_| answer(200, "", &warning)).await;
    let mut client = client(&format!("http://user:{PASSWORD}@{}", server.address));
    is_good(ask(&mut client).await);
    is_good(ask(&mut client).await);
    assert_eq!(client.take_warnings(), ["you sent <secret>, which is <secret>"]);
    assert_eq!(client.take_warnings(), Vec::<String>::new());
}

#[tokio::test]
async fn a_file_that_cannot_be_used_says_where() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("http.yml");
    std::fs::write(&file, "basic_auth:\n  username: user\n  password: hunter2-secret\n  passwort_file: x\n").unwrap();
    let flags = PrometheusFlags {
        url: Secret::new("http://127.0.0.1:9090"),
        config_file: Some(file.clone()),
        timeout: Duration::from_secs(1),
    };
    let text = Settings::from_flags(&flags).unwrap_err().to_string();
    let lines: Vec<&str> = text.lines().collect();
    assert!(
        lines[0].starts_with(&format!("{}:3:13: basic_auth.password: a secret does not belong", file.display())),
        "{text}"
    );
    assert!(lines[1].starts_with(&format!("{}:4:3: basic_auth.passwort_file: unknown key", file.display())), "{text}");
    assert!(!text.contains(PASSWORD), "{text}");
    let flags = PrometheusFlags { config_file: Some(Path::new("/nonexistent/http.yml").into()), ..flags };
    let text = Settings::from_flags(&flags).unwrap_err().to_string();
    assert!(text.starts_with("/nonexistent/http.yml: cannot read it"), "{text}");
}
