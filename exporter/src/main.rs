//! The binary: reads the command line and starts what it asks for.

use std::process::ExitCode;

use clap::Parser as _;
use sla_exporter::cli::{Cli, Command, LedgerCommand, LedgerFlags};
use sla_exporter::{daemon, draft, once, report, status};

fn main() -> ExitCode {
    let cli = Cli::parse();
    match &cli.command {
        Some(Command::Check(flags)) => daemon::check(flags),
        Some(Command::Ledger(LedgerFlags { command: LedgerCommand::Draft(flags) })) => draft::command::run(flags),
        Some(Command::Probe(flags)) => once::command::run(flags),
        Some(Command::Report(flags)) => report::command::run(flags),
        Some(Command::StatusPage(flags)) => status::command::run(flags),
        None => daemon::run(&cli.run),
    }
}
