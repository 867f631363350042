//! The files beside a log: those it was rotated to, and all inodes of the folder.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{DirEntryExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use super::generation::{Identity, identity};

/// Entries of a folder that are looked at.
const MAX_ENTRIES: usize = 20_000;

/// A file beside the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sibling {
    pub(super) path: PathBuf,
    /// Device and inode.
    pub(super) place: (u64, u64),
    pub(super) size: u64,
    /// Named as rotation names them, and not compressed: `auth.log.1`, `auth.log-20261123`.
    pub(super) rotated: bool,
}

impl Sibling {
    /// The file, if it still is the one that was seen.
    pub(super) fn open(&self) -> Option<File> {
        super::open(&self.path).ok().filter(|(_, place)| *place == self.place).map(|(file, _)| file)
    }

    pub(super) fn identity(&self) -> Identity {
        let known = self.open().and_then(|file| identity(&file, self.place));
        known.unwrap_or_else(|| Identity::nothing(self.place))
    }
}

/// The regular files beside `log`, without itself; rotated ones oldest first.
pub(super) fn of(log: &Path) -> io::Result<Vec<Sibling>> {
    let name = log.file_name().ok_or_else(|| io::Error::other("not the name of a file"))?;
    let folder = log.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // The log may be a link into another folder: rotation happens there.
    let real = std::fs::canonicalize(log).ok();
    let (folder, name) = match &real {
        Some(real) => (real.parent().unwrap_or(folder), real.file_name().unwrap_or(name)),
        None => (folder, name),
    };
    let mut found: Vec<((i64, i64), Sibling)> = Vec::new();
    for entry in std::fs::read_dir(folder)?.take(MAX_ENTRIES) {
        let entry = entry?;
        let of = entry.file_name();
        // Others are found by their inode alone, without asking the file system about each.
        let rotated = is_rotated(name, &of);
        if of == name || (!rotated && !entry.file_type().is_ok_and(|kind| kind.is_file())) {
            continue;
        }
        let Ok(metadata) = entry.metadata() else { continue };
        if metadata.is_file() {
            let place = (metadata.dev(), entry.ino());
            let sibling = Sibling { path: entry.path(), place, size: metadata.len(), rotated };
            found.push(((metadata.mtime(), metadata.mtime_nsec()), sibling));
        }
    }
    found.sort_by_key(|(changed, _)| *changed);
    Ok(found.into_iter().map(|(_, sibling)| sibling).collect())
}

/// `auth.log.1`, `auth.log-20261123`, `auth.log.2026-11-23_01`: the log's name, a dot or dash, and nothing but a number or a date.
fn is_rotated(log: &OsStr, name: &OsStr) -> bool {
    let Some(rest) = name.as_bytes().strip_prefix(log.as_bytes()) else { return false };
    match rest {
        [b'.' | b'-', rest @ ..] => {
            rest.iter().any(u8::is_ascii_digit)
                && rest.iter().all(|byte| byte.is_ascii_digit() || matches!(byte, b'-' | b'_' | b'T' | b':'))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_rotated_files() {
        for (name, expected) in [
            ("auth.log.1", true),
            ("auth.log.0", true),
            ("auth.log-20261123", true),
            ("auth.log.2026-11-23_01", true),
            ("auth.log", false),
            ("auth.log.", false),
            ("auth.log.1.gz", false),
            ("auth.log.bak", false),
            ("auth.log-20261123.xz", false),
            ("auth.login.1", false),
            ("syslog.1", false),
        ] {
            assert_eq!(is_rotated(OsStr::new("auth.log"), OsStr::new(name)), expected, "{name}");
        }
    }
}
