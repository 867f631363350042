//! The `websocket` prober: a request for a WebSocket, and, where asked, a conversation in messages over it.
//!
//! Options and metrics are blackbox_exporter's. A connection per run and none kept. The frames are tungstenite's matter;
//! connection, TLS and request are made as those of the other probers. Not for extensions (compression) and not for
//! WebSockets over HTTP/2.

#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;
mod settings;
mod talk;
mod target;
mod upgrade;

use std::net::SocketAddr;

use hyper::header::HeaderValue;
use tokio::time::Instant;
use url::Url;

pub use self::settings::{Settings, decode};
use self::upgrade::Ask;
use super::http::Shown;
use super::link::Link;
use super::{Failure, Metric, Reason, Samples, Shared, endpoint, net};

/// The phases, each present from the start of a run.
const PHASES: [&str; 4] = ["resolve", "connect", "processing", "transfer"];

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
/// `dns`, `refused`, `connect`, `reset`, `permission` and `internal` as they happen; `tls` and `certificate` for the handshake;
/// `status` for an answer other than 101, and where the peer closes with a code; `protocol` for an answer that grants no WebSocket
/// and frames that are none; `body` for a message that does not match; `too_large` for one beyond its bound.
pub async fn run(
    settings: &Settings,
    target: &str,
    hostname: Option<&HeaderValue>,
    shared: &Shared,
    out: &mut Samples,
) -> Result<(), Failure> {
    let url = target::parse(target).map_err(|why| Failure::new(Reason::Internal, why))?;
    begin(out);
    let shown = settings.login.show(&shared.resolver, out).await?;
    let result = once(settings, &url, hostname, shown.as_ref(), shared, out).await;
    let refused = out.value(Metric::WebsocketStatusCode, None) == Some(401.0);
    if !settings.login.renews(shown, refused) {
        return result;
    }
    out.found(|| "the token is no longer taken".to_owned());
    out.clear();
    begin(out);
    let shown = settings.login.show(&shared.resolver, out).await?;
    once(settings, &url, hostname, shown.as_ref(), shared, out).await
}

/// What is there from the start of a run.
fn begin(out: &mut Samples) {
    for phase in PHASES {
        out.set_phase(Metric::WebsocketDuration, phase, 0.0);
    }
    for metric in [Metric::WebsocketStatusCode, Metric::WebsocketUpgraded, Metric::WebsocketFailedDueToRegex] {
        out.set(metric, 0.0);
    }
}

/// From the name to the goodbye.
async fn once(
    settings: &Settings,
    url: &Url,
    hostname: Option<&HeaderValue>,
    shown: Option<&Shown>,
    shared: &Shared,
    out: &mut Samples,
) -> Result<(), Failure> {
    let mut ask = Ask::of(settings, url, hostname, shown).await?;
    let secrets = std::mem::take(&mut ask.secrets);
    let host = url.host_str().unwrap_or_default();
    let address = timed("resolve", out, async |out| shared.resolver.resolve(host, settings.ip, out).await).await?;
    let address = SocketAddr::new(address, url.port_or_known_default().unwrap_or(80));
    let stream = timed("connect", out, async |out| {
        out.stage("connecting");
        net::connect(address, settings.source).await
    });
    let mut link = Link::Plain(stream.await?);
    // As in blackbox_exporter, the TLS handshake is part of it.
    let socket = timed("processing", out, async |out| {
        if url.scheme() == "wss" {
            let name = hostname.and_then(endpoint::name_of);
            link = link.into_tls(name.as_deref().unwrap_or(host), &settings.tls, out).await?;
        }
        ask.send(link, out).await
    })
    .await?;
    out.set(Metric::WebsocketUpgraded, 1.0);
    let said = timed("transfer", out, async |out| talk::hold(socket, &settings.steps, &secrets, out).await).await;
    out.set(Metric::WebsocketFailedDueToRegex, f64::from(u8::from(said.is_err())));
    said
}

/// Measures a phase, also when it fails.
async fn timed<T>(
    phase: &'static str,
    out: &mut Samples,
    work: impl AsyncFnOnce(&mut Samples) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let began = Instant::now();
    let result = work(out).await;
    out.set_phase(Metric::WebsocketDuration, phase, began.elapsed().as_secs_f64());
    result
}
