//! A name server's answer, for fuzzing: read, compared with the query, shown, judged.

use std::sync::LazyLock;

use super::{Message, Samples, Settings, decode, exchange, write_answer};
use crate::fuzzing::{now, peer};

static SETTINGS: LazyLock<Settings> = LazyLock::new(|| {
    let rules = "{fail_if_matches_regexp: ['127\\.0\\.0\\.1$'], fail_if_not_matches_regexp: ['\\tIN\\t']}";
    let yaml = format!(
        "{{query_name: a.test, query_type: ANY, validate_answer_rrs: {rules}, validate_authority_rrs: {rules}, \
         validate_additional_rrs: {rules}}}"
    );
    crate::probe::testing::read(&yaml, decode).0.expect("settings")
});

/// As a packet, and as a stream with its length before it.
pub(crate) fn answer(data: &[u8]) {
    let mut query = SETTINGS.query.message();
    query.metadata.id = 0x4142;
    if let Ok(answer) = Message::from_vec(data) {
        let mut out = Samples::new();
        write_answer(&answer, &mut out);
        if let Err(failure) = SETTINGS.judge(&answer) {
            assert!(!failure.detail.contains(char::is_control));
        }
    }
    let _ = now(exchange::over_stream(peer(data), &query.to_vec().expect("our query"), &query));
}
