//! `alertmanager`: where notices to customers are posted (C2.2), and how.

use std::time::Duration;

use super::decode::Cursor;
use crate::notify::Alertmanagers;

/// More members than any cluster has.
const MAX_URLS: usize = 16;
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);
const DEFAULT_REMINDER: Duration = Duration::from_secs(3 * 86_400);

pub(super) fn read(cursor: &Cursor<'_>) -> Option<Alertmanagers> {
    let mut map = cursor.map()?;
    let urls = map.require("urls").and_then(|c| {
        let urls = c.list()?;
        match urls.len() {
            0 => c.error("expected at least one URL, found none; leave `alertmanager` out to send no notices"),
            found if found > MAX_URLS => c.error(format_args!("{found} URLs; at most {MAX_URLS} are accepted")),
            _ => Some(urls),
        }
    });
    let timeout = map.get("timeout").map_or(Some(DEFAULT_TIMEOUT), |c| match c.duration()? {
        timeout if timeout.is_zero() || timeout > Duration::from_secs(60) => {
            c.error("expected a duration above 0 and up to 1m")
        }
        timeout => Some(timeout),
    });
    let reminder = map.get("reminder").map_or(Some(DEFAULT_REMINDER), |c| match c.duration()? {
        reminder if reminder > Duration::from_secs(366 * 86_400) => {
            c.error("is longer than a year; write for example 3d")
        }
        reminder => Some(reminder),
    });
    let http = crate::http_client::keys(&mut map);
    map.finish();
    // A fault elsewhere in the section hides none in the URLs.
    let usual = || crate::http_client::defaults();
    let (with, within) = (http.clone().or_else(usual), timeout.unwrap_or(DEFAULT_TIMEOUT));
    let urls = urls?;
    let peers: Vec<_> = urls
        .iter()
        .filter_map(|url| match Alertmanagers::peer(&url.non_empty()?, with.clone()?, within) {
            Ok(peer) => Some(peer),
            Err(why) => url.error(why),
        })
        .collect();
    let whole = peers.len() == urls.len();
    let found = Alertmanagers::new(peers, reminder.unwrap_or(DEFAULT_REMINDER));
    if let Some(twice) = found.twice() {
        return cursor.error(format_args!("`{twice}` is listed twice"));
    }
    // What is missing was reported.
    let _ = (http?, timeout?, reminder?);
    whole.then_some(found)
}
