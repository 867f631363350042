//! A body that a flow searches, for fuzzing.

use std::sync::LazyLock;

use super::source::{self, Source};
use crate::probe::testing;

static SOURCES: LazyLock<Vec<Source>> = LazyLock::new(|| {
    let read = |yaml: &&str| testing::read(yaml, |mut map| Source::decode(&mut map, true)).0.expect("a source");
    [
        "{body: true}",
        "{regex: 'token=\"?([^\"&]+)'}",
        "{regex: '(?s)<a.*>(.*)</a>'}",
        "{json: '$..id'}",
        "{json: '$.items[?@.price < 10 && @.name].name'}",
        "{json: '$[-1:0:-2][\"a\", 1]'}",
        "{css: 'form input[name=csrf]', attribute: value}",
        "{css: 'ul > li:nth-child(2n+1):not(.x) ~ *'}",
        "{css: 'p:has(a[href^=\"/\"]) + div'}",
    ]
    .iter()
    .map(read)
    .collect()
});

/// For everything that can be looked for.
pub(crate) fn search(body: &[u8]) {
    for found in source::search(body, &SOURCES).into_iter().flatten() {
        assert!(found.texts.iter().all(|text| text.len() <= source::MAX_TEXT) && found.texts.len() <= found.count);
    }
}
