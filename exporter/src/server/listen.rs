//! `--web.listen-address`: what it may say, and the sockets made of it.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs as _};

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpListener;

/// Connections the kernel holds for us until they are accepted.
const BACKLOG: i32 = 1024;

/// Why an address cannot be listened on.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// Not an address.
    #[error(
        "`{address}` is not an address to listen on: {why}; write for example :10115, 127.0.0.1:10115 or [::1]:10115"
    )]
    Malformed {
        /// As given.
        address: String,
        /// For people.
        why: String,
    },
    /// Somebody else listens there.
    #[error(
        "cannot listen on `{address}`: the port is taken by another process (`ss -ltnp` shows which); \
         stop it, or choose another port with --web.listen-address"
    )]
    Taken {
        /// As given.
        address: String,
    },
    /// Below 1024 without the right to it.
    #[error(
        "cannot listen on `{address}`: ports below 1024 need the capability CAP_NET_BIND_SERVICE; \
         grant it, or choose another port with --web.listen-address"
    )]
    Forbidden {
        /// As given.
        address: String,
    },
    /// Anything else the system says.
    #[error("cannot listen on `{address}`: {source}")]
    Other {
        /// As given.
        address: String,
        /// The system's error.
        source: io::Error,
    },
}

/// Listens on `address`: `HOST:PORT`, or `:PORT` for all addresses of both families. Needs a runtime.
///
/// # Errors
/// When it is no address, or the system refuses it.
pub fn listen(address: &str) -> Result<TcpListener, ListenError> {
    let candidates = candidates(address).map_err(|why| ListenError::Malformed { address: address.to_owned(), why })?;
    let mut result = Err(io::Error::from(io::ErrorKind::AddrNotAvailable));
    for candidate in candidates {
        result = bind(candidate);
        match &result {
            // Without IPv6 the second candidate is the one.
            Err(error) if lacks_family(error) => {}
            _ => break,
        }
    }
    result.map_err(|source| {
        let address = address.to_owned();
        match source.kind() {
            io::ErrorKind::AddrInUse => ListenError::Taken { address },
            io::ErrorKind::PermissionDenied => ListenError::Forbidden { address },
            _ => ListenError::Other { address, source },
        }
    })
}

fn candidates(address: &str) -> Result<Vec<SocketAddr>, String> {
    let Some((host, port)) = address.rsplit_once(':') else {
        return Err("the port is missing".to_owned());
    };
    if address.starts_with("vsock://") {
        return Err("vsock is not supported".to_owned());
    }
    let port: u16 = port.parse().map_err(|_| format!("`{port}` is not a port from 0 to 65535"))?;
    if host.is_empty() {
        return Ok(vec![(Ipv6Addr::UNSPECIFIED, port).into(), (Ipv4Addr::UNSPECIFIED, port).into()]);
    }
    let name = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(host);
    if name.contains(':') && name.len() == host.len() {
        return Err("an IPv6 address stands in brackets".to_owned());
    }
    let found: Vec<_> = (name, port).to_socket_addrs().map_err(|error| error.to_string())?.collect();
    if found.is_empty() { Err(format!("`{name}` has no address")) } else { Ok(found) }
}

fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    // A restart must not wait for the connections of the process before.
    socket.set_reuse_address(true)?;
    if address.is_ipv6() {
        // `:PORT` means both families, whatever net.ipv6.bindv6only says.
        socket.set_only_v6(!address.ip().is_unspecified())?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

fn lacks_family(error: &io::Error) -> bool {
    // EAFNOSUPPORT has no ErrorKind of its own.
    error.kind() == io::ErrorKind::AddrNotAvailable || error.raw_os_error() == Some(97)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_no_address_is_refused_with_examples() {
        for (address, why) in [
            ("10115", "the port is missing"),
            ("localhost", "the port is missing"),
            (":", "`` is not a port from 0 to 65535"),
            (":65536", "`65536` is not a port from 0 to 65535"),
            (":http", "`http` is not a port from 0 to 65535"),
            ("::1:80", "an IPv6 address stands in brackets"),
            ("vsock://:1234", "vsock is not supported"),
        ] {
            let error = listen(address).unwrap_err().to_string();
            assert_eq!(
                error,
                format!(
                    "`{address}` is not an address to listen on: {why}; write for example :10115, 127.0.0.1:10115 or [::1]:10115"
                )
            );
        }
    }

    #[tokio::test]
    async fn a_bare_port_takes_both_families() {
        let listener = listen(":0").unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::net::TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let v6 = std::net::TcpListener::bind("[::1]:0").is_ok();
        if v6 {
            tokio::net::TcpStream::connect(("::1", port)).await.unwrap();
        }
    }

    #[tokio::test]
    async fn a_name_is_resolved() {
        assert!(listen("localhost:0").unwrap().local_addr().unwrap().ip().is_loopback());
    }

    #[tokio::test]
    async fn a_taken_port_is_named_with_a_way_out() {
        let first = listen("127.0.0.1:0").unwrap();
        let address = first.local_addr().unwrap().to_string();
        assert_eq!(
            listen(&address).unwrap_err().to_string(),
            format!(
                "cannot listen on `{address}`: the port is taken by another process (`ss -ltnp` shows which); \
                 stop it, or choose another port with --web.listen-address"
            )
        );
    }
}
