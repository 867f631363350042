//! Entries of a ledger, which windows they give, and how they are written in `ledger.yml`.

use std::fmt::Write as _;

use chrono::{DateTime, SecondsFormat};

/// The example contract's notice.
const NOTICE: i64 = 14 * 86_400;

/// An entry of the ledger.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its id.
    pub id: String,
    /// The functions it is about.
    pub functions: Vec<String>,
    /// What it is.
    pub kind: Kind,
}

/// What an entry is; times in seconds since the epoch.
#[derive(Clone, Debug)]
pub enum Kind {
    /// A planned stop.
    Maintenance {
        /// When customers were told.
        announced: Option<i64>,
        /// Announced begin.
        start: i64,
        /// Announced end.
        end: i64,
        /// When all was usable again.
        finished: Option<i64>,
        /// When it was called off.
        cancelled: Option<i64>,
    },
    /// A failure.
    Incident {
        /// Whose doing it was.
        cause: Option<Cause>,
        /// When it began.
        started: i64,
        /// When it was over.
        resolved: Option<i64>,
    },
}

/// Whose doing a failure was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Cause {
    Internal,
    Upstream,
    ForceMajeure,
    FalseAlarm,
}

/// Why a stretch of time is decided, the weakest first: a stronger one paints over it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum Reason {
    Internal = 1,
    Overrun,
    FalseAlarm,
    ForceMajeure,
    Upstream,
    Planned,
}

impl Reason {
    /// All, the weakest first.
    pub const ALL: [Self; 6] =
        [Self::Internal, Self::Overrun, Self::FalseAlarm, Self::ForceMajeure, Self::Upstream, Self::Planned];

    /// The labels `effect` and `reason`.
    #[must_use]
    pub fn labels(self) -> (&'static str, &'static str) {
        match self {
            Self::Internal => ("down", "internal"),
            Self::Overrun => ("down", "overrun"),
            Self::FalseAlarm => ("up", "false_alarm"),
            Self::ForceMajeure => ("exclude", "force_majeure"),
            Self::Upstream => ("exclude", "upstream"),
            Self::Planned => ("exclude", "planned"),
        }
    }
}

/// A stretch of a function's time that the ledger decides.
#[derive(Clone, Debug)]
pub struct Window {
    /// The entry's id.
    pub id: String,
    /// Why.
    pub reason: Reason,
    /// First second in it.
    pub start: i64,
    /// First second after it; absent while it goes on.
    pub end: Option<i64>,
}

impl Entry {
    /// The windows it gives each of its functions.
    #[must_use]
    pub fn windows(&self) -> Vec<Window> {
        let window = |reason, start, end| Window { id: self.id.clone(), reason, start, end };
        match self.kind {
            Kind::Maintenance { announced, start, end, finished, cancelled } => {
                let in_time = announced.is_some_and(|announced| start - announced >= NOTICE);
                if !in_time || cancelled.is_some() {
                    return Vec::new();
                }
                let finished = finished.unwrap_or(end);
                let mut windows = vec![window(Reason::Planned, start, Some(end.min(finished)))];
                if finished > end {
                    windows.push(window(Reason::Overrun, end, Some(finished)));
                }
                windows
            }
            Kind::Incident { cause: None, .. } => Vec::new(),
            Kind::Incident { cause: Some(cause), started, resolved } => {
                let reason = match cause {
                    Cause::Internal => Reason::Internal,
                    Cause::Upstream => Reason::Upstream,
                    Cause::ForceMajeure => Reason::ForceMajeure,
                    Cause::FalseAlarm => Reason::FalseAlarm,
                };
                vec![window(reason, started, resolved)]
            }
        }
    }

    /// `ledger.yml` with these entries.
    #[must_use]
    pub fn yaml(entries: &[Self]) -> String {
        let time =
            |at: i64| DateTime::from_timestamp(at, 0).expect("a time").to_rfc3339_opts(SecondsFormat::Secs, true);
        let mut lists = [String::from("maintenance:\n"), String::from("incidents:\n")];
        for Self { id, functions, kind } in entries {
            let functions = functions.join(", ");
            let mut line = |list: usize, fields: &[(&str, Option<i64>)], rest: &str| {
                let _ = write!(lists[list], "  - {{id: {id}, title: {id}, functions: [{functions}]");
                for (key, at) in fields.iter().filter_map(|(key, at)| Some((key, (*at)?))) {
                    let _ = write!(lists[list], ", {key}: {}", time(at));
                }
                let _ = writeln!(lists[list], "{rest}}}");
            };
            match *kind {
                Kind::Maintenance { announced, start, end, finished, cancelled } => line(
                    0,
                    &[
                        ("announced_at", announced),
                        ("start", Some(start)),
                        ("end", Some(end)),
                        ("finished_at", finished),
                        ("cancelled_at", cancelled),
                    ],
                    "",
                ),
                Kind::Incident { cause, started, resolved } => line(
                    1,
                    &[("started_at", Some(started)), ("resolved_at", resolved)],
                    match cause {
                        None => "",
                        Some(Cause::Internal) => ", cause: internal",
                        Some(Cause::Upstream) => ", cause: upstream, upstream: sfdc",
                        Some(Cause::ForceMajeure) => ", cause: force_majeure",
                        Some(Cause::FalseAlarm) => ", cause: false_alarm",
                    },
                ),
            }
        }
        lists.into_iter().filter(|list| list.contains('{')).collect()
    }
}
