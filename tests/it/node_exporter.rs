//! The host collectors beside Debian's node_exporter on this very host: the same names, TYPEs and labels, and the same
//! values where values stand still. What differs is listed here, and in docs/collectors.md.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use sla_exporter::config::Collectors;
use sla_exporter::exposition::{Format, Page};
use sla_exporter::host::{Host, NAMES, Roots};
use sla_exporter::selfmetrics::SelfMetrics;
use sla_tests::program::Program;

/// node_exporter's collectors that ours correspond to, and ours' exclusions, which Debian's build has changed.
const FLAGS: &[&str] = &[
    "--collector.disable-defaults",
    "--collector.loadavg",
    "--collector.cpu",
    "--collector.meminfo",
    "--collector.filesystem",
    "--collector.filesystem.mount-points-exclude=^/(dev|proc|run/credentials/.+|sys|var/lib/docker/.+|var/lib/containers/storage/.+)($|/)",
    "--collector.diskstats",
    "--collector.diskstats.device-exclude=^(z?ram|loop|fd|(h|s|v|xv)d[a-z]|nvme\\d+n\\d+p)\\d+$",
    "--collector.netdev",
    "--collector.netdev.device-exclude=^$",
    "--collector.netclass",
    "--collector.mdadm",
    "--collector.stat",
    "--collector.time",
    "--collector.uname",
    "--collector.textfile",
    "--web.disable-exporter-metrics",
];

/// Families of those collectors that we do not have; a name that ends in `*` stands for all that begin so.
const NOT_OURS: &[&str] = &[
    "node_context_switches_total",
    "node_disk_info",
    "node_disk_filesystem_info",
    "node_disk_device_mapper_info",
    "node_disk_ata_*",
    "node_exporter_build_info",
    "node_filesystem_mount_info",
    "node_forks_total",
    "node_intr_total",
    "node_network_address_assign_type",
    "node_network_carrier*",
    "node_network_device_id",
    "node_network_dormant",
    "node_network_flags",
    "node_network_iface_*",
    "node_network_info",
    "node_network_mtu_bytes",
    "node_network_name_assign_type",
    "node_network_net_dev_group",
    "node_network_protocol_type",
    "node_network_receive_nohandler_total",
    "node_network_speed_bytes",
    "node_network_transmit_queue_length",
    "node_procs_*",
    "node_softirqs_total",
    "node_time_clocksource_*",
    "node_time_zone_offset_seconds",
    "promhttp_*",
];

/// Families of ours it does not have.
const OURS_ALONE: &[&str] = &["node_md_sync_progress_ratio", "sla_exporter_textfile_error"];

/// Families whose labels differ: the collectors have names of our own, and RAID has two more states.
const OTHER_LABEL_VALUES: &[&str] =
    &["node_md_state", "node_scrape_collector_duration_seconds", "node_scrape_collector_success"];

struct NodeExporter {
    _program: Program,
    port: u16,
}

impl NodeExporter {
    fn start(textfiles: &Path) -> Self {
        let textfile = format!("--collector.textfile.directory={}", textfiles.display());
        Self::with(&FLAGS.iter().map(ToString::to_string).chain([textfile]).collect::<Vec<_>>(), textfiles)
    }

    fn with(flags: &[String], folder: &Path) -> Self {
        let arguments = |port: u16| {
            let address = format!("--web.listen-address=127.0.0.1:{port}");
            flags.iter().cloned().chain([address]).collect()
        };
        let (program, port) = Program::listening("prometheus-node-exporter", arguments, folder);
        Self { _program: program, port }
    }

    fn metrics(&self) -> String {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        stream.write_all(b"GET /metrics HTTP/1.0\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(" 200 "), "{head}");
        body.to_owned()
    }
}

fn ours(textfiles: &Path) -> String {
    let enabled = NAMES.iter().map(|name| (*name).to_owned()).collect();
    let settings = Collectors { enabled, textfile_directory: Some(textfiles.to_owned()) };
    let mut page = Page::new(Format::Text, Vec::new());
    Host::new(&settings, Roots::default()).collect(&mut page);
    String::from_utf8(page.finish()).unwrap()
}

/// A page taken apart; good enough for label values without `,` and `"`, which the test does not meet.
#[derive(Debug, Default)]
struct Families(BTreeMap<String, Family>);

#[derive(Debug, Default)]
struct Family {
    kind: String,
    /// By labels, sorted by name.
    samples: BTreeMap<String, f64>,
}

impl Families {
    fn of(page: &str) -> Self {
        let mut families = Self::default();
        for line in page.lines() {
            if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' ')) {
                families.0.entry(name.to_owned()).or_default().kind = kind.to_owned();
            } else if !line.starts_with('#') {
                let (series, value) = line.rsplit_once(' ').unwrap();
                let (name, labels) = series.split_once('{').unwrap_or((series, "}"));
                let labels = labels.trim_end_matches('}');
                // At the end of a value, so that a comma within one is none.
                let mut labels: Vec<String> =
                    labels.split("\",").map(|label| label.trim_end_matches('"').to_owned()).collect();
                // An empty label is no label.
                labels.retain(|label| !label.is_empty() && !label.ends_with("=\""));
                labels.sort();
                let samples = &mut families.0.entry(name.to_owned()).or_default().samples;
                samples.insert(labels.join("\","), value.parse().unwrap());
            }
        }
        families
    }

    fn label_names(&self, family: &str) -> BTreeSet<BTreeSet<String>> {
        let names = |labels: &String| {
            labels.split("\",").filter_map(|label| Some(label.split_once('=')?.0.to_owned())).collect()
        };
        self.0[family].samples.keys().map(names).collect()
    }

    #[track_caller]
    fn samples(&self, family: &str) -> &BTreeMap<String, f64> {
        &self.0.get(family).unwrap_or_else(|| panic!("no {family}")).samples
    }
}

fn listed(list: &[&str], name: &str) -> bool {
    list.iter().any(|entry| entry.strip_suffix('*').map_or(*entry == name, |prefix| name.starts_with(prefix)))
}

#[test]
fn the_pages_have_the_same_names_types_labels_and_standing_values() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("a.prom"),
        "# HELP textfile_things_total Things.\n# TYPE textfile_things_total counter\n\
         textfile_things_total{a=\"1\",b=\"x y\"} 3\ntextfile_untyped 4\n",
    )
    .unwrap();
    let node_exporter = NodeExporter::start(folder.path());
    let theirs = Families::of(&node_exporter.metrics());
    let ours = Families::of(&ours(folder.path()));

    let mut problems = Vec::new();
    for name in theirs.0.keys().filter(|name| !ours.0.contains_key(*name) && !listed(NOT_OURS, name)) {
        problems.push(format!("{name}: theirs alone"));
    }
    for (name, family) in &ours.0 {
        let Some(their) = theirs.0.get(name) else {
            if !listed(OURS_ALONE, name) {
                problems.push(format!("{name}: ours alone"));
            }
            continue;
        };
        if family.kind != their.kind {
            problems.push(format!("{name}: {} here, {} there", family.kind, their.kind));
        }
        if ours.label_names(name) != theirs.label_names(name) {
            problems.push(format!(
                "{name}: labels {:?} here, {:?} there",
                ours.label_names(name),
                theirs.label_names(name)
            ));
        }
        let (series, their_series): (Vec<_>, Vec<_>) =
            (family.samples.keys().collect(), their.samples.keys().collect());
        if series != their_series && !listed(OTHER_LABEL_VALUES, name) {
            problems.push(format!("{name}: series {series:?} here, {their_series:?} there"));
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));

    for standing in [
        "node_memory_MemTotal_bytes",
        "node_memory_SwapTotal_bytes",
        "node_memory_HugePages_Total",
        "node_memory_Hugepagesize_bytes",
        "node_filesystem_size_bytes",
        "node_filesystem_files",
        "node_filesystem_readonly",
        "node_filesystem_device_error",
        "node_network_up",
        "node_uname_info",
        "node_textfile_scrape_error",
        "textfile_things_total",
        "textfile_untyped",
    ] {
        assert_eq!(ours.samples(standing), theirs.samples(standing), "{standing}");
    }
    // The kernel takes the boot time from two clocks, which may differ by a tick.
    near(&ours, &theirs, "node_boot_time_seconds", 1.0);
    near(&ours, &theirs, "node_time_seconds", 60.0);
    near(&ours, &theirs, "node_textfile_mtime_seconds", 1.0);
    // Read after theirs: counters are as high or higher.
    for (name, family) in ours.0.iter().filter(|(_, family)| family.kind == "counter") {
        for (labels, value) in &family.samples {
            let their = theirs.0[name].samples[labels];
            assert!(*value >= their - 0.011, "{name}{{{labels}}}: {value} after {their}");
        }
    }
    near(&ours, &theirs, "node_cpu_seconds_total", 120.0);
}

/// Both read the same file: arrays in every state. What differs is named here, sample by sample.
#[test]
fn software_raid_is_the_same_from_the_same_file_but_for_what_is_ours() {
    let proc = crate::rules::root().join("exporter/testdata/host/typical/proc");
    let folder = tempfile::tempdir().unwrap();
    let flags = ["--collector.disable-defaults", "--collector.mdadm", "--web.disable-exporter-metrics"];
    let flags: Vec<String> =
        flags.iter().map(ToString::to_string).chain([format!("--path.procfs={}", proc.display())]).collect();
    let theirs = Families::of(&NodeExporter::with(&flags, folder.path()).metrics());

    let settings = Collectors { enabled: vec!["mdadm".to_owned()], textfile_directory: None };
    let mut page = Page::new(Format::Text, Vec::new());
    Host::new(&settings, Roots { proc, ..Roots::default() }).collect(&mut page);
    let ours = Families::of(&String::from_utf8(page.finish()).unwrap());

    let mut differing = Vec::new();
    for name in ["node_md_state", "node_md_disks", "node_md_disks_required", "node_md_blocks", "node_md_blocks_synced"]
    {
        assert_eq!(ours.0[name].kind, theirs.0[name].kind, "{name}");
        assert!(theirs.samples(name).len() > 10, "{name}: {:?}", theirs.samples(name));
        for labels in theirs.samples(name).keys() {
            assert!(ours.samples(name).contains_key(labels), "{name}{{{labels}}}: theirs alone");
        }
        for (labels, value) in ours.samples(name) {
            if theirs.samples(name).get(labels) != Some(value)
                && !labels.contains("reshape")
                && !labels.contains("broken")
            {
                differing.push(format!("{name} {}", labels.replace('"', "")));
            }
        }
    }
    // md5 reshapes, which node_exporter takes for active; md9 is not assembled and needs its disks.
    let expected = [
        "node_md_state device=md5,state=active",
        "node_md_disks_required device=md9",
        "node_md_blocks_synced device=md5",
    ];
    assert_eq!(differing, expected);
}

/// Of its own process, too, it says nothing under a name that means something else with its clients.
#[test]
fn what_both_say_of_their_own_process_has_the_same_types_and_labels() {
    let folder = tempfile::tempdir().unwrap();
    let theirs =
        Families::of(&NodeExporter::with(&["--collector.disable-defaults".to_owned()], folder.path()).metrics());
    let mut page = Page::new(Format::Text, Vec::new());
    SelfMetrics::new().write(&mut page);
    let ours = Families::of(&String::from_utf8(page.finish()).unwrap());
    let common: Vec<&String> = ours.0.keys().filter(|name| theirs.0.contains_key(*name)).collect();
    for name in &common {
        assert_eq!(ours.0[*name].kind, theirs.0[*name].kind, "{name}");
        assert_eq!(ours.label_names(name), theirs.label_names(name), "{name}");
    }
    let process = common.iter().filter(|name| name.starts_with("process_")).count();
    assert!(process >= 6, "{common:?}");
}

#[track_caller]
fn near(ours: &Families, theirs: &Families, family: &str, tolerance: f64) {
    for (labels, value) in ours.samples(family) {
        let their = theirs.samples(family)[labels];
        assert!((value - their).abs() <= tolerance, "{family}{{{labels}}}: {value} here, {their} there");
    }
}

/// Nothing but the case of node_exporter's own names, which we keep.
#[test]
fn promtool_finds_fault_only_with_the_case_of_node_exporters_names() {
    let folder = tempfile::tempdir().unwrap();
    let mut promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool does not start: apt-get install prometheus");
    promtool.stdin.take().unwrap().write_all(ours(folder.path()).as_bytes()).unwrap();
    let output = promtool.wait_with_output().unwrap();
    let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    let case = |line: &&str| {
        line.starts_with("node_memory_")
            && line.ends_with(" metric names should be written in 'snake_case' not 'camelCase'")
    };
    assert!(said.lines().any(|line| case(&line)), "promtool checked nothing: {said}");
    let rest: Vec<&str> = said.lines().filter(|line| !case(line)).collect();
    assert!(rest.is_empty(), "{}", rest.join("\n"));
}
