//! Random slots and ledgers: outages and gaps of all lengths, windows that overlap, touch, cross months, never end.

use fastrand::Rng;

use super::count::{SLOT, Slot};
use super::ledger::{Cause, Entry, Kind};
use super::zone::MonthSpan;

const DAY: i64 = 86_400;

/// When slots are recorded: so many milliseconds before each mark of the clock.
#[derive(Clone, Copy, Debug)]
pub struct Beat(pub i64);

/// Slots with `from < t <= to`, in seconds.
#[must_use]
pub fn slots(rng: &mut Rng, Beat(lag): Beat, from: i64, to: i64) -> Vec<Slot> {
    let mut slots = Vec::new();
    let (mut state, mut left) = (Some(true), 50);
    let mut mark = from - from.rem_euclid(SLOT);
    while mark <= to + SLOT {
        mark += SLOT;
        if left == 0 {
            (state, left) = match rng.u32(0..10) {
                0..5 => (Some(true), rng.u32(1..300)),
                5..8 => (Some(false), rng.u32(1..12)),
                _ => (None, if rng.u32(0..8) == 0 { rng.u32(100..600) } else { rng.u32(1..5) }),
            };
        }
        left -= 1;
        let at = mark * 1000 - lag;
        if let Some(up) = state
            && from * 1000 < at
            && at <= to * 1000
        {
            slots.push(Slot { at, up });
        }
    }
    slots
}

impl Entry {
    /// Entries about `functions` in and around `months`, as known at `now`. With `strict`, only such as the exporter takes:
    /// no ruling that a function was up over one that it was down.
    #[must_use]
    pub fn random(
        rng: &mut Rng,
        count: usize,
        functions: &[&str],
        months: &[MonthSpan; 2],
        now: i64,
        beat: Beat,
        strict: bool,
    ) -> Vec<Self> {
        let edges = [months[0].start, months[0].end, months[1].end];
        let mut entries: Vec<Self> = Vec::new();
        while entries.len() < count {
            let functions: Vec<String> =
                functions.iter().filter(|_| rng.u32(0..3) > 0).map(|name| (*name).to_owned()).collect();
            if functions.is_empty() {
                continue;
            }
            let length = match rng.u32(0..6) {
                0 => rng.i64(1..SLOT),
                1..4 => rng.i64(SLOT..4 * 3600),
                4 => SLOT * rng.i64(1..30),
                _ => rng.i64(3600..3 * DAY),
            };
            let mut start = match rng.u32(0..6) {
                // At an edge of a month or across it.
                0 => edges[rng.usize(0..3)] - [0, 1, length, length / 2][rng.usize(0..4)],
                // At the time of a slot.
                1 => {
                    let at = rng.i64(months[0].start..now);
                    at - at.rem_euclid(SLOT) - beat.0 / 1000
                }
                // At the end of another, or in it.
                2 if !entries.is_empty() => entries[rng.usize(0..entries.len())]
                    .windows()
                    .last()
                    .map_or(now, |w| [w.start, w.end.unwrap_or(now)][rng.usize(0..2)] - [0, 0, 77][rng.usize(0..3)]),
                _ => rng.i64(months[0].start - DAY..now),
            };
            let id = format!("entry-{}", entries.len());
            let kind = if rng.u32(0..5) < 2 {
                start = start.min(now + 5 * DAY);
                let notice = [14 * DAY, 14 * DAY - 1, 20 * DAY, 13 * DAY][rng.usize(0..4)];
                let end = start + length;
                let finished = match rng.u32(0..4) {
                    0 => Some(end + rng.i64(1..7200)),
                    1 => Some(start + 1 + rng.i64(0..length)),
                    _ => None,
                };
                let cancelled = (rng.u32(0..8) == 0).then_some(start - 3600).filter(|at| *at <= now);
                Kind::Maintenance {
                    announced: (rng.u32(0..8) > 0).then_some(start - notice),
                    start,
                    end,
                    finished: finished.filter(|at| *at <= now && cancelled.is_none()),
                    cancelled,
                }
            } else {
                start = start.min(now - 1);
                let resolved = start + length;
                let cause = [
                    Some(Cause::Internal),
                    Some(Cause::Internal),
                    Some(Cause::Upstream),
                    Some(Cause::ForceMajeure),
                    Some(Cause::FalseAlarm),
                    None,
                ][rng.usize(0..6)];
                let open = resolved > now || rng.u32(0..30) == 0;
                Kind::Incident { cause, started: start, resolved: (!open).then_some(resolved) }
            };
            let entry = Self { id, functions, kind };
            if !strict || entries.iter().all(|other| other.agrees_with(&entry)) {
                entries.push(entry);
            }
        }
        entries
    }

    /// Whether no other entry contradicts it.
    ///
    /// # Errors
    /// With the place of one that does.
    pub fn agrees_with_all(&self, entries: &[Self]) -> Result<(), usize> {
        match entries.iter().position(|other| other.id != self.id && !self.agrees_with(other)) {
            Some(at) => Err(at),
            None => Ok(()),
        }
    }

    /// Not one saying up and the other down of the same second and function.
    fn agrees_with(&self, other: &Self) -> bool {
        if !self.functions.iter().any(|name| other.functions.contains(name)) {
            return true;
        }
        let effects = |a: &super::Window, b: &super::Window| {
            let (a, b) = (a.reason.labels().0, b.reason.labels().0);
            (a == "up" && b == "down") || (a == "down" && b == "up")
        };
        let overlap = |a: &super::Window, b: &super::Window| {
            a.start < b.end.unwrap_or(i64::MAX) && b.start < a.end.unwrap_or(i64::MAX)
        };
        let (ours, theirs) = (self.windows(), other.windows());
        !ours.iter().any(|a| theirs.iter().any(|b| effects(a, b) && overlap(a, b)))
    }
}
