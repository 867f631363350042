//! One TCP connection, as a prober wants it.

use std::net::{IpAddr, SocketAddr};

use tokio::net::{TcpSocket, TcpStream};

use crate::probe::{Failure, Reason};

/// A TCP connection to `address`, from `source` where one is configured; small writes leave at once.
///
/// # Errors
/// Reasons `refused`, `reset`, `timeout` (the system's own), `connect`, `permission`, `internal`.
pub async fn connect(address: SocketAddr, source: Option<IpAddr>) -> Result<TcpStream, Failure> {
    let fail = |error: std::io::Error| Failure::io(&format!("connect to {address}"), &error);
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }.map_err(fail)?;
    if let Some(source) = source {
        if source.is_ipv4() != address.is_ipv4() {
            return Err(Failure::new(
                Reason::Connect,
                format_args!(
                    "source_ip_address {source} cannot reach {}: the families differ; set preferred_ip_protocol accordingly",
                    address.ip()
                ),
            ));
        }
        socket.bind(SocketAddr::new(source, 0)).map_err(|error| no_source(source, &error))?;
    }
    socket.set_nodelay(true).map_err(fail)?;
    socket.connect(address).await.map_err(fail)
}

/// Why a socket cannot have `source` as its address: the configuration's fault, whatever the target does.
pub fn no_source(source: IpAddr, error: &std::io::Error) -> Failure {
    match error.kind() {
        std::io::ErrorKind::AddrNotAvailable => {
            Failure::new(Reason::Connect, format_args!("source_ip_address {source} is not an address of this host"))
        }
        _ => Failure::io(&format!("use source_ip_address {source}"), error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    #[tokio::test]
    async fn a_connection_comes_from_the_configured_source() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let source = "127.0.0.9".parse().unwrap();
        let stream = connect(listener.local_addr().unwrap(), Some(source)).await.unwrap();
        assert_eq!(listener.accept().await.unwrap().1.ip(), source);
        assert!(stream.nodelay().unwrap());
    }

    #[tokio::test]
    async fn a_source_of_the_other_family_or_of_another_host_fails_with_its_key() {
        let target = "127.0.0.1:1".parse().unwrap();
        for source in ["::1", "192.0.2.1"] {
            let failure = connect(target, Some(source.parse().unwrap())).await.unwrap_err();
            assert_eq!(failure.reason, Reason::Connect, "{failure}");
            assert!(failure.detail.contains("source_ip_address"), "{failure}");
        }
    }

    #[tokio::test]
    async fn a_closed_port_refuses() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        assert_eq!(connect(address, None).await.unwrap_err().reason, Reason::Refused);
    }
}
