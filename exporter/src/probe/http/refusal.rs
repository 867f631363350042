//! `expect: refused`: a request that must not be let in (C2.6.5): without a client certificate, with somebody else's, without a login.
//!
//! A refusal is the peer's own no: of TLS for want of a certificate it accepts, or a status that says so. An answer of success is
//! access. All else (no connection, a redirect, 404, 500) tells nothing about access and fails. Not for what a page says: the
//! module's assertions do that, where a refusal comes with status 200.

use crate::config::decode::{Cursor, MapCursor};
use crate::probe::{Failure, Metric, Reason, Samples};

/// Statuses that refuse: for want of a login, of a right; of a certificate, in nginx's words and in IIS's.
const STATUSES: &[u16] = &[400, 401, 403, 495, 496];
/// Those of them that say so only where a certificate was asked for: nginx answers 400 then.
const OF_CERTIFICATES: &[u16] = &[400, 495, 496];

/// What counts as a refusal.
#[derive(Clone, Copy, Debug)]
pub(super) struct Refusal {
    /// Whether the statuses are ours.
    usual_statuses: bool,
}

impl Refusal {
    /// Reads `expect`; the inner `None` is a module that expects an answer.
    pub(super) fn decode(map: &mut MapCursor<'_>) -> Option<Option<Self>> {
        let usual_statuses = !map.has("valid_status_codes");
        let follows = map.get("follow_redirects");
        let Some(cursor) = map.get("expect") else { return Some(None) };
        if !cursor.one_of(&[("answered", false), ("refused", true)])? {
            return Some(None);
        }
        if let Some(follows) = follows.filter(|c: &Cursor<'_>| c.bool() == Some(true)) {
            return follows.error(
                "a redirect is not followed where a refusal is expected; remove it, or list the redirect's status in \
                 valid_status_codes where that is how the service refuses",
            );
        }
        Some(Some(Self { usual_statuses }))
    }

    /// The statuses that count where the module names none.
    pub(super) fn statuses(self) -> &'static [u16] {
        if self.usual_statuses { STATUSES } else { &[] }
    }

    /// What the outcome of a request says about access.
    ///
    /// # Errors
    /// Reason `expected_failure` where it was let in; where nobody knows, the failure there was.
    pub(super) fn judge(self, result: Result<(), Failure>, out: &mut Samples) -> Result<(), Failure> {
        // A status is whole and below 600.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let status = out.value(Metric::HttpStatusCode, None).unwrap_or_default() as u16;
        match result {
            Ok(()) if self.usual_statuses && OF_CERTIFICATES.contains(&status) && !out.client_certificate_asked => {
                Err(Failure::new(
                    Reason::Status,
                    format_args!(
                        "status {status} refuses for want of a client certificate, and none was asked for: it says nothing about \
                         access; list it in valid_status_codes where that is how the service refuses"
                    ),
                ))
            }
            Ok(()) => refused(&format!("status {status}"), out),
            Err(failure) if failure.reason == Reason::ClientCertificate => refused(&failure.detail, out),
            Err(failure) if (200..300).contains(&status) && is_of_the_answer(&failure, out) => {
                out.set(Metric::AccessOpen, 1.0);
                let detail = format_args!("let in, and the module says that it must be refused: {}", failure.detail);
                Err(Failure::new(Reason::ExpectedFailure, detail))
            }
            Err(failure) if failure.reason == Reason::Status => Err(Failure::new(
                Reason::Status,
                format_args!(
                    "{}: neither let in nor refused; list it in valid_status_codes where it refuses",
                    failure.detail
                ),
            )),
            Err(failure) => Err(failure),
        }
    }
}

/// A status that is none of the accepted, told as what it mostly is where the target asked for a client certificate: nginx lets the handshake
/// end well and refuses none, or a wrong one, with 400.
pub(super) fn explained(failure: Failure, out: &Samples) -> Failure {
    let status = out.value(Metric::HttpStatusCode, None).unwrap_or_default();
    let of_certificates = OF_CERTIFICATES.iter().any(|code| f64::from(*code) == status);
    if failure.reason != Reason::Status || !of_certificates || !out.client_certificate_asked {
        return failure;
    }
    let detail = format_args!(
        "{}; a client certificate was asked for, and servers such as nginx refuse none, or one they do not accept, so (cert_file, key_file)",
        failure.detail
    );
    Failure::new(Reason::Status, detail)
}

/// Whether a failure is what assertions make of a whole answer.
fn is_of_the_answer(failure: &Failure, out: &Samples) -> bool {
    let due_to = |metric| out.value(metric, None) == Some(1.0);
    failure.reason == Reason::Status || due_to(Metric::FailedDueToRegex) || due_to(Metric::FailedDueToCel)
}

#[allow(clippy::unnecessary_wraps)] // An arm's value beside failures.
fn refused(how: &str, out: &mut Samples) -> Result<(), Failure> {
    out.set(Metric::AccessOpen, 0.0);
    out.found(|| format!("refused: {how}"));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_outcome_says_about_access() {
        let failed = |reason| Err(Failure::new(reason, "x"));
        // Usual statuses, asked for a certificate, status, due to a regular expression, what came; open, and the reason.
        for (usual, asked, status, regex, result, open, reason) in [
            (true, false, 403.0, false, Ok(()), Some(0.0), None),
            (true, false, 401.0, false, Ok(()), Some(0.0), None),
            (true, true, 400.0, false, Ok(()), Some(0.0), None),
            (true, false, 400.0, false, Ok(()), None, Some(Reason::Status)),
            (true, false, 496.0, false, Ok(()), None, Some(Reason::Status)),
            (false, false, 400.0, false, Ok(()), Some(0.0), None),
            (false, false, 302.0, false, Ok(()), Some(0.0), None),
            (true, true, 0.0, false, failed(Reason::ClientCertificate), Some(0.0), None),
            (true, true, 200.0, false, failed(Reason::Status), Some(1.0), Some(Reason::ExpectedFailure)),
            (true, true, 299.0, false, failed(Reason::Status), Some(1.0), Some(Reason::ExpectedFailure)),
            (true, true, 300.0, false, failed(Reason::Status), None, Some(Reason::Status)),
            (true, true, 302.0, false, failed(Reason::Status), None, Some(Reason::Status)),
            (true, true, 404.0, false, failed(Reason::Status), None, Some(Reason::Status)),
            (true, true, 503.0, false, failed(Reason::Status), None, Some(Reason::Status)),
            // A login page with status 200 is the refusal; another page is not.
            (false, false, 200.0, false, Ok(()), Some(0.0), None),
            (false, false, 200.0, true, failed(Reason::Body), Some(1.0), Some(Reason::ExpectedFailure)),
            (false, false, 403.0, true, failed(Reason::Body), None, Some(Reason::Body)),
            // Half an answer is none.
            (true, true, 200.0, false, failed(Reason::Reset), None, Some(Reason::Reset)),
            (true, true, 200.0, false, failed(Reason::Body), None, Some(Reason::Body)),
            (true, false, 0.0, false, failed(Reason::Refused), None, Some(Reason::Refused)),
            (true, false, 0.0, false, failed(Reason::Tls), None, Some(Reason::Tls)),
            (true, false, 0.0, false, failed(Reason::Certificate), None, Some(Reason::Certificate)),
        ] {
            let mut out = Samples::new();
            out.client_certificate_asked = asked;
            out.set(Metric::HttpStatusCode, status);
            out.set(Metric::FailedDueToRegex, f64::from(u8::from(regex)));
            let case = format!("{usual} {asked} {status} {regex} {result:?}");
            let judged = Refusal { usual_statuses: usual }.judge(result, &mut out);
            assert_eq!(judged.err().map(|failure| failure.reason), reason, "{case}");
            assert_eq!(out.value(Metric::AccessOpen, None), open, "{case}");
        }
    }
}
