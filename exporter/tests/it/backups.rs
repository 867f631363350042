//! Backups that age on a real disk, and the page of a running exporter that looks at them.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use sla_exporter::app::{App, Options, Source};
use sla_exporter::exposition::Format;
use sla_exporter::host::Roots;
use sla_exporter::probe::Shared;
use sla_exporter::{backups, config};
use tokio_util::sync::CancellationToken;

const CONTRACT: &str = "site: s
contract: {name: c, timezone: Asia/Tokyo, functions: {f: {objective: 99, capabilities: {a: {}}}}}
collectors: []
";

fn write(path: &Path, bytes: usize, hours_ago: u64) {
    std::fs::write(path, vec![1; bytes]).unwrap();
    #[allow(clippy::disallowed_methods)] // files age by the wall clock
    let at = SystemTime::now() - Duration::from_secs(hours_ago * 3600 + 600);
    std::fs::File::options().write(true).open(path).unwrap().set_modified(at).unwrap();
}

async fn page(app: &Arc<App>) -> String {
    let app = Arc::clone(app);
    String::from_utf8(tokio::task::spawn_blocking(move || app.render(Format::Text)).await.unwrap()).unwrap()
}

/// The page once it has all `lines`.
async fn shows(app: &Arc<App>, lines: &[&str]) -> String {
    for _ in 0..300 {
        let page = page(app).await;
        if lines.iter().all(|line| page.lines().any(|found| found == *line)) {
            return page;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{lines:?} did not come:\n{}", page(app).await)
}

#[tokio::test]
async fn a_week_of_dumps_is_watched_as_it_ages_and_goes() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    std::fs::create_dir(at("db")).unwrap();
    for day in 0..7 {
        write(&at(&format!("db/{day}.dump")), 1000, day * 24 + 1);
    }
    let path = at("sla.yml");
    let sets = format!(
        "backups:\n  - {{name: db, path: {0}/db/*.dump, interval: 10s}}\n  - {{name: gone, path: {0}/gone/*, interval: 10s}}\n",
        folder.path().display()
    );
    std::fs::write(&path, format!("{CONTRACT}{sets}")).unwrap();
    let loaded = config::load(&path).unwrap_or_else(|findings| panic!("{findings:#?}"));
    let options = Options { roots: Roots::default(), places: 4, credentials_anywhere: false };
    let app = App::new(loaded, Source::File(path), Shared::new(), options);
    let shutdown = CancellationToken::new();
    tokio::spawn(backups::run(Arc::clone(&app), shutdown.clone()));
    let page = shows(
        &app,
        &[
            "sla_backup_files{contract=\"c\",backup=\"db\"} 7",
            "sla_backup_dates_covered{contract=\"c\",backup=\"db\"} 7",
            "sla_backup_newest_size_bytes{contract=\"c\",backup=\"db\"} 1000",
            "sla_backup_median_size_bytes{contract=\"c\",backup=\"db\"} 1000",
            // Not there is not empty.
            "sla_backup_scan_success{contract=\"c\",backup=\"gone\"} 0",
            "sla_backup_scan_success{contract=\"c\",backup=\"db\"} 1",
        ],
    )
    .await;
    assert!(!page.contains("sla_backup_files{contract=\"c\",backup=\"gone\"}"), "{page}");
    // A new one that ended early, and one in the middle of the week deleted.
    write(&at("db/new.dump"), 10, 0);
    std::fs::remove_file(at("db/3.dump")).unwrap();
    shows(
        &app,
        &[
            "sla_backup_files{contract=\"c\",backup=\"db\"} 7",
            "sla_backup_dates_covered{contract=\"c\",backup=\"db\"} 6",
            "sla_backup_newest_size_bytes{contract=\"c\",backup=\"db\"} 10",
        ],
    )
    .await;
    std::fs::remove_dir_all(at("db")).unwrap();
    let page = shows(&app, &["sla_backup_scan_success{contract=\"c\",backup=\"db\"} 0"]).await;
    assert!(!page.contains("sla_backup_dates_covered{"), "what was is no longer shown: {page}");
    shutdown.cancel();
}

#[test]
fn what_does_not_fit_is_said_with_what_would() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sla.yml");
    for (section, part) in [
        ("backups: [{path: /a}]", "backups[0]: `name` is missing"),
        ("backups: [{name: a}]", "backups[0]: `path` is missing"),
        ("backups: [{name: a, path: relative/*}]", "backups[0].path: expected a pattern from the root on"),
        ("backups: [{name: a, path: '/a/['}]", "is not a pattern"),
        ("backups: [{name: a, path: /a}, {name: a, path: /b}]", "backups[1]: `a` is the name of backups[0] already"),
        ("backups: [{name: a, path: /a, max_age: 1s}]", "backups[0].max_age: expected a duration from 1m to 400d"),
        ("backups: [{name: a, path: /a, keep_days: 0}]", "backups[0].keep_days: "),
        ("backups: [{name: a, path: /a, min_size_ratio: 2}]", "backups[0].min_size_ratio: "),
        ("backups: [{name: a, path: /a, keep_dys: 7}]", "did you mean `keep_days`?"),
        ("restore_drills: 1h", "restore_drills: expected a duration from 1d to 4000d"),
    ] {
        std::fs::write(&path, format!("{CONTRACT}{section}\n")).unwrap();
        let findings: Vec<String> = config::load(&path).expect_err(section).iter().map(ToString::to_string).collect();
        assert!(findings.iter().any(|finding| finding.contains(part)), "{section}: {findings:?}");
    }
}

/// The script of docs/backups.md as it stands there, for backups that only it can see.
#[tokio::test]
async fn backups_that_a_script_tells_are_on_the_page_unless_the_exporter_looks_at_some_itself() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    std::fs::create_dir(at("text")).unwrap();
    let docs = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/backups.md")).unwrap();
    let script = docs.split("```sh\n").nth(1).unwrap().split("```").next().unwrap();
    let script = script.replace("/var/lib/prometheus/node-exporter", at("text").to_str().unwrap());
    assert!(std::process::Command::new("sh").args(["-ec", &script]).status().unwrap().success());

    let textfile = format!("collectors: [textfile: {{directory: {}}}]\n", at("text").display());
    let contract = CONTRACT.replace("collectors: []\n", &textfile);
    let path = at("sla.yml");
    std::fs::write(&path, &contract).unwrap();
    let loaded = config::load(&path).unwrap_or_else(|findings| panic!("{findings:#?}"));
    let options = Options { roots: Roots::default(), places: 4, credentials_anywhere: false };
    let app = App::new(loaded, Source::File(path.clone()), Shared::new(), options);
    let told = "sla_backup_scan_success{contract=\"synergy-lead\",backup=\"offsite\"} 1";
    let shown = shows(&app, &[told, "node_textfile_scrape_error 0"]).await;
    assert!(
        shown.contains("\nsla_backup_newest_timestamp_seconds{contract=\"synergy-lead\",backup=\"offsite\"} "),
        "{shown}"
    );

    // Not looked at yet: of its own it has only what was asked. The file's families are its own all the same.
    std::fs::write(&path, format!("{contract}backups: [{{name: db, path: {}/*}}]\n", folder.path().display())).unwrap();
    app.reload().unwrap();
    let shown = page(&app).await;
    assert!(!shown.contains("offsite") && shown.contains("\nnode_textfile_scrape_error 1\n"), "{shown}");
    assert!(!shown.contains("sla_backup_scan_success"), "{shown}");
}
