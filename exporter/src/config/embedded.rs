//! The configuration that runs when none is given: a YAML text like any other, with one address filled in.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// The text for a server bound to `listen`.
pub(super) fn text(listen: SocketAddr, tls: bool) -> String {
    // A wildcard address is no address to connect to.
    let address = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    let scheme = if tls { "https" } else { "http" };
    let url = format!("{scheme}://{}", SocketAddr::new(address, listen.port()));
    include_str!("embedded.yml").replace("SELF_URL", &url)
}
