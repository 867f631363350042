//! The stack of a test: the demo service and the mail catcher in this process, the rest as real programs.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use hyper::body::Incoming;
use hyper::{Request, StatusCode};

use sla_demo::history::{History, promtool_arguments};
use sla_demo::mail::{Catcher, Mail, Store, receive};
use sla_demo::service::{Clicks, Service};
use sla_demo::stack::{CLIENT_FILES, Files, Ports, add_history, write_configs};
use sla_demo::{tls, web};
use sla_tests::program::{Program, on_path, ours};
use sla_tests::{eventually, free_port, http, repository, shortened};
use tempfile::TempDir;

/// All running; everything ends when dropped.
pub(crate) struct Stack {
    pub(crate) demo: u16,
    pub(crate) exporter_port: u16,
    pub(crate) prometheus: u16,
    pub(crate) mails: Store,
    pub(crate) exporter: Program,
    _alertmanager: Program,
    _prometheus: Program,
    /// Dropped last: the programs' logs are in it.
    folder: TempDir,
}

fn local(port: u16) -> String {
    format!("127.0.0.1:{port}")
}

impl Stack {
    /// Starts everything, intervals shortened, and waits until each is ready.
    pub(crate) async fn start() -> Self {
        Self::start_at(None).await.0
    }

    /// The same with the demo's history up to `now`, and with the rules of the months.
    pub(crate) async fn start_with_history(now: i64) -> (Self, History) {
        let (stack, history) = Self::start_at(Some(now)).await;
        (stack, history.unwrap())
    }

    async fn start_at(now: Option<i64>) -> (Self, Option<History>) {
        let folder = tempfile::tempdir().unwrap();
        let any = "127.0.0.1:0".parse().unwrap();
        let (demo, smtp) = (web::listen(any).await.unwrap(), web::listen(any).await.unwrap());
        let (demo_port, smtp_port) = (demo.local_addr().unwrap().port(), smtp.local_addr().unwrap().port());
        let mails = Store::default();
        let service = Service::new(Clicks::in_memory());
        let demo_tls = web::listen(any).await.unwrap();
        let demo_tls_port = demo_tls.local_addr().unwrap().port();
        let tls = tls::prepare(&folder.path().join(CLIENT_FILES), sla_demo::clock::now()).unwrap();
        tokio::spawn(web::serve_tls(demo_tls, tls, Arc::clone(&service)));
        tokio::spawn(web::serve(demo, service));
        tokio::spawn(receive(smtp, mails.clone()));
        let pages = web::listen(any).await.unwrap();
        tokio::spawn(web::serve(pages, Catcher::new(mails.clone())));

        let text_format = web::listen(any).await.unwrap();
        let text_format_port = text_format.local_addr().unwrap().port();

        let (exporter_port, alertmanager, prometheus) = (free_port(), free_port(), free_port());
        let ports = Ports {
            demo: demo_port,
            demo_tls: demo_tls_port,
            exporter: exporter_port,
            prometheus,
            alertmanager,
            smtp: smtp_port,
            mail: 0,
            grafana: 0,
        };
        let shipped = folder.path().join("shipped");
        tokio::spawn(web::serve(text_format, Arc::new(TextFormat(exporter_port))));
        write_shortened(&shipped, text_format_port);
        let files = write_configs(&shipped, folder.path(), ports).unwrap();
        let data = folder.path().join("prometheus-data");
        let history = now.map(|now| load_history(&shipped, &files, ports, &data, now));

        let exporter = start_exporter(&folder, exporter_port).await;
        let mut alertmanager_program = Program::start(
            "alertmanager",
            &on_path(&["prometheus-alertmanager", "alertmanager"]),
            &[
                format!("--config.file={}", files.alertmanager.display()),
                format!("--storage.path={}", folder.path().join("alertmanager-data").display()),
                format!("--web.listen-address={}", local(alertmanager)),
                "--cluster.listen-address=".to_owned(),
            ],
            folder.path(),
        );
        alertmanager_program.ready(alertmanager, "/-/ready").await;
        let mut prometheus_program = Program::start(
            "prometheus",
            &on_path(&["prometheus"]),
            &[
                format!("--config.file={}", files.prometheus.display()),
                format!("--storage.tsdb.path={}", data.display()),
                "--storage.tsdb.retention.time=400d".to_owned(),
                format!("--web.listen-address={}", local(prometheus)),
            ],
            folder.path(),
        );
        prometheus_program.ready(prometheus, "/-/ready").await;
        let stack = Self {
            demo: demo_port,
            exporter_port,
            prometheus,
            mails,
            exporter,
            _alertmanager: alertmanager_program,
            _prometheus: prometheus_program,
            folder,
        };
        (stack, history)
    }

    /// Where the configurations and the ledger are.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Ends the exporter and starts it again.
    pub(crate) async fn restart_exporter(&mut self) {
        self.exporter.stop();
        self.exporter = start_exporter(&self.folder, self.exporter_port).await;
    }

    /// Gives the exporter this ledger, in place of the one it may have.
    pub(crate) async fn set_ledger(&self, text: &str) {
        let path = self.folder.path().join("sla.yml");
        std::fs::write(self.folder.path().join("ledger.yml"), text).unwrap();
        let config = std::fs::read_to_string(&path).unwrap();
        let kept = config.lines().filter(|line| !line.starts_with("ledger:")).collect::<Vec<_>>().join("\n");
        std::fs::write(&path, format!("{kept}\nledger: ledger.yml\n")).unwrap();
        http::post(self.exporter_port, "/-/reload").await.unwrap();
    }

    /// Waits until `promql` has the one value `wanted`.
    pub(crate) async fn has(&self, promql: &str, wanted: f64) {
        eventually(&format!("{promql} is {wanted}"), async || {
            let value = http::value(self.prometheus, promql).await?;
            if (value - wanted).abs() < f64::EPSILON { Ok(()) } else { Err(format!("it is {value}")) }
        })
        .await;
    }

    /// Waits for a mail whose subject has all of `words`.
    pub(crate) async fn mail(&self, words: &[&str]) -> Mail {
        eventually(&format!("a mail about {words:?}"), async || {
            let all = self.mails.all();
            let found = all.iter().find(|mail| words.iter().all(|word| mail.subject.contains(word)));
            found.cloned().ok_or_else(|| format!("{:?}", all.iter().map(|mail| &mail.subject).collect::<Vec<_>>()))
        })
        .await
    }
}

/// As the launcher does it.
fn load_history(shipped: &Path, files: &Files, ports: Ports, data: &Path, now: i64) -> History {
    let months = "recording-rules/months.yml";
    shortened::copy(&repository().join(months), &shipped.join(months), &[("interval: 5m", "interval: 10s")]);
    let history = add_history(files, ports, now).unwrap();
    let samples = files.ledger().with_file_name("history.openmetrics");
    history.write_samples(&samples).unwrap();
    let promtool = on_path(&["promtool"]);
    let output = Command::new(promtool).args(promtool_arguments(&samples, data)).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    history
}

async fn start_exporter(folder: &TempDir, port: u16) -> Program {
    let arguments = [
        format!("--config.file={}", folder.path().join("sla.yml").display()),
        format!("--web.listen-address={}", local(port)),
        format!("--storage.path={}", folder.path().join("exporter-data").display()),
    ];
    let mut exporter = Program::start("sla-exporter", &ours("sla-exporter"), &arguments, folder.path());
    exporter.ready(port, "/-/ready").await;
    exporter
}

/// The exporter's page in the text format, which Prometheus itself asks for only where there is nothing else.
struct TextFormat(u16);

impl web::Handler for TextFormat {
    async fn handle(&self, _: Request<Incoming>) -> Option<web::Page> {
        let page = http::get_with(self.0, "/metrics", "Accept: text/plain;version=0.0.4\r\n").await.ok()?;
        Some(web::text(StatusCode::OK, page.body))
    }
}

/// recording-rules/slots.yml, quicker: a slot takes 6 seconds, "now" is the last 4.
const QUICK_SLOTS: [(&str, &str); 6] = [
    ("interval: 15s", "interval: 1s"),
    ("interval: 5m", "interval: 2s"),
    ("[1m:15s]", "[4s:1s]"),
    ("[5m:15s]", "[6s:1s]"),
    ("[1m]", "[4s]"),
    ("[5m]", "[6s]"),
];

/// alert-rules/functions.yml, quicker.
pub(crate) const QUICK_FUNCTIONS: [(&str, &str); 4] =
    [("interval: 5s", "interval: 1s"), ("for: 15s", "for: 1s"), ("for: 30s", "for: 2s"), ("[15m]", "[6s]")];

/// A copy of what is shipped, quicker: a slot takes 6 seconds, "now" is the last 4.
fn write_shortened(folder: &Path, text_format: u16) {
    let copy =
        |file: &str, replace: &[(&str, &str)]| shortened::copy(&repository().join(file), &folder.join(file), replace);
    copy(
        "deploy/demo/sla.yml",
        &[("interval: 15s", "interval: 1s"), ("timeout: 5s", "timeout: 400ms"), ("timeout: 7s", "timeout: 490ms")],
    );
    let job = format!(
        "\nscrape_configs:\n  - {{job_name: text-format, static_configs: [{{targets: [\"{}\"]}}]}}\n",
        local(text_format)
    );
    copy(
        "deploy/prometheus/prometheus.yml",
        &[
            ("scrape_interval: 15s", "scrape_interval: 1s"),
            ("scrape_timeout: 10s", "scrape_timeout: 1s"),
            ("evaluation_interval: 15s", "evaluation_interval: 1s"),
            ("refresh_interval: 30s", "refresh_interval: 1s"),
            ("\nscrape_configs:\n", &job),
        ],
    );
    copy(
        "deploy/alertmanager/alertmanager.yml",
        &[("group_wait: 10s", "group_wait: 1s"), ("group_interval: 1m\n", "group_interval: 2s\n")],
    );
    copy("recording-rules/slots.yml", &QUICK_SLOTS);
    copy("recording-rules/hosts.yml", &[("interval: 15s", "interval: 1s")]);
    copy("alert-rules/functions.yml", &QUICK_FUNCTIONS);
    copy("alert-rules/maintenance.yml", &[("interval: 15s", "interval: 1s")]);
    for file in ["alert-rules/probes.yml", "alert-rules/hosts.yml", "alert-rules/meta.yml"] {
        copy(file, &[]);
    }
    let templates = "deploy/alertmanager/templates";
    shortened::copy_all(&repository().join(templates), &folder.join(templates));
}
