//! The `tcp` prober against servers that speak, mumble, lie, and say nothing.

use std::sync::Arc;
use std::time::Duration;

use sla_exporter::probe::{Metric, Reason, Run};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

use crate::support::certs::Certs;
use crate::support::{documented, failure, info, module, run, server, server_on, succeeded, value};

async fn probe(tcp: &str, target: &str) -> Run {
    run(&module(&format!("{{prober: tcp, timeout: 5s, tcp: {tcp}}}")), target).await
}

/// Says `words` and waits until the other side is gone.
async fn say(mut stream: TcpStream, words: &[u8]) {
    let _ = stream.write_all(words).await;
    let _ = stream.read_to_end(&mut Vec::new()).await;
}

#[tokio::test]
async fn a_connection_is_enough_when_nothing_is_expected() {
    let target = server(|stream| async move { drop(stream) }).await;
    let run = probe("{}", &target).await;
    succeeded(&run);
    assert_eq!(value(&run, Metric::IpProtocol), Some(4.0));
    assert_eq!(value(&run, Metric::FailedDueToRegex), Some(0.0));
    assert_eq!(value(&run, Metric::FailedDueToBytes), None);
    assert!(value(&run, Metric::DnsLookupTime).is_some());
}

#[tokio::test]
async fn an_ipv6_address_in_brackets_is_probed() {
    let target = server_on("::1", |stream| say(stream, b"hello\n")).await;
    let run = probe("{query_response: [{expect: hello}]}", &target).await;
    succeeded(&run);
    assert_eq!(value(&run, Metric::IpProtocol), Some(6.0));
}

#[tokio::test]
async fn a_name_falls_back_to_the_family_it_has() {
    let target = server(|stream| say(stream, b"hello\n")).await;
    let port = target.rsplit_once(':').unwrap().1;
    let run = probe("{preferred_ip_protocol: ip4}", &format!("localhost:{port}")).await;
    succeeded(&run);
    assert_eq!(value(&run, Metric::IpProtocol), Some(4.0));
}

#[tokio::test]
async fn a_closed_port_refuses() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target = listener.local_addr().unwrap().to_string();
    drop(listener);
    let run = probe("{}", &target).await;
    assert_eq!(failure(&run).0, Reason::Refused);
}

#[tokio::test]
async fn an_unknown_name_is_said_before_anything_is_connected() {
    let run = probe("{}", "no-such-host.invalid:25").await;
    assert_eq!(failure(&run).0, Reason::Dns);
}

#[tokio::test]
async fn a_source_address_is_used() {
    let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
    let target = server(move |stream| {
        let _ = sender.send(stream.peer_addr().unwrap().ip().to_string());
        async move { drop(stream) }
    })
    .await;
    succeeded(&probe("{source_ip_address: 127.0.0.2}", &target).await);
    assert_eq!(receiver.recv().await.unwrap(), "127.0.0.2");
}

#[tokio::test]
async fn lines_before_the_expected_one_are_passed_over() {
    let target = server(|stream| say(stream, b"noise\r\nSSH-2.0-OpenSSH_9.6p1 Debian\r\n")).await;
    let run = probe(
        r"{query_response: [{expect: '^SSH-2.0-([^ -]+)( (.*))?$', labels: [{name: ssh_version, value: '${1}'}, {name: ssh_comments, value: '${3}'}]}]}",
        &target,
    )
    .await;
    succeeded(&run);
    assert_eq!(info(&run, Metric::ExpectInfo), Some(r#"ssh_version="OpenSSH_9.6p1",ssh_comments="Debian""#));
}

#[tokio::test]
async fn a_captured_group_is_sent_back() {
    let target = server(|mut stream| async move {
        let (reader, mut writer) = stream.split();
        let mut lines = BufReader::new(reader).lines();
        assert_eq!(lines.next_line().await.unwrap().as_deref(), Some("NICK prober"));
        writer.write_all(b"NOTICE wait\nPING :tok3n x\n").await.unwrap();
        if lines.next_line().await.unwrap().as_deref() == Some("PONG tok3n") {
            writer.write_all(b":irc 001 welcome").await.unwrap();
        }
    })
    .await;
    let irc = r"{query_response: [{send: NICK prober}, {expect: 'PING :([^ ]+)', send: 'PONG ${1}'}, {expect: '^:[^ ]+ 001'}]}";
    succeeded(&probe(irc, &target).await);
}

#[tokio::test]
async fn a_banner_that_never_matches_is_named_in_the_timeout() {
    let target = server(|stream| say(stream, b"421 too busy\r\n")).await;
    let tcp = module("{prober: tcp, timeout: 300ms, tcp: {query_response: [{expect: '^220 '}]}}");
    let run = run(&tcp, &target).await;
    let (reason, detail) = failure(&run);
    assert_eq!(reason, Reason::Timeout);
    assert!(detail.contains("`^220 `") && detail.contains("`421 too busy`"), "{detail}");
    assert_eq!(value(&run, Metric::FailedDueToRegex), Some(0.0));
    assert!(run.duration < Duration::from_secs(5));
}

#[tokio::test]
async fn a_prompt_without_a_line_end_is_named_in_the_timeout() {
    let target = server(|stream| say(stream, b"login: ")).await;
    let tcp = module("{prober: tcp, timeout: 300ms, tcp: {query_response: [{expect: 'password:'}]}}");
    let run = run(&tcp, &target).await;
    assert!(failure(&run).1.contains("`login: ` without a line end"), "{:?}", run.failure);
}

#[tokio::test]
async fn an_end_without_a_match_is_a_regex_failure_and_an_end_without_a_word_a_reset() {
    let target = server(|mut stream| async move {
        let _ = stream.write_all(b"554 no service\r\n").await;
    })
    .await;
    let run = probe("{query_response: [{expect: '^220 '}]}", &target).await;
    assert_eq!(failure(&run).0, Reason::Body);
    assert!(failure(&run).1.contains("`554 no service`"), "{:?}", run.failure);
    assert_eq!(value(&run, Metric::FailedDueToRegex), Some(1.0));

    let silent = server(|stream| async move { drop(stream) }).await;
    let run = probe("{query_response: [{expect: '^220 '}]}", &silent).await;
    assert_eq!(failure(&run).0, Reason::Reset);
    assert_eq!(value(&run, Metric::FailedDueToRegex), Some(1.0));
}

#[tokio::test]
async fn a_reset_is_told_from_an_end() {
    let target = server(|stream| async move {
        tokio::time::sleep(Duration::from_millis(50)).await;
        socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
    })
    .await;
    assert_eq!(failure(&probe("{query_response: [{expect: a}]}", &target).await).0, Reason::Reset);
}

#[tokio::test]
async fn a_line_and_a_conversation_without_end_are_cut() {
    for (chunk, what) in [(&b"x"[..], "a line of more than 64 KiB"), (b"x\n", "more than 1 MiB")] {
        let chunk = Arc::new(chunk.repeat(4096));
        let target = server(move |mut stream| {
            let chunk = Arc::clone(&chunk);
            async move { while stream.write_all(&chunk).await.is_ok() {} }
        })
        .await;
        let run = probe("{query_response: [{expect: 'never'}]}", &target).await;
        let (reason, detail) = failure(&run);
        assert_eq!(reason, Reason::TooLarge, "{detail}");
        assert!(detail.contains(what), "{detail}");
    }
}

#[tokio::test]
async fn a_line_may_arrive_byte_by_byte() {
    let target = server(|mut stream| async move {
        for byte in b"+OK POP3 ready\r\n" {
            let _ = stream.write_all(&[*byte]).await;
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        let _ = stream.read_to_end(&mut Vec::new()).await;
    })
    .await;
    succeeded(&probe(r"{query_response: [{expect: '^\+OK'}]}", &target).await);
}

#[tokio::test]
async fn bytes_are_compared_as_soon_as_they_arrive() {
    let bytes = r"{query_response: [{expect_bytes: not-a-line}]}";
    let target = server(|mut stream| async move {
        let _ = stream.write_all(b"not-a-line").await;
    })
    .await;
    let run = probe(bytes, &target).await;
    succeeded(&run);
    assert_eq!(value(&run, Metric::FailedDueToBytes), Some(0.0));

    // Fewer bytes than expected, the connection stays open: the difference shows all the same.
    let other = server(|stream| say(stream, b"no!")).await;
    let run = probe(bytes, &other).await;
    assert_eq!(failure(&run), (Reason::Body, "expected the bytes `not-a-line`, found `no!`"));
    assert_eq!(value(&run, Metric::FailedDueToBytes), Some(1.0));

    let short = server(|mut stream| async move {
        let _ = stream.write_all(b"not").await;
    })
    .await;
    let run = probe(bytes, &short).await;
    assert_eq!(failure(&run), (Reason::Body, "the peer closed after 3 of 10 expected bytes"));
    assert_eq!(value(&run, Metric::FailedDueToBytes), Some(0.0));
}

#[tokio::test]
async fn a_line_behind_expected_bytes_is_read_on() {
    let target = server(|stream| say(stream, b"\x01\x02banner: 7\nrest\n")).await;
    let steps = r#"{query_response: [{expect_bytes: "\x01\x02"}, {expect: '^banner: (.)$', labels: [{name: v, value: '$1'}]}, {expect_bytes: rest}]}"#;
    let run = probe(steps, &target).await;
    succeeded(&run);
    assert_eq!(info(&run, Metric::ExpectInfo), Some(r#"v="7""#));
}

#[tokio::test]
async fn a_captured_label_is_escaped_and_bounded() {
    let target = server(|stream| {
        let line = format!("a\"b\\c\t{}\n", "x".repeat(1000));
        async move { say(stream, line.as_bytes()).await }
    })
    .await;
    let run = probe("{query_response: [{expect: '(.*)', labels: [{name: v, value: '$1'}]}]}", &target).await;
    let labels = info(&run, Metric::ExpectInfo).unwrap();
    assert!(labels.starts_with(r#"v="a\"b\\c x"#), "{labels}");
    assert!(labels.len() < 220, "{labels}");
}

#[tokio::test]
async fn a_server_that_accepts_and_says_nothing_runs_into_the_timeout() {
    let target = server(|stream| say(stream, b"")).await;
    let tcp = module("{prober: tcp, timeout: 300ms, tcp: {query_response: [{expect: a}]}}");
    let run = run(&tcp, &target).await;
    assert_eq!(failure(&run).0, Reason::Timeout);
    assert!(run.duration < Duration::from_secs(5));
}

const SMTP: &str = "query_response: [
    {expect: '^220 ([^ ]+) ESMTP (.+)$', labels: [{name: smtp_host, value: '${1}'}, {name: software, value: '$2'}]},
    {send: \"EHLO prober\\r\"}, {expect: '^250-STARTTLS'}, {send: \"STARTTLS\\r\"}, {expect: '^220'}, {starttls: true},
    {send: \"EHLO prober\\r\"}, {expect: '^250-AUTH (.*)', labels: [{name: auth, value: '${1}'}]}, {send: \"QUIT\\r\"}]";

/// A mail server that begins TLS when asked, `injected` behind its consent.
async fn smtp(mut stream: TcpStream, acceptor: tokio_rustls::TlsAcceptor, injected: &[u8]) {
    let hello = "250-mail\r\n250-STARTTLS\r\n250 SIZE 1000\r\n";
    let _ = stream.write_all(b"220 mail.example.com ESMTP Postfix (Debian)\r\n").await;
    let mut plain = BufReader::new(&mut stream);
    let mut line = String::new();
    while plain.read_line(&mut line).await.is_ok_and(|count| count > 0) && line.trim_end() != "STARTTLS" {
        assert_eq!(line, "EHLO prober\r\n");
        let _ = plain.write_all(hello.as_bytes()).await;
        line.clear();
    }
    let _ = plain.write_all(&[b"220 go ahead\r\n", injected].concat()).await;
    let Ok(secure) = acceptor.accept(stream).await else { return };
    let mut secure = BufReader::new(secure);
    line.clear();
    while secure.read_line(&mut line).await.is_ok_and(|count| count > 0) && line.trim_end() != "QUIT" {
        let _ = secure.write_all(b"250-mail\r\n250-AUTH PLAIN LOGIN\r\n250 SIZE 1000\r\n").await;
        line.clear();
    }
}

#[tokio::test]
async fn a_conversation_goes_on_under_tls() {
    let certs = Certs::of(&["localhost"]);
    let acceptor = certs.acceptor();
    let target = server(move |stream| smtp(stream, acceptor.clone(), b"")).await;
    let options =
        format!("{{{SMTP}, preferred_ip_protocol: ip4, tls_config: {{ca_file: {}}}}}", certs.ca_file().display());
    let run = probe(&options, &target.replace("127.0.0.1", "localhost")).await;
    succeeded(&run);
    let labels = r#"smtp_host="mail.example.com",software="Postfix (Debian)",auth="PLAIN LOGIN""#;
    assert_eq!(info(&run, Metric::ExpectInfo), Some(labels));
    assert!(value(&run, Metric::SslEarliestCertExpiry).is_some_and(|at| at > 0.0));
    assert!(value(&run, Metric::SslLastChainExpiry).is_some());
    assert_eq!(info(&run, Metric::TlsVersionInfo), Some(r#"version="TLS 1.3""#));

    let wrong_name = probe(&options, &target).await;
    assert_eq!(failure(&wrong_name).0, Reason::Certificate);
    assert!(value(&wrong_name, Metric::SslEarliestCertExpiry).is_some());
    assert_eq!(value(&wrong_name, Metric::FailedDueToRegex), Some(0.0));
}

#[tokio::test]
async fn plain_text_behind_the_consent_to_tls_is_refused() {
    let certs = Certs::of(&["localhost"]);
    let acceptor = certs.acceptor();
    let target = server(move |stream| smtp(stream, acceptor.clone(), b"250-AUTH injected\r\n")).await;
    let run = probe(&format!("{{{SMTP}, tls_config: {{insecure_skip_verify: true}}}}"), &target).await;
    assert_eq!(failure(&run).0, Reason::Protocol);
    assert!(failure(&run).1.contains("`250-AUTH injected"), "{:?}", run.failure);
}

#[tokio::test]
async fn tls_from_the_first_byte_reads_the_banner_under_it() {
    let certs = Certs::of(&["localhost"]);
    let acceptor = certs.acceptor();
    let target = server(move |stream| {
        let acceptor = acceptor.clone();
        async move {
            if let Ok(mut stream) = acceptor.accept(stream).await {
                let _ = stream.write_all(b"+OK POP3 ready\r\n").await;
                let _ = stream.read_to_end(&mut Vec::new()).await;
            }
        }
    })
    .await;
    let banner = r"query_response: [{expect: '^\+OK'}]";
    let trusted = format!(
        "{{tls: true, {banner}, tls_config: {{server_name: localhost, ca_file: {}}}}}",
        certs.ca_file().display()
    );
    succeeded(&probe(&trusted, &target).await);
    let untrusted = probe(&format!("{{tls: true, {banner}}}"), &target).await;
    assert_eq!(failure(&untrusted).0, Reason::Certificate);
    // Without TLS the peer waits for a handshake that never comes.
    let plain = module(&format!("{{prober: tcp, timeout: 300ms, tcp: {{{banner}}}}}"));
    assert_eq!(failure(&run(&plain, &target).await).0, Reason::Timeout);
}

#[tokio::test]
async fn a_handshake_that_is_none_fails_as_tls_and_one_that_hangs_as_timeout() {
    let target = server(|stream| say(stream, b"220 not TLS\r\n")).await;
    let run_one = probe("{tls: true}", &target).await;
    assert_eq!(failure(&run_one).0, Reason::Tls);
    let silent = server(|stream| say(stream, b"")).await;
    let tls = module("{prober: tcp, timeout: 300ms, tcp: {tls: true}}");
    let run_two = run(&tls, &silent).await;
    assert_eq!(failure(&run_two).0, Reason::Timeout);
    assert!(failure(&run_two).1.contains("TLS handshake"), "{:?}", run_two.failure);
}

#[test]
fn the_documented_modules_are_good() {
    assert!(documented("tcp.md").len() > 6);
}

#[tokio::test]
async fn a_client_certificate_that_is_missing_is_what_fails() {
    let certs = Certs::of(&["localhost"]);
    let acceptor = certs.demanding_acceptor();
    let target = server(move |stream| {
        let acceptor = acceptor.clone();
        async move { drop(acceptor.accept(stream).await) }
    })
    .await;
    for version in ["TLS12", "TLS13"] {
        // In TLS 1.3 the refusal comes after the handshake, with the first byte that is read.
        let run = probe(
            &format!("{{tls: true, tls_config: {{insecure_skip_verify: true, min_version: {version}, max_version: {version}}}, query_response: [{{expect: a}}]}}"),
            &target,
        )
        .await;
        assert_eq!(failure(&run).0, Reason::ClientCertificate, "{version}: {:?}", run.failure);
    }
}
