//! How a function is now: what was measured, with what customers were told laid over it.
//!
//! Pure. Not for: who measured (`refresh`, `App::functions`), what counts for the contract (`windows`).

use crate::ledger::{Cause, Incident, Ledger, Maintenance};

/// A function now. Of several the last in this order is the worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// Measured up, and no incident is open.
    Up,
    /// An announced maintenance is under way.
    Maintenance,
    /// Neither measured up nor down lately.
    Unknown,
    /// An incident is open, while measurement does not say down.
    Impaired,
    /// Measured down.
    Down,
}

impl State {
    /// All, best first.
    pub const ALL: [Self; 5] = [Self::Up, Self::Maintenance, Self::Unknown, Self::Impaired, Self::Down];

    /// For programs, and in class names.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Maintenance => "maintenance",
            Self::Unknown => "unknown",
            Self::Impaired => "impaired",
            Self::Down => "down",
        }
    }
}

/// How far a maintenance is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Phase {
    /// To come.
    Scheduled,
    /// Under way, within the announced time.
    InProgress,
    /// Past its announced end, and not over.
    Overrun,
    /// Over.
    Completed,
    /// Called off.
    Cancelled,
}

/// What is measured now.
pub trait Measured {
    /// Up, down, or unknown.
    fn is_up(&self, function: &str) -> Option<bool>;
    /// When the function was last measured up, where that is known.
    fn last_up(&self, function: &str) -> Option<i64>;
}

/// For how long after the announced end a function that is still down is said to be so because of the maintenance.
const OVERRUN: i64 = 86_400;

/// The state of `function` at `now`.
#[must_use]
pub fn state(function: &str, ledger: &Ledger, measured: &dyn Measured, now: i64) -> State {
    let of = |functions: &[String]| functions.iter().any(|name| name == function);
    if ledger
        .maintenance
        .iter()
        .any(|stop| of(&stop.functions) && phase(stop, measured, now) == Some(Phase::InProgress))
    {
        return State::Maintenance;
    }
    let mut open =
        ledger.incidents.iter().filter(|incident| of(&incident.functions) && is_open(incident, now)).peekable();
    let judged_up = open.peek().is_some();
    match measured.is_up(function) {
        // Somebody looked, and it was a false alarm: whatever is measured while it goes on.
        _ if judged_up && open.clone().all(|incident| incident.cause == Some(Cause::FalseAlarm)) => State::Up,
        Some(false) => State::Down,
        _ if judged_up => State::Impaired,
        Some(true) => State::Up,
        None => State::Unknown,
    }
}

/// Whether `incident` goes on at `now`.
#[must_use]
pub fn is_open(incident: &Incident, now: i64) -> bool {
    incident.started_at.as_second() <= now && incident.resolved_at.is_none_or(|at| now < at.as_second())
}

/// How far `stop` is at `now`; nothing where customers were not told of it.
#[must_use]
pub fn phase(stop: &Maintenance, measured: &dyn Measured, now: i64) -> Option<Phase> {
    let (start, end) = (stop.start.as_second(), stop.end.as_second());
    stop.announced_at.filter(|at| at.as_second() <= now)?;
    Some(match stop.finished_at.map(jiff::Timestamp::as_second) {
        _ if stop.cancelled_at.is_some() => Phase::Cancelled,
        _ if now < start => Phase::Scheduled,
        Some(finished) if finished <= now => Phase::Completed,
        _ if now < end => Phase::InProgress,
        // It is written when it will be over, or it was.
        Some(_) => Phase::Overrun,
        None => {
            let is_still_down = |function: &String| {
                measured.is_up(function) == Some(false) && measured.last_up(function).is_none_or(|up| up <= end)
            };
            if now < end + OVERRUN && stop.functions.iter().any(is_still_down) {
                Phase::Overrun
            } else {
                Phase::Completed
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample::{incident, seconds, stop};

    struct All(Option<bool>, Option<i64>);

    impl Measured for All {
        fn is_up(&self, _: &str) -> Option<bool> {
            self.0
        }

        fn last_up(&self, _: &str) -> Option<i64> {
            self.1
        }
    }

    const UP: Option<bool> = Some(true);
    const DOWN: Option<bool> = Some(false);

    #[track_caller]
    fn check(ledger: &Ledger, now: &str, up: Option<bool>, expected: State) {
        assert_eq!(state("client", ledger, &All(up, None), seconds(now)), expected, "{now} {up:?}");
    }

    #[test]
    fn without_a_ledger_measurement_decides_and_unknown_is_not_up() {
        for (up, expected) in [(UP, State::Up), (DOWN, State::Down), (None, State::Unknown)] {
            check(&Ledger::default(), "2026-10-07T10:00:00", up, expected);
        }
    }

    #[test]
    fn an_announced_maintenance_is_what_customers_were_told_from_its_begin_to_its_end() {
        let planned = stop("m", &["client"], "2026-10-03T22:00:00", "2026-10-04T01:00:00");
        let ledger = |stop: &Maintenance| Ledger { maintenance: vec![stop.clone()], ..Ledger::default() };
        for (now, up, expected) in [
            ("2026-10-03T21:59:59", DOWN, State::Down),
            ("2026-10-03T22:00:00", UP, State::Maintenance),
            ("2026-10-04T00:59:59", DOWN, State::Maintenance),
            ("2026-10-04T01:00:00", DOWN, State::Down),
            ("2026-10-04T01:00:00", None, State::Unknown),
        ] {
            check(&ledger(&planned), now, up, expected);
        }
        let other = Maintenance { functions: vec!["consumer".to_owned()], ..planned.clone() };
        check(&ledger(&other), "2026-10-03T23:00:00", DOWN, State::Down);
        let silent = Maintenance { announced_at: None, ..planned.clone() };
        check(&ledger(&silent), "2026-10-03T23:00:00", DOWN, State::Down);
        let off = Maintenance { cancelled_at: planned.announced_at, ..planned.clone() };
        check(&ledger(&off), "2026-10-03T23:00:00", UP, State::Up);
        let early = Maintenance { finished_at: Some(crate::report::sample::at("2026-10-03T23:00:00")), ..planned };
        check(&ledger(&early), "2026-10-03T22:59:59", UP, State::Maintenance);
        check(&ledger(&early), "2026-10-03T23:00:00", UP, State::Up);
    }

    #[test]
    fn an_open_incident_is_never_shown_as_all_well() {
        let open = |cause| Ledger {
            incidents: vec![incident("i", "client", cause, "2026-10-07T10:00:00", Some("2026-10-07T11:00:00"))],
            ..Ledger::default()
        };
        for cause in [None, Some(Cause::Internal), Some(Cause::Upstream("sfdc".to_owned())), Some(Cause::ForceMajeure)]
        {
            let ledger = open(cause);
            check(&ledger, "2026-10-07T09:59:59", UP, State::Up);
            check(&ledger, "2026-10-07T10:00:00", UP, State::Impaired);
            check(&ledger, "2026-10-07T10:30:00", None, State::Impaired);
            check(&ledger, "2026-10-07T10:59:59", DOWN, State::Down);
            check(&ledger, "2026-10-07T11:00:00", UP, State::Up);
        }
        check(&open(Some(Cause::FalseAlarm)), "2026-10-07T10:30:00", DOWN, State::Up);
    }

    #[test]
    fn past_its_announced_end_a_maintenance_goes_on_while_a_function_has_not_been_up_since() {
        let stop = stop("m", &["client"], "2026-10-03T22:00:00", "2026-10-04T01:00:00");
        let (before, after) = (Some(seconds("2026-10-03T21:55:00")), Some(seconds("2026-10-04T01:05:00")));
        for (now, up, last_up, expected) in [
            ("2026-10-03T21:59:59", UP, None, Phase::Scheduled),
            ("2026-10-04T00:59:59", UP, None, Phase::InProgress),
            ("2026-10-04T01:00:00", DOWN, before, Phase::Overrun),
            ("2026-10-04T01:00:00", UP, before, Phase::Completed),
            ("2026-10-04T01:00:00", None, before, Phase::Completed),
            // Up in between: another failure.
            ("2026-10-04T02:00:00", DOWN, after, Phase::Completed),
            ("2026-10-05T00:59:59", DOWN, None, Phase::Overrun),
            ("2026-10-05T01:00:00", DOWN, None, Phase::Completed),
        ] {
            assert_eq!(phase(&stop, &All(up, last_up), seconds(now)), Some(expected), "{now} {up:?}");
        }
        assert_eq!(phase(&stop, &All(UP, None), seconds("2026-09-10T09:59:59")), None, "not told yet");
    }
}
