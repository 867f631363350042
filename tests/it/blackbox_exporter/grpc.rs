//! `prober: grpc` beside theirs, against another library's health server.

use std::sync::Arc;

use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpListener;
use tonic_health::ServingStatus;
use tonic_health::server::health_reporter;
use tower_service::Service as _;

use super::{Exporter, server_config};

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
fn the_grpc_prober_has_the_same_metrics_and_values() {
    let folder = tempfile::tempdir().unwrap();
    let mut secure = rustls::ServerConfig::clone(&server_config(folder.path()));
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
    let text = |grpc: &str| grpc.replace("FOLDER", &folder.path().display().to_string());
    let lines = modules.map(|(name, grpc)| format!("  {name}: {{prober: grpc, timeout: 5s, grpc: {}}}\n", text(grpc)));
    let file = folder.path().join("blackbox.yml");
    std::fs::write(&file, format!("modules:\n{}", lines.concat())).unwrap();
    let (blackbox, exporter) = (Exporter::theirs(&file), Exporter::ours(&file));

    let runtime = tokio::runtime::Runtime::new().unwrap();
    let plain = format!("127.0.0.1:{}", runtime.block_on(serve(None)));
    let secure = format!("127.0.0.1:{}", runtime.block_on(serve(Some(Arc::new(secure)))));
    let closed = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().to_string()
    };
    // Measurements, and a family in which ours has the labels of later versions.
    let different = [
        "probe_duration_seconds",
        "probe_dns_lookup_time_seconds",
        "probe_grpc_duration_seconds",
        "probe_ssl_last_chain_info",
    ];
    let mut problems = Vec::new();
    for (name, target, success) in [
        ("whole", plain.clone(), true),
        ("whole", format!("http://{plain}"), true),
        ("up", plain.clone(), true),
        ("down", plain.clone(), false),
        ("nobody", plain.clone(), false),
        ("trusting", secure.clone(), true),
        ("trusting", format!("https://{secure}"), true),
        ("careless", secure.clone(), false),
        ("doubtful", secure, false),
        ("whole", closed, false),
    ] {
        let (ours, theirs) = (exporter.probe(name, &target), blackbox.probe(name, &target));
        let success = f64::from(success);
        assert_eq!((theirs["probe_success"], ours["probe_success"]), (success, success), "{name} {target}");
        for (series, value) in &theirs {
            let family = series.split('{').next().unwrap();
            // 0 in 1970 where there is no TLS, which later versions do not show either; ours has it also where it is refused.
            let expiry = family == "probe_ssl_earliest_cert_expiry" && *value == 0.0;
            if !different.contains(&family) && !expiry && ours.get(series) != Some(value) {
                problems.push(format!("{name} {target}: {series}: theirs {value}, ours {:?}", ours.get(series)));
            }
            assert!(family != "probe_grpc_duration_seconds" || ours.contains_key(series), "{name} {target}: {series}");
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}
