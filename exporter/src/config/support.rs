//! `support`: the hours of the support desk, and where its tickets are read from (C3.2, C3.4).

use std::time::Duration;

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;

use super::contract::times;
use super::decode::{Cursor, collect};
use super::modules::Modules;
use super::names;
use crate::business::{Calendar, Closed, DayEnd, Holidays, Shift, hours};
use crate::probe::{self, Prober};
use crate::support::{Columns, CsvFile, Encoding, PostgresQuery, Source, Support, Tickets};

const DEFAULT_DUE_SOON: Duration = Duration::from_secs(3 * 3600);
const DEFAULT_INTERVAL: Duration = Duration::from_secs(300);
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);
/// More days off than a company lists in years.
const MAX_CLOSED: usize = 1000;
const DAYS: [(&str, usize); 7] = [("Mon", 0), ("Tue", 1), ("Wed", 2), ("Thu", 3), ("Fri", 4), ("Sat", 5), ("Sun", 6)];

/// Reads the section; `zone` is the contract's.
pub(super) fn read(cursor: &Cursor<'_>, zone: Option<&TimeZone>, modules: &Modules) -> Option<Support> {
    let mut map = cursor.map()?;
    let own_zone = map.get("timezone").map(|c| times::zone(&c).map(|(zone, _)| zone));
    let zone = own_zone.unwrap_or_else(|| Some(zone.cloned().unwrap_or(TimeZone::UTC)));
    let weekdays = map.get("days").map_or(Some(hours::WEEKDAYS), |c| days(&c));
    let shifts = map.require("hours").and_then(|c| shifts(&c));
    let holidays = map
        .get("holidays")
        .map_or(Some(Holidays::None), |c| c.one_of(&[("japan", Holidays::Japan), ("none", Holidays::None)]));
    let closed = map.get("closed").map_or(Some(Vec::new()), |c| closed(&c));
    let answer_within =
        map.get("answer_within").map_or(Some(1), |c| c.integer(1..=60).and_then(|days| u32::try_from(days).ok()));
    let day_end = map
        .get("day_end")
        .map_or(Some(DayEnd::Closing), |c| c.one_of(&[("closing", DayEnd::Closing), ("midnight", DayEnd::Midnight)]));
    let due_soon = map.get("due_soon").map_or(Some(DEFAULT_DUE_SOON), |c| c.duration());
    let tickets = map.get("tickets").map(|c| tickets(&c, zone.as_ref(), modules));
    map.finish();
    let calendar = Calendar { zone: zone?, weekdays: weekdays?, shifts: shifts?, holidays: holidays?, closed: closed? };
    let tickets = match tickets {
        None => None,
        Some(tickets) => Some(tickets?),
    };
    Some(Support { calendar, answer_within: answer_within?, day_end: day_end?, due_soon: due_soon?, tickets })
}

fn days(cursor: &Cursor<'_>) -> Option<[bool; 7]> {
    let mut days = [false; 7];
    let list = cursor.list()?;
    for day in collect(&list, |c| c.one_of(&DAYS))? {
        days[day] = true;
    }
    if list.is_empty() {
        cursor.error("expected at least one of Mon, Tue, Wed, Thu, Fri, Sat, Sun")
    } else {
        Some(days)
    }
}

fn shifts(cursor: &Cursor<'_>) -> Option<Vec<Shift>> {
    let list = cursor.list()?;
    if list.is_empty() {
        return cursor.error("expected at least one stretch such as \"10:00-12:00\"");
    }
    let shifts = collect(&list, |c| {
        let text = c.string()?;
        let parsed = text.split_once('-').and_then(|(from, to)| {
            let to = if to.trim() == "24:00" { Time::midnight() } else { times::clock(to.trim())? };
            Some(Shift { from: times::clock(from.trim())?, to })
        });
        match parsed {
            Some(shift) if shift.to == Time::midnight() || shift.from < shift.to => Some(shift),
            Some(_) => c.error("ends before it begins; one that goes over midnight is two, the first until 24:00"),
            None => c.error(format_args!(
                "`{}` is not a stretch of the day; write for example \"10:00-12:00\", at most until 24:00",
                names::shorten(&text)
            )),
        }
    })?;
    for pair in shifts.windows(2) {
        if pair[0].to == Time::midnight() || pair[1].from < pair[0].to {
            return cursor.error("the stretches overlap or are not in order");
        }
    }
    Some(shifts)
}

fn closed(cursor: &Cursor<'_>) -> Option<Vec<Closed>> {
    let list = cursor.list()?;
    if list.len() > MAX_CLOSED {
        return cursor.error(format_args!("{} entries; at most {MAX_CLOSED} are accepted", list.len()));
    }
    collect(&list, |c| {
        let text = c.string()?;
        let (from, to) = text.split_once("..").unwrap_or((&text, &text));
        let (from, to) = (from.trim(), to.trim());
        if let (Ok(from), Ok(to)) = (from.parse::<Date>(), to.parse::<Date>()) {
            return if from <= to { Some(Closed::Dates(from, to)) } else { c.error("ends before it begins") };
        }
        if let (Some(from), Some(to)) = (month_day(from), month_day(to)) {
            return Some(Closed::Yearly(from, to));
        }
        c.error(format_args!(
            "`{}` is not a day off; write 2026-08-13, 2026-08-13..2026-08-14, or for every year 12-28..01-04",
            names::shorten(&text)
        ))
    })
}

/// `12-28`, a day that every leap year has.
fn month_day(text: &str) -> Option<(i8, i8)> {
    let day = format!("2024-{text}").parse::<Date>().ok().filter(|_| text.len() == 5)?;
    Some((day.month(), day.day()))
}

fn tickets(cursor: &Cursor<'_>, zone: Option<&TimeZone>, modules: &Modules) -> Option<Tickets> {
    let mut map = cursor.map()?;
    let bounded = |c: Cursor<'_>, least: u64, most: u64| {
        let duration = c.duration()?;
        if (Duration::from_secs(least)..=Duration::from_secs(most)).contains(&duration) {
            Some(duration)
        } else {
            c.error(format_args!("expected a duration from {least}s to {most}s"))
        }
    };
    let interval = map.get("interval").map_or(Some(DEFAULT_INTERVAL), |c| bounded(c, 10, 3600));
    let timeout = map.get("timeout").map_or(Some(DEFAULT_TIMEOUT), |c| bounded(c, 1, 300));
    let own_zone = map.get("timezone").map(|c| times::zone(&c).map(|(zone, _)| zone));
    let (csv, postgres) = (map.get("csv"), map.get("postgres"));
    let source = match (csv, postgres) {
        (Some(csv), None) => csv_file(&csv).map(Source::Csv),
        (None, Some(postgres)) => postgres_query(&postgres, modules).map(Source::Postgres),
        (Some(_), Some(second)) => second.error("give `csv` or `postgres`, not both"),
        (None, None) => {
            map.error("`csv` or `postgres` is missing: where are tickets read from?");
            None
        }
    };
    map.finish();
    let zone = own_zone.unwrap_or_else(|| zone.cloned())?;
    Some(Tickets { interval: interval?, timeout: timeout?, zone, source: source? })
}

fn csv_file(cursor: &Cursor<'_>) -> Option<CsvFile> {
    let mut map = cursor.map()?;
    let path = map.require("path").and_then(|c| Some(c.document().resolve(&c.non_empty()?)));
    let encoding = map
        .get("encoding")
        .map_or(Some(Encoding::Utf8), |c| c.one_of(&[("utf-8", Encoding::Utf8), ("shift_jis", Encoding::ShiftJis)]));
    let columns = map.get("columns").map_or_else(|| Some(default_columns()), |c| columns(&c));
    map.finish();
    Some(CsvFile { path: path?, encoding: encoding?, columns: columns? })
}

fn default_columns() -> Columns {
    Columns { received_at: "received_at".to_owned(), answered_at: "answered_at".to_owned(), closed_at: None }
}

fn columns(cursor: &Cursor<'_>) -> Option<Columns> {
    let mut map = cursor.map()?;
    let usual = default_columns();
    let received_at = map.get("received_at").map_or(Some(usual.received_at), |c| c.non_empty());
    let answered_at = map.get("answered_at").map_or(Some(usual.answered_at), |c| c.non_empty());
    let closed_at = map.get("closed_at").map_or(Some(None), |c| c.non_empty().map(Some));
    map.finish();
    Some(Columns { received_at: received_at?, answered_at: answered_at?, closed_at: closed_at? })
}

fn postgres_query(cursor: &Cursor<'_>, modules: &Modules) -> Option<PostgresQuery> {
    let mut map = cursor.map()?;
    let module = map.require("module").and_then(|c| {
        let module = modules.find(&c)?;
        match module.prober {
            Prober::Postgres(_) => Some(module),
            _ => c.error(format_args!("module `{}` is not one of `prober: postgres`", module.name)),
        }
    });
    let target = map.require("target").and_then(|c| {
        let target = c.non_empty()?;
        match module.as_ref().map(|module| probe::check_target(module, &target)) {
            Some(Err(why)) => c.error(why),
            _ => Some(target),
        }
    });
    let query = map.require("query").and_then(|c| c.non_empty());
    map.finish();
    Some(PostgresQuery { module: module?, target: target?, query: query? })
}
