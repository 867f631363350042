//! `report`: a month's report, as a file or on standard output.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::PrometheusFlags;
use crate::calendar::Month;
use crate::lang::Lang;
use crate::report::csv::Table;

/// Ends the long help; the codes are an interface.
const EXIT_CODES: &str = "\
Exit codes:
  0  the report is written
  1  it is not: a file was refused or a closed one altered, Prometheus did not answer or has no slot of the month, the file cannot be written
  2  the command line makes no sense: a wrong month, a month that has not begun
  3  with --fail-on-breach: the report is written, and a function has missed its objective";

/// `report`
#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0 written, 1 failed, 2 wrong usage, 3 missed with --fail-on-breach. More with --help.",
    after_long_help = EXIT_CODES
)]
pub struct ReportFlags {
    /// Configuration file with the contract; names the ledger
    #[arg(
        long = "config.file",
        value_name = "FILE",
        env = "SLA_EXPORTER_CONFIG_FILE",
        required_unless_present = "from"
    )]
    pub config_file: Option<PathBuf>,
    /// Which month of the contract's zone, such as 2026-10 [default: the one before this]
    #[arg(long, value_name = "YEAR-MONTH")]
    pub month: Option<Month>,
    /// What kind of document
    #[arg(long, value_enum, default_value = "md")]
    pub format: Format,
    /// The document's language [default: ja where the contract's title is Japanese, else en]
    #[arg(long, value_enum)]
    pub lang: Option<Lang>,
    /// Which table, with --format csv [default: figures]
    #[arg(long, value_name = "TABLE", value_enum)]
    pub csv_table: Option<Table>,
    /// File to write, replaced as a whole; - is standard output
    #[arg(long, value_name = "FILE", default_value = "-")]
    pub out: PathBuf,
    /// Close the month as well: its slots, the ledger and the figures become a file of --closed.path, to which a later
    /// ruling adds a revision
    #[arg(long, conflicts_with = "from")]
    pub close: bool,
    /// Folder of closed months, one file for each; those of the year are what its table shows
    #[arg(long = "closed.path", value_name = "FOLDER", env = "SLA_EXPORTER_CLOSED_PATH", default_value = "closed")]
    pub closed_path: PathBuf,
    /// Compute the report of a closed month again, from its file alone
    #[arg(long, value_name = "FILE", conflicts_with_all = ["month"])]
    pub from: Option<PathBuf>,
    /// Which revision, with --from [default: the newest]
    #[arg(long, value_name = "NUMBER", requires = "from")]
    pub revision: Option<u32>,
    /// Exit with 3 when a function has missed its objective
    #[arg(long)]
    pub fail_on_breach: bool,
    /// Whom to ask for the slots.
    #[command(flatten)]
    pub prometheus: PrometheusFlags,
}

/// `--format`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, ValueEnum)]
pub enum Format {
    /// Markdown
    Md,
    /// One self-contained page, for the screen and for A4
    Html,
    /// One table for spreadsheets, see --csv-table
    Csv,
    /// Everything, for programs
    Json,
}
