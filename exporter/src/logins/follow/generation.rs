//! One file of a log, from its creation to its end, and how far it was read.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::siblings::Sibling;

/// How much of a line is looked at, in bytes: what follows up to its end is passed over.
pub const MAX_LINE: usize = 16 * 1024;
/// How much is read at once; more than a line.
const CHUNK: usize = 4 * MAX_LINE;
/// How many bytes a sum is over, at most.
const SUMMED: usize = 256;

/// Some bytes by their sum.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sum {
    length: u64,
    sha256: String,
}

impl Sum {
    fn of(bytes: &[u8]) -> Self {
        let sha256 = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        Self { length: bytes.len() as u64, sha256 }
    }

    /// Whether these bytes end at `end` of `file`.
    fn is_before(&self, file: &File, end: u64) -> bool {
        let Some(start) = end.checked_sub(self.length) else { return false };
        self.length == 0 || bytes(file, start, self.length).is_some_and(|bytes| Self::of(&bytes) == *self)
    }
}

/// That many bytes of `file` from `start` on; `None` where there are fewer.
fn bytes(file: &File, start: u64, length: u64) -> Option<Vec<u8>> {
    let mut bytes = vec![0; usize::try_from(length).ok().filter(|length| *length <= SUMMED)?];
    file.read_exact_at(&mut bytes, start).ok()?;
    Some(bytes)
}

/// What tells a file from all others, also from a later one with the same inode.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Identity {
    device: u64,
    inode: u64,
    /// Over its first bytes, as many as there were.
    head: Sum,
}

impl Identity {
    /// A file of which nothing was read.
    pub(super) fn nothing((device, inode): (u64, u64)) -> Self {
        Self { device, inode, head: Sum::default() }
    }

    pub(super) fn place(&self) -> (u64, u64) {
        (self.device, self.inode)
    }

    /// Whether `sibling` begins as this file does.
    pub(super) fn is_beginning_of(&self, sibling: &Sibling) -> bool {
        sibling.size >= self.head.length
            && sibling.open().is_some_and(|file| self.head.is_before(&file, self.head.length))
    }
}

/// What tells `file` from all others.
pub(super) fn identity(file: &File, place: (u64, u64)) -> Option<Identity> {
    let mut start = [0; SUMMED];
    let read = file.read_at(&mut start, 0).ok()?;
    Some(Identity { head: Sum::of(&start[..read]), ..Identity::nothing(place) })
}

/// How far a file was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Mark {
    pub(super) identity: Identity,
    /// The first byte that was not read: a line's first, or within one that is passed over.
    pub(super) offset: u64,
    /// Over the bytes before `offset`.
    tail: Sum,
    /// The rest of a line that is too long is passed over.
    skipping: bool,
    /// Everything that was there was read.
    pub(super) at_end: bool,
    /// When more was found in it last, in seconds since the epoch.
    pub(super) grew_at: i64,
}

impl Mark {
    fn new(place: (u64, u64), now: i64) -> Self {
        let identity = Identity::nothing(place);
        Self { identity, offset: 0, tail: Sum::default(), skipping: false, at_end: false, grew_at: now }
    }

    pub(super) fn place(&self) -> (u64, u64) {
        self.identity.place()
    }

    pub(super) fn is_beginning_of(&self, sibling: &Sibling) -> bool {
        self.identity.head.length > 0 && self.identity.is_beginning_of(sibling)
    }

    /// Whether `sibling` is a copy of this file, whole or as far as it was read.
    pub(super) fn is_copied_to(&self, sibling: &Sibling) -> bool {
        self.is_beginning_of(sibling)
            && (sibling.size < self.offset
                || sibling.open().is_some_and(|file| self.tail.is_before(&file, self.offset)))
    }

    /// The rest of this file in a copy of it.
    pub(super) fn continued_in(&self, sibling: &Sibling, now: i64) -> Option<Generation> {
        let file = sibling.open().filter(|file| self.tail.is_before(file, self.offset))?;
        let (device, inode) = sibling.place;
        let identity = Identity { device, inode, head: self.identity.head.clone() };
        let mark = Self { identity, at_end: false, grew_at: now, ..self.clone() };
        Some(Generation { mark, file: Some(file), seen: self.offset })
    }
}

/// One file of a log.
#[derive(Debug)]
pub(super) struct Generation {
    pub(super) mark: Mark,
    /// `None`: after a restart, until it is found again.
    file: Option<File>,
    /// How long it was when it was looked at last.
    seen: u64,
}

impl Generation {
    /// As it was before a restart.
    pub(super) fn of(mark: Mark) -> Self {
        let seen = mark.offset;
        Self { mark, file: None, seen }
    }

    /// A file of which everything is new.
    pub(super) fn fresh(file: File, place: (u64, u64), now: i64) -> Self {
        Self { mark: Mark::new(place, now), file: Some(file), seen: 0 }
    }

    /// A file of which everything but the line that is being written is history.
    pub(super) fn at_end(file: File, place: (u64, u64), now: i64) -> io::Result<Self> {
        let size = file.metadata()?.len();
        let mut last = vec![0; CHUNK];
        let start = size.saturating_sub(CHUNK as u64);
        let read = file.read_at(&mut last, start)?;
        let end = last[..read].iter().rposition(|byte| *byte == b'\n');
        let mut mark = Mark::new(place, now);
        // Without a line's end in so much, whatever ends there next is the rest of a line of before.
        (mark.offset, mark.skipping) = match end {
            Some(end) => (start + end as u64 + 1, false),
            None if start == 0 => (0, false),
            None => (start + read as u64, true),
        };
        let sum = |end: u64, length: u64| bytes(&file, end - length, length).map_or_else(Sum::default, |b| Sum::of(&b));
        let length = mark.offset.min(SUMMED as u64);
        (mark.identity.head, mark.tail) = (sum(length, length), sum(mark.offset, length));
        let seen = mark.offset;
        Ok(Self { mark, file: Some(file), seen })
    }

    pub(super) fn is_open(&self) -> bool {
        self.file.is_some()
    }

    pub(super) fn open(&mut self, file: File) {
        self.file = Some(file);
    }

    pub(super) fn into_file(self) -> Option<File> {
        self.file
    }

    /// Finds the file by its inode, whatever it is called now.
    pub(super) fn reopen(&mut self, siblings: &[Sibling]) -> bool {
        self.file = siblings.iter().find(|sibling| sibling.place == self.mark.place()).and_then(Sibling::open);
        // An inode may have become another file's.
        if !self.is_unchanged() {
            self.file = None;
        }
        self.is_open()
    }

    /// Whether what was read of the file is still in it.
    pub(super) fn is_unchanged(&self) -> bool {
        let Mark { identity, offset, tail, .. } = &self.mark;
        self.file.as_ref().is_some_and(|file| {
            file.metadata().is_ok_and(|metadata| metadata.len() >= *offset)
                && identity.head.is_before(file, identity.head.length)
                && tail.is_before(file, *offset)
        })
    }

    /// Reads on, about `left` bytes.
    pub(super) fn read(&mut self, now: i64, left: &mut u64, each: &mut dyn FnMut(&[u8])) -> io::Result<()> {
        let Some(file) = &self.file else { return Ok(()) };
        let mut chunk = vec![0; CHUNK];
        loop {
            if *left == 0 {
                self.mark.at_end = false;
                return Ok(());
            }
            let read = file.read_at(&mut chunk, self.mark.offset)?;
            let end = self.mark.offset + read as u64;
            if end > self.seen {
                (self.seen, self.mark.grew_at) = (end, now);
            }
            let bytes = &chunk[..read];
            let taken = take(bytes, &mut self.mark.skipping, each);
            if taken == 0 {
                self.mark.at_end = true;
                return Ok(());
            }
            let taken = &bytes[..taken];
            if self.mark.offset == 0 {
                self.mark.identity.head = Sum::of(&taken[..taken.len().min(SUMMED)]);
            }
            self.mark.offset += taken.len() as u64;
            self.mark.tail = Sum::of(&taken[taken.len().saturating_sub(SUMMED)..]);
            *left = left.saturating_sub(taken.len() as u64);
        }
    }

    /// Nobody writes to it any more: a last line without an end is one, too.
    pub(super) fn finish(&self, each: &mut dyn FnMut(&[u8])) {
        let Some(file) = self.file.as_ref().filter(|_| !self.mark.skipping) else { return };
        let mut rest = vec![0; MAX_LINE];
        match file.read_at(&mut rest, self.mark.offset) {
            Ok(read) if read > 0 => each(&rest[..read]),
            _ => {}
        }
    }
}

/// Hands the whole lines of `bytes` to `each`; returns how many bytes are done with.
fn take(bytes: &[u8], skipping: &mut bool, each: &mut dyn FnMut(&[u8])) -> usize {
    let mut at = 0;
    while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
        // A writer that goes on where it was in a file that was emptied leaves a hole before its line.
        if !*skipping && rest[0] == 0 {
            at += rest.iter().position(|byte| *byte != 0).unwrap_or(rest.len());
            continue;
        }
        match rest.iter().position(|byte| *byte == b'\n') {
            Some(end) => {
                if !std::mem::take(skipping) {
                    each(&rest[..end.min(MAX_LINE)]);
                }
                at += end + 1;
            }
            None if *skipping => at = bytes.len(),
            None if rest.len() > MAX_LINE => {
                each(&rest[..MAX_LINE]);
                *skipping = true;
                at = bytes.len();
            }
            None => break,
        }
    }
    at
}
