//! `ledger`: what is done to a ledger from the command line.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::PrometheusFlags;
use crate::calendar::Month;

/// Ends the long help; the codes are an interface.
const EXIT_CODES: &str = "\
Exit codes:
  0  the draft is written, also when there is nothing to judge
  1  it is not: a file was refused, Prometheus did not answer or has no slot of the months, the file cannot be written
  2  the command line makes no sense: a wrong month, a month that has not begun";

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
    /// Write entries for measured downtime that the ledger does not decide: to be completed and judged by a person
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
    #[arg(long, value_name = "YEAR-MONTH", value_delimiter = ',')]
    pub month: Vec<Month>,
    /// File to write, replaced as a whole; - is standard output
    #[arg(long, value_name = "FILE", default_value = "-")]
    pub out: PathBuf,
    /// Whom to ask for slots and probes.
    #[command(flatten)]
    pub prometheus: PrometheusFlags,
}
