//! Where a gRPC server is reached: `host`, `host:port`, or the same as a URL without a path, as blackbox_exporter has it.

use hyper::http::uri::Authority;

use crate::probe::endpoint::Endpoint;

/// The port where the target names none.
const PORT: u16 = 80;
/// The same with TLS.
const PORT_TLS: u16 = 443;

/// Reads a target of a module that speaks TLS or does not.
pub(super) fn parse(text: &str, tls: bool) -> Result<Endpoint, String> {
    let rest = match text.split_once("://") {
        None => text,
        Some((scheme @ ("http" | "https"), rest)) => {
            let hint = match (scheme, tls) {
                ("https", false) => "speaks no TLS; give it `tls: true`",
                ("http", true) => "speaks TLS; write https://, or `tls: false` in the module",
                _ => "",
            };
            if !hint.is_empty() {
                return Err(format!("found a URL with {scheme}://, and the module {hint}"));
            }
            rest.strip_suffix('/').unwrap_or(rest)
        }
        Some(_) => return Err("write `host:port`; of URLs only http:// and https:// are accepted".to_owned()),
    };
    if rest.contains(['/', '?', '#']) {
        return Err(
            "a health check has no path; write `host:port`, and the service in the module's `service`".to_owned()
        );
    }
    Endpoint::parse(rest, Some(if tls { PORT_TLS } else { PORT }))
}

/// What the server is told it is called: host and port.
pub(super) fn authority(endpoint: &Endpoint) -> Result<Authority, String> {
    let Endpoint { host, port } = endpoint;
    let text = if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
    text.parse().map_err(|_| format!("`{text}` cannot be asked for"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_an_address_with_a_port_of_its_own_or_the_usual_one() {
        for (text, tls, expected) in [
            ("a", false, "a:80"),
            ("a", true, "a:443"),
            ("a:50051", true, "a:50051"),
            ("[::1]:50051", false, "[::1]:50051"),
            ("::1", false, "[::1]:80"),
            ("http://a:50051", false, "a:50051"),
            ("https://a/", true, "a:443"),
        ] {
            let endpoint = parse(text, tls).unwrap();
            assert_eq!(authority(&endpoint).unwrap().as_str(), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_target_is_refused() {
        for (text, tls, part) in [
            ("https://a", false, "`tls: true`"),
            ("http://a", true, "`tls: false`"),
            ("grpc://a", false, "only http:// and https://"),
            ("http://a/b", false, "has no path"),
            ("a:1/b", false, "has no path"),
            ("", false, "the host is missing"),
            ("user:hunter2@a", false, "a user does not belong"),
        ] {
            let why = parse(text, tls).unwrap_err();
            assert!(why.contains(part) && !why.contains("hunter2"), "{text}: {why}");
        }
    }
}
