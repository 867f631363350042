//! All that customers may know, as values: what every document of the status page is made of, and nothing else.
//!
//! Pure. Not for: words, markup, formats.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::tz::TimeZone;

use super::entries::{self, IncidentView, StopView};
use super::history::{DAYS, History};
use super::identity::uuid;
use super::state::{Measured, Phase, State, state};
use crate::config::Config;
use crate::contract::Text;

/// Entries of this many seconds back are shown.
const BACK: i64 = DAYS as i64 * 86_400;
/// A history older than this, in seconds, is not shown: what is not known is not up.
const STALE: i64 = 6 * 3600;

/// The status page.
#[derive(Clone, Debug)]
pub struct Page {
    /// See [`uuid`].
    pub id: String,
    /// What the contract is called.
    pub title: Text,
    /// The zone of all times that are said.
    pub zone: TimeZone,
    /// Its name.
    pub zone_name: String,
    /// The moment the page is of, seconds since the epoch.
    pub now: i64,
    /// The contract's functions, in its order.
    pub functions: Vec<FunctionView>,
    /// Incidents that go on, the newest first.
    pub open: Vec<IncidentView>,
    /// Incidents that are over, the newest first.
    pub past: Vec<IncidentView>,
    /// Maintenance under way or to come, the earliest first; called off is shown until it would have begun.
    pub planned: Vec<StopView>,
    /// Maintenance that is over or did not take place, the newest first.
    pub done: Vec<StopView>,
    /// What was measured; absent where nobody measures, or nothing was heard lately.
    pub history: Option<Arc<History>>,
    /// Where the page is, with a slash at the end, if that was said.
    pub url: Option<String>,
}

/// A function now.
#[derive(Clone, Debug, PartialEq)]
pub struct FunctionView {
    /// See [`uuid`].
    pub id: String,
    /// Its name in addresses of badges.
    pub name: String,
    /// What customers read.
    pub title: Text,
    /// How it is.
    pub state: State,
    /// What was promised of it.
    pub objective: f64,
}

/// Who measured what.
struct Known<'a> {
    up: &'a BTreeMap<String, bool>,
    history: Option<&'a History>,
}

impl Measured for Known<'_> {
    fn is_up(&self, function: &str) -> Option<bool> {
        self.up.get(function).copied()
    }

    fn last_up(&self, function: &str) -> Option<i64> {
        self.history?.last_up.get(function).copied()
    }
}

impl Page {
    /// The page of `config` at `now`; `up` has the functions of which something is known.
    #[must_use]
    pub fn of(
        config: &Config,
        up: &BTreeMap<String, bool>,
        history: Option<Arc<History>>,
        url: Option<&str>,
        now: i64,
    ) -> Self {
        let history = history.filter(|history| now - history.at < STALE);
        let known = Known { up, history: history.as_deref() };
        let (contract, ledger) = (&config.contract, &config.ledger);
        let (open, past) = entries::incidents(contract, ledger, now - BACK, now)
            .into_iter()
            .partition(|incident| incident.resolved.is_none());
        let (planned, mut done): (Vec<_>, Vec<_>) =
            entries::stops(contract, ledger, &known, now - BACK, now).into_iter().partition(|stop| match stop.phase {
                Phase::Scheduled | Phase::InProgress | Phase::Overrun => true,
                Phase::Cancelled => now < stop.start,
                Phase::Completed => false,
            });
        done.reverse();
        let functions = contract.functions.iter().map(|function| FunctionView {
            id: uuid(&contract.name, "function", &function.name),
            name: function.name.clone(),
            title: function.title.clone(),
            state: state(&function.name, ledger, &known, now),
            objective: function.objective,
        });
        Self {
            id: uuid(&contract.name, "page", ""),
            title: contract.title.clone(),
            zone: contract.timezone.clone(),
            zone_name: contract.timezone_name.clone(),
            now,
            functions: functions.collect(),
            open,
            past,
            planned,
            done,
            history,
            url: url.map(|url| format!("{}/", url.trim_end_matches('/'))),
        }
    }

    /// The moment the page says it is of: whole minutes, so that a page on which nothing changes stays the same for a while.
    #[must_use]
    pub fn minute(&self) -> i64 {
        self.now.div_euclid(60) * 60
    }

    /// The worst of all functions' states; unknown where there is none.
    #[must_use]
    pub fn worst(&self) -> State {
        self.functions.iter().map(|function| function.state).max().unwrap_or(State::Unknown)
    }

    /// What the functions with these names are called.
    pub fn titles<'a>(&'a self, names: &'a [String]) -> impl Iterator<Item = &'a Text> {
        self.functions.iter().filter(|function| names.contains(&function.name)).map(|function| &function.title)
    }
}
