//! ICMP sockets, shared: one per address family, and one more for each source address or TTL in use.
//!
//! Opened at first use. Unprivileged datagram sockets where `net.ipv4.ping_group_range` permits them,
//! raw ones (CAP_NET_RAW) where not. Where neither is permitted, opening is tried again once a minute,
//! so that a changed sysctl needs no restart.
//!
//! Replies find their request by address and sequence number (raw sockets: and an identifier of this
//! process). Numbers are counted per socket, so two pings of one address never share one.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use surge_ping::{Client, Config, ICMP, IcmpPacket, PingIdentifier, PingSequence, SurgeError};
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::super::{Failure, Reason};

/// Time between two tries to open a socket that could not be opened.
const RETRY: Duration = Duration::from_secs(60);
/// No reply is waited for longer; the prober's timeout is what ends a run.
const FOREVER: Duration = Duration::from_secs(3600);

/// Requests sent and not yet answered, at most, for [`PACE`]: a socket's receive buffer holds some 270
/// packets, a raw one sees requests to this host too, and what does not fit is a reply lost.
const BURST: usize = 100;
/// After this a request counts no longer: one that is never answered holds up nobody.
const PACE: Duration = Duration::from_millis(20);

/// What one socket serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) v6: bool,
    pub(super) source: Option<IpAddr>,
    pub(super) ttl: Option<u32>,
}

/// ICMP sockets shared by all targets.
#[derive(Default)]
pub struct Sockets {
    entries: Mutex<HashMap<Key, Entry>>,
}

impl std::fmt::Debug for Sockets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sockets")
    }
}

enum Entry {
    Open(Arc<Socket>),
    Failed { at: Instant, failure: Failure },
}

/// An open socket.
pub(super) struct Socket {
    client: Client,
    identifier: PingIdentifier,
    sequence: AtomicU16,
    burst: Semaphore,
}

/// What came back.
pub(super) struct Reply {
    pub(super) rtt: Duration,
    /// Known on raw IPv4 sockets only.
    pub(super) hop_limit: Option<u8>,
    /// An error message came instead of an echo reply.
    pub(super) unreachable: Option<&'static str>,
}

impl Sockets {
    /// No sockets yet: each is opened when first needed.
    #[must_use]
    pub fn open() -> Self {
        Self::default()
    }

    /// The socket for `key`. Needs a tokio runtime.
    pub(super) fn get(&self, key: Key) -> Result<Arc<Socket>, Failure> {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        match entries.get(&key) {
            Some(Entry::Open(socket)) => return Ok(Arc::clone(socket)),
            Some(Entry::Failed { at, failure }) if at.elapsed() < RETRY => return Err(failure.clone()),
            _ => {}
        }
        match Socket::open(key) {
            Ok(socket) => {
                let socket = Arc::new(socket);
                entries.insert(key, Entry::Open(Arc::clone(&socket)));
                Ok(socket)
            }
            Err(error) => {
                let failure = explain(key, &error);
                entries.insert(key, Entry::Failed { at: Instant::now(), failure: failure.clone() });
                Err(failure)
            }
        }
    }
}

impl Socket {
    fn open(key: Key) -> io::Result<Self> {
        let mut config =
            Config::builder().kind(if key.v6 { ICMP::V6 } else { ICMP::V4 }).sock_type_hint(socket2::Type::DGRAM);
        if let Some(source) = key.source {
            config = config.bind(SocketAddr::new(source, 0));
        }
        if let Some(ttl) = key.ttl {
            config = config.ttl(ttl);
        }
        let client = Client::new(&config.build())?;
        // Two exporters on one host with raw sockets see each other's replies: the process id keeps them apart.
        #[allow(clippy::cast_possible_truncation)]
        let identifier = PingIdentifier(std::process::id() as u16);
        Ok(Self { client, identifier, sequence: AtomicU16::new(0), burst: Semaphore::new(BURST) })
    }

    /// One echo request and its reply; waits for as long as it is polled.
    pub(super) async fn ping(&self, address: IpAddr, payload: &[u8]) -> Result<Reply, Failure> {
        let mut pinger = self.client.pinger(address, self.identifier).await;
        pinger.timeout(FOREVER);
        // A number is taken only while 65 536 pings of one address are under way.
        for _ in 0..=u16::MAX {
            let sequence = PingSequence(self.sequence.fetch_add(1, Ordering::Relaxed));
            match self.paced(pinger.ping(sequence, payload)).await {
                Ok((packet, rtt)) => return Ok(reply(&packet, rtt)),
                Err(SurgeError::IdenticalRequests { .. }) => {}
                Err(SurgeError::IOError(error)) => return Err(Failure::io("sending the echo request", &error)),
                Err(SurgeError::Timeout { .. }) => return Err(Failure::new(Reason::Timeout, "no echo reply")),
                Err(error) => return Err(Failure::new(Reason::Internal, error)),
            }
        }
        Err(Failure::new(Reason::Internal, "too many pings of one address under way"))
    }
}

impl Socket {
    /// Polls `ping` once it has its turn, and gives the turn to another with the reply or after [`PACE`].
    async fn paced<T>(&self, ping: impl Future<Output = T>) -> T {
        let turn = self.burst.acquire().await;
        let mut ping = std::pin::pin!(ping);
        if let Ok(done) = tokio::time::timeout(PACE, &mut ping).await {
            return done;
        }
        drop(turn);
        ping.await
    }
}

/// Echo replies are type 0 (RFC 792) and 129 (RFC 4443); anything else that quotes our request is an error message.
fn reply(packet: &IcmpPacket, rtt: Duration) -> Reply {
    let (hop_limit, unreachable) = match packet {
        IcmpPacket::V4(packet) => (
            packet.get_ttl(),
            match packet.get_icmp_type().0 {
                0 => None,
                3 => Some("destination unreachable"),
                11 => Some("time to live exceeded on the way"),
                _ => Some("an ICMP error came instead of a reply"),
            },
        ),
        IcmpPacket::V6(packet) => (
            None,
            match packet.get_icmpv6_type().0 {
                129 => None,
                1 => Some("destination unreachable"),
                2 => Some("packet too big for the way"),
                3 => Some("hop limit exceeded on the way"),
                _ => Some("an ICMPv6 error came instead of a reply"),
            },
        ),
    };
    Reply { rtt, hop_limit, unreachable }
}

/// Why no socket could be opened, and what to do.
fn explain(key: Key, error: &io::Error) -> Failure {
    const EAFNOSUPPORT: i32 = 97;
    const EADDRNOTAVAIL: i32 = 99;
    let family = if key.v6 { "IPv6" } else { "IPv4" };
    match (error.kind(), error.raw_os_error()) {
        (io::ErrorKind::PermissionDenied, _) => Failure::new(
            Reason::Permission,
            "the system permits no ICMP socket; either grant CAP_NET_RAW (setcap cap_net_raw+ep sla-exporter, \
             AmbientCapabilities=CAP_NET_RAW, cap_add: [NET_RAW]) or widen net.ipv4.ping_group_range \
             (sysctl -w net.ipv4.ping_group_range=\"0 2147483647\")",
        ),
        (_, Some(EAFNOSUPPORT)) => Failure::new(Reason::Connect, format_args!("this system has no {family}")),
        (_, Some(EADDRNOTAVAIL)) => Failure::new(
            Reason::Connect,
            format_args!(
                "source_ip_address {} is not an address of this host",
                key.source.map_or_else(String::new, |s| s.to_string())
            ),
        ),
        _ => Failure::io(&format!("opening the {family} ICMP socket"), error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_socket_names_the_capability_and_the_sysctl() {
        let key = Key { v6: false, source: None, ttl: None };
        let failure = explain(key, &io::Error::from(io::ErrorKind::PermissionDenied));
        assert_eq!(failure.reason, Reason::Permission);
        assert!(failure.detail.contains("CAP_NET_RAW") && failure.detail.contains("net.ipv4.ping_group_range"));
        assert!(!failure.detail.ends_with('…'), "cut: {}", failure.detail);
    }

    #[tokio::test]
    async fn a_failed_socket_is_not_opened_again_at_once() {
        let sockets = Sockets::open();
        // TEST-NET-1 is nobody's own address.
        let key = Key { v6: false, source: "192.0.2.1".parse().ok(), ttl: None };
        let first = sockets.get(key).err().expect("refused");
        let second = sockets.get(key).err().expect("refused");
        assert_eq!(first, second);
        assert!(first.detail.contains("192.0.2.1") || first.reason == Reason::Permission, "{first}");
    }
}
