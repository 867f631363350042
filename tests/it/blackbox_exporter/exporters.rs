//! The two exporters, started with the same blackbox.yml, and one probe through both.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::time::Duration;

use sla_tests::program::{Program, ours};

use super::differences::{Differences, Found};

/// Samples by series, as the page writes them.
pub(super) type Samples = BTreeMap<String, f64>;

/// The least configuration there is around a blackbox.yml.
pub(super) const SLA: &str = "site: here
contract: {name: c, title: none, timezone: UTC, functions: {f: {title: f, objective: 99, capabilities: {a: {}}}}}
module_files: [BLACKBOX]
collectors: []
";

/// An exporter that answers `/probe`: theirs or ours.
pub(super) struct Exporter {
    _program: Program,
    pub(super) port: u16,
}

/// What an exporter says of one probe.
pub(super) struct Page {
    pub(super) samples: Samples,
    /// Types by family.
    pub(super) types: BTreeMap<String, String>,
}

impl Exporter {
    /// Debian's blackbox_exporter with `config`, a blackbox.yml.
    pub(super) fn theirs(config: &Path) -> Self {
        let arguments = |port: u16| {
            vec![format!("--config.file={}", config.display()), format!("--web.listen-address=127.0.0.1:{port}")]
        };
        let folder = config.parent().expect("a file");
        let (program, port) = Program::listening("prometheus-blackbox-exporter", arguments, folder);
        Self { _program: program, port }
    }

    /// Ours with the same file taken as it is, and no probe of its own.
    pub(super) fn ours(config: &Path) -> Self {
        Self::ours_with(config, &[])
    }

    /// The same with further flags.
    pub(super) fn ours_with(config: &Path, flags: &[&str]) -> Self {
        let folder = config.parent().expect("a file");
        let file = folder.join("sla.yml");
        std::fs::write(&file, SLA.replace("BLACKBOX", &config.display().to_string())).unwrap();
        let arguments = |port: u16| {
            let mut arguments = vec![
                format!("--config.file={}", file.display()),
                format!("--web.listen-address=127.0.0.1:{port}"),
                format!("--storage.path={}", folder.join("data").display()),
            ];
            arguments.extend(flags.iter().map(|&flag| flag.to_owned()));
            arguments
        };
        let (program, port) = Program::listening_at("sla-exporter", &ours("sla-exporter"), arguments, folder);
        Self { _program: program, port }
    }

    /// Series and values of one probe.
    pub(super) fn probe(&self, module: &str, target: &str) -> Samples {
        self.page(&format!("module={module}&target={target}")).samples
    }

    /// All that the answer to this query has.
    pub(super) fn page(&self, query: &str) -> Page {
        let body = self.ask(query);
        let mut page = Page { samples: Samples::new(), types: BTreeMap::new() };
        for line in body.lines() {
            if let Some((family, kind)) = line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' ')) {
                page.types.insert(family.to_owned(), kind.to_owned());
            } else if !line.starts_with('#') {
                let (series, value) = line.rsplit_once(' ').unwrap();
                page.samples.insert(series.to_owned(), value.parse().unwrap());
            }
        }
        page
    }

    /// The body of an answer that must be good.
    pub(super) fn ask(&self, query: &str) -> String {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        write!(stream, "GET /probe?{query} HTTP/1.0\r\nX-Prometheus-Scrape-Timeout-Seconds: 10\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(" 200 "), "{query}: {answer}");
        body.to_owned()
    }
}

/// How a run must end.
#[derive(Clone, Copy, Debug)]
pub(super) enum Ends {
    /// In both.
    Up,
    /// In both.
    Down,
    /// Up there and down here; why, as a row of the documentation begins.
    UpThere(&'static str),
    /// Down there and up here.
    UpHere(&'static str),
}

/// Both exporters with the modules of one topic, and what was found to differ so far.
pub(super) struct Beside {
    theirs: Exporter,
    ours: Exporter,
    differences: Differences,
}

impl Beside {
    /// Starts both. A module is a name and the section of its prober, in which FOLDER stands for `folder`; `topic` is what the
    /// documentation calls what is compared.
    pub(super) fn new(topic: &'static str, prober: &str, folder: &Path, modules: &[(&str, &str)]) -> Self {
        let mut text = "modules:\n".to_owned();
        for (name, section) in modules {
            let section = section.replace("FOLDER", &folder.display().to_string());
            // Whoever waits for a timeout has a module that says so.
            let timeout = if name.contains("impatient") { "700ms" } else { "5s" };
            writeln!(text, "  {name}: {{prober: {prober}, timeout: {timeout}, {prober}: {section}}}").unwrap();
        }
        let file = folder.join("blackbox.yml");
        std::fs::write(&file, text).unwrap();
        Self { theirs: Exporter::theirs(&file), ours: Exporter::ours(&file), differences: Differences::of(topic) }
    }

    /// Probes through both; `target` may have further parameters behind it, as `127.0.0.1:1&hostname=a`.
    pub(super) fn check(&mut self, module: &str, target: &str, ends: Ends) {
        let query = format!("module={module}&target={target}");
        let (theirs, ours) = (self.theirs.page(&query), self.ours.page(&query));
        self.differences.compare(&format!("{module} {target}"), &Found { theirs: &theirs, ours: &ours, ends });
    }

    /// Compares how both end, and nothing else: for targets that are none.
    pub(super) fn check_end(&mut self, module: &str, target: &str, ends: Ends) {
        let query = format!("module={module}&target={target}");
        let (theirs, ours) = (self.theirs.page(&query), self.ours.page(&query));
        self.differences.compare_ends(&format!("{module} {target}"), &Found { theirs: &theirs, ours: &ours, ends });
    }

    /// Leaves a row of the documentation aside that cannot occur on this machine.
    pub(super) fn excuse(&mut self, metric: &str, how: &'static str) {
        self.differences.excuse(metric, how);
    }

    /// Fails when something differs that the documentation does not list, or the other way round.
    pub(super) fn finish(self) {
        self.differences.judge();
    }
}
