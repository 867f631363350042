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
fn answer(query: &Message) -> Message {
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
async fn udp(reply: impl Fn(&Message) -> Vec<Vec<u8>> + Send + 'static) -> SocketAddr {
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

async fn tcp(reply: impl Fn(&Message) -> Vec<u8> + Send + 'static) -> SocketAddr {
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

async fn honest() -> SocketAddr {
    udp(|query| vec![answer(query).to_vec().unwrap()]).await
}

fn framed(message: &Message) -> Vec<u8> {
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
