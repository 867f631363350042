//! One request of the API: by POST, for queries are long, or by GET where the server knows no other way.

use std::time::Duration;

use bytes::Bytes;
use hyper::{Method, StatusCode};
use serde::de::DeserializeOwned;
use tokio::time::Instant;

use super::answer::Envelope;
use super::judge;
use super::settings::Settings;
use crate::config::decode::format_duration;
use crate::http_client::{Call, Channel as Connection, Fault, Secrets};

/// All requests of one call together may take this many times the timeout of one.
const CALL_TIMEOUTS: u32 = 10;

/// What carries requests, and what the server taught.
#[derive(Debug)]
pub(super) struct Channel {
    connection: Connection,
    pub(super) max_points: usize,
    /// The server, or what is in front of it, knows the API for GET only.
    get_only: bool,
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
        let Settings { peer, max_points, .. } = settings;
        Self { connection: Connection::new(peer), max_points, get_only: false }
    }

    /// Where it asks, without credentials.
    pub(super) fn url(&self) -> String {
        self.connection.peer.url()
    }

    /// What must not appear in a message.
    pub(super) fn secrets(&self) -> &Secrets {
        &self.connection.secrets
    }

    /// Asks, until `deadline` and the timeout of one request at most.
    pub(super) async fn ask<T: DeserializeOwned>(
        &mut self,
        ask: Ask<'_>,
        deadline: Instant,
    ) -> Result<Envelope<T>, Fault> {
        let timeout = self.connection.peer.timeout;
        let until = deadline.min(Instant::now() + timeout);
        let patience = self.patience();
        let late = |stage: &str| {
            let patience = if until == deadline {
                format!("all requests of it took longer than {}", format_duration(patience))
            } else {
                format!("no answer within {}", format_duration(timeout))
            };
            format!("{patience} ({stage}); --prometheus.timeout sets how long is waited")
        };
        loop {
            let get = ask.get || self.get_only;
            let answer = self.connection.send(&call(ask, get), until, late).await?;
            if answer.0.status == StatusCode::METHOD_NOT_ALLOWED && !get {
                self.get_only = true;
                continue;
            }
            return judge::answer(&self.connection.peer, self.secrets(), ask.path, answer);
        }
    }

    /// How long all requests of one call may take.
    pub(super) fn patience(&self) -> Duration {
        self.connection.peer.timeout.saturating_mul(CALL_TIMEOUTS)
    }
}

fn call(ask: Ask<'_>, get: bool) -> Call {
    let path = format!("/api/v1/{}", ask.path);
    let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(ask.parameters).finish();
    match (get, form.as_str()) {
        (true, "") => Call { method: Method::GET, path, body: None },
        (true, form) => Call { method: Method::GET, path: format!("{path}?{form}"), body: None },
        (false, _) => {
            let body = Some(("application/x-www-form-urlencoded", Bytes::from(form)));
            Call { method: Method::POST, path, body }
        }
    }
}
