//! The `http` prober through a proxy: one that works, and ones that do not.

use std::sync::{Arc, Mutex};

use sla_exporter::probe::{Metric, Reason, Run};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::TcpStream;

use crate::support::http::{answer, read_request, serve, serve_tls};
use crate::support::pki::Authority;
use crate::support::{failure, module, run, server, succeeded, value};

async fn probe(http: &str, target: &str) -> Run {
    run(&module(&format!("{{prober: http, timeout: 5s, http: {http}}}")), target).await
}

/// A proxy that connects every tunnel with `behind`, whatever was asked for, and answers other requests itself; and
/// what it was asked.
async fn proxy(behind: String) -> (String, Arc<Mutex<Vec<String>>>) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&asked);
    let address = server(move |mut stream| {
        let (seen, behind) = (Arc::clone(&seen), behind.clone());
        async move {
            let request = read_request(&mut stream).await;
            let tunnel = request.starts_with("CONNECT ");
            seen.lock().unwrap().push(request);
            if tunnel {
                stream.write_all(b"HTTP/1.1 200 Connection established\r\nVia: test\r\n\r\n").await.unwrap();
                let mut other = TcpStream::connect(behind).await.unwrap();
                let _ = copy_bidirectional(&mut stream, &mut other).await;
            } else {
                let _ = stream.write_all(&answer(203, "", "by the proxy")).await;
            }
        }
    })
    .await;
    (address, asked)
}

#[tokio::test]
async fn plain_requests_are_made_to_the_proxy_with_the_whole_url() {
    let (address, asked) = proxy(String::new()).await;
    let http = format!("{{proxy_url: 'http://{address}', skip_resolve_phase_with_proxy: true, no_proxy: [127.0.0.1]}}");
    let run = probe(&http, "http://nowhere.invalid:8080/path?x=y").await;
    succeeded(&run);
    assert_eq!(value(&run, Metric::HttpStatusCode), Some(203.0));
    assert_eq!(value(&run, Metric::DnsLookupTime), None, "the proxy alone resolves the name");
    let request = asked.lock().unwrap().remove(0);
    assert!(request.starts_with("GET http://nowhere.invalid:8080/path?x=y HTTP/1.1\r\n"), "{request}");
    assert!(request.contains("host: nowhere.invalid:8080\r\n"), "{request}");
    let straight = serve(|_: &str| answer(200, "", "")).await;
    assert_eq!(value(&probe(&http, &straight.url("/")).await, Metric::HttpStatusCode), Some(200.0));
    assert!(asked.lock().unwrap().is_empty(), "an exception goes straight");
}

#[tokio::test]
async fn the_name_is_resolved_here_unless_that_is_left_to_the_proxy() {
    let (address, asked) = proxy(String::new()).await;
    let run = probe(&format!("{{proxy_url: 'http://{address}'}}"), "http://nowhere.invalid/").await;
    assert_eq!(failure(&run).0, Reason::Dns);
    assert!(asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn tls_is_spoken_with_the_target_through_a_tunnel() {
    let folder = tempfile::tempdir().unwrap();
    let root = Authority::new("root");
    let ca = root.write(folder.path());
    let acceptor = root.issue(&["service.invalid"], (2020, 2080)).acceptor(&["h2", "http/1.1"], None);
    let target = serve_tls(acceptor, |_: &str| answer(200, "", "")).await;
    let (address, asked) = proxy(target.address.clone()).await;
    let http = format!(
        "{{proxy_url: 'http://{address}', skip_resolve_phase_with_proxy: true, enable_http2: false,
           proxy_connect_header: {{X-Tenant: [a, b]}}, headers: {{X-Inner: c}}, tls_config: {{ca_file: {}}}}}",
        ca.display()
    );
    let run = probe(&http, "https://service.invalid/").await;
    succeeded(&run);
    assert_eq!(value(&run, Metric::HttpSsl), Some(1.0));
    let request = asked.lock().unwrap().remove(0);
    assert!(request.starts_with("CONNECT service.invalid:443 HTTP/1.1\r\n"), "{request}");
    assert!(request.contains("x-tenant: a\r\nx-tenant: b"), "{request}");
    assert!(!request.contains("x-inner"), "what is for the target the proxy does not see: {request}");
    let request = &target.requests()[0];
    assert!(request.starts_with("GET / HTTP/1.1\r\n") && request.contains("x-inner: c\r\n"), "{request}");
    assert!(!request.contains("x-tenant"), "{request}");
}

#[tokio::test]
async fn a_proxy_that_gives_no_tunnel_is_named_with_what_it_said() {
    for (said, reason, part) in [
        ("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", Reason::Connect, "status 407: it wants credentials"),
        ("HTTP/1.1 503 No\r\nContent-Length: 100000\r\n\r\n", Reason::Connect, "status 503"),
        ("SSH-2.0-x\r\n\r\n", Reason::Protocol, "is not HTTP"),
        ("HTTP/1.1 200 OK\r\n", Reason::Reset, "closed the connection"),
        ("", Reason::Reset, "closed the connection"),
    ] {
        let address = server(move |mut stream| async move {
            let _ = read_request(&mut stream).await;
            let _ = stream.write_all(said.as_bytes()).await;
            let _ = stream.shutdown().await;
            let _ = stream.read(&mut [0; 16]).await;
        })
        .await;
        let http = format!("{{proxy_url: 'http://{address}', skip_resolve_phase_with_proxy: true}}");
        let run = probe(&http, "https://service.invalid/").await;
        let (found, detail) = failure(&run);
        assert_eq!(found, reason, "{said:?}: {detail}");
        assert!(detail.contains(part), "{said:?}: {detail}");
    }
}

#[tokio::test]
async fn a_proxy_whose_answer_has_no_end_is_given_up() {
    let address = server(|mut stream| async move {
        let _ = read_request(&mut stream).await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n").await;
        while stream.write_all(b"X-More: and more and more and more\r\n").await.is_ok() {}
    })
    .await;
    let http = format!("{{proxy_url: 'http://{address}', skip_resolve_phase_with_proxy: true}}");
    let run = probe(&http, "https://service.invalid/").await;
    assert_eq!(failure(&run).0, Reason::TooLarge);
}

/// A SOCKS5 proxy that connects everybody with `behind` who shows these credentials, if any; and what was asked for.
async fn socks(behind: String, credentials: Option<(&'static str, &'static str)>) -> (String, Arc<Mutex<Vec<String>>>) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&asked);
    let address = server(move |mut stream| {
        let (seen, behind) = (Arc::clone(&seen), behind.clone());
        async move {
            let method = if credentials.is_some() { 2 } else { 0 };
            let mut offered = [0; 2];
            stream.read_exact(&mut offered).await.unwrap();
            let mut methods = vec![0; usize::from(offered[1])];
            stream.read_exact(&mut methods).await.unwrap();
            if !methods.contains(&method) {
                stream.write_all(&[5, 0xff]).await.unwrap();
                return;
            }
            stream.write_all(&[5, method]).await.unwrap();
            if let Some(expected) = credentials {
                assert_eq!(stream.read_u8().await.unwrap(), 1);
                let (user, password) = (short(&mut stream).await, short(&mut stream).await);
                let refused = u8::from((user.as_str(), password.as_str()) != expected);
                stream.write_all(&[1, refused]).await.unwrap();
            }
            let mut head = [0; 4];
            if stream.read_exact(&mut head).await.is_err() {
                return;
            }
            // By name: what there is an address for here says nothing of there.
            assert_eq!(head, [5, 1, 0, 3]);
            let name = short(&mut stream).await;
            let port = stream.read_u16().await.unwrap();
            seen.lock().unwrap().push(format!("{name}:{port}"));
            let Ok(mut other) = TcpStream::connect(behind).await else {
                stream.write_all(&[5, 4, 0, 1, 0, 0, 0, 0, 0, 0]).await.unwrap();
                return;
            };
            stream.write_all(&[5, 0, 0, 1, 127, 0, 0, 1, 0, 1]).await.unwrap();
            let _ = copy_bidirectional(&mut stream, &mut other).await;
        }
    })
    .await;
    (address, asked)
}

/// A text with its length in one byte before it.
async fn short(stream: &mut TcpStream) -> String {
    let mut text = vec![0; usize::from(stream.read_u8().await.unwrap())];
    stream.read_exact(&mut text).await.unwrap();
    String::from_utf8(text).unwrap()
}

#[tokio::test]
async fn socks_connects_with_the_target_by_its_name_with_tls_and_without() {
    let target = serve(|_: &str| answer(204, "", "")).await;
    let (address, asked) = socks(target.address.clone(), None).await;
    let http = |address: &str| format!("proxy_url: 'socks5://{address}', skip_resolve_phase_with_proxy: true");
    let run = probe(&format!("{{{}}}", http(&address)), "http://only.there.invalid:8080/path").await;
    succeeded(&run);
    assert_eq!(value(&run, Metric::HttpStatusCode), Some(204.0));
    assert_eq!(*asked.lock().unwrap(), ["only.there.invalid:8080"]);
    // As without a proxy: it sees no request.
    let request = &target.requests()[0];
    assert!(request.starts_with("GET /path HTTP/1.1\r\nhost: only.there.invalid:8080\r\n"), "{request}");

    let folder = tempfile::tempdir().unwrap();
    let root = Authority::new("root");
    let ca = root.write(folder.path());
    let acceptor = root.issue(&["only.there.invalid"], (2020, 2080)).acceptor(&["http/1.1"], None);
    let target = serve_tls(acceptor, |_: &str| answer(200, "", "")).await;
    let (address, asked) = socks(target.address.clone(), None).await;
    let with_tls = format!("{{{}, tls_config: {{ca_file: {}}}}}", http(&address), ca.display());
    succeeded(&probe(&with_tls, "https://only.there.invalid/").await);
    assert_eq!(*asked.lock().unwrap(), ["only.there.invalid:443"]);
}

/// A module of a file that is taken as it is, with its password in it.
async fn probe_inline(http: &str, target: &str) -> Run {
    use sla_exporter::config::{decode::Cursor, diagnostics::Document, node};
    let mut doc = Document::new(std::path::Path::new("blackbox.yml"));
    doc.inline_secrets = true;
    let tree = node::parse(&format!("{{prober: http, timeout: 5s, http: {http}}}")).unwrap();
    let module = sla_exporter::probe::decode_module("test", &Cursor::root(&doc, &tree)).expect("a good module");
    run(&module, target).await
}

#[tokio::test]
async fn a_socks_proxy_that_does_not_connect_is_told_from_the_target() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let target = serve(|_: &str| answer(200, "", "")).await;
    let (to_nowhere, _) = socks(closed.clone(), None).await;
    let (guarded, _) = socks(target.address.clone(), Some(("user", "s3cret"))).await;
    let noise = server(|mut stream| async move {
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        let _ = stream.read_to_end(&mut Vec::new()).await;
    })
    .await;
    let hangs_up = server(|stream| async { drop(stream) }).await;
    for (url, reason, part) in [
        (format!("socks5://user:s3cret@{guarded}"), None, ""),
        (format!("socks5h://user:s3cret@{guarded}"), None, ""),
        (format!("socks5://user:wrong-s3cret@{guarded}"), Some(Reason::Connect), "it wants credentials, or others"),
        (format!("socks5://{guarded}"), Some(Reason::Connect), "it wants credentials, or others"),
        (
            format!("socks5://{to_nowhere}"),
            Some(Reason::Connect),
            "did not connect to there.invalid:80: host unreachable",
        ),
        (format!("socks5://{noise}"), Some(Reason::Protocol), "is not SOCKS5"),
        (format!("socks5://{hangs_up}"), Some(Reason::Reset), "ask the proxy for a connection"),
        (format!("socks5://{closed}"), Some(Reason::Refused), "connect to"),
    ] {
        let http = format!("{{proxy_url: '{url}', skip_resolve_phase_with_proxy: true}}");
        let run = probe_inline(&http, "http://there.invalid/").await;
        match reason {
            None => succeeded(&run),
            Some(reason) => {
                let (found, detail) = failure(&run);
                assert_eq!(found, reason, "{url}: {detail}");
                assert!(detail.contains(part) && !detail.contains("s3cret"), "{url}: {detail}");
            }
        }
    }
}
