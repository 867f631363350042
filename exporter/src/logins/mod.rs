//! Failed logins, counted from the logs of this host (C2.6.7): sshd, sudo, su, login, whatever asks PAM, and applications.
//!
//! [`classify`] and [`patterns`] say what a line means, [`once`] counts an attempt once that several lines tell of, [`tally`]
//! keeps the counts: all pure. [`follow`] reads files through every rotation, [`journal`] systemd's journal, `book` keeps
//! counts and places over restarts. Here is the shell: a look at every log every few seconds, in the background.
//! Not for: who is told (`alert-rules/logins.yml` and Alertmanager), blocking anybody, or logs of other hosts.

mod book;
pub mod classify;
mod desk;
pub mod follow;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;
pub mod journal;
pub mod kinds;
mod metrics;
pub mod once;
pub mod patterns;
mod settings;
pub mod tally;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use self::desk::Desk;
pub use self::metrics::LoginMetrics;
pub use self::settings::{Journal, Logins, Place, Source};
use crate::app::App;
use crate::clock;

/// How often the configuration is looked at while it names no logs.
const IDLE: Duration = Duration::from_secs(5);
/// Between two looks while there is more to read.
const BEHIND: Duration = Duration::from_millis(50);

/// Looks at the logs until `shutdown`. Does nothing while the configuration names none.
pub async fn run(app: Arc<App>, storage: PathBuf, shutdown: CancellationToken) {
    let mut desk = Desk::new(storage);
    loop {
        let config = app.config();
        let look = async {
            let Some(logins) = &config.logins else {
                desk.nothing(app.logins());
                return IDLE;
            };
            let caught_up = desk.look(app.logins(), &config.contract.name, logins, clock::whole_seconds()).await;
            if caught_up { logins.interval } else { BEHIND }
        };
        // What was not noted when it is cut off is read again after a restart.
        let pause = tokio::select! {
            pause = look => pause,
            () = shutdown.cancelled() => return,
        };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = shutdown.cancelled() => return,
        }
    }
}
