//! Texts from anywhere as parts of a YAML file: never more than the scalar or the comment they are to be.

use std::fmt::Write as _;

/// The longest text in a comment, in characters.
const MAX_COMMENT: usize = 2000;

/// A text on one line, within double quotes. Everything a reader of YAML could take for a line end, or that could not be seen,
/// is escaped.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if hidden(c) => {
                let _ = write!(out, "\\U{:08x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// A name or an id: as it is where no reader of YAML takes it for a number, a date or a word of its own, else in quotes.
pub(super) fn name(text: &str) -> String {
    let words = ["true", "false", "yes", "no", "on", "off", "null", "y", "n"];
    let plain = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
        && !words.contains(&text.to_ascii_lowercase().as_str());
    if plain { text.to_owned() } else { quoted(text) }
}

/// A text as the rest of a comment's line.
pub(super) fn comment(text: &str) -> String {
    let mut out: String = text.chars().take(MAX_COMMENT).map(|c| if hidden(c) { ' ' } else { c }).collect();
    if text.chars().nth(MAX_COMMENT).is_some() {
        out.push('…');
    }
    out
}

/// Control characters, ends of lines and paragraphs, marks of direction and of byte order, and what is no character.
fn hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        || matches!(c, '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::config::node::{Node, Value, parse};

    #[test]
    fn names_are_plain_unless_yaml_would_take_them_for_something_else() {
        for text in ["client", "web-app", "a.b_c", "e5", "x0", "nothing"] {
            assert_eq!(name(text), text);
        }
        for text in
            ["", "1e5", "0x1f", "2026-10-07", "-", ".inf", "~", "No", "null", "y", "TRUE", "a b", "a: b", "*a", "ä"]
        {
            assert_eq!(name(text), format!("\"{text}\""));
        }
    }

    #[test]
    fn a_comment_has_no_line_in_it_whatever_it_is_of() {
        for end in ["\n", "\r", "\u{85}", "\u{2028}", "\u{2029}", "\0", "\u{b}"] {
            assert_eq!(comment(&format!("a{end}cause: internal")), "a cause: internal");
        }
        assert_eq!(comment(&"é".repeat(MAX_COMMENT + 1)).chars().count(), MAX_COMMENT + 1);
    }

    proptest! {
        #[test]
        fn what_is_quoted_is_read_back(text in any::<String>()) {
            let document = format!("a: {}\n", quoted(&text));
            prop_assert_eq!(document.lines().count(), 1);
            let Ok(Node { value: Value::Map(entries), .. }) = parse(&document) else {
                return Err(TestCaseError::fail(document));
            };
            let found = matches!(&entries[0].node.value, Value::Scalar { text: read, plain: false } if *read == text);
            prop_assert!(found, "{}", document);
            // And as a comment it says nothing.
            let comment = format!("a: b # {}\n", comment(&text));
            prop_assert!(serde_yaml::from_str::<serde_yaml::Value>(&comment).is_ok_and(|read| read["a"] == "b"), "{}", comment);
        }
    }
}
