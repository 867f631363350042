//! One request of a run: the first, or one after a redirect.

use std::net::IpAddr;

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{COOKIE, HOST, HeaderMap, HeaderValue};
use hyper::http::uri::{Authority, PathAndQuery, Scheme};
use hyper::{Method, Request, Uri};
use url::Url;

use super::auth::Credentials;
use super::cookies::Cookies;
use super::proxy::Via;
use super::redirect::Step;
use super::settings::Settings;
use crate::config::masked;
use crate::probe::{Failure, Reason};

/// What is asked next, and what is carried from one request to the next.
#[derive(Debug)]
pub(super) struct Hop<'a> {
    settings: &'a Settings,
    /// Where the run began: credentials are for it alone.
    origin: Url,
    /// Where this request goes.
    pub(super) url: Url,
    pub(super) method: Method,
    pub(super) body: Bytes,
    /// The configured `Host` header, as long as it holds.
    host: Option<&'a HeaderValue>,
    credentials: Option<Credentials>,
    /// Secret headers, for where the run began.
    secrets: HeaderMap,
    pub(super) cookies: Cookies,
    /// The address of the host of `url`, where it is known from the request before.
    pub(super) address: Option<IpAddr>,
}

impl<'a> Hop<'a> {
    pub(super) fn first(
        settings: &'a Settings,
        url: Url,
        hostname: Option<&'a HeaderValue>,
        credentials: Option<Credentials>,
        secrets: HeaderMap,
    ) -> Self {
        Self {
            settings,
            origin: url.clone(),
            url,
            method: settings.method.clone(),
            body: settings.body.clone(),
            host: hostname.or(settings.host.as_ref()),
            credentials,
            secrets,
            cookies: Cookies::default(),
            address: None,
        }
    }

    /// Goes where a redirect points.
    pub(super) fn follow(&mut self, step: Step) {
        if step.drops_body {
            self.body = Bytes::new();
        }
        self.method = step.method;
        if !step.relative {
            self.host = None;
        }
        if self.url.host_str() != step.url.host_str() {
            self.address = None;
        }
        self.url = step.url;
    }

    /// The name of the server in TLS, and whether `server_name` of the module goes before it.
    ///
    /// As in blackbox_exporter: a configured `Host` header says who is meant where the target is an
    /// address, and after a redirect to another host neither applies.
    pub(super) fn tls_name(&self) -> (&str, bool) {
        let of_url = self.url.host_str().unwrap_or_default();
        let first = self.origin.host_str() == self.url.host_str();
        let named = self.host.and_then(|host| host.to_str().ok()).map(without_port);
        (named.unwrap_or(of_url), first)
    }

    /// Whether a redirect would carry a body to somebody else.
    pub(super) fn would_leak(&self, step: &Step) -> bool {
        !step.drops_body && !self.body.is_empty() && !trusted(&self.origin, &step.url)
    }

    /// Whether the module's secrets may be sent where this request goes.
    fn is_trusted(&self) -> bool {
        trusted(&self.origin, &self.url)
    }

    /// The request, as HTTP/2 or HTTP/1.1 has it, or as the proxy `via` which it is sent wants it.
    pub(super) fn request(&self, http2: bool, via: Option<&Via<'_>>) -> Result<Request<Full<Bytes>>, Failure> {
        let bad = |why: &dyn std::fmt::Display| {
            Failure::new(Reason::Protocol, format_args!("cannot ask for this URL: {why}"))
        };
        let path = match self.url.query() {
            None => self.url.path().parse::<PathAndQuery>(),
            Some(query) => format!("{}?{query}", self.url.path()).parse(),
        }
        .map_err(|why| bad(&why))?;
        let authority = match self.host {
            Some(host) => host.clone(),
            None => HeaderValue::from_str(&authority_of(&self.url)).map_err(|why| bad(&why))?,
        };
        let mut headers = HeaderMap::with_capacity(self.settings.headers.len() + 4);
        let uri = if http2 {
            let authority = Authority::try_from(authority.as_bytes()).map_err(|why| bad(&why))?;
            let scheme = if self.url.scheme() == "https" { Scheme::HTTPS } else { Scheme::HTTP };
            Uri::builder().scheme(scheme).authority(authority).path_and_query(path).build().map_err(|why| bad(&why))?
        } else {
            headers.insert(HOST, authority);
            // The peer closes first, and the ports in TIME_WAIT are not ours.
            headers.insert(hyper::header::CONNECTION, HeaderValue::from_static("close"));
            match via {
                None => Uri::from(path),
                Some(via) => {
                    if let Some(authorization) = via.authorization() {
                        headers.insert(hyper::header::PROXY_AUTHORIZATION, authorization.clone());
                    }
                    let whole =
                        Uri::builder().scheme(Scheme::HTTP).authority(authority_of(&self.url)).path_and_query(path);
                    whole.build().map_err(|why| bad(&why))?
                }
            }
        };
        let trusted = self.is_trusted();
        let extra = self.settings.extra_headers.values.iter().map(|(name, value)| (name, value));
        for (name, value) in self.settings.headers.iter().chain(extra) {
            if trusted || !masked::is_secret(name.as_str()) {
                headers.append(name, value.clone());
            }
        }
        for (name, value) in self.secrets.iter().filter(|_| trusted) {
            headers.append(name, value.clone());
        }
        if let (true, Some(credentials)) = (trusted, &self.credentials) {
            headers.insert(hyper::header::AUTHORIZATION, credentials.header.clone());
        }
        if let Some(cookies) = self.cookies.for_url(&self.url) {
            headers.append(COOKIE, cookies);
        }
        let mut request = Request::new(Full::new(self.body.clone()));
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = uri;
        *request.headers_mut() = headers;
        Ok(request)
    }
}

/// Whether `url` is the same service as `origin`: the same scheme, host and port, or its step from HTTP to HTTPS.
fn trusted(origin: &Url, url: &Url) -> bool {
    let upgrade =
        origin.scheme() == "http" && url.scheme() == "https" && origin.port().is_none() && url.port().is_none();
    origin.host_str() == url.host_str() && (upgrade || (origin.scheme() == url.scheme() && origin.port() == url.port()))
}

fn authority_of(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) && !name.ends_with(':') => name,
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_stay_with_the_service_they_are_for() {
        for (origin, url, expected) in [
            ("https://a.example/x", "https://a.example/y", true),
            ("http://a.example/", "https://a.example/", true),
            ("https://a.example/", "http://a.example/", false),
            ("https://a.example/", "https://b.example/", false),
            ("https://a.example/", "https://www.a.example/", false),
            ("https://a.example/", "https://a.example:8443/", false),
            ("http://a.example:8080/", "https://a.example/", false),
            ("http://a.example:80/", "http://a.example/", true),
        ] {
            let [from, to] = [origin, url].map(|text| text.parse().unwrap());
            assert_eq!(trusted(&from, &to), expected, "{origin} to {url}");
        }
    }

    #[test]
    fn the_port_of_a_host_header_is_no_part_of_the_name() {
        for (host, name) in
            [("a.example", "a.example"), ("a.example:8443", "a.example"), ("[::1]:443", "[::1]"), ("[::1]", "[::1]")]
        {
            assert_eq!(without_port(host), name);
        }
    }
}
