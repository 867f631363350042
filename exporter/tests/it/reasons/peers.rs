//! Peers in bytes, for what they say rather than what they are.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::certs::Certs;
use crate::support::http::read_request;
use crate::support::{closed, server};

/// How the other side behaves.
#[derive(Clone, Copy)]
pub(super) enum Peer {
    /// Nobody listens.
    Gone,
    /// No such name.
    Unknown,
    /// Says this and closes once it has read something.
    Says(&'static [u8]),
    /// Says this and keeps the connection.
    Stays(&'static [u8]),
    /// Says this without end.
    Endless(&'static [u8]),
    /// Resets the connection once it has read something.
    Resets,
    /// Says this, then speaks TLS with a certificate nobody knows.
    Tls(&'static [u8]),
}

/// TLS' alert `certificate_required`.
pub(crate) const WANTS_CERTIFICATE: &[u8] = b"\x15\x03\x03\0\x02\x02\x74";

/// One that refuses whoever has no client certificate.
pub(crate) async fn wants_certificate() -> String {
    listen(Peer::Stays(WANTS_CERTIFICATE)).await
}

/// Its address.
pub(super) async fn listen(peer: Peer) -> String {
    match peer {
        Peer::Unknown => "no-such-host.invalid:1".to_owned(),
        Peer::Gone => closed(),
        Peer::Says(words) => {
            server(move |mut stream| async move {
                let _ = stream.write_all(words).await;
                let _ = stream.read(&mut [0; 4096]).await;
            })
            .await
        }
        Peer::Resets => {
            server(|mut stream| async move {
                let _ = stream.read(&mut [0; 1]).await;
                let _ = stream.set_zero_linger();
            })
            .await
        }
        Peer::Stays(words) => {
            server(move |mut stream| async move {
                let _ = stream.write_all(words).await;
                let _ = stream.read_to_end(&mut Vec::new()).await;
            })
            .await
        }
        Peer::Endless(words) => {
            server(move |mut stream| async move { while stream.write_all(&words.repeat(64)).await.is_ok() {} }).await
        }
        Peer::Tls(words) => {
            let acceptor = Certs::of(&["localhost"]).acceptor();
            server(move |mut stream| {
                let acceptor = acceptor.clone();
                async move {
                    if !words.is_empty() {
                        let _ = stream.read(&mut [0; 8]).await;
                        let _ = stream.write_all(words).await;
                    }
                    let _ = acceptor.accept(stream).await;
                }
            })
            .await
        }
    }
}

/// One that reads the request and then does as it likes.
pub(super) async fn after_request<F, R>(then: F) -> String
where
    F: Fn(TcpStream) -> R + Clone + Send + Sync + 'static,
    R: Future<Output = ()> + Send + 'static,
{
    server(move |mut stream| {
        let then = then.clone();
        async move {
            read_request(&mut stream).await;
            then(stream).await;
        }
    })
    .await
}
