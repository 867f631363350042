//! Tokens that are kept, across runs, modules and reloads.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use hyper::header::HeaderValue;
use tokio::time::Instant;

use super::token::Token;
use crate::probe::Failure;
use crate::secret::{Secret, SecretSource};

/// What a token is for: sections that agree in this get the same.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Identity {
    pub(super) url: String,
    pub(super) client_id: String,
    pub(super) secret: Option<SecretSource>,
    pub(super) form: Vec<(String, String)>,
    /// The certificate that servers may know the client by, with a secret or without.
    pub(super) certificate: Option<Arc<[u8]>>,
    /// Whether it was certain who handed the token out: one that was not is not shown where it must be.
    pub(super) verified: bool,
}

/// How a client says who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// By basic authentication, which every server must know.
    Header,
    /// In the form, which some want instead.
    Form,
}

/// The token of one identity.
#[derive(Debug)]
pub(super) struct Tokens {
    identity: Identity,
    in_form: AtomicBool,
    /// Held while a token is fetched: one at a time.
    pub(super) state: tokio::sync::Mutex<State>,
}

/// What came of the newest fetch.
#[derive(Debug, Default)]
pub(super) struct State {
    token: Option<Kept>,
    failed: Option<(Instant, Failure)>,
}

#[derive(Debug)]
struct Kept {
    header: HeaderValue,
    /// With which it was fetched: a changed one may be for another client.
    secret: Secret,
    until: Instant,
}

impl Tokens {
    /// Those of `identity`; where a module of the configuration has it already, the same.
    pub(super) fn of(identity: Identity) -> Arc<Self> {
        // No more than there are modules: those of former configurations are gone with them.
        static ALL: Mutex<Vec<Weak<Tokens>>> = Mutex::new(Vec::new());
        let mut all = ALL.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|tokens| tokens.strong_count() > 0);
        if let Some(found) = all.iter().filter_map(Weak::upgrade).find(|tokens| tokens.identity == identity) {
            return found;
        }
        let made = Arc::new(Self { identity, in_form: AtomicBool::new(false), state: tokio::sync::Mutex::default() });
        all.push(Arc::downgrade(&made));
        made
    }

    /// How the client was last accepted, or is tried first.
    pub(super) fn style(&self) -> Style {
        if self.in_form.load(Ordering::Relaxed) { Style::Form } else { Style::Header }
    }

    pub(super) fn set_style(&self, style: Style) {
        self.in_form.store(style == Style::Form, Ordering::Relaxed);
    }
}

impl State {
    /// The token that was fetched with `secret`, while it is good, and until when.
    pub(super) fn token(&self, secret: &Secret) -> Option<(&HeaderValue, Instant)> {
        let kept = self.token.as_ref().filter(|kept| kept.secret == *secret && Instant::now() < kept.until)?;
        Some((&kept.header, kept.until))
    }

    /// Why the newest fetch failed, where it ended after `arrived`: who waited for it need not try again.
    pub(super) fn failed_since(&self, arrived: Instant) -> Option<&Failure> {
        self.failed.as_ref().filter(|(ended, _)| *ended >= arrived).map(|(_, failure)| failure)
    }

    /// Keeps what came of a fetch that began at `asked`.
    pub(super) fn keep(&mut self, result: &Result<Token, Failure>, secret: Secret, asked: Instant) {
        match result {
            Ok(token) => {
                self.failed = None;
                self.token = Some(Kept { header: token.header.clone(), secret, until: asked + token.good_for });
            }
            Err(failure) => {
                self.token = None;
                self.failed = Some((Instant::now(), failure.clone()));
            }
        }
    }

    /// Forgets `header`, which the target no longer takes; not one that has come since.
    pub(super) fn forget(&mut self, header: &HeaderValue) {
        if self.token.as_ref().is_some_and(|kept| kept.header == *header) {
            self.token = None;
        }
    }
}
