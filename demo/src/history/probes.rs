//! The probes of deploy/demo/sla.yml with the labels their series have. tests/it/history.rs holds them equal to the live ones.

use super::CONTRACT;

/// The demo's site.
pub(super) const SITE: &str = "here";

/// Where the programs of the stack are, `host:port` each.
#[derive(Clone, Debug)]
pub struct Addresses {
    /// The demo service.
    pub demo: String,
    /// The same, with TLS.
    pub demo_tls: String,
    /// The mail catcher's SMTP.
    pub mail: String,
    /// Prometheus.
    pub prometheus: String,
    /// Alertmanager.
    pub alertmanager: String,
    /// sla-exporter, as Prometheus scrapes it: label `instance`.
    pub exporter: String,
    /// Whether the probe `loopback` runs.
    pub ping: bool,
}

/// What is watched, one target each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Watch {
    WebApp,
    WebForm,
    Link1,
    Link2,
    Link3,
    Upstream,
    Stranger,
    NoPassword,
    Mail,
    Loopback,
    ReferenceA,
    ReferenceB,
}

/// The counted links, of which a majority must work.
pub(super) const LINKS: [Watch; 3] = [Watch::Link1, Watch::Link2, Watch::Link3];

/// Who must not be let in (C2.6.5).
pub(super) const REFUSED: [Watch; 2] = [Watch::Stranger, Watch::NoPassword];

/// The evidence of one capability.
pub(super) struct Capability {
    pub(super) name: &'static str,
    /// Its function's place among the contract's.
    pub(super) function: usize,
    pub(super) evidence: &'static [Watch],
    /// How many must be up.
    pub(super) quorum: usize,
}

/// What the functions are made of.
pub(super) const CAPABILITIES: [Capability; 3] = [
    Capability { name: "web_app", function: 0, evidence: &[Watch::WebApp], quorum: 1 },
    Capability { name: "web_form", function: 1, evidence: &[Watch::WebForm], quorum: 1 },
    Capability { name: "click_count", function: 1, evidence: &LINKS, quorum: 2 },
];

impl Watch {
    /// All of them.
    pub(super) const ALL: [Self; 12] = [
        Self::WebApp,
        Self::WebForm,
        Self::Link1,
        Self::Link2,
        Self::Link3,
        Self::Upstream,
        Self::Stranger,
        Self::NoPassword,
        Self::Mail,
        Self::Loopback,
        Self::ReferenceA,
        Self::ReferenceB,
    ];

    /// Seconds between two runs.
    pub(super) fn interval(self) -> i64 {
        match self {
            Self::Mail | Self::Loopback => 30,
            Self::Stranger | Self::NoPassword => 60,
            _ => 15,
        }
    }

    /// Seconds until a run gives up.
    pub(super) fn timeout(self) -> f64 {
        match self {
            Self::WebApp | Self::WebForm | Self::Link1 | Self::Link2 | Self::Link3 => 7.0,
            Self::Loopback => 3.0,
            _ => 5.0,
        }
    }

    /// Seconds a good run usually takes.
    pub(super) fn usual(self) -> f64 {
        match self {
            Self::WebApp => 0.048,
            Self::WebForm => 0.036,
            Self::Upstream => 0.085,
            Self::Link1 | Self::Link2 | Self::Link3 => 0.012,
            Self::Stranger | Self::NoPassword => 0.009,
            Self::Mail => 0.006,
            Self::Loopback => 0.000_2,
            Self::ReferenceA | Self::ReferenceB => 0.004,
        }
    }

    /// Probe, target.
    fn name(self, at: &Addresses) -> (&'static str, String) {
        let page = |path: &str| format!("http://{}/{path}", at.demo);
        match self {
            Self::WebApp => ("web-app", format!("https://{}/login", at.demo_tls)),
            Self::WebForm => ("web-form", page("form")),
            Self::Link1 => ("click-count", page("c/campaign-1")),
            Self::Link2 => ("click-count", page("c/campaign-2")),
            Self::Link3 => ("click-count", page("c/campaign-3")),
            Self::Upstream => ("sfdc", page("health/sfdc")),
            Self::Stranger => ("stranger", format!("https://{}/app", at.demo_tls)),
            Self::NoPassword => ("no-password", format!("https://{}/app", at.demo_tls)),
            Self::Mail => ("mail-server", at.mail.clone()),
            Self::Loopback => ("loopback", "127.0.0.1".to_owned()),
            Self::ReferenceA => ("reference-a", format!("http://{}/-/healthy", at.prometheus)),
            Self::ReferenceB => ("reference-b", format!("http://{}/-/healthy", at.alertmanager)),
        }
    }

    /// As rules and pages name it among what a duty is about.
    pub(super) fn item(self, at: &Addresses) -> String {
        let (probe, target) = self.name(at);
        format!("{probe} {target}")
    }

    /// Its module.
    pub(super) fn module(self) -> &'static str {
        match self {
            Self::WebApp => "login",
            Self::WebForm => "form",
            Self::Link1 | Self::Link2 | Self::Link3 => "counted_link",
            Self::Upstream | Self::ReferenceA | Self::ReferenceB => "healthy",
            Self::Stranger => "stranger",
            Self::NoPassword => "no_password",
            Self::Mail => "smtp_banner",
            Self::Loopback => "ping",
        }
    }

    /// The prober of its module.
    pub(super) fn prober(self) -> &'static str {
        match self {
            Self::WebApp | Self::WebForm | Self::Link1 | Self::Link2 | Self::Link3 => "http_flow",
            Self::Mail => "tcp",
            Self::Loopback => "icmp",
            _ => "http",
        }
    }

    /// The steps of its flow, and the share of a run's time that each takes.
    pub(super) fn steps(self) -> &'static [(&'static str, f64)] {
        match self {
            Self::WebApp => &[("page", 0.25), ("login", 0.45), ("app", 0.25)],
            Self::WebForm => &[("submit", 0.6), ("read", 0.35)],
            Self::Link1 | Self::Link2 | Self::Link3 => &[("before", 0.3), ("click", 0.4), ("after", 0.25)],
            _ => &[],
        }
    }

    /// The capability it is evidence for.
    pub(super) fn capability(self) -> Option<&'static Capability> {
        CAPABILITIES.iter().find(|capability| capability.evidence.contains(&self))
    }

    /// The labels of its series in Prometheus, without braces; `slots`: those of `sla:probe_up:5m`.
    pub(super) fn labels(self, at: &Addresses, slots: bool) -> String {
        let (probe, target) = self.name(at);
        let mut labels = format!("contract=\"{CONTRACT}\",site=\"{SITE}\",probe=\"{probe}\",target=\"{target}\"");
        if let Some(Capability { name, function, .. }) = self.capability() {
            let function = super::FUNCTIONS.get(*function).copied().unwrap_or_default();
            labels.push_str(&format!(",function=\"{function}\",capability=\"{name}\""));
        }
        // The inventory's only device has this address.
        if target.contains("127.0.0.1") {
            labels.push_str(",host=\"demo\"");
        }
        if !slots {
            let module = self.module();
            labels.push_str(&format!(",module=\"{module}\",job=\"sla-exporter\",instance=\"{}\"", at.exporter));
            if matches!(self, Self::ReferenceA | Self::ReferenceB) {
                labels.push_str(",reference=\"true\"");
            }
        }
        labels
    }
}
