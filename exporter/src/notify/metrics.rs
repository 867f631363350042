//! What the page says of notices.
//!
//! Not for: which there are (`crate::notices`).

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use crate::exposition::{Kind, Page};

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
    /// Whether the book can be read and written.
    book_ok: bool,
    /// Failed requests, by Alertmanager.
    failures: BTreeMap<String, u64>,
}

impl NoticeMetrics {
    /// Nothing is posted: no Alertmanager is configured.
    pub(super) fn nothing(&self) {
        self.change(|shown| shown.pending = None);
    }

    /// A request to the Alertmanager at `url` failed.
    pub(super) fn failed(&self, url: &str) {
        self.change(|shown| *shown.failures.entry(url.to_owned()).or_default() += 1);
    }

    fn change(&self, change: impl FnOnce(&mut Shown)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Shows how it stands with `contract`: how many events are due that nobody has accepted, and whether that is kept.
    pub fn stands(&self, contract: &str, pending: usize, book_ok: bool, alertmanagers: &[String]) {
        self.change(|shown| {
            if shown.contract != contract {
                contract.clone_into(&mut shown.contract);
                shown.told.clear();
            }
            shown.pending = Some(pending);
            shown.book_ok = book_ok;
            shown.failures.retain(|url, _| alertmanagers.contains(url));
            for url in alertmanagers {
                shown.failures.entry(url.clone()).or_default();
            }
        });
    }

    /// Shows what was told and when.
    pub fn told(&self, told: Vec<(String, i64)>) {
        self.change(|shown| shown.told = told);
    }

    /// Writes all families.
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
            "sla_notices_book_ok",
            "Whether the book of the notices that were sent can be read and written.",
            Kind::Gauge,
        );
        page.sample(&[("contract", &shown.contract)], f64::from(u8::from(shown.book_ok)));
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
