//! sla-exporter: an SLA as code.
//!
//! One contract file, one ledger file and a set of probes go in; probe results, host metrics and the
//! contract's own figures come out as ordinary Prometheus metrics.
//!
//! The modules, in reading order. The pure core (`contract`, `ledger`, `span`, `calendar`, `windows`,
//! `months`, `config::node`, `probe::metric`) knows no
//! clock, no socket and no log; the shell around it owns them and decides nothing.

pub mod business;
pub mod calendar;
pub mod contract;
pub mod lang;
pub mod ledger;
pub mod months;
pub mod span;
pub mod windows;

pub mod atomic_file;
pub mod clock;
pub mod config;
pub mod regular_file;
pub mod secret;

pub mod annotations;
pub mod grafana;
pub mod logins;
pub mod notices;
pub mod notify;
pub mod verdict;

pub mod exposition;
pub mod host;
pub mod latency;
pub mod probe;
pub mod schedule;

pub mod draft;
mod http_client;
pub mod once;
pub mod prometheus_api;
pub mod report;
pub mod status;
pub mod support;

pub mod backups;
pub mod certificates;
pub mod duties;
pub mod updates;

pub mod app;
pub mod contract_metrics;
pub mod ledger_metrics;
pub mod selfmetrics;
pub mod server;

pub mod cli;
pub mod daemon;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
pub mod logging;
pub mod reload;
pub mod watch;
