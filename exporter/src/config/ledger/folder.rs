//! Which files a ledger is made of: one file, or those of a folder.

use std::io;
use std::path::{Path, PathBuf};

use crate::config::MAX_BYTES;
use crate::regular_file;

/// Files of one ledger, and how many names a folder may have at all: it is a ledger's folder, not somebody's home.
const MAX_FILES: usize = 1000;
const MAX_NAMES: usize = 10_000;

/// A file of the ledger: its text, or why it cannot be read.
pub(super) type Source = (PathBuf, io::Result<String>);

/// `path` itself, or the files of that folder; of more than [`MAX_BYTES`] together the last are not read. A folder that
/// cannot be listed is itself the file that cannot be read.
pub(super) fn read(path: &Path) -> Vec<Source> {
    let files = match path.is_dir().then(|| ledger_files(path)) {
        None => vec![path.to_owned()],
        Some(Ok(files)) => files,
        Some(Err(error)) => return vec![(path.to_owned(), Err(error))],
    };
    let mut left = MAX_BYTES;
    let mut read = |file: &Path| {
        let text = regular_file::read_text(file, MAX_BYTES)?;
        left = left.checked_sub(text.len() as u64).ok_or_else(|| {
            io::Error::other(format!("with it, the ledger's files are larger than {MAX_BYTES} bytes together"))
        })?;
        Ok(text)
    };
    files.into_iter().map(|file| (read(&file), file)).map(|(text, file)| (file, text)).collect()
}

/// The ledger files of a folder, sorted by name: `*.yml` and `*.yaml` that are not hidden. Editors' and version control's
/// own files are none of them, and neither are folders: a ledger's folder has no levels.
///
/// # Errors
/// When it cannot be read, or holds too many.
pub fn ledger_files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for (count, entry) in std::fs::read_dir(folder)?.enumerate() {
        let entry = entry?;
        if count >= MAX_NAMES {
            return Err(io::Error::other(format!(
                "it has more than {MAX_NAMES} files, too many for a ledger's folder"
            )));
        }
        if is_ledger(&entry.file_name()) && !entry.path().is_dir() {
            files.push(entry.path());
        }
    }
    if files.len() > MAX_FILES {
        return Err(io::Error::other(format!("it has {} ledger files, at most {MAX_FILES} are read", files.len())));
    }
    files.sort_unstable();
    Ok(files)
}

fn is_ledger(name: &std::ffi::OsStr) -> bool {
    let hidden = name.as_encoded_bytes().starts_with(b".");
    let path = Path::new(name);
    !hidden && path.extension().is_some_and(|extension| extension == "yml" || extension == "yaml")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_its_visible_yaml_files_by_name() {
        let folder = tempfile::tempdir().unwrap();
        for name in
            ["2026-11.yml", "2026-10.yaml", ".2026-10.yml.swp", ".hidden.yml", "a.yml~", "README.md", "b.yml.bak"]
        {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        std::fs::create_dir(folder.path().join("old.yml")).unwrap();
        let files = ledger_files(folder.path()).unwrap();
        assert_eq!(files, ["2026-10.yaml", "2026-11.yml"].map(|name| folder.path().join(name)));
    }

    #[test]
    fn a_folder_with_too_many_files_or_bytes_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        for i in 0..=MAX_FILES {
            std::fs::write(folder.path().join(format!("{i}.yml")), "").unwrap();
        }
        let refused = |folder: &Path| {
            let why = read(folder).into_iter().filter_map(|(file, text)| Some((file, text.err()?.to_string())));
            why.collect::<Vec<_>>()
        };
        let [(file, why)] = &refused(folder.path())[..] else { panic!("one finding, about the folder") };
        assert!(file == folder.path() && why.contains("at most 1000 are read"), "{why}");
        let folder = tempfile::tempdir().unwrap();
        let half = "#".repeat(usize::try_from(MAX_BYTES).unwrap() / 2);
        for name in ["a.yml", "b.yml"] {
            std::fs::write(folder.path().join(name), &half).unwrap();
        }
        assert_eq!(refused(folder.path()), []);
        std::fs::write(folder.path().join("c.yml"), "#").unwrap();
        let [(file, why)] = &refused(folder.path())[..] else { panic!("one finding, about the file") };
        assert!(file.ends_with("c.yml") && why.contains("together"), "{why}");
    }
}
