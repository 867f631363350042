//! What is kept over a restart: the counts and how far each log was read, in one file, `logins.json` in the storage folder.
//!
//! One file for both, replaced as a whole: a count is never of another moment than its place in the log.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::follow::Position;
use super::tally::Tally;
use crate::{atomic_file, regular_file};

const FILE: &str = "logins.json";
const FORMAT: u32 = 1;
/// All that is bounded, at its bound, is less.
const MAX_BYTES: u64 = 16 << 20;

/// What is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Book {
    format: u32,
    /// The counts.
    pub tally: Tally,
    /// By the log's name.
    pub files: BTreeMap<String, Position>,
    /// By the log's name.
    pub journals: BTreeMap<String, JournalPosition>,
}

/// Where reading of a journal stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct JournalPosition {
    /// Of the last entry that was read.
    pub cursor: Option<String>,
    /// When it was written, in seconds since the epoch.
    pub newest: Option<i64>,
}

/// The book in `folder`; an empty one where there is none.
///
/// # Errors
/// When there is one that cannot be read. Completes `<what follows>: …`.
pub(super) fn read(folder: &Path) -> Result<Book, String> {
    let path = folder.join(FILE);
    let damaged = |why: String| {
        format!("{} is damaged ({why}); remove it: then failed logins are counted from now on", path.display())
    };
    match regular_file::read_text(&path, MAX_BYTES) {
        Ok(text) => {
            let book: Book = serde_json::from_str(&text).map_err(|error| damaged(error.to_string()))?;
            if book.format == FORMAT { Ok(book) } else { Err(damaged(format!("format {}", book.format))) }
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Book::default()),
        Err(error) => Err(format!("cannot read {}: {error}", path.display())),
    }
}

/// Replaces the book in `folder`, which is made where it is missing.
///
/// # Errors
/// With what to do about it.
pub(super) fn write(folder: &Path, book: &Book) -> Result<(), String> {
    let path = folder.join(FILE);
    let book = Book { format: FORMAT, ..book.clone() };
    let written = serde_json::to_vec(&book).map_err(io::Error::other).and_then(|content| {
        std::fs::create_dir_all(folder)?;
        atomic_file::write(&path, &content)
    });
    written.map_err(|error| {
        format!(
            "cannot write {}: {error}; --storage.path must be a folder this process may write; until then a restart may \
             count failed logins twice",
            path.display()
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_what_is_damaged_is_not_taken_for_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let storage = folder.path().join("deep/data");
        assert_eq!(read(&storage).unwrap(), Book::default());
        let mut book = Book { format: FORMAT, ..Book::default() };
        book.journals.insert("journal".to_owned(), JournalPosition { cursor: Some("c1".to_owned()), newest: Some(5) });
        book.files.insert("/var/log/auth.log".to_owned(), Position::default());
        write(&storage, &book).unwrap();
        assert_eq!(read(&storage).unwrap(), book);
        for bad in [
            "{",
            "{}",
            r#"{"format":2,"tally":{"failures":{},"users":{},"once":{"known":{},"order":[]}},"files":{},"journals":{}}"#,
        ] {
            std::fs::write(storage.join(FILE), bad).unwrap();
            assert!(read(&storage).unwrap_err().contains("is damaged"), "{bad}");
        }
        std::fs::remove_file(storage.join(FILE)).unwrap();
        std::fs::create_dir(storage.join(FILE)).unwrap();
        assert!(read(&storage).is_err() && write(&storage, &book).is_err());
    }
}
