//! A real program, started with its output in a log and stopped for certain.

use std::fs::File;
use std::net::{Ipv4Addr, TcpStream};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};

use crate::http;

/// Lines of a log shown when a test fails.
const SHOWN: usize = 40;

/// A running program; killed with its own children when dropped.
#[derive(Debug)]
pub struct Program {
    name: String,
    process: std::process::Child,
    log: PathBuf,
}

impl Program {
    /// Starts `program`; its log is `<folder>/<name>.log`.
    #[must_use]
    pub fn start(name: &str, program: &Path, arguments: &[String], folder: &Path) -> Self {
        let log = folder.join(format!("{name}.log"));
        let output = File::options().create(true).append(true).open(&log).expect("a log");
        let errors = output.try_clone().expect("a log");
        // It ends with the thread that started it, also when the test is killed and nothing is dropped any more.
        let process = Command::new("setpriv")
            .arg("--pdeathsig=KILL")
            .arg(program)
            .args(arguments)
            .env("TZ", "Asia/Tokyo")
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors)
            .process_group(0)
            .spawn()
            .unwrap_or_else(|error| {
                panic!("setpriv {}: {error}; deploy/native/install.sh test installs what tests need", program.display())
            });
        Self { name: name.to_owned(), process, log }
    }

    /// Starts `program` on a port of its own, which `arguments` puts into its flags, and waits until it listens there.
    ///
    /// A port is free when it is asked for and may be taken a moment later: then another is tried.
    #[must_use]
    pub fn listening(name: &str, arguments: impl Fn(u16) -> Vec<String>, folder: &Path) -> (Self, u16) {
        Self::listening_at(name, &on_path(&[name]), arguments, folder)
    }

    /// As [`Self::listening`], for a program that is not on the path.
    #[must_use]
    pub fn listening_at(
        name: &str,
        program: &Path,
        arguments: impl Fn(u16) -> Vec<String>,
        folder: &Path,
    ) -> (Self, u16) {
        let mut last = String::new();
        for _ in 0..5 {
            let port = crate::free_port();
            let mut started = Self::start(name, program, &arguments(port), folder);
            for _ in 0..300 {
                if matches!(started.process.try_wait(), Ok(Some(_))) {
                    break;
                }
                if TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok() {
                    return (started, port);
                }
                std::thread::sleep(Duration::from_millis(100));
            }
            last = started.log();
        }
        panic!("{name} does not listen; its log:\n{last}");
    }

    /// Waits until GET `path` on `port` is answered with 200.
    pub async fn ready(&mut self, port: u16, path: &str) {
        let name = self.name.clone();
        crate::eventually(&format!("{name} is ready"), async || {
            if let Ok(Some(status)) = self.process.try_wait() {
                panic!("{name} ended: {status}");
            }
            http::get(port, path).await
        })
        .await;
    }

    /// Asks it to end and waits for it.
    pub fn stop(&mut self) {
        self.signal(Signal::TERM);
        let _ = self.process.wait();
    }

    /// Its log so far.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read(&self.log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
    }

    fn signal(&self, signal: Signal) {
        if let Some(group) = i32::try_from(self.process.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process_group(group, signal);
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if matches!(self.process.try_wait(), Ok(None)) {
            self.signal(Signal::KILL);
            let _ = self.process.wait();
        }
        if std::thread::panicking() {
            let log = self.log();
            let lines: Vec<&str> = log.lines().collect();
            println!("--- the end of {}'s log", self.name);
            lines.iter().skip(lines.len().saturating_sub(SHOWN)).for_each(|line| println!("{line}"));
        }
    }
}

/// A program of this workspace, which `make test` builds before it runs tests.
#[must_use]
pub fn ours(name: &str) -> PathBuf {
    let tests = std::env::current_exe().expect("a path");
    let folder = tests.parent().and_then(Path::parent).expect("target/<profile>/deps/<test>");
    let program = folder.join(name);
    assert!(
        program.is_file(),
        "{} is missing: run `cargo build --workspace --bins` first (make test does)",
        program.display()
    );
    program
}

/// The first of `names` that is on PATH.
#[must_use]
pub fn on_path(names: &[&str]) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path)
        .flat_map(|folder| names.iter().map(move |name| folder.join(name)))
        .find(|p| p.is_file());
    found.unwrap_or_else(|| panic!("none of {names:?} is installed; deploy/native/install.sh test installs it"))
}
