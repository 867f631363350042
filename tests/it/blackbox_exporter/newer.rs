//! Options of later versions: Debian's does not know them, so that nothing can be compared. Ours reads them; the documentation
//! lists them.

use std::collections::BTreeSet;
use std::process::Command;

use sla_tests::program::{on_path, ours};

use super::differences::rows;
use super::exporters::SLA;

/// Prober, option, and a section with it.
const OPTIONS: &[(&str, &str, &str)] = &[
    ("http", "http_headers", "{http_headers: {X-Tenant: {values: [a]}}}"),
    ("http", "no_proxy", "{proxy_url: 'http://127.0.0.1:1', no_proxy: a.example}"),
    ("http", "proxy_from_environment", "{proxy_from_environment: true}"),
    ("http", "fail_if_body_json_matches_cel", "{fail_if_body_json_matches_cel: 'body.a == 1.0'}"),
    ("http", "fail_if_body_json_not_matches_cel", "{fail_if_body_json_not_matches_cel: 'body.a == 1.0'}"),
    ("http", "source_ip_address", "{source_ip_address: 127.0.0.1}"),
    ("http", "body_file", "{method: POST, body_file: FOLDER/body}"),
    ("http", "username_file", "{basic_auth: {username_file: FOLDER/body, password_file: FOLDER/body}}"),
    ("http", "enable_http3", "{enable_http3: false}"),
    ("tcp", "labels", "{query_response: [{expect: 'a (.*)', labels: [{name: a, value: '${1}'}]}]}"),
    ("tcp", "expect_bytes", "{query_response: [{expect_bytes: a}]}"),
    ("grpc", "metadata", "{metadata: {x-tenant: [a]}}"),
];

#[test]
fn what_later_versions_have_is_read_here_and_listed() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("body"), "text").unwrap();
    let blackbox = folder.path().join("blackbox.yml");
    for (prober, option, section) in OPTIONS {
        let section = section.replace("FOLDER", &folder.path().display().to_string());
        std::fs::write(&blackbox, format!("modules: {{a: {{prober: {prober}, {prober}: {section}}}}}\n")).unwrap();
        let theirs = Command::new(on_path(&["prometheus-blackbox-exporter"]))
            .args(["--config.check".to_owned(), format!("--config.file={}", blackbox.display())])
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&theirs.stderr).into_owned();
        assert!(said.contains(&format!("field {option} not found")), "{option} can be compared now: {said}");
        let file = folder.path().join("sla.yml");
        std::fs::write(&file, SLA.replace("BLACKBOX", &blackbox.display().to_string())).unwrap();
        let ours = Command::new(ours("sla-exporter")).arg("check").arg(&file).output().unwrap();
        let said = String::from_utf8_lossy(&ours.stdout).into_owned() + &String::from_utf8_lossy(&ours.stderr);
        assert!(ours.status.success() && !said.contains("modules.a"), "{option}: {said}");
    }
    let page = std::fs::read_to_string(sla_tests::repository().join("docs/blackbox.md")).unwrap();
    let listed: BTreeSet<(String, String)> = rows(&page, "| prober | options |")
        .flat_map(|row| {
            row[1]
                .split(", ")
                .map(|option| (row[0].to_owned(), option.trim_matches('`').to_owned()))
                .collect::<Vec<_>>()
        })
        .collect();
    let tried = OPTIONS.iter().map(|(prober, option, _)| ((*prober).to_owned(), (*option).to_owned())).collect();
    assert_eq!(listed, tried);
}
