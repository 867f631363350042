//! The exporter's client of Prometheus' HTTP API, against the real servers: Prometheus and VictoriaMetrics.
//!
//! Both hold the same samples, and the client must tell the same of them. Servers that misbehave are in
//! `exporter/tests/it/prometheus_api.rs`.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use sla_exporter::cli::PrometheusFlags;
use sla_exporter::prometheus_api::{Client, ErrorKind, Series, Settings};
use sla_exporter::secret::Secret;
use sla_tests::program::Program;
use sla_tests::{eventually, http};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// 2026-10-01 in Tokyo.
const START: i64 = 1_790_780_400;
const DAY: i64 = 86_400;
/// Slots are evaluated at a moment of the group's own, not at the full five minutes.
const OFFSET: i64 = 137;
const METRIC: &str = "sla:function_up:5m";

/// A month and a bit of slots: those of `client` all there, those of `consumer` with a gap, and a sample on every midnight.
struct Recorded {
    slots: Vec<(&'static str, i64, f64)>,
    midnights: Vec<i64>,
}

fn recorded() -> Recorded {
    let mut slots = Vec::new();
    for at in (START - DAY + OFFSET..START + 33 * DAY).step_by(300) {
        let n = (at - START) / 300;
        slots.push(("client", at, f64::from(u8::from(n % 1000 != 7))));
        // Two days nobody measured.
        if !(START + 9 * DAY..START + 11 * DAY).contains(&at) {
            slots.push(("consumer", at, f64::from(u8::from(n % 777 > 2))));
        }
    }
    Recorded { slots, midnights: (-1..=33).map(|day| START + day * DAY).collect() }
}

impl Recorded {
    /// In Prometheus' text format; `unit` is what a second is in timestamps.
    fn text(&self, unit: i64) -> String {
        let mut text = format!("# TYPE {METRIC} gauge\n");
        for (function, at, value) in &self.slots {
            let _ = writeln!(text, "{METRIC}{{contract=\"c\",function=\"{function}\"}} {value} {}", at * unit);
        }
        text.push_str("# TYPE midnight gauge\n");
        for at in &self.midnights {
            let _ = writeln!(text, "midnight {at} {}", at * unit);
        }
        text + "# EOF\n"
    }

    /// The slots of a function with `from < t <= to`.
    fn slots(&self, function: &str, from: i64, to: i64) -> Vec<(i64, f64)> {
        let of = |(f, at, value): &(&str, i64, f64)| {
            (*f == function && from < *at && *at <= to).then_some((*at * 1000, *value))
        };
        self.slots.iter().filter_map(of).collect()
    }
}

/// Prometheus with `recorded` in its storage.
async fn prometheus(recorded: &Recorded, further: &[&str]) -> (TempDir, Program, u16) {
    let folder = tempfile::tempdir().unwrap();
    let (samples, data) = (folder.path().join("samples.txt"), folder.path().join("data"));
    std::fs::write(&samples, recorded.text(1)).unwrap();
    let made = Command::new("promtool")
        .args(["tsdb", "create-blocks-from", "openmetrics", "--max-block-duration=744h"])
        .args([&samples, &data])
        .output()
        .expect("promtool does not start: apt-get install prometheus");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let config = folder.path().join("prometheus.yml");
    std::fs::write(&config, "{}\n").unwrap();
    let arguments = |port: u16| {
        let mut arguments = vec![
            format!("--config.file={}", config.display()),
            format!("--storage.tsdb.path={}", data.display()),
            "--storage.tsdb.retention.time=20y".to_owned(),
            format!("--web.listen-address=127.0.0.1:{port}"),
        ];
        arguments.extend(further.iter().map(|&flag| flag.to_owned()));
        arguments
    };
    let (mut program, port) = Program::listening("prometheus", arguments, folder.path());
    // That page cannot be asked for without the password.
    if further.iter().all(|flag| !flag.contains("web.config")) {
        program.ready(port, "/-/ready").await;
    }
    (folder, program, port)
}

/// VictoriaMetrics with `recorded` in its storage.
async fn victoria_metrics(recorded: &Recorded) -> (TempDir, Program, u16) {
    let folder = tempfile::tempdir().unwrap();
    let arguments = |port: u16| {
        vec![
            format!("-storageDataPath={}", folder.path().join("data").display()),
            "-retentionPeriod=20y".to_owned(),
            format!("-httpListenAddr=127.0.0.1:{port}"),
        ]
    };
    let (mut program, port) = Program::listening("victoria-metrics", arguments, folder.path());
    program.ready(port, "/health").await;
    import(port, &recorded.text(1000)).await;
    http::get(port, "/internal/force_flush").await.unwrap();
    let newest = START + 32 * DAY + DAY / 2;
    eventually("the samples are searchable", async || {
        let count = format!("/api/v1/query?query=count(midnight)&nocache=1&time={}", START + DAY + 60);
        let body = http::get(port, &count).await?;
        let last =
            http::get(port, &format!("/api/v1/query?query=count(sla:function_up:5m)&nocache=1&time={newest}")).await?;
        if body.contains("\"1\"") && last.contains("\"2\"") { Ok(()) } else { Err(format!("{body} {last}")) }
    })
    .await;
    (folder, program, port)
}

async fn import(port: u16, text: &str) {
    let mut stream = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let head = format!("POST /api/v1/import/prometheus HTTP/1.0\r\nContent-Length: {}\r\n\r\n", text.len());
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.contains(" 204 "), "{answer}");
}

fn settings(port: u16, config_file: Option<&Path>) -> Settings {
    let flags = PrometheusFlags {
        url: Secret::new(format!("http://127.0.0.1:{port}/")),
        config_file: config_file.map(Path::to_owned),
        timeout: Duration::from_secs(60),
    };
    Settings::from_flags(&flags).unwrap()
}

fn points<'a>(all: &'a [Series], function: &str) -> Vec<(i64, f64)> {
    let found: Vec<&'a Series> =
        all.iter().filter(|s| s.labels.get("function").is_some_and(|f| f == function)).collect();
    assert_eq!(found.len(), 1, "one series of {function}");
    found[0].points.iter().map(|p| (p.millis, p.value)).collect()
}

async fn tells_what_was_recorded(port: u16, recorded: &Recorded) {
    let mut client = Client::new(settings(port, None));

    // A month: all slots at their own times, none twice, none lost.
    let (from, to) = (START, START + 31 * DAY);
    let mut progress = Vec::new();
    let slots = client.raw(METRIC, from, to, |done, total| progress.push((done, total))).await.unwrap();
    assert_eq!(slots.len(), 2);
    for function in ["client", "consumer"] {
        assert_eq!(points(&slots, function), recorded.slots(function, from, to), "{function}");
    }
    assert_eq!(slots[0].labels["__name__"], METRIC);
    assert_eq!(progress.last(), Some(&(31 * 86_400, 31 * 86_400)));
    // A month of a contract's slots is a handful of requests.
    assert!((2..=5).contains(&progress.len()) && progress.is_sorted(), "{progress:?}");

    // Both edges, and every border in between: midnight belongs to the day that ends with it.
    for (from, to, expected) in [
        (START, START + 31 * DAY, (1..=31).collect::<Vec<_>>()),
        (START - 1, START, vec![0]),
        (START, START + DAY - 1, vec![]),
        (START - 1, START + DAY, vec![0, 1]),
        (START, START, vec![]),
        (START, START - 1, vec![]),
    ] {
        let found = client.raw("midnight", from, to, |_, _| ()).await.unwrap();
        let days: Vec<i64> = found.iter().flat_map(|s| &s.points).map(|p| (p.millis / 1000 - START) / DAY).collect();
        assert_eq!(days, expected, "{from} to {to}");
    }

    // Instant queries: a vector, a scalar, nothing.
    let found = client.query(&format!("sum by (function) ({METRIC})"), START + DAY + OFFSET).await.unwrap();
    let functions: Vec<&str> = found.iter().map(|s| s.labels["function"].as_str()).collect();
    assert_eq!(functions, ["client", "consumer"]);
    assert_eq!(found[0].point.millis, (START + DAY + OFFSET) * 1000);
    let scalar = client.query("scalar(vector(7))", START).await.unwrap();
    assert!(scalar[0].labels.is_empty() && (scalar[0].point.value - 7.0).abs() < f64::EPSILON, "{scalar:?}");
    assert_eq!(client.query("nothing_of_that_name", START).await.unwrap(), []);

    // A range of more steps than one request may have, on its exact moments.
    let (from, to) = (START + 3, START + 31 * DAY);
    let found = client.range("vector(1)", from, to, 60, |_, _| ()).await.unwrap();
    let times: Vec<i64> = found[0].points.iter().map(|p| p.millis).collect();
    assert_eq!(times, (from..=to).step_by(60).map(|at| at * 1000).collect::<Vec<_>>());

    let found = client.series(METRIC, START, START + DAY).await.unwrap();
    assert_eq!(found.len(), 2, "{found:?}");

    // A mistake is said with the query it is in.
    let error = client.query("sum(", START).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Query, "{error}");
    assert!(error.to_string().contains("query `sum(` at 2026-09-30T15:00:00Z"), "{error}");
    let error = client.raw("sum(midnight)", START, START + DAY, |_, _| ()).await;
    // VictoriaMetrics takes that for a subquery with a step of its own.
    if let Err(error) = error {
        assert!(error.kind == ErrorKind::Query && error.to_string().contains("sum(midnight)"), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn prometheus_tells_what_was_recorded() {
    let recorded = recorded();
    let (_folder, _program, port) = prometheus(&recorded, &[]).await;
    tells_what_was_recorded(port, &recorded).await;
    let version = Client::new(settings(port, None)).server().await.unwrap().version;
    assert!(version.as_ref().is_some_and(|text| text.starts_with(|c: char| c.is_ascii_digit())), "{version:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn victoria_metrics_tells_what_was_recorded() {
    let recorded = recorded();
    let (_folder, _program, port) = victoria_metrics(&recorded).await;
    tells_what_was_recorded(port, &recorded).await;
    assert!(Client::new(settings(port, None)).server().await.is_ok());
}

/// Prometheus that may hold only few samples at once is asked for less at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_of_little_room_is_asked_in_smaller_pieces() {
    let recorded = recorded();
    let (_folder, _program, port) = prometheus(&recorded, &["--query.max-samples=300"]).await;
    let mut client = Client::new(settings(port, None));
    let (from, to) = (START, START + 3 * DAY);
    let slots = client.raw(METRIC, from, to, |_, _| ()).await.unwrap();
    for function in ["client", "consumer"] {
        assert_eq!(points(&slots, function), recorded.slots(function, from, to), "{function}");
    }
    let found = client.range("vector(1)", from, to, 60, |_, _| ()).await.unwrap();
    assert_eq!(found[0].points.len(), 3 * 1440 + 1);
}

/// Prometheus' own TLS and passwords, as its web configuration has them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn prometheus_behind_tls_and_a_password_is_asked_with_a_file_or_with_the_url() {
    let recorded = Recorded { slots: Vec::new(), midnights: vec![START] };
    let files = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = files.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let identity = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let certificate = write("cert.pem", &identity.cert.pem());
    let key = write("key.pem", &identity.signing_key.serialize_pem());
    // The password is hunter2-secret.
    let users = "basic_auth_users: {report: $2b$04$Icq6XHjEiWGWJzbxNf8t6OtjWx32jP33pBHuRQqhPdEBFHZOMJ7lO}";
    let web =
        format!("tls_server_config: {{cert_file: {}, key_file: {}}}\n{users}\n", certificate.display(), key.display());
    let web = write("web.yml", &web);
    write("password", "hunter2-secret\n");
    let tls = format!("tls_config: {{ca_file: {}}}\n", certificate.display());
    let only_tls = write("tls.yml", &tls);
    let both = write("both.yml", &format!("{tls}basic_auth: {{username: report, password_file: password}}\n"));

    let flag = format!("--web.config.file={}", web.display());
    let (_folder, _program, port) = prometheus(&recorded, &[&flag]).await;
    let ask = async |userinfo: &str, file: &Path| {
        let flags = PrometheusFlags {
            url: Secret::new(format!("https://{userinfo}127.0.0.1:{port}")),
            config_file: Some(file.to_owned()),
            timeout: Duration::from_secs(60),
        };
        let mut client = Client::new(Settings::from_flags(&flags).unwrap());
        client.query("midnight", START).await
    };
    let found = eventually("Prometheus is ready", async || match ask("", &both).await {
        // It listens before it has read its storage, and says so.
        Err(error) if error.kind == ErrorKind::Unreachable => Err(error.to_string()),
        other => Ok(other),
    });
    assert_eq!(found.await.unwrap().len(), 1);
    assert_eq!(ask("report:hunter2-secret@", &only_tls).await.unwrap().len(), 1);
    for (userinfo, advice) in [("", "it wants credentials"), ("report:mistaken@", "the credentials are refused")] {
        let error = ask(userinfo, &only_tls).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Denied, "{error}");
        assert!(error.to_string().contains(advice) && !error.to_string().contains("mistaken"), "{error}");
    }
}
