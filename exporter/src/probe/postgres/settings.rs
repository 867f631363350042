//! The section `postgres` of a module.

use std::fmt;
use std::net::IpAddr;

use tokio_postgres::config::ChannelBinding;

use crate::config::decode::{Cursor, shorten};
use crate::probe::Section;
use crate::probe::net::{self, IpChoice};
use crate::probe::tls::{self, TlsSettings};
use crate::secret::SecretSource;

/// The name sessions have in `pg_stat_activity`.
const APPLICATION_NAME: &str = "sla-exporter";
/// The longest name PostgreSQL keeps (`NAMEDATALEN`), in bytes; longer ones it cuts in silence.
const MAX_NAME: usize = 63;

/// Whether a SCRAM login proves that the TLS connection is the server's own: libpq's `channel_binding`.
const BINDINGS: [(&str, ChannelBinding); 3] =
    [("disable", ChannelBinding::Disable), ("prefer", ChannelBinding::Prefer), ("require", ChannelBinding::Require)];

/// Settings of the section `postgres`.
pub struct Settings {
    pub(super) ip: IpChoice,
    pub(super) source: Option<IpAddr>,
    pub(super) user: String,
    pub(super) password: Option<SecretSource>,
    /// The server takes the user's name where there is none.
    pub(super) dbname: Option<String>,
    pub(super) application_name: String,
    /// `-c name=value …`, as libpq's `options`.
    pub(super) options: Option<String>,
    pub(super) sslmode: SslMode,
    pub(super) channel_binding: ChannelBinding,
    /// Absent with `sslmode: disable`.
    pub(super) tls: Option<TlsSettings>,
    pub(super) query: Option<String>,
    pub(super) read_only: bool,
}

// A query may hold a secret: it stays out of every output.
impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings").field("user", &self.user).field("sslmode", &self.sslmode).finish_non_exhaustive()
    }
}

/// Whether TLS is used and what of the server's certificate is verified: libpq's `sslmode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SslMode {
    /// No TLS.
    Disable,
    /// TLS where the server offers it; nothing is verified.
    Prefer,
    /// TLS; nothing is verified.
    Require,
    /// TLS; the certificate must lead to a trust root.
    VerifyCa,
    /// TLS; the certificate must also be for the target's name.
    VerifyFull,
}

impl SslMode {
    const WORDS: [(&'static str, Self); 5] = [
        ("disable", Self::Disable),
        ("prefer", Self::Prefer),
        ("require", Self::Require),
        ("verify-ca", Self::VerifyCa),
        ("verify-full", Self::VerifyFull),
    ];

    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        Self::WORDS.iter().find(|(_, mode)| *mode == self).map_or("", |(word, _)| word)
    }

    fn verifies(self) -> bool {
        matches!(self, Self::VerifyCa | Self::VerifyFull)
    }
}

impl Settings {
    /// Whether a login shows a password, or a proof of it that can be tried out on words.
    pub(in crate::probe) fn sends_credentials(&self) -> bool {
        self.password.is_some()
    }
}

/// Reads the section `postgres` of a module.
pub fn decode(mut map: Section<'_>) -> Option<Settings> {
    let ip = IpChoice::decode(&mut map);
    let source = net::source_ip_address(&mut map);
    let user = map.require("user").and_then(|c| name(&c));
    let password = map.secret("password", "password_file");
    let dbname = map.get("dbname").map_or(Some(None), |c| name(&c).map(Some));
    let application_name = map.get("application_name").map_or_else(|| Some(APPLICATION_NAME.to_owned()), |c| name(&c));
    let options = map.get("options").map_or(Some(None), |c| text(&c).map(Some));
    let sslmode = map.get("sslmode").map_or(Some(SslMode::Prefer), |c| c.one_of(&SslMode::WORDS));
    let binding = map.get("channel_binding").map_or(Some(ChannelBinding::Prefer), |c| {
        let mode = c.one_of(&BINDINGS)?;
        if mode == ChannelBinding::Require && sslmode == Some(SslMode::Disable) {
            return c.error("there is no channel to bind to: sslmode is disable");
        }
        Some(mode)
    });
    let tls_config = map.get("tls_config");
    let query = map.get("query").map_or(Some(None), |c| text(&c).map(Some));
    let read_only = map.get("read_only").map_or(Some(true), |c| c.bool());
    let tls = sslmode.and_then(|mode| decode_tls(mode, tls_config.as_ref()));
    map.finish();
    Some(Settings {
        ip: ip?,
        source: source?,
        user: user?,
        password,
        dbname: dbname?,
        application_name: application_name?,
        options: options?,
        sslmode: sslmode?,
        channel_binding: binding?,
        tls: tls?,
        query: query?,
        read_only: read_only?,
    })
}

/// The outer `None` means a reported error.
// absent and wrong are two things here
fn decode_tls(mode: SslMode, cursor: Option<&Cursor<'_>>) -> Option<Option<TlsSettings>> {
    if let Some(cursor) = cursor {
        let map = cursor.map()?;
        if mode == SslMode::Disable {
            cursor.warn("has no effect: sslmode is disable");
        } else if !mode.verifies() && (map.has("ca") || map.has("ca_file")) {
            return cursor.error(format_args!(
                "a CA is given but sslmode {} verifies nothing; write `sslmode: verify-full` (or verify-ca)",
                mode.as_str()
            ));
        }
    }
    let settings = tls::decode(cursor.cloned(), &[])?;
    if let (Some(cursor), true, false) = (cursor, mode.verifies(), settings.verifies()) {
        return cursor.error(format_args!(
            "insecure_skip_verify contradicts sslmode {}; write `sslmode: require` to verify nothing",
            mode.as_str()
        ));
    }
    Some(match mode {
        SslMode::Disable => None,
        SslMode::Prefer | SslMode::Require => Some(settings.without_verification()),
        SslMode::VerifyCa => Some(settings.without_name_check()),
        SslMode::VerifyFull => Some(settings),
    })
}

/// A name as PostgreSQL takes them.
fn name(cursor: &Cursor<'_>) -> Option<String> {
    let name = text(cursor)?;
    if name.len() > MAX_NAME {
        return cursor.error(format_args!("`{}` is longer than PostgreSQL's {MAX_NAME} bytes", shorten(&name)));
    }
    Some(name)
}

/// A text without the zero byte, which ends a text in the protocol.
fn text(cursor: &Cursor<'_>) -> Option<String> {
    let text = cursor.non_empty()?;
    if text.contains('\0') { cursor.error("a text with a zero byte in it cannot be sent") } else { Some(text) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::testing;

    fn read(yaml: &str) -> (Option<Settings>, Vec<String>) {
        testing::read(yaml, decode)
    }

    #[track_caller]
    fn finds(yaml: &str, message: &str) {
        testing::finds(yaml, decode, message);
    }

    #[test]
    fn a_user_is_all_that_must_be_said() {
        let (settings, findings) = read("{user: monitor}");
        let settings = settings.unwrap();
        assert_eq!(findings, Vec::<String>::new());
        assert_eq!((settings.user.as_str(), settings.application_name.as_str()), ("monitor", "sla-exporter"));
        assert_eq!((settings.sslmode, settings.channel_binding), (SslMode::Prefer, ChannelBinding::Prefer));
        assert!(settings.read_only && settings.query.is_none() && settings.dbname.is_none());
        assert!(settings.tls.is_some_and(|tls| !tls.verifies()));
    }

    #[test]
    fn what_does_not_fit_is_said_with_its_place() {
        finds("{}", "`user` is missing");
        finds("{user: ''}", "user: expected a text, found an empty one");
        finds("{user: a, usr: b}", "unknown key `usr`");
        finds("{user: a, password: b}", "name that in `password_file`");
        finds("{user: a, sslmode: verify_full}", "did you mean `verify-full`?");
        finds("{user: a, sslmode: allow}", "accepted: disable, prefer, require, verify-ca, verify-full");
        finds("{user: a, sslmode: disable, tls_config: {}}", "warning: tls_config: has no effect: sslmode is disable");
        finds("{user: a, tls_config: {ca_file: ca.pem}}", "sslmode prefer verifies nothing");
        finds("{user: a, sslmode: require, tls_config: {ca: x}}", "sslmode require verifies nothing");
        finds(
            "{user: a, sslmode: verify-full, tls_config: {insecure_skip_verify: true}}",
            "insecure_skip_verify contradicts sslmode verify-full",
        );
        finds("{user: a, sslmode: disable, channel_binding: require}", "there is no channel to bind to");
        finds("{user: a, query: \"SELECT '\\0'\"}", "a zero byte");
        finds(&format!("{{user: {}}}", "x".repeat(64)), "is longer than PostgreSQL's 63 bytes");
        assert_eq!(read(&format!("{{user: {}}}", "x".repeat(63))).1, Vec::<String>::new());
    }

    #[test]
    fn a_query_is_not_shown() {
        let settings = read("{user: a, query: SELECT 'hunter2'}").0.unwrap();
        assert!(!format!("{settings:?}").contains("hunter2"));
    }
}
