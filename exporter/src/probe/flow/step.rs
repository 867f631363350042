//! One step: what is asked, what must be answered, what is kept.

use std::time::Duration;

use super::check::{Capture, Check, captures, checks};
use super::request::{self, Request};
use super::source::regex;
use super::template::Template;
use crate::config::decode::{Cursor, MapCursor, collect};
use crate::probe::postgres;

/// One step.
#[derive(Debug)]
pub(super) struct Step {
    /// Label `step`.
    pub(super) name: String,
    pub(super) action: Action,
    pub(super) timeout: Option<Duration>,
    /// Accepted statuses, both ends included; none: 2xx, or 3xx with `redirect`.
    pub(super) statuses: Vec<(u16, u16)>,
    /// Where it must be redirected to.
    pub(super) redirect: Option<regex::bytes::Regex>,
    pub(super) within: Option<Duration>,
    pub(super) checks: Vec<Check>,
    pub(super) captures: Vec<Capture>,
}

/// What is asked.
#[derive(Debug)]
pub(super) enum Action {
    Http(Box<Request>),
    Postgres(Box<Query>),
}

/// A query.
#[derive(Debug)]
pub(super) struct Query {
    pub(super) target: String,
    pub(super) settings: postgres::Settings,
    pub(super) text: Option<Template>,
}

/// Reads a step.
pub(super) fn decode(cursor: &Cursor<'_>) -> Option<Step> {
    let mut map = cursor.map()?;
    let name = map.require("name").and_then(|c| c.identifier());
    let request = map.get("request");
    let query = map.get("postgres");
    let timeout = map.get("timeout").map_or(Some(None), |c| positive(&c).map(Some));
    let http = query.is_none();
    let expect = map.get("expect");
    let kept = map.get("capture").map_or(Some(Vec::new()), |c| captures(&c, http));
    map.finish();
    let action = match (request, query) {
        (Some(c), None) => c.map().and_then(request::decode).map(|request| Action::Http(Box::new(request))),
        (None, Some(c)) => c.map().and_then(self::query).map(|query| Action::Postgres(Box::new(query))),
        (Some(_), Some(c)) => c.error("a step has a `request` or a `postgres`; make two of it"),
        (None, None) => cursor.error("a step has a `request` or a `postgres`; neither is there"),
    };
    let mut step = Step {
        name: name.clone().unwrap_or_default(),
        action: action?,
        timeout: timeout?,
        statuses: Vec::new(),
        redirect: None,
        within: None,
        checks: Vec::new(),
        captures: kept?,
    };
    if let Some(cursor) = expect {
        expected(&cursor, http, &mut step)?;
    }
    if let (Action::Http(request), Some(_), Some(expect)) = (&step.action, &step.redirect, map_redirect(cursor))
        && request.follow_redirects == Some(true)
    {
        return expect.error("a redirect that is followed is not there to be judged; leave `follow_redirects` out");
    }
    name.map(|_| step)
}

fn map_redirect<'a>(cursor: &Cursor<'a>) -> Option<Cursor<'a>> {
    cursor.map()?.get("expect")
}

fn expected(cursor: &Cursor<'_>, http: bool, step: &mut Step) -> Option<()> {
    let mut map = cursor.map()?;
    let within = map.get("time").map_or(Some(None), |c| positive(&c).map(Some));
    let found = map.get("checks").map_or(Some(Vec::new()), |c| checks(&c, http));
    let (statuses, redirect) = if http { answered(&mut map) } else { (Some(Vec::new()), Some(None)) };
    map.finish();
    step.within = within?;
    step.checks = found?;
    step.statuses = statuses?;
    step.redirect = redirect?;
    Some(())
}

#[allow(clippy::type_complexity)] // absent and wrong are two things here
fn answered(map: &mut MapCursor<'_>) -> (Option<Vec<(u16, u16)>>, Option<Option<regex::bytes::Regex>>) {
    let statuses = map.get("status").map_or(Some(Vec::new()), |c| match &c.node().value {
        crate::config::node::Value::List(_) => collect(&c.list()?, status),
        _ => Some(vec![status(&c)?]),
    });
    let redirect = map.get("redirect").map_or(Some(None), |c| regex(&c).map(Some));
    (statuses, redirect)
}

/// `200` or `2xx`.
fn status(cursor: &Cursor<'_>) -> Option<(u16, u16)> {
    let text = cursor.string()?;
    let class =
        text.strip_suffix("xx").and_then(|digit| digit.parse::<u16>().ok()).filter(|digit| (1..=5).contains(digit));
    if let Some(digit) = class {
        return Some((digit * 100, digit * 100 + 99));
    }
    match text.parse::<u16>() {
        Ok(code) if (100..=599).contains(&code) => Some((code, code)),
        _ => cursor.error("is not a status; write for example 200, or 2xx for all of that class"),
    }
}

pub(super) fn positive(cursor: &Cursor<'_>) -> Option<Duration> {
    match cursor.duration()? {
        Duration::ZERO => cursor.error("0s leaves no time to answer; write for example 5s"),
        duration => Some(duration),
    }
}

fn query(mut map: MapCursor<'_>) -> Option<Query> {
    let target = map.require("target").and_then(|c| Some((c.non_empty()?, c)));
    let at = map.get("query");
    let settings = postgres::decode(map);
    let (target, cursor) = target?;
    let settings = settings?;
    if let Err(why) = postgres::check_target(&settings, &target) {
        return cursor.error(why);
    }
    let text = match at {
        None => None,
        Some(c) => Some(super::check::template(&c)?),
    };
    Some(Query { target, settings, text })
}

impl Step {
    /// Variables it needs.
    pub(super) fn names(&self) -> Vec<&str> {
        let mut names = match &self.action {
            Action::Http(request) => request.names(),
            Action::Postgres(query) => query.text.iter().flat_map(Template::names).collect(),
        };
        names.extend(self.checks.iter().flat_map(Check::names));
        names
    }
}
