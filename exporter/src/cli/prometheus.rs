//! Where Prometheus is: the flags that `report`, `ledger draft` and whatever else asks it have in common.

use std::convert::Infallible;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use crate::config::decode::parse_duration;
use crate::secret::Secret;

/// Where Prometheus is and how it is asked.
#[derive(Clone, Debug, Args)]
pub struct PrometheusFlags {
    /// Prometheus, or what answers its HTTP API: http(s)://HOST:PORT with the path prefix, if any. user:password@ is
    /// sent as basic authentication and never shown
    #[arg(
        long = "prometheus.url",
        value_name = "URL",
        env = "SLA_EXPORTER_PROMETHEUS_URL",
        hide_env_values = true,
        value_parser = secret,
        default_value = "http://127.0.0.1:9090"
    )]
    pub url: Secret,
    /// Credentials and TLS for it: a file in the format of Prometheus' own http_config
    #[arg(
        id = "prometheus_config_file",
        long = "prometheus.config.file",
        value_name = "FILE",
        env = "SLA_EXPORTER_PROMETHEUS_CONFIG_FILE"
    )]
    pub config_file: Option<PathBuf>,
    /// How long one request to it may take; all that one figure needs may take ten times as long
    #[arg(
        long = "prometheus.timeout",
        value_name = "DURATION",
        env = "SLA_EXPORTER_PROMETHEUS_TIMEOUT",
        value_parser = timeout,
        default_value = "2m"
    )]
    pub timeout: Duration,
}

#[allow(clippy::unnecessary_wraps)] // the shape clap asks for
pub(super) fn secret(text: &str) -> Result<Secret, Infallible> {
    Ok(Secret::new(text))
}

pub(super) fn timeout(text: &str) -> Result<Duration, String> {
    const EXPECTED: &str = "write for example 30s or 2m, up to 1h";
    match parse_duration(text) {
        Ok(Duration::ZERO) => Err(format!("leaves no time to answer; {EXPECTED}")),
        Ok(duration) if duration > Duration::from_secs(3600) => Err(format!("is longer than an hour; {EXPECTED}")),
        Ok(duration) => Ok(duration),
        Err(why) => Err(format!("{why}; {EXPECTED}")),
    }
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, Parser};

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        flags: PrometheusFlags,
    }

    fn parse(line: &[&str]) -> Result<PrometheusFlags, String> {
        Line::try_parse_from([&["x"], line].concat()).map(|line| line.flags).map_err(|error| error.to_string())
    }

    #[test]
    fn the_flags_have_defaults() {
        Line::command().debug_assert();
        let flags = parse(&[]).unwrap();
        assert_eq!(flags.url.expose(), "http://127.0.0.1:9090");
        assert_eq!((flags.config_file, flags.timeout), (None, Duration::from_secs(120)));
    }

    #[test]
    fn a_password_in_the_url_is_not_printed() {
        let flags = parse(&["--prometheus.url=http://user:hunter2@example.com"]).unwrap();
        assert!(!format!("{flags:?}").contains("hunter2"), "{flags:?}");
    }

    #[test]
    fn a_timeout_is_above_zero_and_at_most_an_hour() {
        for (text, seconds) in [("1ms", 0), ("30s", 30), ("1h", 3600)] {
            assert_eq!(parse(&["--prometheus.timeout", text]).unwrap().timeout.as_secs(), seconds, "{text}");
        }
        for (text, part) in [("0s", "no time"), ("1h1ms", "longer than an hour"), ("soon", "write for example")] {
            let why = parse(&["--prometheus.timeout", text]).unwrap_err();
            assert!(why.contains(part), "{text}: {why}");
        }
    }
}
