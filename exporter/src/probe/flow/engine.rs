//! Runs the steps of a flow, each within its time.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::time::Duration;

use hyper::header::{HeaderMap, LOCATION};
use tokio::time::{Instant, timeout_at};
use url::Url;

use super::settings::{Settings, Variable};
use super::source::{Found, Source, search};
use super::step::{Action, Step};
use super::template::Variables;
use crate::config::decode::format_duration;
use crate::probe::http::{self, Ask, Cookies, Given};
use crate::probe::{Failure, Metric, Reason, Samples, Shared, postgres};

/// What clean-up steps have at most, where the module does not say.
const CLEANUP: Duration = Duration::from_secs(5);
/// So much of an attempt's time is left at its end: the bound around it must not cut the clean-up off.
const MARGIN: Duration = Duration::from_millis(50);
struct Flow<'a> {
    settings: &'a Settings,
    base: Url,
    mark: String,
    variables: Variables,
    cookies: Cookies,
    shared: &'a Shared,
    /// What answers now is no measurement of the service any more.
    cleaning: bool,
}

pub(super) async fn run(
    settings: &Settings,
    target: &str,
    timeout: Duration,
    shared: &Shared,
    out: &mut Samples,
) -> Result<(), Failure> {
    let began = Instant::now();
    let end = began + timeout.saturating_sub(MARGIN.min(timeout / 10));
    let reserved = match settings.cleanup.is_empty() {
        true => Duration::ZERO,
        false => settings.cleanup_timeout.unwrap_or(CLEANUP.min(timeout / 4)).min(timeout / 2),
    };
    let base = http::url(target).map_err(|why| Failure::new(Reason::Connect, why))?;
    let mark = mark();
    let mut flow = Flow {
        settings,
        base,
        mark,
        variables: Variables::default(),
        cookies: Cookies::default(),
        cleaning: false,
        shared,
    };
    out.stage("reading the variables");
    flow.fill(target).await?;
    let result = flow.steps(end - reserved, out).await;
    flow.clean(end, out).await;
    result
}

/// What only this run has: letters and digits, so that it can stand anywhere.
fn mark() -> String {
    // Seeded by the system for each process, and another one each time.
    let random = RandomState::new().build_hasher().finish();
    format!("sla{:x}{random:016x}", crate::clock::whole_seconds())
}

impl Flow<'_> {
    /// Reads the variables; secrets anew for each run, so that a rotated one works.
    async fn fill(&mut self, target: &str) -> Result<(), Failure> {
        self.variables.set("run_id", self.mark.clone(), false);
        self.variables.set("target", target.to_owned(), false);
        for (name, variable) in &self.settings.variables {
            match variable {
                Variable::Text(text) => self.variables.set(name, text.clone(), false),
                Variable::File(source) => {
                    let source = source.clone();
                    let read = tokio::task::spawn_blocking(move || source.read()).await;
                    let secret =
                        read.map_err(|_| Failure::new(Reason::Internal, "reading a secret file was interrupted"))?;
                    let secret = secret.map_err(|why| Failure::new(Reason::Permission, why))?;
                    self.variables.set(name, secret.expose().to_owned(), true);
                }
            }
        }
        Ok(())
    }

    async fn steps(&mut self, end: Instant, out: &mut Samples) -> Result<(), Failure> {
        let settings = self.settings;
        for step in &settings.steps {
            if let Err(failure) = self.take(step, end, out).await {
                let reason = failure.reason.as_str();
                out.set_labelled(Metric::FlowFailedStepInfo, &[("step", &step.name), ("reason", reason)], 1.0);
                return Err(failure);
            }
        }
        Ok(())
    }

    /// Takes all steps of the clean-up; one that fails keeps none of the others from being taken.
    async fn clean(&mut self, end: Instant, out: &mut Samples) {
        let settings = self.settings;
        if settings.cleanup.is_empty() {
            return;
        }
        self.cleaning = true;
        let mut good = true;
        for step in &settings.cleanup {
            // Of what was never made: there is nothing to clean up.
            if step.names().iter().any(|name| self.variables.get(name).is_none()) {
                continue;
            }
            if let Err(failure) = self.take(step, end, out).await {
                good = false;
                tracing::debug!(target = %self.base, "clean-up of a flow failed: {failure}");
            }
        }
        out.set(Metric::FlowCleanupSuccess, f64::from(u8::from(good)));
    }

    async fn take(&mut self, step: &Step, end: Instant, out: &mut Samples) -> Result<(), Failure> {
        let began = Instant::now();
        let own = step.timeout.or(self.settings.step_timeout).map_or(end, |timeout| (began + timeout).min(end));
        // What this step's requests say of themselves; a timeout says what was waited for.
        out.stage(format!("step {}", step.name));
        let mut said = out.inner();
        let result = if began >= end {
            Err(Failure::new(Reason::Timeout, "no time was left for it"))
        } else {
            match timeout_at(own, self.asked(step, own, &mut said)).await {
                Ok(result) => result,
                Err(_) => {
                    let after = format_duration(Duration::from_millis(
                        u64::try_from((own - began).as_millis()).unwrap_or(u64::MAX),
                    ));
                    let stage = said.current_stage();
                    Err(Failure::new(Reason::Timeout, format_args!("not finished within {after}, while {stage}")))
                }
            }
        };
        let took = began.elapsed();
        out.happened_within(&mut said, |text| self.variables.excerpt(text));
        if !self.cleaning {
            keep(&said, out);
        }
        let result = result.and_then(|()| match step.within {
            Some(within) if took > within => Err(Failure::new(
                Reason::Timeout,
                format_args!("took {} ms; expected at most {}", took.as_millis(), format_duration(within)),
            )),
            _ => Ok(()),
        });
        let label = [("step", step.name.as_str())];
        out.set_labelled(Metric::FlowStepDuration, &label, took.as_secs_f64());
        out.set_labelled(Metric::FlowStepSuccess, &label, f64::from(u8::from(result.is_ok())));
        result.map_err(|failure| {
            let detail = self.variables.excerpt(&failure.detail);
            Failure::new(failure.reason, format_args!("step {}: {detail}", step.name))
        })
    }

    async fn asked(&mut self, step: &Step, end: Instant, said: &mut Samples) -> Result<(), Failure> {
        match &step.action {
            Action::Http(request) => {
                let filled = request.fill(&self.base, &self.settings.headers, &self.variables, &self.mark)?;
                let settings = self.settings;
                let ask = Ask {
                    ip: settings.ip,
                    source: settings.source,
                    tls: settings.tls.clone(),
                    method: filled.method,
                    url: filled.url,
                    headers: filled.headers,
                    host: filled.host,
                    secret_headers: filled.secret_headers,
                    login: request.login.clone(),
                    body: filled.body,
                    follow_redirects: request.follow_redirects.unwrap_or(step.redirect.is_none()),
                    body_limit: settings.body_limit,
                    keep_body: sources(step).any(Source::is_body),
                };
                let given = http::ask(ask, &mut self.cookies, self.shared, said).await?;
                self.answered(step, given, said).await
            }
            Action::Postgres(query) => {
                let text = query.text.as_ref().map(|template| {
                    // A literal: whatever a value holds, it ends where it ends.
                    template.render_with(&self.variables, |_, value| format!("'{}'", value.replace('\'', "''")))
                });
                let text = text.transpose().map_err(|why| Failure::new(Reason::Internal, why))?;
                if text.as_ref().is_some_and(|text| text.contains('\0')) {
                    return Err(Failure::new(Reason::Query, "a text with a zero byte in it cannot be sent"));
                }
                let left = end.saturating_duration_since(Instant::now());
                let value =
                    postgres::ask(&query.settings, &query.target, text.as_deref(), left, self.shared, said).await?;
                let found = Ok(value.map(|value| Found::one(&value)).unwrap_or_default());
                let found = vec![found; step.checks.len() + step.captures.len()];
                let lacking = self.keep(step, &found[step.checks.len()..]);
                self.judge(step, &found)?;
                lacking
            }
        }
    }

    async fn answered(&mut self, step: &Step, given: Given, said: &mut Samples) -> Result<(), Failure> {
        said.stage("searching the body");
        let wanted: Vec<Source> = sources(step).filter(|source| source.is_body()).cloned().collect();
        let Given { status, headers, body, url } = given;
        let mut in_body = if wanted.is_empty() {
            Vec::new()
        } else {
            let searched = tokio::task::spawn_blocking(move || search(&body, &wanted)).await;
            searched.map_err(|_| Failure::new(Reason::Internal, "searching the body was interrupted"))?
        }
        .into_iter();
        let found = |source: &Source| {
            if source.is_body() {
                return in_body.next().unwrap_or_else(|| Ok(Found::default()));
            }
            let mut found = Found::default();
            match source {
                Source::Status => found.add(&status.as_u16().to_string()),
                Source::Url => found.add(url.as_str()),
                Source::Header(name) => {
                    let values = headers.get_all(name).iter();
                    values.for_each(|value| found.add(&String::from_utf8_lossy(value.as_bytes())));
                }
                Source::Cookie(name) => {
                    self.cookies.value(name, &url).into_iter().for_each(|value| found.add(value));
                }
                _ => {}
            }
            Ok(found)
        };
        let found: Vec<Result<Found, String>> = sources(step).map(found).collect();
        let lacking = self.keep(step, &found[step.checks.len()..]);
        judge_head(step, status.as_u16(), &headers, &url, &self.variables)?;
        self.judge(step, &found)?;
        lacking
    }

    /// Keeps what is to be kept, also of an answer that is then found wanting: what was made is to be cleaned up. Says what is
    /// missing.
    fn keep(&mut self, step: &Step, found: &[Result<Found, String>]) -> Result<(), Failure> {
        let mut lacking = Ok(());
        for (capture, found) in step.captures.iter().zip(found) {
            match capture.take(found, &self.variables) {
                Ok(text) => self.variables.set(&capture.name, text, capture.secret),
                Err(failure) => lacking = lacking.and(Err(failure)),
            }
        }
        lacking
    }

    fn judge(&self, step: &Step, found: &[Result<Found, String>]) -> Result<(), Failure> {
        step.checks.iter().zip(found).try_for_each(|(check, found)| check.judge(found, &self.variables))
    }
}

/// Judges status and redirect.
fn judge_head(step: &Step, code: u16, headers: &HeaderMap, url: &Url, variables: &Variables) -> Result<(), Failure> {
    let usual = if step.redirect.is_some() { (300, 399) } else { (200, 299) };
    let accepted = if step.statuses.is_empty() { &[usual][..] } else { &step.statuses };
    if !accepted.iter().any(|(from, to)| (*from..=*to).contains(&code)) {
        let expected: Vec<String> = accepted.iter().map(|range| words(*range)).collect();
        return Err(Failure::new(Reason::Status, format_args!("status {code}; expected {}", expected.join(", "))));
    }
    let Some(regex) = &step.redirect else { return Ok(()) };
    let Some(to) = headers.get(LOCATION).and_then(|value| url.join(value.to_str().ok()?).ok()) else {
        return Err(Failure::new(Reason::Redirect, format_args!("status {code} says no place to go to")));
    };
    if regex.is_match(to.as_str().as_bytes()) {
        return Ok(());
    }
    let to = variables.excerpt(to.as_str());
    Err(Failure::new(Reason::Redirect, format_args!("it points to {to}; expected a match of `{}`", regex.as_str())))
}

/// Where a step looks: for its checks, then for its captures.
fn sources(step: &Step) -> impl Iterator<Item = &Source> {
    step.checks.iter().map(|check| &check.source).chain(step.captures.iter().map(|capture| &capture.source))
}

fn words((from, to): (u16, u16)) -> String {
    if from == to { from.to_string() } else { format!("{}xx", from / 100) }
}

/// What of a step's own measurements is the run's: the last status, the first address family, the certificate that expires first.
fn keep(said: &Samples, out: &mut Samples) {
    if let Some(status) = said.value(Metric::HttpStatusCode, None) {
        out.set(Metric::HttpStatusCode, status);
    }
    if let (Some(protocol), None) = (said.value(Metric::IpProtocol, None), out.value(Metric::IpProtocol, None)) {
        out.set(Metric::IpProtocol, protocol);
    }
    if let Some(expiry) = said.value(Metric::SslEarliestCertExpiry, None) {
        let earliest = out.value(Metric::SslEarliestCertExpiry, None).map_or(expiry, |known| known.min(expiry));
        out.set(Metric::SslEarliestCertExpiry, earliest);
    }
}
