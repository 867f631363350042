//! What the page says of the annotations in Grafana.

use std::sync::{Mutex, PoisonError};

use crate::exposition::{Kind, Page};

/// What the page says of the annotations in Grafana.
#[derive(Debug, Default)]
pub struct GrafanaMetrics(Mutex<Option<Shown>>);

#[derive(Debug, Default)]
struct Shown {
    contract: String,
    regions: usize,
    /// Whether it went well; absent: not asked yet.
    success: Option<bool>,
    state: Option<State>,
    synced_at: Option<i64>,
    failures: u64,
    changes: [u64; 3],
}

/// How it stood after Grafana was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct State {
    /// Changes that were not made.
    pub pending: usize,
    /// Changes that wait because somebody undoes them.
    pub disputed: usize,
    /// Everything that was to be done was done.
    pub success: bool,
}

const CHANGES: [&str; 3] = ["created", "updated", "deleted"];

impl GrafanaMetrics {
    /// Nothing is written: no Grafana is configured.
    pub(super) fn nothing(&self) {
        *self.lock() = None;
    }

    /// The ledger of `contract` makes so many regions.
    pub fn wants(&self, contract: &str, regions: usize) {
        let mut shown = self.lock();
        match &mut *shown {
            Some(shown) if shown.contract == contract => shown.regions = regions,
            shown => *shown = Some(Shown { contract: contract.to_owned(), regions, ..Shown::default() }),
        }
    }

    /// One change was made.
    pub fn made(&self, change: &str) {
        if let (Some(shown), Some(place)) = (&mut *self.lock(), CHANGES.iter().position(|known| *known == change)) {
            shown.changes[place] += 1;
        }
    }

    /// A request failed.
    pub(super) fn failed(&self) {
        if let Some(shown) = &mut *self.lock() {
            shown.failures += 1;
        }
    }

    /// Grafana was asked, and brought in line as far as that went.
    pub fn synced(&self, state: State, now: i64) {
        if let Some(shown) = &mut *self.lock() {
            shown.state = Some(state);
            shown.success = Some(state.success);
            if state.success {
                shown.synced_at = Some(now);
            }
        }
    }

    /// It could not be asked: what it has is not known.
    pub(super) fn unknown(&self) {
        if let Some(shown) = &mut *self.lock() {
            shown.state = None;
            shown.success = Some(false);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Shown>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes all families.
    pub fn write(&self, page: &mut Page) {
        let shown = self.lock();
        let Some(shown) = &*shown else { return };
        let own = [("contract", shown.contract.as_str())];
        let mut gauge = |name: &str, help: &str, value: f64| {
            page.family(name, help, Kind::Gauge);
            page.sample(&own, value);
        };
        gauge("sla_grafana_regions", "Regions that the ledger makes for Grafana.", shown.regions as f64);
        if let Some(success) = shown.success {
            gauge(
                "sla_grafana_sync_success",
                "Whether Grafana, when it was last asked, could be brought in line with the ledger.",
                f64::from(u8::from(success)),
            );
        }
        if let Some(at) = shown.synced_at {
            gauge(
                "sla_grafana_last_sync_timestamp_seconds",
                "When Grafana was last found or brought in line with the ledger, in seconds since the epoch.",
                at as f64,
            );
        }
        if let Some(state) = shown.state {
            gauge("sla_grafana_pending", "Changes in Grafana that could not be made.", state.pending as f64);
            gauge(
                "sla_grafana_disputed",
                "Changes in Grafana that wait because somebody undid them: a person, or an exporter with another ledger.",
                state.disputed as f64,
            );
        }
        page.family("sla_grafana_requests_failed_total", "Requests to Grafana that failed.", Kind::Counter);
        page.sample(&own, shown.failures as f64);
        page.family("sla_grafana_changes_total", "Annotations created, updated and deleted in Grafana.", Kind::Counter);
        for (change, count) in CHANGES.iter().zip(shown.changes) {
            page.sample(&[own[0], ("change", change)], count as f64);
        }
    }
}
