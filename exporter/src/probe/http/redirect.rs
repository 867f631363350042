//! Where a redirect points, and what it does to the request.

use hyper::header::{HeaderMap, HeaderValue, LOCATION};
use hyper::{Method, StatusCode};
use url::Url;

use super::MAX_REDIRECTS;
use super::hop::Hop;
use crate::probe::{Failure, Reason};

/// The longest `Location` that is followed, in bytes.
const MAX_LOCATION: usize = 8192;

/// One redirect, checked.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) url: Url,
    pub(super) method: Method,
    pub(super) drops_body: bool,
    /// It named no host: the same server is asked, `Host` header included.
    pub(super) relative: bool,
}

/// Whether an answer is a redirect. One without a place to go is an answer like any other; its status is judged.
pub(super) fn points_elsewhere(status: StatusCode, headers: &HeaderMap) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
        && headers.get(LOCATION).is_some_and(|value| !value.is_empty())
}

/// Where a redirect points.
///
/// # Errors
/// Reason `redirect` where that is nowhere usable.
pub(super) fn step(status: StatusCode, headers: &HeaderMap, hop: &Hop<'_>) -> Result<Step, Failure> {
    let location = headers.get(LOCATION).map_or(&[][..], HeaderValue::as_bytes);
    let unusable = |why: &str| Failure::new(Reason::Redirect, format_args!("status {status}, but {why}"));
    if location.len() > MAX_LOCATION {
        return Err(unusable(&format!("its Location has {} bytes; at most {MAX_LOCATION} are read", location.len())));
    }
    let text = std::str::from_utf8(location).map_err(|_| unusable("its Location is not UTF-8"))?;
    let mut url = hop.url.join(text).map_err(|why| unusable(&format!("its Location is not a URL: {why}")))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(unusable(&format!("its Location has the scheme `{}`; http and https are followed", url.scheme())));
    }
    // Whoever redirects does not choose who we log in as.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    let (method, drops_body) = match (status.as_u16(), &hop.method) {
        (307 | 308, method) => (method.clone(), false),
        (_, &Method::HEAD) => (Method::HEAD, true),
        _ => (Method::GET, true),
    };
    let relative = Url::parse(text).is_err() && !text.starts_with("//");
    Ok(Step { url, method, drops_body, relative })
}

/// The failure of following no further.
pub(super) fn too_many(hop: &Hop<'_>) -> Failure {
    Failure::new(Reason::Redirect, format_args!("more than {MAX_REDIRECTS} redirects, the last to {}", place(&hop.url)))
}

/// A URL without its query: that part of it may be somebody's token.
pub(super) fn place(url: &Url) -> String {
    let origin = url.origin().ascii_serialization();
    format!("{origin}{}", url.path())
}
