//! A client of Prometheus' HTTP API v1, for subcommands that turn recorded series into documents.
//!
//! Works with Prometheus from 2.42 on, with VictoriaMetrics, and with what offers the same API under a path (Thanos,
//! Mimir). One connection is kept for successive requests; time, bytes and samples are bounded; an answer that is
//! not complete is an error, never a figure. Not for scraping, not for writing, and not for deciding what is up.
//!
//! ```no_run
//! # async fn example(flags: &sla_exporter::cli::PrometheusFlags) -> Result<(), Box<dyn std::error::Error>> {
//! use sla_exporter::prometheus_api::{Client, Settings};
//!
//! let settings = Settings::from_flags(flags)?;
//! settings.warnings.iter().for_each(|warning| eprintln!("{warning}"));
//! let mut client = Client::new(settings);
//! // Samples as they were recorded, from < t <= to.
//! let slots = client.raw("sla:function_up:5m", 1_790_780_400, 1_793_458_800, |done, total| {
//!     eprint!("\r{}%", done * 100 / total);
//! }).await?;
//! # Ok(()) }
//! ```

mod settings;

mod request;

mod answer;
mod judge;
mod pieces;

mod client;
mod error;

pub use answer::{Labels, Point, Sample, Series};
pub use client::{Client, Server};
pub use error::{Error, ErrorKind};
pub use settings::{Settings, SettingsError};

/// A label's value as PromQL writes it, quotation marks included.
#[must_use]
pub fn quoted(value: &str) -> String {
    format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}
