//! The `unix` prober against sockets that answer, are gone, and are not ours.

use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use sla_exporter::probe::{Metric, Reason, Run};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};

use crate::reasons::case;
use crate::reasons::peers::WANTS_CERTIFICATE;
use crate::support::certs::Certs;
use crate::support::{documented, failure, info, module, run, succeeded, value};

async fn probe(unix: &str, target: &str) -> Run {
    run(&module(&format!("{{prober: unix, timeout: 5s, unix: {unix}}}")), target).await
}

/// A socket in a folder of its own that treats every connection with `serve`.
fn server<R>(serve: impl Fn(UnixStream) -> R + Send + 'static) -> (TempDir, String)
where
    R: Future<Output = ()> + Send + 'static,
{
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.sock");
    let listener = UnixListener::bind(&path).unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream));
        }
    });
    (folder, path.display().to_string())
}

async fn say(mut stream: UnixStream, words: &[u8]) {
    let _ = stream.write_all(words).await;
    let _ = stream.read_to_end(&mut Vec::new()).await;
}

#[tokio::test]
async fn a_connection_is_enough_when_nothing_is_expected() {
    let (_folder, target) = server(|stream| async move { drop(stream) });
    let run = probe("{}", &target).await;
    succeeded(&run);
    assert_eq!(value(&run, Metric::FailedDueToRegex), Some(0.0));
    // No name, no address.
    assert_eq!((value(&run, Metric::IpProtocol), value(&run, Metric::DnsLookupTime)), (None, None));
}

#[tokio::test]
async fn a_conversation_is_held_as_over_tcp() {
    let (_folder, target) = server(|mut stream| async move {
        let (reader, mut writer) = stream.split();
        let mut lines = BufReader::new(reader).lines();
        writer.write_all(b"noise\nready 7.1\n").await.unwrap();
        while let Ok(Some(line)) = lines.next_line().await {
            let _ = writer.write_all(format!("heard {line}\n").as_bytes()).await;
        }
    });
    let steps = "{query_response: [
        {expect: '^ready (.*)$', labels: [{name: version, value: '$1'}], send: 'hello ${1}'}, {expect_bytes: 'heard hello'}]}";
    let run = probe(steps, &target).await;
    succeeded(&run);
    assert_eq!(info(&run, Metric::ExpectInfo), Some(r#"version="7.1""#));
    assert_eq!(value(&run, Metric::FailedDueToBytes), Some(0.0));

    let (_folder, target) = server(|mut stream| async move {
        let _ = stream.write_all(b"closing down\n").await;
    });
    let run = probe("{query_response: [{expect: '^ready'}]}", &target).await;
    assert_eq!(failure(&run).0, Reason::Body);
    assert_eq!(value(&run, Metric::FailedDueToRegex), Some(1.0));
}

#[tokio::test]
async fn tls_is_spoken_to_the_name_the_module_gives() {
    let certs = Certs::of(&["backend.example"]);
    let acceptor = certs.demanding_acceptor();
    let (folder, target) = server(move |stream| {
        let acceptor = acceptor.clone();
        async move {
            if let Ok(mut stream) = acceptor.accept(stream).await {
                let _ = stream.write_all(b"ready\n").await;
                let _ = stream.read_to_end(&mut Vec::new()).await;
            }
        }
    });
    let (cert, key) = (folder.path().join("c.pem"), folder.path().join("k.pem"));
    std::fs::write(&cert, &certs.certificate).unwrap();
    std::fs::write(&key, &certs.key).unwrap();
    let options = |name: &str, more: &str| {
        let ca = certs.ca_file();
        format!(
            "{{tls: true, tls_config: {{server_name: {name}, ca_file: {}{more}}}, query_response: [{{expect: ready}}]}}",
            ca.display()
        )
    };
    let mine = format!(", cert_file: {}, key_file: {}", cert.display(), key.display());
    let run = probe(&options("backend.example", &mine), &target).await;
    succeeded(&run);
    assert!(value(&run, Metric::SslEarliestCertExpiry).is_some());
    assert_eq!(info(&run, Metric::TlsVersionInfo), Some(r#"version="TLS 1.3""#));
    assert_eq!(failure(&probe(&options("backend.example", ""), &target).await).0, Reason::ClientCertificate);
    assert_eq!(failure(&probe(&options("other.example", &mine), &target).await).0, Reason::Certificate);
    let careless = format!("{{tls: true, tls_config: {{insecure_skip_verify: true{mine}}}}}");
    succeeded(&probe(&careless, &target).await);
}

#[tokio::test]
async fn tls_begins_where_a_step_says_so() {
    let certs = Certs::of(&["backend.example"]);
    let acceptor = certs.acceptor();
    let (_folder, target) = server(move |mut stream| {
        let acceptor = acceptor.clone();
        async move {
            let mut line = String::new();
            let _ = BufReader::new(&mut stream).read_line(&mut line).await;
            let _ = stream.write_all(b"go\n").await;
            if let Ok(mut stream) = acceptor.accept(stream).await {
                let _ = stream.write_all(b"secret garden\n").await;
                let _ = stream.read_to_end(&mut Vec::new()).await;
            }
        }
    });
    let ca = certs.ca_file();
    let steps = "query_response: [{send: STARTTLS}, {expect: go, starttls: true}, {expect: '^secret'}]";
    let unix = format!("{{tls_config: {{server_name: backend.example, ca_file: {}}}, {steps}}}", ca.display());
    let run = probe(&unix, &target).await;
    succeeded(&run);
    assert!(value(&run, Metric::SslLastChainExpiry).is_some());
}

#[tokio::test]
async fn a_socket_that_is_gone_or_left_behind_refuses() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.sock");
    let target = path.display().to_string();
    let run = probe("{}", &target).await;
    assert_eq!(failure(&run).0, Reason::Refused);
    assert!(failure(&run).1.contains("there is no such socket"), "{:?}", run.failure);
    // What a process leaves that was killed.
    drop(UnixListener::bind(&path).unwrap());
    assert_eq!(failure(&probe("{}", &target).await).0, Reason::Refused);
    // A file is no socket.
    std::fs::remove_file(&path).unwrap();
    std::fs::write(&path, "").unwrap();
    assert_eq!(failure(&probe("{}", &target).await).0, Reason::Refused);
}

#[tokio::test]
async fn a_queue_that_is_full_is_told_from_silence() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.sock");
    let socket = socket2::Socket::new(socket2::Domain::UNIX, socket2::Type::STREAM, None).unwrap();
    socket.bind(&socket2::SockAddr::unix(&path).unwrap()).unwrap();
    socket.listen(0).unwrap();
    let target = path.display().to_string();
    let waiting = UnixStream::connect(&path).await.unwrap();
    let run = probe("{}", &target).await;
    assert_eq!(failure(&run).0, Reason::Refused);
    assert!(failure(&run).1.contains("queue of connections is full"), "{:?}", run.failure);
    drop(waiting);
}

#[tokio::test]
async fn a_server_that_says_nothing_runs_into_the_timeout() {
    let (_folder, target) = server(|stream| say(stream, b""));
    let unix = module("{prober: unix, timeout: 300ms, unix: {query_response: [{expect: a}]}}");
    let run = run(&unix, &target).await;
    assert_eq!(failure(&run).0, Reason::Timeout);
    assert!(run.duration < Duration::from_secs(5));
}

/// Every reason of the page.
pub(crate) async fn provoke() {
    crate::reasons::humbly();
    let certs = Certs::of(&["backend.example"]);
    let acceptor = certs.acceptor();
    let (_a, secure) = server(move |stream| {
        let acceptor = acceptor.clone();
        async move { drop(acceptor.accept(stream).await) }
    });
    let (_b, closes) = server(|mut stream| async move {
        let _ = stream.read(&mut [0; 8]).await;
    });
    let (_c, busy) = server(|mut stream| async move {
        let _ = stream.read(&mut [0; 8]).await;
        let _ = stream.write_all(b"busy\n").await;
    });
    let (_d, silent) = server(|stream| say(stream, b""));
    let (_w, wants) = server(|stream| say(stream, WANTS_CERTIFICATE));
    let (_e, early) = server(|stream| say(stream, b"go\ntoo early\n"));
    let (_f, endless) = server(|mut stream| async move { while stream.write_all(&[b'x'; 4096]).await.is_ok() {} });
    let (_g, forbidden) = server(|stream| async move { drop(stream) });
    std::fs::set_permissions(&forbidden, std::fs::Permissions::from_mode(0o000)).unwrap();
    let expect = "{query_response: [{send: a}, {expect: '^ready'}]}";
    let tls = "{tls: true, tls_config: {server_name: backend.example}}";
    let starttls = "{query_response: [{expect: go, starttls: true}], tls_config: {server_name: backend.example}}";
    let cases = [
        case(Reason::Refused, &["there is no such socket"], "{}", "/nonexistent/a.sock"),
        case(Reason::Permission, &["may not write"], "{}", forbidden.clone()),
        case(Reason::Reset, &["closed without a word"], expect, closes.as_str()),
        case(Reason::Timeout, &["`^ready`"], expect, silent.clone()),
        case(Reason::Tls, &["does not speak TLS"], tls, early.clone()),
        case(Reason::ClientCertificate, &["asks for a client certificate"], tls, wants.clone()),
        case(Reason::Certificate, &["unknown issuer"], tls, secure.clone()),
        case(Reason::Body, &["the last one was `busy`"], expect, busy.clone()),
        case(Reason::TooLarge, &["64 KiB"], expect, endless.clone()),
        case(Reason::Protocol, &["too early"], starttls, early.clone()),
    ];
    crate::reasons::check("unix", &cases).await;
}

#[test]
fn the_documented_modules_are_accepted() {
    assert!(documented("unix.md").len() >= 2);
}
