//! The host collectors over whole fake hosts: `testdata/host/<case>/` has a host's `proc` and `sys`, its textfiles,
//! what its kernel answers (`kernel.json`), and the page all of that makes (`page.prom`, `page.om`).
//!
//! A new case is a new folder; `UPDATE=1` writes the pages anew, to be reviewed as code.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use proptest::prelude::*;
use sla_exporter::config::Collectors;
use sla_exporter::exposition::{Format, Page};
use sla_exporter::host::{Host, Kernel, NAMES, Roots, Uname, Usage};
use tokio::time::Instant;

/// Answers what a case's `kernel.json` says.
#[derive(Debug)]
struct Fake {
    answers: serde_json::Value,
    usage: HashMap<String, Result<Usage, i32>>,
}

impl Fake {
    fn read(path: &Path) -> Self {
        let answers: serde_json::Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        let usage = answers["statvfs"].as_object().unwrap().iter().map(|(point, answer)| {
            let answer = match answer.as_array() {
                Some(numbers) => {
                    let number = |i: usize| numbers[i].as_u64().unwrap();
                    let (size, free, available) = (number(0), number(1), number(2));
                    Ok(Usage { size, free, available, files: number(3), files_free: number(4) })
                }
                None => Err(i32::try_from(answer.as_i64().unwrap()).unwrap()),
            };
            (point.clone(), answer)
        });
        Self { usage: usage.collect(), answers }
    }
}

impl Kernel for Fake {
    fn unix_seconds(&self) -> f64 {
        self.answers["unix_seconds"].as_f64().unwrap()
    }

    fn ticks_per_second(&self) -> f64 {
        100.0
    }

    fn uname(&self) -> Uname {
        let name = |key: &str| self.answers["uname"][key].as_str().unwrap().to_owned();
        Uname {
            sysname: name("sysname"),
            release: name("release"),
            version: name("version"),
            machine: name("machine"),
            nodename: name("nodename"),
            domainname: name("domainname"),
        }
    }

    fn statvfs(&self, path: &Path) -> io::Result<Usage> {
        // The bytes of the mount table, as the JSON can say them.
        match self
            .usage
            .get(&*path.to_string_lossy())
            .unwrap_or_else(|| panic!("statvfs of {}, which the case has not", path.display()))
        {
            Ok(usage) => Ok(*usage),
            Err(number) => Err(io::Error::from_raw_os_error(*number)),
        }
    }
}

fn all_collectors(textfiles: PathBuf) -> Collectors {
    Collectors { enabled: NAMES.iter().map(|name| (*name).to_owned()).collect(), textfile_directory: Some(textfiles) }
}

fn render(host: &Host, format: Format) -> String {
    let mut page = Page::new(format, Vec::new());
    host.collect(&mut page);
    String::from_utf8(page.finish()).unwrap()
}

/// A fake host's; its kernel answers for the mounts by their own names.
fn roots(proc: PathBuf, sys: PathBuf) -> Roots {
    Roots { proc, sys, root: Some("/".into()) }
}

pub(crate) fn testdata() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/host")
}

fn host_of(case: &Path) -> Host {
    let roots = roots(case.join("proc"), case.join("sys"));
    Host::with_kernel(&all_collectors(case.join("textfile")), roots, Arc::new(Fake::read(&case.join("kernel.json"))))
}

/// The page of a case, in the text format.
pub(crate) fn page_of(case: &Path) -> String {
    render(&host_of(case), Format::Text)
}

/// The page without what differs from run to run: durations, times of files, where the fixtures are.
fn steady(page: &str, case: &Path) -> String {
    let mask = |line: &str| match line.split_once("} ") {
        Some((series, _)) if line.starts_with("node_scrape_collector_duration_seconds{") => {
            format!("{series}}} 0.001\n")
        }
        Some((series, _)) if line.starts_with("node_textfile_mtime_seconds{") => format!("{series}}} 1.7e9\n"),
        _ => format!("{line}\n"),
    };
    page.replace(case.to_str().unwrap(), "").lines().map(mask).collect()
}

#[test]
fn every_fake_host_has_its_page() {
    let mut cases: Vec<PathBuf> = std::fs::read_dir(testdata()).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    assert!(cases.len() >= 9, "{cases:?}");
    for case in cases {
        for (format, file) in [(Format::Text, "page.prom"), (Format::OpenMetrics, "page.om")] {
            let page = steady(&render(&host_of(&case), format), &case);
            let golden = case.join(file);
            if std::env::var_os("UPDATE").is_some() {
                std::fs::write(&golden, page).unwrap();
                continue;
            }
            let expected = std::fs::read_to_string(&golden).unwrap_or_default();
            for (i, (found, expected)) in page.lines().zip(expected.lines()).enumerate() {
                assert_eq!(found, expected, "{}:{}; UPDATE=1 accepts what was found", golden.display(), i + 1);
            }
            assert_eq!(page.lines().count(), expected.lines().count(), "{}", golden.display());
        }
    }
}

#[test]
fn a_page_has_each_family_once_and_each_series_once() {
    for case in ["typical", "strange-mounts", "many-cpus", "garbage"] {
        let page = render(&host_of(&testdata().join(case)), Format::Text);
        let mut seen = std::collections::HashSet::new();
        for line in page.lines() {
            let key = match line.strip_prefix("# TYPE ") {
                Some(family) => family.split(' ').next().unwrap(),
                None if line.starts_with('#') => continue,
                None => line.rsplit_once(' ').unwrap().0,
            };
            assert!(seen.insert((line.starts_with('#'), key.to_owned())), "{case}: {key} twice");
        }
    }
}

#[test]
fn many_scrapes_at_once_show_the_same_page() {
    let case = testdata().join("typical");
    let host = host_of(&case);
    let expected = steady(&render(&host, Format::Text), &case);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..5 {
                    assert_eq!(steady(&render(&host, Format::Text), &case), expected);
                }
            });
        }
    });
}

/// A kernel whose mount `/srv/archive` does not answer until it is released.
#[derive(Debug, Default)]
struct Hanging {
    released: Mutex<bool>,
    change: Condvar,
}

impl Kernel for Hanging {
    fn unix_seconds(&self) -> f64 {
        1.79e9
    }

    fn ticks_per_second(&self) -> f64 {
        100.0
    }

    fn uname(&self) -> Uname {
        Uname::default()
    }

    fn statvfs(&self, path: &Path) -> io::Result<Usage> {
        if path == Path::new("/srv/archive") {
            drop(self.change.wait_while(self.released.lock().unwrap(), |released| !*released).unwrap());
        }
        Ok(Usage { size: 7, ..Usage::default() })
    }
}

#[test]
fn a_hung_mount_neither_holds_up_the_scrape_nor_the_other_metrics() {
    const HANGS: &str = "node_filesystem_device_error{device=\"/dev/vdb1\",fstype=\"xfs\",mountpoint=\"/srv/archive\",\
                         device_error=\"mountpoint timeout\"} 1\n";
    const WELL: &str = "node_filesystem_size_bytes{device=\"/dev/vda1\",fstype=\"ext4\",mountpoint=\"/\"} 7\n";
    let kernel = Arc::new(Hanging::default());
    let case = testdata().join("typical");
    let roots = roots(case.join("proc"), case.join("sys"));
    let host = Host::with_kernel(&all_collectors(case.join("textfile")), roots, Arc::clone(&kernel) as Arc<dyn Kernel>);

    let start = Instant::now();
    let page = render(&host, Format::Text);
    assert!(start.elapsed() < Duration::from_secs(8), "{:?}", start.elapsed());
    assert!(page.contains(HANGS) && page.contains(WELL), "{page}");
    assert!(page.contains("node_scrape_collector_success{collector=\"filesystem\"} 1\n"));

    let start = Instant::now();
    for _ in 0..100 {
        assert!(render(&host, Format::Text).contains(HANGS));
    }
    assert!(start.elapsed() < Duration::from_secs(8), "it is asked again each time: {:?}", start.elapsed());

    *kernel.released.lock().unwrap() = true;
    kernel.change.notify_all();
    let start = Instant::now();
    while render(&host, Format::Text).contains("mountpoint timeout") {
        assert!(start.elapsed() < Duration::from_secs(10), "it answers, and is still shown as hanging");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_collector_that_fails_is_named_and_only_its_own_metrics_are_missing() {
    // The case has a textfile that claims `node_load1`.
    let case = testdata().join("typical");
    let proc = tempfile::tempdir().unwrap();
    std::fs::copy(case.join("proc/meminfo"), proc.path().join("meminfo")).unwrap();
    let settings = all_collectors(case.join("textfile"));
    let page = render(&Host::new(&settings, roots(proc.path().to_owned(), case.join("sys"))), Format::Text);
    assert!(page.contains("node_scrape_collector_success{collector=\"load\"} 0\n"), "{page}");
    assert!(page.contains("node_scrape_collector_success{collector=\"memory\"} 1\n"), "{page}");
    assert!(page.contains("node_memory_MemTotal_bytes ") && !page.contains("node_load1 "), "{page}");
}

#[test]
fn another_systems_mounts_are_not_measured_on_ours() {
    let case = testdata().join("typical");
    let settings = Collectors { enabled: vec!["filesystem".into()], textfile_directory: None };
    let of = |root: Option<PathBuf>| {
        let roots = Roots { proc: case.join("proc"), sys: case.join("sys"), root };
        render(&Host::new(&settings, roots), Format::Text)
    };
    let page = of(None);
    assert!(page.contains("node_scrape_collector_success{collector=\"filesystem\"} 0\n"), "{page}");
    assert!(!page.contains("node_filesystem_"), "{page}");
    // Asked below that root: of the case's mounts only `/` is there.
    let root = tempfile::tempdir().unwrap();
    let page = of(Some(root.path().to_owned()));
    assert!(
        page.contains("node_filesystem_device_error{device=\"/dev/vda1\",fstype=\"ext4\",mountpoint=\"/\"} 0\n"),
        "{page}"
    );
    assert!(page.contains("mountpoint=\"/srv/archive\",device_error=\"no such file or directory\"} 1\n"), "{page}");
}

#[test]
fn a_textfile_comes_changes_breaks_and_goes() {
    let case = testdata().join("typical");
    let folder = tempfile::tempdir().unwrap();
    let roots = roots(case.join("proc"), case.join("sys"));
    let host = Host::new(&all_collectors(folder.path().to_owned()), roots);
    let file = folder.path().join("a.prom");
    let label = format!("{{file=\"{}\"}}", file.display());
    let write = |text: &str| {
        std::fs::write(folder.path().join("new"), text).unwrap();
        std::fs::rename(folder.path().join("new"), &file).unwrap();
        render(&host, Format::Text)
    };

    let page = render(&host, Format::Text);
    assert!(page.contains("node_textfile_scrape_error 0\n") && !page.contains("sla_exporter_textfile_error"), "{page}");
    assert!(write("mine 1\n").contains("\nmine 1\n"));
    let page = write("mine 2\n");
    assert!(page.contains("\nmine 2\n") && page.contains(&format!("sla_exporter_textfile_error{label} 0\n")), "{page}");
    let page = write("mine\n");
    assert!(!page.contains("\nmine ") && !page.contains("node_textfile_mtime_seconds{"), "{page}");
    assert!(page.contains("node_textfile_scrape_error 1\n"), "{page}");
    assert!(page.contains(&format!("sla_exporter_textfile_error{label} 1\n")), "{page}");
    std::fs::remove_file(&file).unwrap();
    let page = render(&host, Format::Text);
    assert!(page.contains("node_textfile_scrape_error 0\n") && !page.contains("sla_exporter_textfile_error"), "{page}");
}

#[test]
fn only_what_is_enabled_is_collected() {
    let settings = Collectors { enabled: vec!["time".into(), "load".into()], textfile_directory: None };
    let page = render(&Host::new(&settings, Roots::default()), Format::Text);
    let families: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()).collect();
    let expected = [
        "node_load1",
        "node_load5",
        "node_load15",
        "node_time_seconds",
        "node_scrape_collector_duration_seconds",
        "node_scrape_collector_success",
    ];
    assert_eq!(families, expected);
    let none = Collectors { enabled: vec![], textfile_directory: None };
    assert_eq!(render(&Host::new(&none, Roots::default()), Format::Text), "");
}

/// What is logged while `run` runs.
fn logged(run: impl FnOnce()) -> String {
    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);
    impl io::Write for Log {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let log = Log::default();
    let writer = log.clone();
    let subscriber =
        tracing_subscriber::fmt().with_ansi(false).without_time().with_writer(move || writer.clone()).finish();
    tracing::subscriber::with_default(subscriber, run);
    let bytes = log.0.lock().unwrap().clone();
    String::from_utf8(bytes).unwrap()
}

#[test]
fn a_failure_is_logged_once_for_each_change_with_file_line_and_reason() {
    let root = tempfile::tempdir().unwrap();
    let path = |name: &str| root.path().join(name);
    for folder in ["proc", "sys", "textfile"] {
        std::fs::create_dir(path(folder)).unwrap();
    }
    let settings =
        Collectors { enabled: vec!["memory".into(), "textfile".into()], textfile_directory: Some(path("textfile")) };
    let host = Host::new(&settings, roots(path("proc"), path("sys")));
    let scrapes = || {
        let log = logged(|| (0..3).for_each(|_| drop(render(&host, Format::Text))));
        log.replace(root.path().to_str().unwrap(), "").lines().map(|line| line.trim().to_owned()).collect::<Vec<_>>()
    };
    let target = "sla_exporter::host";
    assert_eq!(
        scrapes(),
        [format!(
            "WARN {target}: a host collector fails: its metrics are absent collector=\"memory\" \
             error=/proc/meminfo: No such file or directory (os error 2)"
        )]
    );
    std::fs::write(path("proc/meminfo"), "MemTotal: 5 kB\nMemFree: -1 kB\n").unwrap();
    std::fs::write(path("textfile/a.prom"), "x 1\ny\n").unwrap();
    assert_eq!(
        scrapes(),
        [
            format!(
                "WARN {target}: a host collector fails: its metrics are absent collector=\"memory\" \
                 error=/proc/meminfo:2: found `-1` where a count is expected"
            ),
            format!("WARN {target}::textfile: a textfile is refused error=/textfile/a.prom:2: no value after `y`"),
        ]
    );
    assert_eq!(scrapes(), Vec::<String>::new());
    std::fs::write(path("proc/meminfo"), "MemTotal: 5 kB\n").unwrap();
    std::fs::write(path("textfile/a.prom"), "x 1\ny 1\n").unwrap();
    assert_eq!(
        scrapes(),
        [
            format!("INFO {target}: a host collector works again collector=\"memory\""),
            format!("INFO {target}::textfile: a textfile is well again, or gone file=/textfile/a.prom"),
        ]
    );
}

/// Files of a host, each with some bytes of its own or of chance.
fn files() -> impl Strategy<Value = Vec<(&'static str, Vec<u8>)>> {
    const FILES: [&str; 8] = [
        "proc/meminfo",
        "proc/stat",
        "proc/1/mountinfo",
        "proc/net/dev",
        "proc/diskstats",
        "proc/mdstat",
        "sys/class/net/eth0/operstate",
        "textfile/a.prom",
    ];
    let content = |file: &'static str| {
        let of_case = testdata().join("typical").join(file.replace("a.prom", "request.prom"));
        let original = std::fs::read(of_case).unwrap();
        let length = original.len();
        let edits =
            proptest::collection::vec((0..length, prop_oneof![any::<u8>(), Just(b'\n'), Just(b' '), Just(b'9')]), 0..6);
        let damaged = (edits, 0..=length).prop_map(move |(edits, end)| {
            let mut text = original.clone();
            edits.into_iter().for_each(|(at, byte)| text[at] = byte);
            text.truncate(end);
            text
        });
        prop_oneof![damaged, proptest::collection::vec(any::<u8>(), 0..400)].prop_map(move |text| (file, text))
    };
    FILES.map(content).into_iter().collect::<Vec<_>>()
}

/// Every mount answers.
#[derive(Debug)]
struct Calm;

impl Kernel for Calm {
    fn unix_seconds(&self) -> f64 {
        1.79e9
    }

    fn ticks_per_second(&self) -> f64 {
        100.0
    }

    fn uname(&self) -> Uname {
        Uname::default()
    }

    fn statvfs(&self, _path: &Path) -> io::Result<Usage> {
        Ok(Usage::default())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever the files say, the page is one a scraper can read: our own strict parser reads it back.
    #[test]
    fn garbage_makes_no_panic_and_no_broken_page(files in files()) {
        let root = tempfile::tempdir().unwrap();
        for (file, text) in files {
            let path = root.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let roots = roots(root.path().join("proc"), root.path().join("sys"));
        let host = Host::with_kernel(&all_collectors(root.path().join("textfile")), roots, Arc::new(Calm));
        let page = render(&host, Format::Text);
        prop_assert_eq!(page.matches("\nnode_scrape_collector_success{").count(), NAMES.len());

        let again = tempfile::tempdir().unwrap();
        // Under other names, as those of this exporter are refused.
        let renamed: String = page.lines().map(|line| match line.strip_prefix('#') {
            Some(comment) => format!("#{}\n", comment.replacen("P ", "P x", 1).replacen("E ", "E x", 1)),
            None => format!("x{line}\n"),
        }).collect();
        std::fs::write(again.path().join("page.prom"), &renamed).unwrap();
        let settings = Collectors { enabled: vec!["textfile".into()], textfile_directory: Some(again.path().to_owned()) };
        let second = render(&Host::new(&settings, Roots::default()), Format::Text);
        prop_assert!(second.contains("node_textfile_scrape_error 0\n"), "{}", page);
    }
}
