//! `rate_limit`: a token bucket for all requests together.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// A bucket that gains a token every interval and holds `burst` of them.
#[derive(Debug)]
pub(super) struct Limiter {
    interval: Duration,
    burst: u32,
    /// When the bucket will be full again; `None` until the first token is taken.
    full_at: Mutex<Option<Instant>>,
}

impl Limiter {
    /// A full bucket; neither argument is zero.
    pub(super) fn new(interval: Duration, burst: u32) -> Self {
        Self { interval, burst, full_at: Mutex::new(None) }
    }

    /// Takes a token; `false` when there is none.
    pub(super) fn take(&self, now: Instant) -> bool {
        let mut full_at = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        let after = full_at.map_or(now, |at| at.max(now)) + self.interval;
        let granted = after.saturating_duration_since(now) <= self.interval.saturating_mul(self.burst);
        if granted {
            *full_at = Some(after);
        }
        granted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_then_one_per_interval() {
        let limiter = Limiter::new(Duration::from_secs(10), 2);
        let start = Instant::now();
        let at = |seconds: u64| start + Duration::from_secs(seconds);
        let taken: Vec<_> = [0, 0, 0, 9, 10, 10, 19, 20, 60, 60, 60].map(|s| limiter.take(at(s))).into();
        assert_eq!(taken, [true, true, false, false, true, false, false, true, true, true, false]);
    }
}
