//! The command line: flags in Prometheus' style, each with an environment variable.

mod grafana;
mod ledger;
mod probe;
mod prometheus;
mod report;
mod status_page;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub use grafana::GrafanaFlags;
pub use ledger::{DraftFlags, LedgerCommand, LedgerFlags};
pub use probe::ProbeFlags;
pub use prometheus::PrometheusFlags;
pub use report::{Format, ReportFlags};
pub use status_page::{StatusFlags, StatusPageFlags};

/// Ends the long help; the codes are an interface.
const EXIT_CODES: &str = "\
Exit codes:
  0  done, or ended by a signal as asked
  1  a file was refused, or the exporter could not start
  2  the command line makes no sense

Signals:
  SIGHUP            reload the configuration; a bad one is logged and the one before stays
  SIGTERM, SIGINT   end within 5 seconds; a second one ends at once";

const VERSION: &str = concat!(
    env!("CARGO_PKG_VERSION"),
    "\nrevision: ",
    env!("SLA_EXPORTER_REVISION"),
    "\nrustc:    ",
    env!("SLA_EXPORTER_RUSTC"),
    "\ntarget:   ",
    env!("SLA_EXPORTER_TARGET"),
);

/// Probes a service and its hosts, and shows Prometheus what its SLA contract makes of it.
#[derive(Debug, Parser)]
#[command(
    name = "sla-exporter",
    version = env!("CARGO_PKG_VERSION"),
    long_version = VERSION,
    after_long_help = EXIT_CODES,
    after_help = "Exit codes: 0 done, 1 refused or failed, 2 wrong usage. More with --help.",
    args_conflicts_with_subcommands = true
)]
pub struct Cli {
    /// What to do instead of running the exporter.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// How to run the exporter.
    #[command(flatten)]
    pub run: RunFlags,
}

/// What to do instead of running the exporter.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Check configuration files and say what is wrong with them, all of it at once
    Check(CheckFlags),
    /// Run one probe now and say what happened: steps, phases, certificates, why it failed and what to do
    Probe(Box<ProbeFlags>),
    /// Write the report of a month: the contract's formula with its numbers, incidents, maintenance, what nobody knows
    Report(Box<ReportFlags>),
    /// Write the status page for customers as files: pages in both languages, feed, calendar, badges
    StatusPage(Box<StatusPageFlags>),
    /// Help with the ledger: entries for downtime nobody has judged
    Ledger(LedgerFlags),
}

/// `check FILE…`
#[derive(Debug, Args)]
pub struct CheckFlags {
    /// Configurations, module files, or ledgers (files or folders)
    #[arg(value_name = "FILE", required_unless_present = "web_config_file")]
    pub files: Vec<PathBuf>,
    /// Exit with 1 on warnings too
    #[arg(long)]
    pub deny_warnings: bool,
    /// Check a web configuration file as well
    #[arg(long = "web.config.file", value_name = "FILE")]
    pub web_config_file: Option<PathBuf>,
}

/// Flags of the exporter itself.
#[derive(Debug, Args)]
pub struct RunFlags {
    /// Configuration file; without one, this host, loopback and the exporter itself are watched
    #[arg(long = "config.file", value_name = "FILE", env = "SLA_EXPORTER_CONFIG_FILE")]
    pub config_file: Option<PathBuf>,
    /// Address to listen on, HOST:PORT or :PORT for all addresses; may be given several times
    #[arg(
        long = "web.listen-address",
        value_name = "ADDRESS",
        env = "SLA_EXPORTER_WEB_LISTEN_ADDRESS",
        value_delimiter = ',',
        default_value = ":10115"
    )]
    pub listen_addresses: Vec<String>,
    /// TLS, passwords and headers, in the format exporters share; read again when it changes
    #[arg(long = "web.config.file", value_name = "FILE", env = "SLA_EXPORTER_WEB_CONFIG_FILE")]
    pub web_config_file: Option<PathBuf>,
    /// Least severity that is logged
    #[arg(
        long = "log.level",
        value_name = "LEVEL",
        env = "SLA_EXPORTER_LOG_LEVEL",
        value_enum,
        default_value = "info"
    )]
    pub log_level: Level,
    /// How log lines are written, on standard error
    #[arg(
        long = "log.format",
        value_name = "FORMAT",
        env = "SLA_EXPORTER_LOG_FORMAT",
        value_enum,
        default_value = "logfmt"
    )]
    pub log_format: LogFormat,
    /// Folder for what must survive a restart: notices sent, logins counted, updates seen; made when needed
    #[arg(long = "storage.path", value_name = "FOLDER", env = "SLA_EXPORTER_STORAGE_PATH", default_value = "data")]
    pub storage: PathBuf,
    /// Where procfs is mounted, for the host collectors
    #[arg(long = "path.procfs", value_name = "FOLDER", env = "SLA_EXPORTER_PATH_PROCFS", default_value = "/proc")]
    pub procfs: PathBuf,
    /// Where sysfs is mounted, for the host collectors
    #[arg(long = "path.sysfs", value_name = "FOLDER", env = "SLA_EXPORTER_PATH_SYSFS", default_value = "/sys")]
    pub sysfs: PathBuf,
    /// Where the root of the system is that --path.procfs is of; needed where that is not /proc
    #[arg(long = "path.rootfs", value_name = "FOLDER", env = "SLA_EXPORTER_PATH_ROOTFS")]
    pub rootfs: Option<PathBuf>,
    /// Let /probe send a module's credentials to any target a request names, and connect to any Unix socket, as
    /// blackbox_exporter does, not only to those of the configuration's probes
    #[arg(long = "probe.credentials-to-any-target", env = "SLA_EXPORTER_PROBE_CREDENTIALS_TO_ANY_TARGET")]
    pub credentials_anywhere: bool,
    /// What /status is made from.
    #[command(flatten)]
    pub status: StatusFlags,
}

/// `--log.level`
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Level {
    /// Everything, each connection and first success included.
    Debug,
    /// Changes of state and what an operator did.
    Info,
    /// What somebody should look at.
    Warn,
    /// What does not work.
    Error,
}

/// `--log.format`
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// `ts=… level=… msg=…`
    Logfmt,
    /// One JSON object per line.
    Json,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    fn parse(line: &[&str]) -> Result<Cli, clap::error::ErrorKind> {
        Cli::try_parse_from([&["sla-exporter"], line].concat()).map_err(|error| error.kind())
    }

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn defaults() {
        let run = parse(&[]).unwrap().run;
        assert_eq!(run.listen_addresses, [":10115"]);
        assert_eq!((run.log_level, run.log_format), (Level::Info, LogFormat::Logfmt));
        assert_eq!((run.procfs.to_str(), run.sysfs.to_str()), (Some("/proc"), Some("/sys")));
        assert_eq!(run.rootfs, None);
        assert_eq!((run.config_file, run.web_config_file), (None, None));
    }

    #[test]
    fn flags_are_written_as_prometheus_has_them() {
        let run =
            parse(&["--config.file=a.yml", "--web.listen-address=:1", "--web.listen-address", "[::1]:2"]).unwrap().run;
        assert_eq!(run.config_file, Some("a.yml".into()));
        assert_eq!(run.listen_addresses, [":1", "[::1]:2"]);
    }

    #[test]
    fn wrong_usage_is_refused() {
        use clap::error::ErrorKind;
        for (line, kind) in [
            (&["--log.level=trace"][..], ErrorKind::InvalidValue),
            (&["--config"], ErrorKind::UnknownArgument),
            (&["check"], ErrorKind::MissingRequiredArgument),
            (&["--config.file=a.yml", "check", "a.yml"], ErrorKind::ArgumentConflict),
            (&["serve"], ErrorKind::InvalidSubcommand),
            (&["report", "--config.file=a.yml", "--month=2026-13"], ErrorKind::ValueValidation),
            (&["report", "--config.file=a.yml", "--format=pdf"], ErrorKind::InvalidValue),
        ] {
            assert_eq!(parse(line).unwrap_err(), kind, "{line:?}");
        }
    }
}
