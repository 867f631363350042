//! The launcher of `make run`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use sla_demo::stack::{self, Places, Ports};

/// Starts the demo service, sla-exporter, Prometheus, Alertmanager, a mail catcher and, where it is installed, Grafana on
/// loopback; Ctrl-C stops them.
#[derive(Debug, Parser)]
#[command(version)]
struct Options {
    #[command(flatten)]
    ports: Ports,
    /// Only say whether the ports are free.
    #[arg(long)]
    check_ports: bool,
    /// Start with empty graphs: without the generated year, and without a ledger.
    #[arg(long, env = "NO_HISTORY")]
    no_history: bool,
    /// The repository with rules and configurations.
    #[arg(long, default_value_os_t = Path::new(".").to_owned())]
    repository: PathBuf,
}

// One thread: the programs are told of the death of the thread that started them.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let options = Options::parse();
    match run(options).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

async fn run(options: Options) -> Result<(), String> {
    if options.check_ports {
        return options.ports.check();
    }
    let repository = options.repository.canonicalize().map_err(|e| format!("{}: {e}", options.repository.display()))?;
    let programs = std::env::current_exe().ok().and_then(|exe| exe.parent().map(Path::to_owned)).unwrap_or_default();
    let ended = async {
        tokio::select! {
            () = sla_demo::stopped() => {}
            () = orphaned() => {}
        }
    };
    stack::run(&Places { repository, programs, history: !options.no_history }, options.ports, ended).await
}

/// Waits until whoever started this (make, a shell) is gone: killed, it could not pass a signal on.
async fn orphaned() {
    let parent = std::os::unix::process::parent_id();
    while std::os::unix::process::parent_id() == parent {
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}
