//! What the tests of the server share: a server in this process, and an HTTP client that sends exactly what it is told.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sla_exporter::app::App;
use sla_exporter::reload::Reloader;
use sla_exporter::server::{self, WebConfig};
use sla_exporter::watch::Stamps;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use crate::support::exporter;

/// No answer within this is a fault, however slow the machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A small configuration: one function, a probe that is not due for minutes.
pub(crate) const SMALL: &str = "site: here
contract:
  name: c
  title: {ja: 契約, en: A contract}
  timezone: Asia/Tokyo
  functions: {f: {title: {ja: 機能, en: A function}, objective: 99, capabilities: {a: {quorum: all}}}}
modules: {tcp: {prober: tcp, timeout: 1s}}
probes: [{name: p, module: tcp, targets: [\"127.0.0.1:1\"], interval: 5m, evidence: f/a}]
";

/// A server in this process; it ends when dropped.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) app: Arc<App>,
    pub(crate) config: PathBuf,
    shutdown: CancellationToken,
    _folder: tempfile::TempDir,
}

impl Server {
    /// Serves `config` in the open; nothing is probed yet.
    pub(crate) fn start(config: &str) -> Self {
        Self::start_with(config, WebConfig::open())
    }

    pub(crate) fn start_with(config: &str, web: WebConfig) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("sla.yml");
        std::fs::write(&file, config).unwrap();
        let app = exporter::exporter(&file);
        let reloader = Reloader::new(Arc::clone(&app), Stamps::default());
        let listener = server::listen("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shutdown = CancellationToken::new();
        server::start(vec![listener], Arc::clone(&app), reloader, Arc::new(web), shutdown.clone());
        Self { address, app, config: file, shutdown, _folder: folder }
    }

    /// Starts probing.
    pub(crate) fn run(&self) {
        self.app.run(self.shutdown.clone());
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.request("GET", path, &[]).await
    }

    pub(crate) async fn request(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
        let stream = TcpStream::connect(self.address).await.unwrap();
        request(stream, method, path, headers).await.unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

/// An answer as it came.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

/// One request on a connection of its own.
pub(crate) async fn request<S>(
    mut stream: S,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
) -> std::io::Result<Answer>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let head = format!("{method} {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n{headers}\r\n");
    stream.write_all(head.as_bytes()).await?;
    read(stream).await
}

/// Everything until the other side closes.
pub(crate) async fn read(mut stream: impl AsyncRead + Unpin) -> std::io::Result<Answer> {
    let mut bytes = Vec::new();
    let end = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut bytes)).await;
    match end.expect("an answer in time") {
        // A peer that is done may close without TLS's goodbye.
        Err(error) if error.kind() != std::io::ErrorKind::UnexpectedEof || bytes.is_empty() => return Err(error),
        _ => {}
    }
    let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else {
        return Err(std::io::ErrorKind::UnexpectedEof.into());
    };
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let headers = lines.map(|line| line.split_once(": ").unwrap()).map(|(k, v)| (k.to_owned(), v.to_owned())).collect();
    Ok(Answer { status, headers, body: bytes[end + 4..].to_vec() })
}

/// Writes a file of a test.
pub(crate) fn write(folder: &Path, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, content).unwrap();
    path
}
