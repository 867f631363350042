//! The `http` prober: one request over HTTP/1.1 or HTTP/2, redirects followed, the answer asserted upon.
//!
//! A connection per request and none kept: phases and handshakes are what is measured. Nothing read
//! from a peer is unbounded: header bytes, body bytes after decompression, redirects, cookies. Not
//! for what several requests in a row mean together (a login): that is another prober's matter.

mod assertions;
mod auth;
mod body;
mod cookies;
mod exchange;
mod extra_headers;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;
mod hop;
mod json_cel;
mod login;
mod oauth2;
mod proxy;
mod redirect;
mod refusal;
mod settings;
mod single;
mod target;
mod transport;

pub(in crate::probe) use auth::read as read_secret;
pub(crate) use auth::{Auth, secrets_of};
pub(in crate::probe) use cookies::Cookies;
pub(crate) use exchange::socket_error;
pub(in crate::probe) use exchange::{Driver, Tasks};
pub(crate) use extra_headers::ExtraHeaders;
pub(crate) use login::{Login, Shown};
pub use settings::{Settings, decode};
pub(in crate::probe) use single::{Ask, Given, ask};

use hyper::header::HeaderValue;
use url::Url;

use self::exchange::Outcome;
use self::hop::Hop;
use super::{Failure, Metric, Reason, Samples, Shared};

/// Redirects that are followed, as blackbox_exporter does.
const MAX_REDIRECTS: u32 = 10;
/// The phases, each present from the start of a run as blackbox_exporter has them.
const PHASES: [&str; 5] = ["resolve", "connect", "tls", "processing", "transfer"];

/// `target` as the URL of a request.
///
/// # Errors
/// With what was found and what is accepted.
pub(in crate::probe) fn url(target: &str) -> Result<url::Url, String> {
    target::parse(target)
}

/// Why a target cannot be probed with these settings.
///
/// # Errors
/// With what was found and what is accepted.
pub fn check_target(_settings: &Settings, target: &str) -> Result<(), String> {
    target::parse(target).map(drop)
}

/// One attempt; `hostname` goes before the `Host` header of the settings.
///
/// # Errors
/// With the reason the attempt failed.
pub async fn run(
    settings: &Settings,
    target: &str,
    hostname: Option<&HeaderValue>,
    shared: &Shared,
    out: &mut Samples,
) -> Result<(), Failure> {
    let url = target::parse(target).map_err(|why| Failure::new(Reason::Connect, why))?;
    begin(settings, out);
    let shown = settings.login.show(&shared.resolver, out).await?;
    let result = once(settings, url.clone(), hostname, shown.as_ref(), shared, out).await;
    if let Some(refusal) = settings.refusal {
        return refusal.judge(result, out);
    }
    let refused = result.is_err() && out.value(Metric::HttpStatusCode, None) == Some(401.0);
    if !settings.login.renews(shown, refused) {
        return result.map_err(|failure| refusal::explained(failure, out));
    }
    out.found(|| "the token is no longer taken".to_owned());
    out.clear();
    begin(settings, out);
    let shown = settings.login.show(&shared.resolver, out).await?;
    once(settings, url, hostname, shown.as_ref(), shared, out).await.map_err(|failure| refusal::explained(failure, out))
}

/// What is there from the start of a run.
fn begin(settings: &Settings, out: &mut Samples) {
    for phase in PHASES {
        out.set_phase(Metric::HttpDuration, phase, 0.0);
    }
    out.set(Metric::HttpStatusCode, 0.0);
    out.set(Metric::HttpRedirects, 0.0);
    out.set(Metric::HttpSsl, 0.0);
    if settings.refusal.is_some() {
        out.set_info(Metric::Expectation, &[("expect", "refused")], 1.0);
    }
    if settings.assertions.has_regex() {
        out.set(Metric::FailedDueToRegex, 0.0);
    }
    if settings.assertions.has_cel() {
        out.set(Metric::FailedDueToCel, 0.0);
    }
}

/// The target's answer, after redirects.
async fn once(
    settings: &Settings,
    url: Url,
    hostname: Option<&HeaderValue>,
    shown: Option<&Shown>,
    shared: &Shared,
    out: &mut Samples,
) -> Result<(), Failure> {
    let credentials = shown.map(|shown| shown.credentials.clone());
    let secrets = settings.extra_headers.read().await?;
    let mut hop = Hop::first(settings, url, hostname, credentials, secrets);
    for _ in 0..=MAX_REDIRECTS {
        match exchange::send(settings, &mut hop, &shared.resolver, out).await? {
            Outcome::Final(_) => return Ok(()),
            Outcome::Redirect(step) => hop.follow(step),
        }
    }
    Err(redirect::too_many(&hop))
}
