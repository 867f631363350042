//! Targets as URLs of WebSockets.

use hyper::http::uri::PathAndQuery;
use url::Url;

/// The longest target, in bytes: it becomes a label.
const MAX_BYTES: usize = 2048;

/// `target` as a URL.
///
/// # Errors
/// With what was found and what is accepted.
pub(super) fn parse(target: &str) -> Result<Url, String> {
    const EXAMPLE: &str = "wss://example.com/socket";
    if target.len() > MAX_BYTES {
        return Err(format!("a URL of {} bytes; at most {MAX_BYTES} are accepted", target.len()));
    }
    if target.is_empty() || target.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Err(format!("expected a URL such as {EXAMPLE}, found spaces or nothing"));
    }
    match target.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase()).as_deref() {
        Some("ws" | "wss") => {}
        Some(http @ ("http" | "https")) => {
            let scheme = if http == "http" { "ws" } else { "wss" };
            return Err(format!("found a URL with {http}://; a WebSocket's begins with {scheme}://"));
        }
        _ => return Err(format!("accepted: URLs with ws:// or wss://, such as {EXAMPLE}")),
    }
    let url = Url::parse(target).map_err(|why| format!("not a URL: {why}; write for example {EXAMPLE}"))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err("a user name or password in a URL would show in labels; use http_config.basic_auth".to_owned());
    }
    if url.host_str().is_none_or(str::is_empty) || url.port() == Some(0) {
        return Err("the URL names no host and port to connect to".to_owned());
    }
    if path(&url).parse::<PathAndQuery>().is_err() {
        return Err(
            "the URL's path or query holds signs that cannot be sent; write them as % and two digits".to_owned()
        );
    }
    Ok(url)
}

/// What is asked for.
pub(super) fn path(url: &Url) -> &str {
    &url[url::Position::BeforePath..url::Position::AfterQuery]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_a_url_of_a_websocket() {
        for target in ["ws://example.com", "wss://[::1]:8443/chat?room=1", "WSS://example.com/"] {
            assert!(parse(target).is_ok(), "{target}");
        }
        let long = format!("ws://example.com/{}", "a".repeat(3000));
        for (target, part) in [
            ("", "expected a URL"),
            ("ws://exa mple.com", "spaces"),
            ("example.com:80", "ws:// or wss://"),
            ("http://example.com", "begins with ws://"),
            ("https://example.com", "begins with wss://"),
            ("ws://", "not a URL"),
            ("ws://user:hunter2@example.com/", "basic_auth"),
            ("ws://example.com:0/", "no host and port"),
            (&long, "at most 2048"),
        ] {
            let why = parse(target).unwrap_err();
            assert!(why.contains(part) && !why.contains("hunter2"), "{target}: {why}");
        }
    }
}
