//! A mapping read key by key: what nobody asks for is refused at the end.

use std::fmt::Display;

use super::{Cursor, join};
use crate::config::diagnostics::{Document, Severity};
use crate::config::names::{did_you_mean, shorten};
use crate::config::node::{Entry, Mark};
use crate::secret::{Secret, SecretSource};

/// A mapping being read key by key; call [`finish`](Self::finish) at the end.
#[derive(Debug)]
pub struct MapCursor<'a> {
    pub(super) doc: &'a Document,
    pub(super) entries: &'a [Entry],
    pub(super) mark: Mark,
    pub(super) path: String,
    /// Keys asked for.
    pub(super) known: Vec<&'static str>,
    /// Keys refused by name.
    pub(super) handled: Vec<&'static str>,
}

impl<'a> MapCursor<'a> {
    /// The value of `key` when it is there and not null.
    pub fn get(&mut self, key: &'static str) -> Option<Cursor<'a>> {
        self.known.push(key);
        self.lookup(key)
    }

    fn lookup(&self, key: &str) -> Option<Cursor<'a>> {
        let entry = self.entries.iter().find(|entry| entry.key == key)?;
        (!entry.node.is_null()).then(|| Cursor { doc: self.doc, node: &entry.node, path: join(&self.path, key) })
    }

    /// The value of `key`; its absence is reported.
    pub fn require(&mut self, key: &'static str) -> Option<Cursor<'a>> {
        let found = self.get(key);
        if found.is_none() {
            self.error(format_args!("`{key}` is missing"));
        }
        found
    }

    /// Whether `key` is there at all.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        self.lookup(key).is_some()
    }

    /// Refuses `keys` by name: known elsewhere, not supported here.
    pub fn unsupported(&mut self, keys: &[&'static str], why: &str) {
        for key in keys {
            self.handled.push(key);
            if let Some(cursor) = self.lookup(key) {
                cursor.error::<()>(format_args!(
                    "`{key}` is not supported{}{why}",
                    if why.is_empty() { "" } else { ": " }
                ));
            }
        }
    }

    /// A secret from `<key>_file`; inline under `key` only where the document allows it.
    pub fn secret(&mut self, key: &'static str, key_file: &'static str) -> Option<SecretSource> {
        let inline = self.get(key);
        let file = self.get(key_file);
        match (inline, file) {
            (Some(inline), Some(_)) => inline.error(format_args!("give `{key}` or `{key_file}`, not both")),
            (Some(inline), None) if self.doc.inline_secrets => {
                inline.string().map(|text| SecretSource::Inline(Secret::new(text)))
            }
            (Some(inline), None) => inline.error(format_args!(
                "a secret does not belong in this file; write it to a file of its own and name that in `{key_file}`"
            )),
            (None, Some(file)) => {
                let source = SecretSource::File(self.doc.resolve(&file.non_empty()?));
                if let Err(error) = source.read() {
                    file.warn(error);
                }
                Some(source)
            }
            (None, None) => None,
        }
    }

    /// Reports an error at the mapping.
    pub fn error(&self, message: impl Display) {
        self.doc.report(Severity::Error, self.mark, self.path.clone(), message);
    }

    /// The mapping's path.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Where the mapping begins.
    #[must_use]
    pub fn mark(&self) -> Mark {
        self.mark
    }

    /// The document this mapping is of.
    #[must_use]
    pub fn document(&self) -> &'a Document {
        self.doc
    }

    /// Refuses every key that was neither asked for nor named as unsupported.
    pub fn finish(self) {
        self.doc.accept(&self.path, &self.known);
        for entry in self.entries {
            let key = entry.key.as_str();
            if self.known.contains(&key) || self.handled.contains(&key) {
                continue;
            }
            // In the order the reader asks for them, which is the order of the reference.
            let mut accepted: Vec<&str> = Vec::with_capacity(self.known.len());
            for key in &self.known {
                if !accepted.contains(key) {
                    accepted.push(key);
                }
            }
            self.doc.report(
                Severity::Error,
                entry.key_mark,
                join(&self.path, key),
                format_args!(
                    "unknown key `{}`; accepted here: {}{}",
                    shorten(key),
                    if accepted.is_empty() { "none".to_owned() } else { accepted.join(", ") },
                    did_you_mean(key, accepted.iter().copied())
                ),
            );
        }
    }
}
