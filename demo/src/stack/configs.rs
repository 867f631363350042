//! The shipped configurations, copied and pointed at loopback. Each replacement must find what it replaces.
//!
//! With a history, its ledger is written beside them, and sla.yml refers to it.

use std::path::{Path, PathBuf};

use socket2::{Domain, Protocol, Socket, Type};

use super::Ports;
use crate::history::{Addresses, History};

/// The demo's probe that not every user may run.
const PING: &str = "  - {name: loopback, module: ping, targets: [127.0.0.1], interval: 30s}\n";

/// Whether this user may send pings; where not, the demo goes without, rather than with a failure that is none of its own.
pub(super) fn may_ping() -> bool {
    [Type::DGRAM, Type::RAW].iter().any(|kind| Socket::new(Domain::IPV4, *kind, Some(Protocol::ICMPV4)).is_ok())
}

/// Where deploy/demo/sla.yml looks for what a client of the demo service needs, beside itself.
pub const CLIENT_FILES: &str = "client";

/// The files the programs are started with.
#[derive(Debug)]
pub struct Files {
    /// sla-exporter's.
    pub exporter: PathBuf,
    /// Prometheus'; its rule files are the repository's own.
    pub prometheus: PathBuf,
    /// Alertmanager's, its templates beside it.
    pub alertmanager: PathBuf,
}

impl Files {
    /// Where a history's ledger is.
    #[must_use]
    pub fn ledger(&self) -> PathBuf {
        self.exporter.with_file_name("ledger.yml")
    }
}

/// Writes copies for `ports` into `folder`.
///
/// # Errors
/// With the file, and what it no longer has that was to be replaced.
pub fn write(repository: &Path, folder: &Path, ports: Ports) -> Result<Files, String> {
    let local = |port: u16| format!("127.0.0.1:{port}");
    let root = format!("{}/", repository.display());
    let addresses = [
        ("demo:8088", local(ports.demo)),
        ("demo:8443", local(ports.demo_tls)),
        ("mailcatcher:1025", local(ports.smtp)),
        ("prometheus:9090", local(ports.prometheus)),
        ("alertmanager:9093", local(ports.alertmanager)),
        ("exporter:10115", local(ports.exporter)),
    ];
    let mut replace: Vec<(&str, &str)> = addresses.iter().map(|(old, new)| (*old, new.as_str())).collect();
    if !may_ping() {
        replace.push((PING, ""));
    }
    let exporter = copy(&repository.join("deploy/demo/sla.yml"), folder, "sla.yml", &replace)?;
    let prometheus = copy(
        &repository.join("deploy/prometheus/prometheus.yml"),
        folder,
        "prometheus.yml",
        &[
            ("exporter:10115", &local(ports.exporter)),
            ("alertmanager:9093", &local(ports.alertmanager)),
            ("localhost:9090", &local(ports.prometheus)),
            ("../../", &root),
        ],
    )?;
    let shipped = repository.join("deploy/alertmanager");
    let alertmanager = copy(
        &shipped.join("alertmanager.yml"),
        folder,
        "alertmanager.yml",
        &[("mailcatcher:1025", &local(ports.smtp)), ("demo:8088", &local(ports.demo))],
    )?;
    let templates = folder.join("templates");
    std::fs::create_dir_all(&templates).map_err(|error| format!("{}: {error}", templates.display()))?;
    let list =
        std::fs::read_dir(shipped.join("templates")).map_err(|error| format!("{}: {error}", shipped.display()))?;
    for template in list.flatten() {
        copy(&template.path(), &templates, &template.file_name().to_string_lossy(), &[])?;
    }
    Ok(Files { exporter, prometheus, alertmanager })
}

/// The history of a stack at `ports` that ends at `now`, in seconds since the epoch; its ledger and what sla.yml says of it are
/// written to `files`.
///
/// # Errors
/// With the file, and what is wrong with it.
pub fn add_history(files: &Files, ports: Ports, now: i64) -> Result<History, String> {
    let local = |port: u16| format!("127.0.0.1:{port}");
    let addresses = Addresses {
        demo: local(ports.demo),
        demo_tls: local(ports.demo_tls),
        mail: local(ports.smtp),
        prometheus: local(ports.prometheus),
        alertmanager: local(ports.alertmanager),
        exporter: local(ports.exporter),
        ping: may_ping(),
    };
    let history = History::new(now, addresses);
    let failed = |error: std::io::Error| format!("{}: {error}", files.exporter.display());
    let text = std::fs::read_to_string(&files.exporter).map_err(failed)?;
    std::fs::write(&files.exporter, history.configure(&text)?).map_err(failed)?;
    let ledger = files.ledger();
    let own = [("ledger.yml", history.ledger())];
    for (name, text) in history.duties().into_iter().chain(own) {
        let file = ledger.with_file_name(name);
        std::fs::write(&file, text).map_err(|error| format!("{}: {error}", file.display()))?;
    }
    Ok(history)
}

pub(super) fn copy(from: &Path, folder: &Path, name: &str, replace: &[(&str, &str)]) -> Result<PathBuf, String> {
    let mut text = std::fs::read_to_string(from).map_err(|error| format!("{}: {error}", from.display()))?;
    // Through marks, so that a port that stands for another one is not replaced twice.
    for (i, (old, _)) in replace.iter().enumerate() {
        if !text.contains(old) {
            return Err(format!("{} no longer has `{old}`: the launcher cannot point it at loopback", from.display()));
        }
        text = text.replace(old, &format!("\u{1}{i}\u{1}"));
    }
    for (i, (_, new)) in replace.iter().enumerate() {
        text = text.replace(&format!("\u{1}{i}\u{1}"), new);
    }
    let to = folder.join(name);
    std::fs::write(&to, text).map_err(|error| format!("{}: {error}", to.display()))?;
    Ok(to)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_files_are_pointed_at_loopback() {
        let folder = tempfile::tempdir().unwrap();
        // The demo's new port is Prometheus' old one: each is replaced once.
        let ports = Ports {
            demo: 9090,
            demo_tls: 1,
            exporter: 2,
            prometheus: 3,
            alertmanager: 4,
            smtp: 5,
            mail: 6,
            grafana: 7,
        };
        let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let files = write(&repository, folder.path(), ports).unwrap();
        let exporter = std::fs::read_to_string(files.exporter).unwrap();
        assert!(
            exporter.contains("https://127.0.0.1:1/login")
                && exporter.contains("http://127.0.0.1:9090/form")
                && exporter.contains("http://127.0.0.1:3/-/healthy")
        );
        let prometheus = std::fs::read_to_string(files.prometheus).unwrap();
        assert!(prometheus.contains("http://127.0.0.1:2/sd") && !prometheus.contains("../../recording-rules"));
        let shipped = std::fs::read_to_string(repository.join("deploy/demo/sla.yml")).unwrap();
        assert!(shipped.contains(PING), "what a user without the right to ping goes without has another text now");
        assert_eq!(exporter.contains(PING), may_ping());
        assert!(std::fs::read_to_string(files.alertmanager).unwrap().contains("smtp_smarthost: 127.0.0.1:5"));
    }
}
