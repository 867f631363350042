//! A client that asks as Prometheus does: one connection kept open, compressed answers.

use std::io::Read as _;
use std::time::Duration;

use bytes::Bytes;
use flate2::read::GzDecoder;
use http_body_util::{BodyExt as _, Empty};
use hyper::Request;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::Instant;

/// What Prometheus 2.42 sends.
const ACCEPT: &str = "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,\
                      text/plain;version=0.0.4;q=0.5,*/*;q=0.1";

pub(crate) struct Client {
    port: u16,
    sender: Option<SendRequest<Empty<Bytes>>>,
}

/// An answer, uncompressed.
pub(crate) struct Answer {
    pub(crate) text: String,
    /// As it came over the wire.
    pub(crate) wire_bytes: usize,
    pub(crate) took: Duration,
}

impl Client {
    pub(crate) fn new(port: u16) -> Self {
        Self { port, sender: None }
    }

    pub(crate) async fn get(&mut self, path: &str) -> Option<Answer> {
        self.ask("GET", path).await
    }

    /// `None` for anything but a whole answer 200.
    pub(crate) async fn ask(&mut self, method: &str, path: &str) -> Option<Answer> {
        let started = Instant::now();
        if self.sender.as_ref().is_none_or(SendRequest::is_closed) {
            let stream = TcpStream::connect(("127.0.0.1", self.port)).await.ok()?;
            let _ = stream.set_nodelay(true);
            let (sender, connection) = handshake(TokioIo::new(stream)).await.ok()?;
            tokio::spawn(connection);
            self.sender = Some(sender);
        }
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("Host", "localhost")
            .header("Accept", ACCEPT)
            .header("Accept-Encoding", "gzip")
            .header("User-Agent", "Prometheus/2.42.0")
            .header("X-Prometheus-Scrape-Timeout-Seconds", "5")
            .body(Empty::new())
            .unwrap();
        let response = self.sender.as_mut()?.send_request(request).await.ok()?;
        let good = response.status() == 200;
        let gzip = response.headers().get("content-encoding").is_some_and(|value| value == "gzip");
        let body = response.into_body().collect().await.ok()?.to_bytes();
        let took = started.elapsed();
        let mut text = String::new();
        if gzip {
            GzDecoder::new(&body[..]).read_to_string(&mut text).ok()?;
        } else {
            text = String::from_utf8(body.to_vec()).ok()?;
        }
        good.then_some(Answer { text, wire_bytes: body.len(), took })
    }
}

/// The sum of a family's samples on a page.
pub(crate) fn sum(page: &str, family: &str) -> f64 {
    page.lines()
        .filter_map(|line| line.strip_prefix(family))
        .filter(|rest| rest.starts_with(['{', ' ']))
        .filter_map(|rest| rest.rsplit(' ').next()?.parse::<f64>().ok())
        .sum()
}
