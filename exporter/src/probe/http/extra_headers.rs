//! The section `http_headers`: headers with several values, some of which are secrets or come from files. Read alike for
//! probes and for whatever else is asked.

use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};

use super::auth;
use crate::config::decode::{Cursor, MapCursor, collect};
use crate::config::node::Value;
use crate::probe::{Failure, Reason};
use crate::secret::{Secret, SecretSource};

/// What is set elsewhere or belongs to the connection.
const RESERVED: [HeaderName; 12] = [
    header::AUTHORIZATION,
    header::CONNECTION,
    header::CONTENT_ENCODING,
    header::CONTENT_LENGTH,
    header::HOST,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    header::USER_AGENT,
    header::ACCEPT_ENCODING,
];

/// Headers beside `headers`.
#[derive(Clone, Debug, Default)]
pub(crate) struct ExtraHeaders {
    /// In the open; a probe sends them wherever it goes.
    pub(crate) values: Vec<(HeaderName, HeaderValue)>,
    /// For the target's own service alone; read at each use.
    secrets: Vec<(HeaderName, SecretSource)>,
}

impl ExtraHeaders {
    /// Reads the section; `taken` are set elsewhere, beside those that always are.
    pub(crate) fn decode(map: &mut MapCursor<'_>, taken: &[HeaderName]) -> Option<Self> {
        let Some(section) = map.get("http_headers") else { return Some(Self::default()) };
        let reserved: Vec<HeaderName> = RESERVED.iter().chain(taken).cloned().collect();
        let instead = "credentials are `basic_auth` or `authorization`, the rest belongs to the connection or has a key of its own";
        Self::of(&section, &reserved, instead)
    }

    /// Reads a section of that form; `reserved` cannot be set there, and `instead` says what can be done about it.
    pub(in crate::probe) fn of(section: &Cursor<'_>, reserved: &[HeaderName], instead: &str) -> Option<Self> {
        let mut headers = Self::default();
        let mut good = true;
        for (name, _, cursor) in section.named()? {
            good &= headers.one(name, &cursor, reserved, instead).is_some();
        }
        good.then_some(headers)
    }

    fn one(&mut self, name: &str, cursor: &Cursor<'_>, reserved: &[HeaderName], instead: &str) -> Option<()> {
        let Ok(name) = HeaderName::from_bytes(name.as_bytes()) else {
            return cursor.error("is not a header's name; write for example X-Tenant");
        };
        if reserved.contains(&name) {
            return cursor.error(format_args!("`{name}` cannot be set here; {instead}"));
        }
        // A value alone, as blackbox_exporter's own examples have it.
        if matches!(cursor.node().value, Value::Scalar { .. }) {
            self.values.push((name, value(cursor)?));
            return Some(());
        }
        let mut map = cursor.map()?;
        let values = map.get("values").map_or(Some(Vec::new()), |c| collect(&c.list()?, value));
        let secrets = map.get("secrets").map_or(Some(Vec::new()), |c| collect(&c.list()?, secret));
        let files = map.get("files").map_or(Some(Vec::new()), |c| collect(&c.list()?, file));
        map.finish();
        let (values, secrets, files) = (values?, secrets?, files?);
        if values.len() + secrets.len() + files.len() == 0 {
            return cursor.error("sends nothing; give `values` or `files`");
        }
        self.values.extend(values.into_iter().map(|value| (name.clone(), value)));
        self.secrets.extend(secrets.into_iter().chain(files).map(|source| (name.clone(), source)));
        Some(())
    }

    /// Whether some are for the target alone.
    pub(crate) fn has_secrets(&self) -> bool {
        !self.secrets.is_empty()
    }

    /// The secret ones as their files have them now.
    ///
    /// # Errors
    /// Reason `permission` when a file cannot be read, or holds what a header cannot carry.
    pub(crate) async fn read(&self) -> Result<HeaderMap, Failure> {
        let mut headers = HeaderMap::new();
        for (name, source) in &self.secrets {
            let secret = auth::read(source).await?;
            let mut value = HeaderValue::from_str(secret.expose()).map_err(|_| {
                let why = format_args!(
                    "the secret of header {name} holds characters a header cannot carry, such as a line end"
                );
                Failure::new(Reason::Permission, why)
            })?;
            value.set_sensitive(true);
            headers.append(name.clone(), value);
        }
        Ok(headers)
    }
}

fn value(cursor: &Cursor<'_>) -> Option<HeaderValue> {
    match HeaderValue::from_str(&cursor.string()?) {
        Ok(mut value) => {
            value.set_sensitive(true);
            Some(value)
        }
        Err(_) => cursor.error("holds characters a header cannot carry, such as a line end"),
    }
}

fn secret(cursor: &Cursor<'_>) -> Option<SecretSource> {
    if !cursor.document().inline_secrets {
        return cursor
            .error("a secret does not belong in this file; write it to a file of its own and name that in `files`");
    }
    Some(SecretSource::Inline(Secret::new(cursor.string()?)))
}

fn file(cursor: &Cursor<'_>) -> Option<SecretSource> {
    let source = SecretSource::File(cursor.document().resolve(&cursor.non_empty()?));
    if let Err(error) = source.read() {
        cursor.warn(error);
    }
    Some(source)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::diagnostics::Document;
    use crate::config::node;
    use std::path::Path;

    fn read(yaml: &str, inline_secrets: bool) -> (Option<ExtraHeaders>, Vec<String>) {
        let mut doc = Document::new(Path::new("sla.yml"));
        doc.inline_secrets = inline_secrets;
        let tree = node::parse(yaml).unwrap();
        let headers = ExtraHeaders::decode(&mut Cursor::root(&doc, &tree).map().unwrap(), &[]);
        (headers, doc.into_parts().0.iter().map(ToString::to_string).collect())
    }

    #[tokio::test]
    async fn values_are_sent_as_they_are_and_secrets_read_at_each_run() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        let yaml =
            format!("http_headers: {{X-A: {{values: [a, b]}}, X-B: {{files: [{}], secrets: [s]}}}}", file.display());
        let (headers, findings) = read(&yaml, true);
        let headers = headers.unwrap();
        assert_eq!((headers.values.len(), headers.has_secrets(), findings.len()), (2, true, 1), "{findings:?}");
        assert_eq!(headers.read().await.unwrap_err().reason, Reason::Permission, "the file is not there");
        for content in ["one", "two\n"] {
            std::fs::write(&file, content).unwrap();
            let sent = headers.read().await.unwrap();
            let sent: Vec<_> = sent.get_all("x-b").iter().collect();
            assert_eq!(sent, ["s", content.trim()]);
            assert!(sent.iter().all(|value| value.is_sensitive()));
        }
        std::fs::write(&file, "a\nb").unwrap();
        let failure = headers.read().await.unwrap_err();
        assert!(failure.detail.contains("x-b") && !failure.detail.contains("a\nb"), "{failure}");
    }

    #[test]
    fn what_cannot_be_sent_is_refused() {
        for (yaml, part) in [
            ("{Host: {values: [a]}}", "`host` cannot be set here"),
            ("{Authorization: {values: [a]}}", "`authorization` cannot be set here"),
            ("{X A: {values: [a]}}", "not a header's name"),
            ("{X-A: {}}", "sends nothing"),
            ("{X-A: {value: [a]}}", "did you mean `values`?"),
            ("{X-A: {values: [\"a\\nb\"]}}", "characters a header cannot carry"),
            ("{X-A: {secrets: [s3cret]}}", "name that in `files`"),
        ] {
            let (headers, findings) = read(&format!("http_headers: {yaml}"), false);
            assert!(headers.is_none() || part.contains("did you mean"), "{yaml}");
            assert!(findings.iter().any(|finding| finding.contains(part)), "{yaml}: {findings:?}");
            assert!(!findings.iter().any(|finding| finding.contains("s3cret")), "{findings:?}");
        }
    }
}
