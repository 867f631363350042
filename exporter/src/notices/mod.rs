//! What customers are told (C2.2, C2.3): events of the ledger, each one mail.
//!
//! An incident is reported first, at each update, and when it is over; a maintenance when it is announced, three days
//! before, at its begin and its end, when it overruns, and when it is called off. This module says which events there are
//! and when they fall due; [`book`] which of them were sent; [`words`] what they say, [`post`] in which form. All of it is pure:
//! the time and the state of the functions are parameters. Not for: alerts of the monitoring (alert-rules/).

pub mod book;
pub mod post;
pub mod words;

use crate::ledger::{Incident, Ledger, Maintenance, Status};

/// What happened to an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Happening {
    /// An incident: the first report.
    Opened,
    /// An incident: its n-th update, counted from 0 in the ledger's order.
    Updated(usize),
    /// An incident: over.
    Resolved,
    /// A maintenance: told.
    Announced,
    /// A maintenance: some days are left.
    Reminder,
    /// A maintenance: begun.
    Started,
    /// A maintenance: over.
    Finished,
    /// A maintenance: past its announced end, and the functions are not back.
    Overrun,
    /// A maintenance: called off.
    Cancelled,
}

impl Happening {
    /// Label `event`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Updated(_) => "update",
            Self::Resolved => "resolved",
            Self::Announced => "announced",
            Self::Reminder => "reminder",
            Self::Started => "started",
            Self::Finished => "finished",
            Self::Overrun => "overrun",
            Self::Cancelled => "cancelled",
        }
    }

    /// Unique within an entry, and the same after the entry's texts and times were edited: what was sent once is not sent
    /// again.
    #[must_use]
    pub fn key(self) -> String {
        match self {
            Self::Updated(number) => format!("update-{}", number + 1),
            other => other.word().to_owned(),
        }
    }
}

/// The entry an event is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry<'a> {
    /// An incident.
    Incident(&'a Incident),
    /// A maintenance.
    Maintenance(&'a Maintenance),
}

impl<'a> Entry<'a> {
    /// Its id in the ledger.
    #[must_use]
    pub fn id(self) -> &'a str {
        match self {
            Self::Incident(incident) => &incident.id,
            Self::Maintenance(stop) => &stop.id,
        }
    }

    /// Label `kind`.
    #[must_use]
    pub fn kind(self) -> &'static str {
        match self {
            Self::Incident(_) => "incident",
            Self::Maintenance(_) => "maintenance",
        }
    }

    /// The functions it is about.
    #[must_use]
    pub fn functions(self) -> &'a [String] {
        match self {
            Self::Incident(incident) => &incident.functions,
            Self::Maintenance(stop) => &stop.functions,
        }
    }
}

/// Something customers are to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event<'a> {
    /// Of what.
    pub entry: Entry<'a>,
    /// What.
    pub happening: Happening,
    /// When it fell due, or will: seconds since the epoch.
    pub at: i64,
}

impl Event<'_> {
    /// Unique within a contract: `<entry>/<happening>`.
    #[must_use]
    pub fn key(&self) -> String {
        format!("{}/{}", self.entry.id(), self.happening.key())
    }
}

/// What the end of a maintenance depends on beside the ledger: how a function is now.
pub trait Functions {
    /// Up, down, or unknown.
    fn is_up(&self, function: &str) -> Option<bool>;
}

/// How long after the announced end the functions are looked at: probes need a moment to find out.
const SETTLE: i64 = 120;
/// How long after the announced end a function that is down makes an overrun.
const OVERRUN_AFTER: i64 = 300;

/// All events that are due at `now`, in order of time. `reminder` is how many seconds before a maintenance customers are
/// reminded.
#[must_use]
pub fn due<'a>(ledger: &'a Ledger, reminder: i64, functions: &dyn Functions, now: i64) -> Vec<Event<'a>> {
    let mut events = Vec::new();
    for incident in &ledger.incidents {
        of_incident(incident, &mut events);
    }
    for stop in &ledger.maintenance {
        of_maintenance(stop, reminder, functions, now, &mut events);
    }
    events.retain(|event| event.at <= now);
    events.sort_by_key(|event| event.at);
    events
}

fn of_incident<'a>(incident: &'a Incident, events: &mut Vec<Event<'a>>) {
    let mut add = |happening, at| events.push(Event { entry: Entry::Incident(incident), happening, at });
    add(Happening::Opened, incident.started_at.as_second());
    for (number, update) in incident.updates.iter().enumerate() {
        // The last one is what the recovery says.
        if !(update.status == Status::Resolved && incident.resolved_at.is_some()) {
            add(Happening::Updated(number), update.at.as_second());
        }
    }
    if let Some(at) = incident.resolved_at {
        add(Happening::Resolved, at.as_second());
    }
}

fn of_maintenance<'a>(
    stop: &'a Maintenance,
    reminder: i64,
    functions: &dyn Functions,
    now: i64,
    events: &mut Vec<Event<'a>>,
) {
    // What customers were never told of does not begin or end for them.
    let Some(announced) = stop.announced_at.map(jiff::Timestamp::as_second) else { return };
    let mut add = |happening, at| events.push(Event { entry: Entry::Maintenance(stop), happening, at });
    add(Happening::Announced, announced);
    if let Some(at) = stop.cancelled_at {
        add(Happening::Cancelled, at.as_second());
        return;
    }
    let (start, end) = (stop.start.as_second(), stop.end.as_second());
    if start - reminder > announced {
        add(Happening::Reminder, start - reminder);
    }
    add(Happening::Started, start);
    let finished = stop.finished_at.map(jiff::Timestamp::as_second);
    let still_down = || stop.functions.iter().any(|function| functions.is_up(function) == Some(false));
    let all_up = || stop.functions.iter().all(|function| functions.is_up(function) == Some(true));
    if finished.is_none_or(|finished| finished > end + OVERRUN_AFTER)
        && now >= end + OVERRUN_AFTER
        && (finished.is_some_and(|finished| finished <= now) || still_down())
    {
        add(Happening::Overrun, end + OVERRUN_AFTER);
    }
    match finished {
        Some(finished) => add(Happening::Finished, finished),
        None if now >= end + SETTLE && all_up() => add(Happening::Finished, end),
        None => {}
    }
}

#[cfg(test)]
mod tests {
    use super::book::{Book, NEWS, Todo};
    use super::*;
    use crate::contract::Text;
    use crate::ledger::Update;

    const HOUR: i64 = 3600;
    const DAY: i64 = 24 * HOUR;
    const START: i64 = 1_800_000_000;

    struct All(Option<bool>);

    impl Functions for All {
        fn is_up(&self, _: &str) -> Option<bool> {
            self.0
        }
    }

    fn at(seconds: i64) -> jiff::Timestamp {
        jiff::Timestamp::from_second(seconds).unwrap()
    }

    fn incident(updates: &[(i64, Status)], resolved_at: Option<i64>) -> Ledger {
        let update = |&(seconds, status): &(i64, Status)| Update { at: at(seconds), status, text: Text::default() };
        let incident = Incident {
            id: "i".to_owned(),
            title: Text::default(),
            functions: vec!["client".to_owned()],
            cause: None,
            started_at: at(START),
            resolved_at: resolved_at.map(at),
            decided: None,
            notices: Vec::new(),
            updates: updates.iter().map(update).collect(),
        };
        Ledger { incidents: vec![incident], ..Ledger::default() }
    }

    fn maintenance(change: impl FnOnce(&mut Maintenance)) -> Ledger {
        let mut stop = Maintenance {
            id: "m".to_owned(),
            title: Text::default(),
            text: Text::default(),
            functions: vec!["client".to_owned()],
            announced_at: Some(at(START - 20 * DAY)),
            start: at(START),
            end: at(START + 4 * HOUR),
            finished_at: None,
            emergency: false,
            cancelled_at: None,
            notices: Vec::new(),
        };
        change(&mut stop);
        Ledger { maintenance: vec![stop], ..Ledger::default() }
    }

    #[track_caller]
    fn keys(ledger: &Ledger, up: Option<bool>, now: i64, expected: &[(&str, i64)]) {
        let found = due(ledger, 3 * DAY, &All(up), now);
        let found: Vec<(String, i64)> = found.iter().map(|event| (event.key(), event.at)).collect();
        let expected: Vec<(String, i64)> = expected.iter().map(|(key, at)| ((*key).to_owned(), *at)).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn an_incident_with_three_updates_makes_five_notices() {
        let steps =
            [(START + 60, Status::Investigating), (START + 600, Status::Identified), (START + 900, Status::Monitoring)];
        let ledger = incident(&steps, Some(START + 1200));
        keys(&ledger, None, START - 1, &[]);
        let all = [
            ("i/opened", START),
            ("i/update-1", START + 60),
            ("i/update-2", START + 600),
            ("i/update-3", START + 900),
            ("i/resolved", START + 1200),
        ];
        keys(&ledger, None, START + 600, &all[..3]);
        keys(&ledger, None, START + 9999, &all);
    }

    #[test]
    fn the_update_that_says_it_is_over_is_the_notice_of_recovery() {
        let ledger = incident(&[(START + 1200, Status::Resolved)], Some(START + 1200));
        keys(&ledger, None, START + 9999, &[("i/opened", START), ("i/resolved", START + 1200)]);
    }

    #[test]
    fn a_maintenance_is_told_reminded_of_begun_and_ended() {
        let told = [("m/announced", START - 20 * DAY), ("m/reminder", START - 3 * DAY), ("m/started", START)];
        let end = START + 4 * HOUR;
        let ledger = maintenance(|_| {});
        keys(&ledger, Some(true), START - 3 * DAY - 1, &told[..1]);
        keys(&ledger, Some(true), end + SETTLE - 1, &told);
        let finished = [&told[..], &[("m/finished", end)]].concat();
        keys(&ledger, Some(true), end + SETTLE, &finished);
        // Down or unknown is not over.
        keys(&ledger, None, end + DAY, &told);
        keys(&ledger, Some(false), end + OVERRUN_AFTER - 1, &told);
        let overrun = [&told[..], &[("m/overrun", end + OVERRUN_AFTER)]].concat();
        keys(&ledger, Some(false), end + OVERRUN_AFTER, &overrun);
    }

    #[test]
    fn a_recorded_end_needs_no_measurement() {
        let end = START + 4 * HOUR;
        let ledger = maintenance(|stop| stop.finished_at = Some(at(end - HOUR)));
        let events = due(&ledger, 3 * DAY, &All(None), end).iter().map(Event::key).collect::<Vec<_>>();
        assert_eq!(events.last().map(String::as_str), Some("m/finished"));
        let late = maintenance(|stop| stop.finished_at = Some(at(end + HOUR)));
        let events = due(&late, 3 * DAY, &All(None), end + HOUR).iter().map(Event::key).collect::<Vec<_>>();
        assert_eq!(events[3..], ["m/overrun", "m/finished"]);
    }

    #[test]
    fn what_customers_were_not_told_of_or_what_was_called_off_does_not_begin() {
        keys(&maintenance(|stop| stop.announced_at = None), Some(true), START + DAY, &[]);
        let off = maintenance(|stop| stop.cancelled_at = Some(at(START - DAY)));
        let expected = [("m/announced", START - 20 * DAY), ("m/cancelled", START - DAY)];
        keys(&off, Some(false), START + DAY, &expected);
    }

    #[test]
    fn an_announcement_within_the_time_of_the_reminder_is_reminder_enough() {
        let short = maintenance(|stop| stop.announced_at = Some(at(START - 2 * DAY)));
        keys(&short, None, START - 1, &[("m/announced", START - 2 * DAY)]);
    }

    /// What is posted at each of the times, by one book that looks at them one after another.
    fn posted(ledger: &Ledger, book: &mut Book, times: &[i64], up: Option<bool>) -> Vec<String> {
        let mut posted = Vec::new();
        for &now in times {
            for event in due(ledger, 3 * DAY, &All(up), now) {
                match book.todo(&event, now) {
                    Todo::Nothing => {}
                    Todo::PassOver => book.pass_over(&event, now),
                    Todo::Post => {
                        if book.accepted(&event, now) {
                            posted.push(event.key());
                        }
                    }
                }
            }
            book.begin();
        }
        posted
    }

    #[test]
    fn each_event_is_told_once_over_restarts_and_edits_and_the_past_is_not_told() {
        let ledger = incident(&[(START + 60, Status::Identified)], None);
        let mut book = Book::default();
        // First start ever, in the middle of it.
        assert!(posted(&ledger, &mut book, &[START + 30], None).is_empty());
        assert_eq!(posted(&ledger, &mut book, &[START + 60, START + 65], None), ["i/update-1"]);
        // Stored and read again; a text and a time corrected.
        let stored = serde_json::to_string(&book).unwrap();
        let mut book: Book = serde_json::from_str(&stored).unwrap();
        let edited = incident(&[(START + 90, Status::Identified)], Some(START + 500));
        assert_eq!(posted(&edited, &mut book, &[START + 505, START + 9999], None), ["i/resolved"]);
        assert_eq!(book.told().map(|(key, _)| key).collect::<Vec<_>>(), ["i/resolved", "i/update-1"]);
    }

    #[test]
    fn what_is_written_up_long_afterwards_is_history() {
        let mut book = Book::default();
        book.begin();
        let ledger = incident(&[], Some(START + HOUR));
        assert!(posted(&ledger, &mut book.clone(), &[START + HOUR + NEWS], None).is_empty());
        // A day's absence of the exporter loses the first report, not the recovery.
        assert_eq!(posted(&ledger, &mut book, &[START + NEWS], None), ["i/resolved"]);
    }

    #[test]
    fn a_function_that_fails_after_a_maintenance_was_ended_is_no_overrun() {
        let ledger = maintenance(|_| {});
        let end = START + 4 * HOUR;
        let mut book = Book::default();
        posted(&ledger, &mut book, &[START + HOUR], Some(false));
        assert_eq!(posted(&ledger, &mut book, &[end + SETTLE], Some(true)), ["m/finished"]);
        assert!(posted(&ledger, &mut book, &[end + OVERRUN_AFTER], Some(false)).is_empty());
    }

    #[test]
    fn an_overrun_is_told_and_then_its_end() {
        let ledger = maintenance(|_| {});
        let end = START + 4 * HOUR;
        let mut book = Book::default();
        posted(&ledger, &mut book, &[START + HOUR], Some(false));
        assert_eq!(posted(&ledger, &mut book, &[end + OVERRUN_AFTER], Some(false)), ["m/overrun"]);
        assert_eq!(posted(&ledger, &mut book, &[end + HOUR], Some(true)), ["m/finished"]);
    }
}
