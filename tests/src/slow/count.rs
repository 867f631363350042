//! The figures of a function's month: seconds painted one by one, slots looked at one by one.

use super::ledger::{Reason, Window};
use super::zone::MonthSpan;

/// Slots stand for five minutes of the clock.
pub(super) const SLOT: i64 = 300;
/// A slot counts when its five minutes ended so long ago.
const LATE: i64 = 60;

/// A recorded slot.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Slot {
    /// Milliseconds since the epoch.
    pub at: i64,
    /// The function was up.
    pub up: bool,
}

/// What the figures of one function and month are calculated from.
#[derive(Clone, Copy, Debug)]
pub struct Month<'a> {
    /// The month.
    pub month: &'a MonthSpan,
    /// When the exporter looked at its clock.
    pub now: i64,
    /// When the rules were evaluated.
    pub evaluated: i64,
    /// When the contract began.
    pub contract_start: Option<i64>,
    /// The function's windows, of any month.
    pub windows: &'a [Window],
    /// The function's slots, of any month, in order of time.
    pub slots: &'a [Slot],
    /// How many milliseconds before a mark of the clock slots are recorded: where one that is missing would have been.
    pub lag: i64,
}

/// Seconds of a month. What the exporter exports, and what the rules make of it and of slots.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[allow(missing_docs)]
pub struct Figures {
    pub service: i64,
    pub elapsed: i64,
    /// Planned, upstream, force majeure.
    pub excluded: [i64; 3],
    pub judged: i64,
    pub unexplained: i64,
    pub up: i64,
    pub unmeasured: i64,
    /// At least one slot of the month is due.
    pub begun: bool,
}

impl Month<'_> {
    /// The part of a window that is shown in this month: one that goes on reaches to the month's end.
    #[must_use]
    pub fn shown(&self, window: &Window) -> Option<(i64, i64)> {
        let end = window.end.unwrap_or(self.month.end).min(self.month.end);
        let start = window.start.max(self.month.start);
        (start < end).then_some((start, end))
    }

    /// All figures.
    #[must_use]
    pub fn figures(&self) -> Figures {
        let mut figures = Figures::default();
        self.paint(&mut figures);
        self.look_at_slots(&mut figures);
        figures
    }

    fn paint(&self, figures: &mut Figures) {
        let length = usize::try_from(self.month.end - self.month.start).expect("a month");
        let mut seconds = vec![0_u8; length];
        let index =
            |at: i64| usize::try_from(at.clamp(self.month.start, self.month.end) - self.month.start).expect("in it");
        for reason in Reason::ALL {
            for window in self.windows.iter().filter(|window| window.reason == reason) {
                // Plans count whole, all else up to now.
                let end = window.end.unwrap_or(self.now);
                let end = if reason == Reason::Planned { end } else { end.min(self.now) };
                if window.start < end {
                    seconds[index(window.start)..index(end)].fill(reason as u8);
                }
            }
        }
        let mut past = [0_i64; 7];
        let mut future = [0_i64; 7];
        let (before, after) = seconds.split_at(index(self.now));
        before.iter().for_each(|second| past[usize::from(*second)] += 1);
        after.iter().for_each(|second| future[usize::from(*second)] += 1);
        let excluding = [Reason::Planned, Reason::Upstream, Reason::ForceMajeure];
        let served = |counts: &[i64; 7]| -> i64 {
            counts.iter().sum::<i64>() - excluding.iter().map(|reason| counts[*reason as usize]).sum::<i64>()
        };
        figures.service = served(&past) + served(&future);
        figures.elapsed = served(&past);
        figures.excluded = excluding.map(|reason| past[reason as usize] + future[reason as usize]);
        figures.judged = past[Reason::Internal as usize] + past[Reason::Overrun as usize];
    }

    fn look_at_slots(&self, figures: &mut Figures) {
        let mut mark = self.month.start - self.month.start.rem_euclid(SLOT);
        loop {
            mark += SLOT;
            if mark > self.month.end || mark > self.evaluated - LATE {
                return;
            }
            figures.begun = true;
            // The last slot in the five minutes before the mark, the mark included.
            let upto = self.slots.partition_point(|slot| slot.at <= mark * 1000);
            let slot = self.slots[..upto].last().filter(|slot| slot.at > (mark - SLOT) * 1000);
            let at = slot.map_or(mark * 1000 - self.lag, |slot| slot.at);
            let inside =
                |window: &Window| self.shown(window).is_some_and(|(start, end)| start * 1000 < at && at <= end * 1000);
            if self.windows.iter().any(inside) {
                continue;
            }
            match slot {
                Some(Slot { up: true, .. }) => figures.up += SLOT,
                Some(Slot { up: false, .. }) => figures.unexplained += SLOT,
                None if self.contract_start.is_none_or(|start| mark - SLOT >= start) => figures.unmeasured += SLOT,
                None => {}
            }
        }
    }
}
