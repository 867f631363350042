//! The `websocket` prober against servers that talk, refuse, lie and never end.

use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use sla_exporter::probe::{Metric, Reason, Run};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::{WebSocketStream, accept_async};

use crate::reasons::case;
use crate::reasons::peers::wants_certificate;
use crate::support::http::read_request;
use crate::support::pki::{Authority, start_of};
use crate::support::{closed, documented, failure, info, module, phase, run, server, succeeded, value};

const YEARS: (i32, i32) = (2020, 2080);

async fn probe(websocket: &str, target: &str) -> Run {
    run(&module(&format!("{{prober: websocket, timeout: 5s, websocket: {websocket}}}")), target).await
}

/// A WebSocket that says `words` first, then what it hears; its URL.
async fn echo(words: &'static [&'static str]) -> String {
    let address = server(move |stream| async move {
        if let Ok(socket) = accept_async(stream).await {
            talk(socket, words).await;
        }
    })
    .await;
    format!("ws://{address}/chat?room=1")
}

async fn talk<S: AsyncRead + AsyncWrite + Unpin>(mut socket: WebSocketStream<S>, words: &[&str]) {
    for word in words {
        let _ = socket.send(Message::text(*word)).await;
    }
    while let Some(Ok(message)) = socket.next().await {
        if message.is_text() || message.is_binary() {
            let _ = socket.send(message).await;
        }
    }
}

#[tokio::test]
async fn a_websocket_is_enough_when_nothing_is_expected() {
    let target = echo(&[]).await;
    let run = probe("{}", &target).await;
    succeeded(&run);
    assert_eq!(value(&run, Metric::WebsocketStatusCode), Some(101.0));
    assert_eq!(value(&run, Metric::WebsocketUpgraded), Some(1.0));
    assert_eq!(value(&run, Metric::WebsocketFailedDueToRegex), Some(0.0));
    assert_eq!(value(&run, Metric::IpProtocol), Some(4.0));
    for name in ["resolve", "connect", "processing", "transfer"] {
        assert!(phase(&run, Metric::WebsocketDuration, name).is_some(), "{name}");
    }
    assert!(phase(&run, Metric::WebsocketDuration, "processing") > Some(0.0));
}

#[tokio::test]
async fn messages_are_matched_one_by_one_and_groups_sent_back() {
    let target = echo(&["welcome 7"]).await;
    let steps = "{query_response: [{expect: '^welcome (.)$', labels: [{name: session, value: '$1'}], send: 'hello ${1}'}, {expect: '^hello 7$'}]}";
    let run = probe(steps, &target).await;
    succeeded(&run);
    assert_eq!(info(&run, Metric::ExpectInfo), Some(r#"session="7""#));
    // A line that does not match is not passed over.
    let run = probe("{query_response: [{expect: '^hello'}]}", &target).await;
    assert_eq!(failure(&run), (Reason::Body, "expected a message that matches `^hello`, found `welcome 7`"));
    assert_eq!(value(&run, Metric::WebsocketFailedDueToRegex), Some(1.0));
    assert_eq!(value(&run, Metric::WebsocketUpgraded), Some(1.0));
}

/// A WebSocket treated with `serve`; its URL.
async fn socket<F, R>(serve: F) -> String
where
    F: Fn(WebSocketStream<TcpStream>) -> R + Clone + Send + Sync + 'static,
    R: Future<Output = ()> + Send + 'static,
{
    let address = server(move |stream| {
        let serve = serve.clone();
        async move {
            if let Ok(socket) = accept_async(stream).await {
                serve(socket).await;
            }
        }
    })
    .await;
    format!("ws://{address}/")
}

#[tokio::test]
async fn bytes_and_pings_and_fragments_are_understood() {
    let (sender, mut pongs) = tokio::sync::mpsc::unbounded_channel();
    let target = socket(move |mut socket| {
        let sender = sender.clone();
        async move {
            let _ = socket.send(Message::Ping("are you there".into())).await;
            let _ = socket.send(Message::binary(&b"\xff ready"[..])).await;
            while let Some(Ok(message)) = socket.next().await {
                let _ = sender.send(message);
            }
        }
    })
    .await;
    succeeded(&probe("{query_response: [{expect: 'ready$', send: bye}]}", &target).await);
    assert_eq!(pongs.recv().await, Some(Message::Pong("are you there".into())));
    assert_eq!(pongs.recv().await, Some(Message::text("bye")));
    assert!(pongs.recv().await.is_some_and(|message| message.is_close()), "a goodbye");

    // One message in three frames.
    let frames = raw(b"\x01\x02re\x00\x01a\x80\x02dy").await;
    succeeded(&probe("{query_response: [{expect: '^ready$'}]}", &frames).await);
}

/// A server that grants a WebSocket and then says these bytes; its URL.
async fn raw(bytes: &'static [u8]) -> String {
    granting(move |mut stream| async move {
        let _ = stream.write_all(bytes).await;
        let _ = stream.read_to_end(&mut Vec::new()).await;
    })
    .await
}

async fn granting<F, R>(then: F) -> String
where
    F: Fn(TcpStream) -> R + Clone + Send + Sync + 'static,
    R: Future<Output = ()> + Send + 'static,
{
    let address = server(move |mut stream| {
        let then = then.clone();
        async move {
            let request = read_request(&mut stream).await;
            let key = request.lines().find_map(|line| line.strip_prefix("sec-websocket-key: ")).unwrap();
            let accept = derive_accept_key(key.as_bytes());
            let answer = format!(
                "HTTP/1.1 101 Ok\r\nUpgrade: WebSocket\r\nConnection: keep-alive, Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
            );
            let _ = stream.write_all(answer.as_bytes()).await;
            then(stream).await;
        }
    })
    .await;
    format!("ws://{address}/")
}

#[tokio::test]
async fn what_is_no_message_fails_for_what_it_is() {
    const EXPECT: &str = "{query_response: [{expect: a}]}";
    for (bytes, reason, part) in [
        (&b"\x88\x07\x03\xf0go on"[..], Reason::Status, "with code 1008: go on"),
        (b"\x88\x02\x03\xe8", Reason::Status, "with code 1000"),
        (b"\x88\x00", Reason::Reset, "without a word"),
        // 84 bytes, by their first two.
        (b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nServer: a\r\nX-Padding: 0123456789\r\n\r\n", Reason::Protocol, "no WebSocket's"),
        (b"\x83\x00", Reason::Protocol, "no WebSocket's"),
        (b"\x81\x81\x01\x02\x03\x04a", Reason::Protocol, "no WebSocket's"),
        (b"\x81\x01\xff", Reason::Protocol, "no WebSocket's"),
        // It announces 2^62 bytes, or 2 MiB.
        (b"\x82\x7f\x40\0\0\0\0\0\0\0", Reason::TooLarge, "at most 1024 KiB"),
        (b"\x82\x7f\0\0\0\0\0\x20\0\0", Reason::TooLarge, "at most 1024 KiB"),
    ] {
        let run = probe(EXPECT, &raw(bytes).await).await;
        assert_eq!(failure(&run).0, reason, "{}: {:?}", bytes.escape_ascii(), run.failure);
        assert!(failure(&run).1.contains(part), "{}: {:?}", bytes.escape_ascii(), run.failure);
        assert_eq!(value(&run, Metric::WebsocketUpgraded), Some(1.0));
        assert_eq!(value(&run, Metric::WebsocketFailedDueToRegex), Some(1.0));
    }
    let gone = granting(|stream| async move { drop(stream) }).await;
    assert_eq!(failure(&probe(EXPECT, &gone).await).0, Reason::Reset);
    // A message of frames without end.
    let endless = granting(|mut stream| async move {
        let _ = stream.write_all(b"\x02\0").await;
        let frame = [&b"\0\x7e\x40\0"[..], &[0; 0x4000]].concat();
        while stream.write_all(&frame).await.is_ok() {}
    })
    .await;
    assert_eq!(failure(&probe(EXPECT, &endless).await).0, Reason::TooLarge);
}

#[tokio::test]
async fn an_answer_that_grants_no_websocket_says_why() {
    for (answer, reason, part, code) in [
        ("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", Reason::Status, "403 Forbidden", 403.0),
        ("HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n", Reason::Status, "not followed", 302.0),
        ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", Reason::Status, "200 OK; 101 is expected", 200.0),
        (
            "HTTP/1.1 101 Ok\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: AAAA\r\n\r\n",
            Reason::Protocol,
            "to another key",
            101.0,
        ),
        ("HTTP/1.1 101 Ok\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n", Reason::Protocol, "header Upgrade", 101.0),
        ("SSH-2.0-OpenSSH\r\n\r\n", Reason::Protocol, "not HTTP", 0.0),
        ("", Reason::Reset, "closed", 0.0),
    ] {
        let address = server(move |mut stream| async move {
            read_request(&mut stream).await;
            let _ = stream.write_all(answer.as_bytes()).await;
        })
        .await;
        let run = probe("{query_response: [{expect: a}]}", &format!("ws://{address}/")).await;
        assert_eq!(failure(&run).0, reason, "{answer}: {:?}", run.failure);
        assert!(failure(&run).1.contains(part), "{answer}: {:?}", run.failure);
        assert_eq!(value(&run, Metric::WebsocketStatusCode), Some(code), "{answer}");
        assert_eq!(value(&run, Metric::WebsocketUpgraded), Some(0.0));
        assert_eq!(value(&run, Metric::WebsocketFailedDueToRegex), Some(0.0));
    }
    let endless = server(|mut stream| async move { while stream.write_all(&[b'x'; 4096]).await.is_ok() {} }).await;
    let run = probe("{}", &format!("ws://{endless}/")).await;
    assert!([Reason::Protocol, Reason::TooLarge].contains(&failure(&run).0), "{:?}", run.failure);
}

#[tokio::test]
async fn the_request_is_the_modules() {
    let folder = tempfile::tempdir().unwrap();
    let (token, cookie) = (folder.path().join("token"), folder.path().join("cookie"));
    std::fs::write(&token, "S3CRET\n").unwrap();
    std::fs::write(&cookie, "session=S3CRET2").unwrap();
    let (sender, mut requests) = tokio::sync::mpsc::unbounded_channel();
    let address = server(move |mut stream| {
        let sender = sender.clone();
        async move {
            let _ = sender.send(read_request(&mut stream).await);
            let _ = stream.write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n").await;
        }
    })
    .await;
    let yaml = format!(
        "{{prober: websocket, timeout: 5s, websocket: {{http_config: {{authorization: {{credentials_file: {}}}}}, \
         headers: {{Origin: {{values: ['https://a']}}, Cookie: {{files: [{}]}}, Sec-WebSocket-Protocol: {{values: [chat]}}}}}}}}",
        token.display(),
        cookie.display()
    );
    let module = module(&yaml);
    assert!(module.sends_credentials() && !format!("{module:?}").contains("S3CRET"));
    let refused = run(&module, &format!("ws://{address}/chat?room=1")).await;
    assert!(!format!("{refused:?}").contains("S3CRET"), "{refused:?}");
    let request = requests.recv().await.unwrap();
    for line in [
        "GET /chat?room=1 HTTP/1.1",
        &format!("host: {address}"),
        "authorization: Bearer S3CRET",
        "cookie: session=S3CRET2",
        "origin: https://a",
        "sec-websocket-protocol: chat",
        "sec-websocket-version: 13",
        "connection: Upgrade",
        "upgrade: websocket",
    ] {
        assert!(request.lines().any(|found| found == line), "{line} in {request}");
    }
    std::fs::remove_file(&token).unwrap();
    assert_eq!(failure(&run(&module, &format!("ws://{address}/")).await).0, Reason::Permission);
}

#[tokio::test]
async fn under_tls_the_certificate_shows_must_verify_and_one_is_sent() {
    let folder = tempfile::tempdir().unwrap();
    let root = Authority::new("root");
    let ca = root.write(folder.path());
    let (cert, key) = root.issue(&["client"], YEARS).write(folder.path());
    let acceptor = root.issue(&["localhost"], YEARS).acceptor(&["http/1.1"], Some(&root));
    let address = server(move |stream| {
        let acceptor = acceptor.clone();
        async move {
            let Ok(stream) = acceptor.accept(stream).await else { return };
            if let Ok(socket) = accept_async(stream).await {
                talk(socket, &["ready"]).await;
            }
        }
    })
    .await;
    let target = format!("wss://{}/", address.replace("127.0.0.1", "localhost"));
    let tls = |more: &str| {
        let ca = ca.display();
        format!(
            "{{preferred_ip_protocol: ip4, http_config: {{tls_config: {{ca_file: {ca}{more}}}}}, query_response: [{{expect: ready}}]}}"
        )
    };
    let mine = format!(", cert_file: {}, key_file: {}", cert.display(), key.display());
    let run = probe(&tls(&mine), &target).await;
    succeeded(&run);
    assert_eq!(value(&run, Metric::SslEarliestCertExpiry), Some(start_of(2080)));
    assert_eq!(info(&run, Metric::TlsVersionInfo), Some(r#"version="TLS 1.3""#));
    let run = probe(&tls(""), &target).await;
    assert_eq!(failure(&run).0, Reason::ClientCertificate, "{:?}", run.failure);
    assert!(failure(&run).1.contains("asks for a client certificate"), "{:?}", run.failure);
    let run = probe(&tls(&mine), &format!("wss://{address}/")).await;
    assert_eq!(failure(&run).0, Reason::Certificate, "{:?}", run.failure);
    assert_eq!(value(&run, Metric::SslEarliestCertExpiry), Some(start_of(2080)));
    assert_eq!(value(&run, Metric::WebsocketStatusCode), Some(0.0));
}

#[tokio::test]
async fn a_server_that_repeats_what_it_was_sent_tells_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("token");
    std::fs::write(&token, "S3CRET-token").unwrap();
    for close in [false, true] {
        let address = server(move |mut stream| async move {
            let request = read_request(&mut stream).await;
            let of = |name: &str| request.lines().find_map(|line| line.strip_prefix(name)).unwrap().to_owned();
            let accept = derive_accept_key(of("sec-websocket-key: ").as_bytes());
            let said = format!("I heard {}", of("authorization: "));
            let length = u8::try_from(said.len() + if close { 2 } else { 0 }).unwrap();
            let frame = if close { vec![0x88, length, 3, 0xf0] } else { vec![0x81, length] };
            let answer = format!(
                "HTTP/1.1 101 Ok\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
            );
            let _ = stream.write_all(&[answer.as_bytes(), &frame, said.as_bytes()].concat()).await;
            let _ = stream.read_to_end(&mut Vec::new()).await;
        })
        .await;
        let yaml = format!(
            "{{http_config: {{authorization: {{credentials_file: {}}}}}, query_response: [{{expect: never}}]}}",
            token.display()
        );
        let run = probe(&yaml, &format!("ws://{address}/")).await;
        let detail = failure(&run).1;
        assert!(detail.contains("I heard Bearer <secret>") && !detail.contains("S3CRET"), "{detail}");
    }
}

#[tokio::test]
async fn a_token_is_fetched_and_another_one_when_it_is_no_longer_taken() {
    let endpoint = {
        let number = std::sync::atomic::AtomicUsize::new(0);
        crate::support::http::serve(move |_| {
            let number = number.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            let body = format!(r#"{{"access_token": "ws-t{number}", "token_type": "Bearer", "expires_in": 3600}}"#);
            crate::support::http::answer(200, "Content-Type: application/json\r\n", &body)
        })
        .await
    };
    // The second time it is shown, the first token has been withdrawn.
    let seen = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let address = server(move |mut stream| {
        let seen = std::sync::Arc::clone(&seen);
        async move {
            let request = read_request(&mut stream).await;
            let of =
                |name: &str| request.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().to_owned();
            let again = seen.fetch_add(1, std::sync::atomic::Ordering::Relaxed) > 0;
            let answer = match of("authorization: ").as_str() {
                "Bearer ws-t0" if again => "HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n".to_owned(),
                _ => format!(
                    "HTTP/1.1 101 Ok\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {}\r\n\r\n",
                    derive_accept_key(of("sec-websocket-key: ").as_bytes())
                ),
            };
            let _ = stream.write_all(answer.as_bytes()).await;
            let _ = stream.read_to_end(&mut Vec::new()).await;
        }
    })
    .await;
    let oauth2 = format!("{{client_id: websocket, token_url: '{}'}}", endpoint.url("/"));
    let yaml = format!("{{prober: websocket, timeout: 5s, websocket: {{http_config: {{oauth2: {oauth2}}}}}}}");
    let module = module(&yaml);
    for tokens in [1, 2, 2] {
        let run = run(&module, &format!("ws://{address}/")).await;
        succeeded(&run);
        assert_eq!(value(&run, Metric::WebsocketStatusCode), Some(101.0));
        assert_eq!(endpoint.requests().len(), tokens);
    }
}

#[tokio::test]
async fn silence_and_pings_without_end_run_into_the_timeout() {
    let silent = server(|mut stream| async move {
        let _ = stream.read_to_end(&mut Vec::new()).await;
    })
    .await;
    let websocket = module("{prober: websocket, timeout: 300ms, websocket: {query_response: [{expect: a}]}}");
    let late = run(&websocket, &format!("ws://{silent}/")).await;
    assert_eq!(failure(&late).0, Reason::Timeout);
    assert!(failure(&late).1.contains("waiting for the answer"), "{:?}", late.failure);
    assert!(late.duration < Duration::from_secs(5));
    let pinging = granting(|mut stream| async move { while stream.write_all(b"\x89\x01a").await.is_ok() {} }).await;
    let late = run(&websocket, &pinging).await;
    assert_eq!(failure(&late).0, Reason::Timeout, "{:?}", late.failure);
    assert!(failure(&late).1.contains("waiting for a message that matches `a`"), "{:?}", late.failure);
    assert!(late.duration < Duration::from_secs(5));
}

#[tokio::test]
async fn frames_with_any_bytes_changed_are_judged_and_nothing_else_happens() {
    // A ping, a message in two frames, a goodbye.
    let good: &[u8] = b"\x89\x02hi\x01\x03rea\x80\x02dy\x88\x05\x03\xe8bye";
    let websocket =
        module("{prober: websocket, timeout: 1s, websocket: {query_response: [{expect: ready}, {expect: never}]}}");
    let seed = fastrand::u64(..);
    let mut random = fastrand::Rng::with_seed(seed);
    for round in 0..200 {
        let mut bytes = good.to_vec();
        for _ in 0..random.usize(1..4).min(round) {
            let at = random.usize(..bytes.len());
            bytes[at] = random.u8(..);
        }
        let said = bytes.clone();
        let target = granting(move |mut stream| {
            let said = said.clone();
            async move {
                let _ = stream.write_all(&said).await;
                let _ = stream.shutdown().await;
                let _ = stream.read_to_end(&mut Vec::new()).await;
            }
        })
        .await;
        let run = run(&websocket, &target).await;
        let (reason, detail) = failure(&run);
        assert_ne!(reason, Reason::Internal, "seed {seed}: {}: {detail}", bytes.escape_ascii());
        assert!(run.duration < Duration::from_secs(5), "seed {seed}: {}", bytes.escape_ascii());
        if round == 0 {
            assert_eq!((reason, detail), (Reason::Status, "the peer closed the WebSocket with code 1000: bye"));
        }
    }
}

#[tokio::test]
async fn nobody_there_is_told_from_no_such_name() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    assert_eq!(failure(&probe("{}", &format!("ws://{address}/")).await).0, Reason::Refused);
    assert_eq!(failure(&probe("{}", "ws://no-such-host.invalid/").await).0, Reason::Dns);
}

/// Every reason of the page.
pub(crate) async fn provoke() {
    let root = Authority::new("root");
    let folder = tempfile::tempdir().unwrap();
    let lines = folder.path().join("lines");
    std::fs::write(&lines, "a\nb").unwrap();
    let lines = format!("{{headers: {{Cookie: {{files: [{}]}}}}}}", lines.display());
    let acceptor = root.issue(&["127.0.0.1"], YEARS).acceptor(&[], None);
    let secure = server(move |stream| {
        let acceptor = acceptor.clone();
        async move { drop(acceptor.accept(stream).await) }
    })
    .await;
    let gone = closed();
    let silent = server(|mut stream| async move {
        let _ = stream.read_to_end(&mut Vec::new()).await;
    })
    .await;
    let mail = server(|mut stream| async move {
        let _ = stream.write_all(b"220 mail.example ESMTP\r\n").await;
        let _ = stream.read_to_end(&mut Vec::new()).await;
    })
    .await;
    let url = |address: &str| format!("ws://{address}/");
    let echo = echo(&["welcome"]).await;
    let expect = "{query_response: [{expect: '^ready'}]}";
    let cases = [
        case(Reason::Dns, &["no-such-host.invalid"], "{}", "ws://no-such-host.invalid/"),
        case(Reason::Refused, &["refused"], "{}", url(&gone)),
        case(Reason::Connect, &["192.0.2.1"], "{source_ip_address: 192.0.2.1}", echo.clone()),
        case(Reason::Reset, &["without a word"], expect, raw(b"\x88\x00").await),
        case(Reason::Timeout, &["request for a WebSocket"], "{}", url(&silent)),
        case(Reason::Tls, &["does not speak TLS"], "{}", format!("wss://{mail}/")),
        case(
            Reason::ClientCertificate,
            &["asks for a client certificate"],
            "{}",
            format!("wss://{}/", wants_certificate().await),
        ),
        case(Reason::Certificate, &["unknown issuer"], "{}", format!("wss://{secure}/")),
        case(Reason::Status, &["code 1008"], expect, raw(b"\x88\x02\x03\xf0").await),
        case(Reason::Protocol, &["no WebSocket's"], expect, raw(b"\x83\x00").await),
        case(Reason::Body, &["found `welcome`"], expect, echo.clone()),
        case(Reason::TooLarge, &["1024 KiB"], expect, raw(b"\x82\x7f\0\0\0\0\0\x20\0\0").await),
        case(Reason::Permission, &["header cookie"], &lines, echo.clone()),
    ];
    crate::reasons::check("websocket", &cases).await;
}

#[test]
fn the_documented_modules_are_accepted() {
    assert!(documented("websocket.md").len() >= 3);
}
