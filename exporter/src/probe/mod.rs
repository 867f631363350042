//! Probing: a module says how, a target says what; one run yields samples and success or a [`Failure`].
//!
//! Common to all probers and only here: the timeout, the attempts, `probe_success` and
//! `probe_duration_seconds`. One prober per file; a prober decides nothing about when it runs.

pub mod clamd;
mod conversation;
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
pub mod tcp;
#[cfg(test)]
pub(crate) mod testing;
pub mod tls;
pub mod trace;
pub mod unix;
pub mod websocket;

use std::time::Duration;

use hyper::header::HeaderValue;
use tokio::time::Instant;

pub use echoes::Echoes;
pub use metric::{Extra, Metric, Sample, Samples};
pub use reason::{Failure, Reason};
pub use trace::Trace;

use crate::config::decode::{Cursor, MapCursor, format_duration};

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
/// Pause between two attempts of one run, where the interval leaves room for it.
const ATTEMPT_PAUSE: Duration = Duration::from_secs(1);

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

/// A completed run.
#[derive(Clone, Debug)]
pub struct Run {
    /// What was measured, `probe_success` and `probe_duration_seconds` included.
    pub samples: Box<[Sample]>,
    /// Absent when the run succeeded.
    pub failure: Option<Failure>,
    /// All attempts together.
    pub duration: Duration,
    /// How long the attempt that succeeded took, of a ping its round trip; absent when none did.
    pub latency: Option<Duration>,
    /// Echo requests of all attempts.
    pub echoes: Echoes,
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

/// How long a run may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Budget {
    /// Bound of one attempt.
    pub timeout: Duration,
    /// Up to so many attempts; the first success or the last failure counts.
    pub attempts: u32,
    /// What the interval leaves beside the attempts; the pauses between them come out of it.
    pub spare: Duration,
}

/// One run of `module` against `target`.
pub async fn run(module: &Module, target: &str, budget: Budget, shared: &Shared) -> Run {
    attempt(budget, &Probing { module, target, hostname: None, timeout: budget.timeout, shared }).await
}

/// As [`run`], for a request, with `hostname` for who is meant behind the target's address: blackbox_exporter's parameter of that name.
///
/// `http`, `websocket` and `grpc` send it as the host they ask for, and ask for it in TLS, as `tcp` does, where the module has no
/// `server_name`; other probers have no use for it.
pub async fn run_as(
    module: &Module,
    target: &str,
    hostname: Option<&HeaderValue>,
    budget: Budget,
    shared: &Shared,
) -> Run {
    let mut samples = Samples::of_request();
    let probing = Probing { module, target, hostname, timeout: budget.timeout, shared };
    attempts(budget, &probing, &mut samples).await.into_run(samples)
}

/// As [`run_as`], and what happened on the way.
pub async fn run_traced(
    module: &Module,
    target: &str,
    hostname: Option<&HeaderValue>,
    budget: Budget,
    shared: &Shared,
) -> (Run, Trace) {
    let mut samples = Samples::traced();
    let probing = Probing { module, target, hostname, timeout: budget.timeout, shared };
    let outcome = attempts(budget, &probing, &mut samples).await;
    let trace = samples.take_trace().unwrap_or_else(Trace::new);
    (outcome.into_run(samples), trace)
}

/// What an attempt does; apart from when it is made and how long it may take.
trait Attempt {
    fn make(&self, samples: &mut Samples) -> impl Future<Output = Result<(), Failure>> + Send;
}

struct Probing<'a> {
    module: &'a Module,
    target: &'a str,
    hostname: Option<&'a HeaderValue>,
    timeout: Duration,
    shared: &'a Shared,
}

impl Attempt for Probing<'_> {
    async fn make(&self, samples: &mut Samples) -> Result<(), Failure> {
        let Self { module, target, hostname, timeout, shared } = *self;
        match &module.prober {
            Prober::Http(s) => http::run(s, target, hostname, shared, samples).await,
            Prober::Tcp(s) => tcp::run(s, target, hostname, timeout, shared, samples).await,
            Prober::Icmp(s) => icmp::run(s, target, shared, samples).await,
            Prober::Dns(s) => dns::run(s, target, shared, samples).await,
            Prober::Grpc(s) => grpc::run(s, target, hostname, timeout, shared, samples).await,
            Prober::Unix(s) => unix::run(s, target, samples).await,
            Prober::Websocket(s) => websocket::run(s, target, hostname, shared, samples).await,
            Prober::Postgres(s) => postgres::run(s, target, timeout, shared, samples).await,
            Prober::Flow(s) => flow::run(s, target, timeout, shared, samples).await,
            Prober::Clamd(s) => clamd::run(s, target, shared, samples).await,
        }
    }
}

/// Attempts until one succeeds or none is left; the samples are those of the last one.
async fn attempt(budget: Budget, once: &impl Attempt) -> Run {
    let mut samples = Samples::new();
    attempts(budget, once, &mut samples).await.into_run(samples)
}

/// What attempts came to, beside what they measured.
struct Outcome {
    failure: Option<Failure>,
    duration: Duration,
    latency: Option<Duration>,
}

impl Outcome {
    fn into_run(self, mut samples: Samples) -> Run {
        let Self { failure, duration, latency } = self;
        let echoes = std::mem::take(samples.echoes());
        Run { samples: samples.into_items(), failure, duration, latency, echoes }
    }
}

async fn attempts(budget: Budget, once: &impl Attempt, samples: &mut Samples) -> Outcome {
    let Budget { timeout, attempts, spare } = budget;
    let started = Instant::now();
    let pause = ATTEMPT_PAUSE.min(spare / attempts.max(1));
    let (mut failure, mut took) = (None, Duration::ZERO);
    for attempt in 0..attempts.max(1) {
        if attempt > 0 {
            tokio::time::sleep(pause).await;
            samples.clear();
        }
        let began = Instant::now();
        let result = tokio::time::timeout(timeout, once.make(samples)).await;
        took = began.elapsed();
        failure = result.unwrap_or_else(|_| Err(timed_out(timeout, samples.current_stage()))).err();
        if failure.is_none() {
            break;
        }
    }
    let duration = started.elapsed();
    samples.set(Metric::Success, if failure.is_none() { 1.0 } else { 0.0 });
    samples.set(Metric::Duration, duration.as_secs_f64());
    // Of a ping the round trip alone: what finding the name's address took is the name server's.
    let round_trip = samples.value(Metric::IcmpDuration, Some("rtt")).and_then(|s| Duration::try_from_secs_f64(s).ok());
    let latency = failure.is_none().then(|| round_trip.unwrap_or(took));
    Outcome { failure, duration, latency }
}

fn timed_out(timeout: Duration, stage: &str) -> Failure {
    let after = format_duration(timeout);
    Failure::new(Reason::Timeout, format_args!("no result after {after}, while {stage}"))
}

/// Settings readers take the module's section; named so that their signatures stay alike.
pub type Section<'a> = MapCursor<'a>;

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[test]
    fn a_module_without_a_timeout_takes_what_the_interval_leaves_up_to_ten_seconds() {
        let module = |timeout: &str| {
            let doc = crate::config::diagnostics::Document::new(std::path::Path::new("test.yml"));
            let node = crate::config::node::parse(&format!("prober: icmp\n{timeout}")).unwrap();
            decode_module("m", &Cursor::root(&doc, &node)).unwrap()
        };
        assert_eq!(module("").timeout_within(SECOND * 60, 1), SECOND * 10);
        assert_eq!(module("").timeout_within(SECOND * 5, 1), SECOND * 5);
        assert_eq!(module("").timeout_within(SECOND * 15, 3), SECOND * 5);
        assert_eq!(module("timeout: 7s").timeout_within(SECOND * 5, 1), SECOND * 7);
    }

    const SECOND: Duration = Duration::from_secs(1);

    /// Attempts that take so long and end so, in order.
    struct Planned<'a> {
        plan: &'a [(Duration, bool)],
        made: AtomicU32,
    }

    impl Attempt for Planned<'_> {
        async fn make(&self, samples: &mut Samples) -> Result<(), Failure> {
            let before = self.made.fetch_add(1, Ordering::Relaxed);
            let (takes, succeeds) = self.plan[before as usize];
            samples.set(Metric::IpProtocol, f64::from(before + 1));
            if before == 0 {
                samples.set(Metric::HttpStatusCode, 500.0);
            }
            samples.stage("taking its time");
            tokio::time::sleep(takes).await;
            if succeeds { Ok(()) } else { Err(Failure::new(Reason::Status, format_args!("attempt {}", before + 1))) }
        }
    }

    /// A run of planned attempts, and how many of them it made.
    async fn run_of(timeout: u32, attempts: u32, spare: Duration, plan: &[(Duration, bool)]) -> (Run, u32) {
        let planned = Planned { plan, made: AtomicU32::new(0) };
        let run = attempt(Budget { timeout: SECOND * timeout, attempts, spare }, &planned).await;
        (run, planned.made.into_inner())
    }

    fn value(run: &Run, metric: Metric) -> Option<f64> {
        run.samples.iter().find(|s| s.metric == metric).map(|s| s.value)
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_success_ends_a_run() {
        let (run, made) = run_of(10, 3, SECOND * 30, &[(SECOND, true)]).await;
        assert_eq!((made, &run.failure, run.duration), (1, &None, SECOND));
        assert_eq!((value(&run, Metric::Success), value(&run, Metric::Duration)), (Some(1.0), Some(1.0)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_failure_is_confirmed_after_a_pause_and_forgotten_when_it_is_not() {
        let (run, made) = run_of(10, 3, SECOND * 30, &[(SECOND, false), (SECOND, true)]).await;
        assert_eq!((made, &run.failure), (2, &None));
        assert_eq!(run.duration, SECOND * 3, "two attempts and the pause between them");
        assert_eq!(value(&run, Metric::IpProtocol), Some(2.0));
        assert_eq!(value(&run, Metric::HttpStatusCode), None, "the first attempt's values are gone");
    }

    #[tokio::test(start_paused = true)]
    async fn the_last_failure_counts() {
        let (run, made) = run_of(10, 3, SECOND * 30, &[(SECOND, false); 3]).await;
        assert_eq!((made, run.failure.unwrap().detail.as_str()), (3, "attempt 3"));
        assert_eq!(run.duration, SECOND * 5);
    }

    #[tokio::test(start_paused = true)]
    async fn each_attempt_has_the_whole_timeout_and_names_what_it_waited_for() {
        let (run, made) = run_of(2, 2, SECOND * 30, &[(SECOND * 60, true); 2]).await;
        assert_eq!((made, run.duration), (2, SECOND * 5));
        let failure = run.failure.clone().unwrap();
        assert_eq!(failure.to_string(), "timeout: no result after 2s, while taking its time");
        assert_eq!(value(&run, Metric::IpProtocol), Some(2.0), "what was found out before the timeout stays");
        assert_eq!(value(&run, Metric::Success), Some(0.0));
    }

    #[tokio::test(start_paused = true)]
    async fn both_sides_of_the_timeout() {
        let millisecond = Duration::from_millis(1);
        let (run, _) = run_of(2, 1, Duration::ZERO, &[(SECOND * 2 - millisecond, true)]).await;
        assert_eq!(run.failure, None);
        let (run, _) = run_of(2, 1, Duration::ZERO, &[(SECOND * 2 + millisecond, true)]).await;
        assert_eq!(run.failure.map(|f| f.reason), Some(Reason::Timeout));
    }

    #[tokio::test(start_paused = true)]
    async fn pauses_never_take_more_than_the_interval_spares() {
        for (attempts, spare) in [(2, 0), (2, 1), (3, 100), (5, 1000), (5, 4000), (5, 60_000)] {
            let spare = Duration::from_millis(spare);
            let (run, _) = run_of(2, attempts, spare, &[(SECOND * 60, true); 5]).await;
            let pauses = run.duration - SECOND * 2 * attempts;
            assert!(pauses <= spare && pauses <= SECOND * (attempts - 1), "{attempts} attempts, {spare:?}: {pauses:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn no_attempt_at_all_is_one() {
        let (_, made) = run_of(2, 0, Duration::ZERO, &[(SECOND, true)]).await;
        assert_eq!(made, 1);
    }
}
