//! The ports of the stack, and who has them when they are taken.

use std::fmt::Write as _;
use std::net::{Ipv4Addr, TcpListener};

use clap::Args;

use super::grafana;

/// Loopback ports; each can be chosen by its environment variable.
#[derive(Clone, Copy, Debug, Args)]
pub struct Ports {
    /// The demo service.
    #[arg(long = "demo-port", env = "DEMO_PORT", default_value_t = 8088)]
    pub demo: u16,
    /// The demo service with TLS, for clients with a certificate.
    #[arg(long = "demo-tls-port", env = "DEMO_TLS_PORT", default_value_t = 8443)]
    pub demo_tls: u16,
    /// sla-exporter.
    #[arg(long = "exporter-port", env = "EXPORTER_PORT", default_value_t = 10115)]
    pub exporter: u16,
    /// Prometheus.
    #[arg(long = "prometheus-port", env = "PROMETHEUS_PORT", default_value_t = 9090)]
    pub prometheus: u16,
    /// Alertmanager.
    #[arg(long = "alertmanager-port", env = "ALERTMANAGER_PORT", default_value_t = 9093)]
    pub alertmanager: u16,
    /// The mail catcher's SMTP.
    #[arg(long = "smtp-port", env = "SMTP_PORT", default_value_t = 1025)]
    pub smtp: u16,
    /// The mail catcher's page.
    #[arg(long = "mail-port", env = "MAIL_PORT", default_value_t = 8025)]
    pub mail: u16,
    /// Grafana, where one is installed.
    #[arg(long = "grafana-port", env = "GRAFANA_PORT", default_value_t = 3000)]
    pub grafana: u16,
}

impl Ports {
    fn named(&self) -> Vec<(&'static str, &'static str, u16)> {
        let mut named = vec![
            ("the demo service", "DEMO_PORT", self.demo),
            ("the demo service with TLS", "DEMO_TLS_PORT", self.demo_tls),
            ("sla-exporter", "EXPORTER_PORT", self.exporter),
            ("Prometheus", "PROMETHEUS_PORT", self.prometheus),
            ("Alertmanager", "ALERTMANAGER_PORT", self.alertmanager),
            ("the mail catcher's SMTP", "SMTP_PORT", self.smtp),
            ("the mail catcher's page", "MAIL_PORT", self.mail),
        ];
        named.extend(grafana::installed().map(|_| ("Grafana", "GRAFANA_PORT", self.grafana)));
        named
    }

    /// Whether all are free.
    ///
    /// # Errors
    /// With each that is not, who has it as far as that can be seen, and how to choose another.
    pub fn check(&self) -> Result<(), String> {
        let mut problems = String::new();
        let named = self.named();
        for (i, (what, variable, port)) in named.iter().enumerate() {
            if let Some((other, _, _)) = named.iter().take(i).find(|(_, _, known)| known == port) {
                let _ =
                    writeln!(problems, "port {port} is to be both {other}'s and {what}'s; choose another {variable}");
            } else if let Err(error) = TcpListener::bind((Ipv4Addr::LOCALHOST, *port)) {
                let holder = holder(*port).map_or_else(String::new, |who| format!(" by {who}"));
                let taken = if error.kind() == std::io::ErrorKind::AddrInUse {
                    format!("is taken{holder}")
                } else {
                    format!("cannot be used: {error}")
                };
                let _ = writeln!(
                    problems,
                    "port {port} ({what}) {taken}; stop that, or choose another port: make run {variable}={}",
                    port.checked_add(10_000).unwrap_or(port - 10_000)
                );
            }
        }
        if problems.is_empty() { Ok(()) } else { Err(problems.trim_end().to_owned()) }
    }
}

/// `name (pid 123)` of whoever listens on `port`, where /proc tells.
fn holder(port: u16) -> Option<String> {
    let suffix = format!(":{port:04X}");
    // Columns of /proc/net/tcp: 1 local address, 3 state (0A is LISTEN), 9 inode.
    let inode = ["/proc/net/tcp", "/proc/net/tcp6"].iter().find_map(|file| {
        std::fs::read_to_string(file).ok()?.lines().find_map(|line| {
            let columns: Vec<&str> = line.split_whitespace().collect();
            let listens = columns.get(1)?.ends_with(&suffix) && *columns.get(3)? == "0A";
            listens.then(|| columns.get(9).map(|inode| format!("socket:[{inode}]")))?
        })
    })?;
    std::fs::read_dir("/proc").ok()?.flatten().find_map(|process| {
        let pid: u32 = process.file_name().to_str()?.parse().ok()?;
        let mut sockets = std::fs::read_dir(process.path().join("fd")).ok()?.flatten();
        sockets.find(|fd| std::fs::read_link(fd.path()).is_ok_and(|link| link.to_str() == Some(&inode)))?;
        let name = std::fs::read_to_string(process.path().join("comm")).ok()?;
        Some(format!("{} (pid {pid})", name.trim()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ports(exporter: u16, mail: u16) -> Ports {
        let free = || TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        Ports {
            demo: free(),
            demo_tls: free(),
            exporter,
            prometheus: free(),
            alertmanager: free(),
            smtp: free(),
            mail,
            grafana: free(),
        }
    }

    #[test]
    fn a_taken_port_is_named_with_its_holder_and_the_way_out() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = taken.local_addr().unwrap().port();
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let why = ports(port, free).check().unwrap_err();
        assert!(why.starts_with(&format!("port {port} (sla-exporter) is taken by ")), "{why}");
        assert!(
            why.contains(&format!("(pid {})", std::process::id())) && why.contains("make run EXPORTER_PORT="),
            "{why}"
        );
    }

    #[test]
    fn one_port_for_two_programs_is_refused() {
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let why = ports(free, free).check().unwrap_err();
        assert!(why.contains("both sla-exporter's and the mail catcher's page's"), "{why}");
    }
}
