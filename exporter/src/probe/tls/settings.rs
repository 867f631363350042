//! The section `tls_config`.

use std::fmt;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, SupportedProtocolVersion, version};

use super::certificate::Cache;
use super::roots::Roots;
use super::verify::{Recorder, Trust};
use crate::config::decode::{Cursor, MapCursor};
use crate::secret::SecretSource;

/// A module's `tls_config`, ready to use.
#[derive(Clone)]
pub struct TlsSettings {
    /// Shared by all runs of the module; [`session`](Self::session) makes one handshake's configuration of it.
    pub(super) config: Arc<ClientConfig>,
    /// `server_name`: replaces the target's name in SNI and verification.
    pub server_name: Option<String>,
    pub(super) trust: Arc<Trust>,
    pub(super) facts: Arc<Cache>,
    /// The client's own certificate, as it was read.
    client: Option<Arc<[u8]>>,
}

impl fmt::Debug for TlsSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsSettings").field("server_name", &self.server_name).finish_non_exhaustive()
    }
}

impl TlsSettings {
    /// The same, but whatever certificate is sent will do: PostgreSQL's `sslmode: require`.
    #[must_use]
    pub fn without_verification(self) -> Self {
        Self { trust: Arc::new(Trust::clone(&self.trust).everything()), ..self }
    }

    /// The same, but the certificate's name does not matter: PostgreSQL's `sslmode: verify-ca`.
    #[must_use]
    pub fn without_name_check(self) -> Self {
        Self { trust: Arc::new(Trust::clone(&self.trust).any_name()), ..self }
    }

    /// Whether certificates are verified (not so with `insecure_skip_verify`).
    #[must_use]
    pub fn verifies(&self) -> bool {
        self.trust.verifies()
    }

    /// As whom a client shows itself: its certificate in PEM form, where it has one.
    #[must_use]
    pub fn client_certificate(&self) -> Option<&Arc<[u8]>> {
        self.client.as_ref()
    }
}

/// Reads a `tls_config` section; `None` in `cursor` means the defaults. `alpn` is what the prober speaks.
pub fn decode(cursor: Option<Cursor<'_>>, alpn: &[&[u8]]) -> Option<TlsSettings> {
    let Some(cursor) = cursor else {
        return build(&cursor_free_error, Read::default(), alpn);
    };
    let mut map = cursor.map()?;
    let ca = content(&mut map, "ca", "ca_file");
    let cert = content(&mut map, "cert", "cert_file");
    let key = map.secret("key", "key_file");
    // Used when the module is built, with the certificate: a new pair is taken over when either file changes.
    if let Some(cursor) = map.get("key_file") {
        let _ = cursor.file();
    }
    let server_name = map.get("server_name").map_or(Some(None), |c| {
        let text = c.non_empty()?;
        match ServerName::try_from(text.as_str()) {
            Ok(_) => Some(Some(text)),
            Err(_) => c.error("is not a host name or an IP address; write the name the certificate is for"),
        }
    });
    let insecure = map.get("insecure_skip_verify").map_or(Some(false), |c| c.bool());
    let min = version_of(&mut map, "min_version");
    let max = version_of(&mut map, "max_version");
    map.unsupported(&["ca_ref", "cert_ref", "key_ref"], "write the certificate to a file and name that in `ca_file`");
    let error = {
        let cursor = cursor.clone();
        move |message: &str| {
            cursor.error::<()>(message);
        }
    };
    map.finish();
    let versions = versions(min?, max?, &error)?;
    let read =
        Read { ca: ca?, client: client(cert?, key, &error)?, server_name: server_name?, insecure: insecure?, versions };
    build(&error, read, alpn)
}

/// Reports an error where there is no section to report it at: the defaults have none.
fn cursor_free_error(message: &str) {
    tracing::error!("tls_config defaults: {message}");
}

/// What a section says, files read.
struct Read {
    ca: Option<Vec<u8>>,
    client: Option<(Vec<u8>, SecretSource)>,
    server_name: Option<String>,
    insecure: bool,
    versions: &'static [&'static SupportedProtocolVersion],
}

impl Default for Read {
    fn default() -> Self {
        Self { ca: None, client: None, server_name: None, insecure: false, versions: BOTH }
    }
}

const BOTH: &[&SupportedProtocolVersion] = &[&version::TLS12, &version::TLS13];
const ONLY_12: &[&SupportedProtocolVersion] = &[&version::TLS12];
const ONLY_13: &[&SupportedProtocolVersion] = &[&version::TLS13];

/// PEM text from a file or inline. The outer `None` means a reported error.
// absent and wrong are two things here
fn content(map: &mut MapCursor<'_>, inline: &'static str, file: &'static str) -> Option<Option<Vec<u8>>> {
    match (map.get(inline), map.get(file)) {
        (Some(cursor), Some(_)) => cursor.error(format_args!("give `{inline}` or `{file}`, not both")),
        (Some(cursor), None) => cursor.non_empty().map(|text| Some(text.into_bytes())),
        (None, Some(cursor)) => cursor.file_content().map(Some),
        (None, None) => Some(None),
    }
}

fn client(
    cert: Option<Vec<u8>>,
    key: Option<SecretSource>,
    error: &impl Fn(&str),
) -> Option<Option<(Vec<u8>, SecretSource)>> {
    match (cert, key) {
        (None, None) => Some(None),
        (Some(cert), Some(key)) => Some(Some((cert, key))),
        (Some(_), None) => {
            error("`cert_file` needs `key_file` beside it");
            None
        }
        (None, Some(_)) => {
            error("`key_file` needs `cert_file` beside it");
            None
        }
    }
}

/// `TLS10` to `TLS13` as a number; the outer `None` means a reported error.
fn version_of(map: &mut MapCursor<'_>, key: &'static str) -> Option<Option<u8>> {
    let words = [("TLS10", 10), ("TLS11", 11), ("TLS12", 12), ("TLS13", 13)];
    let Some(cursor) = map.get(key) else { return Some(None) };
    let version = cursor.one_of(&words)?;
    if version < 12 {
        if key == "max_version" {
            return cursor.error("TLS below 1.2 is not spoken; accepted: TLS12, TLS13");
        }
        cursor.warn("TLS below 1.2 is not spoken: a peer that speaks nothing newer fails; write TLS12 or TLS13");
    }
    Some(Some(version))
}

fn versions(
    min: Option<u8>,
    max: Option<u8>,
    error: &impl Fn(&str),
) -> Option<&'static [&'static SupportedProtocolVersion]> {
    match (min.unwrap_or(12) > 12, max.unwrap_or(13) > 12) {
        (false, true) => Some(BOTH),
        (true, true) => Some(ONLY_13),
        (false, false) => Some(ONLY_12),
        (true, false) => {
            error("`min_version` is above `max_version`");
            None
        }
    }
}

fn build(error: &impl Fn(&str), read: Read, alpn: &[&[u8]]) -> Option<TlsSettings> {
    let roots = match &read.ca {
        _ if read.insecure => None,
        None => Some(Roots::of_system()),
        Some(pem) => match Roots::from_pem(pem) {
            Ok(roots) => Some(Arc::new(roots)),
            Err(why) => {
                error(&format!("the CA certificate cannot be used: {why}"));
                return None;
            }
        },
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let trust = Arc::new(Trust::new(roots, provider.signature_verification_algorithms));
    let builder = match ClientConfig::builder_with_provider(provider).with_protocol_versions(read.versions) {
        Ok(builder) => builder,
        Err(why) => {
            error(&why.to_string());
            return None;
        }
    };
    let builder = builder.dangerous().with_custom_certificate_verifier(Arc::new(Recorder::new(Arc::clone(&trust))));
    let client = read.client.as_ref().map(|(cert, _)| Arc::from(cert.as_slice()));
    let mut config = match read.client {
        None => builder.with_no_client_auth(),
        Some((cert, key)) => {
            let loaded = identity(&cert, &key)
                .and_then(|(chain, key)| builder.with_client_auth_cert(chain, key).map_err(|why| why.to_string()));
            match loaded {
                Ok(config) => config,
                Err(why) => {
                    error(&format!("the client certificate cannot be used: {why}"));
                    return None;
                }
            }
        }
    };
    config.alpn_protocols = alpn.iter().map(|protocol| protocol.to_vec()).collect();
    config.resumption = rustls::client::Resumption::disabled();
    Some(TlsSettings {
        config: Arc::new(config),
        server_name: read.server_name,
        trust,
        facts: Arc::new(Cache::default()),
        client,
    })
}

type Identity = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

/// A client certificate chain and its key. No message repeats what a file contains.
fn identity(cert: &[u8], key: &SecretSource) -> Result<Identity, String> {
    let chain = CertificateDer::pem_slice_iter(cert).collect::<Result<Vec<_>, _>>().unwrap_or_default();
    if chain.is_empty() {
        return Err("`cert_file` holds no certificate in PEM form".to_owned());
    }
    let key = key.read().map_err(|why| why.to_string())?;
    let key = PrivateKeyDer::from_pem_slice(key.expose().as_bytes())
        .map_err(|_| "`key_file` holds no unencrypted private key in PEM form".to_owned())?;
    Ok((chain, key))
}
