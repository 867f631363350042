//! Which address family a module wants, and from which address it connects.

use std::net::IpAddr;

use crate::config::decode::{Cursor, MapCursor};

/// Which address family a module wants: blackbox_exporter's `preferred_ip_protocol` and `ip_protocol_fallback`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IpChoice {
    /// Try IPv6 first (blackbox_exporter's default).
    pub prefer_v6: bool,
    /// Take the other family where the preferred one has no address.
    pub fallback: bool,
}

impl Default for IpChoice {
    fn default() -> Self {
        Self { prefer_v6: true, fallback: true }
    }
}

impl IpChoice {
    /// Reads `preferred_ip_protocol` (`ip4`, `ip6`; default `ip6`) and `ip_protocol_fallback` (default true).
    pub fn decode(map: &mut MapCursor<'_>) -> Option<Self> {
        let prefer_v6 = map
            .get("preferred_ip_protocol")
            .map_or(Some(true), |c| c.one_of(&[("ip4", false), ("ip6", true), ("", true)]));
        let fallback = map.get("ip_protocol_fallback").map_or(Some(true), |c| c.bool());
        Some(Self { prefer_v6: prefer_v6?, fallback: fallback? })
    }

    /// Whether `address` may be used, for targets written as addresses.
    #[must_use]
    pub fn accepts(self, address: IpAddr) -> bool {
        self.fallback || address.is_ipv6() == self.prefer_v6
    }

    /// The preferred family, for messages.
    pub(super) fn preferred(self) -> &'static str {
        family_name(self.prefer_v6)
    }

    /// The other one.
    pub(super) fn other(self) -> &'static str {
        family_name(!self.prefer_v6)
    }
}

fn family_name(v6: bool) -> &'static str {
    if v6 { "IPv6" } else { "IPv4" }
}

/// Reads `source_ip_address`: the local address to connect from. The outer `None` means a reported error.
// absent and wrong are two things here
pub fn source_ip_address(map: &mut MapCursor<'_>) -> Option<Option<IpAddr>> {
    let parse = |cursor: Cursor<'_>| {
        let text = cursor.non_empty()?;
        match text.parse() {
            Ok(address) => Some(Some(address)),
            Err(_) => cursor.error(format_args!(
                "`{}` is not an IP address; write one of this host's addresses, such as 192.0.2.10",
                text.chars().take(60).collect::<String>()
            )),
        }
    };
    map.get("source_ip_address").map_or(Some(None), parse)
}
