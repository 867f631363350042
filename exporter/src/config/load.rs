//! From files to a [`Config`]: reads `sla.yml` and what it names, and reports every fault of all of them.
//!
//! Each section has its reader; here is their order, which follows from who refers to whom: modules and
//! contract first, then probes, then what refers to probes.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use super::decode::{Cursor, MapCursor};
use super::diagnostics::{Diagnostic, Document, Severity};
use super::modules::Modules;
use super::node::{self, Mark, Node, Value};
use super::{
    Config, alertmanager, backups, certificates, collectors, contract, grafana, hosts, ledger, logins, probes, roles,
    support, updates,
};
use crate::{clock, regular_file};

/// The largest configuration file that is read, in bytes.
pub const MAX_BYTES: u64 = 16 * 1024 * 1024;

/// A configuration that can be run, and what is odd about it all the same.
#[derive(Debug)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// Findings that do not refuse it.
    pub warnings: Vec<Diagnostic>,
}

/// Reads `sla.yml` at `path` and the files it names, now.
///
/// # Errors
/// With every finding in all files, warnings included, when at least one of them is an error.
pub fn load(path: &Path) -> Result<Loaded, Vec<Diagnostic>> {
    load_at(path, clock::whole_seconds())
}

/// As [`load`], at `now` (seconds since the epoch): some of the ledger's warnings come and go with the time.
///
/// # Errors
/// As [`load`].
pub fn load_at(path: &Path, now: i64) -> Result<Loaded, Vec<Diagnostic>> {
    match regular_file::read_text(path, MAX_BYTES) {
        Ok(text) => load_document(Document::new(path), &text, now),
        Err(error) => Err(vec![whole_file(path, format!("cannot read it: {error}"))]),
    }
}

/// What runs where no configuration file is given: this host's collectors, a ping of the loopback address, and the
/// process's own HTTP endpoint as function `self`.
///
/// `listen` is the address the server is bound to, with its true port; `tls` whether it speaks TLS.
///
/// # Errors
/// None that a released version has: the embedded text is checked by the tests.
pub fn embedded(listen: SocketAddr, tls: bool) -> Result<Loaded, Vec<Diagnostic>> {
    let mut loaded =
        load_document(Document::new(Path::new("embedded default")), &super::embedded::text(listen, tls), 0)?;
    // It is in no file that could change.
    loaded.config.files.clear();
    Ok(loaded)
}

/// One finding about a file as a whole.
pub(super) fn whole_file(file: &Path, message: String) -> Diagnostic {
    Diagnostic { file: file.to_owned(), mark: Mark::default(), path: String::new(), message, severity: Severity::Error }
}

/// The tree of `text`; what is wrong with it as YAML is reported to `doc`.
pub(super) fn parse(doc: &Document, text: &str) -> Option<Node> {
    let report = |fault: node::SyntaxError| doc.report(Severity::Error, fault.mark, "", fault.message);
    match node::parse_all(text) {
        Ok((node, duplicates)) => {
            duplicates.into_iter().for_each(report);
            Some(node)
        }
        Err(fault) => {
            report(fault);
            None
        }
    }
}

/// Checks `text` as the content of `doc`.
pub(super) fn load_document(doc: Document, text: &str, now: i64) -> Result<Loaded, Vec<Diagnostic>> {
    let mut others = Vec::new();
    let config = parse(&doc, text).and_then(|node| read(&Cursor::root(&doc, &node), now, &mut others));
    let mut documents = vec![doc];
    documents.append(&mut others);
    finish(config, documents)
}

/// As [`load_document`] for a file at `path`, and the paths of all keys its sections accept.
#[cfg(test)]
pub(super) fn load_recorded(
    path: &Path,
    text: &str,
) -> (Result<Loaded, Vec<Diagnostic>>, std::collections::BTreeSet<String>) {
    let doc = Document::recording(path);
    let mut others = Vec::new();
    let config = parse(&doc, text).and_then(|node| read(&Cursor::root(&doc, &node), 0, &mut others));
    let keys = doc.accepted_keys();
    others.insert(0, doc);
    (finish(config, others), keys)
}

/// The findings of all documents, in the order the documents were read.
fn finish(config: Option<Config>, documents: Vec<Document>) -> Result<Loaded, Vec<Diagnostic>> {
    let failed = documents.iter().any(Document::has_errors);
    let (mut findings, mut files) = (Vec::new(), Vec::new());
    for document in documents {
        files.push(document.file.clone());
        let (more, references) = document.into_parts();
        findings.extend(more);
        files.extend(references);
    }
    files.sort_unstable();
    files.dedup();
    match config {
        Some(config) if !failed => Ok(Loaded { config: Config { files, ..config }, warnings: findings }),
        _ => Err(findings),
    }
}

/// Reads the root mapping. `None` only where an error was reported.
fn read(root: &Cursor<'_>, now: i64, others: &mut Vec<Document>) -> Option<Config> {
    if root.node().is_null() {
        return root.error("the file is empty; `site` and `contract` are the least it has");
    }
    let doc = root.document();
    let mut map = root.map()?;
    if is_a_blackbox_file(root.node()) {
        let name = doc.file.file_name().unwrap_or_default().to_string_lossy();
        return root.error(format_args!(
            "this is a file of blackbox_exporter's; it is taken as it is by a configuration beside it, which may be no more than: \
             {{site: here, contract: {{name: c, timezone: UTC, functions: {{f: {{objective: 99, capabilities: {{a: {{}}}}}}}}}}, \
             module_files: [{name}]}} (docs/blackbox.md)"
        ));
    }
    let site = map.require("site").and_then(|c| c.label());
    let terms = map.require("contract").map(|c| contract::read(&c)).unwrap_or_default();
    let judged_by = ledger::Terms { contract: terms.contract.as_ref(), now };
    let ledger = map.get("ledger").and_then(|c| ledger::refer(&c, judged_by, others));
    let (ledger_path, ledger) = ledger.map_or_else(Default::default, |(path, ledger)| (Some(path), ledger));
    let (modules, replaces_blackbox) = read_modules(&mut map, others);
    let probes = map.get("probes").map(|c| probes::read(&c, &modules, &terms)).unwrap_or_default();
    let roles = map.get("roles").map(|c| roles::read(&c)).unwrap_or_default();
    let inventory = map.get("hosts").map(|c| hosts::read(&c, &roles)).unwrap_or_default();
    let collectors = collectors::read(map.get("collectors").as_ref());
    let alertmanager = map.get("alertmanager").map(|c| alertmanager::read(&c));
    let logins = map.get("logins").map(|c| logins::read(&c));
    let grafana = map.get("grafana").map(|c| grafana::read(&c));
    let zone = terms.contract.as_ref().map(|contract| &contract.timezone);
    let restore_drills = map.get("restore_drills").map(|c| backups::drills(&c));
    let backup_sets = map.get("backups").map(|c| backups::read(&c));
    let certificate_sets = map.get("certificates").map(|c| certificates::read(&c));
    let host_updates = map.get("updates").map(|c| updates::read(&c));
    let desk = map.get("support").map(|c| support::read(&c, zone, &modules));
    map.finish();

    let references = probes.references(&terms.connectivity, doc);
    terms.upstream_probes.iter().for_each(|list| probes.check_upstream(list, doc));
    modules.excuse_unused(others);
    // What is missing is only said of a file without errors: it may be missing because of them.
    let good = !doc.has_errors() && !others.iter().any(Document::has_errors);
    if good {
        terms.warn_of_missing_evidence(doc);
        modules.warn_of_unused(doc);
    }
    let labels = probes::Labels { site: site.as_deref().unwrap_or_default(), contract: &terms.name };
    let targets = probes.into_targets(&references, &inventory, &labels);
    if good {
        inventory.warn(&targets, doc);
    }

    Some(Config {
        site: site?,
        contract: terms.contract?,
        targets,
        unusable_modules: modules.unusable(),
        replaces_blackbox,
        modules: modules.into_list(),
        roles: roles.into_list(),
        hosts: inventory.into_list(),
        collectors: collectors?,
        ledger: Arc::new(ledger),
        ledger_path,
        alertmanager: alertmanager.flatten().map(Arc::new),
        logins: logins.flatten().map(Arc::new),
        grafana: grafana.flatten().map(Arc::new),
        restore_drills: restore_drills.flatten(),
        backups: backup_sets.flatten().unwrap_or_default(),
        certificates: certificate_sets.flatten().unwrap_or_default(),
        support: desk.flatten(),
        updates: host_updates.flatten(),
        files: Vec::new(),
    })
}

/// Whether it has modules and nothing else.
fn is_a_blackbox_file(node: &Node) -> bool {
    matches!(&node.value, Value::Map(entries) if !entries.is_empty() && entries.iter().all(|entry| entry.key.as_str() == "modules"))
}

/// All modules, and whether some are in files that are taken as they are.
fn read_modules(map: &mut MapCursor<'_>, others: &mut Vec<Document>) -> (Modules, bool) {
    let mut modules = Modules::default();
    if let Some(cursor) = map.get("modules") {
        modules.read(&cursor);
    }
    let files = map.get("module_files").and_then(|c| c.list()).unwrap_or_default();
    for name in &files {
        modules.read_file(name, others);
    }
    (modules, !files.is_empty())
}
