//! TLS for probers: `tls_config` as blackbox_exporter has it, the handshake, and the certificate metrics.
//!
//! Trust roots are loaded once per process and client configurations built once per module. Every
//! handshake is a full one (no resumption): a probe must see the certificate. The metrics of a
//! certificate are set also where it does not verify: an expired one still shows when it expired.

mod certificate;
mod explain;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;
pub(crate) mod name;
mod noted;
mod roots;
mod settings;
mod verify;

use std::io;
use std::sync::Arc;

use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

pub(in crate::probe) use explain::later_reason;
pub use noted::{Note, Noted};
pub use settings::{TlsSettings, decode};

use self::verify::{Asked, Recorder};
use super::{Failure, Metric, Reason, Samples};

/// A handshake over `stream`; sets the `probe_ssl_*` and `probe_tls_*` metrics, also where verification fails.
///
/// `host` is the name or address the peer must prove to be, unless `tls_config` has a `server_name`.
///
/// # Errors
/// Reasons `certificate`, `tls`, `reset`.
pub async fn handshake<S>(stream: S, host: &str, tls: &TlsSettings, out: &mut Samples) -> Result<TlsStream<S>, Failure>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    handshake_named(stream, tls.server_name.as_deref().unwrap_or(host), tls, out).await
}

/// As [`handshake`], with a peer that `server_name` is not about: it must prove to be `name`.
///
/// # Errors
/// Reasons `certificate`, `tls`, `reset`.
pub async fn handshake_named<S>(
    stream: S,
    name: &str,
    tls: &TlsSettings,
    out: &mut Samples,
) -> Result<TlsStream<S>, Failure>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    out.stage("waiting for the TLS handshake");
    let session = tls.session_named(name)?;
    match TlsConnector::from(Arc::clone(&session.config)).connect(session.name.clone(), stream).await {
        Ok(stream) => {
            session.write_certificate(out);
            write_connection(stream.get_ref().1, out);
            out.client_certificate_asked = session.recorder.was_asked();
            Ok(stream)
        }
        Err(error) => {
            session.write_certificate(out);
            Err(session.failure(&error))
        }
    }
}

/// One handshake's configuration, for those who need to carry it out themselves; [`handshake`] is built of it.
#[derive(Debug)]
pub struct Session {
    /// The module's configuration, with a verifier that remembers what this peer sent.
    pub config: Arc<rustls::ClientConfig>,
    /// What the peer must prove to be.
    pub name: ServerName<'static>,
    recorder: Arc<Recorder>,
    facts: Arc<certificate::Cache>,
}

impl TlsSettings {
    /// A configuration for one handshake with `host` (a name or an address, IPv6 with or without brackets),
    /// or with `server_name` where `tls_config` has one.
    ///
    /// # Errors
    /// Reason `tls` when that can be no server's name.
    pub fn session(&self, host: &str) -> Result<Session, Failure> {
        self.session_named(self.server_name.as_deref().unwrap_or(host))
    }

    fn session_named(&self, host: &str) -> Result<Session, Failure> {
        let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
        let name = ServerName::try_from(bare.trim_end_matches('.').to_owned())
            .map_err(|_| Failure::new(Reason::Tls, format_args!("`{bare}` cannot be the name of a TLS server")))?;
        let recorder = Arc::new(Recorder::new(Arc::clone(&self.trust)));
        let mut config = rustls::ClientConfig::clone(&self.config);
        config.dangerous().set_certificate_verifier(Arc::clone(&recorder) as _);
        config.client_auth_cert_resolver = Arc::new(Asked::new(&self.config, &recorder));
        Ok(Session { config: Arc::new(config), name, recorder, facts: Arc::clone(&self.facts) })
    }
}

impl Session {
    /// Sets what the peer's certificates say; nothing where it sent none.
    pub fn write_certificate(&self, out: &mut Samples) {
        let Some(seen) = self.recorder.seen() else { return };
        if let Some(facts) = self.facts.of(seen, self.recorder.roots()) {
            facts.write(seen.verified, out);
        }
        out.found_chain(|| certificate::told(&seen.chain));
    }

    /// What an error of this handshake means.
    #[must_use]
    pub fn failure(&self, error: &io::Error) -> Failure {
        explain::failure(error, &self.name, &self.recorder)
    }
}

/// What an error of reading or writing over an established connection means; `None` where TLS is not the cause.
#[must_use]
pub fn explain(error: &io::Error) -> Option<Failure> {
    explain::later_failure(error)
}

/// Sets the TLS version and cipher of an established connection.
pub fn write_connection(connection: &rustls::ClientConnection, out: &mut Samples) {
    use rustls::ProtocolVersion as V;
    let version = match connection.protocol_version() {
        Some(V::TLSv1_2) => "TLS 1.2",
        Some(V::TLSv1_3) => "TLS 1.3",
        _ => "unknown",
    };
    out.set_info(Metric::TlsVersionInfo, &[("version", version)], 1.0);
    out.found(|| version.to_owned());
    if let Some(cipher) = connection.negotiated_cipher_suite().and_then(|suite| suite.suite().as_str()) {
        // rustls marks the suites of TLS 1.3 in their names; the registry and Go do not.
        let registered = cipher.strip_prefix("TLS13_");
        let text = registered.map_or_else(|| cipher.to_owned(), |rest| format!("TLS_{rest}"));
        out.set_info(Metric::TlsCipherInfo, &[("cipher", &text)], 1.0);
    }
}
