//! Backups on the page, as they were last looked at.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use super::BackupSet;
use super::figures::{Backup, Figures, figures};
use crate::config::Config;
use crate::exposition::{Kind, Page};

/// What is known of backups, by set.
#[derive(Debug, Default)]
pub struct BackupMetrics(Mutex<BTreeMap<String, Known>>);

#[derive(Debug, Default)]
struct Known {
    path: String,
    /// Absent: not looked at yet, or the last look failed.
    backups: Option<Vec<Backup>>,
    success: Option<bool>,
    looked_at: Option<i64>,
}

/// A family of one value for each set.
type Family = (&'static str, &'static str, fn(&BackupSet, &Known, Option<&Figures>) -> Option<f64>);

impl BackupMetrics {
    /// Forgets what is not of one of these sets.
    pub(super) fn keep(&self, sets: &[BackupSet]) {
        let mut known = self.lock();
        known.retain(|name, known| sets.iter().any(|set| set.name == *name && set.path == known.path));
        for set in sets.iter().filter(|set| !known.contains_key(&set.name)).collect::<Vec<_>>() {
            known.insert(set.name.clone(), Known { path: set.path.clone(), ..Known::default() });
        }
    }

    /// A look at the set `name` ended at `now`.
    pub fn found(&self, name: &str, found: Result<Vec<Backup>, String>, now: i64) {
        let mut known = self.lock();
        let known = known.entry(name.to_owned()).or_default();
        known.success = Some(found.is_ok());
        known.backups = found.ok();
        if known.backups.is_some() {
            known.looked_at = Some(now);
        }
    }

    /// Writes all families of the sets of `config` at `now`.
    pub fn write(&self, config: &Config, now: i64, page: &mut Page) {
        if config.backups.is_empty() {
            return;
        }
        let known = self.lock();
        let nothing = Known::default();
        let sets: Vec<_> = config
            .backups
            .iter()
            .map(|set| {
                let known = known.get(&set.name).unwrap_or(&nothing);
                (set, known, known.backups.as_ref().map(|backups| figures(backups, set, now)))
            })
            .collect();
        for (name, help, value) in FAMILIES {
            let mut begun = false;
            for (set, known, figures) in &sets {
                let Some(value) = value(set, known, figures.as_ref()) else { continue };
                if !std::mem::replace(&mut begun, true) {
                    page.family(name, help, Kind::Gauge);
                }
                page.sample(&[("contract", &config.contract.name), ("backup", &set.name)], value);
            }
            // A textfile's must not come and go with what is known here.
            page.reserve(name);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Known>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether `name` is a family of backups. Scripts may say them in a textfile, where no backups are configured.
pub(crate) fn is_family(name: &str) -> bool {
    FAMILIES.iter().any(|(family, _, _)| *family == name)
}

#[allow(clippy::cast_precision_loss)] // moments, sizes and counts are exact below 2^53
const FAMILIES: &[Family] = &[
    ("sla_backup_max_age_seconds", "How old the newest backup may be (C2.5).", |set, _, _| {
        Some(set.max_age.as_secs_f64())
    }),
    ("sla_backup_dates_required", "For how many days back there must be a backup (C2.5).", |set, _, _| {
        Some(f64::from(set.keep_days))
    }),
    ("sla_backup_min_size_ratio", "The least size of the newest as a share of the median before it.", |set, _, _| {
        Some(set.min_size_ratio)
    }),
    ("sla_backup_scan_success", "Whether the last look at the set went well.", |_, known, _| {
        known.success.map(|success| f64::from(u8::from(success)))
    }),
    (
        "sla_backup_scan_timestamp_seconds",
        "When the set was last looked at with success, in seconds since the epoch.",
        |_, known, _| known.looked_at.map(|at| at as f64),
    ),
    ("sla_backup_files", "Backups of the set that lie there, complete and not empty.", |_, _, figures| {
        figures.map(|figures| figures.count as f64)
    }),
    (
        "sla_backup_newest_timestamp_seconds",
        "When the newest backup was written to its end, in seconds since the epoch.",
        |_, _, figures| figures?.newest.map(|newest| newest.written_at as f64),
    ),
    (
        "sla_backup_oldest_timestamp_seconds",
        "When the oldest backup that is kept was written, in seconds since the epoch.",
        |_, _, figures| figures?.oldest_at.map(|at| at as f64),
    ),
    ("sla_backup_newest_size_bytes", "Size of the newest backup, in bytes.", |_, _, figures| {
        figures?.newest.map(|newest| newest.size as f64)
    }),
    (
        "sla_backup_median_size_bytes",
        "Median size of up to 14 backups before the newest, in bytes.",
        |_, _, figures| figures?.median_size,
    ),
    ("sla_backup_dates_covered", "Of the days required, those for which there is a backup.", |_, _, figures| {
        figures.map(|figures| f64::from(figures.dates_covered))
    }),
];
