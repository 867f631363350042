//! What the flags say, read and checked before anything is asked.

use crate::cli::PrometheusFlags;
use crate::config::diagnostics::Diagnostic;
use crate::http_client::{self, Names, Peer};

/// Bytes of an answer that are read, as sent and decompressed.
const MAX_BODY: u64 = 256 << 20;
/// What the flags are called.
const NAMES: Names = Names { url: "--prometheus.url", config: "--prometheus.config.file" };
/// Samples that one call keeps: 16 bytes each.
const MAX_POINTS: usize = 16 << 20;

/// Where Prometheus is, and how it is asked.
#[derive(Debug)]
pub struct Settings {
    pub(super) peer: Peer,
    /// Samples that one call keeps: 16 Mi, of 16 bytes each.
    pub max_points: usize,
    /// What is odd about the configuration file, to be told the user.
    pub warnings: Vec<Diagnostic>,
}

/// Why the flags make no sense.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The URL; the text does not repeat it.
    #[error("--prometheus.url: {0}")]
    Url(String),
    /// Findings in the configuration file, warnings included; one line each.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    File(Vec<Diagnostic>),
    /// TLS cannot be set up at all.
    #[error("TLS cannot be set up on this system")]
    Tls,
}

impl Settings {
    /// Reads the URL and the configuration file. Nothing is asked yet.
    ///
    /// # Errors
    /// With every finding about the file, or what is wrong with the URL.
    pub fn from_flags(flags: &PrometheusFlags) -> Result<Self, SettingsError> {
        let (http, warnings) = match &flags.config_file {
            None => (http_client::defaults().ok_or(SettingsError::Tls)?, Vec::new()),
            Some(file) => http_client::load(file).map_err(SettingsError::File)?,
        };
        let peer = Peer::new(flags.url.expose(), http, flags.timeout, MAX_BODY, &NAMES).map_err(SettingsError::Url)?;
        Ok(Self { peer, max_points: MAX_POINTS, warnings })
    }

    /// Bytes of an answer that are read at most, as sent and decompressed; 256 MiB unless changed.
    pub fn limit_body(&mut self, bytes: u64) {
        self.peer.max_body = bytes;
    }

    /// Where it is, without credentials.
    #[must_use]
    pub fn url(&self) -> String {
        self.peer.url()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::secret::Secret;

    fn flags(url: &str) -> PrometheusFlags {
        PrometheusFlags { url: Secret::new(url), config_file: None, timeout: Duration::from_secs(1) }
    }

    #[test]
    fn a_password_is_in_no_text() {
        let settings = Settings::from_flags(&flags("http://user:hunter2@example.com/p/")).unwrap();
        assert_eq!(settings.url(), "http://example.com/p");
        assert!(!format!("{settings:?}").contains("hunter2"), "{settings:?}");
        let error = Settings::from_flags(&flags("user:hunter2@example.com")).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
    }

    #[test]
    fn a_user_in_the_url_and_one_in_the_file_are_one_too_many() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("http.yml");
        std::fs::write(&file, "basic_auth: {username: a}\n").unwrap();
        let with_file = |url| PrometheusFlags { config_file: Some(file.clone()), ..flags(url) };
        assert!(Settings::from_flags(&with_file("http://example.com")).is_ok());
        let error = Settings::from_flags(&with_file("http://b:hunter2@example.com")).unwrap_err().to_string();
        assert!(error.starts_with("--prometheus.url: it has a user, and so has --prometheus.config.file"), "{error}");
    }
}
