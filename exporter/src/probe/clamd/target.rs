//! Where clamd listens: `host:port`, or its Unix socket.

use crate::probe::endpoint::Endpoint;
use crate::probe::net::UnixSocket;

/// The port of clamd's own example configuration.
const PORT: u16 = 3310;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Target {
    Tcp(Endpoint),
    Socket(UnixSocket),
}

impl Target {
    /// Reads `host`, `host:port`, `[IPv6 address]:port` or `/path/of/the.socket`.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if text.starts_with('/') {
            return UnixSocket::parse(text).map(Self::Socket);
        }
        let hint = if text.contains('/') {
            "; a socket is named by its path alone, such as /run/clamav/clamd.ctl"
        } else {
            ""
        };
        Endpoint::parse(text, Some(PORT)).map(Self::Tcp).map_err(|why| format!("{why}{hint}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_an_address_or_a_socket() {
        let tcp = |host: &str, port| Ok(Target::Tcp(Endpoint { host: host.to_owned(), port }));
        assert_eq!(Target::parse("mail1"), tcp("mail1", 3310));
        assert_eq!(Target::parse("[::1]:3311"), tcp("::1", 3311));
        let path = "/run/clamav/clamd.ctl";
        assert_eq!(Target::parse(path), UnixSocket::parse(path).map(Target::Socket));
        assert!(Target::parse(&format!("/{}", "x".repeat(107))).is_err());
        for path in ["unix:/run/x", "run/clamd.ctl"] {
            assert!(Target::parse(path).unwrap_err().contains("by its path alone"), "{path}");
        }
        assert!(!Target::parse("mail1:x").unwrap_err().contains("path"));
    }
}
