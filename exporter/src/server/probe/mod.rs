//! `/probe`: one run now, against a target and with a module that the request names, as blackbox_exporter answers.
//!
//! For a Prometheus whose jobs were written for blackbox_exporter, and for a person with curl. Not for the SLA: what is
//! measured here is in no slot, for the labels of evidence come from the configuration alone.

mod answer;
mod query;

use std::sync::Arc;
use std::time::Duration;

use hyper::header::RETRY_AFTER;
use hyper::{HeaderMap, StatusCode};

use self::query::Query;
use super::{Site, negotiate, reply};
use crate::config::Config;
use crate::probe::{self, Budget, DEFAULT_TIMEOUT, Module};

/// What is asked, for fuzzing.
#[cfg(any(test, fuzzing))]
pub(crate) fn fuzz(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let _ = Query::parse(text);
    let headers = hyper::header::HeaderValue::from_bytes(data).into_iter();
    let _ = patience(&headers.map(|value| (hyper::header::HeaderName::from_static(PATIENCE), value)).collect());
}

/// Where it is.
pub(super) const PATH: &str = "/probe";
/// Runs on request that are under way at once; the scheduler's own have places of their own.
pub(super) const AT_ONCE: usize = 256;
/// How long a request waits for a place.
const WAIT: Duration = Duration::from_secs(1);
/// What Prometheus says its patience is, in seconds.
const PATIENCE: &str = "x-prometheus-scrape-timeout-seconds";
/// Left of that patience for the way back: blackbox_exporter's `--timeout-offset`.
const OFFSET: Duration = Duration::from_millis(500);
/// The longest run, whatever the request says: blackbox_exporter's own.
const LONGEST: Duration = Duration::from_secs(120);

/// How much longer than other requests one with these headers may take.
pub(super) fn extra_time(headers: &HeaderMap) -> Duration {
    patience(headers).ok().flatten().unwrap_or(LONGEST)
}

/// Runs the probe that `query` describes.
pub(super) async fn serve(site: &Site, query: &str, headers: &HeaderMap) -> reply::Reply {
    let (config, query) = (site.app.config(), Query::parse(query));
    let (module, request) = match admitted(site, &config, query, headers) {
        Ok(admitted) => admitted,
        Err(why) => return reply::text(StatusCode::BAD_REQUEST, why),
    };
    let Ok(Ok(_place)) = tokio::time::timeout(WAIT, site.probes.acquire()).await else {
        let busy =
            format!("{AT_ONCE} probes are under way, and none ended within {} s; ask less often", WAIT.as_secs());
        return reply::with_header(reply::text(StatusCode::SERVICE_UNAVAILABLE, busy), RETRY_AFTER, "5");
    };
    let shared = site.app.shared();
    let budget = Budget { timeout: request.timeout, attempts: 1, spare: Duration::ZERO };
    let (target, hostname) = (&request.target, request.hostname.as_ref());
    let (run, trace) = match (probe::check_target(&module, target), request.debug) {
        (Err(why), _) => (answer::refused(&why), None),
        (Ok(()), false) => (probe::run_as(&module, target, hostname, budget, &shared).await, None),
        (Ok(()), true) => {
            let (run, trace) = probe::run_traced(&module, target, hostname, budget, &shared).await;
            (run, Some(trace))
        }
    };
    let run = answer::completed(&module, run);
    if request.debug {
        return reply::text(StatusCode::OK, answer::debug(&module, &request, &run, trace.as_ref()));
    }
    let format = negotiate::format(headers);
    reply::with_type(StatusCode::OK, format.content_type(), answer::page(&run, format))
}

/// A request that may be carried out.
struct Admitted {
    target: String,
    hostname: Option<hyper::header::HeaderValue>,
    timeout: Duration,
    debug: bool,
}

fn admitted(
    site: &Site,
    config: &Config,
    query: Query,
    headers: &HeaderMap,
) -> Result<(Arc<Module>, Admitted), String> {
    let Query { target, module, hostname, debug } = query;
    let target = target.ok_or(
        "the parameter `target` is missing; write for example /probe?target=https://example.com/&module=http_2xx",
    )?;
    let module = config.module(&module).inspect_err(|_| site.app.metrics().unknown_modules.inc())?;
    let hostname = hostname.map(|name| module.hostname(&name)).transpose()?.flatten();
    let known = || config.targets.iter().any(|spec| spec.module.name == module.name && spec.target == target);
    if let Some(lent) = lent(module, &target)
        && !site.app.options().credentials_anywhere
        && (hostname.is_some() || !known())
    {
        return Err(format!(
            "module `{}` {lent}, and over {PATH} it does so for no target but those that the configuration's probes have with \
             this module; add a probe, or start with --probe.credentials-to-any-target where nobody but Prometheus can \
             reach this address",
            module.name
        ));
    }
    let timeout = time_limit(module, patience(headers)?);
    Ok((Arc::clone(module), Admitted { target, hostname, timeout, debug }))
}

/// What a run does on behalf of who asks that they may have no right to: have credentials sent to a server of theirs, or be let
/// in where this process is.
fn lent(module: &Module, target: &str) -> Option<&'static str> {
    if module.sends_credentials() {
        Some("sends credentials")
    } else if module.is_socket(target) {
        Some("reaches Unix sockets with the rights of this process")
    } else {
        None
    }
}

/// How long the scraper waits for the answer; `None` where it does not say.
fn patience(headers: &HeaderMap) -> Result<Option<Duration>, String> {
    let Some(value) = headers.get(PATIENCE) else { return Ok(None) };
    let seconds = value.to_str().ok().and_then(|text| text.trim().parse::<f64>().ok());
    match seconds.map(Duration::try_from_secs_f64) {
        Some(Ok(Duration::ZERO)) => Ok(None),
        Some(Ok(patience)) => Ok(Some(patience.min(LONGEST))),
        _ => Err("the header X-Prometheus-Scrape-Timeout-Seconds is not a number of seconds".to_owned()),
    }
}

/// The module's own timeout, or what the scraper's patience leaves, whichever is less.
fn time_limit(module: &Module, patience: Option<Duration>) -> Duration {
    let Some(patience) = patience else {
        return module.timeout.unwrap_or(DEFAULT_TIMEOUT).min(LONGEST);
    };
    let left = patience.saturating_sub(OFFSET).max(patience / 2);
    module.timeout.unwrap_or(left).min(left)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::decode::Cursor;
    use crate::config::diagnostics::Document;
    use crate::config::node;

    fn module(text: &str) -> Module {
        let doc = Document::new(std::path::Path::new("test.yml"));
        let tree = node::parse(text).unwrap();
        probe::decode_module("m", &Cursor::root(&doc, &tree)).unwrap()
    }

    fn headers(seconds: &str) -> HeaderMap {
        [(PATIENCE.parse().unwrap(), seconds.parse().unwrap())].into_iter().collect()
    }

    #[test]
    fn the_less_patient_of_scraper_and_module_decides() {
        let milliseconds = Duration::from_millis;
        for (own, said, expected) in [
            ("", None, 10_000),
            ("timeout: 3s", None, 3000),
            ("timeout: 5m", None, 120_000),
            ("", Some("10"), 9500),
            ("timeout: 3s", Some("10"), 3000),
            ("timeout: 30s", Some("10"), 9500),
            ("timeout: 3s", Some("0"), 3000),
            ("", Some("0.6"), 300),
            ("", Some("1e9"), 119_500),
        ] {
            let module = module(&format!("prober: icmp\n{own}"));
            let patience = said.map_or(Ok(None), |seconds| patience(&headers(seconds))).unwrap();
            assert_eq!(time_limit(&module, patience), milliseconds(expected), "{own} {said:?}");
        }
    }

    #[test]
    fn a_patience_that_is_no_number_is_refused() {
        for text in ["", "ten", "-1", "NaN", "inf", "1e400"] {
            assert!(patience(&headers(text)).unwrap_err().contains("not a number of seconds"), "{text}");
        }
    }
}
