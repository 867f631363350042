//! The messages of `grpc.health.v1.Health`, and how they travel in an HTTP body.

use bytes::{BufMut as _, Bytes, BytesMut};
use prost::Message;

use crate::probe::{Failure, Reason};

/// What is called.
pub(super) const METHOD: &str = "/grpc.health.v1.Health/Check";
/// The longest answer, in bytes, what precedes the message included: an answer is two bytes.
pub(super) const MAX_ANSWER: usize = 4 << 10;
/// What precedes a message: whether it is compressed, and its length.
const PREFIX: usize = 5;

#[derive(Clone, PartialEq, Message)]
struct Request {
    #[prost(string, tag = "1")]
    service: String,
}

#[derive(Clone, PartialEq, Message)]
struct Response {
    #[prost(enumeration = "Health", tag = "1")]
    status: i32,
}

/// What a service says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, prost::Enumeration)]
#[repr(i32)]
pub(super) enum Health {
    Unknown = 0,
    Serving = 1,
    NotServing = 2,
    ServiceUnknown = 3,
}

impl Health {
    pub(super) const ALL: [Self; 4] = [Self::Unknown, Self::Serving, Self::NotServing, Self::ServiceUnknown];

    /// As the protocol names it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Unknown => "UNKNOWN",
            Self::Serving => "SERVING",
            Self::NotServing => "NOT_SERVING",
            Self::ServiceUnknown => "SERVICE_UNKNOWN",
        }
    }
}

/// The question, ready to be sent.
pub(super) fn question(service: &str) -> Bytes {
    let request = Request { service: service.to_owned() };
    let length = request.encoded_len();
    let mut bytes = BytesMut::with_capacity(PREFIX + length);
    bytes.put_u8(0);
    bytes.put_u32(u32::try_from(length).unwrap_or(u32::MAX));
    bytes.extend_from_slice(&request.encode_to_vec());
    bytes.freeze()
}

/// The answer out of a whole body.
///
/// # Errors
/// Reason `protocol` for what is none, `status` for a number the protocol does not have.
pub(super) fn answer(body: &[u8]) -> Result<Health, Failure> {
    let strange = |why: &str| Failure::new(Reason::Protocol, format_args!("the answer is no health check's: {why}"));
    let Some((prefix, message)) = body.split_first_chunk::<PREFIX>() else {
        return Err(strange(if body.is_empty() { "no message" } else { "cut off" }));
    };
    let [compressed, length @ ..] = *prefix;
    if compressed != 0 {
        return Err(strange("it is compressed, which was not asked for"));
    }
    if usize::try_from(u32::from_be_bytes(length)) != Ok(message.len()) {
        return Err(strange("its length is not what it says, or there are several messages"));
    }
    let response = Response::decode(message).map_err(|error| strange(&error.to_string()))?;
    Health::try_from(response.status).map_err(|_| {
        let found = response.status;
        Failure::new(Reason::Status, format_args!("the service says {found} of itself, which nobody knows"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_question_is_framed() {
        assert_eq!(&question("")[..], b"\0\0\0\0\0");
        assert_eq!(&question("a.B")[..], b"\0\0\0\0\x05\x0a\x03a.B");
    }

    #[test]
    fn the_answer_is_read_and_nothing_else() {
        for (body, expected) in [
            (&b"\0\0\0\0\0"[..], Health::Unknown),
            (b"\0\0\0\0\x02\x08\x01", Health::Serving),
            (b"\0\0\0\0\x02\x08\x02", Health::NotServing),
            (b"\0\0\0\0\x02\x08\x03", Health::ServiceUnknown),
            // A field of a later version.
            (b"\0\0\0\0\x04\x08\x01\x10\x07", Health::Serving),
        ] {
            assert_eq!(answer(body), Ok(expected), "{}", body.escape_ascii());
        }
        for (body, reason, part) in [
            (&b""[..], Reason::Protocol, "no message"),
            (b"\0\0", Reason::Protocol, "cut off"),
            (b"\x01\0\0\0\x02\x08\x01", Reason::Protocol, "compressed"),
            (b"\0\0\0\0\x03\x08\x01", Reason::Protocol, "length"),
            (b"\0\xff\xff\xff\xff\x08\x01", Reason::Protocol, "length"),
            (b"\0\0\0\0\x02\x08\x01\0\0\0\0\x02\x08\x01", Reason::Protocol, "several"),
            (b"\0\0\0\0\x02\x0a\x01", Reason::Protocol, "no health check's"),
            (b"\0\0\0\0\x01\x08", Reason::Protocol, "no health check's"),
            (b"\0\0\0\0\x02\x08\x09", Reason::Status, "9"),
        ] {
            let failure = answer(body).unwrap_err();
            assert_eq!(failure.reason, reason, "{}: {failure}", body.escape_ascii());
            assert!(failure.detail.contains(part), "{}: {failure}", body.escape_ascii());
        }
    }
}
