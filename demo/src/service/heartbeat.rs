//! A dead man's switch: hears the monitoring's heartbeat and says so when it stops.
//!
//! In the demo only. For real use it must stand outside of what it watches (docs/mails.md).

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use hyper::StatusCode;
use tokio::time::Instant;

use crate::web::{self, Page};

/// The watchdog beats every minute; four lost beats are silence.
const SILENT_AFTER: Duration = Duration::from_secs(5 * 60);

/// When the last beat came, and how many came in all.
#[derive(Debug, Default)]
pub(super) struct Heartbeat(Mutex<(u64, Option<Instant>)>);

impl Heartbeat {
    /// A beat at `now`.
    pub(super) fn beat(&self, now: Instant) -> Page {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *state = (state.0 + 1, Some(now));
        web::text(StatusCode::OK, "heard\n")
    }

    /// Whether the monitoring lives at `now`: 200, or 503 when it is silent.
    pub(super) fn state(&self, now: Instant) -> Page {
        let (beats, last) = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match last.map(|last| now.saturating_duration_since(last)) {
            None => web::text(StatusCode::SERVICE_UNAVAILABLE, "no heartbeat yet\n"),
            Some(age) => {
                let status = if age <= SILENT_AFTER { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
                web::text(status, format!("{beats} heartbeats, the last {} s ago\n", age.as_secs()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_is_noticed_after_five_minutes() {
        let (heartbeat, start) = (Heartbeat::default(), Instant::now());
        let status = |seconds| heartbeat.state(start + Duration::from_secs(seconds)).status();
        assert_eq!(status(0), StatusCode::SERVICE_UNAVAILABLE);
        heartbeat.beat(start);
        assert_eq!((status(300), status(301)), (StatusCode::OK, StatusCode::SERVICE_UNAVAILABLE));
        heartbeat.beat(start + Duration::from_secs(301));
        assert_eq!(status(301), StatusCode::OK);
    }
}
