//! One connection to the server, kept for the requests that follow.

use std::error::Error as _;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Body as _;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::CONTENT_ENCODING;
use hyper::http::response::Parts;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_util::task::AbortOnDropHandle;

use super::body::Body;
use super::error::{ErrorKind, Fault};
use super::{Names, Peer};
use crate::probe::http::socket_error;
use crate::probe::tls;
use crate::probe::{Failure, Reason, net};

/// Patience with one of several addresses of a name.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Addresses of a name that are tried.
const MAX_ADDRESSES: usize = 4;
/// Bytes of header that are read, all headers together.
const MAX_HEADER_BYTES: usize = 64 << 10;

/// An open connection; closed when dropped.
#[derive(Debug)]
pub(crate) struct Connection {
    names: &'static Names,
    sender: SendRequest<Full<Bytes>>,
    _driver: AbortOnDropHandle<()>,
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

impl Connection {
    /// Connects, over TLS where the URL says so. `stage` tells what is being waited for.
    pub(crate) async fn open(peer: &Peer, stage: &mut &'static str) -> Result<Self, Fault> {
        let Peer { address, http, names, .. } = peer;
        let stream = tcp(peer, stage).await?;
        let stream: Box<dyn Stream> = if address.secure {
            *stage = "waiting for the TLS handshake";
            let session = http.tls.session(&address.host).map_err(|failure| unreachable(&failure, names))?;
            let handshake = TlsConnector::from(std::sync::Arc::clone(&session.config));
            let result = handshake.connect(session.name.clone(), stream).await;
            Box::new(result.map_err(|error| tls_fault(&session.failure(&error), names))?)
        } else {
            Box::new(stream)
        };
        let (sender, connection) = http1::Builder::new()
            .max_buf_size(MAX_HEADER_BYTES)
            .handshake::<_, Full<Bytes>>(TokioIo::new(stream))
            .await
            .map_err(|error| explain(&error, names))?;
        // Its end is seen by the request that needs it.
        let driver = AbortOnDropHandle::new(tokio::spawn(async { drop(connection.await) }));
        Ok(Self { names, sender, _driver: driver })
    }

    /// Whether it can carry another request, as far as is known.
    pub(crate) fn is_open(&self) -> bool {
        !self.sender.is_closed()
    }

    /// Sends a request and reads the answer to its end, `limit` bytes at most.
    pub(crate) async fn exchange(
        &mut self,
        request: Request<Full<Bytes>>,
        limit: u64,
        stage: &mut &'static str,
    ) -> Result<(Parts, Vec<u8>), Fault> {
        let names = self.names;
        *stage = "waiting for the answer";
        self.sender.ready().await.map_err(|error| explain(&error, names))?;
        let answer: Response<_> = self.sender.send_request(request).await.map_err(|error| explain(&error, names))?;
        *stage = "reading the answer";
        let (head, mut incoming) = answer.into_parts();
        let mut body = Body::new(limit, head.headers.get(CONTENT_ENCODING))?;
        // A length that is announced too large is not read at all.
        if incoming.size_hint().exact().is_some_and(|length| length > limit) {
            return Err(body.too_large());
        }
        while let Some(frame) = incoming.frame().await {
            if let Ok(data) = frame.map_err(|error| explain(&error, names))?.into_data() {
                body.take(&data)?;
            }
        }
        Ok((head, body.finish()?))
    }
}

/// Tries the addresses of the host one after another, as the system orders them: `localhost` may be two, and only one
/// of them served.
async fn tcp(peer: &Peer, stage: &mut &'static str) -> Result<TcpStream, Fault> {
    let Peer { address, names, .. } = peer;
    *stage = "resolving the name";
    let host = (address.host.as_str(), address.port);
    let found: Vec<SocketAddr> = tokio::net::lookup_host(host)
        .await
        .map_err(|error| {
            let detail = format!("cannot resolve `{}`: {error}; is the name in {} right?", address.host, names.url);
            Fault::new(ErrorKind::Unreachable, detail)
        })?
        .take(MAX_ADDRESSES)
        .collect();
    *stage = "connecting";
    let mut fault = Fault::new(ErrorKind::Unreachable, format_args!("`{}` has no address", address.host));
    for socket in found {
        match timeout(CONNECT_TIMEOUT, net::connect(socket, None)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(failure)) => fault = unreachable(&failure, names),
            Err(_) => {
                let detail = format!(
                    "{socket} does not answer within {} s; is a firewall in between?",
                    CONNECT_TIMEOUT.as_secs()
                );
                fault = Fault::new(ErrorKind::Unreachable, detail);
            }
        }
    }
    Err(fault)
}

fn unreachable(failure: &Failure, names: &Names) -> Fault {
    let advice = match failure.reason {
        Reason::Refused => format!("; does it run there? {} says where to ask", names.url),
        _ => String::new(),
    };
    Fault::new(ErrorKind::Unreachable, format_args!("{}{advice}", failure.detail))
}

fn tls_fault(failure: &Failure, names: &Names) -> Fault {
    let advice = match failure.reason {
        Reason::Certificate => format!("; `tls_config` in {} says what is trusted", names.config),
        _ => String::new(),
    };
    let fault = Fault::new(ErrorKind::Unreachable, format_args!("{}{advice}", failure.detail));
    Fault { retry: failure.reason == Reason::Reset, ..fault }
}

/// The fault behind an error of the HTTP library.
fn explain(error: &hyper::Error, names: &Names) -> Fault {
    if error.is_parse_too_large() {
        return Fault::new(
            ErrorKind::NotTheApi,
            format_args!("the answer's headers have more than {MAX_HEADER_BYTES} bytes or 100 lines"),
        );
    }
    if error.is_incomplete_message() {
        return Fault::reset("the connection was closed before the answer was complete");
    }
    if let Some(io) = socket_error(error) {
        if let Some(failure) = tls::explain(io) {
            return tls_fault(&failure, names);
        }
        return match io.kind() {
            io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => not_http(error),
            io::ErrorKind::UnexpectedEof => Fault::reset("the connection was closed before the answer was complete"),
            _ => Fault::reset(Failure::io("read the answer", io).detail),
        };
    }
    if error.is_canceled() || error.is_closed() {
        return Fault::reset("the connection was closed before there was an answer");
    }
    not_http(error)
}

fn not_http(error: &hyper::Error) -> Fault {
    let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
    Fault::new(
        ErrorKind::NotTheApi,
        format_args!("the answer is not HTTP ({error}{cause}); is the port right, and http or https?"),
    )
}
