//! Going through a proxy: which requests do, and the tunnel for those that are under TLS or go through SOCKS5.
//!
//! Not for proxies that speak TLS themselves.

mod socks;

use bytes::BytesMut;
use hyper::Uri;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use url::Url;

use crate::config::decode::{Cursor, MapCursor, collect};
use crate::config::masked;
use crate::probe::{Failure, Reason};

/// Schemes of proxies that are spoken to. A target's name is left to the proxy with either of the latter, as in Go.
const SCHEMES: [&str; 3] = ["http", "socks5", "socks5h"];
/// The port of a proxy whose URL names none.
const DEFAULT_PORT: u16 = 80;
/// Bytes of a proxy's answer to CONNECT.
const MAX_ANSWER: usize = 16 << 10;

/// The proxy options of a module.
#[derive(Debug, Default)]
pub(super) struct Proxy {
    matcher: Option<Matcher>,
    connect_headers: HeaderMap,
    /// `skip_resolve_phase_with_proxy`: the proxy alone resolves the target's name.
    pub(super) skip_resolve: bool,
}

impl Proxy {
    /// Reads the keys that Prometheus has, too; all of them, also after an error.
    pub(super) fn decode(map: &mut MapCursor<'_>) -> Option<Self> {
        let no_proxy = map.get("no_proxy");
        let exceptions = no_proxy.as_ref().map_or(Some(String::new()), |c| c.strings().map(|list| list.join(",")));
        let by_url = map.get("proxy_url").map(|c| (proxy_url(&c), c));
        let environment = map.get("proxy_from_environment").map_or(Some(false), |c| c.bool());
        let connect_headers = map.get("proxy_connect_header").map_or(Some(HeaderMap::new()), |c| connect_headers(&c));
        let matcher = match (by_url, environment?) {
            (Some((_, cursor)), true) => {
                return cursor.error("give `proxy_url` or `proxy_from_environment`, not both");
            }
            (Some((url, _)), false) => {
                let url = url?;
                Some(Matcher::builder().http(url.as_str()).https(url.as_str()).no(exceptions?).build())
            }
            (None, from_environment) => {
                if let Some(cursor) = no_proxy {
                    return cursor.error(if from_environment {
                        "comes from the environment too (NO_PROXY); remove it"
                    } else {
                        "has no effect without `proxy_url`; remove it"
                    });
                }
                from_environment.then(Matcher::from_env)
            }
        };
        Some(Self { matcher, connect_headers: connect_headers?, skip_resolve: false })
    }

    /// The proxy a request for `url` goes through, if it does.
    ///
    /// # Errors
    /// Where the environment names one that is not spoken to.
    pub(super) fn for_url(&self, url: &Url) -> Result<Option<Via<'_>>, Failure> {
        let Some(matcher) = &self.matcher else { return Ok(None) };
        let found = url.as_str().parse::<Uri>().ok().and_then(|uri| matcher.intercept(&uri));
        let Some(intercept) = found else { return Ok(None) };
        let scheme = intercept.uri().scheme_str().unwrap_or_default();
        if !SCHEMES.contains(&scheme) {
            let why = format_args!("the environment names a {scheme} proxy; http:// and socks5:// are supported");
            return Err(Failure::new(Reason::Connect, why));
        }
        let socks = scheme != "http";
        Ok(Some(Via { intercept, socks, connect_headers: &self.connect_headers }))
    }
}

/// A proxy on the way.
#[derive(Debug)]
pub(super) struct Via<'a> {
    intercept: Intercept,
    socks: bool,
    connect_headers: &'a HeaderMap,
}

impl Via<'_> {
    /// Its name or address.
    pub(super) fn host(&self) -> &str {
        self.intercept.uri().host().unwrap_or_default()
    }

    /// Its port.
    pub(super) fn port(&self) -> u16 {
        self.intercept.uri().port_u16().unwrap_or(if self.socks { socks::DEFAULT_PORT } else { DEFAULT_PORT })
    }

    /// Whether a request that is `secure` or not goes through a connection of its own, and is none the proxy sees.
    pub(super) fn tunnels(&self, secure: bool) -> bool {
        secure || self.socks
    }

    /// What it wants to be shown, marked sensitive.
    pub(super) fn authorization(&self) -> Option<&HeaderValue> {
        self.intercept.basic_auth()
    }

    /// Has it connect `stream` with `host` and `port`.
    ///
    /// # Errors
    /// Reason `connect` with what the proxy says; `protocol`, `too_large`, `reset` for an answer that is none.
    pub(super) async fn tunnel(&self, mut stream: TcpStream, host: &str, port: u16) -> Result<TcpStream, Failure> {
        if self.socks {
            return socks::connect(stream, self.intercept.raw_auth(), host, port).await;
        }
        self.connect(&mut stream, &format!("{host}:{port}")).await?;
        Ok(stream)
    }

    async fn connect(&self, stream: &mut TcpStream, authority: &str) -> Result<(), Failure> {
        let failed = |error: std::io::Error| Failure::io("ask the proxy for a tunnel", &error);
        let mut request = BytesMut::from(format!("CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n").as_bytes());
        let authorization = self.authorization().map(|value| (&hyper::header::PROXY_AUTHORIZATION, value));
        for (name, value) in authorization.into_iter().chain(self.connect_headers) {
            for part in [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"] {
                request.extend_from_slice(part);
            }
        }
        request.extend_from_slice(b"\r\n");
        stream.write_all(&request).await.map_err(failed)?;
        let mut answer = Vec::new();
        // The peer behind it says nothing before it hears a client's first words: nothing is read too far.
        while !answer.ends_with(b"\r\n\r\n") {
            if answer.len() >= MAX_ANSWER {
                return Err(Failure::new(Reason::TooLarge, "the proxy's answer to CONNECT does not end"));
            }
            if stream.read_buf(&mut answer).await.map_err(failed)? == 0 {
                return Err(Failure::new(
                    Reason::Reset,
                    "the proxy closed the connection instead of answering CONNECT",
                ));
            }
            if let Some(status) = status(&answer).filter(|status| !(200..300).contains(status)) {
                let hint = if status == 407 { ": it wants credentials, or others" } else { "" };
                let why = format_args!("the proxy answered CONNECT {authority} with status {status}{hint}");
                return Err(Failure::new(Reason::Connect, why));
            }
        }
        match status(&answer) {
            Some(_) => Ok(()),
            None => Err(Failure::new(Reason::Protocol, "the proxy's answer to CONNECT is not HTTP")),
        }
    }
}

/// The status of an answer whose first line is there.
fn status(answer: &[u8]) -> Option<u16> {
    let line = answer.split(|byte| *byte == b'\n').next().filter(|line| line.len() < answer.len())?;
    let mut words = std::str::from_utf8(line).ok()?.split_ascii_whitespace();
    let (version, status) = (words.next()?, words.next()?);
    if version.starts_with("HTTP/1.") && status.len() == 3 { status.parse().ok() } else { None }
}

fn proxy_url(cursor: &Cursor<'_>) -> Option<String> {
    let text = cursor.non_empty()?;
    // The text may hold a password: no message repeats it.
    let Ok(url) = Url::parse(&text) else {
        return cursor.error("is not a URL; write for example http://proxy.example.com:3128");
    };
    if !SCHEMES.contains(&url.scheme()) {
        return cursor.error(format_args!("a {} proxy is not supported; accepted: http://, socks5://", url.scheme()));
    }
    if url.host_str().is_none_or(str::is_empty) || !matches!(url.path(), "" | "/") || url.query().is_some() {
        return cursor.error("expected host and port and nothing behind them, such as http://proxy.example.com:3128");
    }
    if (!url.username().is_empty() || url.password().is_some()) && !cursor.document().inline_secrets {
        return cursor.error(
            "a user name or password does not belong in this file; a proxy that wants one is supported in module_files",
        );
    }
    Some(text)
}

fn connect_headers(cursor: &Cursor<'_>) -> Option<HeaderMap> {
    let mut headers = HeaderMap::new();
    for (name, _, values) in cursor.named()? {
        let Ok(name) = HeaderName::from_bytes(name.as_bytes()) else {
            return values.error("is not a header's name; write for example X-Tenant");
        };
        if masked::is_secret(name.as_str()) && !values.document().inline_secrets {
            return values.error("a secret does not belong in this file; it is supported in module_files");
        }
        let list = collect(&values.list()?, |c| match HeaderValue::from_str(&c.string()?) {
            Ok(value) => Some(value),
            Err(_) => c.error("holds characters a header cannot carry, such as a line end"),
        })?;
        for mut value in list {
            value.set_sensitive(true);
            headers.append(name.clone(), value);
        }
    }
    Some(headers)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::diagnostics::Document;
    use crate::config::node;
    use std::path::Path;

    fn read(yaml: &str, inline_secrets: bool) -> (Option<Proxy>, Vec<String>) {
        let mut doc = Document::new(Path::new("sla.yml"));
        doc.inline_secrets = inline_secrets;
        let tree = node::parse(yaml).unwrap();
        let proxy = Proxy::decode(&mut Cursor::root(&doc, &tree).map().unwrap());
        (proxy, doc.into_parts().0.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn exceptions_go_straight() {
        let (proxy, findings) = read("{proxy_url: 'http://proxy:3128', no_proxy: 'a.example, 10.0.0.0/8'}", false);
        let proxy = proxy.unwrap_or_else(|| panic!("{findings:?}"));
        for (url, through) in [
            ("http://b.example/", true),
            ("https://b.example/", true),
            ("https://a.example/", false),
            ("http://www.a.example:8080/x", false),
            ("http://10.1.2.3/", false),
            ("http://11.1.2.3/", true),
        ] {
            let via = proxy.for_url(&url.parse().unwrap()).unwrap();
            assert_eq!(
                via.map(|via| (via.host().to_owned(), via.port())),
                through.then(|| ("proxy".to_owned(), 3128)),
                "{url}"
            );
        }
    }

    #[test]
    fn a_password_is_for_files_taken_as_they_are() {
        let yaml = "{proxy_url: 'http://user:s3cret@proxy'}";
        let (proxy, findings) = read(yaml, true);
        let proxy = proxy.unwrap_or_else(|| panic!("{findings:?}"));
        let via = proxy.for_url(&"http://a/".parse().unwrap()).unwrap().unwrap();
        assert_eq!((via.host(), via.port()), ("proxy", 80));
        assert_eq!(via.authorization().unwrap(), "Basic dXNlcjpzM2NyZXQ=");
        assert!(!format!("{via:?}{proxy:?}").contains("s3cret"));
        let (socks, findings) = read("{proxy_url: 'socks5://user:s3cret@proxy'}", true);
        let socks = socks.unwrap_or_else(|| panic!("{findings:?}"));
        let via = socks.for_url(&"http://a/".parse().unwrap()).unwrap().unwrap();
        assert_eq!((via.port(), via.tunnels(false)), (1080, true));
        assert!(!format!("{via:?}{socks:?}").contains("s3cret"));
        let (proxy, findings) = read(yaml, false);
        assert!(proxy.is_none() && findings[0].contains("does not belong in this file"), "{findings:?}");
        assert!(!findings[0].contains("s3cret"), "{findings:?}");
    }

    #[test]
    fn what_cannot_be_gone_through_is_refused() {
        for (yaml, part) in [
            ("{proxy_url: 'https://proxy'}", "a https proxy is not supported"),
            ("{proxy_url: 'socks4://proxy'}", "a socks4 proxy is not supported"),
            ("{proxy_url: proxy}", "is not a URL"),
            ("{proxy_url: 'http://proxy/path'}", "nothing behind them"),
            ("{proxy_url: 'http://proxy', proxy_from_environment: true}", "not both"),
            ("{no_proxy: a}", "without `proxy_url`"),
            ("{proxy_connect_header: {Proxy-Authorization: [s3cret]}}", "does not belong in this file"),
            ("{proxy_connect_header: {X-A: ['a\n\nb']}}", "such as a line end"),
        ] {
            let (proxy, findings) = read(yaml, false);
            assert!(proxy.is_none() && findings.iter().any(|finding| finding.contains(part)), "{yaml}: {findings:?}");
        }
    }

    #[test]
    fn a_status_is_read_once_its_line_is_there() {
        for (answer, expected) in [
            ("HTTP/1.1 200 OK\r\n", Some(200)),
            ("HTTP/1.0 407\r\nA: b", Some(407)),
            ("HTTP/1.1 200 OK", None),
            ("HTTP/2 200\r\n", None),
            ("SSH-2.0-x\r\n", None),
            ("HTTP/1.1 20000\r\n", None),
            ("\n", None),
        ] {
            assert_eq!(status(answer.as_bytes()), expected, "{answer:?}");
        }
    }
}
