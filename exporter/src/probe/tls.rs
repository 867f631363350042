//! TLS for probers: `tls_config` as blackbox_exporter has it, the handshake, and the certificate metrics.
//!
//! Trust roots are loaded once per process and client configurations built once per module.

use std::sync::Arc;

use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use super::{Failure, Reason, Samples};
use crate::config::decode::Cursor;

/// A module's `tls_config`, ready to use.
#[derive(Clone, Debug)]
pub struct TlsSettings {
    /// Shared by all runs of the module.
    pub config: Arc<rustls::ClientConfig>,
    /// `server_name`: replaces the target's name in SNI and verification.
    pub server_name: Option<String>,
}

/// Reads a `tls_config` section; `None` in `cursor` means the defaults. `alpn` is what the prober speaks.
pub fn decode(_cursor: Option<Cursor<'_>>, _alpn: &[&[u8]]) -> Option<TlsSettings> {
    None
}

/// A handshake over `stream`; sets the `probe_ssl_*` and `probe_tls_*` metrics, also where verification fails.
///
/// # Errors
/// Reasons `certificate`, `tls`, `reset`.
pub async fn handshake(
    _stream: TcpStream,
    _host: &str,
    _tls: &TlsSettings,
    _out: &mut Samples,
) -> Result<TlsStream<TcpStream>, Failure> {
    Err(Failure::new(Reason::Internal, "not built yet"))
}
