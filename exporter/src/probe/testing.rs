//! For the unit tests of probers: a section read as a configuration would have it, and what was found in it.

use std::path::Path;

use super::Section;
use crate::config::decode::Cursor;
use crate::config::diagnostics::Document;
use crate::config::node;

/// What `decode` makes of a section, and the findings.
pub(crate) fn read<T>(yaml: &str, decode: impl FnOnce(Section<'_>) -> Option<T>) -> (Option<T>, Vec<String>) {
    let doc = Document::new(Path::new("sla.yml"));
    let tree = node::parse(yaml).expect("YAML");
    let settings = Cursor::root(&doc, &tree).map().and_then(decode);
    (settings, doc.into_parts().0.iter().map(ToString::to_string).collect())
}

/// Fails unless one of the findings has `message`.
#[cfg(test)]
#[track_caller]
pub(crate) fn finds<T>(yaml: &str, decode: impl FnOnce(Section<'_>) -> Option<T>, message: &str) {
    let (_, findings) = read(yaml, decode);
    assert!(findings.iter().any(|f| f.contains(message)), "{yaml}: {findings:#?}");
}
