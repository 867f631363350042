//! Input and output of block devices out of `/proc/diskstats`, as node_exporter's `diskstats`.
//!
//! Kernels before 4.18 have no discards, kernels before 5.5 no flushes: those series are then absent.

use std::sync::LazyLock;

use regex::bytes::Regex;

use super::source::{ParseError, lines, number, shown, value, words};
use super::{Collector, Error, Pass};
use crate::exposition::{Kind, Page};

/// The devices node_exporter leaves out: RAM disks, loops, floppies, and partitions beside their disk.
const EXCLUDED: &str = r"^(z?ram|loop|fd|(h|s|v|xv)d[a-z]|nvme\d+n\d+p)\d+$";

/// What one count of a column is.
#[derive(Clone, Copy, Debug)]
enum Unit {
    One,
    /// 512 bytes in these statistics, whatever the device's own sectors are.
    Sector,
    Millisecond,
}

use Unit::{Millisecond, One, Sector};

/// The columns after the device's name.
const COLUMNS: [(&str, Unit, &str); 17] = [
    ("node_disk_reads_completed_total", One, "The total number of reads completed successfully."),
    ("node_disk_reads_merged_total", One, "The total number of reads merged."),
    ("node_disk_read_bytes_total", Sector, "The total number of bytes read successfully."),
    ("node_disk_read_time_seconds_total", Millisecond, "The total number of seconds spent by all reads."),
    ("node_disk_writes_completed_total", One, "The total number of writes completed successfully."),
    ("node_disk_writes_merged_total", One, "The number of writes merged."),
    ("node_disk_written_bytes_total", Sector, "The total number of bytes written successfully."),
    ("node_disk_write_time_seconds_total", Millisecond, "The total number of seconds spent by all writes."),
    ("node_disk_io_now", One, "The number of I/Os currently in progress."),
    ("node_disk_io_time_seconds_total", Millisecond, "Total seconds spent doing I/Os."),
    ("node_disk_io_time_weighted_seconds_total", Millisecond, "The weighted number of seconds spent doing I/Os."),
    ("node_disk_discards_completed_total", One, "The total number of discards completed successfully."),
    ("node_disk_discards_merged_total", One, "The total number of discards merged."),
    ("node_disk_discarded_sectors_total", One, "The total number of sectors discarded successfully."),
    ("node_disk_discard_time_seconds_total", Millisecond, "The total number of seconds spent by all discards."),
    ("node_disk_flush_requests_total", One, "The total number of flush requests completed successfully."),
    (
        "node_disk_flush_requests_time_seconds_total",
        Millisecond,
        "The total number of seconds spent by all flush requests.",
    ),
];

/// Columns every kernel since 2.6.25 has.
const OLDEST: usize = 11;

#[derive(Debug)]
pub(super) struct Disk;

#[derive(Clone, Debug, PartialEq, Eq)]
struct Device {
    name: String,
    /// As many of [`COLUMNS`] as the kernel has.
    counts: Vec<u64>,
}

impl Collector for Disk {
    fn name(&self) -> &'static str {
        "disk"
    }

    fn owns(&self, family: &str) -> bool {
        COLUMNS.iter().any(|(name, ..)| *name == family)
    }

    fn collect(&self, pass: &mut Pass<'_>, page: &mut Page) -> Result<(), Error> {
        let devices = pass.proc("diskstats", parse)?;
        for (column, (name, unit, help)) in COLUMNS.iter().enumerate() {
            let mut counts = devices
                .iter()
                .filter_map(|device| Some((device.name.as_str(), *device.counts.get(column)?)))
                .peekable();
            if counts.peek().is_none() {
                continue;
            }
            page.family(name, help, if name.ends_with("_total") { Kind::Counter } else { Kind::Gauge });
            for (device, count) in counts {
                page.sample(&[("device", device)], unit.of(count));
            }
        }
        Ok(())
    }
}

impl Unit {
    /// The metric's value, in its base unit.
    fn of(self, count: u64) -> f64 {
        match self {
            One => value(count),
            Sector => value(count) * 512.0,
            Millisecond => value(count) / 1000.0,
        }
    }
}

/// The devices that are not excluded.
fn parse(text: &[u8]) -> Result<Vec<Device>, ParseError> {
    static EXCLUSION: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(EXCLUDED).ok());
    let mut devices: Vec<Device> = Vec::new();
    for (i, line) in lines(text) {
        let mut words = words(line).skip(2);
        let Some(name) = words.next() else {
            return Err(ParseError::at(i, format!("found `{}`, expected major, minor, name and counts", shown(line))));
        };
        if EXCLUSION.as_ref().is_some_and(|exclusion| exclusion.is_match(name)) {
            continue;
        }
        let counts = words.take(COLUMNS.len()).map(|word| number(i, word)).collect::<Result<Vec<u64>, _>>()?;
        if counts.len() < OLDEST {
            let found = counts.len();
            return Err(ParseError::at(i, format!("{found} counts for `{}`, expected {OLDEST} or more", shown(name))));
        }
        devices.push(Device { name: String::from_utf8_lossy(name).into_owned(), counts });
    }
    // No kernel names a device twice; one that did would spoil the whole page.
    devices.sort_by(|a, b| a.name.cmp(&b.name));
    devices.dedup_by(|a, b| a.name == b.name);
    Ok(devices)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<String> {
        parse(text.as_bytes()).unwrap().into_iter().map(|device| device.name).collect()
    }

    #[test]
    fn partitions_loops_and_ram_disks_are_left_out() {
        let line = |name: &str| format!("   8       0 {name} 1 2 3 4 5 6 7 8 9 10 11\n");
        let text: String = [
            "sda",
            "sda1",
            "vdb",
            "vdb12",
            "xvda1",
            "nvme0n1",
            "nvme0n1p2",
            "loop0",
            "ram3",
            "zram0",
            "fd0",
            "dm-0",
            "md127",
            "sr0",
            "mmcblk0",
            "mmcblk0p1",
        ]
        .map(line)
        .concat();
        assert_eq!(names(&text), ["dm-0", "md127", "mmcblk0", "mmcblk0p1", "nvme0n1", "sda", "sr0", "vdb"]);
    }

    #[test]
    fn every_generation_of_kernels_is_read() {
        for columns in [11, 15, 17, 20] {
            let counts: Vec<String> = (1..=columns).map(|count| count.to_string()).collect();
            let devices = parse(format!("8 0 sda {}\n", counts.join(" ")).as_bytes()).unwrap();
            let expected: Vec<u64> = (1..=columns.min(17)).collect();
            assert_eq!(devices, [Device { name: "sda".into(), counts: expected }]);
        }
    }

    #[test]
    fn a_host_without_disks_is_no_error() {
        assert_eq!(parse(b""), Ok(vec![]));
    }

    #[test]
    fn garbage_names_its_line() {
        assert_eq!(parse(b"8 0 sda 1 2 3 4 5 6 7 8 9 10\n").unwrap_err().line, 1);
        assert_eq!(parse(b"8 0 sda 1 2 3 4 5 6 7 8 9 10 11\n8 0\n").unwrap_err().line, 2);
        assert_eq!(parse(b"8 0 sda 1 2 3 4 5 6 7 8 -9 10 11\n").unwrap_err().line, 1);
    }

    #[test]
    fn the_exclusion_is_a_regular_expression() {
        assert!(Regex::new(EXCLUDED).is_ok());
    }
}
