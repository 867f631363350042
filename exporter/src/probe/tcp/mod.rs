//! The `tcp` prober: a connection, optionally TLS, optionally a conversation line by line.
//!
//! Options, metrics and the conversation's rules are blackbox_exporter's. Not for protocols with a prober
//! of their own (`http`, `dns`, `postgres`), and not for sending secrets: a module's text is no secret.

mod closed;

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use hyper::header::HeaderValue;

use super::conversation::Script;
use super::endpoint::Endpoint;
use super::net::{self, IpChoice};
use super::{Failure, Samples, Section, Shared};

/// Settings of the section `tcp`.
#[derive(Debug)]
pub struct Settings {
    ip: IpChoice,
    source: Option<IpAddr>,
    script: Script,
    /// The check is that nothing takes the connection.
    closed: bool,
}

impl Settings {
    /// Whether success means that the port is closed.
    #[must_use]
    pub const fn expects_closed(&self) -> bool {
        self.closed
    }
}

/// Reads the section `tcp` of a module.
pub fn decode(mut map: Section<'_>) -> Option<Settings> {
    let ip = IpChoice::decode(&mut map);
    let source = net::source_ip_address(&mut map);
    let has_tls_config = map.has("tls_config");
    let script = Script::decode(&mut map);
    let expect = map.get("expect");
    let closed = expect.as_ref().map_or(Some(false), |c| c.one_of(&[("open", false), ("closed", true)]));
    if let (Some(c), Some(true)) = (&expect, closed)
        && (has_tls_config || script.as_ref().is_some_and(|script| !script.is_empty()))
    {
        return c.error(
            "nothing is said to a port that must be closed: leave out `tls`, `tls_config` and `query_response`",
        );
    }
    map.finish();
    Some(Settings { ip: ip?, source: source?, script: script?, closed: closed? })
}

/// Why a target cannot be probed with these settings.
///
/// # Errors
/// With what was found and what is accepted.
pub fn check_target(settings: &Settings, target: &str) -> Result<(), String> {
    Endpoint::parse(target, None)?.fits(settings.ip)
}

/// One attempt; `hostname` is the peer's name in TLS where `tls_config` has no `server_name`, `timeout` the attempt's bound.
///
/// # Errors
/// `dns`, `refused`, `reset`, `connect`, `permission` and `internal` as they happen; `tls` and `certificate` for the
/// handshake; `body` when no line matched, `too_large` when a line or the conversation is, `protocol` for plain
/// text where TLS was to begin, `expected_failure` where a port that must be closed took the connection.
pub async fn run(
    settings: &Settings,
    target: &str,
    hostname: Option<&HeaderValue>,
    timeout: Duration,
    shared: &Shared,
    out: &mut Samples,
) -> Result<(), Failure> {
    if settings.closed {
        return closed::run(settings, target, timeout, shared, out).await;
    }
    settings.script.begin(out);
    let endpoint = Endpoint::parse(target, None).map_err(|why| Failure::new(super::Reason::Internal, why))?;
    let address = shared.resolver.resolve(&endpoint.host, settings.ip, out).await?;
    let name = hostname.and_then(|name| name.to_str().ok()).unwrap_or(&endpoint.host);
    out.stage("connecting");
    let stream = net::connect(SocketAddr::new(address, endpoint.port), settings.source).await?;
    settings.script.hold(stream, name, out).await
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
    fn nothing_said_means_a_connection_and_no_more() {
        let (settings, findings) = read("{}");
        let settings = settings.unwrap();
        assert_eq!(findings, Vec::<String>::new());
        assert!(settings.ip.prefer_v6 && settings.ip.fallback && settings.source.is_none());
        assert!(settings.script.is_empty() && settings.script.tls().is_none());
    }

    #[test]
    fn what_does_not_fit_is_said_with_its_place() {
        finds("{tsl: true}", "unknown key `tsl`; accepted here:");
        finds("{query_response: [{expcet: a}]}", "did you mean `expect`?");
        finds("{query_response: [{expect: '('}]}", "query_response[0].expect: `(` is not a regular expression");
        finds("{query_response: [{expect: ''}]}", "query_response[0].expect: ");
        finds("{query_response: [{expect: a, expect_bytes: b}]}", "`expect` or `expect_bytes`, not both");
        finds("{query_response: [{}]}", "warning: query_response[0]: does nothing");
        finds("{query_response: [{send: a, labels: [{name: a, value: b}]}]}", "has no effect without `expect`");
        finds("{query_response: [{expect: a, labels: [{name: a-b, value: b}]}]}", "`a-b` is not a label name");
        finds("{query_response: [{expect: a, labels: [{name: site, value: b}]}]}", "`site` is a label of every probe");
        finds("{query_response: [{expect: a, labels: [{name: __a, value: b}]}]}", "`__a` is not a label name");
        finds("{query_response: [{expect: a, labels: [{name: a}]}]}", "`value` is missing");
        finds(
            "{query_response: [{expect: a, labels: [{name: v, value: b}]}, {expect: a, labels: [{name: v, value: b}]}]}",
            "label `v` is set twice",
        );
        finds("{tls: true, query_response: [{starttls: true}]}", "the connection is under TLS already");
        finds("{query_response: [{starttls: true}, {starttls: true}]}", "the connection is under TLS already");
        finds("{source_ip_address: localhost}", "is not an IP address");
    }

    #[test]
    fn a_reference_to_a_group_the_pattern_lacks_is_refused() {
        finds("{query_response: [{expect: 'PING (.*)', send: 'PONG ${2}'}]}", "`${2}`: the pattern has 1 group");
        finds("{query_response: [{expect: 'a', labels: [{name: v, value: '$who'}]}]}", "no group named `who`");
        for fine in ["${1}", "$1", "${all}", "$$2", "cost: $ 5", "${"] {
            let (_, findings) = read(&format!("{{query_response: [{{expect: '(?P<all>.*)', send: '{fine}'}}]}}"));
            assert_eq!(findings, Vec::<String>::new(), "{fine}");
        }
    }

    #[test]
    fn a_target_is_host_and_port() {
        let (settings, _) = read("{}");
        let settings = settings.unwrap();
        for good in ["mail.example.com:25", "192.0.2.1:25", "[::1]:25"] {
            assert_eq!(check_target(&settings, good), Ok(()), "{good}");
        }
        for bad in ["mail.example.com", "::1:25", "tcp://mail:25", "mail:smtp", ""] {
            assert!(check_target(&settings, bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_address_of_the_excluded_family_is_refused() {
        let (settings, _) = read("{preferred_ip_protocol: ip4, ip_protocol_fallback: false}");
        let settings = settings.unwrap();
        assert!(check_target(&settings, "[::1]:25").unwrap_err().contains("ip_protocol_fallback"));
        assert_eq!(check_target(&settings, "127.0.0.1:25"), Ok(()));
        assert_eq!(check_target(&settings, "localhost:25"), Ok(()));
    }
}
