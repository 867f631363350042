//! What recording-rules/months.yml would have recorded about a story: counted slot by slot, with the ledger as it was known at
//! each moment.
//!
//! As slow and plain as can be: every edge is a multiple of a slot, so that a slot is wholly inside a window or outside.
//! tests/it/history.rs compares it with the real rules.

use super::measure::Measured;
use super::story::{Effect, Story};
use super::{CLOSED_MONTHS, FUNCTIONS, Month, SLOT};

/// One function's month, in seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// The month without what is excluded.
    pub service: i64,
    /// The same, up to now.
    pub elapsed: i64,
    /// Judged to be down.
    pub judged: i64,
    /// Measured up, and in no window.
    pub up: i64,
    /// Measured down, and in no window.
    pub unexplained: i64,
    /// Not measured, and in no window.
    pub unmeasured: i64,
}

/// How much of the service time may be downtime. As the rules calculate it, so that not a digit differs.
const ALLOWED: f64 = 1.0 - 0.99;

#[allow(clippy::cast_precision_loss)]
impl Figures {
    /// What the contract counts as downtime, in seconds.
    #[must_use]
    pub fn downtime(self) -> i64 {
        self.unexplained + self.judged
    }

    /// Absent where nothing is known.
    #[must_use]
    pub fn availability(self) -> Option<f64> {
        (self.is_known() && self.service > 0).then(|| ratio(self.downtime(), self.service))
    }

    pub(super) fn to_date(self) -> Option<f64> {
        (self.is_known() && self.elapsed > 0).then(|| ratio(self.downtime(), self.elapsed))
    }

    /// The availability if all that was not measured had been downtime.
    #[must_use]
    pub fn lower(self) -> Option<f64> {
        (self.service > 0).then(|| ratio(self.downtime() + self.unmeasured, self.service))
    }

    pub(super) fn allowed(self) -> f64 {
        self.service as f64 * ALLOWED
    }

    pub(super) fn budget(self) -> Option<f64> {
        self.is_known().then(|| self.allowed() - self.unexplained as f64 - self.judged as f64)
    }

    fn is_known(self) -> bool {
        self.up + self.unexplained + self.judged > 0
    }
}

#[allow(clippy::cast_precision_loss)]
fn ratio(down: i64, of: i64) -> f64 {
    (1.0 - down as f64 / of as f64).max(0.0)
}

/// A month of a function: what was measured of its slots.
pub(super) struct Slots {
    month: Month,
    function: &'static str,
    measured: Vec<Option<bool>>,
}

impl Slots {
    fn of(measured: &Measured, month: Month, index: usize) -> Self {
        let function = FUNCTIONS.get(index).copied().unwrap_or_default();
        Self { month, function, measured: measured.slots(index, month.start(), month.end()) }
    }

    /// The figures at the moments of `when`, which are multiples of a slot in order, from the month's start on.
    fn at(&self, story: &Story, when: &[i64], mut found: impl FnMut(i64, Figures)) {
        let (start, end) = (self.month.start(), self.month.end());
        let changes = story.changes();
        let mut rest = when;
        while let Some(first) = rest.first() {
            // All moments until the ledger changes share what it decides.
            let next = changes.iter().find(|change| **change > *first).copied().unwrap_or(i64::MAX);
            let (now, later) = rest.split_at(rest.partition_point(|at| *at < next));
            rest = later;
            let decided = decisions(&story.windows(self.function, *first), start, end);
            let mut figures = Figures { service: end - start, ..Figures::default() };
            figures.service -= SLOT * count(decided.iter().filter(|effect| **effect == Some(Effect::Exclude)));
            let (mut elapsed, mut counted) = (start, start);
            for at in now {
                while elapsed < (*at).min(end) {
                    let decision = decided.get(index(elapsed - start)).copied().flatten();
                    figures.elapsed += if decision == Some(Effect::Exclude) { 0 } else { SLOT };
                    figures.judged += if decision == Some(Effect::Down) { SLOT } else { 0 };
                    elapsed += SLOT;
                }
                // A slot counts five minutes after its time.
                while counted < (*at - SLOT).min(end) {
                    let place = index(counted - start);
                    if decided.get(place).copied().flatten().is_none() {
                        match self.measured.get(place).copied().flatten() {
                            Some(true) => figures.up += SLOT,
                            Some(false) => figures.unexplained += SLOT,
                            None => figures.unmeasured += SLOT,
                        }
                    }
                    counted += SLOT;
                }
                found(*at, figures);
            }
        }
    }
}

/// What is decided about each slot from `start` to `end`: exclude over up over down.
fn decisions(windows: &[(i64, i64, Effect)], start: i64, end: i64) -> Vec<Option<Effect>> {
    let mut decided = vec![None; index(end - start)];
    for effect in [Effect::Down, Effect::Up, Effect::Exclude] {
        for (from, to, _) in windows.iter().filter(|(from, to, own)| *own == effect && *from < end && *to > start) {
            let places = index(from.max(&start) - start)..index(to.min(&end) - start);
            if let Some(places) = decided.get_mut(places) {
                places.fill(Some(effect));
            }
        }
    }
    decided
}

fn index(seconds: i64) -> usize {
    usize::try_from(seconds / SLOT).unwrap_or(0)
}

fn count<T>(items: impl Iterator<Item = T>) -> i64 {
    i64::try_from(items.count()).unwrap_or(0)
}

/// One month's figures of a function in the order of time: month, function, moments with figures.
pub(super) type Recorded = (Month, &'static str, Vec<(i64, Figures)>);

/// What the rules would have recorded up to `now`, each month while it was the current one or the one before: every five minutes
/// of the months from `detailed` on, daily of those before, of which the last value alone is looked at.
pub(super) fn recorded(story: &Story, measured: &Measured, detailed: i64, now: i64) -> Vec<Recorded> {
    let current = Month::containing(now);
    let mut all = Vec::new();
    for back in (0..=CLOSED_MONTHS).rev() {
        let month = current.back(back);
        let open = (month.start() / SLOT + 1)..=(now.min(month.back(-1).end() - SLOT) / SLOT);
        // The last slot of a day, so that the last one of the month after is among them.
        let moments: Vec<i64> = open
            .map(|slot| slot * SLOT)
            .filter(|at| month.start() >= detailed || (at + SLOT - month.start()) % 86_400 == 0)
            .filter(|at| !story.silences.iter().any(|(start, end)| start < at && at <= end))
            .collect();
        for (index, function) in FUNCTIONS.iter().enumerate() {
            let mut figures = Vec::with_capacity(moments.len());
            Slots::of(measured, month, index).at(story, &moments, |at, found| figures.push((at, found)));
            all.push((month, *function, figures));
        }
    }
    all
}

/// The figures of `month` with the ledger as it stands at `now`, for each of [`FUNCTIONS`]; slots up to `now` all count.
pub(super) fn final_figures(story: &Story, measured: &Measured, month: Month, now: i64) -> [Figures; 2] {
    let moment = now / SLOT * SLOT;
    [0, 1].map(|function| {
        let mut last = Figures::default();
        Slots::of(measured, month, function).at(story, &[moment], |_, figures| last = figures);
        last
    })
}
