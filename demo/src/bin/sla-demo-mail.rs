//! The mail catcher as a program.

use std::net::SocketAddr;
use std::process::ExitCode;

use clap::Parser;
use sla_demo::mail::{Catcher, Store, receive};
use sla_demo::web;

/// Receives mails by SMTP, delivers them to nobody, and shows them on a page.
#[derive(Debug, Parser)]
#[command(version)]
struct Options {
    /// Where mails arrive.
    #[arg(long, default_value = "127.0.0.1:1025")]
    smtp: SocketAddr,
    /// Where the page is.
    #[arg(long, default_value = "127.0.0.1:8025")]
    listen: SocketAddr,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let options = Options::parse();
    let (smtp, pages) = match (web::listen(options.smtp).await, web::listen(options.listen).await) {
        (Ok(smtp), Ok(pages)) => (smtp, pages),
        (Err(why), _) => return fail(&why, "--smtp"),
        (_, Err(why)) => return fail(&why, "--listen"),
    };
    eprintln!("sla-demo-mail: SMTP on {}, page on http://{}", options.smtp, options.listen);
    let store = Store::default();
    tokio::select! {
        () = receive(smtp, store.clone()) => {}
        () = web::serve(pages, Catcher::new(store)) => {}
        () = sla_demo::stopped() => {}
    }
    ExitCode::SUCCESS
}

fn fail(why: &str, flag: &str) -> ExitCode {
    eprintln!("sla-demo-mail: {why} with {flag}");
    ExitCode::FAILURE
}
