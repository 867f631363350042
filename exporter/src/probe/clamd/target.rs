//! Where clamd listens: `host:port`, or its Unix socket.

use std::path::PathBuf;

use crate::probe::endpoint::Endpoint;

/// The port of clamd's own example configuration.
const PORT: u16 = 3310;
/// The longest path of a Unix socket Linux takes, in bytes, without the terminating zero.
const MAX_SOCKET_PATH: usize = 107;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Target {
    Tcp(Endpoint),
    Socket(PathBuf),
}

impl Target {
    /// Reads `host`, `host:port`, `[IPv6 address]:port` or `/path/of/the.socket`.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if !text.starts_with('/') {
            return Endpoint::parse(text, Some(PORT)).map(Self::Tcp);
        }
        if text.len() > MAX_SOCKET_PATH || text.contains('\0') {
            return Err(format!("a socket's path has at most {MAX_SOCKET_PATH} bytes, found {}", text.len()));
        }
        Ok(Self::Socket(text.into()))
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
        assert_eq!(Target::parse("/run/clamav/clamd.ctl"), Ok(Target::Socket("/run/clamav/clamd.ctl".into())));
        assert!(Target::parse(&format!("/{}", "x".repeat(MAX_SOCKET_PATH))).is_err());
        assert!(Target::parse(&format!("/{}", "x".repeat(MAX_SOCKET_PATH - 1))).is_ok());
        assert!(Target::parse("unix:/run/x").is_err());
    }
}
