//! `grafana`: where the ledger is shown as annotations, and where those are read that people draw.

use std::time::Duration;

use hyper::header::{HeaderName, HeaderValue};

use super::decode::{Cursor, MapCursor, collect};
use crate::annotations::{Options, tags};
use crate::grafana::Grafana;
use crate::http_client::{self, HttpConfig};
use crate::probe::http::{Auth, Login};

const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);
/// Each has regions of its own.
const MAX_DASHBOARDS: usize = 20;

pub(super) fn read(cursor: &Cursor<'_>) -> Option<Grafana> {
    let mut map = cursor.map()?;
    let url = map.require("url").and_then(|c| Some((c.non_empty()?, c)));
    let http = http(&mut map);
    let timeout = map.get("timeout").map_or(Some(DEFAULT_TIMEOUT), |c| match c.duration()? {
        timeout if timeout.is_zero() || timeout > Duration::from_secs(60) => {
            c.error("expected a duration above 0 and up to 1m")
        }
        timeout => Some(timeout),
    });
    let write = map.get("write").map_or(Some(true), |c| c.bool());
    let dashboards = map.get("dashboards").map_or(Some(Vec::new()), |c| dashboards(&c));
    let more = map.get("tags").map_or(Some(Vec::new()), |c| more_tags(&c));
    map.finish();
    // A fault elsewhere in the section hides none in the URL.
    let (url, at) = url?;
    let with = http.clone().or_else(http_client::defaults)?;
    let peer = match Grafana::peer(&url, with, timeout.unwrap_or(DEFAULT_TIMEOUT)) {
        Ok(peer) => peer,
        Err(why) => return at.error(why),
    };
    let _ = (http?, timeout?);
    Some(Grafana::new(peer, Options { dashboards: dashboards?, tags: more? }, write?))
}

/// Credentials, TLS and headers; beside those of any client a service account's token, and the organisation.
fn http(map: &mut MapCursor<'_>) -> Option<HttpConfig> {
    let has_token = map.has("token") || map.has("token_file");
    let token = map.secret("token", "token_file");
    let org = map.get("org_id").map(|c| c.integer(1..=i64::MAX));
    let http = http_client::keys(map);
    if has_token && http.as_ref().is_some_and(|http| http.login.is_some()) {
        map.error("give one of `token_file`, `basic_auth` and `authorization`, not several");
        return None;
    }
    let mut http = http?;
    if has_token {
        http.login = Login::Fixed(Auth::Token { scheme: "Bearer".to_owned(), token: token? });
    }
    if let Some(org) = org {
        http.headers.values.push((HeaderName::from_static("x-grafana-org-id"), HeaderValue::from(org?)));
    }
    Some(http)
}

fn dashboards(cursor: &Cursor<'_>) -> Option<Vec<String>> {
    let list = cursor.list()?;
    if list.len() > MAX_DASHBOARDS {
        return cursor.error(format_args!("{} dashboards; at most {MAX_DASHBOARDS} are accepted", list.len()));
    }
    let mut seen: Vec<String> = Vec::new();
    collect(&list, |c| {
        let uid = c.non_empty()?;
        // As Grafana has them: letters, digits, `-` and `_`, at most 40.
        if uid.len() > 40 || !uid.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_')) {
            return c.error(
                "is not a dashboard's uid; it is what follows /d/ in the dashboard's address: letters, digits, `-` and `_`, at most 40",
            );
        }
        if seen.contains(&uid) {
            return c.error(format_args!("`{uid}` is listed twice"));
        }
        seen.push(uid.clone());
        Some(uid)
    })
}

fn more_tags(cursor: &Cursor<'_>) -> Option<Vec<String>> {
    let list = cursor.list()?;
    let found = collect(&list, |c| {
        let tag = c.string()?;
        match tags::check(&tag) {
            Ok(()) => Some(tag),
            Err(why) => c.error(why),
        }
    })?;
    let bytes = tags::bytes(&found);
    if bytes > tags::MAX_MORE_BYTES {
        return cursor.error(format_args!(
            "{bytes} bytes of tags; at most {} are accepted, since Grafana keeps 500 with those of the exporter",
            tags::MAX_MORE_BYTES
        ));
    }
    Some(found)
}
