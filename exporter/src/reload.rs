//! One way to reload for every trigger: a signal, a request, a changed file.
//!
//! Not for: what a reload does (`app`), or noticing changes (`watch`), which is told of each reload
//! here so that it does not answer one that has already happened.

use std::sync::Arc;

use tokio::sync::watch;

use crate::app::{App, ReloadSummary};
use crate::config::diagnostics::{Diagnostic, Severity};
use crate::config::node::Mark;
use crate::watch::Stamps;

/// Reloads on behalf of whoever asks, one at a time.
#[derive(Debug)]
pub struct Reloader {
    app: Arc<App>,
    seen: watch::Sender<Stamps>,
    one_at_a_time: tokio::sync::Mutex<()>,
}

impl Reloader {
    /// A reloader for `app`, whose configuration was read when its files were as `seen` says.
    #[must_use]
    pub fn new(app: Arc<App>, seen: Stamps) -> Arc<Self> {
        Arc::new(Self { app, seen: watch::Sender::new(seen), one_at_a_time: tokio::sync::Mutex::default() })
    }

    /// The files of the configuration in force, as they were when it was last read.
    pub fn subscribe(&self) -> watch::Receiver<Stamps> {
        self.seen.subscribe()
    }

    /// Reads the configuration again; `trigger` is for the log.
    ///
    /// # Errors
    /// Every finding; the configuration of before stays in force. [`App::reload`] has logged them.
    pub async fn reload(&self, trigger: &'static str) -> Result<ReloadSummary, Vec<Diagnostic>> {
        let _turn = self.one_at_a_time.lock().await;
        tracing::info!(trigger, "reloading the configuration");
        let app = Arc::clone(&self.app);
        let result = tokio::task::spawn_blocking(move || {
            // Taken before reading: what changes while we read is noticed afterwards.
            let before = Stamps::of(&app.config().files);
            let result = app.reload();
            let mut files = app.config().files.clone();
            // A file the refused configuration names, and the one in force does not, is where the fault is mended.
            files.extend(result.as_ref().err().into_iter().flatten().map(|finding| finding.file.clone()));
            (before.extended_to(&files), result)
        })
        .await;
        match result {
            Ok((seen, result)) => {
                self.seen.send_replace(seen);
                result
            }
            Err(error) => {
                tracing::error!(%error, "reload ended unexpectedly; the configuration of before stays in force");
                Err(vec![Diagnostic {
                    file: std::path::PathBuf::new(),
                    mark: Mark::default(),
                    path: String::new(),
                    message: "the reload ended unexpectedly; the log says why".to_owned(),
                    severity: Severity::Error,
                }])
            }
        }
    }
}
