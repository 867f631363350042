//! Certificates made for a test, and servers that show them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    date_time_ymd,
};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use tokio_rustls::TlsAcceptor;

/// Who signs.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pub(crate) certificate: CertificateDer<'static>,
    pub(crate) pem: String,
    /// Certificates between the root and this one, this one first.
    between: Vec<CertificateDer<'static>>,
}

/// A certificate with its chain and key.
pub(crate) struct Identity {
    pub(crate) chain: Vec<CertificateDer<'static>>,
    key: KeyPair,
}

fn ca_params(name: &str, years: (i32, i32)) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    (params.not_before, params.not_after) = (date_time_ymd(years.0, 1, 1), date_time_ymd(years.1, 1, 1));
    params
}

fn leaf_params(names: &[&str], years: (i32, i32)) -> CertificateParams {
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    let mut params = CertificateParams::new(names).unwrap();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::OrganizationName, "Example, Ltd.");
    params.distinguished_name.push(DnType::CommonName, "leaf");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    params.use_authority_key_identifier_extension = true;
    (params.not_before, params.not_after) = (date_time_ymd(years.0, 1, 1), date_time_ymd(years.1, 1, 1));
    params
}

impl Authority {
    /// A root valid from 2000 to 2090.
    pub(crate) fn new(name: &str) -> Self {
        let (params, key) = (ca_params(name, (2000, 2090)), KeyPair::generate().unwrap());
        let certificate = params.self_signed(&key).unwrap();
        let (pem, der) = (certificate.pem(), certificate.der().clone());
        Self { issuer: Issuer::new(params, key), certificate: der, pem, between: Vec::new() }
    }

    /// An authority below this one.
    pub(crate) fn below(&self, name: &str, years: (i32, i32)) -> Self {
        let (params, key) = (ca_params(name, years), KeyPair::generate().unwrap());
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let (pem, der) = (certificate.pem(), certificate.der().clone());
        let mut between = vec![der.clone()];
        between.extend(self.between.iter().cloned());
        Self { issuer: Issuer::new(params, key), certificate: der, pem, between }
    }

    /// A certificate for `names` (host names and addresses), valid from the first year's start to the second's.
    pub(crate) fn issue(&self, names: &[&str], years: (i32, i32)) -> Identity {
        let key = KeyPair::generate().unwrap();
        let certificate = leaf_params(names, years).signed_by(&key, &self.issuer).unwrap();
        let mut chain = vec![certificate.der().clone()];
        chain.extend(self.between.iter().cloned());
        Identity { chain, key }
    }

    /// Writes the certificate where `ca_file` can name it.
    pub(crate) fn write(&self, folder: &Path) -> PathBuf {
        let path = folder.join("ca.pem");
        std::fs::write(&path, &self.pem).unwrap();
        path
    }
}

impl Identity {
    /// A certificate that signs itself; as a CA, as `openssl req -x509` makes it, or not.
    pub(crate) fn self_signed(names: &[&str], ca: bool) -> (Self, String) {
        let key = KeyPair::generate().unwrap();
        let mut params = leaf_params(names, (2000, 2090));
        if ca {
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        }
        let certificate = params.self_signed(&key).unwrap();
        (Self { chain: vec![certificate.der().clone()], key }, certificate.pem())
    }

    /// Certificate and key as files for `cert_file` and `key_file`.
    pub(crate) fn write(&self, folder: &Path) -> (PathBuf, PathBuf) {
        use base64::Engine as _;
        let (cert, key) = (folder.join("cert.pem"), folder.join("key.pem"));
        let text = base64::engine::general_purpose::STANDARD.encode(&self.chain[0]);
        std::fs::write(&cert, format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n")).unwrap();
        std::fs::write(&key, self.key.serialize_pem()).unwrap();
        (cert, key)
    }

    /// A server's side of TLS, speaking `alpn`; `clients`: who must have signed the client's certificate.
    pub(crate) fn acceptor(&self, alpn: &[&str], clients: Option<&Authority>) -> TlsAcceptor {
        self.acceptor_with(alpn, clients, &[&rustls::version::TLS12, &rustls::version::TLS13])
    }

    /// The same, asking for such a certificate and content without.
    pub(crate) fn asking_acceptor(&self, clients: &Authority) -> TlsAcceptor {
        self.build(&[], Some((clients, false)), &[&rustls::version::TLS12, &rustls::version::TLS13])
    }

    /// As [`Self::acceptor`], speaking some versions only.
    pub(crate) fn acceptor_with(
        &self,
        alpn: &[&str],
        clients: Option<&Authority>,
        versions: &[&'static rustls::SupportedProtocolVersion],
    ) -> TlsAcceptor {
        self.build(alpn, clients.map(|authority| (authority, true)), versions)
    }

    fn build(
        &self,
        alpn: &[&str],
        clients: Option<(&Authority, bool)>,
        versions: &[&'static rustls::SupportedProtocolVersion],
    ) -> TlsAcceptor {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder =
            ServerConfig::builder_with_provider(Arc::clone(&provider)).with_protocol_versions(versions).unwrap();
        let builder = match clients {
            None => builder.with_no_client_auth(),
            Some((authority, required)) => {
                let mut roots = rustls::RootCertStore::empty();
                roots.add(authority.certificate.clone()).unwrap();
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
                let verifier = if required { verifier } else { verifier.allow_unauthenticated() };
                builder.with_client_cert_verifier(verifier.build().unwrap())
            }
        };
        let key = PrivateKeyDer::try_from(self.key.serialize_der()).unwrap();
        let mut config = builder.with_single_cert(self.chain.clone(), key).unwrap();
        config.alpn_protocols = alpn.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
        TlsAcceptor::from(Arc::new(config))
    }
}

/// When `year` begins, in seconds since the epoch.
pub(crate) fn start_of(year: i32) -> f64 {
    date_time_ymd(year, 1, 1).unix_timestamp() as f64
}
