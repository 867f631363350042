//! `/probe` over real connections: what it refuses, what it never sends, how long it takes.
//! What it answers beside blackbox_exporter is in `tests/it/blackbox_exporter.rs`.

use std::net::Ipv4Addr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::time::Instant;

use crate::client::{SMALL, Server};

/// A configuration with modules that carry secrets, and a probe that uses one of them on `allowed`.
fn config(allowed: u16) -> String {
    let modules = "
  plain: {prober: http, timeout: 5s}
  patient: {prober: tcp, timeout: 10s, tcp: {query_response: [{expect: never}]}}
  login: {prober: http, timeout: 5s, http: {basic_auth: {username: u, password_file: PASSWORD}}}
  named: {prober: http, http: {headers: {Host: a.example}}}
  pinger: {prober: icmp}";
    let folder = std::env::temp_dir().join(format!("sla-probe-endpoint-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let password = folder.join("password");
    std::fs::write(&password, "s3cret").unwrap();
    SMALL
        .replace(
            "modules: {tcp: {prober: tcp, timeout: 1s}}",
            &format!("modules:\n  tcp: {{prober: tcp, timeout: 1s}}{modules}"),
        )
        .replace("PASSWORD", &password.display().to_string())
        .replace(
            "probes: [",
            &format!(
                "probes: [{{name: allowed, module: login, targets: [\"http://127.0.0.1:{allowed}/\"], interval: 5m}}, "
            ),
        )
}

/// Answers each connection with what it was sent, as the body.
async fn mirror() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut heard = vec![0; 4096];
                let length = stream.read(&mut heard).await.unwrap_or(0);
                let heard = String::from_utf8_lossy(&heard[..length]).into_owned();
                let status =
                    if heard.to_ascii_lowercase().contains("authorization: basic dtpzm2nyzxq=") { 200 } else { 299 };
                let status = if heard.to_ascii_lowercase().contains("host: b.example\r\n") { 202 } else { status };
                let _ = stream.write_all(format!("HTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n").as_bytes()).await;
            });
        }
    });
    port
}

#[tokio::test]
async fn what_cannot_be_done_is_refused_with_what_can() {
    let server = Server::start(&config(1));
    for (query, part) in [
        ("", "the parameter `target` is missing"),
        ("?module=plain", "the parameter `target` is missing"),
        ("?target=x", "unknown module `http_2xx`; known: tcp, plain"),
        ("?target=x&module=plian", "did you mean `plain`?"),
        ("?target=http://x/&module=plain&hostname=a%0d%0aX:%20y", "hostname: expected a name"),
        ("?target=http://x/&module=named&hostname=b.example", "`a.example`; leave one of them out"),
    ] {
        let answer = server.get(&format!("/probe{query}")).await;
        assert_eq!(answer.status, 400, "{query}: {}", answer.text());
        assert!(answer.text().contains(part), "{query}: {}", answer.text());
        assert!(!answer.text().contains("s3cret"), "{}", answer.text());
    }
    let answer = server.request("POST", "/probe?target=x", &[]).await;
    assert_eq!((answer.status, answer.header("allow")), (405, Some("GET")));
    let odd = [("X-Prometheus-Scrape-Timeout-Seconds", "soon")];
    let answer = server.request("GET", "/probe?target=http://127.0.0.1:1/&module=plain", &odd).await;
    assert_eq!(answer.status, 400);
}

#[tokio::test]
async fn a_target_that_is_none_fails_and_debug_says_why() {
    let server = Server::start(&config(1));
    for (query, part) in [
        ("?target=ftp://x&module=plain", "unknown scheme `ftp`"),
        ("?target=http://u:s3cret@x/&module=plain", "basic_auth"),
        ("?target=host-without-port&module=tcp", "the port is missing"),
        ("?target=host:22&module=pinger", "a ping has no port"),
    ] {
        let answer = server.get(&format!("/probe{query}")).await;
        assert_eq!(answer.status, 200, "{query}: {}", answer.text());
        assert!(answer.text().contains("probe_success 0\n"), "{query}: {}", answer.text());
        let answer = server.get(&format!("/probe{query}&debug=true")).await;
        for part in [part, "reason:   connect", "because:  no such target: "] {
            assert!(answer.text().contains(part), "{query}: {}", answer.text());
        }
        assert!(!answer.text().contains("s3cret"), "{}", answer.text());
    }
}

#[tokio::test]
async fn credentials_go_to_targets_of_the_configuration_and_no_other() {
    let (known, other) = (mirror().await, mirror().await);
    let server = Server::start(&config(known));
    let ask = async |query: String| server.get(&format!("/probe?{query}")).await;
    let answer = ask(format!("module=login&target=http://127.0.0.1:{known}/")).await;
    assert!(answer.text().contains("probe_http_status_code 200\n"), "{}", answer.text());
    for query in [
        format!("module=login&target=http://127.0.0.1:{other}/"),
        format!("module=login&target=http://127.0.0.1:{known}/&hostname=elsewhere.example"),
        format!("module=login&target=http://127.0.0.1:{known}/more"),
    ] {
        let answer = ask(query).await;
        assert_eq!(answer.status, 400, "{}", answer.text());
        assert!(answer.text().contains("--probe.credentials-to-any-target"), "{}", answer.text());
    }
    let answer = ask(format!("module=plain&target=http://127.0.0.1:{other}/")).await;
    assert!(answer.text().contains("probe_http_status_code 299\n"), "{}", answer.text());
}

/// A socket opens to the user the exporter runs as, whoever asks it to connect.
#[tokio::test]
async fn unix_sockets_are_reached_where_the_configuration_has_them_as_targets_and_nowhere_else() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (known, other) = (path("known.sock"), path("other.sock"));
    let _listeners = [&known, &other].map(|path| tokio::net::UnixListener::bind(path).unwrap());
    let text = SMALL
        .replace(
            "modules: {tcp: {prober: tcp, timeout: 1s}}",
            "modules: {tcp: {prober: tcp, timeout: 1s}, socket: {prober: unix, timeout: 2s}, virus: {prober: clamd, timeout: 2s}, \
             db: {prober: postgres, timeout: 2s, postgres: {user: u, dbname: d}}}",
        )
        .replace(
            "probes: [",
            &format!("probes: [{{name: known, module: socket, targets: [\"{known}\"], interval: 5m}}, "),
        );
    let server = Server::start(&text);
    let ask = async |module: &str, target: &str| server.get(&format!("/probe?module={module}&target={target}")).await;
    assert!(ask("socket", &known).await.text().contains("probe_success 1\n"));
    for (module, target) in
        [("socket", other.as_str()), ("socket", "@name"), ("virus", &other), ("db", "/run/postgresql")]
    {
        let answer = ask(module, target).await;
        assert_eq!(answer.status, 400, "{module}: {}", answer.text());
        assert!(answer.text().contains("rights of this process"), "{}", answer.text());
    }
    for (module, target) in [("virus", "127.0.0.1:1"), ("db", "127.0.0.1:1")] {
        let answer = ask(module, target).await;
        assert!(answer.text().contains("probe_success 0\n"), "{module}: {}", answer.text());
    }
}

#[tokio::test]
async fn hostname_is_who_is_meant() {
    let port = mirror().await;
    let server = Server::start(&config(1));
    let answer = server.get(&format!("/probe?module=plain&hostname=b.example&target=http://127.0.0.1:{port}/")).await;
    assert!(answer.text().contains("probe_http_status_code 202\n"), "{}", answer.text());
}

#[tokio::test]
async fn hostname_is_who_is_meant_by_grpc_and_websocket_too() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (sender, mut heard) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut bytes = Vec::new();
            // Until both have said all they say unasked.
            while let Ok(Ok(1..)) = tokio::time::timeout(Duration::from_millis(300), stream.read_buf(&mut bytes)).await
            {
            }
            let _ = sender.send(String::from_utf8_lossy(&bytes).into_owned());
        }
    });
    let modules = "\n  rpc: {prober: grpc, timeout: 2s}\n  socket: {prober: websocket, timeout: 2s}
  named: {prober: websocket, timeout: 2s, websocket: {headers: {Host: {values: [a.example]}}}}";
    let text = SMALL.replace(
        "modules: {tcp: {prober: tcp, timeout: 1s}}",
        &format!("modules:\n  tcp: {{prober: tcp, timeout: 1s}}{modules}"),
    );
    let server = Server::start(&text);
    let ask = async |module: &str, target: &str, name: &str| {
        server.get(&format!("/probe?module={module}&target={target}&hostname={name}")).await
    };
    ask("socket", &format!("ws://127.0.0.1:{port}/"), "b.example:8443").await;
    let request = heard.recv().await.unwrap();
    assert!(request.contains("Host: b.example:8443\r\n"), "{request}");
    // HTTP/2 has the name in Huffman's code: it has no dots and digits of the address in it, at least as many bytes are fewer.
    ask("rpc", &format!("127.0.0.1:{port}"), "b").await;
    let short = heard.recv().await.unwrap();
    ask("rpc", &format!("127.0.0.1:{port}"), &"b".repeat(60)).await;
    let long = heard.recv().await.unwrap();
    assert!(long.len() > short.len() + 30, "{} and {}", long.len(), short.len());
    let answer = ask("named", &format!("ws://127.0.0.1:{port}/"), "b.example").await;
    assert_eq!(answer.status, 400);
    assert!(answer.text().contains("name the host `a.example`"), "{}", answer.text());
}

#[tokio::test]
async fn a_target_that_says_nothing_is_given_up_before_the_scraper_gives_up() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = Server::start(&config(1));
    let started = Instant::now();
    let patience = [("X-Prometheus-Scrape-Timeout-Seconds", "2")];
    let path = format!("/probe?module=patient&target=127.0.0.1:{port}");
    let answer = server.request("GET", &path, &patience).await;
    assert!(started.elapsed() < Duration::from_secs(8), "{:?}", started.elapsed());
    assert!(answer.text().contains("probe_success 0\n"), "{}", answer.text());
    let answer = server.request("GET", &format!("{path}&debug=true"), &patience).await;
    for part in ["timeout:  1s500ms", "reason:   timeout", "probe_success 0", "prober: tcp"] {
        assert!(answer.text().contains(part), "{part}: {}", answer.text());
    }
}

#[tokio::test]
async fn a_file_taken_as_it_is_says_which_of_its_modules_cannot_be_run() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("blackbox.yml");
    std::fs::write(&file, "modules:\n  good: {prober: tcp}\n  quic: {prober: http, http: {enable_http3: true}}\n")
        .unwrap();
    let server = Server::start(&format!("{SMALL}module_files: [\"{}\"]\n", file.display()));
    let answer = server.get("/probe?module=quic&target=https://127.0.0.1/").await;
    assert_eq!(answer.status, 400);
    assert!(answer.text().contains("blackbox.yml:3:3) cannot be run"), "{}", answer.text());
    let answer = server.get("/probe?module=good&target=127.0.0.1:1").await;
    assert!(answer.text().contains("probe_success 0\n"), "{}", answer.text());
}

#[tokio::test]
async fn metadata_and_headers_of_a_file_taken_as_it_is_are_neither_shown_nor_sent_to_strangers() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("blackbox.yml");
    let modules = "modules:
  rpc: {prober: grpc, timeout: 2s, grpc: {metadata: {authorization: [Bearer s3cret], x-tenant: [tenant]}}}
  socket: {prober: websocket, timeout: 2s, websocket: {headers: {Cookie: {values: [s3cret]}, Origin: {values: [origin]}}}}
";
    std::fs::write(&file, modules).unwrap();
    let known = [("rpc", "127.0.0.1:1"), ("socket", "ws://127.0.0.1:1/")];
    let probes = known
        .map(|(name, target)| format!("{{name: {name}, module: {name}, targets: [\"{target}\"], interval: 5m}}, "));
    let text = SMALL.replace("probes: [", &format!("probes: [{}", probes.concat()));
    let server = Server::start(&format!("{text}module_files: [\"{}\"]\n", file.display()));
    for ((module, target), open) in known.into_iter().zip(["tenant", "origin"]) {
        let answer = server.get(&format!("/probe?module={module}&target={target}&debug=true")).await;
        let text = answer.text();
        for part in ["probe_success 0\n", "reason:   refused", open, "<secret>"] {
            assert!(text.contains(part), "{module}: {part} in {text}");
        }
        assert!(!text.contains("s3cret"), "{text}");
        let answer = server.get(&format!("/probe?module={module}&target={}", target.replace(":1", ":2"))).await;
        assert_eq!(answer.status, 400, "{}", answer.text());
        assert!(answer.text().contains("--probe.credentials-to-any-target"), "{}", answer.text());
    }
}
