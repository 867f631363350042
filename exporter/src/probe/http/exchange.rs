//! One request over one connection: connect, handshake, ask, judge the answer.
//!
//! The connection is driven by the task that asks, so a probe is one task. HTTP/2 alone needs a
//! second one, which ends with the exchange.

mod driver;
mod fault;

use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body as _, Incoming};
use hyper::header::{CONTENT_LENGTH, HeaderMap, LAST_MODIFIED};
use hyper::http::response::Parts;
use hyper::{Response, Version};
use hyper_util::rt::TokioIo;
use tokio::time::Instant;

pub(in crate::probe) use self::driver::{Driver, Tasks};
pub(crate) use self::fault::socket_error;
use super::body::Reader;
use super::hop::Hop;
use super::proxy::Via;
use super::redirect::{self, Step};
use super::settings::Settings;
use super::transport::Transport;
use crate::probe::net::{self, Resolver};
use crate::probe::{Failure, Metric, Samples, tls};

/// Bytes of header that are read, all headers together.
const MAX_HEADER_BYTES: usize = 64 << 10;
/// Bytes of body an HTTP/2 peer may send ahead.
const WINDOW: u32 = 256 << 10;

/// What an answer leads to.
#[derive(Debug)]
pub(super) enum Outcome {
    /// It is the final one, and as it should be; or, whatever it is, handed over.
    Final(Option<Box<Answer>>),
    /// It points elsewhere.
    Redirect(Step),
}

/// A final answer that is handed over; its body where it was kept.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) head: Parts,
    pub(super) body: Vec<u8>,
}

/// Sends the request of `hop` and judges the answer.
///
/// # Errors
/// With the reason the attempt failed.
pub(super) async fn send(
    settings: &Settings,
    hop: &mut Hop<'_>,
    resolver: &Resolver,
    out: &mut Samples,
) -> Result<Outcome, Failure> {
    let secure = hop.url.scheme() == "https";
    let via = settings.proxy.for_url(&hop.url)?;
    let address = match &via {
        None => {
            let port = hop.url.port_or_known_default().unwrap_or(80);
            SocketAddr::new(resolve(settings, hop, resolver, out).await?, port)
        }
        Some(via) => {
            if !settings.proxy.skip_resolve {
                resolve(settings, hop, resolver, out).await?;
            }
            out.stage("resolving the proxy's name");
            let address = resolver.resolve(via.host(), settings.ip, &mut Samples::new()).await?;
            SocketAddr::new(address, via.port())
        }
    };
    let transport = connect(settings, hop, address, via.as_ref(), secure, out).await?;
    // Within a tunnel nothing is different.
    let via = via.filter(|via| !via.tunnels(secure));
    let io = TokioIo::new(transport);
    if io.inner().is_http2() {
        let request = hop.request(true, None)?;
        let began = Instant::now();
        out.stage("waiting for the response");
        let tasks = Tasks::default();
        let (io, note) = tls::Noted::new(io.into_inner());
        let (mut sender, connection) = hyper::client::conn::http2::Builder::new(tasks.executor())
            .max_header_list_size(u32::try_from(MAX_HEADER_BYTES).unwrap_or(u32::MAX))
            .initial_stream_window_size(WINDOW)
            .initial_connection_window_size(WINDOW)
            .handshake(TokioIo::new(io))
            .await
            .map_err(|error| fault::explain(&error))?;
        let mut driver = Driver::new(connection).noting(note);
        let answer = driver.with(sender.send_request(request)).await;
        answered(settings, hop, &mut driver, answer, began, out).await
    } else {
        over_http1(settings, hop, via.as_ref(), io, out).await
    }
}

/// Asks over a connection that is there.
pub(super) async fn over_http1(
    settings: &Settings,
    hop: &mut Hop<'_>,
    via: Option<&Via<'_>>,
    io: impl hyper::rt::Read + hyper::rt::Write + Unpin,
    out: &mut Samples,
) -> Result<Outcome, Failure> {
    let request = hop.request(false, via)?;
    let began = Instant::now();
    out.stage("waiting for the response");
    let (mut sender, connection) = hyper::client::conn::http1::Builder::new()
        .max_buf_size(MAX_HEADER_BYTES)
        // As most clients write them: some servers of old compare names letter by letter.
        .title_case_headers(true)
        .handshake::<_, Full<Bytes>>(io)
        .await
        .map_err(|error| fault::explain(&error))?;
    let mut driver = Driver::new(connection);
    let answer = driver.with(sender.send_request(request)).await;
    answered(settings, hop, &mut driver, answer, began, out).await
}

async fn resolve(
    settings: &Settings,
    hop: &mut Hop<'_>,
    resolver: &Resolver,
    out: &mut Samples,
) -> Result<IpAddr, Failure> {
    if let Some(address) = hop.address {
        return Ok(address);
    }
    let host = hop.url.host_str().unwrap_or_default();
    let began = Instant::now();
    let first = out.value(Metric::DnsLookupTime, None).is_none();
    let result = if first {
        resolver.resolve(host, settings.ip, out).await
    } else {
        // As in blackbox_exporter, the address metrics are about the target, not about where it redirects to.
        out.stage("resolving the name of a redirect");
        resolver.resolve(host, settings.ip, &mut Samples::new()).await
    };
    out.add_phase(Metric::HttpDuration, "resolve", began.elapsed().as_secs_f64());
    let address = result?;
    hop.address = Some(address);
    Ok(address)
}

async fn connect(
    settings: &Settings,
    hop: &Hop<'_>,
    address: SocketAddr,
    via: Option<&Via<'_>>,
    secure: bool,
    out: &mut Samples,
) -> Result<Transport, Failure> {
    out.stage("connecting");
    let began = Instant::now();
    let mut stream = net::connect(address, settings.source).await?;
    if let Some(via) = via.filter(|via| via.tunnels(secure)) {
        out.stage("waiting for the proxy to connect");
        let host = hop.url.host_str().unwrap_or_default();
        stream = via.tunnel(stream, host, hop.url.port_or_known_default().unwrap_or(443)).await?;
    }
    out.add_phase(Metric::HttpDuration, "connect", began.elapsed().as_secs_f64());
    if !secure {
        return Ok(Transport::Plain(stream));
    }
    let began = Instant::now();
    let (name, with_server_name) = hop.tls_name();
    let result = if with_server_name {
        tls::handshake(stream, name, &settings.tls, out).await
    } else {
        tls::handshake_named(stream, name, &settings.tls, out).await
    };
    out.add_phase(Metric::HttpDuration, "tls", began.elapsed().as_secs_f64());
    Ok(Transport::Tls(Box::new(result?)))
}

/// Judges what came back, headers first.
async fn answered<C>(
    settings: &Settings,
    hop: &mut Hop<'_>,
    driver: &mut Driver<C>,
    answer: hyper::Result<Response<Incoming>>,
    began: Instant,
    out: &mut Samples,
) -> Result<Outcome, Failure>
where
    C: Future<Output = hyper::Result<()>>,
{
    let (head, body) = answer.map_err(|error| driver.explain(&error))?.into_parts();
    let secure = hop.url.scheme() == "https";
    out.add_phase(Metric::HttpDuration, "processing", began.elapsed().as_secs_f64());
    out.set(Metric::HttpStatusCode, f64::from(head.status.as_u16()));
    out.set(Metric::HttpSsl, f64::from(u8::from(secure)));
    out.found(|| format!("{:?} {}", head.version, head.status));
    write_head(&head, &body, out);
    if redirect::points_elsewhere(head.status, &head.headers) {
        let met = out.value(Metric::HttpRedirects, None).unwrap_or_default();
        out.set(Metric::HttpRedirects, met + 1.0);
        if settings.follow_redirects {
            hop.cookies.take(&head.headers, &hop.url);
            let step = redirect::step(head.status, &head.headers, hop)?;
            out.found(|| format!("redirected to {}", redirect::place(&step.url)));
            return Ok(Outcome::Redirect(step));
        }
        if let Ok(step) = redirect::step(head.status, &head.headers, hop) {
            out.found(|| format!("a redirect to {}, not followed", redirect::place(&step.url)));
        }
    }
    if let Some(seconds) = head.headers.get(LAST_MODIFIED).and_then(|value| moment(value.to_str().ok()?)) {
        out.set(Metric::HttpLastModified, seconds);
    }
    let assertions = &settings.assertions;
    if settings.hand_over.is_none() {
        assertions.check_head(head.status, head.version, secure)?;
        mark(Metric::FailedDueToRegex, assertions.check_headers(&head.headers), out)?;
    }

    out.stage("reading the body");
    let began = Instant::now();
    let read = read_body(settings, driver, body, out).await;
    out.add_phase(Metric::HttpDuration, "transfer", began.elapsed().as_secs_f64());
    let body = read?;
    if settings.hand_over.is_some() {
        return Ok(Outcome::Final(Some(Box::new(Answer { head, body }))));
    }
    let body = Bytes::from(body);
    if assertions.searches_body() {
        out.stage("searching the body");
        mark(Metric::FailedDueToRegex, assertions.check_body(&body).await, out)?;
    }
    if assertions.has_cel() {
        out.stage("evaluating the CEL expression");
        mark(Metric::FailedDueToCel, assertions.check_json(&body, out.is_of_request()).await, out)?;
    }
    Ok(Outcome::Final(None))
}

/// Marks what a failure is due to.
fn mark(metric: Metric, result: Result<(), Failure>, out: &mut Samples) -> Result<(), Failure> {
    if result.is_err() {
        out.set(metric, 1.0);
    }
    result
}

/// What is known of any answer: also of a redirect, which stays the last answer where it leads nowhere.
fn write_head(head: &Parts, body: &Incoming, out: &mut Samples) {
    out.set(
        Metric::HttpVersion,
        match head.version {
            Version::HTTP_2 => 2.0,
            Version::HTTP_10 => 1.0,
            _ => 1.1,
        },
    );
    // exact up to 8 petabytes
    let length = match content_length(&head.headers) {
        Some(length) => length as f64,
        None if body.is_end_stream() => 0.0,
        None => -1.0,
    };
    out.set(Metric::HttpContentLength, length);
}

fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.trim().parse().ok()
}

/// An HTTP date in seconds since the epoch.
// whole seconds of this era are exact
fn moment(text: &str) -> Option<f64> {
    static PARSER: jiff::fmt::rfc2822::DateTimeParser = jiff::fmt::rfc2822::DateTimeParser::new().relaxed_weekday(true);
    PARSER.parse_timestamp(text).ok().map(|moment| moment.as_second() as f64)
}

/// Reads the body to its end; its bytes come back where assertions need them.
async fn read_body<C>(
    settings: &Settings,
    driver: &mut Driver<C>,
    mut body: Incoming,
    out: &mut Samples,
) -> Result<Vec<u8>, Failure>
where
    C: Future<Output = hyper::Result<()>>,
{
    let keep = settings.hand_over.unwrap_or_else(|| settings.assertions.needs_body());
    let mut reader = Reader::new(settings.body_limit, settings.compression, keep);
    // A length that is announced too large is not read at all.
    if body.size_hint().exact().is_some_and(|length| length > settings.body_limit) {
        return Err(reader.too_large());
    }
    while let Some(frame) = driver.with(body.frame()).await {
        let frame = frame.map_err(|error| driver.explain(&error))?;
        if let Ok(data) = frame.into_data() {
            reader.take(data).await?;
        }
    }
    let (length, kept) = reader.finish()?;
    // bodies are bounded
    out.set(Metric::HttpUncompressedBodyLength, length as f64);
    // The goodbye of a connection that the peer closes anyway: said where it costs no waiting.
    driver.nudge().await;
    Ok(kept)
}
