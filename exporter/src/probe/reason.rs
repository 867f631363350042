//! Why a probe failed: a closed list, used as the label `reason`, and a text for people.
//!
//! The text goes to the log and the landing page, never into a label; it contains no secret.

use std::fmt;

macro_rules! reasons {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal),+ $(,)?) => {
        /// Why a run failed (label `reason` of `probe_failures_total`).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Reason { $($(#[doc = $doc])+ $variant),+ }

        impl Reason {
            /// Every reason, in the order of the enum.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The label's value.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// The label as the page writes it, `reason="…"`.
            #[must_use]
            pub const fn label(self) -> &'static str {
                match self { $(Self::$variant => concat!("reason=\"", $name, "\"")),+ }
            }
        }
    };
}

reasons! {
    /// The name could not be resolved.
    Dns = "dns",
    /// No connection, for another cause than the two below (no route, no address of the wanted family, …).
    Connect = "connect",
    /// The peer refused the connection.
    Refused = "refused",
    /// The peer reset or closed the connection early.
    Reset = "reset",
    /// Not finished within the module's timeout.
    Timeout = "timeout",
    /// The TLS handshake failed, or TLS was (not) used where the module says otherwise.
    Tls = "tls",
    /// The peer's certificate is not valid for this name, now, and our trust roots.
    Certificate = "certificate",
    /// The peer refused this side's client certificate, or that there is none.
    ClientCertificate = "client_certificate",
    /// The peer does not speak the protocol.
    Protocol = "protocol",
    /// A status, response code or reply code that is not accepted.
    Status = "status",
    /// A header assertion failed.
    Header = "header",
    /// A body, banner or answer assertion failed.
    Body = "body",
    /// Too many redirects, a redirect loop, or a redirect to somewhere unusable.
    Redirect = "redirect",
    /// More bytes than the module's limit.
    TooLarge = "too_large",
    /// The query failed or returned nothing.
    Query = "query",
    /// The operating system does not permit the probe, or refused its credentials or secret file; or a token endpoint
    /// refuses the client.
    Permission = "permission",
    /// The probe was to fail and did not.
    ExpectedFailure = "expected_failure",
    /// A fault of this process: out of file descriptors, a bug.
    Internal = "internal",
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A failed run: a reason for machines, a text for people.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}: {detail}")]
pub struct Failure {
    /// Which of the closed list.
    pub reason: Reason,
    /// What happened, with the value found and the value wanted; no secrets, at most a few hundred characters.
    pub detail: String,
}

impl Failure {
    /// The longest detail kept, in characters: targets can be talkative.
    pub const MAX_DETAIL: usize = 300;

    /// A failure; the detail is cut to [`Self::MAX_DETAIL`] and control characters are replaced.
    pub fn new(reason: Reason, detail: impl fmt::Display) -> Self {
        let text = detail.to_string();
        let mut detail: String =
            text.chars().take(Self::MAX_DETAIL).map(|c| if c.is_control() { ' ' } else { c }).collect();
        if text.chars().nth(Self::MAX_DETAIL).is_some() {
            detail.push('…');
        }
        Self { reason, detail }
    }

    /// A failure of a socket operation, `doing` what.
    #[must_use]
    pub fn io(doing: &str, error: &std::io::Error) -> Self {
        use std::io::ErrorKind as K;
        // A session that TLS ends after the handshake: a client certificate refused, a record that is none.
        let of_tls = super::tls::later_reason(error);
        // 23 ENFILE, 24 EMFILE: ours, not the target's.
        let reason = match (of_tls, error.kind(), error.raw_os_error()) {
            (Some(reason), ..) => reason,
            (_, _, Some(23 | 24)) => Reason::Internal,
            (_, K::ConnectionRefused, _) => Reason::Refused,
            (_, K::ConnectionReset | K::ConnectionAborted | K::BrokenPipe | K::UnexpectedEof, _) => Reason::Reset,
            (_, K::TimedOut, _) => Reason::Timeout,
            (_, K::PermissionDenied, _) => Reason::Permission,
            (_, K::InvalidData, _) => Reason::Protocol,
            _ => Reason::Connect,
        };
        Self::new(reason, format_args!("{doing}: {error}"))
    }
}
