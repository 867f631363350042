//! Peers of every prober that never say the same thing twice: what of their words gets into labels shows itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::support::certs::Certs;
use crate::support::http::{Server, serve, serve_tls};
use crate::support::server;

/// How often anybody was asked.
#[derive(Clone, Default)]
pub(super) struct Count(Arc<AtomicU32>);

impl Count {
    fn next(&self) -> u32 {
        self.0.fetch_add(1, Ordering::Relaxed)
    }
}

fn page(number: u32) -> String {
    let body = format!("{{\"number\": {number}, \"text\": \"number-{number}\"}}");
    format!(
        "HTTP/1.1 200 Fine-{number}\r\nContent-Length: {}\r\nLast-Modified: Mon, 23 Nov 2026 10:00:{:02} GMT\r\n\
         X-Number-{number}: {number}\r\nSet-Cookie: c{number}={number}\r\n\r\n{body}",
        body.len(),
        number % 60
    )
}

/// A web server that counts.
pub(super) async fn web(count: &Count) -> Server {
    let count = count.clone();
    serve(move |_: &str| page(count.next())).await
}

/// The same over TLS.
pub(super) async fn secure_web(count: &Count, certs: &Certs) -> Server {
    let count = count.clone();
    serve_tls(certs.acceptor(), move |_: &str| page(count.next())).await
}

/// Greets everybody with a number and another word.
pub(super) async fn greeter(count: &Count) -> String {
    let count = count.clone();
    server(move |mut stream| {
        let number = count.next();
        async move {
            let _ = stream.write_all(format!("220 id-{number} ESMTP\r\n+PONG\r\n").as_bytes()).await;
            let _ = stream.read_to_end(&mut Vec::new()).await;
        }
    })
    .await
}

/// A clamd that gets new signatures all the time.
pub(super) async fn scanner(count: &Count) -> String {
    let count = count.clone();
    server(move |mut stream| {
        let number = count.next();
        async move {
            let mut asked = [0; 512];
            let length = stream.read(&mut asked).await.unwrap_or_default();
            let answer = match &asked[..length] {
                asked if asked.starts_with(b"zPING") => "PONG\0".to_owned(),
                asked if asked.starts_with(b"zVERSION") => {
                    format!("ClamAV 1.0.{number}/27{:03}/Mon Nov 23 08:40:55 2026\0", number % 1000)
                }
                _ => format!("stream: Eicar-{number} FOUND\0"),
            };
            let _ = stream.write_all(answer.as_bytes()).await;
            let _ = stream.read_to_end(&mut Vec::new()).await;
        }
    })
    .await
}
