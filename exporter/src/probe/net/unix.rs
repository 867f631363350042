//! One connection to a Unix socket of this host, as a prober wants it.

use std::ffi::OsString;
use std::io;
use std::os::unix::ffi::OsStringExt as _;
use std::path::PathBuf;

use tokio::net::UnixStream;

use crate::config::decode::shorten;
use crate::probe::{Failure, Reason};

/// The longest name of a Unix socket Linux takes, in bytes, without the byte that ends or begins it.
const MAX_NAME: usize = 107;

/// A Unix socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnixSocket {
    /// As the target writes it.
    text: String,
    path: PathBuf,
}

impl UnixSocket {
    /// Reads `/path/of/the.socket`, or `@name` for a socket of Linux's abstract namespace.
    ///
    /// # Errors
    /// With what was found and what is accepted.
    pub fn parse(text: &str) -> Result<Self, String> {
        const ACCEPTED: &str = "the path of a Unix socket such as /run/app.sock, or `@name` for an abstract one";
        let bare = text.strip_prefix('@').unwrap_or(text);
        if text.contains(char::is_control) || bare.is_empty() || (bare == text && !text.starts_with('/')) {
            return Err(format!("found `{}`; write {ACCEPTED}", shorten(text)));
        }
        let found = bare.len();
        if found > MAX_NAME {
            return Err(format!("a socket's path has at most {MAX_NAME} bytes, found {found}"));
        }
        let mut bytes = text.as_bytes().to_vec();
        if bare != text {
            bytes[0] = 0;
        }
        Ok(Self { text: text.to_owned(), path: OsString::from_vec(bytes).into() })
    }

    /// A connection to it.
    ///
    /// # Errors
    /// Reasons `refused` (also where there is no such socket: that is what a stopped service leaves), `permission`, `connect`,
    /// `internal`.
    pub async fn connect(&self) -> Result<UnixStream, Failure> {
        UnixStream::connect(&self.path).await.map_err(|error| explain(&self.text, &error))
    }
}

fn explain(socket: &str, error: &io::Error) -> Failure {
    let doing = format!("connect to {socket}");
    let refused = |why: &str| Failure::new(Reason::Refused, format_args!("{doing}: {why}"));
    match error.kind() {
        io::ErrorKind::NotFound => refused("there is no such socket"),
        // How a Unix socket says that nobody accepts connections as fast as they come.
        io::ErrorKind::WouldBlock => refused("its queue of connections is full"),
        io::ErrorKind::PermissionDenied => {
            let why = "the user this runs as may not write to the socket, or not enter a folder on its way";
            Failure::new(Reason::Permission, format_args!("{doing}: {error}; {why}"))
        }
        _ => Failure::io(&doing, error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_is_a_path_or_an_abstract_name() {
        assert_eq!(UnixSocket::parse("/run/a.sock").unwrap().path, PathBuf::from("/run/a.sock"));
        assert_eq!(UnixSocket::parse("@a").unwrap().path.as_os_str().as_encoded_bytes(), b"\0a");
        for (text, part) in [
            ("", "write the path"),
            ("@", "write the path"),
            ("run/a.sock", "found `run/a.sock`"),
            ("unix:/run/a", "found `unix:/run/a`"),
            ("127.0.0.1:80", "write the path"),
            ("/a\0b", "write the path"),
        ] {
            let why = UnixSocket::parse(text).unwrap_err();
            assert!(why.contains(part), "{text}: {why}");
        }
        assert!(UnixSocket::parse(&format!("/{}", "x".repeat(MAX_NAME - 1))).is_ok());
        assert!(UnixSocket::parse(&format!("/{}", "x".repeat(MAX_NAME))).unwrap_err().contains("at most 107 bytes"));
    }

    #[test]
    fn a_socket_one_may_not_write_to_is_a_matter_of_permission() {
        // Nobody can show this to root.
        let failure = explain("/run/a.sock", &io::ErrorKind::PermissionDenied.into());
        assert_eq!(failure.reason, Reason::Permission);
        assert!(failure.detail.contains("/run/a.sock") && failure.detail.contains("may not write"), "{failure}");
    }

    #[tokio::test]
    async fn an_abstract_socket_is_reached() {
        let name = format!("@sla-exporter-test-{}", std::process::id());
        let socket = UnixSocket::parse(&name).unwrap();
        assert_eq!(socket.connect().await.unwrap_err().reason, Reason::Refused);
        let _listener = tokio::net::UnixListener::bind(&socket.path).unwrap();
        socket.connect().await.unwrap();
    }
}
