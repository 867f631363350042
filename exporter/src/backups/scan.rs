//! Looks which backups of a set lie there. Blocks, possibly for ever where a network file system is gone.

use std::collections::HashSet;
use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use super::figures::Backup;
use crate::duties::files;

/// Backups of one set: more than years of days.
const MAX_BACKUPS: usize = 10_000;
/// Files within one backup that is a folder.
const MAX_FILES: usize = 200_000;
/// Depth of folders within one.
const MAX_DEPTH: usize = 32;

/// Whether `path` can be a set's pattern.
///
/// # Errors
/// With what is accepted.
pub(crate) fn check(path: &str) -> Result<(), String> {
    files::check(path, "/backup/db/*.dump")
}

/// Every backup that `path` matches, each once however many links lead to it.
///
/// # Errors
/// With the file or folder that cannot be looked at: what is in it is not known, so nothing of the set is.
pub(super) fn scan(path: &str) -> Result<Vec<Backup>, String> {
    let (mut backups, mut seen) = (Vec::new(), HashSet::new());
    for entry in files::matching(path, MAX_BACKUPS)? {
        let metadata = match fs::metadata(&entry) {
            Ok(metadata) => metadata,
            // Rotated away since, or a link to what was.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => return Err(format!("cannot read {}: {error}", entry.display())),
        };
        if !seen.insert((metadata.dev(), metadata.ino())) {
            continue;
        }
        backups.push(if metadata.is_dir() { of_folder(&entry)? } else { of_file(&metadata) });
    }
    Ok(backups)
}

fn of_file(metadata: &Metadata) -> Backup {
    Backup { written_at: metadata.mtime(), size: metadata.len() }
}

/// A folder is as old as the youngest file in it, and as large as all of them. Links within are not followed.
fn of_folder(folder: &Path) -> Result<Backup, String> {
    let mut whole = Backup { written_at: 0, size: 0 };
    let mut open = vec![(folder.to_owned(), 0)];
    let mut files = 0;
    while let Some((folder, depth)) = open.pop() {
        let unreadable = |error: std::io::Error| format!("cannot read {}: {error}", folder.display());
        for entry in fs::read_dir(&folder).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            let Ok(metadata) = entry.metadata() else { continue };
            files += 1;
            if files > MAX_FILES || depth > MAX_DEPTH {
                return Err(format!("{} has more than {MAX_FILES} files or {MAX_DEPTH} levels", folder.display()));
            }
            if metadata.is_dir() {
                open.push((entry.path(), depth + 1));
            } else if metadata.is_file() {
                whole.written_at = whole.written_at.max(metadata.mtime());
                whole.size = whole.size.saturating_add(metadata.len());
            }
        }
    }
    Ok(whole)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;

    fn write(path: &Path, bytes: usize, age: u64) {
        fs::write(path, vec![0; bytes]).unwrap();
        let at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000 - age);
        fs::File::options().write(true).open(path).unwrap().set_modified(at).unwrap();
    }

    fn backup(age: i64, size: u64) -> Backup {
        Backup { written_at: 1_700_000_000 - age, size }
    }

    #[test]
    fn files_folders_and_links_are_each_one_backup() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        write(&at("a.dump"), 10, 100);
        write(&at(".b.dump.Xy12"), 10, 50);
        write(&at("other.txt"), 10, 10);
        std::os::unix::fs::symlink(at("a.dump"), at("latest.dump")).unwrap();
        std::os::unix::fs::symlink(at("gone"), at("dangling.dump")).unwrap();
        fs::create_dir_all(at("base.dump/inner")).unwrap();
        write(&at("base.dump/one"), 5, 300);
        write(&at("base.dump/inner/two"), 7, 200);
        let mut found = scan(&format!("{}/*.dump", folder.path().display())).unwrap();
        found.sort_by_key(|backup| backup.size);
        assert_eq!(found, [backup(100, 10), backup(200, 12)]);
        assert_eq!(scan(&at("a.dump").display().to_string()).unwrap(), [backup(100, 10)]);
        assert_eq!(scan(&at("*.none").display().to_string()).unwrap(), []);
    }

    #[test]
    fn what_cannot_be_looked_at_is_not_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let why = scan(&format!("{}/missing/*.dump", folder.path().display())).unwrap_err();
        assert!(why.contains("missing: No such file"), "{why}");
    }

    #[test]
    fn patterns_are_checked() {
        for good in ["/backup/*.dump", "/backup/db-[0-9]*", "/a", "/backup/*/full.tar"] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        for (bad, part) in [("backup/*", "from the root"), ("/backup/[", "is not a pattern"), ("", "from the root")] {
            assert!(check(bad).unwrap_err().contains(part), "{bad}");
        }
    }
}
