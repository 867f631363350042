//! gRPC's own status of a call: the code and the text of an answer's trailers.

use hyper::StatusCode;
use hyper::header::HeaderMap;
use percent_encoding::percent_decode;

/// The codes by number, as gRPC's documentation lists them.
const NAMES: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];

/// A code; what no list has is [`Code::UNKNOWN`], as other clients have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Code(u8);

impl Code {
    pub(super) const OK: Self = Self(0);
    pub(super) const UNKNOWN: Self = Self(2);
    /// What a client says whose time is up.
    pub(super) const DEADLINE_EXCEEDED: Self = Self(4);
    pub(super) const INTERNAL: Self = Self(13);
    /// What a client says that has no connection.
    pub(super) const UNAVAILABLE: Self = Self(14);

    /// What a status of HTTP alone means, where a proxy answered instead of a gRPC server.
    pub(super) fn of_http(status: StatusCode) -> Self {
        Self(match status.as_u16() {
            400 => 13,
            401 => 16,
            403 => 7,
            404 => 12,
            429 | 502..=504 => 14,
            _ => 2,
        })
    }

    pub(super) fn number(self) -> u8 {
        self.0
    }

    pub(super) fn name(self) -> &'static str {
        NAMES.get(usize::from(self.0)).copied().unwrap_or("UNKNOWN")
    }

    fn read(text: &[u8]) -> Self {
        let number = std::str::from_utf8(text).ok().and_then(|text| text.parse().ok());
        number.filter(|number| usize::from(*number) < NAMES.len()).map_or(Self::UNKNOWN, Self)
    }
}

/// How a call ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Status {
    pub(super) code: Code,
    /// The server's text, as long as headers may be; empty where there is none.
    pub(super) message: String,
}

impl Status {
    /// Reads it from headers or trailers; `None` where they have none.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        let code = Code::read(headers.get("grpc-status")?.as_bytes());
        let message = headers.get("grpc-message").map_or(&[][..], |value| value.as_bytes());
        Some(Self { code, message: percent_decode(message).decode_utf8_lossy().into_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(headers: &[(&'static str, &'static str)]) -> Option<Status> {
        let headers = headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
        Status::of(&headers.collect())
    }

    #[test]
    fn a_status_is_a_number_and_a_percent_encoded_text() {
        let status = of(&[("grpc-status", "5"), ("grpc-message", "no%20%E6%97%A5%zz")]).unwrap();
        assert_eq!((status.code.name(), status.message.as_str()), ("NOT_FOUND", "no 日%zz"));
        assert_eq!(of(&[("grpc-status", "0")]).unwrap(), Status { code: Code::OK, message: String::new() });
        assert_eq!(of(&[("grpc-message", "a")]), None);
    }

    #[test]
    fn a_number_nobody_knows_is_unknown() {
        for text in ["17", "-1", "", "255", "256", "a", "+1x"] {
            assert_eq!(Code::read(text.as_bytes()), Code::UNKNOWN, "{text}");
        }
        assert_eq!(Code::read(b"16").name(), "UNAUTHENTICATED");
        assert_eq!(NAMES[usize::from(Code::UNAVAILABLE.number())], "UNAVAILABLE");
        assert_eq!(NAMES[usize::from(Code::DEADLINE_EXCEEDED.number())], "DEADLINE_EXCEEDED");
        assert_eq!(NAMES[usize::from(Code::INTERNAL.number())], "INTERNAL");
    }
}
