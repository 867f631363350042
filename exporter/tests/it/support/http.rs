//! HTTP servers in bytes: what they are asked is kept, what they say is written out.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio_rustls::TlsAcceptor;

/// A running server.
pub(crate) struct Server {
    /// `127.0.0.1:port`.
    pub(crate) address: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// What it was asked so far: heads and bodies as they came.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    /// `http://address/path`
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

/// Answers each request with what `answer` makes of it, then closes.
pub(crate) async fn serve<A, B>(answer: A) -> Server
where
    A: Fn(&str) -> B + Send + Sync + 'static,
    B: Into<Vec<u8>>,
{
    start(None, answer).await
}

/// The same over TLS.
pub(crate) async fn serve_tls<A, B>(acceptor: TlsAcceptor, answer: A) -> Server
where
    A: Fn(&str) -> B + Send + Sync + 'static,
    B: Into<Vec<u8>>,
{
    start(Some(acceptor), answer).await
}

async fn start<A, B>(acceptor: Option<TlsAcceptor>, answer: A) -> Server
where
    A: Fn(&str) -> B + Send + Sync + 'static,
    B: Into<Vec<u8>>,
{
    let requests = Arc::new(Mutex::new(Vec::new()));
    let (kept, answer) = (Arc::clone(&requests), Arc::new(answer));
    let address = super::server(move |stream| {
        let (kept, answer, acceptor) = (Arc::clone(&kept), Arc::clone(&answer), acceptor.clone());
        async move {
            match acceptor {
                None => converse(stream, &kept, &*answer).await,
                Some(acceptor) => {
                    if let Ok(stream) = acceptor.accept(stream).await {
                        converse(stream, &kept, &*answer).await;
                    }
                }
            }
        }
    })
    .await;
    Server { address, requests }
}

async fn converse<S, A, B>(mut stream: S, kept: &Mutex<Vec<String>>, answer: &A)
where
    S: AsyncRead + AsyncWrite + Unpin,
    A: Fn(&str) -> B,
    B: Into<Vec<u8>>,
{
    let request = read_request(&mut stream).await;
    kept.lock().unwrap().push(request.clone());
    let bytes: Vec<u8> = answer(&request).into();
    let _ = stream.write_all(&bytes).await;
    let _ = stream.shutdown().await;
    let _ = stream.read_to_end(&mut Vec::new()).await;
}

/// One request, body included where it has a length.
pub(crate) async fn read_request<S: AsyncRead + Unpin>(stream: &mut S) -> String {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&bytes);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok())
                .unwrap_or(0);
            if body.len() >= length {
                return lower_names(head) + "\r\n\r\n" + body;
            }
        }
        match stream.read(&mut buffer).await {
            Ok(n) if n > 0 => bytes.extend_from_slice(&buffer[..n]),
            _ => return String::from_utf8_lossy(&bytes).into_owned(),
        }
    }
}

/// A request's head with its header names in small letters.
fn lower_names(head: &str) -> String {
    let line = |line: &str| match line.split_once(": ") {
        Some((name, value)) => format!("{}: {value}", name.to_ascii_lowercase()),
        None => line.to_owned(),
    };
    head.split("\r\n").map(line).collect::<Vec<_>>().join("\r\n")
}

/// An answer of a status, headers (each with its line end) and a body.
pub(crate) fn answer(status: u16, headers: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status} Text\r\nContent-Length: {}\r\n{headers}\r\n{body}", body.len()).into_bytes()
}
