//! ICMP sockets, shared: one per address family, and one more for each source address, TTL or `dont_fragment` in use.
//!
//! Opened at first use. Unprivileged datagram sockets where `net.ipv4.ping_group_range` permits them,
//! raw ones (CAP_NET_RAW) where not. Where neither is permitted, opening is tried again once a minute,
//! so that a changed sysctl needs no restart.
//!
//! Replies find their request by address and sequence number, counted per socket, so two pings of one
//! address never share one. A raw socket sees the whole host's replies: there a random identifier, another
//! one for each socket, keeps those of other sockets and processes apart.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{OwnedFd, RawFd};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use surge_ping::{Client, Config, ICMP, PingIdentifier, PingSequence, SurgeError};
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::super::{Echoes, Failure, Reason};
use super::reply::Reply;
use crate::probe::net::no_source;

/// Time between two tries to open a socket that could not be opened.
const RETRY: Duration = Duration::from_secs(60);
/// No reply is waited for longer; the prober's timeout is what ends a run.
const FOREVER: Duration = Duration::from_secs(3600);

/// Sockets kept: modules of a configuration share a few. More are the leavings of reloads.
const MAX_SOCKETS: usize = 32;

/// Small requests sent and not yet answered, at most, for [`PACE`]: a socket's receive buffer holds some 270
/// packets, a raw one sees requests to this host too, and what does not fit is a reply lost.
const BURST: u32 = 100;
/// A larger request counts as several: one for every so many bytes.
const BURST_BYTES: usize = 512;
/// After this a request counts no longer: one that is never answered holds up nobody.
const PACE: Duration = Duration::from_millis(20);

/// Notices of routers one ping lives through: they say them once or a few times and then forward in silence.
const MAX_NOTICES: u32 = 8;

/// Receive buffer asked for, in bytes.
const BUFFER: usize = 4 << 20;

/// What one socket serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) v6: bool,
    pub(super) source: Option<IpAddr>,
    pub(super) ttl: Option<u32>,
    /// Requests that no router may fragment; IPv4 only.
    pub(super) whole: bool,
}

/// ICMP sockets shared by all targets.
pub struct Sockets {
    entries: Mutex<HashMap<Key, Entry>>,
    next_identifier: AtomicU16,
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

impl Sockets {
    /// No sockets yet: each is opened when first needed.
    #[must_use]
    pub fn open() -> Self {
        // Not the process id: in containers on one host's network that is 1 for all.
        #[allow(clippy::cast_possible_truncation)]
        let random = RandomState::new().hash_one(std::process::id()) as u16;
        Self { entries: Mutex::default(), next_identifier: AtomicU16::new(random) }
    }

    /// The socket for `key`. Needs a tokio runtime.
    pub(super) fn get(&self, key: Key) -> Result<Arc<Socket>, Failure> {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        match entries.get(&key) {
            Some(Entry::Open(socket)) => return Ok(Arc::clone(socket)),
            Some(Entry::Failed { at, failure }) if at.elapsed() < RETRY => return Err(failure.clone()),
            _ => {}
        }
        if entries.len() >= MAX_SOCKETS {
            entries.retain(|_, entry| matches!(entry, Entry::Open(socket) if Arc::strong_count(socket) > 1));
        }
        match Socket::open(key, PingIdentifier(self.next_identifier.fetch_add(1, Ordering::Relaxed))) {
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
    fn open(key: Key, identifier: PingIdentifier) -> io::Result<Self> {
        let mut config =
            Config::builder().kind(if key.v6 { ICMP::V6 } else { ICMP::V4 }).sock_type_hint(socket2::Type::DGRAM);
        if let Some(source) = key.source {
            config = config.bind(SocketAddr::new(source, 0));
        }
        if let Some(ttl) = key.ttl {
            config = config.ttl(ttl);
        }
        let client = Client::new(&config.build())?;
        let number = client.get_socket().get_native_sock();
        if let Err(error) = copy_of(number).and_then(widen) {
            tracing::debug!(%error, "the ICMP socket keeps the system's receive buffer");
        }
        if key.whole {
            copy_of(number).and_then(forbid_fragments)?;
        }
        Ok(Self { client, identifier, sequence: AtomicU16::new(0), burst: Semaphore::new(BURST as usize) })
    }

    /// One echo request and its reply, counted in `echoes`; waits for as long as it is polled.
    pub(super) async fn ping(&self, address: IpAddr, payload: &[u8], echoes: &mut Echoes) -> Result<Reply, Failure> {
        let mut pinger = self.client.pinger(address, self.identifier).await;
        pinger.timeout(FOREVER);
        let started = Instant::now();
        let mut sequence = self.next_sequence();
        let mut notices = 0;
        // A number is taken only while 65 536 pings of one address are under way.
        for _ in 0..=u16::MAX {
            let before = *echoes;
            // A request that is asked again is one request still.
            echoes.requests = before.requests + u64::from(notices == 0);
            match self.paced(payload.len(), pinger.ping(sequence, payload)).await {
                Ok((packet, rtt)) => match Reply::of(&packet, if notices == 0 { rtt } else { started.elapsed() }) {
                    Some(reply) => return Ok(reply),
                    // The reply is still to come, but the notice has used up the place it is waited for at. Asked
                    // again under the same number, the first reply does as well as the second.
                    None if notices < MAX_NOTICES => notices += 1,
                    None => return Err(Failure::new(Reason::Connect, "routers sent notices instead of a reply")),
                },
                Err(SurgeError::IdenticalRequests { .. }) => {
                    *echoes = before;
                    sequence = self.next_sequence();
                }
                Err(SurgeError::IOError(error)) => {
                    *echoes = Echoes { send_errors: before.send_errors + 1, ..before };
                    return Err(unsent(address, &error));
                }
                Err(SurgeError::Timeout { .. }) => return Err(Failure::new(Reason::Timeout, "no echo reply")),
                Err(error) => return Err(Failure::new(Reason::Internal, error)),
            }
        }
        Err(Failure::new(Reason::Internal, "too many pings of one address under way"))
    }

    fn next_sequence(&self) -> PingSequence {
        PingSequence(self.sequence.fetch_add(1, Ordering::Relaxed))
    }

    /// Polls `ping` once it has its turn, and gives the turn to another with the reply or after [`PACE`].
    async fn paced<T>(&self, payload: usize, ping: impl Future<Output = T>) -> T {
        let share = u32::try_from(payload / BURST_BYTES + 1).unwrap_or(BURST).min(BURST);
        let turn = self.burst.acquire_many(share).await;
        let mut ping = std::pin::pin!(ping);
        if let Ok(done) = tokio::time::timeout(PACE, &mut ping).await {
            return done;
        }
        drop(turn);
        ping.await
    }
}

/// Why a request was not sent.
fn unsent(address: IpAddr, error: &io::Error) -> Failure {
    const EMSGSIZE: i32 = 90;
    match error.raw_os_error() {
        Some(EMSGSIZE) => {
            let why = "the request does not fit this host's own link, and must not be fragmented; lower payload_size";
            Failure::new(Reason::Connect, why)
        }
        _ => Failure::io(&format!("sending the echo request to {address}"), error),
    }
}

/// surge-ping shows its descriptor by number only, and using one safely takes an own copy.
fn copy_of(socket: RawFd) -> rustix::io::Result<OwnedFd> {
    use rustix::process::{PidfdFlags, PidfdGetfdFlags, getpid, pidfd_getfd, pidfd_open};
    let this_process = pidfd_open(getpid(), PidfdFlags::empty())?;
    pidfd_getfd(this_process, socket, PidfdGetfdFlags::empty())
}

/// Asks for a larger receive buffer: a raw socket shares it with all other ICMP traffic of the host. The system
/// grants up to twice `net.core.rmem_max`.
fn widen(socket: OwnedFd) -> rustix::io::Result<()> {
    rustix::net::sockopt::set_socket_recv_buffer_size(socket, BUFFER)
}

/// Sets IPv4's DF bit on each request, whatever the system has learnt of the way: that is what is asked.
fn forbid_fragments(socket: OwnedFd) -> rustix::io::Result<()> {
    use rustix::net::sockopt::{Ipv4PathMtuDiscovery, set_ip_mtu_discover};
    set_ip_mtu_discover(socket, Ipv4PathMtuDiscovery::PROBE)
}

/// Why no socket could be opened, and what to do.
fn explain(key: Key, error: &io::Error) -> Failure {
    const EAFNOSUPPORT: i32 = 97;
    let family = if key.v6 { "IPv6" } else { "IPv4" };
    match (error.kind(), error.raw_os_error()) {
        (io::ErrorKind::PermissionDenied, _) => Failure::new(
            Reason::Permission,
            "the system permits no ICMP socket; either grant CAP_NET_RAW (setcap cap_net_raw+ep sla-exporter, \
             AmbientCapabilities=CAP_NET_RAW, cap_add: [NET_RAW]) or widen net.ipv4.ping_group_range \
             (sysctl -w net.ipv4.ping_group_range=\"0 2147483647\")",
        ),
        (_, Some(EAFNOSUPPORT)) => Failure::new(Reason::Connect, format_args!("this system has no {family}")),
        _ => match key.source {
            Some(source) => no_source(source, error),
            None => Failure::io(&format!("opening the {family} ICMP socket"), error),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_socket_names_the_capability_and_the_sysctl() {
        let key = Key { v6: false, source: None, ttl: None, whole: false };
        let failure = explain(key, &io::Error::from(io::ErrorKind::PermissionDenied));
        assert_eq!(failure.reason, Reason::Permission);
        assert!(failure.detail.contains("CAP_NET_RAW") && failure.detail.contains("net.ipv4.ping_group_range"));
        assert!(!failure.detail.ends_with('…'), "cut: {}", failure.detail);
    }

    #[test]
    fn the_receive_buffer_grows() {
        use std::os::fd::AsRawFd as _;
        let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let size = || socket2::SockRef::from(&socket).recv_buffer_size().unwrap();
        let before = size();
        match copy_of(socket.as_raw_fd()).and_then(widen) {
            Ok(()) => assert!(size() > before, "{before} bytes, then {}", size()),
            // Before Linux 5.6, and in containers that forbid the call.
            Err(error) => assert!(matches!(error, rustix::io::Errno::NOSYS | rustix::io::Errno::PERM), "{error}"),
        }
    }

    #[tokio::test]
    async fn sockets_left_by_reloads_are_closed() {
        let sockets = Sockets::open();
        // Fails where ICMP is not permitted: those are bounded too.
        let used = sockets.get(Key { v6: false, source: None, ttl: Some(255), whole: false });
        for ttl in 1..200 {
            let _ = sockets.get(Key { v6: false, source: None, ttl: Some(ttl), whole: false });
        }
        let entries = sockets.entries.lock().unwrap();
        assert!(entries.len() <= MAX_SOCKETS);
        assert!(used.is_err() || entries.contains_key(&Key { v6: false, source: None, ttl: Some(255), whole: false }));
    }

    #[tokio::test]
    async fn sockets_of_one_process_have_identifiers_of_their_own() {
        let sockets = Sockets::open();
        let key = |ttl| Key { v6: false, source: None, ttl, whole: false };
        if let (Ok(one), Ok(other)) = (sockets.get(key(None)), sockets.get(key(Some(3)))) {
            assert_ne!(one.identifier, other.identifier);
        }
    }

    #[tokio::test]
    async fn a_failed_socket_is_not_opened_again_at_once() {
        let sockets = Sockets::open();
        // TEST-NET-1 is nobody's own address.
        let key = Key { v6: false, source: "192.0.2.1".parse().ok(), ttl: None, whole: false };
        let first = sockets.get(key).err().expect("refused");
        let second = sockets.get(key).err().expect("refused");
        assert_eq!(first, second);
        assert!(first.detail.contains("192.0.2.1") || first.reason == Reason::Permission, "{first}");
    }
}
