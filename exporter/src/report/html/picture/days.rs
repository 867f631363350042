//! Where a moment lies on the days of a month: the row of its date, and the place its wall clock has on it.
//!
//! Rows go by the wall clock, so that 9:00 is below 9:00 also in months in which clocks change. An hour that took place twice
//! has two lanes, the first time above the second; an hour that did not take place stays blank. Pure. Not for: drawing.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::calendar::Month;
use crate::span::Span;

/// Seconds of a day of 24 hours.
pub(super) const DAY: i64 = 86_400;

/// Which part of the row's height.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Lane {
    /// All of it.
    Whole,
    /// The upper half: the first of two times.
    First,
    /// The lower half: the second of two times.
    Second,
}

/// A stretch of a month in which the wall clock runs evenly, on one row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    /// Its seconds.
    pub(super) span: Span,
    /// 0: the first of the month.
    pub(super) row: i64,
    /// What the wall clock shows at its begin, in seconds since midnight.
    pub(super) wall: i64,
    /// Where on the row.
    pub(super) lane: Lane,
}

/// A place on a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// 0: the first of the month.
    pub(super) row: i64,
    /// Begin by the wall clock, in seconds since midnight.
    pub(super) from: i64,
    /// End, likewise; up to 86 400.
    pub(super) to: i64,
    /// Where on the row.
    pub(super) lane: Lane,
}

/// The rows of one month.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Days {
    /// In order of time; all of the month.
    pub(super) pieces: Vec<Piece>,
    /// Wall clock that did not take place, where clocks went forward within a day.
    pub(super) skipped: Vec<Place>,
}

/// A change of clocks: when, and by how many seconds forward.
type Change = (i64, i64);

impl Days {
    /// The rows of `month` in `zone`.
    #[must_use]
    pub(super) fn new(month: Month, zone: &TimeZone) -> Self {
        let span = month.span(zone);
        let changes = changes(span, zone);
        let mut cuts: Vec<i64> = changes.iter().flat_map(|(at, by)| [*at, at - by.abs(), at + by.abs()]).collect();
        cuts.push(span.end());
        cuts.sort_unstable();
        let mut pieces: Vec<Piece> = Vec::new();
        let mut start = span.start();
        while start < span.end() {
            let (row, wall) = on_clock(start, month, zone);
            let cut = cuts.iter().copied().find(|cut| *cut > start).unwrap_or(span.end());
            let end = cut.min(start + DAY - wall).min(span.end());
            let lane = lane(start, &changes);
            let Some(span) = Span::new(start, end) else { break };
            match pieces.last_mut() {
                // A cut that changed nothing.
                Some(last) if last.row == row && last.lane == lane && last.wall + last.span.seconds() == wall => {
                    last.span = Span::new(last.span.start(), end).unwrap_or(last.span);
                }
                _ => pieces.push(Piece { span, row, wall, lane }),
            }
            start = end;
        }
        let skipped = pieces.windows(2).filter_map(|pair| skipped(pair[0], pair[1])).collect();
        Self { pieces, skipped }
    }

    /// Where `span` lies, row by row.
    pub(super) fn places(&self, span: Span) -> impl Iterator<Item = Place> + '_ {
        let first = self.pieces.partition_point(|piece| piece.span.end() <= span.start());
        self.pieces[first..].iter().map_while(move |piece| {
            let part = piece.span.clip(span)?;
            let from = piece.wall + part.start() - piece.span.start();
            Some(Place { row: piece.row, from, to: from + part.seconds(), lane: piece.lane })
        })
    }

    /// Whether an hour took place twice.
    #[must_use]
    pub(super) fn has_lanes(&self) -> bool {
        self.pieces.iter().any(|piece| piece.lane != Lane::Whole)
    }
}

/// Changes of clocks that have to do with `span`.
fn changes(span: Span, zone: &TimeZone) -> Vec<Change> {
    let offset =
        |seconds: i64| Timestamp::from_second(seconds).map_or(0, |moment| i64::from(zone.to_offset(moment).seconds()));
    let Ok(before) = Timestamp::from_second(span.start().saturating_sub(DAY)) else { return Vec::new() };
    zone.following(before)
        .map(|transition| transition.timestamp().as_second())
        .take_while(|at| *at < span.end().saturating_add(DAY))
        .map(|at| (at, offset(at) - offset(at - 1)))
        .filter(|(_, by)| *by != 0)
        .collect()
}

/// Row and seconds since midnight of a moment.
fn on_clock(seconds: i64, month: Month, zone: &TimeZone) -> (i64, i64) {
    let Ok(moment) = Timestamp::from_second(seconds) else { return (0, 0) };
    let local = zone.to_datetime(moment);
    let time = local.time();
    let wall = i64::from(time.hour()) * 3600 + i64::from(time.minute()) * 60 + i64::from(time.second());
    let row = local.date().since(month.first_day()).map_or(0, |since| i64::from(since.get_days()));
    (row, wall)
}

/// The lane of the seconds from `start` on, as far as the next cut.
fn lane(start: i64, changes: &[Change]) -> Lane {
    for (at, by) in changes.iter().filter(|(_, by)| *by < 0) {
        if at + by <= start && start < *at {
            return Lane::First;
        }
        if *at <= start && start < at - by {
            return Lane::Second;
        }
    }
    Lane::Whole
}

fn skipped(before: Piece, after: Piece) -> Option<Place> {
    let from = before.wall + before.span.seconds();
    let is_gap = before.row == after.row && from < after.wall;
    is_gap.then_some(Place { row: before.row, from, to: after.wall, lane: Lane::Whole })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3600;

    fn days(month: &str, zone: &str) -> (Days, Month, TimeZone) {
        let (month, zone): (Month, _) = (month.parse().unwrap(), TimeZone::get(zone).unwrap());
        (Days::new(month, &zone), month, zone)
    }

    /// Rows of which something is other than 24 hours in one piece: row, hours, and lanes in order.
    #[track_caller]
    fn check(month: &str, zone: &str, expected: &[(i64, f64, &[Lane])]) {
        let (days, month, zone) = days(month, zone);
        let mut rows: Vec<(i64, f64, Vec<Lane>)> =
            (0..i64::from(month.days())).map(|row| (row, 0.0, Vec::new())).collect();
        let mut end = month.span(&zone).start();
        for piece in &days.pieces {
            assert_eq!(piece.span.start(), end);
            end = piece.span.end();
            let row = &mut rows[usize::try_from(piece.row).unwrap()];
            row.1 += piece.span.seconds() as f64 / 3600.0;
            row.2.push(piece.lane);
            // Every quarter of an hour of it is where its wall clock says.
            for moment in (piece.span.start()..piece.span.end()).step_by(900) {
                let local = zone.to_datetime(Timestamp::from_second(moment).unwrap());
                let wall = piece.wall + moment - piece.span.start();
                assert_eq!(i64::from(local.hour()) * 3600 + i64::from(local.minute()) * 60, wall, "{local}");
                assert_eq!(i64::from(local.day()) - 1, piece.row, "{local}");
            }
        }
        assert_eq!(end, month.span(&zone).end());
        rows.retain(|(_, hours, lanes)| *hours != 24.0 || lanes.len() != 1);
        let expected: Vec<_> = expected.iter().map(|(row, hours, lanes)| (*row, *hours, lanes.to_vec())).collect();
        assert_eq!(rows, expected, "{month}");
    }

    #[test]
    fn rows_go_by_the_wall_clock_whatever_clocks_do() {
        use Lane::{First, Second, Whole};
        check("2026-10", "Asia/Tokyo", &[]);
        check("2028-02", "UTC", &[]);
        check("2026-10", "Europe/Berlin", &[(24, 25.0, &[Whole, First, Second, Whole])]);
        check("2026-03", "Europe/Berlin", &[(28, 23.0, &[Whole, Whole])]);
        check("2026-11", "America/New_York", &[(0, 25.0, &[Whole, First, Second, Whole])]);
        // The first hour of the month took place twice.
        check("2026-11", "America/Havana", &[(0, 25.0, &[First, Second, Whole])]);
        check("2026-04", "Australia/Lord_Howe", &[(4, 24.5, &[Whole, First, Second, Whole])]);
        check("2026-10", "Australia/Lord_Howe", &[(3, 23.5, &[Whole, Whole])]);
        // 30 December 2011 did not take place.
        check("2011-12", "Pacific/Apia", &[(29, 0.0, &[])]);
        // Clocks went forward at midnight, and back at midnight: the last hour took place twice, and both are the day's.
        check("2009-10", "America/Asuncion", &[(17, 23.0, &[Whole])]);
        check("2010-04", "America/Asuncion", &[(9, 25.0, &[Whole, First, Second])]);
    }

    #[test]
    fn a_stretch_over_midnight_is_on_both_rows() {
        let (days, month, zone) = days("2026-10", "Asia/Tokyo");
        let start = month.span(&zone).start();
        let span = Span::new(start + 23 * HOUR, start + 26 * HOUR).unwrap();
        let expected = [
            Place { row: 0, from: 23 * HOUR, to: 24 * HOUR, lane: Lane::Whole },
            Place { row: 1, from: 0, to: 2 * HOUR, lane: Lane::Whole },
        ];
        assert_eq!(days.places(span).collect::<Vec<_>>(), expected);
        assert!(!days.has_lanes() && days.skipped.is_empty());
    }

    #[test]
    fn an_hour_twice_has_two_lanes_and_one_that_was_skipped_a_gap() {
        let (autumn, month, zone) = days("2026-10", "Europe/Berlin");
        let two = month.span(&zone).start() + 24 * DAY + 2 * HOUR;
        let span = Span::new(two - HOUR, two + 3 * HOUR).unwrap();
        let expected = [(1, 2, Lane::Whole), (2, 3, Lane::First), (2, 3, Lane::Second), (3, 4, Lane::Whole)]
            .map(|(from, to, lane)| Place { row: 24, from: from * HOUR, to: to * HOUR, lane });
        assert_eq!(autumn.places(span).collect::<Vec<_>>(), expected);
        assert!(autumn.has_lanes());
        let (spring, ..) = days("2026-03", "Europe/Berlin");
        let gap = Place { row: 28, from: 2 * HOUR, to: 3 * HOUR, lane: Lane::Whole };
        assert_eq!(spring.skipped, [gap]);
    }
}
