//! One id, one entry: among all lists of all files of a ledger.

use std::collections::HashMap;

use super::place::Place;
use super::report;
use crate::config::decode::{Cursor, shorten};
use crate::config::diagnostics::{Document, Severity};

/// The ids seen so far.
#[derive(Default)]
pub(super) struct Ids {
    first: HashMap<String, Place>,
    again: Vec<(String, Place)>,
}

impl Ids {
    /// Takes the `id` of an entry of the `index`-th file.
    pub(super) fn take(&mut self, id: &str, cursor: &Cursor<'_>, index: usize) {
        let place = Place::new(cursor, index);
        if self.first.contains_key(id) {
            self.again.push((id.to_owned(), place));
        } else {
            self.first.insert(id.to_owned(), place);
        }
    }

    /// Says of every id given again where it was given first.
    pub(super) fn report_duplicates(&self, documents: &[Document]) {
        for (id, place) in &self.again {
            let Some(first) = self.first.get(id) else { continue };
            let file = documents.get(first.index).map(|doc| doc.file.display().to_string()).unwrap_or_default();
            let (mark, path) = first.of("");
            report(
                documents,
                place,
                "",
                Severity::Error,
                format_args!(
                    "`{}` is {path} already ({file}:{}); an id names one entry of all lists and files",
                    shorten(id),
                    mark.line
                ),
            );
        }
    }
}
