//! `ledger`: the file is found and its outline checked. Not for its entries, which this version does not evaluate.

use std::path::PathBuf;

use super::decode::Cursor;
use super::diagnostics::Document;
use super::load::{MAX_BYTES, parse};
use super::names;
use crate::regular_file;

/// The lists a ledger has.
pub(super) const LISTS: [&str; 4] = ["maintenance", "incidents", "drills", "advisories"];

/// The ledger file `cursor` names.
pub(super) fn refer(cursor: &Cursor<'_>, others: &mut Vec<Document>) -> Option<PathBuf> {
    // `ledger: ""` is none, as `ledger:` is.
    if cursor.string()?.is_empty() {
        return None;
    }
    let path = cursor.file()?;
    match regular_file::read_text(&path, MAX_BYTES) {
        Ok(text) => {
            let doc = Document::new(&path);
            if let Some(entries) = read(&doc, &text).filter(|entries| *entries > 0) {
                cursor.warn(format_args!(
                    "{} has {}, which this version does not evaluate: every measured stop counts",
                    path.display(),
                    names::plural(entries, "entry")
                ));
            }
            others.push(doc);
            Some(path)
        }
        Err(error) => cursor.error(format_args!("cannot read {}: {error}", path.display())),
    }
}

/// Checks the outline; returns how many entries there are.
pub(super) fn read(doc: &Document, text: &str) -> Option<usize> {
    let node = parse(doc, text)?;
    if node.is_null() {
        return Some(0);
    }
    let mut map = Cursor::root(doc, &node).map()?;
    let lists = LISTS.map(|list| map.get(list).map_or(Some(0), |c| c.list().map(|items| items.len())));
    map.finish();
    lists.into_iter().sum()
}
