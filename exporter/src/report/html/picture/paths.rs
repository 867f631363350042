//! Runs as the fewest characters: one path per state and lane, a thick line for each stretch.
//!
//! A month in which every slot differs from the one before is still a few dozen kilobytes, because moves along a row are
//! relative, and the commonest state is laid under the whole month instead of being drawn piece by piece. Pure. Not for: paint.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::days::{Days, Lane, Place};
use super::states::{Run, State};
use crate::span::{Span, Spans};

/// Left of the rows: the days' names.
pub(super) const LEFT: i64 = 76;
/// Above the rows: the hours.
pub(super) const TOP: i64 = 20;
/// From one row to the next.
pub(super) const PITCH: i64 = 16;
/// Height of a row's bar.
pub(super) const BAR: i64 = 11;
/// Width of 24 hours: three for each slot.
pub(super) const WIDTH: i64 = 864;

/// The paths of one state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Path {
    /// The state.
    pub(super) state: State,
    /// The lane all of it is in.
    pub(super) lane: Lane,
    /// Attribute `d`.
    pub(super) d: String,
}

impl Path {
    /// Thickness of its lines.
    #[must_use]
    pub(super) fn thickness(&self) -> i64 {
        if self.lane == Lane::Whole { BAR } else { BAR / 2 }
    }
}

/// What is drawn, from bottom to top; what is not counted yet is not drawn.
#[must_use]
pub(super) fn paths(runs: &[Run], days: &Days) -> Vec<Path> {
    let drawn = || runs.iter().filter(|run| run.state != State::Ahead);
    let ground = State::ALL.into_iter().max_by_key(|state| drawn().filter(|run| run.state == *state).count());
    let mut paths = Vec::new();
    // Where the ground is one of the month's states, all that is drawn lies on it.
    if let Some(ground) = ground {
        let all: Spans = drawn().map(|run| run.span).collect();
        paths.extend(of_state(ground, all.as_slice().iter().copied(), days));
    }
    for state in State::ALL.into_iter().filter(|state| Some(*state) != ground) {
        let own = drawn().filter(|run| run.state == state).map(|run| run.span);
        paths.extend(of_state(state, own, days));
    }
    paths
}

fn of_state(state: State, spans: impl Iterator<Item = Span>, days: &Days) -> Vec<Path> {
    let mut lanes: BTreeMap<Lane, Pen> = BTreeMap::new();
    for place in spans.flat_map(|span| days.places(span)) {
        lanes.entry(place.lane).or_default().draw(place);
    }
    lanes.into_iter().map(|(lane, pen)| Path { state, lane, d: pen.d }).collect()
}

/// Writes a path.
#[derive(Debug, Default)]
struct Pen {
    d: String,
    /// Row, and how far it got on it.
    at: Option<(i64, i64)>,
}

impl Pen {
    fn draw(&mut self, place: Place) {
        // Writing to a text cannot fail.
        let _ = match self.at {
            Some((row, to)) if row == place.row => write!(self.d, "m{} 0", units(place.from - to)),
            _ => write!(self.d, "M{} {}", units(place.from + LEFT * 100), middle(place)),
        };
        let _ = write!(self.d, "h{}", units(place.to - place.from));
        self.at = Some((place.row, place.to));
    }
}

/// The middle of a place's lane, in the halves that thin lanes need.
fn middle(place: Place) -> String {
    let tenths = (TOP + place.row * PITCH) * 10
        + match place.lane {
            Lane::Whole => BAR * 5,
            Lane::First => 25,
            Lane::Second => 85,
        };
    decimal(tenths, 10)
}

/// Seconds along a row, or what is left of it in hundreds, as the picture's units: a slot of 300 is three.
pub(super) fn units(seconds: i64) -> String {
    decimal(seconds, 100)
}

/// `value ÷ scale` without needless digits; `scale` 10 or 100.
fn decimal(value: i64, scale: i64) -> String {
    let (whole, rest) = (value.div_euclid(scale), value.rem_euclid(scale));
    if rest == 0 {
        return whole.to_string();
    }
    let digits = if scale == 10 { format!("{rest}") } else { format!("{rest:02}") };
    format!("{whole}.{}", digits.trim_end_matches('0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_have_no_digit_too_many() {
        let cases = [(0, "0"), (300, "3"), (86_400, "864"), (150, "1.5"), (1, "0.01"), (1210, "12.1")];
        for (seconds, expected) in cases {
            assert_eq!(units(seconds), expected);
        }
    }
}
