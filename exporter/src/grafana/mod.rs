//! Grafana: writes the ledger's windows as annotations by its HTTP API, and reads those that people drew.
//!
//! The shell around [`crate::annotations`]: asks Grafana for the annotations of ours, compares them with the ledger in force, creates,
//! updates and deletes, and looks again later, since people and other exporters write there too. Nothing is kept on disk: what
//! was written is found again by its tags. Not for: dashboards, which are provisioned from files.

mod answer;
mod api;
mod metrics;
mod settings;
mod writer;

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

pub(crate) use self::answer::Annotation;
pub(crate) use self::api::{Api, ConfigNames, Query};
pub use self::metrics::{GrafanaMetrics, State};
pub use self::settings::Grafana;
use self::writer::Writer;
use crate::app::App;
use crate::clock;

/// How fast it goes; shorter in tests.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// How often the ledger is looked at.
    pub look: Duration,
    /// How often Grafana is asked while nothing changes: until then something that was deleted there is missing.
    pub again: Duration,
    /// How soon after a change it is asked whether that was all: two exporters may have created the same.
    pub verify: Duration,
    /// The pause after a failure, doubled with each one that follows.
    pub pause: Duration,
    /// The longest pause.
    pub max_pause: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            look: Duration::from_secs(5),
            again: Duration::from_secs(300),
            verify: Duration::from_secs(30),
            pause: Duration::from_secs(15),
            max_pause: Duration::from_secs(600),
        }
    }
}

/// Keeps Grafana's annotations as the ledger has them, until `shutdown`. Does nothing while the configuration names no Grafana, or
/// one that is only read.
pub async fn run(app: Arc<App>, pace: Pace, shutdown: CancellationToken) {
    let mut writer = Writer::new(pace);
    loop {
        let config = app.config();
        let work = async {
            match config.grafana.as_ref().filter(|grafana| grafana.writes()) {
                Some(grafana) => writer.look(&app, &config, grafana, clock::whole_seconds()).await,
                None => {
                    writer.rest();
                    app.grafana().nothing();
                }
            }
            tokio::time::sleep(pace.look).await;
        };
        tokio::select! {
            // A request under way may be left behind: it is found by its tags.
            () = shutdown.cancelled() => return,
            () = work => {}
        }
    }
}
