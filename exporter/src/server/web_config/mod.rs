//! `--web.config.file`: TLS, client certificates, passwords, extra headers and a rate limit, in the
//! format exporters share (exporter-toolkit's).
//!
//! Read at the start, where a fault ends the program, and again when the file or one it names changed,
//! where a fault keeps what was in force. What protects the port is never lost on the way: a file that no
//! longer asks for TLS, client certificates or passwords is refused until the next start.

mod auth;
mod decode;
mod rate;
mod tls;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hyper::HeaderMap;
use hyper::StatusCode;
use hyper::header::{HeaderName, HeaderValue, WWW_AUTHENTICATE};
use tokio::time::Instant;
use tokio_rustls::TlsAcceptor;

use self::auth::Users;
use self::rate::Limiter;
use super::reply::{self, Reply};
use crate::config::decode::Cursor;
use crate::config::diagnostics::{Diagnostic, Document, Severity};
use crate::config::node::{self, Mark};
use crate::regular_file;
use crate::watch::Stamps;

/// How long the files are taken to be unchanged after a look at them.
const LOOK: Duration = Duration::from_secs(1);
/// The largest file that is read, in bytes; more is a mistake in the path.
const MAX_BYTES: u64 = 1024 * 1024;

/// The web configuration, as it is now.
#[derive(Debug)]
pub struct WebConfig {
    file: Option<PathBuf>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    current: Arc<Web>,
    looked: Instant,
    seen: Stamps,
}

/// One state of the web configuration.
#[derive(Debug, Default)]
pub(crate) struct Web {
    tls: Option<tls::Tls>,
    pub(super) http2: bool,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    users: Option<Users>,
    limiter: Option<Limiter>,
}

/// Why a request is not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// Over the configured rate.
    Rate,
    /// No password, or a wrong one.
    Password,
    /// Too many passwords are being checked.
    Busy,
}

impl WebConfig {
    /// Plain HTTP, open to everybody who reaches the port.
    #[must_use]
    pub fn open() -> Self {
        Self::new(None, Web { http2: true, ..Web::default() }, Stamps::default())
    }

    /// The configuration in `file`.
    ///
    /// # Errors
    /// Every finding.
    pub fn load(file: &Path) -> Result<(Self, Vec<Diagnostic>), Vec<Diagnostic>> {
        // Taken before reading: what changes while we read is read again.
        let before = Stamps::of(&[file.to_owned()]);
        let (web, files, warnings) = read(file)?;
        Ok((Self::new(Some(file.to_owned()), web, before.extended_to(&files)), warnings))
    }

    fn new(file: Option<PathBuf>, current: Web, seen: Stamps) -> Self {
        Self { file, state: Mutex::new(State { current: Arc::new(current), looked: Instant::now(), seen }) }
    }

    /// Whether the port speaks TLS.
    #[must_use]
    pub fn has_tls(&self) -> bool {
        self.lock().current.tls.is_some()
    }

    /// Whether a client without a certificate is turned away.
    #[must_use]
    pub fn demands_certificate(&self) -> bool {
        self.lock().current.demands_certificate()
    }

    /// The state in force; looks at the files first, at most once a second.
    pub(crate) fn current(&self) -> Arc<Web> {
        let mut state = self.lock();
        if let Some(file) = &self.file
            && state.looked.elapsed() >= LOOK
        {
            state.looked = Instant::now();
            let now = state.seen.renewed();
            if now != state.seen {
                renew(file, now, &mut state);
            }
        }
        Arc::clone(&state.current)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `check --web.config.file`: 0, or 1 when there are errors (or warnings, with `deny_warnings`). What is good is said
/// on `out`, findings on `err`.
pub fn check(file: &Path, deny_warnings: bool, out: &mut impl Write, err: &mut impl Write) -> u8 {
    let (findings, refused) = match WebConfig::load(file) {
        Ok((_, warnings)) => (warnings, None),
        Err(findings) => (findings, Some("")),
    };
    for finding in &findings {
        let _ = writeln!(err, "{finding}");
    }
    let refused = refused.or((deny_warnings && !findings.is_empty()).then_some(" for warnings (--deny-warnings)"));
    match refused {
        Some(why) => {
            let _ = writeln!(err, "{}: refused{why}", file.display());
            1
        }
        None => {
            let _ = writeln!(out, "{}: ok: web configuration", file.display());
            0
        }
    }
}

/// Reads the file again; `before` is how the files were before reading.
fn renew(file: &Path, before: Stamps, state: &mut State) {
    match read(file).and_then(|(web, files, warnings)| {
        web.keeps_protection_of(&state.current, file)?;
        Ok((web, files, warnings))
    }) {
        Ok((web, files, warnings)) => {
            warnings.iter().for_each(|finding| tracing::warn!("{finding}"));
            tracing::info!(file = %file.display(), "web configuration reloaded");
            state.current = Arc::new(web);
            state.seen = before.extended_to(&files);
        }
        Err(findings) => {
            findings.iter().for_each(|finding| tracing::error!("{finding}"));
            tracing::error!(file = %file.display(), "web configuration not reloaded; the one of before stays in force");
            state.seen = before;
        }
    }
}

/// Reads the file; also names the files it depends on.
fn read(file: &Path) -> Result<(Web, Vec<PathBuf>, Vec<Diagnostic>), Vec<Diagnostic>> {
    let whole = |message: String| vec![finding(file, message)];
    let text = regular_file::read_text(file, MAX_BYTES).map_err(|error| whole(format!("cannot read it: {error}")))?;
    let doc = Document::new(file);
    let web = match node::parse(&text) {
        Ok(root) => decode::web(&Cursor::root(&doc, &root)),
        Err(error) => {
            doc.report(Severity::Error, error.mark, "", error.message);
            None
        }
    };
    let failed = doc.has_errors();
    let (findings, mut files) = doc.into_parts();
    files.push(file.to_owned());
    match web {
        Some(web) if !failed => Ok((web, files, findings)),
        _ => Err(findings),
    }
}

fn finding(file: &Path, message: String) -> Diagnostic {
    let mark = Mark { line: 1, column: 1 };
    Diagnostic { file: file.to_owned(), mark, path: String::new(), message, severity: Severity::Error }
}

impl Web {
    /// TLS, where it is configured.
    pub(super) fn acceptor(&self) -> Option<TlsAcceptor> {
        self.tls.as_ref().map(|tls| tls.acceptor.clone())
    }

    /// Whether a request may be answered.
    pub(super) async fn admit(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        if self.limiter.as_ref().is_some_and(|limiter| !limiter.take(Instant::now())) {
            return Err(Refusal::Rate);
        }
        match &self.users {
            Some(users) => users.admit(headers).await,
            None => Ok(()),
        }
    }

    fn demands_certificate(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| tls.demands_certificate)
    }

    /// A file being written is empty for a moment; that must not open the port.
    fn keeps_protection_of(&self, before: &Self, file: &Path) -> Result<(), Vec<Diagnostic>> {
        let lost = [
            (before.tls.is_some() && self.tls.is_none(), "tls_server_config is gone"),
            (before.tls.is_none() && self.tls.is_some(), "tls_server_config is new"),
            (
                before.demands_certificate() && !self.demands_certificate(),
                "client_auth_type no longer demands a certificate",
            ),
            (before.users.is_some() && self.users.is_none(), "basic_auth_users is gone"),
        ];
        let findings: Vec<_> = lost
            .into_iter()
            .filter(|(lost, _)| *lost)
            .map(|(_, what)| finding(file, format!("{what}; restart sla-exporter to make that so")))
            .collect();
        if findings.is_empty() { Ok(()) } else { Err(findings) }
    }
}

impl Refusal {
    /// What the client is told.
    pub(super) fn reply(self) -> Reply {
        match self {
            Self::Rate => reply::text(StatusCode::TOO_MANY_REQUESTS, "more requests than rate_limit allows"),
            Self::Busy => reply::text(StatusCode::SERVICE_UNAVAILABLE, "too many passwords are being checked"),
            Self::Password => reply::with_header(
                reply::text(StatusCode::UNAUTHORIZED, "a user name and a password are needed"),
                WWW_AUTHENTICATE,
                "Basic realm=\"sla-exporter\", charset=\"UTF-8\"",
            ),
        }
    }
}
