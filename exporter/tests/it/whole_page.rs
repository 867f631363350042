//! The page of an exporter with everything configured: the program itself, a probe of every prober, every collector and every
//! duty, against peers that never say the same thing twice.
//!
//! Every documented family is there, none beside them, each has a HELP, promtool finds nothing, and nothing anybody
//! answers becomes a label. That node_* is node_exporter's: `tests/it/node_exporter.rs`.

mod peers;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use sla_exporter::clock;
use sla_exporter::probe::Reason;

use self::peers::Count;
use crate::binary::Exporter;
use crate::metrics_reference::{LEDGER, documented, documented_families, families};
use crate::support::certs::Certs;
use crate::support::grafana::{Grafana, TOKEN};
use crate::support::http::{answer, serve};
use crate::support::postgres::{PASSWORD, Postgres};
use crate::support::{closed, server};
use crate::updates::Machine;

/// Modules of people who come from blackbox_exporter.
const BLACKBOX: &str = "modules:
  http_2xx: {prober: http, timeout: 1s, http: {preferred_ip_protocol: ip4}}
";

/// `@…@` stands for what is known when the test runs.
const CONFIGURATION: &str = r#"site: s
contract:
  name: c
  timezone: Asia/Tokyo
  start: 2026-09-01
  functions:
    f: {objective: 99, maintenance_limit: 4h, capabilities: {a: {quorum: all}}}
  connectivity: [reference]
ledger: ledger.yml
alertmanager: {urls: ["@alertmanager@"]}
grafana: {url: "@grafana@", token_file: token}
module_files: [blackbox.yml]
modules:
  json:
    prober: http
    timeout: 1s
    http:
      preferred_ip_protocol: ip4
      fail_if_body_not_matches_regexp: [number]
      fail_if_body_json_not_matches_cel: body.number >= 0
      tls_config: {ca_file: "@ca@"}
  greeting:
    prober: tcp
    timeout: 500ms
    tcp:
      query_response:
        - {expect: "^220 (id-[0-9]+)", labels: [{name: greeted, value: "${1}"}]}
        - {expect_bytes: "+PONG\r\n"}
  closed: {prober: tcp, timeout: 1s, tcp: {expect: closed}}
  refused: {prober: http, timeout: 1s, http: {preferred_ip_protocol: ip4, expect: refused}}
  ping: {prober: icmp, timeout: 1s, icmp: {preferred_ip_protocol: ip4}}
  zone: {prober: dns, timeout: 1s, dns: {query_name: two.test, query_type: SOA}}
  orders: {prober: grpc, timeout: 1s}
  socket: {prober: unix, timeout: 1s}
  chat: {prober: websocket, timeout: 1s}
  database:
    prober: postgres
    timeout: 1s
    postgres: {user: monitor, password_file: "@password@", dbname: postgres, query: SELECT count(*) FROM pg_class}
  scanner: {prober: clamd, timeout: 1s}
  flow:
    prober: http_flow
    timeout: 1s
    http_flow:
      preferred_ip_protocol: ip4
      steps:
        - {name: first, request: {url: /}, capture: {number: {json: $.text}}}
        - {name: second, request: {url: "/{{number}}"}, expect: {checks: [{body: true, equals: "another"}]}}
      cleanup: [{name: tidy, request: {url: /tidy}}]
probes:
  - {name: web, module: http_2xx, targets: ["@web@"], interval: 1s, evidence: f/a}
  - {name: api, module: json, targets: ["@web@", "@secure_web@"], interval: 1s}
  - {name: reference, module: greeting, targets: ["@greeter@"], interval: 1s}
  - {name: hangs, module: greeting, targets: ["@silent@"], interval: 1s}
  - {name: shut, module: closed, targets: ["@closed@"], interval: 1s}
  - {name: stranger, module: refused, targets: ["@web@"], interval: 1s}
  - {name: device, module: ping, targets: [127.0.0.1], interval: 1s}
  - {name: names, module: zone, targets: ["@names@"], interval: 1s}
  - {name: orders, module: orders, targets: ["@closed@"], interval: 1s}
  - {name: socket, module: socket, targets: ["@nothing@"], interval: 1s}
  - {name: chat, module: chat, targets: ["ws://@closed@/"], interval: 1s}
  - {name: database, module: database, targets: ["@postgres@"], interval: 1s}
  - {name: scanner, module: scanner, targets: ["@scanner@"], interval: 1s}
  - {name: flow, module: flow, targets: ["@web@"], interval: 1s, latency_buckets: []}
roles:
  web: {load_per_cpu: 4, filesystem_used_percent: 85, memory_used_percent: 95, require: [ping, load]}
hosts:
  - {name: h, role: web, address: 127.0.0.1, redundancy_group: web, thresholds: {load_per_cpu: 8}}
collectors: [load, cpu, memory, filesystem, disk, network, mdadm, uptime, time, uname, textfile: {directory: "@folder@/textfile"}]
logins: {users: [root], sources: [{file: auth.log}]}
backups: [{name: b, path: "@folder@/backup/*"}]
restore_drills: 366d
certificates: [{name: c, path: "@ca@", renew_every: 366d}]
updates: {}
support:
  hours: ["10:00-18:00"]
  tickets:
    postgres:
      module: database
      target: "@postgres@"
      query: >-
        SELECT * FROM (VALUES (now() - interval '1 minute', NULL), (now() - interval '30 days', NULL), (now() - interval '1 minute', now()))
        AS tickets (received_at, answered_at)
"#;

/// Families whose labels say what a peer said: the certificate it shows, and what the configuration or clamd's operator asks for.
/// One series of a target, which goes when another comes.
const TOLD: [&str; 3] = ["probe_clamd_info", "probe_expect_info", "probe_ssl_last_chain_info"];

struct Site {
    exporter: Exporter,
    folder: tempfile::TempDir,
    _machine: Machine,
    _grafana: Grafana,
    _certs: Certs,
}

impl Site {
    async fn start() -> Self {
        let (folder, certs, count) = (tempfile::tempdir().unwrap(), Certs::of(&["localhost"]), Count::default());
        let file = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        let (web, secure_web) = (peers::web(&count).await, peers::secure_web(&count, &certs).await);
        let alertmanager = serve(|_: &str| answer(200, "Content-Type: application/json\r\n", "{}")).await;
        let silent = server(|stream| async move {
            tokio::time::sleep(Duration::from_secs(600)).await;
            drop(stream);
        });
        let (grafana, postgres) = (Grafana::start().await, Postgres::shared());
        let known = [
            ("alertmanager", alertmanager.url("")),
            ("grafana", grafana.url()),
            ("ca", certs.ca_file().display().to_string()),
            ("password", postgres.password_file(PASSWORD).display().to_string()),
            ("web", web.url("/")),
            ("secure_web", secure_web.url("/").replace("http://127.0.0.1", "https://localhost")),
            ("greeter", peers::greeter(&count).await),
            ("silent", silent.await),
            ("closed", closed()),
            ("names", crate::dns::honest().await.to_string()),
            ("nothing", folder.path().join("nothing.sock").display().to_string()),
            ("postgres", format!("127.0.0.1:{}", postgres.port)),
            ("scanner", peers::scanner(&count).await),
            ("folder", folder.path().display().to_string()),
        ];
        let text = known
            .iter()
            .fold(CONFIGURATION.to_owned(), |text, (name, value)| text.replace(&format!("@{name}@"), value));
        file("sla.yml", &text);
        file("ledger.yml", LEDGER);
        file("blackbox.yml", BLACKBOX);
        file("token", TOKEN);
        file("auth.log", "");
        backups(&folder.path().join("backup"));
        std::fs::create_dir(folder.path().join("textfile")).unwrap();
        file("textfile/good.prom", "textfile_things_total{a=\"1\"} 3\n");
        file("textfile/broken.prom", "not a metric at all {\n");
        let machine = Machine::new();
        machine.installed(&[("openssl", "3.0.1-1", "install")]);
        machine.archive(1, &[("openssl", "3.0.2-1")]);
        machine.write("run/reboot-required", "*** System restart required ***\n");
        machine.write("run/reboot-required.pkgs", "linux-base\n");
        let host = crate::host::testdata().join("typical");
        let exporter = Exporter::start(&[
            &format!("--config.file={}", folder.path().join("sla.yml").display()),
            &format!("--storage.path={}", folder.path().join("data").display()),
            &format!("--path.procfs={}", host.join("proc").display()),
            &format!("--path.sysfs={}", host.join("sys").display()),
            &format!("--path.rootfs={}", machine.path("").display()),
        ]);
        // What happens while it runs is told to customers.
        let now = Timestamp::from_second(clock::whole_seconds()).unwrap();
        let incident = format!("  - {{id: now, title: t, functions: [f], cause: internal, started_at: \"{now}\"}}\n");
        file("ledger.yml", &LEDGER.replace("incidents:\n", &format!("incidents:\n{incident}")));
        Self { exporter, folder, _machine: machine, _grafana: grafana, _certs: certs }
    }

    /// The page as it is now, in the format that is asked for.
    fn page(&self) -> String {
        let answer = self.exporter.get("/metrics");
        answer.split_once("\r\n\r\n").map(|(_, page)| page.to_owned()).unwrap_or_default()
    }

    /// The page once `good` takes it for such; what it says it still waits for.
    async fn page_when(&self, good: impl Fn(&str) -> Result<(), String>) -> String {
        let mut last = String::new();
        for _ in 0..300 {
            let page = tokio::task::block_in_place(|| self.page());
            match good(&page) {
                Ok(()) => return page,
                Err(why) => last = why,
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        panic!("{last}\n{}", self.exporter.log())
    }
}

/// Three, made a day apart.
fn backups(folder: &Path) {
    std::fs::create_dir(folder).unwrap();
    for (name, hours) in [("a", 1), ("b", 25), ("c", 49)] {
        let file = std::fs::File::create(folder.join(name)).unwrap();
        (&file).write_all(b"a backup").unwrap();
        let ago = Duration::from_secs_f64(clock::unix_seconds()) - Duration::from_secs(hours * 3600);
        file.set_modified(SystemTime::UNIX_EPOCH + ago).unwrap();
    }
}

/// The series of a page, by their families; what textfiles say is left out.
fn series(page: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in page.lines().filter(|line| !line.starts_with('#') && !line.starts_with("textfile_")) {
        let series = line.rsplit_once(' ').unwrap().0;
        let name = series.split('{').next().unwrap();
        found.entry(name.to_owned()).or_default().insert(series.to_owned());
    }
    found
}

/// Names and values of all labels, but of those families that say what a peer said.
fn values(page: &str) -> BTreeSet<(String, String)> {
    let mut found = BTreeSet::new();
    for (name, series) in series(page) {
        let labels = series.iter().filter(|_| !TOLD.contains(&name.as_str())).filter_map(|one| one.split_once('{'));
        for (_, labels) in labels {
            let parts: Vec<&str> = labels.split('"').collect();
            for pair in parts.chunks_exact(2) {
                let name = pair[0].trim_start_matches(',').trim_end_matches('=');
                found.insert((name.to_owned(), pair[1].to_owned()));
            }
        }
    }
    found
}

/// Runs so far of the target that had fewest.
fn fewest_runs(page: &str) -> f64 {
    let runs = page.lines().filter(|line| line.starts_with("probe_runs_total{"));
    runs.map(|line| line.rsplit_once(' ').unwrap().1.parse().unwrap()).fold(f64::INFINITY, f64::min)
}

fn promtool(page: &str) -> (bool, String) {
    let mut promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool does not start; deploy/native/install.sh test installs it");
    promtool.stdin.take().unwrap().write_all(page.as_bytes()).unwrap();
    let output = promtool.wait_with_output().unwrap();
    (output.status.success(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
}

/// Everything the documentation has is configured.
#[test]
fn nothing_that_can_be_configured_is_left_out() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    let reference = std::fs::read_to_string(root.join("configuration.md")).unwrap();
    let blocks = reference.split("```yaml\n").skip(1).map(|block| block.split("```").next().unwrap());
    let keys: BTreeSet<&str> = blocks
        .flat_map(str::lines)
        .filter(|line| line.starts_with(|c: char| c.is_ascii_lowercase()))
        .filter_map(|line| line.split(':').next())
        .collect();
    assert!(keys.len() > 12, "{keys:?}");
    for key in keys {
        assert!(CONFIGURATION.lines().any(|line| line.starts_with(&format!("{key}:"))), "{key}");
    }
    for page in std::fs::read_dir(root.join("modules")).unwrap() {
        let prober = page.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned();
        let used = format!("prober: {prober}");
        let lines = CONFIGURATION.lines().chain(BLACKBOX.lines());
        assert!(lines.flat_map(|line| line.split([',', '{'])).any(|part| part.trim() == used), "{prober}");
    }
    for collector in sla_exporter::host::NAMES {
        assert!(CONFIGURATION.contains(collector), "{collector}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_of_everything_is_whole_documented_and_bounded() {
    let site = Site::start().await;
    let documented = documented_families(&documented());
    let page = site
        .page_when(|page| {
            let shown = families(page);
            let missing: Vec<&String> = documented.keys().filter(|name| !shown.contains_key(*name)).collect();
            if missing.is_empty() { Ok(()) } else { Err(format!("not on the page: {missing:?}")) }
        })
        .await;

    for (name, (kind, labels)) in families(&page) {
        if name.starts_with("textfile_") {
            continue;
        }
        let (documented_kind, documented_labels) =
            documented.get(&name).unwrap_or_else(|| panic!("{name} is not in docs/metrics.md"));
        assert_eq!(documented_kind, &kind, "type of {name}");
        assert!(name.starts_with("probe_") || labels.is_subset(documented_labels), "labels of {name}: {labels:?}");
        let help = format!("# HELP {name} ");
        let told = name.ends_with('*') || page.lines().any(|line| line.starts_with(&help) && line.len() > help.len());
        assert!(told, "{name} has no HELP");
    }

    // The names of /proc/meminfo's lines are node_exporter's.
    let checked: String = page
        .split_inclusive('\n')
        .filter(|line| !line.trim_start_matches("# HELP ").trim_start_matches("# TYPE ").starts_with("node_memory_"))
        .collect();
    assert_eq!(promtool(&checked), (true, String::new()));
    assert!(!promtool("a_days 1\n").0, "it finds what there is");

    // Everybody says something else at each run.
    let (runs, before) = (fewest_runs(&page), series(&page));
    let told = |of: &BTreeMap<String, BTreeSet<String>>| TOLD.map(|name| of.get(name).map_or(0, BTreeSet::len));
    let later = site
        .page_when(|page| {
            let more = fewest_runs(page) - runs;
            // Nor are they there twice; while a run has failed on a slow machine, not at all.
            let (before, now) = (told(&before), told(&series(page)));
            if more >= 3.0 && now == before {
                Ok(())
            } else {
                Err(format!("{more} runs more; {before:?}, now {now:?}"))
            }
        })
        .await;
    // By values, not by series: a run that fails on a slow machine takes series away and gives a reason more.
    let new: Vec<_> = values(&later).difference(&values(&page)).cloned().collect();
    let reason = |(name, value): &&(String, String)| {
        name == "reason" && Reason::ALL.iter().any(|reason| reason.as_str() == value.as_str())
    };
    let new: Vec<_> = new.iter().filter(|new| !reason(new)).collect();
    assert!(new.is_empty(), "values of labels that an answer made: {new:?}");
    let after = series(&later);
    for name in ["probe_clamd_info", "probe_expect_info"] {
        assert_ne!(before[name], after[name], "{name}: the peers do say something else");
    }
    drop(site.folder);
}
