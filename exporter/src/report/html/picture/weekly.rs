//! The weekly stretch for maintenance on the rows of a month (C2.3).
//!
//! Pure, and by the wall clock. Not for: whether a maintenance keeps it (`ledger::assessment`).

use super::days::DAY;
use super::tips::{WEEKDAYS_EN, weekday};
use crate::calendar::Month;
use crate::report::model::WeeklySlot;

const WEEK: i64 = 7 * DAY;

/// Row, and from where to where in seconds since midnight. None where the slot cannot be read.
pub(super) fn stretches(slot: &WeeklySlot, month: Month) -> Vec<(i64, i64, i64)> {
    let (Some((day, time)), Some((last, end))) = (moment(&slot.from), moment(&slot.to)) else { return Vec::new() };
    let from = day * DAY + time;
    let length = (last * DAY + end - from).rem_euclid(WEEK);
    let mut stretches = Vec::new();
    for row in 0..month.days() {
        let midnight = i64::from(weekday(month, row)) * DAY;
        // This week's stretch, and what of the last week's reaches over Sunday.
        for from in [from, from - WEEK] {
            let (start, end) = ((from - midnight).max(0), (from + length - midnight).min(DAY));
            if start < end {
                stretches.push((i64::from(row), start, end));
            }
        }
    }
    stretches
}

/// `Fri 21:00` as days since Monday and seconds since midnight.
fn moment(text: &str) -> Option<(i64, i64)> {
    let (day, time) = text.split_once(' ')?;
    let day = (0..).zip(WEEKDAYS_EN).find(|(_, name)| *name == day)?.0;
    let (hour, minute) = time.split_once(':')?;
    let (hour, minute): (i64, i64) = (hour.parse().ok()?, minute.parse().ok()?);
    let is_time = (0..24).contains(&hour) && (0..60).contains(&minute);
    is_time.then_some((day, hour * 3600 + minute * 60))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slot(from: &str, to: &str) -> WeeklySlot {
        WeeklySlot { from: from.to_owned(), to: to.to_owned() }
    }

    /// Minute by minute, with nothing of the code above.
    #[track_caller]
    fn check(from: &str, to: &str, inside: impl Fn(i64, i64) -> bool) {
        // 1 October 2026 is a Thursday.
        let month: Month = "2026-10".parse().unwrap();
        let stretches = stretches(&slot(from, to), month);
        for row in 0..31 {
            for minute in 0..1440 {
                let drawn = stretches.iter().any(|(r, a, b)| *r == row && *a <= minute * 60 && minute * 60 < *b);
                assert_eq!(drawn, inside((row + 3) % 7, minute), "{from} to {to}: row {row}, minute {minute}");
            }
        }
    }

    #[test]
    fn the_weekly_slot_is_on_each_day_it_has_a_part_of() {
        check("Fri 21:00", "Mon 03:00", |day, minute| {
            (day == 4 && minute >= 1260) || day >= 5 || (day == 0 && minute < 180)
        });
        check("Tue 01:00", "Tue 02:30", |day, minute| day == 1 && (60..150).contains(&minute));
        check("Wed 00:00", "Tue 00:00", |day, _| day != 1);
        check("Mon 00:00", "Wed 00:00", |day, _| day < 2);
    }

    #[test]
    fn what_is_no_moment_of_the_week_draws_nothing() {
        let month = "2026-10".parse().unwrap();
        for text in ["", "Fri", "Fri 25:00", "Fri 2100", "Freitag 21:00", "Fri -1:00"] {
            assert_eq!(stretches(&slot(text, "Mon 03:00"), month), []);
        }
    }
}
