//! One run of a module against a target: its attempts, how long they may take, and what they come to.
//!
//! Common to all probers and only here: the timeout, the attempts, `probe_success` and `probe_duration_seconds`. Not for when
//! a run is made (`schedule`), nor for what one does (the probers).

use std::time::Duration;

use hyper::header::HeaderValue;
use tokio::time::Instant;

use super::{
    Echoes, Failure, Metric, Module, Prober, Reason, Sample, Samples, Shared, Trace, clamd, dns, flow, grpc, http,
    icmp, postgres, tcp, unix, websocket,
};
use crate::config::decode::format_duration;

/// Pause between two attempts of one run, where the interval leaves room for it.
const ATTEMPT_PAUSE: Duration = Duration::from_secs(1);

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

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

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
