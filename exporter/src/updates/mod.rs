//! Security updates of the host's own packages, on Debian and Ubuntu (C2.6.8): how many wait, since when, and whether a restart is
//! missing for them to be in force.
//!
//! Asked is `apt-cache policy`, which reads apt's lists and dpkg's state without root, without a lock and without working out an
//! upgrade: what is held, pinned, or cannot be upgraded waits as well, and so does a fix that a point release has overtaken, all of
//! which `apt-get -s dist-upgrade` leaves out. Nothing is fetched: what apt's lists do not know is unknown here, and lists that are
//! too old count as not knowing.
//!
//! Pure: [`policy`], [`release`], [`version`], the ages in `book`. Shell: `scan`, `reboot`; `watch` has them look in the
//! background, `metrics` shows what was found. Not for: installing anything, and not for what came without a package (the
//! ledger's `advisories`).

mod book;
mod metrics;
pub mod policy;
mod reboot;
pub mod release;
mod scan;
pub mod version;
mod watch;

use std::path::PathBuf;
use std::time::Duration;

pub use self::metrics::UpdateMetrics;
pub use self::reboot::Reboot;
pub use self::scan::{Known, Scan};
pub use self::watch::run;

/// What is asked, and how often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Updates {
    /// From the end of one look to the next.
    pub interval: Duration,
    /// How old the security archives' lists may be for the count to be shown.
    pub lists_max_age: Duration,
    /// Origins all of whose updates count, such as `apt.postgresql.org`.
    pub origins: Vec<String>,
    /// `apt-cache`.
    pub program: PathBuf,
}
