//! What an error of the HTTP library means.

use std::error::Error as _;
use std::io;

use super::MAX_HEADER_BYTES;
use crate::probe::{Failure, Reason, tls};

/// How the library says that something came before the request was written; it has no other way to ask.
const UNASKED: &str = "received unexpected message from connection";

/// The failure behind `error`.
pub(super) fn explain(error: &hyper::Error) -> Failure {
    if error.is_parse_too_large() {
        return Failure::new(
            Reason::TooLarge,
            format_args!("the headers have more than {MAX_HEADER_BYTES} bytes or 100 lines"),
        );
    }
    if error.is_parse() {
        return Failure::new(Reason::Protocol, format_args!("the answer is not HTTP: {}", text(error)));
    }
    if error.is_incomplete_message() {
        return Failure::new(Reason::Reset, "the connection was closed before the answer was complete");
    }
    if let Some(io) = socket_error(error) {
        if let Some(failure) = tls::explain(io) {
            return failure;
        }
        return match io.kind() {
            // How the library says that a chunk's length or end makes no sense.
            io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => {
                Failure::new(Reason::Protocol, format_args!("the body is not in chunks as the answer says: {io}"))
            }
            _ => Failure::io("read the answer", io),
        };
    }
    // A server of another protocol that greets: its words may be there before the request is written.
    let inner = error.source().and_then(|source| source.downcast_ref::<hyper::Error>()).unwrap_or(error);
    if inner.to_string() == UNASKED {
        return Failure::new(Reason::Protocol, "the answer is not HTTP: the peer speaks before it is asked");
    }
    if error.is_canceled() || error.is_closed() {
        return Failure::new(Reason::Reset, "the connection was closed before there was an answer");
    }
    Failure::new(Reason::Protocol, text(error))
}

/// The error of the socket that is the cause, where one is.
pub(crate) fn socket_error(error: &hyper::Error) -> Option<&io::Error> {
    let mut source = error.source();
    while let Some(inner) = source {
        if let Some(io) = inner.downcast_ref::<io::Error>() {
            return Some(io);
        }
        source = inner.source();
    }
    None
}

fn text(error: &hyper::Error) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http_body_util::Full;
    use hyper::Request;
    use hyper_util::rt::TokioIo;
    use tokio::io::AsyncWriteExt as _;

    use super::super::Driver;
    use crate::probe::Reason;

    #[tokio::test]
    async fn a_greeting_that_comes_before_the_request_is_no_http_and_no_reset() {
        for stays in [true, false] {
            let (near, mut far) = tokio::io::duplex(1024);
            far.write_all(b"SSH-2.0-OpenSSH_9.2\r\n").await.unwrap();
            let far = stays.then_some(far);
            let (mut sender, connection) =
                hyper::client::conn::http1::handshake::<_, Full<Bytes>>(TokioIo::new(near)).await.unwrap();
            let mut driver = Driver::new(connection);
            let error = driver.with(sender.send_request(Request::new(Full::default()))).await.unwrap_err();
            let failure = driver.explain(&error);
            assert_eq!(failure.reason, Reason::Protocol, "{failure}");
            assert!(failure.detail.contains("speaks before it is asked"), "{failure}");
            drop(far);
        }
    }
}
