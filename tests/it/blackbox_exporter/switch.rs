//! The switch as its user makes it: the scrape jobs of a Prometheus that had blackbox_exporter, with another address; the
//! queries of dashboards and the alerts that are in use for it.

use std::fmt::Write as _;

use serde_json::Value;
use sla_tests::program::{Program, on_path};
use sla_tests::{eventually, free_port, http};

use super::Exporter;
use super::pki::{Leaf, Pki};
use super::servers::{closed, http as web, serve};

/// What dashboards for blackbox_exporter ask, each with what must be found for a target that is up; `T` is the target.
const PANELS: &[&str] = &[
    "probe_success{instance=~'T'}",
    "avg_over_time(probe_success{instance=~'T'}[1m])",
    "up{job='blackbox',instance=~'T'}",
    "probe_http_status_code{instance=~'T'}",
    "probe_http_version{instance=~'T'}",
    "probe_http_ssl{instance=~'T'}",
    "probe_http_redirects{instance=~'T'}",
    "probe_http_content_length{instance=~'T'}",
    "probe_http_uncompressed_body_length{instance=~'T'}",
    "probe_failed_due_to_regex{instance=~'T'}",
    "probe_ip_protocol{instance=~'T'}",
    "probe_ip_addr_hash{instance=~'T'}",
    "avg_over_time(probe_duration_seconds{instance=~'T'}[1m])",
    "avg_over_time(probe_dns_lookup_time_seconds{instance=~'T'}[1m])",
    "probe_http_duration_seconds{instance=~'T',phase='processing'}",
    "sum by (instance) (probe_http_duration_seconds{instance=~'T'})",
    "count by (instance) (probe_http_duration_seconds{instance=~'T',phase=~'resolve|connect|tls|processing|transfer'}) == 5",
    "(probe_ssl_earliest_cert_expiry{instance=~'T'} - time()) / 86400 > 0",
    "probe_ssl_last_chain_expiry_timestamp_seconds{instance=~'T'}",
    "probe_ssl_last_chain_info{instance=~'T'}",
    "probe_tls_version_info{instance=~'T'}",
    "scrape_duration_seconds{job='blackbox',instance=~'T'}",
];

/// Alerts in use, each with the target of which it must speak; `(good)` for those that must be silent.
const ALERTS: &[(&str, &str)] = &[
    ("probe_success == 0 and on (instance) probe_http_status_code == 0", "gone"),
    ("probe_success{instance='no-target'} == 0", "no-target"),
    ("probe_http_status_code <= 199 or probe_http_status_code >= 400", "missing"),
    ("probe_ssl_earliest_cert_expiry - time() < 0", "expired"),
    (
        "probe_success == 0 and on (instance) probe_ip_protocol == 4 and on (instance) probe_http_status_code == 404",
        "missing",
    ),
    ("blackbox_exporter_config_last_reload_successful != 1", ""),
    ("up{job='blackbox'} == 0", ""),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_prometheus_that_had_blackbox_exporter_goes_on_with_another_address() {
    let folder = tempfile::tempdir().unwrap();
    let pki = Pki::new(folder.path());
    let good = serve(Some(pki.good()), web);
    let expired = serve(Some(pki.server(&Leaf { years: (2019, 2020), ..Leaf::default() })), web);
    let (_kept, closed) = closed();
    // The file that Debian installs, as it is, and a module of the house.
    let debian = std::fs::read_to_string("/etc/prometheus/blackbox.yml").unwrap();
    let ca = folder.path().join("ca.pem");
    let own = format!(
        "\n  http_house:\n    prober: http\n    timeout: 5s\n    http:\n      tls_config: {{ca_file: {}}}\n",
        ca.display()
    );
    let file = folder.path().join("blackbox.yml");
    std::fs::write(&file, debian + &own).unwrap();
    let exporter = Exporter::ours(&file);
    let targets = [
        ("good", format!("https://127.0.0.1:{good}/")),
        ("missing", format!("https://127.0.0.1:{good}/missing")),
        ("expired", format!("https://127.0.0.1:{expired}/")),
        ("gone", format!("https://127.0.0.1:{closed}/")),
        ("no-target", "ftp://127.0.0.1/".to_owned()),
    ];
    // As in blackbox_exporter's own documentation; each target has a name here, so that the queries can be written down.
    let mut config = format!(
        "global: {{scrape_interval: 1s, scrape_timeout: 1s}}
scrape_configs:
  - job_name: blackbox-exporter
    static_configs: [{{targets: ['127.0.0.1:{0}']}}]
  - job_name: blackbox
    metrics_path: /probe
    params: {{module: [http_house]}}
    relabel_configs:
      - {{source_labels: [__address__], target_label: __param_target}}
      - {{source_labels: [name], target_label: instance}}
      - {{regex: name, action: labeldrop}}
      - {{target_label: __address__, replacement: '127.0.0.1:{0}'}}
    static_configs:
",
        exporter.port
    );
    for (name, target) in &targets {
        writeln!(config, "      - {{targets: ['{target}'], labels: {{name: {name}}}}}").unwrap();
    }
    let path = folder.path().join("prometheus.yml");
    std::fs::write(&path, config).unwrap();
    let port = free_port();
    let arguments = [
        format!("--config.file={}", path.display()),
        format!("--storage.tsdb.path={}", folder.path().join("prometheus").display()),
        format!("--web.listen-address=127.0.0.1:{port}"),
    ];
    let mut prometheus = Program::start("prometheus", &on_path(&["prometheus"]), &arguments, folder.path());
    prometheus.ready(port, "/-/ready").await;

    let ask = async |promql: &str| -> Result<Vec<(Value, f64)>, String> { http::query(port, promql).await };
    eventually("every target is scraped", async || {
        let found = ask("count(up == 1) == 6 and count(probe_success) == 5 and sum(probe_success) == 1").await?;
        if found.len() == 1 { Ok(()) } else { Err(format!("{:?}", ask("up or probe_success").await?)) }
    })
    .await;
    for panel in PANELS {
        let found = ask(&panel.replace('T', "good")).await.unwrap();
        assert_eq!(found.len(), 1, "{panel}: {found:?}");
    }
    for (alert, name) in ALERTS {
        let found = ask(alert).await.unwrap();
        let names: Vec<&str> = found.iter().filter_map(|(labels, _)| labels["instance"].as_str()).collect();
        assert!(if name.is_empty() { names.is_empty() } else { names.contains(name) }, "{alert}: {found:?}");
        assert!(!names.contains(&"good"), "{alert}: {found:?}");
    }
    // What is scraped of the exporter itself.
    let known =
        ask("blackbox_exporter_config_last_reload_successful == 1 and on () blackbox_module_unknown_total == 0");
    assert_eq!(known.await.unwrap().len(), 1);
    // What is asked by hand, and by who looks after processes.
    assert_eq!(http::get_with(exporter.port, "/probe?target=a&module=no_such", "").await.unwrap().status, 400);
    eventually("the unknown module is counted", async || {
        let found = ask("blackbox_module_unknown_total == 1").await?;
        if found.len() == 1 { Ok(()) } else { Err(format!("{found:?}")) }
    })
    .await;
    assert!(http::get(exporter.port, "/-/healthy").await.is_ok());
    assert!(http::post(exporter.port, "/-/reload").await.is_ok());
}
