//! The `http_flow` prober: steps one after the other, as a user takes them: log in and see the page, submit the form and read
//! it back, follow a link and see that it was counted.
//!
//! Each step asks by HTTP or PostgreSQL, must get the answer that is expected, and may keep parts of it for the steps that follow.
//! Clean-up steps run whatever happened. Everything is bounded: steps, bytes, time, what is kept. Not for: branches, loops, code;
//! who needs those writes a program and reads its result (`textfile`, or an HTTP endpoint).

mod check;
mod engine;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;
mod request;
mod settings;
mod source;
mod step;
mod template;

use std::time::Duration;

pub use self::settings::{Settings, decode};
use super::{Failure, Samples, Shared, http};

/// Why a target cannot be probed with these settings: it is where paths of the steps lead.
///
/// # Errors
/// With what was found and what is accepted.
pub fn check_target(_settings: &Settings, target: &str) -> Result<(), String> {
    http::url(target).map(drop)
}

/// One attempt within `timeout`, of which clean-up steps have a part for themselves.
///
/// # Errors
/// With the reason the first step that failed did.
pub async fn run(
    settings: &Settings,
    target: &str,
    timeout: Duration,
    shared: &Shared,
    out: &mut Samples,
) -> Result<(), Failure> {
    engine::run(settings, target, timeout, shared, out).await
}
