//! What a module wants said, and whether under TLS: the options `tls`, `tls_config` and `query_response`.

use tokio::io::{AsyncRead, AsyncWrite};

use super::Conversation;
use super::steps::{self, Step};
use crate::probe::link::Link;
use crate::probe::tls::{self, TlsSettings};
use crate::probe::{Failure, Metric, Samples, Section};

/// TLS and the steps of one module.
#[derive(Debug)]
pub(in crate::probe) struct Script {
    /// TLS from the first byte on.
    tls_at_once: bool,
    /// For TLS at once or after a `starttls` step; `None` where neither is asked for.
    tls: Option<TlsSettings>,
    steps: Vec<Step>,
}

impl Script {
    /// Reads the keys; all of them, also after an error.
    pub(in crate::probe) fn decode(map: &mut Section<'_>) -> Option<Self> {
        let tls_at_once = map.get("tls").map_or(Some(false), |c| c.bool());
        let steps = map
            .get("query_response")
            .map_or(Some(Vec::new()), |c| steps::decode(&c, steps::Form::Stream { tls: tls_at_once == Some(true) }));
        let tls_config = map.get("tls_config");
        let wanted = tls_at_once == Some(true) || steps.iter().flatten().any(|step| step.starttls);
        if let (Some(cursor), false, Some(_)) = (&tls_config, wanted, &steps) {
            cursor.warn("has no effect: there is neither `tls: true` nor a `starttls` step");
        }
        let tls = if wanted || tls_config.is_some() { tls::decode(tls_config, &[]).map(Some) } else { Some(None) };
        Some(Self { tls_at_once: tls_at_once?, tls: tls?.filter(|_| wanted), steps: steps? })
    }

    /// Whether there is nothing to say: a connection is all there is.
    pub(in crate::probe) fn is_empty(&self) -> bool {
        !self.tls_at_once && self.steps.is_empty()
    }

    /// How TLS is spoken, where it is.
    pub(in crate::probe) fn tls(&self) -> Option<&TlsSettings> {
        self.tls.as_ref()
    }

    /// Sets what blackbox_exporter shows of a run that fails before anything is compared.
    pub(in crate::probe) fn begin(&self, out: &mut Samples) {
        out.set(Metric::FailedDueToRegex, 0.0);
        if self.steps.iter().any(Step::expects_bytes) {
            out.set(Metric::FailedDueToBytes, 0.0);
        }
    }

    /// Holds the conversation over `stream`, with a peer that must prove to be `host` where TLS begins.
    ///
    /// # Errors
    /// `tls` and `certificate` for the handshake; `body` when no line matched, `too_large` when a line or the conversation is,
    /// `protocol` for plain text where TLS was to begin, `reset` as it happens.
    pub(in crate::probe) async fn hold<S>(&self, stream: S, host: &str, out: &mut Samples) -> Result<(), Failure>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let mut link = Link::Plain(stream);
        if let (true, Some(tls)) = (self.tls_at_once, &self.tls) {
            link = link.into_tls(host, tls, out).await?;
        }
        Conversation::new(link, host, self.tls.as_ref()).hold(&self.steps, out).await
    }
}
