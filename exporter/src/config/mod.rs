//! The configuration: what `sla.yml` says, checked as a whole.
//!
//! Files become values in three steps: [`node`] (YAML with positions), [`decode`] (typed values, unknown
//! keys refused), and one reader per section, which `load` calls in turn. All problems of a file are found at once.
//! Not for: watching files or applying a new configuration (`app`).

pub mod check;
mod load;

mod alertmanager;
mod backups;
mod certificates;
mod collectors;
mod contract;
mod embedded;
mod grafana;
mod hosts;
mod inventory_checks;
mod ledger;
mod logins;
mod modules;
mod probes;
#[cfg(test)]
mod reference;
mod roles;
mod support;
mod updates;

pub mod decode;
pub mod diagnostics;
pub mod masked;
pub mod names;
pub mod node;
pub mod units;

#[cfg(any(test, fuzzing))]
pub(crate) use self::modules::fuzz as fuzz_modules;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::contract::Contract;
use crate::grafana::Grafana;
use crate::ledger::Ledger;
use crate::logins::Logins;
use crate::notify::Alertmanagers;
use crate::probe::{Budget, Module};

pub use self::collectors::DEFAULT_TEXTFILE_DIRECTORY;
pub use self::diagnostics::{Diagnostic, Severity};
pub use self::inventory_checks::{Measured, REQUIRABLE};
pub use self::ledger::ledger_files;
pub use self::load::{Loaded, MAX_BYTES, embedded, load, load_at};
pub use self::roles::CHECKS;

/// A whole, checked configuration.
#[derive(Debug)]
pub struct Config {
    /// Vantage point, label `site`.
    pub site: String,
    /// What was promised.
    pub contract: Contract,
    /// One entry per probe and target, in the file's order.
    pub targets: Vec<Arc<TargetSpec>>,
    /// Every module, in the order read; those no probe uses included.
    pub modules: Vec<Arc<Module>>,
    /// Modules of files taken as they are that this version cannot run, and no probe uses: name and place.
    pub unusable_modules: Vec<(String, String)>,
    /// Whether a blackbox_exporter's file is taken as it is.
    pub replaces_blackbox: bool,
    /// Thresholds by device role.
    pub roles: Vec<Role>,
    /// The inventory.
    pub hosts: Vec<Host>,
    /// What this process measures of its own host.
    pub collectors: Collectors,
    /// What people recorded and decided; empty where no ledger is named.
    pub ledger: Arc<Ledger>,
    /// The ledger file or folder, where one is named.
    pub ledger_path: Option<PathBuf>,
    /// Where notices to customers are posted; absent: nowhere.
    pub alertmanager: Option<Arc<Alertmanagers>>,
    /// Which logs are read for failed logins; absent: none.
    pub logins: Option<Arc<Logins>>,
    /// Where the ledger is shown as annotations; absent: nowhere.
    pub grafana: Option<Arc<Grafana>>,
    /// How often a restore drill is to be made (C2.5); absent: nobody is reminded.
    pub restore_drills: Option<Duration>,
    /// Backup sets that are watched (C2.5).
    pub backups: Vec<crate::backups::BackupSet>,
    /// Certificates in files that are watched (C2.6.6).
    pub certificates: Vec<crate::certificates::CertificateSet>,
    /// The support desk; absent: not measured.
    pub support: Option<crate::support::Support>,
    /// Security updates of the host (C2.6.8); absent: not measured.
    pub updates: Option<crate::updates::Updates>,
    /// Every file the configuration was read from or depends on; watched for changes.
    pub files: Vec<PathBuf>,
}

impl Config {
    /// The module of this name, for a request.
    ///
    /// # Errors
    /// With why there is none, and what there is.
    pub fn module(&self, name: &str) -> Result<&Arc<Module>, String> {
        if let Some(module) = self.modules.iter().find(|module| module.name == name) {
            return Ok(module);
        }
        match self.unusable_modules.iter().find(|(unusable, _)| unusable == name) {
            Some((_, place)) => {
                Err(format!("module `{name}` ({place}) cannot be run; `sla-exporter check` says what is wrong with it"))
            }
            None => Err(names::unknown("module", name, self.modules.iter().map(|module| module.name.as_str()))),
        }
    }
}

/// One target of one probe: what the scheduler runs.
#[derive(Debug)]
pub struct TargetSpec {
    /// Label `probe`.
    pub probe: String,
    /// Label `target`.
    pub target: String,
    /// How it is probed; label `module` is its name.
    pub module: Arc<Module>,
    /// Time from one run's start to the next's; at most 5 minutes (C2.1).
    pub interval: Duration,
    /// A failure counts after this many failed attempts in one run; at least 1.
    pub attempts: u32,
    /// Bound of one attempt; all attempts together fit into the interval.
    pub timeout: Duration,
    /// What it proves, if it counts for the SLA.
    pub evidence: Option<Evidence>,
    /// The inventory's host it is about: the target's host part is that host's address or name.
    pub host: Option<String>,
    /// One of `contract.connectivity`: label `reference="true"`.
    pub reference: bool,
    /// Upper bounds of the probe's latency histogram, in seconds, rising.
    pub latency_buckets: Arc<[f64]>,
    /// Equal for two specs exactly when a reload may leave the running probe alone. Covers everything
    /// above, the module's settings, the content of the files it depends on, and the labels.
    pub fingerprint: u64,
}

impl TargetSpec {
    /// How long a run may take.
    #[must_use]
    pub fn budget(&self) -> Budget {
        let Self { timeout, attempts, interval, .. } = *self;
        Budget { timeout, attempts, spare: interval.saturating_sub(timeout.saturating_mul(attempts)) }
    }
}

/// A capability a probe is evidence for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Evidence {
    /// Label `function`.
    pub function: String,
    /// Label `capability`.
    pub capability: String,
}

/// Thresholds of one kind of device, exported as `sla_threshold{role,check}`.
#[derive(Clone, Debug, PartialEq)]
pub struct Role {
    /// Label `role`.
    pub name: String,
    /// `(check, value)`, checks of a closed list.
    pub thresholds: Vec<(&'static str, f64)>,
    /// What must be measured of its devices (C2.1), out of [`REQUIRABLE`].
    pub require: Vec<&'static str>,
}

/// A device of the system (C2.1).
#[derive(Clone, Debug, PartialEq)]
pub struct Host {
    /// Label `host`.
    pub name: String,
    /// One of the roles.
    pub role: Option<String>,
    /// Name or IP address.
    pub address: String,
    /// Devices that stand in for each other (C2.4).
    pub redundancy_group: Option<String>,
    /// `host:port` of the exporter that runs on it; drives `/sd`.
    pub exporter: Option<String>,
    /// What must be measured of it: its own list, else its role's.
    pub require: Vec<&'static str>,
    /// `(check, value)`: its own limits, in place of its role's.
    pub thresholds: Vec<(&'static str, f64)>,
}

/// Which host collectors run, and their settings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Collectors {
    /// Names out of `host::NAMES`, in the file's order; where the file has no list, all but `textfile`.
    pub enabled: Vec<String>,
    /// Folder of `*.prom` files; present exactly when `textfile` is enabled.
    pub textfile_directory: Option<PathBuf>,
}
