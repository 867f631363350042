//! The file's keys, apart from `tls_server_config`.

use std::collections::HashMap;

use hyper::header::{HeaderName, HeaderValue};

use super::auth::Users;
use super::rate::Limiter;
use super::{Web, tls};
use crate::config::decode::{Cursor, MapCursor};

/// bcrypt costs that are accepted: the least there is, and the most that is checked within seconds.
const COSTS: std::ops::RangeInclusive<u32> = 4..=16;

/// Reads the whole file; an empty one is plain HTTP.
pub(super) fn web(root: &Cursor<'_>) -> Option<Web> {
    if root.node().is_null() {
        return Some(Web { http2: true, ..Web::default() });
    }
    let mut map = root.map()?;
    let tls = map.get("tls_server_config");
    let http = map.get("http_server_config");
    let users = map.get("basic_auth_users");
    let rate = map.get("rate_limit");
    map.finish();

    let (http2, headers) = match http {
        Some(section) => http_server(section.map()?)?,
        None => (true, Vec::new()),
    };
    let tls = match tls {
        Some(section) => Some(tls::decode(section.map()?, http2)),
        None => None,
    };
    let users = match users {
        Some(section) => self::users(&section),
        None => Some(None),
    };
    let limiter = match rate {
        Some(section) => self::limiter(section.map()?),
        None => Some(None),
    };
    let tls = match tls {
        Some(None) => return None,
        Some(tls) => tls,
        None => None,
    };
    Some(Web { tls, http2, headers, users: users?, limiter: limiter? })
}

fn http_server(mut map: MapCursor<'_>) -> Option<(bool, Vec<(HeaderName, HeaderValue)>)> {
    let http2 = map.get("http2").map_or(Some(true), |c| c.bool());
    let headers = map.get("headers").map_or(Some(Vec::new()), |c| Some(self::headers(c.map()?)));
    map.finish();
    Some((http2?, headers?))
}

fn headers(mut map: MapCursor<'_>) -> Vec<(HeaderName, HeaderValue)> {
    const ANY: &[&str] = &[];
    let mut headers = Vec::new();
    for (key, accepted) in [
        ("Content-Security-Policy", ANY),
        ("Strict-Transport-Security", ANY),
        ("X-XSS-Protection", ANY),
        ("X-Frame-Options", &["deny", "sameorigin"]),
        ("X-Content-Type-Options", &["nosniff"]),
    ] {
        let Some((cursor, text)) = map.get(key).and_then(|c| c.string().map(|text| (c, text))) else { continue };
        if text.is_empty() {
            continue;
        }
        if !accepted.is_empty() && !accepted.contains(&text.to_lowercase().as_str()) {
            cursor.error::<()>(format_args!("unknown value; accepted: {}", accepted.join(", ")));
        }
        match (HeaderName::try_from(key), HeaderValue::try_from(&text)) {
            (Ok(name), Ok(value)) => headers.push((name, value)),
            _ => drop(
                cursor
                    .error::<()>("this is not the value of a header: it holds a line end or another control character"),
            ),
        }
    }
    map.finish();
    headers
}

/// Names and bcrypt hashes; never quotes a hash.
fn users(section: &Cursor<'_>) -> Option<Option<Users>> {
    let mut users = HashMap::new();
    let mut sound = true;
    for (name, _, cursor) in section.named()? {
        match cursor.string().and_then(|hash| checked(&cursor, hash.trim())) {
            Some((hash, cost)) => drop(users.insert(name.to_owned(), (hash, cost))),
            None => sound = false,
        }
        if name.contains(':') {
            sound = false;
            cursor.error::<()>("a user name with `:` in it can never log in");
        }
    }
    sound.then(|| Users::new(users))
}

fn checked(cursor: &Cursor<'_>, hash: &str) -> Option<(String, u32)> {
    const HOW: &str = "make one with `htpasswd -nBC 10 \"\" | tr -d ':\\n'`";
    let cost = hash.parse::<bcrypt::HashParts>().map(|parts| parts.get_cost());
    match cost {
        Ok(cost) if ["$2a$", "$2b$", "$2y$"].iter().any(|prefix| hash.starts_with(prefix)) => {
            if COSTS.contains(&cost) {
                return Some((hash.to_owned(), cost));
            }
            let (least, most) = (COSTS.start(), COSTS.end());
            cursor.error(format_args!("bcrypt cost {cost} is not accepted, only {least} to {most}; {HOW}"))
        }
        _ => cursor
            .error(format_args!("this is not a bcrypt hash (60 characters, beginning with $2a$, $2b$ or $2y$); {HOW}")),
    }
}

fn limiter(mut map: MapCursor<'_>) -> Option<Option<Limiter>> {
    let interval = map.require("interval").and_then(|c| c.duration());
    let burst = match map.get("burst") {
        Some(cursor) => {
            cursor.integer(0..=1_000_000).and_then(|burst| u32::try_from(burst).ok().map(|b| (b, Some(cursor))))
        }
        None => Some((0, None)),
    };
    let place = map.mark();
    let (doc, path) = (map.document(), map.path().to_owned());
    map.finish();
    let (interval, (burst, cursor)) = (interval?, burst?);
    if interval.is_zero() {
        return Some(None);
    }
    if burst == 0 {
        let message = "a burst of 0 lets no request through; write at least 1";
        match cursor {
            Some(cursor) => drop(cursor.error::<()>(message)),
            None => doc.report(crate::config::diagnostics::Severity::Error, place, path, "`burst` is missing"),
        }
        return None;
    }
    Some(Some(Limiter::new(interval, burst)))
}
