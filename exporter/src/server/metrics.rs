//! `/metrics`: the page in the format asked for, compressed where that was asked for.
//!
//! Rendering and compression run off the async threads. A fixed number of pages exists at once, counted
//! until the last byte is sent: slow readers cost a place, not memory without end.

use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use hyper::header::{CONTENT_ENCODING, HeaderValue, RETRY_AFTER, VARY};
use hyper::{HeaderMap, StatusCode};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

use super::{Site, negotiate, reply};

/// Pages that exist at once, those being sent included.
pub(super) const PAGES: usize = 4;
/// How long a scrape waits for a place: less than any scrape timeout in use.
const WAIT: Duration = Duration::from_secs(5);

/// How long it waits before it asks for room.
const TURN: Duration = Duration::from_millis(500);

/// Answers a scrape.
pub(super) async fn serve(site: &Site, headers: &HeaderMap) -> reply::Reply {
    let Some(place) = place(site).await else {
        let reply = reply::text(
            StatusCode::SERVICE_UNAVAILABLE,
            format!("{PAGES} scrapes are under way, and none ended within {} s; scrape less often", WAIT.as_secs()),
        );
        return reply::with_header(reply, RETRY_AFTER, "5");
    };
    let (format, gzip) = (negotiate::format(headers), negotiate::gzip(headers));
    let app = Arc::clone(&site.app);
    let rendered = tokio::task::spawn_blocking(move || {
        let mut page = app.render(format);
        if gzip {
            return compress(&page);
        }
        // It may wait for a slow reader: without the room it grew into.
        page.shrink_to_fit();
        page
    });
    let content = match rendered.await {
        Ok(content) => content,
        Err(error) => {
            tracing::error!(%error, "page of metrics not rendered");
            return reply::text(StatusCode::INTERNAL_SERVER_ERROR, "the page could not be rendered; the log says why");
        }
    };
    let mut reply = reply::with_type(StatusCode::OK, format.content_type(), content);
    reply.headers_mut().insert(VARY, HeaderValue::from_static("Accept, Accept-Encoding"));
    if gzip {
        reply.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    reply.body_mut().place = Some(place);
    reply
}

/// A place for one page; waiting for it, the slowest reader of one is given up.
async fn place(site: &Site) -> Option<OwnedSemaphorePermit> {
    let started = Instant::now();
    while started.elapsed() < WAIT {
        if let Ok(place) = tokio::time::timeout(TURN, Arc::clone(&site.pages).acquire_owned()).await {
            return place.ok();
        }
        site.connections.give_up_slowest_reader();
    }
    None
}

fn compress(page: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(page.len() / 8), Compression::fast());
    // Writing to memory does not fail.
    let _ = encoder.write_all(page);
    encoder.finish().unwrap_or_default()
}
