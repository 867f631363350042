//! The `unix` prober: a connection to a Unix socket of this host, optionally TLS, optionally a conversation line by line.
//!
//! Options, metrics and the conversation's rules are blackbox_exporter's; what is said is said as `tcp` says it. Not for
//! protocols with a prober of their own (`clamd`, `postgres`).

use super::conversation::Script;
use super::net::UnixSocket;
use super::{Failure, Reason, Samples, Section};

/// Who the peer must be where nobody verifies it: an address, so that no server name is sent.
const NOBODY: &str = "127.0.0.1";

/// Settings of the section `unix`.
#[derive(Debug)]
pub struct Settings {
    script: Script,
}

/// Reads the section `unix` of a module.
pub fn decode(mut map: Section<'_>) -> Option<Settings> {
    let script = Script::decode(&mut map);
    let unnamed = script.as_ref().and_then(Script::tls).is_some_and(|tls| tls.verifies() && tls.server_name.is_none());
    if unnamed {
        map.error(
            "a Unix socket has no name a certificate could be for; write `tls_config: {server_name: …}`, the name it is for",
        );
    }
    map.finish();
    script.filter(|_| !unnamed).map(|script| Settings { script })
}

/// Why a target cannot be probed with these settings.
///
/// # Errors
/// With what was found and what is accepted.
pub fn check_target(_settings: &Settings, target: &str) -> Result<(), String> {
    UnixSocket::parse(target).map(drop)
}

/// One attempt.
///
/// # Errors
/// `refused`, `permission`, `connect` and `internal` as they happen; what a conversation can fail of.
pub async fn run(settings: &Settings, target: &str, out: &mut Samples) -> Result<(), Failure> {
    settings.script.begin(out);
    let socket = UnixSocket::parse(target).map_err(|why| Failure::new(Reason::Internal, why))?;
    out.stage("connecting");
    let stream = socket.connect().await?;
    settings.script.hold(stream, NOBODY, out).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::testing;

    #[test]
    fn nothing_said_means_a_connection_and_no_more() {
        let (settings, findings) = testing::read("{}", decode);
        assert!(settings.unwrap().script.is_empty());
        assert_eq!(findings, Vec::<String>::new());
    }

    #[test]
    fn what_does_not_fit_is_said_with_its_place() {
        for (yaml, message) in [
            ("{preferred_ip_protocol: ip4}", "unknown key `preferred_ip_protocol`; accepted here: tls, query_response"),
            ("{tls: true}", "tls_config: {server_name: …}"),
            ("{query_response: [{starttls: true}]}", "tls_config: {server_name: …}"),
            ("{tls_config: {server_name: a}}", "has no effect: there is neither"),
            ("{tls: true, tls_config: {server_name: a}, query_response: [{starttls: true}]}", "under TLS already"),
        ] {
            testing::finds(yaml, decode, message);
        }
        for yaml in
            ["{tls: true, tls_config: {server_name: a}}", "{tls: true, tls_config: {insecure_skip_verify: true}}"]
        {
            let (settings, findings) = testing::read(yaml, decode);
            assert!(settings.is_some() && findings.is_empty(), "{yaml}: {findings:?}");
        }
    }
}
