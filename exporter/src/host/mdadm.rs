//! Linux software RAID out of `/proc/mdstat`, as node_exporter's `mdadm` (C2.4): is a mirror whole, and what is it doing?
//!
//! The file is one paragraph per array: its name, state and members; how large it is and how many of its disks work; what is being
//! synchronized. Not for hardware RAID, nor for the disks' own health.

use super::source::{ParseError, lines, number, shown, value, words};
use super::{Collector, Error, Pass};
use crate::exposition::{Kind, Page};

/// What an array is doing: exactly one at a time. The last two node_exporter does not know: it shows `reshape` as `active`, and a
/// `broken` one as none of all.
const STATES: [&str; 7] = ["active", "inactive", "recovering", "resync", "check", "reshape", "broken"];

/// Every family.
const FAMILIES: [&str; 6] = [
    "node_md_state",
    "node_md_disks",
    "node_md_disks_required",
    "node_md_blocks",
    "node_md_blocks_synced",
    "node_md_sync_progress_ratio",
];

#[derive(Debug)]
pub(super) struct Mdadm;

/// One array.
#[derive(Clone, Debug, PartialEq)]
struct Array {
    device: String,
    /// Out of [`STATES`].
    state: &'static str,
    /// Disks it needs to be whole; 0 for a container of other arrays.
    required: u64,
    active: u64,
    failed: u64,
    spare: u64,
    /// Of 1 KiB.
    blocks: u64,
    synced: u64,
    /// How far what is going on has come, from 0 to 1; `None` where nothing is.
    progress: Option<f64>,
}

impl Collector for Mdadm {
    fn name(&self) -> &'static str {
        "mdadm"
    }

    fn owns(&self, family: &str) -> bool {
        FAMILIES.contains(&family)
    }

    fn collect(&self, pass: &mut Pass<'_>, page: &mut Page) -> Result<(), Error> {
        let arrays = match pass.proc("mdstat", parse) {
            // A kernel without software RAID: nothing to show and nothing wrong.
            Err(Error::Read { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            other => other?,
        };
        if !arrays.is_empty() {
            write(&arrays, page);
        }
        Ok(())
    }
}

fn write(arrays: &[Array], page: &mut Page) {
    page.family("node_md_state", "Indicates the state of md-device.", Kind::Gauge);
    for array in arrays {
        for state in STATES {
            let labels = [("device", array.device.as_str()), ("state", state)];
            page.sample(&labels, f64::from(u8::from(state == array.state)));
        }
    }
    page.family("node_md_disks", "Number of active/failed/spare disks of device.", Kind::Gauge);
    for array in arrays {
        for (state, count) in [("active", array.active), ("failed", array.failed), ("spare", array.spare)] {
            page.sample(&[("device", array.device.as_str()), ("state", state)], value(count));
        }
    }
    let mut counts = |name: &str, help: &str, count: fn(&Array) -> u64| {
        page.family(name, help, Kind::Gauge);
        for array in arrays {
            page.sample(&[("device", array.device.as_str())], value(count(array)));
        }
    };
    counts("node_md_disks_required", "Total number of disks of device.", |array| array.required);
    counts("node_md_blocks", "Total number of blocks on device.", |array| array.blocks);
    counts("node_md_blocks_synced", "Number of blocks synced on device.", |array| array.synced);
    if arrays.iter().any(|array| array.progress.is_some()) {
        page.family(
            "node_md_sync_progress_ratio",
            "How far a recovery, resync, check or reshape has come; 0 while it waits, absent where nothing is going on.",
            Kind::Gauge,
        );
        for (array, progress) in arrays.iter().filter_map(|array| Some((array, array.progress?))) {
            page.sample(&[("device", array.device.as_str())], progress);
        }
    }
}

/// `/proc/mdstat`, for fuzzing.
#[cfg(any(test, fuzzing))]
pub(crate) fn fuzz(data: &[u8]) {
    let _ = parse(data);
}

/// The arrays by name.
fn parse(text: &[u8]) -> Result<Vec<Array>, ParseError> {
    let mut drafts: Vec<Draft> = Vec::new();
    for (at, line) in lines(text) {
        if line.starts_with(b"Personalities") || line.starts_with(b"unused devices") {
            continue;
        }
        if !line[0].is_ascii_whitespace() {
            drafts.push(Draft::begin(at, line)?);
        } else if let Some(draft) = drafts.last_mut() {
            draft.go_on(at, line)?;
        } else {
            return Err(ParseError::at(at, format!("found `{}` before any array", shown(line))));
        }
    }
    let mut arrays = drafts.into_iter().map(Draft::end).collect::<Result<Vec<_>, _>>()?;
    // No kernel names an array twice; one that did would spoil the whole page.
    arrays.sort_by(|a, b| a.device.cmp(&b.device));
    arrays.dedup_by(|a, b| a.device == b.device);
    Ok(arrays)
}

/// An array whose paragraph is being read.
struct Draft {
    /// Its first line, counted from 0.
    at: usize,
    device: String,
    state: &'static str,
    members: u64,
    failed: u64,
    spare: u64,
    blocks: Option<u64>,
    /// `[2/1]`: needed and working.
    disks: Option<(u64, u64)>,
    /// Arrays live in it: `super external:imsm`.
    container: bool,
    /// State, done, and of how much.
    sync: Option<(&'static str, u64, u64)>,
}

impl Draft {
    /// `md0 : active (read-only) raid1 sdb1[1](F) sda1[0]`
    fn begin(at: usize, line: &[u8]) -> Result<Self, ParseError> {
        let mut parts = words(line);
        let (device, colon, state) = (parts.next(), parts.next(), parts.next().unwrap_or_default());
        let state = ["active", "inactive", "broken"].into_iter().find(|known| known.as_bytes() == state);
        let (Some(device), Some(b":"), Some(state)) = (device, colon, state) else {
            let found = shown(line);
            let what = format!("found `{found}`, expected `NAME : active`, `NAME : inactive` or `NAME : broken`");
            return Err(ParseError::at(at, what));
        };
        let device = String::from_utf8_lossy(device).into_owned();
        let (mut members, mut failed, mut spare) = (0, 0, 0);
        // Personality and `(read-only)` have no number in brackets.
        for member in parts.filter(|word| word.contains(&b'[')) {
            members += 1;
            failed += u64::from(has(member, b"(F)"));
            spare += u64::from(has(member, b"(S)"));
        }
        let (blocks, disks, sync) = (None, None, None);
        Ok(Self { at, device, state, members, failed, spare, blocks, disks, container: false, sync })
    }

    /// The lines below.
    fn go_on(&mut self, at: usize, line: &[u8]) -> Result<(), ParseError> {
        if self.blocks.is_none() {
            let mut parts = words(line);
            let (count, unit) = (parts.next().unwrap_or_default(), parts.next());
            if unit != Some(b"blocks") {
                return Err(ParseError::at(at, format!("found `{}`, expected a number of blocks", shown(line))));
            }
            self.blocks = Some(number(at, count)?);
            for word in parts {
                self.disks = self.disks.or_else(|| pair(word, b'[', b']'));
                let external = word.strip_prefix(b"external:");
                // `external:/md127/0` is an array in a container.
                self.container |= external.is_some_and(|rest| !rest.starts_with(b"/") && !rest.starts_with(b"-"));
            }
        } else if let Some(sync) = going_on(line) {
            let (state, progress) = sync.map_err(|what| ParseError::at(at, what))?;
            self.sync = Some((state, progress.0, progress.1));
        }
        Ok(())
    }

    fn end(self) -> Result<Array, ParseError> {
        let blocks = match self.blocks {
            Some(blocks) => blocks,
            // Not one disk is left of it.
            None if self.members == 0 => 0,
            None => return Err(ParseError::at(self.at, format!("`{}` has no number of blocks", self.device))),
        };
        let working = self.members.saturating_sub(self.failed).saturating_sub(self.spare);
        let (required, active) = match (self.disks, self.state) {
            (Some(disks), _) => disks,
            (None, "inactive") if self.container => (0, 0),
            // Not assembled, so that the kernel says no number; it needs what is there at least, and all of it is listed as spare.
            (None, "inactive") => (self.members, 0),
            // RAID 0 and linear: every disk is needed.
            (None, _) => (self.members, working),
        };
        let (state, synced, progress) = match self.sync {
            None => (self.state, blocks, None),
            Some((state, done, all)) => (state, done, Some(if all == 0 { 0.0 } else { value(done) / value(all) })),
        };
        let Self { device, failed, spare, .. } = self;
        Ok(Array { device, state, required, active, failed, spare, blocks, synced, progress })
    }
}

/// `[=>....]  recovery =  7.2% (14/195) finish=1.9min`, or `resync=DELAYED`: the state, and how much is done of how much. Other lines,
/// such as the bitmap's, are none.
#[allow(clippy::type_complexity)]
fn going_on(line: &[u8]) -> Option<Result<(&'static str, (u64, u64)), String>> {
    const KINDS: [(&[u8], &str); 4] =
        [(b"recovery", "recovering"), (b"resync", "resync"), (b"check", "check"), (b"reshape", "reshape")];
    let mut parts = words(line).skip_while(|word| word.starts_with(b"["));
    let word = parts.next()?;
    let (kind, state) = KINDS.into_iter().find(|(kind, _)| word.starts_with(kind))?;
    // `resync=DELAYED`, `=PENDING`, and `=REMOTE` in a cluster: nothing is done here yet.
    if word.get(kind.len()) == Some(&b'=') {
        return Some(Ok((state, (0, 0))));
    }
    let progress = parts.find_map(|word| pair(word, b'(', b')'));
    Some(
        progress
            .map(|progress| (state, progress))
            .ok_or_else(|| format!("found `{}`, expected how much is done, as in `(78840/1047552)`", shown(line))),
    )
}

/// `[2/1]` or `(14/195)`.
fn pair(word: &[u8], open: u8, close: u8) -> Option<(u64, u64)> {
    let inner = word.strip_prefix(&[open])?.strip_suffix(&[close])?;
    let slash = inner.iter().position(|sign| *sign == b'/')?;
    let count = |digits: &[u8]| number(0, digits).ok();
    Some((count(&inner[..slash])?, count(&inner[slash + 1..])?))
}

fn has(word: &[u8], flag: &[u8]) -> bool {
    word.windows(flag.len()).any(|part| part == flag)
}

#[cfg(test)]
mod tests;
