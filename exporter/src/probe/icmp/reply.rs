//! What came back for an echo request: the reply, an error that ends the wait, or a notice that does not.

use std::time::Duration;

use surge_ping::IcmpPacket;

/// What came back.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Reply {
    pub(super) rtt: Duration,
    /// Of the echo reply; known on raw IPv4 sockets only.
    pub(super) hop_limit: Option<u8>,
    /// An error message came instead of an echo reply.
    pub(super) unreachable: Option<&'static str>,
}

/// What one ICMP message that quotes our request, or answers it, means for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Answered,
    Failed(&'static str),
    /// The request goes on its way: a router told us of a better one, or to slow down.
    Notice,
}

impl Reply {
    /// `None` for a notice: the reply is still to come.
    pub(super) fn of(packet: &IcmpPacket, rtt: Duration) -> Option<Self> {
        let (verdict, ttl) = match packet {
            IcmpPacket::V4(packet) => (of_v4(packet.get_icmp_type().0, packet.get_icmp_code().0), packet.get_ttl()),
            IcmpPacket::V6(packet) => (of_v6(packet.get_icmpv6_type().0, packet.get_icmpv6_code().0), None),
        };
        match verdict {
            Verdict::Answered => Some(Self { rtt, hop_limit: ttl, unreachable: None }),
            Verdict::Failed(why) => Some(Self { rtt, hop_limit: None, unreachable: Some(why) }),
            Verdict::Notice => None,
        }
    }
}

/// RFC 792, RFC 1812 §5.2.7.1.
fn of_v4(kind: u8, code: u8) -> Verdict {
    match (kind, code) {
        (0, _) => Verdict::Answered,
        (4 | 5, _) => Verdict::Notice,
        (3, 0 | 6 | 11) => Verdict::Failed("network unreachable, says a router"),
        (3, 1 | 7 | 8 | 12) => Verdict::Failed("host unreachable, says a router"),
        (3, 2) => Verdict::Failed("the host does not speak ICMP"),
        (3, 4) => Verdict::Failed("the request is too large for the way; lower payload_size"),
        (3, 9 | 10 | 13) => Verdict::Failed("a firewall rejects it"),
        (3, _) => Verdict::Failed("destination unreachable"),
        (11, _) => Verdict::Failed("time to live exceeded on the way"),
        _ => Verdict::Failed("an ICMP error came instead of a reply"),
    }
}

/// RFC 4443. Redirects belong to neighbour discovery there and never get here.
fn of_v6(kind: u8, code: u8) -> Verdict {
    match (kind, code) {
        (129, _) => Verdict::Answered,
        (1, 0) => Verdict::Failed("no route to the host, says a router"),
        (1, 3) => Verdict::Failed("host unreachable, says a router"),
        (1, 1 | 5 | 6) => Verdict::Failed("a firewall rejects it"),
        (1, _) => Verdict::Failed("destination unreachable"),
        (2, _) => Verdict::Failed("the request is too large for the way; lower payload_size"),
        (3, _) => Verdict::Failed("hop limit exceeded on the way"),
        _ => Verdict::Failed("an ICMPv6 error came instead of a reply"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_fail_and_notices_do_not() {
        assert_eq!(of_v4(0, 0), Verdict::Answered);
        assert_eq!(of_v6(129, 0), Verdict::Answered);
        for (kind, code, part) in
            [(3, 0, "network"), (3, 1, "host"), (3, 4, "payload_size"), (3, 13, "firewall"), (11, 0, "time to live")]
        {
            assert!(matches!(of_v4(kind, code), Verdict::Failed(why) if why.contains(part)), "{kind}.{code}");
        }
        for (kind, code, part) in [(1, 0, "route"), (1, 1, "firewall"), (2, 0, "payload_size"), (3, 0, "hop limit")] {
            assert!(matches!(of_v6(kind, code), Verdict::Failed(why) if why.contains(part)), "{kind}.{code}");
        }
        // A redirect: the router forwards the request all the same.
        assert_eq!((of_v4(5, 1), of_v4(4, 0)), (Verdict::Notice, Verdict::Notice));
    }
}
