//! A connection made by a SOCKS5 proxy, which also finds the target by its name.

use tokio::net::TcpStream;
use tokio_socks::Error;
use tokio_socks::tcp::Socks5Stream;

use crate::probe::{Failure, Reason};

/// The port of a SOCKS proxy whose URL names none.
pub(super) const DEFAULT_PORT: u16 = 1080;

/// Has the proxy behind `stream` connect it with `host`, a name or an address with or without brackets, and `port`.
///
/// # Errors
/// Reason `connect` where it does not; `protocol` where it speaks something else; `reset`.
pub(super) async fn connect(
    stream: TcpStream,
    credentials: Option<(&str, &str)>,
    host: &str,
    port: u16,
) -> Result<TcpStream, Failure> {
    let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    let connected = match credentials {
        None => Socks5Stream::connect_with_socket(stream, (bare, port)).await,
        Some((user, password)) => {
            Socks5Stream::connect_with_password_and_socket(stream, (bare, port), user, password).await
        }
    };
    connected.map(Socks5Stream::into_inner).map_err(|error| failure(&error, host, port))
}

fn failure(error: &Error, host: &str, port: u16) -> Failure {
    match error {
        Error::Io(error) => Failure::io("ask the proxy for a connection", error),
        Error::NoAcceptableAuthMethods | Error::PasswordAuthFailure(_) | Error::AuthorizationRequired => {
            Failure::new(Reason::Connect, "the SOCKS proxy lets us not in: it wants credentials, or others")
        }
        Error::InvalidResponseVersion
        | Error::UnknownAuthMethod
        | Error::InvalidReservedByte
        | Error::UnknownAddressType => Failure::new(Reason::Protocol, "the proxy's answer is not SOCKS5"),
        error => Failure::new(
            Reason::Connect,
            format_args!("the SOCKS proxy did not connect to {host}:{port}: {}", error.to_string().to_lowercase()),
        ),
    }
}
