//! What the backups of a set come to at one moment. Pure.

use super::BackupSet;

const DAY: i64 = 86_400;
/// So many backups before the newest make the size it is compared with.
const COMPARED: usize = 14;

/// One backup as it lies there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backup {
    /// When it was written to its end (seconds since the epoch).
    pub written_at: i64,
    /// Bytes.
    pub size: u64,
}

/// What the backups of a set come to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Figures {
    /// How many there are.
    pub count: usize,
    /// The newest.
    pub newest: Option<Backup>,
    /// When the oldest was written.
    pub oldest_at: Option<i64>,
    /// The median size of those before the newest; absent where there are fewer than two.
    pub median_size: Option<f64>,
    /// Of the last `keep_days` days, those for which there is one.
    pub dates_covered: u32,
}

/// The figures of `backups` at `now`.
///
/// A day of the past `n` (0 is the last 24 hours) is covered by a backup whose age is at least `n` days and at most
/// `n` days and `max_age`, each for one day only: what may be late today may have been late then. So a set that is made once a day and keeps exactly
/// `keep_days` of them covers all days at any hour, also where the time of day varies by `max_age` less a day.
#[must_use]
pub fn figures(backups: &[Backup], set: &BackupSet, now: i64) -> Figures {
    let mut sorted: Vec<Backup> =
        backups.iter().copied().filter(|backup| settled(backup, set, now) && backup.size > 0).collect();
    sorted.sort_unstable_by_key(|backup| backup.written_at);
    let max_age = i64::try_from(set.max_age.as_secs()).unwrap_or(i64::MAX);
    // Newest first, each for one day.
    let mut ages = sorted.iter().rev().map(|backup| now.saturating_sub(backup.written_at).max(0)).peekable();
    let mut days: u32 = 0;
    for day in 0..i64::from(set.keep_days) {
        while ages.next_if(|age| *age < day * DAY).is_some() {}
        days += u32::from(ages.next_if(|age| *age <= (day * DAY).saturating_add(max_age)).is_some());
    }
    Figures {
        count: sorted.len(),
        newest: sorted.last().copied(),
        oldest_at: sorted.first().map(|backup| backup.written_at),
        median_size: sorted.split_last().and_then(|(_, before)| median(before)),
        dates_covered: days,
    }
}

/// What is being written is no backup yet. What claims to be of the future is taken for now: clocks differ.
fn settled(backup: &Backup, set: &BackupSet, now: i64) -> bool {
    let age = now.saturating_sub(backup.written_at);
    age < 0 || age >= i64::try_from(set.settle.as_secs()).unwrap_or(i64::MAX)
}

#[allow(clippy::cast_precision_loss)] // no file has 9 petabytes
fn median(before: &[Backup]) -> Option<f64> {
    let mut sizes: Vec<u64> = before.iter().rev().take(COMPARED).map(|backup| backup.size).collect();
    sizes.sort_unstable();
    match sizes.len() {
        0 | 1 => None,
        count if count % 2 == 1 => Some(sizes[count / 2] as f64),
        count => Some(f64::midpoint(sizes[count / 2 - 1] as f64, sizes[count / 2] as f64)),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const HOUR: i64 = 3600;
    const NOW: i64 = 1_800_000_000;

    fn set() -> BackupSet {
        BackupSet {
            name: "db".to_owned(),
            path: "/backup/*".to_owned(),
            max_age: Duration::from_secs(26 * 3600),
            keep_days: 7,
            min_size_ratio: 0.5,
            settle: Duration::from_secs(60),
            interval: Duration::from_secs(300),
        }
    }

    /// Backups of so many hours ago, of 100 bytes.
    fn of(hours: &[i64]) -> Vec<Backup> {
        hours.iter().map(|hours| Backup { written_at: NOW - hours * HOUR, size: 100 }).collect()
    }

    #[test]
    fn seven_kept_cover_seven_days_at_any_hour_and_six_do_not() {
        for hour in 0..=26 {
            let seven: Vec<i64> = (0..7).map(|day| day * 24 + hour.max(1)).collect();
            assert_eq!(figures(&of(&seven), &set(), NOW).dates_covered, 7, "{hour} h after the last");
            assert!(figures(&of(&seven[..6]), &set(), NOW).dates_covered < 7, "{hour} h after the last");
        }
    }

    #[test]
    fn a_day_without_one_is_seen_and_so_is_a_newest_that_is_late() {
        assert_eq!(figures(&of(&[1, 25, 73, 97, 121, 145]), &set(), NOW).dates_covered, 6);
        assert_eq!(figures(&of(&[27, 51, 75, 99, 123, 147]), &set(), NOW).dates_covered, 6);
        let none = figures(&[], &set(), NOW);
        assert_eq!((none.count, none.newest, none.oldest_at, none.dates_covered), (0, None, None, 0));
    }

    #[test]
    fn what_is_written_now_or_empty_is_no_backup() {
        let written = |ago: i64, size: u64| Backup { written_at: NOW - ago, size };
        let found = figures(&[written(59, 10), written(60, 20), written(100, 0), written(7200, 30)], &set(), NOW);
        assert_eq!((found.count, found.newest), (2, Some(written(60, 20))));
        assert_eq!(figures(&[written(-5, 10)], &set(), NOW).count, 1, "of the future");
    }

    #[test]
    fn the_newest_is_compared_with_the_median_of_those_before() {
        let sizes = |sizes: &[u64]| -> Vec<Backup> {
            let each = sizes.iter().zip(1..);
            each.map(|(size, n)| Backup { written_at: NOW - 30 * DAY + n * DAY, size: *size }).collect()
        };
        for (given, expected) in [
            (&[1][..], None),
            (&[5, 1], None),
            (&[5, 7, 1], Some(6.0)),
            (&[5, 100, 7, 1], Some(7.0)),
            (&[5, 100, 7, 9, 1], Some(8.0)),
        ] {
            assert_eq!(figures(&sizes(given), &set(), NOW).median_size, expected, "{given:?}");
        }
        let mut old = vec![1_000_000; 20];
        old.extend([10; 15]);
        assert_eq!(figures(&sizes(&old), &set(), NOW).median_size, Some(10.0), "a size of long ago is forgotten");
    }

    #[test]
    fn odd_numbers_are_no_panic() {
        let mut odd = set();
        odd.max_age = Duration::MAX;
        odd.keep_days = 1000;
        let extreme = [i64::MIN / 2, 0, i64::MAX].map(|written_at| Backup { written_at, size: u64::MAX });
        let _ = figures(&extreme, &odd, NOW);
    }
}
