//! When a target is due: its place in the interval, and the runs before and after it.
//!
//! Pure: moments are durations since the scheduler's start of this target, the clock is the caller's.
//! A phase depends on nothing but names, so the same configuration always spreads the same way and a
//! change to one probe moves no other.

use std::time::Duration;

/// Runs that fall due within one tick start together: waking the process costs more than a small probe.
pub const TICK: Duration = Duration::from_millis(50);

/// A first result is wanted within this time, however long the interval.
const FIRST_WITHIN: Duration = Duration::from_secs(30);

/// When one target runs, relative to the moment it was added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Plan {
    interval: Duration,
    /// The first run.
    first: Duration,
    /// The second; every later one is an interval after the one before.
    second: Duration,
}

impl Plan {
    /// The plan of the target that `key` identifies.
    #[must_use]
    pub(super) fn new(key: &[&str], interval: Duration) -> Self {
        let share = f64::from(hash(key)) / (f64::from(u32::MAX) + 1.0);
        let phase = interval.mul_f64(share);
        let first = interval.min(FIRST_WITHIN).mul_f64(share);
        // Long intervals: an early first run squeezed into 30 s, then the regular place, so that the
        // early runs do not stay bunched together and no gap is longer than the interval.
        let second = if phase.saturating_sub(first) > Duration::from_secs(1) { phase } else { first + interval };
        Self { interval, first, second }
    }

    /// The moment of run number `n`, counted from 0, on the tick grid.
    #[must_use]
    pub(super) fn due(&self, n: u32) -> Duration {
        let exact = match n {
            0 => self.first,
            n => self.second + self.interval * (n - 1),
        };
        let tick = TICK.as_nanos();
        let ticks = exact.as_nanos().div_ceil(tick);
        Duration::from_nanos(u64::try_from(ticks * tick).unwrap_or(u64::MAX))
    }

    /// The number of the first run after run `n` that is due later than `now`.
    #[must_use]
    pub(super) fn next_after(&self, n: u32, now: Duration) -> u32 {
        let mut next = n + 1;
        if now > self.second && self.interval > Duration::ZERO {
            let passed = (now - self.second).as_nanos() / self.interval.as_nanos();
            next = next.max(u32::try_from(passed).unwrap_or(u32::MAX - 1));
        }
        while self.due(next) <= now {
            next += 1;
        }
        next
    }
}

/// FNV-1a over the parts, then a finaliser: neighbouring names land far apart.
fn hash(parts: &[&str]) -> u32 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for part in parts {
        for byte in part.bytes().chain([0xff]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    hash ^= hash >> 33;
    hash = hash.wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash ^= hash >> 33;
    u32::try_from(hash >> 32).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SECOND: Duration = Duration::from_secs(1);

    proptest! {
        #[test]
        fn no_gap_is_longer_than_the_interval(name in "[a-z]{1,12}", seconds in 1u64..=300) {
            let interval = SECOND * u32::try_from(seconds).unwrap();
            let plan = Plan::new(&["site", &name], interval);
            prop_assert!(plan.due(0) <= interval.min(FIRST_WITHIN) + TICK);
            for n in 0..4 {
                let gap = plan.due(n + 1) - plan.due(n);
                prop_assert!(gap <= interval + SECOND + TICK, "{plan:?}: {gap:?}");
                prop_assert!(n == 0 || gap + TICK >= interval, "{plan:?}: {gap:?}");
            }
        }

        #[test]
        fn the_next_run_is_the_first_one_in_the_future(name in "[a-z]{1,12}", seconds in 1u64..=300, now in 0u64..10_000) {
            let plan = Plan::new(&[&name], SECOND * u32::try_from(seconds).unwrap());
            let now = SECOND * u32::try_from(now).unwrap();
            let next = plan.next_after(0, now);
            prop_assert!(next >= 1 && plan.due(next) > now);
            prop_assert!(next == 1 || plan.due(next - 1) <= now);
        }
    }

    #[test]
    #[allow(clippy::cast_possible_truncation)]
    fn ten_thousand_targets_spread_evenly_over_the_interval() {
        let interval = SECOND * 60;
        let mut tenths = [0; 10];
        for i in 0..10_000 {
            let plan = Plan::new(&["tokyo-1", "web", &format!("http://10.0.{}.{}/", i / 250, i % 250)], interval);
            // The second run stands at the target's regular place.
            let at = plan.due(1).as_secs_f64() % 60.0;
            tenths[(at / 6.0) as usize % 10] += 1;
        }
        assert!(tenths.iter().all(|n| (850..1150).contains(n)), "{tenths:?}");
    }

    #[test]
    fn a_plan_depends_on_the_names_alone() {
        let plan = |name: &str| Plan::new(&["site", name], SECOND * 60);
        assert_eq!(plan("a"), plan("a"));
        assert_ne!(plan("a"), plan("b"));
    }
}
