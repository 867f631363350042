//! One function's month out of slots and windows: the contract's formula (C4.1f) as recording-rules/months.yml has it, to the
//! second.
//!
//! Inside a window the ledger decides, to the second (`months`); outside, the slots do, 300 s each. Pure: the time is a
//! parameter. Not for: what single entries contribute (`assemble`), rounding.

use super::model::{Excluded, Figures, Outcome};
use super::slots::{Clock, Place, STEP, Slot};
use crate::months::Judged;
use crate::span::{Span, Spans};
use crate::windows::Window;

/// What all functions of a month have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The month's seconds.
    pub month: Span,
    /// The moment the figures are of.
    pub now: i64,
    /// The contract's first second; nothing before it is unmeasured.
    pub contract_start: Option<i64>,
    /// Which slots there should be.
    pub clock: Clock,
}

impl Frame {
    /// The frame of `month` at `now`, where slots come with `beat`.
    #[must_use]
    pub fn new(month: Span, now: i64, contract_start: Option<i64>, beat: i64) -> Self {
        Self { month, now, contract_start, clock: Clock::new(month, now, beat) }
    }

    /// Whether the month's last slot is counted.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.clock.until.saturating_add(STEP) > self.month.end()
    }

    /// Whether the month's first slot is counted: until then there is no figure.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        self.clock.places(&[]).next().is_some()
    }

    /// Whether the contract had begun when the month ended.
    #[must_use]
    pub fn is_owed(&self) -> bool {
        self.contract_start.is_none_or(|start| start < self.month.end())
    }

    /// Whether a slot that is missing at `place` is unmeasured time.
    #[must_use]
    pub fn expects(&self, place: Place) -> bool {
        self.contract_start.is_none_or(|start| start.saturating_add(STEP) <= place.clock)
    }

    /// The places of one function that no window decides.
    pub fn undecided<'a>(&self, slots: &'a [Slot], decided: &'a Spans) -> impl Iterator<Item = Place> + 'a {
        self.clock.places(slots).filter(|place| !decided.holds_slot(place.at))
    }

    /// All that the windows of `function` decide, as far as slots can lie in it.
    #[must_use]
    pub fn decided(&self, function: &str, windows: &[Window]) -> Spans {
        let own = windows.iter().filter(|window| window.function == function);
        own.filter_map(|window| window.shown(self.month)).collect()
    }
}

/// The formula with its numbers: `slots` of the function in order, one per five minutes of the clock; `windows` of any.
#[must_use]
pub fn figures(frame: &Frame, function: &str, objective: f64, slots: &[Slot], windows: &[Window]) -> Figures {
    let seconds = Judged::of(windows, function, frame.month, frame.now).seconds();
    let decided = frame.decided(function, windows);
    let (mut up, mut down, mut unmeasured) = (0, 0, 0);
    for place in frame.undecided(slots, &decided) {
        match place.up {
            Some(true) => up += STEP,
            Some(false) => down += STEP,
            None if frame.expects(place) => unmeasured += STEP,
            None => {}
        }
    }
    let downtime = seconds.judged_downtime + down;
    let [planned_seconds, upstream_seconds, force_majeure_seconds] = seconds.excluded;
    // Of a month nobody knows anything about, 100 % is not said; of one the ledger decides as a whole, what it decides is.
    let shown = frame.is_owed() && frame.has_begun();
    let known = shown && (up + downtime > 0 || unmeasured == 0);
    let allowed = allowed(seconds.service, objective);
    Figures {
        calendar_seconds: seconds.calendar,
        excluded: Excluded { planned_seconds, upstream_seconds, force_majeure_seconds },
        service_seconds: seconds.service,
        elapsed_service_seconds: seconds.elapsed_service,
        downtime_seconds: downtime,
        judged_downtime_seconds: seconds.judged_downtime,
        measured_downtime_seconds: down,
        up_seconds: up,
        unmeasured_seconds: unmeasured,
        availability: known.then(|| share(seconds.service, downtime)).flatten(),
        availability_to_date: known.then(|| share(seconds.elapsed_service, downtime)).flatten(),
        availability_lower: shown.then(|| share(seconds.service, downtime + unmeasured)).flatten(),
        allowed_downtime_seconds: allowed,
        budget_remaining_seconds: known.then_some(allowed - downtime),
    }
}

/// `(service − downtime) ÷ service`, not below 0; `None` without service time.
#[must_use]
pub fn share(service: i64, downtime: i64) -> Option<f64> {
    (service > 0).then(|| (1.0 - downtime as f64 / service as f64).max(0.0))
}

/// Whole seconds of downtime that leave `objective` met: exact for objectives of up to nine decimals, in percent seven.
#[must_use]
pub fn allowed(service: i64, objective: f64) -> i64 {
    const BILLION: i128 = 1_000_000_000;
    #[allow(clippy::cast_possible_truncation)] // 0 to 1, as the configuration is checked
    let promised = ((objective.clamp(0.0, 1.0) * BILLION as f64).round() as i128).clamp(0, BILLION);
    i64::try_from(i128::from(service.max(0)) * (BILLION - promised) / BILLION).unwrap_or(i64::MAX)
}

/// What became of the objective. `over`, `owed`: of the month.
#[must_use]
pub fn outcome(figures: &Figures, over: bool, owed: bool) -> Outcome {
    let allowed = figures.allowed_downtime_seconds;
    if !owed {
        Outcome::NotOwed
    } else if figures.service_seconds <= 0 {
        Outcome::NoService
    } else if figures.downtime_seconds > allowed {
        Outcome::Missed
    } else if !over {
        Outcome::Open
    } else if figures.availability.is_none() {
        Outcome::Unmeasured
    } else if figures.downtime_seconds + figures.unmeasured_seconds > allowed {
        Outcome::Unproven
    } else {
        Outcome::Met
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::report::slots::{LATE, merge};
    use crate::windows::{Effect, Reason};

    /// A "month" of nine hours: what is done second by second takes its time.
    const START: i64 = 1_790_780_400;
    const LENGTH: i64 = 32_400;

    fn month() -> Span {
        Span::new(START, START + LENGTH).unwrap()
    }

    fn window(reason: Reason, start: i64, end: Option<i64>) -> Window {
        Window { function: "f".to_owned(), entry: "e".to_owned(), reason, start, end }
    }

    fn reasons() -> impl Strategy<Value = Reason> {
        prop::sample::select(vec![
            Reason::Planned,
            Reason::Upstream,
            Reason::ForceMajeure,
            Reason::Internal,
            Reason::Overrun,
            Reason::FalseAlarm,
        ])
    }

    fn windows() -> impl Strategy<Value = Vec<Window>> {
        let one = (reasons(), -5000i64..LENGTH + 5000, 1i64..10_000, any::<bool>()).prop_map(
            |(reason, start, length, open)| {
                let plan = matches!(reason, Reason::Planned | Reason::Overrun);
                window(reason, START + start, (plan || !open).then_some(START + start + length))
            },
        );
        prop::collection::vec(one, 0..6)
    }

    /// Second by second and slot by slot, with nothing of the code above.
    #[derive(Debug, PartialEq)]
    struct Slow {
        service: i64,
        elapsed: i64,
        excluded: [i64; 3],
        judged: i64,
        up: i64,
        down: i64,
        unmeasured: i64,
    }

    fn slow(slots: &BTreeMap<i64, bool>, beat: i64, windows: &[Window], now: i64, contract_start: i64) -> Slow {
        let mut slow = Slow { service: 0, elapsed: 0, excluded: [0; 3], judged: 0, up: 0, down: 0, unmeasured: 0 };
        for second in START..START + LENGTH {
            let inside = |reason: Reason| {
                windows.iter().any(|w| {
                    let end = w.end.unwrap_or(now);
                    let end = if reason == Reason::Planned { end } else { end.min(now) };
                    w.reason == reason && w.start <= second && second < end
                })
            };
            if let Some(first) = Reason::EXCLUDING.iter().position(|reason| inside(*reason)) {
                slow.excluded[first] += 1;
                continue;
            }
            slow.service += 1;
            slow.elapsed += i64::from(second < now);
            let up = inside(Reason::FalseAlarm);
            slow.judged += i64::from(!up && (inside(Reason::Internal) || inside(Reason::Overrun)));
        }
        for clock in (START + 300..=START + LENGTH).step_by(300) {
            if clock > now - LATE {
                break;
            }
            let at = clock - beat;
            if windows.iter().any(|w| w.start < at && at <= w.end.unwrap_or(i64::MAX)) {
                continue;
            }
            match slots.get(&at) {
                Some(true) => slow.up += 300,
                Some(false) => slow.down += 300,
                None if clock - 300 >= contract_start => slow.unmeasured += 300,
                None => {}
            }
        }
        slow
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]
        #[test]
        fn figures_are_what_seconds_and_slots_are_one_by_one(
            states in prop::collection::vec(prop::sample::select(vec![None, Some(true), Some(true), Some(false)]), 108),
            beat in 0i64..300,
            windows in windows(),
            now in -400i64..LENGTH + 4000,
            contract_start in -4000i64..LENGTH + 4000,
        ) {
            let (now, contract_start) = (START + now, START + contract_start);
            let slots: BTreeMap<i64, bool> = (0..).zip(&states)
                .filter_map(|(n, up)| Some((START + 300 * (n + 1) - beat, (*up)?)))
                .filter(|(at, _)| *at <= now)
                .collect();
            let list = merge([slots.iter().map(|(at, up)| Slot { at: *at, up: *up }).collect()]);
            prop_assert_eq!(list.len(), slots.len());
            let frame = Frame::new(month(), now, Some(contract_start), beat);
            let fast = figures(&frame, "f", 0.99, &list, &windows);
            let excluded = fast.excluded;
            let seen = Slow {
                service: fast.service_seconds,
                elapsed: fast.elapsed_service_seconds,
                excluded: [excluded.planned_seconds, excluded.upstream_seconds, excluded.force_majeure_seconds],
                judged: fast.judged_downtime_seconds,
                up: fast.up_seconds,
                down: fast.measured_downtime_seconds,
                unmeasured: fast.unmeasured_seconds,
            };
            prop_assert_eq!(&seen, &slow(&slots, beat, &windows, now, contract_start));
            prop_assert_eq!(fast.downtime_seconds, seen.judged + seen.down);
            prop_assert_eq!(fast.calendar_seconds, LENGTH);
            prop_assert_eq!(fast.calendar_seconds - fast.excluded_seconds(), fast.service_seconds);
            // Nothing at all of another function's windows.
            let other: Vec<Window> = windows.into_iter().map(|w| Window { function: "g".to_owned(), ..w }).collect();
            prop_assert_eq!(
                figures(&frame, "f", 0.99, &list, &other),
                figures(&frame, "f", 0.99, &list, &[])
            );
            // A bound is a bound.
            if let (Some(lower), Some(availability)) = (fast.availability_lower, fast.availability) {
                prop_assert!(lower <= availability);
            }
        }

        #[test]
        fn allowed_downtime_is_the_last_second_that_meets(service in 0i64..3_000_000, thousandths in 0i64..=100_000) {
            // Percent with three decimals, as a configuration would have it.
            let objective = thousandths as f64 / 1000.0 / 100.0;
            let allowed = allowed(service, objective);
            // (service - allowed) / service >= objective, exactly.
            prop_assert!((service - allowed) * 100_000 >= thousandths * service);
            prop_assert!((service - allowed - 1) * 100_000 < thousandths * service);
        }
    }

    fn slots(frame: &Frame, up: impl Fn(usize) -> Option<bool>) -> Vec<Slot> {
        let places = frame.clock.places(&[]).enumerate();
        places.filter_map(|(n, place)| up(n).map(|up| Slot { at: place.at, up })).collect()
    }

    /// C4.1i–iii: from both sides of the fraction; a window decides whatever was measured.
    #[test]
    fn excluded_time_leaves_service_and_downtime_alike() {
        let frame = Frame::new(month(), START + LENGTH + 600, None, 17);
        // Down in the first hour, excluded.
        let slots = slots(&frame, |n| Some(n >= 12));
        let planned = [window(Reason::Planned, START, Some(START + 3600))];
        let with = figures(&frame, "f", 0.99, &slots, &planned);
        assert_eq!((with.service_seconds, with.downtime_seconds), (LENGTH - 3600, 0));
        assert_eq!(with.availability, Some(1.0));
        let without = figures(&frame, "f", 0.99, &slots, &[]);
        assert_eq!((without.service_seconds, without.downtime_seconds), (LENGTH, 3600));
        assert_eq!(outcome(&without, true, true), Outcome::Missed);
    }

    #[test]
    fn the_objective_is_met_to_the_second_and_missed_by_one_more() {
        let frame = Frame::new(month(), START + LENGTH + 600, None, 0);
        let all_up = slots(&frame, |_| Some(true));
        for (downtime, expected) in [(324, Outcome::Met), (325, Outcome::Missed)] {
            let judged = [window(Reason::Internal, START + 300, Some(START + 300 + downtime))];
            let figures = figures(&frame, "f", 0.99, &all_up, &judged);
            assert_eq!(figures.downtime_seconds, downtime);
            assert_eq!(outcome(&figures, true, true), expected, "{downtime}");
            assert_eq!(figures.budget_remaining_seconds, Some(324 - downtime));
        }
    }

    #[test]
    fn unmeasured_time_leaves_an_objective_unproven_and_a_running_month_open() {
        let frame = Frame::new(month(), START + LENGTH + 600, None, 0);
        let of = |missing: usize| {
            let slots = slots(&frame, |n| (n >= missing).then_some(true));
            figures(&frame, "f", 0.99, &slots, &[])
        };
        // 324 s are allowed.
        for (missing, expected) in
            [(0, Outcome::Met), (1, Outcome::Met), (2, Outcome::Unproven), (108, Outcome::Unmeasured)]
        {
            let figures = of(missing);
            assert_eq!(outcome(&figures, true, true), expected, "{missing}");
            assert_eq!(outcome(&figures, false, true), Outcome::Open);
            assert_eq!(outcome(&figures, true, false), Outcome::NotOwed);
        }
        assert_eq!(of(108).availability, None);
        assert_eq!(of(108).availability_lower, Some(0.0));
    }

    #[test]
    fn without_service_time_there_is_no_share() {
        let frame = Frame::new(month(), START + LENGTH + 600, None, 0);
        let all = [window(Reason::ForceMajeure, START - 5, Some(START + LENGTH + 5))];
        let figures = figures(&frame, "f", 0.99, &[], &all);
        assert_eq!((figures.service_seconds, figures.availability, figures.availability_lower), (0, None, None));
        assert_eq!(outcome(&figures, true, true), Outcome::NoService);
    }

    #[test]
    fn a_month_that_ended_when_the_contract_began_has_no_figure() {
        for (start, owed) in [(START + LENGTH, false), (START + LENGTH - 1, true)] {
            let frame = Frame::new(month(), START + LENGTH + 600, Some(start), 0);
            let slots = slots(&frame, |_| Some(true));
            let figures = figures(&frame, "f", 0.99, &slots, &[]);
            assert_eq!(frame.is_owed(), owed);
            assert_eq!(figures.availability.is_some(), owed);
            assert_eq!(figures.availability_lower.is_some(), owed);
        }
    }

    #[test]
    fn there_is_a_figure_from_the_first_slot_on_and_for_what_the_ledger_decides_as_a_whole() {
        let nothing = |now| figures(&Frame::new(month(), START + now, None, 0), "f", 0.99, &[], &[]);
        assert_eq!(nothing(STEP + LATE - 1).availability_lower, None);
        assert_eq!(nothing(STEP + LATE).availability, None);
        assert!(nothing(STEP + LATE).availability_lower.is_some());
        let up = [window(Reason::FalseAlarm, START, Some(START + LENGTH))];
        let frame = Frame::new(month(), START + LENGTH + 600, None, 0);
        let all_up = figures(&frame, "f", 0.99, &[], &up);
        assert_eq!((all_up.availability, outcome(&all_up, true, true)), (Some(1.0), Outcome::Met));
    }

    #[test]
    fn a_month_is_over_when_its_last_slot_counts() {
        for (after, over) in [(-1, false), (0, false), (LATE - 1, false), (LATE, true), (99_999, true)] {
            assert_eq!(Frame::new(month(), START + LENGTH + after, None, 0).is_over(), over, "{after}");
        }
    }

    #[test]
    fn every_reason_of_exclusion_has_a_part() {
        assert!(Reason::EXCLUDING.iter().all(|reason| reason.effect() == Effect::Exclude));
        let frame = Frame::new(month(), START + LENGTH + 600, None, 0);
        let of = |reason| figures(&frame, "f", 0.99, &[], &[window(reason, START, Some(START + 7))]).excluded;
        assert_eq!(of(Reason::Planned), Excluded { planned_seconds: 7, ..Excluded::default() });
        assert_eq!(of(Reason::Upstream), Excluded { upstream_seconds: 7, ..Excluded::default() });
        assert_eq!(of(Reason::ForceMajeure), Excluded { force_majeure_seconds: 7, ..Excluded::default() });
    }
}
