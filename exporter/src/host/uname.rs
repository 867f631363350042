//! The system's names, as node_exporter's `uname`.

use super::{Collector, Error, Pass};
use crate::exposition::{Kind, Page};

#[derive(Debug)]
pub(super) struct Uname;

impl Collector for Uname {
    fn name(&self) -> &'static str {
        "uname"
    }

    fn owns(&self, family: &str) -> bool {
        family == "node_uname_info"
    }

    fn collect(&self, pass: &mut Pass<'_>, page: &mut Page) -> Result<(), Error> {
        let names = pass.kernel.uname();
        page.family("node_uname_info", "The system's names as uname(2) says them; the value is 1.", Kind::Gauge);
        let labels = [
            ("domainname", names.domainname.as_str()),
            ("machine", names.machine.as_str()),
            ("nodename", names.nodename.as_str()),
            ("release", names.release.as_str()),
            ("sysname", names.sysname.as_str()),
            ("version", names.version.as_str()),
        ];
        page.sample(&labels, 1.0);
        Ok(())
    }
}
