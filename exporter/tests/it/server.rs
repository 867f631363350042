//! The endpoints over real connections, and clients that behave badly.

use std::io::Read as _;
use std::time::Duration;

use http_body_util::{BodyExt as _, Empty};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::client::{Answer, PATIENCE, SMALL, Server, read, request};

const TEXT: &str = "text/plain; charset=utf-8";

#[tokio::test]
async fn each_path_answers_its_methods_and_no_other() {
    const NOT_FOUND: &str =
        "nothing here; there is /, /metrics, /probe, /sd, /status, /-/healthy, /-/ready and /-/reload\n";
    let server = Server::start(SMALL);
    server.run();
    for (method, path, status, content_type, body) in [
        ("GET", "/-/healthy", 200, TEXT, "sla-exporter is healthy\n"),
        ("GET", "/-/healthy?x=y", 200, TEXT, "sla-exporter is healthy\n"),
        ("GET", "/-/ready", 200, TEXT, "sla-exporter is ready\n"),
        ("GET", "/sd", 200, "application/json", "[]"),
        ("POST", "/sd", 405, TEXT, "this path answers GET, HEAD\n"),
        ("POST", "/", 405, TEXT, "this path answers GET, HEAD\n"),
        ("DELETE", "/metrics", 405, TEXT, "this path answers GET, HEAD\n"),
        ("OPTIONS", "/metrics", 405, TEXT, "this path answers GET, HEAD\n"),
        ("GET", "/-/reload", 405, TEXT, "this path answers POST, PUT\n"),
        ("GET", "/metrics/", 404, TEXT, NOT_FOUND),
        ("GET", "/../etc/passwd", 404, TEXT, NOT_FOUND),
        ("POST", "/%2d/reload", 404, TEXT, NOT_FOUND),
    ] {
        let answer = server.request(method, path, &[]).await;
        assert_eq!((answer.status, answer.text()), (status, body), "{method} {path}");
        assert_eq!(answer.header("content-type"), Some(content_type), "{method} {path}");
        let allow = body.strip_prefix("this path answers ").map(str::trim_end);
        assert_eq!(answer.header("allow"), allow, "{method} {path}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{method} {path}");
    }
}

#[tokio::test]
async fn head_is_the_answer_without_its_body() {
    let server = Server::start(SMALL);
    for path in ["/", "/-/healthy", "/sd", "/nothing"] {
        let (get, head) = (server.get(path).await, server.request("HEAD", path, &[]).await);
        assert_eq!((head.status, head.text()), (get.status, ""), "{path}");
        assert_eq!(head.header("content-type"), get.header("content-type"), "{path}");
        assert_eq!(head.header("content-length"), get.header("content-length"), "{path}");
    }
    let head = server.request("HEAD", "/metrics", &[]).await;
    assert!(head.header("content-length").unwrap().parse::<usize>().unwrap() > 1000);
    assert_eq!(head.text(), "");
}

#[tokio::test]
async fn metrics_come_in_the_format_asked_for() {
    let server = Server::start(SMALL);
    let open = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    let text = "text/plain; version=0.0.4; charset=utf-8";
    for (accept, content_type) in [
        (
            "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
            open,
        ),
        (
            "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
            open,
        ),
        ("text/plain;version=1.0.0", text),
        ("*/*", text),
        ("text/html", text),
    ] {
        let answer = server.request("GET", "/metrics", &[("Accept", accept)]).await;
        assert_eq!(answer.header("content-type"), Some(content_type), "{accept}");
        assert_eq!(answer.header("vary"), Some("Accept, Accept-Encoding"));
        assert_eq!(answer.header("content-encoding"), None);
        assert_eq!(answer.text().ends_with("# EOF\n"), content_type == open, "{accept}");
        assert!(answer.text().ends_with('\n'));
    }
}

#[tokio::test]
async fn metrics_are_compressed_for_who_asks() {
    let server = Server::start(SMALL);
    let plain = server.get("/metrics").await;
    let packed = server.request("GET", "/metrics", &[("Accept-Encoding", "gzip")]).await;
    assert_eq!(packed.header("content-encoding"), Some("gzip"));
    assert!(packed.body.len() * 2 < plain.body.len());
    let mut text = String::new();
    flate2::read::GzDecoder::new(&*packed.body).read_to_string(&mut text).unwrap();
    let names = |text: &str| -> Vec<String> {
        text.lines().filter(|line| line.starts_with("# TYPE")).map(str::to_owned).collect()
    };
    assert_eq!(names(&text), names(plain.text()));
}

#[tokio::test]
async fn the_inventory_is_what_prometheus_discovers() {
    let hosts = "roles: {web: {load_per_cpu: 4}}
hosts:
  - {name: web1, role: web, address: 10.0.0.11, redundancy_group: web, exporter: \"10.0.0.11:10115\"}
  - {name: switch, address: 10.0.0.1}
  - {name: db1, address: db1.example.com, exporter: \"db1.example.com:9100\"}
";
    let server = Server::start(&format!("{SMALL}{hosts}"));
    let answer = server.get("/sd").await;
    assert_eq!(
        answer.text(),
        r#"[{"targets":["10.0.0.11:10115"],"labels":{"__meta_sla_address":"10.0.0.11","__meta_sla_contract":"c","__meta_sla_host":"web1","__meta_sla_redundancy_group":"web","__meta_sla_role":"web","__meta_sla_site":"here","host":"web1"}},{"targets":["db1.example.com:9100"],"labels":{"__meta_sla_address":"db1.example.com","__meta_sla_contract":"c","__meta_sla_host":"db1","__meta_sla_site":"here","host":"db1"}}]"#
    );
}

#[tokio::test]
async fn it_is_ready_when_probing_has_begun() {
    let server = Server::start(SMALL);
    let answer = server.get("/-/ready").await;
    assert_eq!((answer.status, answer.text()), (503, "sla-exporter has not begun to probe\n"));
    server.run();
    assert_eq!(server.get("/-/ready").await.status, 200);
}

#[tokio::test]
async fn a_reload_says_what_it_did_or_all_that_is_wrong() {
    let server = Server::start(SMALL);
    server.run();
    let more = SMALL.replace("\"127.0.0.1:1\"", "\"127.0.0.1:1\", \"127.0.0.1:2\"");
    std::fs::write(&server.config, more).unwrap();
    for method in ["POST", "PUT"] {
        let answer = server.request(method, "/-/reload", &[("Content-Length", "0")]).await;
        let kept = if method == "POST" { "1 target kept, 1 added" } else { "2 targets kept, 0 added" };
        let expected = format!("configuration reloaded: {kept}, 0 removed, 0 warnings, in ");
        assert!(answer.status == 200 && answer.text().starts_with(&expected), "{answer:?}");
    }
    std::fs::write(&server.config, SMALL.replace("site:", "sight:").replace("5m", "6m")).unwrap();
    let answer = server.request("POST", "/-/reload", &[]).await;
    let file = server.config.display();
    let expected = format!(
        "configuration not reloaded: 3 errors
{file}:1:1: `site` is missing
{file}:1:1: sight: unknown key `sight`; accepted here: (all)
{file}:8:69: probes[0].interval: 6m is longer than the 5m in which every device is to be watched (C2.1); write 5m or less
"
    );
    // Sections come and go; the message has all of them.
    let said: Vec<&str> = answer.text().split_inclusive('\n').collect();
    let said: String = said
        .iter()
        .map(|line| match line.split_once("accepted here: site, contract, ") {
            Some((before, _)) => format!("{before}accepted here: (all)\n"),
            None => (*line).to_owned(),
        })
        .collect();
    assert_eq!((answer.status, said), (500, expected));
    let page = server.get("/").await;
    assert!(page.text().contains("The newest configuration was refused"), "{}", page.text());
    assert!(!page.text().contains(&file.to_string()), "a page names no path");
    assert!(server.get("/metrics").await.text().contains("\nsla_exporter_config_last_reload_successful 0\n"));
}

#[tokio::test]
async fn the_landing_page_shows_problems_first_and_in_pages() {
    let ports: Vec<String> = (1..=450).map(|port| format!("\"127.0.0.1:{port}\"")).collect();
    let server = Server::start(&SMALL.replace("\"127.0.0.1:1\"", &ports.join(",")));
    let page = |path: &'static str| async { String::from_utf8(server.get(path).await.body).unwrap() };
    let rows = |text: &str| text.matches("127.0.0.1:").count();
    let (first, second, last, beyond) =
        (page("/").await, page("/?page=2").await, page("/?page=3").await, page("/?page=99&page=1").await);
    assert_eq!([&first, &second, &last, &beyond].map(|text| rows(text)), [200, 200, 50, 50]);
    assert!(first.contains("1 to 200 of 450 targets") && last.contains("401 to 450 of 450 targets"), "{last}");
    assert!(second.contains("<a href=\"/status\">Status page for customers</a>"), "{second}");
    assert!(second.contains("href=\"?page=1\"") && second.contains("href=\"?page=3\""));
    for nonsense in ["/?page=0", "/?page=-1", "/?page=x", "/?page", "/?%00", "/?page=184467440737095516160"] {
        assert_eq!(rows(&page(nonsense).await), 200, "{nonsense}");
    }
}

#[tokio::test]
async fn the_landing_page_shows_what_failed_and_escapes_it() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let config = SMALL
        .replace("127.0.0.1:1", &closed.to_string())
        .replace("{ja: 契約, en: A contract}", r#""<script>alert('1')</script> & \"co\"""#)
        .replace("5m", "1s");
    let server = Server::start(&config);
    server.run();
    let text = eventually(async || {
        let text = String::from_utf8(server.get("/").await.body).unwrap();
        text.contains("Connection refused").then_some(text)
    })
    .await;
    assert!(text.contains("<title>(1) sla-exporter · c · here</title>"), "{text}");
    assert!(text.contains("&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt; &amp; &quot;co&quot;"), "{text}");
    assert!(!text.contains("<script"), "{text}");
}

#[tokio::test]
async fn the_policy_of_the_page_allows_its_own_style_and_nothing_else() {
    use base64::Engine as _;
    use sha2::Digest as _;
    let server = Server::start(SMALL);
    let answer = server.get("/").await;
    let text = answer.text();
    let style = text.split_once("<style>").unwrap().1.split_once("</style>").unwrap().0;
    let hash = base64::engine::general_purpose::STANDARD.encode(sha2::Sha256::digest(style));
    assert_eq!(
        answer.header("content-security-policy").unwrap(),
        format!(
            "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        )
    );
}

#[tokio::test]
async fn one_connection_serves_many_requests() {
    let server = Server::start(SMALL);
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let mut buffer = [0; 4096];
    for _ in 0..3 {
        stream.write_all(b"GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
        let count = tokio::time::timeout(PATIENCE, stream.read(&mut buffer)).await.unwrap().unwrap();
        assert!(buffer[..count].starts_with(b"HTTP/1.1 200 OK\r\n"));
    }
}

#[tokio::test]
async fn http2_is_spoken_to_who_begins_with_it() {
    let server = Server::start(SMALL);
    let stream = TcpStream::connect(server.address).await.unwrap();
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    for (method, empty) in [("GET", false), ("HEAD", true)] {
        let request =
            hyper::Request::builder().method(method).uri("http://test/metrics").body(Empty::<bytes::Bytes>::new());
        let response = sender.send_request(request.unwrap()).await.unwrap();
        assert_eq!((response.status(), response.version()), (hyper::StatusCode::OK, hyper::Version::HTTP_2));
        let body = response.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(body.is_empty(), empty, "{method}");
    }
}

#[tokio::test]
async fn headers_without_end_are_refused() {
    let server = Server::start(SMALL);
    let long = "x".repeat(40_000);
    let many: Vec<(String, String)> = (0..200).map(|i| (format!("x-{i}"), "y".to_owned())).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    for (path, headers, status) in [
        ("/", vec![("x", long.as_str())], 431),
        ("/", many, 431),
        (&format!("/{long}"), vec![], 414),
        ("/ /", vec![], 400),
    ] {
        let stream = TcpStream::connect(server.address).await.unwrap();
        // The answer may be lost when the connection is closed on what was not read.
        if let Ok(answer) = request(stream, "GET", path, &headers).await {
            assert!(answer.status == status || answer.status == 431, "{status}: {answer:?}");
        }
        assert_eq!(server.get("/-/healthy").await.status, 200);
    }
}

#[tokio::test]
async fn a_body_nobody_asked_for_does_no_harm() {
    let server = Server::start(SMALL);
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let head = "POST /-/reload HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 1000000000\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let answer: Answer = read(stream).await.unwrap();
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn who_dawdles_over_the_first_request_is_cut_off() {
    let server = Server::start(SMALL);
    let started = Instant::now();
    let mut clients = Vec::new();
    for start in ["", "GET", "GET / HTTP/1.1\r\nHost: x\r\n", "PRI * HTTP/2.0\r\n"] {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        clients.push(tokio::spawn(async move {
            stream.write_all(start.as_bytes()).await.unwrap();
            // A byte now and then does not help.
            for _ in 0..60 {
                let mut buffer = [0; 512];
                match tokio::time::timeout(Duration::from_millis(500), stream.read(&mut buffer)).await {
                    Ok(Ok(0) | Err(_)) => return true,
                    Ok(Ok(_)) => {}
                    Err(_) if start.contains("Host") => drop(stream.write_all(b"a").await),
                    Err(_) => {}
                }
            }
            false
        }));
    }
    for client in clients {
        assert!(client.await.unwrap(), "still connected after {:?}", started.elapsed());
    }
    assert!(started.elapsed() >= Duration::from_secs(9));
}

#[tokio::test]
async fn more_idle_connections_than_there_are_places_keep_nobody_out() {
    let _ = rlimit::increase_nofile_limit(4096);
    let server = Server::start(SMALL);
    let mut idle = Vec::new();
    for _ in 0..600 {
        idle.push(TcpStream::connect(server.address).await.unwrap());
    }
    for _ in 0..3 {
        assert_eq!(server.get("/-/healthy").await.status, 200);
    }
    // Those idle for longest were closed.
    let mut first = idle.swap_remove(0);
    assert_eq!(tokio::time::timeout(PATIENCE, first.read(&mut [0; 1])).await.unwrap().unwrap(), 0);
}

#[tokio::test]
async fn many_scrapes_at_once_are_all_answered() {
    let server = std::sync::Arc::new(Server::start(SMALL));
    let scrapes: Vec<_> = (0..60)
        .map(|_| {
            let server = std::sync::Arc::clone(&server);
            tokio::spawn(async move { server.get("/metrics").await.status })
        })
        .collect();
    for scrape in scrapes {
        assert_eq!(scrape.await.unwrap(), 200);
    }
}

#[tokio::test]
async fn who_asks_for_large_pages_and_never_reads_costs_places_for_a_while_and_no_more_memory() {
    let label = "x".repeat(60);
    let names: Vec<String> = (0..12_000).map(|i| format!("{label}.{label}.{label}.host-{i}.example:80")).collect();
    let server = Server::start(&SMALL.replace("\"127.0.0.1:1\"", &names.join(",")));
    let page = server.get("/metrics").await;
    assert!(page.body.len() > 3_000_000, "more than a socket holds: {}", page.body.len());
    let mut stuck = Vec::new();
    for _ in 0..8 {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4096).unwrap();
        let mut stream = socket.connect(server.address).await.unwrap();
        stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
        stuck.push(stream);
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    let answer = server.get("/metrics").await;
    assert_eq!((answer.status, answer.header("retry-after")), (503, Some("5")), "the places are taken");
    assert_eq!(server.get("/-/healthy").await.status, 200);
    eventually(async || (server.get("/metrics").await.status == 200).then_some(())).await;
    drop(stuck);
}

async fn eventually<T>(mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(started.elapsed() < PATIENCE, "not within {PATIENCE:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
