//! A gRPC server's answer, for fuzzing: its status in headers, and its word on its health.

use super::{health, status};

/// The first line is the status, the second its text, the rest the body.
pub(crate) fn answer(data: &[u8]) {
    let mut parts = data.splitn(3, |byte| *byte == b'\n');
    let mut headers = hyper::HeaderMap::new();
    for name in ["grpc-status", "grpc-message"] {
        if let Some(value) = parts.next().and_then(|value| hyper::header::HeaderValue::from_bytes(value).ok()) {
            headers.insert(name, value);
        }
    }
    let _ = status::Status::of(&headers);
    let _ = health::answer(parts.next().unwrap_or_default());
}
