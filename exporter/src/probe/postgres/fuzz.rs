//! What a PostgreSQL server sends, for fuzzing: messages past the guard, a value of a row, the certificate a login is bound to.

use super::{guard, transport, value};
use crate::fuzzing::{now, peer};

/// A session's bytes, and a value.
pub(crate) fn answer(data: &[u8]) {
    use tokio::io::AsyncReadExt as _;
    let _ = now(guard::Guard::new(peer(data), 1 << 20).read_to_end(&mut Vec::new()));
    let _ = value::of(&String::from_utf8_lossy(data));
}

/// A certificate.
pub(crate) fn leaf(data: &[u8]) {
    let _ = transport::end_point(data);
}
