//! What a story is made of: what failed, and what people wrote into the ledger about it.

use super::probes::{LINKS, REFUSED, Watch};

/// A text in both languages: Japanese, English.
pub(super) type Text = (&'static str, &'static str);

/// Everything that happened.
#[derive(Debug, Default)]
pub(super) struct Story {
    pub(super) stops: Vec<Stop>,
    pub(super) incidents: Vec<Incident>,
    pub(super) faults: Vec<Fault>,
    /// Nothing was recorded at all: the exporter was away. Start and end.
    pub(super) silences: Vec<(i64, i64)>,
}

/// A planned stop.
#[derive(Debug, Default)]
pub(super) struct Stop {
    /// What it shows, as a comment above the entry.
    pub(super) shows: &'static str,
    pub(super) id: String,
    pub(super) title: Text,
    pub(super) functions: &'static [&'static str],
    pub(super) announced: i64,
    pub(super) start: i64,
    pub(super) end: i64,
    pub(super) finished: Option<i64>,
    pub(super) cancelled: Option<i64>,
    pub(super) emergency: bool,
}

/// A failure, or what was taken for one.
#[derive(Debug, Default)]
pub(super) struct Incident {
    /// What it shows, as a comment above the entry.
    pub(super) shows: &'static str,
    pub(super) id: String,
    pub(super) title: Text,
    pub(super) functions: &'static [&'static str],
    pub(super) cause: Option<Cause>,
    pub(super) start: i64,
    pub(super) resolved: Option<i64>,
    /// When the cause was written down; who decided it and on what, where somebody did.
    pub(super) ruled: Option<Ruling>,
    /// When, on which channel.
    pub(super) notices: Vec<(i64, &'static str)>,
    /// When, how far it was, what was said.
    pub(super) updates: Vec<(i64, &'static str, Text)>,
}

/// Whose doing an incident was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    Internal,
    Upstream,
    ForceMajeure,
    FalseAlarm,
}

/// When the cause was written down; `by` is empty while nobody has decided it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ruling {
    pub(super) at: i64,
    pub(super) by: &'static str,
    pub(super) evidence: Text,
}

/// Both functions.
pub(super) const BOTH: &[&str] = &["client", "consumer"];
/// `client` alone.
pub(super) const CLIENT: &[&str] = &["client"];
/// `consumer` alone.
pub(super) const CONSUMER: &[&str] = &["consumer"];

/// Seconds.
pub(super) const MINUTE: i64 = 60;
/// Seconds.
pub(super) const HOUR: i64 = 3600;
/// Seconds.
pub(super) const DAY: i64 = 86_400;

/// What is watched failed: from its first second to the first one after it.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) start: i64,
    pub(super) end: i64,
    pub(super) what: Vec<Watch>,
    /// Label `reason` of the failed runs.
    pub(super) reason: &'static str,
}

impl Story {
    /// Something failed.
    pub(super) fn fault(&mut self, start: i64, end: i64, what: &[Watch], reason: &'static str) {
        self.faults.push(Fault { start, end, what: what.to_vec(), reason });
    }

    /// The whole service was down, for a reason of its own.
    pub(super) fn service_down(&mut self, start: i64, end: i64, reason: &'static str) {
        let service: Vec<Watch> = [Watch::WebApp, Watch::WebForm].into_iter().chain(LINKS).chain(REFUSED).collect();
        self.fault(start, end, &service, reason);
    }

    /// In order of time, as one keeps a ledger.
    pub(super) fn sort(&mut self) {
        self.stops.sort_by_key(|stop| stop.start);
        self.incidents.sort_by_key(|incident| incident.start);
    }
}

impl Stop {
    /// Whether it is taken out of the month: announced 14 days ahead (C4.1i), as known at `at`.
    pub(super) fn is_excluded(&self, at: i64) -> bool {
        let called_off = self.cancelled.is_some_and(|cancelled| cancelled <= at);
        self.announced <= at && !called_off && self.start - self.announced >= 14 * 86_400
    }
}

/// What the ledger decides about a stretch of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    Exclude,
    Up,
    Down,
}

impl Story {
    /// What the ledger decided about `function`, as it was known at `at`: start, end, effect.
    pub(super) fn windows(&self, function: &str, at: i64) -> Vec<(i64, i64, Effect)> {
        let mut windows = Vec::new();
        for stop in self.stops.iter().filter(|stop| stop.is_excluded(at) && stop.functions.contains(&function)) {
            let finished = stop.finished.filter(|finished| *finished <= at);
            windows.push((stop.start, finished.map_or(stop.end, |f| f.min(stop.end)), Effect::Exclude));
            windows.extend(finished.filter(|f| *f > stop.end).map(|f| (stop.end, f, Effect::Down)));
        }
        for incident in self.incidents.iter().filter(|incident| incident.functions.contains(&function)) {
            if let (Some(ruling), Some(cause)) = (incident.ruled, incident.cause)
                && ruling.at <= at
            {
                let effect = match cause {
                    Cause::Internal => Effect::Down,
                    Cause::Upstream | Cause::ForceMajeure => Effect::Exclude,
                    Cause::FalseAlarm => Effect::Up,
                };
                windows.push((incident.start, incident.resolved.unwrap_or(at), effect));
            }
        }
        windows
    }

    /// The moments at which the ledger changed what it decides, in order.
    pub(super) fn changes(&self) -> Vec<i64> {
        let stops = self.stops.iter().flat_map(|s| [Some(s.announced), s.finished, s.cancelled]).flatten();
        let rulings = self.incidents.iter().filter_map(|incident| Some(incident.ruled?.at));
        let mut changes: Vec<i64> = stops.chain(rulings).collect();
        changes.sort_unstable();
        changes.dedup();
        changes
    }
}
