//! The HTTP server: metrics, probes on request, service discovery, landing page, health, readiness and reload.
//!
//! It answers from what the exporter knows and decides nothing. Not for: what is on the page (`app`),
//! probing, or the status page for customers.

pub mod listen;
pub mod negotiate;
pub mod web_config;

mod connection;
mod landing;
mod metrics;
mod probe;
mod reply;
mod route;
mod sd;
mod status;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::connection::Connections;
pub use self::listen::{ListenError, listen};
#[cfg(any(test, fuzzing))]
pub(crate) use self::probe::fuzz as fuzz_probe;
pub use self::web_config::WebConfig;
use crate::app::App;
use crate::reload::Reloader;

/// How long answers in flight may take after the shutdown began.
const GRACE: Duration = Duration::from_secs(3);
/// Pause after an error of `accept` that passes only when something else ends (out of file descriptors).
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What all connections answer from.
#[derive(Debug)]
pub(crate) struct Site {
    app: Arc<App>,
    reloader: Arc<Reloader>,
    web: Arc<WebConfig>,
    pages: Arc<Semaphore>,
    probes: Arc<Semaphore>,
    connections: Arc<Connections>,
}

/// Serves on `listeners` until `shutdown`, then finishes what is in flight, at most 3 s long.
pub fn start(
    listeners: Vec<TcpListener>,
    app: Arc<App>,
    reloader: Arc<Reloader>,
    web: Arc<WebConfig>,
    shutdown: CancellationToken,
) -> JoinHandle<()> {
    let connections = Arc::new(Connections::default());
    let pages = Arc::new(Semaphore::new(metrics::PAGES));
    let probes = Arc::new(Semaphore::new(probe::AT_ONCE));
    let site = Arc::new(Site { app, reloader, web, pages, probes, connections: Arc::clone(&connections) });
    let tasks = TaskTracker::new();
    let abort = CancellationToken::new();
    for listener in listeners {
        let (site, connections, shutdown) = (Arc::clone(&site), Arc::clone(&connections), shutdown.clone());
        let (abort, connection_tasks) = (abort.clone(), tasks.clone());
        tasks.spawn(async move {
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = accept(&listener, &site, &connections, &connection_tasks, &shutdown, &abort) => {}
            }
        });
    }
    tokio::spawn(async move {
        shutdown.cancelled().await;
        tasks.close();
        if tokio::time::timeout(GRACE, tasks.wait()).await.is_err() {
            tracing::warn!("answers in flight given up after {} s", GRACE.as_secs());
            abort.cancel();
            tasks.wait().await;
        }
    })
}

async fn accept(
    listener: &TcpListener,
    site: &Arc<Site>,
    connections: &Arc<Connections>,
    tasks: &TaskTracker,
    shutdown: &CancellationToken,
    abort: &CancellationToken,
) {
    let mut failing = false;
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                failing = false;
                let Some(place) = connections.enter() else {
                    tracing::debug!(%peer, "connection refused: all places are busy with requests");
                    continue;
                };
                let site = Arc::clone(site);
                tasks.spawn(connection::serve(stream, peer, site, place, shutdown.clone(), abort.clone()));
            }
            Err(error) if is_the_peers(&error) => {}
            Err(error) => {
                if !std::mem::replace(&mut failing, true) {
                    tracing::error!(%error, "no connection can be accepted; trying again until one can");
                }
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// The connection ended before it was accepted; that says nothing about the next one.
fn is_the_peers(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::Interrupted
    )
}
