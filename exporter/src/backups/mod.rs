//! Backups (C2.5): are they made every day, kept for as long as promised, and as large as the ones before.
//!
//! Pure: [`figures`]. Shell: `scan` looks at files, `watch` has it do so in the background, `metrics` shows what was found.
//! Not for: making backups, and not for whether one can be restored; only a drill shows that (ledger: `drills`).

pub mod figures;
mod metrics;
mod scan;
mod watch;

use std::time::Duration;

pub use self::metrics::BackupMetrics;
pub(crate) use self::metrics::is_family;
pub(crate) use self::scan::check as check_path;
pub use self::watch::run;

/// One backup set.
#[derive(Clone, Debug, PartialEq)]
pub struct BackupSet {
    /// Label `backup`.
    pub name: String,
    /// Which files or folders are its backups, one each: an absolute pattern such as `/backup/db/*.dump`.
    pub path: String,
    /// How old the newest may be.
    pub max_age: Duration,
    /// How many days back there must be one for each.
    pub keep_days: u32,
    /// The least size of the newest, as a share of the median of those before it.
    pub min_size_ratio: f64,
    /// What was changed later than so long ago is still being written.
    pub settle: Duration,
    /// From the end of one look to the next.
    pub interval: Duration,
}
