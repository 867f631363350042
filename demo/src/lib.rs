//! Something to watch: a small web service with switches to break it, a mail catcher, and a year of invented history.
//!
//! For `make run`, `docker compose up` and the end-to-end tests. Not for production: passwords are known, mails are
//! shown to whoever asks.

pub mod clock;
pub mod history;
pub mod mail;
pub mod service;
pub mod stack;
pub mod tls;
pub mod web;

/// Waits for SIGTERM, SIGINT or SIGHUP (a closed terminal).
pub async fn stopped() {
    use tokio::signal::unix::{SignalKind, signal};
    match (signal(SignalKind::terminate()), signal(SignalKind::interrupt()), signal(SignalKind::hangup())) {
        (Ok(mut terminate), Ok(mut interrupt), Ok(mut hangup)) => {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
                _ = hangup.recv() => {}
            }
        }
        // Without handlers the signals' default ends the process.
        _ => std::future::pending().await,
    }
}
