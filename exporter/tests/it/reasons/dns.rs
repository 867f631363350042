//! What fails a `dns` probe.

use std::net::SocketAddr;

use hickory_proto::op::Message;
use sla_exporter::probe::Reason;

use super::peers::{Peer, listen, wants_certificate};
use super::{case, check};
use crate::dns::{answer, framed, honest, tcp, udp};

/// Asked for in each case.
const ASK: &str = "query_name: two.test, query_type: A";

pub(super) async fn provoke() {
    let honest = honest().await.to_string();
    let silent = udp(|_| Vec::new()).await.to_string();
    let strangers = udp(|query| {
        let mut other = answer(query);
        other.metadata.id = query.metadata.id.wrapping_add(1);
        vec![other.to_vec().unwrap(); 3]
    });
    let torn = udp(|query| {
        let mut packet = answer(query).to_vec().unwrap();
        packet.truncate(packet.len() - 3);
        vec![packet]
    });
    let (strangers, torn) = (strangers.await.to_string(), torn.await.to_string());
    let another = another().await.to_string();
    // Its owner hears one peer alone; the system refuses what others send.
    let owner = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    owner.connect("127.0.0.1:1").await.unwrap();
    let closed = owner.local_addr().unwrap().to_string();
    let with = |more: &str| format!("{{{ASK}{more}}}");
    let tcp = with(", transport_protocol: tcp");
    let tls = with(", transport_protocol: tcp, dns_over_tls: true");
    let absent = "{query_name: none.test, query_type: A}";
    let rule = with(", validate_answer_rrs: {fail_if_none_matches_regexp: ['192\\.0\\.2\\.9$']}");
    let forbidden = with(", validate_answer_rrs: {fail_if_matches_regexp: ['192\\.0\\.2\\.2$']}");
    let cases = [
        case(Reason::Dns, &["no-such-host.invalid"], with(""), "no-such-host.invalid"),
        case(Reason::Refused, &["refused"], with(""), closed),
        case(Reason::Refused, &["refused"], &tcp, listen(Peer::Gone).await),
        case(Reason::Reset, &[], &tcp, listen(Peer::Says(b"")).await),
        case(Reason::Reset, &[], &tcp, listen(Peer::Resets).await),
        case(Reason::Connect, &["192.0.2.1", "source_ip_address"], with(", source_ip_address: 192.0.2.1"), &honest),
        case(Reason::Timeout, &["2s"], with(""), silent),
        case(Reason::Timeout, &["do not answer the query"], with(""), strangers),
        case(Reason::Tls, &["does not speak TLS"], &tls, listen(Peer::Says(b"220 mail\r\n")).await),
        case(Reason::ClientCertificate, &["asks for a client certificate"], &tls, wants_certificate().await),
        case(Reason::Certificate, &["issuer"], &tls, listen(Peer::Tls(b"")).await),
        case(Reason::Protocol, &["DNS"], with(""), torn),
        case(Reason::Protocol, &[], &tcp, another),
        case(Reason::Status, &["NXDOMAIN; accepted: NOERROR"], absent, &honest),
        case(Reason::Body, &["192\\.0\\.2\\.9$"], rule, &honest),
        case(Reason::Body, &["192\\.0\\.2\\.2$"], forbidden, honest),
    ];
    check("dns", &cases).await;
}

/// Answers another question, over TCP.
async fn another() -> SocketAddr {
    tcp(|query: &Message| {
        let mut reply = answer(query);
        reply.metadata.id = reply.metadata.id.wrapping_add(1);
        framed(&reply)
    })
    .await
}
