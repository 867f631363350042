//! Load averages, as node_exporter's `loadavg`.

use super::{Collector, Error, Pass};
use crate::exposition::{Kind, Page};

#[derive(Debug)]
pub(super) struct Load;

impl Collector for Load {
    fn name(&self) -> &'static str {
        "load"
    }

    fn owns(&self, family: &str) -> bool {
        ["node_load1", "node_load5", "node_load15"].contains(&family)
    }

    fn collect(&self, pass: &mut Pass<'_>, page: &mut Page) -> Result<(), Error> {
        let [one, five, fifteen] =
            pass.kernel.load_average().map_err(|source| Error::Call { call: "load average", source })?;
        page.single("node_load1", "1m load average.", Kind::Gauge, one);
        page.single("node_load5", "5m load average.", Kind::Gauge, five);
        page.single("node_load15", "15m load average.", Kind::Gauge, fifteen);
        Ok(())
    }
}
