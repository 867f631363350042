//! What an answer means: by its content where it is the API's, by its status where something else answered.

use hyper::StatusCode;
use hyper::header::{HeaderMap, LOCATION};
use hyper::http::response::Parts;
use serde::de::{DeserializeOwned, IgnoredAny};
use url::Url;

use super::answer::Envelope;
use crate::http_client::Peer;
use crate::http_client::{ErrorKind, Fault, Secrets};

/// Bytes of a foreign body that are looked at for a message.
const LOOK: usize = 64 << 10;

/// The envelope of a whole answer to a question for `path`, or what is wrong with it.
pub(super) fn answer<T: DeserializeOwned>(
    peer: &Peer,
    secrets: &Secrets,
    path: &str,
    (head, body): (Parts, Vec<u8>),
) -> Result<Envelope<T>, Fault> {
    if is_denial(head.status) {
        return Err(by_status(peer, secrets, path, &head, &body));
    }
    // Prometheus' own errors are JSON under several statuses; what is in front of it answers otherwise.
    match serde_json::from_slice::<Envelope<T>>(&body) {
        Ok(envelope) => match envelope.fault(secrets) {
            Some(fault) => Err(fault),
            None if head.status.is_success() && envelope.data.is_some() => Ok(envelope),
            None => Err(by_status(peer, secrets, path, &head, &body)),
        },
        // The data of an error may have another shape.
        Err(error) => match serde_json::from_slice::<Envelope<IgnoredAny>>(&body).ok().and_then(|e| e.fault(secrets)) {
            Some(fault) => Err(fault),
            None if head.status.is_success() => Err(not_the_api(secrets, &body, &error)),
            None => Err(by_status(peer, secrets, path, &head, &body)),
        },
    }
}

fn is_denial(status: StatusCode) -> bool {
    [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN, StatusCode::PROXY_AUTHENTICATION_REQUIRED].contains(&status)
}

fn by_status(peer: &Peer, secrets: &Secrets, path: &str, head: &Parts, body: &[u8]) -> Fault {
    let (status, text) = (head.status, said(secrets, body));
    let not_prometheus = |detail: String| Fault::new(ErrorKind::NotTheApi, detail);
    match status {
        _ if is_denial(status) => {
            let advice = if peer.http.login.is_some() {
                "the credentials are refused; check those of --prometheus.config.file or of the URL"
            } else {
                "it wants credentials; give `basic_auth` or `authorization` in --prometheus.config.file"
            };
            Fault::new(ErrorKind::Denied, format_args!("answered {status}{text}: {advice}"))
        }
        // 400 is VictoriaMetrics' answer to a path it does not know.
        StatusCode::NOT_FOUND | StatusCode::BAD_REQUEST => not_prometheus(format!(
            "answered {status}{text} for {}/api/v1/{path}: the path prefix of --prometheus.url is not that of the API, \
             or this is not Prometheus",
            peer.url()
        )),
        _ if status.is_redirection() => not_prometheus(match destination(peer, secrets, &head.headers) {
            Some(to) => format!("redirects to {to}; is that a login page, or what --prometheus.url should be?"),
            None => format!("answered {status} without saying where to"),
        }),
        StatusCode::PAYLOAD_TOO_LARGE | StatusCode::URI_TOO_LONG => {
            Fault::new(ErrorKind::Query, format_args!("answered {status}{text}: the query is too long for it"))
        }
        StatusCode::GATEWAY_TIMEOUT | StatusCode::REQUEST_TIMEOUT => Fault::new(
            ErrorKind::Timeout,
            format_args!("answered {status}{text}: what is in front of Prometheus does not wait as long as it takes"),
        ),
        StatusCode::TOO_MANY_REQUESTS | StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE => Fault::new(
            ErrorKind::Unreachable,
            format_args!("answered {status}{text}: it is not ready to answer; try again later"),
        ),
        _ if status.is_success() => {
            not_prometheus("answered without data: this is not Prometheus' HTTP API".to_owned())
        }
        _ => not_prometheus(format!("answered {status}{text}")),
    }
}

/// The first of what a body says, for a message; nothing of a page.
fn said(secrets: &Secrets, body: &[u8]) -> String {
    let text = String::from_utf8_lossy(&body[..body.len().min(LOOK)]);
    let text = secrets.excerpt(&text);
    if text.is_empty() || is_page(&text) { String::new() } else { format!(" ({text})") }
}

fn is_page(text: &str) -> bool {
    text.trim_start().starts_with('<')
}

fn not_the_api(secrets: &Secrets, body: &[u8], error: &serde_json::Error) -> Fault {
    let start = String::from_utf8_lossy(&body[..body.len().min(LOOK)]);
    let detail = if body.is_empty() {
        "the answer is empty: this is not Prometheus' HTTP API".to_owned()
    } else if is_page(&start) {
        "the answer is a web page, not JSON: a login page, or the path prefix of --prometheus.url is not that of the API"
            .to_owned()
    } else if error.is_eof() {
        format!("the answer's JSON ends too early, after {} bytes; something in between cut it off", body.len())
    } else {
        format!("the answer is not that of Prometheus' HTTP API: {}", secrets.excerpt(&error.to_string()))
    };
    Fault::new(ErrorKind::NotTheApi, detail)
}

/// Where a redirect leads, without what could be a secret in it.
fn destination(peer: &Peer, secrets: &Secrets, headers: &HeaderMap) -> Option<String> {
    let base = Url::parse(&format!("{}/", peer.url())).ok()?;
    let mut url = base.join(headers.get(LOCATION)?.to_str().ok()?).ok()?;
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_query(None);
    url.set_fragment(None);
    Some(secrets.excerpt(url.as_str()))
}
