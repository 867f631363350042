//! HTTP for both demo programs, with TLS where it is wanted: one connection loop, a few response helpers, HTML escaping.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue, LOCATION};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;

/// A whole response.
pub type Page = Response<Full<Bytes>>;

/// The largest request body that is read, in bytes.
const MAX_BODY: usize = 64 * 1024;
/// Connections at once; more wait in the system's queue.
const MAX_CONNECTIONS: usize = 1024;
/// A client that sends its request slower than this is dropped.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);

/// Answers a request.
pub trait Handler: Send + Sync + 'static {
    /// One answer; `None` closes the connection without one.
    fn handle(&self, request: Request<Incoming>) -> impl Future<Output = Option<Page>> + Send;
}

/// Serves `listener` until dropped.
pub async fn serve(listener: TcpListener, handler: Arc<impl Handler>) {
    accept(listener, handler, |stream| async { Some(stream) }).await;
}

/// The same over TLS, for clients that `config` lets in.
pub async fn serve_tls(listener: TcpListener, config: Arc<rustls::ServerConfig>, handler: Arc<impl Handler>) {
    let acceptor = TlsAcceptor::from(config);
    let open = |stream| {
        let handshake = acceptor.accept(stream);
        async { tokio::time::timeout(HEADER_TIMEOUT, handshake).await.ok()?.ok() }
    };
    accept(listener, handler, open).await;
}

/// Takes connections; `open` makes of each what is spoken over, or nothing.
async fn accept<S, F>(listener: TcpListener, handler: Arc<impl Handler>, open: impl Fn(TcpStream) -> F)
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    F: Future<Output = Option<S>> + Send + 'static,
{
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let stream = match listener.accept().await {
            Ok((stream, _)) => open(stream),
            // Out of descriptors, or the client is gone already: neither ends the service.
            Err(_) => {
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let handler = Arc::clone(&handler);
        tokio::spawn(async move {
            if let Some(stream) = stream.await {
                converse(stream, handler).await;
            }
            drop(place);
        });
    }
}

/// Answers the requests of one connection.
async fn converse(stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static, handler: Arc<impl Handler>) {
    let service = hyper::service::service_fn(move |request| {
        let handler = Arc::clone(&handler);
        async move { handler.handle(request).await.ok_or("closed on purpose") }
    });
    let _ = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

/// Listens on `address`; port 0 takes a free one.
///
/// # Errors
/// With the address, and what to do when it is taken.
pub async fn listen(address: SocketAddr) -> Result<TcpListener, String> {
    TcpListener::bind(address)
        .await
        .map_err(|error| format!("cannot listen on {address}: {error}; choose another address"))
}

/// The body of a request.
///
/// # Errors
/// When it is longer than 64 KiB or broken off.
pub async fn body(request: Request<Incoming>) -> Result<Bytes, Page> {
    match Limited::new(request.into_body(), MAX_BODY).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(_) => Err(text(StatusCode::PAYLOAD_TOO_LARGE, "the body is longer than 64 KiB\n")),
    }
}

/// A plain text.
pub fn text(status: StatusCode, text: impl Into<String>) -> Page {
    page(status, "text/plain; charset=utf-8", text.into())
}

/// An HTML page with the programs' common look.
#[must_use]
pub fn html(title: &str, body: &str) -> Page {
    let title = escape(title);
    let page_text = format!(
        "<!doctype html><html lang=\"ja\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>{title}</title><style>{STYLE}</style><main><h1>{title}</h1>{body}</main></html>\n"
    );
    page(StatusCode::OK, "text/html; charset=utf-8", page_text)
}

/// A JSON document.
#[must_use]
pub fn json(value: &impl serde::Serialize) -> Page {
    match serde_json::to_string(value) {
        Ok(text) => page(StatusCode::OK, "application/json", text),
        Err(error) => text(StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")),
    }
}

/// A redirect after which the method is GET.
#[must_use]
pub fn redirect(status: StatusCode, location: &str) -> Page {
    let mut response = text(status, String::new());
    if let Ok(value) = HeaderValue::from_str(location) {
        response.headers_mut().insert(LOCATION, value);
    }
    response
}

fn page(status: StatusCode, kind: &'static str, body: String) -> Page {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Text as HTML.
#[must_use]
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;margin:0;background:#f6f8fa;color:#1f2328}\
main{max-width:60rem;margin:0 auto;padding:1.5rem}h1{font-size:1.5rem}table{border-collapse:collapse;width:100%;background:#fff}\
td,th{border:1px solid #d0d7de;padding:.5rem .7rem;text-align:left;vertical-align:top}th{background:#eef1f4}\
.up{color:#116329;font-weight:600}.down{color:#b3261e;font-weight:600}button{font:inherit;padding:.3rem .7rem;margin:.1rem}\
form{display:inline}pre{white-space:pre-wrap;overflow-wrap:anywhere;background:#fff;border:1px solid #d0d7de;padding:1rem}\
iframe{width:100%;height:32rem;border:1px solid #d0d7de;background:#fff}a{color:#0b5cad}.muted{color:#57606a}";
