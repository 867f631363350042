//! Certificates in files (C2.6.5–6): those that were issued to customers, those that servers will use; when they end, and when they
//! are to be renewed.
//!
//! Pure: [`read`] (bytes to certificates). Shell: `watch` reads files in the background, `metrics` shows them. Not for what servers present: probes see that (`probe_ssl_*`).

mod metrics;
mod pem;
pub mod read;
mod watch;

use std::time::Duration;

pub use self::metrics::CertificateMetrics;
pub use self::watch::run;
use crate::secret::SecretSource;

/// Certificates that are watched together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateSet {
    /// Label `certificates`.
    pub name: String,
    /// Which files: an absolute pattern such as `/etc/sla/clients/*.pem`.
    pub path: String,
    /// Of PKCS#12 files.
    pub password: Option<SecretSource>,
    /// How long before it is due a renewal is asked for.
    pub renew_before: Duration,
    /// A certificate is due so long after its begin, though it lasts longer (C2.6.6: yearly). Not one that issued another of the set:
    /// what is renewed yearly is who logs in, not the authority.
    pub renew_every: Option<Duration>,
    /// From the end of one look to the next.
    pub interval: Duration,
}

impl CertificateSet {
    /// When a certificate is to be renewed at the latest (seconds since the epoch).
    #[must_use]
    pub fn due(&self, certificate: &read::Certificate) -> i64 {
        let every = self.renew_every.filter(|_| !certificate.authority);
        let every = every.map_or(i64::MAX, |every| i64::try_from(every.as_secs()).unwrap_or(i64::MAX));
        certificate.not_before.saturating_add(every).min(certificate.not_after)
    }
}
