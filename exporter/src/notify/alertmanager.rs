//! `POST /api/v2/alerts`, to every Alertmanager of the configuration: each member of a cluster wants to be told, they only
//! tell each other what they mailed. Each is asked by itself: one that hangs delays no other.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use hyper::{Method, StatusCode};
use tokio::sync::Mutex;
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::Instant;

use super::Pace;
use crate::contract::Contract;

use crate::http_client::{Call, Channel, HttpConfig, Names, Peer};
use crate::notices::Event;
use crate::notices::book::Posted;
use crate::notices::post::{self, Alert};

/// Bytes of an answer that are read.
const MAX_BODY: u64 = 64 << 10;
/// Events posted in one request.
const MAX_BATCH: usize = 100;

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
        static LAST: AtomicU64 = AtomicU64::new(0);
        let members = self.peers.iter().map(|peer| Member {
            url: peer.url(),
            channel: Arc::new(Mutex::new(Channel::new(peer.clone()))),
            busy: false,
            not_before: None,
            has: BTreeMap::new(),
            failed: BTreeMap::new(),
            batch: MAX_BATCH,
        });
        Members { id: LAST.fetch_add(1, Ordering::Relaxed), members: members.collect() }
    }
}

/// All of them, as one configuration has them.
#[derive(Debug)]
pub(super) struct Members {
    id: u64,
    members: Vec<Member>,
}

#[derive(Debug)]
struct Member {
    url: String,
    channel: Arc<Mutex<Channel>>,
    /// An answer is to come.
    busy: bool,
    not_before: Option<Instant>,
    /// What it accepted, and when last.
    has: BTreeMap<String, Instant>,
    /// What it did not take, and when last: others first, or one that is refused would keep all from being told.
    failed: BTreeMap<String, Instant>,
    batch: usize,
}

/// What became of one request.
#[derive(Debug)]
pub(super) struct Answer {
    of: u64,
    pub(super) url: String,
    pub(super) contract: String,
    pub(super) posted: Vec<Posted>,
    pub(super) result: Result<(), Refusal>,
}

/// Why a request failed.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) why: String,
    /// What was sent is refused, and may be taken in smaller portions.
    content: bool,
}

impl Members {
    /// Posts to each that is free what it does not have. Returns how many were asked.
    pub(super) fn post(
        &mut self,
        news: &[Event<'_>],
        insisted: &[Event<'_>],
        contract: &Contract,
        now: i64,
        pace: Pace,
        answers: &UnboundedSender<Answer>,
    ) -> usize {
        let all: Vec<(&Event<'_>, String)> = news.iter().chain(insisted).map(|event| (event, event.key())).collect();
        let known: HashSet<&str> = all.iter().map(|(_, key)| key.as_str()).collect();
        let instant = Instant::now();
        let mut asked = 0;
        for member in &mut self.members {
            member.has.retain(|key, _| known.contains(key.as_str()));
            member.failed.retain(|key, _| known.contains(key.as_str()));
            if member.busy || member.not_before.is_some_and(|not_before| instant < not_before) {
                continue;
            }
            let wanted = |key: &String| member.has.get(key).is_none_or(|at| instant - *at >= pace.repeat);
            let mut batch: Vec<_> = all.iter().filter(|(_, key)| wanted(key)).collect();
            batch.sort_by_key(|(_, key)| (member.has.contains_key(key), member.failed.get(key)));
            batch.truncate(member.batch);
            if batch.is_empty() {
                continue;
            }
            let alerts: Vec<_> = batch.iter().map(|(event, _)| post::alert(event, contract, now)).collect();
            let posted = batch.iter().map(|(event, _)| Posted::of(event)).collect();
            let (of, url, contract) = (self.id, member.url.clone(), contract.name.clone());
            let (channel, answers) = (Arc::clone(&member.channel), answers.clone());
            member.busy = true;
            asked += 1;
            tokio::spawn(async move {
                let result = post(&mut *channel.lock().await, &alerts).await;
                // Nobody waits any more: the process ends.
                drop(answers.send(Answer { of, url, contract, posted, result }));
            });
        }
        asked
    }

    /// Notes what one of them answered.
    pub(super) fn heard(&mut self, answer: &Answer, pace: Pace) {
        let now = Instant::now();
        if answer.of != self.id {
            return;
        }
        let Some(member) = self.members.iter_mut().find(|member| member.url == answer.url) else { return };
        member.busy = false;
        let keys = answer.posted.iter().map(|posted| (posted.key.clone(), now));
        match &answer.result {
            Ok(()) => {
                member.has.extend(keys);
                member.batch = MAX_BATCH;
                member.not_before = None;
            }
            Err(refusal) => {
                member.failed.extend(keys);
                if refusal.content && answer.posted.len() > 1 {
                    member.batch = (answer.posted.len() / 2).max(1);
                } else {
                    member.not_before = Some(now + pace.pause);
                }
            }
        }
    }
}

async fn post(channel: &mut Channel, alerts: &[Alert]) -> Result<(), Refusal> {
    // Strings and times: nothing JSON could not write.
    let body = Bytes::from(serde_json::to_vec(alerts).unwrap_or_default());
    let timeout = channel.peer.timeout;
    let call = Call { method: Method::POST, path: "/api/v2/alerts".to_owned(), body: Some(("application/json", body)) };
    let late = |stage: &str| {
        let timeout = crate::config::decode::format_duration(timeout);
        format!("no answer within {timeout} ({stage}); alertmanager.timeout sets how long is waited")
    };
    let answer = channel.send(&call, Instant::now() + timeout, late).await;
    let secrets = &channel.secrets;
    let (head, body) = answer.map_err(|fault| Refusal { why: secrets.redact(&fault.detail), content: false })?;
    if head.status.is_success() {
        return Ok(());
    }
    let text = secrets.excerpt(&String::from_utf8_lossy(&body));
    let text = if text.is_empty() || text.starts_with('<') { String::new() } else { format!(" ({text})") };
    let why = match head.status {
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
    };
    let content = matches!(
        head.status,
        StatusCode::BAD_REQUEST | StatusCode::PAYLOAD_TOO_LARGE | StatusCode::UNPROCESSABLE_ENTITY
    );
    Err(Refusal { why, content })
}
