//! What the flags say, read and checked before anything is asked.

use std::time::Duration;

use super::address::{self, Address};
use super::http_config::{self, HttpConfig};
use crate::cli::PrometheusFlags;
use crate::config::diagnostics::Diagnostic;
use crate::probe::http::Auth;

/// Bytes of an answer that are read, as sent and decompressed.
const MAX_BODY: u64 = 256 << 20;
/// Samples that one call keeps: 16 bytes each.
const MAX_POINTS: usize = 16 << 20;

/// Where Prometheus is, and how it is asked.
#[derive(Debug)]
pub struct Settings {
    pub(super) address: Address,
    pub(super) http: HttpConfig,
    /// Bound of one request, a second attempt included.
    pub(super) timeout: Duration,
    /// Bytes of an answer that are read, as sent and decompressed: 256 MiB.
    pub max_body: u64,
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
        let (address, user_info) = address::parse(flags.url.expose()).map_err(SettingsError::Url)?;
        let (mut http, warnings) = match &flags.config_file {
            None => (http_config::defaults().ok_or(SettingsError::Tls)?, Vec::new()),
            Some(file) => http_config::load(file).map_err(SettingsError::File)?,
        };
        if let Some(info) = user_info {
            if http.auth.is_some() {
                return Err(SettingsError::Url(
                    "it has a user, and so has the file of --prometheus.config.file; keep one of them".to_owned(),
                ));
            }
            http.auth = Auth::of_user(info.user, info.password);
        }
        let timeout = flags.timeout;
        Ok(Self { address, http, timeout, max_body: MAX_BODY, max_points: MAX_POINTS, warnings })
    }

    /// Where it is, without credentials.
    #[must_use]
    pub fn url(&self) -> String {
        self.address.to_string()
    }
}

#[cfg(test)]
mod tests {
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
        assert!(error.starts_with("--prometheus.url: it has a user, and so has the file"), "{error}");
    }
}
