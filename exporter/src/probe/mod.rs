//! Probing: a module says how, a target says what; one run yields samples and success or a [`Failure`].
//!
//! Here is what a module is, and which probers there are; how one is run, with timeout and attempts, is in
//! `runs`. One prober per file; a prober decides nothing about when it runs.

pub mod clamd;
mod conversation;
#[cfg(any(test, fuzzing))]
pub(crate) use self::conversation::fuzz::conversation as fuzz_conversation;
pub mod dns;
pub mod echoes;
pub mod endpoint;
pub mod flow;
pub mod grpc;
pub mod http;
pub mod icmp;
mod link;
pub mod metric;
pub mod net;
pub mod postgres;
pub mod reason;
mod runs;
pub mod tcp;
#[cfg(any(test, fuzzing))]
pub(crate) mod testing;
pub mod tls;
pub mod trace;
pub mod unix;
pub mod websocket;

use std::time::Duration;

use hyper::header::HeaderValue;

pub use echoes::Echoes;
pub use metric::{Extra, Metric, Sample, Samples};
pub use reason::{Failure, Reason};
pub use runs::{Budget, Run, run, run_as, run_traced};
pub use trace::Trace;

use crate::config::decode::{Cursor, MapCursor};

/// Named settings of one kind of check: blackbox_exporter's module.
#[derive(Debug)]
pub struct Module {
    /// Label `module`.
    pub name: String,
    /// Bound of one attempt, where the module says it; see [`Module::timeout_within`].
    pub timeout: Option<Duration>,
    /// The kind of check and its settings.
    pub prober: Prober,
    /// Hash of the settings and of the files they depend on (CA files and the like, not secrets).
    pub fingerprint: u64,
    /// The settings as YAML for people, secrets hidden.
    pub source: crate::config::masked::Masked,
}

impl Module {
    /// Whether a run shows the target something nobody else should see: a password, a token, a cookie.
    #[must_use]
    pub fn sends_credentials(&self) -> bool {
        match &self.prober {
            Prober::Http(s) => s.sends_credentials(),
            Prober::Postgres(s) => s.sends_credentials(),
            Prober::Flow(s) => s.sends_credentials(),
            Prober::Grpc(s) => s.sends_credentials(),
            Prober::Websocket(s) => s.sends_credentials(),
            Prober::Tcp(_) | Prober::Icmp(_) | Prober::Dns(_) | Prober::Clamd(_) | Prober::Unix(_) => false,
        }
    }

    /// Whether `target` is a Unix socket: to connect to one is a right of the user this process runs as, and may be all that a
    /// service asks for (PostgreSQL's `peer`).
    #[must_use]
    pub fn is_socket(&self, target: &str) -> bool {
        match &self.prober {
            Prober::Unix(_) => true,
            Prober::Clamd(_) | Prober::Postgres(_) => target.starts_with('/'),
            _ => false,
        }
    }

    /// `name` as [`run_as`] takes it; `None` where the prober has no use for it.
    ///
    /// # Errors
    /// Where it is no name, or the module names another.
    pub fn hostname(&self, name: &str) -> Result<Option<HeaderValue>, String> {
        let fits = name.len() <= 255 && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._:[]".contains(&b));
        let value = HeaderValue::from_str(name).ok().filter(|_| fits && !name.is_empty());
        let value = value.ok_or("hostname: expected a name such as www.example.com, with a port if need be")?;
        let own = match &self.prober {
            Prober::Http(s) => s.host(),
            Prober::Websocket(s) => s.host(),
            Prober::Tcp(_) | Prober::Grpc(_) => None,
            _ => return Ok(None),
        };
        match own {
            Some(own) if *own != value => {
                let own = String::from_utf8_lossy(own.as_bytes());
                Err(format!("hostname: the module's headers name the host `{own}`; leave one of them out"))
            }
            _ => Ok(Some(value)),
        }
    }

    /// Bound of one attempt when `attempts` of them share `interval`: the module's own timeout, else
    /// [`DEFAULT_TIMEOUT`], or less where the interval leaves less.
    #[must_use]
    pub fn timeout_within(&self, interval: Duration, attempts: u32) -> Duration {
        self.timeout.unwrap_or_else(|| DEFAULT_TIMEOUT.min(interval / attempts.max(1)))
    }
}

/// A kind of check with its settings.
#[derive(Debug)]
pub enum Prober {
    /// HTTP/1.1 and HTTP/2, with or without TLS.
    Http(Box<http::Settings>),
    /// A TCP connection, optionally TLS and a conversation.
    Tcp(Box<tcp::Settings>),
    /// An ICMP echo.
    Icmp(Box<icmp::Settings>),
    /// A DNS query.
    Dns(Box<dns::Settings>),
    /// A gRPC service's own word on its health.
    Grpc(Box<grpc::Settings>),
    /// A connection to a Unix socket, optionally TLS and a conversation.
    Unix(Box<unix::Settings>),
    /// A WebSocket, optionally a conversation in messages.
    Websocket(Box<websocket::Settings>),
    /// A PostgreSQL login and query.
    Postgres(Box<postgres::Settings>),
    /// A virus scanner.
    Clamd(Box<clamd::Settings>),
    /// Several requests in a row.
    Flow(Box<flow::Settings>),
}

impl Prober {
    /// What it checks of a device, as `require` names it: a kind of service, and whether it is to be there. A Unix socket is no
    /// device's that anybody could name, so `require` does not know `unix`.
    #[must_use]
    pub const fn check(&self) -> &'static str {
        match self {
            Self::Http(s) if s.expects_refusal() => "refused_access",
            Self::Http(_) | Self::Flow(_) => "http",
            Self::Tcp(s) if s.expects_closed() => "closed_port",
            Self::Tcp(_) => "tcp",
            Self::Icmp(_) => "ping",
            Self::Dns(_) => "dns",
            Self::Grpc(_) => "grpc",
            Self::Unix(_) => "unix",
            Self::Websocket(_) => "websocket",
            Self::Postgres(_) => "postgres",
            Self::Clamd(_) => "clamd",
        }
    }

    /// As the configuration names it.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Http(_) => "http",
            Self::Tcp(_) => "tcp",
            Self::Icmp(_) => "icmp",
            Self::Dns(_) => "dns",
            Self::Grpc(_) => "grpc",
            Self::Unix(_) => "unix",
            Self::Websocket(_) => "websocket",
            Self::Postgres(_) => "postgres",
            Self::Flow(_) => "http_flow",
            Self::Clamd(_) => "clamd",
        }
    }
}

/// As the configuration names them; each has a section of its name.
const PROBERS: [&str; 10] =
    ["http", "tcp", "icmp", "dns", "grpc", "unix", "websocket", "postgres", "http_flow", "clamd"];

/// Timeout of a module that names none. blackbox_exporter takes it from the scrape; ours are scheduled.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);
/// What all probes of one process share: made once, survives reloads.
#[derive(Debug)]
pub struct Shared {
    /// Name resolution.
    pub resolver: net::Resolver,
    /// ICMP sockets, one per address family.
    pub icmp: icmp::Sockets,
}

impl Shared {
    /// Opens what is shared. Never fails as a whole: what cannot be opened fails the probes that need it, with the reason.
    #[must_use]
    pub fn new() -> Self {
        Self { resolver: net::Resolver::from_system(), icmp: icmp::Sockets::open() }
    }
}

impl Default for Shared {
    fn default() -> Self {
        Self::new()
    }
}

/// Reads one module: `{prober: http, timeout: 10s, http: {…}}`.
pub fn decode_module(name: &str, cursor: &Cursor<'_>) -> Option<Module> {
    let mut map = cursor.map()?;
    let kind = map.require("prober").and_then(|c| c.one_of(&PROBERS.map(|name| (name, name))));
    let timeout = match map.get("timeout") {
        None => Some(None),
        Some(c) => c.duration().and_then(|d| match d {
            Duration::ZERO => c.error("a timeout of 0s leaves no time to answer; write for example 10s"),
            d => Some(Some(d)),
        }),
    };
    // A section of another prober is accepted when empty of meaning for this one, as blackbox_exporter accepts it.
    let sections = PROBERS.map(|section| (section, map.get(section)));
    map.finish();
    let kind = kind?;
    for (section, found) in &sections {
        if let (true, Some(c)) = (*section != kind, found) {
            c.warn(format_args!("has no effect: the module's prober is {kind}"));
        }
    }
    let empty =
        crate::config::node::Node { mark: cursor.node().mark, value: crate::config::node::Value::Map(Vec::new()) };
    let section = sections
        .into_iter()
        .find_map(|(section, c)| if section == kind { c } else { None })
        .unwrap_or_else(|| Cursor::root(cursor.document(), &empty));
    let section = section.map()?;
    let prober = match kind {
        "http" => Prober::Http(Box::new(http::decode(section)?)),
        "tcp" => Prober::Tcp(Box::new(tcp::decode(section)?)),
        "icmp" => Prober::Icmp(Box::new(icmp::decode(section)?)),
        "dns" => Prober::Dns(Box::new(dns::decode(section)?)),
        "grpc" => Prober::Grpc(Box::new(grpc::decode(section)?)),
        "unix" => Prober::Unix(Box::new(unix::decode(section)?)),
        "websocket" => Prober::Websocket(Box::new(websocket::decode(section)?)),
        "postgres" => Prober::Postgres(Box::new(postgres::decode(section)?)),
        "clamd" => Prober::Clamd(Box::new(clamd::decode(section)?)),
        _ => Prober::Flow(Box::new(flow::decode(section)?)),
    };
    let mut hasher = std::hash::DefaultHasher::new();
    cursor.node().hash_content(&mut hasher);
    Some(Module {
        name: name.to_owned(),
        timeout: timeout?,
        prober,
        fingerprint: std::hash::Hasher::finish(&hasher),
        source: crate::config::masked::Masked::of(cursor.node()),
    })
}

/// Why `target` cannot be a target of `module`, for the configuration's errors.
///
/// # Errors
/// With what was found and what is accepted.
pub fn check_target(module: &Module, target: &str) -> Result<(), String> {
    match &module.prober {
        Prober::Http(s) => http::check_target(s, target),
        Prober::Tcp(s) => tcp::check_target(s, target),
        Prober::Icmp(s) => icmp::check_target(s, target),
        Prober::Dns(s) => dns::check_target(s, target),
        Prober::Grpc(s) => grpc::check_target(s, target),
        Prober::Unix(s) => unix::check_target(s, target),
        Prober::Websocket(s) => websocket::check_target(s, target),
        Prober::Postgres(s) => postgres::check_target(s, target),
        Prober::Flow(s) => flow::check_target(s, target),
        Prober::Clamd(s) => clamd::check_target(s, target),
    }
}

/// Settings readers take the module's section; named so that their signatures stay alike.
pub type Section<'a> = MapCursor<'a>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_without_a_timeout_takes_what_the_interval_leaves_up_to_ten_seconds() {
        let module = |timeout: &str| {
            let doc = crate::config::diagnostics::Document::new(std::path::Path::new("test.yml"));
            let node = crate::config::node::parse(&format!("prober: icmp\n{timeout}")).unwrap();
            decode_module("m", &Cursor::root(&doc, &node)).unwrap()
        };
        const SECOND: Duration = Duration::from_secs(1);
        assert_eq!(module("").timeout_within(SECOND * 60, 1), SECOND * 10);
        assert_eq!(module("").timeout_within(SECOND * 5, 1), SECOND * 5);
        assert_eq!(module("").timeout_within(SECOND * 15, 3), SECOND * 5);
        assert_eq!(module("timeout: 7s").timeout_within(SECOND * 5, 1), SECOND * 7);
    }
}
