//! A client of one HTTP API, for what this process tells or asks other programs: Prometheus, Alertmanager, Grafana.
//!
//! One connection is kept for successive requests; time and bytes are bounded; credentials are read at each use and in
//! no message. HTTP/1.1, with or without TLS. Not for probes, which measure each connection (`probe::http`), and not
//! for what an answer means (`prometheus_api`, `alertmanager_api`).

mod address;
mod body;
mod channel;
mod connection;
mod error;
mod http_config;

use std::time::Duration;

use self::address::Address;
pub(crate) use self::channel::{Call, Channel};
pub use self::error::ErrorKind;
pub(crate) use self::error::{Fault, Secrets, excerpt};
pub(crate) use self::http_config::{HttpConfig, defaults, keys, load};
use crate::probe::http::{Auth, Login};

/// What the settings are called where people write them, for messages that say what to change.
#[derive(Debug)]
pub(crate) struct Names {
    /// The URL.
    pub(crate) url: &'static str,
    /// Where credentials and TLS are.
    pub(crate) config: &'static str,
}

/// Whom a client talks to, and how.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    address: Address,
    pub(crate) http: HttpConfig,
    /// Bound of one request, a second attempt included.
    pub(crate) timeout: Duration,
    /// Bytes of an answer that are read, as sent and decompressed.
    pub(crate) max_body: u64,
    names: &'static Names,
}

impl Peer {
    /// At `url`, whose user and password are credentials as those of `http` are.
    ///
    /// # Errors
    /// With what is wrong with the URL, which the text does not repeat.
    pub(crate) fn new(
        url: &str,
        mut http: HttpConfig,
        timeout: Duration,
        max_body: u64,
        names: &'static Names,
    ) -> Result<Self, String> {
        let (address, user_info) = address::parse(url)?;
        if let Some(info) = user_info {
            if http.login.is_some() {
                return Err(format!("it has a user, and so has {}; keep one of them", names.config));
            }
            http.login = Login::Fixed(Auth::of_user(info.user, info.password));
        }
        Ok(Self { address, http, timeout, max_body, names })
    }

    /// Where it is, without credentials.
    #[must_use]
    pub(crate) fn url(&self) -> String {
        self.address.to_string()
    }
}
