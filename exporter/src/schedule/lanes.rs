//! How many runs are under way at once, and that hanging targets cannot take all the places.
//!
//! A run needs a place. Targets whose last run took more than half its timeout wait in a lane of their
//! own that has half of the places: however many of them hang, healthy targets find room.

use tokio::sync::{Semaphore, SemaphorePermit};

/// The places.
#[derive(Debug)]
pub(super) struct Lanes {
    all: Semaphore,
    slow: Semaphore,
}

/// A taken place; free again when dropped.
#[derive(Debug)]
pub(super) struct Place<'a> {
    _all: SemaphorePermit<'a>,
    _slow: Option<SemaphorePermit<'a>>,
}

impl Lanes {
    pub(super) fn new(places: usize) -> Self {
        let places = places.clamp(2, Semaphore::MAX_PERMITS);
        Self { all: Semaphore::new(places), slow: Semaphore::new(places / 2) }
    }

    /// Waits for a place; `None` never happens while the lanes exist (the semaphores are not closed).
    pub(super) async fn enter(&self, slow: bool) -> Option<Place<'_>> {
        let slow = if slow { Some(self.slow.acquire().await.ok()?) } else { None };
        let all = self.all.acquire().await.ok()?;
        Some(Place { _all: all, _slow: slow })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test(start_paused = true)]
    async fn hanging_targets_leave_half_of_the_places() {
        let lanes = Lanes::new(4);
        let _a = lanes.enter(true).await;
        let _b = lanes.enter(true).await;
        let third = tokio::time::timeout(Duration::from_secs(60), lanes.enter(true)).await;
        assert!(third.is_err(), "a third slow run got a place");
        let healthy = tokio::time::timeout(Duration::from_secs(60), lanes.enter(false)).await;
        assert!(healthy.is_ok(), "a healthy run waited");
    }
}
