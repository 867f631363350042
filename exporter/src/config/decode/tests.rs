//! What the readers make of values, and what they say about those they refuse.

// Paths of methods are not general over the lifetime that the helpers ask for.
#![allow(clippy::redundant_closure_for_method_calls)]

use std::path::Path;

use super::*;
use crate::config::diagnostics::Diagnostic;
use crate::config::node::parse;
use crate::secret::{Secret, SecretSource};

/// What `read` makes of `text`, and what it says about it.
fn read<T>(text: &str, read: impl FnOnce(&Cursor<'_>) -> T) -> (T, Vec<String>) {
    let doc = Document::new(Path::new("f"));
    let value = read(&Cursor::root(&doc, &parse(text).unwrap()));
    (value, doc.into_parts().0.iter().map(Diagnostic::to_string).collect())
}

#[track_caller]
fn refused<T>(text: &str, reader: impl FnOnce(&Cursor<'_>) -> Option<T>, message: &str) {
    let (value, findings) = read(text, reader);
    assert!(value.is_none(), "{text} is accepted");
    assert_eq!(findings, [format!("f:1:1: {message}")]);
}

#[test]
fn booleans_are_words_without_quotes() {
    for (text, value) in [("true", true), ("Yes", true), ("on", true), ("FALSE", false), ("no", false), ("off", false)]
    {
        assert_eq!(read(text, |c| c.bool()), (Some(value), vec![]), "{text}");
    }
    for text in ["'true'", "1", "y"] {
        let found = text.trim_matches('\'');
        refused(text, |c| c.bool(), &format!("expected true or false, found `{found}`"));
    }
}

#[test]
fn numbers_keep_their_bounds() {
    assert_eq!(read("1", |c| c.integer(1..=5)).0, Some(1));
    assert_eq!(read("5", |c| c.integer(1..=5)).0, Some(5));
    for text in ["0", "6", "1.0", "one", "99999999999999999999"] {
        refused(text, |c| c.integer(1..=5), &format!("expected a whole number from 1 to 5, found `{text}`"));
    }
    assert_eq!(read("100", |c| c.positive(100.0)).0, Some(100.0));
    for text in ["0", "-1", "100.5", "inf", "NaN", "1e999"] {
        refused(text, |c| c.positive(100.0), &format!("expected a number above 0 and up to 100, found `{text}`"));
    }
}

#[test]
fn one_text_is_a_list_of_one_and_nothing_is_an_empty_list() {
    assert_eq!(read("a", |c| c.strings()).0, Some(vec!["a".to_owned()]));
    assert_eq!(read("[a, b]", |c| c.strings()).0.map(|list| list.len()), Some(2));
    assert_eq!(read("~", |c| c.strings()).0, Some(vec![]));
    let (value, findings) = read("[a, [b], {c: d}]", |c| c.strings());
    assert_eq!((value, findings.len()), (None, 2));
}

#[test]
fn a_word_outside_of_a_closed_list_is_refused_with_the_list() {
    let words = [("ip4", 4), ("ip6", 6)];
    assert_eq!(read("ip6", |c| c.one_of(&words)).0, Some(6));
    refused("ipv4", |c| c.one_of(&words), "unknown value `ipv4`; accepted: ip4, ip6 (did you mean `ip4`?)");
    refused("''", |c| c.one_of(&words), "unknown value ``; accepted: ip4, ip6");
}

#[test]
fn a_bad_expression_is_shown_with_what_is_wrong() {
    let (value, findings) = read("a(b", |c| c.regex());
    assert!(value.is_none());
    assert_eq!(findings, ["f:1:1: `a(b` is not a regular expression: unclosed group"]);
}

fn secret(text: &str, inline_allowed: bool) -> (Option<SecretSource>, Vec<String>) {
    let mut doc = Document::new(Path::new("no-such-folder/f"));
    doc.inline_secrets = inline_allowed;
    let node = parse(text).unwrap();
    let mut map = Cursor::root(&doc, &node).map().unwrap();
    let source = map.secret("password", "password_file");
    map.finish();
    let (findings, references) = doc.into_parts();
    assert!(references.is_empty(), "a secret is nothing the configuration depends on");
    (source, findings.iter().map(|f| f.to_string()).collect())
}

#[test]
fn a_secret_is_in_a_file_of_its_own_and_no_finding_shows_it() {
    let (source, findings) = secret("password: hunter2", false);
    assert!(source.is_none());
    assert!(findings[0].contains("name that in `password_file`"), "{findings:?}");
    let (source, findings) = secret("password: hunter2", true);
    assert_eq!(source, Some(SecretSource::Inline(Secret::new("hunter2"))));
    assert!(findings.is_empty());
    let (source, findings) = secret("{password: hunter2, password_file: p}", true);
    assert!(source.is_none() && findings[0].contains("not both"), "{findings:?}");
    let (source, findings) = secret("password_file: p", false);
    assert_eq!(source, Some(SecretSource::File(PathBuf::from("no-such-folder/p"))));
    assert!(findings[0].contains("warning: password_file: cannot read secret file no-such-folder/p"), "{findings:?}");
    assert_eq!(secret("{}", false), (None, vec![]));
    for text in ["password: hunter2", "{password: hunter2, password_file: p}", "password: [hunter2]"] {
        for allowed in [true, false] {
            let (source, findings) = secret(text, allowed);
            assert!(!format!("{source:?}{findings:?}").contains("hunter2"), "{text}");
        }
    }
}

#[test]
fn a_file_a_setting_names_is_read_bounded_and_remembered() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("ca.pem"), "x").unwrap();
    std::fs::File::create(folder.path().join("huge")).unwrap().set_len(MAX_FILE_BYTES + 1).unwrap();
    let doc = Document::new(&folder.path().join("sla.yml"));
    let content = |text: &str| Cursor::root(&doc, &parse(text).unwrap()).file_content();
    assert_eq!(content("ca.pem"), Some(b"x".to_vec()));
    assert_eq!(content("huge"), None);
    assert_eq!(content("none"), None);
    let (findings, references) = doc.into_parts();
    assert_eq!(findings.len(), 2, "{findings:?}");
    assert_eq!(references, ["ca.pem", "huge", "none"].map(|name| folder.path().join(name)));
}

#[test]
fn keys_nobody_asked_for_are_refused_and_null_counts_as_absent() {
    let ((), findings) = read("{a: 1, b: ~, colour: red}", |c| {
        let mut map = c.map().unwrap();
        assert!(map.get("a").is_some() && map.get("b").is_none() && map.get("color").is_none());
        map.finish();
    });
    assert_eq!(findings, ["f:1:14: colour: unknown key `colour`; accepted here: a, b, color (did you mean `color`?)"]);
    let ((), findings) = read("{http3: true}", |c| {
        let mut map = c.map().unwrap();
        map.unsupported(&["http3", "http4"], "");
        map.finish();
    });
    assert_eq!(findings, ["f:1:9: http3: `http3` is not supported"]);
}
