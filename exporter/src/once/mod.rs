//! `sla-exporter probe`: one run now, told to a person step by step: the tool to reach for when a probe fails.
//!
//! Uses the probers as the scheduler does. Not for the SLA: what is measured here is in no metric and no slot.

pub(crate) mod advice;
mod choice;
pub mod command;
mod json;
mod text;

use std::time::Duration;

use self::choice::Chosen;
use crate::probe::{Run, Trace};

/// A run with all that is told of it.
struct Told<'a> {
    chosen: &'a Chosen,
    timeout: Duration,
    run: &'a Run,
    trace: &'a Trace,
}
