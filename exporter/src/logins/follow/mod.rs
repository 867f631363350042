//! A log file read to its end, again and again, through every way it is rotated: each line once, none twice, none left out.
//!
//! Where reading stopped is known by the file (device and inode), the place in it, and sums over its first bytes and over those
//! before the place: so a file that was emptied, replaced, or grew again beyond the place is seen as such. What was rotated
//! away is read to its end, too: while running through the file that is still open, after a restart by its inode. A copy made
//! by `copytruncate` is known by its beginning and read from the place on. Compressed files are not read. What could not be
//! found is counted as a gap, never passed over in silence.
//! Not for: what lines mean (`classify`, `patterns`).

mod generation;
mod siblings;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

pub use self::generation::MAX_LINE;
use self::generation::{Generation, Identity, Mark, identity};
use self::siblings::Sibling;

/// A file that was rotated away may be written to until its writer is told: it is looked at for so long after it last grew, in
/// seconds.
const LINGER: i64 = 600;
/// Rotated files that are read at once, and remembered as read: more than any rotation keeps.
const MAX_OLDER: usize = 64;
const MAX_DONE: usize = 256;

/// Where reading stands, to be kept over a restart. Has sums of the log's bytes, none of its text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Position {
    current: Option<Mark>,
    older: Vec<Mark>,
    done: Vec<Identity>,
    /// Parts of the log that were gone before they were read.
    pub gaps: u64,
}

/// One log being followed.
#[derive(Debug)]
pub struct Follower {
    path: PathBuf,
    /// Whether anything was looked at, now or before a restart.
    begun: bool,
    current: Option<Generation>,
    older: Vec<Generation>,
    done: Vec<Identity>,
    /// Rotated files seen for the first time at the last look: they may be copies that are still being made.
    unsure: Vec<Sibling>,
    gaps: u64,
}

/// What a look found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// Everything that was there was read.
    pub caught_up: bool,
    /// How many bytes of lines were read.
    pub bytes: u64,
}

impl Follower {
    /// Follows the file at `path`, from where `position` says; without one, from its end on.
    #[must_use]
    pub fn new(path: PathBuf, position: Option<Position>) -> Self {
        let begun = position.is_some();
        let Position { current, older, done, gaps } = position.unwrap_or_default();
        let current = current.map(Generation::of);
        let older = older.into_iter().map(Generation::of).collect();
        Self { path, begun, current, older, done, unsure: Vec::new(), gaps }
    }

    /// Where reading stands.
    #[must_use]
    pub fn position(&self) -> Position {
        Position {
            current: self.current.as_ref().map(|generation| generation.mark.clone()),
            older: self.older.iter().map(|generation| generation.mark.clone()).collect(),
            done: self.done.clone(),
            gaps: self.gaps,
        }
    }

    /// Parts of the log that were gone before they were read.
    #[must_use]
    pub fn gaps(&self) -> u64 {
        self.gaps
    }

    /// The place in the file as it is now.
    #[must_use]
    pub fn offset(&self) -> Option<u64> {
        self.current.as_ref().map(|generation| generation.mark.offset)
    }

    /// Reads what is new, about `budget` bytes of it, and hands each line to `each`, without its end. Blocks.
    ///
    /// # Errors
    /// When there is no such file, or it cannot be read. What was rotated away is read all the same.
    pub fn look(&mut self, now: i64, budget: u64, each: &mut dyn FnMut(&[u8])) -> io::Result<Look> {
        let siblings = siblings::of(&self.path)?;
        let there = open(&self.path);
        if self.begun {
            self.find_older(&siblings);
            match &there {
                Ok((file, at)) => self.turn(file.try_clone()?, *at, &siblings, now),
                // Until there is a new one, the one that was renamed may still be written to.
                Err(_) => self.find_current(&siblings),
            }
            self.adopt(siblings, now);
        } else {
            self.begin(there.as_ref().ok(), &siblings, now)?;
        }
        let look = self.read(now, budget, each);
        there.and(look)
    }

    /// The first look ever: what is there is history.
    fn begin(&mut self, there: Option<&(File, (u64, u64))>, siblings: &[Sibling], now: i64) -> io::Result<()> {
        self.done = siblings.iter().filter(|sibling| sibling.rotated).map(Sibling::identity).collect();
        if let Some((file, at)) = there {
            self.current = Some(Generation::at_end(file.try_clone()?, *at, now)?);
        }
        self.begun = true;
        Ok(())
    }

    /// Files that were rotated away before a restart, by their inodes.
    fn find_older(&mut self, siblings: &[Sibling]) {
        let mut lost = 0;
        self.older.retain_mut(|generation| {
            let found = generation.is_open() || generation.reopen(siblings);
            // One that had been read to its end was compressed or removed since.
            lost += u64::from(!found && !generation.mark.at_end);
            found
        });
        self.gaps += lost;
    }

    fn find_current(&mut self, siblings: &[Sibling]) {
        if let Some(current) = &mut self.current
            && !current.is_open()
        {
            current.reopen(siblings);
        }
    }

    /// The file under the log's name is the one that was read last, or it is not.
    fn turn(&mut self, file: File, at: (u64, u64), siblings: &[Sibling], now: i64) {
        let Some(mut current) = self.current.take() else {
            self.current = Some(Generation::fresh(file, at, now));
            return;
        };
        if current.mark.place() == at {
            if !current.is_open() {
                current.open(file);
            }
            if current.is_unchanged() {
                self.current = Some(current);
                return;
            }
            self.emptied(&current, siblings, now);
            if let Some(file) = current.into_file() {
                self.current = Some(Generation::fresh(file, at, now));
            }
            return;
        }
        self.renamed(current, siblings, now);
        // One that was read before and renamed back holds nothing new.
        let known = identity(&file, at).is_some_and(|identity| self.done.contains(&identity));
        let end =
            if known { file.try_clone().ok().and_then(|file| Generation::at_end(file, at, now).ok()) } else { None };
        self.current = Some(end.unwrap_or_else(|| Generation::fresh(file, at, now)));
    }

    /// The file has another name now, or is gone.
    fn renamed(&mut self, mut current: Generation, siblings: &[Sibling], now: i64) {
        if current.is_open() && current.is_unchanged() || !current.is_open() && current.reopen(siblings) {
            self.older.push(current);
            return;
        }
        // It was emptied first, and then renamed: what is in it now is new.
        let place = current.mark.place();
        let again = || siblings.iter().find(|sibling| sibling.rotated && sibling.place == place);
        if current.is_open() || again().is_some() {
            self.emptied(&current, siblings, now);
            let file = current.into_file().or_else(|| again().and_then(Sibling::open));
            self.older.extend(file.map(|file| Generation::fresh(file, place, now)));
        } else {
            self.gaps += 1;
        }
    }

    /// The file was emptied: what was not read of it is in a copy, if one was made.
    fn emptied(&mut self, current: &Generation, siblings: &[Sibling], now: i64) {
        let mut found = current.mark.offset == 0;
        for sibling in siblings.iter().filter(|sibling| sibling.rotated) {
            if self.knows(sibling) || !current.mark.is_beginning_of(sibling) {
                continue;
            }
            found = true;
            match current.mark.continued_in(sibling, now) {
                Some(rest) if self.older.len() < MAX_OLDER => self.older.push(rest),
                // Made before what was read last: nothing in it is new.
                _ => self.done.push(sibling.identity()),
            }
        }
        self.gaps += u64::from(!found);
    }

    /// Rotated files that nobody has read: between two looks, or while nothing ran, a log may be rotated several times.
    fn adopt(&mut self, siblings: Vec<Sibling>, now: i64) {
        let mut unsure = Vec::new();
        self.done.retain(|done| siblings.iter().any(|sibling| sibling.place == done.place()));
        for sibling in siblings.into_iter().filter(|sibling| sibling.rotated) {
            if self.knows(&sibling) || self.older.len() >= MAX_OLDER {
                continue;
            }
            // A copy of what is being read: the original will be emptied, and then `emptied` sees to it.
            if self.current.as_ref().is_some_and(|current| current.mark.is_copied_to(&sibling)) {
                continue;
            }
            // One that still grows may become such a copy.
            if self.unsure.iter().any(|seen| seen.place == sibling.place && seen.size == sibling.size) {
                if let Some(file) = sibling.open() {
                    self.older.push(Generation::fresh(file, sibling.place, now));
                }
            } else {
                unsure.push(sibling);
            }
        }
        self.unsure = unsure;
    }

    fn knows(&self, sibling: &Sibling) -> bool {
        let reading = self.current.iter().chain(&self.older).any(|generation| generation.mark.place() == sibling.place);
        reading || self.done.iter().any(|done| done.place() == sibling.place && done.is_beginning_of(sibling))
    }

    fn read(&mut self, now: i64, budget: u64, each: &mut dyn FnMut(&[u8])) -> io::Result<Look> {
        let mut left = budget;
        let mut result = Ok(());
        for generation in self.older.iter_mut().chain(self.current.as_mut()) {
            let read = generation.read(now, &mut left, each);
            // One that cannot be read keeps the others from nothing.
            result = result.and(read);
        }
        let (mut kept, mut over) = (Vec::new(), Vec::new());
        for generation in self.older.drain(..) {
            let ended = generation.mark.at_end && now - generation.mark.grew_at >= LINGER;
            if ended { over.push(generation) } else { kept.push(generation) }
        }
        self.older = kept;
        for generation in over {
            generation.finish(each);
            self.done.push(generation.mark.identity);
        }
        if self.done.len() > MAX_DONE {
            self.done.drain(..self.done.len() - MAX_DONE);
        }
        let caught_up = self.unsure.is_empty()
            && self.older.iter().chain(self.current.as_ref()).all(|generation| generation.mark.at_end);
        result.map(|()| Look { caught_up, bytes: budget - left })
    }
}

/// A regular file and its device and inode.
fn open(path: &Path) -> io::Result<(File, (u64, u64))> {
    use std::os::unix::fs::MetadataExt as _;
    // Asked before opening: opening a pipe waits.
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    Ok((file, (metadata.dev(), metadata.ino())))
}
