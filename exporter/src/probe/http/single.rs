//! One request for another prober: whatever is answered is handed over, not judged.
//!
//! Cookies and credentials come from outside and live as long as the caller wants. Not for: what an answer means.

use std::net::IpAddr;

use bytes::Bytes;
use hyper::header::{HeaderMap, HeaderValue};
use hyper::{Method, StatusCode};
use url::Url;

use super::assertions::Assertions;
use super::cookies::Cookies;
use super::exchange::{self, Answer, Outcome};
use super::extra_headers::ExtraHeaders;
use super::hop::Hop;
use super::login::{Login, Shown};
use super::proxy::Proxy;
use super::settings::Settings;
use super::{MAX_REDIRECTS, redirect};
use crate::probe::net::IpChoice;
use crate::probe::tls::TlsSettings;
use crate::probe::{Failure, Reason, Samples, Shared};

/// What is asked.
#[derive(Debug)]
pub(in crate::probe) struct Ask {
    pub(in crate::probe) ip: IpChoice,
    pub(in crate::probe) source: Option<IpAddr>,
    pub(in crate::probe) tls: TlsSettings,
    pub(in crate::probe) method: Method,
    pub(in crate::probe) url: Url,
    /// All but `Host`.
    pub(in crate::probe) headers: HeaderMap,
    pub(in crate::probe) host: Option<HeaderValue>,
    /// Headers that a redirect to another service does not get.
    pub(in crate::probe) secret_headers: HeaderMap,
    pub(in crate::probe) login: Login,
    pub(in crate::probe) body: Bytes,
    pub(in crate::probe) follow_redirects: bool,
    pub(in crate::probe) body_limit: u64,
    pub(in crate::probe) keep_body: bool,
}

/// What was answered.
#[derive(Debug)]
pub(in crate::probe) struct Given {
    pub(in crate::probe) status: StatusCode,
    pub(in crate::probe) headers: HeaderMap,
    pub(in crate::probe) body: Vec<u8>,
    /// Who answered, after redirects.
    pub(in crate::probe) url: Url,
}

/// Asks; `cookies` are sent, and kept as the answers say.
///
/// # Errors
/// With the reason there is no answer.
pub(in crate::probe) async fn ask(
    ask: Ask,
    cookies: &mut Cookies,
    shared: &Shared,
    out: &mut Samples,
) -> Result<Given, Failure> {
    let settings = Settings {
        ip: ask.ip,
        source: ask.source,
        tls: ask.tls,
        method: ask.method,
        headers: ask.headers,
        host: ask.host,
        body: ask.body,
        login: ask.login,
        follow_redirects: ask.follow_redirects,
        body_limit: ask.body_limit,
        compression: None,
        assertions: Assertions::none(),
        extra_headers: ExtraHeaders::default(),
        proxy: Proxy::default(),
        refusal: None,
        hand_over: Some(ask.keep_body),
    };
    let shown = settings.login.show(&shared.resolver, out).await?;
    let given = once(&settings, &ask.url, &ask.secret_headers, shown.as_ref(), cookies, shared, out).await?;
    if !settings.login.renews(shown, given.status == StatusCode::UNAUTHORIZED) {
        return Ok(given);
    }
    // As for the prober `http`: a token that is no longer taken is no fault of the target's.
    let shown = settings.login.show(&shared.resolver, out).await?;
    once(&settings, &ask.url, &ask.secret_headers, shown.as_ref(), cookies, shared, out).await
}

async fn once(
    settings: &Settings,
    url: &Url,
    secrets: &HeaderMap,
    shown: Option<&Shown>,
    cookies: &mut Cookies,
    shared: &Shared,
    out: &mut Samples,
) -> Result<Given, Failure> {
    let credentials = shown.map(|shown| shown.credentials.clone());
    let mut hop = Hop::first(settings, url.clone(), None, credentials, secrets.clone());
    hop.cookies = std::mem::take(cookies);
    let result = follow(settings, &mut hop, shared, out).await;
    if let Ok(answer) = &result {
        hop.cookies.take(&answer.head.headers, &hop.url);
    }
    *cookies = std::mem::take(&mut hop.cookies);
    let Answer { head, body } = *result?;
    Ok(Given { status: head.status, headers: head.headers, body, url: hop.url })
}

async fn follow(
    settings: &Settings,
    hop: &mut Hop<'_>,
    shared: &Shared,
    out: &mut Samples,
) -> Result<Box<Answer>, Failure> {
    for _ in 0..=MAX_REDIRECTS {
        match exchange::send(settings, hop, &shared.resolver, out).await? {
            Outcome::Final(Some(answer)) => return Ok(answer),
            // Never: it is handed over.
            Outcome::Final(None) => return Err(Failure::new(Reason::Internal, "the answer was not handed over")),
            Outcome::Redirect(step) if hop.would_leak(&step) => {
                return Err(Failure::new(
                    Reason::Redirect,
                    format_args!(
                        "redirected to {}, which would be given what was sent; not followed",
                        redirect::place(&step.url)
                    ),
                ));
            }
            Outcome::Redirect(step) => hop.follow(step),
        }
    }
    Err(redirect::too_many(hop))
}
