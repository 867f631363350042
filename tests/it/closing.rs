//! A month closed, computed again without Prometheus, ruled upon afterwards, tampered with: by the commands a person types.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};
use sla_tests::program::ours;
use sla_tests::samples::Samples;

use crate::months::servers::{Server, prometheus};

pub(crate) const CONFIG: &str = "site: here
contract:
  name: closing
  timezone: Asia/Tokyo
  functions:
    client: {title: {ja: クライアント機能, en: Client function}, objective: 99, capabilities: {web_app: {quorum: all}}}
  upstreams: {sfdc: {}}
ledger: ledger.yml
modules: {self: {prober: tcp}}
probes: [{name: app, module: self, targets: [\"127.0.0.1:9\"], evidence: client/web_app}]
";

/// 2026-06 in Tokyo.
const START: i64 = 1_780_239_600;
const END: i64 = START + 30 * 86_400;

/// The name of an item without a place to break it.
const LONG: &str = "scanner virus-scanner-of-the-second-data-centre.internal.example.com:3310/campaign=2026-autumn_0123456789012345678901234567890123456789";

/// A month of slots, eight hours of them down. Backups were there all the time; of two devices one was unmeasured for ten minutes.
pub(crate) async fn server() -> Server {
    let mut samples = Samples::default();
    let labels = "contract=\"closing\",function=\"client\"";
    let mut at = START + 60;
    while at <= END {
        let down = (START + 86_400..START + 86_400 + 8 * 3600).contains(&at);
        samples.add("sla:function_up:5m", labels, at * 1000, f64::from(u8::from(!down)));
        for (duty, item) in
            [("backups", "db age"), ("monitoring", "web1"), ("monitoring", "web2"), ("virus_check", LONG)]
        {
            let labels = format!("contract=\"closing\",duty=\"{duty}\",clause=\"C2\",item=\"{item}\"");
            let broken = ["web2", LONG].contains(&item) && (START + 7200..START + 7800).contains(&at);
            samples.add("sla:duty_kept:5m", &labels, at * 1000, f64::from(u8::from(!broken)));
            samples.add("sla:duty_measured:5m", &labels, at * 1000, 1.0);
        }
        // Encryption and redundancy were configured all the time, or on one day, without a rule that judged them.
        samples.add("probe_ssl_earliest_cert_expiry", "contract=\"closing\",target=\"a\"", at * 1000, 2e9);
        // Failed logins were to be counted from the month's last minutes on.
        if at > END - 1200 {
            samples.add("sla_login_book_ok", "contract=\"closing\"", at * 1000, 1.0);
        }
        if (START + 86_400..START + 2 * 86_400).contains(&at) {
            for host in ["web1", "web2"] {
                let labels = format!("contract=\"closing\",host=\"{host}\",redundancy_group=\"web\"");
                samples.add("sla_host_info", &labels, at * 1000, 1.0);
            }
        }
        at += 300;
    }
    prometheus(&[samples], None).await
}

pub(crate) fn run(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(ours("sla-exporter"))
        .arg("report")
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

#[track_caller]
pub(crate) fn good(output: &Output) -> (Value, String) {
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    (serde_json::from_slice(&output.stdout).unwrap_or_default(), said)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_closed_month_stands_without_prometheus_and_a_later_ruling_makes_a_revision() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("sla.yml"), CONFIG).unwrap();
    fs::write(folder.join("ledger.yml"), "").unwrap();
    let server = server().await;
    let url = format!("--prometheus.url=http://127.0.0.1:{}", server.port);
    let asked = ["--config.file=sla.yml", "--month=2026-06", "--format=json", url.as_str()];
    let close = [&asked[..], &["--close"]].concat();

    let (open, _) = good(&run(folder, &asked));
    assert_eq!(open["functions"][0]["outcome"], "missed");
    assert_eq!(open["revision"], Value::Null);
    let duty = |name: &str| {
        let duties = open["duties"].as_array().unwrap();
        duties.iter().find(|duty| duty["duty"] == name).unwrap_or_else(|| panic!("no {name}")).clone()
    };
    assert_eq!(duty("backups")["state"], "kept");
    let monitoring = duty("monitoring");
    assert_eq!(monitoring["state"], "not_kept");
    assert_eq!(
        (&monitoring["breaches"][0]["item"], &monitoring["breaches"][0]["seconds"]),
        (&"web2".into(), &600.into())
    );
    assert_eq!(monitoring["breaches"][0]["start"], START + 7200);
    assert_eq!(monitoring["evidence"]["measured_seconds"], 30 * 86_400);
    for (name, evidence) in [
        ("encryption", json!({"kind": "not_recorded"})),
        ("redundancy", json!({"kind": "not_recorded"})),
        ("security_events", json!({"kind": "not_recorded"})),
        ("closed_ports", json!({"kind": "not_configured", "setting": "tcp: {expect: closed}"})),
    ] {
        assert_eq!((&duty(name)["state"], &duty(name)["evidence"]), (&json!("not_measured"), &evidence), "{name}");
    }
    let (first, said) = good(&run(folder, &close));
    assert!(said.contains("2026-06 closed as revision 1: closed/2026-06.json, seal "), "{said}");
    assert!(said.contains("still waits"), "{said}");
    assert_eq!(first["functions"], open["functions"]);
    assert_eq!(first["duties"], open["duties"]);
    let (_, said) = good(&run(folder, &close));
    assert!(said.contains("nothing has changed: revision 1"), "{said}");

    // Somebody finds out whose doing it was.
    fs::write(
        folder.join("ledger.yml"),
        "incidents:
  - id: june
    title: Outage
    functions: [client]
    cause: upstream
    upstream: sfdc
    started_at: 2026-06-02T00:00:00+09:00
    resolved_at: 2026-06-02T08:00:00+09:00
    decided: {by: ops-lead, at: 2026-06-07T00:00:00+09:00, evidence: mail}
",
    )
    .unwrap();
    let (second, said) = good(&run(folder, &close));
    assert!(said.contains("closed as revision 2") && !said.contains("still waits"), "{said}");
    assert_eq!(second["difference"]["entries"][0]["id"], "june");
    assert_eq!(second["functions"][0]["outcome"], "met");
    assert_eq!(second["status"]["state"], "final");
    // What is reported now is no longer what was.
    let (_, said) = good(&run(folder, &asked));
    assert!(said.contains("--from closed/2026-06.json is its revision 2"), "{said}");

    // No Prometheus, no configuration.
    drop(server);
    fs::remove_file(folder.join("sla.yml")).unwrap();
    let from = ["--from=closed/2026-06.json", "--format=json"];
    assert_eq!(good(&run(folder, &from)).0, second);
    assert_eq!(good(&run(folder, &[&from[..], &["--revision=1"]].concat())).0, first);
    let missed = run(folder, &[&from[..], &["--revision=1", "--fail-on-breach"]].concat());
    assert_eq!(missed.status.code(), Some(3));
    for format in ["md", "html", "csv"] {
        let format = format!("--format={format}");
        let made = run(folder, &["--from=closed/2026-06.json", &format, "--lang=ja"]);
        assert!(made.status.success() && made.stdout.len() > 200, "{format}");
    }
    let none = run(folder, &[&from[..], &["--revision=3"]].concat());
    assert_eq!(none.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&none.stderr).contains("it has no revision 3; the newest is 2"));

    let file = folder.join("closed/2026-06.json");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replacen(",0]", ",1]", 1)).unwrap();
    let altered = run(folder, &from);
    assert_eq!((altered.status.code(), altered.stdout.len()), (Some(1), 0));
    let said = String::from_utf8_lossy(&altered.stderr).into_owned();
    assert!(said.contains("closed/2026-06.json: it was altered after it was closed"), "{said}");
}
