//! What customers are told (C2.2, C2.3): events of the ledger, each one mail.
//!
//! An incident is reported first, at each update, and when it is over; a maintenance when it is announced, when what was
//! announced changes, three days before, at its begin and its end, when it overruns, and when it is called off. This module says which events there are
//! and when they fall due; [`book`] which of them were sent; [`words`] what they say, [`post`] in which form. All of it is pure:
//! the time and the state of the functions are parameters. Not for: alerts of the monitoring (alert-rules/).

pub mod book;
pub mod post;
pub mod words;

use self::book::Book;
use crate::ledger::{Incident, Ledger, Maintenance, Status};

/// What happened to an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Happening {
    /// An incident: the first report.
    Opened,
    /// An incident: one of its updates.
    Updated {
        /// Where it stands in the ledger, from 0.
        index: usize,
        /// The how manieth it was when it was first seen, from 1: stays with it when others are put before it.
        number: usize,
    },
    /// An incident: over.
    Resolved,
    /// A maintenance: told.
    Announced,
    /// A maintenance: times or functions are not those that were told, for the n-th time.
    Changed(usize),
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
            Self::Updated { .. } => "update",
            Self::Resolved => "resolved",
            Self::Announced => "announced",
            Self::Changed(_) => "changed",
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
            Self::Updated { number, .. } | Self::Changed(number) => format!("{}-{number}", self.word()),
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
/// For how long after the announced end its real one is looked for: a week, in seconds.
const WATCH: i64 = 7 * 86_400;

/// All events that are due at `now`, in order of time. `reminder` is how many seconds before a maintenance customers are
/// reminded; `book` has [seen](Book::study) the ledger.
#[must_use]
pub fn due<'a>(ledger: &'a Ledger, book: &Book, reminder: i64, functions: &dyn Functions, now: i64) -> Vec<Event<'a>> {
    let mut events = Vec::new();
    for incident in &ledger.incidents {
        of_incident(incident, book, &mut events);
    }
    for stop in &ledger.maintenance {
        of_maintenance(stop, book, reminder, functions, now, &mut events);
    }
    events.retain(|event| event.at <= now);
    events.sort_by_key(|event| event.at);
    events
}

/// When something may fall due next, if the ledger stays as it is: `now` while the end of a maintenance is looked for,
/// `i64::MAX` if never.
#[must_use]
pub fn next(ledger: &Ledger, book: &Book, reminder: i64, now: i64) -> i64 {
    let mut events = Vec::new();
    for incident in &ledger.incidents {
        of_incident(incident, book, &mut events);
    }
    let mut first = i64::MAX;
    for stop in &ledger.maintenance {
        of_maintenance(stop, book, reminder, &Nothing, now, &mut events);
        let watched = stop.announced_at.is_some() && stop.cancelled_at.is_none();
        let end = stop.end.as_second();
        if watched && end + WATCH > now {
            let over =
                book.is_told(&Event { entry: Entry::Maintenance(stop), happening: Happening::Finished, at: end });
            first = first.min(if over { i64::MAX } else { now.max(end + SETTLE) });
        }
    }
    events.iter().map(|event| event.at).filter(|&at| at > now).fold(first, i64::min)
}

struct Nothing;

impl Functions for Nothing {
    fn is_up(&self, _: &str) -> Option<bool> {
        None
    }
}

fn of_incident<'a>(incident: &'a Incident, book: &Book, events: &mut Vec<Event<'a>>) {
    let mut add = |happening, at| events.push(Event { entry: Entry::Incident(incident), happening, at });
    add(Happening::Opened, incident.started_at.as_second());
    for (index, update) in incident.updates.iter().enumerate() {
        // The last one is what the recovery says.
        if !(update.status == Status::Resolved && incident.resolved_at.is_some()) {
            add(Happening::Updated { index, number: book.number(&incident.id, index) }, update.at.as_second());
        }
    }
    if let Some(at) = incident.resolved_at {
        add(Happening::Resolved, at.as_second());
    }
}

fn of_maintenance<'a>(
    stop: &'a Maintenance,
    book: &Book,
    reminder: i64,
    functions: &dyn Functions,
    now: i64,
    events: &mut Vec<Event<'a>>,
) {
    // What customers were never told of does not begin or end for them.
    let Some(announced) = stop.announced_at.map(jiff::Timestamp::as_second) else { return };
    let cancelled = stop.cancelled_at.map(jiff::Timestamp::as_second);
    if cancelled.is_some_and(|cancelled| cancelled < announced) {
        return;
    }
    let mut add = |happening, at| events.push(Event { entry: Entry::Maintenance(stop), happening, at });
    add(Happening::Announced, announced);
    if let Some(at) = cancelled {
        add(Happening::Cancelled, at);
        return;
    }
    if let Some((number, at)) = book.change(&stop.id) {
        add(Happening::Changed(number), at);
    }
    let (start, end) = (stop.start.as_second(), stop.end.as_second());
    if reminder > 0 && start - reminder > announced {
        add(Happening::Reminder, start - reminder);
    }
    add(Happening::Started, start);
    let finished = stop.finished_at.map(jiff::Timestamp::as_second);
    let still_down = || stop.functions.iter().any(|function| functions.is_up(function) == Some(false));
    let all_up = || stop.functions.iter().all(|function| functions.is_up(function) == Some(true));
    let watched = now < end + WATCH;
    if finished.is_none_or(|finished| finished > end + OVERRUN_AFTER)
        && now >= end + OVERRUN_AFTER
        && (finished.is_some_and(|finished| finished <= now) || (watched && still_down()))
    {
        add(Happening::Overrun, end + OVERRUN_AFTER);
    }
    match finished {
        Some(finished) => add(Happening::Finished, finished),
        // Back in time; later than that it is over when it is seen to be, or a long overrun's end would be no news.
        None if watched && now >= end + SETTLE && all_up() => {
            add(Happening::Finished, if now < end + OVERRUN_AFTER { end } else { now });
        }
        None => {}
    }
}

#[cfg(test)]
mod tests;
