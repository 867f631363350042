//! What the picture says: names of days, what the pointer finds, and the summary for those who do not see it.
//!
//! Not for: drawing.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use maud::{Markup, html};

use super::Picture;
use super::days::{Days, Place};
use super::paths::{BAR, LEFT, PITCH, TOP, units};
use super::states::{Run, State};
use crate::calendar::Month;
use crate::lang::Lang;
use crate::span::Span;
use crate::windows::Window;

/// At most so many things have a word of their own: a month in tatters stays a small file.
pub(super) const MOST: usize = 48;

/// From Monday.
const WEEKDAYS_JA: [&str; 7] = ["月", "火", "水", "木", "金", "土", "日"];
/// From Monday.
pub(super) const WEEKDAYS_EN: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/// Days since Monday of a day of the month, counted from 0.
pub(super) fn weekday(month: Month, day: i8) -> i8 {
    (month.first_day().weekday().to_monday_zero_offset() + day).rem_euclid(7)
}

/// `1日(木)`, `Thu 1`.
pub(super) fn day(month: Month, day: i8, lang: Lang) -> String {
    let names = lang.pick(WEEKDAYS_JA, WEEKDAYS_EN);
    let name = usize::try_from(weekday(month, day)).ok().and_then(|day| names.get(day)).copied().unwrap_or_default();
    let number = i16::from(day) + 1;
    match lang {
        Lang::Ja => format!("{number}日({name})"),
        Lang::En => format!("{name} {number}"),
    }
}

/// How many stretches of what there are besides up.
pub(super) fn summary(runs: &[Run], lang: Lang) -> String {
    let count = |state: State| runs.iter().filter(|run| run.state == state).count();
    let parts: Vec<String> = State::ALL
        .into_iter()
        .filter(|state| *state != State::Up && count(*state) > 0)
        .map(|state| match lang {
            Lang::Ja => format!("{} {}区間", state.name(lang), count(state)),
            Lang::En => format!("{}: {}", state.name(lang), count(state)),
        })
        .collect();
    let rows = lang.pick(
        "1行が1日、横が0時から24時、5分ごとの状態。",
        "A row per day from 0:00 to 24:00, the state of every five minutes. ",
    );
    match (parts.is_empty(), lang) {
        (true, Lang::Ja) => format!("{rows}すべて稼働。"),
        (true, Lang::En) => format!("{rows}All of it up."),
        (false, Lang::Ja) => format!("{rows}稼働以外の区間：{}。", parts.join("、")),
        (false, Lang::En) => format!("{rows}Stretches other than up: {}.", parts.join(", ")),
    }
}

/// What the pointer finds: day, time, state, entries; the longest stretches where there are too many.
pub(super) fn tips(runs: &[Run], days: &Days, picture: &Picture<'_>, lang: Lang) -> Markup {
    let mut told: Vec<&Run> = runs.iter().filter(|run| !matches!(run.state, State::Up | State::Ahead)).collect();
    told.sort_by_key(|run| std::cmp::Reverse(run.span.seconds()));
    told.truncate(MOST);
    told.sort_by_key(|run| run.span.start());
    let places = told.into_iter().flat_map(|run| days.places(run.span).map(move |place| (run, place)));
    html! {
        g.tips {
            @for (run, place) in places.take(2 * MOST) {
                rect x=(units(place.from + LEFT * 100)) y=(TOP + place.row * PITCH) width=(units(place.to - place.from)) height=(BAR) {
                    title { (of_place(run, place, picture, lang)) }
                }
            }
        }
    }
}

fn of_place(run: &Run, place: Place, picture: &Picture<'_>, lang: Lang) -> String {
    let row = i8::try_from(place.row).unwrap_or_default();
    let time = |seconds: i64| format!("{:02}:{:02}", seconds / 3600, seconds / 60 % 60);
    let mut text =
        format!("{} {}–{} {}", day(picture.month, row, lang), time(place.from), time(place.to), run.state.name(lang));
    let entries = picture.windows.iter().filter(|window| {
        let decides = State::Decided(window.reason) == run.state;
        decides && window.shown(picture.frame.month).is_some_and(|span| span.overlaps(run.span))
    });
    for (number, window) in entries.take(3).enumerate() {
        text.push_str(if number == 0 { ": " } else { ", " });
        text.push_str(&short(&window.entry));
    }
    text
}

/// A window of seconds: `7日(水) 10:02:10–10:02:50 …`.
pub(super) fn of_window(window: &Window, span: Span, zone: &TimeZone, lang: Lang) -> String {
    let local =
        |seconds: i64| Timestamp::from_second(seconds).map(|moment| zone.to_datetime(moment)).unwrap_or_default();
    let (start, end) = (local(span.start()), local(span.end()));
    let month = Month::containing(span.start(), zone);
    let time = |local: jiff::civil::DateTime| local.strftime("%H:%M:%S").to_string();
    let state = State::Decided(window.reason).name(lang);
    format!("{} {}–{} {state}: {}", day(month, start.day() - 1, lang), time(start), time(end), short(&window.entry))
}

/// The begin of an id: whole ones are in the tables.
fn short(id: &str) -> String {
    if id.chars().count() <= 40 { id.to_owned() } else { id.chars().take(39).chain(['…']).collect() }
}
