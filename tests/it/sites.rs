//! Two sites with an exporter each, one Prometheus: quorums go over sites, and a site that lost its own network is no witness.
//!
//! Each site reaches everything through relays of its own, which a test cuts. Not for: what a quorum does with unmeasured
//! evidence case by case (`tests/promtool/slots.yml`).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value;
use sla_demo::service::{Clicks, Service};
use sla_demo::web;
use sla_tests::program::{Program, on_path, ours};
use sla_tests::{eventually, free_port, http, repository, shortened};
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;

use crate::stack::QUICK_FUNCTIONS;

/// recording-rules/slots.yml, quicker: a slot takes 12 seconds, "now" is the last 6. A probe interval is a second: as small a part
/// of a slot as it is in what is shipped, or a site would be found out too late for it.
const QUICK_SLOTS: [(&str, &str); 6] = [
    ("interval: 15s", "interval: 1s"),
    ("interval: 5m", "interval: 2s"),
    ("[1m:15s]", "[6s:1s]"),
    ("[5m:15s]", "[12s:1s]"),
    ("[1m]", "[6s]"),
    ("[5m]", "[12s]"),
];

/// A site's only way to something: a forward proxy, as far as a probe sees. Cut, it hangs up on everybody.
struct Relay {
    port: u16,
    cut: Arc<AtomicBool>,
}

impl Relay {
    async fn start(to: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (port, cut) = (listener.local_addr().unwrap().port(), Arc::new(AtomicBool::new(false)));
        let is_cut = Arc::clone(&cut);
        tokio::spawn(async move {
            while let Ok((mut from, _)) = listener.accept().await {
                if is_cut.load(Ordering::Relaxed) {
                    continue;
                }
                tokio::spawn(async move {
                    let Ok(mut to) = TcpStream::connect(("127.0.0.1", to)).await else { return };
                    // A probe that hangs up is no failure of the relay.
                    let _ = tokio::io::copy_bidirectional(&mut from, &mut to).await;
                });
            }
        });
        Self { port, cut }
    }

    fn cut(&self, cut: bool) {
        self.cut.store(cut, Ordering::Relaxed);
    }
}

/// An exporter that calls itself by the site's name.
struct Site {
    service: Relay,
    references: [Relay; 2],
    port: u16,
    exporter: Program,
    _folder: TempDir,
}

impl Site {
    async fn start(name: &str, service: u16, reference: u16) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let relays = [Relay::start(service).await, Relay::start(reference).await, Relay::start(reference).await];
        let module = |name: &str, relay: &Relay| {
            let proxy = format!("http://127.0.0.1:{}", relay.port);
            format!("  {name}: {{prober: http, timeout: 400ms, http: {{proxy_url: \"{proxy}\"}}}}\n")
        };
        let modules: String = ["service", "reference-a", "reference-b"]
            .iter()
            .zip(&relays)
            .map(|(name, relay)| module(name, relay))
            .collect();
        let config = format!(
            "site: {name}
contract:
  name: c
  timezone: Asia/Tokyo
  functions:
    every: {{objective: 99, capabilities: {{form: {{quorum: all}}}}}}
    some: {{objective: 99, capabilities: {{form: {{quorum: any}}}}}}
  connectivity: [reference-a, reference-b]
modules:
{modules}probes:
  - {{name: form-every, module: service, targets: [\"http://127.0.0.1:{service}/health/web_form\"], interval: 1s, evidence: every/form}}
  - {{name: form-some, module: service, targets: [\"http://127.0.0.1:{service}/health/web_form\"], interval: 1s, evidence: some/form}}
  - {{name: reference-a, module: reference-a, targets: [\"http://127.0.0.1:{reference}/health/sfdc\"], interval: 1s}}
  - {{name: reference-b, module: reference-b, targets: [\"http://127.0.0.1:{reference}/health/web_app\"], interval: 1s}}
"
        );
        std::fs::write(folder.path().join("sla.yml"), config).unwrap();
        let port = free_port();
        let arguments = [
            format!("--config.file={}", folder.path().join("sla.yml").display()),
            format!("--web.listen-address=127.0.0.1:{port}"),
        ];
        let mut exporter = Program::start("sla-exporter", &ours("sla-exporter"), &arguments, folder.path());
        exporter.ready(port, "/-/ready").await;
        let [service, a, b] = relays;
        Self { service, references: [a, b], port, exporter, _folder: folder }
    }

    /// Its own network: everything, or nothing.
    fn cut_off(&self, cut: bool) {
        self.service.cut(cut);
        self.references.iter().for_each(|reference| reference.cut(cut));
    }
}

struct Two {
    tokyo: Site,
    osaka: Site,
    /// The service's own switches.
    service: u16,
    prometheus: u16,
    _program: Program,
    _folder: TempDir,
}

impl Two {
    async fn start() -> Self {
        let any = "127.0.0.1:0".parse().unwrap();
        let (service, reference) = (web::listen(any).await.unwrap(), web::listen(any).await.unwrap());
        let port = |listener: &TcpListener| listener.local_addr().unwrap().port();
        let (service_port, reference_port) = (port(&service), port(&reference));
        for listener in [service, reference] {
            tokio::spawn(web::serve(listener, Service::new(Clicks::in_memory())));
        }
        let tokyo = Site::start("tokyo", service_port, reference_port).await;
        let osaka = Site::start("osaka", service_port, reference_port).await;

        let folder = tempfile::tempdir().unwrap();
        let copy = |file: &str, replace: &[(&str, &str)]| {
            shortened::copy(&repository().join(file), &folder.path().join(file), replace);
        };
        copy("recording-rules/slots.yml", &QUICK_SLOTS);
        copy("alert-rules/functions.yml", &QUICK_FUNCTIONS);
        copy(
            "alert-rules/meta.yml",
            &[("interval: 15s", "interval: 1s"), ("for: 1m", "for: 1s"), ("for: 5m", "for: 2s")],
        );
        let config = format!(
            "global: {{scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}}
rule_files: ['recording-rules/*.yml', 'alert-rules/*.yml']
scrape_configs:
  - {{job_name: sla-exporter, static_configs: [{{targets: ['127.0.0.1:{}', '127.0.0.1:{}']}}]}}
",
            tokyo.port, osaka.port
        );
        std::fs::write(folder.path().join("prometheus.yml"), config).unwrap();
        let prometheus = free_port();
        let mut program = Program::start(
            "prometheus",
            &on_path(&["prometheus"]),
            &[
                format!("--config.file={}", folder.path().join("prometheus.yml").display()),
                format!("--storage.tsdb.path={}", folder.path().join("data").display()),
                format!("--web.listen-address=127.0.0.1:{prometheus}"),
            ],
            folder.path(),
        );
        program.ready(prometheus, "/-/ready").await;
        Self { tokyo, osaka, service: service_port, prometheus, _program: program, _folder: folder }
    }

    /// Waits until each query has its one value, `None` for no sample at all.
    async fn show(&self, wanted: &[(&str, Option<f64>)]) {
        for (promql, value) in wanted {
            eventually(&format!("{promql}: {value:?}"), async || {
                let found: Vec<(Value, f64)> = http::query(self.prometheus, promql).await?;
                let values: Vec<f64> = found.iter().map(|(_, value)| *value).collect();
                if values == value.iter().copied().collect::<Vec<_>>() { Ok(()) } else { Err(format!("{found:?}")) }
            })
            .await;
        }
    }

    /// Waits until both functions are this in the slots and now.
    async fn functions(&self, every: Option<f64>, some: Option<f64>) {
        self.show(&[
            ("sla:function_up:5m{function=\"every\"}", every),
            ("sla:function_up:now{function=\"every\"}", every),
            ("sla:function_up:5m{function=\"some\"}", some),
            ("sla:function_up:now{function=\"some\"}", some),
        ])
        .await;
    }

    /// Nothing has been called down, and nobody told so, since `since`.
    async fn never_down(&self, since: Instant) {
        let range = since.elapsed().as_secs().max(1);
        for series in ["sla:function_up:5m", "sla:function_up:now"] {
            let promql = format!("min(min_over_time({series}[{range}s]))");
            assert!((http::value(self.prometheus, &promql).await.unwrap() - 1.0).abs() < f64::EPSILON, "{promql}");
        }
        let told = format!("count_over_time(ALERTS{{alertname=\"SlaFunctionDown\"}}[{range}s])");
        assert_eq!(http::query(self.prometheus, &told).await.unwrap(), []);
    }
}

const CUT_OFF: &str = "ALERTS{alertname=\"SlaSiteCutOff\",alertstate=\"firing\",site=\"osaka\"}";

/// C2.1, C4.1: what one site cannot see is not down, what all connected sites see is, and what nobody sees is unknown.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_site_that_is_cut_off_is_no_witness_and_the_others_decide() {
    let mut two = Two::start().await;
    let (up, down) = (Some(1.0), Some(0.0));
    two.functions(up, up).await;
    two.show(&[
        ("sla:site_connected:5m{site=\"tokyo\"}", up),
        ("sla:site_connected:5m{site=\"osaka\"}", up),
        ("sla:capability_evidence_expected:5m{function=\"every\"}", Some(2.0)),
    ])
    .await;

    // One reference is away: that is the reference's trouble.
    let begun = Instant::now();
    two.osaka.references[0].cut(true);
    two.show(&[("min_over_time(probe_success{site=\"osaka\",probe=\"reference-a\"}[6s])", down)]).await;
    two.show(&[("max_over_time(probe_success{site=\"osaka\",probe=\"reference-a\"}[6s])", down)]).await;
    two.show(&[("sla:site_connected:5m{site=\"osaka\"}", up), ("sla:site_connected:now{site=\"osaka\"}", up)]).await;
    two.never_down(begun).await;
    two.osaka.references[0].cut(false);

    // Osaka cannot reach the service, and everything else: its word counts, and each function's quorum decides.
    two.osaka.service.cut(true);
    two.show(&[("sla:probe_up:5m{site=\"osaka\",function=\"every\"}", down)]).await;
    two.functions(down, up).await;
    two.osaka.service.cut(false);
    two.functions(up, up).await;
    two.show(&[("ALERTS{alertname=\"SlaFunctionDown\"}", None)]).await;

    // Osaka reaches nothing: its probes fail all the same, and say nothing of the service.
    let begun = Instant::now();
    two.osaka.cut_off(true);
    two.show(&[
        ("sla:site_connected:5m{site=\"osaka\"}", down),
        ("max(max_over_time(probe_success{site=\"osaka\"}[6s]))", down),
        ("sla:probe_up:5m{site=\"osaka\",function=\"every\"}", None),
        ("sla:probe_up:now{site=\"osaka\",function=\"every\"}", None),
        ("sla:probe_up:5m{site=\"tokyo\",function=\"every\"}", up),
        ("sla:capability_evidence_expected:5m{function=\"every\"}", Some(1.0)),
        (CUT_OFF, up),
        ("ALERTS{alertname=\"SlaSiteCutOff\",site=\"tokyo\"}", None),
    ])
    .await;
    two.functions(up, up).await;
    two.never_down(begun).await;

    // An outage meanwhile is seen by the site that is left.
    http::post(two.service, "/break/web_form").await.unwrap();
    two.functions(down, down).await;
    two.show(&[("count(ALERTS{alertname=\"SlaFunctionDown\",alertstate=\"firing\"})", Some(2.0))]).await;
    http::post(two.service, "/fix/web_form").await.unwrap();
    two.functions(up, up).await;
    two.show(&[("ALERTS{alertname=\"SlaFunctionDown\"}", None)]).await;

    // Nobody is left: unknown, which is told as such, and not as an outage.
    let begun = Instant::now();
    two.tokyo.cut_off(true);
    two.functions(None, None).await;
    two.show(&[("count(ALERTS{alertname=\"SlaFunctionUnmeasured\",alertstate=\"firing\"})", Some(2.0))]).await;
    two.never_down(begun).await;

    let begun = Instant::now();
    two.tokyo.cut_off(false);
    two.functions(up, up).await;
    two.osaka.cut_off(false);
    two.show(&[
        ("sla:probe_up:5m{site=\"osaka\",function=\"every\"}", up),
        ("sla:capability_evidence_expected:5m{function=\"every\"}", Some(2.0)),
        (CUT_OFF, None),
    ])
    .await;
    two.never_down(begun).await;

    // An exporter that is gone is no witness either.
    let begun = Instant::now();
    two.osaka.exporter.stop();
    two.show(&[
        ("sla:probe_up:5m{site=\"osaka\",function=\"every\"}", None),
        ("sla:capability_evidence_expected:5m{function=\"every\"}", Some(1.0)),
        ("count(ALERTS{alertname=\"SlaExporterDown\",alertstate=\"firing\"})", up),
    ])
    .await;
    two.functions(up, up).await;
    two.never_down(begun).await;
}
