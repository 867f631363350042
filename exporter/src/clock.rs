//! The one place where the wall clock is read. The pure core gets the time as a parameter.

/// Seconds since the epoch.
#[must_use]
#[allow(clippy::disallowed_methods)]
pub fn unix_seconds() -> f64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0.0, |d| d.as_secs_f64())
}

/// The same, without the fraction.
#[must_use]
#[allow(clippy::cast_possible_truncation)]
pub fn whole_seconds() -> i64 {
    unix_seconds() as i64
}
