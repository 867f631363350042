//! `/status` and what belongs to it: the page for customers, feed, calendar, summary and badges.
//!
//! The language is the parameter `lang`, else what the client prefers, else the contract's own. Not for: what is on it
//! (`status`).

use std::sync::Arc;

use hyper::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, ETAG, HeaderValue, IF_NONE_MATCH, VARY};
use hyper::{HeaderMap, StatusCode};
use sha2::{Digest as _, Sha256};

use super::{Site, negotiate, reply};
use crate::lang::Lang;
use crate::report::words::natural;
use crate::status::document::Document;
use crate::status::html;

/// Answers for `document`.
pub(super) async fn serve(site: &Site, document: Document, query: Option<&str>, headers: &HeaderMap) -> reply::Reply {
    let app = Arc::clone(&site.app);
    let asked = asked(query);
    let lang = asked.or_else(|| negotiate::language(headers)).unwrap_or_else(|| natural(&app.config().contract.title));
    let content_type = document.content_type();
    let rendered = tokio::task::spawn_blocking(move || app.board().document(&app, &document, lang)).await;
    let content = match rendered {
        Ok(Some(content)) => content,
        Ok(None) => return reply::text(StatusCode::NOT_FOUND, "no function has this name"),
        Err(error) => {
            tracing::error!(%error, "status page not rendered");
            return reply::text(StatusCode::INTERNAL_SERVER_ERROR, "the page could not be rendered; the log says why");
        }
    };
    let hash = Sha256::digest(&content);
    let tag = hash.iter().take(12).fold("\"".to_owned(), |tag, byte| tag + &format!("{byte:02x}")) + "\"";
    let mut reply = if is_known(headers, &tag) {
        let mut reply = reply::with_type(StatusCode::NOT_MODIFIED, content_type, Vec::new());
        reply.headers_mut().remove(hyper::header::CONTENT_TYPE);
        reply
    } else {
        reply::with_type(StatusCode::OK, content_type, content.to_vec())
    };
    let headers = reply.headers_mut();
    // Hexadecimal digits in quotes.
    headers.extend(HeaderValue::from_str(&tag).ok().map(|tag| (ETAG, tag)));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=15"));
    headers.insert(VARY, HeaderValue::from_static("Accept-Language"));
    let policy = format!("{}; frame-ancestors 'none'", html::content_security_policy());
    headers.extend(HeaderValue::from_str(&policy).ok().map(|policy| (CONTENT_SECURITY_POLICY, policy)));
    reply
}

fn asked(query: Option<&str>) -> Option<Lang> {
    let pairs = query.unwrap_or_default().split('&').filter_map(|pair| pair.split_once('='));
    let value = pairs.filter(|(key, _)| *key == "lang").map(|(_, value)| value).next()?;
    Lang::ALL.into_iter().find(|lang| lang.code() == value)
}

/// Whether the client has it already (RFC 9110, 13.1.2).
fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    let values = headers.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    values
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .any(|known| known == "*" || known.trim_start_matches("W/") == tag)
}
