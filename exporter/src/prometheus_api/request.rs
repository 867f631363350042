//! One request of the API: sent, sent once more where the connection had ended, and its answer judged.

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{
    ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_TYPE, HOST, HeaderMap, HeaderValue, LOCATION, USER_AGENT,
};
use hyper::http::response::Parts;
use hyper::{Method, Request, StatusCode};
use serde::de::DeserializeOwned;
use tokio::time::{Instant, timeout_at};
use url::Url;

use super::answer::Envelope;
use super::connection::Connection;
use super::error::{ErrorKind, Fault, excerpt};
use super::http_config::Value;
use super::settings::Settings;
use crate::config::decode::format_duration;
use crate::probe::http::secrets_of;
use crate::secret::SecretSource;

/// What carries requests: the settings, the connection that is kept, and what the server taught.
#[derive(Debug)]
pub(super) struct Channel {
    pub(super) settings: Settings,
    connection: Option<Connection>,
    /// The server, or what is in front of it, knows the API for GET only.
    get_only: bool,
    /// What must not appear in a message.
    pub(super) secrets: Vec<String>,
}

/// What is asked: the path behind `/api/v1/`, and its parameters.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ask<'a> {
    pub(super) path: &'static str,
    pub(super) parameters: &'a [(&'a str, &'a str)],
    /// Prometheus knows some paths for GET only.
    pub(super) get: bool,
}

impl Channel {
    pub(super) fn new(settings: Settings) -> Self {
        Self { settings, connection: None, get_only: false, secrets: Vec::new() }
    }

    /// Asks, until `deadline` and the timeout of one request at most.
    pub(super) async fn ask<T: DeserializeOwned>(
        &mut self,
        ask: Ask<'_>,
        deadline: Instant,
    ) -> Result<Envelope<T>, Fault> {
        let began = Instant::now();
        let until = deadline.min(began + self.settings.timeout);
        let mut stage = "reading the credentials";
        match timeout_at(until, self.exchange(ask, &mut stage)).await {
            Ok(result) => judge(&self.settings, ask, result?),
            Err(_) => {
                // What is under way on it belongs to this request.
                self.connection = None;
                let patience =
                    format_duration(until.saturating_duration_since(began).max(std::time::Duration::from_millis(1)));
                Err(Fault::new(
                    ErrorKind::Timeout,
                    format_args!("no answer within {patience} ({stage}); --prometheus.timeout sets how long is waited"),
                ))
            }
        }
    }

    async fn exchange(&mut self, ask: Ask<'_>, stage: &mut &'static str) -> Result<(Parts, Vec<u8>), Fault> {
        let headers = self.headers().await?;
        let form = form(ask.parameters);
        let mut retried = false;
        loop {
            let get = ask.get || self.get_only;
            let request = self.request(ask.path, &form, get, &headers)?;
            match self.send(request, stage).await {
                // Also after a new connection: what is in front of a server may itself have kept one too long.
                Err(fault) if fault.retry && !retried => retried = true,
                Ok((head, _)) if head.status == StatusCode::METHOD_NOT_ALLOWED && !get => self.get_only = true,
                result => return result,
            }
        }
    }

    /// Sends over the connection that is kept, or a new one. It is kept on only after a whole answer.
    async fn send(
        &mut self,
        request: Request<Full<Bytes>>,
        stage: &mut &'static str,
    ) -> Result<(Parts, Vec<u8>), Fault> {
        let mut connection = match self.connection.take() {
            Some(connection) if connection.is_open() => connection,
            _ => Connection::open(&self.settings.address, &self.settings.http.tls, stage).await?,
        };
        let answer = connection.exchange(request, self.settings.max_body, stage).await?;
        self.connection = Some(connection);
        Ok(answer)
    }

    /// The headers of a request; secrets are read anew, so that a rotated one works.
    async fn headers(&mut self) -> Result<HeaderMap, Fault> {
        let denied = |why: &dyn std::fmt::Display| Fault::new(ErrorKind::Denied, why);
        let mut headers = HeaderMap::new();
        let bad = |_| Fault::new(ErrorKind::NotPrometheus, "the host of --prometheus.url cannot be sent in a header");
        headers.insert(HOST, HeaderValue::from_str(&self.settings.address.authority).map_err(bad)?);
        headers.insert(USER_AGENT, HeaderValue::from_static(concat!("sla-exporter/", env!("CARGO_PKG_VERSION"))));
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
        self.secrets.clear();
        if let Some(credentials) = self.settings.http.auth.read().await.map_err(|failure| denied(&failure.detail))? {
            self.secrets = secrets_of(&credentials);
            headers.insert(AUTHORIZATION, credentials.header);
        }
        for (name, value) in &self.settings.http.headers {
            let value = match value {
                Value::Inline(value) => value.clone(),
                Value::File(source) => {
                    let text = read(source.clone()).await.map_err(|why| denied(&why))?;
                    let value = HeaderValue::from_str(&text).map_err(|_| {
                        denied(&format_args!("the file for header `{name}` holds characters a header cannot carry"))
                    });
                    self.secrets.push(text);
                    value?
                }
            };
            headers.append(name, value);
        }
        Ok(headers)
    }

    fn request(&self, path: &str, form: &str, get: bool, headers: &HeaderMap) -> Result<Request<Full<Bytes>>, Fault> {
        let prefix = &self.settings.address.prefix;
        let (method, uri, body) = match (get, form) {
            (true, "") => (Method::GET, format!("{prefix}/api/v1/{path}"), Bytes::new()),
            (true, form) => (Method::GET, format!("{prefix}/api/v1/{path}?{form}"), Bytes::new()),
            (false, form) => (Method::POST, format!("{prefix}/api/v1/{path}"), Bytes::from(form.to_owned())),
        };
        let mut request = Request::builder()
            .method(method)
            .uri(uri)
            .body(Full::new(body))
            .map_err(|why| Fault::new(ErrorKind::NotPrometheus, format_args!("cannot ask for this URL: {why}")))?;
        *request.headers_mut() = headers.clone();
        if !get {
            let form = HeaderValue::from_static("application/x-www-form-urlencoded");
            request.headers_mut().insert(CONTENT_TYPE, form);
        }
        Ok(request)
    }
}

fn form(parameters: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish()
}

/// Reads a secret off the async threads: it may lie on a file system that hangs.
async fn read(source: SecretSource) -> Result<String, String> {
    match tokio::task::spawn_blocking(move || source.read()).await {
        Ok(Ok(secret)) => Ok(secret.expose().to_owned()),
        Ok(Err(why)) => Err(why.to_string()),
        Err(_) => Err("reading a secret file was interrupted".to_owned()),
    }
}

/// What an answer means, by its status and then by its content.
fn judge<T: DeserializeOwned>(
    settings: &Settings,
    ask: Ask<'_>,
    (head, body): (Parts, Vec<u8>),
) -> Result<Envelope<T>, Fault> {
    let status = head.status;
    // Prometheus' own errors are JSON under several statuses; what is in front of it answers otherwise.
    let parsed = serde_json::from_slice::<Envelope<T>>(&body);
    if let Ok(envelope) = parsed {
        if let Some(fault) = envelope.fault() {
            return Err(fault);
        }
        if status.is_success() && envelope.data.is_some() {
            return Ok(envelope);
        }
    } else if status.is_success() {
        return Err(not_the_api(&body, parsed.err().as_ref()));
    }
    Err(by_status(settings, ask, &head, &body))
}

fn by_status(settings: &Settings, ask: Ask<'_>, head: &Parts, body: &[u8]) -> Fault {
    let (status, text) = (head.status, said(body));
    let not_prometheus = |detail: String| Fault::new(ErrorKind::NotPrometheus, detail);
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::PROXY_AUTHENTICATION_REQUIRED => {
            let advice = if settings.http.auth.is_some() {
                "the credentials are refused; check those of --prometheus.config.file or of the URL"
            } else {
                "it wants credentials; give `basic_auth` or `authorization` in --prometheus.config.file"
            };
            Fault::new(ErrorKind::Denied, format_args!("answered {status}{text}: {advice}"))
        }
        StatusCode::NOT_FOUND => not_prometheus(format!(
            "answered {status} for {}/api/v1/{}: the path prefix of --prometheus.url is not that of the API, \
             or this is not Prometheus",
            settings.address, ask.path
        )),
        _ if status.is_redirection() => not_prometheus(match destination(settings, &head.headers) {
            Some(to) => format!("redirects to {to}; is that a login page, or what --prometheus.url should be?"),
            None => format!("answered {status} without saying where to"),
        }),
        StatusCode::PAYLOAD_TOO_LARGE | StatusCode::URI_TOO_LONG => {
            Fault::new(ErrorKind::TooMuch, format_args!("answered {status}{text}: the query is too long for it"))
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
fn said(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(&body[..body.len().min(4096)]);
    let text = excerpt(&text);
    if text.is_empty() || is_page(&text) { String::new() } else { format!(" ({text})") }
}

fn is_page(text: &str) -> bool {
    text.trim_start().starts_with('<')
}

fn not_the_api(body: &[u8], error: Option<&serde_json::Error>) -> Fault {
    let start = String::from_utf8_lossy(&body[..body.len().min(4096)]);
    let detail = if body.is_empty() {
        "the answer is empty: this is not Prometheus' HTTP API".to_owned()
    } else if is_page(&start) {
        "the answer is a web page, not JSON: a login page, or the path prefix of --prometheus.url is not that of the API"
            .to_owned()
    } else if error.is_some_and(serde_json::Error::is_eof) {
        format!("the answer's JSON ends too early, after {} bytes; something in between cut it off", body.len())
    } else {
        let why = error.map(ToString::to_string).unwrap_or_default();
        format!("the answer is not that of Prometheus' HTTP API: {}", excerpt(&why))
    };
    Fault::new(ErrorKind::NotPrometheus, detail)
}

/// Where a redirect leads, without what could be a secret in it.
fn destination(settings: &Settings, headers: &HeaderMap) -> Option<String> {
    let base = Url::parse(&format!("{}/", settings.address)).ok()?;
    let mut url = base.join(headers.get(LOCATION)?.to_str().ok()?).ok()?;
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_query(None);
    url.set_fragment(None);
    Some(excerpt(url.as_str()))
}
