//! The section `websocket` of a module: blackbox_exporter's options.

use std::net::IpAddr;

use hyper::header::{self, HeaderName, HeaderValue};

use crate::config::decode::{Cursor, MapCursor};
use crate::config::masked;
use crate::config::node::Value;
use crate::probe::Section;
use crate::probe::conversation::{self, Form, Step};
use crate::probe::http::{ExtraHeaders, Login};
use crate::probe::net::{self, IpChoice};
use crate::probe::tls::{self, TlsSettings};

/// What belongs to the connection or to the request for a WebSocket.
const RESERVED: [HeaderName; 11] = [
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::PROXY_AUTHORIZATION,
    header::SEC_WEBSOCKET_ACCEPT,
    header::SEC_WEBSOCKET_EXTENSIONS,
    header::SEC_WEBSOCKET_KEY,
    header::SEC_WEBSOCKET_VERSION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];
/// Options of `http_config` that blackbox_exporter reads and does not follow for a WebSocket.
const PROXIES: &[&str] = &["proxy_url", "no_proxy", "proxy_connect_header"];

/// Settings of the section `websocket`.
#[derive(Debug)]
pub struct Settings {
    pub(super) ip: IpChoice,
    pub(super) source: Option<IpAddr>,
    pub(super) tls: TlsSettings,
    pub(super) login: Login,
    pub(super) headers: ExtraHeaders,
    pub(super) steps: Vec<Step>,
}

impl Settings {
    /// Whether requests carry what only the target should see.
    pub(in crate::probe) fn sends_credentials(&self) -> bool {
        let mut names = self.headers.values.iter().map(|(name, _)| name);
        self.login.is_some() || self.headers.has_secrets() || names.any(|name| masked::is_secret(name.as_str()))
    }

    /// The configured `Host` header.
    pub(in crate::probe) fn host(&self) -> Option<&HeaderValue> {
        self.headers.values.iter().find(|(name, _)| name == header::HOST).map(|(_, value)| value)
    }
}

/// Reads the section `websocket` of a module.
pub fn decode(mut map: Section<'_>) -> Option<Settings> {
    let ip = IpChoice::decode(&mut map);
    let source = net::source_ip_address(&mut map);
    let client = map.get("http_config");
    let client = client.map_or_else(|| Some((tls::decode(None, ALPN)?, Login::default())), |c| http_config(c.map()?));
    let headers = map.get("headers").map_or_else(
        || Some(ExtraHeaders::default()),
        |c| {
            let authorized = client.as_ref().is_some_and(|(_, login)| login.is_some());
            let good = open_secrets(&c, authorized)?;
            ExtraHeaders::of(&c, &RESERVED, "it belongs to the connection; remove it").filter(|_| good)
        },
    );
    let steps = map.get("query_response").map_or(Some(Vec::new()), |c| conversation::decode(&c, Form::Messages));
    map.finish();
    let (tls, login) = client?;
    Some(Settings { ip: ip?, source: source?, tls, login, headers: headers?, steps: steps? })
}

/// A WebSocket begins with HTTP/1.1.
const ALPN: &[&[u8]] = &[b"http/1.1"];

/// Reads the section `http_config`.
fn http_config(mut map: MapCursor<'_>) -> Option<(TlsSettings, Login)> {
    let tls = tls::decode(map.get("tls_config"), ALPN);
    let login = Login::decode(&mut map);
    let follows = map.get("follow_redirects").map_or(Some(false), |c| match c.bool()? {
        true => c.error("a redirect is not followed by those who open WebSockets; name the new URL in the target"),
        false => Some(false),
    });
    if let Some(cursor) = map.get("enable_http2")
        && cursor.bool() == Some(true)
    {
        cursor.warn("has no effect: a WebSocket is asked for over HTTP/1.1, as in blackbox_exporter");
    }
    let from_environment = map.get("proxy_from_environment").map_or(Some(false), |c| match c.bool()? {
        true => c.error(
            "`proxy_from_environment` is not supported: a WebSocket is reached directly, as in blackbox_exporter",
        ),
        false => Some(false),
    });
    map.unsupported(PROXIES, "a WebSocket is reached directly, as in blackbox_exporter; remove it");
    map.finish();
    follows.and(from_environment)?;
    Some((tls?, login?))
}

/// Whether no header says in the open what should be secret, or says twice who asks; `None` where there are no headers to read.
fn open_secrets(section: &Cursor<'_>, authorized: bool) -> Option<bool> {
    let mut good = true;
    for (name, _, cursor) in section.named()? {
        if authorized && name.eq_ignore_ascii_case("authorization") {
            cursor.error::<()>("is sent already; remove it, or what `http_config` says of it");
            good = false;
        }
        let open = match &cursor.node().value {
            Value::Map(entries) => entries.iter().any(|entry| entry.key == "values"),
            Value::Scalar { .. } => true,
            Value::List(_) => false,
        };
        if open && masked::is_secret(name) && !cursor.document().inline_secrets {
            cursor.error::<()>(
                "a secret does not belong in this file; write it to a file of its own and name that in `files`",
            );
            good = false;
        }
    }
    Some(good)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::testing;

    #[test]
    fn nothing_said_means_a_websocket_and_no_more() {
        let (settings, findings) = testing::read("{}", decode);
        let settings = settings.unwrap();
        assert!(
            settings.ip.prefer_v6 && settings.ip.fallback && settings.source.is_none() && settings.steps.is_empty()
        );
        assert!(!settings.sends_credentials());
        assert_eq!(findings, Vec::<String>::new());
    }

    #[test]
    fn headers_that_are_none_are_said_once() {
        for yaml in ["{headers: text}", "{headers: [a]}"] {
            assert_eq!(testing::read(yaml, decode).1.len(), 1, "{yaml}");
        }
    }

    #[test]
    fn what_does_not_fit_is_said_with_its_place() {
        for (yaml, message) in [
            ("{header: {}}", "did you mean `headers`?"),
            ("{headers: {Upgrade: {values: [a]}}}", "`upgrade` cannot be set here"),
            ("{headers: {Sec-WebSocket-Key: {values: [a]}}}", "`sec-websocket-key` cannot be set here"),
            ("{headers: {Authorization: {values: [S3CRET]}}}", "headers.Authorization: a secret does not belong"),
            ("{headers: {Cookie: {secrets: [S3CRET]}}}", "name that in `files`"),
            ("{headers: {Cookie: S3CRET}}", "headers.Cookie: a secret does not belong"),
            ("{headers: {Origin: [a]}}", "expected a mapping"),
            (
                "{http_config: {bearer_token_file: /dev/null}, headers: {Authorization: {files: [/dev/null]}}}",
                "is sent already",
            ),
            ("{http_config: {proxy_url: 'http://a'}}", "`proxy_url` is not supported"),
            ("{http_config: {proxy_from_environment: true}}", "is not supported"),
            ("{http_config: {oauth2: {client_id: a}}}", "`token_url` is missing"),
            ("{http_config: {follow_redirects: true}}", "name the new URL"),
            ("{http_config: {enable_http2: true}}", "warning: http_config.enable_http2: has no effect"),
            ("{http_config: {tls: {}}}", "unknown key `tls`"),
            ("{query_response: [{starttls: true}]}", "write wss://"),
            ("{query_response: [{expect_bytes: a}]}", "`expect_bytes` is not supported"),
            ("{query_response: [{}]}", "does nothing: it has neither `expect` nor `send`"),
            ("{query_response: [{expect: a, send: '${1}'}]}", "the pattern has 0 groups"),
        ] {
            testing::finds(yaml, decode, message);
            assert!(!testing::read(yaml, decode).1.concat().contains("S3CRET"), "{yaml}");
        }
        let fine = "{headers: {Origin: a}, http_config: {follow_redirects: false, enable_http2: false}, query_response: [{expect: a, starttls: false}]}";
        let (settings, findings) = testing::read(fine, decode);
        assert!(settings.is_some() && findings.is_empty(), "{findings:?}");
    }
}
