//! Peers that hang, lie, flood and break off: each fails with its own reason, in bounded time, and
//! nobody else is held up.

use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use hickory_proto::op::{Message, MessageType, ResponseCode};
use hickory_proto::rr::{RData, Record, RecordType};
use sla_exporter::probe::net::Resolver;
use sla_exporter::probe::{self, Budget, Metric, Module, Reason, Run, Shared};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::time::Instant;

use crate::support::http::{answer, read_request, serve};
use crate::support::pki::Authority;
use crate::support::{failure, module, run, server, succeeded, value};

/// The timeout of the probes here; what hangs takes as long.
const TIMEOUT: Duration = Duration::from_secs(2);
/// What a busy machine may add.
const PATIENCE: Duration = Duration::from_secs(8);

fn http(options: &str) -> std::sync::Arc<Module> {
    module(&format!("{{prober: http, timeout: 2s, http: {options}}}"))
}

/// Probes `address`; the reason must be this one and the text have this part, within the timeout.
async fn check(options: &str, address: &str, reason: Reason, part: &str) -> Run {
    let began = Instant::now();
    let run = run(&http(options), &format!("http://{address}/")).await;
    assert!(began.elapsed() < TIMEOUT + PATIENCE, "took {:?}", began.elapsed());
    let (found, detail) = failure(&run);
    assert_eq!(found, reason, "{detail}");
    assert!(detail.contains(part), "{detail}");
    run
}

/// A server that reads the request and then does as it likes.
async fn after_request<F, R>(then: F) -> String
where
    F: Fn(TcpStream) -> R + Clone + Send + Sync + 'static,
    R: Future<Output = ()> + Send + 'static,
{
    server(move |mut stream| {
        let then = then.clone();
        async move {
            read_request(&mut stream).await;
            then(stream).await;
        }
    })
    .await
}

/// Writes `bytes` again and again until the other side is gone.
async fn flood(mut stream: TcpStream, first: &[u8], bytes: &[u8]) {
    let _ = stream.write_all(first).await;
    while stream.write_all(bytes).await.is_ok() {}
}

async fn hang(stream: TcpStream) {
    std::future::pending::<()>().await;
    drop(stream);
}

#[tokio::test]
async fn a_peer_that_says_nothing_times_out_and_the_stage_is_told() {
    let silent = server(hang).await;
    let run = check("{}", &silent, Reason::Timeout, "while waiting for the response").await;
    assert!(value(&run, Metric::IpProtocol).is_some(), "what was found out before the timeout is kept");
    let began = Instant::now();
    let run = crate::support::run(&http("{}"), &format!("https://{silent}/")).await;
    assert_eq!(failure(&run).0, Reason::Timeout);
    assert!(failure(&run).1.contains("TLS handshake"), "{:?}", run.failure);
    assert!(began.elapsed() < TIMEOUT + PATIENCE);
}

#[tokio::test]
async fn a_peer_that_accepts_but_never_answers_at_all_does_so_too() {
    // A full backlog of a listener nobody accepts on would block: here the connection stands, and nothing follows.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    check("{}", &listener.local_addr().unwrap().to_string(), Reason::Timeout, "waiting").await;
}

#[tokio::test]
async fn a_closed_port_refuses_at_once() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    drop(listener);
    check("{}", &address, Reason::Refused, "refused").await;
}

#[tokio::test]
async fn a_reset_is_a_reset_whenever_it_comes() {
    async fn reset(stream: TcpStream) {
        stream.set_zero_linger().unwrap();
    }
    let at_once = server(reset).await;
    check("{}", &at_once, Reason::Reset, "").await;
    let run = crate::support::run(&http("{}"), &format!("https://{at_once}/")).await;
    assert_eq!(failure(&run).0, Reason::Reset, "{:?}", run.failure);
    check("{}", &after_request(reset).await, Reason::Reset, "").await;
    let in_the_body = after_request(|mut stream| async move {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart").await;
        tokio::time::sleep(Duration::from_millis(100)).await;
        stream.set_zero_linger().unwrap();
    })
    .await;
    check("{}", &in_the_body, Reason::Reset, "").await;
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_a_reset() {
    for part in [
        "",
        "HTTP/1.1 20",
        "HTTP/1.1 200 OK\r\nContent-Le",
        "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
    ] {
        let half = after_request(move |mut stream| async move {
            let _ = stream.write_all(part.as_bytes()).await;
        })
        .await;
        check("{}", &half, Reason::Reset, "").await;
    }
}

#[tokio::test]
async fn what_is_not_http_is_a_protocol_error() {
    for garbage in [
        "SSH-2.0-OpenSSH_9.2\r\n",
        "220 mail.example ESMTP\r\n",
        "\0\x01\x02\x03\x04\x05\x06\x07 and more of it\r\n\r\n",
        "HTTP/1.1 abc OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nno colon here\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffffff\r\nabc\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    ] {
        let liar = after_request(move |mut stream| async move {
            let _ = stream.write_all(garbage.as_bytes()).await;
            let _ = stream.read_to_end(&mut Vec::new()).await;
        })
        .await;
        check("{}", &liar, Reason::Protocol, "").await;
    }
}

#[tokio::test]
async fn an_endless_body_stops_at_the_limit() {
    for head in ["HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"] {
        let chunk =
            if head.contains("chunked") { format!("4000\r\n{}\r\n", "x".repeat(0x4000)) } else { "x".repeat(0x4000) };
        let endless = after_request(move |stream| {
            let chunk = chunk.clone();
            async move { flood(stream, head.as_bytes(), chunk.as_bytes()).await }
        })
        .await;
        check("{body_size_limit: 1MB}", &endless, Reason::TooLarge, "1048576 bytes").await;
        check("{}", &endless, Reason::TooLarge, "10485760 bytes").await;
        check("{fail_if_body_matches_regexp: [y]}", &endless, Reason::TooLarge, "body_size_limit").await;
    }
}

#[tokio::test]
async fn a_length_that_is_announced_too_large_is_not_read_at_all() {
    let huge = serve(|_| b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n".to_vec()).await;
    let run = check("{}", &huge.address, Reason::TooLarge, "body_size_limit").await;
    assert_eq!(value(&run, Metric::HttpContentLength), Some(99_999_999_999.0));
}

#[tokio::test]
async fn one_byte_a_second_runs_into_the_timeout() {
    let slow_body = after_request(|mut stream| async move {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n").await;
        while stream.write_all(b"x").await.is_ok() {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    })
    .await;
    let run = check("{}", &slow_body, Reason::Timeout, "while reading the body").await;
    assert_eq!(value(&run, Metric::HttpStatusCode), Some(200.0));
    let slow_head = after_request(|mut stream| async move {
        for byte in b"HTTP/1.1 200 OK\r\n\r\n" {
            if stream.write_all(&[*byte]).await.is_err() {
                return;
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    })
    .await;
    check("{}", &slow_head, Reason::Timeout, "while waiting for the response").await;
}

#[tokio::test]
async fn endless_and_huge_headers_stop_at_the_limit() {
    let endless =
        after_request(|stream| async move { flood(stream, b"HTTP/1.1 200 OK\r\n", b"X-More: and more\r\n").await })
            .await;
    check("{}", &endless, Reason::TooLarge, "headers").await;
    let huge =
        after_request(|stream| async move { flood(stream, b"HTTP/1.1 200 OK\r\nX-Huge: ", b"xxxxxxxx").await }).await;
    check("{}", &huge, Reason::TooLarge, "headers").await;
    let interim =
        after_request(|stream| async move { flood(stream, b"", b"HTTP/1.1 100 Continue\r\n\r\n").await }).await;
    check("{}", &interim, Reason::Timeout, "waiting").await;
}

#[tokio::test]
async fn a_redirect_loop_ends() {
    let to_itself = serve(|_| answer(302, "Location: /\r\n", "")).await;
    let run = check("{}", &to_itself.address, Reason::Redirect, "more than 10 redirects").await;
    // As in blackbox_exporter, the one that is not followed counts too.
    assert_eq!(value(&run, Metric::HttpRedirects), Some(11.0));
    assert_eq!(to_itself.requests().len(), 11);
}

#[tokio::test]
async fn a_redirect_shows_no_secret_of_the_peer() {
    let server = serve(|_| answer(302, "Location: /login?token=geheim\r\n", "")).await;
    let run = check("{}", &server.address, Reason::Redirect, "/login").await;
    assert!(!failure(&run).1.contains("geheim"), "{:?}", run.failure);
}

#[tokio::test]
async fn a_gzip_bomb_does_not_go_off() {
    use std::io::Write as _;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    for _ in 0..256 {
        encoder.write_all(&[0; 1 << 20]).unwrap();
    }
    let body = encoder.finish().unwrap();
    let head = format!("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n", body.len());
    let bomb = serve(move |_| [head.as_bytes(), &body].concat()).await;
    check("{compression: gzip}", &bomb.address, Reason::TooLarge, "body_size_limit").await;
    check("{compression: gzip, fail_if_body_matches_regexp: [x]}", &bomb.address, Reason::TooLarge, "").await;
}

// --- HTTP/2

/// A server that agrees on HTTP/2 and then does as it likes.
async fn over_h2<F, R>(then: F) -> String
where
    F: Fn(tokio_rustls::server::TlsStream<TcpStream>) -> R + Clone + Send + Sync + 'static,
    R: Future<Output = ()> + Send + 'static,
{
    let acceptor = Authority::new("root").issue(&["127.0.0.1"], (2020, 2080)).acceptor(&["h2"], None);
    server(move |stream| {
        let (acceptor, then) = (acceptor.clone(), then.clone());
        async move {
            if let Ok(stream) = acceptor.accept(stream).await {
                then(stream).await;
            }
        }
    })
    .await
}

/// Settings, as every HTTP/2 conversation begins.
const H2_SETTINGS: &[u8] = b"\0\0\0\x04\0\0\0\0\0";

#[tokio::test]
async fn http2_peers_that_hang_lie_flood_or_leave_fail_as_those_of_http1_do() {
    let silent = over_h2(|stream| async move {
        std::future::pending::<()>().await;
        drop(stream);
    })
    .await;
    let half = over_h2(|mut stream| async move {
        let _ = stream.write_all(H2_SETTINGS).await;
        std::future::pending::<()>().await;
    })
    .await;
    let liar = over_h2(|mut stream| async move {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
        let _ = stream.read_to_end(&mut Vec::new()).await;
    })
    .await;
    let leaver = over_h2(|mut stream| async move {
        let _ = stream.write_all(H2_SETTINGS).await;
        let _ = stream.shutdown().await;
    })
    .await;
    // HEADERS without an end, then CONTINUATION after CONTINUATION of a header that never ends.
    let endless = over_h2(|mut stream| async move {
        let _ = stream.write_all(H2_SETTINGS).await;
        let _ = stream.read(&mut [0; 4096]).await;
        let _ = stream.write_all(b"\0\0\x01\x01\0\0\0\0\x01\x88").await;
        let mut frame = b"\0\x40\0\x09\0\0\0\0\x01".to_vec();
        // A literal header `a` with an empty value, 4096 times.
        frame.extend(b"\x00\x01a\x00".repeat(4096));
        while stream.write_all(&frame).await.is_ok() {}
    })
    .await;
    let module = http("{tls_config: {insecure_skip_verify: true}}");
    for (address, reasons) in [
        (&silent, &[Reason::Timeout][..]),
        (&half, &[Reason::Timeout]),
        (&liar, &[Reason::Protocol]),
        (&leaver, &[Reason::Reset]),
        (&endless, &[Reason::Protocol, Reason::TooLarge, Reason::Reset]),
    ] {
        let began = Instant::now();
        let run = run(&module, &format!("https://{address}/")).await;
        assert!(began.elapsed() < TIMEOUT + PATIENCE, "took {:?}", began.elapsed());
        let (reason, detail) = failure(&run);
        println!("{reason}: {detail}");
        assert!(reasons.contains(&reason), "{reason}: {detail}; expected {reasons:?}");
        assert!(value(&run, Metric::SslEarliestCertExpiry).is_some());
    }
}

// --- names

/// A name server that knows `known.example`, is silent about `silent.example` and denies everything else.
async fn name_server() -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut buffer = [0; 1024];
        while let Ok((length, peer)) = socket.recv_from(&mut buffer).await {
            let Ok(mut message) = Message::from_vec(&buffer[..length]) else { continue };
            let query = message.queries[0].clone();
            message.metadata.message_type = MessageType::Response;
            let name = query.name().to_ascii();
            match name.trim_end_matches('.') {
                "silent.example" => continue,
                "broken.example" => message.metadata.response_code = ResponseCode::ServFail,
                "known.example" if query.query_type() == RecordType::A => {
                    let record = Record::from_rdata(query.name().clone(), 60, RData::A(Ipv4Addr::LOCALHOST.into()));
                    message.answers.push(record);
                }
                "known.example" => {}
                _ => message.metadata.response_code = ResponseCode::NXDomain,
            }
            let _ = socket.send_to(&message.to_vec().unwrap(), peer).await;
        }
    });
    address
}

async fn run_with(resolver: Resolver, options: &str, target: &str) -> Run {
    let shared = Shared { resolver, ..Shared::new() };
    let budget = Budget { timeout: Duration::from_secs(20), attempts: 1, spare: Duration::ZERO };
    probe::run(&http(options), target, budget, &shared).await
}

#[tokio::test]
async fn names_are_asked_for_and_what_is_not_there_is_said() {
    let servers = [name_server().await];
    let healthy = serve(|_| answer(200, "", "")).await;
    let port = healthy.address.rsplit_once(':').unwrap().1;
    let probe = |name: &str, options: &'static str| {
        let target = format!("http://{name}:{port}/");
        async move { run_with(Resolver::with_name_servers(&servers, ""), options, &target).await }
    };
    // Preferred is IPv6, which the name has not.
    let run = probe("known.example", "{}").await;
    succeeded(&run);
    assert_eq!(value(&run, Metric::IpProtocol), Some(4.0));
    assert!(value(&run, Metric::DnsLookupTime).unwrap() > 0.0);
    for (name, options, part) in [
        ("known.example", "{ip_protocol_fallback: false}", "no address"),
        ("unknown.example", "{}", "NXDOMAIN"),
        ("broken.example", "{}", "Server Failure"),
        ("silent.example", "{}", "do not answer"),
    ] {
        let run = probe(name, options).await;
        let (reason, detail) = failure(&run);
        assert_eq!(reason, Reason::Dns, "{detail}");
        assert!(detail.contains(part) && detail.contains(name), "{detail}");
        assert_eq!(value(&run, Metric::IpProtocol), None);
    }
}

#[tokio::test]
async fn every_run_asks_again() {
    // No cache: the name is there, then its server is gone.
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    let asked = std::sync::Arc::new(std::sync::atomic::AtomicU32::new(0));
    let count = std::sync::Arc::clone(&asked);
    tokio::spawn(async move {
        let mut buffer = [0; 1024];
        while let Ok((length, peer)) = socket.recv_from(&mut buffer).await {
            let mut message = Message::from_vec(&buffer[..length]).unwrap();
            let query = message.queries[0].clone();
            message.metadata.message_type = MessageType::Response;
            if query.query_type() == RecordType::A {
                count.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                let record = Record::from_rdata(query.name().clone(), 3600, RData::A(Ipv4Addr::LOCALHOST.into()));
                message.answers.push(record);
            }
            let _ = socket.send_to(&message.to_vec().unwrap(), peer).await;
        }
    });
    let resolver = Resolver::with_name_servers(&[address], "");
    let choice = probe::net::IpChoice { prefer_v6: false, fallback: false };
    for n in 1..=3 {
        resolver.resolve("again.example", choice, &mut probe::Samples::new()).await.unwrap();
        assert_eq!(asked.load(std::sync::atomic::Ordering::SeqCst), n);
    }
}

// --- beside healthy ones

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn healthy_targets_beside_hostile_ones_do_not_notice() {
    let silent = server(hang).await;
    let endless =
        after_request(|stream| async move { flood(stream, b"HTTP/1.1 200 OK\r\n\r\n", &[b'x'; 4096]).await }).await;
    let headers =
        after_request(|stream| async move { flood(stream, b"HTTP/1.1 200 OK\r\n", b"X-More: and more\r\n").await })
            .await;
    let looping = serve(|_| answer(302, "Location: /\r\n", "")).await.address;
    let healthy = serve(|_| answer(200, "", "ok")).await.address;
    let module = http("{}");
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..10 {
        for (address, good) in
            [(&silent, false), (&endless, false), (&headers, false), (&looping, false), (&healthy, true)]
        {
            let (module, target) = (std::sync::Arc::clone(&module), format!("http://{address}/"));
            tasks.spawn(async move { (run(&module, &target).await, good) });
        }
    }
    while let Some(done) = tasks.join_next().await {
        let (run, good) = done.unwrap();
        if good {
            succeeded(&run);
            assert!(run.duration < TIMEOUT, "a healthy one took {:?}", run.duration);
        } else {
            failure(&run);
        }
    }
}
