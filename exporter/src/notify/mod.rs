//! Telling customers: posts the ledger's events to Alertmanager as they fall due, and keeps the book of it (C2.2).
//!
//! The shell around [`crate::notices`]: looks every few seconds, posts to every Alertmanager, goes on until one has accepted,
//! and a while longer, so that an Alertmanager that restarts in between mails too. Which mails go to whom, and that each goes
//! out once, is Alertmanager's. Not for: alerts of the monitoring, which Prometheus sends.

mod alertmanager;
mod store;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

pub use self::alertmanager::Alertmanagers;
use self::alertmanager::Members;
pub use self::store::Store;
use crate::app::App;
use crate::clock;
use crate::config::Config;
use crate::exposition::{Kind, Page};
use crate::notices::book::Todo;
use crate::notices::{self, Event, Functions, post};

/// How often the ledger is looked at.
const LOOK: Duration = Duration::from_secs(5);
/// How often what was accepted is posted again: less than half of what a posting stands for.
const REPEAT: Duration = Duration::from_secs(60);
/// Events posted in one request; more are a ledger gone wrong, and go with the next look.
const MAX_BATCH: usize = 100;
/// What is forgotten, in seconds: older than any month that is shown.
const FORGET: i64 = 500 * 86_400;

/// What the page says of notices.
#[derive(Debug, Default)]
pub struct NoticeMetrics(Mutex<Shown>);

#[derive(Debug, Default)]
struct Shown {
    contract: String,
    /// Event's key and when it was told.
    told: Vec<(String, i64)>,
    /// Due, and accepted by nobody yet; absent while nothing is posted.
    pending: Option<usize>,
    /// Failed requests, by Alertmanager.
    failures: BTreeMap<String, u64>,
}

impl NoticeMetrics {
    fn change(&self, change: impl FnOnce(&mut Shown)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Shows how it stands: what was told and when, and how many events are due that nobody has accepted.
    pub fn show(&self, contract: &str, told: Vec<(String, i64)>, pending: usize, alertmanagers: &[String]) {
        self.change(|shown| {
            contract.clone_into(&mut shown.contract);
            shown.told = told;
            shown.pending = Some(pending);
            shown.failures.retain(|url, _| alertmanagers.contains(url));
            for url in alertmanagers {
                shown.failures.entry(url.clone()).or_default();
            }
        });
    }

    /// Writes all families.
    #[allow(clippy::cast_precision_loss)]
    pub fn write(&self, page: &mut Page) {
        let shown = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(pending) = shown.pending else { return };
        page.family(
            "sla_notices_pending",
            "Notices to customers that are due and that no Alertmanager has accepted yet (C2.2).",
            Kind::Gauge,
        );
        page.sample(&[("contract", &shown.contract)], pending as f64);
        page.family(
            "sla_notice_posts_failed_total",
            "Requests to an Alertmanager that did not post notices.",
            Kind::Counter,
        );
        for (url, failures) in &shown.failures {
            page.sample(&[("contract", &shown.contract), ("alertmanager", url)], *failures as f64);
        }
        if shown.told.is_empty() {
            return;
        }
        page.family(
            "sla_notice_sent_timestamp_seconds",
            "When Alertmanager accepted a notice to customers, in seconds since the epoch (C2.2).",
            Kind::Gauge,
        );
        for (key, at) in &shown.told {
            let (entry, event) = key.rsplit_once('/').unwrap_or((key, ""));
            let labels = [("contract", shown.contract.as_str()), ("entry", entry), ("event", event)];
            page.sample(&labels, *at as f64);
        }
    }
}

/// Posts what falls due until `shutdown`. Does nothing while the configuration names no Alertmanager.
pub async fn run(app: Arc<App>, storage: PathBuf, shutdown: CancellationToken) {
    let mut desk = Desk { store: Store::new(storage), members: None, posted: None, late: BTreeMap::new() };
    loop {
        let config = app.config();
        match &config.alertmanager {
            Some(alertmanagers) => desk.look(&app, &config, alertmanagers).await,
            None => app.notices().change(|shown| shown.pending = None),
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            () = shutdown.cancelled() => return,
        }
    }
}

struct Desk {
    store: Store,
    /// Connections, and the settings they were opened by.
    members: Option<(Arc<Alertmanagers>, Members)>,
    /// When what was accepted was last posted again.
    posted: Option<Instant>,
    /// By Alertmanager: not before.
    late: BTreeMap<String, Instant>,
}

/// How the functions are, by this site's own probes.
struct Now(Vec<(String, Option<bool>)>);

impl Functions for Now {
    fn is_up(&self, function: &str) -> Option<bool> {
        self.0.iter().find(|(name, _)| name == function).and_then(|(_, up)| *up)
    }
}

impl Desk {
    async fn look(&mut self, app: &Arc<App>, config: &Arc<Config>, alertmanagers: &Arc<Alertmanagers>) {
        let contract = &config.contract;
        let Some(book) = self.store.book(&contract.name).await else { return };
        let now = clock::whole_seconds();
        let functions = Now(app.functions());
        let due = notices::due(&config.ledger, alertmanagers.reminder(), &functions, now);

        let mut changed = false;
        let mut news = Vec::new();
        let mut repeated = Vec::new();
        for event in &due {
            match book.todo(event, now) {
                Todo::Nothing => {}
                Todo::PassOver => {
                    book.pass_over(event, now);
                    changed = true;
                }
                Todo::Post if book.is_told(event) => repeated.push(event),
                Todo::Post => news.push(event),
            }
        }
        changed |= book.begin();
        news.truncate(MAX_BATCH);
        let again = self.posted.is_none_or(|posted| posted.elapsed() >= REPEAT);
        let batch: Vec<&Event<'_>> = if again { [&news[..], &repeated].concat() } else { news.clone() };
        if batch.is_empty() {
            if !again && repeated.is_empty() {
                self.posted = None;
            }
        } else {
            let alerts: Vec<_> = batch.iter().map(|event| post::alert(event, contract, now)).collect();
            let members = match &mut self.members {
                Some((settings, members)) if Arc::ptr_eq(settings, alertmanagers) => members,
                slot => &mut slot.insert((Arc::clone(alertmanagers), alertmanagers.connect())).1,
            };
            let outcome = members.post(&alerts, &mut self.late).await;
            for (url, why) in &outcome.failed {
                tracing::warn!(alertmanager = url, notices = alerts.len(), "notices not posted, tried again: {why}");
            }
            app.notices().change(|shown| {
                for (url, _) in &outcome.failed {
                    *shown.failures.entry(url.clone()).or_default() += 1;
                }
            });
            if outcome.accepted {
                self.posted = Some(Instant::now());
                for event in &news {
                    changed |= book.accepted(event, now);
                    tracing::info!(notice = event.key(), "notice to customers posted");
                }
            }
        }
        let pending = news.iter().filter(|event| !book.is_told(event)).count();
        book.forget(now - FORGET);
        let told: Vec<(String, i64)> = book.told().map(|(key, at)| (key.to_owned(), at)).collect();
        app.notices().show(&contract.name, told, pending, &alertmanagers.urls());
        if changed {
            self.store.save().await;
        }
    }
}
