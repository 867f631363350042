//! `metadata` and `metadata_files`: what a call carries beside its question.

use base64::Engine as _;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};

use crate::config::decode::{Cursor, MapCursor, collect};
use crate::config::masked;
use crate::http_client::Secrets;
use crate::probe::http::read_secret;
use crate::probe::{Failure, Reason};
use crate::secret::{Secret, SecretSource};

/// What belongs to the protocol or is set elsewhere, beside names that begin with `grpc-`.
const RESERVED: [&str; 9] = [
    "connection",
    "content-length",
    "content-type",
    "host",
    "keep-alive",
    "te",
    "transfer-encoding",
    "upgrade",
    "user-agent",
];

/// The metadata of a module.
#[derive(Debug, Default)]
pub(super) struct Metadata {
    open: HeaderMap,
    /// For the target alone; read at each run.
    secrets: Vec<(HeaderName, SecretSource)>,
}

/// Metadata as it is sent.
#[derive(Debug, Default)]
pub(super) struct Ready {
    pub(super) headers: HeaderMap,
    /// What of it must not be shown, should the server repeat it.
    pub(super) secrets: Secrets,
}

impl Metadata {
    /// Reads the two keys.
    pub(super) fn decode(map: &mut MapCursor<'_>) -> Option<Self> {
        let open = map.get("metadata").map_or(Some(Vec::new()), |c| c.named());
        let files = map.get("metadata_files").map_or(Some(Vec::new()), |c| c.named());
        let mut metadata = Self::default();
        let mut good = open.is_some() && files.is_some();
        for (key, _, cursor) in open.unwrap_or_default() {
            good &= metadata.values(key, &cursor).is_some();
        }
        for (key, _, cursor) in files.unwrap_or_default() {
            good &= metadata.file(key, &cursor).is_some();
        }
        good.then_some(metadata)
    }

    fn values(&mut self, key: &str, cursor: &Cursor<'_>) -> Option<()> {
        let name = name(key, cursor)?;
        let secret = masked::is_secret(key);
        if secret && !cursor.document().inline_secrets {
            return cursor.error(
                "a secret does not belong in this file; write it to a file of its own and name that in `metadata_files`",
            );
        }
        let values = collect(&cursor.list()?, |item| {
            let text = item.string()?;
            match value(&name, &text) {
                Some(value) => Some((text, value)),
                None => item.error("holds characters that metadata cannot carry; only keys that end with -bin can"),
            }
        })?;
        for (text, value) in values {
            if secret {
                self.secrets.push((name.clone(), SecretSource::Inline(Secret::new(text))));
            } else {
                self.open.append(name.clone(), value);
            }
        }
        Some(())
    }

    fn file(&mut self, key: &str, cursor: &Cursor<'_>) -> Option<()> {
        let name = name(key, cursor)?;
        let source = SecretSource::File(cursor.document().resolve(&cursor.non_empty()?));
        if let Err(error) = source.read() {
            cursor.warn(error);
        }
        self.secrets.push((name, source));
        Some(())
    }

    /// Whether some is for the target alone.
    pub(super) fn has_secrets(&self) -> bool {
        !self.secrets.is_empty()
    }

    /// All of it as the files have it now.
    ///
    /// # Errors
    /// Reason `permission` when a file cannot be read, or holds what metadata cannot carry.
    pub(super) async fn read(&self) -> Result<Ready, Failure> {
        let mut ready = Ready { headers: self.open.clone(), secrets: Secrets::default() };
        let mut hidden = Vec::new();
        for (name, source) in &self.secrets {
            let secret = read_secret(source).await?;
            let mut value = value(name, secret.expose()).ok_or_else(|| {
                let why = format_args!("the secret of metadata {name} holds characters that cannot be sent");
                Failure::new(Reason::Permission, why)
            })?;
            value.set_sensitive(true);
            hidden.push(Secret::new(String::from_utf8_lossy(value.as_bytes())));
            ready.headers.append(name.clone(), value);
            hidden.push(secret);
        }
        ready.secrets.replace(hidden);
        Ok(ready)
    }
}

fn name(key: &str, cursor: &Cursor<'_>) -> Option<HeaderName> {
    let Ok(name) = HeaderName::from_bytes(key.as_bytes()) else {
        return cursor.error("is not a key of metadata; write for example x-tenant");
    };
    if name.as_str().starts_with("grpc-") || RESERVED.contains(&name.as_str()) {
        return cursor
            .error(format_args!("`{name}` belongs to the protocol, which is not the module's to describe; remove it"));
    }
    Some(name)
}

/// A value as it is sent; that of a `-bin` key is any bytes in base64.
fn value(name: &HeaderName, text: &str) -> Option<HeaderValue> {
    if name.as_str().ends_with("-bin") {
        return HeaderValue::from_str(&base64::engine::general_purpose::STANDARD_NO_PAD.encode(text)).ok();
    }
    HeaderValue::from_str(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::diagnostics::Document;
    use crate::config::node;
    use std::path::Path;

    fn read(yaml: &str, inline_secrets: bool) -> (Option<Metadata>, Vec<String>) {
        let mut doc = Document::new(Path::new("sla.yml"));
        doc.inline_secrets = inline_secrets;
        let tree = node::parse(yaml).unwrap();
        let metadata = Metadata::decode(&mut Cursor::root(&doc, &tree).map().unwrap());
        (metadata, doc.into_parts().0.iter().map(ToString::to_string).collect())
    }

    #[tokio::test]
    async fn values_are_sent_in_their_order_and_secrets_from_their_files() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        std::fs::write(&file, "Bearer S3CRET\n").unwrap();
        let yaml = format!(
            "{{metadata: {{X-Tenant: [a, b], trace-bin: ['é']}}, metadata_files: {{authorization: {}}}}}",
            file.display()
        );
        let (metadata, findings) = read(&yaml, false);
        assert_eq!(findings, Vec::<String>::new());
        let metadata = metadata.unwrap();
        assert!(metadata.has_secrets());
        assert!(!format!("{metadata:?}").contains("S3CRET"));
        let ready = metadata.read().await.unwrap();
        let all = |name: &str| ready.headers.get_all(name).iter().map(|v| v.to_str().unwrap()).collect::<Vec<_>>();
        assert_eq!(
            (all("x-tenant"), all("trace-bin"), all("authorization")),
            (vec!["a", "b"], vec!["w6k"], vec!["Bearer S3CRET"])
        );
        assert!(!format!("{ready:?}").contains("S3CRET"), "{ready:?}");
        std::fs::remove_file(&file).unwrap();
        assert_eq!(metadata.read().await.unwrap_err().reason, Reason::Permission);
    }

    #[test]
    fn what_cannot_be_sent_is_refused() {
        for (yaml, part) in [
            ("{metadata: {grpc-timeout: [1S]}}", "`grpc-timeout` belongs to the protocol"),
            ("{metadata: {TE: [a]}}", "`te` belongs to the protocol"),
            ("{metadata: {'a b': [a]}}", "is not a key of metadata"),
            ("{metadata: {a: [\"b\\nc\"]}}", "only keys that end with -bin can"),
            ("{metadata: {a: b}}", "a list"),
            ("{metadata: {authorization: [S3CRET]}}", "name that in `metadata_files`"),
        ] {
            let (metadata, findings) = read(yaml, false);
            assert!(metadata.is_none(), "{yaml}");
            assert!(
                findings.iter().any(|f| f.contains(part)) && !findings.iter().any(|f| f.contains("S3CRET")),
                "{yaml}: {findings:?}"
            );
        }
        let (metadata, findings) = read("{metadata: {authorization: [S3CRET]}}", true);
        assert!(metadata.unwrap().has_secrets() && findings.is_empty());
    }
}
