//! The system's clock, as node_exporter's `time`: a clock that is off shows against Prometheus' own.

use super::{Collector, Error, Pass};
use crate::exposition::{Kind, Page};

#[derive(Debug)]
pub(super) struct Time;

impl Collector for Time {
    fn name(&self) -> &'static str {
        "time"
    }

    fn owns(&self, family: &str) -> bool {
        family == "node_time_seconds"
    }

    fn collect(&self, pass: &mut Pass<'_>, page: &mut Page) -> Result<(), Error> {
        let help = "System time in seconds since epoch (1970).";
        page.single("node_time_seconds", help, Kind::Gauge, pass.kernel.unix_seconds());
        Ok(())
    }
}
