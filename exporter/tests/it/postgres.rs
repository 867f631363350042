//! The `postgres` prober against a real PostgreSQL, and against peers that are none.

use std::time::Duration;

use sla_exporter::probe::{Metric, Reason, Run};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::support::certs::Certs;
use crate::support::postgres::{PASSWORD, Postgres, has_ipv6};
use crate::support::{documented, failure, info, module, phase, run, server, succeeded, value};

/// A run as `user` with the right password, `more` options beside, against 127.0.0.1.
async fn probe(server: &Postgres, user: &str, more: &str) -> Run {
    probe_at(server, &format!("127.0.0.1:{}", server.port), user, more).await
}

async fn probe_at(server: &Postgres, target: &str, user: &str, more: &str) -> Run {
    let password = server.password_file(PASSWORD);
    let module = module(&format!(
        "{{prober: postgres, timeout: 10s, postgres: {{user: {user}, dbname: postgres, password_file: {}, preferred_ip_protocol: ip4{}{more}}}}}",
        password.display(),
        if more.is_empty() { "" } else { ", " },
    ));
    run(&module, target).await
}

/// A module without a server behind it.
async fn probe_peer(target: &str, more: &str) -> Run {
    run(&module(&format!("{{prober: postgres, timeout: 2s, postgres: {{user: monitor{more}}}}}")), target).await
}

fn seconds(run: &Run, name: &str) -> Option<f64> {
    phase(run, Metric::PostgresDuration, name)
}

#[tokio::test]
async fn a_login_is_enough_without_a_query() {
    let server = Postgres::shared();
    let run = probe(server, "monitor", "").await;
    succeeded(&run);
    for name in ["resolve", "connect", "tls", "startup"] {
        assert!(seconds(&run, name).is_some_and(|s| (0.0..10.0).contains(&s)), "{name}: {run:?}");
    }
    assert_eq!(seconds(&run, "query"), None);
    assert_eq!(value(&run, Metric::PostgresQueryValue), None);
    assert_eq!(value(&run, Metric::IpProtocol), Some(4.0));
    // `prefer` takes the TLS the server offers, and verifies nothing.
    assert!(info(&run, Metric::TlsVersionInfo).is_some());
    assert!(value(&run, Metric::SslEarliestCertExpiry).is_some());
    assert_eq!(value(&run, Metric::SslLastChainExpiry), None);
}

#[tokio::test]
async fn a_querys_first_value_is_exported_where_it_is_a_number() {
    let server = Postgres::shared();
    for (query, expected) in [
        ("SELECT 42", Some(42.0)),
        ("SELECT -1.5::numeric, 7", Some(-1.5)),
        ("SELECT true;", Some(1.0)),
        ("SELECT pg_is_in_recovery()", Some(0.0)),
        ("SELECT '2026-10-07 10:02:00+09'::timestamptz", Some(1_791_334_920.0)),
        ("SELECT count(*) FROM t", Some(0.0)),
        ("SELECT version()", None),
        ("SELECT ''::text", None),
        ("SELECT '2026-10-07 10:02:00'::timestamp", None),
        ("SELECT FROM pg_class", None),
        ("DO 'BEGIN END'", None),
        ("SELECT 1; SELECT 2", Some(1.0)),
        ("SET datestyle TO 'German'; SELECT 3", Some(3.0)),
        ("SELECT generate_series(1, 100000000)", Some(1.0)),
    ] {
        let run = probe(server, "monitor", &format!("query: \"{query}\"")).await;
        succeeded(&run);
        assert_eq!(value(&run, Metric::PostgresQueryValue), expected, "{query}");
        assert!(seconds(&run, "query").is_some(), "{query}");
        assert!(run.duration < Duration::from_secs(8), "{query}: {:?}", run.duration);
    }
}

#[tokio::test]
async fn a_query_that_fails_or_has_no_value_fails_with_its_reason() {
    let server = Postgres::shared();
    for (query, reason, detail) in [
        ("SELECT 1 WHERE false", Reason::Query, "query: it returned no row"),
        ("SELECT NULL", Reason::Query, "the first column of the first row is NULL"),
        ("SELECT max(n) FROM t", Reason::Query, "NULL"),
        ("SELEC 1", Reason::Query, "42601: syntax error"),
        ("SELECT * FROM missing", Reason::Query, "42P01: relation \\\"missing\\\" does not exist"),
        ("SELECT 1/0", Reason::Query, "22012: division by zero"),
        ("SELECT 1/(n-3) FROM generate_series(1, 5) n ORDER BY n DESC LIMIT 1 OFFSET 2", Reason::Query, "22012"),
        ("SELECT * FROM forbidden", Reason::Permission, "42501: permission denied"),
        ("INSERT INTO t VALUES (1)", Reason::Query, "`read_only: false` permits writing"),
        ("SELECT repeat('x', 2000000)", Reason::TooLarge, "a message of 2000"),
        (
            "DO 'BEGIN FOR i IN 1..1000 LOOP RAISE NOTICE ''%'', repeat(''x'', 2000); END LOOP; END'",
            Reason::TooLarge,
            "more than 1 MiB",
        ),
        ("DO 'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); END'", Reason::Status, "57P01: terminating"),
    ] {
        let run = probe(server, "monitor", &format!("query: \"{query}\"")).await;
        let found = failure(&run);
        assert_eq!(found.0, reason, "{query}: {}", found.1);
        assert!(found.1.contains(&detail.replace('\\', "")), "{query}: {}", found.1);
        assert_eq!(value(&run, Metric::PostgresQueryValue), None);
        assert!(seconds(&run, "query").is_some(), "{query}");
    }
}

#[tokio::test]
async fn nothing_is_written_unless_the_module_says_so() {
    let server = Postgres::start();
    let insert = "query: INSERT INTO t VALUES (1) RETURNING n";
    assert_eq!(failure(&probe(&server, "monitor", insert).await).0, Reason::Query);
    assert_eq!(server.ask("SELECT count(*) FROM t").await.unwrap(), "0");

    let run = probe(&server, "monitor", &format!("read_only: false, {insert}")).await;
    succeeded(&run);
    assert_eq!(value(&run, Metric::PostgresQueryValue), Some(1.0));
    assert_eq!(server.ask("SELECT count(*) FROM t").await.unwrap(), "1");

    // Many rows come back: all are read, so that the commit is certain.
    let many = "read_only: false, query: \"INSERT INTO t SELECT * FROM generate_series(1, 1000) RETURNING n\"";
    succeeded(&probe(&server, "monitor", many).await);
    assert_eq!(server.ask("SELECT count(*) FROM t").await.unwrap(), "1001");
}

#[tokio::test]
async fn a_refused_login_is_told_from_a_refused_session() {
    let server = Postgres::shared();
    let target = format!("127.0.0.1:{}", server.port);
    let wrong = server.password_file("wr0ng-of-the-test");
    for (options, reason, detail) in [
        (
            format!("user: monitor, password_file: {}", wrong.display()),
            Reason::Permission,
            "28P01: password authentication failed",
        ),
        ("user: monitor".to_owned(), Reason::Permission, "the server asks for a password; set password_file"),
        ("user: nobody".to_owned(), Reason::Permission, "28000: pg_hba.conf rejects connection"),
        ("user: no_such_role".to_owned(), Reason::Permission, "28000: no pg_hba.conf entry"),
        ("user: postgres, dbname: missing".to_owned(), Reason::Status, "3D000: database \"missing\" does not exist"),
        ("user: postgres, options: '-c no_such_setting=1'".to_owned(), Reason::Status, "42704"),
    ] {
        let module = module(&format!("{{prober: postgres, timeout: 10s, postgres: {{{options}}}}}"));
        let run = run(&module, &target).await;
        let found = failure(&run);
        assert_eq!(found.0, reason, "{options}: {}", found.1);
        assert!(found.1.contains(detail), "{options}: {}", found.1);
        assert!(!found.1.contains("wr0ng") && !format!("{module:?}").contains("wr0ng"));
        assert!(seconds(&run, "startup").is_some() && seconds(&run, "query").is_none());
    }
    let crowd = probe(server, "crowd", "").await;
    assert_eq!(failure(&crowd).0, Reason::Status);
    assert!(failure(&crowd).1.contains("53300: too many connections"), "{crowd:?}");
}

#[tokio::test]
async fn a_password_file_that_goes_away_is_a_permission_failure_without_its_content() {
    let server = Postgres::shared();
    let file = server.password_file("short-lived");
    let module =
        module(&format!("{{prober: postgres, postgres: {{user: monitor, password_file: {}}}}}", file.display()));
    std::fs::remove_file(&file).unwrap();
    let run = run(&module, &format!("127.0.0.1:{}", server.port)).await;
    assert_eq!(failure(&run).0, Reason::Permission);
    assert!(failure(&run).1.contains("cannot read secret file"), "{:?}", run.failure);
}

#[tokio::test]
async fn every_password_method_logs_in() {
    let server = Postgres::shared();
    for user in ["monitor", "old", "clear", "tls_only"] {
        succeeded(&probe(server, user, "").await);
    }
    for user in ["monitor", "old", "clear", "no_tls"] {
        succeeded(&probe(server, user, "sslmode: disable").await);
    }
    let run = probe(server, "tls_only", "sslmode: disable").await;
    assert_eq!(failure(&run).0, Reason::Permission);
    assert!(failure(&run).1.contains("no encryption"), "{:?}", run.failure);
}

#[tokio::test]
async fn sslmode_decides_what_is_verified() {
    let server = Postgres::shared();
    let stranger = Certs::of(&["localhost"]);
    let ours = format!("tls_config: {{ca_file: {}}}", server.certs.ca_file().display());
    let theirs = format!("tls_config: {{ca_file: {}}}", stranger.ca_file().display());
    let localhost = format!("localhost:{}", server.port);
    let address = format!("127.0.0.1:{}", server.port);
    for (target, options, expected) in [
        (&localhost, format!("sslmode: verify-full, {ours}"), None),
        (&address, format!("sslmode: verify-full, {ours}"), Some("name mismatch")),
        (&address, format!("sslmode: verify-ca, {ours}"), None),
        (&localhost, format!("sslmode: verify-full, {theirs}"), Some("unknown issuer")),
        (&localhost, format!("sslmode: verify-ca, {theirs}"), Some("unknown issuer")),
        (&localhost, "sslmode: verify-full".to_owned(), Some("unknown issuer")),
        (&address, "sslmode: require".to_owned(), None),
        (
            &address,
            "sslmode: verify-full, tls_config: {ca_file: CA, server_name: localhost}"
                .replace("CA", &server.certs.ca_file().display().to_string()),
            None,
        ),
    ] {
        let run = probe_at(server, target, "monitor", &format!("{options}, query: SELECT 1")).await;
        match expected {
            None => {
                succeeded(&run);
                assert_eq!(value(&run, Metric::SslLastChainExpiry).is_some(), options.contains("verify"), "{options}");
            }
            Some(detail) => {
                assert_eq!(failure(&run).0, Reason::Certificate, "{options}");
                assert!(failure(&run).1.contains(detail), "{options}: {:?}", run.failure);
                assert!(seconds(&run, "tls").is_some() && seconds(&run, "startup").is_none());
            }
        }
        assert!(value(&run, Metric::SslEarliestCertExpiry).is_some(), "{options}");
    }
}

/// Ends TLS with a certificate of its own, speaks TLS to the server, and passes on whatever both say.
async fn man_in_the_middle(server: &'static Postgres) -> String {
    let stranger = Certs::of(&["localhost"]);
    let (acceptor, connector) = (stranger.acceptor(), server.certs.connector());
    crate::support::server(move |mut client| {
        let (acceptor, connector) = (acceptor.clone(), connector.clone());
        async move {
            let mut request = [0; 8];
            client.read_exact(&mut request).await.unwrap();
            client.write_all(b"S").await.unwrap();
            let mut upstream = tokio::net::TcpStream::connect(("127.0.0.1", server.port)).await.unwrap();
            upstream.write_all(&request).await.unwrap();
            assert_eq!(upstream.read_u8().await.unwrap(), b'S');
            let name = rustls::pki_types::ServerName::try_from("localhost").unwrap();
            let mut upstream = connector.connect(name, upstream).await.unwrap();
            if let Ok(mut client) = acceptor.accept(client).await {
                let _ = tokio::io::copy_bidirectional(&mut client, &mut upstream).await;
            }
        }
    })
    .await
}

#[tokio::test]
async fn a_login_is_bound_to_the_tls_connection_it_is_made_over() {
    let server = Postgres::shared();
    succeeded(&probe(server, "monitor", "sslmode: require, channel_binding: require").await);
    let between = man_in_the_middle(server).await;
    let run = probe_at(server, &between, "monitor", "sslmode: require").await;
    assert_eq!(failure(&run).0, Reason::Permission);
    assert!(failure(&run).1.contains("channel binding"), "{:?}", run.failure);
    // Without binding the relayed login goes through: it was the binding that refused it.
    succeeded(&probe_at(server, &between, "monitor", "sslmode: require, channel_binding: disable").await);
    // MD5 knows no binding.
    let run = probe(server, "old", "sslmode: require, channel_binding: require").await;
    assert_eq!(failure(&run).0, Reason::Permission);
}

#[tokio::test]
async fn plain_text_is_used_without_tls() {
    let server = Postgres::shared();
    let run = probe(server, "monitor", "sslmode: disable, query: SELECT 1").await;
    succeeded(&run);
    assert_eq!(seconds(&run, "tls"), None);
    assert_eq!(info(&run, Metric::TlsVersionInfo), None);
}

#[tokio::test]
async fn a_server_without_tls_is_what_prefer_takes_and_require_refuses() {
    // Answers the request for TLS with "no", then the login with "go ahead".
    let target = server(|mut stream| async move {
        let mut request = [0; 8];
        stream.read_exact(&mut request).await.unwrap();
        assert_eq!(request, [0, 0, 0, 8, 4, 210, 22, 47]);
        let _ = stream.write_all(b"NR\0\0\0\x08\0\0\0\0Z\0\0\0\x05I").await;
        let _ = stream.read_to_end(&mut Vec::new()).await;
    })
    .await;
    succeeded(&probe_peer(&target, "").await);
    let run = probe_peer(&target, ", sslmode: require").await;
    assert_eq!(failure(&run), (Reason::Tls, "the server does not offer TLS, and sslmode is require"));
}

#[tokio::test]
async fn ipv6_and_the_unix_socket_are_probed_too() {
    let server = Postgres::shared();
    if has_ipv6() {
        let run = probe_at(server, &format!("[::1]:{}", server.port), "monitor", "query: SELECT 1").await;
        succeeded(&run);
        assert_eq!(value(&run, Metric::IpProtocol), Some(6.0));
    }
    let socket = format!("{}:{}", server.folder.display(), server.port);
    let run = probe_at(server, &socket, "monitor", "sslmode: verify-full, query: SELECT 5").await;
    succeeded(&run);
    assert_eq!(value(&run, Metric::PostgresQueryValue), Some(5.0));
    assert_eq!((seconds(&run, "resolve"), seconds(&run, "tls")), (None, None));
    assert!(seconds(&run, "connect").is_some());
}

#[tokio::test]
async fn a_slow_query_times_out_and_leaves_nothing_on_the_server() {
    let server = Postgres::shared();
    for read_only in [true, false] {
        let name = format!("slow-{read_only}");
        let password = server.password_file(PASSWORD);
        let module = module(&format!(
            "{{prober: postgres, timeout: 700ms, postgres: {{user: monitor, dbname: postgres, password_file: {}, application_name: {name}, read_only: {read_only}, query: SELECT pg_sleep(60)}}}}",
            password.display()
        ));
        let run = run(&module, &format!("127.0.0.1:{}", server.port)).await;
        let found = failure(&run);
        assert_eq!(found.0, Reason::Timeout, "{}", found.1);
        assert!(run.duration < Duration::from_secs(5), "{:?}", run.duration);
        let count = format!("SELECT count(*) FROM pg_stat_activity WHERE application_name = '{name}'");
        let patience = tokio::time::Instant::now() + Duration::from_secs(10);
        while server.ask(&count).await.unwrap() != "0" {
            assert!(tokio::time::Instant::now() < patience, "the session is still there");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

#[tokio::test]
async fn a_session_ends_with_a_goodbye_and_under_its_name() {
    let server = Postgres::start();
    let run = probe(
        &server,
        "monitor",
        "query: \"SELECT count(*) FROM pg_stat_activity WHERE application_name = 'sla-exporter'\"",
    )
    .await;
    succeeded(&run);
    assert_eq!(value(&run, Metric::PostgresQueryValue), Some(1.0));
    let run = probe(
        &server,
        "monitor",
        "application_name: other, query: \"SELECT count(*) FROM pg_stat_activity WHERE application_name = 'other'\"",
    )
    .await;
    assert_eq!(value(&run, Metric::PostgresQueryValue), Some(1.0));
    let options = "options: '-c work_mem=123kB', query: \"SELECT setting FROM pg_settings WHERE name = 'work_mem'\"";
    assert_eq!(value(&probe(&server, "monitor", options).await, Metric::PostgresQueryValue), Some(123.0));
    let log = server.log();
    assert!(log.contains("SET LOCAL statement_timeout"), "{log}");
    assert!(!log.contains("unexpected EOF") && !log.contains("reset by peer") && !log.contains("WARNING"), "{log}");
}

#[tokio::test]
async fn a_stopped_server_refuses_and_a_starting_one_says_so() {
    let mut server = Postgres::start();
    let target = format!("127.0.0.1:{}", server.port);
    let socket = format!("{}:{}", server.folder.display(), server.port);
    server.stop();
    assert_eq!(failure(&probe_peer(&target, "").await).0, Reason::Refused);
    assert_eq!(failure(&probe_peer(&socket, "").await).0, Reason::Refused);
    assert!(!server.folder.exists());

    let starting = listen_with(b"E\0\0\0\x2dSFATAL\0C57P03\0Mthe database is starting\0\0").await;
    let run = probe_peer(&starting, ", sslmode: disable").await;
    assert_eq!(failure(&run), (Reason::Status, "login: 57P03: the database is starting"));
}

/// A server that reads what comes, says `words` and closes.
async fn listen_with(words: &'static [u8]) -> String {
    server(move |mut stream| async move {
        let _ = stream.read(&mut [0; 4096]).await;
        let _ = stream.write_all(words).await;
    })
    .await
}

#[tokio::test]
async fn a_peer_that_is_no_postgresql_is_named() {
    for (words, mode, reason, detail) in [
        (&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], "disable", Reason::Protocol, "it sent `HTTP/`"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "prefer", Reason::Protocol, "the request for TLS with `H`"),
        (b"SSH-2.0-OpenSSH_9.6\r\n", "disable", Reason::Protocol, "it sent `SSH-2`"),
        // `S` looks like consent; what follows is no handshake.
        (b"SSH-2.0-OpenSSH_9.6\r\n", "prefer", Reason::Tls, ""),
        (b"E", "prefer", Reason::Status, "answered the request for TLS with an error"),
        (b"", "prefer", Reason::Reset, "closed when asked for TLS"),
        (b"", "disable", Reason::Reset, "the server closed the connection"),
        (b"R\0\0\0\x08", "disable", Reason::Reset, "the server closed the connection"),
        (b"R\0\0\0\x08\0\0\0\x07", "disable", Reason::Permission, "unsupported authentication method"),
        (b"R\0\0\0\x17\0\0\0\x0aSCRAM-SHA-256\0\0", "disable", Reason::Permission, "set password_file"),
        (b"R\0\0\0\x08\0\0\0\x63", "disable", Reason::Protocol, "login: "),
        (b"Z\0\0\0\x05I", "disable", Reason::Protocol, "unexpected message"),
        (b"R\0\0\0\x08\0\0\0\0R\0\0\0\x08\0\0\0\0", "disable", Reason::Protocol, "unexpected message"),
        (b"E\0\0\0\x05\0", "disable", Reason::Protocol, "login: "),
        (b"S\0\0\0\x04", "disable", Reason::Protocol, ""),
    ] {
        let target = listen_with(words).await;
        let run = probe_peer(&target, &format!(", sslmode: {mode}")).await;
        let found = failure(&run);
        let text = words.escape_ascii();
        assert_eq!(found.0, reason, "{text} ({mode}): {}", found.1);
        assert!(found.1.contains(detail), "{text} ({mode}): {}", found.1);
    }
}

#[tokio::test]
async fn a_peer_that_hangs_is_left_at_the_timeout_wherever_it_hangs() {
    for (words, stage) in [
        (&b""[..], "the answer to the request for TLS"),
        (b"S", "the TLS handshake"),
        (b"N", "the login"),
        (b"NR\0\0\0\x08\0\0\0\0", "the login"),
        (b"NR\0\0\0\x08\0\0\0\0Z\0\0\0\x05I", "the query's result"),
    ] {
        let target = server(move |mut stream| async move {
            let _ = stream.write_all(words).await;
            let _ = stream.read_to_end(&mut Vec::new()).await;
        })
        .await;
        let module = module("{prober: postgres, timeout: 300ms, postgres: {user: monitor, query: SELECT 1}}");
        let run = run(&module, &target).await;
        let found = failure(&run);
        assert_eq!(found.0, Reason::Timeout, "{}: {}", words.escape_ascii(), found.1);
        assert!(found.1.contains(stage), "{}: {}", words.escape_ascii(), found.1);
        assert!(run.duration < Duration::from_secs(5));
    }
}

#[tokio::test]
async fn nobody_listening_refuses() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target = listener.local_addr().unwrap().to_string();
    drop(listener);
    assert_eq!(failure(&probe_peer(&target, "").await).0, Reason::Refused);
    assert_eq!(failure(&probe_peer("no-such-host.invalid", "").await).0, Reason::Dns);
}

#[test]
fn the_documented_modules_are_good() {
    assert_eq!(documented("postgres.md").len(), 4);
}
