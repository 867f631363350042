//! Holding a conversation: `query_response`, its steps one after another over a connection, plain or under TLS.
//!
//! For every prober whose peer speaks in lines or bytes. Not for how the connection came about, and not for sending secrets:
//! a module's text is none.

mod captured;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;
mod received;
mod script;
mod steps;

use regex::Regex;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};

pub(super) use self::captured::Captured;
use self::received::Received;
pub(super) use self::script::Script;
pub(super) use self::steps::{Expect, Form, Step, decode};
use super::link::Link;
use super::tls::TlsSettings;
use super::{Failure, Metric, Reason, Samples};
use crate::config::decode::shorten;

/// A connection and what was said on it so far.
#[derive(Debug)]
struct Conversation<'a, S> {
    link: Link<S>,
    host: &'a str,
    tls: Option<&'a TlsSettings>,
    received: Received,
    captured: Captured<'a>,
}

impl<'a, S: AsyncRead + AsyncWrite + Unpin> Conversation<'a, S> {
    /// On `link`, with a peer that must prove to be `host` where TLS begins.
    fn new(link: Link<S>, host: &'a str, tls: Option<&'a TlsSettings>) -> Self {
        Self { link, host, tls, received: Received::default(), captured: Captured::default() }
    }

    /// Takes every step, then closes the connection.
    async fn hold(mut self, steps: &'a [Step], out: &mut Samples) -> Result<(), Failure> {
        for step in steps {
            let mut text = step.send.clone().unwrap_or_default();
            match &step.expect {
                Expect::Nothing => {}
                Expect::Bytes(wanted) => self.expect_bytes(wanted, out).await?,
                Expect::Line { pattern, labels } => {
                    let line = self.expect_line(pattern, out).await?;
                    text = self.captured.take(pattern, labels, &text, &line, out);
                }
            }
            if !text.is_empty() {
                out.stage("sending");
                text.push('\n');
                self.link.write_all(text.as_bytes()).await.map_err(|e| Failure::io("send to the peer", &e))?;
                self.link.flush().await.map_err(|e| Failure::io("send to the peer", &e))?;
            }
            if step.starttls {
                self = self.start_tls(out).await?;
            }
        }
        // Says goodbye where the protocol has one (TLS); the result stands whatever comes of it.
        out.stage("closing the connection");
        let _ = self.link.shutdown().await;
        Ok(())
    }

    /// Reads lines until one matches.
    async fn expect_line(&mut self, pattern: &Regex, out: &mut Samples) -> Result<String, Failure> {
        let wanted = shorten(pattern.as_str());
        let mut last = None;
        loop {
            while let Some(line) = self.received.line()? {
                if pattern.is_match(&line) {
                    out.set(Metric::FailedDueToRegex, 0.0);
                    return Ok(line);
                }
                last = Some(shorten(&line));
            }
            out.stage(match (&last, self.received.pending()) {
                (_, pending @ [_, ..]) => format!(
                    "waiting for a line that matches `{wanted}`; so far `{}` without a line end",
                    shorten(&String::from_utf8_lossy(&pending[..pending.len().min(256)]))
                ),
                (Some(last), _) => format!("waiting for a line that matches `{wanted}`; the last one was `{last}`"),
                (None, _) => format!("waiting for a line that matches `{wanted}`"),
            });
            if !self.received.fill(&mut self.link).await? {
                break;
            }
        }
        if let Some(line) = self.received.line()? {
            if pattern.is_match(&line) {
                out.set(Metric::FailedDueToRegex, 0.0);
                return Ok(line);
            }
            last = Some(shorten(&line));
        }
        out.set(Metric::FailedDueToRegex, 1.0);
        Err(match last {
            Some(last) => Failure::new(
                Reason::Body,
                format_args!("the peer closed before a line matched `{wanted}`; the last one was `{last}`"),
            ),
            None if self.received.is_silent() => {
                Failure::new(Reason::Reset, format_args!("the peer closed without a word; expected `{wanted}`"))
            }
            None => Failure::new(Reason::Body, format_args!("the peer closed before a line matched `{wanted}`")),
        })
    }

    /// Compares the next bytes, and gives up at the first that differs.
    async fn expect_bytes(&mut self, wanted: &[u8], out: &mut Samples) -> Result<(), Failure> {
        loop {
            let found = self.received.pending();
            let found = &found[..found.len().min(wanted.len())];
            let text = || shorten(&found.escape_ascii().to_string());
            if *found != wanted[..found.len()] {
                out.set(Metric::FailedDueToBytes, 1.0);
                let wanted = shorten(&wanted.escape_ascii().to_string());
                return Err(Failure::new(
                    Reason::Body,
                    format_args!("expected the bytes `{wanted}`, found `{}`", text()),
                ));
            }
            if found.len() == wanted.len() {
                self.received.consume(wanted.len());
                return Ok(());
            }
            let progress = format!("{} of {} expected bytes", found.len(), wanted.len());
            out.stage(format!("waiting for bytes, having {progress}"));
            if !self.received.fill(&mut self.link).await? {
                let reason = if self.received.is_silent() { Reason::Reset } else { Reason::Body };
                return Err(Failure::new(reason, format_args!("the peer closed after {progress}")));
            }
        }
    }

    async fn start_tls(mut self, out: &mut Samples) -> Result<Self, Failure> {
        // Plain text that would be taken for a part of the encrypted conversation: an injection, or a step too few.
        if let pending @ [_, ..] = self.received.pending() {
            let found = shorten(&String::from_utf8_lossy(&pending[..pending.len().min(256)]));
            return Err(Failure::new(
                Reason::Protocol,
                format_args!(
                    "the peer sent `{found}` in plain text where TLS was to begin; expect it in a step before"
                ),
            ));
        }
        if let Some(tls) = self.tls {
            self.link = self.link.into_tls(self.host, tls, out).await?;
        }
        Ok(self)
    }
}
