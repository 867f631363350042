//! Slots: five minutes of a function, up or down; what is missing is unmeasured, neither up nor down.
//!
//! A slot is a sample of `sla:function_up:5m`. It speaks for the five minutes before its timestamp, which lies wherever in
//! five minutes of the clock Prometheus evaluates its rules: the *beat*. As in recording-rules/months.yml there is one slot
//! per five minutes of the clock, `(T − 300, T]`, and one that is missing would have come with the beat. Pure. Not for:
//! where samples come from (`collect`), what windows make of slots (`figures`).

use serde::{Deserialize, Serialize};

use crate::span::Span;

/// Length of a slot in seconds (C2.1).
pub const STEP: i64 = 300;

/// A slot is counted this long after the clock's a minute it lies in, in seconds: by then it has been recorded.
pub const LATE: i64 = 60;

/// One measured slot. As JSON: `[timestamp, 1]`, with 0 for down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "(i64, u8)", into = "(i64, u8)")]
pub struct Slot {
    /// Its timestamp, seconds since the epoch.
    pub at: i64,
    /// Up, or else down.
    pub up: bool,
}

impl From<(i64, u8)> for Slot {
    fn from((at, up): (i64, u8)) -> Self {
        Self { at, up: up != 0 }
    }
}

impl From<Slot> for (i64, u8) {
    fn from(slot: Slot) -> Self {
        (slot.at, u8::from(slot.up))
    }
}

impl Slot {
    /// The end of the clock's five minutes it lies in.
    #[must_use]
    pub fn clock(self) -> i64 {
        clock(self.at)
    }
}

/// The end of the clock's five minutes that `at` lies in: `at` itself where it is a multiple of 300.
#[must_use]
pub fn clock(at: i64) -> i64 {
    at.saturating_add(STEP - 1).div_euclid(STEP).saturating_mul(STEP)
}

/// What one series of samples says about each five minutes of the clock: the last sample of each.
#[must_use]
pub fn thin(mut samples: Vec<Slot>) -> Vec<Slot> {
    samples.sort_by_key(|slot| slot.at);
    let mut slots: Vec<Slot> = Vec::with_capacity(samples.len());
    for sample in samples {
        match slots.last_mut() {
            Some(last) if last.clock() == sample.clock() => *last = sample,
            _ => slots.push(sample),
        }
    }
    slots
}

/// One list out of the series of several servers: up where any says so, as the recording rules merge them.
#[must_use]
pub fn merge(series: impl IntoIterator<Item = Vec<Slot>>) -> Vec<Slot> {
    let mut all: Vec<Slot> = series.into_iter().flat_map(thin).collect();
    all.sort_by_key(|slot| slot.at);
    let mut slots: Vec<Slot> = Vec::with_capacity(all.len());
    for slot in all {
        match slots.last_mut() {
            Some(last) if last.clock() == slot.clock() => *last = Slot { at: slot.at, up: last.up || slot.up },
            _ => slots.push(slot),
        }
    }
    slots
}

/// How long before the end of the clock's five minutes slots come, 0 to 299 seconds: as the newest of all functions does; 0
/// without any.
#[must_use]
pub fn beat<'a>(functions: impl IntoIterator<Item = &'a [Slot]>) -> i64 {
    let newest = functions.into_iter().filter_map(|slots| slots.last()).map(|slot| slot.at).max();
    newest.map_or(0, |at| clock(at) - at)
}

/// Which five minutes of the clock a month has, as far as they are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clock {
    /// The month's first second.
    pub start: i64,
    /// Up to which the clock is counted, a multiple of 300.
    pub until: i64,
    /// Of the slots that are missing, see [`beat`].
    pub beat: i64,
}

impl Clock {
    /// What is counted of `month` at `now`.
    #[must_use]
    pub fn new(month: Span, now: i64, beat: i64) -> Self {
        let until = month.end().min(now.saturating_sub(LATE)).div_euclid(STEP).saturating_mul(STEP);
        Self { start: month.start(), until, beat }
    }

    /// Each five minutes of the clock, in order, with what was measured. `slots` in order, one per five minutes.
    pub fn places<'a>(&self, slots: &'a [Slot]) -> impl Iterator<Item = Place> + 'a {
        let Self { start, until, beat } = *self;
        let first = clock(start.saturating_add(1));
        let mut slots = slots[slots.partition_point(|slot| slot.clock() < first)..].iter().copied().peekable();
        let mut next = first;
        std::iter::from_fn(move || {
            let clock = next;
            if clock > until {
                return None;
            }
            next += STEP;
            while slots.next_if(|slot| slot.clock() < clock).is_some() {}
            let slot = slots.next_if(|slot| slot.clock() == clock);
            let at = slot.map_or(clock - beat, |slot| slot.at);
            Some(Place { clock, at, up: slot.map(|slot| slot.up) })
        })
    }
}

/// Five minutes of the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Their end.
    pub clock: i64,
    /// Timestamp of the slot in them, or the one it would have had.
    pub at: i64,
    /// What it says; `None`: it is missing.
    pub up: Option<bool>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slot(at: i64, up: u8) -> Slot {
        Slot::from((at, up))
    }

    #[test]
    fn the_clock_has_its_end_and_not_its_begin() {
        assert_eq!([0, 1, 299, 300, 301].map(clock), [0, 300, 300, 300, 600]);
    }

    #[test]
    fn of_two_samples_in_five_minutes_the_last_counts_and_of_two_servers_the_better() {
        assert_eq!(thin(vec![slot(310, 1), slot(299, 1), slot(300, 0)]), [slot(300, 0), slot(310, 1)]);
        let (one, two) = (vec![slot(100, 1), slot(400, 0)], vec![slot(200, 0), slot(500, 0), slot(900, 1)]);
        assert_eq!(merge([one, two]), [slot(200, 1), slot(500, 0), slot(900, 1)]);
    }

    #[test]
    fn a_slot_that_is_missing_would_have_come_with_the_beat() {
        let month = Span::new(600, 1500).unwrap();
        let slots = [slot(560, 1), slot(1160, 0)];
        let beat = beat([&slots[..], &[]]);
        assert_eq!(beat, 40);
        let places: Vec<Place> = Clock::new(month, 1800, beat).places(&slots).collect();
        assert_eq!(
            places,
            [
                Place { clock: 900, at: 860, up: None },
                Place { clock: 1200, at: 1160, up: Some(false) },
                Place { clock: 1500, at: 1460, up: None },
            ]
        );
    }

    #[test]
    fn a_slot_counts_a_minute_after_its_five_minutes() {
        let month = Span::new(600, 1500).unwrap();
        for (now, count) in [(0, 0), (900, 0), (959, 0), (960, 1), (1559, 2), (1560, 3), (9999, 3)] {
            assert_eq!(Clock::new(month, now, 0).places(&[]).count(), count, "{now}");
        }
    }

    #[test]
    fn a_list_out_of_shape_is_no_endless_gap() {
        let month = Span::new(600, 1500).unwrap();
        let slots = [slot(700, 1), slot(800, 0), slot(1100, 1), slot(1101, 1), slot(1400, 1)];
        assert!(Clock::new(month, 1800, 0).places(&slots).all(|place| place.up == Some(true)));
    }

    #[test]
    fn as_json_a_slot_is_a_pair() {
        let json = serde_json::to_string(&[slot(300, 1), slot(600, 0)]).unwrap();
        assert_eq!(json, "[[300,1],[600,0]]");
        assert_eq!(serde_json::from_str::<Vec<Slot>>(&json).unwrap(), [slot(300, 1), slot(600, 0)]);
    }
}
