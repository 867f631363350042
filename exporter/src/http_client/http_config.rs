//! Credentials, TLS and headers, in the shape of Prometheus' own `http_config`: a file of its own, or keys of a section.

use std::path::Path;

use hyper::header;

use crate::config::decode::{Cursor, MapCursor};
use crate::config::diagnostics::{Diagnostic, Document, Severity};
use crate::config::node::{self, Mark};
use crate::probe::http::{ExtraHeaders, Login};
use crate::probe::tls::{self, TlsSettings};
use crate::regular_file;

/// The largest file that is read, in bytes; more is a mistake in the path.
const MAX_BYTES: u64 = 1024 * 1024;
/// What is spoken over TLS: successive requests of one client gain nothing from HTTP/2.
const ALPN: &[&[u8]] = &[b"http/1.1"];

/// Keys of Prometheus' own that are refused by name.
const UNSUPPORTED: &[&str] = &["proxy_url", "proxy_from_environment", "proxy_connect_header", "no_proxy"];

/// What the file says; its absence says nothing.
#[derive(Clone, Debug)]
pub(crate) struct HttpConfig {
    pub(crate) login: Login,
    pub(crate) tls: TlsSettings,
    pub(crate) headers: ExtraHeaders,
}

/// Without a file.
pub(crate) fn defaults() -> Option<HttpConfig> {
    Some(HttpConfig { login: Login::default(), tls: tls::decode(None, ALPN)?, headers: ExtraHeaders::default() })
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
    let login = Login::decode(map);
    let tls = tls::decode(map.get("tls_config"), ALPN);
    let headers = ExtraHeaders::decode(map, &[header::CONTENT_TYPE, header::ACCEPT]);
    if let Some(cursor) = map.get("follow_redirects")
        && cursor.bool() == Some(true)
    {
        cursor.warn("redirects are not followed; let the URL be where they lead");
    }
    // Nothing to choose: HTTP/1.1 is spoken.
    if let Some(cursor) = map.get("enable_http2") {
        let _ = cursor.bool();
    }
    map.unsupported(UNSUPPORTED, "connections are direct");
    Some(HttpConfig { login: login?, tls: tls?, headers: headers? })
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
            ("oauth2: {client_secret: hunter2}\n", "name that in `client_secret_file`"),
            ("proxy_url: http://u:hunter2@proxy\n", "`proxy_url` is not supported"),
            ("http_headers: {X-Key: {secrets: [hunter2]}}\n", "name that in `files`"),
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
        let doc = Document::recording(Path::new("http.yml"));
        let _ = decode(&doc, "{oauth2: {}}");
        keys.extend(doc.accepted_keys());
        assert!(keys.len() > 20, "{keys:?}");
        // Given in words: secrets and PEM texts inline, which are refused or rare.
        let in_words = ["password", "credentials", "bearer_token", "client_secret", "secrets", "ca", "cert", "key"];
        for key in keys.iter().filter_map(|path| path.rsplit('.').next()).chain(UNSUPPORTED.iter().copied()) {
            assert!(
                in_words.contains(&key) || REFERENCE.contains(key),
                "docs/prometheus-access.md does not have `{key}`"
            );
        }
    }
}
