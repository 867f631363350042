//! Buckets of a native histogram: exponential ones of a fixed resolution, kept only where something fell into them.
//!
//! Schema 3 of Prometheus: eight buckets to each doubling, so a quantile is at most 9 % off. Bucket `i` holds what is above
//! 2^((i−1)/8) and at most 2^(i/8). Pure.

use std::collections::BTreeMap;

use crate::exposition::protobuf::Native;

/// Prometheus' number for this resolution.
const SCHEMA: i32 = 3;
/// Buckets to a doubling.
const PER_DOUBLING: f64 = 8.0;
/// What is not above this is zero, in seconds: less than any clock here resolves.
const ZERO_THRESHOLD: f64 = 1e-6;
/// 2^(120/8) s are nine hours: longer than any interval. With the zero threshold it bounds how many buckets there can be.
const MAX_INDEX: i32 = 120;

/// Observations by bucket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sparse {
    zero: u64,
    buckets: BTreeMap<i32, u64>,
}

impl Sparse {
    /// Counts one.
    pub fn observe(&mut self, seconds: f64) {
        if seconds > ZERO_THRESHOLD {
            *self.buckets.entry(index(seconds)).or_default() += 1;
        } else {
            self.zero += 1;
        }
    }

    /// As the protobuf format has them, with how many there were and their sum.
    #[must_use]
    pub fn native(&self, count: u64, sum: f64) -> Native {
        let (schema, zero_threshold, zero_count) = (SCHEMA, ZERO_THRESHOLD, self.zero);
        let mut found = Native { count, sum, schema, zero_threshold, zero_count, ..Native::default() };
        let mut before = (None, 0);
        for (&index, &count) in &self.buckets {
            let count = i64::try_from(count).unwrap_or(i64::MAX);
            match (before.0, found.spans.last_mut()) {
                (Some(last), Some((_, length))) if last + 1 == index => *length += 1,
                (last, _) => found.spans.push((last.map_or(index, |last: i32| index - last - 1), 1)),
            }
            found.deltas.push(count - before.1);
            before = (Some(index), count);
        }
        found
    }
}

/// Which bucket `seconds`, above zero, belongs into.
fn index(seconds: f64) -> i32 {
    #[allow(clippy::cast_possible_truncation)]
    let index = (seconds.log2() * PER_DOUBLING).ceil() as i32;
    // The logarithm of a bound may come out a little above it.
    let bound = |index: i32| (f64::from(index) / PER_DOUBLING).exp2();
    let index = if seconds <= bound(index.saturating_sub(1)) { index - 1 } else { index };
    index.min(MAX_INDEX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_belongs_to_the_bucket_below_it() {
        for (seconds, expected) in [
            (1.0, 0),
            (1.000_001, 1),
            (2.0, 8),
            (0.5, -8),
            (0.500_001, -7),
            (1e-5, -132),
            (f64::MAX, MAX_INDEX),
            (f64::INFINITY, MAX_INDEX),
        ] {
            assert_eq!(index(seconds), expected, "{seconds}");
        }
        for i in -150..MAX_INDEX {
            let bound = (f64::from(i) / PER_DOUBLING).exp2();
            assert_eq!(index(bound), i, "{bound}");
            assert_eq!(index(bound * 1.000_001), i + 1, "above {bound}");
        }
    }

    #[test]
    fn buckets_in_a_row_are_one_span_and_counts_are_told_by_their_differences() {
        let mut sparse = Sparse::default();
        assert_eq!(sparse.native(0, 0.0).spans, []);
        // Buckets 0, 0, 1, 8, and two zeros.
        for seconds in [1.0, 0.99, 1.05, 2.0, 0.0, 1e-6] {
            sparse.observe(seconds);
        }
        let native = sparse.native(6, 5.04);
        assert_eq!((native.zero_count, native.count), (2, 6));
        assert_eq!((native.spans, native.deltas), (vec![(0, 2), (6, 1)], vec![2, -1, 0]));
    }

    #[test]
    fn whatever_is_observed_the_buckets_stay_few() {
        let mut sparse = Sparse::default();
        let mut seconds = 1e-12;
        while seconds < 1e12 {
            sparse.observe(seconds);
            seconds *= 1.01;
        }
        sparse.observe(f64::NAN);
        assert!(sparse.buckets.len() < 300, "{}", sparse.buckets.len());
    }
}
