//! Trust roots: the system's, loaded once per process, or those of a module's `ca_file`.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, LazyLock};

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::certificate::digest;

/// Certificates that are trusted, and what is asked about them later.
#[derive(Debug)]
pub(super) struct Roots {
    /// For verification.
    pub(super) store: RootCertStore,
    /// SHA-256 of each: a peer's own certificate that is listed is trusted as it is, as Go does.
    listed: HashSet<[u8; 32]>,
    /// When the roots of a name end, in seconds since the epoch; by the subject's DER.
    expiry: HashMap<Box<[u8]>, Vec<i64>>,
}

static SYSTEM: LazyLock<Arc<Roots>> = LazyLock::new(|| {
    let found = rustls_native_certs::load_native_certs();
    for error in &found.errors {
        tracing::warn!(%error, "trust roots of the system read in part");
    }
    Arc::new(Roots::new(found.certs))
});

impl Roots {
    /// The system's.
    pub(super) fn of_system() -> Arc<Self> {
        Arc::clone(&SYSTEM)
    }

    /// Those of a PEM file.
    pub(super) fn from_pem(pem: &[u8]) -> Result<Self, String> {
        let certificates = CertificateDer::pem_slice_iter(pem)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| format!("it is not PEM: {error}"))?;
        let roots = Self::new(certificates);
        if roots.store.is_empty() {
            return Err("it holds no certificate in PEM form".to_owned());
        }
        Ok(roots)
    }

    fn new(certificates: Vec<CertificateDer<'static>>) -> Self {
        let mut roots = Self { store: RootCertStore::empty(), listed: HashSet::new(), expiry: HashMap::new() };
        for certificate in certificates {
            if let Ok((_, parsed)) = X509Certificate::from_der(&certificate) {
                let subject = parsed.subject().as_raw().into();
                roots.expiry.entry(subject).or_default().push(parsed.validity().not_after.timestamp());
            }
            roots.listed.insert(digest(&certificate));
            // A certificate webpki cannot read is one it would never accept as an issuer either.
            let _ = roots.store.add(certificate);
        }
        roots
    }

    /// Whether this very certificate is listed.
    pub(super) fn lists(&self, certificate: &CertificateDer<'_>) -> bool {
        self.listed.contains(&digest(certificate))
    }

    /// When the roots of this name end, in seconds since the epoch.
    pub(super) fn expiry_of(&self, subject: &[u8]) -> &[i64] {
        self.expiry.get(subject).map_or(&[], Vec::as_slice)
    }
}
