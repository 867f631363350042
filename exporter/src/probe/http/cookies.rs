//! The cookies of one run: services that set one and redirect to themselves loop without it.
//!
//! As little of RFC 6265 as that needs, and as a login of several requests needs; forgotten when the run ends. Not a browser's
//! cookie jar.

use hyper::header::{HeaderMap, HeaderValue, SET_COOKIE};
use url::Url;

/// How many are kept.
const MAX_COOKIES: usize = 50;
/// The longest one, in bytes, name and value.
const MAX_BYTES: usize = 4096;

/// Cookies set by the answers so far.
#[derive(Default)]
pub(in crate::probe) struct Cookies {
    kept: Vec<Cookie>,
}

// Their values are somebody's sessions.
impl std::fmt::Debug for Cookies {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.kept.iter().map(|cookie| &cookie.name)).finish()
    }
}

struct Cookie {
    name: String,
    value: String,
    domain: String,
    /// Sent to the very host only, not to those below it.
    host_only: bool,
    path: String,
    secure: bool,
}

impl Cookies {
    /// Keeps what an answer from `url` sets.
    pub(super) fn take(&mut self, headers: &HeaderMap, url: &Url) {
        for value in headers.get_all(SET_COOKIE) {
            let Some((cookie, gone)) = value.to_str().ok().and_then(|text| Cookie::parse(text, url)) else { continue };
            self.kept
                .retain(|old| (old.name != cookie.name) || (old.domain != cookie.domain) || (old.path != cookie.path));
            if !gone && self.kept.len() < MAX_COOKIES {
                self.kept.push(cookie);
            }
        }
    }

    /// The header for a request to `url`; `None` without cookies for it.
    pub(super) fn for_url(&self, url: &Url) -> Option<HeaderValue> {
        let pairs: Vec<String> = self
            .kept
            .iter()
            .filter(|cookie| cookie.is_for(url))
            .map(|cookie| format!("{}={}", cookie.name, cookie.value))
            .collect();
        let mut value = (!pairs.is_empty()).then(|| HeaderValue::from_str(&pairs.join("; ")).ok())??;
        value.set_sensitive(true);
        Some(value)
    }
}

impl Cookies {
    /// The value of a cookie that a request to `url` would carry.
    pub(in crate::probe) fn value(&self, name: &str, url: &Url) -> Option<&str> {
        self.kept.iter().find(|cookie| cookie.name == name && cookie.is_for(url)).map(|cookie| cookie.value.as_str())
    }
}

/// Whether `Expires` says that a cookie goes: servers write 1970 for that. Another moment is later than any run.
fn is_past(expires: &str) -> bool {
    let year = expires.split(['-', ' ', ':']).find(|part| part.len() == 4 && part.bytes().all(|b| b.is_ascii_digit()));
    year.is_some_and(|year| year < "2000")
}

impl Cookie {
    /// A `Set-Cookie` from `url`, and whether it deletes the cookie.
    fn parse(text: &str, url: &Url) -> Option<(Self, bool)> {
        let mut parts = text.split(';').map(str::trim);
        let (name, value) = parts.next()?.split_once('=')?;
        if name.is_empty() || name.len() + value.len() > MAX_BYTES {
            return None;
        }
        let host = url.host_str()?;
        let mut cookie = Self {
            name: name.trim().to_owned(),
            value: value.trim().to_owned(),
            domain: host.to_owned(),
            host_only: true,
            path: default_path(url.path()).to_owned(),
            secure: false,
        };
        let (mut max_age, mut past) = (None, false);
        for attribute in parts {
            let (key, value) = attribute.split_once('=').unwrap_or((attribute, ""));
            match key.trim().to_ascii_lowercase().as_str() {
                "domain" => {
                    let domain = value.trim().trim_start_matches('.').to_ascii_lowercase();
                    // One for a whole top-level domain, or for somebody else's, is refused.
                    if !domain.contains('.') || !is_within(host, &domain) || host.parse::<std::net::IpAddr>().is_ok() {
                        if domain == host {
                            continue;
                        }
                        return None;
                    }
                    cookie.domain = domain;
                    cookie.host_only = false;
                }
                "path" if value.starts_with('/') => value.clone_into(&mut cookie.path),
                "secure" => cookie.secure = true,
                // Before `Expires`, wherever it stands.
                "max-age" => max_age = value.trim().parse::<i64>().ok(),
                "expires" => past = is_past(value),
                _ => {}
            }
        }
        Some((cookie, max_age.map_or(past, |seconds| seconds <= 0)))
    }

    fn is_for(&self, url: &Url) -> bool {
        let host = url.host_str().unwrap_or_default();
        let here = if self.host_only { host == self.domain } else { is_within(host, &self.domain) };
        let below = url.path().strip_prefix(&self.path);
        let path = below.is_some_and(|rest| rest.is_empty() || self.path.ends_with('/') || rest.starts_with('/'));
        here && path && (!self.secure || url.scheme() == "https")
    }
}

fn is_within(host: &str, domain: &str) -> bool {
    host == domain || host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'))
}

fn default_path(path: &str) -> &str {
    match path.rfind('/') {
        None | Some(0) => "/",
        Some(end) => &path[..end],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(set: &[&str], from: &str, to: &str, expected: Option<&str>) {
        let mut headers = HeaderMap::new();
        for text in set {
            headers.append(SET_COOKIE, text.parse().unwrap());
        }
        let mut cookies = Cookies::default();
        cookies.take(&headers, &from.parse().unwrap());
        let sent = cookies.for_url(&to.parse().unwrap());
        assert_eq!(sent.as_ref().map(|value| value.to_str().unwrap()), expected);
    }

    #[test]
    fn a_cookie_goes_back_to_where_it_came_from_and_nowhere_else() {
        let a = "https://a.example/in/form";
        check(&["s=1", "t=2; Path=/"], a, "https://a.example/in/next", Some("s=1; t=2"));
        check(&["s=1"], a, "https://a.example/inside", None);
        check(&["s=1"], a, "https://b.example/in/form", None);
        check(&["s=1"], a, "https://www.a.example/in/form", None);
        check(&["s=1; Path=/; Secure"], a, "http://a.example/", None);
        check(&["s=1; Path=/", "s=; Path=/; Max-Age=0"], a, "https://a.example/", None);
        check(&["s=1; Path=/", "s=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT"], a, "https://a.example/", None);
        check(&["s=1; Path=/; Expires=Thu, 01-Jan-2037 00:00:00 GMT"], a, "https://a.example/", Some("s=1"));
        check(
            &["s=1; Path=/; Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT"],
            a,
            "https://a.example/",
            Some("s=1"),
        );
    }

    #[test]
    fn a_domain_is_taken_only_from_within_it() {
        let www = "https://www.a.example/";
        check(&["s=1; Domain=a.example"], www, "https://b.a.example/", Some("s=1"));
        check(&["s=1; Domain=.a.example"], www, "https://nota.example/", None);
        check(&["s=1; Domain=example"], www, www, None);
        check(&["s=1; Domain=b.example"], www, www, None);
    }

    #[test]
    fn endless_cookies_are_not_kept() {
        let many: Vec<String> = (0..500).map(|i| format!("c{i}=x")).collect();
        let mut headers = HeaderMap::new();
        for text in &many {
            headers.append(SET_COOKIE, text.parse().unwrap());
        }
        let mut cookies = Cookies::default();
        cookies.take(&headers, &"http://a.example/".parse().unwrap());
        assert_eq!(cookies.kept.len(), MAX_COOKIES);
    }
}
