//! The ledger's files: one `ledger.yml` or a folder of such, read into [`Ledger`] and checked as strictly as the
//! configuration.
//!
//! Each kind of entry has its reader (`maintenance`, `incident`, `records`); what only several entries together show is
//! checked afterwards (`ids`, `overlaps`), and then what the contract makes of them (`terms`). Without a contract, as
//! where `check` is given a ledger alone, everything is checked that needs none. Not for: what entries decide about a
//! month (`windows`).

mod common;
mod folder;
mod ids;
mod incident;
mod maintenance;
mod moment;
mod overlaps;
mod place;
mod records;
mod terms;

use std::path::{Path, PathBuf};

use self::common::Context;
pub use self::folder::ledger_files;
use self::ids::Ids;
use self::place::{Place, Placed};
use super::decode::Cursor;
use super::diagnostics::{Document, Severity};
use super::load::parse;
use super::node::Mark;
use crate::contract::Contract;
use crate::ledger::{Advisory, Drill, Incident, Ledger, Maintenance};

/// The lists a ledger has.
pub(super) const LISTS: [&str; 4] = ["maintenance", "incidents", "drills", "advisories"];

/// What a ledger is checked against.
#[derive(Clone, Copy)]
pub(super) struct Terms<'c> {
    /// Absent: a ledger on its own, or a contract that was refused.
    pub(super) contract: Option<&'c Contract>,
    /// Seconds since the epoch.
    pub(super) now: i64,
}

/// Every entry that could be read, with its place.
#[derive(Default)]
struct Entries {
    maintenance: Vec<Placed<Maintenance>>,
    incidents: Vec<Placed<Incident>>,
    drills: Vec<Drill>,
    advisories: Vec<Advisory>,
}

/// The ledger that `cursor` names, and where it is. Findings are those of the files' documents, which join `others`; the
/// ledger is whole where none of them is an error.
pub(super) fn refer(cursor: &Cursor<'_>, terms: Terms<'_>, others: &mut Vec<Document>) -> Option<(PathBuf, Ledger)> {
    // `ledger: ""` is none, as `ledger:` is.
    if cursor.string()?.is_empty() {
        return None;
    }
    let path = cursor.file()?;
    let named = format!("; {}:{} names it", cursor.document().file.display(), cursor.node().mark.line);
    let (ledger, mut documents) = load(&path, &named, terms);
    others.append(&mut documents);
    Some((path, ledger))
}

/// The ledger at `path`, a file or a folder; the documents have the findings. `named`: what to add where it cannot be read.
pub(super) fn load(path: &Path, named: &str, terms: Terms<'_>) -> (Ledger, Vec<Document>) {
    let (mut texts, mut unreadable) = (Vec::new(), Vec::new());
    for (file, text) in folder::read(path) {
        let document = Document::new(&file);
        match text {
            Ok(text) => texts.push((document, text)),
            Err(error) => {
                // Of the file itself, so that mending it is noticed.
                let message = format_args!("cannot read it: {error}{named}");
                document.report(Severity::Error, Mark::default(), "", message);
                unreadable.push(document);
            }
        }
    }
    let (ledger, mut documents) = read(texts, terms);
    documents.append(&mut unreadable);
    (ledger, documents)
}

/// The ledger that `files` make together.
pub(super) fn read(files: Vec<(Document, String)>, terms: Terms<'_>) -> (Ledger, Vec<Document>) {
    let (mut entries, mut ids, mut documents) = (Entries::default(), Ids::default(), Vec::with_capacity(files.len()));
    for (document, text) in files {
        entries.read(&document, &text, documents.len(), terms, &mut ids);
        documents.push(document);
    }
    ids.report_duplicates(&documents);
    overlaps::check(&entries, terms.contract, &documents);
    terms::check(&entries, terms, &documents);
    (entries.into_ledger(), documents)
}

impl Entries {
    /// Adds those of one file, the `index`-th.
    fn read(&mut self, doc: &Document, text: &str, index: usize, terms: Terms<'_>, ids: &mut Ids) {
        let Some(node) = parse(doc, text) else { return };
        // Nothing but comments: nothing recorded yet.
        if node.is_null() {
            return;
        }
        let Some(mut map) = Cursor::root(doc, &node).map() else { return };
        let mut context = Context { terms, index, ids };
        let [maintenance, incidents, drills, advisories] =
            LISTS.map(|list| map.get(list).and_then(|c| c.list()).unwrap_or_default());
        map.finish();
        for entry in &maintenance {
            self.maintenance.extend(maintenance::read(entry, &mut context).map(|v| Placed::new(v, entry, index)));
        }
        for entry in &incidents {
            self.incidents.extend(incident::read(entry, &mut context).map(|v| Placed::new(v, entry, index)));
        }
        self.drills.extend(drills.iter().filter_map(|entry| records::drill(entry, &context)));
        self.advisories.extend(advisories.iter().filter_map(|entry| records::advisory(entry, &mut context)));
    }

    fn into_ledger(self) -> Ledger {
        Ledger {
            maintenance: self.maintenance.into_iter().map(|placed| placed.value).collect(),
            incidents: self.incidents.into_iter().map(|placed| placed.value).collect(),
            drills: self.drills,
            advisories: self.advisories,
        }
    }
}

/// `2 maintenance, 1 incident, …`.
pub(super) fn summary(ledger: &Ledger) -> String {
    let plural = super::names::plural;
    format!(
        "{} maintenance, {}, {}, {}",
        ledger.maintenance.len(),
        plural(ledger.incidents.len(), "incident"),
        plural(ledger.drills.len(), "drill"),
        plural(ledger.advisories.len(), "advisory"),
    )
}

/// Reports a warning about an entry at its key `key`, or at the entry where it has none.
fn warn(documents: &[Document], place: &Place, key: &str, message: impl std::fmt::Display) {
    report(documents, place, key, Severity::Warning, message);
}

fn report(documents: &[Document], place: &Place, key: &str, severity: Severity, message: impl std::fmt::Display) {
    let Some(document) = documents.get(place.index) else { return };
    let (mark, path) = place.of(key);
    document.report(severity, mark, path, message);
}
