//! Targets as URLs.

use url::Url;

/// The longest target, in bytes: it becomes a label.
const MAX_BYTES: usize = 2048;

/// `target` as a URL. As for blackbox_exporter, one without a scheme means `http://`.
///
/// # Errors
/// With what was found and what is accepted.
pub(super) fn parse(target: &str) -> Result<Url, String> {
    if target.len() > MAX_BYTES {
        return Err(format!("a URL of {} bytes; at most {MAX_BYTES} are accepted", target.len()));
    }
    if target.is_empty() || target.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Err("expected a URL such as https://example.com/health, found spaces or nothing".to_owned());
    }
    let url = match target.split_once("://") {
        Some((scheme, _)) if ["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known)) => {
            Url::parse(target)
        }
        Some((scheme, rest)) if !scheme.contains(['/', '?', '.', ':']) && !rest.is_empty() => {
            return Err(format!("unknown scheme `{scheme}`; accepted: http, https"));
        }
        _ => Url::parse(&format!("http://{target}")),
    };
    let url = url.map_err(|why| format!("not a URL: {why}; write for example https://example.com/health"))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err("a user name or password in a URL would show in labels; use basic_auth".to_owned());
    }
    if url.host_str().is_none_or(str::is_empty) || url.port() == Some(0) {
        return Err("the URL names no host and port to connect to".to_owned());
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_scheme_means_http() {
        for (target, expected) in [
            ("example.com", "http://example.com/"),
            ("example.com:8080/health?a=b", "http://example.com:8080/health?a=b"),
            ("127.0.0.1:80", "http://127.0.0.1/"),
            ("[::1]:9115/-/healthy", "http://[::1]:9115/-/healthy"),
            ("https://example.com", "https://example.com/"),
            ("HTTPS://Example.com", "https://example.com/"),
            ("example.com/?next=https://other.example/", "http://example.com/?next=https://other.example/"),
            ("https://日本.example/", "https://xn--wgv71a.example/"),
        ] {
            assert_eq!(parse(target).unwrap().as_str(), expected, "{target}");
        }
    }

    #[test]
    fn what_cannot_be_a_target_is_refused_with_the_reason() {
        let long = format!("http://example.com/{}", "a".repeat(3000));
        for (target, part) in [
            ("", "expected a URL"),
            ("http://exa mple.com", "spaces"),
            ("ftp://example.com/", "accepted: http, https"),
            ("https://", "not a URL"),
            ("https://user@example.com/", "basic_auth"),
            ("https://user:secret@example.com/", "basic_auth"),
            ("http://example.com:0/", "no host and port"),
            ("http://example.com:99999/", "not a URL"),
            (&long, "at most 2048"),
        ] {
            let why = parse(target).unwrap_err();
            assert!(why.contains(part), "{target}: {why}");
            assert!(!why.contains("secret"), "{why}");
        }
    }
}
