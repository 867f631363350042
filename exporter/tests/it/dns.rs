//! DNS queries to small name servers of the test's own: honest, wrong, silent and lying ones.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use hickory_proto::op::{Message, OpCode, ResponseCode};
use hickory_proto::rr::rdata::{A, SOA};
use hickory_proto::rr::{Name, RData, Record, RecordType};
use sla_exporter::config::decode::Cursor;
use sla_exporter::config::diagnostics::Document;
use sla_exporter::config::node;
use sla_exporter::probe::{self, Budget, Extra, Metric, Module, Reason, Run, Shared};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, UdpSocket};

use crate::support::certs::Certs;

const PATIENCE: Duration = Duration::from_secs(10);

fn decode(section: &str) -> Result<Module, String> {
    let doc = Document::new(std::path::Path::new("test.yml"));
    let node = node::parse(&format!("{{prober: dns, dns: {{{section}}}}}")).unwrap();
    let module = probe::decode_module("dns", &Cursor::root(&doc, &node));
    let findings = doc.into_parts().0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    module.filter(|_| findings.is_empty()).ok_or(findings)
}

async fn ask(section: &str, server: SocketAddr, timeout: Duration) -> Run {
    let module = decode(section).unwrap();
    probe::run(&module, &server.to_string(), Budget { timeout, attempts: 1, spare: Duration::ZERO }, &Shared::new())
        .await
}

fn value(run: &Run, metric: Metric) -> Option<f64> {
    run.samples.iter().find(|s| s.metric == metric).map(|s| s.value)
}

fn reason(run: &Run) -> Option<Reason> {
    run.failure.as_ref().map(|failure| failure.reason)
}

/// The answer of an honest server to `query`.
pub(crate) fn answer(query: &Message) -> Message {
    let mut answer = Message::response(query.metadata.id, OpCode::Query);
    answer.metadata.recursion_desired = query.metadata.recursion_desired;
    answer.add_queries(query.queries.clone());
    let Some(question) = query.queries.first() else { return answer };
    let name = question.name.clone();
    match (name.to_string().as_str(), question.query_type) {
        ("two.test.", RecordType::A) => {
            for last in [1, 2] {
                answer.add_answer(Record::from_rdata(name.clone(), 60, RData::A(A(Ipv4Addr::new(192, 0, 2, last)))));
            }
        }
        ("two.test.", RecordType::SOA) => {
            let soa = SOA::new(name.clone(), name.clone(), 20_261_123, 1, 1, 1, 1);
            answer.add_answer(Record::from_rdata(name, 60, RData::SOA(soa)));
        }
        _ => answer.metadata.response_code = ResponseCode::NXDomain,
    }
    answer
}

/// A UDP server that sends what `reply` makes of each query, packet by packet.
pub(crate) async fn udp(reply: impl Fn(&Message) -> Vec<Vec<u8>> + Send + 'static) -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut buffer = [0; 1500];
        while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
            for packet in reply(&Message::from_vec(&buffer[..length]).unwrap()) {
                let _ = socket.send_to(&packet, from).await;
            }
        }
    });
    address
}

pub(crate) async fn tcp(reply: impl Fn(&Message) -> Vec<u8> + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let length = stream.read_u16().await.unwrap();
            let mut buffer = vec![0; usize::from(length)];
            stream.read_exact(&mut buffer).await.unwrap();
            let _ = stream.write_all(&reply(&Message::from_vec(&buffer).unwrap())).await;
        }
    });
    address
}

pub(crate) async fn honest() -> SocketAddr {
    udp(|query| vec![answer(query).to_vec().unwrap()]).await
}

pub(crate) fn framed(message: &Message) -> Vec<u8> {
    let bytes = message.to_vec().unwrap();
    [&u16::try_from(bytes.len()).unwrap().to_be_bytes()[..], &bytes].concat()
}

#[tokio::test]
async fn an_answer_is_counted_section_by_section() {
    let run = ask("query_name: two.test, query_type: A", honest().await, PATIENCE).await;
    assert_eq!(run.failure, None);
    for (metric, expected) in [
        (Metric::Success, 1.0),
        (Metric::DnsQuerySucceeded, 1.0),
        (Metric::DnsAnswerRrs, 2.0),
        (Metric::DnsAuthorityRrs, 0.0),
        (Metric::DnsAdditionalRrs, 0.0),
    ] {
        assert_eq!(value(&run, metric), Some(expected), "{metric:?}");
    }
    assert_eq!(value(&run, Metric::DnsSerial), None);
    for phase in ["resolve", "connect", "request"] {
        assert!(
            run.samples.iter().any(|s| s.metric == Metric::DnsDuration && s.extra == Extra::Phase(phase)),
            "{phase}"
        );
    }
}

#[tokio::test]
async fn a_zones_serial_is_shown_for_soa_queries() {
    let run = ask("query_name: two.test, query_type: SOA", honest().await, PATIENCE).await;
    assert_eq!(value(&run, Metric::DnsSerial), Some(20_261_123.0), "{:?}", run.failure);
}

#[tokio::test]
async fn response_codes_are_judged() {
    let server = honest().await;
    let run = ask("query_name: none.test, query_type: A", server, PATIENCE).await;
    assert_eq!(reason(&run), Some(Reason::Status));
    assert_eq!(run.failure.unwrap().detail, "the name server answered NXDOMAIN; accepted: NOERROR");
    let run = ask("query_name: none.test, query_type: A, valid_rcodes: [NXDOMAIN]", server, PATIENCE).await;
    assert_eq!(run.failure, None);
}

#[tokio::test]
async fn records_are_judged() {
    let server = honest().await;
    let section = |rule: &str| format!("query_name: two.test, query_type: A, validate_answer_rrs: {{{rule}}}");
    let run = ask(&section("fail_if_not_matches_regexp: ['192\\.0\\.2\\.']"), server, PATIENCE).await;
    assert_eq!(run.failure, None);
    let run = ask(&section("fail_if_matches_regexp: ['192\\.0\\.2\\.2$']"), server, PATIENCE).await;
    assert_eq!(reason(&run), Some(Reason::Body));
    assert_eq!(value(&run, Metric::DnsAnswerRrs), Some(2.0), "counts stay visible");
}

#[tokio::test]
async fn tcp_is_spoken() {
    let server = tcp(|query| framed(&answer(query))).await;
    let run = ask("query_name: two.test, query_type: A, transport_protocol: tcp", server, PATIENCE).await;
    assert_eq!((run.failure.clone(), value(&run, Metric::DnsAnswerRrs)), (None, Some(2.0)));
}

#[tokio::test]
async fn packets_that_are_not_the_answer_are_ignored() {
    let server = udp(|query| {
        let mut other_id = answer(query);
        other_id.metadata.id = query.metadata.id.wrapping_add(1);
        let mut other_question = answer(query);
        other_question.queries[0].name = Name::from_ascii("else.test.").unwrap();
        let packets = [b"garbage".to_vec(), Vec::new(), other_id.to_vec().unwrap(), other_question.to_vec().unwrap()];
        packets.into_iter().chain([query.to_vec().unwrap(), answer(query).to_vec().unwrap()]).collect()
    })
    .await;
    let run = ask("query_name: two.test, query_type: A", server, PATIENCE).await;
    assert_eq!((run.failure.clone(), value(&run, Metric::DnsAnswerRrs)), (None, Some(2.0)));
}

#[tokio::test]
async fn the_answer_may_be_in_capitals() {
    let server = udp(|query| {
        let mut reply = answer(query);
        reply.queries[0].name = Name::from_ascii("TWO.Test.").unwrap();
        vec![reply.to_vec().unwrap()]
    })
    .await;
    assert_eq!(ask("query_name: two.test, query_type: A", server, PATIENCE).await.failure, None);
}

#[tokio::test]
async fn a_server_that_mumbles_is_told_from_a_stranger() {
    let server = udp(|query| {
        let mut packet = answer(query).to_vec().unwrap();
        packet.truncate(packet.len() - 3);
        vec![packet]
    })
    .await;
    let run = ask("query_name: two.test, query_type: A", server, PATIENCE).await;
    assert_eq!(reason(&run), Some(Reason::Protocol), "{:?}", run.failure);
    // The same without the id: anybody can send that.
    let server = udp(|query| {
        let mut packet = answer(query).to_vec().unwrap();
        packet[1] ^= 1;
        packet.truncate(packet.len() - 3);
        vec![packet; 100]
    })
    .await;
    let run = ask("query_name: two.test, query_type: A", server, Duration::from_millis(300)).await;
    assert_eq!(reason(&run), Some(Reason::Timeout));
    assert!(run.failure.as_ref().unwrap().detail.contains("do not answer the query"), "{:?}", run.failure);
}

#[tokio::test]
async fn packets_from_another_address_are_not_heard() {
    // Each query is answered by a stranger who has even seen it, and by nobody else.
    let honest = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let server = honest.local_addr().unwrap();
    let stranger = UdpSocket::bind("127.0.0.2:0").await.unwrap();
    tokio::spawn(async move {
        let mut buffer = [0; 1500];
        while let Ok((length, from)) = honest.recv_from(&mut buffer).await {
            let forged = answer(&Message::from_vec(&buffer[..length]).unwrap()).to_vec().unwrap();
            stranger.send_to(&forged, from).await.unwrap();
        }
    });
    let run = ask("query_name: two.test, query_type: A", server, Duration::from_millis(300)).await;
    assert_eq!(reason(&run), Some(Reason::Timeout), "{:?}", run.failure);
}

#[tokio::test]
async fn a_truncated_answer_is_judged_as_it_is_and_said_to_be_truncated() {
    let server = udp(|query| {
        let mut reply = answer(query);
        reply.answers.truncate(1);
        reply.metadata.truncation = true;
        vec![reply.to_vec().unwrap()]
    })
    .await;
    let run = ask("query_name: two.test, query_type: A", server, PATIENCE).await;
    assert_eq!((run.failure.clone(), value(&run, Metric::DnsAnswerRrs)), (None, Some(1.0)));
    let rule = "validate_answer_rrs: {fail_if_none_matches_regexp: ['2\\.2$']}";
    let run = ask(&format!("query_name: two.test, query_type: A, {rule}"), server, PATIENCE).await;
    assert_eq!(reason(&run), Some(Reason::Body));
    assert!(run.failure.as_ref().unwrap().detail.contains("truncated"), "{:?}", run.failure);
}

/// Almost as many records as the largest message holds.
fn huge(query: &Message) -> Message {
    let mut reply = answer(query);
    let name = reply.queries[0].name.clone();
    for i in 0..2500u16 {
        let [high, low] = i.to_be_bytes();
        reply.add_answer(Record::from_rdata(name.clone(), 60, RData::A(A(Ipv4Addr::new(10, 0, high, low)))));
    }
    reply
}

#[tokio::test]
async fn the_largest_messages_are_read() {
    let server = tcp(|query| framed(&huge(query))).await;
    let run = ask("query_name: two.test, query_type: A, transport_protocol: tcp", server, PATIENCE).await;
    assert_eq!((run.failure.clone(), value(&run, Metric::DnsAnswerRrs)), (None, Some(2502.0)));
    let server = udp(|query| vec![huge(query).to_vec().unwrap()]).await;
    let run = ask("query_name: two.test, query_type: A", server, PATIENCE).await;
    assert_eq!((run.failure.clone(), value(&run, Metric::DnsAnswerRrs)), (None, Some(2502.0)));
}

#[tokio::test]
async fn another_answer_over_tcp_is_a_fault() {
    let server = tcp(|query| {
        let mut reply = answer(query);
        reply.metadata.id = reply.metadata.id.wrapping_add(1);
        framed(&reply)
    })
    .await;
    let run = ask("query_name: two.test, query_type: A, transport_protocol: tcp", server, PATIENCE).await;
    assert_eq!(reason(&run), Some(Reason::Protocol), "{:?}", run.failure);
}

#[tokio::test]
async fn tls_is_spoken_and_its_certificate_shown() {
    let certs = Certs::of(&["ns.test"]);
    let acceptor = certs.acceptor();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let length = stream.read_u16().await.unwrap();
            let mut buffer = vec![0; usize::from(length)];
            stream.read_exact(&mut buffer).await.unwrap();
            stream.write_all(&framed(&answer(&Message::from_vec(&buffer).unwrap()))).await.unwrap();
        }
    });
    let section = |tls: &str| {
        format!(
            "query_name: two.test, query_type: A, transport_protocol: tcp, dns_over_tls: true, tls_config: {{{tls}}}"
        )
    };
    let ca = certs.ca_file();
    let run = ask(&section(&format!("ca_file: '{}', server_name: ns.test", ca.display())), server, PATIENCE).await;
    assert_eq!((run.failure.clone(), value(&run, Metric::DnsAnswerRrs)), (None, Some(2.0)));
    assert!(value(&run, Metric::SslEarliestCertExpiry).is_some());
    let run = ask(&section("server_name: ns.test"), server, PATIENCE).await;
    assert_eq!(reason(&run), Some(Reason::Certificate), "{:?}", run.failure);
    assert!(value(&run, Metric::SslEarliestCertExpiry).is_some(), "shown also where it does not verify");
}

#[tokio::test]
async fn a_client_certificate_is_shown_where_the_name_server_asks_for_one() {
    let certs = Certs::of(&["127.0.0.1"]);
    let acceptor = certs.demanding_acceptor();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let length = stream.read_u16().await.unwrap();
            let mut buffer = vec![0; usize::from(length)];
            stream.read_exact(&mut buffer).await.unwrap();
            stream.write_all(&framed(&answer(&Message::from_vec(&buffer).unwrap()))).await.unwrap();
        }
    });
    let ca = certs.ca_file();
    let (cert, key) = (ca.with_file_name("client.pem"), ca.with_file_name("client.key"));
    std::fs::write(&cert, &certs.certificate).unwrap();
    std::fs::write(&key, &certs.key).unwrap();
    let section = |more: &str| {
        let ca = ca.display();
        format!(
            "query_name: two.test, query_type: A, transport_protocol: tcp, dns_over_tls: true, tls_config: {{ca_file: '{ca}'{more}}}"
        )
    };
    let mine = format!(", cert_file: '{}', key_file: '{}'", cert.display(), key.display());
    let run = ask(&section(&mine), server, PATIENCE).await;
    assert_eq!((run.failure.clone(), value(&run, Metric::DnsAnswerRrs)), (None, Some(2.0)));
    // Whose certificate it is, is asked of the target's own name.
    let run = ask(&section(&format!("{mine}, server_name: other.test")), server, PATIENCE).await;
    assert_eq!(reason(&run), Some(Reason::Certificate), "{:?}", run.failure);
    let run = ask(&section(""), server, PATIENCE).await;
    assert_eq!(reason(&run), Some(Reason::ClientCertificate), "{:?}", run.failure);
}

#[tokio::test]
async fn the_query_is_as_configured() {
    let (send, mut queries) = tokio::sync::mpsc::unbounded_channel();
    let server = udp(move |query| {
        send.send(query.clone()).unwrap();
        vec![answer(query).to_vec().unwrap()]
    })
    .await;
    ask("query_name: Two.test, query_type: type65, query_class: CH, recursion_desired: false", server, PATIENCE).await;
    let query = queries.recv().await.unwrap();
    assert_eq!(query.queries[0].name.to_ascii(), "Two.test.");
    assert_eq!((u16::from(query.queries[0].query_type), u16::from(query.queries[0].query_class)), (65, 3));
    assert!(!query.metadata.recursion_desired && query.edns.is_none());
    ask("query_name: two.test", server, PATIENCE).await;
    let other = queries.recv().await.unwrap();
    assert_eq!((other.queries[0].query_type, other.metadata.recursion_desired), (RecordType::ANY, true));
    // One pair in 65 536 is equal by chance: three are not.
    let mut ids = vec![query.metadata.id, other.metadata.id];
    for _ in 0..2 {
        ask("query_name: two.test", server, PATIENCE).await;
        ids.push(queries.recv().await.unwrap().metadata.id);
    }
    ids.dedup();
    assert!(ids.len() > 1, "{ids:?}");
}

#[tokio::test]
async fn queries_come_from_the_configured_source() {
    let server = honest().await;
    let section = |source: &str| format!("query_name: two.test, query_type: A, source_ip_address: {source}");
    assert_eq!(ask(&section("127.0.0.7"), server, PATIENCE).await.failure, None);
    for source in ["192.0.2.1", "'::1'"] {
        let run = ask(&section(source), server, PATIENCE).await;
        assert_eq!(reason(&run), Some(Reason::Connect), "{:?}", run.failure);
        assert!(run.failure.as_ref().unwrap().detail.contains("source_ip_address"), "{:?}", run.failure);
    }
}

#[test]
fn a_target_is_a_name_server() {
    let module = decode("query_name: a").unwrap();
    for good in ["ns1.example.com", "192.0.2.1:5353", "::1", "[::1]:53"] {
        assert_eq!(probe::check_target(&module, good), Ok(()), "{good}");
    }
    for bad in ["", "ns1:dns", "udp://ns1", "a b", "ns1:0"] {
        assert!(probe::check_target(&module, bad).is_err(), "{bad}");
    }
    let v4_only = decode("query_name: a, preferred_ip_protocol: ip4, ip_protocol_fallback: false").unwrap();
    assert!(probe::check_target(&v4_only, "::1").is_err());
    assert!(probe::check_target(&decode("query_name: a, source_ip_address: 127.0.0.1").unwrap(), "::1").is_err());
}

#[test]
fn the_documented_examples_are_read() {
    assert_eq!(crate::support::documented("dns.md").len(), 3);
}

#[tokio::test]
async fn silence_is_a_timeout() {
    let server = udp(|_| Vec::new()).await;
    let run = ask("query_name: two.test, query_type: A", server, Duration::from_millis(300)).await;
    assert_eq!(reason(&run), Some(Reason::Timeout));
    assert!(run.failure.as_ref().unwrap().detail.contains("waiting for the name server's answer"));
    assert_eq!(value(&run, Metric::DnsQuerySucceeded), Some(0.0));
    assert!(run.duration < PATIENCE);
}

#[tokio::test]
async fn a_closed_port_refuses() {
    let closed = UdpSocket::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let run = ask("query_name: two.test, query_type: A", closed, PATIENCE).await;
    assert_eq!(reason(&run), Some(Reason::Refused), "{:?}", run.failure);
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let run = ask("query_name: two.test, query_type: A, transport_protocol: tcp", closed, PATIENCE).await;
    assert_eq!(reason(&run), Some(Reason::Refused), "{:?}", run.failure);
}

#[tokio::test]
async fn garbage_over_tcp_is_a_fault_of_the_protocol() {
    let server = tcp(|_| b"\x00\x07garbage".to_vec()).await;
    let run = ask("query_name: two.test, query_type: A, transport_protocol: tcp", server, PATIENCE).await;
    assert_eq!(reason(&run), Some(Reason::Protocol), "{:?}", run.failure);
    let server = tcp(|_| b"\xff\xffcut short".to_vec()).await;
    let run = ask("query_name: two.test, query_type: A, transport_protocol: tcp", server, PATIENCE).await;
    assert_eq!(reason(&run), Some(Reason::Reset), "{:?}", run.failure);
}

#[test]
fn settings_that_do_not_fit_are_refused_by_name() {
    for (section, text) in [
        ("query_type: A", "`query_name` is missing"),
        ("query_name: 'a..b'", "is not a domain name"),
        ("query_name: a, query_type: B", "unknown record type `B`"),
        ("query_name: a, query_type: AXFR", "ask for SOA"),
        ("query_name: a, query_type: TYPE65536", "unknown record type `TYPE65536`"),
        (
            "query_name: a, validate_answer_rrs: {fail_if_all_match_regexp: [a]}",
            "warning: dns.validate_answer_rrs.fail_if_all_match_regexp: fails unless all records match",
        ),
        ("query_name: a, valid_rcodes: [NXDOMAINE]", "did you mean `NXDOMAIN`?"),
        ("query_name: a, transport_protocol: sctp", "accepted: udp, tcp"),
        ("query_name: a, dns_over_tls: true", "TLS needs `transport_protocol: tcp`"),
        (
            "query_name: a, validate_answer_rrs: {fail_if_matches: [a]}",
            "unknown key `fail_if_matches`; accepted here: fail_if_matches_regexp",
        ),
        ("query_name: a, validate_answer_rrs: {fail_if_matches_regexp: ['(']}", "is not a regular expression"),
        ("query_name: a, query_clas: IN", "did you mean `query_class`?"),
    ] {
        let message = decode(section).expect_err(section);
        assert!(message.contains(text), "{section}: {message}");
    }
}
