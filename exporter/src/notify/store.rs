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
    complained: bool,
}

impl Store {
    /// In `folder`, which is made when there is something to store.
    #[must_use]
    pub fn new(folder: PathBuf) -> Self {
        Self { folder, books: None, complained: false }
    }

    /// The book of `contract`, to be changed; `None` while what is stored cannot be read: rather tell nobody than tell
    /// everybody twice.
    pub async fn book(&mut self, contract: &str) -> Option<&mut Book> {
        if self.books.is_none() {
            let path = self.folder.join(FILE);
            let read = tokio::task::spawn_blocking(move || read(&path)).await.unwrap_or_else(|e| Err(e.to_string()));
            match read {
                Ok(books) => self.books = Some(books),
                Err(why) if !self.complained => {
                    self.complained = true;
                    tracing::error!("no notices are sent: {why}");
                }
                Err(_) => {}
            }
        }
        let books = self.books.as_mut()?;
        if !books.contains_key(contract) {
            books.insert(contract.to_owned(), Book::default());
        }
        books.get_mut(contract)
    }

    /// Writes all books. What cannot be written is logged, and written with the next change.
    pub async fn save(&mut self) {
        let Some(books) = &self.books else { return };
        // Strings, times and flags.
        let content = serde_json::to_vec_pretty(books).unwrap_or_default();
        let folder = self.folder.clone();
        let written = tokio::task::spawn_blocking(move || {
            std::fs::create_dir_all(&folder)?;
            atomic_file::write(&folder.join(FILE), &content)
        })
        .await
        .unwrap_or_else(|error| Err(std::io::Error::other(error)));
        if let Err(error) = written {
            tracing::error!(
                "cannot write {}: {error}; after a restart, notices of the last day may be sent again",
                self.folder.join(FILE).display()
            );
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
        store.save().await;
        let mut again = Store::new(storage.clone());
        assert!(!again.book("c").await.unwrap().begin());
        assert!(again.book("other").await.unwrap().begin());

        std::fs::write(storage.join(FILE), "{").unwrap();
        assert!(Store::new(storage).book("c").await.is_none());
    }
}
