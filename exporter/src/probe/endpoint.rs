//! `host:port` of a target, read once and in one way for the probers that connect somewhere.
//!
//! Not for URLs (`http`), and not for resolving names (`net`).

use std::net::{IpAddr, Ipv6Addr};

use hyper::header::HeaderValue;
use hyper::http::uri::Authority;

use super::net::IpChoice;
use crate::config::decode::shorten;

/// Where a connection goes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// A name or an IP address, without brackets.
    pub host: String,
    /// The port, never 0.
    pub port: u16,
}

impl Endpoint {
    /// Reads `host:port`, `192.0.2.1:port` or `[2001:db8::1]:port`; without `default_port` the port is required.
    /// With it, a bare IPv6 address needs no brackets.
    ///
    /// # Errors
    /// With what was found and what is accepted. A text with `@` in it is not repeated: it may hold a password.
    pub fn parse(text: &str, default_port: Option<u16>) -> Result<Self, String> {
        let accepted = match default_port {
            None => "`host:port` or `[IPv6 address]:port`".to_owned(),
            Some(port) => format!("`host`, `host:port` or `[IPv6 address]:port` (default port {port})"),
        };
        if text.contains('@') {
            return Err(format!("a user does not belong in a target; write {accepted}"));
        }
        if let Some((scheme, _)) = text.split_once("://") {
            return Err(format!("found a URL (`{}://…`); write {accepted}", shorten(scheme)));
        }
        if let (Some(port), Ok(_)) = (default_port, text.parse::<Ipv6Addr>()) {
            return Ok(Self { host: text.to_owned(), port });
        }
        let (host, port) = split(text).ok_or_else(|| format!("found `{}`; write {accepted}", shorten(text)))?;
        check_host(host).map_err(|why| format!("{why}; write {accepted}"))?;
        let port = match (port, default_port) {
            (Some(port), _) => match port.parse::<u16>() {
                Ok(number) if number > 0 && port.bytes().all(|b| b.is_ascii_digit()) => number,
                _ => return Err(format!("found the port `{}`; a port is a number from 1 to 65535", shorten(port))),
            },
            (None, Some(port)) => port,
            (None, None) => return Err(format!("the port is missing in `{}`; write {accepted}", shorten(text))),
        };
        Ok(Self { host: host.to_owned(), port })
    }

    /// Whether a module with these options can ever reach it: an address of the excluded family cannot be.
    ///
    /// # Errors
    /// With what excludes it and what to do.
    pub fn fits(&self, ip: IpChoice) -> Result<(), String> {
        match self.host.parse::<IpAddr>() {
            Ok(address) if !ip.accepts(address) => Err(format!(
                "{address} is not of the module's preferred_ip_protocol, and its ip_protocol_fallback is false; \
                 set either of them or write a name"
            )),
            _ => Ok(()),
        }
    }
}

/// The name in what `hostname` says, which may have a port: whom a certificate must be for.
pub(super) fn name_of(hostname: &HeaderValue) -> Option<String> {
    Authority::try_from(hostname.as_bytes()).ok().map(|authority| authority.host().to_owned())
}

/// Host and port as written; `None` where brackets or colons do not fit.
fn split(text: &str) -> Option<(&str, Option<&str>)> {
    if let Some(rest) = text.strip_prefix('[') {
        let (host, tail) = rest.split_once(']')?;
        host.parse::<Ipv6Addr>().ok()?;
        return if tail.is_empty() { Some((host, None)) } else { Some((host, Some(tail.strip_prefix(':')?))) };
    }
    match text.split_once(':') {
        None => Some((text, None)),
        Some((_, port)) if port.contains(':') => None,
        Some((host, port)) => Some((host, Some(port))),
    }
}

/// A name DNS can carry (underscores included, they occur), or an address.
fn check_host(host: &str) -> Result<(), String> {
    let label = |l: &str| {
        (1..=63).contains(&l.len()) && l.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
    };
    let name = host.strip_suffix('.').unwrap_or(host);
    if host.parse::<IpAddr>().is_ok() || (name.len() <= 253 && name.split('.').all(label)) {
        return Ok(());
    }
    if host.is_empty() {
        return Err("the host is missing".to_owned());
    }
    let hint = if host.is_ascii() { "" } else { " (write an internationalised name in its xn-- form)" };
    Err(format!("`{}` is neither a host name nor an address{hint}", shorten(host)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, default_port: Option<u16>, host: &str, port: u16) {
        assert_eq!(Endpoint::parse(text, default_port), Ok(Endpoint { host: host.to_owned(), port }), "{text}");
    }

    #[track_caller]
    fn refused(text: &str, default_port: Option<u16>, why: &str) {
        let error = Endpoint::parse(text, default_port).expect_err(text);
        assert!(error.contains(why), "{text}: {error}");
    }

    #[test]
    fn a_host_is_a_name_or_an_address() {
        check("mail.example.com:25", None, "mail.example.com", 25);
        check("mail.example.com.:25", None, "mail.example.com.", 25);
        check("_srv-1.example:1", None, "_srv-1.example", 1);
        check("192.0.2.1:65535", None, "192.0.2.1", 65535);
        check("[2001:db8::1]:22", None, "2001:db8::1", 22);
    }

    #[test]
    fn a_default_port_may_be_left_out() {
        check("db", Some(5432), "db", 5432);
        check("db:6432", Some(5432), "db", 6432);
        check("::1", Some(5432), "::1", 5432);
        check("[::1]", Some(5432), "::1", 5432);
        check("[::1]:6432", Some(5432), "::1", 6432);
        refused("db", None, "the port is missing in `db`");
        refused("[::1]", None, "the port is missing");
    }

    #[test]
    fn what_is_no_endpoint_is_said() {
        refused("", None, "the host is missing");
        refused(":25", None, "the host is missing");
        refused("a:0", None, "a number from 1 to 65535");
        refused("a:65536", None, "a number from 1 to 65535");
        refused("a:+25", None, "a number from 1 to 65535");
        refused("a:", None, "a number from 1 to 65535");
        refused("a:smtp", None, "found the port `smtp`");
        refused("::1:25", None, "write `host:port`");
        refused("[::1]25", None, "write `host:port`");
        refused("[::1:25", None, "write `host:port`");
        refused("[mail]:25", None, "write `host:port`");
        refused("a b:25", None, "neither a host name nor an address");
        refused("a..b:25", None, "neither a host name nor an address");
        refused("日本:25", None, "xn--");
        refused("https://a", None, "found a URL (`https://…`)");
    }

    #[test]
    fn a_password_in_a_target_is_not_repeated() {
        let error = Endpoint::parse("postgres://monitor:hunter2@db:5432/app", Some(5432)).expect_err("a URL");
        assert!(!error.contains("hunter2"), "{error}");
    }
}
