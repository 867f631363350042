//! One look at apt's state and at the signs that a restart is required. Blocks.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::process::Command;
use tokio::runtime::Handle;

use super::Updates;
use super::book::{self, Book};
use super::policy::{self, Package};
use super::reboot::{self, Reboot};
use super::release;
use crate::duties::child;
use crate::host::Roots;
use crate::regular_file;

/// How long `apt-cache` may take; without a cache of its own it reads all lists, which takes seconds.
const PATIENCE: Duration = Duration::from_secs(60);
/// More than it says of ten thousand packages, in bytes.
const MAX_BYTES: u64 = 32 << 20;
/// Larger than any Release file.
const MAX_RELEASE_BYTES: u64 = 16 << 20;
/// Where apt keeps its lists, below the root.
const LISTS: &str = "var/lib/apt/lists";
/// Archives a host may have.
const MAX_LISTS: usize = 10_000;

/// What a look found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scan {
    /// Of updates; or why nothing is known of them.
    pub known: Result<Known, String>,
    /// Whether a restart is required; absent where that cannot be known.
    pub reboot: Option<Reboot>,
    /// Since when, in seconds since the epoch.
    pub reboot_since: Option<i64>,
    /// Whether first sights are kept over a restart of this process.
    pub stored: Result<(), String>,
}

/// What is known of updates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// Packages that wait: name, and the newest version of a security archive.
    pub pending: Vec<(String, String)>,
    /// When the first of them was published at the latest (seconds since the epoch).
    pub oldest: Option<i64>,
    /// When the newest list of a security archive was made (seconds since the epoch).
    pub lists_at: i64,
}

/// Where to look.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub updates: Updates,
    pub roots: Roots,
    pub storage: PathBuf,
}

/// Looks, on a thread that may block, and notes first sights in the book, which is read where it is not known yet.
pub(super) fn scan(place: &Place, before: Option<Arc<Book>>, now: i64, handle: &Handle) -> (Scan, Option<Arc<Book>>) {
    let before = match before {
        Some(book) => book,
        None => match book::read(&place.storage) {
            Ok(book) => Arc::new(book),
            Err(why) => {
                let scan = Scan { known: Err(why.clone()), reboot: None, reboot_since: None, stored: Err(why) };
                return (scan, None);
            }
        },
    };
    let mut book = Book::clone(&before);
    let root = place.roots.root.as_deref().unwrap_or(Path::new("/"));
    let known = asked(&place.updates, root, handle).map(|(packages, lists_at)| {
        book.note(&packages, now.min(lists_at));
        Known { oldest: book.oldest(&packages).map(|at| at.min(now)), pending: pending(packages), lists_at }
    });
    let reboot = reboot::look(root, &place.roots.proc);
    let reboot_since = reboot.as_ref().and_then(|reboot| {
        let asked_at = reboot.asked_at.unwrap_or(now).min(now);
        book.reboot(reboot.required, asked_at)
    });
    let stored = book::write(&place.storage, &book);
    (Scan { known, reboot, reboot_since, stored }, Some(Arc::new(book)))
}

fn pending(packages: Vec<Package>) -> Vec<(String, String)> {
    packages.into_iter().filter_map(|package| Some((package.name, package.newer.into_iter().next()?))).collect()
}

/// Installed packages with what is newer, and when the lists were made.
fn asked(updates: &Updates, root: &Path, handle: &Handle) -> Result<(Vec<Package>, i64), String> {
    let archives = policy(updates, root, None, handle)?;
    let archives = policy::archives(&archives);
    let security = |index: &str| archives.get(index).is_some_and(|archive| archive.is_security(&updates.origins));
    if !archives.keys().any(|index| security(index)) {
        // Lists it may not look at are as good as none to it, and it does not say so.
        lists(root)?;
        let program = updates.program.display();
        return Err(format!(
            "{program} knows no archive of security updates; add one to apt's sources and run `apt-get update`"
        ));
    }
    let packages = policy::packages(&policy(updates, root, Some("~i"), handle)?, security);
    if packages.is_empty() {
        return Err(format!("{} lists no installed package; apt 2.0 or newer is needed", updates.program.display()));
    }
    Ok((packages, lists_made_at(updates, root)?))
}

fn policy(updates: &Updates, root: &Path, what: Option<&str>, handle: &Handle) -> Result<String, String> {
    let mut command = Command::new(&updates.program);
    // No shell; not in the language of whoever started this process, nor with options from its environment.
    command.env("LC_ALL", "C").env_remove("LANGUAGE").env_remove("APT_CONFIG");
    if root != Path::new("/") {
        // Not `RootDir`: that takes apt's own programs and tables from below the root, too.
        let root = root.display();
        command.args(["-o", &format!("Dir={root}"), "-o", &format!("Dir::State::status={root}/var/lib/dpkg/status")]);
    }
    command.arg("policy").args(what);
    let name = updates.program.display().to_string();
    let said = handle.block_on(child::output(command, &name, PATIENCE, MAX_BYTES));
    let (text, cut) = said.map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => format!("{error}; is this Debian or Ubuntu? `updates` is for those"),
        _ => error.to_string(),
    })?;
    if cut {
        return Err(format!("{name} says more than {} MiB", MAX_BYTES >> 20));
    }
    Ok(String::from_utf8_lossy(&text).into_owned())
}

/// What lies where apt keeps its lists.
fn lists(root: &Path) -> Result<std::fs::ReadDir, String> {
    let folder = root.join(LISTS);
    std::fs::read_dir(&folder).map_err(|error| format!("cannot read {}: {error}", folder.display()))
}

/// Of the security archives' Release files the newest: what was published later, apt does not know of.
fn lists_made_at(updates: &Updates, root: &Path) -> Result<i64, String> {
    let folder = root.join(LISTS);
    let releases = lists(root)?.take(MAX_LISTS).flatten().map(|entry| entry.path()).filter(|path| {
        let name = path.file_name().unwrap_or_default().as_encoded_bytes();
        name.ends_with(b"_InRelease") || name.ends_with(b"_Release")
    });
    let dates = releases.filter_map(|path| {
        let bytes = regular_file::read(&path, MAX_RELEASE_BYTES).ok()?;
        let (archive, at) = release::read(&String::from_utf8_lossy(&bytes))?;
        archive.is_security(&updates.origins).then_some(at)
    });
    dates.max().ok_or_else(|| {
        format!("no dated Release file of a security archive in {}; run `apt-get update`", folder.display())
    })
}
