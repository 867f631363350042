//! Updates on the page, as they were last looked at.

use std::sync::{Mutex, PoisonError};

use jiff::{Timestamp, ToSpan as _};

use super::scan::Scan;
use crate::config::Config;
use crate::exposition::{Kind, Page};

/// What is known of updates.
#[derive(Debug, Default)]
pub struct UpdateMetrics(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// Absent: not looked yet.
    scan: Option<Scan>,
    /// When a look last went well.
    succeeded_at: Option<i64>,
}

type Family = (&'static str, &'static str, fn(&Config, &State, i64) -> Option<f64>);

impl UpdateMetrics {
    /// Nothing is looked at, or something else from now on.
    pub(super) fn nothing(&self) {
        *self.lock() = State::default();
    }

    /// A look ended at `now`.
    pub fn found(&self, scan: Scan, now: i64) {
        let mut state = self.lock();
        if success(&scan) {
            state.succeeded_at = Some(now);
        }
        state.scan = Some(scan);
    }

    /// Writes all families at `now`.
    pub fn write(&self, config: &Config, now: i64, page: &mut Page) {
        if config.updates.is_none() {
            return;
        }
        let state = self.lock();
        for (name, help, value) in FAMILIES {
            if let Some(value) = value(config, &state, now) {
                page.family(name, help, Kind::Gauge);
                page.sample(&[("contract", &config.contract.name)], value);
            }
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn success(scan: &Scan) -> bool {
    scan.known.is_ok() && scan.stored.is_ok()
}

fn known(state: &State) -> Option<&super::Known> {
    state.scan.as_ref()?.known.as_ref().ok()
}

fn reboot(state: &State) -> Option<&super::Reboot> {
    state.scan.as_ref()?.reboot.as_ref()
}

#[allow(clippy::cast_precision_loss)] // moments and counts are exact below 2^53
const FAMILIES: &[Family] = &[
    (
        "sla_updates_scan_success",
        "Whether the last look at the host's security updates went well and what it found is kept.",
        |_, state, _| Some(f64::from(u8::from(success(state.scan.as_ref()?)))),
    ),
    (
        "sla_updates_scan_timestamp_seconds",
        "When the host's security updates were last looked at with success, in seconds since the epoch.",
        |_, state, _| Some(state.succeeded_at? as f64),
    ),
    (
        "sla_updates_lists_max_age_seconds",
        "How old apt's lists of security archives may be for the count of updates to be shown.",
        |config, _, _| Some(config.updates.as_ref()?.lists_max_age.as_secs_f64()),
    ),
    (
        "sla_updates_lists_timestamp_seconds",
        "When the newest of apt's lists of security archives was made, in seconds since the epoch; later updates are unknown.",
        |_, state, _| Some(known(state)?.lists_at as f64),
    ),
    (
        "sla_security_updates_pending",
        "Installed packages for which a security archive has a newer version (C2.6.8); absent where apt's lists are too old.",
        |config, state, now| {
            let known = known(state)?;
            let age = u64::try_from(now.saturating_sub(known.lists_at)).unwrap_or_default();
            (age <= config.updates.as_ref()?.lists_max_age.as_secs()).then_some(known.pending.len() as f64)
        },
    ),
    (
        // Also where lists are too old: that an update waits is known, only not whether it is the only one.
        "sla_security_update_oldest_timestamp_seconds",
        "When the first of the security updates that wait was published at the latest, in seconds since the epoch; absent where none waits.",
        |_, state, _| Some(known(state)?.oldest? as f64),
    ),
    (
        "sla_security_update_due_timestamp_seconds",
        "By when the first of the security updates that wait is to be applied: a month after (C2.6.8); absent where none waits.",
        |config, state, _| {
            let published = Timestamp::from_second(known(state)?.oldest?).ok()?;
            let due = published.to_zoned(config.contract.timezone.clone()).checked_add(1.month()).ok()?;
            Some(due.timestamp().as_second() as f64)
        },
    ),
    (
        "sla_reboot_required",
        "Whether the host must be restarted for its updates to be in force; absent where that cannot be known.",
        |_, state, _| Some(f64::from(u8::from(reboot(state)?.required))),
    ),
    (
        "sla_reboot_required_since_timestamp_seconds",
        "Since when the host must be restarted, in seconds since the epoch; absent where it need not.",
        |_, state, _| Some(state.scan.as_ref()?.reboot_since? as f64),
    ),
    (
        "sla_reboot_required_packages",
        "Packages that ask for a restart of the host, where they are told.",
        |_, state, _| Some(reboot(state)?.packages? as f64),
    ),
];
