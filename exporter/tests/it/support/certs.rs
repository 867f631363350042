//! Certificates made for one test: a CA of its own and a server certificate it signed.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tempfile::TempDir;

/// A CA, and a server's certificate and key, as PEM files in a folder that goes with it.
pub(crate) struct Certs {
    folder: TempDir,
    pub(crate) certificate: String,
    pub(crate) key: String,
}

impl Certs {
    /// A server certificate for `names` (DNS names or IP addresses).
    pub(crate) fn of(names: &[&str]) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let ca_key = KeyPair::generate().unwrap();
        let mut ca = CertificateParams::new(Vec::new()).unwrap();
        // A name of its own: a stranger's CA must be unknown, not a known one with another key.
        ca.distinguished_name.push(DnType::CommonName, format!("test CA {}", COUNT.fetch_add(1, Ordering::Relaxed)));
        ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let ca_pem = ca.self_signed(&ca_key).unwrap().pem();
        let issuer = Issuer::new(ca, ca_key);
        let key = KeyPair::generate().unwrap();
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let certificate = CertificateParams::new(names).unwrap().signed_by(&key, &issuer).unwrap().pem();
        let folder = TempDir::new().unwrap();
        std::fs::write(folder.path().join("ca.pem"), ca_pem).unwrap();
        Self { folder, certificate, key: key.serialize_pem() }
    }

    /// The CA's file, for `ca_file`.
    pub(crate) fn ca_file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// A TLS server with this certificate that wants one of the same CA from its clients.
    pub(crate) fn demanding_acceptor(&self) -> tokio_rustls::TlsAcceptor {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(self.ca_file()).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier =
            rustls::server::WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
        self.acceptor_with(|builder| builder.with_client_cert_verifier(verifier))
    }

    /// A TLS server with this certificate.
    pub(crate) fn acceptor(&self) -> tokio_rustls::TlsAcceptor {
        self.acceptor_with(rustls::ConfigBuilder::<rustls::ServerConfig, rustls::WantsVerifier>::with_no_client_auth)
    }

    fn acceptor_with(
        &self,
        clients: impl FnOnce(
            rustls::ConfigBuilder<rustls::ServerConfig, rustls::WantsVerifier>,
        ) -> rustls::ConfigBuilder<rustls::ServerConfig, rustls::server::WantsServerCert>,
    ) -> tokio_rustls::TlsAcceptor {
        let chain = vec![CertificateDer::from_pem_slice(self.certificate.as_bytes()).unwrap()];
        let key = PrivateKeyDer::from_pem_slice(self.key.as_bytes()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config = clients(builder.unwrap()).with_single_cert(chain, key).unwrap();
        Arc::new(config).into()
    }

    /// A TLS client that trusts this CA.
    pub(crate) fn connector(&self) -> tokio_rustls::TlsConnector {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(self.ca_file()).unwrap()).unwrap();
        let config = rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        Arc::new(config).into()
    }
}
