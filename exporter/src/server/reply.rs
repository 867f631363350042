//! Answers before they go out: status, headers, and a body whose memory is accounted for.

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::{Response, StatusCode};
use tokio::sync::OwnedSemaphorePermit;

const TEXT: &str = "text/plain; charset=utf-8";

/// An answer.
pub(super) type Reply = Response<Payload>;

/// A body, and the place among the large answers it holds until its memory is freed.
#[derive(Debug, Default)]
pub(super) struct Payload {
    pub(super) content: Vec<u8>,
    pub(super) place: Option<OwnedSemaphorePermit>,
}

impl Payload {
    /// The body as hyper sends it; `until_sent` is dropped when the last byte was written or given up.
    pub(super) fn into_body<T: Send + 'static>(self, until_sent: T) -> Full<Bytes> {
        Full::new(Bytes::from_owner(Held { payload: self, _until_sent: until_sent }))
    }
}

struct Held<T> {
    payload: Payload,
    _until_sent: T,
}

impl<T> AsRef<[u8]> for Held<T> {
    fn as_ref(&self) -> &[u8] {
        &self.payload.content
    }
}

/// A plain text, ended by a line feed.
pub(super) fn text(status: StatusCode, text: impl Into<String>) -> Reply {
    let mut content = text.into();
    if !content.ends_with('\n') {
        content.push('\n');
    }
    with_type(status, TEXT, content.into_bytes())
}

/// Any content with its type.
pub(super) fn with_type(status: StatusCode, content_type: &'static str, content: Vec<u8>) -> Reply {
    let mut reply = Response::new(Payload { content, place: None });
    *reply.status_mut() = status;
    reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    reply
}

/// The same with one more header.
pub(super) fn with_header(mut reply: Reply, name: HeaderName, value: &'static str) -> Reply {
    reply.headers_mut().insert(name, HeaderValue::from_static(value));
    reply
}
