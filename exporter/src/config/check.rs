//! `sla-exporter check FILE…`: the findings of each file, or a line saying what was found.

use std::collections::HashSet;
use std::io::Write;
use std::path::{Path, PathBuf};

use super::diagnostics::{Document, Severity};
use super::load::{Loaded, MAX_BYTES, load_document, parse, whole_file};
use super::modules::Modules;
use super::names::plural;
use super::node::{Node, Value};
use super::{Config, Diagnostic, ledger};
use crate::regular_file;

/// All files are good.
pub const EXIT_GOOD: u8 = 0;
/// At least one is not.
pub const EXIT_BAD: u8 = 1;

/// Checks each of `files`; what is good is said on `out`, findings on `err`. Returns the exit code.
///
/// `deny_warnings` makes a file with warnings a bad one. What cannot be written is lost: the exit code tells all the same.
/// `now`, seconds since the epoch: some warnings about a ledger come and go with the time.
pub fn run(files: &[PathBuf], deny_warnings: bool, now: i64, out: &mut impl Write, err: &mut impl Write) -> u8 {
    let mut code = EXIT_GOOD;
    for file in files {
        let (findings, summary) = check(file, now);
        for finding in &findings {
            let _ = writeln!(err, "{finding}");
        }
        match summary {
            Some(_) if deny_warnings && !findings.is_empty() => {
                let found = plural(findings.len(), "warning");
                let _ = writeln!(err, "{}: refused for {found} (--deny-warnings)", file.display());
                code = EXIT_BAD;
            }
            Some(summary) => {
                let _ = writeln!(out, "{}: ok: {summary}", file.display());
            }
            None => {
                let (errors, warnings): (Vec<_>, Vec<_>) =
                    findings.iter().partition(|finding| finding.severity == Severity::Error);
                let also = match warnings.len() {
                    0 => String::new(),
                    count => format!(", {}", plural(count, "warning")),
                };
                let _ = writeln!(err, "{}: refused: {}{also}", file.display(), plural(errors.len(), "error"));
                code = EXIT_BAD;
            }
        }
    }
    code
}

/// All findings, and what the file holds when none of them is an error.
fn check(file: &Path, now: i64) -> (Vec<Diagnostic>, Option<String>) {
    if file.is_dir() {
        return check_ledger(file, now);
    }
    let text = match regular_file::read_text(file, MAX_BYTES) {
        Ok(text) => text,
        Err(error) => return (vec![whole_file(file, format!("cannot read it: {error}"))], None),
    };
    match kind(&text) {
        Kind::Configuration => match load_document(Document::new(file), &text, now) {
            Ok(Loaded { config, warnings }) => (warnings, Some(summary(&config))),
            Err(findings) => (findings, None),
        },
        Kind::Modules => {
            let mut doc = Document::new(file);
            doc.inline_secrets = true;
            let mut modules = Modules::default();
            modules.read_text(&doc, &text);
            conclude(doc, plural(modules.into_list().len(), "module"))
        }
        Kind::Ledger => check_ledger(file, now),
    }
}

/// A ledger on its own: what needs the contract is not said.
fn check_ledger(path: &Path, now: i64) -> (Vec<Diagnostic>, Option<String>) {
    let (ledger, documents) = ledger::load(path, "", ledger::Terms { contract: None, now });
    let good = !documents.iter().any(Document::has_errors);
    let findings = documents.into_iter().flat_map(|document| document.into_parts().0).collect();
    let summary = format!(
        "ledger with {}; its functions, upstreams and terms are checked with the configuration that names it",
        ledger::summary(&ledger)
    );
    (findings, good.then_some(summary))
}

fn conclude(doc: Document, summary: String) -> (Vec<Diagnostic>, Option<String>) {
    let good = !doc.has_errors();
    (doc.into_parts().0, good.then_some(summary))
}

enum Kind {
    Configuration,
    Modules,
    Ledger,
}

/// What a file is meant to be, by its top-level keys; in doubt a configuration, whose messages then say what is missing.
fn kind(text: &str) -> Kind {
    let node = parse(&Document::new(Path::new("")), text);
    let Some(Node { value: Value::Map(entries), .. }) = node else { return Kind::Configuration };
    let any = |known: &[&str]| entries.iter().any(|entry| known.contains(&entry.key.as_str()));
    let all = |known: &[&str]| !entries.is_empty() && entries.iter().all(|entry| known.contains(&entry.key.as_str()));
    // Also with a list's name misspelt beside others: the ledger's reader says which.
    if any(&ledger::LISTS) && !any(&["site", "contract", "modules", "probes"]) {
        Kind::Ledger
    } else if all(&["modules"]) {
        Kind::Modules
    } else {
        Kind::Configuration
    }
}

fn summary(config: &Config) -> String {
    let capabilities = config.contract.functions.iter().map(|function| function.capabilities.len()).sum();
    let ledger = config
        .ledger_path
        .as_ref()
        .map_or_else(String::new, |_| format!(", ledger with {}", ledger::summary(&config.ledger)));
    let probes: HashSet<&str> = config.targets.iter().map(|target| target.probe.as_str()).collect();
    format!(
        "contract {}, {}, {}, {} ({}), {}, {}{ledger}",
        config.contract.name,
        plural(config.contract.functions.len(), "function"),
        plural(capabilities, "capability"),
        plural(probes.len(), "probe"),
        plural(config.targets.len(), "target"),
        plural(config.modules.len(), "module"),
        plural(config.hosts.len(), "host"),
    )
}
