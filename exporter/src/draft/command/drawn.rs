//! `ledger draft --grafana`: asks Grafana what people drew.

use super::Period;
use crate::annotations::MAX_REGIONS;
use crate::annotations::tags;
use crate::calendar::Month;
use crate::cli::{DraftFlags, GrafanaFlags};
use crate::config::Config;
use crate::draft::drawn::{self, Drawn, Head, MAX_DRAWN};
use crate::grafana::{Annotation, Api, ConfigNames, Query};
use crate::http_client::{self, HttpConfig, Names, Peer};
use crate::probe::http::{Auth, Login};
use crate::report::command::{Refusal, tell};
use crate::secret::{Secret, SecretSource};
use crate::span::Span;

const NAMES: Names = Names { url: "--grafana", config: "--grafana.config.file" };
/// Bytes of an answer that are read.
const MAX_BODY: u64 = 32 << 20;
/// Annotations that are read at once: what the exporter wrote has the same tag.
const MAX_FOUND: usize = 2 * MAX_REGIONS + MAX_DRAWN;
/// How far ahead is looked for what is to come, in seconds: two years.
const AHEAD: i64 = 2 * 366 * 86_400;

/// Whom to ask, by the flags and the configuration.
pub(super) fn peer(flags: &GrafanaFlags, url: &Secret, config: &Config) -> Result<(Peer, ConfigNames), Refusal> {
    let section = config.grafana.as_ref();
    let given = credentials(flags)?;
    let mut names = ConfigNames::FLAGS;
    let mut peer = if url.expose().is_empty() {
        let Some(section) = section else {
            return Err(Refusal::usage(
                "--grafana: the configuration has no section `grafana` that says where it is; give a URL",
            ));
        };
        let mut peer = section.connection();
        match given {
            Some(given) => peer.http = given,
            None => names = ConfigNames { timeout: names.timeout, ..ConfigNames::FILE },
        }
        peer
    } else {
        let http = given.clone().or_else(http_client::defaults);
        let http = http.ok_or_else(|| Refusal::failed("TLS cannot be set up on this system"))?;
        let fail = |why| Refusal::failed(format_args!("--grafana: {why}"));
        let peer = Peer::new(url.expose(), http, flags.timeout, MAX_BODY, &NAMES).map_err(fail)?;
        match section.filter(|section| given.is_none() && section.url() == peer.url() && !peer.http.login.is_some()) {
            // The same Grafana: its credentials are known. They go nowhere else.
            Some(section) => section.connection(),
            None => peer,
        }
    };
    (peer.timeout, peer.max_body) = (flags.timeout, MAX_BODY);
    Ok((peer, names))
}

fn credentials(flags: &GrafanaFlags) -> Result<Option<HttpConfig>, Refusal> {
    if let Some(file) = &flags.config_file {
        let texts = |findings: Vec<crate::config::Diagnostic>| {
            Refusal::failed(findings.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
        };
        let (http, warnings) = http_client::load(file).map_err(texts)?;
        warnings.iter().for_each(tell);
        return Ok(Some(http));
    }
    let Some(file) = &flags.token_file else { return Ok(None) };
    let token = SecretSource::File(file.clone());
    // Now, and not after a question that could only fail.
    token.read().map_err(|why| Refusal::failed(format_args!("--grafana.token-file: {why}")))?;
    let mut http = http_client::defaults().ok_or_else(|| Refusal::failed("TLS cannot be set up on this system"))?;
    http.login = Login::Fixed(Auth::Token { scheme: "Bearer".to_owned(), token });
    Ok(Some(http))
}

/// The draft's text.
pub(super) async fn text(
    peer: Peer,
    names: ConfigNames,
    config: &Config,
    flags: &DraftFlags,
    period: &Period,
    now: i64,
) -> Result<String, Refusal> {
    let url = peer.url();
    let (span, of) = stretch(config, flags, period, now);
    let mut api = Api::new(peer, names);
    let query =
        Query { tags: &[tags::SLA], span: Some((span.start() * 1000, span.end() * 1000 - 1)), limit: MAX_FOUND };
    let found: Vec<Annotation> = api
        .find(&query)
        .await
        .map_err(|why| Refusal::failed(format_args!("{url}: annotations with the tag `sla`: {why}")))?;
    if found.len() >= MAX_FOUND {
        tell(format_args!(
            "{url} has more than {MAX_FOUND} annotations with the tag `sla` in that time; ask for a shorter one to see all"
        ));
    }
    let drawn = drawn::read(found, &config.contract, &config.ledger);
    said(&drawn, &of);
    let head = Head { contract: &config.contract, of: &of, source: &url, now };
    Ok(drawn::write(&drawn, &head))
}

/// From when to when, and the words for it. What was asked for; else from the previous month on, what is to come included.
fn stretch(config: &Config, flags: &DraftFlags, period: &Period, now: i64) -> (Span, String) {
    let zone = &config.contract.timezone;
    let ahead = now.saturating_add(AHEAD);
    let first = period.months.first().map_or(now, |month| month.span(zone).start());
    let (start, end, words) = match (flags.from, flags.to) {
        (Some(from), Some(to)) => (from.as_second(), to.as_second(), period.words.clone()),
        (Some(from), None) => (from.as_second(), ahead, format!("the time from {from} on")),
        (None, _) if flags.month.is_empty() => (first, ahead, format!("{} and what is to come", period.words)),
        (None, _) => {
            let last = period.months.last().map_or(now, |month: &Month| month.span(zone).end());
            (first, last, period.words.clone())
        }
    };
    // Grafana takes a 0 for no bound at all.
    (Span::new(start.max(1), end).unwrap_or_else(|| Span::second(now)), words)
}

fn said(drawn: &Drawn, of: &str) {
    if drawn.entries.is_empty() {
        tell(match drawn.known.len() {
            0 => format!("nothing to judge: nobody drew an annotation with the tag `sla` in {of}"),
            known => format!("nothing to judge: all {known} that were drawn in {of} are in the ledger"),
        });
    }
    if drawn.more > 0 {
        tell(format_args!("the newest {MAX_DRAWN} are written; {} more are not: ask for a shorter time", drawn.more));
    }
    if drawn.odd > 0 {
        tell(format_args!("{} are not between the years 2000 and 2199, and left out", drawn.odd));
    }
}
