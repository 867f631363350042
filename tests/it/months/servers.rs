//! Prometheus and VictoriaMetrics with samples of the past in them, evaluating and scraping where a test wants it.

use std::path::Path;

use sla_tests::program::Program;
use sla_tests::repository;
use sla_tests::samples::Samples;
use sla_tests::shortened;
use tempfile::TempDir;

/// A server that answers queries; it and its helpers end when dropped.
pub(crate) struct Server {
    pub(crate) name: &'static str,
    pub(crate) port: u16,
    _programs: Vec<Program>,
    /// Dropped last: the programs' logs are in it.
    _folder: TempDir,
}

/// Pages to scrape every second, and months.yml evaluated every other.
#[derive(Clone, Debug)]
pub(crate) struct Scraped {
    /// Where `/metrics` is.
    pub(crate) exporters: Vec<u16>,
}

impl Scraped {
    /// Scraped twice under two names, as if two sites carried the same ledger.
    fn config(&self) -> String {
        let addresses: Vec<String> = self.exporters.iter().map(|port| format!("'127.0.0.1:{port}'")).collect();
        let targets = format!("targets: [{}]", addresses.join(", "));
        format!(
            "scrape_configs:\n  - job_name: sla-exporter\n    scrape_interval: 1s\n    scrape_timeout: 1s\n    static_configs:\n      \
             - {{{targets}, labels: {{replica: a}}}}\n      - {{{targets}, labels: {{replica: b}}}}\n"
        )
    }
}

/// The shipped file, evaluated more often.
fn write_rules(folder: &Path, seconds: u8) -> String {
    let to = folder.join("months.yml");
    let interval = format!("interval: {seconds}s");
    shortened::copy(&repository().join("recording-rules/months.yml"), &to, &[("interval: 5m", &interval)]);
    to.display().to_string()
}

fn write(folder: &Path, name: &str, text: &str) -> String {
    let to = folder.join(name);
    std::fs::write(&to, text).unwrap_or_else(|error| panic!("{}: {error}", to.display()));
    to.display().to_string()
}

/// Prometheus with `samples`.
pub(crate) async fn prometheus(samples: &[Samples], scraped: Option<Scraped>) -> Server {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    for samples in samples {
        samples.write_blocks(&data);
    }
    let config = match scraped {
        Some(scraped) => format!("rule_files: ['{}']\n{}", write_rules(folder.path(), 2), scraped.config()),
        None => "{}\n".to_owned(),
    };
    let config = write(folder.path(), "prometheus.yml", &config);
    let arguments = |port: u16| {
        vec![
            format!("--config.file={config}"),
            format!("--storage.tsdb.path={}", data.display()),
            "--storage.tsdb.retention.time=30y".to_owned(),
            format!("--web.listen-address=127.0.0.1:{port}"),
        ]
    };
    let (mut program, port) = Program::listening("prometheus", arguments, folder.path());
    program.ready(port, "/-/ready").await;
    Server { name: "Prometheus", port, _programs: vec![program], _folder: folder }
}

/// VictoriaMetrics with `samples`, and vmalert where something is scraped.
pub(crate) async fn victoria_metrics(samples: &[Samples], scraped: Option<Scraped>) -> Server {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let config = scraped.as_ref().map(|scraped| write(folder.path(), "scrape.yml", &scraped.config()));
    let arguments = |port: u16| {
        let mut arguments = vec![
            format!("-storageDataPath={}", data.display()),
            "-retentionPeriod=100y".to_owned(),
            // Samples of the past are searched at once.
            "-search.disableCache".to_owned(),
            // Values of one moment become visible one after the other, those of new series last, after ten seconds: it
            // answers for a moment long enough ago, by default 30 s.
            "-search.latencyOffset=12s".to_owned(),
            format!("-httpListenAddr=127.0.0.1:{port}"),
        ];
        arguments.extend(config.iter().map(|path| format!("-promscrape.config={path}")));
        arguments
    };
    let (mut program, port) = Program::listening("victoria-metrics", arguments, folder.path());
    program.ready(port, "/health").await;
    for samples in samples {
        samples.import(port).await;
    }
    let mut programs = vec![program];
    if scraped.is_some() {
        let rules = write_rules(folder.path(), 4);
        let own = format!("http://127.0.0.1:{port}");
        let arguments = |port: u16| {
            vec![
                format!("-rule={rules}"),
                format!("-datasource.url={own}"),
                format!("-remoteWrite.url={own}"),
                "-remoteWrite.flushInterval=200ms".to_owned(),
                // It wants one, though the file has no alerts.
                "-notifier.url=http://127.0.0.1:9".to_owned(),
                format!("-httpListenAddr=127.0.0.1:{port}"),
            ]
        };
        programs.insert(0, Program::listening("vmalert", arguments, folder.path()).0);
    }
    Server { name: "VictoriaMetrics", port, _programs: programs, _folder: folder }
}
