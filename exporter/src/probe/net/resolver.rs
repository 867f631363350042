//! Names to addresses without a cache: a probe measures what a customer would see now.
//!
//! IP addresses need no query; the hosts file comes before the name servers and, as in Go's resolver,
//! a name it knows is not asked for elsewhere. Changes of either file are noticed within a second.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwap;
use hickory_resolver::config::{NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::op::Query;
use hickory_resolver::proto::rr::{Name, RecordType};
use hickory_resolver::{Hosts, TokioResolver, system_conf};
use tokio::time::Instant;

use super::IpChoice;
use crate::probe::{Failure, Metric, Reason, Samples};

/// How often the two files are looked at, at most, in milliseconds.
const CHECK_EVERY_MS: u64 = 1000;
/// One query's patience. resolv.conf's usual 5 s would let one lost packet eat half a probe's timeout.
const QUERY_TIMEOUT: Duration = Duration::from_secs(2);
/// The largest hosts file that is read, in bytes.
const MAX_HOSTS_BYTES: u64 = 8 << 20;

/// Resolves names for all probes.
#[derive(Debug)]
pub struct Resolver {
    files: Option<Files>,
    state: ArcSwap<State>,
    started: Instant,
    /// When the files were last looked at, in milliseconds after `started`.
    checked: AtomicU64,
}

#[derive(Debug)]
struct Files {
    resolv_conf: PathBuf,
    hosts: PathBuf,
}

#[derive(Debug)]
struct State {
    /// What asks the name servers, or why there is none.
    client: Result<TokioResolver, String>,
    hosts: Hosts,
    stamp: Stamp,
}

/// When the two files were changed last.
type Stamp = [Option<SystemTime>; 2];

impl Resolver {
    /// The system's resolver configuration and hosts file.
    #[must_use]
    pub fn from_system() -> Self {
        Self::from_files("/etc/resolv.conf", "/etc/hosts")
    }

    /// A resolver configuration and a hosts file, read again when they change.
    #[must_use]
    pub fn from_files(resolv_conf: impl Into<PathBuf>, hosts: impl Into<PathBuf>) -> Self {
        let files = Files { resolv_conf: resolv_conf.into(), hosts: hosts.into() };
        let state = files.load();
        Self::new(Some(files), state)
    }

    /// These name servers, and `hosts` in the notation of `/etc/hosts`.
    #[must_use]
    pub fn with_name_servers(servers: &[SocketAddr], hosts: &str) -> Self {
        let servers = servers
            .iter()
            .map(|address| {
                let mut server = NameServerConfig::udp_and_tcp(address.ip());
                for connection in &mut server.connections {
                    connection.port = address.port();
                }
                server
            })
            .collect();
        let config = ResolverConfig::from_parts(None, Vec::new(), servers);
        let state = State {
            client: client(config, ResolverOpts::default()),
            hosts: read_hosts(hosts.as_bytes()),
            stamp: Stamp::default(),
        };
        Self::new(None, state)
    }

    fn new(files: Option<Files>, state: State) -> Self {
        Self { files, state: ArcSwap::from_pointee(state), started: Instant::now(), checked: AtomicU64::new(0) }
    }

    /// One address of `host` (a name or an IP address, IPv6 with or without brackets). Sets
    /// `probe_dns_lookup_time_seconds`, and `probe_ip_protocol` and `probe_ip_addr_hash` when there is one.
    ///
    /// # Errors
    /// Reason `dns` when there is none of an accepted family.
    pub async fn resolve(&self, host: &str, choice: IpChoice, out: &mut Samples) -> Result<IpAddr, Failure> {
        out.stage("resolving the name");
        let begin = Instant::now();
        let found = self.address(host, choice).await;
        out.set(Metric::DnsLookupTime, begin.elapsed().as_secs_f64());
        let address = found?;
        out.set(Metric::IpProtocol, if address.is_ipv4() { 4.0 } else { 6.0 });
        out.set(Metric::IpAddrHash, f64::from(hash(address)));
        out.found(|| address.to_string());
        Ok(address)
    }

    async fn address(&self, host: &str, choice: IpChoice) -> Result<IpAddr, Failure> {
        if let Some(address) = literal(host) {
            return if choice.accepts(address) {
                Ok(address)
            } else {
                Err(dns(format_args!(
                    "{address} is not an {} address, and ip_protocol_fallback is off",
                    choice.preferred()
                )))
            };
        }
        let name = Name::from_utf8(host).map_err(|error| dns(format_args!("`{host}` is not a name: {error}")))?;
        self.notice_changes();
        let state = self.state.load_full();
        if let Some(addresses) = state.hosts_entry(&name) {
            return pick(&addresses, choice).ok_or_else(|| {
                dns(format_args!(
                    "the hosts file has no {} address for {host}, and ip_protocol_fallback is off",
                    choice.preferred()
                ))
            });
        }
        let client = state.client.as_ref().map_err(|why| dns(format_args!("cannot resolve {host}: {why}")))?;
        self::ask(client, name, choice).await.map_err(|no| no.failure(host))
    }

    /// Reads the files again when one of them changed. Two `stat` calls a second at most.
    fn notice_changes(&self) {
        let Some(files) = &self.files else { return };
        let now = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let checked = self.checked.load(Ordering::Relaxed);
        let due = now.saturating_sub(checked) >= CHECK_EVERY_MS;
        let mine = || self.checked.compare_exchange(checked, now, Ordering::Relaxed, Ordering::Relaxed).is_ok();
        if due && mine() && files.stamp() != self.state.load().stamp {
            self.state.store(Arc::new(files.load()));
            tracing::info!("resolver configuration or hosts file changed: read again");
        }
    }
}

impl Files {
    fn stamp(&self) -> Stamp {
        [&self.resolv_conf, &self.hosts].map(|path| std::fs::metadata(path).and_then(|m| m.modified()).ok())
    }

    fn load(&self) -> State {
        let stamp = self.stamp();
        let client = std::fs::read(&self.resolv_conf)
            .map_err(|error| format!("cannot read {}: {error}", self.resolv_conf.display()))
            .and_then(|text| {
                let (config, options) = system_conf::parse_resolv_conf(text)
                    .map_err(|error| format!("{}: {error}", self.resolv_conf.display()))?;
                client(config, options)
            });
        State { client, hosts: load_hosts(&self.hosts), stamp }
    }
}

impl State {
    /// The addresses the hosts file has for `name`; `None` when it does not know the name.
    fn hosts_entry(&self, name: &Name) -> Option<Vec<IpAddr>> {
        let mut found = Vec::new();
        for record_type in [RecordType::A, RecordType::AAAA] {
            let query = Query::query(name.to_lowercase(), record_type);
            if let Some(lookup) = self.hosts.lookup_static_host(&query) {
                found.extend(lookup.answers().iter().filter_map(|record| record.data.ip_addr()));
            }
        }
        (!found.is_empty()).then_some(found)
    }
}

fn client(config: ResolverConfig, mut options: ResolverOpts) -> Result<TokioResolver, String> {
    options.cache_size = 0;
    options.positive_max_ttl = Some(Duration::ZERO);
    options.negative_max_ttl = Some(Duration::ZERO);
    options.use_hosts_file = ResolveHosts::Never;
    options.timeout = options.timeout.min(QUERY_TIMEOUT);
    // Probes that fall due together share the connection to a name server where UDP does not do.
    options.max_active_requests = 4096;
    let mut builder = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
    *builder.options_mut() = options;
    builder.build().map_err(|error| error.to_string())
}

fn load_hosts(path: &Path) -> Hosts {
    match std::fs::metadata(path) {
        Ok(meta) if meta.len() <= MAX_HOSTS_BYTES => {
            std::fs::read(path).map_or_else(|_| Hosts::default(), |text| read_hosts(&text))
        }
        // Without the file every name is asked for; that is what a missing hosts file means.
        _ => Hosts::default(),
    }
}

fn read_hosts(text: &[u8]) -> Hosts {
    let mut hosts = Hosts::default();
    if let Err(error) = hosts.read_hosts_conf(text) {
        tracing::warn!(%error, "hosts file read in part");
    }
    hosts
}

/// Asks for both families at once (as a customer's browser would) and waits for the other one only
/// where the preferred has no address.
async fn ask(client: &TokioResolver, name: Name, choice: IpChoice) -> Result<IpAddr, NoAddress> {
    let [wanted_type, other_type] =
        if choice.prefer_v6 { [RecordType::AAAA, RecordType::A] } else { [RecordType::A, RecordType::AAAA] };
    let wanted = lookup(client, name.clone(), wanted_type);
    if !choice.fallback {
        return wanted.await.map_err(|no| {
            let text = format!("{} ({} only: ip_protocol_fallback is off)", no.text, choice.preferred());
            NoAddress { text, ..no }
        });
    }
    let other = lookup(client, name, other_type);
    tokio::pin!(wanted, other);
    let mut early = None;
    let wanted = loop {
        tokio::select! {
            biased;
            result = &mut wanted => break result,
            result = &mut other, if early.is_none() => early = Some(result),
        }
    };
    let no = match wanted {
        Ok(address) => return Ok(address),
        Err(no) => no,
    };
    let other = match early {
        Some(result) => result,
        None => other.await,
    };
    other.map_err(|other| {
        let text = if no.text == other.text {
            no.text
        } else {
            format!("{}: {}; {}: {}", choice.preferred(), no.text, choice.other(), other.text)
        };
        NoAddress { text, ours: no.ours || other.ours }
    })
}

/// Why the name servers gave no address.
#[derive(Debug)]
struct NoAddress {
    text: String,
    /// Not the name servers' fault: this process is out of file descriptors.
    ours: bool,
}

impl NoAddress {
    fn failure(&self, host: &str) -> Failure {
        let reason = if self.ours { Reason::Internal } else { Reason::Dns };
        Failure::new(reason, format_args!("cannot resolve {host}: {}", self.text))
    }
}

async fn lookup(client: &TokioResolver, name: Name, record_type: RecordType) -> Result<IpAddr, NoAddress> {
    match client.lookup(name, record_type).await {
        Ok(lookup) => lookup
            .answers()
            .iter()
            .find_map(|record| record.data.ip_addr())
            .ok_or_else(|| NoAddress { text: "the name has no address".to_owned(), ours: false }),
        Err(error) => {
            // 23 ENFILE, 24 EMFILE
            let ours = matches!(&error, NetError::Io(io) if matches!(io.raw_os_error(), Some(23 | 24)));
            Err(NoAddress { text: explain(&error), ours })
        }
    }
}

fn explain(error: &NetError) -> String {
    match error {
        _ if error.is_nx_domain() => "no such name (NXDOMAIN)".to_owned(),
        _ if error.is_no_records_found() => "the name has no address".to_owned(),
        NetError::Timeout => "the name servers do not answer".to_owned(),
        NetError::NoConnections => "no name server can be reached".to_owned(),
        _ => error.to_string(),
    }
}

fn dns(detail: impl std::fmt::Display) -> Failure {
    Failure::new(Reason::Dns, detail)
}

/// `host` as an address, when it is written as one.
fn literal(host: &str) -> Option<IpAddr> {
    host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host).parse().ok()
}

fn pick(addresses: &[IpAddr], choice: IpChoice) -> Option<IpAddr> {
    let preferred = addresses.iter().find(|address| address.is_ipv6() == choice.prefer_v6);
    preferred.or_else(|| addresses.first().filter(|_| choice.fallback)).copied()
}

/// FNV-1a over the address' bytes, as blackbox_exporter has it.
fn hash(address: IpAddr) -> u32 {
    let fold = |bytes: &[u8]| bytes.iter().fold(0x811c_9dc5, |h: u32, b| (h ^ u32::from(*b)).wrapping_mul(0x0100_0193));
    match address {
        IpAddr::V4(v4) => fold(&v4.octets()),
        IpAddr::V6(v6) => fold(&v6.octets()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const V4: IpChoice = IpChoice { prefer_v6: false, fallback: true };
    const V4_ONLY: IpChoice = IpChoice { prefer_v6: false, fallback: false };
    const V6: IpChoice = IpChoice { prefer_v6: true, fallback: true };
    const V6_ONLY: IpChoice = IpChoice { prefer_v6: true, fallback: false };

    async fn check(hosts: &str, host: &str, choice: IpChoice, expected: Result<&str, &str>) {
        let resolver = Resolver::with_name_servers(&[], hosts);
        let mut out = Samples::new();
        match (resolver.resolve(host, choice, &mut out).await, expected) {
            (Ok(found), Ok(expected)) => {
                assert_eq!(found, expected.parse::<IpAddr>().unwrap());
                let protocol = if found.is_ipv4() { 4.0 } else { 6.0 };
                assert_eq!(out.value(Metric::IpProtocol, None), Some(protocol));
            }
            (Err(failure), Err(part)) => {
                assert_eq!(failure.reason, Reason::Dns);
                assert!(failure.detail.contains(part), "{failure}");
                assert_eq!(out.value(Metric::IpProtocol, None), None);
            }
            (found, _) => panic!("{host}: {found:?}, expected {expected:?}"),
        }
        assert!(out.value(Metric::DnsLookupTime, None).is_some());
    }

    #[tokio::test]
    async fn an_address_needs_no_name_server_but_its_family_counts() {
        check("", "192.0.2.7", V6, Ok("192.0.2.7")).await;
        check("", "192.0.2.7", V6_ONLY, Err("not an IPv6 address")).await;
        check("", "[2001:db8::1]", V4, Ok("2001:db8::1")).await;
        check("", "2001:db8::1", V4_ONLY, Err("not an IPv4 address")).await;
    }

    #[tokio::test]
    async fn the_hosts_file_answers_by_preference() {
        let hosts = "192.0.2.1 both only4\n2001:db8::1 Both # a comment";
        check(hosts, "both", V6, Ok("2001:db8::1")).await;
        check(hosts, "BOTH", V4, Ok("192.0.2.1")).await;
        check(hosts, "only4", V6, Ok("192.0.2.1")).await;
        check(hosts, "only4", V6_ONLY, Err("the hosts file has no IPv6 address")).await;
    }

    #[tokio::test]
    async fn without_a_name_server_a_name_fails_and_says_so() {
        check("", "example.invalid", V4, Err("cannot resolve example.invalid")).await;
        check("", "a..b", V4, Err("not a name")).await;
        let none = Resolver::from_files("/nonexistent/resolv.conf", "/nonexistent/hosts");
        let failure = none.resolve("example.invalid", V4, &mut Samples::new()).await.unwrap_err();
        assert!(failure.detail.contains("/nonexistent/resolv.conf"), "{failure}");
    }

    #[tokio::test]
    async fn a_changed_hosts_file_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let (conf, hosts) = (folder.path().join("resolv.conf"), folder.path().join("hosts"));
        std::fs::write(&conf, "nameserver 127.0.0.1\n").unwrap();
        std::fs::write(&hosts, "192.0.2.1 moved\n").unwrap();
        let resolver = Resolver::from_files(&conf, &hosts);
        let mut out = Samples::new();
        let before = resolver.resolve("moved", V4, &mut out).await.unwrap();
        assert_eq!(before, "192.0.2.1".parse::<IpAddr>().unwrap());
        std::fs::write(&hosts, "192.0.2.2 moved\n").unwrap();
        let deadline = Instant::now() + Duration::from_secs(10);
        while resolver.resolve("moved", V4, &mut out).await.unwrap() == before {
            assert!(Instant::now() < deadline, "the change was never noticed");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    #[test]
    fn the_hash_is_the_one_of_blackbox_exporter() {
        // Taken from blackbox_exporter 0.23 probing 127.0.0.1.
        assert_eq!(hash("127.0.0.1".parse().unwrap()), 3_668_918_509);
    }
}
