//! What an error of the HTTP library means.

use std::error::Error as _;
use std::io;

use super::MAX_HEADER_BYTES;
use crate::probe::{Failure, Reason, tls};

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
