//! The way to the server: name, connection, and TLS as `sslmode` wants it.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use sha2::{Digest as _, Sha256, Sha384, Sha512};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use tokio_postgres::tls::ChannelBinding;
use tokio_rustls::client::TlsStream;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::settings::{Settings, SslMode};
use super::target::Target;
use super::timed;
use crate::probe::{Failure, Reason, Samples, Shared, net, tls};

/// The request for TLS: its length, and 1234 5679 where a version would be.
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];

/// A connection to a server.
#[derive(Debug)]
pub(super) enum Transport {
    Tcp(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
    Unix(UnixStream),
}

/// Connects, and measures the phases `resolve`, `connect` and `tls`.
pub(super) async fn open(
    settings: &Settings,
    target: &Target,
    shared: &Shared,
    out: &mut Samples,
) -> Result<Transport, Failure> {
    let endpoint = match target {
        Target::Tcp(endpoint) => endpoint,
        Target::Socket(socket) => {
            let connected = timed("connect", out, async |out: &mut Samples| {
                out.stage("connecting");
                socket.connect().await
            });
            // As libpq has it: sslmode has no meaning on a Unix socket.
            return connected.await.map(Transport::Unix);
        }
    };
    let resolved = timed("resolve", out, async |out: &mut Samples| {
        shared.resolver.resolve(&endpoint.host, settings.ip, out).await
    });
    let address = SocketAddr::new(resolved.await?, endpoint.port);
    let connected = timed("connect", out, async |out: &mut Samples| {
        out.stage("connecting");
        net::connect(address, settings.source).await
    });
    let stream = connected.await?;
    if settings.sslmode == SslMode::Disable {
        return Ok(Transport::Tcp(stream));
    }
    timed("tls", out, async |out: &mut Samples| negotiate(settings, stream, &endpoint.host, out).await).await
}

async fn negotiate(
    settings: &Settings,
    mut stream: TcpStream,
    host: &str,
    out: &mut Samples,
) -> Result<Transport, Failure> {
    out.stage("waiting for the answer to the request for TLS");
    stream.write_all(&SSL_REQUEST).await.map_err(|e| Failure::io("ask for TLS", &e))?;
    let mut answer = [0; 1];
    // One byte and no more: what comes behind it unencrypted is not taken for the server's.
    stream.read_exact(&mut answer).await.map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof => Failure::new(Reason::Reset, "the server closed when asked for TLS"),
        _ => Failure::io("ask for TLS", &error),
    })?;
    match (answer[0], &settings.tls) {
        (b'S', Some(tls)) => Ok(Transport::Tls(Box::new(tls::handshake(stream, host, tls, out).await?))),
        (b'N', _) if settings.sslmode == SslMode::Prefer => Ok(Transport::Tcp(stream)),
        (b'N', _) => Err(Failure::new(
            Reason::Tls,
            format_args!("the server does not offer TLS, and sslmode is {}", settings.sslmode.as_str()),
        )),
        (b'E', _) => Err(Failure::new(
            Reason::Status,
            "the server answered the request for TLS with an error: it is overloaded or too old",
        )),
        (other, _) => Err(Failure::new(
            Reason::Protocol,
            format_args!(
                "the peer is no PostgreSQL server: it answered the request for TLS with `{}`",
                other.escape_ascii()
            ),
        )),
    }
}

impl Transport {
    /// What binds a SCRAM login to this very TLS connection (`tls-server-end-point`, RFC 5929).
    pub(super) fn channel_binding(&self) -> ChannelBinding {
        let Self::Tls(stream) = self else { return ChannelBinding::none() };
        let certificate = stream.get_ref().1.peer_certificates().and_then(|chain| chain.first());
        certificate
            .and_then(|leaf| end_point(leaf))
            .map_or_else(ChannelBinding::none, ChannelBinding::tls_server_end_point)
    }
}

/// The certificate's hash, with the hash function of its signature; `None` where that has none of its own (Ed25519).
pub(super) fn end_point(certificate: &[u8]) -> Option<Vec<u8>> {
    let (_, parsed) = X509Certificate::from_der(certificate).ok()?;
    match parsed.signature_algorithm.algorithm.to_id_string().as_str() {
        // RSA and ECDSA with SHA-384, with SHA-512.
        "1.2.840.113549.1.1.12" | "1.2.840.10045.4.3.3" => Some(Sha384::digest(certificate).to_vec()),
        "1.2.840.113549.1.1.13" | "1.2.840.10045.4.3.4" => Some(Sha512::digest(certificate).to_vec()),
        // With SHA-256, and MD5 and SHA-1, which the RFC replaces by it.
        "1.2.840.113549.1.1.11" | "1.2.840.10045.4.3.2" | "1.2.840.113549.1.1.4" | "1.2.840.113549.1.1.5" => {
            Some(Sha256::digest(certificate).to_vec())
        }
        _ => None,
    }
}

impl AsyncRead for Transport {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_read(cx, buf),
            Self::Tls(stream) => Pin::new(stream.as_mut()).poll_read(cx, buf),
            Self::Unix(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Transport {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_write(cx, buf),
            Self::Tls(stream) => Pin::new(stream.as_mut()).poll_write(cx, buf),
            Self::Unix(stream) => Pin::new(stream).poll_write(cx, buf),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream.as_mut()).poll_flush(cx),
            Self::Unix(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream.as_mut()).poll_shutdown(cx),
            Self::Unix(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
