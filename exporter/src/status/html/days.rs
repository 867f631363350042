//! Ninety days as bars: down at the foot, what does not count and what nobody knows above it, up the rest.
//!
//! A bar is a day; whatever there is of a state is seen, also a single slot. A mark under the bar says that there was
//! downtime, so that it is not told by colour. Below, every day that was not simply up, as a table.

use maud::{Markup, html};

use super::View;
use crate::report::words::length;
use crate::status::history::Day;
use crate::status::page::FunctionView;

/// Width of a day, the gap after it included, and height of its bar.
const PITCH: usize = 10;
const WIDTH: usize = 8;
const HEIGHT: i64 = 44;
/// Least height of what there is.
const LEAST: i64 = 8;

/// The patterns all bars are drawn with.
pub(super) fn patterns() -> Markup {
    html! {
        svg.patterns width="0" height="0" aria-hidden="true" focusable="false" {
            defs {
                pattern id="hatch" width="5" height="5" patternUnits="userSpaceOnUse" {
                    rect.ground width="5" height="5" {}
                    path.line d="M-1 1l2-2M0 5l5-5M4 6l2-2" {}
                }
                pattern id="dots" width="4" height="4" patternUnits="userSpaceOnUse" {
                    rect.ground width="4" height="4" {}
                    rect.line x="1" y="1" width="1.6" height="1.6" {}
                }
            }
        }
    }
}

/// What the parts of a bar are.
pub(super) fn legend(view: &View<'_>) -> Markup {
    let of = |class: &str, ja, en| {
        html! { li { svg width="14" height="14" aria-hidden="true" focusable="false" { rect.(class) width="14" height="14" {} } (view.say(ja, en)) } }
    };
    html! {
        ul.legend aria-label=(view.say("凡例", "Legend")) {
            (of("up", "稼働", "up"))
            (of("down", "停止", "down"))
            (of("excluded", "除外（計画メンテナンスなど）", "excluded (such as planned maintenance)"))
            (of("unmeasured", "未測定", "unmeasured"))
        }
    }
}

/// The bars of one function.
pub(super) fn bars(view: &View<'_>, function: &FunctionView, days: &[Day]) -> Markup {
    let total = |of: fn(&Day) -> i64| days.iter().map(of).sum::<i64>();
    let summary = view.say(
        format!(
            "{}の{}日間: 停止{}、除外{}、未測定{}",
            view.words.text(&function.title),
            days.len(),
            length(view.lang, total(|day| day.down)),
            length(view.lang, total(|day| day.excluded)),
            length(view.lang, total(|day| day.unmeasured)),
        ),
        format!(
            "{}, {} days: down {}, excluded {}, unmeasured {}",
            view.words.text(&function.title),
            days.len(),
            length(view.lang, total(|day| day.down)),
            length(view.lang, total(|day| day.excluded)),
            length(view.lang, total(|day| day.unmeasured)),
        ),
    );
    let width = days.len() * PITCH;
    html! {
        svg.days viewBox={ "0 0 " (width) " " (HEIGHT + 9) } preserveAspectRatio="none" role="img" aria-label=(summary) {
            @for (number, day) in days.iter().enumerate() { (bar(view, number * PITCH + 1, *day)) }
        }
        div.axis aria-hidden="true" {
            span { (days.first().map(|day| date(view, *day)).unwrap_or_default()) }
            span { (view.say("今日", "today")) }
        }
        (table(view, days))
    }
}

fn bar(view: &View<'_>, x: usize, day: Day) -> Markup {
    let parts = heights(day);
    let mut below = HEIGHT;
    let placed = parts.map(|(class, height)| {
        below -= height;
        (class, below, height)
    });
    html! {
        g.day {
            title { (told(view, day)) }
            // Also the gap is the day's, for a pointer.
            rect.hit x=(x - 1) width=(PITCH) height=(HEIGHT + 9) {}
            @for (class, y, height) in placed.into_iter().filter(|(_, _, height)| *height > 0) {
                rect.(class) x=(x) y=(y) width=(WIDTH) height=(height) {}
            }
            @if day.down > 0 { path.mark d={ "M" (x) " " (HEIGHT + 8) "h" (WIDTH) "l-" (WIDTH / 2) " -6z" } {} }
        }
    }
}

/// How high each part is, from the foot up: as its share of the day, and never too low to be seen.
fn heights(day: Day) -> [(&'static str, i64); 4] {
    let all = day.down + day.excluded + day.unmeasured + day.up;
    if all <= 0 {
        // Not owed, or not there yet.
        return [("nothing", 2), ("", 0), ("", 0), ("", 0)];
    }
    let share = |seconds: i64| if seconds > 0 { (seconds * HEIGHT / all).max(LEAST) } else { 0 };
    let mut parts = [
        ("down", share(day.down)),
        ("excluded", share(day.excluded)),
        ("unmeasured", share(day.unmeasured)),
        ("up", share(day.up)),
    ];
    // What the small ones took is the biggest one's.
    let spare = HEIGHT - parts.iter().map(|(_, height)| height).sum::<i64>();
    if let Some(biggest) = parts.iter_mut().max_by_key(|(_, height)| *height) {
        biggest.1 += spare;
    }
    parts
}

fn date(view: &View<'_>, day: Day) -> String {
    let (year, month, number) = (day.date.year(), day.date.month(), day.date.day());
    view.say(format!("{year}年{month}月{number}日"), day.date.strftime("%-d %b %Y").to_string())
}

/// A day in words.
fn told(view: &View<'_>, day: Day) -> String {
    let mut parts = Vec::new();
    for (seconds, ja, en) in [
        (day.down, "停止", "down"),
        (day.excluded, "除外", "excluded"),
        (day.unmeasured, "未測定", "unmeasured"),
        (day.up, "稼働", "up"),
    ] {
        if seconds > 0 {
            parts.push(format!("{} {}", view.say(ja, en), length(view.lang, seconds)));
        }
    }
    if parts.is_empty() {
        parts.push(view.say("対象外", "not counted").to_owned());
    }
    format!("{}: {}", date(view, day), parts.join(view.say("、", ", ")))
}

/// Every day that was not simply up, the newest first.
fn table(view: &View<'_>, days: &[Day]) -> Markup {
    let special: Vec<Day> =
        days.iter().rev().copied().filter(|day| day.down > 0 || day.excluded > 0 || day.unmeasured > 0).collect();
    let cell = |seconds: i64| if seconds == 0 { "–".to_owned() } else { length(view.lang, seconds) };
    html! {
        @if !special.is_empty() {
            details {
                summary {
                    (view.say(
                        format!("停止・除外・未測定のあった日（{}日）", special.len()),
                        format!("Days with downtime, exclusions or unmeasured time ({})", special.len()),
                    ))
                }
                div.scroll tabindex="0" role="region" aria-label=(view.say("日別の内訳", "By day")) {
                    table {
                        thead { tr {
                            th scope="col" { (view.say("日", "Day")) }
                            th scope="col" { (view.say("停止", "Down")) }
                            th scope="col" { (view.say("除外", "Excluded")) }
                            th scope="col" { (view.say("未測定", "Unmeasured")) }
                        } }
                        tbody {
                            @for day in special {
                                tr {
                                    th scope="row" { time datetime=(day.date) { (date(view, day)) } }
                                    td { (cell(day.down)) }
                                    td { (cell(day.excluded)) }
                                    td { (cell(day.unmeasured)) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_single_slot_is_seen_and_a_bar_is_as_high_as_any() {
        let day = |down, excluded, unmeasured, up| Day {
            date: jiff::civil::date(2026, 10, 7),
            down,
            excluded,
            unmeasured,
            up,
        };
        for (day, least) in [
            (day(300, 0, 0, 86_100), [LEAST, 0, 0, 1]),
            (day(300, 300, 300, 85_500), [LEAST, LEAST, LEAST, 1]),
            (day(85_500, 300, 300, 300), [1, LEAST, LEAST, LEAST]),
            (day(0, 0, 86_400, 0), [0, 0, HEIGHT, 0]),
            (day(0, 0, 0, 300), [0, 0, 0, HEIGHT]),
            (day(1, 0, 0, 0), [HEIGHT, 0, 0, 0]),
        ] {
            let parts = heights(day);
            assert_eq!(parts.iter().map(|(_, height)| height).sum::<i64>(), HEIGHT, "{day:?}");
            assert!(
                parts.iter().zip(least).all(|((_, height), least)| *height >= least && (*height > 0) == (least > 0)),
                "{parts:?}"
            );
        }
        assert_eq!(heights(day(0, 0, 0, 0))[0], ("nothing", 2));
    }
}
