//! The demo service as a program.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use sla_demo::service::{Clicks, Service};
use sla_demo::{clock, tls, web};

/// A small service to watch: a login, a web form and counted links, each with a switch to break it.
#[derive(Debug, Parser)]
#[command(version)]
struct Options {
    /// Where to listen.
    #[arg(long, default_value = "127.0.0.1:8088")]
    listen: SocketAddr,
    /// Where to listen with TLS as well, for clients with a certificate (C2.6.5).
    #[arg(long, requires = "client_files")]
    tls_listen: Option<SocketAddr>,
    /// The folder to write what such a client needs into, new at each start: ca.pem, client.pem,
    /// client.key, password.
    #[arg(long, requires = "tls_listen")]
    client_files: Option<PathBuf>,
    /// Count clicks in this PostgreSQL database instead of memory (postgresql://user@host/name).
    #[arg(long, env = "DEMO_DATABASE_URL", hide_env_values = true)]
    database_url: Option<String>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(Options::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("sla-demo: {why}");
            ExitCode::FAILURE
        }
    }
}

async fn run(options: Options) -> Result<(), String> {
    let listen = async |address, flag| web::listen(address).await.map_err(|why| format!("{why} with {flag}"));
    let service = Service::new(options.database_url.map_or_else(Clicks::in_memory, Clicks::in_postgres));
    let secure = match (options.tls_listen, &options.client_files) {
        (Some(address), Some(folder)) => {
            let config = tls::prepare(folder, clock::now())?;
            Some((listen(address, "--tls-listen").await?, config))
        }
        _ => None,
    };
    let listener = listen(options.listen, "--listen").await?;
    eprintln!("sla-demo: listening on http://{}", options.listen);
    let secure = async {
        match secure {
            Some((listener, config)) => web::serve_tls(listener, config, Arc::clone(&service)).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = web::serve(listener, Arc::clone(&service)) => {}
        () = secure => {}
        () = sla_demo::stopped() => {}
    }
    Ok(())
}
