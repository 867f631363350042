//! Load averages, as node_exporter's `loadavg`: runnable and blocked tasks, averaged over 1, 5 and 15 minutes.
//!
//! Of the system this process runs on they come through sysinfo, which knows other systems than Linux too.

use std::io;

use super::source::{ParseError, shown, words};
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
        let [one, five, fifteen] = if pass.roots.are_live() { live()? } else { pass.proc("loadavg", parse)? };
        page.single("node_load1", "1m load average.", Kind::Gauge, one);
        page.single("node_load5", "5m load average.", Kind::Gauge, five);
        page.single("node_load15", "15m load average.", Kind::Gauge, fifteen);
        Ok(())
    }
}

fn live() -> Result<[f64; 3], Error> {
    let failed =
        |error: sysinfo::Error| Error::Call { call: "load average", source: io::Error::other(error.to_string()) };
    let load = sysinfo::System::load_average().map_err(failed)?;
    Ok([load.one, load.five, load.fifteen])
}

fn parse(text: &[u8]) -> Result<[f64; 3], ParseError> {
    let mut words = words(text);
    let mut average = || {
        let word = words.next().unwrap_or_default();
        let number = std::str::from_utf8(word).ok().and_then(|word| word.parse().ok());
        number
            .filter(|number: &f64| number.is_finite() && *number >= 0.0)
            .ok_or_else(|| ParseError::at(0, format!("found `{}` where a load average is expected", shown(word))))
    };
    Ok([average()?, average()?, average()?])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_three_numbers_are_the_averages() {
        assert_eq!(parse(b"0.21 12.37 0.39 3/4039 21\n"), Ok([0.21, 12.37, 0.39]));
    }

    #[test]
    fn garbage_is_no_load_of_zero() {
        for text in ["", "0.21 0.37", "0.21 x 0.39", "0.21 -1 0.39", "0.21 NaN 0.39", "0.21 inf 0.39"] {
            assert!(parse(text.as_bytes()).is_err_and(|error| error.line == 1), "{text}");
        }
    }

    #[test]
    fn this_system_has_a_load() {
        assert!(live().unwrap().iter().all(|average| *average >= 0.0));
    }
}
