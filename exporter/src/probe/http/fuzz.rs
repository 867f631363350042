//! What an HTTP server sends, for fuzzing: compressed bodies, JSON to be judged, tokens, cookies.

use std::sync::LazyLock;

use bytes::Bytes;
use hyper::StatusCode;
use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderValue, SET_COOKIE};

use super::body::{Compression, Reader};
use super::cookies::Cookies;
use super::json_cel::JsonAssertions;
use super::oauth2;
use crate::fuzzing::now;
use crate::probe::testing;

/// The longest body, decompressed: long enough for everything, and quick.
const LIMIT: u64 = 64 << 10;

static RULES: LazyLock<Vec<JsonAssertions>> = LazyLock::new(|| {
    [
        "{fail_if_body_json_matches_cel: 'body.status == \"down\" || body.items.exists(i, i.age > 5)'}",
        "{fail_if_body_json_not_matches_cel: 'size(body) > 2 && body.all(k, k != \"\")'}",
        "{fail_if_body_json_matches_cel: 'timestamp(body.at) < timestamp(\"2026-01-01T00:00:00Z\")'}",
        "{fail_if_body_json_matches_cel: 'body.a + body.b == body.c[0] || body.d.matches(\"^x+$\")'}",
    ]
    .iter()
    .map(|yaml| testing::read(yaml, |mut map| JsonAssertions::decode(&mut map)).0.expect("a rule"))
    .collect()
});

/// The body, unless it is not compressed as said or too large.
pub(crate) fn decompressed(how: u8, data: &[u8]) -> Option<Vec<u8>> {
    let compression = match how % 4 {
        0 => None,
        1 => Some(Compression::Gzip),
        2 => Some(Compression::Deflate),
        _ => Some(Compression::Brotli),
    };
    let mut reader = Reader::new(LIMIT, compression, true);
    now(reader.take(Bytes::copy_from_slice(data))).ok()?;
    let (length, body) = reader.finish().ok()?;
    assert!(length <= LIMIT && length == body.len() as u64);
    Some(body)
}

/// As JSON.
pub(crate) fn judge(body: &[u8]) {
    let body = Bytes::copy_from_slice(body);
    for rule in RULES.iter() {
        let _ = now(rule.check(&body, false));
    }
}

/// A token endpoint's answer; the first byte says status and form.
pub(crate) fn token(data: &[u8]) {
    let Some((kind, data)) = data.split_first() else { return };
    let status = if kind & 1 == 0 { StatusCode::OK } else { StatusCode::BAD_REQUEST };
    let form = if kind & 2 == 0 { "application/json" } else { "application/x-www-form-urlencoded" };
    let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(form))]);
    if let Ok(token) = oauth2::token::read(status, &headers, data, &crate::http_client::Secrets::default()) {
        assert!(token.header.is_sensitive());
    }
}

/// Cookies, each on its line.
pub(crate) fn cookies(data: &[u8]) {
    let url = url::Url::parse("https://www.a.test/in/form").expect("a URL");
    let values = data.split(|byte| *byte == b'\n').filter_map(|line| HeaderValue::from_bytes(line).ok());
    let headers: HeaderMap = values.map(|value| (SET_COOKIE, value)).collect();
    let mut cookies = Cookies::default();
    cookies.take(&headers, &url);
    let _ = (cookies.for_url(&url), cookies.value("s", &url));
}
