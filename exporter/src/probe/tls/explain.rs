//! What an error of a handshake means, for people and for the label `reason`.

use std::io;

use rustls::pki_types::{ServerName, UnixTime};
use rustls::{AlertDescription, CertificateError, Error};
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::name;
use super::verify::Recorder;
use crate::probe::{Failure, Reason};

/// How many of a certificate's names a message lists.
const MAX_NAMES: usize = 5;

/// The failure of a handshake with `name`.
pub(super) fn failure(error: &io::Error, name: &ServerName<'_>, recorder: &Recorder) -> Failure {
    let Some(tls) = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) else {
        return Failure::io("TLS handshake", error);
    };
    match tls {
        Error::InvalidCertificate(why) => Failure::new(Reason::Certificate, certificate(why, &name.to_str(), recorder)),
        Error::NoCertificatesPresented => Failure::new(Reason::Certificate, "the peer sent no certificate"),
        Error::AlertReceived(AlertDescription::UnrecognisedName) => Failure::new(
            Reason::Tls,
            format_args!("the peer knows no server named `{}` (alert UnrecognisedName)", name.to_str()),
        ),
        // TLS 1.2 has no alert of its own for a certificate that is missing; who asked for one means that.
        Error::AlertReceived(AlertDescription::HandshakeFailure) if recorder.was_asked() => Failure::new(
            Reason::ClientCertificate,
            "the peer refused the connection (alert HandshakeFailure): it asks for a client certificate it accepts (cert_file, key_file)",
        ),
        Error::AlertReceived(alert) => Failure::new(alert_reason(*alert), alert_text(*alert)),
        Error::InvalidMessage(why) => {
            Failure::new(Reason::Tls, format_args!("the peer does not speak TLS on this port ({why:?})"))
        }
        other => Failure::new(Reason::Tls, format_args!("TLS handshake: {other}")),
    }
}

/// The failure of reading or writing after the handshake; `None` where TLS is not the cause.
///
/// With TLS 1.3 a peer that wants a client certificate says so only now.
pub(super) fn later_failure(error: &io::Error) -> Option<Failure> {
    let reason = later_reason(error)?;
    let detail = match error.get_ref()?.downcast_ref::<Error>()? {
        Error::AlertReceived(alert) => alert_text(*alert),
        other => format!("TLS: {other}"),
    };
    Some(Failure::new(reason, detail))
}

/// The reason of such a failure.
pub(in crate::probe) fn later_reason(error: &io::Error) -> Option<Reason> {
    Some(match error.get_ref()?.downcast_ref::<Error>()? {
        Error::AlertReceived(alert) => alert_reason(*alert),
        _ => Reason::Tls,
    })
}

/// Of a client nothing but its certificate can be bad, of an unknown CA, or expired.
fn alert_reason(alert: AlertDescription) -> Reason {
    use AlertDescription as A;
    match alert {
        A::CertificateRequired
        | A::NoCertificate
        | A::BadCertificate
        | A::UnsupportedCertificate
        | A::CertificateRevoked
        | A::CertificateExpired
        | A::CertificateUnknown
        | A::UnknownCA
        | A::AccessDenied => Reason::ClientCertificate,
        _ => Reason::Tls,
    }
}

fn alert_text(alert: AlertDescription) -> String {
    use AlertDescription as A;
    let hint = match alert {
        A::CertificateExpired => ": the client certificate has expired (cert_file)",
        A::CertificateRevoked => ": the client certificate is revoked (cert_file)",
        _ if alert_reason(alert) == Reason::ClientCertificate => {
            ": it asks for a client certificate it accepts (cert_file, key_file)"
        }
        A::ProtocolVersion => ": it speaks no TLS version that is accepted here (min_version, max_version)",
        A::HandshakeFailure | A::InsufficientSecurity => ": no common version or cipher",
        A::NoApplicationProtocol => ": it speaks none of the application protocols offered (ALPN)",
        _ => "",
    };
    format!("the peer refused the connection (alert {alert:?}){hint}")
}

fn certificate(why: &CertificateError, name: &str, recorder: &Recorder) -> String {
    use CertificateError as C;
    let chain = recorder.seen().map_or(&[][..], |seen| &seen.chain);
    match why {
        C::ExpiredContext { not_after, .. } => {
            format!("certificate for {name} expired since {}", moment(*not_after))
        }
        C::Expired => format!("certificate for {name} expired"),
        C::NotValidYetContext { not_before, .. } => {
            format!("certificate for {name} is not valid before {}", moment(*not_before))
        }
        C::NotValidYet => format!("certificate for {name} is not valid yet"),
        C::NotValidForNameContext { presented, .. } => {
            format!("name mismatch: the certificate is for {}, not for {name}", listed(presented))
        }
        C::NotValidForName => format!("name mismatch: the certificate is not for {name}"),
        C::UnknownIssuer => unknown_issuer(chain.first().map(AsRef::as_ref), chain.len(), recorder),
        C::Revoked => format!("certificate for {name} is revoked"),
        C::BadSignature => format!("certificate for {name} has a signature that does not hold"),
        C::BadEncoding => "the certificate cannot be read".to_owned(),
        C::InvalidPurpose | C::InvalidPurposeContext { .. } => {
            format!("certificate for {name} is not one for a TLS server")
        }
        // What webpki finds and rustls has no name for.
        C::Other(other) => match other.0.to_string().as_str() {
            // `openssl req -x509` makes such; that nobody trusts it comes first.
            "CaUsedAsEndEntity" if is_self_signed(chain.first().map(AsRef::as_ref)) => {
                unknown_issuer(chain.first().map(AsRef::as_ref), chain.len(), recorder)
            }
            "CaUsedAsEndEntity" => format!("certificate for {name} is one of a CA, and not one for a TLS server"),
            other => format!("certificate for {name} does not verify: {other}"),
        },
        other => format!("certificate for {name} does not verify: {other}"),
    }
}

pub(super) fn is_self_signed(leaf: Option<&[u8]>) -> bool {
    let leaf = leaf.and_then(|der| X509Certificate::from_der(der).ok());
    leaf.is_some_and(|(_, leaf)| leaf.subject().as_raw() == leaf.issuer().as_raw())
}

fn unknown_issuer(leaf: Option<&[u8]>, sent: usize, recorder: &Recorder) -> String {
    if recorder.roots().is_some_and(|roots| roots.store.is_empty()) {
        return "this system has no trust roots: install its ca-certificates package or set ca_file".to_owned();
    }
    match leaf.and_then(|der| X509Certificate::from_der(der).ok()) {
        Some((_, leaf)) if leaf.subject().as_raw() == leaf.issuer().as_raw() => format!(
            "unknown issuer: the certificate is self-signed ({}) and not among the trust roots (ca_file)",
            name::text(leaf.subject())
        ),
        Some((_, leaf)) => format!(
            "unknown issuer: `{}` does not lead to a trust root (ca_file); the peer sent {sent} certificate{}{}",
            name::text(leaf.issuer()),
            if sent == 1 { "" } else { "s" },
            if sent == 1 { ", an intermediate one may be missing" } else { "" },
        ),
        None => "unknown issuer".to_owned(),
    }
}

fn listed(names: &[String]) -> String {
    // rustls writes `DnsName("example.com")`: the name alone is what people look for.
    let bare = |text: &String| {
        let inner = text.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')')).unwrap_or(text);
        inner.trim_matches('"').to_owned()
    };
    match names.len() {
        0 => "no name at all (subjectAltName is what counts)".to_owned(),
        n if n <= MAX_NAMES => names.iter().map(bare).collect::<Vec<_>>().join(", "),
        n => format!(
            "{} and {} more",
            names.iter().take(MAX_NAMES).map(bare).collect::<Vec<_>>().join(", "),
            n - MAX_NAMES
        ),
    }
}

fn moment(time: UnixTime) -> String {
    i64::try_from(time.as_secs())
        .ok()
        .and_then(|seconds| jiff::Timestamp::from_second(seconds).ok())
        .map_or_else(|| "a time out of range".to_owned(), |moment| moment.to_string())
}
