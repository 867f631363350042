//! The running exporter: one configuration in force, the targets it runs, the page it shows.
//!
//! Owns the exchange of one configuration for the next. Not for: HTTP (`server`), when probes run
//! (`schedule`), what a file may say (`config`).

mod page;
mod status;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

pub use self::status::{Health, TargetStatus};
use crate::backups::BackupMetrics;
use crate::certificates::CertificateMetrics;
use crate::config::diagnostics::{Diagnostic, Severity};
use crate::config::names::plural;
use crate::config::{self, Config, Loaded};
use crate::exposition::{Format, Page, protobuf};
use crate::grafana::GrafanaMetrics;
use crate::host::{Host, Roots};
use crate::latency::{self, Latencies, Latency, latencies_in_use};
use crate::ledger_metrics::LedgerView;
use crate::logins::LoginMetrics;
use crate::notify::NoticeMetrics;
use crate::probe::Shared;
use crate::schedule::{Handle, Scheduler, Target};
use crate::selfmetrics::SelfMetrics;
use crate::status::board::Board;
use crate::support::SupportMetrics;
use crate::updates::UpdateMetrics;
use crate::verdict::{self, Said};
use crate::{clock, contract_metrics, ledger_metrics};

/// Where the configuration comes from, at the start and at each reload.
#[derive(Clone, Debug)]
pub enum Source {
    /// `--config.file`.
    File(PathBuf),
    /// No file: this host, loopback and this process, as configured within the binary.
    Embedded {
        /// Where this process listens, to probe itself.
        listen: SocketAddr,
        /// Whether it speaks TLS there.
        tls: bool,
    },
}

impl Source {
    /// Reads and checks the configuration.
    ///
    /// # Errors
    /// Every finding of every file.
    pub fn load(&self) -> Result<Loaded, Vec<Diagnostic>> {
        match self {
            Self::File(path) => config::load(path),
            Self::Embedded { listen, tls } => config::embedded(*listen, *tls),
        }
    }
}

/// What a process is started with, beside its configuration.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where the host collectors read.
    pub roots: Roots,
    /// How many runs may be under way at once.
    pub places: usize,
    /// `/probe` may send a module's credentials to any target, not only to those of the configuration.
    pub credentials_anywhere: bool,
}

/// The exporter.
#[derive(Debug)]
pub struct App {
    source: Source,
    options: Options,
    shared: Arc<Shared>,
    metrics: Arc<SelfMetrics>,
    notices: NoticeMetrics,
    grafana: GrafanaMetrics,
    logins: LoginMetrics,
    board: Board,
    support: SupportMetrics,
    backups: BackupMetrics,
    certificates: CertificateMetrics,
    updates: UpdateMetrics,
    active: ArcSwap<Active>,
    scheduler: Mutex<Option<Scheduler>>,
    handle: Handle,
    reloading: Mutex<()>,
    ready: AtomicBool,
    scratch: Mutex<Vec<page::Scratch>>,
    /// Length of the last page.
    page_bytes: AtomicUsize,
}

/// A configuration in force.
#[derive(Debug)]
struct Active {
    config: Arc<Config>,
    targets: Vec<Arc<Target>>,
    /// One for each probe, in the order of the targets.
    latencies: Vec<Arc<Latency>>,
    host: Arc<Host>,
    ledger: Arc<LedgerView>,
    loaded_at: f64,
    last_error: Option<String>,
}

/// What a reload changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReloadSummary {
    /// Targets that go on undisturbed.
    pub kept: usize,
    /// Targets that are new or changed.
    pub added: usize,
    /// Targets that are gone or changed.
    pub removed: usize,
    /// Warnings the new configuration came with.
    pub warnings: usize,
    /// How long it took.
    pub took: Duration,
}

impl std::fmt::Display for ReloadSummary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { kept, added, removed, warnings, took } = self;
        let (kept, warnings) = (plural(*kept, "target"), plural(*warnings, "warning"));
        let milliseconds = took.as_millis();
        write!(f, "{kept} kept, {added} added, {removed} removed, {warnings}, in {milliseconds} ms")
    }
}

impl App {
    /// An exporter with its first configuration; nothing runs yet.
    #[must_use]
    pub fn new(loaded: Loaded, source: Source, shared: Shared, options: Options) -> Arc<Self> {
        let (metrics, shared) = (Arc::new(SelfMetrics::new()), Arc::new(shared));
        let (scheduler, handle) = Scheduler::new(Arc::clone(&shared), Arc::clone(&metrics), options.places);
        let (active, _) = Active::build(loaded, None, &options);
        let app = Self {
            source,
            options,
            shared,
            metrics,
            notices: NoticeMetrics::default(),
            grafana: GrafanaMetrics::default(),
            logins: LoginMetrics::default(),
            board: Board::default(),
            support: SupportMetrics::default(),
            backups: BackupMetrics::default(),
            certificates: CertificateMetrics::default(),
            updates: UpdateMetrics::default(),
            active: ArcSwap::from_pointee(active),
            scheduler: Mutex::new(Some(scheduler)),
            handle,
            reloading: Mutex::new(()),
            ready: AtomicBool::new(false),
            scratch: Mutex::default(),
            page_bytes: AtomicUsize::new(0),
        };
        app.applied();
        Arc::new(app)
    }

    /// Starts probing, until `shutdown`. A second call starts nothing.
    pub fn run(self: &Arc<Self>, shutdown: CancellationToken) -> JoinHandle<()> {
        let scheduler = self.scheduler.lock().unwrap_or_else(PoisonError::into_inner).take();
        self.ready.store(true, Ordering::Release);
        tokio::spawn(async move {
            if let Some(scheduler) = scheduler {
                scheduler.run(shutdown).await;
            }
        })
    }

    /// Whether probing has begun.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Acquire)
    }

    /// The configuration in force.
    #[must_use]
    pub fn config(&self) -> Arc<Config> {
        Arc::clone(&self.active.load().config)
    }

    /// What all probes of this process share.
    #[must_use]
    pub fn shared(&self) -> Arc<Shared> {
        Arc::clone(&self.shared)
    }

    /// What the process was started with.
    #[must_use]
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// Where it came from.
    #[must_use]
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// When the configuration in force was loaded (seconds since the epoch), and why a newer one was refused.
    #[must_use]
    pub fn load_state(&self) -> (f64, Option<String>) {
        let active = self.active.load();
        (active.loaded_at, active.last_error.clone())
    }

    /// Every target as it stands now.
    #[must_use]
    pub fn targets(&self) -> Vec<TargetStatus> {
        let now = Instant::now();
        self.active.load().targets.iter().map(|target| TargetStatus::of(target, now)).collect()
    }

    /// Each function of the contract by this site's own probes: up, down, or unknown.
    #[must_use]
    pub fn functions(&self) -> Vec<(String, Option<bool>)> {
        let (now, active) = (Instant::now(), self.active.load_full());
        let said: Vec<Said<'_>> = active
            .targets
            .iter()
            .map(|target| Said {
                evidence: target.spec.evidence.as_ref(),
                reference: target.spec.reference,
                up: match Health::of(target, now) {
                    Health::Up => Some(true),
                    Health::Down => Some(false),
                    Health::Unknown => None,
                },
            })
            .collect();
        let verdicts = verdict::functions(&active.config.contract, &said);
        verdicts.into_iter().map(|(function, up)| (function.name.clone(), up)).collect()
    }

    /// What is known of notices to customers.
    #[must_use]
    pub fn notices(&self) -> &NoticeMetrics {
        &self.notices
    }

    /// What is known of the annotations in Grafana.
    #[must_use]
    pub fn grafana(&self) -> &GrafanaMetrics {
        &self.grafana
    }

    /// What is known of backups.
    #[must_use]
    pub fn backups(&self) -> &BackupMetrics {
        &self.backups
    }

    /// What is known of certificates in files.
    #[must_use]
    pub fn certificates(&self) -> &CertificateMetrics {
        &self.certificates
    }

    /// What is known of security updates.
    #[must_use]
    pub fn updates(&self) -> &UpdateMetrics {
        &self.updates
    }

    /// What is known of the support desk's tickets.
    #[must_use]
    pub fn support(&self) -> &SupportMetrics {
        &self.support
    }

    /// What this process counts of itself.
    #[must_use]
    pub fn metrics(&self) -> &SelfMetrics {
        &self.metrics
    }

    /// What is known of failed logins.
    #[must_use]
    pub fn logins(&self) -> &LoginMetrics {
        &self.logins
    }

    /// What is known for the status page.
    #[must_use]
    pub fn board(&self) -> &Board {
        &self.board
    }

    /// The page. Blocks for the host collectors: call it off the async threads.
    #[must_use]
    pub fn render(&self, format: Format) -> Vec<u8> {
        let active = self.active.load_full();
        let mut scratch = self.take_scratch();
        // Room for a page like the last one: growing by doubling would copy it over and over, and hold twice its size.
        let last = self.page_bytes.load(Ordering::Relaxed);
        let mut page = Page::new(format, Vec::with_capacity(last + last / 16));
        page::write_probes(&mut page, &active.targets, Instant::now(), &mut scratch);
        self.give_scratch(scratch);
        latency::write(active.latencies.iter().map(Arc::as_ref), &mut page);
        contract_metrics::write(&active.config, &mut page);
        ledger_metrics::write(&active.config, &active.ledger, clock::whole_seconds(), &mut page);
        self.backups.write(&active.config, clock::whole_seconds(), &mut page);
        self.certificates.write(&active.config, &mut page);
        self.updates.write(&active.config, clock::whole_seconds(), &mut page);
        self.support.write(&active.config, clock::whole_seconds(), &mut page);
        self.notices.write(&mut page);
        self.grafana.write(&mut page);
        self.logins.write(&mut page);
        self.metrics.write(&mut page);
        if active.config.replaces_blackbox {
            self.metrics.write_as_blackbox_exporter(&mut page);
        }
        // Last: textfile families are refused where one of ours has the name.
        active.host.collect(&mut page);
        let page = page.finish();
        self.page_bytes.store(page.len(), Ordering::Relaxed);
        if format == Format::Protobuf {
            return protobuf::page(&page, &active.latencies.iter().map(|latency| latency.native()).collect());
        }
        page
    }

    /// Loads the configuration again. A bad one is refused and the one in force stays; an unchanged
    /// probe is not disturbed. Blocks for reading files.
    ///
    /// # Errors
    /// Every finding, after they were logged.
    pub fn reload(&self) -> Result<ReloadSummary, Vec<Diagnostic>> {
        let _one_at_a_time = self.reloading.lock().unwrap_or_else(PoisonError::into_inner);
        let started = Instant::now();
        let loaded = self.source.load().inspect_err(|findings| self.refused(findings))?;
        let warnings = loaded.warnings.len();
        loaded.warnings.iter().for_each(|finding| tracing::warn!("{finding}"));
        let before = self.active.load_full();
        let (active, kept) = Active::build(loaded, Some(&before), &self.options);
        let summary = ReloadSummary {
            kept,
            added: active.targets.len() - kept,
            removed: before.targets.len() - kept,
            warnings,
            took: started.elapsed(),
        };
        self.active.store(Arc::new(active));
        self.applied();
        tracing::info!("configuration reloaded: {summary}");
        Ok(summary)
    }

    fn applied(&self) {
        let active = self.active.load();
        self.metrics.targets.set(i64::try_from(active.targets.len()).unwrap_or(i64::MAX));
        self.metrics.reload_successful.set(1);
        self.metrics.reload_timestamp.set(active.loaded_at);
        self.handle.replace(active.targets.clone());
    }

    fn refused(&self, findings: &[Diagnostic]) {
        self.metrics.reload_successful.set(0);
        // Warnings refuse nothing: who looks for the reason finds the errors.
        let (errors, warnings): (Vec<_>, Vec<_>) = findings.iter().partition(|one| one.severity == Severity::Error);
        warnings.iter().for_each(|finding| tracing::warn!("{finding}"));
        errors.iter().for_each(|finding| tracing::error!("{finding}"));
        let count = plural(errors.len(), "error");
        tracing::error!("configuration not reloaded: {count}; the one of before stays in force");
        let text = errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        let active = self.active.load_full();
        self.active.store(Arc::new(Active {
            config: Arc::clone(&active.config),
            targets: active.targets.clone(),
            latencies: active.latencies.clone(),
            host: Arc::clone(&active.host),
            ledger: Arc::clone(&active.ledger),
            loaded_at: active.loaded_at,
            last_error: Some(text),
        }));
    }

    fn take_scratch(&self) -> page::Scratch {
        self.scratch.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default()
    }

    fn give_scratch(&self, scratch: page::Scratch) {
        let mut kept = self.scratch.lock().unwrap_or_else(PoisonError::into_inner);
        // One scrape at a time is the rule; a burst's memory is not kept.
        if kept.is_empty() {
            kept.push(scratch);
        }
    }
}

impl Active {
    /// A configuration ready to run, and how many targets of `before` go on undisturbed.
    fn build(loaded: Loaded, before: Option<&Self>, options: &Options) -> (Self, usize) {
        let config = Arc::new(loaded.config);
        let known: std::collections::HashMap<(&str, &str), &Arc<Target>> = before
            .iter()
            .flat_map(|active| &active.targets)
            .map(|target| ((target.spec.probe.as_str(), target.spec.target.as_str()), target))
            .collect();
        let mut kept = 0;
        let mut latencies = Latencies::of(before.map_or(&[], |active| &active.targets));
        let targets: Vec<Arc<Target>> = config
            .targets
            .iter()
            .map(|spec| match known.get(&(spec.probe.as_str(), spec.target.as_str())) {
                Some(target) if target.spec.fingerprint == spec.fingerprint => {
                    kept += 1;
                    Arc::clone(target)
                }
                _ => Arc::new(Target::new(&config, Arc::clone(spec), latencies.get(&config, spec))),
            })
            .collect();
        let host = match before {
            Some(active) if active.config.collectors == config.collectors => Arc::clone(&active.host),
            _ => Arc::new(Host::new(&config.collectors, options.roots.clone())),
        };
        let ledger = Arc::new(LedgerView::of(&config));
        let latencies = latencies_in_use(&targets);
        (Self { config, targets, latencies, host, ledger, loaded_at: clock::unix_seconds(), last_error: None }, kept)
    }
}
