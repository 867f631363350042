//! Every reason a prober's page names can be provoked, and every reason that is provoked is on its page.

use std::collections::BTreeSet;
use std::path::Path;

use sla_exporter::probe::Reason;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::support::certs::Certs;
use crate::support::{failure, module, run, server};

/// The reasons in the first column of the page's table of reasons.
fn documented(page: &str) -> BTreeSet<Reason> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/modules").join(page);
    let text = std::fs::read_to_string(&path).unwrap();
    let (_, table) = text.split_once("| reason | when |").expect("a table of reasons");
    let cells =
        table.lines().skip(1).take_while(|line| line.starts_with('|')).filter_map(|line| line.split('|').nth(1));
    let words: Vec<&str> = cells.flat_map(|cell| cell.split('`').skip(1).step_by(2)).collect();
    words.iter().map(|word| *Reason::ALL.iter().find(|r| r.as_str() == *word).expect(word)).collect()
}

/// How the other side behaves.
#[derive(Clone, Copy)]
enum Peer {
    /// Nobody listens.
    Gone,
    /// No such name.
    Unknown,
    /// Says this and closes once it has read something.
    Says(&'static [u8]),
    /// Says this and keeps the connection.
    Stays(&'static [u8]),
    /// Says this without end.
    Endless(&'static [u8]),
    /// Says this, then speaks TLS with a certificate nobody knows.
    Tls(&'static [u8]),
}

async fn listen(peer: Peer) -> String {
    match peer {
        Peer::Unknown => "no-such-host.invalid:1".to_owned(),
        Peer::Gone => TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().to_string(),
        Peer::Says(words) => {
            server(move |mut stream| async move {
                let _ = stream.write_all(words).await;
                let _ = stream.read(&mut [0; 4096]).await;
            })
            .await
        }
        Peer::Stays(words) => {
            server(move |mut stream| async move {
                let _ = stream.write_all(words).await;
                let _ = stream.read_to_end(&mut Vec::new()).await;
            })
            .await
        }
        Peer::Endless(words) => {
            server(move |mut stream| async move { while stream.write_all(&words.repeat(64)).await.is_ok() {} }).await
        }
        Peer::Tls(words) => {
            let acceptor = Certs::of(&["localhost"]).acceptor();
            server(move |mut stream| {
                let acceptor = acceptor.clone();
                async move {
                    if !words.is_empty() {
                        let _ = stream.read(&mut [0; 8]).await;
                        let _ = stream.write_all(words).await;
                    }
                    let _ = acceptor.accept(stream).await;
                }
            })
            .await
        }
    }
}

/// Runs modules of `prober`, given by their sections, and fails unless each ends as it says and all of them as the page does.
pub(crate) async fn check_all(prober: &str, cases: &[(Reason, &str, &str)]) {
    let mut provoked = BTreeSet::new();
    for (reason, section, target) in cases {
        let module = module(&format!("{{prober: {prober}, timeout: 1s, {prober}: {section}}}"));
        let run = run(&module, target).await;
        let found = failure(&run);
        assert_eq!(found.0, *reason, "{section} {target}: {}", found.1);
        provoked.insert(*reason);
    }
    assert_eq!(provoked, documented(&format!("{prober}.md")));
}

async fn check(prober: &str, cases: &[(Reason, Peer, &str)]) {
    let mut provoked = BTreeSet::new();
    for (reason, peer, options) in cases {
        let target = listen(*peer).await;
        let module = module(&format!("{{prober: {prober}, timeout: 1s, {prober}: {{{options}}}}}"));
        let run = run(&module, &target).await;
        let found = failure(&run);
        assert_eq!(found.0, *reason, "{options}: {}", found.1);
        assert!(found.1.chars().count() <= 301 && !found.1.is_empty() && !found.1.contains(char::is_control));
        provoked.insert(*reason);
    }
    assert_eq!(provoked, documented(&format!("{prober}.md")));
}

#[tokio::test]
async fn tcp() {
    let expect = "query_response: [{expect: '^220'}]";
    let starttls = "query_response: [{expect: '^220', starttls: true}]";
    check(
        "tcp",
        &[
            (Reason::Dns, Peer::Unknown, ""),
            (Reason::Refused, Peer::Gone, ""),
            (Reason::Connect, Peer::Gone, "source_ip_address: 192.0.2.1"),
            (Reason::Connect, Peer::Gone, "source_ip_address: '::1'"),
            (Reason::Reset, Peer::Says(b""), "query_response: [{send: a}, {expect: b}]"),
            (Reason::Timeout, Peer::Stays(b""), expect),
            (Reason::Timeout, Peer::Stays(b"421 busy\r\n"), expect),
            (Reason::Timeout, Peer::Stays(b""), "tls: true"),
            (Reason::Tls, Peer::Stays(b"220 mail\r\n"), "tls: true"),
            (Reason::Certificate, Peer::Tls(b""), "tls: true"),
            (Reason::Body, Peer::Says(b"554 no\r\n"), "query_response: [{send: a}, {expect: '^220'}]"),
            (Reason::Body, Peer::Stays(b"554 no\r\n"), "query_response: [{expect_bytes: '220'}]"),
            (Reason::TooLarge, Peer::Endless(b"x"), expect),
            (Reason::TooLarge, Peer::Endless(b"421 busy\r\n"), expect),
            (Reason::Protocol, Peer::Stays(b"220 go\r\n250 too early\r\n"), starttls),
            (Reason::ExpectedFailure, Peer::Stays(b""), "expect: closed"),
        ],
    )
    .await;
}

#[tokio::test]
async fn postgres() {
    const READY: &[u8] = b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I";
    const FAILS: &[u8] = b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05IE\0\0\0\x17SERROR\0C42601\0Mno\0\0";
    const HUGE: &[u8] = b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05ID\x7f\xff\xff\xff";
    const CROWDED: &[u8] = b"E\0\0\0\x17SFATAL\0C53300\0Mno\0\0";
    const STRANGER: &[u8] = b"E\0\0\0\x17SFATAL\0C28000\0Mno\0\0";
    check(
        "postgres",
        &[
            (Reason::Dns, Peer::Unknown, "user: a"),
            (Reason::Refused, Peer::Gone, "user: a"),
            (Reason::Connect, Peer::Gone, "user: a, source_ip_address: 192.0.2.1"),
            (Reason::Reset, Peer::Says(b""), "user: a"),
            (Reason::Reset, Peer::Says(b""), "user: a, sslmode: disable"),
            (Reason::Timeout, Peer::Stays(b""), "user: a"),
            (Reason::Timeout, Peer::Stays(READY), "user: a, sslmode: disable, query: SELECT 1"),
            (Reason::Tls, Peer::Stays(b"N"), "user: a, sslmode: require"),
            (Reason::Tls, Peer::Stays(b"SHTTP/1.1 400 Bad Request"), "user: a"),
            (Reason::Certificate, Peer::Tls(b"S"), "user: a, sslmode: verify-full"),
            (Reason::Permission, Peer::Stays(STRANGER), "user: a, sslmode: disable"),
            (Reason::Permission, Peer::Stays(b"R\0\0\0\x08\0\0\0\x03"), "user: a, sslmode: disable"),
            (Reason::Status, Peer::Stays(CROWDED), "user: a, sslmode: disable"),
            (Reason::Status, Peer::Stays(b"E"), "user: a"),
            (Reason::Query, Peer::Stays(FAILS), "user: a, sslmode: disable, query: SELECT 1"),
            (Reason::TooLarge, Peer::Stays(HUGE), "user: a, sslmode: disable, query: SELECT 1"),
            (Reason::Protocol, Peer::Stays(b"HTTP/1.1 400 Bad Request"), "user: a"),
            (Reason::Protocol, Peer::Stays(b"HTTP/1.1 400 Bad Request"), "user: a, sslmode: disable"),
        ],
    )
    .await;
}
