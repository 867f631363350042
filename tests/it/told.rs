//! A real Alertmanager on the shipped configuration, intervals shortened, with a mail server and a heartbeat's receiver: who
//! gets what, how often, and what is kept from whom.
//!
//! Alerts are posted as Prometheus and the exporter post them. Not for: what rules say (`tests/promtool`), the whole way from
//! a probe (`end_to_end.rs`).

mod evidence;
mod ledger;
mod notices;
mod outages;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use sla_demo::mail::{Mail, Store, receive};
use sla_demo::service::{Clicks, Service};
use sla_demo::web;
use sla_tests::program::{Program, on_path};
use sla_tests::{eventually, free_port, http, repository, shortened};
use tempfile::TempDir;

/// Longer than any interval of the shortened configuration: what has not come by then does not come.
const SETTLED: Duration = Duration::from_secs(3);

/// Hours in which tickets are mailed: left out, or these tests would pass in working hours only.
const HOURS: [(&str, &str); 2] =
    [("      active_time_intervals: [working-hours]\n", ""), ("      mute_time_intervals: [year-end]\n", "")];

struct Told {
    port: u16,
    mails: Store,
    /// The demo service hears the heartbeat.
    demo: u16,
    alertmanager: Program,
    folder: TempDir,
}

impl Told {
    async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// Starts all, the configuration changed further.
    async fn start_with(changes: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let any = "127.0.0.1:0".parse().unwrap();
        let (smtp, demo) = (web::listen(any).await.unwrap(), web::listen(any).await.unwrap());
        let mails = Store::default();
        let demo_port = demo.local_addr().unwrap().port();
        let server = format!("127.0.0.1:{}", smtp.local_addr().unwrap().port());
        tokio::spawn(receive(smtp, mails.clone()));
        tokio::spawn(web::serve(demo, Service::new(Clicks::in_memory())));
        let demo_address = format!("127.0.0.1:{demo_port}");
        let mut replace = vec![("mailcatcher:1025", server.as_str()), ("demo:8088", demo_address.as_str())];
        replace.extend([
            ("group_wait: 1m", "group_wait: 1s"),
            ("group_wait: 30s", "group_wait: 1s"),
            ("group_wait: 10s", "group_wait: 1s"),
            ("group_interval: 10m", "group_interval: 1s"),
            ("group_interval: 1m", "group_interval: 1s"),
            ("repeat_interval: 50s", "repeat_interval: 500ms"),
        ]);
        replace.extend(HOURS);
        replace.extend(changes);
        let shipped = repository().join("deploy/alertmanager");
        shortened::copy(&shipped.join("alertmanager.yml"), &folder.path().join("alertmanager.yml"), &replace);
        shortened::copy_all(&shipped.join("templates"), &folder.path().join("templates"));
        let port = free_port();
        let alertmanager = start_alertmanager(&folder, port).await;
        Self { port, mails, demo: demo_port, alertmanager, folder }
    }

    /// Ends Alertmanager as its package does and starts it again on what it stored, the configuration changed by then.
    async fn restart_with(&mut self, changes: &[(&str, &str)]) {
        self.alertmanager.stop();
        let config = self.folder.path().join("alertmanager.yml");
        shortened::copy(&config.clone(), &config, changes);
        self.alertmanager = start_alertmanager(&self.folder, self.port).await;
    }

    async fn post(&self, alerts: &[Value]) {
        http::post_json(self.port, "/api/v2/alerts", &json!(alerts)).await.unwrap();
    }

    /// The same alerts, over now.
    async fn resolve(&self, alerts: &[Value]) {
        let over = Timestamp::now().to_string();
        let alerts: Vec<Value> = alerts
            .iter()
            .cloned()
            .map(|mut alert| {
                alert["endsAt"] = json!(over);
                alert
            })
            .collect();
        self.post(&alerts).await;
    }

    /// Mails to this address so far.
    fn to(&self, address: &str) -> Vec<Mail> {
        self.mails.all().into_iter().filter(|mail| mail.recipients.iter().any(|to| to == address)).collect()
    }

    /// Waits for the `count`th mail to an address, and until no further one comes.
    async fn exactly(&self, address: &str, count: usize) -> Vec<Mail> {
        eventually(&format!("{count} mails to {address}"), async || {
            let subjects: Vec<String> = self.to(address).into_iter().map(|mail| mail.subject).collect();
            if subjects.len() >= count { Ok(()) } else { Err(format!("{subjects:?}")) }
        })
        .await;
        tokio::time::sleep(SETTLED).await;
        let mails = self.to(address);
        assert_eq!(mails.len(), count, "{:?}", mails.iter().map(|mail| &mail.subject).collect::<Vec<_>>());
        mails
    }

    /// Alerts Alertmanager holds now, those of one contract, with whether each is inhibited.
    async fn inhibited(&self, contract: &str) -> Result<Vec<(Value, bool)>, String> {
        let body = http::get(self.port, "/api/v2/alerts").await?;
        let alerts: Vec<Value> = serde_json::from_str(&body).map_err(|error| error.to_string())?;
        Ok(alerts
            .into_iter()
            .filter(|alert| alert["labels"]["contract"] == contract)
            .map(|alert| {
                let by = alert["status"]["inhibitedBy"].as_array().is_some_and(|by| !by.is_empty());
                (alert["labels"].clone(), by)
            })
            .collect())
    }
}

async fn start_alertmanager(folder: &TempDir, port: u16) -> Program {
    let mut program = Program::start(
        "alertmanager",
        &on_path(&["prometheus-alertmanager", "alertmanager"]),
        &[
            format!("--config.file={}", folder.path().join("alertmanager.yml").display()),
            format!("--storage.path={}", folder.path().join("data").display()),
            format!("--web.listen-address=127.0.0.1:{port}"),
            format!("--web.external-url=http://127.0.0.1:{port}"),
            "--cluster.listen-address=".to_owned(),
        ],
        folder.path(),
    );
    program.ready(port, "/-/ready").await;
    program
}

/// An alert with the labels of `text` (`name=value` each), severity and texts those of its rule.
fn alert(name: &str, text: &str) -> Value {
    let rules = crate::rules::alerts();
    let rule = rules.iter().find(|rule| rule.name == name).unwrap_or_else(|| panic!("no alert {name}"));
    let mut labels = json!({
        "alertname": name, "severity": rule.text(&["labels", "severity"]), "clause": rule.text(&["labels", "clause"]),
    });
    for pair in text.split_whitespace() {
        let (name, value) = pair.split_once('=').expect("name=value");
        labels[name] = json!(value);
    }
    let annotation = |name| json!(rule.text(&["annotations", name]));
    json!({
        "labels": labels,
        "annotations": {
            "summary": annotation("summary"), "summary_ja": annotation("summary_ja"),
            "description": "What it is about, in English.", "description_ja": "詳しい状況。",
            "runbook_url": annotation("runbook_url"),
        },
        "generatorURL": "http://prometheus.example.com/graph?g0.expr=up",
    })
}

/// A header as it came.
fn header<'a>(mail: &'a Mail, name: &str) -> &'a str {
    let start = format!("{name}: ");
    let found: Vec<&str> = mail.head.lines().filter_map(|line| line.strip_prefix(&start)).collect();
    assert_eq!(found.len(), 1, "{name} in\n{}", mail.head);
    found[0]
}

/// What is true of every mail, whatever it says.
fn assert_well_formed(mail: &Mail) {
    for line in mail.head.lines() {
        assert!(line.len() <= 998, "{} octets: {line}", line.len());
        assert!(line.is_ascii(), "{line}");
    }
    assert!(!mail.subject.contains(['\r', '\n']), "{:?}", mail.subject);
    assert!(!mail.text.is_empty() && mail.html.contains("</html>"), "{}: a part is missing", mail.subject);
    assert!(!mail.text.contains("<no value>") && !mail.html.contains("<no value>"), "{}", mail.text);
    assert_eq!(header(mail, "Auto-Submitted"), "auto-generated");
    assert!(header(mail, "References").starts_with("<sla.") && header(mail, "In-Reply-To").starts_with("<sla."));
}

/// The dead man's switch: beats come as long as the alert fires, and then no more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_heartbeat_is_heard_until_the_watchdog_ends() {
    let told = Arc::new(Told::start().await);
    let beats = async || -> Result<u64, String> {
        let text = http::get(told.demo, "/heartbeat").await?;
        text.split(' ').next().and_then(|count| count.parse().ok()).ok_or(text)
    };
    let watchdog = [alert("SlaWatchdog", "")];
    told.post(&watchdog).await;
    let first = eventually("a heartbeat", beats).await;
    let beats_on = async || match beats().await? {
        count if count >= first + 3 => Ok(()),
        count => Err(format!("{count}")),
    };
    eventually("three more", beats_on).await;
    told.resolve(&watchdog).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let last = beats().await.unwrap();
    tokio::time::sleep(SETTLED).await;
    assert_eq!(beats().await.unwrap(), last);
    assert!(told.mails.all().is_empty(), "{:?}", told.mails.all());
}
