//! What fails a `postgres` probe.

use sla_exporter::probe::Reason;

use super::peers::{Peer, listen};
use super::{case, check};

pub(super) async fn provoke() {
    const READY: &[u8] = b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I";
    const FAILS: &[u8] = b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05IE\0\0\0\x17SERROR\0C42601\0Mno\0\0";
    const HUGE: &[u8] = b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05ID\x7f\xff\xff\xff";
    const CROWDED: &[u8] = b"E\0\0\0\x17SFATAL\0C53300\0Mno\0\0";
    const STRANGER: &[u8] = b"E\0\0\0\x17SFATAL\0C28000\0Mno\0\0";
    let mut cases = Vec::new();
    for (reason, says, peer, options) in [
        (Reason::Dns, &["no-such-host.invalid"][..], Peer::Unknown, "user: a"),
        (Reason::Refused, &["refused"], Peer::Gone, "user: a"),
        (Reason::Connect, &["192.0.2.1"], Peer::Gone, "user: a, source_ip_address: 192.0.2.1"),
        (Reason::Reset, &["the server closed"], Peer::Says(b""), "user: a"),
        (Reason::Reset, &["the server closed"], Peer::Says(b""), "user: a, sslmode: disable"),
        (Reason::Timeout, &["request for TLS"], Peer::Stays(b""), "user: a"),
        (Reason::Timeout, &["the query's result"], Peer::Stays(READY), "user: a, sslmode: disable, query: SELECT 1"),
        (Reason::Tls, &["does not offer TLS"], Peer::Stays(b"N"), "user: a, sslmode: require"),
        (Reason::Tls, &["does not speak TLS"], Peer::Stays(b"SHTTP/1.1 400 Bad Request"), "user: a"),
        (
            Reason::ClientCertificate,
            &["asks for a client certificate"],
            Peer::Stays(b"S\x15\x03\x03\0\x02\x02\x74"),
            "user: a",
        ),
        (Reason::Certificate, &["issuer"], Peer::Tls(b"S"), "user: a, sslmode: verify-full"),
        (Reason::Permission, &["28000"], Peer::Stays(STRANGER), "user: a, sslmode: disable"),
        (Reason::Permission, &["password_file"], Peer::Stays(b"R\0\0\0\x08\0\0\0\x03"), "user: a, sslmode: disable"),
        (Reason::Status, &["53300"], Peer::Stays(CROWDED), "user: a, sslmode: disable"),
        (Reason::Status, &["overloaded or too old"], Peer::Stays(b"E"), "user: a"),
        (Reason::Query, &["42601"], Peer::Stays(FAILS), "user: a, sslmode: disable, query: SELECT 1"),
        (Reason::TooLarge, &["at most 1 MiB"], Peer::Stays(HUGE), "user: a, sslmode: disable, query: SELECT 1"),
        (Reason::Protocol, &["no PostgreSQL server"], Peer::Stays(b"HTTP/1.1 400 Bad Request"), "user: a"),
        (
            Reason::Protocol,
            &["no PostgreSQL server"],
            Peer::Stays(b"HTTP/1.1 400 Bad Request"),
            "user: a, sslmode: disable",
        ),
    ] {
        cases.push(case(reason, says, format!("{{{options}}}"), listen(peer).await));
    }
    check("postgres", &cases).await;
}
