//! Verification that remembers what it saw, also where it refuses.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{ResolvesClientCert, verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::sign::CertifiedKey;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, SignatureScheme};
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::roots::Roots;

/// What a module trusts.
#[derive(Clone, Debug)]
pub(super) struct Trust {
    /// Absent with `insecure_skip_verify`.
    roots: Option<Arc<Roots>>,
    algorithms: WebPkiSupportedAlgorithms,
    /// Whether the certificate must be for the name that is probed.
    check_name: bool,
}

impl Trust {
    pub(super) fn new(roots: Option<Arc<Roots>>, algorithms: WebPkiSupportedAlgorithms) -> Self {
        Self { roots, algorithms, check_name: true }
    }

    /// Trusts whatever is sent.
    pub(super) fn everything(self) -> Self {
        Self { roots: None, ..self }
    }

    /// Trusts a certificate of these roots whatever its name is.
    pub(super) fn any_name(self) -> Self {
        Self { check_name: false, ..self }
    }

    pub(super) fn verifies(&self) -> bool {
        self.roots.is_some()
    }

    fn verify(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        now: UnixTime,
    ) -> Result<(), Error> {
        let Some(roots) = &self.roots else { return Ok(()) };
        let parsed = ParsedCertificate::try_from(leaf)?;
        if roots.lists(leaf) {
            // webpki takes no CA for a server, but `openssl req -x509` makes just that and `ca_file` names it.
            verify_validity(leaf, now)?;
        } else {
            verify_server_cert_signed_by_trust_anchor(&parsed, &roots.store, intermediates, now, self.algorithms.all)?;
        }
        if self.check_name { verify_server_name(&parsed, name) } else { Ok(()) }
    }
}

fn verify_validity(leaf: &CertificateDer<'_>, now: UnixTime) -> Result<(), CertificateError> {
    let (_, parsed) = X509Certificate::from_der(leaf).map_err(|_| CertificateError::BadEncoding)?;
    let at = |time: i64| u64::try_from(time).unwrap_or(0);
    let not_before = at(parsed.validity().not_before.timestamp());
    let not_after = at(parsed.validity().not_after.timestamp());
    let moment = |seconds| UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds));
    if now.as_secs() < not_before {
        Err(CertificateError::NotValidYetContext { time: now, not_before: moment(not_before) })
    } else if now.as_secs() > not_after {
        Err(CertificateError::ExpiredContext { time: now, not_after: moment(not_after) })
    } else {
        Ok(())
    }
}

/// The verifier of one handshake.
#[derive(Debug)]
pub(super) struct Recorder {
    trust: Arc<Trust>,
    seen: OnceLock<Seen>,
    asked: AtomicBool,
}

/// What one peer sent.
#[derive(Debug)]
pub(super) struct Seen {
    /// Leaf first.
    pub(super) chain: Vec<CertificateDer<'static>>,
    /// Whether it was verified (not so with `insecure_skip_verify`).
    pub(super) verified: bool,
    /// When, in seconds since the epoch.
    pub(super) at: u64,
}

impl Recorder {
    pub(super) fn new(trust: Arc<Trust>) -> Self {
        Self { trust, seen: OnceLock::new(), asked: AtomicBool::new(false) }
    }

    pub(super) fn seen(&self) -> Option<&Seen> {
        self.seen.get()
    }

    /// Whether the peer asked for a client certificate.
    pub(super) fn was_asked(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
    }

    pub(super) fn roots(&self) -> Option<&Roots> {
        self.trust.roots.as_deref()
    }
}

/// The module's client certificate, given to whoever asks for it, which is remembered.
#[derive(Debug)]
pub(super) struct Asked {
    own: Arc<dyn ResolvesClientCert>,
    recorder: Arc<Recorder>,
}

impl Asked {
    pub(super) fn new(config: &ClientConfig, recorder: &Arc<Recorder>) -> Self {
        Self { own: Arc::clone(&config.client_auth_cert_resolver), recorder: Arc::clone(recorder) }
    }
}

impl ResolvesClientCert for Asked {
    fn resolve(&self, issuers: &[&[u8]], schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.recorder.asked.store(true, Ordering::Relaxed);
        self.own.resolve(issuers, schemes)
    }

    fn has_certs(&self) -> bool {
        self.own.has_certs()
    }
}

impl ServerCertVerifier for Recorder {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let result = self.trust.verify(end_entity, intermediates, server_name, now);
        let chain = std::iter::once(end_entity).chain(intermediates).map(|c| c.clone().into_owned()).collect();
        let verified = result.is_ok() && self.trust.roots.is_some();
        let _ = self.seen.set(Seen { chain, verified, at: now.as_secs() });
        result.map(|()| ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.trust.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.trust.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.trust.algorithms.supported_schemes()
    }
}
