//! Logs: one line per event on standard error, in logfmt or JSON.

use tracing::level_filters::LevelFilter;
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::{SubscriberInitExt as _, TryInitError};

use crate::cli::{Level, LogFormat};

/// Starts logging for the whole process.
///
/// # Errors
/// When it was started before.
pub fn start(level: Level, format: LogFormat) -> Result<(), TryInitError> {
    let layer = match format {
        LogFormat::Logfmt => {
            let layer = tracing_logfmt::builder().with_span_name(false).with_span_path(false);
            layer.layer().with_writer(std::io::stderr).boxed()
        }
        LogFormat::Json => tracing_subscriber::fmt::layer()
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .with_span_list(false)
            .with_writer(std::io::stderr)
            .boxed(),
    };
    tracing_subscriber::registry().with(filter(level)).with(layer).try_init()
}

/// Libraries speak up from warnings on: at debug they would log what clients and targets send.
fn filter(level: Level) -> Targets {
    let (level, libraries) = match level {
        Level::Debug => (LevelFilter::DEBUG, LevelFilter::WARN),
        Level::Info => (LevelFilter::INFO, LevelFilter::WARN),
        Level::Warn => (LevelFilter::WARN, LevelFilter::WARN),
        Level::Error => (LevelFilter::ERROR, LevelFilter::ERROR),
    };
    Targets::new().with_default(libraries).with_target("sla_exporter", level)
}
