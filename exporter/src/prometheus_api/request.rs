//! One request of the API: sent, and sent once more where the connection had ended.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_TYPE, HOST, HeaderMap, HeaderValue, USER_AGENT};
use hyper::http::response::Parts;
use hyper::{Method, Request, StatusCode};
use serde::de::DeserializeOwned;
use tokio::time::{Instant, timeout_at};

use super::answer::Envelope;
use super::connection::Connection;
use super::error::{ErrorKind, Fault, Secrets};
use super::http_config::Value;
use super::judge;
use super::settings::Settings;
use crate::config::decode::format_duration;
use crate::probe::http::secrets_of;
use crate::secret::{Secret, SecretSource};

/// All requests of one call together may take this many times the timeout of one.
const CALL_TIMEOUTS: u32 = 10;

/// What carries requests: the settings, the connection that is kept, and what the server taught.
#[derive(Debug)]
pub(super) struct Channel {
    pub(super) settings: Settings,
    connection: Option<Connection>,
    /// The server, or what is in front of it, knows the API for GET only.
    get_only: bool,
    /// What must not appear in a message.
    pub(super) secrets: Secrets,
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
        Self { settings, connection: None, get_only: false, secrets: Secrets::default() }
    }

    /// Asks, until `deadline` and the timeout of one request at most.
    pub(super) async fn ask<T: DeserializeOwned>(
        &mut self,
        ask: Ask<'_>,
        deadline: Instant,
    ) -> Result<Envelope<T>, Fault> {
        let until = deadline.min(Instant::now() + self.settings.timeout);
        let mut stage = "reading the credentials";
        match timeout_at(until, self.exchange(ask, &mut stage)).await {
            Ok(answer) => judge::answer(&self.settings, &self.secrets, ask.path, answer?),
            Err(_) => {
                let patience = if until == deadline {
                    format!("all requests of it took longer than {}", format_duration(self.patience()))
                } else {
                    format!("no answer within {}", format_duration(self.settings.timeout))
                };
                Err(Fault::new(
                    ErrorKind::Timeout,
                    format_args!("{patience} ({stage}); --prometheus.timeout sets how long is waited"),
                ))
            }
        }
    }

    /// How long all requests of one call may take.
    pub(super) fn patience(&self) -> Duration {
        self.settings.timeout.saturating_mul(CALL_TIMEOUTS)
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
        let mut secrets = Vec::new();
        if let Some(credentials) = self.settings.http.auth.read().await.map_err(|failure| denied(&failure.detail))? {
            secrets = secrets_of(&credentials);
            headers.insert(AUTHORIZATION, credentials.header);
        }
        for (name, value) in &self.settings.http.headers {
            let value = match value {
                Value::Inline(value) => value.clone(),
                Value::File(source) => {
                    let text = read(source.clone()).await.map_err(|why| denied(&why))?;
                    let value = HeaderValue::from_str(text.expose()).map_err(|_| {
                        denied(&format_args!("the file for header `{name}` holds characters a header cannot carry"))
                    });
                    secrets.push(text);
                    value?
                }
            };
            headers.append(name, value);
        }
        self.secrets.replace(secrets);
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
async fn read(source: SecretSource) -> Result<Secret, String> {
    match tokio::task::spawn_blocking(move || source.read()).await {
        Ok(Ok(secret)) => Ok(secret),
        Ok(Err(why)) => Err(why.to_string()),
        Err(_) => Err("reading a secret file was interrupted".to_owned()),
    }
}
