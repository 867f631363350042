//! The `grpc` prober: one call of `grpc.health.v1.Health/Check`, gRPC's own health check.
//!
//! Options and metrics are blackbox_exporter's. A connection per run and none kept. Not for calls of other services: what
//! they answer means something only to those who know them.

mod call;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;
mod health;
mod metadata;
mod status;
mod target;

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{CONTENT_TYPE, HeaderValue, TE, USER_AGENT};
use hyper::http::uri::{Authority, PathAndQuery, Scheme};
use hyper::{Method, Request, Uri};
use tokio::time::Instant;

use self::call::Fault;
use self::health::Health;
use self::metadata::{Metadata, Ready};
use self::status::Code;
use super::link::Link;
use super::net::{self, IpChoice};
use super::tls::{self, TlsSettings};
use super::{Failure, Metric, Reason, Samples, Section, Shared, endpoint};
use crate::config::decode::shorten;

/// The longest name of a service, in bytes.
const MAX_SERVICE: usize = 1024;
/// The largest number of gRPC's `grpc-timeout`.
const MAX_TIMEOUT: u128 = 99_999_999;

/// Settings of the section `grpc`.
#[derive(Debug)]
pub struct Settings {
    ip: IpChoice,
    source: Option<IpAddr>,
    /// Whose health is asked for; the whole server's where empty.
    service: String,
    tls: Option<TlsSettings>,
    metadata: Metadata,
}

impl Settings {
    /// Whether calls carry what only the target should see.
    pub(in crate::probe) fn sends_credentials(&self) -> bool {
        self.metadata.has_secrets()
    }
}

/// Reads the section `grpc` of a module.
pub fn decode(mut map: Section<'_>) -> Option<Settings> {
    let ip = IpChoice::decode(&mut map);
    let source = net::source_ip_address(&mut map);
    let service = map.get("service").map_or(Some(String::new()), |c| {
        let text = c.string()?;
        if text.len() > MAX_SERVICE {
            return c.error(format_args!("a name of {} bytes; at most {MAX_SERVICE} are sent", text.len()));
        }
        Some(text)
    });
    let secure = map.get("tls").map_or(Some(false), |c| c.bool());
    let tls_config = map.get("tls_config");
    if let (Some(cursor), Some(false)) = (&tls_config, secure) {
        cursor.warn("has no effect: `tls` is not true");
    }
    let tls = if secure == Some(true) || tls_config.is_some() {
        tls::decode(tls_config, &[b"h2"]).map(|tls| Some(tls).filter(|_| secure == Some(true)))
    } else {
        Some(None)
    };
    let metadata = Metadata::decode(&mut map);
    map.finish();
    secure?;
    Some(Settings { ip: ip?, source: source?, service: service?, tls: tls?, metadata: metadata? })
}

/// Why a target cannot be probed with these settings.
///
/// # Errors
/// With what was found and what is accepted.
pub fn check_target(settings: &Settings, target: &str) -> Result<(), String> {
    target::parse(target, settings.tls.is_some())?.fits(settings.ip)
}

/// One attempt of at most `timeout`; `hostname` is whom the server is asked for, and the certificate's name where `tls_config` has
/// no `server_name`.
///
/// # Errors
/// `dns`, `refused`, `connect`, `reset`, `permission` and `internal` as they happen; `tls` and `certificate` for the handshake;
/// `protocol` for a peer that does not speak gRPC, `status` for a status other than OK and for a service that does not say
/// SERVING, `too_large` for an answer beyond its bound.
pub async fn run(
    settings: &Settings,
    target: &str,
    hostname: Option<&HeaderValue>,
    timeout: Duration,
    shared: &Shared,
    out: &mut Samples,
) -> Result<(), Failure> {
    for phase in ["resolve", "check"] {
        out.set_phase(Metric::GrpcDuration, phase, 0.0);
    }
    out.set(Metric::GrpcSsl, 0.0);
    out.set(Metric::GrpcStatusCode, f64::from(Code::UNAVAILABLE.number()));
    write_serving(None, out);
    let endpoint = target::parse(target, settings.tls.is_some()).map_err(|why| Failure::new(Reason::Internal, why))?;
    let authority = match hostname {
        Some(name) => Authority::try_from(name.as_bytes()).map_err(|why| why.to_string()),
        None => target::authority(&endpoint),
    };
    let authority = authority.map_err(|why| Failure::new(Reason::Internal, why))?;
    let name = hostname.and_then(endpoint::name_of).unwrap_or_else(|| endpoint.host.clone());
    let metadata = settings.metadata.read().await?;
    let began = Instant::now();
    let address = shared.resolver.resolve(&endpoint.host, settings.ip, out).await;
    out.set_phase(Metric::GrpcDuration, "resolve", began.elapsed().as_secs_f64());
    let address = SocketAddr::new(address?, endpoint.port);
    let began = Instant::now();
    let result = check(settings, &name, address, authority, metadata, timeout, out).await;
    out.set_phase(Metric::GrpcDuration, "check", began.elapsed().as_secs_f64());
    let serving = result?;
    write_serving(Some(serving), out);
    out.found(|| format!("{} says {}", named(&settings.service), serving.name()));
    match serving {
        Health::Serving => Ok(()),
        other => {
            let why = format_args!("{} says {} of itself", named(&settings.service), other.name());
            Err(Failure::new(Reason::Status, why))
        }
    }
}

/// From the connection to the answer.
async fn check(
    settings: &Settings,
    name: &str,
    address: SocketAddr,
    authority: Authority,
    metadata: Ready,
    timeout: Duration,
    out: &mut Samples,
) -> Result<Health, Failure> {
    out.stage("connecting");
    let mut link = Link::Plain(net::connect(address, settings.source).await?);
    if let Some(tls) = &settings.tls {
        link = link.into_tls(name, tls, out).await?;
        out.set(Metric::GrpcSsl, 1.0);
        if link.alpn() != Some(b"h2") {
            let why = "the peer did not agree to HTTP/2 (ALPN h2), without which today's gRPC clients hang up";
            return Err(Failure::new(Reason::Tls, why));
        }
    }
    let Ready { headers, secrets } = metadata;
    let scheme = if settings.tls.is_some() { Scheme::HTTPS } else { Scheme::HTTP };
    let uri =
        Uri::builder().scheme(scheme).authority(authority).path_and_query(PathAndQuery::from_static(health::METHOD));
    let request = uri.build().and_then(|uri| {
        let mut request = Request::builder()
            .method(Method::POST)
            .uri(uri)
            .body(Full::<Bytes>::from(health::question(&settings.service)))?;
        let all = request.headers_mut();
        *all = headers;
        all.insert(TE, HeaderValue::from_static("trailers"));
        all.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
        all.insert(USER_AGENT, HeaderValue::from_static(concat!("sla-exporter/", env!("CARGO_PKG_VERSION"))));
        // The server may stop when nobody waits any more.
        all.insert("grpc-timeout", HeaderValue::from_str(&format!("{}m", timeout.as_millis().clamp(1, MAX_TIMEOUT)))?);
        Ok(request)
    });
    let request = request.map_err(|error| Failure::new(Reason::Internal, error))?;
    match call::make(link, request, health::MAX_ANSWER, out).await {
        Ok(body) => {
            out.set(Metric::GrpcStatusCode, f64::from(Code::OK.number()));
            health::answer(&body)
        }
        Err(Fault { code, status, failure }) => {
            out.set(Metric::GrpcStatusCode, f64::from(code.number()));
            let Some(status) = status else { return Err(failure) };
            let hint = match status.code.name() {
                "UNIMPLEMENTED" => ": it has no health service (grpc.health.v1.Health)",
                "NOT_FOUND" => ": it knows no service of that name, see the module's `service`",
                _ => "",
            };
            let message = secrets.excerpt(&status.message);
            let code = status.code.name();
            // The text comes last: it may be long, and is cut.
            let said = if message.is_empty() { String::new() } else { format!("; it says: {message}") };
            let why = format_args!("asked about {}, the server answered {code}{hint}{said}", named(&settings.service));
            Err(Failure::new(Reason::Status, why))
        }
    }
}

/// Sets one series for each thing a service can say.
fn write_serving(found: Option<Health>, out: &mut Samples) {
    for one in Health::ALL {
        let value = f64::from(u8::from(found == Some(one)));
        out.set_labelled(Metric::GrpcHealthcheckResponse, &[("serving_status", one.name())], value);
    }
}

fn named(service: &str) -> String {
    if service.is_empty() { "the server".to_owned() } else { format!("`{}`", shorten(service)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::testing;

    #[test]
    fn nothing_said_means_the_whole_server_without_tls() {
        let (settings, findings) = testing::read("{}", decode);
        let settings = settings.unwrap();
        assert!(settings.service.is_empty() && settings.tls.is_none() && !settings.sends_credentials());
        assert!(settings.ip.prefer_v6 && settings.ip.fallback);
        assert_eq!(findings, Vec::<String>::new());
    }

    #[test]
    fn what_does_not_fit_is_said_with_its_place() {
        for (yaml, message) in [
            ("{servce: a}", "unknown key `servce`; accepted here:"),
            ("{tls_config: {insecure_skip_verify: true}}", "warning: tls_config: has no effect: `tls` is not true"),
            ("{tls: perhaps}", "tls: "),
            ("{metadata: {te: [a]}}", "metadata.te: `te` belongs to the protocol"),
        ] {
            testing::finds(yaml, decode, message);
        }
        let long = format!("{{service: {}}}", "a".repeat(MAX_SERVICE + 1));
        testing::finds(&long, decode, "at most 1024 are sent");
    }
}
