//! Failed logins from a real journald's journal: rotated while it is read, and thinned out while nobody reads (C2.6.7).
//!
//! journald runs in a mount namespace of the test's own, with folders of the test's in place of `/run` and `/var/log`. Needs root;
//! without it the tests say what they did not test.

use std::fs;
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::process::{Child, Command};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio::time::Instant;

use crate::logins::{Host, count};

/// A journald of a namespace of its own; ends with the value.
struct Journald {
    folder: TempDir,
    process: Child,
}

impl Drop for Journald {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Journald {
    fn start() -> Option<Self> {
        let folder = TempDir::new().unwrap();
        let inside = folder.path().display();
        for name in ["log", "run/systemd/journald@test.conf.d"] {
            fs::create_dir_all(folder.path().join(name)).unwrap();
        }
        // With a retention it does not end when nobody writes for 30 s.
        let settings = "[Journal]\nStorage=persistent\nSystemKeepFree=1M\nSystemMaxUse=200M\nRateLimitIntervalSec=0\nMaxRetentionSec=1year\n";
        fs::write(folder.path().join("run/systemd/journald@test.conf.d/test.conf"), settings).unwrap();
        let script = format!(
            "mount --bind {inside}/log /var/log && mount --bind {inside}/run /run && exec /lib/systemd/systemd-journald test"
        );
        let log = fs::File::create(folder.path().join("output")).unwrap();
        let mut command = Command::new("unshare");
        // Ends with the test, however that ends.
        command.args(["--mount", "--", "setpriv", "--pdeathsig", "KILL", "sh", "-c", &script]);
        command.stdout(log.try_clone().unwrap()).stderr(log);
        let mut started = Self { process: command.spawn().unwrap(), folder };
        let began = Instant::now();
        while !started.socket().exists() {
            if started.process.try_wait().unwrap().is_some() {
                let said = fs::read_to_string(started.folder.path().join("output")).unwrap();
                assert!(!rustix::process::geteuid().is_root() || said.contains("permitted"), "{said}");
                println!("NOT TESTED: no mount namespace of our own ({}); run as root", said.trim());
                return None;
            }
            assert!(began.elapsed() < Duration::from_secs(20), "no {}", started.socket().display());
            std::thread::sleep(Duration::from_millis(20));
        }
        Some(started)
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("run/systemd/journal.test/dev-log")
    }

    /// Where its files are.
    fn journal(&self) -> PathBuf {
        let mut folders = fs::read_dir(self.folder.path().join("log/journal")).unwrap();
        folders.next().unwrap().unwrap().path()
    }

    fn files(&self) -> usize {
        fs::read_dir(self.journal()).unwrap().count()
    }

    /// As a service logs: facility and severity, program, process.
    fn say(&self, facility: u8, program: &str, text: &str) {
        let socket = UnixDatagram::unbound().unwrap();
        let line = format!("<{}>{program}[77]: {text}", facility * 8 + 6);
        socket.send_to(line.as_bytes(), self.socket()).unwrap();
    }

    fn failed(&self, times: usize) {
        for _ in 0..times {
            self.say(10, "sshd", "Failed password for root from 10.0.0.9 port 5 ssh2");
        }
    }

    /// Ends the file that is written, and begins another.
    fn rotate(&self) {
        let before = self.files();
        let process = Pid::from_raw(i32::try_from(self.process.id()).unwrap()).unwrap();
        kill_process(process, Signal::USR2).unwrap();
        let began = Instant::now();
        while self.files() == before {
            assert!(began.elapsed() < Duration::from_secs(20), "not rotated");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Throws away all but the newest files.
    fn keep(&self, files: usize) {
        let mut command = Command::new("journalctl");
        command.arg("--directory").arg(self.journal()).arg(format!("--vacuum-files={files}"));
        let output = command.output().unwrap();
        assert!(output.status.success(), "{output:?}");
        assert_eq!(self.files(), files, "{output:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_failed_login_of_a_journal_counts_once_through_rotations_and_restarts() {
    let Some(journald) = Journald::start() else { return };
    journald.failed(2);
    // The newest is of no facility that is read.
    journald.say(3, "cron", "nothing");
    let logins = format!("  sources: [{{journal: {{directory: {}}}}}]\n", journald.journal().display());
    let host = Host::new(&logins);
    let running = host.start();
    // What is there at the first start is history.
    running.shows(&count(0)).await;
    journald.failed(2);
    // Another facility's, and one that is no failure.
    journald.say(3, "sshd", "Failed password for root from 10.0.0.9 port 5 ssh2");
    journald.say(10, "sshd", "Accepted password for root from 10.0.0.9 port 5 ssh2");
    running.shows(&count(2)).await;
    journald.rotate();
    journald.failed(3);
    running.shows(&count(5)).await;
    running.end().await;

    // Rotated twice while nothing ran.
    journald.failed(1);
    journald.rotate();
    journald.failed(1);
    journald.rotate();
    journald.failed(1);
    let running = host.start();
    running.shows(&count(8)).await;
    running.end().await;

    // The file where reading stopped is gone, as journald throws old ones away: what is left is read, and what was read is not.
    journald.rotate();
    journald.failed(2);
    journald.rotate();
    journald.failed(1);
    journald.keep(2);
    let running = host.start();
    running.shows(&count(11)).await;
    journald.failed(1);
    running.shows(&count(12)).await;
    running.end().await;
}
