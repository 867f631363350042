//! Where Grafana is, as configured.

use std::time::Duration;

use crate::annotations::Options;
use crate::http_client::{HttpConfig, Names, Peer};

/// Bytes of an answer that are read: 5000 regions, of some 2 KiB each.
const MAX_BODY: u64 = 32 << 20;

const NAMES: Names = Names { url: "grafana.url", config: "grafana" };

/// Grafana, and what is written there.
#[derive(Debug)]
pub struct Grafana {
    peer: Peer,
    options: Options,
    write: bool,
}

impl Grafana {
    /// At `url`.
    ///
    /// # Errors
    /// With what is wrong with the URL, which the text does not repeat.
    pub(crate) fn peer(url: &str, http: HttpConfig, timeout: Duration) -> Result<Peer, String> {
        Peer::new(url, http, timeout, MAX_BODY, &NAMES)
    }

    pub(crate) fn new(peer: Peer, options: Options, write: bool) -> Self {
        Self { peer, options, write }
    }

    /// Where it is, without credentials.
    #[must_use]
    pub fn url(&self) -> String {
        self.peer.url()
    }

    /// Whether the ledger is written there; else it is only read, by `ledger draft`.
    #[must_use]
    pub fn writes(&self) -> bool {
        self.write
    }

    /// What is written.
    #[must_use]
    pub fn options(&self) -> &Options {
        &self.options
    }

    pub(crate) fn connection(&self) -> Peer {
        self.peer.clone()
    }
}
