//! `prober: grpc` beside theirs, against another library's health server.

use std::sync::Arc;

use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpListener;
use tonic_health::ServingStatus;
use tonic_health::server::health_reporter;
use tower_service::Service as _;

use super::Beside;
use super::exporters::Ends::{Down, Up, UpThere};
use super::pki::Pki;
use super::servers::closed;

/// A health server that knows the services `up` and `down`, with TLS where wanted; it ends with the runtime.
async fn serve(tls: Option<Arc<rustls::ServerConfig>>) -> u16 {
    let (reporter, service) = health_reporter();
    reporter.set_service_status("up", ServingStatus::Serving).await;
    reporter.set_service_status("down", ServingStatus::NotServing).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (service, tls) = (service.clone(), tls.clone());
            tokio::spawn(async move {
                let ask = service_fn(move |request| service.clone().call(request));
                let server = http2::Builder::new(TokioExecutor::new());
                let _ = match tls {
                    None => server.serve_connection(TokioIo::new(stream), ask).await,
                    Some(tls) => match tokio_rustls::TlsAcceptor::from(tls).accept(stream).await {
                        Ok(stream) => server.serve_connection(TokioIo::new(stream), ask).await,
                        Err(_) => Ok(()),
                    },
                };
            });
        }
    });
    port
}

#[test]
fn the_grpc_prober_does_as_theirs_with_every_option() {
    let folder = tempfile::tempdir().unwrap();
    let mut secure = rustls::ServerConfig::clone(&Pki::new(folder.path()).good());
    secure.alpn_protocols = vec![b"h2".to_vec()];
    let modules = [
        ("whole", "{}"),
        ("up", "{service: up, preferred_ip_protocol: ip4}"),
        ("down", "{service: down}"),
        ("nobody", "{service: nobody}"),
        ("trusting", "{tls: true, tls_config: {ca_file: FOLDER/ca.pem}}"),
        ("careless", "{tls: true, service: down, tls_config: {insecure_skip_verify: true}}"),
        ("doubtful", "{tls: true}"),
    ];
    let mut beside = Beside::new("grpc", "grpc", folder.path(), &modules);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let plain = format!("127.0.0.1:{}", runtime.block_on(serve(None)));
    let secure = format!("127.0.0.1:{}", runtime.block_on(serve(Some(Arc::new(secure)))));
    let (_kept, closed) = closed();
    for (module, target, ends) in [
        ("whole", plain.clone(), Up),
        ("whole", format!("http://{plain}"), Up),
        ("up", plain.clone(), Up),
        ("down", plain.clone(), Down),
        ("nobody", plain.clone(), Down),
        ("whole", format!("https://{plain}"), UpThere("names a scheme that its module does not speak")),
        ("trusting", secure.clone(), Up),
        ("trusting", format!("https://{secure}"), Up),
        ("careless", secure.clone(), Down),
        ("doubtful", secure, Down),
        ("whole", format!("127.0.0.1:{closed}"), Down),
    ] {
        beside.check(module, &target, ends);
    }
    beside.finish();
}
