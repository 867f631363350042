//! The `clamd` prober: is the virus scanner there, how old are its signatures, and does it find a test virus (C2.6.4)?
//!
//! Each command has a connection of its own, as the simplest of clamd's clients have it, so that gateways in front of it work too.
//! Not for scanning anything else than the test, and not for clamd's statistics (`STATS` shows file names).

#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;
mod talk;
mod target;
mod version;

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::time::Instant;

use self::target::Target;
use super::net::{self, IpChoice};
use super::{Failure, Metric, Reason, Samples, Section, Shared};

/// Signatures older than this are old, where the module says nothing: they are published daily, and a weekend is no fault.
const DEFAULT_MAX_AGE: Duration = Duration::from_secs(3 * 86_400);

/// Settings of the section `clamd`.
#[derive(Debug)]
pub struct Settings {
    ip: IpChoice,
    source: Option<IpAddr>,
    /// Whether the test virus is sent.
    scan: bool,
    /// See [`Metric::ClamdSignatureMaxAge`].
    max_age: Duration,
    /// clamd says when its signatures were made without saying in which zone: its host's.
    zone: jiff::tz::TimeZone,
}

/// Reads the section `clamd` of a module.
pub fn decode(mut map: Section<'_>) -> Option<Settings> {
    let ip = IpChoice::decode(&mut map);
    let source = net::source_ip_address(&mut map);
    let scan = map.get("scan_test_virus").map_or(Some(true), |c| c.bool());
    let max_age = map.get("signature_max_age").map_or(Some(DEFAULT_MAX_AGE), |c| match c.duration()? {
        Duration::ZERO => c.error("signatures cannot be younger than 0s; write for example 3d"),
        age => Some(age),
    });
    let zone = map.get("timezone").map_or(Some(jiff::tz::TimeZone::UTC), |c| {
        let name = c.non_empty()?;
        match jiff::tz::TimeZone::get(&name) {
            Ok(zone) => Some(zone),
            Err(_) => c.error(format_args!(
                "`{}` is not a time zone; write clamd's host's, such as UTC or Asia/Tokyo",
                crate::config::decode::shorten(&name)
            )),
        }
    });
    map.finish();
    Some(Settings { ip: ip?, source: source?, scan: scan?, max_age: max_age?, zone: zone? })
}

/// Why a target cannot be probed with these settings.
///
/// # Errors
/// With what was found and what is accepted.
pub fn check_target(settings: &Settings, target: &str) -> Result<(), String> {
    match Target::parse(target)? {
        Target::Tcp(endpoint) => endpoint.fits(settings.ip),
        Target::Socket(_) => Ok(()),
    }
}

/// One attempt.
///
/// # Errors
/// `dns`, `refused`, `connect`, `reset`, `permission` as they happen; `protocol` for a peer that is no clamd, `body` where the
/// test virus was not found or could not be scanned, `too_large` where the answer is or clamd takes no stream of that size.
pub async fn run(settings: &Settings, target: &str, shared: &Shared, out: &mut Samples) -> Result<(), Failure> {
    out.set(Metric::ClamdSignatureMaxAge, settings.max_age.as_secs_f64());
    let way = match Target::parse(target).map_err(|why| Failure::new(Reason::Internal, why))? {
        Target::Socket(socket) => talk::Way::Socket(socket),
        Target::Tcp(endpoint) => {
            let begin = Instant::now();
            let address = shared.resolver.resolve(&endpoint.host, settings.ip, out).await;
            out.set_phase(Metric::ClamdDuration, "resolve", begin.elapsed().as_secs_f64());
            talk::Way::Tcp(SocketAddr::new(address?, endpoint.port), settings.source)
        }
    };
    let pong = timed("ping", out, talk::ask(&way, b"zPING\0", &[])).await?;
    if pong != "PONG" {
        return Err(talk::strange("PING", "PONG", &pong));
    }
    let said = timed("version", out, talk::ask(&way, b"zVERSION\0", &[])).await?;
    let version = version::read(&said, &settings.zone).ok_or_else(|| talk::strange("VERSION", "ClamAV …", &said))?;
    version.show(out);
    out.found(|| version.text());
    if settings.scan {
        let said = timed("scan", out, talk::ask(&way, b"zINSTREAM\0", &talk::test_virus())).await?;
        judge(&said, out)?;
    }
    Ok(())
}

/// What clamd said of the test virus.
fn judge(said: &str, out: &mut Samples) -> Result<(), Failure> {
    let verdict = said.strip_prefix("stream: ").unwrap_or(said);
    if verdict.ends_with(" FOUND") {
        out.set(Metric::ClamdTestFound, 1.0);
        out.found(|| format!("the test virus: {}", crate::config::decode::shorten(verdict)));
        return Ok(());
    }
    if verdict == "OK" {
        out.set(Metric::ClamdTestFound, 0.0);
        let detail = "clamd called the test virus clean: viruses pass; look at its databases";
        return Err(Failure::new(Reason::Body, detail));
    }
    if verdict.contains("size limit exceeded") {
        return Err(Failure::new(Reason::TooLarge, format_args!("clamd takes no stream of 68 bytes: `{verdict}`")));
    }
    if verdict.ends_with(" ERROR") {
        let said = crate::config::decode::shorten(verdict);
        return Err(Failure::new(
            Reason::Body,
            format_args!("clamd could not scan the test virus: `{said}`; see its log"),
        ));
    }
    Err(talk::strange("INSTREAM", "stream: … FOUND", said))
}

/// Measures a phase, also when it fails.
async fn timed(
    phase: &'static str,
    out: &mut Samples,
    work: impl Future<Output = Result<String, Failure>>,
) -> Result<String, Failure> {
    out.stage(format!("waiting for clamd's answer to {phase}"));
    let begin = Instant::now();
    let result = work.await;
    out.set_phase(Metric::ClamdDuration, phase, begin.elapsed().as_secs_f64());
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::testing;

    #[test]
    fn nothing_said_means_the_test_is_sent_and_three_days_are_old() {
        let (settings, findings) = testing::read("{}", decode);
        let settings = settings.unwrap();
        assert_eq!((findings, settings.scan, settings.max_age), (Vec::new(), true, DEFAULT_MAX_AGE));
    }

    #[test]
    fn what_does_not_fit_is_said_with_its_place() {
        for (yaml, message) in [
            ("{timezone: Tokyo/Asia}", "timezone: `Tokyo/Asia` is not a time zone"),
            ("{signature_max_age: 0s}", "write for example 3d"),
            ("{scan: true}", "unknown key `scan`"),
        ] {
            testing::finds(yaml, decode, message);
        }
    }

    #[test]
    fn only_a_virus_found_is_one_found() {
        for (said, reason, found) in [
            ("stream: Eicar-Signature FOUND", None, Some(1.0)),
            ("stream: Win.Test.EICAR_HDB-1 FOUND", None, Some(1.0)),
            ("stream: OK", Some(Reason::Body), Some(0.0)),
            ("INSTREAM size limit exceeded. ERROR", Some(Reason::TooLarge), None),
            ("stream: FOUNDERS", Some(Reason::Protocol), None),
            ("INSTREAM: Can't write to temporary file. ERROR", Some(Reason::Body), None),
            ("UNKNOWN COMMAND", Some(Reason::Protocol), None),
            ("", Some(Reason::Protocol), None),
        ] {
            let mut out = Samples::new();
            assert_eq!(judge(said, &mut out).err().map(|failure| failure.reason), reason, "{said}");
            assert_eq!(out.value(Metric::ClamdTestFound, None), found, "{said}");
        }
    }
}
