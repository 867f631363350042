//! A function's month at a glance: a row per day, 24 hours wide, each five minutes in the colour and pattern of what counted.
//!
//! Inline SVG of bounded size, without a script: the runs of `states` on the rows of `days`, as the `paths` with the `look` that
//! each has. Not for: exact seconds, which are in the tables beside it.

mod days;
mod look;
mod paths;
mod states;
mod tips;
mod weekly;

use jiff::tz::TimeZone;
use maud::{Markup, html};

pub use self::look::{patterns, swatch};
pub use self::states::State;

use self::days::{DAY, Days};
use self::paths::{BAR, LEFT, PITCH, TOP, WIDTH, units};
use self::states::{Run, runs, unseen};
use crate::calendar::Month;
use crate::lang::Lang;
use crate::report::figures::Frame;
use crate::report::model::WeeklySlot;
use crate::report::slots::Slot;
use crate::windows::Window;

/// Right of the rows.
const RIGHT: i64 = 14;
/// Below the rows: the hours again.
const BOTTOM: i64 = 18;

/// What a picture shows.
#[derive(Clone, Copy, Debug)]
pub struct Picture<'a> {
    /// A word for ids in the document, its own for each picture of it: letters, digits and `-`.
    pub id: &'a str,
    /// The accessible name.
    pub name: &'a str,
    /// Which month.
    pub month: Month,
    /// Of which zone.
    pub zone: &'a TimeZone,
    /// Which slots there should be by now.
    pub frame: &'a Frame,
    /// What was measured: in order, one per five minutes of the clock.
    pub slots: &'a [Slot],
    /// What the ledger decides about this function.
    pub windows: &'a [Window],
    /// When maintenance may take place, and that in words; `None`: any time.
    pub weekly: Option<(&'a WeeklySlot, &'a str)>,
}

impl Picture<'_> {
    /// The picture and its legend.
    #[must_use]
    pub fn render(&self, lang: Lang) -> Markup {
        let days = Days::new(self.month, self.zone);
        let runs = runs(self.frame, self.slots, self.windows);
        let rows = i64::from(self.month.days());
        let (width, height) = (LEFT + WIDTH + RIGHT, TOP + rows * PITCH + BOTTOM);
        html! {
            div.picture {
                div.scroll tabindex="0" role="group" aria-label=(self.name) {
                    svg viewBox={ "0 0 " (width) " " (height) } role="img" aria-labelledby={ (self.id) "-t " (self.id) "-d" } {
                        title id={ (self.id) "-t" } { (self.name) }
                        desc id={ (self.id) "-d" } { (tips::summary(&runs, lang)) }
                        (self.ground(rows, lang))
                        (self.weekly_stretches())
                        g.slots fill="none" {
                            @for path in paths::paths(&runs, &days) {
                                path data-state=(path.state.id()) stroke=(path.state.paint()) stroke-width=(path.thickness()) d=(path.d) {}
                            }
                        }
                        (hour_lines(rows))
                        (self.odd_hours(&days, lang))
                        (self.marks(&days, lang))
                        (tips::tips(&runs, &days, self, lang))
                    }
                }
                (self.legend(&runs, &days, lang))
            }
        }
    }

    /// Days' names, shaded weekends, and the hours above and below.
    fn ground(&self, rows: i64, lang: Lang) -> Markup {
        html! {
            @for day in 0..self.month.days() {
                @let (row, weekday) = (i64::from(day), tips::weekday(self.month, day));
                @let is_weekend = weekday >= 5;
                @if is_weekend {
                    rect.weekend x="0" y=(TOP + row * PITCH - 2) width=(LEFT + WIDTH + RIGHT) height=(PITCH) {}
                }
                rect.ahead x=(LEFT) y=(TOP + row * PITCH) width=(WIDTH) height=(BAR) {}
                text.day.weekend[is_weekend] x=(LEFT - 6) y=(TOP + row * PITCH + 9) { (tips::day(self.month, day, lang)) }
            }
            @for hour in (0..=24).step_by(3) {
                @let x = LEFT + hour * WIDTH / 24;
                text.hour x=(x) y=(TOP - 7) { (hour) }
                text.hour x=(x) y=(TOP + rows * PITCH + 11) { (hour) }
            }
        }
    }

    /// A thin line under the bar where maintenance may take place (C2.3).
    fn weekly_stretches(&self) -> Markup {
        html! {
            @if let Some((weekly, _)) = self.weekly {
                @for (row, from, to) in weekly::stretches(weekly, self.month) {
                    rect.weekly x=(units(from + LEFT * 100)) y=(TOP + row * PITCH + BAR + 1) width=(units(to - from)) height="2" {}
                }
            }
        }
    }

    /// Where clocks changed: a time that did not take place, and one that did twice.
    fn odd_hours(&self, days: &Days, lang: Lang) -> Markup {
        html! {
            @for place in &days.skipped {
                rect.skipped x=(units(place.from + LEFT * 100)) y=(TOP + place.row * PITCH) width=(units(place.to - place.from)) height=(BAR) {
                    title { (lang.pick("時計を進めたため、この時刻はありません", "Clocks went forward: this time did not take place")) }
                }
            }
        }
    }

    /// A mark above the place of each window too short to hold a slot.
    fn marks(&self, days: &Days, lang: Lang) -> Markup {
        html! {
            @for (window, span) in unseen(self.frame, self.slots, self.windows).into_iter().take(tips::MOST) {
                @if let Some(place) = days.places(span).next() {
                    path.mark d={ "M" (units(place.from + LEFT * 100)) " " (TOP + place.row * PITCH + 2) "l-3-5h6z" } {
                        title { (tips::of_window(window, span, self.zone, lang)) }
                    }
                }
            }
        }
    }

    fn legend(&self, runs: &[Run], days: &Days, lang: Lang) -> Markup {
        let is_there = |state: &State| *state == State::Up || runs.iter().any(|run| run.state == *state);
        html! {
            ul.legend {
                @for state in State::ALL.into_iter().filter(is_there) {
                    li { (swatch(state)) " " (state.name(lang)) }
                }
                @if let Some((_, words)) = self.weekly {
                    li {
                        svg.swatch width="22" height="12" viewBox="0 0 22 12" aria-hidden="true" focusable="false" {
                            rect.weekly y="8" width="22" height="3" {}
                        }
                        " " (lang.pick("メンテナンス時間帯", "weekly slot for maintenance")) " " (words)
                    }
                }
                @if !unseen(self.frame, self.slots, self.windows).is_empty() {
                    li {
                        svg.swatch width="22" height="12" viewBox="0 0 22 12" aria-hidden="true" focusable="false" {
                            path.mark d="M11 10l-5-8h10z" {}
                        }
                        " " (lang.pick("5分の枠に現れない短い判定（秒単位で計算に含みます）", "judged, too short for a slot (counted to the second)"))
                    }
                }
                @if days.has_lanes() {
                    li { (lang.pick("時計を戻した時間帯は2段（上が1回目、下が2回目）", "the hour that took place twice has two lanes, the first above")) }
                }
            }
        }
    }
}

/// Faint lines through all rows: every hour, and stronger every six.
fn hour_lines(rows: i64) -> Markup {
    let line = |hours: &mut dyn Iterator<Item = i64>| {
        hours.map(|hour| format!("M{} {}v{}", LEFT + hour * WIDTH / 24, TOP - 3, rows * PITCH)).collect::<String>()
    };
    html! {
        path.hours d=(line(&mut (1..24).filter(|hour| hour % 6 != 0))) {}
        path.hours.six d=(line(&mut (0..=24).step_by(6))) {}
    }
}

/// Seconds of a day that are on its row.
const _: () = assert!(DAY == WIDTH * 100);

#[cfg(test)]
mod tests;
