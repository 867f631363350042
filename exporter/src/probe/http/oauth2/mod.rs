//! The section `oauth2`: a token is fetched with the client's own credentials (RFC 6749, 4.4) and shown to the target.
//!
//! A token is kept until shortly before it ends, and all modules with one and the same section share it; one fetch runs at
//! a time. The token endpoint is asked as any target is, with bounds on time and bytes; what it says is not trusted. Not
//! for logins of people, and not for other grants than `client_credentials`.

mod kept;
mod section;
#[cfg(test)]
mod tests;
pub(super) mod token;

use std::sync::Arc;

use base64::Engine as _;
use hyper::header::{HeaderMap, HeaderValue};
use tokio::time::Instant;
use url::{Url, form_urlencoded};

use self::kept::{Style, Tokens};
#[cfg(test)]
pub(super) use self::section::UNSUPPORTED;
use self::token::Token;
use super::auth::{self, Credentials};
use super::exchange::{self, Outcome};
use super::hop::Hop;
use super::login::Shown;
use super::redirect;
use super::settings::Settings;
use crate::http_client::Secrets;
use crate::probe::net::Resolver;
use crate::probe::{Failure, Reason, Samples};
use crate::secret::{Secret, SecretSource};

/// How tokens are fetched.
#[derive(Debug)]
pub(crate) struct OAuth2 {
    /// How the token endpoint is asked; the form and the credentials are made for each request.
    endpoint: Box<Settings>,
    url: Url,
    client_id: String,
    secret: Option<SecretSource>,
    /// What is asked for: grant, scopes, parameters.
    form: Vec<(String, String)>,
    tokens: Arc<Tokens>,
}

impl OAuth2 {
    /// The token that is kept, or a new one.
    ///
    /// # Errors
    /// Reason `permission` when the secret's file cannot be read or the client is refused; `status`, `protocol` and all
    /// reasons for which a server cannot be asked.
    pub(super) async fn show(&self, resolver: &Resolver, out: &mut Samples) -> Result<Shown, Failure> {
        let secret = match &self.secret {
            Some(source) => auth::read(source).await?,
            None => Secret::new(""),
        };
        let arrived = Instant::now();
        let place = redirect::place(&self.url);
        let mut state = if let Ok(state) = self.tokens.state.try_lock() {
            state
        } else {
            out.stage(format!("waiting for the token that another probe fetches from {place}"));
            self.tokens.state.lock().await
        };
        if let Some((header, until)) = state.token(&secret) {
            let left = until.saturating_duration_since(Instant::now()).as_secs();
            out.found(|| format!("a token from {place} is at hand, to be used for another {left} s"));
            return Ok(Shown { credentials: Credentials { header: header.clone() }, kept: true });
        }
        if let Some(failure) = state.failed_since(arrived) {
            return Err(failure.clone());
        }
        out.stage(format!("fetching a token from {place}"));
        let asked = Instant::now();
        let result = self
            .fetch(&secret, resolver)
            .await
            .map_err(|failure| Failure::new(failure.reason, format_args!("no token from {place}: {}", failure.detail)));
        state.keep(&result, secret, asked);
        let token = result?;
        out.found(|| match token.said {
            Some(seconds) => format!("a token that is good for {seconds} s"),
            None => "a token".to_owned(),
        });
        Ok(Shown { credentials: Credentials { header: token.header }, kept: false })
    }

    /// The target did not take it.
    pub(super) fn forget(&self, shown: &Shown) {
        // Where another probe fetches one, there will be another anyway.
        if let Ok(mut state) = self.tokens.state.try_lock() {
            state.forget(&shown.credentials.header);
        }
    }

    /// Asks for a token, and once more where the server may want to be told otherwise who asks.
    async fn fetch(&self, secret: &Secret, resolver: &Resolver) -> Result<Token, Failure> {
        let style = self.tokens.style();
        let first = self.ask(style, secret, resolver).await?;
        // Servers that want the secret in the form say any of what is read as this.
        let refused = first.as_ref().is_err_and(|failure| failure.reason == Reason::Permission);
        if !refused {
            return first;
        }
        if style == Style::Form {
            // The next one begins anew: servers change.
            self.tokens.set_style(Style::Header);
            return first;
        }
        let second = self.ask(Style::Form, secret, resolver).await?;
        if second.is_ok() {
            self.tokens.set_style(Style::Form);
            return second;
        }
        // What the standard's way of asking was answered tells more.
        first
    }

    /// One request, and what its answer says.
    ///
    /// # Errors
    /// Where there is no answer.
    async fn ask(&self, style: Style, secret: &Secret, resolver: &Resolver) -> Result<Result<Token, Failure>, Failure> {
        let (credentials, body, secrets) = self.request(style, secret)?;
        let mut known = Secrets::default();
        known.replace(secrets);
        let mut hop = Hop::first(&self.endpoint, self.url.clone(), None, credentials, HeaderMap::new());
        hop.body = body.into();
        // Apart: what is measured is the target.
        match exchange::send(&self.endpoint, &mut hop, resolver, &mut Samples::new()).await? {
            Outcome::Final(Some(answer)) => {
                Ok(token::read(answer.head.status, &answer.head.headers, &answer.body, &known))
            }
            // Never: it is handed over, and redirects are not followed.
            Outcome::Final(None) | Outcome::Redirect(_) => {
                Err(Failure::new(Reason::Internal, "the answer was not handed over"))
            }
        }
    }

    /// The header, the body, and what of both must not be shown.
    fn request(&self, style: Style, secret: &Secret) -> Result<(Option<Credentials>, String, Vec<Secret>), Failure> {
        let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(&self.form);
        // A parameter may be a password.
        let mut secrets: Vec<Secret> = self.form.iter().map(|(_, value)| Secret::new(value.as_str())).collect();
        secrets.extend([secret.clone(), Secret::new(encode(secret.expose()))]);
        let credentials = match style {
            Style::Form => {
                form.append_pair("client_id", &self.client_id);
                if !secret.expose().is_empty() {
                    form.append_pair("client_secret", secret.expose());
                }
                None
            }
            Style::Header => {
                let pair = format!("{}:{}", encode(&self.client_id), encode(secret.expose()));
                let pair = base64::engine::general_purpose::STANDARD.encode(pair);
                let mut header = HeaderValue::from_str(&format!("Basic {pair}"))
                    .map_err(|_| Failure::new(Reason::Internal, "base64 that no header can carry"))?;
                header.set_sensitive(true);
                secrets.push(Secret::new(pair));
                Some(Credentials { header })
            }
        };
        Ok((credentials, form.finish(), secrets))
    }
}
