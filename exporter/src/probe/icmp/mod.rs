//! The `icmp` prober: an echo request and its reply.
//!
//! Options and metrics are blackbox_exporter's. All targets share one socket per address family
//! ([`Sockets`]): a socket per target wakes every one of them for every reply. Not for loss statistics:
//! one run is one echo.

mod reply;
mod sockets;

use std::net::IpAddr;

use tokio::time::Instant;

use self::sockets::Key;
pub use self::sockets::Sockets;
use super::net::{self, IpChoice};
use super::{Failure, Metric, Reason, Samples, Section, Shared, endpoint};

/// Payload of an echo request where the module names none: what `ping` sends.
const DEFAULT_PAYLOAD: i64 = 56;
/// The largest payload an IPv4 datagram holds beside its headers.
const MAX_PAYLOAD: i64 = 65_507;

/// IPv6 and nothing else.
const ONLY_V6: IpChoice = IpChoice { prefer_v6: true, fallback: false };

/// Settings of the section `icmp`.
#[derive(Debug)]
pub struct Settings {
    ip: IpChoice,
    source: Option<IpAddr>,
    ttl: Option<u32>,
    /// Over IPv4 only: over IPv6 no router fragments.
    dont_fragment: bool,
    payload: Box<[u8]>,
}

/// Reads the section `icmp` of a module.
pub fn decode(mut map: Section<'_>) -> Option<Settings> {
    let ip = IpChoice::decode(&mut map);
    let source = net::source_ip_address(&mut map);
    let payload = map.get("payload_size").map_or(Some(DEFAULT_PAYLOAD), |c| c.integer(0..=MAX_PAYLOAD));
    // 0 is blackbox_exporter's way to say that nothing is said.
    let ttl = map.get("ttl").map_or(Some(0), |c| c.integer(0..=255));
    let dont_fragment = map.get("dont_fragment").map_or(Some(false), |c| match c.bool()? {
        true if ip == Some(ONLY_V6) => c.error("has no meaning over IPv6, whose routers never fragment; leave it out"),
        choice => Some(choice),
    });
    map.finish();
    let ttl = u32::try_from(ttl?).ok().filter(|ttl| *ttl > 0);
    let payload = vec![0; usize::try_from(payload?).unwrap_or(0)].into_boxed_slice();
    Some(Settings { ip: ip?, source: source?, ttl, dont_fragment: dont_fragment?, payload })
}

/// Why a target cannot be probed with these settings.
///
/// # Errors
/// With what was found and what is accepted.
pub fn check_target(settings: &Settings, target: &str) -> Result<(), String> {
    if target.parse::<std::net::Ipv6Addr>().is_err() && target.contains(':') {
        return Err(format!(
            "`{}` is not a host; a ping has no port, write a name or an IP address",
            crate::config::decode::shorten(target)
        ));
    }
    let host = endpoint::Endpoint::parse(target, Some(1))?.host;
    match host.parse::<IpAddr>() {
        Ok(address) if !settings.ip.accepts(address) => Err(format!(
            "{address} is not of the module's preferred_ip_protocol, and its ip_protocol_fallback is false"
        )),
        Ok(address) if settings.source.is_some_and(|source| source.is_ipv4() != address.is_ipv4()) => {
            Err(format!("{address} cannot be reached from the module's source_ip_address: one is IPv4, the other IPv6"))
        }
        _ => Ok(()),
    }
}

/// One attempt.
///
/// # Errors
/// `dns`; `permission` where the system permits no ICMP socket; `connect` where the target or the way to it is
/// reported unreachable. A missing reply is the caller's `timeout`.
pub async fn run(settings: &Settings, target: &str, shared: &Shared, out: &mut Samples) -> Result<(), Failure> {
    // blackbox_exporter shows all phases from the beginning.
    for phase in ["resolve", "setup", "rtt"] {
        out.set_phase(Metric::IcmpDuration, phase, 0.0);
    }
    let started = Instant::now();
    let address = shared.resolver.resolve(target, settings.ip, out).await?;
    out.set_phase(Metric::IcmpDuration, "resolve", started.elapsed().as_secs_f64());

    let setup = Instant::now();
    if settings.source.is_some_and(|source| source.is_ipv4() != address.is_ipv4()) {
        return Err(Failure::new(
            Reason::Connect,
            format_args!(
                "{target} is {address}, which the module's source_ip_address cannot reach: one is IPv4, the other IPv6"
            ),
        ));
    }
    let v6 = address.is_ipv6();
    let whole = settings.dont_fragment && !v6;
    let key = Key { v6, source: settings.source, ttl: settings.ttl, whole };
    let socket = shared.icmp.get(key)?;
    out.set_phase(Metric::IcmpDuration, "setup", setup.elapsed().as_secs_f64());

    out.stage("waiting for the echo reply");
    let reply = socket.ping(address, &settings.payload, out.echoes()).await?;
    out.set_phase(Metric::IcmpDuration, "rtt", reply.rtt.as_secs_f64());
    if let Some(hops) = reply.hop_limit {
        out.set(Metric::IcmpReplyHopLimit, f64::from(hops));
    }
    match reply.unreachable {
        None => {
            out.echoes().replies += 1;
            Ok(())
        }
        Some(kind) => Err(Failure::new(Reason::Connect, format_args!("{address}: {kind}"))),
    }
}
