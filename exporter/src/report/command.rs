//! `sla-exporter report`: reads the configuration, asks Prometheus, writes the document.
//!
//! Everything that can be refused without Prometheus is refused before it is asked. Not for: what is in the document.

use std::fs;
use std::io::{self, ErrorKind, Write as _};
use std::path::Path;
use std::process::ExitCode;

use super::assemble::{Input, assemble};
use super::closed::{self, Closed, ClosedError};
use super::collect::{Collected, collect};
use super::model::{Outcome, Report};
use super::progress::Progress;
use super::words::Words;
use super::{archive, csv, html, json, markdown, words};
use crate::calendar::Month;
use crate::cli::{Format, ReportFlags};
use crate::config::{self, Config};
use crate::lang::Lang;
use crate::prometheus_api::{Client, Settings};
use crate::{atomic_file, clock};

/// The report is not written.
const FAILED: u8 = 1;
/// The command line makes no sense.
const USAGE: u8 = 2;
/// The report is written, and an objective is missed.
const BREACH: u8 = 3;

/// Why there is no report: the exit code and what to say.
pub(crate) struct Refusal(pub(crate) u8, pub(crate) String);

impl Refusal {
    pub(crate) fn failed(why: impl std::fmt::Display) -> Self {
        Self(FAILED, why.to_string())
    }

    pub(crate) fn usage(why: impl std::fmt::Display) -> Self {
        Self(USAGE, why.to_string())
    }
}

/// Writes the report.
#[must_use]
pub fn run(flags: &ReportFlags) -> ExitCode {
    match report(flags) {
        Ok(report) if flags.fail_on_breach && is_missed(&report) => ExitCode::from(BREACH),
        Ok(_) => ExitCode::SUCCESS,
        Err(Refusal(code, why)) => {
            let _ = writeln!(io::stderr(), "{why}");
            ExitCode::from(code)
        }
    }
}

fn is_missed(report: &Report) -> bool {
    report.functions.iter().any(|function| function.outcome == Outcome::Missed)
}

fn report(flags: &ReportFlags) -> Result<Report, Refusal> {
    if flags.csv_table.is_some() && flags.format != Format::Csv {
        return Err(Refusal::usage("--csv-table is for --format csv; give both or neither"));
    }
    let report = match &flags.from {
        Some(file) => from(file, flags.revision)?,
        None => fresh(flags)?,
    };
    let document = document(flags, &report).map_err(Refusal::failed)?;
    write(&flags.out, &document).map_err(|error| {
        let what =
            if flags.out == Path::new("-") { "standard output".to_owned() } else { flags.out.display().to_string() };
        Refusal::failed(format_args!("cannot write {what}: {error}"))
    })?;
    Ok(report)
}

/// Out of a closed month's file, and nothing else.
fn from(file: &Path, revision: Option<u32>) -> Result<Report, Refusal> {
    let closed = archive::read(file).map_err(Refusal::failed)?;
    closed.report(revision).map_err(|why| Refusal::failed(format_args!("{}: {why}", file.display())))
}

/// Out of Prometheus and the ledger as they are now.
fn fresh(flags: &ReportFlags) -> Result<Report, Refusal> {
    let now = clock::whole_seconds();
    let Some(file) = &flags.config_file else { return Err(Refusal::usage("give --config.file, or --from")) };
    let config = configuration(file)?;
    let contract = &config.contract;
    let month = month(flags.month, &config, now)?;
    // Before Prometheus is asked: a file that was altered is better known at once.
    let before = archive::find(&flags.closed_path, month).map_err(Refusal::failed)?;
    let collected = collected(flags, &config, month, now)?;
    let past = archive::year(&flags.closed_path, contract, month, collected.past).map_err(Refusal::failed)?;
    let input = Input {
        contract,
        ledger: &config.ledger,
        month,
        now,
        slots: &collected.slots,
        past: &past,
        sent: &collected.sent,
        watch: &collected.watch,
        source: &collected.source,
        revision: None,
    };
    if flags.close {
        return close(flags, &input, before);
    }
    if let Some(last) =
        before.as_ref().filter(|before| before.contract == contract.name).and_then(|b| b.revisions.last())
    {
        let file = archive::file(&flags.closed_path, month);
        tell(format_args!(
            "{month} is closed: this report is of now; --from {} is its revision {}",
            file.display(),
            last.revision
        ));
    }
    Ok(assemble(&input))
}

fn close(flags: &ReportFlags, input: &Input<'_>, before: Option<Closed>) -> Result<Report, Refusal> {
    let file = archive::file(&flags.closed_path, input.month);
    let closing = closed::close(input, before).map_err(|why| match why {
        ClosedError::NotOver(_) => Refusal::usage(format_args!("--close: {why}")),
        why => Refusal::failed(format_args!("{}: {why}", file.display())),
    })?;
    let report = closing.closed.report(None).map_err(Refusal::failed)?;
    let (number, seal) = closing.closed.revisions.last().map_or((0, ""), |last| (last.revision, last.seal.as_str()));
    if closing.new {
        let file = archive::write(&flags.closed_path, &closing.closed).map_err(Refusal::failed)?;
        tell(format_args!("{} closed as revision {number}: {}, seal {seal}", input.month, file.display()));
        let words = Words::new(&report, Lang::En);
        for waiting in &report.status.waiting {
            tell(format_args!("still waits, and may make another revision: {}", words.waiting(waiting)));
        }
    } else {
        tell(format_args!("nothing has changed: revision {number} of {} stands, seal {seal}", file.display()));
    }
    Ok(report)
}

/// A line on standard error.
pub(crate) fn tell(line: impl std::fmt::Display) {
    let _ = writeln!(io::stderr(), "{line}");
}

pub(crate) fn configuration(file: &Path) -> Result<Config, Refusal> {
    let findings = |findings: Vec<config::Diagnostic>| {
        Refusal::failed(findings.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
    };
    // Its warnings are `check`'s business: a document is asked for here.
    config::load(file).map(|loaded| loaded.config).map_err(findings)
}

/// The month asked for, or the one before this; none that has not begun.
fn month(asked: Option<Month>, config: &Config, now: i64) -> Result<Month, Refusal> {
    let current = Month::containing(now, &config.contract.timezone);
    match asked {
        None => Ok(current.previous()),
        Some(month) if month > current => Err(Refusal::usage(format_args!(
            "--month: {month} has not begun in {}; the newest month is {current}",
            config.contract.timezone_name
        ))),
        Some(month) => Ok(month),
    }
}

fn collected(flags: &ReportFlags, config: &Config, month: Month, now: i64) -> Result<Collected, Refusal> {
    let settings = Settings::from_flags(&flags.prometheus).map_err(Refusal::failed)?;
    for warning in &settings.warnings {
        let _ = writeln!(io::stderr(), "{warning}");
    }
    let url = settings.url();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Refusal::failed(format_args!("cannot start: {error}")))?;
    runtime.block_on(async {
        let mut client = Client::new(settings);
        let progress = Progress::new(format!("reading {month} from {url}"));
        let told = |done, total| progress.tell(done, total);
        let collected = collect(&mut client, url, &config.contract, month, now, told);
        progress.during(collected).await.map_err(Refusal::failed)
    })
}

/// The document's bytes.
fn document(flags: &ReportFlags, report: &Report) -> Result<Vec<u8>, Box<dyn std::error::Error>> {
    let lang = flags.lang.unwrap_or_else(|| words::natural(&report.contract.title));
    Ok(match flags.format {
        Format::Md => markdown::render(report, lang).into_bytes(),
        Format::Html => html::render(report, lang).into_bytes(),
        Format::Csv => csv::render(report, flags.csv_table.unwrap_or_default(), lang)?,
        Format::Json => json::render(report)?.into_bytes(),
    })
}

/// Writes to standard output, or replaces a file as a whole. What is there and no file (a device, a pipe) is written to.
pub(crate) fn write(out: &Path, document: &[u8]) -> io::Result<()> {
    if out == Path::new("-") {
        let mut stdout = io::stdout().lock();
        return match stdout.write_all(document).and_then(|()| stdout.flush()) {
            // Whoever reads has read enough.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
            result => result,
        };
    }
    match fs::metadata(out) {
        Ok(there) if there.is_file() => atomic_file::write(&fs::canonicalize(out)?, document),
        Ok(_) => fs::OpenOptions::new().write(true).open(out)?.write_all(document),
        Err(_) => atomic_file::write(out, document),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_also_behind_a_link_and_a_device_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("a.md"), folder.path().join("link.md"));
        write(&file, b"one").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        write(&link, b"two").unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"two");
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        write(Path::new("/dev/null"), b"three").unwrap();
        assert!(!fs::metadata("/dev/null").unwrap().is_file());
        assert!(write(folder.path(), b"four").is_err());
        assert!(write(&folder.path().join("missing/a.md"), b"five").is_err());
    }

    #[test]
    fn a_month_that_has_not_begun_is_refused_and_none_means_the_one_before() {
        let config = config::embedded(([127, 0, 0, 1], 10115).into(), false);
        let config = config.unwrap().config;
        let month = |asked: Option<&str>, now| month(asked.map(|text| text.parse().unwrap()), &config, now);
        // 2026-11-01T00:00:00Z
        let begin = 1_793_491_200;
        let zone = &config.contract.timezone;
        let begin = Month::containing(begin + 86_400, zone).span(zone).start();
        assert_eq!(month(None, begin).map_err(|r| r.1).unwrap().to_string(), "2026-10");
        assert_eq!(month(None, begin - 1).map_err(|r| r.1).unwrap().to_string(), "2026-09");
        assert!(month(Some("2026-11"), begin).is_ok());
        let Err(Refusal(code, why)) = month(Some("2026-11"), begin - 1) else { panic!("taken") };
        assert_eq!(code, USAGE);
        assert!(why.contains("2026-11 has not begun") && why.contains("2026-10"), "{why}");
    }
}
