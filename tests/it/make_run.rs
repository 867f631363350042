//! The launcher of `make run`: however it ends, nothing is left of it.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use sla_tests::program::ours;
use sla_tests::{free_port, repository};
use tempfile::TempDir;

/// For what takes a second on an idle machine.
const PATIENCE: Duration = Duration::from_secs(90);

/// The variables that choose the ports.
const PORTS: [&str; 8] = [
    "DEMO_PORT",
    "EXPORTER_PORT",
    "PROMETHEUS_PORT",
    "ALERTMANAGER_PORT",
    "SMTP_PORT",
    "MAIL_PORT",
    "GRAFANA_PORT",
    "DEMO_TLS_PORT",
];

/// A launcher with all its programs running.
struct Launcher {
    /// The launcher, or the shell that waits for it.
    process: Child,
    /// Where it keeps its folder.
    temporary: TempDir,
    output: PathBuf,
    ports: Vec<u16>,
}

impl Launcher {
    /// Starts it through `wrapper`, which gets the launcher as its last arguments, and waits until all is running.
    fn start(wrapper: &[&str]) -> Self {
        // The history takes seconds and changes nothing for most tests.
        let mut launcher = Self::begin(wrapper, &["--no-history"]);
        launcher.is_running();
        launcher
    }

    /// Starts it with further `arguments`.
    fn begin(wrapper: &[&str], arguments: &[&str]) -> Self {
        let temporary = tempfile::tempdir().unwrap();
        let outputs = tempfile::NamedTempFile::new().unwrap().into_temp_path().keep().unwrap();
        let ports: Vec<u16> = PORTS.iter().map(|_| free_port()).collect();
        let stack = ours("sla-demo-stack");
        let repository = repository();
        let words: Vec<&str> = wrapper
            .iter()
            .copied()
            .chain([stack.to_str().unwrap(), "--repository", repository.to_str().unwrap()])
            .chain(arguments.iter().copied())
            .collect();
        let file = std::fs::File::create(&outputs).unwrap();
        let process = Command::new(words[0])
            .args(&words[1..])
            .env("TMPDIR", temporary.path())
            .envs(PORTS.iter().zip(&ports).map(|(name, port)| (name, port.to_string())))
            .stdin(Stdio::null())
            .stdout(file.try_clone().unwrap())
            .stderr(file)
            .spawn()
            .unwrap();
        Self { process, temporary, output: outputs, ports }
    }

    fn is_running(&mut self) {
        self.wait_for("the page of addresses", |l| {
            let said = l.said();
            assert!(l.process.try_wait().unwrap().is_none(), "it ended: {said}");
            said.contains("All is running")
        });
    }

    fn said(&self) -> String {
        std::fs::read_to_string(&self.output).unwrap_or_default()
    }

    fn wait_for(&mut self, what: &str, mut done: impl FnMut(&mut Self) -> bool) {
        let mut waited = Duration::ZERO;
        while !done(self) {
            assert!(waited < PATIENCE, "{what}: not within {PATIENCE:?}; it said:\n{}", self.said());
            std::thread::sleep(Duration::from_millis(100));
            waited += Duration::from_millis(100);
        }
    }

    /// Waits for the end of what was started, then sees that nothing is left.
    fn nothing_is_left(mut self) -> (std::process::ExitStatus, String) {
        self.wait_for("the end", |l| l.process.try_wait().unwrap().is_some());
        self.wait_for("the end of all programs", |l| l.programs().is_empty());
        let left = |l: &Self| std::fs::read_dir(l.temporary.path()).unwrap().flatten().count();
        self.wait_for("an empty temporary folder", |l| left(l) == 0);
        (self.process.wait().unwrap(), self.said())
    }

    /// Process ids of everything that was started with our ports or our folder in its arguments or environment.
    fn programs(&self) -> Vec<u32> {
        let mark = format!("TMPDIR={}\0", self.temporary.path().display());
        std::fs::read_dir("/proc")
            .unwrap()
            .flatten()
            .filter_map(|entry| {
                let pid = entry.file_name().to_str()?.parse().ok()?;
                let environment = std::fs::read(entry.path().join("environ")).ok()?;
                String::from_utf8_lossy(&environment).contains(&mark).then_some(pid)
            })
            .collect()
    }

    /// The process whose command line has `words`.
    fn pid_of(&self, words: &str) -> Pid {
        let found = self.programs().into_iter().find(|pid| {
            std::fs::read(format!("/proc/{pid}/cmdline"))
                .is_ok_and(|line| String::from_utf8_lossy(&line).split('\0').any(|word| word.contains(words)))
        });
        Pid::from_raw(i32::try_from(found.unwrap_or_else(|| panic!("no process with {words}"))).unwrap()).unwrap()
    }
}

impl Drop for Launcher {
    fn drop(&mut self) {
        for pid in self.programs() {
            let _ = kill_process(Pid::from_raw(i32::try_from(pid).unwrap()).unwrap(), Signal::KILL);
        }
        let _ = self.process.wait();
        let _ = std::fs::remove_file(&self.output);
    }
}

fn pid(child: &Child) -> Pid {
    Pid::from_child(child)
}

#[test]
fn signals_that_end_it_leave_nothing_behind() {
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let launcher = Launcher::start(&["env"]);
        kill_process(pid(&launcher.process), signal).unwrap();
        let (status, said) = launcher.nothing_is_left();
        assert!(status.success(), "{signal:?}: {status}; {said}");
    }
}

#[test]
fn it_starts_with_a_year_of_history_and_its_ledger() {
    let mut launcher = Launcher::begin(&["env"], &[]);
    launcher.is_running();
    let said = launcher.said();
    let ledger =
        said.lines().find_map(|line| line.trim().strip_prefix("the ledger")).expect("the ledger's place").trim();
    assert!(std::fs::read_to_string(ledger).unwrap().contains("everything in here is invented"), "{said}");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let year = "count(last_over_time(sla:month_downtime:seconds[400d])) >= 24";
    assert!(runtime.block_on(sla_tests::http::value(launcher.ports[2], year)).is_ok(), "{said}");
    kill_process(pid(&launcher.process), Signal::INT).unwrap();
    assert!(launcher.nothing_is_left().0.success());
}

#[test]
fn stopped_while_the_history_is_made_it_leaves_nothing_behind() {
    let mut launcher = Launcher::begin(&["env"], &[]);
    launcher.wait_for("promtool at work", |l| {
        let folders = std::fs::read_dir(l.temporary.path()).unwrap().flatten();
        folders.map(|folder| folder.path().join("promtool.log")).any(|log| log.exists())
    });
    kill_process(pid(&launcher.process), Signal::INT).unwrap();
    let (status, said) = launcher.nothing_is_left();
    assert!(!status.success() && said.contains("stopped while starting"), "{said}");
}

#[test]
fn it_ends_when_what_started_it_is_killed() {
    // The shell stands for make.
    let launcher = Launcher::start(&["sh", "-c", "\"$@\"; exit 9", "sh"]);
    kill_process(pid(&launcher.process), Signal::KILL).unwrap();
    launcher.nothing_is_left();
}

#[test]
fn a_program_that_ends_is_named_and_ends_the_rest() {
    let launcher = Launcher::start(&["env"]);
    let exporter = launcher.ports[1];
    kill_process(launcher.pid_of(&format!("--web.listen-address=127.0.0.1:{exporter}")), Signal::KILL).unwrap();
    let (status, said) = launcher.nothing_is_left();
    assert_eq!(status.code(), Some(1));
    let end = said.split("stopping").nth(1).expect("it says that it stops");
    assert!(end.contains("sla-exporter ended (signal: 9") && end.contains("  | ts="), "{said}");
}

#[test]
fn killed_itself_it_leaves_a_folder_that_the_next_run_removes() {
    let mut launcher = Launcher::start(&["env"]);
    kill_process(pid(&launcher.process), Signal::KILL).unwrap();
    launcher.process.wait().unwrap();
    launcher.wait_for("the end of all programs", |l| l.programs().is_empty());
    let folders = |at: &Path| std::fs::read_dir(at).unwrap().flatten().map(|e| e.file_name()).collect::<Vec<_>>();
    assert_eq!(folders(launcher.temporary.path()).len(), 1);
    let output: Output = Command::new(ours("sla-demo-stack"))
        // Nothing can be started from here: the run is short.
        .args(["--repository", "/"])
        .env("TMPDIR", launcher.temporary.path())
        .envs(PORTS.iter().zip(&launcher.ports).map(|(name, port)| (name, port.to_string())))
        .output()
        .unwrap();
    assert!(String::from_utf8_lossy(&output.stderr).contains("deploy/demo/sla.yml"), "{output:?}");
    assert!(folders(launcher.temporary.path()).is_empty());
}

#[test]
fn a_taken_port_is_named_before_anything_starts() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let output = Command::new(ours("sla-demo-stack"))
        .arg("--repository")
        .arg(repository())
        .envs(PORTS.iter().map(|name| (name, free_port().to_string())))
        .env("PROMETHEUS_PORT", port.to_string())
        .output()
        .unwrap();
    assert!(!output.status.success() && output.stdout.is_empty(), "{output:?}");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        said.contains(&format!("port {port} (Prometheus) is taken by ")) && said.contains("PROMETHEUS_PORT="),
        "{said}"
    );
}

/// Answers what the launcher asks of a Grafana, once it finds what a Grafana would need.
const STAND_IN: &str = r#"#!/usr/bin/perl
use strict; use IO::Socket::INET;
die "arguments: @ARGV" unless $ARGV[0] eq 'server';
my $provisioning = $ENV{GF_PATHS_PROVISIONING};
for my $file ("$provisioning/datasources/prometheus.yml", "$provisioning/dashboards/sla.yml") { die $file unless -f $file }
my $socket = IO::Socket::INET->new(
    LocalAddr => $ENV{GF_SERVER_HTTP_ADDR}, LocalPort => $ENV{GF_SERVER_HTTP_PORT}, Listen => 5, ReuseAddr => 1) or die $!;
while (my $client = $socket->accept) {
    my $first = <$client>;
    while (defined(my $line = <$client>)) { last if $line =~ /^\r?\n$/ }
    my $status = $first =~ m{^GET /api/health } ? '200 OK' : '404 Not Found';
    print $client "HTTP/1.1 $status\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    close $client;
}
"#;

#[test]
fn a_grafana_on_the_path_is_provisioned_started_and_ended_with_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    let grafana = folder.path().join("grafana");
    std::fs::write(&grafana, STAND_IN).unwrap();
    std::fs::set_permissions(&grafana, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let path = format!("PATH={}:{}", folder.path().display(), std::env::var("PATH").unwrap());
    let launcher = Launcher::start(&["env", &path]);
    let said = launcher.said();
    let (prometheus, port) = (launcher.ports[2], launcher.ports[6]);
    assert!(
        said.contains(&format!("dashboards, in Grafana                        http://127.0.0.1:{port}/")),
        "{said}"
    );
    // Alerts lead to it.
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let rules = runtime.block_on(sla_tests::http::get(prometheus, "/api/v1/rules?type=alert")).unwrap();
    assert!(rules.contains(&format!("http://127.0.0.1:{port}/d/sla-function?")), "{rules}");
    kill_process(pid(&launcher.process), Signal::INT).unwrap();
    let (status, said) = launcher.nothing_is_left();
    assert!(status.success(), "{said}");
}
