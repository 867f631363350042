//! One call over one connection: HTTP/2, a body of one message, and the status behind it.

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderMap};
use hyper::http::response::Parts;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::status::{Code, Status};
use crate::config::decode::shorten;
use crate::probe::http::{Driver, Tasks};
use crate::probe::link::Link;
use crate::probe::tls::Noted;
use crate::probe::{Failure, Metric, Reason, Samples};

/// Bytes of header that are read, and of trailers, all lines together.
const MAX_HEADER_BYTES: u32 = 64 << 10;
/// Bytes of body a peer may send ahead: HTTP/2's own default.
const WINDOW: u32 = 64 << 10;

/// Why a call failed, and what gRPC calls that.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) code: Code,
    /// The server's own status: its text may repeat what it was sent.
    pub(super) status: Option<Status>,
    pub(super) failure: Failure,
}

impl Fault {
    fn new(code: Code, reason: Reason, why: impl std::fmt::Display) -> Self {
        Self { code, status: None, failure: Failure::new(reason, why) }
    }

    /// `plain` where TLS is not spoken, which may be the fault.
    fn of_connection(failure: Failure, plain: bool) -> Self {
        let failure = match failure.reason {
            Reason::Protocol => {
                let hint = if plain { ", and one that wants no TLS" } else { "" };
                let why =
                    format_args!("the peer does not speak HTTP/2 ({}); is it a gRPC server{hint}?", failure.detail);
                Failure::new(Reason::Protocol, why)
            }
            _ => failure,
        };
        Self { code: Code::UNAVAILABLE, status: None, failure }
    }

    fn of_status(status: Status) -> Self {
        let failure = Failure::new(Reason::Status, status.code.name());
        Self { code: status.code, status: Some(status), failure }
    }
}

/// Sends `request` and returns the body of an answer whose status is OK, of at most `limit` bytes.
pub(super) async fn make(
    link: Link<TcpStream>,
    request: Request<Full<Bytes>>,
    limit: usize,
    out: &mut Samples,
) -> Result<Vec<u8>, Fault> {
    let tasks = Tasks::default();
    let plain = matches!(link, Link::Plain(_));
    let (link, note) = Noted::new(link);
    let (mut sender, connection) = hyper::client::conn::http2::Builder::new(tasks.executor())
        .max_header_list_size(MAX_HEADER_BYTES)
        .initial_stream_window_size(WINDOW)
        .initial_connection_window_size(WINDOW)
        .handshake(TokioIo::new(link))
        .await
        .map_err(|error| Fault::of_connection(Failure::new(Reason::Reset, error), plain))?;
    let mut driver = Driver::new(connection).noting(note);
    out.stage("waiting for the answer");
    // What stays should the time be up while waiting.
    out.set(Metric::GrpcStatusCode, f64::from(Code::DEADLINE_EXCEEDED.number()));
    let answer: hyper::Result<Response<Incoming>> = driver.with(sender.send_request(request)).await;
    let (head, mut body) = answer.map_err(|error| Fault::of_connection(driver.explain(&error), plain))?.into_parts();
    out.found(|| format!("{:?} {}", head.version, head.status));
    if let Some(status) = judged(&head)? {
        return if status.code == Code::OK { Ok(Vec::new()) } else { Err(Fault::of_status(status)) };
    }
    let mut message = Vec::new();
    let mut trailers = None;
    out.stage("reading the answer");
    while let Some(frame) = driver.with(body.frame()).await {
        match frame.map_err(|error| Fault::of_connection(driver.explain(&error), plain))?.into_data() {
            Ok(data) if message.len() + data.len() > limit => {
                let why = format_args!("an answer of more than {} KiB", limit >> 10);
                return Err(Fault::new(Code::INTERNAL, Reason::TooLarge, why));
            }
            Ok(data) => message.extend_from_slice(&data),
            Err(frame) => trailers = frame.into_trailers().ok().or(trailers),
        }
    }
    driver.nudge().await;
    match trailers.as_ref().and_then(Status::of) {
        Some(status) if status.code == Code::OK => Ok(message),
        Some(status) => Err(Fault::of_status(status)),
        None => Err(Fault::new(Code::UNKNOWN, Reason::Protocol, "the answer ends without gRPC's status")),
    }
}

/// What the head of an answer says on its own: a status, where there is no more to come.
fn judged(head: &Parts) -> Result<Option<Status>, Fault> {
    if let Some(status) = Status::of(&head.headers) {
        return Ok(Some(status));
    }
    if head.status != StatusCode::OK {
        let why = format_args!("the answer has HTTP status {}, and no status of gRPC", head.status);
        return Err(Fault::new(Code::of_http(head.status), Reason::Status, why));
    }
    match content_type(&head.headers) {
        Some(kind) if kind == "application/grpc" || kind.starts_with("application/grpc+") => Ok(None),
        Some(kind) if kind.starts_with("application/grpc;") => Ok(None),
        found => {
            let found = found.map_or_else(|| "none".to_owned(), |kind| format!("`{}`", shorten(&kind)));
            let why =
                format_args!("the answer is not gRPC: its Content-Type should be `application/grpc`, found {found}");
            Err(Fault::new(Code::UNKNOWN, Reason::Protocol, why))
        }
    }
}

fn content_type(headers: &HeaderMap) -> Option<String> {
    headers.get(CONTENT_TYPE).map(|value| String::from_utf8_lossy(value.as_bytes()).to_ascii_lowercase())
}
