//! The section `http` of a module: blackbox_exporter's options.

use std::net::IpAddr;

use bytes::Bytes;
use hyper::Method;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};

use super::assertions::Assertions;
use super::body::Compression;
use super::extra_headers::ExtraHeaders;
use super::login::Login;
use super::proxy::Proxy;
use super::refusal::Refusal;
use crate::config::decode::{Cursor, MapCursor};
use crate::config::masked;
use crate::probe::net::{IpChoice, source_ip_address};
use crate::probe::tls::{self, TlsSettings};

/// Body bytes that are read when the module says nothing; blackbox_exporter reads without bound.
const DEFAULT_BODY_LIMIT: u64 = 10 << 20;
/// The largest `body_size_limit`.
const MAX_BODY_LIMIT: u64 = 1 << 30;
/// The longest request body.
const MAX_REQUEST_BODY: usize = 10 << 20;

/// Options of blackbox_exporter that are not supported, refused by name.
const UNSUPPORTED: &[&str] = &["use_proxy_dns"];

/// Settings of the section `http`.
#[derive(Debug)]
pub struct Settings {
    pub(super) ip: IpChoice,
    pub(super) source: Option<IpAddr>,
    pub(super) tls: TlsSettings,
    pub(super) method: Method,
    /// All of them but `Host`, made once.
    pub(super) headers: HeaderMap,
    pub(super) host: Option<HeaderValue>,
    pub(super) body: Bytes,
    pub(super) login: Login,
    pub(super) extra_headers: ExtraHeaders,
    pub(super) proxy: Proxy,
    pub(super) follow_redirects: bool,
    pub(super) body_limit: u64,
    pub(super) compression: Option<Compression>,
    pub(super) assertions: Assertions,
    /// What counts as a refusal, where one is expected.
    pub(super) refusal: Option<Refusal>,
    /// The answer is handed over, with its body or without, and not judged: absent for this prober.
    pub(super) hand_over: Option<bool>,
}

impl Settings {
    /// Whether requests carry what only the target should see.
    pub(in crate::probe) fn sends_credentials(&self) -> bool {
        let mut names = self.headers.keys().chain(self.extra_headers.values.iter().map(|(name, _)| name));
        self.login.is_some() || self.extra_headers.has_secrets() || names.any(|name| masked::is_secret(name.as_str()))
    }

    /// Whether success means that the request was refused.
    #[must_use]
    pub const fn expects_refusal(&self) -> bool {
        self.refusal.is_some()
    }

    /// The configured `Host` header.
    pub(in crate::probe) fn host(&self) -> Option<&HeaderValue> {
        self.host.as_ref()
    }
}

/// Reads the section `http` of a module.
pub fn decode(mut map: MapCursor<'_>) -> Option<Settings> {
    let ip = IpChoice::decode(&mut map);
    let source = source_ip_address(&mut map);
    let http2 = map.get("enable_http2").map_or(Some(true), |c| c.bool());
    let alpn: &[&[u8]] = if http2 == Some(false) { &[b"http/1.1"] } else { &[b"h2", b"http/1.1"] };
    let tls = tls::decode(map.get("tls_config"), alpn);
    let method = map.get("method").map_or(Some(Method::GET), |c| method(&c));
    let encoding = map.get("compression").map_or(Some(""), |c| {
        c.one_of(&[("gzip", "gzip"), ("deflate", "deflate"), ("identity", "identity"), ("br", "br"), ("", "")])
    });
    let compression = encoding.map(|encoding| match encoding {
        "gzip" => Some(Compression::Gzip),
        "deflate" => Some(Compression::Deflate),
        "br" => Some(Compression::Brotli),
        _ => None,
    });
    let login = Login::decode(&mut map);
    let headers = Headers::decode(&mut map, encoding.unwrap_or_default(), login.as_ref().is_some_and(Login::is_some));
    let extra_headers = ExtraHeaders::decode(&mut map, &[]);
    let proxy = Proxy::decode(&mut map);
    let skip_resolve = map.get("skip_resolve_phase_with_proxy").map_or(Some(false), |c| c.bool());
    let body = body(&mut map);
    let refusal = Refusal::decode(&mut map);
    let follow_redirects = follow_redirects(&mut map);
    let body_limit = map.get("body_size_limit").map_or(Some(DEFAULT_BODY_LIMIT), |c| body_limit(&c));
    let assertions = Assertions::decode(&mut map);
    let http3 = map.get("enable_http3").map_or(Some(()), |c| http3(&c));
    map.unsupported(
        UNSUPPORTED,
        "names are resolved here, or by the proxy with `skip_resolve_phase_with_proxy`; remove it",
    );
    map.finish();
    let (headers, host) = headers?;
    http3?;
    let (refusal, mut assertions) = (refusal?, assertions?);
    if let Some(refusal) = refusal {
        assertions.take_for_good(refusal.statuses());
    }
    let mut proxy = proxy?;
    proxy.skip_resolve = skip_resolve?;
    Some(Settings {
        ip: ip?,
        source: source?,
        tls: tls?,
        method: method?,
        headers,
        host,
        body: body?,
        login: login?,
        extra_headers: extra_headers?,
        proxy,
        follow_redirects: follow_redirects? && refusal.is_none(),
        body_limit: body_limit?,
        compression: compression?,
        assertions,
        refusal,
        hand_over: None,
    })
}

/// `enable_http3`, which is blackbox_exporter's and asks for what no finished library here speaks.
fn http3(cursor: &Cursor<'_>) -> Option<()> {
    match cursor.bool()? {
        true => cursor.error(
            "`enable_http3` is not supported: its library calls itself experimental, and a figure must not rest on that; \
             write false, and probe the same service over HTTP/2",
        ),
        false => Some(()),
    }
}

/// `follow_redirects`, and its opposite of former times, which goes before it as it does in blackbox_exporter.
fn follow_redirects(map: &mut MapCursor<'_>) -> Option<bool> {
    let follow = map.get("follow_redirects").map_or(Some(true), |c| c.bool());
    let Some(cursor) = map.get("no_follow_redirects") else { return follow };
    let not = cursor.bool()?;
    cursor.warn(format_args!("is deprecated; write `follow_redirects: {}`", !not));
    follow.map(|_| !not)
}

fn body_limit(cursor: &Cursor<'_>) -> Option<u64> {
    match cursor.bytes()? {
        limit @ 1..=MAX_BODY_LIMIT => Some(limit),
        // As much as there is, in a file that is taken as it is.
        0 if cursor.document().inline_secrets => {
            cursor.warn(format_args!("no body is read without bound: at most {} MiB are", DEFAULT_BODY_LIMIT >> 20));
            Some(DEFAULT_BODY_LIMIT)
        }
        _ => cursor.error("a body is never read without bound; write a size from 1B to 1GB, such as 10MB"),
    }
}

fn method(cursor: &Cursor<'_>) -> Option<Method> {
    let text = cursor.non_empty()?;
    match Method::from_bytes(text.to_ascii_uppercase().as_bytes()) {
        Ok(Method::CONNECT) | Err(_) => {
            cursor.error("is not a method that can be sent; write for example GET, HEAD or POST")
        }
        Ok(method) => Some(method),
    }
}

fn body(map: &mut MapCursor<'_>) -> Option<Bytes> {
    let bytes = match (map.get("body"), map.get("body_file")) {
        (Some(cursor), Some(_)) => return cursor.error("give `body` or `body_file`, not both"),
        (Some(cursor), None) => cursor.string()?.into_bytes(),
        (None, Some(cursor)) => cursor.file_content()?,
        (None, None) => Vec::new(),
    };
    if bytes.len() > MAX_REQUEST_BODY {
        map.error(format_args!("the request's body has {} bytes; at most {MAX_REQUEST_BODY} are sent", bytes.len()));
        return None;
    }
    Some(bytes.into())
}

/// Reads the section `headers`.
struct Headers;

impl Headers {
    fn decode(
        map: &mut MapCursor<'_>,
        encoding: &'static str,
        authorized: bool,
    ) -> Option<(HeaderMap, Option<HeaderValue>)> {
        let mut headers = HeaderMap::new();
        let mut host = None;
        let mut good = true;
        let entries = map.get("headers").map_or(Some(Vec::new()), |c| c.named())?;
        for (name, _, cursor) in entries {
            match Self::one(name, &cursor, authorized) {
                None => good = false,
                Some((header::HOST, value)) => host = Some(value),
                Some((header::ACCEPT_ENCODING, value)) if !asks_for(&value, encoding) => {
                    good = cursor
                        .error::<()>(format_args!(
                            "does not ask for {encoding}, which `compression` expects; change one of them"
                        ))
                        .is_some();
                }
                Some((name, value)) => {
                    headers.insert(name, value);
                }
            }
        }
        if !headers.contains_key(header::USER_AGENT) {
            let agent = concat!("sla-exporter/", env!("CARGO_PKG_VERSION"));
            headers.insert(header::USER_AGENT, HeaderValue::from_static(agent));
        }
        if !matches!(encoding, "" | "identity") && !headers.contains_key(header::ACCEPT_ENCODING) {
            headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(encoding));
        }
        good.then_some((headers, host))
    }

    fn one(name: &str, cursor: &Cursor<'_>, authorized: bool) -> Option<(HeaderName, HeaderValue)> {
        let Ok(name) = HeaderName::from_bytes(name.as_bytes()) else {
            return cursor.error("is not a header's name; write for example Accept-Language");
        };
        let framing =
            [header::CONTENT_LENGTH, header::TRANSFER_ENCODING, header::CONNECTION, header::UPGRADE, header::TE];
        if framing.contains(&name) {
            return cursor.error("belongs to the connection, which is not the module's to describe; remove it");
        }
        if [header::AUTHORIZATION, header::PROXY_AUTHORIZATION].contains(&name) {
            if authorized {
                return cursor.error("is sent already; remove it, or what else says how to log in");
            }
            if !cursor.document().inline_secrets {
                return cursor.error(
                    "a secret does not belong in this file; use `authorization` with `credentials_file`, or `basic_auth`",
                );
            }
        }
        match HeaderValue::from_str(&cursor.string()?) {
            Ok(mut value) => {
                // Its Debug text then shows nothing.
                value.set_sensitive(true);
                Some((name, value))
            }
            Err(_) => cursor.error("holds characters a header cannot carry, such as a line end"),
        }
    }
}

/// Whether a header `Accept-Encoding` asks for `encoding`, by name or by `*`, and not with a quality of 0.
fn asks_for(header: &HeaderValue, encoding: &str) -> bool {
    let text = header.to_str().unwrap_or_default();
    let asked = |part: &str| {
        let (name, quality) = part.split_once(';').unwrap_or((part, "q=1"));
        let quality = quality.trim().trim_start_matches("q=").parse::<f32>().unwrap_or_default();
        quality > 0.0 && [encoding, "*"].contains(&name.trim())
    };
    encoding.is_empty() || text.trim().is_empty() || text.split(',').any(asked)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::diagnostics::{Document, Severity};
    use crate::config::node;
    use std::path::Path;

    const REFERENCE: &str = include_str!("../../../../docs/modules/http.md");

    /// The keys a section accepts, without their paths.
    fn accepted(yaml: &str) -> Vec<String> {
        let doc = Document::recording(Path::new("sla.yml"));
        let tree = node::parse(yaml).unwrap();
        decode(Cursor::root(&doc, &tree).map().unwrap());
        doc.accepted_keys().iter().map(|path| path.rsplit('.').next().unwrap_or(path).to_owned()).collect()
    }

    #[test]
    fn the_reference_has_every_key_and_every_refused_one() {
        let sections = [
            "{basic_auth: {}, tls_config: {}, fail_if_header_matches: [{}], http_headers: {X-A: {}}}",
            "{authorization: {}, fail_if_header_not_matches: [{}]}",
            "{oauth2: {}}",
        ];
        let keys: Vec<String> = sections.iter().flat_map(|yaml| accepted(yaml)).collect();
        assert!(keys.len() > 30, "{keys:?}");
        let refused = UNSUPPORTED.iter().chain(crate::probe::http::oauth2::UNSUPPORTED).copied();
        for key in keys.iter().map(String::as_str).chain(refused) {
            let named = [format!("{key}:"), format!("`{key}`")].iter().any(|form| REFERENCE.contains(form));
            assert!(named, "docs/modules/http.md does not have `{key}`");
        }
    }

    fn findings(yaml: &str, inline_secrets: bool) -> (bool, Vec<String>) {
        let mut doc = Document::new(Path::new("blackbox.yml"));
        doc.inline_secrets = inline_secrets;
        let tree = node::parse(yaml).unwrap();
        let read = decode(Cursor::root(&doc, &tree).map().unwrap()).is_some();
        (read, doc.into_parts().0.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn what_is_asked_for_is_what_is_decompressed() {
        for (encoding, header, good) in [
            ("gzip", "br, gzip", true),
            ("gzip", "br;q=1.0, gzip;q=0.9", true),
            ("gzip", "br, identity", false),
            ("gzip", "gzip;q=0", false),
            ("gzip", "*", true),
            ("gzip", "br, *;q=0.1", true),
            ("identity", "gzip", false),
            ("br", "", true),
            ("", "anything", true),
        ] {
            assert_eq!(asks_for(&HeaderValue::from_static(header), encoding), good, "{encoding}: {header}");
        }
        let (read, found) = findings("{compression: gzip, headers: {accept-encoding: br}}", false);
        assert!(!read && found[0].contains("does not ask for gzip"), "{found:?}");
    }

    #[test]
    fn options_of_former_times_are_taken_with_a_warning() {
        for (yaml, follows) in [
            ("{}", true),
            ("{no_follow_redirects: true}", false),
            ("{no_follow_redirects: true, follow_redirects: true}", false),
            ("{no_follow_redirects: false}", true),
            ("{follow_redirects: false}", false),
        ] {
            let doc = Document::new(Path::new("blackbox.yml"));
            let tree = node::parse(yaml).unwrap();
            let settings = decode(Cursor::root(&doc, &tree).map().unwrap()).unwrap();
            assert_eq!(settings.follow_redirects, follows, "{yaml}");
            let found = doc.into_parts().0;
            assert_eq!(found.len(), usize::from(yaml.contains("no_")), "{found:?}");
        }
    }

    #[test]
    fn a_limit_of_0_is_the_usual_one_in_a_file_taken_as_it_is() {
        let (read, found) = findings("{body_size_limit: 0}", true);
        assert!(read && found[0].contains("at most 10 MiB"), "{found:?}");
        let (read, found) = findings("{body_size_limit: 0}", false);
        assert!(!read && found[0].contains("never read without bound"), "{found:?}");
    }

    #[test]
    fn the_annotated_block_of_the_reference_is_a_good_module() {
        let start = REFERENCE.find("```yaml\n").unwrap() + "```yaml\n".len();
        let block = &REFERENCE[start..start + REFERENCE[start..].find("```").unwrap()];
        let tree = node::parse(block).unwrap();
        let doc = Document::new(Path::new("sla.yml"));
        let mut root = Cursor::root(&doc, &tree).map().unwrap();
        let (_, _, module) = root.get("modules").unwrap().named().unwrap().remove(0);
        assert!(crate::probe::decode_module("health", &module).is_some());
        let (findings, _) = doc.into_parts();
        // The example's secret files are not there; nothing else is to be said.
        let wrong: Vec<_> = findings.iter().filter(|f| f.severity == Severity::Error).collect();
        assert!(wrong.is_empty(), "{wrong:#?}");
        assert_eq!(findings.len(), 2, "{findings:#?}");
    }
}
