//! A URL of the configuration or the command line: where to connect, what to ask for, and a text of it without its password.

use std::fmt;

use percent_encoding::percent_decode_str;
use url::{Host, Url};

use crate::secret::Secret;

/// The longest URL, in bytes.
const MAX_BYTES: usize = 2048;
const EXAMPLE: &str = "write for example http://127.0.0.1:9090 or https://metrics.example.com/prometheus";

/// Where the API is. Displayed without credentials.
#[derive(Clone, Debug)]
pub(crate) struct Address {
    /// Without user, password, query and fragment; its path does not end with a slash.
    base: String,
    pub(crate) secure: bool,
    /// A name or an address, IPv6 without brackets.
    pub(crate) host: String,
    pub(crate) port: u16,
    /// The `Host` header: with a port where it is not the scheme's own.
    pub(crate) authority: String,
    /// The path prefix, without a slash at its end.
    pub(crate) prefix: String,
}

/// A user and a password that were written into the URL.
#[derive(Clone, Debug)]
pub(crate) struct UserInfo {
    pub(crate) user: String,
    pub(crate) password: Secret,
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.base)
    }
}

/// Reads the URL. No message repeats it: a password may be anywhere in a mistaken one.
pub(crate) fn parse(text: &str) -> Result<(Address, Option<UserInfo>), String> {
    if text.len() > MAX_BYTES {
        return Err(format!("a URL of {} bytes; at most {MAX_BYTES} are accepted", text.len()));
    }
    let Some((scheme, _)) = text.split_once("://") else {
        return Err(format!("expected http:// or https:// in front; {EXAMPLE}"));
    };
    if !["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known)) {
        return Err(format!("unknown scheme; accepted: http, https; {EXAMPLE}"));
    }
    if text.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Err(format!("spaces have no place in a URL; {EXAMPLE}"));
    }
    let url = Url::parse(text).map_err(|why| format!("not a URL: {why}; {EXAMPLE}"))?;
    if url.query().is_some() || url.fragment().is_some() {
        return Err(format!(
            "`?` and `#` have no place in it: the path prefix of the API is all that follows the host; {EXAMPLE}"
        ));
    }
    let host = match url.host() {
        Some(Host::Ipv6(address)) => address.to_string(),
        Some(host) => host.to_string(),
        None => return Err(format!("the URL names no host; {EXAMPLE}")),
    };
    let port = url.port_or_known_default().filter(|port| *port != 0);
    let port = port.ok_or_else(|| format!("port 0 is none to connect to; {EXAMPLE}"))?;
    let name = url.host_str().unwrap_or_default();
    let authority = url.port().map_or_else(|| name.to_owned(), |port| format!("{name}:{port}"));
    let prefix = url.path().trim_end_matches('/').to_owned();
    let base = format!("{}://{authority}{prefix}", url.scheme());
    let address = Address { base, secure: url.scheme() == "https", host, port, authority, prefix };
    Ok((address, user_info(&url)?))
}

fn user_info(url: &Url) -> Result<Option<UserInfo>, String> {
    if url.username().is_empty() && url.password().is_none() {
        return Ok(None);
    }
    let decode = |text: &str| {
        percent_decode_str(text)
            .decode_utf8()
            .map(std::borrow::Cow::into_owned)
            .map_err(|_| "its user or password is not UTF-8 once its `%` signs are decoded".to_owned())
    };
    let user = decode(url.username())?;
    if user.contains(':') {
        return Err("a user name with a colon cannot be sent by basic authentication".to_owned());
    }
    let password = Secret::new(decode(url.password().unwrap_or_default())?);
    Ok(Some(UserInfo { user, password }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_says_where_to_connect_and_what_to_ask_for() {
        for (text, shown, host, port, authority, prefix) in [
            ("http://127.0.0.1:9090", "http://127.0.0.1:9090", "127.0.0.1", 9090, "127.0.0.1:9090", ""),
            ("http://127.0.0.1:9090/", "http://127.0.0.1:9090", "127.0.0.1", 9090, "127.0.0.1:9090", ""),
            ("https://m.example.com/a/b/", "https://m.example.com/a/b", "m.example.com", 443, "m.example.com", "/a/b"),
            ("HTTP://M.example.com:80", "http://m.example.com", "m.example.com", 80, "m.example.com", ""),
            ("http://[::1]:9090/p", "http://[::1]:9090/p", "::1", 9090, "[::1]:9090", "/p"),
            ("https://u:p%40ss@m.example.com:1", "https://m.example.com:1", "m.example.com", 1, "m.example.com:1", ""),
        ] {
            let (address, _) = parse(text).unwrap();
            assert_eq!(address.to_string(), shown, "{text}");
            assert_eq!((address.host.as_str(), address.port), (host, port), "{text}");
            assert_eq!((address.authority.as_str(), address.prefix.as_str()), (authority, prefix), "{text}");
            assert_eq!(address.secure, shown.starts_with("https"), "{text}");
        }
    }

    #[test]
    fn user_and_password_are_decoded() {
        for (text, expected) in [
            ("http://m.example.com", None),
            ("http://u@m.example.com", Some(("u", ""))),
            ("http://u:p%40%3As%2Fs@m.example.com", Some(("u", "p@:s/s"))),
            ("http://:p@m.example.com", Some(("", "p"))),
        ] {
            let (_, info) = parse(text).unwrap();
            assert_eq!(info.as_ref().map(|i| (i.user.as_str(), i.password.expose())), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_url_is_refused_without_repeating_it() {
        let long = format!("http://u:hunter2@example.com/{}", "a".repeat(2048));
        for (text, part) in [
            ("", "expected http://"),
            ("localhost:9090", "expected http://"),
            ("user:hunter2@localhost:9090", "expected http://"),
            ("ftp://u:hunter2@example.com", "accepted: http, https"),
            ("http://u:hunter2@exa mple.com", "spaces"),
            ("http://u:hunter2@:9090", "not a URL"),
            ("http://u:hunter2@example.com:99999", "not a URL"),
            ("http://u:hunter2@example.com:0", "port 0"),
            ("http://example.com/?token=hunter2", "`?`"),
            ("http://example.com/#hunter2", "`?` and `#`"),
            ("http://u:hunter2%ff@example.com", "not UTF-8"),
            ("http://u%3Ax:hunter2@example.com", "colon"),
            (&long, "at most 2048"),
        ] {
            let why = parse(text).unwrap_err();
            assert!(why.contains(part), "{text}: {why}");
            assert!(!why.contains("hunter2"), "{text}: {why}");
        }
    }
}
