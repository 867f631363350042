//! Grafana's annotations API: find, create, change, delete.

use std::fmt;

use bytes::Bytes;
use hyper::{Method, StatusCode};
use serde::Serialize;
use tokio::time::Instant;
use url::form_urlencoded::Serializer;

use super::answer::{self, Annotation};
use crate::annotations::Region;
use crate::config::decode::format_duration;
use crate::http_client::{Call, Channel, ErrorKind, Peer};

const PATH: &str = "/api/annotations";

/// A client of one Grafana.
#[derive(Debug)]
pub(crate) struct Api {
    channel: Channel,
    names: ConfigNames,
}

/// What the settings are called, for messages that say what to change.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ConfigNames {
    pub(crate) url: &'static str,
    pub(crate) credentials: &'static str,
    pub(crate) timeout: &'static str,
}

impl ConfigNames {
    /// Those of the configuration file.
    pub(crate) const FILE: Self =
        Self { url: "grafana.url", credentials: "`token_file` or `basic_auth` in grafana", timeout: "grafana.timeout" };
    /// Those of the command line.
    pub(crate) const FLAGS: Self = Self {
        url: "--grafana",
        credentials: "--grafana.token-file or --grafana.config.file",
        timeout: "--grafana.timeout",
    };
}

/// Which annotations are asked for; they have all of the tags.
#[derive(Clone, Debug)]
pub(crate) struct Query<'a> {
    pub(crate) tags: &'a [&'a str],
    /// From when to when, in milliseconds since the epoch; all, where it is not said.
    pub(crate) span: Option<(i64, i64)>,
    /// How many at most: Grafana sends those with the latest ends, and does not say that there are more.
    pub(crate) limit: usize,
}

impl Query<'_> {
    fn pairs(&self) -> String {
        let mut pairs = Serializer::new(String::new());
        for tag in self.tags {
            pairs.append_pair("tags", tag);
        }
        // Alerts leave annotations of their own.
        pairs.append_pair("type", "annotation").append_pair("limit", &self.limit.to_string());
        if let Some((from, to)) = self.span {
            pairs.append_pair("from", &from.to_string()).append_pair("to", &to.to_string());
        }
        pairs.finish()
    }
}

/// Why a request came to nothing.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    pub(crate) kind: Kind,
    why: String,
}

/// What it means for other requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// No use in asking for anything else now.
    All,
    /// It was about this annotation.
    One,
    /// There is no such annotation any more.
    Gone,
}

impl Refusal {
    /// One that stands for all requests.
    pub(super) fn all(why: String) -> Self {
        Self { kind: Kind::All, why }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)
    }
}

/// What is sent for a region.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Written<'a> {
    #[serde(rename = "dashboardUID", skip_serializing_if = "Option::is_none")]
    dashboard_uid: Option<&'a str>,
    time: i64,
    time_end: i64,
    tags: &'a [String],
    text: &'a str,
}

impl Api {
    pub(crate) fn new(peer: Peer, names: ConfigNames) -> Self {
        Self { channel: Channel::new(peer), names }
    }

    /// Those that `query` asks for, the one with the latest end first.
    pub(crate) async fn find(&mut self, query: &Query<'_>) -> Result<Vec<Annotation>, Refusal> {
        let body = self.call(Method::GET, format!("{PATH}?{}", query.pairs()), None).await?;
        answer::read(&body).map_err(|why| {
            let url = self.names.url;
            Refusal::all(format!(
                "the answer to {PATH} is no list of annotations ({why}): {url} leads to another program"
            ))
        })
    }

    pub(crate) async fn create(&mut self, region: &Region) -> Result<(), Refusal> {
        self.call(Method::POST, PATH.to_owned(), Some(body(region, region.dashboard.as_deref()))).await.map(drop)
    }

    pub(crate) async fn update(&mut self, id: i64, region: &Region) -> Result<(), Refusal> {
        self.call(Method::PATCH, format!("{PATH}/{id}"), Some(body(region, None))).await.map(drop)
    }

    pub(crate) async fn delete(&mut self, id: i64) -> Result<(), Refusal> {
        self.call(Method::DELETE, format!("{PATH}/{id}"), None).await.map(drop)
    }

    async fn call(&mut self, method: Method, path: String, body: Option<Bytes>) -> Result<Vec<u8>, Refusal> {
        let timeout = self.channel.peer.timeout;
        let names = self.names;
        let late = |stage: &str| {
            format!(
                "no answer within {} ({stage}); {} sets how long is waited",
                format_duration(timeout),
                names.timeout
            )
        };
        let one = path.len() > PATH.len() && method != Method::GET;
        let call = Call { method: method.clone(), path, body: body.map(|body| ("application/json", body)) };
        let answer = self.channel.send(&call, Instant::now() + timeout, late).await;
        let secrets = &self.channel.secrets;
        let (head, body) = answer.map_err(|fault| Refusal {
            kind: Kind::All,
            why: match fault.kind {
                ErrorKind::TooMuch => {
                    "the answer is too large: Grafana has too many annotations with these tags".to_owned()
                }
                _ => secrets.redact(&fault.detail),
            },
        })?;
        if head.status.is_success() {
            return Ok(body);
        }
        let said = answer::message(&body).map(|text| format!(" ({})", secrets.excerpt(&text))).unwrap_or_default();
        let status = head.status;
        let said = format!("{method} {PATH} answered {status}{said}");
        let (kind, why) = match status {
            StatusCode::UNAUTHORIZED => {
                (Kind::All, format!("{said}: the credentials are missing or refused; {} gives them", names.credentials))
            }
            StatusCode::FORBIDDEN => (
                Kind::One,
                format!(
                    "{said}: the account may not do this; it needs the permissions of docs/grafana.md (Editor, in Grafana OSS)"
                ),
            ),
            StatusCode::NOT_FOUND if one => (Kind::Gone, said),
            StatusCode::NOT_FOUND => (
                Kind::All,
                format!("{said}: the path prefix in {} is not Grafana's, or this is another program", names.url),
            ),
            status if status.is_redirection() => {
                (Kind::All, format!("{said}: redirects are not followed; let {} be where they lead", names.url))
            }
            StatusCode::TOO_MANY_REQUESTS
            | StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT => (Kind::All, said),
            _ => (Kind::One, said),
        };
        Err(Refusal { kind, why })
    }
}

fn body(region: &Region, dashboard_uid: Option<&str>) -> Bytes {
    let Region { time, end, tags, text, .. } = region;
    let written = Written { dashboard_uid, time: *time, time_end: *end, tags, text };
    // Strings and numbers: nothing JSON could not write.
    Bytes::from(serde_json::to_vec(&written).unwrap_or_default())
}
