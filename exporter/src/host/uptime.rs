//! When the system started, under node_exporter's `node_boot_time_seconds`; the uptime is
//! `node_time_seconds - node_boot_time_seconds`, so there is no metric of its own.

use super::source::{ParseError, lines, number, value, words};
use super::{Collector, Error, Pass};
use crate::exposition::{Kind, Page};

#[derive(Debug)]
pub(super) struct Uptime;

impl Collector for Uptime {
    fn name(&self) -> &'static str {
        "uptime"
    }

    fn owns(&self, family: &str) -> bool {
        family == "node_boot_time_seconds"
    }

    fn collect(&self, pass: &mut Pass<'_>, page: &mut Page) -> Result<(), Error> {
        let boot_time = pass.stat(parse)?;
        page.single("node_boot_time_seconds", "Node boot time, in unixtime.", Kind::Gauge, value(boot_time));
        Ok(())
    }
}

/// Seconds since the epoch, from the `btime` line of `/proc/stat`.
fn parse(text: &[u8]) -> Result<u64, ParseError> {
    for (i, line) in lines(text) {
        let mut words = words(line);
        if words.next() == Some(b"btime") {
            return number(i, words.next().unwrap_or_default());
        }
    }
    Err(ParseError::whole("no line `btime`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn btime_is_found_among_the_other_lines() {
        assert_eq!(parse(b"cpu 1 2 3 4\nintr 5 0 0\nbtime 1795400056\nprocesses 3\n"), Ok(1_795_400_056));
    }

    #[test]
    fn without_btime_there_is_an_error_not_the_year_1970() {
        assert_eq!(parse(b"cpu 1 2 3 4\n"), Err(ParseError::whole("no line `btime`")));
        assert_eq!(parse(b"x\nbtime\n").unwrap_err().line, 2);
        assert!(parse(b"btime -1\n").is_err());
    }
}
