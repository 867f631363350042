//! Certificates made for the test, in the forms OpenSSL writes them, on the page of a running exporter.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use sla_exporter::app::{App, Options, Source};
use sla_exporter::exposition::Format;
use sla_exporter::host::Roots;
use sla_exporter::probe::Shared;
use sla_exporter::{certificates, config};
use tokio_util::sync::CancellationToken;

const CONTRACT: &str = "site: s
contract: {name: c, timezone: Asia/Tokyo, functions: {f: {objective: 99, capabilities: {a: {}}}}}
collectors: []
";

#[track_caller]
fn openssl(folder: &Path, arguments: &str) {
    let status = Command::new("openssl").current_dir(folder).args(arguments.split(' ')).stderr(Stdio::null()).status();
    assert!(status.expect("openssl").success(), "openssl {arguments}");
}

async fn page(app: &Arc<App>) -> String {
    let app = Arc::clone(app);
    String::from_utf8(tokio::task::spawn_blocking(move || app.render(Format::Text)).await.unwrap()).unwrap()
}

async fn shows(app: &Arc<App>, line: &str) -> String {
    for _ in 0..300 {
        let page = page(app).await;
        if page.lines().any(|found| found == line) {
            return page;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{line} did not come:\n{}", page(app).await)
}

#[tokio::test]
async fn certificates_in_each_form_are_shown_with_their_ends() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    for set in ["pem", "p12", "spoilt"] {
        std::fs::create_dir(at(set)).unwrap();
    }
    let make = "req -x509 -newkey rsa:2048 -nodes -keyout key.pem";
    openssl(folder.path(), &format!("{make} -out pem/a.pem -days 365 -subj /O=Example/CN=customer-a -set_serial 4660"));
    openssl(folder.path(), "x509 -in pem/a.pem -outform DER -out pem/a.der");
    std::fs::write(at("password"), "s3cret\n").unwrap();
    openssl(folder.path(), "rsa -in key.pem -aes256 -traditional -passout file:password -out pem/a.key");
    openssl(folder.path(), "pkcs12 -export -nokeys -in pem/a.pem -out p12/trust.p12 -passout file:password");
    openssl(folder.path(), "pkcs12 -export -in pem/a.pem -inkey key.pem -out p12/key.p12 -passout file:password");
    std::fs::write(at("spoilt/notes.txt"), "not a certificate").unwrap();
    let root = folder.path().display();
    let sets = format!(
        "certificates:\n  - {{name: pem, path: {root}/pem/*, renew_every: 30d, interval: 10s}}\n  \
         - {{name: p12, path: {root}/p12/*.p12, password_file: {root}/password, interval: 10s}}\n  \
         - {{name: spoilt, path: {root}/spoilt/*, interval: 10s}}\n"
    );
    let path = at("sla.yml");
    std::fs::write(&path, format!("{CONTRACT}{sets}")).unwrap();
    let loaded = config::load(&path).unwrap_or_else(|findings| panic!("{findings:#?}"));
    let options = Options { roots: Roots::default(), places: 4, credentials_anywhere: false };
    let app = App::new(loaded, Source::File(path), Shared::new(), options);
    let shutdown = CancellationToken::new();
    tokio::spawn(certificates::run(Arc::clone(&app), shutdown.clone()));
    for set in ["pem", "p12"] {
        shows(&app, &format!("sla_certificate_read_success{{contract=\"c\",certificates=\"{set}\"}} 1")).await;
    }
    let page = shows(&app, "sla_certificate_read_success{contract=\"c\",certificates=\"spoilt\"} 0").await;
    let labels = |set: &str, file: &str| {
        format!(
            "contract=\"c\",certificates=\"{set}\",file=\"{root}/{set}/{file}\",subject=\"CN=customer-a,O=Example\",serial=\"1234\""
        )
    };
    let value = |family: &str, labels: &str| -> f64 {
        let start = format!("{family}{{{labels}}} ");
        let line = page.lines().find_map(|line| line.strip_prefix(&start));
        line.unwrap_or_else(|| panic!("{start} in\n{page}")).parse().unwrap()
    };
    let (begin, end, due) = (
        "sla_certificate_not_before_timestamp_seconds",
        "sla_certificate_not_after_timestamp_seconds",
        "sla_certificate_due_timestamp_seconds",
    );
    for (set, file) in [("pem", "a.pem"), ("pem", "a.der"), ("p12", "trust.p12"), ("p12", "key.p12")] {
        let labels = labels(set, file);
        let days = |seconds: f64| seconds / 86_400.0;
        assert!((days(value(end, &labels) - value(begin, &labels)) - 365.0).abs() < 0.01, "{set}/{file}");
        let until = if set == "pem" { 30.0 } else { 365.0 };
        assert!((days(value(due, &labels) - value(begin, &labels)) - until).abs() < 0.01, "{set}/{file}");
    }
    assert!(!page.contains("s3cret") && !page.contains("PRIVATE"), "{page}");
    // A password that is wrong leaves the set unknown.
    std::fs::write(at("password"), "other").unwrap();
    let page = shows(&app, "sla_certificate_read_success{contract=\"c\",certificates=\"p12\"} 0").await;
    assert!(!page.contains("trust.p12"), "{page}");
    shutdown.cancel();
}

#[test]
fn what_does_not_fit_is_said_with_what_would() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sla.yml");
    for (set, part) in [
        ("{path: /a}", "certificates[0]: `name` is missing"),
        ("{name: a}", "certificates[0]: `path` is missing"),
        ("{name: a, path: a.pem}", "certificates[0].path: expected a pattern from the root on"),
        ("{name: a, path: /a, password: s3cret}", "unknown key `password`; accepted here: name, path, password_file"),
        ("{name: a, path: /a, renew_before: 1m}", "certificates[0].renew_before: expected a duration from 1h to 400d"),
        ("{name: a, path: /a, renew_every: 1h}", "certificates[0].renew_every: expected a duration from 1d to 4000d"),
        ("{name: a, path: /a, renew_evry: 1d}", "did you mean `renew_every`?"),
    ] {
        std::fs::write(&path, format!("{CONTRACT}certificates: [{set}]\n")).unwrap();
        let findings: Vec<String> = config::load(&path).expect_err(set).iter().map(ToString::to_string).collect();
        assert!(findings.iter().any(|finding| finding.contains(part)), "{set}: {findings:?}");
        assert!(!findings.iter().any(|finding| finding.contains("s3cret")), "{findings:?}");
    }
}
