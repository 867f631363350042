//! The books on disk: `notices.json` in the storage folder.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::notices::book::Book;
use crate::{atomic_file, regular_file};

const FILE: &str = "notices.json";
/// A thousand notices a day for a year are less.
const MAX_BYTES: u64 = 64 << 20;

/// All books, by contract.
#[derive(Debug)]
pub struct Store {
    folder: PathBuf,
    books: Option<BTreeMap<String, Book>>,
    /// Something is not written yet.
    dirty: bool,
    /// What was complained of last.
    complaint: Option<String>,
}

impl Store {
    /// In `folder`, which is made when there is something to store.
    #[must_use]
    pub fn new(folder: PathBuf) -> Self {
        Self { folder, books: None, dirty: false, complaint: None }
    }

    /// The book of `contract`, to be changed; `None` while what is stored cannot be read: rather tell nobody than tell
    /// everybody twice. It is tried again at each call.
    pub async fn book(&mut self, contract: &str) -> Option<&mut Book> {
        if self.books.is_none() {
            let path = self.folder.join(FILE);
            let read = tokio::task::spawn_blocking(move || read(&path)).await.unwrap_or_else(|e| Err(e.to_string()));
            match read {
                Ok(books) => {
                    self.books = Some(books);
                    self.complaint = None;
                }
                Err(why) => self.complain(format!("no notices are sent to customers: {why}")),
            }
        }
        let books = self.books.as_mut()?;
        if !books.contains_key(contract) {
            books.insert(contract.to_owned(), Book::default());
        }
        books.get_mut(contract)
    }

    /// A book was changed, and is to be [saved](Self::save).
    pub fn changed(&mut self) {
        self.dirty = true;
    }

    /// Whether the books are read, and written as they are.
    #[must_use]
    pub fn is_ok(&self) -> bool {
        self.books.is_some() && !self.dirty
    }

    /// Writes all books if one was changed. What cannot be written is logged, and tried again at the next call: notices go
    /// out meanwhile, for a failure that nobody is told of is worse than one that is told twice after a restart.
    pub async fn save(&mut self) {
        let Some(books) = self.books.as_ref().filter(|_| self.dirty) else { return };
        // Strings, times and flags.
        let content = serde_json::to_vec_pretty(books).unwrap_or_default();
        let folder = self.folder.clone();
        let written = tokio::task::spawn_blocking(move || {
            std::fs::create_dir_all(&folder)?;
            atomic_file::write(&folder.join(FILE), &content)
        })
        .await
        .unwrap_or_else(|error| Err(std::io::Error::other(error)));
        match written {
            Ok(()) => {
                self.dirty = false;
                if self.complaint.take().is_some() {
                    tracing::info!("the book of notices is written again");
                }
            }
            Err(error) => self.complain(format!(
                "cannot write {}: {error}; --storage.path must be a folder this process may write; until then a restart \
                 may tell customers again, or not tell what falls due meanwhile",
                self.folder.join(FILE).display()
            )),
        }
    }

    /// Once each: it is tried every few seconds.
    fn complain(&mut self, complaint: String) {
        if self.complaint.as_ref() != Some(&complaint) {
            tracing::error!("{complaint}");
            self.complaint = Some(complaint);
        }
    }
}

fn read(path: &Path) -> Result<BTreeMap<String, Book>, String> {
    match regular_file::read_text(path, MAX_BYTES) {
        Ok(text) => serde_json::from_str(&text).map_err(|error| {
            format!(
                "{} is damaged ({error}); restore it, or remove it: then nothing of what is past is told any more",
                path.display()
            )
        }),
        Err(error) if !path.exists() && path.symlink_metadata().is_err() => {
            drop(error);
            Ok(BTreeMap::new())
        }
        Err(error) => Err(format!("cannot read {}: {error}", path.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_book_is_kept_and_one_that_cannot_be_read_is_not_taken_for_an_empty_one() {
        let folder = tempfile::tempdir().unwrap();
        let storage = folder.path().join("deep/data");
        let mut store = Store::new(storage.clone());
        assert!(store.book("c").await.unwrap().begin());
        store.changed();
        store.save().await;
        let mut again = Store::new(storage.clone());
        assert!(!again.book("c").await.unwrap().begin());
        assert!(again.book("other").await.unwrap().begin());

        std::fs::write(storage.join(FILE), "{").unwrap();
        assert!(Store::new(storage).book("c").await.is_none());
    }
}
