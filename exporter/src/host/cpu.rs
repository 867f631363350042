//! Time of each processor by mode out of `/proc/stat`, as node_exporter's `cpu`.
//!
//! The kernel's own counters go back a little now and then (idle and iowait, when a tickless processor is
//! woken), which Prometheus would take for a restart and add as a jump. So a value that went back
//! keeps its highest; an idle time that went back by [`JUMP_BACK_SECONDS`] means that the processor was
//! off in between, and starts all of its values anew.

use std::sync::{Mutex, PoisonError};

use tokio::time::Instant;

use super::source::{ParseError, lines, number, value, words};
use super::{Collector, Error, Pass};
use crate::exposition::{Kind, Page};

/// The columns of a processor's line that are modes; what kernels append later is not known to be one.
const MODES: [&str; 8] = [
    "mode=\"user\"",
    "mode=\"nice\"",
    "mode=\"system\"",
    "mode=\"idle\"",
    "mode=\"iowait\"",
    "mode=\"irq\"",
    "mode=\"softirq\"",
    "mode=\"steal\"",
];
/// Column of the idle time.
const IDLE: usize = 3;
/// The columns after the modes; this time is part of `user` and `nice` too.
const GUEST_MODES: [&str; 2] = ["mode=\"user\"", "mode=\"nice\""];
const COLUMNS: usize = MODES.len() + GUEST_MODES.len();
/// Columns every kernel since 2.4 has.
const OLDEST: usize = 4;

const TIME: &str = "node_cpu_seconds_total";
const GUEST_TIME: &str = "node_cpu_guest_seconds_total";

const JUMP_BACK_SECONDS: f64 = 3.0;

#[derive(Debug, Default)]
pub(super) struct Cpu {
    shown: Mutex<Shown>,
}

/// What the last scrape showed.
#[derive(Debug, Default)]
struct Shown {
    read_at: Option<Instant>,
    processors: Vec<Processor>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Processor {
    id: u32,
    /// `cpu="0"`.
    label: String,
    /// As many of [`COLUMNS`] as the kernel has.
    ticks: Ticks,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Ticks {
    columns: usize,
    counts: [u64; COLUMNS],
}

impl Collector for Cpu {
    fn name(&self) -> &'static str {
        "cpu"
    }

    fn owns(&self, family: &str) -> bool {
        [TIME, GUEST_TIME].contains(&family)
    }

    fn collect(&self, pass: &mut Pass<'_>, page: &mut Page) -> Result<(), Error> {
        let read_at = Instant::now();
        let read = pass.stat(parse)?;
        let per_second = pass.kernel.ticks_per_second();
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        shown.update(read_at, &read, per_second);
        write(&shown.processors, per_second, page);
        Ok(())
    }
}

fn write(processors: &[Processor], per_second: f64, page: &mut Page) {
    let mut family = |name: &str, help: &str, first: usize, modes: &[&str]| {
        if processors.iter().all(|processor| processor.ticks.columns <= first) {
            return;
        }
        page.family(name, help, Kind::Counter);
        for processor in processors {
            for (mode, ticks) in modes.iter().zip(processor.ticks.known().get(first..).unwrap_or_default()) {
                page.rendered(&processor.label, mode, value(*ticks) / per_second);
            }
        }
    };
    let help = "Seconds the CPUs spent in guests (VMs) for each mode.";
    family(GUEST_TIME, help, MODES.len(), &GUEST_MODES);
    family(TIME, "Seconds the CPUs spent in each mode.", 0, &MODES);
}

impl Shown {
    /// Takes what was read, without letting a counter go back. A processor that is gone is forgotten.
    fn update(&mut self, read_at: Instant, read: &[(u32, Ticks)], per_second: f64) {
        // Of two scrapes at the same time the one that read first may come here last.
        if self.read_at.is_some_and(|last| last > read_at) {
            return;
        }
        self.read_at = Some(read_at);
        self.processors.retain(|shown| read.binary_search_by_key(&shown.id, |(id, _)| *id).is_ok());
        for (i, (id, ticks)) in read.iter().enumerate() {
            // Both are sorted, and what is not read is gone: the same processor stands at the same place.
            match self.processors.get_mut(i) {
                Some(shown) if shown.id == *id => shown.ticks.advance(ticks, per_second),
                _ => self.processors.insert(i, Processor { id: *id, label: format!("cpu=\"{id}\""), ticks: *ticks }),
            }
        }
    }
}

impl Ticks {
    fn known(&self) -> &[u64] {
        &self.counts[..self.columns]
    }

    fn advance(&mut self, read: &Self, per_second: f64) {
        let went_back = value(self.counts[IDLE].saturating_sub(read.counts[IDLE])) / per_second;
        if went_back >= JUMP_BACK_SECONDS {
            *self = *read;
            return;
        }
        self.columns = read.columns;
        for (shown, read) in self.counts.iter_mut().zip(read.counts) {
            *shown = read.max(*shown);
        }
    }
}

/// Each processor once, sorted by its number.
fn parse(text: &[u8]) -> Result<Vec<(u32, Ticks)>, ParseError> {
    let mut processors = Vec::new();
    for (i, line) in lines(text) {
        // `cpu` alone is the sum.
        let Some(line) = line.strip_prefix(b"cpu").filter(|rest| rest.first().is_some_and(|byte| *byte != b' ')) else {
            continue;
        };
        let mut words = words(line);
        let id = number(i, words.next().unwrap_or_default())?;
        let id = u32::try_from(id).map_err(|_| ParseError::at(i, format!("no processor has the number {id}")))?;
        let mut ticks = Ticks { columns: 0, counts: [0; COLUMNS] };
        for (count, word) in ticks.counts.iter_mut().zip(words) {
            *count = number(i, word)?;
            ticks.columns += 1;
        }
        if ticks.columns < OLDEST {
            let found = ticks.columns;
            return Err(ParseError::at(i, format!("{found} times for processor {id}, expected {OLDEST} or more")));
        }
        processors.push((id, ticks));
    }
    processors.sort_by_key(|(id, _)| *id);
    processors.dedup_by_key(|(id, _)| *id);
    if processors.is_empty() {
        return Err(ParseError::whole("no processor; expected lines such as `cpu0 1 2 3 4`"));
    }
    Ok(processors)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn shown_after(texts: &[&str]) -> Vec<(u32, Vec<u64>)> {
        let mut shown = Shown::default();
        let start = Instant::now();
        for (i, text) in texts.iter().enumerate() {
            let read_at = start + Duration::from_secs(i as u64);
            shown.update(read_at, &parse(text.as_bytes()).unwrap(), 100.0);
        }
        shown.processors.iter().map(|processor| (processor.id, processor.ticks.known().to_vec())).collect()
    }

    #[test]
    fn the_sum_of_all_processors_is_left_out() {
        let text = "cpu  9 9 9 9 9 9 9 9 9 9\ncpu0 1 2 3 4 5 6 7 8 9 10\nintr 5\n";
        assert_eq!(shown_after(&[text]), [(0, (1..=10).collect())]);
    }

    #[test]
    fn a_counter_that_went_back_keeps_its_highest() {
        assert_eq!(shown_after(&["cpu0 1 2 3 400 50\n", "cpu0 2 2 3 399 49\n"]), [(0, vec![2, 2, 3, 400, 50])]);
    }

    #[test]
    fn idle_back_by_three_seconds_is_a_processor_that_was_off() {
        let off = "cpu0 0 0 0 100\n";
        assert_eq!(shown_after(&["cpu0 9 9 9 399\n", off]), [(0, vec![9, 9, 9, 399])]);
        assert_eq!(shown_after(&["cpu0 9 9 9 400\n", off]), [(0, vec![0, 0, 0, 100])]);
    }

    #[test]
    fn processors_come_and_go() {
        let both = "cpu0 1 1 1 1\ncpu2 1 1 1 1\n";
        assert_eq!(shown_after(&[both, "cpu2 2 2 2 2\n"]), [(2, vec![2; 4])]);
        assert_eq!(shown_after(&[both, "cpu0 2 2 2 2\ncpu1 3 3 3 3\ncpu2 4 4 4 4\n"]).len(), 3);
        // Back with less than it had: nothing is remembered of the time before.
        assert_eq!(
            shown_after(&["cpu0 1 1 1 9\ncpu1 5 5 5 5\n", "cpu0 1 1 1 9\n", "cpu0 1 1 1 9\ncpu1 1 1 1 1\n"])[1].1,
            [1; 4]
        );
    }

    #[test]
    fn an_older_reading_that_comes_late_changes_nothing() {
        let mut shown = Shown::default();
        let late = Instant::now();
        shown.update(late + Duration::from_secs(1), &parse(b"cpu0 1 1 1 900\n").unwrap(), 100.0);
        shown.update(late, &parse(b"cpu0 1 1 1 100\n").unwrap(), 100.0);
        assert_eq!(shown.processors[0].ticks.known(), [1, 1, 1, 900]);
    }

    #[test]
    fn old_kernels_have_fewer_modes_and_new_ones_may_have_more_columns() {
        assert_eq!(shown_after(&["cpu0 1 2 3 4\n"]), [(0, vec![1, 2, 3, 4])]);
        assert_eq!(shown_after(&["cpu0 1 2 3 4 5 6 7 8 9 10 11 12\n"])[0].1.len(), 10);
    }

    #[test]
    fn garbage_names_its_line() {
        for (text, line) in [
            ("", 0),
            ("cpu  1 2 3 4\n", 0),
            ("cpu0 1 2 3\n", 1),
            ("cpu0 1 2 3 4\ncpu1 1 2 3 -4\n", 2),
            ("cpux 1 2 3 4\n", 1),
            ("cpu99999999999 1 2 3 4\n", 1),
        ] {
            assert_eq!(parse(text.as_bytes()).map_err(|error| error.line), Err(line), "{text:?}");
        }
    }
}
