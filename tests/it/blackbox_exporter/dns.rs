//! `prober: dns` against a name server of the test's own, over UDP, TCP and TLS: types, classes, codes, and the four forms of
//! assertions on each section.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, TcpListener, UdpSocket};

use hickory_proto::op::{Message, MessageType, ResponseCode};
use hickory_proto::rr::rdata::{A, AAAA, MX, NS, SOA, TXT};
use hickory_proto::rr::{DNSClass, Name, RData, Record, RecordType};

use super::Beside;
use super::exporters::Ends::{Down, Up, UpHere};
use super::pki::{Leaf, Pki};
use super::servers::{closed, serve};

/// Options that all the modules have.
const ASK: &str = "preferred_ip_protocol: ip4, query_name: two.test";

const MODULES: &[(&str, &str)] = &[
    ("a", "ASK, query_type: A"),
    ("disturbed", "preferred_ip_protocol: ip4, query_name: disturbed.test, query_type: A"),
    ("impatient_a", "ASK, query_type: A"),
    ("aaaa", "ASK, query_type: AAAA"),
    ("soa", "ASK, query_type: SOA"),
    ("mx", "ASK, query_type: MX"),
    ("any", "ASK, query_type: ANY"),
    ("default", "ASK"),
    ("no_serial", "preferred_ip_protocol: ip4, query_name: unset.test, query_type: SOA"),
    ("a_tcp", "ASK, query_type: A, transport_protocol: tcp"),
    ("soa_tcp", "ASK, query_type: SOA, transport_protocol: tcp"),
    ("a_tls", "ASK, query_type: A, transport_protocol: tcp, dns_over_tls: true, tls_config: {ca_file: FOLDER/ca.pem}"),
    ("a_tls_doubtful", "ASK, query_type: A, transport_protocol: tcp, dns_over_tls: true"),
    ("source", "ASK, query_type: A, source_ip_address: 127.0.0.1"),
    ("foreign_source", "ASK, query_type: A, source_ip_address: 192.0.2.1"),
    ("ip6", "query_name: two.test, query_type: A, preferred_ip_protocol: ip6"),
    // Codes, classes, recursion.
    ("absent", "preferred_ip_protocol: ip4, query_name: none.test, query_type: A"),
    (
        "absent_as_wanted",
        "preferred_ip_protocol: ip4, query_name: none.test, query_type: A, valid_rcodes: [NOERROR, NXDOMAIN]",
    ),
    (
        "refused_as_wanted",
        "preferred_ip_protocol: ip4, query_name: refused.test, query_type: A, valid_rcodes: [REFUSED]",
    ),
    ("present_unwanted", "ASK, query_type: A, valid_rcodes: [NXDOMAIN]"),
    (
        "chaos",
        "preferred_ip_protocol: ip4, query_name: version.bind, query_type: TXT, query_class: CH, validate_answer_rrs: {fail_if_not_matches_regexp: ['\\tCH\\t']}",
    ),
    ("recursive", "preferred_ip_protocol: ip4, query_name: recursion.test, query_type: TXT, recursion_desired: true"),
    (
        "iterative",
        "preferred_ip_protocol: ip4, query_name: recursion.test, query_type: TXT, recursion_desired: false, validate_answer_rrs: {fail_if_none_matches_regexp: [not wanted]}",
    ),
    // Assertions: `matches` both ways.
    ("m_one", r"ASK, query_type: A, validate_answer_rrs: {fail_if_matches_regexp: ['192\.0\.2\.2$']}"),
    ("m_none", r"ASK, query_type: A, validate_answer_rrs: {fail_if_matches_regexp: ['192\.0\.3\.']}"),
    ("all_one", r"ASK, query_type: A, validate_answer_rrs: {fail_if_all_match_regexp: ['192\.0\.2\.2$']}"),
    ("all_all", r"ASK, query_type: A, validate_answer_rrs: {fail_if_all_match_regexp: ['192\.0\.2\.']}"),
    ("not_one", r"ASK, query_type: A, validate_answer_rrs: {fail_if_not_matches_regexp: ['192\.0\.2\.2$']}"),
    (
        "not_all",
        r"ASK, query_type: A, validate_answer_rrs: {fail_if_not_matches_regexp: ['^two\.test\.\t60\tIN\tA\t192\.0\.2\.']}",
    ),
    ("none_one", r"ASK, query_type: A, validate_answer_rrs: {fail_if_none_matches_regexp: ['192\.0\.2\.2$']}"),
    ("none_none", r"ASK, query_type: A, validate_answer_rrs: {fail_if_none_matches_regexp: ['192\.0\.3\.']}"),
    (
        "authority",
        r"ASK, query_type: MX, validate_authority_rrs: {fail_if_not_matches_regexp: ['\tNS\tns\.two\.test\.$']}",
    ),
    ("no_authority", r"ASK, query_type: MX, validate_authority_rrs: {fail_if_matches_regexp: ['ns\.two\.test']}"),
    (
        "additional",
        r"ASK, query_type: MX, validate_additional_rrs: {fail_if_none_matches_regexp: ['^mail\.two\.test\..*\t192\.0\.2\.9$']}",
    ),
    (
        "no_additional",
        r"ASK, query_type: MX, validate_additional_rrs: {fail_if_none_matches_regexp: ['192\.0\.2\.8$']}",
    ),
    ("mx_text", r"ASK, query_type: MX, validate_answer_rrs: {fail_if_not_matches_regexp: ['\t10 mail\.two\.test\.$']}"),
    ("aaaa_text", r"ASK, query_type: AAAA, validate_answer_rrs: {fail_if_not_matches_regexp: ['\t2001:db8::1$']}"),
    (
        "soa_text",
        r"ASK, query_type: SOA, validate_answer_rrs: {fail_if_not_matches_regexp: ['\tns\.two\.test\. host\.two\.test\. 20261123 1 2 3 4$']}",
    ),
    (
        "txt_text",
        r#"preferred_ip_protocol: ip4, query_name: text.test, query_type: TXT, validate_answer_rrs: {fail_if_not_matches_regexp: ['"v=spf1 -all" "a b"$']}"#,
    ),
    // Where there is no record to judge.
    (
        "empty_m",
        "preferred_ip_protocol: ip4, query_name: empty.test, query_type: A, validate_answer_rrs: {fail_if_matches_regexp: [a]}",
    ),
    (
        "empty_not",
        "preferred_ip_protocol: ip4, query_name: empty.test, query_type: A, validate_answer_rrs: {fail_if_not_matches_regexp: [a]}",
    ),
    (
        "empty_none",
        "preferred_ip_protocol: ip4, query_name: empty.test, query_type: A, validate_answer_rrs: {fail_if_none_matches_regexp: [a]}",
    ),
];

fn name(text: &str) -> Name {
    Name::from_ascii(text).unwrap()
}

/// What an honest server answers; `None`: nothing at all.
fn answer(query: &[u8]) -> Option<Vec<u8>> {
    let mut message = Message::from_vec(query).ok()?;
    let question = message.queries.first()?.clone();
    message.metadata.message_type = MessageType::Response;
    let recursive = message.metadata.recursion_desired;
    let of = |owner: &str, data: RData| Record::from_rdata(name(owner), 60, data);
    let a = |last: u8| RData::A(A(Ipv4Addr::new(192, 0, 2, last)));
    let aaaa = || RData::AAAA(AAAA("2001:db8::1".parse::<Ipv6Addr>().unwrap()));
    let soa = || RData::SOA(SOA::new(name("ns.two.test."), name("host.two.test."), 20_261_123, 1, 2, 3, 4));
    let mx = || RData::MX(MX::new(10, name("mail.two.test.")));
    let text = |words: &[&str]| RData::TXT(TXT::new(words.iter().map(|&word| word.to_owned()).collect()));
    let owner = question.name().to_ascii();
    let answers = match (owner.as_str(), question.query_type()) {
        ("silent.test.", _) => return None,
        ("two.test.", RecordType::A) => vec![of("two.test.", a(1)), of("two.test.", a(2))],
        ("two.test.", RecordType::AAAA) => vec![of("two.test.", aaaa())],
        ("two.test.", RecordType::SOA) => vec![of("two.test.", soa())],
        ("two.test.", RecordType::MX) => {
            message.authorities.push(of("two.test.", RData::NS(NS(name("ns.two.test.")))));
            message.additionals.push(of("mail.two.test.", a(9)));
            vec![of("two.test.", mx())]
        }
        ("two.test.", RecordType::ANY) => vec![of("two.test.", a(1)), of("two.test.", soa()), of("two.test.", mx())],
        ("text.test.", RecordType::TXT) => vec![of("text.test.", text(&["v=spf1 -all", "a b"]))],
        ("recursion.test.", RecordType::TXT) => {
            vec![of("recursion.test.", text(&[if recursive { "recursion wanted" } else { "not wanted" }]))]
        }
        ("version.bind.", RecordType::TXT) if question.query_class() == DNSClass::CH => {
            let mut record = of("version.bind.", text(&["1.0"]));
            record.dns_class = DNSClass::CH;
            vec![record]
        }
        ("empty.test." | "disturbed.test." | "unset.test.", _) => Vec::new(),
        ("refused.test.", _) => {
            message.metadata.response_code = ResponseCode::Refused;
            Vec::new()
        }
        _ => {
            message.metadata.response_code = ResponseCode::NXDomain;
            Vec::new()
        }
    };
    message.answers = answers;
    message.to_vec().ok()
}

/// One query and its answer, with the length in front as it is over TCP and TLS.
fn over_stream(stream: &mut (impl Read + Write + ?Sized)) {
    let mut length = [0; 2];
    if stream.read_exact(&mut length).is_err() {
        return;
    }
    let mut query = vec![0; usize::from(u16::from_be_bytes(length))];
    if stream.read_exact(&mut query).is_ok()
        && let Some(reply) = answer(&query)
    {
        let length = u16::try_from(reply.len()).unwrap().to_be_bytes();
        let _ = stream.write_all(&[&length[..], &reply].concat());
        let _ = stream.flush();
    }
}

/// UDP and TCP on the same port.
fn name_server() -> u16 {
    let (udp, tcp) = (0..50)
        .find_map(|_| {
            let udp = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
            TcpListener::bind(udp.local_addr().unwrap()).ok().map(|tcp| (udp, tcp))
        })
        .expect("a port that is free for both");
    let port = udp.local_addr().unwrap().port();
    std::thread::spawn(move || {
        let mut buffer = [0; 1500];
        while let Ok((length, peer)) = udp.recv_from(&mut buffer) {
            if let Some(reply) = answer(&buffer[..length]) {
                // Somebody else's packet comes first.
                if String::from_utf8_lossy(&buffer[..length]).contains("disturbed") {
                    let _ = udp.send_to(b"noise", peer);
                }
                let _ = udp.send_to(&reply, peer);
            }
        }
    });
    std::thread::spawn(move || {
        for mut stream in tcp.incoming().flatten() {
            std::thread::spawn(move || over_stream(&mut stream));
        }
    });
    port
}

#[test]
fn the_dns_prober_does_as_theirs_with_every_option() {
    let folder = tempfile::tempdir().unwrap();
    let pki = Pki::new(folder.path());
    let modules: Vec<(&str, String)> =
        MODULES.iter().map(|(name, text)| (*name, format!("{{{}}}", text.replace("ASK", ASK)))).collect();
    let modules: Vec<(&str, &str)> = modules.iter().map(|(name, text)| (*name, text.as_str())).collect();
    let mut beside = Beside::new("dns", "dns", folder.path(), &modules);
    let server = name_server();
    for (module, ends) in [
        ("a", Up),
        ("aaaa", Up),
        ("soa", Up),
        ("mx", Up),
        ("any", Up),
        ("default", Up),
        ("no_serial", Up),
        ("disturbed", UpHere("receives another packet before its answer, over UDP")),
        ("a_tcp", Up),
        ("soa_tcp", Up),
        ("source", Up),
        ("foreign_source", Down),
        ("ip6", Up),
        ("absent", Down),
        ("absent_as_wanted", Up),
        ("refused_as_wanted", Up),
        ("present_unwanted", Down),
        ("chaos", Up),
        ("recursive", Up),
        ("iterative", Up),
        ("m_one", Down),
        ("m_none", Up),
        ("all_one", Down),
        ("all_all", Up),
        ("not_one", Down),
        ("not_all", Up),
        ("none_one", Up),
        ("none_none", Down),
        ("authority", Up),
        ("no_authority", Down),
        ("additional", Up),
        ("no_additional", Down),
        ("mx_text", Up),
        ("aaaa_text", Up),
        ("soa_text", Up),
        ("txt_text", Up),
        ("empty_m", Up),
        ("empty_not", Down),
        ("empty_none", Down),
    ] {
        beside.check(module, &format!("127.0.0.1:{server}"), ends);
    }
    beside.check("a", &format!("localhost:{server}"), Up);
    beside.check("a", &format!("no-such-host.invalid:{server}"), Down);
    let tls = |leaf: &Leaf| serve(Some(pki.server(leaf)), |stream| over_stream(stream));
    let (good, expired) = (tls(&Leaf::default()), tls(&Leaf { years: (2019, 2020), ..Leaf::default() }));
    beside.check("a_tls", &format!("127.0.0.1:{good}"), Up);
    beside.check("a_tls", &format!("127.0.0.1:{expired}"), Down);
    beside.check("a_tls_doubtful", &format!("127.0.0.1:{good}"), Down);
    let (_kept, closed) = closed();
    beside.check("a", &format!("127.0.0.1:{closed}"), Down);
    beside.check("a_tcp", &format!("127.0.0.1:{closed}"), Down);
    let silent = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    beside.check("impatient_a", &silent.local_addr().unwrap().to_string(), Down);
    // It answers, and with what is no DNS message.
    let web = serve(None, |stream| drop(stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")));
    beside.check("a_tcp", &format!("127.0.0.1:{web}"), Down);
    beside.finish();
}
