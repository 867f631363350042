//! `tls_server_config`: certificate, client certificates, versions, cipher suites and curves.
//!
//! rustls has no TLS 1.0/1.1, no RSA key exchange and no CBC suites: asked for, they are refused by name.

use std::sync::Arc;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{CryptoProvider, SupportedKxGroup, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, RootCertStore, ServerConfig, SignatureScheme,
    SupportedCipherSuite, SupportedProtocolVersion, version,
};
use tokio_rustls::TlsAcceptor;
use x509_parser::extensions::GeneralName;
use x509_parser::parse_x509_certificate;

use crate::config::decode::{Cursor, MapCursor, collect};
use crate::config::diagnostics::{Document, Severity};
use crate::config::node::Mark;

/// TLS as configured.
pub(super) struct Tls {
    pub(super) acceptor: TlsAcceptor,
    /// A client without a certificate is turned away.
    pub(super) demands_certificate: bool,
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls").field("demands_certificate", &self.demands_certificate).finish_non_exhaustive()
    }
}

/// Go's policies for client certificates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ClientAuth {
    None,
    Request,
    RequireAny,
    VerifyIfGiven,
    RequireAndVerify,
}

const CLIENT_AUTH: &[(&str, ClientAuth)] = &[
    ("NoClientCert", ClientAuth::None),
    ("RequestClientCert", ClientAuth::Request),
    ("RequireAnyClientCert", ClientAuth::RequireAny),
    ("VerifyClientCertIfGiven", ClientAuth::VerifyIfGiven),
    ("RequireAndVerifyClientCert", ClientAuth::RequireAndVerify),
];

/// Reads the section.
pub(super) fn decode(mut map: MapCursor<'_>, http2: bool) -> Option<Tls> {
    let certificates = pem(&mut map, "cert", "cert_file", true);
    let key = pem(&mut map, "key", "key_file", true);
    let client_ca = pem(&mut map, "client_ca", "client_ca_file", false);
    let policy = map.get("client_auth_type").map_or(Some(ClientAuth::None), |c| c.one_of(CLIENT_AUTH));
    let sans = map.get("client_allowed_sans");
    let versions = versions(&mut map);
    let suites = map.get("cipher_suites").map_or(Some(Vec::new()), |c| collect(&c.list()?, suite));
    let prefer_server = map.get("prefer_server_cipher_suites").map_or(Some(true), |c| c.bool());
    let groups = map.get("curve_preferences").map_or(Some(Vec::new()), |c| collect(&c.list()?, group));
    let place = Place { doc: map.document(), mark: map.mark(), path: map.path().to_owned() };
    map.finish();

    let provider = Arc::new(provider(suites?, groups?));
    let verifier = client_verifier(&place, policy?, client_ca?.as_ref(), sans.as_ref(), &provider);
    let (chain, key) = (certificates?.and_then(|pem| pem.certificates()), key?.and_then(|pem| pem.key()));
    let (chain, key, versions, verifier) = (chain?, key?, versions?, verifier?);
    let demands_certificate = verifier.as_ref().is_some_and(|v| v.client_auth_mandatory());
    let builder = match ServerConfig::builder_with_provider(provider).with_protocol_versions(&versions) {
        Ok(builder) => builder,
        Err(error) => return place.error(format_args!("no TLS is possible with these settings: {error}")),
    };
    let builder = match verifier {
        Some(verifier) => builder.with_client_cert_verifier(verifier),
        None => builder.with_no_client_auth(),
    };
    let mut config = match builder.with_single_cert(chain, key) {
        Ok(config) => config,
        Err(error) => return place.error(format_args!("certificate and key do not work together: {error}")),
    };
    config.ignore_client_order = prefer_server?;
    config.alpn_protocols = if http2 { vec![b"h2".to_vec(), b"http/1.1".to_vec()] } else { vec![b"http/1.1".to_vec()] };
    Some(Tls { acceptor: TlsAcceptor::from(Arc::new(config)), demands_certificate })
}

/// The section itself, for what is wrong with it as a whole.
struct Place<'a> {
    doc: &'a Document,
    mark: Mark,
    path: String,
}

impl Place<'_> {
    fn error<T>(&self, message: impl std::fmt::Display) -> Option<T> {
        self.doc.report(Severity::Error, self.mark, self.path.clone(), message);
        None
    }
}

/// PEM text, and where it was named.
struct Pem<'a> {
    cursor: Cursor<'a>,
    text: Vec<u8>,
}

/// The PEM under `inline` or in the file under `file`; outer `None` when something was reported.
fn pem<'a>(
    map: &mut MapCursor<'a>,
    inline: &'static str,
    file: &'static str,
    required: bool,
) -> Option<Option<Pem<'a>>> {
    match (map.get(inline), map.get(file)) {
        (Some(cursor), Some(_)) => cursor.error(format_args!("give `{inline}` or `{file}`, not both")),
        (Some(cursor), None) => cursor.string().map(|text| Some(Pem { text: text.into_bytes(), cursor })),
        (None, Some(cursor)) => cursor.file_content().map(|text| Some(Pem { text, cursor })),
        (None, None) if required => {
            map.error(format_args!("`{file}` is missing"));
            None
        }
        (None, None) => Some(None),
    }
}

impl Pem<'_> {
    fn certificates(&self) -> Option<Vec<CertificateDer<'static>>> {
        match CertificateDer::pem_slice_iter(&self.text).collect::<Result<Vec<_>, _>>() {
            Ok(chain) if chain.is_empty() => {
                self.cursor.error("there is no certificate in it (`-----BEGIN CERTIFICATE-----`)")
            }
            Ok(chain) => Some(chain),
            Err(error) => self.cursor.error(format_args!("not a certificate in PEM: {error}")),
        }
    }

    fn key(&self) -> Option<PrivateKeyDer<'static>> {
        match PrivateKeyDer::from_pem_slice(&self.text) {
            Ok(key) => Some(key),
            // The error names what is wrong with the frame, not what is in it.
            Err(error) => self.cursor.error(format_args!("not an unencrypted private key in PEM: {error}")),
        }
    }
}

fn versions(map: &mut MapCursor<'_>) -> Option<Vec<&'static SupportedProtocolVersion>> {
    let mut read = |key, default: u8| {
        let Some(cursor) = map.get(key) else { return Some((default, None)) };
        let number = match cursor.one_of(&[("TLS13", 13), ("TLS12", 12), ("TLS11", 11), ("TLS10", 10)])? {
            number @ (12 | 13) => number,
            _ => return cursor.error("TLS 1.0 and 1.1 are not supported; write TLS12 or TLS13"),
        };
        Some((number, Some(cursor)))
    };
    let (least, most) = (read("min_version", 12), read("max_version", 13));
    let ((least, cursor), (most, _)) = (least?, most?);
    let versions: Vec<_> = [(12, &version::TLS12), (13, &version::TLS13)]
        .into_iter()
        .filter(|(number, _)| (least..=most).contains(number))
        .map(|(_, version)| version)
        .collect();
    match cursor {
        Some(cursor) if versions.is_empty() => cursor.error("min_version is above max_version"),
        _ => Some(versions),
    }
}

/// Suites are configurable up to TLS 1.2; those of TLS 1.3 are always on, as in Go.
fn suite(cursor: &Cursor<'_>) -> Option<SupportedCipherSuite> {
    let name = cursor.string()?;
    if let Some(suite) = ring::ALL_CIPHER_SUITES.iter().find(|suite| suite_name(suite) == name) {
        if suite.tls13().is_some() {
            cursor.warn("has no effect: the suites of TLS 1.3 are always on");
        }
        return Some(*suite);
    }
    let names = ring::ALL_CIPHER_SUITES.iter().filter(|suite| suite.tls13().is_none()).map(suite_name);
    let names = names.collect::<Vec<_>>().join(", ");
    cursor.error(format_args!("cipher suite `{name}` is not supported; accepted: {names}"))
}

fn suite_name(suite: &SupportedCipherSuite) -> String {
    // TLS_AES_128_GCM_SHA256 in the standard and in Go.
    format!("{:?}", suite.suite()).replacen("TLS13_", "TLS_", 1)
}

fn group(cursor: &Cursor<'_>) -> Option<&'static dyn SupportedKxGroup> {
    match cursor.string()?.as_str() {
        "X25519" => Some(ring::kx_group::X25519),
        "CurveP256" => Some(ring::kx_group::SECP256R1),
        "CurveP384" => Some(ring::kx_group::SECP384R1),
        other => cursor.error(format_args!("curve `{other}` is not supported; accepted: X25519, CurveP256, CurveP384")),
    }
}

fn provider(suites: Vec<SupportedCipherSuite>, groups: Vec<&'static dyn SupportedKxGroup>) -> CryptoProvider {
    let mut provider = ring::default_provider();
    if !suites.is_empty() {
        provider.cipher_suites.retain(|suite| suite.tls13().is_some());
        provider.cipher_suites.extend(suites.into_iter().filter(|suite| suite.tls13().is_none()));
    }
    if !groups.is_empty() {
        provider.kx_groups = groups;
    }
    provider
}

/// `Some(None)`: clients are not asked for a certificate.
fn client_verifier(
    place: &Place<'_>,
    policy: ClientAuth,
    client_ca: Option<&Pem<'_>>,
    sans: Option<&Cursor<'_>>,
    provider: &Arc<CryptoProvider>,
) -> Option<Option<Arc<dyn ClientCertVerifier>>> {
    use ClientAuth::{None as Never, RequireAndVerify, RequireAny, VerifyIfGiven};
    let verifies = matches!(policy, VerifyIfGiven | RequireAndVerify);
    let mandatory = matches!(policy, RequireAny | RequireAndVerify);
    let allowed = sans.map_or(Some(Vec::new()), |c| collect(&c.list()?, Cursor::non_empty))?;
    if let (Some(cursor), false) = (sans, mandatory) {
        return cursor.error(
            "has no effect on clients without a certificate; set client_auth_type to RequireAndVerifyClientCert",
        );
    }
    let chains = match (client_ca, verifies) {
        (Some(pem), true) => Some(verified(pem, mandatory, provider)?),
        (None, true) => {
            return place.error("`client_ca_file` is missing: without it no client certificate can be verified");
        }
        (Some(pem), false) if policy == Never => {
            return pem
                .cursor
                .error("has no effect without client_auth_type; write `client_auth_type: RequireAndVerifyClientCert`");
        }
        (_, false) => None,
    };
    if policy == Never {
        return Some(None);
    }
    Some(Some(Arc::new(Verifier { chains, mandatory, allowed, provider: Arc::clone(provider) })))
}

fn verified(pem: &Pem<'_>, mandatory: bool, provider: &Arc<CryptoProvider>) -> Option<Arc<dyn ClientCertVerifier>> {
    let mut roots = RootCertStore::empty();
    for certificate in pem.certificates()? {
        if let Err(error) = roots.add(certificate) {
            return pem.cursor.error(format_args!("not usable as a certificate authority: {error}"));
        }
    }
    let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider));
    let builder = if mandatory { builder } else { builder.allow_unauthenticated() };
    match builder.build() {
        Ok(verifier) => Some(verifier),
        Err(error) => pem.cursor.error(format_args!("not usable as a certificate authority: {error}")),
    }
}

/// Go's policies: with or without verification of the chain, with or without a list of names.
#[derive(Debug)]
struct Verifier {
    chains: Option<Arc<dyn ClientCertVerifier>>,
    mandatory: bool,
    /// One of these must be a subject alternative name; empty: any name.
    allowed: Vec<String>,
    provider: Arc<CryptoProvider>,
}

impl ClientCertVerifier for Verifier {
    fn client_auth_mandatory(&self) -> bool {
        self.mandatory
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.chains.as_ref().map_or(&[], |chains| chains.root_hint_subjects())
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        if let Some(chains) = &self.chains {
            chains.verify_client_cert(end_entity, intermediates, now)?;
        }
        if self.allowed.is_empty() || names(end_entity)?.iter().any(|name| self.allowed.contains(name)) {
            Ok(ClientCertVerified::assertion())
        } else {
            Err(CertificateError::ApplicationVerificationFailure.into())
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, signature, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, signature, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// The subject alternative names of a certificate: DNS, address, mail and URI.
fn names(certificate: &CertificateDer<'_>) -> Result<Vec<String>, rustls::Error> {
    let malformed = || rustls::Error::from(CertificateError::BadEncoding);
    let (_, certificate) = parse_x509_certificate(certificate).map_err(|_| malformed())?;
    let Some(extension) = certificate.subject_alternative_name().map_err(|_| malformed())? else {
        return Ok(Vec::new());
    };
    Ok(extension.value.general_names.iter().filter_map(name).collect())
}

fn name(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(text) | GeneralName::RFC822Name(text) | GeneralName::URI(text) => Some((*text).to_owned()),
        GeneralName::IPAddress(bytes) => match bytes.len() {
            4 => <[u8; 4]>::try_from(*bytes).ok().map(|b| std::net::Ipv4Addr::from(b).to_string()),
            16 => <[u8; 16]>::try_from(*bytes).ok().map(|b| std::net::Ipv6Addr::from(b).to_string()),
            _ => None,
        },
        _ => None,
    }
}
