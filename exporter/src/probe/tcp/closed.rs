//! `expect: closed`: a port that must take no connection (C2.6.2).
//!
//! Refused, forbidden on the way and silence are closed. Whatever says that the question never left this host (no route, no
//! name, no descriptor left) answers nothing and fails. A firewall that takes connections for the port to drop them counts
//! as open: that is what an attacker sees.

use std::net::SocketAddr;
use std::time::Duration;

use super::Settings;
use crate::probe::endpoint::Endpoint;
use crate::probe::{Failure, Metric, Reason, Samples, Shared, net};

/// What is left of an attempt's time when silence is taken for closed: the result must come before the attempt's own end.
const MARGIN: Duration = Duration::from_millis(500);

/// One attempt of at most `timeout`.
pub(super) async fn run(
    settings: &Settings,
    target: &str,
    timeout: Duration,
    shared: &Shared,
    out: &mut Samples,
) -> Result<(), Failure> {
    out.set_info(Metric::Expectation, &[("expect", "closed")], 1.0);
    let began = tokio::time::Instant::now();
    let deadline = began + timeout.saturating_sub(MARGIN.min(timeout / 4));
    let endpoint = Endpoint::parse(target, None).map_err(|why| Failure::new(Reason::Internal, why))?;
    let address = shared.resolver.resolve(&endpoint.host, settings.ip, out).await?;
    let address = SocketAddr::new(address, endpoint.port);
    out.stage("connecting to what must be closed");
    let resolved = began.elapsed();
    let connected = tokio::time::timeout_at(deadline, net::connect(address, settings.source)).await;
    let closed = match connected {
        Ok(Ok(stream)) => {
            drop(stream);
            out.set(Metric::PortOpen, 1.0);
            let detail = format_args!("{address} took a connection, and the module says that it must be closed");
            return Err(Failure::new(Reason::ExpectedFailure, detail));
        }
        Ok(Err(failure)) if says_closed(&failure) => failure.detail,
        Ok(Err(failure)) => return Err(failure),
        Err(_) => silence(resolved, timeout)?,
    };
    out.found(|| format!("closed: {closed}"));
    out.set(Metric::PortOpen, 0.0);
    Ok(())
}

/// Whether a failure is the other side's or a firewall's no, rather than this side's trouble.
fn says_closed(failure: &Failure) -> bool {
    match failure.reason {
        Reason::Refused | Reason::Reset | Reason::Timeout => true,
        // A router's "prohibited" arrives as 113 EHOSTUNREACH: an answer. 101 ENETUNREACH is this host without a route.
        Reason::Connect => failure.detail.contains("os error 113"),
        _ => false,
    }
}

/// What silence until the end of an attempt says, when the name took `resolved` of its `timeout`: a slow name server must
/// not make an open port look closed.
fn silence(resolved: Duration, timeout: Duration) -> Result<String, Failure> {
    if resolved > timeout / 2 {
        let detail = format_args!(
            "the name took {resolved:.1?} of {timeout:?}, too long for the port's silence to mean closed; raise `timeout`"
        );
        return Err(Failure::new(Reason::Timeout, detail));
    }
    Ok("no answer".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_is_closed_only_when_the_port_had_half_of_the_time() {
        let second = Duration::from_secs(1);
        assert_eq!(silence(second, second * 2).unwrap(), "no answer");
        let failure = silence(second + Duration::from_millis(1), second * 2).unwrap_err();
        assert_eq!(failure.reason, Reason::Timeout);
        assert!(failure.detail.contains("raise `timeout`"), "{failure}");
    }
}
