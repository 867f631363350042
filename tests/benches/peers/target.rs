//! What is probed: one server behind a thousand loopback addresses.

use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::kind::Kind;

const ANSWER: &[u8] =
    b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 3\r\nConnection: close\r\n\r\nok\n";

/// Targets of one kind, answering until they are dropped.
pub(crate) struct Targets {
    pub(crate) list: Vec<String>,
    /// The authority of the TLS targets.
    pub(crate) ca_file: String,
    server: Option<tokio::task::JoinHandle<()>>,
}

impl Drop for Targets {
    fn drop(&mut self) {
        if let Some(server) = &self.server {
            server.abort();
        }
    }
}

impl Targets {
    pub(crate) async fn start(kind: Kind, count: usize, folder: &Path) -> Self {
        let ca_file = folder.join("ca.pem");
        if kind == Kind::Icmp {
            let list = (0..count).map(|i| address(i).to_string()).collect();
            return Self { list, ca_file: ca_file.display().to_string(), server: None };
        }
        let listener = listen();
        let port = listener.local_addr().unwrap().port();
        let acceptor = (kind == Kind::Https).then(|| acceptor(&ca_file));
        let server = tokio::spawn(async move {
            loop {
                // Out of descriptors at worst: the next connection may do.
                let Ok((stream, _)) = listener.accept().await else { continue };
                let acceptor = acceptor.clone();
                tokio::spawn(async move { serve(stream, acceptor, kind).await });
            }
        });
        let scheme = match kind {
            Kind::Http => "http://",
            Kind::Https => "https://",
            _ => "",
        };
        let path = if scheme.is_empty() { "" } else { "/" };
        let list = (0..count).map(|i| format!("{scheme}{}:{port}{path}", address(i))).collect();
        Self { list, ca_file: ca_file.display().to_string(), server: Some(server) }
    }
}

/// An address each: a client has 28 000 ports towards one, and a closed connection keeps its port for a minute.
fn address(i: usize) -> Ipv4Addr {
    let octet = |n: usize| u8::try_from(n).expect("at most 60 000 targets");
    Ipv4Addr::new(127, 0, octet(i / 250 + 1), octet(i % 250 + 1))
}

fn listen() -> TcpListener {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((Ipv4Addr::UNSPECIFIED, 0).into()).unwrap();
    socket.listen(4096).unwrap()
}

async fn serve(stream: TcpStream, acceptor: Option<TlsAcceptor>, kind: Kind) {
    let _ = stream.set_nodelay(true);
    match acceptor {
        // A port is open: that is all a plain `tcp` module looks at.
        None if kind == Kind::Tcp => {}
        None => answer(stream).await,
        Some(acceptor) => {
            if let Ok(stream) = acceptor.accept(stream).await {
                answer(stream).await;
            }
        }
    }
}

async fn answer<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S) {
    let mut buffer = [0; 2048];
    let mut used = 0;
    while !buffer[..used].ends_with(b"\r\n\r\n") {
        match stream.read(&mut buffer[used..]).await {
            Ok(read) if read > 0 => used += read,
            _ => return,
        }
    }
    let _ = stream.write_all(ANSWER).await;
    let _ = stream.shutdown().await;
}

fn acceptor(ca_file: &Path) -> TlsAcceptor {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca_key = KeyPair::generate().unwrap();
    std::fs::write(ca_file, params.self_signed(&ca_key).unwrap().pem()).unwrap();
    let issuer = Issuer::new(params, ca_key);
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec!["bench.test".to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}
