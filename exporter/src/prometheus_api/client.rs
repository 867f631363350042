//! The questions that can be asked.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::time::Instant;

use super::answer::{Labels, QueryData, Sample, Series};
use super::error::{Error, ErrorKind};
use super::pieces::{Joined, Pieces};
use super::request::{Ask, Channel};
use super::settings::Settings;
use crate::http_client::{Fault, excerpt};

/// Steps of one `query_range`: Prometheus gives 11 000 points per series at most.
const MAX_STEPS: u64 = 10_000;
/// The first of several has fewer: it shows how much a step is.
const FIRST_STEPS: u64 = 1000;
/// Where that is too much, it is not asked for less than this at once.
const LEAST_STEPS: u64 = 100;
/// Raw samples are first asked for by the day; by the month at most, for a server reads all of a range into memory, and
/// by the hour at least.
const DAY: u64 = 86_400;
const MAX_RAW: u64 = 31 * DAY;
const LEAST_RAW: u64 = 3600;
/// Series that one call lists.
const MAX_SERIES: usize = 100_000;
/// Warnings that are kept; a server repeats them with every answer.
const MAX_WARNINGS: usize = 100;

/// Sent along with every query: an answer from a part of the data, or a moment or step changed to suit a cache, would
/// be a wrong figure. Servers ignore what they do not know.
const STRICT: [(&str, &str); 3] = [
    // Thanos.
    ("partial_response", "false"),
    // VictoriaMetrics: a cluster, and the adjusting of times.
    ("deny_partial_response", "1"),
    ("nocache", "1"),
];

/// Asks one server, one question after the other.
#[derive(Debug)]
pub struct Client {
    channel: Channel,
    warnings: BTreeSet<String>,
}

/// What answers.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Server {
    /// Its version, such as `2.42.0`; VictoriaMetrics does not tell.
    #[serde(default)]
    pub version: Option<String>,
}

impl Client {
    /// A client; it connects with its first question.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self { channel: Channel::new(settings), warnings: BTreeSet::new() }
    }

    /// The values of an instant query at `at`, in seconds since the epoch. A scalar is a sample without labels.
    ///
    /// # Errors
    /// When there is no complete answer; the text says which query, what happened and what to do.
    pub async fn query(&mut self, promql: &str, at: i64) -> Result<Vec<Sample>, Error> {
        let asked = || format!("query `{}` at {}", excerpt(promql), moment(at));
        let deadline = self.deadline();
        let answer = self.instant(promql, at, deadline).await.map_err(|fault| self.error(fault, asked()))?;
        let samples = answer.into_iter().filter_map(|Series { labels, points }| {
            let point = *points.last()?;
            Some(Sample { labels, point })
        });
        Ok(samples.collect())
    }

    /// The values of a query at `from`, `from + step`, … up to and including `to`; seconds since the epoch.
    ///
    /// Split into as many requests as the server's limits need; `progress` is told after each how many of how many
    /// steps are done.
    ///
    /// # Errors
    /// As [`query`](Self::query); a step below one second is one too.
    pub async fn range(
        &mut self,
        promql: &str,
        from: i64,
        to: i64,
        step: i64,
        mut progress: impl FnMut(u64, u64),
    ) -> Result<Vec<Series>, Error> {
        let asked = || format!("query `{}` from {} to {}", excerpt(promql), moment(from), moment(to));
        let deadline = self.deadline();
        let mut joined = Joined::new(self.channel.max_points);
        if step < 1 {
            return Err(self.error(Fault::new(ErrorKind::Query, "a step must be one second or more"), asked()));
        }
        let steps = if to < from { 0 } else { to.abs_diff(from) / step.unsigned_abs() + 1 };
        let at = |steps: u64| from.saturating_add(i64::try_from(steps).unwrap_or(i64::MAX).saturating_mul(step));
        let mut pieces = Pieces::new(steps, FIRST_STEPS, LEAST_STEPS..=MAX_STEPS);
        while let Some((begin, end)) = pieces.next() {
            let (start, last) = (at(begin), at(end - 1));
            match self.stretch(promql, start, last, step, deadline).await {
                Ok(answer) => {
                    let points = count(&answer);
                    let added =
                        joined.add(answer, start.saturating_sub(1).saturating_mul(1000), last.saturating_mul(1000));
                    added.map_err(|fault| self.error(fault, asked()))?;
                    pieces.took(end, points);
                    let (done, total) = pieces.progress();
                    progress(done, total);
                }
                Err(fault) if fault.kind == ErrorKind::TooMuch && pieces.shorten() => {}
                Err(fault) => return Err(self.error(fault, asked())),
            }
        }
        Ok(joined.into_series())
    }

    /// The samples of `selector` (a metric with its label matchers, nothing else) as they were recorded, with their
    /// own timestamps: those with `from < t <= to`, in seconds since the epoch.
    ///
    /// Split into as many requests as needed; `progress` is told after each how many of how many seconds are done.
    ///
    /// # Errors
    /// As [`query`](Self::query).
    pub async fn raw(
        &mut self,
        selector: &str,
        from: i64,
        to: i64,
        mut progress: impl FnMut(u64, u64),
    ) -> Result<Vec<Series>, Error> {
        let asked = || format!("samples of `{}` from {} to {}", excerpt(selector), moment(from), moment(to));
        let deadline = self.deadline();
        let mut joined = Joined::new(self.channel.max_points);
        let total = if to < from { 0 } else { to.abs_diff(from) };
        let at = |seconds: u64| from.saturating_add(i64::try_from(seconds).unwrap_or(i64::MAX));
        let mut pieces = Pieces::new(total, DAY, LEAST_RAW..=MAX_RAW);
        while let Some((begin, end)) = pieces.next() {
            // Closed at its start before Prometheus 3, open since: a sample there belongs to the piece before.
            let query = format!("{}[{}s]", selector.trim(), end - begin);
            match self.instant(&query, at(end), deadline).await {
                Ok(answer) => {
                    let points = count(&answer);
                    let added = joined.add(answer, at(begin).saturating_mul(1000), at(end).saturating_mul(1000));
                    added.map_err(|fault| self.error(fault, asked()))?;
                    pieces.took(end, points);
                    let (done, total) = pieces.progress();
                    progress(done, total);
                }
                Err(fault) if fault.kind == ErrorKind::TooMuch && pieces.shorten() => {}
                Err(fault) => return Err(self.error(fault, asked())),
            }
        }
        Ok(joined.into_series())
    }

    /// The labels of the series of `selector` that have samples from `from` to `to`, in seconds since the epoch.
    ///
    /// A server rounds that to the blocks it keeps: there may be more series, never fewer.
    ///
    /// # Errors
    /// As [`query`](Self::query).
    pub async fn series(&mut self, selector: &str, from: i64, to: i64) -> Result<Vec<Labels>, Error> {
        let asked = || format!("series of `{}` from {} to {}", excerpt(selector), moment(from), moment(to));
        let deadline = self.deadline();
        let (start, end) = (from.to_string(), to.to_string());
        let parameters = [("match[]", selector), ("start", &start), ("end", &end)];
        let found: Result<Vec<Labels>, _> = self.ask("series", &parameters, false, deadline).await;
        let too_many = || Fault::new(ErrorKind::TooMuch, format_args!("more than {MAX_SERIES} series; ask for fewer"));
        let checked = found.and_then(|all| if all.len() > MAX_SERIES { Err(too_many()) } else { Ok(all) });
        checked.map_err(|fault| self.error(fault, asked()))
    }

    /// What answers; a server need not tell, so a document should do without.
    ///
    /// # Errors
    /// As [`query`](Self::query).
    pub async fn server(&mut self) -> Result<Server, Error> {
        let deadline = self.deadline();
        let found = self.ask("status/buildinfo", &[], true, deadline).await;
        found.map_err(|fault| self.error(fault, "its version".to_owned()))
    }

    /// Where it asks, without credentials: for a document that says where its figures come from.
    #[must_use]
    pub fn url(&self) -> String {
        self.channel.url()
    }

    /// What the server remarked on its answers so far, each once; empties the list.
    pub fn take_warnings(&mut self) -> Vec<String> {
        std::mem::take(&mut self.warnings).into_iter().collect()
    }

    async fn instant(&mut self, promql: &str, at: i64, deadline: Instant) -> Result<Vec<Series>, Fault> {
        let at = at.to_string();
        let data: QueryData = self.ask("query", &[("query", promql), ("time", &at)], false, deadline).await?;
        data.into_series()
    }

    async fn stretch(
        &mut self,
        promql: &str,
        start: i64,
        end: i64,
        step: i64,
        deadline: Instant,
    ) -> Result<Vec<Series>, Fault> {
        let (start, end, step) = (start.to_string(), end.to_string(), step.to_string());
        let parameters = [("query", promql), ("start", &start), ("end", &end), ("step", &step)];
        let data: QueryData = self.ask("query_range", &parameters, false, deadline).await?;
        data.into_series()
    }

    async fn ask<T: DeserializeOwned>(
        &mut self,
        path: &'static str,
        parameters: &[(&str, &str)],
        get: bool,
        deadline: Instant,
    ) -> Result<T, Fault> {
        let parameters: Vec<_> = if get { parameters.to_vec() } else { [parameters, &STRICT].concat() };
        let envelope = self.channel.ask(Ask { path, parameters: &parameters, get }, deadline).await?;
        let (data, warnings) = envelope.into_parts()?;
        for warning in warnings {
            if self.warnings.len() < MAX_WARNINGS {
                self.warnings.insert(self.channel.secrets().excerpt(&warning));
            }
        }
        Ok(data)
    }

    fn deadline(&self) -> Instant {
        Instant::now() + self.channel.patience()
    }

    fn error(&self, fault: Fault, asked: String) -> Error {
        let clean = |text: String| self.channel.secrets().redact(&text);
        Error { kind: fault.kind, server: self.channel.url(), asked: clean(asked), detail: clean(fault.detail) }
    }
}

fn count(answer: &[Series]) -> u64 {
    answer.iter().map(|series| series.points.len() as u64).sum()
}

/// A moment for people; the number itself where it is none.
fn moment(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds).map_or_else(|_| seconds.to_string(), |moment| moment.to_string())
}
