//! What the page says of failed logins and of the logs they are read from.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::settings::{Logins, Source};
use super::tally::Tally;
use crate::exposition::{Kind, Page};

/// What the page says of failed logins.
#[derive(Debug, Default)]
pub struct LoginMetrics(Mutex<Option<Shown>>);

#[derive(Debug)]
struct Shown {
    contract: String,
    /// Service, reason, count.
    failures: Vec<(String, &'static str, u64)>,
    /// Service, account, count.
    users: Vec<(String, String, u64)>,
    thresholds: BTreeMap<String, u64>,
    logs: Vec<LogState>,
    /// When each log was last read to its end.
    read_at: BTreeMap<String, i64>,
    stored: bool,
}

/// How it stands with one log.
#[derive(Clone, Debug)]
pub(super) struct LogState {
    /// Label `log`.
    pub(super) name: String,
    /// Zero: it may be silent for ever.
    pub(super) silent_after: Duration,
    /// Parts that were gone before they were read; only of files.
    pub(super) gaps: Option<u64>,
    /// How far the file is read.
    pub(super) position: Option<u64>,
    /// Whether it was read to its end, and when its newest line was written; `None`: it could not be read.
    pub(super) read: Option<(bool, Option<i64>)>,
}

impl LogState {
    /// A log that was not looked at.
    pub(super) fn failed(source: &Source) -> Self {
        Self { name: source.name.clone(), silent_after: source.silent_after, gaps: None, position: None, read: None }
    }
}

impl LoginMetrics {
    /// No log is configured.
    pub(super) fn nothing(&self) {
        *self.lock() = None;
    }

    /// Shows how it stands at `now`.
    pub(super) fn show(
        &self,
        contract: &str,
        logins: &Logins,
        tally: &Tally,
        logs: Vec<LogState>,
        stored: bool,
        now: i64,
    ) {
        let series = logins.series();
        let mut services: Vec<&str> = series.iter().map(|(service, _)| *service).collect();
        services.dedup();
        let mut shown = self.lock();
        let mut read_at = shown.take().map(|shown| shown.read_at).unwrap_or_default();
        read_at.retain(|name, _| logs.iter().any(|log| log.name == *name));
        for log in logs.iter().filter(|log| matches!(log.read, Some((true, _)))) {
            read_at.insert(log.name.clone(), now);
        }
        let by_user = services.iter().flat_map(|service| {
            logins.users.iter().map(|user| ((*service).to_owned(), user.clone(), tally.by_user(service, user)))
        });
        *shown = Some(Shown {
            contract: contract.to_owned(),
            failures: series
                .iter()
                .map(|(service, reason)| ((*service).to_owned(), reason.label(), tally.failures(service, *reason)))
                .collect(),
            users: by_user.collect(),
            thresholds: services.iter().map(|service| ((*service).to_owned(), logins.threshold(service))).collect(),
            logs,
            read_at,
            stored,
        });
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Shown>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes all families.
    #[allow(clippy::cast_precision_loss)]
    pub fn write(&self, page: &mut Page) {
        let shown = self.lock();
        let Some(shown) = shown.as_ref() else { return };
        let contract = ("contract", shown.contract.as_str());
        page.family(
            "sla_login_failures_total",
            "Failed logins since counting began, kept over restarts (C2.6.7).",
            Kind::Counter,
        );
        for (service, reason, count) in &shown.failures {
            page.sample(&[contract, ("service", service), ("reason", reason)], *count as f64);
        }
        if !shown.users.is_empty() {
            page.family(
                "sla_login_failures_by_user_total",
                "Those of the accounts that logins.users names, whatever the reason.",
                Kind::Counter,
            );
            for (service, user, count) in &shown.users {
                page.sample(&[contract, ("service", service), ("user", user)], *count as f64);
            }
        }
        page.family(
            "sla_login_failures_threshold",
            "So many failed logins within 15 minutes are told to the security list.",
            Kind::Gauge,
        );
        for (service, threshold) in &shown.thresholds {
            page.sample(&[contract, ("service", service)], *threshold as f64);
        }
        shown.write_logs(page, contract);
    }
}

impl Shown {
    #[allow(clippy::cast_precision_loss)]
    fn write_logs(&self, page: &mut Page, contract: (&str, &str)) {
        let mut family = |name: &str, help: &str, kind: Kind, value: &dyn Fn(&LogState) -> Option<f64>| {
            let samples: Vec<(&str, f64)> =
                self.logs.iter().filter_map(|log| Some((log.name.as_str(), value(log)?))).collect();
            if !samples.is_empty() {
                page.family(name, help, kind);
                samples.iter().for_each(|(log, value)| page.sample(&[contract, ("log", log)], *value));
            }
        };
        family("sla_login_log_success", "Whether the log could be read at the last look.", Kind::Gauge, &|log| {
            Some(f64::from(u8::from(log.read.is_some())))
        });
        family(
            "sla_login_log_read_timestamp_seconds",
            "When the log was last read to its end, in seconds since the epoch; absent until it was.",
            Kind::Gauge,
            &|log| self.read_at.get(&log.name).map(|at| *at as f64),
        );
        family(
            "sla_login_log_newest_timestamp_seconds",
            "When the newest line of the log was written, in seconds since the epoch; absent where that is not known.",
            Kind::Gauge,
            &|log| log.read.and_then(|(_, newest)| newest).map(|at| at as f64),
        );
        family(
            "sla_login_log_silent_after_seconds",
            "A log without a line for so long is silent; absent where silence is usual.",
            Kind::Gauge,
            &|log| Some(log.silent_after.as_secs_f64()).filter(|seconds| *seconds > 0.0),
        );
        family("sla_login_log_position_bytes", "How far the file is read; absent for journals.", Kind::Gauge, &|log| {
            log.position.map(|position| position as f64)
        });
        family(
            "sla_login_log_gaps_total",
            "Parts of the log that were gone before they were read: failed logins in them are not counted.",
            Kind::Counter,
            &|log| log.gaps.map(|gaps| gaps as f64),
        );
        page.family(
            "sla_login_book_ok",
            "Whether counts and places in the logs can be kept over a restart.",
            Kind::Gauge,
        );
        page.sample(&[contract], f64::from(u8::from(self.stored)));
    }
}
