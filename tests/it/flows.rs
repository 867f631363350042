//! The demo service as its users go through it, with the exporter's own program: login with client certificate, user and password;
//! form submitted and read back; link followed and counted, in the page and in PostgreSQL. And that a service which answers 200 and
//! does not work is found out (C2.6.5–6, C4.1, C4.2).

use std::process::Command;
use std::sync::Arc;

use sla_demo::service::{Capability, Clicks, Mode, Service};
use sla_demo::{tls, web};
use sla_tests::program::{Program, ours};
use sla_tests::{eventually, free_port, http};

use crate::demo::{as_postgres, give_to_postgres, start_postgres};

fn configuration(secure: u16, plain: u16, database: u16) -> String {
    format!(
        "site: here
contract:
  name: c
  timezone: Asia/Tokyo
  functions:
    client: {{objective: 99, capabilities: {{web_app: {{quorum: all}}}}}}
    consumer: {{objective: 99, capabilities: {{web_form: {{quorum: all}}, click_count: {{quorum: all}}}}}}
modules:
  login:
    prober: http_flow
    timeout: 2s
    http_flow:
      preferred_ip_protocol: ip4
      tls_config: {{ca_file: ca.pem, cert_file: client.pem, key_file: client.key}}
      variables: {{user: demo, password: {{file: password}}}}
      steps:
        - {{name: page, request: {{url: /login}}, expect: {{checks: [{{css: \"input[name=password]\"}}]}}}}
        - name: login
          request: {{url: /login, form: {{user: \"{{{{user}}}}\", password: \"{{{{password}}}}\"}}}}
          expect: {{redirect: \"/app$\"}}
        - {{name: app, request: {{url: /app}}, expect: {{checks: [{{css: h1}}, {{url: true, matches: \"/app$\"}}]}}}}
  form:
    prober: http_flow
    timeout: 2s
    http_flow:
      preferred_ip_protocol: ip4
      steps:
        - name: submit
          request: {{url: /form, form: {{text: \"probe {{{{run_id}}}}\"}}}}
          expect: {{redirect: \"/form/[0-9]+$\"}}
          capture: {{place: {{header: Location}}}}
        - {{name: read, request: {{url: \"{{{{place}}}}\"}}, expect: {{checks: [{{css: p, contains: \"{{{{run_id}}}}\"}}]}}}}
  click:
    prober: http_flow
    timeout: 2s
    http_flow:
      preferred_ip_protocol: ip4
      variables: {{link: probe}}
      steps:
        - {{name: before, request: {{url: \"/c/{{{{link}}}}/count\"}}, capture: {{before: {{regex: \"^[0-9]+\"}}}}}}
        - {{name: click, request: {{url: \"/c/{{{{link}}}}\"}}, expect: {{redirect: \"/landing/probe$\"}}}}
        - {{name: after, request: {{url: \"/c/{{{{link}}}}/count\"}}, expect: {{checks: [{{regex: \"^[0-9]+\", above: \"{{{{before}}}}\"}}]}}}}
        - name: database
          postgres:
            target: \"127.0.0.1:{database}\"
            user: demo
            dbname: postgres
            preferred_ip_protocol: ip4
            query: SELECT count FROM clicks WHERE link = {{{{link}}}}
          expect: {{checks: [{{value: true, above: \"{{{{before}}}}\"}}]}}
probes:
  - {{name: web-app, module: login, targets: [\"https://127.0.0.1:{secure}\"], interval: 2s, evidence: client/web_app}}
  - {{name: web-form, module: form, targets: [\"http://127.0.0.1:{plain}\"], interval: 2s, evidence: consumer/web_form}}
  - {{name: click-count, module: click, targets: [\"http://127.0.0.1:{plain}\"], interval: 2s, evidence: consumer/click_count}}
"
    )
}

/// Waits until the page has a line that begins with `family{`, has all of `labels`, and ends with `value`.
async fn shows(port: u16, family: &str, labels: &[&str], value: &str) {
    eventually(&format!("{family} {labels:?} is {value}"), async || {
        let page = http::get(port, "/metrics").await?;
        let lines: Vec<&str> = page.lines().filter(|line| line.starts_with(&format!("{family}{{"))).collect();
        let good =
            |line: &&&str| labels.iter().all(|label| line.contains(label)) && line.ends_with(&format!(" {value}"));
        if lines.iter().any(|line| good(&line)) { Ok(()) } else { Err(lines.join("\n")) }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn users_ways_through_the_demo_are_probed_and_what_only_looks_well_is_found_out() {
    let folder = tempfile::tempdir().unwrap();
    let (data, database) = (folder.path().join("data"), free_port());
    give_to_postgres(folder.path());
    let mut initdb = as_postgres("initdb");
    initdb.extend(["--username=demo", "--auth=trust", "--no-sync", "-D"].map(str::to_owned));
    initdb.push(data.display().to_string());
    let done = Command::new(&initdb[0]).args(&initdb[1..]).current_dir(folder.path()).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let _server = start_postgres(folder.path(), &data, database);

    let listener = web::listen("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let plain = listener.local_addr().unwrap().port();
    let service = Service::new(Clicks::in_postgres(format!("postgresql://demo@127.0.0.1:{database}/postgres")));
    tokio::spawn(web::serve(listener, Arc::clone(&service)));
    eventually("the database counts", async || http::get(plain, "/health/click_count").await).await;
    let own = tempfile::tempdir().unwrap();
    let listener = web::listen("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let secure = listener.local_addr().unwrap().port();
    let config = tls::prepare(own.path(), sla_demo::clock::now()).unwrap();
    tokio::spawn(web::serve_tls(listener, config, Arc::clone(&service)));
    std::fs::write(own.path().join("password"), "demo\n").unwrap();
    std::fs::write(own.path().join("sla.yml"), configuration(secure, plain, database)).unwrap();

    let arguments = |port: u16| {
        let flags = [format!("--config.file={}", own.path().join("sla.yml").display())];
        flags.into_iter().chain([format!("--web.listen-address=127.0.0.1:{port}")]).collect()
    };
    let (_exporter, port) = Program::listening_at("sla-exporter", &ours("sla-exporter"), arguments, own.path());
    for probe in ["web-app", "web-form", "click-count"] {
        shows(port, "probe_success", &[&format!("probe=\"{probe}\"")], "1").await;
    }
    for (probe, step) in [("web-app", "app"), ("web-form", "read"), ("click-count", "database")] {
        shows(port, "probe_flow_step_success", &[&format!("probe=\"{probe}\""), &format!("step=\"{step}\"")], "1")
            .await;
    }

    // Status 200, and nothing else: a status alone would be up.
    for (capability, probe, step, reason) in [
        (Capability::WebApp, "web-app", "page", "body"),
        (Capability::WebForm, "web-form", "submit", "status"),
        (Capability::ClickCount, "click-count", "before", "body"),
    ] {
        service.switches.set(capability, Mode::Empty);
        let probe = format!("probe=\"{probe}\"");
        shows(port, "probe_success", &[&probe], "0").await;
        let labels = [probe.as_str(), &format!("step=\"{step}\""), &format!("reason=\"{reason}\"")];
        shows(port, "probe_flow_failed_step_info", &labels, "1").await;
        service.switches.set(capability, Mode::Works);
        shows(port, "probe_success", &[&probe], "1").await;
    }
    // A password that is no longer right, and one that is again: read at each run.
    std::fs::write(own.path().join("password"), "another\n").unwrap();
    shows(port, "probe_flow_failed_step_info", &["step=\"login\"", "reason=\"status\""], "1").await;
    std::fs::write(own.path().join("password"), "demo\n").unwrap();
    shows(port, "probe_success", &["probe=\"web-app\""], "1").await;
}
