//! Notices that a file of the configuration changed, and asks for a reload.
//!
//! Folders are watched, not files: editors replace a file by renaming another one over it, Kubernetes
//! swaps a symbolic link. A change is what [`Stamps`] see differently afterwards, so other files of a
//! folder do not matter, and where no notice comes (network file systems, a folder mounted anew) a look
//! every half minute finds it.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use notify::event::AccessKind;
use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::reload::Reloader;

/// An editor's or a deployment's several writes count as one change: two looks this far apart must agree.
const SETTLE: Duration = Duration::from_millis(250);
/// How many looks may disagree before what is there is read anyway.
const UNSETTLED_LOOKS: u32 = 20;
/// How often the files are looked at without any notice.
const LOOK: Duration = Duration::from_secs(30);

/// What tells one state of some files from another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stamps(BTreeMap<PathBuf, Option<Stamp>>);

/// The state of one file or folder.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Stamp {
    /// A file's place (symbolic links followed), inode, length and time of change.
    File { place: PathBuf, inode: u64, length: u64, changed: (i64, i64) },
    /// A ledger's folder: its place and which ledger files it holds. Their content is their own stamps'; what an editor
    /// puts beside them does not matter. Absent files: it cannot be read.
    Folder { place: PathBuf, files: Option<Vec<PathBuf>> },
}

impl Stamps {
    /// The state of `files` now; a file that is missing is a state too.
    #[must_use]
    pub fn of(files: &[PathBuf]) -> Self {
        Self(files.iter().map(|file| (file.clone(), Stamp::of(file))).collect())
    }

    /// The state of `files`: as it was here for those that are here, as it is now for the others.
    #[must_use]
    pub fn extended_to(&self, files: &[PathBuf]) -> Self {
        let state = |file: &PathBuf| self.0.get(file).cloned().unwrap_or_else(|| Stamp::of(file));
        Self(files.iter().map(|file| (file.clone(), state(file))).collect())
    }

    /// The same files as they are now.
    #[must_use]
    pub fn renewed(&self) -> Self {
        Self(self.0.keys().map(|file| (file.clone(), Stamp::of(file))).collect())
    }

    /// The folders in which a change of these files shows.
    fn folders(&self) -> BTreeSet<PathBuf> {
        let named = self.0.keys().map(PathBuf::as_path);
        let real = self.0.values().flatten().map(|stamp| match stamp {
            Stamp::File { place, .. } | Stamp::Folder { place, .. } => place.as_path(),
        });
        let inside = self.0.iter().filter(|(_, stamp)| matches!(stamp, Some(Stamp::Folder { .. })));
        named.chain(real).filter_map(folder).chain(inside.map(|(path, _)| path.clone())).collect()
    }
}

impl Stamp {
    fn of(file: &Path) -> Option<Self> {
        let place = file.canonicalize().ok()?;
        let metadata = place.metadata().ok()?;
        if metadata.is_dir() {
            return Some(Self::Folder { place, files: crate::config::ledger_files(file).ok() });
        }
        Some(Self::File {
            inode: metadata.ino(),
            length: metadata.len(),
            changed: (metadata.mtime(), metadata.mtime_nsec()),
            place,
        })
    }
}

fn folder(file: &Path) -> Option<PathBuf> {
    let folder = file.parent()?;
    Some(if folder.as_os_str().is_empty() { PathBuf::from(".") } else { folder.to_owned() })
}

/// Reloads whenever a file changed, until `shutdown`.
pub async fn run(reloader: Arc<Reloader>, shutdown: CancellationToken) {
    tokio::select! {
        () = shutdown.cancelled() => {}
        () = follow(&reloader) => {}
    }
}

async fn follow(reloader: &Reloader) {
    let (notices, mut noticed) = mpsc::channel(1);
    let mut watcher = Folders::new(notices);
    let mut seen = reloader.subscribe();
    let mut watched = Stamps::default();
    loop {
        let stamps = seen.borrow_and_update().clone();
        watcher.set(&stamps.folders());
        // What changed after the files were read and before their folders were watched gave no notice.
        let missed = stamps != watched && stamps != look(&stamps).await;
        watched.clone_from(&stamps);
        if !missed {
            tokio::select! {
                // Reloaded by someone else: other files perhaps, and a new state to compare with.
                _ = seen.changed() => continue,
                _ = noticed.recv() => {}
                () = tokio::time::sleep(LOOK) => {}
            }
            // A busy folder costs a look per moment, not one per notice.
            tokio::time::sleep(SETTLE).await;
        }
        if stamps != look(&stamps).await {
            settle(&stamps).await;
            // Another trigger may have been quicker.
            let current = seen.borrow().clone();
            if current != look(&current).await {
                // App::reload says what is wrong; the state counts as seen either way.
                let _ = reloader.reload("file change").await;
            }
        }
    }
}

/// Waits until the files are left alone for a moment, but not for ever.
async fn settle(stamps: &Stamps) {
    let mut before = look(stamps).await;
    for _ in 0..UNSETTLED_LOOKS {
        tokio::time::sleep(SETTLE).await;
        let now = look(stamps).await;
        if now == before {
            return;
        }
        before = now;
    }
}

/// The same files as they are now, off the async threads.
async fn look(stamps: &Stamps) -> Stamps {
    let before = stamps.clone();
    tokio::task::spawn_blocking(move || before.renewed()).await.unwrap_or_else(|_| stamps.clone())
}

/// The folders being watched.
struct Folders {
    watcher: Option<RecommendedWatcher>,
    watched: BTreeSet<PathBuf>,
    refused: BTreeSet<PathBuf>,
}

impl Folders {
    fn new(notices: mpsc::Sender<()>) -> Self {
        let handler = move |event: notify::Result<notify::Event>| {
            // Reading changes nothing. Errors (a queue that overflowed) are a reason to look too.
            if !event.is_ok_and(|event| matches!(event.kind, EventKind::Access(AccessKind::Open(_)))) {
                // One waiting notice is enough.
                let _ = notices.try_send(());
            }
        };
        let watcher = notify::recommended_watcher(handler)
            .inspect_err(|error| {
                tracing::warn!(%error, "file changes are not noticed at once; looking every {} s", LOOK.as_secs());
            })
            .ok();
        Self { watcher, watched: BTreeSet::new(), refused: BTreeSet::new() }
    }

    fn set(&mut self, folders: &BTreeSet<PathBuf>) {
        let Some(watcher) = &mut self.watcher else { return };
        for gone in self.watched.difference(folders) {
            let _ = watcher.unwatch(gone);
        }
        for folder in folders {
            // Also those already watched: a folder removed and made anew has lost its watch.
            match watcher.watch(folder, RecursiveMode::NonRecursive) {
                Ok(()) => drop(self.refused.remove(folder)),
                Err(error) if self.refused.insert(folder.clone()) => tracing::warn!(
                    folder = %folder.display(), %error,
                    "changes in this folder are not noticed at once; looking every {} s", LOOK.as_secs()
                ),
                Err(_) => {}
            }
        }
        self.watched.clone_from(folders);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Stamps {
        fn changed(&self) -> bool {
            *self != self.renewed()
        }
    }

    fn write(folder: &Path, name: &str, text: &str) -> PathBuf {
        let path = folder.join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    #[test]
    fn a_change_is_what_the_files_show() {
        let folder = tempfile::tempdir().unwrap();
        let file = write(folder.path(), "a", "1");
        let missing = folder.path().join("missing");
        let stamps = Stamps::of(&[file.clone(), missing.clone()]);
        assert!(!stamps.changed());
        write(folder.path(), "other", "x");
        assert!(!stamps.changed(), "another file of the folder");
        write(folder.path(), "a", "12");
        assert!(stamps.changed(), "length");
        let stamps = Stamps::of(&[file.clone(), missing]);
        write(folder.path(), "missing", "");
        assert!(stamps.changed(), "a file that appears");
        let stamps = Stamps::of(std::slice::from_ref(&file));
        std::fs::rename(write(folder.path(), "b", "12"), &file).unwrap();
        assert!(stamps.changed(), "renamed over");
        let stamps = Stamps::of(std::slice::from_ref(&file));
        std::fs::remove_file(&file).unwrap();
        assert!(stamps.changed(), "removed");
    }

    #[test]
    fn a_swapped_link_is_a_change_and_its_real_folder_is_watched() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for version in ["v1", "v2"] {
            std::fs::create_dir(at(version)).unwrap();
            write(&at(version), "sla.yml", "same");
        }
        std::os::unix::fs::symlink("v1", at("..data")).unwrap();
        std::os::unix::fs::symlink("..data/sla.yml", at("sla.yml")).unwrap();
        let stamps = Stamps::of(&[at("sla.yml")]);
        let real = folder.path().canonicalize().unwrap().join("v1");
        assert_eq!(stamps.folders(), BTreeSet::from([folder.path().to_owned(), real]));
        std::os::unix::fs::symlink("v2", at("next")).unwrap();
        std::fs::rename(at("next"), at("..data")).unwrap();
        assert!(stamps.changed());
    }

    #[test]
    fn of_a_folder_its_ledger_files_are_a_state_and_it_is_watched_itself() {
        let folder = tempfile::tempdir().unwrap();
        let ledger = folder.path().join("ledger.d");
        std::fs::create_dir(&ledger).unwrap();
        let stamps = Stamps::of(std::slice::from_ref(&ledger));
        assert!(stamps.folders().contains(&ledger), "{:?}", stamps.folders());
        for name in [".a.yml.swp", "a.yml~", "README.md"] {
            write(&ledger, name, "x");
            assert!(!stamps.changed(), "{name} is no ledger file");
        }
        let file = write(&ledger, "a.yml", "x");
        assert!(stamps.changed(), "a file that appears");
        let stamps = Stamps::of(std::slice::from_ref(&ledger));
        write(&ledger, "a.yml", "xx");
        assert!(!stamps.changed(), "its content is its own state");
        std::fs::rename(&file, ledger.join("b.yml")).unwrap();
        assert!(stamps.changed(), "another name");
        let stamps = Stamps::of(std::slice::from_ref(&ledger));
        std::fs::remove_dir_all(&ledger).unwrap();
        assert!(stamps.changed(), "gone");
    }

    #[test]
    fn what_was_seen_stays_as_it_was_seen() {
        let folder = tempfile::tempdir().unwrap();
        let (a, b) = (write(folder.path(), "a", "1"), write(folder.path(), "b", "1"));
        let before = Stamps::of(std::slice::from_ref(&a));
        write(folder.path(), "a", "changed while it was read");
        assert!(before.extended_to(&[a, b.clone()]).changed());
        assert!(!before.extended_to(&[b]).changed());
    }

    #[test]
    fn a_bare_name_is_in_the_current_folder() {
        assert_eq!(folder(Path::new("sla.yml")), Some(PathBuf::from(".")));
    }
}
