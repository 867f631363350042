//! Measured downtime of several months that nobody has judged, by function, whole: over the edges of months, and apart where
//! a ruling lies in between.

use jiff::Timestamp;

use crate::ledger::Ledger;
use crate::report::model::{FunctionReport, Link, Report};
use crate::report::slots::{LATE, STEP, Slot, clock};
use crate::span::Span;
use crate::windows::{Effect, Window};

/// Slots that may be missing after the last one while an outage still counts as going on: a server may be late.
const LATE_SLOTS: i64 = 2;

/// Slots of one function that are down and in no window, one after the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stretch {
    /// Begin: five minutes before the first slot, or the end of what limits that (a month's begin, a ruling).
    pub(super) start: i64,
    /// Timestamp of the first slot.
    pub(super) first: i64,
    /// Timestamp of the last slot.
    pub(super) end: i64,
    /// Nothing says that it is over.
    pub(super) open: bool,
    /// The entry that is about it without deciding it.
    pub(super) link: Option<Link>,
}

/// What a slot was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Measured up.
    Up,
    /// Measured down.
    Down,
    /// Missing.
    Unmeasured,
    /// Not in the months that were looked at.
    Outside,
}

/// How one function did in all months that were looked at.
pub(super) struct Seen<'a> {
    pub(super) name: &'a str,
    pub(super) stretches: Vec<Stretch>,
    slots: Vec<Slot>,
    windows: Vec<&'a Window>,
    /// From the first slot's clock to the last one's, of each run of months that follow each other.
    months: Vec<Span>,
}

impl<'a> Seen<'a> {
    /// All functions of `reports`, which are of one contract and moment, in the order of months.
    pub(super) fn all(reports: &'a [Report]) -> Vec<Self> {
        let Some(last) = reports.last() else { return Vec::new() };
        last.functions.iter().map(|function| Self::new(&function.name, reports)).collect()
    }

    fn new(name: &'a str, reports: &'a [Report]) -> Self {
        let mut seen = Self { name, stretches: Vec::new(), slots: Vec::new(), windows: Vec::new(), months: Vec::new() };
        for report in reports {
            let Some(function) = report.functions.iter().find(|function| function.name == name) else { continue };
            seen.slots.extend(&function.slots);
            for window in &function.windows {
                if !seen.windows.contains(&window) {
                    seen.windows.push(window);
                }
            }
            match seen.months.last_mut() {
                Some(months) if months.end() == report.month_start => {
                    *months = Span::new(months.start(), report.month_end).unwrap_or(*months);
                }
                _ => seen.months.extend(Span::new(report.month_start, report.month_end)),
            }
            // Before the contract nothing was owed, so nothing is to be judged.
            if report.contract.start_at.is_none_or(|start| start < report.month_end) {
                seen.add(report, function);
            }
        }
        if let Some(newest) = reports.last().map(|report| clock(report.generated_at - LATE - STEP + 1)) {
            seen.find_open(newest);
        }
        seen
    }

    fn add(&mut self, report: &Report, function: &FunctionReport) {
        for unexplained in &function.unexplained {
            let own = |slot: &&Slot| unexplained.start < slot.at && slot.at <= unexplained.end;
            let slots = function.slots.iter().filter(own).filter(|slot| !slot.up).map(|slot| slot.at);
            let mut before: Option<i64> = None;
            for at in slots {
                let start = self.limited(before.unwrap_or(i64::MIN), (at - STEP).max(report.month_start), at);
                let parted = before.is_some_and(|before| start > before.max(at - STEP));
                match self.stretches.last_mut() {
                    Some(last) if before.is_some() && !parted => last.end = at,
                    // Over the edge of a month it is one outage. A month knows an overrun only from the stop's end on.
                    Some(last)
                        if before.is_none()
                            && start == report.month_start
                            && last.end > start - STEP
                            && (last.link == unexplained.link
                                || unexplained.link.is_none() && matches!(last.link, Some(Link::Overrun { .. }))) =>
                    {
                        last.end = at;
                    }
                    _ => {
                        let link = unexplained.link.clone();
                        self.stretches.push(Stretch { start, first: at, end: at, open: false, link });
                    }
                }
                before = Some(at);
            }
        }
    }

    /// `start`, or later: after a ruling that the function was up, which an entry from `start` to `at` would contradict.
    fn limited(&self, before: i64, start: i64, at: i64) -> i64 {
        let ups = self.windows.iter().filter(|window| window.reason.effect() == Effect::Up);
        let ends =
            ups.filter_map(|window| window.end.filter(|end| window.start >= before && (start..at).contains(end)));
        ends.max().unwrap_or(start)
    }

    /// The last one goes on where nothing says that it is over, and it is not long since. `newest`: the clock of the newest slot
    /// that is counted; one that is there already tells, too.
    fn find_open(&mut self, newest: i64) {
        let Some(stretch) = self.stretches.last_mut() else { return };
        let mut later = self.slots.iter().rev().take_while(|slot| slot.at > stretch.end);
        stretch.open =
            newest - clock(stretch.end) <= LATE_SLOTS * STEP && later.all(|slot| !slot.up && slot.clock() > newest);
    }

    /// What the slot was that lies in the five minutes of the clock ending at `clock`.
    pub(super) fn state(&self, clock: i64) -> State {
        match self.slot(clock) {
            Some(slot) if slot.up => State::Up,
            Some(_) => State::Down,
            None if self.months.iter().any(|months| months.holds_slot(clock)) => State::Unmeasured,
            None => State::Outside,
        }
    }

    fn slot(&self, clock: i64) -> Option<&Slot> {
        let place = self.slots.partition_point(|slot| slot.clock() < clock);
        self.slots.get(place).filter(|slot| slot.clock() == clock)
    }

    /// The states of all slots from `start` to `end` that no window decides.
    pub(super) fn undecided(&self, start: i64, end: i64) -> impl Iterator<Item = State> + '_ {
        let beat = self.slots.last().map_or(0, |slot| slot.clock() - slot.at);
        let own = move |clock: &i64| {
            let at = self.slot(*clock).map_or(clock - beat, |slot| slot.at);
            start < at && at <= end && !self.spans(None).any(|window| window.holds_slot(at))
        };
        (clock(start + 1)..=clock(end)).step_by(300).filter(own).map(|clock| self.state(clock))
    }

    /// Whether a window has a second in the span; only those with this effect, where one is given.
    pub(super) fn judged(&self, span: Option<Span>, effect: Option<Effect>) -> bool {
        span.is_some_and(|span| self.spans(effect).any(|window| window.overlaps(span)))
    }

    fn spans(&self, effect: Option<Effect>) -> impl Iterator<Item = Span> + '_ {
        let wanted = self.windows.iter().filter(move |w| effect.is_none_or(|effect| w.reason.effect() == effect));
        wanted.filter_map(|window| Span::new(window.start, window.end.unwrap_or(i64::MAX)))
    }
}

/// Entries about `function` that end at most `within` seconds before `start`, or begin as shortly after `end`: perhaps it is
/// theirs.
pub(super) fn near(ledger: &Ledger, function: &str, start: i64, end: i64, within: i64) -> Vec<String> {
    let close = |from: Timestamp, to: Option<Timestamp>| {
        let ended = to.is_some_and(|to| (start - within..=start).contains(&to.as_second()));
        ended || (end..=end + within).contains(&from.as_second())
    };
    let about = |functions: &[String]| functions.iter().any(|name| name == function);
    let incidents = ledger.incidents.iter().filter(|incident| about(&incident.functions));
    let incidents = incidents.filter(|incident| close(incident.started_at, incident.resolved_at));
    let stops = ledger.maintenance.iter().filter(|stop| about(&stop.functions) && stop.cancelled_at.is_none());
    let stops = stops.filter(|stop| close(stop.start, Some(stop.finished_at.unwrap_or(stop.end))));
    incidents.map(|incident| incident.id.clone()).chain(stops.map(|stop| stop.id.clone())).collect()
}
