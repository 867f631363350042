//! One connection from its handshake to its end, and how long each part of that may take.
//!
//! All bounds are here: a client that sends slowly, reads slowly or does neither is cut off, and with
//! the table full the connection idle for longest makes room for a new one.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{Site, route};

/// Connections open at once; beyond it an idle one is closed for each new one.
const CONNECTIONS: usize = 512;
/// The TLS handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// From the handshake to the end of the first request's headers.
const FIRST_REQUEST: Duration = Duration::from_secs(10);
/// Between two requests, the headers of the second included: more than the longest scrape interval in use.
const IDLE: Duration = Duration::from_secs(180);
/// From a request's headers to the last byte of its answer.
const REQUEST: Duration = Duration::from_secs(30);
/// The same while others wait for the memory of its answer: Prometheus' default scrape timeout.
const PATIENCE_WHEN_FULL: Duration = Duration::from_secs(10);
/// Request line and headers together, in bytes; the answer is 431 beyond it.
const HEADERS: u16 = 16 * 1024;

/// All open connections.
#[derive(Debug, Default)]
pub(super) struct Connections {
    open: Mutex<Table>,
}

#[derive(Debug, Default)]
struct Table {
    next: u64,
    open: HashMap<u64, Arc<Activity>>,
}

/// A connection's place in the table; given back when dropped.
#[derive(Debug)]
pub(super) struct Place {
    connections: Arc<Connections>,
    number: u64,
    activity: Arc<Activity>,
}

/// What a connection is doing.
#[derive(Debug)]
struct Activity {
    state: Mutex<State>,
    evicted: CancellationToken,
}

#[derive(Debug)]
struct State {
    /// Accepted, or the last answer was sent.
    idle_since: Instant,
    /// Requests whose answers are not sent, oldest first.
    requests: Vec<Request>,
    /// Requests so far.
    count: u64,
}

#[derive(Debug)]
struct Request {
    number: u64,
    start: Instant,
    /// From the start to the last byte of the answer.
    limit: Duration,
}

impl Connections {
    /// A place for a new connection; `None` when all places are busy with requests.
    pub(super) fn enter(self: &Arc<Self>) -> Option<Place> {
        let mut table = lock(&self.open);
        if table.open.len() >= CONNECTIONS {
            let idle = table.open.iter().filter_map(|(number, a)| Some((a.idle_since()?, *number))).min();
            let (_, number) = idle?;
            if let Some(activity) = table.open.remove(&number) {
                activity.evicted.cancel();
            }
        }
        table.next += 1;
        let number = table.next;
        let activity = Arc::new(Activity::new(Instant::now()));
        table.open.insert(number, Arc::clone(&activity));
        Some(Place { connections: Arc::clone(self), number, activity })
    }
}

impl Connections {
    /// Closes the connection whose client has been reading an answer for longest, if that is too long for a
    /// client that wants it: the answer's memory is needed for others.
    pub(super) fn give_up_slowest_reader(&self) {
        let table = lock(&self.open);
        let slowest = table.open.iter().filter_map(|(number, a)| Some((a.busy_since()?, *number))).min();
        if let Some((since, number)) = slowest
            && since.elapsed() >= PATIENCE_WHEN_FULL
            && let Some(activity) = table.open.get(&number)
        {
            activity.evicted.cancel();
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        lock(&self.connections.open).open.remove(&self.number);
    }
}

impl Activity {
    fn new(now: Instant) -> Self {
        let state = State { idle_since: now, requests: Vec::new(), count: 0 };
        Self { state: Mutex::new(state), evicted: CancellationToken::new() }
    }

    /// Begins a request that may take `extra` beside what every request may; it lasts until the returned guard is dropped.
    fn begin(self: &Arc<Self>, extra: Duration) -> InFlight {
        let mut state = lock(&self.state);
        state.count += 1;
        let number = state.count;
        state.requests.push(Request { number, start: Instant::now(), limit: REQUEST + extra });
        InFlight { activity: Arc::clone(self), number }
    }

    fn idle_since(&self) -> Option<Instant> {
        let state = lock(&self.state);
        state.requests.is_empty().then_some(state.idle_since)
    }

    fn busy_since(&self) -> Option<Instant> {
        // One that may take longer than others is not reading: it has no answer yet.
        lock(&self.state).requests.iter().find(|request| request.limit == REQUEST).map(|request| request.start)
    }

    /// When the connection is cut off unless something happens before.
    fn deadline(&self) -> Instant {
        let state = lock(&self.state);
        match state.requests.iter().map(|request| request.start + request.limit).min() {
            Some(end) => end,
            None if state.count == 0 => state.idle_since + FIRST_REQUEST,
            None => state.idle_since + IDLE,
        }
    }
}

/// A request whose answer is not completely sent.
struct InFlight {
    activity: Arc<Activity>,
    number: u64,
}

impl Drop for InFlight {
    fn drop(&mut self) {
        let mut state = lock(&self.activity.state);
        state.requests.retain(|request| request.number != self.number);
        state.idle_since = Instant::now();
    }
}

/// Serves one accepted connection until it ends, runs over a bound, or `abort`; after `shutdown` it
/// finishes what is in flight and takes no further request.
pub(super) async fn serve(
    stream: TcpStream,
    peer: SocketAddr,
    site: Arc<Site>,
    place: Place,
    shutdown: CancellationToken,
    abort: CancellationToken,
) {
    let evicted = place.activity.evicted.clone();
    tokio::select! {
        () = abort.cancelled() => {}
        () = evicted.cancelled() => tracing::debug!(%peer, "connection closed to make room"),
        () = secured(stream, peer, site, &place, shutdown) => {}
    }
}

async fn secured(stream: TcpStream, peer: SocketAddr, site: Arc<Site>, place: &Place, shutdown: CancellationToken) {
    // A page is written in one go; waiting to fill packets only delays its end.
    let _ = stream.set_nodelay(true);
    let web = site.web.current();
    let Some(acceptor) = web.acceptor() else {
        return exchange(stream, peer, site, place, shutdown, web.http2).await;
    };
    let handshake = tokio::select! {
        () = shutdown.cancelled() => return,
        handshake = tokio::time::timeout(HANDSHAKE, acceptor.accept(stream)) => handshake,
    };
    match handshake {
        Ok(Ok(stream)) => {
            let http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
            exchange(stream, peer, site, place, shutdown, http2).await;
        }
        Ok(Err(error)) => tracing::debug!(%peer, %error, "TLS handshake failed"),
        Err(_) => tracing::debug!(%peer, "TLS handshake took longer than {} s", HANDSHAKE.as_secs()),
    }
}

/// Requests and answers on a connection that is ready for them.
async fn exchange<S>(
    stream: S,
    peer: SocketAddr,
    site: Arc<Site>,
    place: &Place,
    shutdown: CancellationToken,
    http2: bool,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let activity = &place.activity;
    let service = service_fn(|request| {
        let in_flight = activity.begin(route::extra_time(&request));
        let site = Arc::clone(&site);
        async move {
            let reply = route::respond(&site, &request).await;
            Ok::<_, Infallible>(reply.map(|payload| payload.into_body(in_flight)))
        }
    });
    let builder = builder(http2);
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
    let mut closing = false;
    loop {
        let deadline = activity.deadline();
        tokio::select! {
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!(%peer, error, "connection ended early");
                }
                return;
            }
            () = shutdown.cancelled(), if !closing => {
                closing = true;
                connection.as_mut().graceful_shutdown();
            }
            () = tokio::time::sleep_until(deadline) => {
                if activity.deadline() <= Instant::now() {
                    tracing::debug!(%peer, "connection closed: nothing came or went for too long");
                    return;
                }
            }
        }
    }
}

fn builder(http2: bool) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    // No timeouts of hyper's own: it does not tell waiting for a request from waiting for its rest.
    builder.http1().max_buf_size(HEADERS.into()).header_read_timeout(None);
    builder
        .http2()
        .max_concurrent_streams(16)
        .max_header_list_size(HEADERS.into())
        .initial_stream_window_size(64 * 1024)
        .initial_connection_window_size(256 * 1024);
    if http2 { builder } else { builder.http1_only() }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn each_stretch_has_its_own_bound() {
        let start = Instant::now();
        let activity = Arc::new(Activity::new(start));
        assert_eq!(activity.deadline(), start + FIRST_REQUEST);
        tokio::time::advance(Duration::from_secs(5)).await;
        let first = activity.begin(Duration::ZERO);
        tokio::time::advance(Duration::from_secs(1)).await;
        let second = activity.begin(Duration::ZERO);
        assert_eq!(activity.deadline(), start + Duration::from_secs(5) + REQUEST, "the oldest request counts");
        assert_eq!(activity.idle_since(), None);
        drop(first);
        assert_eq!(activity.deadline(), start + Duration::from_secs(6) + REQUEST);
        drop(second);
        assert_eq!(activity.deadline(), start + Duration::from_secs(6) + IDLE);
    }

    #[tokio::test(start_paused = true)]
    async fn a_full_table_gives_up_the_connection_idle_for_longest() {
        let connections = Arc::new(Connections::default());
        let mut places = Vec::new();
        for _ in 0..CONNECTIONS {
            places.push(connections.enter().unwrap());
            tokio::time::advance(Duration::from_millis(1)).await;
        }
        let busy = places[0].activity.begin(Duration::ZERO);
        let newcomer = connections.enter().unwrap();
        let evicted: Vec<_> = places.iter().map(|place| place.activity.evicted.is_cancelled()).collect();
        assert!(!evicted[0], "a busy connection stays");
        assert!(evicted[1], "the one idle for longest goes");
        assert_eq!(evicted.iter().filter(|e| **e).count(), 1);
        drop((busy, newcomer, places));
        assert_eq!(lock(&connections.open).open.len(), 0, "places are given back");
    }

    #[tokio::test(start_paused = true)]
    async fn only_a_reader_that_took_too_long_is_given_up() {
        let connections = Arc::new(Connections::default());
        let places: Vec<_> = (0..3).map(|_| connections.enter().unwrap()).collect();
        let slow = places[1].activity.begin(Duration::ZERO);
        tokio::time::advance(Duration::from_secs(1)).await;
        let other = places[2].activity.begin(Duration::ZERO);
        let evicted = || places.iter().map(|place| place.activity.evicted.is_cancelled()).collect::<Vec<_>>();
        tokio::time::advance(Duration::from_secs(8)).await;
        connections.give_up_slowest_reader();
        assert_eq!(evicted(), [false, false, false]);
        tokio::time::advance(Duration::from_secs(1)).await;
        connections.give_up_slowest_reader();
        assert_eq!(evicted(), [false, true, false]);
        drop((slow, other));
    }

    #[tokio::test(start_paused = true)]
    async fn a_table_full_of_requests_takes_nobody() {
        let connections = Arc::new(Connections::default());
        let places: Vec<_> = (0..CONNECTIONS).map(|_| connections.enter().unwrap()).collect();
        let busy: Vec<_> = places.iter().map(|place| place.activity.begin(Duration::ZERO)).collect();
        assert!(connections.enter().is_none());
        drop(busy);
        assert!(connections.enter().is_some());
    }
}
