//! Telling customers: posts the ledger's events to Alertmanager as they fall due, and keeps the book of it (C2.2).
//!
//! The shell around [`crate::notices`]: looks every few seconds, posts to every Alertmanager, each by itself, goes on until
//! one has accepted, and a while longer, so that an Alertmanager that restarts in between mails too. Which mails go to whom,
//! and that each goes out once, is Alertmanager's. Not for: alerts of the monitoring, which Prometheus sends.

mod alertmanager;
mod desk;
mod metrics;
mod store;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

pub use self::alertmanager::Alertmanagers;
use self::desk::Desk;
pub use self::metrics::NoticeMetrics;
pub use self::store::Store;
use crate::app::App;
use crate::clock;

/// How fast it goes; shorter in tests.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// How often the ledger is looked at.
    pub look: Duration,
    /// How often what was accepted is posted again.
    pub repeat: Duration,
    /// How long an Alertmanager that failed is left alone.
    pub pause: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self { look: Duration::from_secs(5), repeat: Duration::from_secs(60), pause: Duration::from_secs(15) }
    }
}

/// How long answers are waited for at the end.
const LAST: Duration = Duration::from_secs(2);

/// Posts what falls due until `shutdown`. Does nothing while the configuration names no Alertmanager.
pub async fn run(app: Arc<App>, storage: PathBuf, pace: Pace, shutdown: CancellationToken) {
    let mut desk = Desk::new(storage, pace);
    loop {
        let config = app.config();
        match &config.alertmanager {
            Some(alertmanagers) => desk.look(&app, &config, alertmanagers, clock::whole_seconds()).await,
            None => app.notices().nothing(),
        }
        let wake = tokio::time::sleep(pace.look);
        tokio::pin!(wake);
        loop {
            tokio::select! {
                () = &mut wake => break,
                answer = desk.answer() => desk.heard(&app, answer, clock::whole_seconds()).await,
                () = shutdown.cancelled() => {
                    // What is accepted just now is noted, or it would be posted again.
                    let rest = async {
                        while desk.waits() {
                            let answer = desk.answer().await;
                            desk.heard(&app, answer, clock::whole_seconds()).await;
                        }
                    };
                    drop(tokio::time::timeout(LAST, rest).await);
                    return;
                }
            }
        }
    }
}
