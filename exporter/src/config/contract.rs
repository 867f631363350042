//! `contract`: the terms, and the names that evidence may refer to.

mod duties;
mod evidence;
pub(super) mod times;

use std::time::Duration;

use self::evidence::Names;
use self::times::{date, slot, zone};
use super::Evidence;
use super::decode::{Cursor, collect};
use super::diagnostics::Document;
use super::names::{self, check_identifier};
use super::node::{Mark, Value};
use crate::contract::{Capability, Contract, Function, MaintenanceTerms, Quorum, Text, Upstream};

/// Where `contract.maintenance.notice` is absent: C2.3, two weeks.
const DEFAULT_NOTICE: Duration = Duration::from_secs(14 * 24 * 3600);

/// What the section says, as far as it could be read.
#[derive(Default)]
pub(super) struct Terms {
    /// Absent after an error.
    pub(super) contract: Option<Contract>,
    /// Its name; empty after an error.
    pub(super) name: String,
    /// `contract.connectivity`, to be looked up once the probes are known.
    pub(super) connectivity: Vec<Reference>,
    /// `contract.upstreams.*.probes`, a list for each, to be looked up likewise.
    pub(super) upstream_probes: Vec<Vec<Reference>>,
    /// What evidence may name. `None`: there was no telling.
    names: Option<Names>,
}

/// A name that refers to something, and where it stands.
pub(super) struct Reference {
    pub(super) name: String,
    pub(super) mark: Mark,
    pub(super) path: String,
}

/// Reads the section.
pub(super) fn read(cursor: &Cursor<'_>) -> Terms {
    let Some(mut map) = cursor.map() else { return Terms::default() };
    let name = map.require("name").and_then(|c| c.identifier());
    let title = title(map.get("title"), name.as_deref().unwrap_or_default());
    let timezone = map.require("timezone").and_then(|c| zone(&c));
    let start = optional(map.get("start"), date);
    let maintenance = map.get("maintenance").map_or_else(|| Some(default_maintenance()), |c| maintenance(&c));
    // An exporter of a device has none: it measures its own host's duties, and promises nothing by itself.
    let functions_cursor = map.get("functions");
    let functions = functions_cursor.as_ref().map_or_else(|| Some(Vec::new()), functions);
    let mut upstream_probes = Vec::new();
    let upstreams = map.get("upstreams").map_or_else(|| Some(Vec::new()), |c| upstreams(&c, &mut upstream_probes));
    let connectivity = optional(map.get("connectivity"), |c| collect(&c.list()?, reference));
    let own: Vec<String> = functions.iter().flatten().map(|function| function.name.clone()).collect();
    let duties = map.get("duties").map_or_else(|| Some(Vec::new()), |c| duties::read(&c, &own));
    map.finish();
    let names = Some(functions_cursor.as_ref().map_or_else(Names::default, evidence::given));
    let contract = (|| {
        let (timezone, timezone_name) = timezone?;
        let connectivity = connectivity.as_ref()?.iter().flatten().map(|r| r.name.clone()).collect();
        Some(Contract {
            name: name.clone()?,
            title: title?,
            timezone,
            timezone_name,
            start: start?,
            maintenance: maintenance?,
            functions: functions?,
            upstreams: upstreams?,
            connectivity,
            duties: duties?,
        })
    })();
    let connectivity = connectivity.flatten().unwrap_or_default();
    Terms { contract, name: name.unwrap_or_default(), connectivity, upstream_probes, names }
}

impl Terms {
    /// The capability that `function/capability` names; counts the evidence for it.
    pub(super) fn evidence(&self, cursor: &Cursor<'_>) -> Option<Evidence> {
        self.names.as_ref()?.find(cursor)
    }

    /// A capability nothing proves leaves its function unmeasured for good.
    pub(super) fn warn_of_missing_evidence(&self, doc: &Document) {
        if let Some(names) = &self.names {
            names.warn_of_missing(doc);
        }
    }
}

/// `Some(None)` where nothing is given, `None` after an error.
fn optional<T>(cursor: Option<Cursor<'_>>, read: impl FnOnce(&Cursor<'_>) -> Option<T>) -> Option<Option<T>> {
    match cursor {
        None => Some(None),
        Some(c) => read(&c).map(Some),
    }
}

fn reference(cursor: &Cursor<'_>) -> Option<Reference> {
    let name = cursor.non_empty()?;
    Some(Reference { name, mark: cursor.node().mark, path: cursor.path().to_owned() })
}

fn default_maintenance() -> MaintenanceTerms {
    MaintenanceTerms { notice: DEFAULT_NOTICE, slot: None }
}

fn maintenance(cursor: &Cursor<'_>) -> Option<MaintenanceTerms> {
    let mut map = cursor.map()?;
    let notice = map.get("notice").map_or(Some(DEFAULT_NOTICE), |c| c.duration());
    let slot = optional(map.get("slot"), slot);
    map.finish();
    Some(MaintenanceTerms { notice: notice?, slot: slot? })
}

/// A text in both languages, or one for both; absent: `name`.
fn title(cursor: Option<Cursor<'_>>, name: &str) -> Option<Text> {
    match cursor {
        None => Some(Text { ja: name.to_owned(), en: name.to_owned() }),
        Some(c) => text(&c),
    }
}

/// A text in both languages, each on one line, or one for both.
pub(super) fn text(cursor: &Cursor<'_>) -> Option<Text> {
    if !matches!(cursor.node().value, Value::Map(_)) {
        let text = cursor.label()?;
        return Some(Text { ja: text.clone(), en: text });
    }
    let mut map = cursor.map()?;
    let ja = map.require("ja").and_then(|c| c.label());
    let en = map.require("en").and_then(|c| c.label());
    map.finish();
    Some(Text { ja: ja?, en: en? })
}

/// The entries of a mapping whose names are identifiers; at least one. `noun` is for the message.
fn identified<T>(
    cursor: &Cursor<'_>,
    noun: &str,
    mut read: impl FnMut(&str, &Cursor<'_>) -> Option<T>,
) -> Option<Vec<T>> {
    let entries = cursor.named()?;
    if entries.is_empty() {
        return cursor.error(format_args!("expected at least one {noun}, found none"));
    }
    let wanted = entries.len();
    let found: Vec<T> = entries
        .into_iter()
        .filter_map(|(name, mark, entry)| {
            let name_fits = check_identifier(name).map_err(|why| entry.error_at(mark, why));
            // Read in any case: what is wrong inside is said too.
            let value = read(name, &entry);
            name_fits.ok().and(value)
        })
        .collect();
    (found.len() == wanted).then_some(found)
}

fn functions(cursor: &Cursor<'_>) -> Option<Vec<Function>> {
    if cursor.named()?.is_empty() {
        return cursor.error(
            "expected at least one function, found none; leave `functions` out in the file of a device's own exporter",
        );
    }
    identified(cursor, "function", |name, entry| {
        let mut map = entry.map()?;
        let title = title(map.get("title"), name);
        let objective = map.require("objective").and_then(|c| objective(&c));
        let maintenance_limit = optional(map.get("maintenance_limit"), |c| match c.duration()? {
            Duration::ZERO => c.error("a limit of 0s forbids any maintenance; leave it out for no limit"),
            limit => Some(limit),
        });
        let capabilities = map.require("capabilities").and_then(|c| capabilities(&c));
        map.finish();
        Some(Function {
            name: name.to_owned(),
            title: title?,
            objective: objective?,
            maintenance_limit: maintenance_limit?,
            capabilities: capabilities?,
        })
    })
}

/// Percent to ratio.
fn objective(cursor: &Cursor<'_>) -> Option<f64> {
    let percent = cursor.positive(100.0)?;
    // Dividing 99.9 by 100 is not what 0.999 is read as; the shortest notation moved by two places is.
    format!("{percent}e-2").parse().ok()
}

fn capabilities(cursor: &Cursor<'_>) -> Option<Vec<Capability>> {
    identified(cursor, "capability", |name, entry| {
        let plain = Capability { name: name.to_owned(), title: Text::default(), quorum: Quorum::All };
        if entry.node().is_null() {
            return Some(Capability { title: title(None, name)?, ..plain });
        }
        let mut map = entry.map()?;
        let title = title(map.get("title"), name);
        let quorum = map.get("quorum").map_or(Some(Quorum::All), |c| quorum(&c));
        map.finish();
        Some(Capability { title: title?, quorum: quorum?, ..plain })
    })
}

fn quorum(cursor: &Cursor<'_>) -> Option<Quorum> {
    const WORDS: [&str; 3] = ["all", "majority", "any"];
    let text = cursor.string()?;
    match text.as_str() {
        "all" => return Some(Quorum::All),
        "majority" => return Some(Quorum::Majority),
        "any" => return Some(Quorum::Any),
        _ => {}
    }
    match text.parse::<f64>() {
        Ok(ratio) if ratio > 0.0 && ratio <= 1.0 => Some(Quorum::Ratio(ratio)),
        _ => cursor.error(format_args!(
            "`{}` is not a quorum; write all, majority, any, or a ratio above 0 and up to 1 such as 0.67{}",
            names::shorten(&text),
            names::did_you_mean(&text, WORDS.into_iter())
        )),
    }
}

/// Their probes are added to `all`, with their places.
fn upstreams(cursor: &Cursor<'_>, all: &mut Vec<Vec<Reference>>) -> Option<Vec<Upstream>> {
    if cursor.named()?.is_empty() {
        return Some(Vec::new());
    }
    identified(cursor, "upstream", |name, entry| {
        if entry.node().is_null() {
            return Some(Upstream { name: name.to_owned(), title: title(None, name)?, probes: Vec::new() });
        }
        let mut map = entry.map()?;
        let title = title(map.get("title"), name);
        let probes = optional(map.get("probes"), |c| collect(&c.list()?, reference));
        map.finish();
        let probes = probes?.unwrap_or_default();
        let names = probes.iter().map(|probe| probe.name.clone()).collect();
        all.push(probes);
        Some(Upstream { name: name.to_owned(), title: title?, probes: names })
    })
}
