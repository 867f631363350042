//! Credentials, TLS and headers, in the shape of Prometheus' own `http_config`: a file of its own, or keys of a section.

use std::path::Path;

use hyper::header::{self, HeaderName, HeaderValue};

use crate::config::decode::{Cursor, MapCursor};
use crate::config::diagnostics::{Diagnostic, Document, Severity};
use crate::config::node::{self, Mark};
use crate::probe::http::Auth;
use crate::probe::tls::{self, TlsSettings};
use crate::regular_file;
use crate::secret::SecretSource;

/// The largest file that is read, in bytes; more is a mistake in the path.
const MAX_BYTES: u64 = 1024 * 1024;
/// What is spoken over TLS: successive requests of one client gain nothing from HTTP/2.
const ALPN: &[&[u8]] = &[b"http/1.1"];

/// Keys of Prometheus' own that are refused by name.
const UNSUPPORTED: &[&str] = &["oauth2", "proxy_url", "proxy_from_environment", "proxy_connect_header", "no_proxy"];

/// What the file says; its absence says nothing.
#[derive(Clone, Debug)]
pub(crate) struct HttpConfig {
    pub(crate) auth: Auth,
    pub(crate) tls: TlsSettings,
    pub(crate) headers: Vec<(HeaderName, Value)>,
}

/// The value of a header: in the file, or in one of its own that is read at each use.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Inline(HeaderValue),
    File(SecretSource),
}

/// Without a file.
pub(crate) fn defaults() -> Option<HttpConfig> {
    Some(HttpConfig { auth: Auth::None, tls: tls::decode(None, ALPN)?, headers: Vec::new() })
}

/// Reads the file; warnings come with it.
pub(crate) fn load(file: &Path) -> Result<(HttpConfig, Vec<Diagnostic>), Vec<Diagnostic>> {
    let doc = Document::new(file);
    let config = match regular_file::read_text(file, MAX_BYTES) {
        Ok(text) => decode(&doc, &text),
        Err(error) => {
            doc.report(Severity::Error, Mark::default(), "", format_args!("cannot read it: {error}"));
            None
        }
    };
    let failed = doc.has_errors();
    let (findings, _) = doc.into_parts();
    match config {
        Some(config) if !failed => Ok((config, findings)),
        _ => Err(findings),
    }
}

fn decode(doc: &Document, text: &str) -> Option<HttpConfig> {
    let report = |fault: node::SyntaxError| doc.report(Severity::Error, fault.mark, "", fault.message);
    let (tree, duplicates) = node::parse_all(text).map_err(report).ok()?;
    duplicates.into_iter().for_each(report);
    if tree.is_null() {
        return defaults();
    }
    let mut map = Cursor::root(doc, &tree).map()?;
    let config = keys(&mut map);
    map.finish();
    config
}

/// Reads its keys out of a mapping that may have others.
pub(crate) fn keys(map: &mut MapCursor<'_>) -> Option<HttpConfig> {
    let auth = Auth::decode(map);
    let tls = tls::decode(map.get("tls_config"), ALPN);
    let headers = map.get("http_headers").map_or(Some(Vec::new()), |c| headers(&c));
    if let Some(cursor) = map.get("follow_redirects")
        && cursor.bool() == Some(true)
    {
        cursor.warn("redirects are not followed; let the URL be where they lead");
    }
    // Nothing to choose: HTTP/1.1 is spoken.
    if let Some(cursor) = map.get("enable_http2") {
        let _ = cursor.bool();
    }
    map.unsupported(UNSUPPORTED, "connections are direct, credentials are `basic_auth` or `authorization`");
    Some(HttpConfig { auth: auth?, tls: tls?, headers: headers? })
}

/// Reads `http_headers`, such as Mimir's `X-Scope-OrgID: {values: [tenant]}`.
fn headers(section: &Cursor<'_>) -> Option<Vec<(HeaderName, Value)>> {
    let mut headers = Vec::new();
    for (name, _, cursor) in section.named()? {
        let Ok(name) = HeaderName::from_bytes(name.as_bytes()) else {
            cursor.error::<()>("is not a header's name; write for example X-Scope-OrgID");
            continue;
        };
        let ours = [
            header::AUTHORIZATION,
            header::HOST,
            header::CONTENT_LENGTH,
            header::CONTENT_TYPE,
            header::CONTENT_ENCODING,
            header::TRANSFER_ENCODING,
            header::ACCEPT_ENCODING,
            header::CONNECTION,
            header::UPGRADE,
            header::TE,
        ];
        if ours.contains(&name) {
            cursor.error::<()>(
                "is not for this section: credentials are `basic_auth` or `authorization`, the rest belongs to the connection",
            );
            continue;
        }
        if let Some(map) = cursor.map() {
            header_values(&name, map, &mut headers);
        }
    }
    Some(headers)
}

fn header_values(name: &HeaderName, mut map: MapCursor<'_>, headers: &mut Vec<(HeaderName, Value)>) {
    for cursor in map.get("values").and_then(|c| c.list()).unwrap_or_default() {
        let Some(text) = cursor.string() else { continue };
        match HeaderValue::from_str(&text) {
            Ok(mut value) => {
                value.set_sensitive(true);
                headers.push((name.clone(), Value::Inline(value)));
            }
            Err(_) => drop(cursor.error::<()>("holds characters a header cannot carry, such as a line end")),
        }
    }
    for cursor in map.get("files").and_then(|c| c.list()).unwrap_or_default() {
        if let Some(path) = cursor.file() {
            headers.push((name.clone(), Value::File(SecretSource::File(path))));
        }
    }
    map.unsupported(
        &["secrets"],
        "a secret does not belong in this file; write it to one of its own, named in `files`",
    );
    map.finish();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(yaml: &str) -> (Option<HttpConfig>, Vec<String>) {
        let doc = Document::new(Path::new("prometheus.yml"));
        let config = decode(&doc, yaml);
        let (findings, _) = doc.into_parts();
        (config, findings.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn an_empty_file_and_every_section_are_taken() {
        for yaml in [
            "",
            "# nothing\n",
            "{enable_http2: true, follow_redirects: false}",
            "{basic_auth: {username: u}}",
            "{tls_config: {insecure_skip_verify: true, server_name: m.example.com}}",
            "{http_headers: {X-Scope-OrgID: {values: [a, b]}}}",
        ] {
            let (config, findings) = read(yaml);
            assert!(config.is_some() && findings.is_empty(), "{yaml}: {findings:?}");
        }
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place_and_no_secret() {
        for (yaml, expected) in [
            (
                "basic_auth:\n  username: u\n  password: hunter2\n",
                "prometheus.yml:3:13: basic_auth.password: a secret does not belong",
            ),
            ("basic_auth: {username: u}\nauthorization: {credentials_file: f}\n", "prometheus.yml:1:1: give one of"),
            ("tls_config: {ca_fil: x}\n", "prometheus.yml:1:14: tls_config.ca_fil: unknown key"),
            ("tls_config: {ca_file: /nonexistent/ca.pem}\n", "prometheus.yml:1:23: tls_config.ca_file: cannot read"),
            ("authorization: {type: Bearer}\n", "`credentials_file` is missing"),
            ("oauth2: {client_secret: hunter2}\n", "`oauth2` is not supported"),
            ("http_headers: {X-Key: {secrets: [hunter2]}}\n", "`secrets` is not supported"),
            ("http_headers: {Authorization: {values: [hunter2]}}\n", "credentials are `basic_auth`"),
            ("http_headers: {\"a b\": {values: [x]}}\n", "is not a header's name"),
            ("- a\n", "expected a mapping"),
            ("a: [\n", "prometheus.yml:"),
            ("follow_redirects: true\n", "warning: follow_redirects: redirects are not followed"),
        ] {
            let (_, findings) = read(yaml);
            assert!(findings.iter().any(|f| f.contains(expected)), "{yaml}: {findings:#?}");
            assert!(!findings.iter().any(|f| f.contains("hunter2")), "{findings:#?}");
        }
    }

    #[test]
    fn a_file_that_cannot_be_read_is_named() {
        let findings = load(Path::new("/nonexistent/p.yml")).unwrap_err();
        assert!(findings[0].to_string().starts_with("/nonexistent/p.yml: cannot read it: "), "{findings:?}");
    }

    const REFERENCE: &str = include_str!("../../../docs/prometheus-access.md");

    #[test]
    fn the_annotated_block_of_the_reference_is_a_good_file() {
        let block = REFERENCE.split("```yaml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
        // Of the files it names only the CA is read now, and it is not there.
        let (_, findings) = read(&block.replace("  ca_file: /etc/sla-exporter/ca.pem", ""));
        assert!(findings.iter().all(|f| f.contains("password_file: cannot read secret file")), "{findings:#?}");
    }

    #[test]
    fn the_reference_has_every_key_and_every_refused_one() {
        let doc = Document::recording(Path::new("http.yml"));
        let _ = decode(&doc, "{basic_auth: {}, tls_config: {}, http_headers: {A: {}}}");
        let mut keys: Vec<String> = doc.accepted_keys().into_iter().collect();
        let doc = Document::recording(Path::new("http.yml"));
        let _ = decode(&doc, "{authorization: {}}");
        keys.extend(doc.accepted_keys());
        assert!(keys.len() > 20, "{keys:?}");
        // Given in words: secrets and PEM texts inline, which are refused or rare.
        let in_words = ["password", "credentials", "bearer_token", "ca", "cert", "key"];
        for key in keys.iter().filter_map(|path| path.rsplit('.').next()).chain(UNSUPPORTED.iter().copied()) {
            assert!(
                in_words.contains(&key) || REFERENCE.contains(key),
                "docs/prometheus-access.md does not have `{key}`"
            );
        }
    }
}
