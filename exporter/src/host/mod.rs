//! Metrics of the host this process runs on, under node_exporter's names, labels and units.
//!
//! A collector reads one kind of data from a root (`/proc`, `/sys`; a fixture in tests) and writes its
//! families to the page. One failing collector never fails the scrape: it reads first and writes
//! afterwards, so that it shows all of its families or none. Linux is what this is for; elsewhere the
//! collectors that need `/proc` say so and fail. docs/collectors.md has each one's files and metrics.

mod kernel;
mod source;

mod cpu;
mod disk;
mod filesystem;
mod load;
mod mdadm;
mod memory;
mod network;
pub(crate) mod textfile;
mod time;
mod uname;
mod uptime;

#[cfg(any(test, fuzzing))]
pub(crate) use self::mdadm::fuzz as fuzz_arrays;

use std::collections::HashMap;
use std::fmt::Debug;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::config::Collectors;
use crate::exposition::{Kind, Page};

use self::filesystem::Filesystem;
pub use kernel::{Kernel, Live, Uname, Usage};
pub use source::Error;
use source::{Pass, Scratch};

/// Names `collectors` accepts.
pub const NAMES: &[&str] =
    &["load", "cpu", "memory", "filesystem", "disk", "network", "mdadm", "uptime", "time", "uname", "textfile"];

/// Where the collectors read.
#[derive(Clone, Debug)]
pub struct Roots {
    /// `/proc`.
    pub proc: PathBuf,
    /// `/sys`.
    pub sys: PathBuf,
    /// Where the root of the system is that `proc` is of. Without it, that is `/` if `proc` is `/proc`, and unknown otherwise.
    pub root: Option<PathBuf>,
}

impl Roots {
    /// Of the system this process runs on.
    #[must_use]
    pub fn are_live(&self) -> bool {
        self.proc == Path::new("/proc")
    }
}

impl Default for Roots {
    fn default() -> Self {
        Self { proc: "/proc".into(), sys: "/sys".into(), root: None }
    }
}

/// Reads one kind of data and writes its families.
trait Collector: Debug + Send + Sync {
    /// Out of [`NAMES`]; label `collector`.
    fn name(&self) -> &'static str;

    /// Whether a family is this collector's, shown or not: a textfile cannot stand in for one that fails.
    fn owns(&self, family: &str) -> bool;

    /// Writes all families, or none and an error.
    fn collect(&self, pass: &mut Pass<'_>, page: &mut Page) -> Result<(), Error>;
}

/// The enabled collectors of one configuration.
#[derive(Debug)]
pub struct Host {
    roots: Roots,
    kernel: Arc<dyn Kernel>,
    collectors: Vec<Box<dyn Collector>>,
    scratch: Mutex<Scratch>,
    /// What each failing collector last said, so that it is logged once and not with every scrape.
    failing: Mutex<HashMap<&'static str, String>>,
}

impl Host {
    /// The collectors `settings` names, over this kernel.
    #[must_use]
    pub fn new(settings: &Collectors, roots: Roots) -> Self {
        Self::assemble(settings, roots, Arc::new(Live), Filesystem::live())
    }

    /// The same over another kernel: a test's.
    #[must_use]
    pub fn with_kernel(settings: &Collectors, roots: Roots, kernel: Arc<dyn Kernel>) -> Self {
        let filesystem = Filesystem::over(Arc::clone(&kernel));
        Self::assemble(settings, roots, kernel, filesystem)
    }

    fn assemble(settings: &Collectors, roots: Roots, kernel: Arc<dyn Kernel>, filesystem: Filesystem) -> Self {
        let mut filesystem = Some(filesystem);
        // In one order, whatever the file's: textfile comes last because it refuses families that exist.
        let collectors = NAMES
            .iter()
            .filter(|name| settings.enabled.iter().any(|enabled| enabled == *name))
            .filter_map(|name| collector(name, settings, &mut filesystem))
            .collect();
        Self { roots, kernel, collectors, scratch: Mutex::default(), failing: Mutex::default() }
    }

    /// Writes all families, and `node_scrape_collector_success` / `_duration_seconds`. Blocks: on files of the
    /// kernel, and at most a few seconds on filesystems that do not answer. Families that are on the page
    /// already are not written by `textfile`, so everything else comes before the host.
    pub fn collect(&self, page: &mut Page) {
        if self.collectors.is_empty() {
            return;
        }
        // A second scrape at the same time takes fresh memory rather than waiting.
        let mut scratch = std::mem::take(&mut *self.scratch.lock().unwrap_or_else(PoisonError::into_inner));
        let mut pass = Pass::new(&self.roots, &*self.kernel, &self.collectors, &mut scratch);
        let outcomes: Vec<Outcome> = self
            .collectors
            .iter()
            .map(|collector| {
                let start = Instant::now();
                let result = collector.collect(&mut pass, page);
                let outcome = Outcome { name: collector.name(), duration: start.elapsed(), success: result.is_ok() };
                self.log(outcome.name, result.err());
                outcome
            })
            .collect();
        *self.scratch.lock().unwrap_or_else(PoisonError::into_inner) = scratch;
        write_outcomes(&outcomes, page);
    }

    fn log(&self, name: &'static str, error: Option<Error>) {
        let mut failing = self.failing.lock().unwrap_or_else(PoisonError::into_inner);
        match error.map(|error| error.to_string()) {
            Some(error) if failing.get(name) != Some(&error) => {
                tracing::warn!(collector = name, %error, "a host collector fails: its metrics are absent");
                failing.insert(name, error);
            }
            Some(_) => {}
            None if failing.remove(name).is_some() => tracing::info!(collector = name, "a host collector works again"),
            None => {}
        }
    }
}

/// How one collector fared in one scrape.
struct Outcome {
    name: &'static str,
    duration: Duration,
    success: bool,
}

fn write_outcomes(outcomes: &[Outcome], page: &mut Page) {
    page.family(
        "node_scrape_collector_duration_seconds",
        "How long a host collector took in this scrape, in seconds.",
        Kind::Gauge,
    );
    for outcome in outcomes {
        page.sample(&[("collector", outcome.name)], outcome.duration.as_secs_f64());
    }
    page.family(
        "node_scrape_collector_success",
        "Whether a host collector succeeded in this scrape; its metrics are absent where it did not.",
        Kind::Gauge,
    );
    for outcome in outcomes {
        page.sample(&[("collector", outcome.name)], f64::from(u8::from(outcome.success)));
    }
}

fn collector(name: &str, settings: &Collectors, filesystem: &mut Option<Filesystem>) -> Option<Box<dyn Collector>> {
    Some(match name {
        "load" => Box::new(load::Load),
        "cpu" => Box::new(cpu::Cpu::default()),
        "memory" => Box::new(memory::Memory),
        "filesystem" => Box::new(filesystem.take()?),
        "disk" => Box::new(disk::Disk),
        "network" => Box::new(network::Network),
        "mdadm" => Box::new(mdadm::Mdadm),
        "uptime" => Box::new(uptime::Uptime),
        "time" => Box::new(time::Time),
        "uname" => Box::new(uname::Uname),
        "textfile" => Box::new(textfile::Textfile::new(settings.textfile_directory.as_deref()?)),
        _ => return None,
    })
}
