//! A long span asked for piece by piece, and the answers joined without loss or duplicate.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use super::answer::{Labels, Point, Series};
use crate::http_client::{ErrorKind, Fault};

/// A span of `total` units, walked in pieces whose size follows what the server can give.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pieces {
    total: u64,
    done: u64,
    size: u64,
    least: u64,
    most: u64,
}

/// Samples of one piece that are worth a request of their own: more is not asked for at once by choice.
const PLENTY: u64 = 250_000;

impl Pieces {
    /// Pieces of `first` units to begin with, later of any number within `sizes`.
    pub(super) fn new(total: u64, first: u64, sizes: RangeInclusive<u64>) -> Self {
        let least = (*sizes.start()).max(1);
        let most = (*sizes.end()).max(least);
        Self { total, done: 0, size: first.clamp(least, most), least, most }
    }

    /// The next piece, as `(begin, end)` in units from the start.
    pub(super) fn next(&self) -> Option<(u64, u64)> {
        (self.done < self.total).then(|| (self.done, self.done.saturating_add(self.size).min(self.total)))
    }

    /// The piece that ends at `end` gave `points` samples: few make the next one longer, many make it shorter.
    pub(super) fn took(&mut self, end: u64, points: u64) {
        self.done = end;
        self.size = if points > PLENTY {
            (self.size / 2).max(self.least)
        } else if points.saturating_mul(4) <= PLENTY {
            self.size.saturating_mul(4).min(self.most)
        } else {
            self.size
        };
    }

    /// Makes pieces shorter after one was too much; whether that can be done.
    pub(super) fn shorten(&mut self) -> bool {
        let asked = self.size.min(self.total - self.done);
        if asked <= self.least {
            return false;
        }
        self.size = (asked / 4).max(self.least);
        // It was too much once: no longer ones from here on.
        self.most = self.size;
        true
    }

    /// How much is done and how much there is, in units.
    pub(super) fn progress(&self) -> (u64, u64) {
        (self.done, self.total)
    }
}

/// Answers put together, by labels.
#[derive(Debug)]
pub(super) struct Joined {
    series: BTreeMap<Labels, Vec<Point>>,
    points: usize,
    limit: usize,
}

impl Joined {
    /// Nothing yet; at most `limit` points.
    pub(super) fn new(limit: usize) -> Self {
        Self { series: BTreeMap::new(), points: 0, limit }
    }

    /// Adds those points of an answer that lie within `after < t <= until`, in milliseconds.
    pub(super) fn add(&mut self, answer: Vec<Series>, after: i64, until: i64) -> Result<(), Fault> {
        for mut series in answer {
            series.points.retain(|point| after < point.millis && point.millis <= until);
            if series.points.is_empty() {
                continue;
            }
            self.points += series.points.len();
            if self.points > self.limit {
                return Err(Fault::new(
                    ErrorKind::TooMuch,
                    format_args!(
                        "there are more than {} samples in this span; ask for fewer series or less time",
                        self.limit
                    ),
                ));
            }
            self.series.entry(series.labels).or_default().append(&mut series.points);
        }
        Ok(())
    }

    /// The series, ordered by labels; points ordered by time, of several at one moment the first.
    pub(super) fn into_series(self) -> Vec<Series> {
        let tidy = |(labels, mut points): (Labels, Vec<Point>)| {
            if !points.is_sorted_by(|a, b| a.millis < b.millis) {
                points.sort_by_key(|point| point.millis);
                points.dedup_by_key(|point| point.millis);
            }
            Series { labels, points }
        };
        self.series.into_iter().map(tidy).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walk(mut pieces: Pieces, points_per_unit: u64) -> Vec<(u64, u64)> {
        let mut all = Vec::new();
        while let Some((begin, end)) = pieces.next() {
            all.push((begin, end));
            pieces.took(end, (end - begin) * points_per_unit);
        }
        all
    }

    #[test]
    fn pieces_touch_and_cover_the_whole() {
        for total in [0, 1, 5, 86_399, 86_400, 86_401, 31 * 86_400] {
            for per_unit in [0, 1, 100, 1_000_000] {
                let all = walk(
                    Pieces::new(total, 3600, 1..=86_400),
                    per_unit.min(if total > 86_401 { 100 } else { per_unit }),
                );
                assert_eq!(all.first().map_or(0, |piece| piece.0), 0);
                assert_eq!(all.last().map_or(0, |piece| piece.1), total);
                assert!(all.windows(2).all(|pair| pair[0].1 == pair[1].0), "{all:?}");
                assert!(all.iter().all(|(begin, end)| begin < end && end - begin <= 86_400), "{all:?}");
            }
        }
    }

    #[test]
    fn pieces_grow_where_there_is_little_and_shrink_where_there_is_much() {
        assert_eq!(walk(Pieces::new(31, 1, 1..=31), 576), [(0, 1), (1, 5), (5, 21), (21, 31)]);
        assert_eq!(walk(Pieces::new(4, 2, 1..=9), 1_000_000), [(0, 2), (2, 3), (3, 4)]);
    }

    #[test]
    fn what_was_too_much_is_asked_for_in_quarters_down_to_the_least() {
        let mut pieces = Pieces::new(100, 64, 3..=64);
        for expected in [16, 4, 3] {
            assert!(pieces.shorten());
            assert_eq!(pieces.next(), Some((0, expected)));
        }
        assert!(!pieces.shorten());
        // What is left may be less than the size.
        let mut pieces = Pieces::new(8, 64, 1..=64);
        assert!(pieces.shorten());
        assert_eq!(pieces.next(), Some((0, 2)));
    }

    #[test]
    fn what_was_too_much_once_is_not_asked_for_again() {
        let mut pieces = Pieces::new(100, 64, 1..=64);
        assert!(pieces.shorten());
        pieces.took(16, 0);
        assert_eq!(pieces.next(), Some((16, 32)));
    }

    fn series(label: &str, millis: &[i64]) -> Series {
        let points = millis.iter().map(|millis| Point { millis: *millis, value: 1.0 }).collect();
        Series { labels: Labels::from([("l".to_owned(), label.to_owned())]), points }
    }

    fn times(joined: Joined) -> Vec<(String, Vec<i64>)> {
        let times = |s: Series| (s.labels["l"].clone(), s.points.iter().map(|p| p.millis).collect());
        joined.into_series().into_iter().map(times).collect()
    }

    #[test]
    fn a_sample_on_a_border_is_taken_once_whether_servers_close_their_ranges_or_not() {
        for closed in [true, false] {
            let mut joined = Joined::new(9);
            joined.add(vec![series("a", if closed { &[0, 5, 10] } else { &[5, 10] })], 0, 10).unwrap();
            // And what was not asked for is not taken.
            joined
                .add(vec![series("b", &[11]), series("a", if closed { &[10, 20, 21] } else { &[20] })], 10, 20)
                .unwrap();
            assert_eq!(times(joined), [("a".to_owned(), vec![5, 10, 20]), ("b".to_owned(), vec![11])]);
        }
    }

    #[test]
    fn a_series_in_two_parts_is_one_and_no_moment_is_twice() {
        let mut joined = Joined::new(9);
        joined.add(vec![series("a", &[3, 4]), series("a", &[1, 3])], 0, 10).unwrap();
        assert_eq!(times(joined), [("a".to_owned(), vec![1, 3, 4])]);
    }

    #[test]
    fn the_limit_is_the_last_number_of_points_kept() {
        assert!(Joined::new(2).add(vec![series("a", &[1, 2])], 0, 9).is_ok());
        assert_eq!(Joined::new(2).add(vec![series("a", &[1, 2, 3])], 0, 9).unwrap_err().kind, ErrorKind::TooMuch);
    }
}
