//! The kinds of probes compared.

/// What is probed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Http,
    Tcp,
    Https,
    Icmp,
}

impl Kind {
    pub(crate) const ALL: &[Self] = &[Self::Http, Self::Tcp, Self::Https, Self::Icmp];

    pub(crate) fn named(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.name() == word)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Tcp => "tcp",
            Self::Https => "https",
            Self::Icmp => "icmp",
        }
    }

    /// The module, as both exporters read it. `ca_file` is the authority of the TLS target.
    pub(crate) fn module(self, ca_file: &str) -> String {
        match self {
            Self::Http => "{prober: http, timeout: 4s, http: {preferred_ip_protocol: ip4}}".to_owned(),
            Self::Tcp => "{prober: tcp, timeout: 4s, tcp: {preferred_ip_protocol: ip4}}".to_owned(),
            Self::Icmp => "{prober: icmp, timeout: 4s, icmp: {preferred_ip_protocol: ip4}}".to_owned(),
            // One name for a thousand addresses.
            Self::Https => format!(
                "{{prober: http, timeout: 4s, http: {{preferred_ip_protocol: ip4, \
                 tls_config: {{ca_file: {ca_file}, server_name: bench.test}}}}}}"
            ),
        }
    }
}
