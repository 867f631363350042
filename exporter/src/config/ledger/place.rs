//! Where an entry stands, for findings that come up once all entries are read.

use crate::config::decode::Cursor;
use crate::config::node::{Mark, Value};

/// An entry's file, place and path, and those of its keys.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// Which of the documents.
    pub(super) index: usize,
    mark: Mark,
    path: String,
    keys: Vec<(String, Mark)>,
}

/// A value and where it was read.
#[derive(Debug)]
pub(super) struct Placed<T> {
    pub(super) value: T,
    pub(super) place: Place,
}

impl<T> Placed<T> {
    /// `value` as read from `entry` in the `index`-th file.
    pub(super) fn new(value: T, entry: &Cursor<'_>, index: usize) -> Self {
        Self { value, place: Place::new(entry, index) }
    }
}

impl Place {
    /// Where `entry` of the `index`-th file is.
    pub(super) fn new(entry: &Cursor<'_>, index: usize) -> Self {
        let keys = match &entry.node().value {
            Value::Map(entries) => entries.iter().map(|e| (e.key.clone(), e.node.mark)).collect(),
            _ => Vec::new(),
        };
        Self { index, mark: entry.node().mark, path: entry.path().to_owned(), keys }
    }

    /// Place and path of the entry's `key`; of the entry, where it has no such key.
    pub(super) fn of(&self, key: &str) -> (Mark, String) {
        match self.keys.iter().find(|(name, _)| name == key) {
            Some((_, mark)) => (*mark, format!("{}.{key}", self.path)),
            None => (self.mark, self.path.clone()),
        }
    }
}
