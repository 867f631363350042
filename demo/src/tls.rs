//! TLS for the demo service, with certificates made when it starts: an authority, the service's own, and one for a client, without
//! which nobody is let in (C2.6.3, C2.6.5). What that client needs is written to a folder.
//!
//! Not for production: whoever can read the folder is that client.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::service::PASSWORD;

/// What the service is called: in docker-compose.yml, and on loopback.
const NAMES: [&str; 3] = ["demo", "localhost", "127.0.0.1"];
/// Certificates end a year after the start, as those of a contract do (C2.6.6).
const DAYS: i64 = 366;

/// Writes `ca.pem`, `client.pem`, `client.key` and `password` to `folder`, over those of another start, and makes what the service listens with;
/// `now` in seconds since the epoch.
///
/// # Errors
/// With the file that cannot be written, or what is wrong about a certificate.
pub fn prepare(folder: &Path, now: i64) -> Result<Arc<rustls::ServerConfig>, String> {
    let failed = |error: &dyn std::fmt::Display| format!("certificates for {}: {error}", folder.display());
    let (authority, service, client) = issue(now).map_err(|error| failed(&error))?;
    std::fs::create_dir_all(folder).map_err(|error| failed(&error))?;
    let key = client.1.serialize_pem();
    let password = PASSWORD.to_owned();
    for (name, text) in
        [("ca.pem", authority.pem()), ("client.pem", client.0.pem()), ("client.key", key), ("password", password)]
    {
        write_secret(&folder.join(name), &text)?;
    }

    let mut roots = rustls::RootCertStore::empty();
    roots.add(authority.der().clone()).map_err(|error| failed(&error))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let clients = rustls::server::WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
    let chain: Vec<CertificateDer<'static>> = vec![service.0.der().clone()];
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(service.1.serialize_der()));
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| failed(&error))?
        .with_client_cert_verifier(clients.build().map_err(|error| failed(&error))?)
        .with_single_cert(chain, key)
        .map_err(|error| failed(&error))?;
    Ok(Arc::new(config))
}

type Pair = (rcgen::Certificate, KeyPair);

fn issue(now: i64) -> Result<(CertifiedIssuer<'static, KeyPair>, Pair, Pair), rcgen::Error> {
    let moment = |seconds: i64| rcgen::date_time_ymd(1970, 1, 1) + Duration::from_secs(seconds.unsigned_abs());
    let parameters = |name: &str, names: &[&str]| -> Result<CertificateParams, rcgen::Error> {
        let mut parameters = CertificateParams::new(names.iter().map(ToString::to_string).collect::<Vec<_>>())?;
        parameters.distinguished_name.push(DnType::CommonName, name);
        (parameters.not_before, parameters.not_after) = (moment(now - 86_400), moment(now + DAYS * 86_400));
        Ok(parameters)
    };
    let mut authority = parameters("demo authority", &[])?;
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate()?)?;
    let signed = |parameters: CertificateParams| -> Result<Pair, rcgen::Error> {
        let key = KeyPair::generate()?;
        Ok((parameters.signed_by(&key, &authority)?, key))
    };
    let (service, client) = (signed(parameters("demo", &NAMES)?)?, signed(parameters("monitor", &["monitor"])?)?);
    Ok((authority, service, client))
}

/// For this user alone, whatever was there.
fn write_secret(file: &Path, text: &str) -> Result<(), String> {
    let written = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(file);
    written.and_then(|mut file| file.write_all(text.as_bytes())).map_err(|error| format!("{}: {error}", file.display()))
}
