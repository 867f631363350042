//! Certificates of every kind that is refused, and one that is not.

use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, SanType, date_time_ymd};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;

/// A root, written to `ca.pem`, and an authority between it and the servers.
pub(super) struct Pki {
    root: CertificateDer<'static>,
    between: Issuer<'static, KeyPair>,
    between_der: CertificateDer<'static>,
    provider: Arc<rustls::crypto::CryptoProvider>,
}

/// What is special about a server's certificate and TLS.
pub(super) struct Leaf {
    /// A name beside the address 127.0.0.1, or instead of it.
    pub(super) name: &'static str,
    pub(super) with_address: bool,
    /// First and last year.
    pub(super) years: (i32, i32),
    pub(super) versions: &'static [&'static rustls::SupportedProtocolVersion],
    /// Clients need a certificate of the same root.
    pub(super) demanding: bool,
}

impl Default for Leaf {
    fn default() -> Self {
        Self {
            name: "a.example",
            with_address: true,
            years: (2000, 2080),
            versions: rustls::ALL_VERSIONS,
            demanding: false,
        }
    }
}

impl Pki {
    /// Root, authority between, and a client's certificate (`client.pem`, `client.key`), which end in the order 2060, 2070.
    pub(super) fn new(folder: &Path) -> Self {
        let ca = |name: &str, end: i32| {
            let mut params = CertificateParams::default();
            params.distinguished_name.push(DnType::CommonName, name);
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            params.not_after = date_time_ymd(end, 1, 1);
            (params, KeyPair::generate().unwrap())
        };
        let (root, root_key) = ca("root", 2060);
        let root_certificate = root.self_signed(&root_key).unwrap();
        std::fs::write(folder.join("ca.pem"), root_certificate.pem()).unwrap();
        let issuer = Issuer::new(root, root_key);
        let (between, between_key) = ca("between", 2070);
        let between_der = between.signed_by(&between_key, &issuer).unwrap().der().clone();
        let key = KeyPair::generate().unwrap();
        let client = CertificateParams::new(["client".to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
        std::fs::write(folder.join("client.pem"), client.pem()).unwrap();
        std::fs::write(folder.join("client.key"), key.serialize_pem()).unwrap();
        Self {
            root: root_certificate.der().clone(),
            between: Issuer::new(between, between_key),
            between_der,
            provider: Arc::new(rustls::crypto::ring::default_provider()),
        }
    }

    /// A server's side.
    pub(super) fn server(&self, leaf: &Leaf) -> Arc<ServerConfig> {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new([leaf.name.to_owned()]).unwrap();
        if leaf.with_address {
            params.subject_alt_names.push(SanType::IpAddress(Ipv4Addr::LOCALHOST.into()));
        }
        params.not_before = date_time_ymd(leaf.years.0, 1, 1);
        params.not_after = date_time_ymd(leaf.years.1, 1, 1);
        let certificate = params.signed_by(&key, &self.between).unwrap().der().clone();
        let chain = vec![certificate, self.between_der.clone()];
        let builder = ServerConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_protocol_versions(leaf.versions)
            .unwrap();
        let builder = if leaf.demanding {
            let mut roots = rustls::RootCertStore::empty();
            roots.add(self.root.clone()).unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&self.provider));
            builder.with_client_cert_verifier(verifier.build().unwrap())
        } else {
            builder.with_no_client_auth()
        };
        Arc::new(builder.with_single_cert(chain, PrivateKeyDer::try_from(key.serialize_der()).unwrap()).unwrap())
    }

    /// A server whose certificate is as it should be.
    pub(super) fn good(&self) -> Arc<ServerConfig> {
        self.server(&Leaf::default())
    }
}
