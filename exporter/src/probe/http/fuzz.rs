//! What an HTTP server sends, for fuzzing: answers as they come over the connection, redirects among them; compressed bodies, JSON to
//! be judged, tokens, cookies.

use std::sync::LazyLock;

use bytes::Bytes;
use hyper::StatusCode;
use hyper::header::{CONTENT_TYPE, COOKIE, HeaderMap, HeaderValue, SET_COOKIE};
use hyper_util::rt::TokioIo;

use super::body::{Compression, Reader};
use super::cookies::Cookies;
use super::exchange::{self, Outcome};
use super::hop::Hop;
use super::json_cel::JsonAssertions;
use super::settings::{self, Settings};
use super::{MAX_REDIRECTS, begin, oauth2};
use crate::fuzzing::{asked, now};
use crate::probe::{Failure, Reason, Samples, testing};

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

static MODULES: LazyLock<Vec<Settings>> = LazyLock::new(|| {
    [
        "{}",
        "{method: POST, body: 'a=1', headers: {X-A: x, Host: b.test}, valid_http_versions: [HTTP/1.1]}",
        "{compression: gzip, fail_if_body_not_matches_regexp: ['^a+$'], body_size_limit: 1KB}",
        "{follow_redirects: false, fail_if_header_matches: [{header: Server, regexp: '(x|y)+'}], \
          fail_if_header_not_matches: [{header: Location, regexp: '^https:', allow_missing: true}]}",
        "{fail_if_body_json_not_matches_cel: 'body.status == \"up\"', valid_status_codes: [200, 503]}",
        "{expect: refused}",
    ]
    .iter()
    .map(|yaml| {
        let (settings, findings) = testing::read(yaml, settings::decode);
        settings.unwrap_or_else(|| panic!("{yaml}: {findings:?}"))
    })
    .collect()
});

/// What comes over the connections of a run, one after the other where an answer points elsewhere, apart by two bytes 255; the
/// first byte says which module asks.
pub(crate) fn answers(data: &[u8]) {
    let Some((which, data)) = data.split_first() else { return };
    let settings = &MODULES[usize::from(*which) % MODULES.len()];
    let mut out = Samples::traced();
    begin(settings, &mut out);
    let url = url::Url::parse("http://www.a.test/in/form?x=1").expect("a URL");
    let secrets = HeaderMap::from_iter([(COOKIE, HeaderValue::from_static("secret"))]);
    let mut hop = Hop::first(settings, url, None, None, secrets);
    let mut result = Err(Failure::new(Reason::Reset, "nobody answers"));
    let mut rest = data;
    for _ in 0..=MAX_REDIRECTS {
        let end = rest.windows(2).position(|two| two == [255, 255]);
        let (one, next) = end.map_or((rest, &[][..]), |end| (&rest[..end], &rest[end + 2..]));
        let send = async |io| exchange::over_http1(settings, &mut hop, None, TokioIo::new(io), &mut out).await;
        result = match asked(one, send) {
            Ok(Outcome::Redirect(step)) => {
                assert!(settings.follow_redirects && matches!(step.url.scheme(), "http" | "https"));
                hop.follow(step);
                rest = next;
                continue;
            }
            Ok(Outcome::Final(_)) => Ok(()),
            Err(failure) => Err(failure),
        };
        break;
    }
    if let Some(refusal) = settings.refusal {
        result = refusal.judge(result, &mut out);
    }
    if let Err(failure) = result {
        assert!(!failure.detail.contains(char::is_control));
    }
    drop(out.take_trace());
}

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
