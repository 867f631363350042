//! When each pending update was first seen, and a restart first asked for: kept over restarts in `updates.json` in the storage folder.
//!
//! Pure but for [`read`] and [`write`]. A first sight stands for as long as the package is installed in an older version, also while
//! no archive has the newer one (lists that are gone for a day make nothing younger), and when that is followed by a newer one:
//! the oldest fix that is missing counts. It ends when the version or a newer one is installed, or the package is removed.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::policy::Package;
use super::version;
use crate::{atomic_file, regular_file};

const FILE: &str = "updates.json";
const FORMAT: u32 = 1;
const MAX_BYTES: u64 = 16 << 20;
/// Versions of one package that are missing; of more, the first ones are remembered.
const MAX_VERSIONS: usize = 32;

/// What is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Book {
    format: u32,
    /// By package and version: when it was first seen, in seconds since the epoch.
    seen: BTreeMap<String, BTreeMap<String, i64>>,
    /// A restart is required since then.
    reboot_since: Option<i64>,
}

impl Book {
    /// Notes what waits now; what is new was published at `published` at the latest.
    pub(super) fn note(&mut self, packages: &[Package], published: i64) {
        let installed: BTreeMap<&str, &str> =
            packages.iter().map(|package| (package.name.as_str(), package.installed.as_str())).collect();
        self.seen.retain(|name, versions| {
            let Some(installed) = installed.get(name.as_str()) else { return false };
            versions.retain(|seen, _| version::compare(seen, installed).is_gt());
            !versions.is_empty()
        });
        for package in packages.iter().filter(|package| !package.newer.is_empty()) {
            let versions = self.seen.entry(package.name.clone()).or_default();
            for newer in &package.newer {
                if versions.len() < MAX_VERSIONS && !versions.contains_key(newer) {
                    versions.insert(newer.clone(), published);
                }
            }
        }
    }

    /// When the first of what waits now was first seen.
    pub(super) fn oldest(&self, packages: &[Package]) -> Option<i64> {
        let waiting = packages.iter().filter(|package| !package.newer.is_empty());
        waiting.filter_map(|package| self.seen.get(&package.name)?.values().min().copied()).min()
    }

    /// Notes whether a restart is required, asked for at `asked_at` at the latest; returns since when.
    pub(super) fn reboot(&mut self, required: bool, asked_at: i64) -> Option<i64> {
        self.reboot_since = required.then(|| self.reboot_since.unwrap_or(asked_at).min(asked_at));
        self.reboot_since
    }
}

/// The book in `folder`; an empty one where there is none.
///
/// # Errors
/// When there is one that cannot be read, with what to do.
pub(super) fn read(folder: &Path) -> Result<Book, String> {
    let path = folder.join(FILE);
    let damaged = |why: String| {
        format!("{} is damaged ({why}); remove it: then the age of updates counts from now on", path.display())
    };
    match regular_file::read_text(&path, MAX_BYTES) {
        Ok(text) => {
            let book: Book = serde_json::from_str(&text).map_err(|error| damaged(error.to_string()))?;
            if book.format == FORMAT { Ok(book) } else { Err(damaged(format!("format {}", book.format))) }
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Book { format: FORMAT, ..Book::default() }),
        Err(error) => Err(format!("cannot read {}: {error}", path.display())),
    }
}

/// Replaces the book in `folder`, which is made where it is missing.
///
/// # Errors
/// With what to do about it.
pub(super) fn write(folder: &Path, book: &Book) -> Result<(), String> {
    let path = folder.join(FILE);
    let written = serde_json::to_vec(book).map_err(io::Error::other).and_then(|content| {
        std::fs::create_dir_all(folder)?;
        atomic_file::write(&path, &content)
    });
    written.map_err(|error| {
        format!(
            "cannot write {}: {error}; --storage.path must be a folder this process may write; until then a restart makes \
             updates look younger than they are",
            path.display()
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, installed: &str, newer: &[&str]) -> Package {
        let newer = newer.iter().map(|version| (*version).to_owned()).collect();
        Package { name: name.to_owned(), installed: installed.to_owned(), newer }
    }

    /// Days of `(day, installed, newer)`; then when the oldest was first seen, each day.
    #[track_caller]
    fn check(days: &[(i64, &str, &[&str])], expected: &[Option<i64>]) {
        let mut book = Book::default();
        let found: Vec<_> = days
            .iter()
            .map(|(day, installed, newer)| {
                let packages = [package("a", installed, newer)];
                book.note(&packages, *day);
                book.oldest(&packages)
            })
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn first_sight_stands_until_the_version_or_a_newer_one_is_installed() {
        check(&[(1, "1", &["2"]), (5, "1", &["2"]), (6, "2", &[])], &[Some(1), Some(1), None]);
        check(&[(1, "1", &["2"]), (5, "1", &["3"])], &[Some(1), Some(1)]);
        // The first is installed, the second is missing since day 5.
        check(&[(1, "1", &["2"]), (5, "1", &["3"]), (9, "2", &["3"])], &[Some(1), Some(1), Some(5)]);
        check(&[(1, "1", &["2"]), (5, "3", &[]), (9, "3", &["4"])], &[Some(1), None, Some(9)]);
    }

    #[test]
    fn what_vanishes_from_the_archives_and_comes_back_is_not_younger() {
        check(&[(1, "1", &["2"]), (5, "1", &[]), (9, "1", &["2"])], &[Some(1), None, Some(1)]);
        check(&[(1, "1", &["2"]), (5, "1", &[]), (9, "1", &["3"])], &[Some(1), None, Some(1)]);
    }

    #[test]
    fn what_is_removed_and_installed_again_begins_again() {
        let mut book = Book::default();
        book.note(&[package("a", "1", &["2"]), package("b", "1", &["2"])], 1);
        book.note(&[package("b", "1", &["2"])], 2);
        let both = [package("a", "1", &["2"]), package("b", "1", &["2"])];
        book.note(&both, 3);
        assert_eq!(book.oldest(&both), Some(1));
        assert_eq!(book.oldest(&both[..1]), Some(3));
    }

    #[test]
    fn what_is_remembered_of_a_package_is_bounded() {
        let mut book = Book::default();
        for day in 1..=100 {
            book.note(&[package("a", "0", &[&day.to_string()])], day);
        }
        assert_eq!(book.seen["a"].len(), MAX_VERSIONS);
        assert_eq!(book.oldest(&[package("a", "0", &["100"])]), Some(1));
    }

    #[test]
    fn a_restart_is_required_since_it_was_first_asked_for() {
        let mut book = Book::default();
        assert_eq!(book.reboot(false, 1), None);
        assert_eq!(book.reboot(true, 2), Some(2));
        assert_eq!(book.reboot(true, 9), Some(2), "the file is touched again by the next package");
        assert_eq!(book.reboot(false, 10), None);
        assert_eq!(book.reboot(true, 11), Some(11));
    }

    #[test]
    fn what_is_written_is_read_and_what_is_damaged_is_not_taken_for_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let storage = folder.path().join("deep/data");
        let mut book = read(&storage).unwrap();
        book.note(&[package("a", "1", &["2"])], 7);
        book.reboot(true, 8);
        write(&storage, &book).unwrap();
        assert_eq!(read(&storage).unwrap(), book);
        for bad in ["{", "{}", r#"{"format":2,"seen":{},"reboot_since":null}"#] {
            std::fs::write(storage.join(FILE), bad).unwrap();
            assert!(read(&storage).unwrap_err().contains("is damaged"), "{bad}");
        }
        std::fs::remove_file(storage.join(FILE)).unwrap();
        std::fs::create_dir(storage.join(FILE)).unwrap();
        assert!(read(&storage).is_err() && write(&storage, &book).is_err());
    }
}
