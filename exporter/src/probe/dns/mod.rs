//! The `dns` prober: one query to one name server, and what must be in the answer.
//!
//! Options and metrics are blackbox_exporter's. Not for resolving the targets of other probers (`net`).

mod assertions;
mod exchange;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;
mod query;
mod record;

use std::net::{IpAddr, SocketAddr};

use hickory_proto::op::Message;
use hickory_proto::rr::{RData, RecordType};
use tokio::time::Instant;

use self::assertions::Assertions;
use self::exchange::Transport;
use self::query::QuerySettings;
use super::endpoint::Endpoint;
use super::net::{self, IpChoice};
use super::{Failure, Metric, Reason, Samples, Section, Shared, tls};
use crate::config::decode::collect;

const PORT: u16 = 53;
const PORT_TLS: u16 = 853;

/// Settings of the section `dns`.
#[derive(Debug)]
pub struct Settings {
    ip: IpChoice,
    source: Option<IpAddr>,
    transport: Transport,
    query: QuerySettings,
    /// Accepted response codes.
    rcodes: Vec<u16>,
    answer: Assertions,
    authority: Assertions,
    additional: Assertions,
}

/// Reads the section `dns` of a module.
pub fn decode(mut map: Section<'_>) -> Option<Settings> {
    let ip = IpChoice::decode(&mut map);
    let source = net::source_ip_address(&mut map);
    let query = query::decode(&mut map);
    let protocol = map.get("transport_protocol").map_or(Some(false), |c| c.one_of(&[("udp", false), ("tcp", true)]));
    let over_tls = map.get("dns_over_tls").map(|c| (c.bool(), c));
    let tls_config = map.get("tls_config");
    let transport = match (over_tls, protocol) {
        (Some((Some(true), _)), Some(true)) => tls::decode(tls_config, &[]).map(|tls| Transport::Tls(Box::new(tls))),
        (Some((Some(true), cursor)), Some(false)) => cursor.error("TLS needs `transport_protocol: tcp`"),
        (Some((None, _)), _) | (_, None) => None,
        (_, Some(tcp)) => {
            if let Some(cursor) = tls_config {
                cursor.warn("has no effect: `dns_over_tls` is not true");
            }
            Some(if tcp { Transport::Tcp } else { Transport::Udp })
        }
    };
    let rcodes = map.get("valid_rcodes").map_or(Some(vec![0]), |c| collect(&c.list()?, query::rcode));
    let mut assertions = |key| map.get(key).map_or(Some(Assertions::default()), |c| assertions::decode(&c));
    let answer = assertions("validate_answer_rrs");
    let authority = assertions("validate_authority_rrs");
    let additional = assertions("validate_additional_rrs");
    map.finish();
    Some(Settings {
        ip: ip?,
        source: source?,
        transport: transport?,
        query: query?,
        rcodes: rcodes.map(|codes| if codes.is_empty() { vec![0] } else { codes })?,
        answer: answer?,
        authority: authority?,
        additional: additional?,
    })
}

/// Why a target cannot be probed with these settings.
///
/// # Errors
/// With what was found and what is accepted.
pub fn check_target(settings: &Settings, target: &str) -> Result<(), String> {
    let server = Endpoint::parse(target, Some(settings.transport.port()))?;
    server.fits(settings.ip)?;
    match (server.host.parse::<IpAddr>(), settings.source) {
        (Ok(address), Some(source)) if source.is_ipv4() != address.is_ipv4() => {
            Err(format!("{address} cannot be reached from the module's source_ip_address: one is IPv4, the other IPv6"))
        }
        _ => Ok(()),
    }
}

/// One attempt.
///
/// # Errors
/// `dns` when the name server's own name does not resolve; `refused`, `reset`, `connect`, `tls`, `certificate` on the
/// way; `protocol` for what is no DNS answer (over UDP such packets are ignored: anybody can send them); `status`
/// for a response code that is not accepted; `body` when an assertion on the records fails.
pub async fn run(settings: &Settings, target: &str, shared: &Shared, out: &mut Samples) -> Result<(), Failure> {
    // blackbox_exporter shows these from the beginning.
    for phase in ["resolve", "connect", "request"] {
        out.set_phase(Metric::DnsDuration, phase, 0.0);
    }
    for metric in [Metric::DnsAnswerRrs, Metric::DnsAuthorityRrs, Metric::DnsAdditionalRrs, Metric::DnsQuerySucceeded] {
        out.set(metric, 0.0);
    }
    let server =
        Endpoint::parse(target, Some(settings.transport.port())).map_err(|why| Failure::new(Reason::Internal, why))?;
    let started = Instant::now();
    let address = shared.resolver.resolve(&server.host, settings.ip, out).await?;
    out.set_phase(Metric::DnsDuration, "resolve", started.elapsed().as_secs_f64());

    let query = settings.query.message();
    let address = SocketAddr::new(address, server.port);
    let answer = exchange::run(&settings.transport, address, &server.host, settings.source, &query, out).await?;
    write_answer(&answer, out);
    settings.judge(&answer)
}

fn write_answer(answer: &Message, out: &mut Samples) {
    // a section has at most 65 535 records
    let count = |records: usize| records as f64;
    out.set(Metric::DnsQuerySucceeded, 1.0);
    out.set(Metric::DnsAnswerRrs, count(answer.answers.len()));
    out.set(Metric::DnsAuthorityRrs, count(answer.authorities.len()));
    // The OPT record stands in the additional section; the parser keeps it apart.
    out.set(Metric::DnsAdditionalRrs, count(answer.additionals.len() + usize::from(answer.edns.is_some())));
    let is_soa = answer.queries.first().is_some_and(|query| query.query_type == RecordType::SOA);
    let serial = answer.answers.iter().find_map(|record| match &record.data {
        RData::SOA(soa) => Some(soa.serial),
        _ => None,
    });
    if let (true, Some(serial)) = (is_soa, serial) {
        out.set(Metric::DnsSerial, f64::from(serial));
    }
}

impl Settings {
    fn judge(&self, answer: &Message) -> Result<(), Failure> {
        let code = u16::from(answer.metadata.response_code);
        if !self.rcodes.contains(&code) {
            let accepted = self.rcodes.iter().map(|code| query::rcode_name(*code)).collect::<Vec<_>>().join(", ");
            return Err(Failure::new(
                Reason::Status,
                format_args!("the name server answered {}; accepted: {accepted}", query::rcode_name(code)),
            ));
        }
        self.answer
            .check("answer", &answer.answers)
            .and_then(|()| self.authority.check("authority", &answer.authorities))
            .and_then(|()| self.additional.check("additional", &answer.additionals))
            .map_err(|failure| match answer.metadata.truncation {
                true => Failure::new(
                    failure.reason,
                    format_args!("{}; the answer was truncated: ask with transport_protocol tcp", failure.detail),
                ),
                false => failure,
            })
    }
}
