//! docs/metrics.md is what the exporter writes: names, types, labels and reasons, no more and no less.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use sla_exporter::app::{App, Source};
use sla_exporter::backups::BackupMetrics;
use sla_exporter::backups::figures::Backup;
use sla_exporter::certificates::CertificateMetrics;
use sla_exporter::certificates::read::Certificate;
use sla_exporter::exposition::{Format, Page};
use sla_exporter::grafana::{GrafanaMetrics, State};
use sla_exporter::ledger_metrics::LedgerView;
use sla_exporter::notify::NoticeMetrics;
use sla_exporter::probe::{Metric, Reason, Shared};
use sla_exporter::selfmetrics::SelfMetrics;
use sla_exporter::support::SupportMetrics;
use sla_exporter::support::ticket::Ticket;
use sla_exporter::updates::{Known, Reboot, Scan, UpdateMetrics};
use sla_exporter::{config, contract_metrics, ledger_metrics};

use crate::host::{page_of, testdata};
use crate::support::exporter;

/// Every optional part that adds a family.
const CONFIGURATION: &str = "site: s
contract:
  name: c
  timezone: Asia/Tokyo
  start: 2026-09-01
  functions:
    f: {objective: 99, maintenance_limit: 4h, capabilities: {a: {quorum: all}}}
ledger: ledger.yml
modules:
  m: {prober: icmp}
probes:
  - {name: p, module: m, targets: [127.0.0.1], evidence: f/a}
roles:
  web: {load_per_cpu: 4, filesystem_used_percent: 85, memory_used_percent: 95}
hosts:
  - {name: h, role: web, address: 127.0.0.1, require: [ping], thresholds: {load_per_cpu: 8}}
collectors: [load, time, uname]
restore_drills: 366d
backups: [{name: b, path: /backup/*}]
certificates: [{name: c, path: /certificates/*}]
updates: {}
support: {hours: ['10:00-18:00'], tickets: {csv: {path: tickets.csv}}}
";

/// An entry of each kind that adds a family; what lies in the future is on the page at any time.
pub(crate) const LEDGER: &str = "maintenance:
  - id: m
    title: t
    functions: [f]
    announced_at: 2026-10-01T00:00:00Z
    start: 2199-11-20T21:00:00+09:00
    end: 2199-11-20T22:00:00+09:00
    finished_at: 2199-11-20T21:30:00+09:00
incidents:
  - {id: i, title: t, functions: [f], cause: internal, started_at: 2026-10-01T00:00:00Z}
  - id: j
    title: t
    functions: [f]
    cause: force_majeure
    started_at: 2199-10-01T00:00:00Z
    resolved_at: 2199-10-02T00:00:00Z
    decided: {by: b, at: 2199-10-03T00:00:00Z}
drills: [{at: 2026-10-01T00:00:00Z, text: t}]
advisories:
  - {id: a, component: x, published_at: 2026-10-01T00:00:00Z, decision: apply, applied_at: 2026-10-02T00:00:00Z}
  - {id: b, component: x, published_at: 2026-10-01T00:00:00Z}
";

/// Families whose names the host decides, under the name they are documented by.
const OPEN: (&str, &str) = ("node_memory_", "node_memory_*");

/// A family: its type and the names of its labels, in so far as they are fixed.
pub(crate) type Families = BTreeMap<String, (String, BTreeSet<String>)>;

pub(crate) fn documented() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/metrics.md");
    std::fs::read_to_string(path).unwrap()
}

/// The rows of the tables whose first column is `metric`.
pub(crate) fn documented_families(text: &str) -> Families {
    let ticked = |cell: &str| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>();
    let rows = text.lines().filter_map(|line| {
        let cells: Vec<&str> = line.strip_prefix("| `")?.split(" | ").collect();
        let [name, kind, labels, _unit, _meaning, _absent] = cells[..] else { return None };
        Some((name.trim_end_matches('`').to_owned(), (kind.to_owned(), ticked(labels).into_iter().collect())))
    });
    let mut families = Families::new();
    for (name, family) in rows {
        assert!(families.insert(name.clone(), family).is_none(), "{name} is documented twice");
    }
    families
}

/// The families of a page, those of open names as one.
pub(crate) fn families(page: &str) -> Families {
    let mut families = Families::new();
    for line in page.lines() {
        if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' ')) {
            let name = if name.starts_with(OPEN.0) { OPEN.1 } else { name };
            families.entry(name.to_owned()).or_insert_with(|| (kind.to_owned(), BTreeSet::new()));
        } else if let Some((name, labels)) = line.split_once('{').filter(|_| !line.starts_with('#')) {
            let Some((_, known)) = families.get_mut(name) else { continue };
            // `name="` after the opening brace or after a closing quotation mark.
            let labels = labels.split_inclusive('"').step_by(2).filter_map(|part| part.strip_suffix("=\""));
            known.extend(labels.map(|label| label.trim_start_matches([',', ' ']).to_owned()));
        }
    }
    families
}

fn merge(into: &mut Families, from: Families) {
    for (name, (kind, labels)) in from {
        let known = into.entry(name).or_insert_with(|| (kind, BTreeSet::new()));
        known.1.extend(labels);
    }
}

fn written() -> Families {
    let mut written = Families::new();
    for metric in Metric::ALL {
        written.insert(metric.name().to_owned(), ("gauge".to_owned(), BTreeSet::new()));
    }
    let icmp = ["requests", "replies", "send_errors"].map(|what| format!("probe_icmp_{what}_total"));
    for counter in icmp.iter().map(String::as_str).chain(["probe_runs_total", "probe_failures_total"]) {
        written.insert(counter.to_owned(), ("counter".to_owned(), BTreeSet::new()));
    }
    written.insert("probe_latency_seconds".to_owned(), ("histogram".to_owned(), BTreeSet::new()));
    let mut page = Page::new(Format::Text, Vec::new());
    let config = loaded().config;
    contract_metrics::write(&config, &mut page);
    ledger_metrics::write(&config, &LedgerView::of(&config), 1_800_000_000, &mut page);
    let notices = NoticeMetrics::default();
    notices.stands("c", 0, true, &["http://a".to_owned()]);
    notices.told(vec![("e/opened".to_owned(), 1)]);
    notices.write(&mut page);
    let grafana = GrafanaMetrics::default();
    grafana.wants("c", 1);
    grafana.synced(State { pending: 0, disputed: 0, success: true }, 1);
    grafana.write(&mut page);
    let backups = BackupMetrics::default();
    let backup = |age: i64| Backup { written_at: 1_800_000_000 - age, size: 10 };
    backups.found("b", Ok(vec![backup(3600), backup(90_000), backup(180_000)]), 1_800_000_000);
    backups.write(&config, 1_800_000_000, &mut page);
    let certificates = CertificateMetrics::default();
    let certificate = Certificate {
        subject: "CN=a".into(),
        serial: "01".into(),
        not_before: 1,
        not_after: 2,
        ..Certificate::default()
    };
    certificates.found("c", Ok(vec![("/a.pem".to_owned(), certificate)]), 1);
    certificates.write(&config, &mut page);
    let updates = UpdateMetrics::default();
    updates.found(
        Scan {
            known: Ok(Known {
                pending: vec![("a".to_owned(), "2".to_owned())],
                oldest: Some(1),
                lists_at: 1_800_000_000,
            }),
            reboot: Some(Reboot { required: true, packages: Some(1), asked_at: None }),
            reboot_since: Some(1),
            stored: Ok(()),
        },
        1_800_000_000,
    );
    updates.write(&config, 1_800_000_000, &mut page);
    let support = SupportMetrics::default();
    let now = 1_800_000_000;
    let ticket = |received_at, done_at| Ticket { received_at, done_at };
    support.read(
        Ok(vec![ticket(now - 60, None), ticket(now - 30 * 86_400, None), ticket(now - 60, Some(now))]),
        config.support.as_ref().unwrap(),
        &config.contract.timezone,
        now,
    );
    support.write(&config, now, &mut page);
    SelfMetrics::new().write(&mut page);
    SelfMetrics::new().write_as_blackbox_exporter(&mut page);
    merge(&mut written, logins());
    merge(&mut written, families(&String::from_utf8(page.finish()).unwrap()));
    for case in ["typical", "strange-mounts"] {
        let mut page = families(&page_of(&testdata().join(case)));
        // What the fixture's textfiles say.
        page.retain(|name, _| name.starts_with("node_") || name.starts_with("sla_"));
        merge(&mut written, page);
    }
    written
}

/// What an exporter shows that counts failed logins.
fn logins() -> Families {
    let folder = tempfile::tempdir().unwrap();
    let (path, storage) = (folder.path().join("sla.yml"), folder.path().join("data"));
    std::fs::write(folder.path().join("auth.log"), "").unwrap();
    std::fs::write(folder.path().join("ledger.yml"), "").unwrap();
    std::fs::write(&path, format!("{CONFIGURATION}logins: {{users: [root], sources: [{{file: auth.log}}]}}\n"))
        .unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let page = runtime.block_on(async {
        let app = exporter::exporter(&path);
        let end = tokio_util::sync::CancellationToken::new();
        let counting = tokio::spawn(sla_exporter::logins::run(std::sync::Arc::clone(&app), storage, end.clone()));
        let page = loop {
            let mut page = Page::new(Format::Text, Vec::new());
            app.logins().write(&mut page);
            let page = String::from_utf8(page.finish()).unwrap();
            if !page.is_empty() {
                break page;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        };
        end.cancel();
        counting.await.unwrap();
        page
    });
    families(&page)
}

fn loaded() -> config::Loaded {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sla.yml");
    std::fs::write(&path, CONFIGURATION).unwrap();
    std::fs::write(folder.path().join("ledger.yml"), LEDGER).unwrap();
    config::load(&path).unwrap_or_else(|findings| panic!("{findings:?}"))
}

#[test]
fn every_family_is_documented_with_its_type_and_nothing_else_is() {
    let (documented, written) = (documented_families(&documented()), written());
    let names = |families: &Families| families.keys().cloned().collect::<BTreeSet<_>>();
    let missing: Vec<_> = names(&written).difference(&names(&documented)).cloned().collect();
    let extra: Vec<_> = names(&documented).difference(&names(&written)).cloned().collect();
    assert!(missing.is_empty() && extra.is_empty(), "missing in docs/metrics.md: {missing:?}; not written: {extra:?}");
    for (name, (kind, labels)) in &written {
        let (documented_kind, documented_labels) = &documented[name];
        assert_eq!(documented_kind, kind, "type of {name}");
        // A probe's own labels depend on its last run, and are tested with the prober.
        if !name.starts_with("probe_") {
            assert_eq!(documented_labels, labels, "labels of {name}");
        }
    }
}

#[test]
fn every_reason_is_documented_and_nothing_else_is() {
    let text = documented();
    let table = text.split("### Reasons").nth(1).unwrap().split("\n## ").next().unwrap();
    let documented: Vec<&str> = table.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
    let heading_and_reasons: Vec<&str> =
        std::iter::once("reason").chain(Reason::ALL.iter().map(|reason| reason.as_str())).collect();
    assert_eq!(documented, heading_and_reasons);
}

/// The running exporter has no family beside those.
#[tokio::test(flavor = "multi_thread")]
async fn the_running_exporter_shows_documented_families_only() {
    let listen = "127.0.0.1:10115".parse().unwrap();
    let source = Source::Embedded { listen, tls: false };
    for loaded in [loaded(), source.load().unwrap_or_else(|findings| panic!("{findings:?}"))] {
        let app = App::new(loaded, source.clone(), Shared::new(), exporter::options());
        let shown = families(&exporter::page(&app).await);
        assert!(shown.contains_key("sla_objective_ratio") && shown.contains_key("node_load1"), "{shown:?}");
        let documented = documented_families(&documented());
        for (name, (kind, labels)) in shown {
            let (documented_kind, documented_labels) =
                documented.get(&name).unwrap_or_else(|| panic!("{name} is not in docs/metrics.md"));
            assert_eq!(documented_kind, &kind, "type of {name}");
            assert!(name.starts_with("probe_") || labels.is_subset(documented_labels), "labels of {name}: {labels:?}");
        }
    }
}
