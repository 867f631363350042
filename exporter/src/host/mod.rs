//! Metrics of the host this process runs on, under node_exporter's names, labels and units.
//!
//! A collector reads one kind of data from a root (`/proc`, `/sys`; a fixture in tests) and writes its
//! families to the page. One failing collector never fails the scrape.

use std::path::PathBuf;

use crate::config::Collectors;
use crate::exposition::Page;

/// Names `collectors` accepts.
pub const NAMES: &[&str] =
    &["load", "cpu", "memory", "filesystem", "disk", "network", "uptime", "time", "uname", "textfile"];

/// Where the collectors read.
#[derive(Clone, Debug)]
pub struct Roots {
    /// `/proc`.
    pub proc: PathBuf,
    /// `/sys`.
    pub sys: PathBuf,
}

/// The enabled collectors of one configuration.
#[derive(Debug)]
pub struct Host;

impl Host {
    /// The collectors `settings` names.
    #[must_use]
    pub fn new(_settings: &Collectors, _roots: Roots) -> Self {
        Self
    }

    /// Writes all families, and `node_scrape_collector_success` / `_duration_seconds`.
    pub fn collect(&self, _page: &mut Page) {}
}
