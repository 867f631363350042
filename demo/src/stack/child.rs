//! One program of the stack: started with its output in a log, stopped for certain.

use std::fs::File;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// What a program gets between SIGTERM and SIGKILL.
const GRACE: Duration = Duration::from_secs(6);
/// Lines of a log that are shown.
const LAST_WORDS: usize = 15;

/// A running program; killed with its own children when dropped.
#[derive(Debug)]
pub(super) struct Child {
    name: String,
    process: std::process::Child,
    log: PathBuf,
}

impl Child {
    /// Starts `program` in a process group of its own: the terminal's Ctrl-C reaches only the launcher.
    pub(super) fn start(name: &str, program: &Path, arguments: &[String], log: &Path) -> Result<Self, String> {
        Self::start_in(name, program, arguments, &[], log)
    }

    /// The same with further variables in its environment.
    pub(super) fn start_in(
        name: &str,
        program: &Path,
        arguments: &[String],
        environment: &[(&str, String)],
        log: &Path,
    ) -> Result<Self, String> {
        let output = File::create(log).map_err(|error| format!("{}: {error}", log.display()))?;
        let errors = output.try_clone().map_err(|error| format!("{}: {error}", log.display()))?;
        // Where setpriv is there, the programs end even when the launcher is killed.
        let mut command = if is_on_path("setpriv") {
            let mut command = Command::new("setpriv");
            command.arg("--pdeathsig=TERM").arg(program);
            command
        } else {
            Command::new(program)
        };
        // Mails and pages show times in the zone of the demo's contract.
        command
            .args(arguments)
            .env("TZ", "Asia/Tokyo")
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors)
            .process_group(0);
        let process = command.spawn().map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => format!("{name}: {} is not installed or not built", program.display()),
            _ => format!("{name}: {error}"),
        })?;
        Ok(Self { name: name.to_owned(), process, log: log.to_owned() })
    }

    /// Why it ended, if it did.
    pub(super) fn ended(&mut self) -> Option<String> {
        let status = self.process.try_wait().ok()??;
        Some(format!("{} ended ({status})\n{}", self.name, self.last_words()))
    }

    /// Waits for its end, which has to be a good one.
    pub(super) async fn succeeds(&mut self) -> Result<(), String> {
        loop {
            match self.process.try_wait() {
                Ok(Some(status)) if status.success() => return Ok(()),
                Ok(Some(status)) => return Err(format!("{} ended ({status})\n{}", self.name, self.last_words())),
                Ok(None) => tokio::time::sleep(Duration::from_millis(50)).await,
                Err(error) => return Err(format!("{}: {error}", self.name)),
            }
        }
    }

    /// The end of its log.
    pub(super) fn last_words(&self) -> String {
        let text =
            std::fs::read(&self.log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        let from = lines.len().saturating_sub(LAST_WORDS);
        lines.iter().skip(from).map(|line| format!("  | {line}\n")).collect()
    }

    /// Asks it to end, and makes it end when it does not.
    pub(super) async fn stop(mut self) {
        self.signal(Signal::TERM);
        let mut waited = Duration::ZERO;
        while waited < GRACE && matches!(self.process.try_wait(), Ok(None)) {
            tokio::time::sleep(Duration::from_millis(20)).await;
            waited += Duration::from_millis(20);
        }
    }

    fn signal(&self, signal: Signal) {
        if let Some(group) = i32::try_from(self.process.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process_group(group, signal);
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if matches!(self.process.try_wait(), Ok(None)) {
            self.signal(Signal::KILL);
            let _ = self.process.wait();
        }
    }
}

/// Whether a program of this name can be started.
pub(super) fn is_on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

/// Whether GET `path` on loopback is answered with 200.
pub(super) async fn answers(port: u16, path: &str) -> bool {
    let ask = async {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await?;
        let mut status = [0; 12];
        stream.read_exact(&mut status).await?;
        Ok::<_, std::io::Error>(status.ends_with(b" 200"))
    };
    matches!(tokio::time::timeout(Duration::from_secs(2), ask).await, Ok(Ok(true)))
}
