//! The process: starts everything in order, waits for signals, ends everything within 5 seconds.
//!
//! Not for: what the parts do. A failure to start says what to do about it, before anything is probed.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::app::{App, Options, Source};
use crate::cli::{CheckFlags, RunFlags};
use crate::config::diagnostics::{Diagnostic, Severity};
use crate::host::Roots;
use crate::probe::Shared;
use crate::reload::Reloader;
use crate::server::{self, WebConfig};
use crate::watch::{self, Stamps};
use crate::{backups, certificates, clock, config, grafana, logging, logins, notify, status, support, updates};

/// Everything has ended by then, or is left behind.
const SHUTDOWN: Duration = Duration::from_millis(4500);
/// What blocking work (a hung file system) may take after that.
const BLOCKING_SHUTDOWN: Duration = Duration::from_millis(200);
/// Runs under way at once where the system allows enough open files.
const PLACES: usize = 2048;
/// Open files one run may need, its name resolution included.
const FILES_PER_RUN: u64 = 3;
/// Open files for all else: connections of scrapers, collectors, logs.
const FILES_RESERVED: u64 = 640;
/// More worker threads only wake each other: a run is mostly waiting.
const WORKERS: usize = 4;
/// Threads for page rendering, file reads and password checks.
const BLOCKING_THREADS: usize = 32;

/// Runs the exporter until it is told to end.
#[must_use]
pub fn run(flags: &RunFlags) -> ExitCode {
    if let Err(error) = logging::start(flags.log_level, flags.log_format) {
        return refuse(&[format!("logs cannot be written: {error}")]);
    }
    match start(flags) {
        Ok(()) => ExitCode::SUCCESS,
        Err(reasons) => {
            for reason in &reasons {
                tracing::error!("{reason}");
            }
            ExitCode::FAILURE
        }
    }
}

/// Checks files and says on standard output what is in them, on standard error what is wrong with them.
#[must_use]
pub fn check(flags: &CheckFlags) -> ExitCode {
    let (mut out, mut err) = (io::stdout().lock(), io::stderr().lock());
    let mut code = match flags.files.as_slice() {
        [] => 0,
        files => config::check::run(files, flags.deny_warnings, clock::whole_seconds(), &mut out, &mut err),
    };
    if let Some(file) = &flags.web_config_file {
        code = code.max(server::web_config::check(file, flags.deny_warnings, &mut out, &mut err));
    }
    ExitCode::from(code)
}

fn refuse(reasons: &[String]) -> ExitCode {
    use io::Write as _;
    for reason in reasons {
        let _ = writeln!(io::stderr(), "{reason}");
    }
    ExitCode::FAILURE
}

fn start(flags: &RunFlags) -> Result<(), Vec<String>> {
    let places = raise_file_limit();
    let workers = std::thread::available_parallelism().map_or(1, usize::from).min(WORKERS);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(workers)
        .max_blocking_threads(BLOCKING_THREADS)
        .enable_all()
        .build()
        .map_err(|error| vec![format!("cannot start threads: {error}")])?;
    let result = runtime.block_on(serve(flags, places));
    runtime.shutdown_timeout(BLOCKING_SHUTDOWN);
    result
}

async fn serve(flags: &RunFlags, places: usize) -> Result<(), Vec<String>> {
    let mut signals = Signals::new().map_err(|error| vec![format!("cannot wait for signals: {error}")])?;
    let (listeners, address) = listen(&flags.listen_addresses)?;
    let web = web_config(flags)?;
    let asked = flags.status.prometheus();
    let asked = asked.as_ref().map(status::refresh::settings).transpose().map_err(|why| vec![why])?;
    let (app, seen) = app(flags, address, &web, places)?;
    app.board().set_url(flags.status.url.as_deref());

    let shutdown = CancellationToken::new();
    let reloader = Reloader::new(Arc::clone(&app), seen);
    let probing = app.run(shutdown.clone());
    let watching = tokio::spawn(watch::run(Arc::clone(&reloader), shutdown.clone()));
    let telling =
        tokio::spawn(notify::run(Arc::clone(&app), flags.storage.clone(), notify::Pace::default(), shutdown.clone()));
    let showing = tokio::spawn(grafana::run(Arc::clone(&app), grafana::Pace::default(), shutdown.clone()));
    let looking = tokio::spawn(backups::run(Arc::clone(&app), shutdown.clone()));
    let renewing = tokio::spawn(certificates::run(Arc::clone(&app), shutdown.clone()));
    let reading = tokio::spawn(support::run(Arc::clone(&app), shutdown.clone()));
    let counting = tokio::spawn(logins::run(Arc::clone(&app), flags.storage.clone(), shutdown.clone()));
    let updating = tokio::spawn(updates::run(Arc::clone(&app), flags.storage.clone(), shutdown.clone()));
    let asking = tokio::spawn({
        let (app, shutdown) = (Arc::clone(&app), shutdown.clone());
        async move {
            if let Some(settings) = asked {
                settings[0].warnings.iter().for_each(|warning| tracing::warn!("{warning}"));
                status::refresh::run(app, settings, shutdown).await;
            }
        }
    });
    let serving = server::start(listeners, app, Arc::clone(&reloader), web, shutdown.clone());

    let name = loop {
        match signals.next().await {
            Asked::Reload => drop(tokio::spawn({
                let reloader = Arc::clone(&reloader);
                // App::reload logs the outcome.
                async move { drop(reloader.reload("SIGHUP").await) }
            })),
            Asked::End(name) => break name,
        }
    };
    tracing::info!(signal = name, "ending");
    shutdown.cancel();
    let all = async {
        tokio::join!(
            probing, watching, telling, showing, looking, renewing, reading, counting, updating, asking, serving
        )
    };
    tokio::select! {
        _ = all => tracing::info!("ended"),
        () = tokio::time::sleep(SHUTDOWN) => tracing::warn!("ended with work left behind"),
        () = signals.insistence() => tracing::warn!("ended at once, as asked twice"),
    }
    Ok(())
}

/// Sockets first: a port that is taken is the commonest reason not to start. Returns one of their addresses.
fn listen(addresses: &[String]) -> Result<(Vec<TcpListener>, SocketAddr), Vec<String>> {
    let (mut listeners, mut reasons) = (Vec::new(), Vec::new());
    for address in addresses {
        match server::listen(address) {
            Ok(listener) => listeners.push(listener),
            Err(error) => reasons.push(error.to_string()),
        }
    }
    if !reasons.is_empty() {
        return Err(reasons);
    }
    let mut first = None;
    for listener in &listeners {
        let address = listener.local_addr().map_err(|error| vec![error.to_string()])?;
        tracing::info!(%address, "listening");
        first.get_or_insert(address);
    }
    let first = first.ok_or_else(|| vec!["no address to listen on; give one with --web.listen-address".to_owned()])?;
    Ok((listeners, first))
}

fn web_config(flags: &RunFlags) -> Result<Arc<WebConfig>, Vec<String>> {
    let Some(file) = &flags.web_config_file else { return Ok(Arc::new(WebConfig::open())) };
    let (web, warnings) = WebConfig::load(file).map_err(|findings| texts(&findings))?;
    warnings.iter().for_each(|warning| tracing::warn!("{warning}"));
    Ok(Arc::new(web))
}

/// The application, and its files as they were when they were read.
fn app(
    flags: &RunFlags,
    address: SocketAddr,
    web: &WebConfig,
    places: usize,
) -> Result<(Arc<App>, Stamps), Vec<String>> {
    let source = match &flags.config_file {
        Some(file) => Source::File(file.clone()),
        None => Source::Embedded { listen: reachable(address), tls: web.has_tls() },
    };
    // Taken before reading: what changes while we read is noticed afterwards.
    let before = Stamps::of(flags.config_file.as_slice());
    let loaded = source.load().map_err(|findings| texts(&findings))?;
    loaded.warnings.iter().for_each(|warning| tracing::warn!("{warning}"));
    let config = &loaded.config;
    match &flags.config_file {
        Some(file) => tracing::info!(
            file = %file.display(), contract = config.contract.name, site = config.site, targets = config.targets.len(),
            "configuration loaded"
        ),
        None => {
            tracing::info!(
                "no --config.file: watching this host, loopback and this exporter itself; \
                 write a configuration of your own and check it with `sla-exporter check FILE`"
            );
            if web.demands_certificate() {
                tracing::warn!(
                    "the probe of this exporter itself brings no client certificate and will fail; give --config.file"
                );
            }
        }
    }
    let seen = before.extended_to(&config.files);
    let roots = Roots { proc: flags.procfs.clone(), sys: flags.sysfs.clone(), root: flags.rootfs.clone() };
    let credentials_anywhere = flags.credentials_anywhere;
    let options = Options { roots, places, credentials_anywhere };
    Ok((App::new(loaded, source, Shared::new(), options), seen))
}

/// The errors, for which nothing is started; warnings are logged as such.
fn texts(findings: &[Diagnostic]) -> Vec<String> {
    let (errors, warnings): (Vec<_>, Vec<_>) = findings.iter().partition(|one| one.severity == Severity::Error);
    warnings.iter().for_each(|warning| tracing::warn!("{warning}"));
    errors.iter().map(ToString::to_string).collect()
}

/// An address at which this process reaches its own port.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    match address.ip() {
        // Both families listen on `[::]`, and IPv6 loopback may be switched off.
        ip if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        _ => {}
    }
    address
}

/// Raises the soft limit of open files to the hard one; returns how many runs fit under it at once.
fn raise_file_limit() -> usize {
    let limit = match rlimit::increase_nofile_limit(u64::MAX) {
        Ok(limit) => limit,
        Err(error) => {
            tracing::warn!(%error, "limit of open files not raised");
            rlimit::getrlimit(rlimit::Resource::NOFILE).map_or(1024, |(soft, _)| soft)
        }
    };
    let places = places(limit);
    if places < PLACES {
        tracing::warn!(open_files = limit, runs_at_once = places, "few open files are allowed; raise `ulimit -Hn`");
    } else {
        tracing::info!(open_files = limit, runs_at_once = places, "limit of open files raised as far as allowed");
    }
    places
}

fn places(limit: u64) -> usize {
    let free = limit.saturating_sub(FILES_RESERVED).max(limit / 4);
    usize::try_from(free / FILES_PER_RUN).unwrap_or(PLACES).clamp(16, PLACES)
}

/// What a signal asks for.
enum Asked {
    Reload,
    End(&'static str),
}

struct Signals {
    hangup: Signal,
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self {
            hangup: signal(SignalKind::hangup())?,
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    async fn next(&mut self) -> Asked {
        tokio::select! {
            _ = self.hangup.recv() => Asked::Reload,
            _ = self.terminate.recv() => Asked::End("SIGTERM"),
            _ = self.interrupt.recv() => Asked::End("SIGINT"),
        }
    }

    /// Another request to end.
    async fn insistence(&mut self) {
        while let Asked::Reload = self.next().await {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_at_once_fit_under_the_limit_of_open_files() {
        for (limit, expected) in [(0, 16), (256, 21), (1024, 128), (4096, 1152), (65_536, PLACES), (u64::MAX, PLACES)] {
            assert_eq!(places(limit), expected, "{limit}");
        }
    }

    #[test]
    fn a_listener_on_all_addresses_is_reached_on_loopback() {
        for (address, expected) in [
            ("0.0.0.0:1", "127.0.0.1:1"),
            ("[::]:1", "127.0.0.1:1"),
            ("[::1]:1", "[::1]:1"),
            ("10.0.0.1:1", "10.0.0.1:1"),
        ] {
            assert_eq!(reachable(address.parse().unwrap()).to_string(), expected);
        }
    }
}
