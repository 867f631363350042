//! The answer to the request for a WebSocket, and its frames, for fuzzing.

use std::sync::LazyLock;

use super::upgrade::Ask;
use super::{Settings, decode, talk};
use crate::fuzzing::{asked, now, peer};
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

/// The key of RFC 6455 §1.3: that of an input that is granted.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

/// From the first byte of that answer.
pub(crate) fn upgrade(data: &[u8]) {
    let url = url::Url::parse("ws://www.a.test/live").expect("a URL");
    let mut out = Samples::traced();
    let mut ask = now(Ask::of(&SETTINGS, &url, None, None)).expect("no file is read");
    KEY.clone_into(&mut ask.key);
    let said = asked(data, async |io| {
        let socket = ask.send(io, &mut out).await?;
        talk::hold(socket, &SETTINGS.steps, &Secrets::default(), &mut out).await
    });
    if let Err(failure) = said {
        assert!(!failure.detail.contains(char::is_control));
    }
}
