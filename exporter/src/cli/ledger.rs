//! `ledger`: what is done to a ledger from the command line.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use jiff::Timestamp;
use jiff::civil::DateTime;

use super::{GrafanaFlags, PrometheusFlags};
use crate::calendar::Month;

/// Ends the long help; the codes are an interface.
const EXIT_CODES: &str = "\
Exit codes:
  0  the draft is written, also when there is nothing to judge: then it has comments only
  1  it is not: a file was refused, Prometheus or Grafana did not answer, Prometheus has no slot of the months, the file cannot be written
  2  the command line makes no sense: a wrong month or time, one to come, --out a file that is read";

/// `ledger …`
#[derive(Debug, Args)]
pub struct LedgerFlags {
    /// What to do.
    #[command(subcommand)]
    pub command: LedgerCommand,
}

/// What is done to a ledger.
#[derive(Debug, Subcommand)]
pub enum LedgerCommand {
    /// Write entries for measured downtime that the ledger does not decide, or for what people drew in Grafana: to be completed
    /// and judged by a person
    Draft(Box<DraftFlags>),
}

/// `ledger draft`
#[derive(Debug, Args)]
#[command(after_help = "Exit codes: 0 written, 1 failed, 2 wrong usage. More with --help.", after_long_help = EXIT_CODES)]
pub struct DraftFlags {
    /// Configuration file with the contract; names the ledger
    #[arg(long = "config.file", value_name = "FILE", env = "SLA_EXPORTER_CONFIG_FILE")]
    pub config_file: PathBuf,
    /// Which month of the contract's zone, such as 2026-10; may be given several times [default: the current one and the
    /// one before]
    #[arg(long, value_name = "YEAR-MONTH", value_delimiter = ',', conflicts_with_all = ["from", "to"])]
    pub month: Vec<Month>,
    /// Only downtime after this moment, such as 2026-10-07T10:02:00+09:00
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub from: Option<Timestamp>,
    /// Only downtime before this moment [default: now]
    #[arg(long, value_name = "TIME", value_parser = moment, requires = "from")]
    pub to: Option<Timestamp>,
    /// File to write, replaced as a whole, and none that is read; - is standard output
    #[arg(long, value_name = "FILE", default_value = "-")]
    pub out: PathBuf,
    /// Whom to ask for slots and probes.
    #[command(flatten)]
    pub prometheus: PrometheusFlags,
    /// Whom to ask for what people drew.
    #[command(flatten)]
    pub grafana: GrafanaFlags,
}

fn moment(text: &str) -> Result<Timestamp, String> {
    const EXPECTED: &str = "write for example 2026-10-07T10:02:00+09:00";
    match text.parse::<Timestamp>() {
        // Whole seconds, as in the ledger.
        Ok(moment) => Timestamp::from_second(moment.as_second()).map_err(|error| error.to_string()),
        Err(_) if text.parse::<DateTime>().is_ok() => {
            Err(format!("has no offset, so nobody knows which moment it is; {EXPECTED}"))
        }
        Err(_) => Err(format!("is no moment; {EXPECTED}")),
    }
}
