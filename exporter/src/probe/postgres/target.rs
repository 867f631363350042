//! Where a PostgreSQL server listens: `host:port`, or the folder of its Unix socket.

use crate::config::decode::shorten;
use crate::probe::endpoint::Endpoint;
use crate::probe::net::UnixSocket;

/// PostgreSQL's port.
const PORT: u16 = 5432;

/// A server's address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Target {
    Tcp(Endpoint),
    /// The socket itself.
    Socket(UnixSocket),
}

impl Target {
    /// Reads `host`, `host:port`, `[IPv6 address]:port`, `/folder` or `/folder:port`.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if !text.starts_with('/') {
            return Endpoint::parse(text, Some(PORT)).map(Self::Tcp);
        }
        // As libpq has it: the port is part of the socket's name.
        let (folder, port) = match text.rsplit_once(':') {
            None => (text, PORT),
            Some((folder, port)) => match port.parse::<u16>() {
                Ok(number) if number > 0 => (folder, number),
                _ => return Err(format!("found the port `{}`; a port is a number from 1 to 65535", shorten(port))),
            },
        };
        UnixSocket::parse(&format!("{}/.s.PGSQL.{port}", folder.trim_end_matches('/'))).map(Self::Socket)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_names_the_folder_of_a_socket() {
        for (text, path) in [
            ("/run/postgresql", "/run/postgresql/.s.PGSQL.5432"),
            ("/run/postgresql/", "/run/postgresql/.s.PGSQL.5432"),
            ("/run/postgresql:6432", "/run/postgresql/.s.PGSQL.6432"),
            ("/", "/.s.PGSQL.5432"),
        ] {
            assert_eq!(Target::parse(text), UnixSocket::parse(path).map(Target::Socket), "{text}");
        }
        assert!(Target::parse("/run:postgresql").unwrap_err().contains("a number from 1 to 65535"));
        assert!(Target::parse(&format!("/{}", "x".repeat(92))).is_ok());
        assert!(Target::parse(&format!("/{}", "x".repeat(93))).unwrap_err().contains("found 108"));
    }

    #[test]
    fn anything_else_is_a_host_with_or_without_a_port() {
        let tcp = |host: &str, port| Ok(Target::Tcp(Endpoint { host: host.to_owned(), port }));
        assert_eq!(Target::parse("db.example.com"), tcp("db.example.com", 5432));
        assert_eq!(Target::parse("[::1]:6432"), tcp("::1", 6432));
        assert!(Target::parse("postgres://db/app").unwrap_err().contains("found a URL"));
    }
}
