//! A peer that speaks, for fuzzing: in lines, in bytes, and into TLS.

use std::sync::LazyLock;

use super::Script;
use crate::fuzzing::{now, peer};
use crate::probe::Samples;
use crate::probe::testing;

static SCRIPTS: LazyLock<Vec<Script>> = LazyLock::new(|| {
    let careless = "tls_config: {insecure_skip_verify: true}";
    [
        "query_response: [{expect: 'PING :([^ ]+)', send: 'PONG ${1}'}, {expect: '^(?P<a>a*)(b*)$'}]".to_owned(),
        "query_response: [{expect_bytes: 'SSH-2.0'}, {expect: '^-(.*)$', send: 'x${1}'}, {expect_bytes: 'ab'}]".to_owned(),
        "query_response: [{expect: '^v=(.+)$', labels: [{name: version, value: '${1}'}, {name: b, value: 'x$1'}]}]".to_owned(),
        format!("{careless}, query_response: [{{expect: '^220'}}, {{send: STARTTLS}}, {{expect: '^220', starttls: true}}, {{expect: '^250'}}]"),
        format!("{careless}, tls: true, query_response: [{{expect: '^220'}}]"),
    ]
    .iter()
    .map(|yaml| testing::read(&format!("{{{yaml}}}"), |mut map| Script::decode(&mut map)).0.expect("a script"))
    .collect()
});

/// The first byte says what the peer is asked.
pub(crate) fn conversation(data: &[u8]) {
    let Some((which, data)) = data.split_first() else { return };
    let script = &SCRIPTS[usize::from(*which) % SCRIPTS.len()];
    let mut out = Samples::traced();
    script.begin(&mut out);
    if let Err(failure) = now(script.hold(peer(data), "localhost", &mut out)) {
        assert!(!failure.detail.contains(char::is_control));
    }
    drop(out.take_trace());
}
