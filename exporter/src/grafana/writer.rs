//! One look after the other: is anything to be done, what has Grafana, what is to be changed.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::time::Instant;

use super::api::{Api, ConfigNames, Kind, Query, Refusal};
use super::metrics::State;
use super::{Annotation, Grafana, Pace};
use crate::annotations::{Change, Disputes, Existing, MAX_REGIONS, Region, plan, regions, tags};
use crate::app::App;
use crate::config::Config;

/// Annotations of ours that are read at once. Of more nobody knows which are missing, and nothing is written.
const MAX_FOUND: usize = 2 * MAX_REGIONS;
/// Changes made in one go; the others follow at the next look.
const MAX_CHANGES: usize = 200;
/// Refusals of single annotations, after which the others wait for the next look as well.
const MAX_REFUSED: usize = 3;

/// Whoever writes.
pub(super) struct Writer {
    pace: Pace,
    /// The client, and the settings it was made by.
    client: Option<(Arc<Grafana>, Api)>,
    /// What was last wanted, and of which configuration and moment.
    wanted: Option<(Arc<Config>, i64, Vec<Region>)>,
    /// Nothing is to be done until then, unless something else is wanted.
    next: Option<Instant>,
    /// Nothing is to be done until then in any case: it failed, so many times.
    pause: Option<(Instant, u32)>,
    disputes: Disputes,
    /// Regions Grafana refused, and how often: others first, or they would keep all from being written.
    refused: BTreeMap<String, u32>,
}

/// What came of asking.
struct Done {
    made: usize,
    left: usize,
    refused: usize,
    disputed: usize,
}

impl Writer {
    pub(super) fn new(pace: Pace) -> Self {
        Self {
            pace,
            client: None,
            wanted: None,
            next: None,
            pause: None,
            disputes: Disputes::default(),
            refused: BTreeMap::new(),
        }
    }

    /// Nothing is written any more; what is there stays.
    pub(super) fn rest(&mut self) {
        if self.client.is_some() {
            *self = Self::new(self.pace);
        }
    }

    /// Brings Grafana in line with the ledger, where something is due.
    pub(super) async fn look(&mut self, app: &App, config: &Arc<Config>, grafana: &Arc<Grafana>, now: i64) {
        if !self.client.as_ref().is_some_and(|(settings, _)| Arc::ptr_eq(settings, grafana)) {
            // Another address, or what was wrong with it is mended: at once.
            self.client = Some((Arc::clone(grafana), Api::new(grafana.connection(), ConfigNames::FILE)));
            self.pause = None;
            self.next = None;
        }
        self.want(config, grafana, now);
        let regions = self.wanted.as_ref().map_or(0, |(_, _, wanted)| wanted.len());
        app.grafana().wants(&config.contract.name, regions);
        let instant = Instant::now();
        if self.pause.is_some_and(|(until, _)| instant < until) || self.next.is_some_and(|next| instant < next) {
            return;
        }
        match self.sync(app, config, now).await {
            Ok(done) => self.stands(app, &done, now),
            Err(refusal) => {
                app.grafana().failed();
                app.grafana().unknown();
                let pause = self.fail();
                tracing::warn!(
                    grafana = grafana.url(),
                    "annotations in Grafana not written, tried again in {pause:?}: {refusal}"
                );
            }
        }
    }

    /// Computes what is wanted, where it may be something else than before.
    fn want(&mut self, config: &Arc<Config>, grafana: &Grafana, now: i64) {
        // What goes on grows by the slot; nothing else changes by itself.
        let slot = now.div_euclid(crate::report::slots::STEP);
        if self.wanted.as_ref().is_some_and(|(of, at, _)| Arc::ptr_eq(of, config) && *at == slot) {
            return;
        }
        let (wanted, more) = regions(&config.contract, &config.ledger, grafana.options(), now);
        let before = self.wanted.replace((Arc::clone(config), slot, wanted));
        let wanted = self.wanted.as_ref().map(|(_, _, wanted)| wanted);
        if before.as_ref().map(|(_, _, before)| before) != wanted {
            self.next = None;
            if more > 0 {
                tracing::warn!(
                    "the ledger makes more than {MAX_REGIONS} regions for Grafana; the {more} oldest are not written"
                );
            }
        }
    }

    async fn sync(&mut self, app: &App, config: &Config, now: i64) -> Result<Done, Refusal> {
        let Self { client: Some((_, api)), wanted: Some((_, _, wanted)), disputes, refused, .. } = self else {
            return Ok(Done { made: 0, left: 0, refused: 0, disputed: 0 });
        };
        let contract = tags::contract(&config.contract.name);
        let query = Query { tags: &[tags::SLA, tags::LEDGER, &contract], span: None, limit: MAX_FOUND };
        let found = api.find(&query).await?;
        if found.len() >= MAX_FOUND {
            return Err(Refusal::all(format!(
                "Grafana has {MAX_FOUND} or more annotations tagged {} and {contract}, which are not all read; delete those that are too many",
                tags::LEDGER
            )));
        }
        let existing: Vec<Existing> = found.into_iter().filter_map(|found| ours(found, &contract)).collect();
        disputes.forget(wanted, now);
        refused.retain(|key, _| wanted.iter().any(|region| region.key == *key));
        let all = plan(wanted, &existing);
        let (mut changes, held): (Vec<_>, Vec<_>) = all.into_iter().partition(|change| disputes.allow(change, now));
        changes.sort_by_key(|change| refused.get(change.key()).copied().unwrap_or(0));
        let mut done = Done { made: 0, left: changes.len(), refused: 0, disputed: held.len() };
        for change in changes.iter().take(MAX_CHANGES) {
            let result = match change {
                Change::Create(region) => api.create(region).await,
                Change::Update { id, region } => api.update(*id, region).await,
                Change::Delete { id, .. } => api.delete(*id).await,
            };
            match result {
                Ok(()) => {
                    disputes.made(change, now);
                    refused.remove(change.key());
                    app.grafana().made(change.word());
                    tracing::debug!(change = change.word(), key = change.key(), "annotation in Grafana");
                    done.made += 1;
                    done.left -= 1;
                }
                // Somebody was faster; what that means is seen at the next look.
                Err(refusal) if refusal.kind == Kind::Gone => {
                    done.made += 1;
                    done.left -= 1;
                }
                Err(refusal) if refusal.kind == Kind::One => {
                    app.grafana().failed();
                    *refused.entry(change.key().to_owned()).or_default() += 1;
                    done.refused += 1;
                    tracing::warn!(
                        change = change.word(),
                        key = change.key(),
                        "annotation refused by Grafana: {refusal}"
                    );
                    if done.refused >= MAX_REFUSED {
                        break;
                    }
                }
                Err(refusal) => return Err(refusal),
            }
        }
        Ok(done)
    }

    /// Notes what came of it, and when to look again.
    fn stands(&mut self, app: &App, done: &Done, now: i64) {
        let success = done.left == 0;
        let state = State { pending: done.left, disputed: done.disputed, success: success && done.disputed == 0 };
        app.grafana().synced(state, now);
        if done.made > 0 {
            tracing::info!(
                changes = done.made,
                left = done.left,
                "annotations in Grafana brought in line with the ledger"
            );
        }
        if done.disputed > 0 {
            tracing::warn!(
                regions = done.disputed,
                "annotations in Grafana are undone by somebody: exporters of one contract must carry the same ledger"
            );
        }
        if done.refused > 0 {
            self.fail();
            return;
        }
        self.pause = None;
        self.next = match () {
            () if !success => None,
            () if done.made > 0 => Some(Instant::now() + self.pace.verify),
            () => Some(Instant::now() + self.pace.again),
        };
    }

    /// Waits, each time longer; returns how long.
    fn fail(&mut self) -> std::time::Duration {
        let times = self.pause.map_or(0, |(_, times)| times);
        let pause = self.pace.pause.saturating_mul(1 << times.min(16)).min(self.pace.max_pause);
        self.pause = Some((Instant::now() + pause, times.saturating_add(1)));
        self.next = None;
        pause
    }
}

fn ours(found: Annotation, contract: &str) -> Option<Existing> {
    let key = tags::key_of(contract, &found.tags)?.to_owned();
    let Annotation { id, time, end, tags, text, .. } = found;
    Some(Existing { id, key, time, end, tags, text })
}
