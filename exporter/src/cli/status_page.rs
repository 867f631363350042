//! `status-page`: the page for customers as files; and what the running exporter needs for its own.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::PrometheusFlags;
use super::prometheus::{secret, timeout};
use crate::secret::Secret;

/// `status-page`
#[derive(Debug, Args)]
pub struct StatusPageFlags {
    /// Configuration file with the contract; names the ledger
    #[arg(long = "config.file", value_name = "FILE", env = "SLA_EXPORTER_CONFIG_FILE")]
    pub config_file: PathBuf,
    /// Folder to write to, made when needed; each file is replaced as a whole
    #[arg(long, value_name = "FOLDER")]
    pub out: PathBuf,
    /// Where customers will see it.
    #[arg(
        id = "page_url",
        long = "status.url",
        value_name = "URL",
        env = "SLA_EXPORTER_STATUS_URL",
        value_parser = url,
        help = "Where customers will see it, for links in the feed: https://status.example.com/"
    )]
    pub url: Option<String>,
    /// Whom to ask for the slots.
    #[command(flatten)]
    pub prometheus: PrometheusFlags,
}

/// What the status page of the running exporter is made from.
#[derive(Clone, Debug, Default, Args)]
pub struct StatusFlags {
    /// Prometheus that records the SLA's rules, for history and figures on /status; without one they are not shown, and
    /// states are those of this exporter's own probes
    #[arg(
        id = "status_prometheus_url",
        long = "prometheus.url",
        value_name = "URL",
        env = "SLA_EXPORTER_PROMETHEUS_URL",
        hide_env_values = true,
        value_parser = secret
    )]
    prometheus_url: Option<Secret>,
    /// Credentials and TLS for it: a file in the format of Prometheus' own http_config
    #[arg(
        id = "status_prometheus_config_file",
        long = "prometheus.config.file",
        value_name = "FILE",
        env = "SLA_EXPORTER_PROMETHEUS_CONFIG_FILE",
        requires = "status_prometheus_url"
    )]
    prometheus_config_file: Option<PathBuf>,
    /// How long one request to it may take
    #[arg(
        id = "status_prometheus_timeout",
        long = "prometheus.timeout",
        value_name = "DURATION",
        env = "SLA_EXPORTER_PROMETHEUS_TIMEOUT",
        value_parser = timeout,
        default_value = "30s"
    )]
    prometheus_timeout: Duration,
    /// Where customers see /status.
    #[arg(
        id = "status_url",
        long = "status.url",
        value_name = "URL",
        env = "SLA_EXPORTER_STATUS_URL",
        value_parser = url,
        help = "Where customers see /status, for links in its feed: https://example.com/status"
    )]
    pub url: Option<String>,
}

impl StatusFlags {
    /// Whom to ask, if anybody.
    #[must_use]
    pub fn prometheus(&self) -> Option<PrometheusFlags> {
        let url = self.prometheus_url.clone()?;
        Some(PrometheusFlags {
            url,
            config_file: self.prometheus_config_file.clone(),
            timeout: self.prometheus_timeout,
        })
    }
}

fn url(text: &str) -> Result<String, String> {
    const EXPECTED: &str = "write http:// or https:// with a host and, if any, a path: https://status.example.com/";
    let url = url::Url::parse(text).map_err(|why| format!("{why}; {EXPECTED}"))?;
    let plain = matches!(url.scheme(), "http" | "https")
        && url.has_host()
        && url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    if plain { Ok(url.into()) } else { Err(format!("is not the address of a page; {EXPECTED}")) }
}

#[cfg(test)]
mod tests {
    use super::url;

    #[test]
    fn an_address_is_of_a_page_and_has_no_secret() {
        assert_eq!(url("https://status.example.com").unwrap(), "https://status.example.com/");
        assert_eq!(url("http://example.com/a/status").unwrap(), "http://example.com/a/status");
        for bad in ["status.example.com", "ftp://a/", "https://u:p@a/", "https://a/?x", "https://a/#x", "mailto:a@b"] {
            assert!(url(bad).unwrap_err().contains("https://status.example.com/"), "{bad}");
        }
    }
}
