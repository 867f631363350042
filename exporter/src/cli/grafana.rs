//! Where Grafana is, for the command that reads what people drew there.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::prometheus::{secret, timeout};
use crate::secret::Secret;

/// Where Grafana is and how it is asked.
#[derive(Clone, Debug, Default, Args)]
pub struct GrafanaFlags {
    /// Instead of measured downtime: what people drew in Grafana with the tag `sla`. http(s)://HOST:PORT with the path prefix, if
    /// any; without URL, the one in the section `grafana` of the configuration
    #[arg(id = "grafana_url", long = "grafana", value_name = "URL", num_args = 0..=1, default_missing_value = "", value_parser = secret)]
    pub url: Option<Secret>,
    /// File with the token of a service account; reading rights are enough [default: as in the section `grafana`]
    #[arg(
        id = "grafana_token_file",
        long = "grafana.token-file",
        value_name = "FILE",
        env = "SLA_EXPORTER_GRAFANA_TOKEN_FILE",
        conflicts_with = "grafana_config_file"
    )]
    pub token_file: Option<PathBuf>,
    /// Credentials, TLS and headers for it: a file in the format of Prometheus' own http_config
    #[arg(
        id = "grafana_config_file",
        long = "grafana.config.file",
        value_name = "FILE",
        env = "SLA_EXPORTER_GRAFANA_CONFIG_FILE"
    )]
    pub config_file: Option<PathBuf>,
    /// How long one request to it may take
    #[arg(
        id = "grafana_timeout",
        long = "grafana.timeout",
        value_name = "DURATION",
        value_parser = timeout,
        default_value = "30s"
    )]
    pub timeout: Duration,
}
