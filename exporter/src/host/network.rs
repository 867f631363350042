//! Traffic of the network devices out of `/proc/net/dev`, as node_exporter's `netdev`, and whether each is
//! up out of `/sys/class/net`, as its `netclass`.

use super::source::{ParseError, lines, number, shown, value, words};
use super::{Collector, Error, Pass};
use crate::exposition::{Kind, Page};

/// The columns of `/proc/net/dev`, in its order.
const COLUMNS: [(&str, &str); 16] = [
    ("node_network_receive_bytes_total", "Network device statistic receive_bytes."),
    ("node_network_receive_packets_total", "Network device statistic receive_packets."),
    ("node_network_receive_errs_total", "Network device statistic receive_errs."),
    ("node_network_receive_drop_total", "Network device statistic receive_drop."),
    ("node_network_receive_fifo_total", "Network device statistic receive_fifo."),
    ("node_network_receive_frame_total", "Network device statistic receive_frame."),
    ("node_network_receive_compressed_total", "Network device statistic receive_compressed."),
    ("node_network_receive_multicast_total", "Network device statistic receive_multicast."),
    ("node_network_transmit_bytes_total", "Network device statistic transmit_bytes."),
    ("node_network_transmit_packets_total", "Network device statistic transmit_packets."),
    ("node_network_transmit_errs_total", "Network device statistic transmit_errs."),
    ("node_network_transmit_drop_total", "Network device statistic transmit_drop."),
    ("node_network_transmit_fifo_total", "Network device statistic transmit_fifo."),
    ("node_network_transmit_colls_total", "Network device statistic transmit_colls."),
    ("node_network_transmit_carrier_total", "Network device statistic transmit_carrier."),
    ("node_network_transmit_compressed_total", "Network device statistic transmit_compressed."),
];

const UP: &str = "node_network_up";

#[derive(Debug)]
pub(super) struct Network;

#[derive(Clone, Debug, PartialEq, Eq)]
struct Device {
    name: String,
    counts: [u64; COLUMNS.len()],
}

impl Collector for Network {
    fn name(&self) -> &'static str {
        "network"
    }

    fn owns(&self, family: &str) -> bool {
        family == UP || COLUMNS.iter().any(|(name, _)| *name == family)
    }

    fn collect(&self, pass: &mut Pass<'_>, page: &mut Page) -> Result<(), Error> {
        let devices = pass.proc("net/dev", parse)?;
        if devices.is_empty() {
            return Ok(());
        }
        for (column, (name, help)) in COLUMNS.iter().enumerate() {
            page.family(name, help, Kind::Counter);
            for device in &devices {
                page.sample(&[("device", &device.name)], value(device.counts[column]));
            }
        }
        let up: Vec<(&str, bool)> =
            devices.iter().filter_map(|device| Some((device.name.as_str(), is_up(pass, &device.name)?))).collect();
        if !up.is_empty() {
            page.family(UP, "Value is 1 if operstate is 'up', 0 otherwise.", Kind::Gauge);
            for (device, up) in up {
                page.sample(&[("device", device)], f64::from(u8::from(up)));
            }
        }
        Ok(())
    }
}

/// Nothing where the kernel does not say, as for a device that went away since.
fn is_up(pass: &mut Pass<'_>, device: &str) -> Option<bool> {
    pass.sys(&format!("class/net/{device}/operstate"), |text| Ok(text.trim_ascii() == b"up")).ok()
}

fn parse(text: &[u8]) -> Result<Vec<Device>, ParseError> {
    let mut devices: Vec<Device> = Vec::new();
    // Two lines of headings.
    for (i, line) in lines(text).filter(|(i, _)| *i >= 2) {
        // The last colon: a device's name may have one (`eth0:1`), and need not be followed by a space.
        let Some(colon) = line.iter().rposition(|byte| *byte == b':') else {
            return Err(ParseError::at(i, format!("found `{}`, expected `device: counts`", shown(line))));
        };
        let (name, counts) = (line[..colon].trim_ascii(), &line[colon + 1..]);
        let mut device = Device { name: String::from_utf8_lossy(name).into_owned(), counts: [0; COLUMNS.len()] };
        let mut words = words(counts);
        for count in &mut device.counts {
            *count = number(i, words.next().unwrap_or_default())?;
        }
        if name.is_empty() {
            return Err(ParseError::at(i, "a device without a name"));
        }
        devices.push(device);
    }
    // No kernel names a device twice; one that did would spoil the whole page.
    devices.sort_by(|a, b| a.name.cmp(&b.name));
    devices.dedup_by(|a, b| a.name == b.name);
    Ok(devices)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "Inter-|   Receive      |  Transmit\n face |bytes    packets |bytes\n";

    #[test]
    fn names_with_a_colon_and_counts_without_a_space_are_read() {
        let text = format!(
            "{HEAD}    lo: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\neth0:1:99 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n"
        );
        let devices = parse(text.as_bytes()).unwrap();
        assert_eq!((devices[0].name.as_str(), devices[0].counts[0]), ("eth0:1", 99));
        assert_eq!(devices[0].counts[15], 16);
        assert_eq!((devices[1].name.as_str(), devices[1].counts[0]), ("lo", 1));
    }

    #[test]
    fn a_namespace_without_devices_is_no_error() {
        assert_eq!(parse(HEAD.as_bytes()), Ok(vec![]));
        assert_eq!(parse(b""), Ok(vec![]));
    }

    #[test]
    fn garbage_names_its_line() {
        for line in ["eth0 1 2\n", "eth0: 1 2 3\n", "eth0: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 -16\n"] {
            assert_eq!(parse(format!("{HEAD}{line}").as_bytes()).unwrap_err().line, 3, "{line}");
        }
        assert_eq!(parse(format!("{HEAD}: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n").as_bytes()).unwrap_err().line, 3);
    }
}
