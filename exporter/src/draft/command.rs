//! `sla-exporter ledger draft`: reads the configuration, asks Prometheus, writes the entries.
//!
//! Not for: what is proposed (`proposals`), how it is written (`yaml`).

use std::collections::BTreeSet;
use std::process::ExitCode;

use super::{Evidence, Proposal, evidence, proposals, yaml};
use crate::calendar::Month;
use crate::cli::DraftFlags;
use crate::clock;
use crate::config::Config;
use crate::prometheus_api::{Client, Settings};
use crate::report::assemble::{Input, assemble};
use crate::report::collect::{CollectError, collect};
use crate::report::command::{Refusal, configuration, tell, write};
use crate::report::model::Report;
use crate::report::progress::Progress;

/// Stretches whose probes are asked for; a ledger with more to judge has other troubles.
const MAX_EXPLAINED: usize = 200;

/// Writes the draft.
#[must_use]
pub fn run(flags: &DraftFlags) -> ExitCode {
    match draft(flags) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Refusal(code, why)) => {
            tell(why);
            ExitCode::from(code)
        }
    }
}

fn draft(flags: &DraftFlags) -> Result<(), Refusal> {
    let now = clock::whole_seconds();
    let config = configuration(&flags.config_file)?;
    let months = months(&flags.month, &config, now)?;
    let settings = Settings::from_flags(&flags.prometheus).map_err(Refusal::failed)?;
    settings.warnings.iter().for_each(tell);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Refusal::failed(format_args!("cannot start: {error}")))?;
    let text = runtime.block_on(asked(settings, &config, &months, now))?;
    write(&flags.out, text.as_bytes())
        .map_err(|error| Refusal::failed(format_args!("cannot write {}: {error}", flags.out.display())))
}

/// In order, each once; the current one and the one before where none is asked for.
fn months(asked: &[Month], config: &Config, now: i64) -> Result<BTreeSet<Month>, Refusal> {
    let current = Month::containing(now, &config.contract.timezone);
    if let Some(month) = asked.iter().find(|month| **month > current) {
        return Err(Refusal::usage(format_args!(
            "--month: {month} has not begun in {}; the newest month is {current}",
            config.contract.timezone_name
        )));
    }
    Ok(if asked.is_empty() { BTreeSet::from([current.previous(), current]) } else { asked.iter().copied().collect() })
}

async fn asked(settings: Settings, config: &Config, months: &BTreeSet<Month>, now: i64) -> Result<String, Refusal> {
    let contract = &config.contract;
    let url = settings.url();
    let mut client = Client::new(settings);
    let (mut reports, mut missing) = (Vec::new(), Vec::new());
    for &month in months {
        match report(&mut client, &url, config, month, now).await {
            Ok(report) => reports.push(report),
            // Of two months, the one before may be older than the monitoring.
            Err(error @ CollectError::NoSlots { .. }) => missing.push((month, error)),
            Err(error) => return Err(Refusal::failed(error)),
        }
    }
    if reports.is_empty()
        && let Some((_, error)) = missing.pop()
    {
        return Err(Refusal::failed(error));
    }
    for (month, _) in missing {
        tell(format_args!("{month}: no slots, so nothing is said about it"));
    }

    let ledger = &config.ledger;
    let taken: BTreeSet<&str> = ledger
        .incidents
        .iter()
        .map(|entry| entry.id.as_str())
        .chain(ledger.maintenance.iter().map(|entry| entry.id.as_str()))
        .chain(ledger.advisories.iter().map(|entry| entry.id.as_str()))
        .collect();
    let draft = proposals(&reports, &contract.timezone, &taken);
    if draft.is_empty() {
        tell("nothing to judge: the ledger decides all measured downtime");
    }
    let mut seen: Vec<Evidence> = Vec::new();
    let mut progress = Progress::new(format!("asking {url} what failed"));
    let total = draft.proposals.len().min(MAX_EXPLAINED);
    for (done, proposal) in draft.proposals.iter().take(MAX_EXPLAINED).enumerate() {
        progress.tell(done as u64, total as u64);
        let Proposal { functions, started_at, ended_at, .. } = proposal;
        let found = evidence::collect(&mut client, contract, functions, *started_at, *ended_at).await;
        seen.push(found.map_err(Refusal::failed)?);
    }
    drop(progress);
    client.take_warnings().iter().for_each(tell);
    if draft.proposals.len() > MAX_EXPLAINED {
        tell(format_args!("what failed is told for the first {MAX_EXPLAINED} of {}", draft.proposals.len()));
    }
    Ok(yaml::write(&draft, &seen, contract))
}

async fn report(
    client: &mut Client,
    url: &str,
    config: &Config,
    month: Month,
    now: i64,
) -> Result<Report, CollectError> {
    let mut progress = Progress::new(format!("reading {month} from {url}"));
    let told = |done, total| progress.tell(done, total);
    let found = collect(client, url.to_owned(), &config.contract, month, now, told).await?;
    Ok(assemble(&Input {
        contract: &config.contract,
        ledger: &config.ledger,
        month,
        now,
        slots: &found.slots,
        past: &[],
        sent: &[],
        source: &found.source,
        revision: None,
    }))
}
