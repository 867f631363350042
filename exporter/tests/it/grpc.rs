//! The `grpc` prober against another library's health server, and against peers that only look like one.

use std::convert::Infallible;
use std::future::Future;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::header::HeaderMap;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use sla_exporter::probe::{Extra, Metric, Reason, Run};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tonic_health::ServingStatus;
use tonic_health::server::{HealthReporter, health_reporter};
use tower_service::Service as _;

use crate::reasons::case;
use crate::reasons::peers::wants_certificate;
use crate::support::pki::{Authority, start_of};
use crate::support::{closed, documented, failure, info, module, phase, run, server, succeeded, value};

const YEARS: (i32, i32) = (2020, 2080);

async fn probe(grpc: &str, target: &str) -> Run {
    run(&module(&format!("{{prober: grpc, timeout: 5s, grpc: {grpc}}}")), target).await
}

/// What the run shows of the service: the statuses that are 1.
fn serving(run: &Run) -> Vec<&str> {
    let all: Vec<_> = run.samples.iter().filter(|s| s.metric == Metric::GrpcHealthcheckResponse).collect();
    assert_eq!(all.len(), 4, "{all:?}");
    let shown = all.into_iter().filter(|s| s.value > 0.0).map(|s| match &s.extra {
        Extra::Rendered(text) => text.strip_prefix("serving_status=\"").unwrap().trim_end_matches('"'),
        other => panic!("{other:?}"),
    });
    shown.collect()
}

/// Serves HTTP/2 on one connection.
async fn http2<S, F, R, B>(stream: S, answer: F)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    F: Fn(Request<Incoming>) -> R,
    R: Future<Output = Result<Response<B>, Infallible>> + Send + 'static,
    B: hyper::body::Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let _ = http2::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service_fn(answer)).await;
}

/// A server of another library that knows the services `up` and `down`; its reporter, and where it is.
async fn health(tls: Option<tokio_rustls::TlsAcceptor>) -> (HealthReporter, String) {
    let (reporter, service) = health_reporter();
    reporter.set_service_status("up", ServingStatus::Serving).await;
    reporter.set_service_status("down", ServingStatus::NotServing).await;
    reporter.set_service_status("unknown", ServingStatus::Unknown).await;
    let address = server(move |stream| {
        let (service, tls) = (service.clone(), tls.clone());
        async move {
            let ask = move |request| service.clone().call(request);
            match tls {
                None => http2(stream, ask).await,
                Some(tls) => {
                    if let Ok(stream) = tls.accept(stream).await {
                        http2(stream, ask).await;
                    }
                }
            }
        }
    })
    .await;
    (reporter, address)
}

#[tokio::test]
async fn a_service_that_serves_is_up_and_others_are_not() {
    let (reporter, target) = health(None).await;
    for (service, code, shown, why) in [
        ("", 0.0, vec!["SERVING"], None),
        ("up", 0.0, vec!["SERVING"], None),
        ("down", 0.0, vec!["NOT_SERVING"], Some("`down` says NOT_SERVING of itself")),
        ("unknown", 0.0, vec!["UNKNOWN"], Some("`unknown` says UNKNOWN of itself")),
        ("nobody", 5.0, vec![], Some("asked about `nobody`, the server answered NOT_FOUND")),
    ] {
        let run = probe(&format!("{{service: '{service}'}}"), &target).await;
        match why {
            None => succeeded(&run),
            Some(why) => {
                assert_eq!(failure(&run).0, Reason::Status, "{service}");
                assert!(failure(&run).1.contains(why), "{service}: {:?}", run.failure);
            }
        }
        assert_eq!(serving(&run), shown, "{service}");
        assert_eq!(value(&run, Metric::GrpcStatusCode), Some(code), "{service}");
        assert_eq!(value(&run, Metric::GrpcSsl), Some(0.0));
        assert_eq!(value(&run, Metric::IpProtocol), Some(4.0));
        assert!(phase(&run, Metric::GrpcDuration, "check").is_some_and(|seconds| seconds > 0.0));
        assert!(phase(&run, Metric::GrpcDuration, "resolve").is_some());
        assert_eq!(info(&run, Metric::TlsVersionInfo), None);
    }
    // As a server that shuts down says it.
    reporter.set_service_status("", ServingStatus::NotServing).await;
    assert_eq!(serving(&probe("{}", &target).await), ["NOT_SERVING"]);
    reporter.set_service_status("", ServingStatus::Serving).await;
    succeeded(&probe("{}", &format!("http://{target}")).await);
}

#[tokio::test]
async fn under_tls_the_certificate_shows_and_must_verify() {
    let folder = tempfile::tempdir().unwrap();
    let root = Authority::new("root");
    let ca = root.write(folder.path());
    let acceptor = root.issue(&["localhost"], YEARS).acceptor(&["h2"], None);
    let (_, target) = health(Some(acceptor)).await;
    let named = target.replace("127.0.0.1", "localhost");
    let trusting = format!("{{tls: true, preferred_ip_protocol: ip4, tls_config: {{ca_file: {}}}}}", ca.display());
    for target in [named.clone(), format!("https://{named}")] {
        let run = probe(&trusting, &target).await;
        succeeded(&run);
        assert_eq!(serving(&run), ["SERVING"]);
        assert_eq!(value(&run, Metric::GrpcSsl), Some(1.0));
        assert_eq!(value(&run, Metric::SslEarliestCertExpiry), Some(start_of(2080)));
        assert_eq!(info(&run, Metric::TlsVersionInfo), Some(r#"version="TLS 1.3""#));
        assert!(info(&run, Metric::SslLastChainInfo).unwrap().contains("fingerprint_sha256"));
    }
    // Another name, nobody's certificate: its expiry shows all the same.
    for (grpc, target) in [(trusting.as_str(), &target), ("{tls: true}", &named)] {
        let run = probe(grpc, target).await;
        assert_eq!(failure(&run).0, Reason::Certificate, "{:?}", run.failure);
        assert_eq!(value(&run, Metric::SslEarliestCertExpiry), Some(start_of(2080)));
        assert_eq!(value(&run, Metric::GrpcStatusCode), Some(14.0));
        assert_eq!(value(&run, Metric::GrpcSsl), Some(0.0));
        assert_eq!(serving(&run), Vec::<&str>::new());
    }
    succeeded(&probe("{tls: true, tls_config: {insecure_skip_verify: true}}", &target).await);
    // Plain text where TLS is wanted, and the other way round.
    assert!([Reason::Protocol, Reason::Reset].contains(&failure(&probe("{}", &target).await).0));
    let (_, plain) = health(None).await;
    let run = probe("{tls: true}", &plain).await;
    assert!([Reason::Tls, Reason::Reset].contains(&failure(&run).0), "{:?}", run.failure);
}

#[tokio::test]
async fn a_server_that_does_not_agree_to_http2_under_tls_fails_as_it_does_for_its_clients() {
    let folder = tempfile::tempdir().unwrap();
    let root = Authority::new("root");
    let ca = root.write(folder.path());
    let (_, target) = health(Some(root.issue(&["127.0.0.1"], YEARS).acceptor(&[], None))).await;
    let run = probe(&format!("{{tls: true, tls_config: {{ca_file: {}}}}}", ca.display()), &target).await;
    assert_eq!(failure(&run).0, Reason::Tls);
    assert!(failure(&run).1.contains("ALPN"), "{:?}", run.failure);
    assert_eq!(value(&run, Metric::GrpcSsl), Some(1.0));
}

#[tokio::test]
async fn a_client_certificate_is_shown_where_it_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let root = Authority::new("root");
    let ca = root.write(folder.path());
    let (cert, key) = root.issue(&["client"], YEARS).write(folder.path());
    let (_, target) = health(Some(root.issue(&["127.0.0.1"], YEARS).acceptor(&["h2"], Some(&root)))).await;
    let tls = |more: &str| format!("{{tls: true, tls_config: {{ca_file: {}{more}}}}}", ca.display());
    let with = tls(&format!(", cert_file: {}, key_file: {}", cert.display(), key.display()));
    succeeded(&probe(&with, &target).await);
    let run = probe(&tls(""), &target).await;
    assert_eq!(failure(&run).0, Reason::ClientCertificate, "{:?}", run.failure);
    assert!(failure(&run).1.contains("asks for a client certificate"), "{:?}", run.failure);
    assert_eq!(value(&run, Metric::GrpcStatusCode), Some(14.0));
}

/// Answers every call with this.
async fn answering<B>(answer: impl Fn(HeaderMap) -> Response<B> + Clone + Send + Sync + 'static) -> String
where
    B: hyper::body::Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    server(move |stream| {
        let answer = answer.clone();
        http2(stream, move |request| {
            let answer = answer(request.headers().clone());
            async move {
                // The question arrives whole, before the answer goes out.
                let question = request.into_body().collect().await.unwrap().to_bytes();
                assert_eq!(&question[..1], [0]);
                Ok(answer)
            }
        })
    })
    .await
}

fn grpc() -> hyper::http::response::Builder {
    Response::builder().header("content-type", "application/grpc")
}

fn body(text: &str) -> Full<Bytes> {
    Full::new(Bytes::copy_from_slice(text.as_bytes()))
}

#[tokio::test]
async fn a_status_says_what_it_means_and_its_text() {
    for (status, message, code, part) in [
        (
            "12",
            "unknown%20service",
            12.0,
            "the server answered UNIMPLEMENTED: it has no health service (grpc.health.v1.Health); it says: unknown service",
        ),
        ("14", "", 14.0, "the server answered UNAVAILABLE"),
        ("99", "x", 2.0, "the server answered UNKNOWN; it says: x"),
    ] {
        let target = answering(move |_| {
            grpc().header("grpc-status", status).header("grpc-message", message).body(body("")).unwrap()
        })
        .await;
        let run = probe("{}", &target).await;
        assert_eq!(failure(&run).0, Reason::Status);
        assert!(failure(&run).1.contains(part), "{:?}", run.failure);
        assert_eq!(value(&run, Metric::GrpcStatusCode), Some(code));
        assert_eq!(serving(&run), Vec::<&str>::new());
    }
}

#[tokio::test]
async fn what_only_looks_like_an_answer_is_none() {
    for (kind, status, reason, code, part) in [
        ("text/html", 200, Reason::Protocol, 2.0, "should be `application/grpc`, found `text/html`"),
        ("", 200, Reason::Protocol, 2.0, "found none"),
        ("text/html", 503, Reason::Status, 14.0, "HTTP status 503"),
        ("text/html", 404, Reason::Status, 12.0, "HTTP status 404"),
        ("application/grpc", 200, Reason::Protocol, 2.0, "without gRPC's status"),
    ] {
        let target = answering(move |_| {
            let answer = Response::builder().status(status);
            let answer = if kind.is_empty() { answer } else { answer.header("content-type", kind) };
            answer.body(body("<h1>hello</h1>")).unwrap()
        })
        .await;
        let run = probe("{}", &target).await;
        assert_eq!(failure(&run).0, reason, "{kind} {status}: {:?}", run.failure);
        assert!(failure(&run).1.contains(part), "{kind} {status}: {:?}", run.failure);
        assert_eq!(value(&run, Metric::GrpcStatusCode), Some(code), "{kind} {status}");
    }
    for words in
        [&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], b"SSH-2.0-OpenSSH\r\n", b"\xff\xff\xff\xff\xff\xff\xff\xff\xff"]
    {
        let target = server(move |mut stream| async move {
            let _ = stream.write_all(words).await;
            let _ = stream.read_to_end(&mut Vec::new()).await;
        })
        .await;
        let run = probe("{}", &target).await;
        assert_eq!(failure(&run).0, Reason::Protocol, "{}: {:?}", words.escape_ascii(), run.failure);
        assert!(failure(&run).1.contains("is it a gRPC server"), "{:?}", run.failure);
    }
}

/// A body of these frames, and the trailers behind it.
fn framed(
    frames: Vec<Bytes>,
    trailers: &[(&'static str, &'static str)],
) -> impl hyper::body::Body<Data = Bytes, Error = Infallible> + Send + use<> {
    let trailers: HeaderMap =
        trailers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
    let frames = frames.into_iter().map(Frame::data).chain([Frame::trailers(trailers)]);
    StreamBody::new(futures_util::stream::iter(frames.map(Ok)))
}

#[tokio::test]
async fn an_answer_is_bounded_and_may_come_in_pieces() {
    let pieces = || [&b"\0\0"[..], b"\0\0\x02", b"\x08", b"\x01"].map(Bytes::from_static).to_vec();
    // Some libraries cannot read these details; nobody needs them.
    let ok = [("grpc-status", "0"), ("grpc-status-details-bin", "!!!")];
    let target = answering(move |_| grpc().body(framed(pieces(), &ok)).unwrap()).await;
    succeeded(&probe("{}", &target).await);

    let endless = || vec![Bytes::from(vec![0; 16 << 10]); 64];
    let target = answering(move |_| grpc().body(framed(endless(), &[("grpc-status", "0")])).unwrap()).await;
    let run = probe("{}", &target).await;
    assert_eq!(failure(&run).0, Reason::TooLarge, "{:?}", run.failure);
    assert!(failure(&run).1.contains("4 KiB"), "{:?}", run.failure);

    let late = || vec![Bytes::from_static(b"\0\0\0\0\x02\x08\x01")];
    let target =
        answering(move |_| grpc().body(framed(late(), &[("grpc-status", "8"), ("grpc-message", "busy")])).unwrap())
            .await;
    let run = probe("{}", &target).await;
    assert!(failure(&run).1.contains("RESOURCE_EXHAUSTED; it says: busy"), "{:?}", run.failure);
}

#[tokio::test]
async fn metadata_arrives_and_is_not_shown_when_the_server_repeats_it() {
    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("token");
    std::fs::write(&token, "Bearer S3CRET\n").unwrap();
    let target = answering(|headers| {
        let of = |name: &str| headers.get_all(name).iter().map(|v| v.to_str().unwrap()).collect::<Vec<_>>().join("|");
        let names = ["x-tenant", "authorization", "te", "content-type", "user-agent", "grpc-timeout", ":authority"];
        let text = names.map(of).join(",").replace(' ', "%20");
        grpc().header("grpc-status", "7").header("grpc-message", text).body(body("")).unwrap()
    })
    .await;
    let run = probe(
        &format!("{{metadata: {{x-tenant: [a, b]}}, metadata_files: {{authorization: {}}}}}", token.display()),
        &target,
    )
    .await;
    let said = failure(&run).1;
    assert!(
        said.contains("PERMISSION_DENIED; it says: a|b,<secret>,trailers,application/grpc,sla-exporter/"),
        "{said}"
    );
    assert!(said.contains(",5000m,"), "{said}");
    std::fs::remove_file(&token).unwrap();
    let secret = module(&format!("{{prober: grpc, timeout: 5s, grpc: {{metadata_files: {{authorization: {}}}}}}}", {
        std::fs::write(&token, "a").unwrap();
        token.display()
    }));
    assert!(secret.sends_credentials());
    std::fs::remove_file(&token).unwrap();
    assert_eq!(failure(&run_of(&secret, &target).await).0, Reason::Permission);
}

async fn run_of(module: &sla_exporter::probe::Module, target: &str) -> Run {
    run(module, target).await
}

#[tokio::test]
async fn silence_is_a_deadline_and_a_closed_door_unavailable() {
    let target = server(|mut stream| async move {
        let _ = stream.read_to_end(&mut Vec::new()).await;
    })
    .await;
    let run = run_of(&module("{prober: grpc, timeout: 300ms}"), &target).await;
    assert_eq!(failure(&run), (Reason::Timeout, "no result after 300ms, while waiting for the answer"));
    assert_eq!(value(&run, Metric::GrpcStatusCode), Some(4.0));
    assert!(run.duration < Duration::from_secs(5));

    let target = server(|stream| async move { drop(stream) }).await;
    let run = probe("{}", &target).await;
    assert_eq!(failure(&run).0, Reason::Reset, "{:?}", run.failure);
    assert_eq!(value(&run, Metric::GrpcStatusCode), Some(14.0));

    let run = probe("{}", "no-such-host.invalid:1").await;
    assert_eq!(failure(&run).0, Reason::Dns);
    assert_eq!(value(&run, Metric::GrpcStatusCode), Some(14.0));
}

/// A frame of HTTP/2.
fn frame(kind: u8, flags: u8, stream: u8, payload: &[u8]) -> Vec<u8> {
    let length = u8::try_from(payload.len()).unwrap();
    [&[0, 0, length, kind, flags, 0, 0, 0, stream][..], payload].concat()
}

/// A header as HPACK has it without any table.
fn header(name: &str, value: &str) -> Vec<u8> {
    let length = |text: &str| [u8::try_from(text.len()).unwrap()];
    [&[0][..], &length(name), name.as_bytes(), &length(value), value.as_bytes()].concat()
}

/// What a server says in bytes, once it was asked.
async fn in_bytes(bytes: Vec<u8>) -> String {
    server(move |mut stream| {
        let bytes = bytes.clone();
        async move {
            let mut heard = Vec::new();
            // The name of the method is in Huffman's code; what is behind it is the question's own frame.
            while heard.len() < 24 || !heard.ends_with(&[0; 5]) {
                match stream.read_buf(&mut heard).await {
                    Ok(count) if count > 0 => {}
                    _ => return,
                }
            }
            let _ = stream.write_all(&bytes).await;
            let _ = stream.shutdown().await;
            let _ = stream.read_to_end(&mut Vec::new()).await;
        }
    })
    .await
}

#[tokio::test]
async fn an_answer_with_any_bytes_changed_is_judged_and_nothing_else_happens() {
    let head = [&[0x88][..], &header("content-type", "application/grpc")].concat();
    let good = [
        frame(4, 0, 0, &[]),
        frame(4, 1, 0, &[]),
        frame(1, 4, 1, &head),
        frame(0, 0, 1, b"\0\0\0\0\x02\x08\x01"),
        frame(1, 5, 1, &header("grpc-status", "0")),
    ]
    .concat();
    succeeded(&probe("{}", &in_bytes(good.clone()).await).await);
    let grpc = module("{prober: grpc, timeout: 1s}");
    let seed = fastrand::u64(..);
    let mut random = fastrand::Rng::with_seed(seed);
    for _ in 0..200 {
        let mut bytes = good.clone();
        for _ in 0..random.usize(1..4) {
            let at = random.usize(..bytes.len());
            bytes[at] = random.u8(..);
        }
        if random.bool() {
            bytes.truncate(random.usize(..bytes.len()));
        }
        let run = run_of(&grpc, &in_bytes(bytes.clone()).await).await;
        let reason = run.failure.as_ref().map(|failure| failure.reason);
        assert_ne!(reason, Some(Reason::Internal), "seed {seed}: {} {:?}", bytes.escape_ascii(), run.failure);
        assert!(run.duration < Duration::from_secs(5), "seed {seed}: {}", bytes.escape_ascii());
    }
}

#[tokio::test]
async fn nothing_stays_behind_of_a_run_however_it_ends() {
    let (_, target) = health(None).await;
    let silent = server(|mut stream| async move {
        let _ = stream.read_to_end(&mut Vec::new()).await;
    })
    .await;
    let metrics = tokio::runtime::Handle::current().metrics();
    let before = metrics.num_alive_tasks();
    let (good, late) = (module("{prober: grpc, timeout: 5s}"), module("{prober: grpc, timeout: 20ms}"));
    for _ in 0..20 {
        succeeded(&run_of(&good, &target).await);
        assert_eq!(failure(&run_of(&late, &silent).await).0, Reason::Timeout);
    }
    let deadline = tokio::time::Instant::now() + Duration::from_secs(10);
    while metrics.num_alive_tasks() > before {
        assert!(tokio::time::Instant::now() < deadline, "{} tasks, {before} before", metrics.num_alive_tasks());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Every reason of the page.
pub(crate) async fn provoke() {
    let root = Authority::new("root");
    let folder = tempfile::tempdir().unwrap();
    let lines = folder.path().join("lines");
    std::fs::write(&lines, "a\nb").unwrap();
    let lines = format!("{{metadata_files: {{token: {}}}}}", lines.display());
    let (_, plain) = health(None).await;
    let (_, secure) = health(Some(root.issue(&["127.0.0.1"], YEARS).acceptor(&["h2"], None))).await;
    let gone = closed();
    let closes = server(|stream| async move { drop(stream) }).await;
    let silent = server(|mut stream| async move {
        let _ = stream.read_to_end(&mut Vec::new()).await;
    })
    .await;
    let huge = || vec![Bytes::from(vec![0; 8 << 10])];
    let huge = answering(move |_| grpc().body(framed(huge(), &[("grpc-status", "0")])).unwrap()).await;
    let page = answering(|_| Response::new(body("hello"))).await;
    let cases = [
        case(Reason::Dns, &["no-such-host.invalid"], "{}", "no-such-host.invalid"),
        case(Reason::Refused, &["refused"], "{}", gone.clone()),
        case(Reason::Connect, &["192.0.2.1"], "{source_ip_address: 192.0.2.1}", plain.clone()),
        case(Reason::Reset, &["read the answer"], "{}", closes.clone()),
        case(Reason::Timeout, &["while waiting for the answer"], "{}", silent.clone()),
        case(Reason::Tls, &["does not speak TLS"], "{tls: true}", plain.clone()),
        case(Reason::ClientCertificate, &["asks for a client certificate"], "{tls: true}", wants_certificate().await),
        case(Reason::Certificate, &["unknown issuer"], "{tls: true}", secure.clone()),
        case(Reason::Status, &["NOT_SERVING"], "{service: down}", plain.clone()),
        case(Reason::Status, &["NOT_FOUND"], "{service: nobody}", plain.clone()),
        case(Reason::Protocol, &["not gRPC"], "{}", page.clone()),
        case(Reason::TooLarge, &["more than 4 KiB"], "{}", huge.clone()),
        case(Reason::Permission, &["metadata token"], &lines, plain.clone()),
    ];
    crate::reasons::check("grpc", &cases).await;
}

#[test]
fn the_documented_modules_are_accepted() {
    assert!(documented("grpc.md").len() >= 3);
}
