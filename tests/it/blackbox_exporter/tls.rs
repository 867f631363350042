//! TLS, as `prober: http` has it: certificates that are refused, for each cause, handshakes that fail, versions, client
//! certificates, HTTP/2.

use std::convert::Infallible;
use std::sync::Arc;

use http_body_util::Full;
use hyper::Response;
use hyper::body::Bytes;
use hyper_util::rt::{TokioExecutor, TokioIo};

use super::Beside;
use super::exporters::Ends::{Down, Up};
use super::pki::{Leaf, Pki};
use super::servers::{http, serve, talker};

const TRUST: &str = "tls_config: {ca_file: FOLDER/ca.pem}";

const OLD: &[&rustls::SupportedProtocolVersion] = &[&rustls::version::TLS12];

/// A server that speaks HTTP/2; it ends with the process.
fn http2(pki: &Pki) -> u16 {
    let mut config = rustls::ServerConfig::clone(&pki.good());
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    let serve = async move {
        let listener = tokio::net::TcpListener::from_std(listener).unwrap();
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(stream) = acceptor.accept(stream).await else { return };
                let agreed = stream.get_ref().1.alpn_protocol() == Some(b"h2");
                let answer = hyper::service::service_fn(|_| async {
                    Ok::<_, Infallible>(Response::new(Full::new(Bytes::from_static(b"hello"))))
                });
                if agreed {
                    let server = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
                    let _ = server.serve_connection(TokioIo::new(stream), answer).await;
                } else {
                    let server = hyper::server::conn::http1::Builder::new();
                    let _ = server.serve_connection(TokioIo::new(stream), answer).await;
                }
            });
        }
    };
    std::thread::spawn(move || {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(serve);
    });
    port
}

#[test]
fn tls_is_judged_as_theirs_judges_it() {
    let folder = tempfile::tempdir().unwrap();
    let pki = Pki::new(folder.path());
    let stranger = tempfile::tempdir().unwrap();
    let stranger = Pki::new(stranger.path());
    let server = |leaf: Leaf| serve(Some(pki.server(&leaf)), http);
    let good = server(Leaf::default());
    let expired = server(Leaf { years: (2019, 2020), ..Leaf::default() });
    let early = server(Leaf { years: (2090, 2091), ..Leaf::default() });
    let other = server(Leaf { with_address: false, ..Leaf::default() });
    let old = server(Leaf { versions: OLD, ..Leaf::default() });
    let demanding = server(Leaf { demanding: true, ..Leaf::default() });
    let demanding_old = server(Leaf { demanding: true, versions: OLD, ..Leaf::default() });
    let unknown = serve(Some(stranger.good()), http);
    let plain = serve(None, http);
    let mail = serve(None, talker("220 mail.example ESMTP\r\n"));
    let closing = serve(None, |_| ());
    let http2 = http2(&pki);
    let modules = [
        ("trusting", format!("{{{TRUST}}}")),
        ("doubtful", "{}".to_owned()),
        ("impatient", "{}".to_owned()),
        ("careless", "{tls_config: {insecure_skip_verify: true}}".to_owned()),
        ("named", "{tls_config: {ca_file: FOLDER/ca.pem, server_name: a.example}}".to_owned()),
        ("misnamed", "{tls_config: {ca_file: FOLDER/ca.pem, server_name: b.example}}".to_owned()),
        ("new", "{tls_config: {ca_file: FOLDER/ca.pem, min_version: TLS13}}".to_owned()),
        (
            "client",
            "{tls_config: {ca_file: FOLDER/ca.pem, cert_file: FOLDER/client.pem, key_file: FOLDER/client.key}}"
                .to_owned(),
        ),
        ("needs_none", format!("{{fail_if_ssl: true, {TRUST}}}")),
        ("needs_tls", format!("{{fail_if_not_ssl: true, {TRUST}}}")),
        ("http2", format!("{{valid_http_versions: [HTTP/2.0], {TRUST}}}")),
        ("http1", format!("{{enable_http2: false, valid_http_versions: [HTTP/1.1], {TRUST}}}")),
        ("http2_only_said", format!("{{valid_http_versions: [HTTP/1.1], {TRUST}}}")),
    ];
    let modules: Vec<(&str, &str)> = modules.iter().map(|(name, text)| (*name, text.as_str())).collect();
    let mut beside = Beside::new("https", "http", folder.path(), &modules);
    for (module, port, path, ends) in [
        ("trusting", good, "/", Up),
        ("trusting", good, "/moved", Up),
        ("trusting", good, "/missing", Down),
        ("doubtful", good, "/", Down),
        ("careless", good, "/", Up),
        ("trusting", expired, "/", Down),
        ("careless", expired, "/", Up),
        ("trusting", early, "/", Down),
        ("trusting", other, "/", Down),
        ("trusting", other, "/&hostname=a.example", Up),
        ("trusting", other, "/&hostname=b.example", Down),
        ("named", other, "/", Up),
        ("misnamed", good, "/", Down),
        ("trusting", unknown, "/", Down),
        // It waits for the end of a request.
        ("impatient", plain, "/", Down),
        ("trusting", mail, "/", Down),
        ("trusting", closing, "/", Down),
        ("trusting", old, "/", Up),
        ("new", old, "/", Down),
        ("new", good, "/", Up),
        ("trusting", demanding, "/", Down),
        ("trusting", demanding_old, "/", Down),
        ("client", demanding, "/", Up),
        ("needs_none", good, "/", Down),
        ("needs_tls", good, "/", Up),
        ("trusting", http2, "/", Up),
        ("http2", http2, "/", Up),
        ("http1", http2, "/", Up),
        ("http2_only_said", http2, "/", Down),
    ] {
        beside.check(module, &format!("https://127.0.0.1:{port}{path}"), ends);
    }
    // From plain HTTP to TLS and back.
    beside.check("needs_tls", &format!("http://127.0.0.1:{plain}/"), Down);
    beside.finish();
}
