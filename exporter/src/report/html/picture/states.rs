//! What became of each slot of a month: the word that counted for it, in runs.
//!
//! Every five minutes of the clock are in exactly one state: what a window decided where one holds the slot, what was
//! measured elsewhere. Runs are what a picture draws; they cover the month without a gap. Pure. Not for: exact seconds
//! (`months`), which a picture in steps of five minutes cannot show.

use crate::report::figures::Frame;
use crate::report::slots::{STEP, Slot, clock};
use crate::span::{Span, Spans};
use crate::windows::{Reason, Window};

/// What counts for a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// Measured up.
    Up,
    /// Measured down, and nobody has judged it.
    Down,
    /// Should have been measured, and was not.
    Unmeasured,
    /// Not measured, and the contract had not begun.
    NotOwed,
    /// Not counted yet.
    Ahead,
    /// The ledger decides.
    Decided(Reason),
}

impl State {
    /// All of them, in the order of a legend.
    pub const ALL: [Self; 11] = [
        Self::Up,
        Self::Decided(Reason::FalseAlarm),
        Self::Down,
        Self::Decided(Reason::Internal),
        Self::Decided(Reason::Overrun),
        Self::Decided(Reason::Planned),
        Self::Decided(Reason::Upstream),
        Self::Decided(Reason::ForceMajeure),
        Self::Unmeasured,
        Self::NotOwed,
        Self::Ahead,
    ];
}

/// Reasons in the order in which they decide where windows overlap: exclude over up over down.
const PRECEDENCE: [Reason; 6] =
    [Reason::Planned, Reason::Upstream, Reason::ForceMajeure, Reason::FalseAlarm, Reason::Internal, Reason::Overrun];

/// Consecutive slots in one state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Run {
    /// Five minutes of the clock for each slot.
    pub(super) span: Span,
    /// What counts.
    pub(super) state: State,
}

/// The whole month in runs. `slots` in order, one per five minutes of the clock; `windows` of the one function.
#[must_use]
pub(super) fn runs(frame: &Frame, slots: &[Slot], windows: &[Window]) -> Vec<Run> {
    let month = frame.month;
    let decided = PRECEDENCE.map(|reason| {
        let own = windows.iter().filter(|window| window.reason == reason);
        (reason, own.filter_map(|window| window.shown(month)).collect::<Spans>())
    });
    let [(_, planned), ..] = &decided;
    let reason = |at| decided.iter().find(|(_, spans)| spans.holds_slot(at)).map(|(reason, _)| *reason);
    let counted = frame.clock.places(slots).map(|place| {
        let measured = || match place.up {
            Some(true) => State::Up,
            Some(false) => State::Down,
            None if frame.expects(place) => State::Unmeasured,
            None => State::NotOwed,
        };
        (place.clock, reason(place.at).map_or_else(measured, State::Decided))
    });
    let mut runs = Runs { month, list: Vec::new() };
    counted.for_each(|(clock, state)| runs.add(clock, state));
    // A plan is known before it is carried out; nothing else of the future is.
    let mut next = frame.clock.until.saturating_add(STEP).max(clock(month.start().saturating_add(1)));
    while next - STEP < month.end() {
        let is_planned = planned.holds_slot(next - frame.clock.beat);
        runs.add(next, if is_planned { State::Decided(Reason::Planned) } else { State::Ahead });
        next += STEP;
    }
    runs.list
}

/// Windows of the function that hold no slot at all: they count to the second, and no run shows them.
#[must_use]
pub(super) fn unseen<'a>(frame: &Frame, slots: &[Slot], windows: &'a [Window]) -> Vec<(&'a Window, Span)> {
    let places: Vec<i64> = frame.clock.places(slots).map(|place| place.at).collect();
    let shown = windows.iter().filter_map(|window| Some((window, window.shown(frame.month)?)));
    let counted = shown.filter(|(window, _)| window.start < frame.clock.until);
    let holds_none = |span: Span| {
        let after = places.partition_point(|at| *at <= span.start());
        places.get(after).is_none_or(|at| !span.holds_slot(*at))
    };
    counted.filter(|(_, span)| holds_none(*span)).collect()
}

struct Runs {
    month: Span,
    list: Vec<Run>,
}

impl Runs {
    /// The five minutes that end with `clock`.
    fn add(&mut self, clock: i64, state: State) {
        let Some(span) = Span::new(clock - STEP, clock).and_then(|span| span.clip(self.month)) else { return };
        match self.list.last_mut() {
            Some(last) if last.state == state => {
                last.span = Span::new(last.span.start(), span.end()).unwrap_or(last.span);
            }
            _ => self.list.push(Run { span, state }),
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::report::figures::figures;
    use crate::windows::Effect;

    /// Three days of Tokyo.
    pub(crate) const START: i64 = 1_790_780_400;
    pub(crate) const LENGTH: i64 = 3 * 86_400;

    pub(crate) fn frame(now: i64, contract_start: Option<i64>, beat: i64) -> Frame {
        Frame::new(Span::new(START, START + LENGTH).unwrap(), START + now, contract_start, beat)
    }

    pub(crate) fn window(reason: Reason, start: i64, end: Option<i64>) -> Window {
        let end = end.map(|end| START + end);
        Window { function: "f".to_owned(), entry: "e".to_owned(), reason, start: START + start, end }
    }

    pub(crate) fn windows() -> impl Strategy<Value = Vec<Window>> {
        let one = (prop::sample::select(PRECEDENCE.to_vec()), -20_000..LENGTH + 20_000, 1..50_000i64, any::<bool>());
        let one = one.prop_map(|(reason, start, length, open)| {
            let planned = matches!(reason, Reason::Planned | Reason::Overrun);
            window(reason, start, (planned || !open).then_some(start + length))
        });
        prop::collection::vec(one, 0..6)
    }

    pub(crate) fn slots(beat: i64, now: i64) -> impl Strategy<Value = Vec<Slot>> {
        let states = prop::sample::select(vec![None, Some(true), Some(true), Some(false)]);
        let states = prop::collection::vec((states, 1..30usize), 0..90).prop_map(|stretches| {
            stretches.into_iter().flat_map(|(state, count)| std::iter::repeat_n(state, count)).collect::<Vec<_>>()
        });
        states.prop_map(move |states| {
            let places = (0..LENGTH / 300).zip(states);
            let slots = places.filter_map(|(n, up)| Some(Slot { at: START + 300 * (n + 1) - beat, up: up? }));
            slots.filter(|slot| slot.at <= START + now).collect()
        })
    }

    /// One slot, with nothing of the code above.
    pub(crate) fn slow(frame: &Frame, slots: &[Slot], windows: &[Window], clock: i64) -> State {
        let at = clock - frame.clock.beat;
        let inside = |wanted: Reason| {
            windows.iter().any(|w| w.reason == wanted && w.start < at && at <= w.end.unwrap_or(i64::MAX))
        };
        if clock > frame.clock.until {
            return if inside(Reason::Planned) { State::Decided(Reason::Planned) } else { State::Ahead };
        }
        for effect in [Effect::Exclude, Effect::Up, Effect::Down] {
            if let Some(reason) = PRECEDENCE.iter().find(|reason| reason.effect() == effect && inside(**reason)) {
                return State::Decided(*reason);
            }
        }
        match slots.iter().find(|slot| slot.at == at).map(|slot| slot.up) {
            Some(true) => State::Up,
            Some(false) => State::Down,
            None if frame.contract_start.is_some_and(|start| start > clock - 300) => State::NotOwed,
            None => State::Unmeasured,
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
        #[test]
        fn every_slot_is_in_the_run_of_its_state(
            (beat, now, slots) in (0i64..300, -400..LENGTH + 4000)
                .prop_flat_map(|(beat, now)| (Just(beat), Just(now), slots(beat, now))),
            windows in windows(),
            contract_start in prop::option::of(-4000..LENGTH + 4000),
        ) {
            // The beat is that of the newest slot, as in a report.
            let beat = if slots.is_empty() { 0 } else { beat };
            let frame = frame(now, contract_start.map(|start| START + start), beat);
            let runs = runs(&frame, &slots, &windows);
            let mut end = START;
            for run in &runs {
                prop_assert_eq!(run.span.start(), end);
                end = run.span.end();
                for clock in (run.span.start() + 300..=run.span.end()).step_by(300) {
                    prop_assert_eq!(run.state, slow(&frame, &slots, &windows, clock), "{}", clock);
                }
            }
            prop_assert_eq!(end, START + LENGTH);
            prop_assert!(runs.windows(2).all(|pair| pair[0].state != pair[1].state));
            // The measured part is the report's figures.
            let figures = figures(&frame, "f", 0.99, &slots, &windows);
            let seconds = |state| runs.iter().filter(|run| run.state == state).map(|run| run.span.seconds()).sum::<i64>();
            prop_assert_eq!(seconds(State::Up), figures.up_seconds);
            prop_assert_eq!(seconds(State::Down), figures.measured_downtime_seconds);
            prop_assert_eq!(seconds(State::Unmeasured), figures.unmeasured_seconds);
        }

        #[test]
        fn a_window_is_in_a_run_or_unseen(windows in windows(), beat in 0i64..300) {
            let frame = frame(LENGTH + 600, None, beat);
            let unseen: Vec<&Window> = unseen(&frame, &[], &windows).into_iter().map(|(window, _)| window).collect();
            for window in &windows {
                let alone = runs(&frame, &[], std::slice::from_ref(window));
                let is_seen = alone.iter().any(|run| run.state == State::Decided(window.reason));
                let is_in_month = window.shown(frame.month).is_some();
                prop_assert_eq!(unseen.contains(&window), is_in_month && !is_seen, "{:?}", window);
            }
        }
    }

    #[test]
    fn a_window_between_two_slots_is_unseen_and_one_that_holds_a_slot_is_not() {
        let frame = frame(LENGTH + 600, None, 0);
        for (start, end, expected) in
            [(300, 599, 1), (300, 600, 0), (299, 300, 0), (301, 302, 1), (LENGTH, LENGTH + 9, 0)]
        {
            let windows = [window(Reason::Internal, start, Some(end))];
            assert_eq!(unseen(&frame, &[], &windows).len(), expected, "{start} to {end}");
        }
    }
}
