//! Names to addresses, and connections: shared by the probers that use TCP.

use std::net::{IpAddr, SocketAddr};

use tokio::net::TcpStream;

use super::{Failure, Samples};

/// Resolves names without a cache: a probe measures what a customer would see now.
#[derive(Debug)]
pub struct Resolver;

/// Which address family a module wants: blackbox_exporter's `preferred_ip_protocol` and `ip_protocol_fallback`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IpChoice {
    /// Try IPv6 first (blackbox_exporter's default).
    pub prefer_v6: bool,
    /// Take the other family where the preferred one has no address.
    pub fallback: bool,
}

impl Resolver {
    /// The system's resolver configuration and hosts file.
    #[must_use]
    pub fn from_system() -> Self {
        Self
    }

    /// One address of `host` (a name or an IP address). Sets `probe_dns_lookup_time_seconds`,
    /// `probe_ip_protocol` and `probe_ip_addr_hash`.
    ///
    /// # Errors
    /// Reason `dns` when there is none of an accepted family.
    pub async fn resolve(&self, host: &str, _choice: IpChoice, _out: &mut Samples) -> Result<IpAddr, Failure> {
        Err(Failure::new(super::Reason::Internal, format_args!("{host}: not built yet")))
    }
}

/// A TCP connection to `address`, from `source` where one is configured.
///
/// # Errors
/// Reasons `refused`, `reset`, `connect`, `permission`, `internal`.
pub async fn connect(address: SocketAddr, _source: Option<IpAddr>) -> Result<TcpStream, Failure> {
    TcpStream::connect(address).await.map_err(|e| Failure::io("connect", &e))
}
