//! Frames of a WebSocket, for fuzzing.

use std::sync::LazyLock;

use super::{Settings, decode, talk};
use crate::fuzzing::{now, peer};
use crate::http_client::Secrets;
use crate::probe::{Samples, testing};

static SETTINGS: LazyLock<Settings> = LazyLock::new(|| {
    let yaml = "{query_response: [{expect: '^a(.*)', send: 'x${1}'}, {expect: 'b$'}]}";
    testing::read(yaml, decode).0.expect("settings")
});

/// From the first byte after the answer that grants it.
pub(crate) fn frames(data: &[u8]) {
    let mut out = Samples::traced();
    if let Err(failure) = now(talk::hold(peer(data), &SETTINGS.steps, &Secrets::default(), &mut out)) {
        assert!(!failure.detail.contains(char::is_control));
    }
    drop(out.take_trace());
}
