//! A notice as Alertmanager's API v2 takes it: an alert that ends by itself.
//!
//! Pure. Its labels are the event's identity, equal at each posting and at every exporter with the same ledger: Alertmanager
//! then mails once. Not for: sending it (`notify`).

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use super::book::{INSIST, NEWS};
use super::{Entry, Event, words};
use crate::contract::Contract;

/// How long a posting stands at the least, in seconds.
const STANDS: i64 = 300;

/// One alert of a `POST /api/v2/alerts`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Alert {
    /// Its identity: what is mailed once.
    pub labels: BTreeMap<&'static str, String>,
    /// What the mail says.
    pub annotations: BTreeMap<&'static str, String>,
    /// When the event was.
    pub starts_at: Timestamp,
    /// Until when Alertmanager tries to mail it, and knows that it did: as long as anybody may post it.
    pub ends_at: Timestamp,
}

/// `event` as an alert posted at `now`.
#[must_use]
pub fn alert(event: &Event<'_>, contract: &Contract, now: i64) -> Alert {
    let message = words::message(event, contract);
    let labels = BTreeMap::from([
        ("alertname", "SlaNotice".to_owned()),
        ("severity", "notice".to_owned()),
        ("contract", contract.name.clone()),
        ("notice", event.key()),
        ("entry", event.entry.id().to_owned()),
        ("kind", event.entry.kind().to_owned()),
        ("event", event.happening.word().to_owned()),
    ]);
    let mut annotations = BTreeMap::from([
        ("subject_ja", message.subject.ja),
        ("subject_en", message.subject.en),
        ("body_ja", message.body.ja),
        ("body_en", message.body.en),
        ("contract_ja", contract.title.ja.clone()),
        ("contract_en", contract.title.en.clone()),
        // Not a label: editing the list must not make another notice of it.
        ("functions", event.entry.functions().join(", ")),
    ]);
    let (since, until) = match event.entry {
        Entry::Incident(incident) => (incident.started_at, incident.resolved_at),
        Entry::Maintenance(stop) => (stop.start, Some(stop.finished_at.unwrap_or(stop.end))),
    };
    let mut add = |ja, en, at| {
        let moment = words::moment(at, &contract.timezone);
        annotations.insert(ja, moment.ja);
        annotations.insert(en, moment.en);
    };
    add("since_ja", "since_en", since);
    if let Some(until) = until {
        add("until_ja", "until_en", until);
    }
    let at = |seconds| Timestamp::from_second(seconds).unwrap_or_default();
    Alert { labels, annotations, starts_at: at(event.at), ends_at: at(stands_until(event, now)) }
}

/// By the event, not by the posting: a mail server that is down for hours only delays the mail, and an exporter that comes
/// back after hours, with a book in which the event is missing, finds that it was mailed. Alertmanager forgets what it
/// mailed when the alert ends.
fn stands_until(event: &Event<'_>, now: i64) -> i64 {
    (event.at + NEWS + INSIST).max(now + STANDS)
}
