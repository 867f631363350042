//! What fails a `tcp` probe.

use sla_exporter::probe::Reason;

use super::peers::{Peer, WANTS_CERTIFICATE, listen};
use super::{case, check};

pub(super) async fn provoke() {
    let expect = "query_response: [{expect: '^220'}]";
    let starttls = "query_response: [{expect: '^220', starttls: true}]";
    let mut cases = Vec::new();
    for (reason, says, peer, options) in [
        (Reason::Dns, &["no-such-host.invalid"][..], Peer::Unknown, ""),
        (Reason::Refused, &["refused"], Peer::Gone, ""),
        (Reason::Connect, &["192.0.2.1", "source_ip_address"], Peer::Gone, "source_ip_address: 192.0.2.1"),
        (Reason::Connect, &["::1", "source_ip_address"], Peer::Gone, "source_ip_address: '::1'"),
        (Reason::Reset, &["closed"], Peer::Says(b""), "query_response: [{send: a}, {expect: b}]"),
        (Reason::Reset, &["reset"], Peer::Resets, "query_response: [{send: a}, {expect: b}]"),
        (Reason::Timeout, &["2s", "`^220`"], Peer::Stays(b""), expect),
        (Reason::Timeout, &["421 busy"], Peer::Stays(b"421 busy\r\n"), expect),
        (Reason::Timeout, &["TLS handshake"], Peer::Stays(b""), "tls: true"),
        (Reason::Tls, &["does not speak TLS"], Peer::Stays(b"220 mail\r\n"), "tls: true"),
        (Reason::ClientCertificate, &["asks for a client certificate"], Peer::Stays(WANTS_CERTIFICATE), "tls: true"),
        (Reason::Certificate, &["issuer"], Peer::Tls(b""), "tls: true"),
        (Reason::Body, &["554 no"], Peer::Says(b"554 no\r\n"), "query_response: [{send: a}, {expect: '^220'}]"),
        (Reason::Body, &["554"], Peer::Stays(b"554 no\r\n"), "query_response: [{expect_bytes: '220'}]"),
        (Reason::TooLarge, &["64 KiB"], Peer::Endless(b"x"), expect),
        (Reason::TooLarge, &["1 MiB"], Peer::Endless(b"421 busy\r\n"), expect),
        (Reason::Protocol, &["TLS"], Peer::Stays(b"220 go\r\n250 too early\r\n"), starttls),
        (Reason::ExpectedFailure, &["took a connection"], Peer::Stays(b""), "expect: closed"),
    ] {
        cases.push(case(reason, says, format!("{{{options}}}"), listen(peer).await));
    }
    check("tcp", &cases).await;
}
