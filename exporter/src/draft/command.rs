//! `sla-exporter ledger draft`: reads the configuration, asks Prometheus, writes the entries.
//!
//! Everything that can be refused without Prometheus is refused before it is asked. Not for: what is proposed (`proposals`),
//! how it is written (`yaml`).

mod drawn;
mod period;

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use self::period::Period;
use super::ask::ask;
use super::{Draft, Evidence, Head, proposals, write};
use crate::calendar::Month;
use crate::cli::DraftFlags;
use crate::clock;
use crate::config::{Config, ledger_files};
use crate::prometheus_api::{Client, Settings};
use crate::report::assemble::{Input, assemble};
use crate::report::collect::{CollectError, slots};
use crate::report::command::{Refusal, configuration, tell, write as write_out};
use crate::report::duties::Watch;
use crate::report::model::{Report, Source};
use crate::report::progress::Progress;

/// Entries of which is asked what failed; a ledger with more to judge has other troubles.
const MAX_ASKED: usize = 500;

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
    let period = Period::new(flags, &config.contract, now).map_err(Refusal::usage)?;
    if let Some(file) = own_file(&flags.out, &config) {
        return Err(Refusal::usage(format_args!(
            "--out: {} is {file}, which a draft would replace; write it to a file of its own",
            flags.out.display()
        )));
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Refusal::failed(format_args!("cannot start: {error}")))?;
    let text = if let Some(url) = &flags.grafana.url {
        let (peer, names) = drawn::peer(&flags.grafana, url, &config)?;
        runtime.block_on(drawn::text(peer, names, &config, flags, &period, now))?
    } else {
        let settings = Settings::from_flags(&flags.prometheus).map_err(Refusal::failed)?;
        settings.warnings.iter().for_each(tell);
        runtime.block_on(asked(settings, &config, &period, now))?
    };
    write_out(&flags.out, text.as_bytes()).map_err(|error| {
        let what =
            if flags.out == Path::new("-") { "standard output".to_owned() } else { flags.out.display().to_string() };
        Refusal::failed(format_args!("cannot write {what}: {error}"))
    })
}

/// What `out` is of the files that were read.
fn own_file(out: &Path, config: &Config) -> Option<&'static str> {
    let out = fs::canonicalize(out).ok()?;
    let is = |file: &Path| fs::canonicalize(file).is_ok_and(|file| file == out);
    let ledger = config.ledger_path.as_deref().is_some_and(|path| {
        let folder = if path.is_dir() { ledger_files(path).unwrap_or_default() } else { Vec::new() };
        is(path) || folder.iter().any(|file| is(file))
    });
    if ledger {
        return Some("the ledger");
    }
    config.files.iter().any(|file| is(file)).then_some("the configuration")
}

async fn asked(settings: Settings, config: &Config, period: &Period, now: i64) -> Result<String, Refusal> {
    let contract = &config.contract;
    let url = settings.url();
    let mut client = Client::new(settings);
    let (mut reports, mut missing) = (Vec::new(), None);
    for &month in &period.months {
        match report(&mut client, &url, config, month, now).await {
            Ok(report) => reports.push(report),
            // The month before may be older than the monitoring, and the current one minutes old.
            Err(error @ CollectError::NoSlots { .. }) => {
                if period.months.len() > 1 {
                    tell(format_args!(
                        "{month}: no slots of contract `{}`, so nothing is said about it",
                        contract.name
                    ));
                }
                missing = Some(error);
            }
            Err(error) => return Err(Refusal::failed(error)),
        }
    }
    if let Some(error) = missing.filter(|_| reports.is_empty()) {
        return Err(Refusal::failed(error));
    }
    let draft = proposals(&reports, &config.ledger, &contract.timezone);
    let draft = match period.span {
        Some(span) => draft.within(span),
        None => draft,
    };
    if draft.is_empty() {
        tell(format_args!(
            "nothing to judge: no measured downtime in {} that the ledger does not decide",
            period.words
        ));
    }
    let (of_proposals, of_remarks) = evidence(&mut client, &url, config, &draft).await?;
    client.take_warnings().iter().for_each(tell);
    let head = Head { contract, of: &period.words, source: &url, now };
    Ok(write(&draft, &of_proposals, &of_remarks, &head))
}

/// What failed in the time of each entry, the last first left out where there are too many.
async fn evidence(
    client: &mut Client,
    url: &str,
    config: &Config,
    draft: &Draft,
) -> Result<(Vec<Evidence>, Vec<Evidence>), Refusal> {
    let all = draft.remarks.len() + draft.proposals.len();
    if all > MAX_ASKED {
        tell(format_args!("what failed is told for {MAX_ASKED} of {all}; ask for a shorter time to see the others"));
    }
    let (mut of_remarks, mut of_proposals) = (Vec::new(), Vec::new());
    let progress = Progress::new(format!("asking {url} what failed"));
    let total = all.min(MAX_ASKED) as u64;
    for remark in draft.remarks.iter().take(MAX_ASKED) {
        let functions: Vec<&str> = remark.parts.iter().map(|(function, _, _)| function.as_str()).collect();
        let found = progress.during(ask(client, &config.contract, &functions, remark.first, remark.end)).await;
        of_remarks.push(found.map_err(Refusal::failed)?);
        progress.tell(of_remarks.len() as u64, total);
    }
    for proposal in draft.proposals.iter().take(MAX_ASKED.saturating_sub(of_remarks.len())) {
        let functions: Vec<&str> = proposal.functions().collect();
        let asked = ask(client, &config.contract, &functions, proposal.first, proposal.ended_at);
        let found = progress.during(asked).await;
        of_proposals.push(found.map_err(Refusal::failed)?);
        progress.tell((of_remarks.len() + of_proposals.len()) as u64, total);
    }
    Ok((of_proposals, of_remarks))
}

async fn report(
    client: &mut Client,
    url: &str,
    config: &Config,
    month: Month,
    now: i64,
) -> Result<Report, CollectError> {
    let progress = Progress::new(format!("reading {month} from {url}"));
    let told = |done, total| progress.tell(done, total);
    let slots = progress.during(slots(client, url, &config.contract, month, now, told)).await?;
    Ok(assemble(&Input {
        contract: &config.contract,
        ledger: &config.ledger,
        month,
        now,
        slots: &slots,
        past: &[],
        sent: &[],
        watch: &Watch::default(),
        source: &Source::default(),
        revision: None,
    }))
}
