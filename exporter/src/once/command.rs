//! `sla-exporter probe`: reads the configuration where there is one, probes, and tells.

use std::io::{self, ErrorKind, Write as _};
use std::process::ExitCode;

use super::choice::{Chosen, choose};
use super::{Told, json, text};
use crate::cli::ProbeFlags;
use crate::clock;
use crate::config::{self, Config};
use crate::probe::{self, Budget, DEFAULT_TIMEOUT, Shared};

/// A probe failed.
const FAILED: u8 = 1;
/// None was made.
const NOT_PROBED: u8 = 2;

/// Probes.
#[must_use]
pub fn run(flags: &ProbeFlags) -> ExitCode {
    match probe(flags) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(FAILED),
        Err(why) => {
            let _ = writeln!(io::stderr(), "{why}");
            ExitCode::from(NOT_PROBED)
        }
    }
}

/// Whether all succeeded.
fn probe(flags: &ProbeFlags) -> Result<bool, String> {
    let config = configuration(flags)?;
    let chosen = choose(config.as_ref(), &flags.target, flags.module.as_deref())?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("cannot start: {error}"))?;
    runtime.block_on(async {
        let shared = Shared::new();
        let (mut good, mut heard) = (0, true);
        for (number, one) in chosen.iter().enumerate() {
            let (success, text) = told(flags, one, &shared).await?;
            good += usize::from(success);
            let gap = if number > 0 && !flags.json { "\n" } else { "" };
            heard = heard && say(&format!("{gap}{text}")).map_err(|error| format!("cannot write: {error}"))?;
        }
        if chosen.len() > 1 && !flags.json && heard {
            say(&format!("\n{good} of {} succeeded\n", chosen.len()))
                .map_err(|error| format!("cannot write: {error}"))?;
        }
        Ok(good == chosen.len())
    })
}

fn configuration(flags: &ProbeFlags) -> Result<Option<Config>, String> {
    let Some(file) = &flags.config_file else { return Ok(None) };
    match config::load(file) {
        // Its warnings are `check`'s business.
        Ok(loaded) => Ok(Some(loaded.config)),
        Err(findings) => Err(findings.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")),
    }
}

async fn told(flags: &ProbeFlags, chosen: &Chosen, shared: &Shared) -> Result<(bool, String), String> {
    let module = &chosen.module;
    let hostname = flags.hostname.as_deref().map(|name| module.hostname(name)).transpose()?.flatten();
    let timeout = flags.timeout.or(chosen.timeout).or(module.timeout).unwrap_or(DEFAULT_TIMEOUT);
    let budget = Budget { timeout, attempts: 1, spare: std::time::Duration::ZERO };
    let (run, trace) = probe::run_traced(module, &chosen.target, hostname.as_ref(), budget, shared).await;
    let told = Told { chosen, timeout, run: &run, trace: &trace };
    let text = if flags.json {
        json::render(&told).map_err(|error| format!("cannot write JSON: {error}"))?
    } else {
        text::render(&told, clock::whole_seconds())
    };
    Ok((run.failure.is_none(), text))
}

/// Writes to standard output, colours where they are wanted; whether anybody still reads.
fn say(text: &str) -> io::Result<bool> {
    let mut out = anstream::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
        result => result.map(|()| true),
    }
}
