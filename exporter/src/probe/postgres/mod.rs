//! The `postgres` prober: connects, logs in and, where the module has a query, runs it.
//!
//! The phases (resolve, connect, tls, startup, query) are measured apart, so that a slow network, a slow
//! login and a slow query are told from each other. Not for server statistics: that is postgres_exporter's
//! subject. Nothing a probe does changes data unless `read_only: false` says so.

mod explain;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;
mod guard;
mod session;
mod settings;
mod target;
mod transport;
mod value;

use std::time::Duration;

use tokio::time::Instant;

pub use self::settings::{Settings, SslMode, decode};
use self::target::Target;
use super::{Failure, Metric, Reason, Samples, Shared};

/// Why a target cannot be probed with these settings.
///
/// # Errors
/// With what was found and what is accepted.
pub fn check_target(settings: &Settings, target: &str) -> Result<(), String> {
    match Target::parse(target)? {
        Target::Tcp(endpoint) => endpoint.fits(settings.ip),
        Target::Socket(_) => Ok(()),
    }
}

/// One attempt; `timeout` is its bound, told to the server so that a statement does not outlive the probe.
///
/// # Errors
/// `dns`, `refused`, `connect`, `reset`, `tls` and `certificate` as they happen; `permission` when the server refuses
/// the credentials or the secret file cannot be read, `status` when it refuses the session for another reason,
/// `query` when the query fails or has no value, `protocol` and `too_large` for a peer that is no PostgreSQL server
/// or says too much.
pub async fn run(
    settings: &Settings,
    target: &str,
    timeout: Duration,
    shared: &Shared,
    out: &mut Samples,
) -> Result<(), Failure> {
    let found = ask(settings, target, settings.query.as_deref(), timeout, shared, out).await?;
    if let Some(value) = found.as_deref().and_then(value::of) {
        out.set(Metric::PostgresQueryValue, value);
    }
    Ok(())
}

/// As [`run`], with `query` instead of the settings'; the first column of its first row.
///
/// # Errors
/// As [`run`].
pub(in crate::probe) async fn ask(
    settings: &Settings,
    target: &str,
    query: Option<&str>,
    timeout: Duration,
    shared: &Shared,
    out: &mut Samples,
) -> Result<Option<String>, Failure> {
    let deadline = Instant::now() + timeout;
    let target = Target::parse(target).map_err(|why| Failure::new(Reason::Internal, why))?;
    let stream = transport::open(settings, &target, shared, out).await?;
    let mut session = timed("startup", out, async |out: &mut Samples| {
        out.stage("waiting for the login");
        session::login(settings, stream, guard::MAX_TOTAL).await
    })
    .await?;
    let mut found = None;
    if let Some(query) = query {
        found = timed("query", out, async |out: &mut Samples| {
            out.stage("waiting for the query's result");
            session.query(query, settings.read_only, deadline).await
        })
        .await?;
    }
    out.stage("closing the connection");
    session.close().await;
    Ok(found)
}

/// What a query returned, as texts.
#[derive(Debug, Default)]
pub struct Rows {
    /// Names of the columns.
    pub columns: Vec<String>,
    /// Values in their order; NULL is absent.
    pub rows: Vec<Vec<Option<String>>>,
}

/// Bytes a server may send for all rows of a query.
const MAX_ROWS_TOTAL: usize = 32 << 20;

/// Runs `query`, not the one of `settings`, and returns all its rows, at most `most`. It is one statement in a transaction that only
/// reads, whatever the settings say.
///
/// # Errors
/// As [`run`].
pub async fn rows(
    settings: &Settings,
    target: &str,
    query: &str,
    most: usize,
    timeout: Duration,
    shared: &Shared,
) -> Result<Rows, Failure> {
    let deadline = Instant::now() + timeout;
    let target = Target::parse(target).map_err(|why| Failure::new(Reason::Internal, why))?;
    let stream = transport::open(settings, &target, shared, &mut Samples::new()).await?;
    let mut session = session::login(settings, stream, MAX_ROWS_TOTAL).await?;
    let rows = session.rows(query, most, deadline).await;
    session.close().await;
    rows
}

/// Measures a phase, also when it fails.
async fn timed<T>(
    phase: &'static str,
    out: &mut Samples,
    work: impl AsyncFnOnce(&mut Samples) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let begin = Instant::now();
    let result = work(out).await;
    out.set_phase(Metric::PostgresDuration, phase, begin.elapsed().as_secs_f64());
    result
}
