//! A measured child process: what it has used so far, as the kernel counts it.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tokio::net::TcpStream;

/// Clock ticks per second of `/proc/<pid>/stat`, the same on every Linux.
const TICKS: f64 = 100.0;

/// Killed when dropped.
pub(crate) struct Process {
    child: Child,
    pub(crate) port: u16,
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Process {
    /// Starts `program` and waits until it listens on a port of its own.
    pub(crate) async fn start(program: &str, arguments: impl Fn(u16) -> Vec<String>) -> Self {
        for _ in 0..5 {
            let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            let mut command = Command::new(program);
            command.args(arguments(port)).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            let child = command.spawn().unwrap_or_else(|error| panic!("{program} does not start: {error}"));
            let mut process = Self { child, port };
            for _ in 0..2000 {
                if process.child.try_wait().unwrap().is_some() {
                    break;
                }
                if TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
                    return process;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
        panic!("{program} {:?} does not listen", arguments(0));
    }

    /// User and system time so far, in seconds.
    pub(crate) fn cpu_seconds(&self) -> f64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).expect("it runs");
        // The name may hold spaces; what follows does not.
        let rest = stat.rsplit_once(')').unwrap().1;
        let ticks: f64 = rest.split_whitespace().skip(11).take(2).map(|n| n.parse::<f64>().unwrap()).sum();
        ticks / TICKS
    }

    /// `VmRSS` (now), `VmHWM` (the most so far) or `RssAnon` (now, without the pages of files: the program's own), in MiB.
    pub(crate) fn memory(&self, field: &str) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("it runs");
        let line = status.lines().find(|line| line.starts_with(field)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
    }
}
