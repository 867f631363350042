//! The catcher's pages: a list, a mail, and JSON for tests.

use std::fmt::Write as _;
use std::sync::Arc;

use hyper::body::Incoming;
use hyper::{Request, StatusCode};

use super::{Mail, Store};
use crate::web::{self, Handler, Page, escape};

/// The pages over a store.
#[derive(Debug)]
pub struct Catcher(Store);

impl Catcher {
    /// Pages over `store`.
    #[must_use]
    pub fn new(store: Store) -> Arc<Self> {
        Arc::new(Self(store))
    }
}

impl Handler for Catcher {
    async fn handle(&self, request: Request<Incoming>) -> Option<Page> {
        let path = request.uri().path().trim_matches('/').to_owned();
        let segments: Vec<&str> = path.split('/').collect();
        let mail = |id: &str| id.parse().ok().and_then(|id| self.0.get(id));
        Some(match segments.as_slice() {
            [""] => list(&self.0.all()),
            ["health"] => web::text(StatusCode::OK, "ok\n"),
            ["api", "messages"] => web::json(&self.0.all()),
            ["mail", id] => mail(id).map_or_else(missing, |mail| show(&mail)),
            ["mail", id, "html"] => mail(id).map_or_else(missing, |mail| raw_html(&mail)),
            _ => missing(),
        })
    }
}

fn missing() -> Page {
    web::text(StatusCode::NOT_FOUND, "not here; / lists the mails\n")
}

fn list(mails: &[Mail]) -> Page {
    let mut rows = String::new();
    for mail in mails.iter().rev() {
        let Mail { id, subject, from, to, date, .. } = mail;
        let _ = write!(
            rows,
            "<tr><td><a href=\"/mail/{id}\">{}</a><td>{}<td>{}<td>{}",
            escape(subject),
            escape(from),
            escape(to),
            escape(date)
        );
    }
    let body = if rows.is_empty() {
        "<p class=\"muted\">まだメールはありません。デモサービスの機能を停止させると、2 分以内に届きます。<br>\
         No mail yet. Break something in the demo service and wait for two minutes.</p>"
            .to_owned()
    } else {
        format!("<table><tr><th>件名 / subject<th>差出人 / from<th>宛先 / to<th>日時 / date{rows}</table>")
    };
    let mut page = web::html("届いたメール / Mails that arrived", &body);
    // Whoever waits for a mail sees it come.
    page.headers_mut().insert("refresh", hyper::header::HeaderValue::from_static("5"));
    page
}

fn show(mail: &Mail) -> Page {
    let Mail { id, from, to, date, subject, text, html, .. } = mail;
    let shown = if html.is_empty() {
        String::new()
    } else {
        // Sandboxed: the mail's own scripts, forms and links to elsewhere stay dead.
        format!("<h2>HTML</h2><iframe sandbox=\"\" src=\"/mail/{id}/html\" title=\"HTML part\"></iframe>")
    };
    web::html(
        subject,
        &format!(
            "<p class=\"muted\">{} → {} · {} · <a href=\"/\">all mails</a></p><pre>{}</pre>{shown}",
            escape(from),
            escape(to),
            escape(date),
            escape(text)
        ),
    )
}

fn raw_html(mail: &Mail) -> Page {
    let mut page = web::html("", "");
    *page.body_mut() = http_body_util::Full::new(bytes::Bytes::from(mail.html.clone()));
    let policy = hyper::header::HeaderValue::from_static("sandbox; default-src 'none'; style-src 'unsafe-inline'");
    page.headers_mut().insert(hyper::header::CONTENT_SECURITY_POLICY, policy);
    page
}
