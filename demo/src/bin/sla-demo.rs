//! The demo service as a program.

use std::net::SocketAddr;
use std::process::ExitCode;

use clap::Parser;
use sla_demo::service::{Clicks, Service};
use sla_demo::web;

/// A small service to watch: a login, a web form and counted links, each with a switch to break it.
#[derive(Debug, Parser)]
#[command(version)]
struct Options {
    /// Where to listen.
    #[arg(long, default_value = "127.0.0.1:8088")]
    listen: SocketAddr,
    /// Count clicks in this PostgreSQL database instead of memory (postgresql://user@host/name).
    #[arg(long, env = "DEMO_DATABASE_URL", hide_env_values = true)]
    database_url: Option<String>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let options = Options::parse();
    let listener = match web::listen(options.listen).await {
        Ok(listener) => listener,
        Err(why) => {
            eprintln!("sla-demo: {why} with --listen");
            return ExitCode::FAILURE;
        }
    };
    let clicks = options.database_url.map_or_else(Clicks::in_memory, Clicks::in_postgres);
    eprintln!("sla-demo: listening on http://{}", options.listen);
    tokio::select! {
        () = web::serve(listener, Service::new(clicks)) => {}
        () = sla_demo::stopped() => {}
    }
    ExitCode::SUCCESS
}
