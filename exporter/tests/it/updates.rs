//! Security updates as the machine's own apt tells them: of this machine, and of a root made for the test with an archive, a
//! package state and signs of a restart; restarts of the exporter between looks; an apt that is missing, hangs or says nonsense.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use sla_exporter::app::App;
use sla_exporter::host::Roots;
use sla_exporter::updates::version;
use sla_exporter::{clock, config, updates};
use tokio_util::sync::CancellationToken;

use crate::support::exporter;

const CONTRACT: &str = "site: s
contract: {name: c, timezone: Asia/Tokyo, functions: {f: {objective: 99, capabilities: {a: {}}}}}
collectors: []
";
const DAY: i64 = 86_400;

/// A root with apt's and dpkg's files in it.
pub(crate) struct Machine {
    folder: tempfile::TempDir,
    architecture: String,
}

impl Machine {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for path in [
            "etc/apt/preferences.d",
            "etc/kernel/postinst.d",
            "var/lib/apt/lists/partial",
            "var/lib/dpkg",
            "var/cache/apt",
            "run",
            "boot",
            "proc/sys/kernel",
        ] {
            std::fs::create_dir_all(folder.path().join(path)).unwrap();
        }
        let told = Command::new("dpkg").arg("--print-architecture").output().unwrap();
        let machine = Self { folder, architecture: String::from_utf8(told.stdout).unwrap().trim().to_owned() };
        machine.write(
            "etc/apt/sources.list",
            "deb [trusted=yes] http://security.example/debian-security s-security main\n",
        );
        machine.write("etc/kernel/postinst.d/unattended-upgrades", "");
        machine
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        std::fs::write(self.path(path), text).unwrap();
    }

    /// What dpkg has: name, version, and what was chosen (`install`, `hold`).
    pub(crate) fn installed(&self, packages: &[(&str, &str, &str)]) {
        let architecture = &self.architecture;
        let text = packages.iter().map(|(name, version, chosen)| {
            format!(
                "Package: {name}\nStatus: {chosen} ok installed\nMaintainer: a <a@example.com>\nArchitecture: {architecture}\n\
                 Version: {version}\nDescription: x\n\n"
            )
        });
        self.write("var/lib/dpkg/status", &text.collect::<String>());
    }

    /// What the security archive had `days_ago`; returns when its list was made.
    pub(crate) fn archive(&self, days_ago: i64, packages: &[(&str, &str)]) -> i64 {
        let (architecture, made_at) = (&self.architecture, clock::whole_seconds() - days_ago * DAY);
        let list = "var/lib/apt/lists/security.example_debian-security_dists_s-security";
        let index = format!("{list}_main_binary-{architecture}_Packages");
        let text = packages.iter().map(|(name, version)| {
            format!(
                "Package: {name}\nVersion: {version}\nArchitecture: {architecture}\nFilename: {name}.deb\nSize: 1\n\
                 SHA256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n\n"
            )
        });
        self.write(&index, &text.collect::<String>());
        let date = jiff::Timestamp::from_second(made_at).unwrap().strftime("%a, %d %b %Y %H:%M:%S UTC");
        self.write(
            &format!("{list}_Release"),
            &format!(
                "Origin: Debian\nLabel: Debian-Security\nSuite: stable-security\nCodename: s-security\nDate: {date}\n\
                 Components: main\nArchitectures: {architecture}\n"
            ),
        );
        made_at
    }

    fn roots(&self) -> Roots {
        Roots { proc: self.path("proc"), root: Some(self.folder.path().to_owned()), ..Roots::default() }
    }

    /// An exporter that is started, looks, and ends: the page it then had.
    async fn look(&self, until: &[&str]) -> String {
        Exporter::start(self.folder.path(), "{interval: 10s}", self.roots()).shows(until).await
    }
}

struct Exporter {
    app: Arc<App>,
    end: CancellationToken,
}

impl Drop for Exporter {
    fn drop(&mut self) {
        self.end.cancel();
    }
}

impl Exporter {
    /// `updates` is the section.
    fn start(folder: &Path, section: &str, roots: Roots) -> Self {
        let path = folder.join("sla.yml");
        std::fs::write(&path, format!("{CONTRACT}updates: {section}\n")).unwrap();
        let app = exporter::exporter_at(&path, roots);
        let end = CancellationToken::new();
        tokio::spawn(updates::run(Arc::clone(&app), folder.join("data"), end.clone()));
        Self { app, end }
    }

    async fn page(&self) -> String {
        exporter::page(&self.app).await
    }

    /// The page once it has all of `lines`, in which `{}` stands for the labels.
    async fn shows(&self, lines: &[&str]) -> String {
        let wanted: Vec<String> = lines.iter().map(|line| line.replace("{}", "{contract=\"c\"}")).collect();
        exporter::shows(&self.app, &wanted).await
    }
}

fn value(page: &str, name: &str) -> Option<i64> {
    let start = format!("{name}{{contract=\"c\"}} ");
    #[allow(clippy::cast_possible_truncation)]
    page.lines().find_map(|line| line.strip_prefix(&start)).map(|text| text.parse::<f64>().unwrap() as i64)
}

const OLDEST: &str = "sla_security_update_oldest_timestamp_seconds";
const PENDING: &str = "sla_security_updates_pending";
const WELL: &str = "sla_updates_scan_success{} 1";

/// C2.6.8
#[tokio::test(flavor = "multi_thread")]
async fn what_waits_keeps_its_age_over_restarts_and_until_it_is_installed() {
    let machine = Machine::new();
    machine.installed(&[("openssl", "3.0.1-1", "install"), ("held", "1.0-1", "hold"), ("bash", "5.2-1", "install")]);
    let made_at = machine.archive(3, &[("openssl", "3.0.2-1"), ("held", "1.0-1+deb12u1"), ("other", "9")]);
    let page = machine.look(&[WELL, "sla_security_updates_pending{} 2", "sla_reboot_required{} 0"]).await;
    assert_eq!(value(&page, OLDEST), Some(made_at), "it was published before the list was made: {page}");
    assert_eq!(value(&page, "sla_updates_lists_timestamp_seconds"), Some(made_at));
    let month = value(&page, "sla_security_update_due_timestamp_seconds").unwrap() - made_at;
    assert!((28 * DAY..=31 * DAY).contains(&month), "{month}");

    // A newer fix comes before the first is installed, and the lists vanish for a while.
    machine.archive(1, &[("openssl", "3.0.3-1"), ("held", "1.0-1+deb12u1")]);
    assert_eq!(value(&machine.look(&[WELL]).await, OLDEST), Some(made_at));
    machine.installed(&[("openssl", "3.0.1-1", "install"), ("bash", "5.2-1", "install")]);
    machine.archive(1, &[]);
    let page = machine.look(&[WELL, "sla_security_updates_pending{} 0"]).await;
    assert_eq!(value(&page, OLDEST), None, "nothing that waits: {page}");
    let second = machine.archive(0, &[("openssl", "3.0.3-1")]);
    assert_eq!(value(&machine.look(&[WELL, "sla_security_updates_pending{} 1"]).await, OLDEST), Some(made_at));

    // The first fix is installed: what is missing now was first seen a day ago.
    machine.installed(&[("openssl", "3.0.2-1", "install")]);
    let page = machine.look(&[WELL, "sla_security_updates_pending{} 1"]).await;
    let since = value(&page, OLDEST).unwrap();
    assert!(made_at + DAY < since && since < second, "{since} {made_at} {second}");
    machine.installed(&[("openssl", "3.0.4-1", "install")]);
    let page = machine.look(&[WELL, "sla_security_updates_pending{} 0"]).await;
    assert_eq!(value(&page, OLDEST), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_that_are_too_old_or_gone_do_not_say_that_nothing_waits() {
    let machine = Machine::new();
    machine.installed(&[("openssl", "3.0.1-1", "install")]);
    let made_at = machine.archive(8, &[("openssl", "3.0.2-1")]);
    let page = machine.look(&[WELL]).await;
    assert_eq!((value(&page, PENDING), value(&page, OLDEST)), (None, Some(made_at)), "{page}");
    let patient = Exporter::start(machine.folder.path(), "{interval: 10s, lists_max_age: 9d}", machine.roots());
    patient.shows(&["sla_security_updates_pending{} 1", "sla_updates_lists_max_age_seconds{} 777600"]).await;
    drop(patient);
    // No archive at all.
    machine.write("etc/apt/sources.list", "");
    let page = machine.look(&["sla_updates_scan_success{} 0"]).await;
    assert_eq!((value(&page, PENDING), value(&page, OLDEST)), (None, None), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_that_is_required_is_shown_with_its_beginning_while_dpkg_is_locked() {
    let machine = Machine::new();
    machine.installed(&[("openssl", "3.0.2-1", "install")]);
    machine.archive(0, &[("openssl", "3.0.2-1")]);
    // As `apt-get` holds it while it installs.
    let locks: Vec<_> = ["var/lib/dpkg/lock-frontend", "var/lib/dpkg/lock", "var/lib/apt/lists/lock"]
        .map(|lock| std::fs::File::create(machine.path(lock)).unwrap())
        .into();
    locks.iter().for_each(|lock| lock.try_lock().unwrap());
    machine.write("run/reboot-required", "*** System restart required ***\n");
    machine.write("run/reboot-required.pkgs", "linux-image-6.1.0-37-amd64\nlinux-base\n");
    let page = machine
        .look(&[
            WELL,
            "sla_reboot_required{} 1",
            "sla_reboot_required_packages{} 2",
            "sla_security_updates_pending{} 0",
        ])
        .await;
    let since = value(&page, "sla_reboot_required_since_timestamp_seconds").unwrap();
    tokio::time::sleep(Duration::from_millis(1100)).await;
    machine.write("run/reboot-required", "*** System restart required ***\n*** again ***\n");
    let page = machine.look(&["sla_reboot_required{} 1"]).await;
    assert_eq!(value(&page, "sla_reboot_required_since_timestamp_seconds"), Some(since));
    std::fs::remove_file(machine.path("run/reboot-required")).unwrap();
    let page = machine.look(&["sla_reboot_required{} 0"]).await;
    assert_eq!(value(&page, "sla_reboot_required_since_timestamp_seconds"), None);
}

/// apt-get's own idea of it, on this machine: it leaves out what is held and what a point release has overtaken, never more.
#[tokio::test(flavor = "multi_thread")]
async fn of_this_machine_no_fewer_wait_than_apt_get_would_install() {
    let folder = tempfile::tempdir().unwrap();
    let exporter = Exporter::start(folder.path(), "{lists_max_age: 400d}", Roots::default());
    let mut page = exporter.page().await;
    for _ in 0..600 {
        page = exporter.page().await;
        if value(&page, "sla_updates_scan_success").is_some() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let simulated = Command::new("apt-get").args(["-s", "dist-upgrade"]).env("LC_ALL", "C").output().unwrap();
    let text = String::from_utf8(simulated.stdout).unwrap();
    let security = |line: &&str| line.starts_with("Inst ") && line.contains('[') && line.contains("-security");
    let simulated = text.lines().filter(security).count();
    // A machine whose lists were thrown away, as images do, knows nothing: then this one must not say 0.
    match value(&page, PENDING) {
        Some(pending) => assert!(pending >= i64::try_from(simulated).unwrap(), "{pending} of {simulated}"),
        None => assert_eq!((value(&page, "sla_updates_scan_success"), simulated), (Some(0), 0), "{page}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_apt_that_is_missing_fails_or_says_nonsense_leaves_nothing_known() {
    let machine = Machine::new();
    let script = |name: &str, text: &str| {
        let path = machine.path(name);
        std::fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        path.display().to_string()
    };
    for program in [
        machine.path("none").display().to_string(),
        script("fails", "echo 'E: The package lists or status file could not be parsed' >&2; exit 100"),
        script("nonsense", "head -c 100000 /dev/urandom"),
        script("endless", "exec yes ' 500 http://x s-security/main'"),
        script("silent", "exit 0"),
    ] {
        let exporter =
            Exporter::start(machine.folder.path(), &format!("{{interval: 10s, program: {program}}}"), machine.roots());
        let page = exporter.shows(&["sla_updates_scan_success{} 0"]).await;
        for name in [PENDING, OLDEST, "sla_updates_lists_timestamp_seconds", "sla_updates_scan_timestamp_seconds"] {
            assert_eq!(value(&page, name), None, "{program}: {page}");
        }
    }
    // What hangs is asked for a minute, and the page does not wait for it.
    let program = script("hangs", "exec sleep 100");
    let exporter = Exporter::start(machine.folder.path(), &format!("{{program: {program}}}"), machine.roots());
    tokio::time::sleep(Duration::from_secs(2)).await;
    let page = tokio::time::timeout(Duration::from_secs(5), exporter.page()).await.unwrap();
    assert_eq!(value(&page, "sla_updates_scan_success"), None, "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn first_sights_that_cannot_be_kept_are_no_success() {
    let machine = Machine::new();
    machine.installed(&[("openssl", "3.0.1-1", "install")]);
    machine.archive(0, &[("openssl", "3.0.2-1")]);
    machine.write("data", "a file where the folder should be");
    let page = machine.look(&["sla_updates_scan_success{} 0"]).await;
    assert!(value(&page, PENDING).is_none_or(|pending| pending == 1), "{page}");
}

/// dpkg is the judge.
#[test]
fn versions_are_compared_as_dpkg_does() {
    let versions = [
        "1.0",
        "1.0-1",
        "1.0-1~deb12u1",
        "1.0-1+b1",
        "1.0-1+deb12u1",
        "1:0.9",
        "1.0~rc1",
        "1.0+dfsg-1",
        "1.10",
        "1.9",
        "01.0-0",
        "2.36-9+deb12u10",
        "2.36-9+deb12u9",
        "249.11-0ubuntu3.16",
    ];
    for a in versions {
        for b in versions {
            let newer = Command::new("dpkg").args(["--compare-versions", a, "gt", b]).status().unwrap().success();
            assert_eq!(version::compare(a, b).is_gt(), newer, "{a} {b}");
        }
    }
}

#[test]
fn what_does_not_fit_is_said_with_what_would() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sla.yml");
    for (section, part) in [
        ("{interval: 1s}", "updates.interval: expected a duration from 10s to 1d"),
        ("{lists_max_age: 59m}", "updates.lists_max_age: expected a duration from 1h to 400d"),
        ("{lists_max_age: 401d}", "updates.lists_max_age: expected a duration from 1h to 400d"),
        ("{origins: ['']}", "updates.origins[0]: expected a text, found an empty one"),
        ("{origin: [a]}", "did you mean `origins`?"),
        ("{program: ''}", "updates.program: expected a text"),
        ("true", "updates: expected"),
    ] {
        let findings = exporter::refused(&format!("{CONTRACT}updates: {section}\n"));
        assert!(findings.iter().any(|finding| finding.contains(part)), "{section}: {findings:?}");
    }
    for section in ["{}", "{interval: 10s, lists_max_age: 1h, origins: [nginx]}"] {
        std::fs::write(&path, format!("{CONTRACT}updates: {section}\n")).unwrap();
        assert!(config::load(&path).is_ok_and(|loaded| loaded.config.updates.is_some()), "{section}");
    }
}
