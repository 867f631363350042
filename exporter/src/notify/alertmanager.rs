//! `POST /api/v2/alerts`, to every Alertmanager of the configuration: each member of a cluster wants to be told, they only
//! tell each other what they mailed.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use hyper::{Method, StatusCode};
use tokio::time::Instant;

use crate::http_client::{Call, Channel, HttpConfig, Names, Peer};
use crate::notices::post::Alert;

/// Bytes of an answer that are read.
const MAX_BODY: u64 = 64 << 10;
/// How long an Alertmanager that failed is left alone.
const PAUSE: Duration = Duration::from_secs(15);

const NAMES: Names = Names { url: "alertmanager.urls", config: "alertmanager" };

/// Where notices are posted; as configured.
#[derive(Debug)]
pub struct Alertmanagers {
    peers: Vec<Peer>,
    reminder: Duration,
}

impl Alertmanagers {
    pub(crate) fn peer(url: &str, http: HttpConfig, timeout: Duration) -> Result<Peer, String> {
        Peer::new(url, http, timeout, MAX_BODY, &NAMES)
    }

    pub(crate) fn new(peers: Vec<Peer>, reminder: Duration) -> Self {
        Self { peers, reminder }
    }

    /// Where they are, without credentials.
    #[must_use]
    pub fn urls(&self) -> Vec<String> {
        self.peers.iter().map(Peer::url).collect()
    }

    /// A URL that is there twice.
    pub(crate) fn twice(&self) -> Option<String> {
        let mut urls = self.urls();
        urls.sort_unstable();
        urls.windows(2).find(|pair| pair[0] == pair[1]).map(|pair| pair[0].clone())
    }

    /// How many seconds before a maintenance customers are reminded.
    #[must_use]
    pub fn reminder(&self) -> i64 {
        i64::try_from(self.reminder.as_secs()).unwrap_or(i64::MAX)
    }

    pub(super) fn connect(&self) -> Members {
        Members(self.peers.iter().cloned().map(Channel::new).collect())
    }
}

/// Connections to all of them.
#[derive(Debug)]
pub(super) struct Members(Vec<Channel>);

/// What became of one posting.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// By one at least.
    pub(super) accepted: bool,
    /// URL and why not.
    pub(super) failed: Vec<(String, String)>,
}

impl Members {
    /// Posts to all at once. `late` holds those that failed lately, and until when they are left alone.
    pub(super) async fn post(&mut self, alerts: &[Alert], late: &mut BTreeMap<String, Instant>) -> Outcome {
        // Strings and times: nothing JSON could not write.
        let body = Bytes::from(serde_json::to_vec(alerts).unwrap_or_default());
        let now = Instant::now();
        late.retain(|_, until| *until > now);
        let asked = self.0.iter_mut().filter(|channel| !late.contains_key(&channel.peer.url()));
        let results = futures_util::future::join_all(asked.map(|channel| {
            let body = body.clone();
            async move { (channel.peer.url(), post(channel, body).await) }
        }))
        .await;
        let mut outcome = Outcome::default();
        for (url, result) in results {
            match result {
                Ok(()) => outcome.accepted = true,
                Err(why) => {
                    late.insert(url.clone(), now + PAUSE);
                    outcome.failed.push((url, why));
                }
            }
        }
        outcome
    }
}

async fn post(channel: &mut Channel, body: Bytes) -> Result<(), String> {
    let timeout = channel.peer.timeout;
    let call = Call { method: Method::POST, path: "/api/v2/alerts".to_owned(), body: Some(("application/json", body)) };
    let late = |stage: &str| {
        let timeout = crate::config::decode::format_duration(timeout);
        format!("no answer within {timeout} ({stage}); alertmanager.timeout sets how long is waited")
    };
    let answer = channel.send(&call, Instant::now() + timeout, late).await;
    let secrets = &channel.secrets;
    let (head, body) = answer.map_err(|fault| secrets.redact(&fault.detail))?;
    if head.status.is_success() {
        return Ok(());
    }
    let text = secrets.excerpt(&String::from_utf8_lossy(&body));
    let text = if text.is_empty() || text.starts_with('<') { String::new() } else { format!(" ({text})") };
    Err(match head.status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => format!(
            "answered {}{text}: the credentials are missing or refused; `basic_auth` or `authorization` in alertmanager \
             gives them",
            head.status
        ),
        StatusCode::NOT_FOUND => format!(
            "answered {}{text} for /api/v2/alerts: the path prefix in alertmanager.urls is not Alertmanager's, or this is \
             another program",
            head.status
        ),
        status => format!("answered {status}{text}"),
    })
}
