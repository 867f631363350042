//! Certificates on the page, as their files were last read.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use super::CertificateSet;
use super::read::Certificate;
use super::watch::Found;
use crate::config::Config;
use crate::exposition::{Kind, Page};

/// What is known of certificates, by set.
#[derive(Debug, Default)]
pub struct CertificateMetrics(Mutex<BTreeMap<String, Known>>);

#[derive(Debug, Default)]
struct Known {
    path: String,
    /// Absent: not read yet, or the last reading failed.
    found: Option<Vec<(String, Certificate)>>,
    success: Option<bool>,
    read_at: Option<i64>,
}

impl CertificateMetrics {
    /// Forgets what is not of one of these sets.
    pub(super) fn keep(&self, sets: &[CertificateSet]) {
        let mut known = self.lock();
        known.retain(|name, known| sets.iter().any(|set| set.name == *name && set.path == known.path));
        for set in sets {
            known.entry(set.name.clone()).or_insert_with(|| Known { path: set.path.clone(), ..Known::default() });
        }
    }

    /// A reading of the set `name` ended at `now`.
    pub fn found(&self, name: &str, found: Found, now: i64) {
        let mut known = self.lock();
        let known = known.entry(name.to_owned()).or_default();
        known.success = Some(found.is_ok());
        known.found = found.ok();
        if known.found.is_some() {
            known.read_at = Some(now);
        }
    }

    /// Writes all families of the sets of `config`.
    #[allow(clippy::cast_precision_loss)] // moments are exact
    pub fn write(&self, config: &Config, page: &mut Page) {
        if config.certificates.is_empty() {
            return;
        }
        let (known, nothing) = (self.lock(), Known::default());
        let contract = config.contract.name.as_str();
        let sets: Vec<_> =
            config.certificates.iter().map(|set| (set, known.get(&set.name).unwrap_or(&nothing))).collect();
        let mut single = |name: &str, help: &str, value: &dyn Fn(&CertificateSet, &Known) -> Option<f64>| {
            let values: Vec<_> = sets.iter().filter_map(|(set, known)| Some((set, value(set, known)?))).collect();
            if !values.is_empty() {
                page.family(name, help, Kind::Gauge);
            }
            for (set, value) in values {
                page.sample(&[("contract", contract), ("certificates", &set.name)], value);
            }
        };
        single(
            "sla_certificate_renew_before_seconds",
            "How long before it is due a certificate's renewal is asked for.",
            &|set, _| Some(set.renew_before.as_secs_f64()),
        );
        single(
            "sla_certificate_read_success",
            "Whether the last reading of the set's files went well.",
            &|_, known| known.success.map(|success| f64::from(u8::from(success))),
        );
        single(
            "sla_certificate_read_timestamp_seconds",
            "When the set's files were last read with success, in seconds since the epoch.",
            &|_, known| known.read_at.map(|at| at as f64),
        );
        for (name, help, value) in FAMILIES {
            let mut begun = false;
            for (set, known) in &sets {
                for (file, certificate) in known.found.iter().flatten() {
                    if !std::mem::replace(&mut begun, true) {
                        page.family(name, help, Kind::Gauge);
                    }
                    let labels = [
                        ("contract", contract),
                        ("certificates", set.name.as_str()),
                        ("file", file),
                        ("subject", &certificate.subject),
                        ("serial", &certificate.serial),
                    ];
                    page.sample(&labels, value(set, certificate) as f64);
                }
            }
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Known>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

type Family = (&'static str, &'static str, fn(&CertificateSet, &Certificate) -> i64);

const FAMILIES: &[Family] = &[
    (
        "sla_certificate_not_before_timestamp_seconds",
        "When a certificate in a file begins to be valid, in seconds since the epoch.",
        |_, certificate| certificate.not_before,
    ),
    (
        "sla_certificate_not_after_timestamp_seconds",
        "When a certificate in a file ends, in seconds since the epoch (C2.6.6).",
        |_, certificate| certificate.not_after,
    ),
    (
        "sla_certificate_due_timestamp_seconds",
        "By when a certificate is to be renewed: its end, or `renew_every` after its begin where that is earlier.",
        CertificateSet::due,
    ),
];
