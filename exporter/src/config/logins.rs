//! `logins`: which logs are read for failed logins, and what is too many (C2.6.7).

use std::path::PathBuf;
use std::time::Duration;

use super::decode::{Cursor, MapCursor, collect};
use super::names;
use crate::logins::kinds::{Reason, System};
use crate::logins::patterns::{GROUPS, Pattern};
use crate::logins::{Journal, Logins, Place, Source};

const DEFAULT_INTERVAL: Duration = Duration::from_secs(10);
/// The alert looks back a quarter of an hour: what is read less often comes too late for it.
const MAX_INTERVAL: Duration = Duration::from_secs(60);
const DEFAULT_THRESHOLD: u64 = 10;
const MAX_THRESHOLD: i64 = 1_000_000;
const DEFAULT_SILENT_AFTER: Duration = Duration::from_secs(86_400);
/// Each is a series, or is looked at every few seconds.
const MAX_SOURCES: usize = 16;
const MAX_PATTERNS: usize = 32;
const MAX_SERVICES: usize = 16;
const MAX_USERS: usize = 50;

pub(super) fn read(cursor: &Cursor<'_>) -> Option<Logins> {
    let mut map = cursor.map()?;
    let interval = map.get("interval").map_or(Some(DEFAULT_INTERVAL), |c| match c.duration()? {
        interval if interval < Duration::from_secs(1) || interval > MAX_INTERVAL => {
            c.error("expected a duration from 1s to 1m")
        }
        interval => Some(interval),
    });
    let threshold = map.get("threshold").map_or(Some(DEFAULT_THRESHOLD), |c| threshold(&c));
    let users = map.get("users").map_or(Some(Vec::new()), |c| users(&c));
    let sources = map.require("sources").and_then(|c| sources(&c));
    let thresholds = map.get("thresholds");
    map.finish();
    let mut logins = Logins {
        interval: interval.unwrap_or(DEFAULT_INTERVAL),
        threshold: threshold.unwrap_or(DEFAULT_THRESHOLD),
        thresholds: Vec::new(),
        users: users.clone().unwrap_or_default(),
        sources: sources?,
    };
    if let Some(cursor) = thresholds {
        logins.thresholds = by_service(&cursor, &logins)?;
    }
    let _ = (interval?, threshold?, users?);
    Some(logins)
}

fn threshold(cursor: &Cursor<'_>) -> Option<u64> {
    cursor.integer(1..=MAX_THRESHOLD).and_then(|number| u64::try_from(number).ok())
}

/// `{sudo: 1, sshd: 50}`.
fn by_service(cursor: &Cursor<'_>, logins: &Logins) -> Option<Vec<(String, u64)>> {
    let mut known: Vec<&str> = logins.series().into_iter().map(|(service, _)| service).collect();
    known.dedup();
    let entries = cursor.named()?;
    let found: Vec<(String, u64)> = entries
        .iter()
        .filter_map(|(name, mark, value)| {
            if !known.contains(name) {
                value.error_at(*mark, names::unknown("service", name, known.iter().copied()));
                return None;
            }
            Some(((*name).to_owned(), threshold(value)?))
        })
        .collect();
    (found.len() == entries.len()).then_some(found)
}

fn users(cursor: &Cursor<'_>) -> Option<Vec<String>> {
    let list = cursor.list()?;
    if list.len() > MAX_USERS {
        return cursor.error(format_args!("{} accounts; at most {MAX_USERS} are counted by name", list.len()));
    }
    let mut seen: Vec<String> = Vec::new();
    collect(&list, |c| {
        let user = c.label()?;
        if user.is_empty() || seen.contains(&user) {
            return c.error(if user.is_empty() { "expected the name of an account" } else { "is listed twice" });
        }
        seen.push(user.clone());
        Some(user)
    })
}

fn sources(cursor: &Cursor<'_>) -> Option<Vec<Source>> {
    let list = cursor.list()?;
    match list.len() {
        0 => return cursor.error("expected at least one log, found none; leave `logins` out to count nothing"),
        found if found > MAX_SOURCES => {
            return cursor.error(format_args!("{found} logs; at most {MAX_SOURCES} are read"));
        }
        _ => {}
    }
    let found = collect(&list, source)?;
    let mut good = true;
    for (index, source) in found.iter().enumerate() {
        let earlier = &found[..index];
        let twice = earlier.iter().any(|before| before.name == source.name);
        // rsyslog writes what the journal has: every failed login would count twice.
        let both = |one: &Source, other: &Source| {
            matches!(one.place, Place::System(_)) && matches!(other.place, Place::Journal(_))
        };
        if twice {
            good = list[index].error::<()>(format_args!("`{}` is listed twice", source.name)).is_some();
        } else if earlier.iter().any(|before| both(before, source) || both(source, before)) {
            good = list[index]
                .error::<()>(
                    "the system's log file and the journal have the same messages, which would count twice; list one of them",
                )
                .is_some();
        }
    }
    good.then_some(found)
}

fn source(cursor: &Cursor<'_>) -> Option<Source> {
    let mut map = cursor.map()?;
    let silent_after = map.get("silent_after").map_or(Some(DEFAULT_SILENT_AFTER), |c| match c.duration()? {
        // Shorter than Prometheus may take to see a line.
        after if !after.is_zero() && after < Duration::from_secs(300) => {
            c.error("expected 5m or longer, or 0 for a log that may be silent")
        }
        after => Some(after),
    });
    let is_journal = map.has("journal");
    let place = match (map.has("file"), is_journal) {
        (true, false) => file(&mut map),
        (false, true) => {
            map.get("journal").and_then(|c| journal(&c)).map(|j| ("journal".to_owned(), Place::Journal(j)))
        }
        _ => {
            map.error("give one of `file` and `journal`");
            None
        }
    };
    map.finish();
    let (name, place) = place?;
    Some(Source { name, place, silent_after: silent_after? })
}

fn file(map: &mut MapCursor<'_>) -> Option<(String, Place)> {
    // Resolved, not referred to: it changes all the time.
    let path = map.require("file").and_then(|c| {
        let name = c.label()?;
        let path = c.document().resolve(&name);
        if name.is_empty() || path.file_name().is_none() {
            return c.error("expected the name of a log file");
        }
        Some((name, path))
    });
    let patterns = map.get("patterns").map(|c| patterns(&c));
    let (name, path): (String, PathBuf) = path?;
    match patterns {
        None => Some((name, Place::System(path))),
        Some(patterns) => Some((name, Place::Application(path, patterns?))),
    }
}

fn journal(cursor: &Cursor<'_>) -> Option<Journal> {
    let mut map = cursor.map()?;
    let program = map.get("program").map_or(Some(PathBuf::from("journalctl")), |c| c.non_empty().map(PathBuf::from));
    let directory = map.get("directory").map(|c| Some(c.document().resolve(&c.non_empty()?)));
    map.finish();
    let directory = match directory {
        Some(directory) => Some(directory?),
        None => None,
    };
    Some(Journal { program: program?, directory })
}

fn patterns(cursor: &Cursor<'_>) -> Option<Vec<Pattern>> {
    let list = cursor.list()?;
    match list.len() {
        0 => cursor
            .error("expected at least one pattern; leave `patterns` out for a log of the system, such as auth.log"),
        found if found > MAX_PATTERNS => {
            cursor.error(format_args!("{found} patterns; at most {MAX_PATTERNS} are tried"))
        }
        _ => collect(&list, pattern),
    }
}

fn pattern(cursor: &Cursor<'_>) -> Option<Pattern> {
    let mut map = cursor.map()?;
    let regex = map.require("regex").and_then(|c| {
        let regex = c.regex()?;
        match regex.capture_names().flatten().find(|name| !GROUPS.contains(name)) {
            Some(other) => c.error(format_args!("unknown group `{other}`; accepted: {}", GROUPS.join(", "))),
            None => Some(regex),
        }
    });
    let services = map.require("service").and_then(|c| services(&c));
    let reason = map.get("reason").map_or(Some(Reason::Password), |c| c.one_of(&Reason::ALL.map(|r| (r.label(), r))));
    map.finish();
    let (regex, services, reason) = (regex?, services?, reason?);
    let named = regex.capture_names().flatten().any(|name| name == "service");
    if services.len() > 1 && !named {
        return cursor.error("`service` lists several names; the regex needs a group (?P<service>…) that finds which");
    }
    Some(Pattern { regex, services, reason })
}

fn services(cursor: &Cursor<'_>) -> Option<Vec<String>> {
    let names = cursor.strings()?;
    if names.is_empty() || names.len() > MAX_SERVICES {
        return cursor.error(format_args!("expected 1 to {MAX_SERVICES} names, found {}", names.len()));
    }
    for name in &names {
        if let Err(why) = names::check_identifier(name) {
            return cursor.error(why);
        }
        if System::ALL.iter().any(|system| system.label() == name) {
            return cursor.error(format_args!("`{name}` is a service of the system; choose another name"));
        }
    }
    Some(names)
}
