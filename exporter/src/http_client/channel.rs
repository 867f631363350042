//! One request after the other over a connection that is kept: sent, and sent once more where the connection had ended.

use std::sync::OnceLock;

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_TYPE, HOST, HeaderMap, HeaderValue, USER_AGENT};
use hyper::http::response::Parts;
use hyper::{Method, Request, StatusCode};
use tokio::time::{Instant, timeout_at};

use super::Peer;
use super::connection::Connection;
use super::error::{ErrorKind, Fault, Secrets};
use crate::probe::http::{Login, Shown, secrets_of};
use crate::probe::net::Resolver;
use crate::probe::{Failure, Reason, Samples};
use crate::secret::Secret;

/// What carries requests: the settings and the connection that is kept.
#[derive(Debug)]
pub(crate) struct Channel {
    pub(crate) peer: Peer,
    connection: Option<Connection>,
    /// What must not appear in a message.
    pub(crate) secrets: Secrets,
}

/// What is asked.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) method: Method,
    /// Path and query behind the prefix of the URL, with a slash in front.
    pub(crate) path: String,
    /// The body and its type.
    pub(crate) body: Option<(&'static str, Bytes)>,
}

impl Channel {
    pub(crate) fn new(peer: Peer) -> Self {
        Self { peer, connection: None, secrets: Secrets::default() }
    }

    /// Sends `call` and reads the whole answer, until `until`; `late` says what it means that there was none, given what
    /// was being waited for.
    pub(crate) async fn send(
        &mut self,
        call: &Call,
        until: Instant,
        late: impl FnOnce(&str) -> String,
    ) -> Result<(Parts, Vec<u8>), Fault> {
        let mut stage = "reading the credentials";
        if let Ok(answer) = timeout_at(until, self.exchange(call, &mut stage)).await {
            answer
        } else {
            // What is under way on it belongs to this request.
            self.connection = None;
            Err(Fault::new(ErrorKind::Timeout, late(stage)))
        }
    }

    async fn exchange(&mut self, call: &Call, stage: &mut &'static str) -> Result<(Parts, Vec<u8>), Fault> {
        let (headers, shown) = self.headers(stage).await?;
        let answer = self.repeated(call, &headers, stage).await?;
        if !self.peer.http.login.renews(shown, answer.0.status == StatusCode::UNAUTHORIZED) {
            return Ok(answer);
        }
        let (headers, _) = self.headers(stage).await?;
        self.repeated(call, &headers, stage).await
    }

    async fn repeated(
        &mut self,
        call: &Call,
        headers: &HeaderMap,
        stage: &mut &'static str,
    ) -> Result<(Parts, Vec<u8>), Fault> {
        let mut retried = false;
        loop {
            match self.once(self.request(call, headers)?, stage).await {
                // Also after a new connection: what is in front of a server may itself have kept one too long.
                Err(fault) if fault.retry && !retried => retried = true,
                result => return result,
            }
        }
    }

    /// Sends over the connection that is kept, or a new one. It is kept on only after a whole answer.
    async fn once(
        &mut self,
        request: Request<Full<Bytes>>,
        stage: &mut &'static str,
    ) -> Result<(Parts, Vec<u8>), Fault> {
        let mut connection = match self.connection.take() {
            Some(connection) if connection.is_open() => connection,
            _ => Connection::open(&self.peer, stage).await?,
        };
        let answer = connection.exchange(request, self.peer.max_body, stage).await?;
        self.connection = Some(connection);
        Ok(answer)
    }

    /// The headers of a request; secrets are read anew, so that a rotated one works.
    async fn headers(&mut self, stage: &mut &'static str) -> Result<(HeaderMap, Option<Shown>), Fault> {
        let mut headers = HeaderMap::new();
        let names = self.peer.names;
        let bad =
            |_| Fault::new(ErrorKind::NotTheApi, format_args!("the host of {} cannot be sent in a header", names.url));
        headers.insert(HOST, HeaderValue::from_str(&self.peer.address.authority).map_err(bad)?);
        headers.insert(USER_AGENT, HeaderValue::from_static(concat!("sla-exporter/", env!("CARGO_PKG_VERSION"))));
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
        let http = &self.peer.http;
        if matches!(http.login, Login::OAuth2(_)) {
            *stage = "fetching a token";
        }
        let shown = http.login.show(resolver(), &mut Samples::new()).await.map_err(|failure| denied(&failure))?;
        let mut secrets = shown.as_ref().map_or_else(Vec::new, |shown| secrets_of(&shown.credentials));
        if let Some(shown) = &shown {
            headers.insert(AUTHORIZATION, shown.credentials.header.clone());
        }
        let secret = http.headers.read().await.map_err(|failure| denied(&failure))?;
        secrets.extend(secret.values().map(|value| Secret::new(String::from_utf8_lossy(value.as_bytes()))));
        for (name, value) in http.headers.values.iter().map(|(name, value)| (name, value)).chain(&secret) {
            headers.append(name, value.clone());
        }
        self.secrets.replace(secrets);
        Ok((headers, shown))
    }

    fn request(&self, call: &Call, headers: &HeaderMap) -> Result<Request<Full<Bytes>>, Fault> {
        let (content_type, body) = call.body.clone().map_or((None, Bytes::new()), |(kind, body)| (Some(kind), body));
        let mut request = Request::builder()
            .method(call.method.clone())
            .uri(format!("{}{}", self.peer.address.prefix, call.path))
            .body(Full::new(body))
            .map_err(|why| Fault::new(ErrorKind::NotTheApi, format_args!("cannot ask for this URL: {why}")))?;
        *request.headers_mut() = headers.clone();
        if let Some(kind) = content_type {
            request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        }
        Ok(request)
    }
}

/// There are no credentials to show.
fn denied(failure: &Failure) -> Fault {
    let kind = if failure.reason == Reason::Permission { ErrorKind::Denied } else { ErrorKind::Unreachable };
    Fault::new(kind, &failure.detail)
}

/// Finds token endpoints, as probes find them.
fn resolver() -> &'static Resolver {
    static RESOLVER: OnceLock<Resolver> = OnceLock::new();
    RESOLVER.get_or_init(Resolver::from_system)
}
