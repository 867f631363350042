//! The `postgres` prober.

use std::time::Duration;

use super::{Failure, Reason, Samples, Section, Shared};

/// Settings of the section `postgres`.
#[derive(Debug)]
pub struct Settings;

/// Reads the section `postgres` of a module.
pub fn decode(map: Section<'_>) -> Option<Settings> {
    map.finish();
    Some(Settings)
}

/// Why a target cannot be probed with these settings.
///
/// # Errors
/// With what was found and what is accepted.
pub fn check_target(_settings: &Settings, _target: &str) -> Result<(), String> {
    Ok(())
}

/// One attempt.
///
/// # Errors
/// With the reason the attempt failed.
pub async fn run(
    _settings: &Settings,
    _target: &str,
    _timeout: Duration,
    _shared: &Shared,
    _out: &mut Samples,
) -> Result<(), Failure> {
    Err(Failure::new(Reason::Internal, "not built yet"))
}
