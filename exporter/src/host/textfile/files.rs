//! The `*.prom` files of a folder: which there are, read again only when they changed.
//!
//! Whoever may write there may put anything there: pipes and devices are refused without opening them,
//! links are followed to what they point at, sizes and numbers are bounded. A file that is renamed into place
//! is always read whole; one that is written in place may be caught half-way and is then refused until it is at rest.

use std::collections::BTreeMap;
use std::fs::{Metadata, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use super::parse::{Family, parse};

/// The longest file that is read.
const MAX_FILE_BYTES: u64 = 16 << 20;
/// All files together.
const MAX_FOLDER_BYTES: u64 = 64 << 20;
/// The most files that are read, and the most entries looked through for them.
const MAX_FILES: usize = 1000;
const MAX_ENTRIES: usize = 100_000;
/// All series together.
pub(super) const MAX_SERIES: usize = 100_000;

/// A file this young may still change without showing it: clocks of filesystems tick some milliseconds.
const RESTLESS_SECONDS: f64 = 2.0;

/// What tells one version of a file from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    file: (u64, u64),
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

/// A file as it was last read.
#[derive(Debug)]
pub(super) struct Loaded {
    pub(super) stamp: Option<Stamp>,
    /// Seconds since the epoch.
    pub(super) modified: f64,
    /// Its families, or why it is refused, with the file's path.
    pub(super) content: Result<Vec<Family>, String>,
    at_rest: bool,
}

/// The folder's files by path.
#[derive(Debug, Default)]
pub(super) struct Files(pub(super) BTreeMap<PathBuf, Loaded>);

impl Files {
    /// Takes in what changed since the last time; `now` is in seconds since the epoch. An error is one of the
    /// folder as a whole; after it, what was read is still there to be shown.
    pub(super) fn refresh(&mut self, folder: &Path, now: f64) -> Result<(), String> {
        let failed = |error: io::Error| format!("{}: {error}", folder.display());
        let listed = list(folder).map_err(failed);
        let paths = match &listed {
            Ok(paths) => paths.as_slice(),
            Err(_) => &[],
        };
        self.0.retain(|path, _| paths.binary_search(path).is_ok());
        let mut room = MAX_FOLDER_BYTES;
        for path in paths.iter().take(MAX_FILES) {
            let known = self.0.remove(path);
            if let Some(loaded) = load(path, known, &mut room, now) {
                self.0.insert(path.clone(), loaded);
            }
        }
        match listed?.len() {
            0..=MAX_FILES => Ok(()),
            number => Err(format!(
                "{}: {number} files; the first {MAX_FILES} by name are read, join or remove some",
                folder.display()
            )),
        }
    }
}

/// Sorted.
fn list(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for (i, entry) in std::fs::read_dir(folder)?.enumerate() {
        if i == MAX_ENTRIES {
            return Err(io::Error::other(format!(
                "more than {MAX_ENTRIES} entries; give the files a folder of their own"
            )));
        }
        let name = entry?.file_name();
        if name.as_encoded_bytes().ends_with(b".prom") {
            paths.push(folder.join(name));
        }
    }
    paths.sort_unstable();
    Ok(paths)
}

/// Nothing for a file that is gone again: whoever renames or removes files does so at any time.
fn load(path: &Path, known: Option<Loaded>, room: &mut u64, now: f64) -> Option<Loaded> {
    let refused = |what: String| Loaded {
        stamp: None,
        modified: 0.0,
        content: Err(format!("{}: {what}", path.display())),
        at_rest: false,
    };
    let metadata = match std::fs::metadata(path) {
        Ok(metadata) => metadata,
        // A link to nowhere is there and says nothing, unlike a file that is gone.
        Err(error) if error.kind() == io::ErrorKind::NotFound && std::fs::symlink_metadata(path).is_err() => {
            return None;
        }
        Err(error) => return Some(refused(error.to_string())),
    };
    if !metadata.is_file() {
        return Some(refused(format!("{}, expected a regular file", kind(&metadata))));
    }
    if metadata.len() > MAX_FILE_BYTES {
        return Some(refused(format!("larger than {} MiB", MAX_FILE_BYTES >> 20)));
    }
    match room.checked_sub(metadata.len()) {
        Some(rest) => *room = rest,
        None => {
            let most = MAX_FOLDER_BYTES >> 20;
            return Some(refused(format!("with the files before it by name larger than {most} MiB")));
        }
    }
    if let Some(known) = known.filter(|known| known.at_rest && known.stamp == Some(stamp(&metadata))) {
        return Some(known);
    }
    match read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => Some(refused(error.to_string())),
        Ok((text, metadata)) => Some(Loaded {
            stamp: Some(stamp(&metadata)),
            modified: seconds(metadata.mtime(), metadata.mtime_nsec()),
            content: parse(&text, MAX_SERIES)
                .map_err(|error| format!("{}:{}: {}", path.display(), error.line, error.what)),
            at_rest: (now - seconds(metadata.ctime(), metadata.ctime_nsec())).abs() > RESTLESS_SECONDS,
        }),
    }
}

/// The whole of a file that did not change meanwhile.
fn read(path: &Path) -> io::Result<(Vec<u8>, Metadata)> {
    // It may have become something else since it was looked at: without waiting for a pipe's writer.
    let flags = (rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOCTTY).bits();
    let mut file = OpenOptions::new().read(true).custom_flags(flags.cast_signed()).open(path)?;
    let before = file.metadata()?;
    if !before.is_file() {
        return Err(io::Error::other(format!("{}, expected a regular file", kind(&before))));
    }
    let mut text = Vec::new();
    // One byte more, to see a file that grew in the meantime.
    Read::by_ref(&mut file).take(MAX_FILE_BYTES + 1).read_to_end(&mut text)?;
    let after = file.metadata()?;
    if stamp(&before).content() != stamp(&after).content() || text.len() as u64 != after.len() {
        return Err(io::Error::other("changed while it was read; write to another name and rename it into place"));
    }
    Ok((text, after))
}

fn stamp(metadata: &Metadata) -> Stamp {
    Stamp {
        file: (metadata.dev(), metadata.ino()),
        size: metadata.len(),
        modified: (metadata.mtime(), metadata.mtime_nsec()),
        changed: (metadata.ctime(), metadata.ctime_nsec()),
    }
}

impl Stamp {
    /// What changes with the content; a file renamed or given another owner while it is read is still whole.
    fn content(&self) -> (u64, (i64, i64)) {
        (self.size, self.modified)
    }
}

fn seconds(whole: i64, nanoseconds: i64) -> f64 {
    whole as f64 + nanoseconds as f64 * 1e-9
}

fn kind(metadata: &Metadata) -> &'static str {
    use std::os::unix::fs::FileTypeExt as _;
    let kind = metadata.file_type();
    match () {
        () if kind.is_dir() => "a folder",
        () if kind.is_fifo() => "a pipe",
        () if kind.is_socket() => "a socket",
        () if kind.is_char_device() || kind.is_block_device() => "a device",
        () => "no file",
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::TempDir;

    use super::*;

    /// Far from the time of any file: files count as at rest.
    const LATER: f64 = 4e9;

    struct Folder(TempDir, Files);

    impl Folder {
        fn new() -> Self {
            Self(tempfile::tempdir().unwrap(), Files::default())
        }

        fn path(&self, name: &str) -> PathBuf {
            self.0.path().join(name)
        }

        /// Each file with its families' names, or why it is refused.
        fn refresh(&mut self, now: f64) -> Vec<String> {
            let folder = self.0.path().to_owned();
            self.1.refresh(&folder, now).unwrap();
            let shown = |loaded: &Loaded| match &loaded.content {
                Ok(families) => families.iter().map(|family| family.name.clone()).collect::<Vec<_>>().join(" "),
                Err(error) => error.clone(),
            };
            let prefix = format!("{}/", folder.display());
            self.1
                .0
                .iter()
                .map(|(path, loaded)| format!("{}: {}", path.display(), shown(loaded)).replace(&prefix, ""))
                .collect()
        }
    }

    #[test]
    fn only_files_that_end_in_prom_are_read() {
        let mut folder = Folder::new();
        for (name, text) in [("b.prom", "b 1\n"), ("a.prom", "a 1\n"), ("c.prom.1234", "c 1\n"), ("d.txt", "d 1\n")] {
            fs::write(folder.path(name), text).unwrap();
        }
        assert_eq!(folder.refresh(LATER), ["a.prom: a", "b.prom: b"]);
        fs::remove_file(folder.path("a.prom")).unwrap();
        assert_eq!(folder.refresh(LATER), ["b.prom: b"]);
    }

    #[test]
    fn a_changed_file_is_read_again_also_within_one_tick_of_the_clock() {
        let mut folder = Folder::new();
        fs::write(folder.path("a.prom"), "a 1\n").unwrap();
        assert_eq!(folder.refresh(crate::clock::unix_seconds()), ["a.prom: a"]);
        // Same length, perhaps the same time.
        fs::write(folder.path("a.prom"), "b 1\n").unwrap();
        assert_eq!(folder.refresh(crate::clock::unix_seconds()), ["a.prom: b"]);
    }

    #[test]
    fn a_file_at_rest_is_not_read_again() {
        let mut folder = Folder::new();
        fs::write(folder.path("a.prom"), "a 1\n").unwrap();
        folder.refresh(LATER);
        folder.1.0.get_mut(&folder.path("a.prom")).unwrap().content = Ok(vec![]);
        assert_eq!(folder.refresh(LATER), ["a.prom: "]);
        fs::write(folder.path("new"), "b 1\n").unwrap();
        fs::rename(folder.path("new"), folder.path("a.prom")).unwrap();
        assert_eq!(folder.refresh(LATER), ["a.prom: b"]);
    }

    #[test]
    fn pipes_devices_folders_and_links_to_nowhere_are_refused_at_once() {
        use std::os::unix::fs::symlink;
        let mut folder = Folder::new();
        fs::write(folder.path("real"), "a 1\n").unwrap();
        symlink(folder.path("real"), folder.path("link.prom")).unwrap();
        symlink("/dev/zero", folder.path("device.prom")).unwrap();
        symlink(folder.path("nowhere"), folder.path("dangling.prom")).unwrap();
        symlink(folder.path("loop.prom"), folder.path("loop.prom")).unwrap();
        fs::create_dir(folder.path("folder.prom")).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(folder.path("pipe.prom")).status().unwrap().success());
        assert_eq!(
            folder.refresh(LATER),
            [
                "dangling.prom: dangling.prom: No such file or directory (os error 2)",
                "device.prom: device.prom: a device, expected a regular file",
                "folder.prom: folder.prom: a folder, expected a regular file",
                "link.prom: a",
                "loop.prom: loop.prom: Too many levels of symbolic links (os error 40)",
                "pipe.prom: pipe.prom: a pipe, expected a regular file",
            ]
        );
    }

    #[test]
    fn opening_a_pipe_that_took_a_files_place_does_not_wait() {
        let folder = Folder::new();
        assert!(std::process::Command::new("mkfifo").arg(folder.path("p")).status().unwrap().success());
        assert_eq!(read(&folder.path("p")).unwrap_err().to_string(), "a pipe, expected a regular file");
    }

    #[test]
    fn sizes_are_bounded_alone_and_together() {
        let mut folder = Folder::new();
        let blank = |size: u64| "\n".repeat(usize::try_from(size).unwrap());
        fs::write(folder.path("a.prom"), blank(MAX_FILE_BYTES)).unwrap();
        fs::write(folder.path("b.prom"), blank(MAX_FILE_BYTES + 1)).unwrap();
        for name in ["c.prom", "d.prom", "e.prom"] {
            fs::hard_link(folder.path("a.prom"), folder.path(name)).unwrap();
        }
        fs::write(folder.path("f.prom"), "f 1\n").unwrap();
        assert_eq!(
            folder.refresh(LATER),
            [
                "a.prom: ",
                "b.prom: b.prom: larger than 16 MiB",
                "c.prom: ",
                "d.prom: ",
                "e.prom: ",
                "f.prom: f.prom: with the files before it by name larger than 64 MiB",
            ]
        );
    }

    #[test]
    fn a_folder_that_cannot_be_listed_or_has_too_many_files_is_an_error() {
        let mut files = Files::default();
        let missing = Path::new("/nowhere/textfile");
        assert_eq!(
            files.refresh(missing, LATER).unwrap_err(),
            "/nowhere/textfile: No such file or directory (os error 2)"
        );
        let folder = tempfile::tempdir().unwrap();
        for i in 0..=MAX_FILES {
            fs::write(folder.path().join(format!("{i:04}.prom")), "").unwrap();
        }
        let error = files.refresh(folder.path(), LATER).unwrap_err();
        assert!(error.ends_with(": 1001 files; the first 1000 by name are read, join or remove some"), "{error}");
        assert_eq!(files.0.len(), MAX_FILES);
    }
}
