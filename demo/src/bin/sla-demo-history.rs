//! Writes the demo's generated history: sla.yml, ledger.yml and the samples for promtool.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use sla_demo::history::{Addresses, History};

/// Writes a year of invented history of the demo's contract that ends now: `sla.yml`, `ledger.yml` and
/// `history.openmetrics`, which `promtool tsdb create-blocks-from openmetrics` makes blocks of.
#[derive(Debug, Parser)]
#[command(version)]
struct Options {
    /// The folder to write into. One that has a ledger.yml is left as it is: its history was loaded before.
    #[arg(long)]
    out: PathBuf,
    /// deploy/demo/sla.yml.
    #[arg(long)]
    config: PathBuf,
}

fn main() -> ExitCode {
    match write(&Options::parse()) {
        Ok(said) => {
            eprintln!("{said}");
            ExitCode::SUCCESS
        }
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

fn write(options: &Options) -> Result<String, String> {
    let ledger = options.out.join("ledger.yml");
    if ledger.exists() {
        return Ok(format!("{} is there: its history was written before", ledger.display()));
    }
    // The services of docker-compose.yml.
    let addresses = Addresses {
        demo: "demo:8088".to_owned(),
        demo_tls: "demo:8443".to_owned(),
        mail: "mailcatcher:1025".to_owned(),
        prometheus: "prometheus:9090".to_owned(),
        alertmanager: "alertmanager:9093".to_owned(),
        exporter: "exporter:10115".to_owned(),
        ping: true,
    };
    let history = History::new(sla_demo::clock::now(), addresses);
    let save = |file: &Path, text: String| std::fs::write(file, text).map_err(|e| format!("{}: {e}", file.display()));
    let config = std::fs::read_to_string(&options.config).map_err(|e| format!("{}: {e}", options.config.display()))?;
    save(&options.out.join("sla.yml"), history.configure(&config)?)?;
    for (name, text) in history.duties() {
        save(&options.out.join(name), text)?;
    }
    history.write_samples(&options.out.join("history.openmetrics"))?;
    // Last: it says that the rest is there.
    save(&ledger, history.ledger())?;
    Ok(format!("{}: sla.yml, ledger.yml, history.openmetrics", options.out.display()))
}
