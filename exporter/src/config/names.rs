//! Names and texts from outside: which are accepted, how they are shown, and which one was probably meant.

use std::fmt::Display;

/// Longest name and label value, in characters.
pub const MAX_NAME: usize = 256;
/// Longest target, in characters.
pub const MAX_TARGET: usize = 2048;
/// Names listed in one message; more would bury it. Our own lists, of checks and duties, are to fit.
const MAX_LISTED: usize = 20;
/// Names compared with a misspelt one, and the longest word worth comparing: bounds the work a broken file can cause.
const MAX_COMPARED: usize = 256;
const MAX_WORD: usize = 64;

/// What functions, capabilities, probes and their like are called: letters, digits, `_`, `.` and `-`.
///
/// # Errors
/// With what is accepted.
pub fn check_identifier(text: &str) -> Result<(), String> {
    check_label(text, MAX_NAME)?;
    match text.chars().find(|c| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-'))) {
        Some(c) => Err(format!("`{}` has `{c}` in it; a name has letters, digits, `_`, `.` and `-`", shorten(text))),
        None => Ok(()),
    }
}

/// What can be a label's value: something, not endless, on one line.
///
/// # Errors
/// With what is accepted.
pub fn check_label(text: &str, max: usize) -> Result<(), String> {
    if text.trim().is_empty() {
        return Err("expected a name, found an empty one".to_owned());
    }
    if text.chars().any(char::is_control) {
        return Err(format!("`{}` has a control character in it (a tab, a line end or the like)", shorten(text)));
    }
    if text.trim() != text {
        return Err(format!("`{}` begins or ends with a space", shorten(text)));
    }
    let length = text.chars().count();
    if length > max {
        return Err(format!("`{}` has {length} characters; at most {max} are accepted", shorten(text)));
    }
    Ok(())
}

/// `a, b, c`, of many only the first ones; `none` of none.
pub fn list<'n>(names: impl IntoIterator<Item = &'n str>) -> String {
    let mut names = names.into_iter();
    let mut text = names.by_ref().take(MAX_LISTED).collect::<Vec<_>>().join(", ");
    if text.is_empty() {
        return "none".to_owned();
    }
    match names.count() {
        0 => {}
        more => text += &format!(" and {more} more"),
    }
    text
}

/// `unknown <what> `word`; known: … (did you mean `x`?)`.
pub fn unknown<'n>(what: impl Display, word: &str, names: impl Iterator<Item = &'n str> + Clone) -> String {
    format!("unknown {what} `{}`; known: {}{}", shorten(word), list(names.clone()), did_you_mean(word, names))
}

/// `1 probe`, `2 probes`.
#[must_use]
pub fn plural(count: usize, noun: &str) -> String {
    match (count, noun.strip_suffix('y')) {
        (1, _) => format!("1 {noun}"),
        (_, Some(stem)) => format!("{count} {stem}ies"),
        (_, None) => format!("{count} {noun}s"),
    }
}

/// ` (did you mean `x`?)` when one of `names` is close to `word`, else nothing.
pub fn did_you_mean<'n>(word: &str, names: impl Iterator<Item = &'n str>) -> String {
    closest(word, names.take(MAX_COMPARED))
}

/// As [`did_you_mean`] with as many names as there are: for what happens once in a file.
pub fn closest<'n>(word: &str, names: impl Iterator<Item = &'n str>) -> String {
    if word.len() > MAX_WORD {
        return String::new();
    }
    let lower = word.to_lowercase();
    names
        .filter_map(|name| {
            let allowed = 1 + name.len().min(word.len()) / 4;
            if name.len().abs_diff(word.len()) > allowed {
                return None;
            }
            let distance = strsim::damerau_levenshtein(&lower, &name.to_lowercase());
            // A word of one or two letters is close to every other one.
            (distance <= allowed && distance < name.len()).then_some((distance, name))
        })
        .min()
        .map_or_else(String::new, |(_, name)| format!(" (did you mean `{}`?)", shorten(name)))
}

/// At most 60 characters of something from outside, on one line.
#[must_use]
pub fn shorten(text: &str) -> String {
    let mut short: String = text.chars().take(60).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(60).is_some() {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_close_name_is_offered_and_a_far_one_is_not() {
        assert_eq!(did_you_mean("costumer", ["client", "consumer"].into_iter()), " (did you mean `consumer`?)");
        assert_eq!(did_you_mean("xyz", ["client", "consumer"].into_iter()), "");
    }

    #[test]
    fn a_long_list_of_names_is_cut_and_counted() {
        let names: Vec<String> = (0..MAX_LISTED + 3).map(|i| format!("n{i}")).collect();
        let text = list(names.iter().map(String::as_str));
        assert!(text.ends_with(&format!("n{} and 3 more", MAX_LISTED - 1)), "{text}");
        let whole = list(names[..MAX_LISTED].iter().map(String::as_str));
        assert!(whole.ends_with(&names[MAX_LISTED - 1]), "{whole}");
        assert_eq!(list([]), "none");
    }

    #[test]
    fn a_name_is_accepted_up_to_its_longest() {
        assert_eq!(check_identifier(&"x".repeat(MAX_NAME)), Ok(()));
        assert!(check_identifier(&"x".repeat(MAX_NAME + 1)).is_err());
    }

    #[test]
    fn what_cannot_be_a_name_is_said() {
        for (text, why) in [
            ("", "expected a name, found an empty one"),
            ("a b", "`a b` has ` ` in it; a name has letters, digits, `_`, `.` and `-`"),
            ("a/b", "`a/b` has `/` in it; a name has letters, digits, `_`, `.` and `-`"),
            ("a\nb", "`a b` has a control character in it (a tab, a line end or the like)"),
            (" a", "` a` begins or ends with a space"),
        ] {
            assert_eq!(check_identifier(text), Err(why.to_owned()), "{text:?}");
        }
    }

    #[test]
    fn a_long_unknown_word_costs_nothing_and_is_shown_short() {
        let word = "x".repeat(1 << 20);
        let text = unknown("key", &word, ["consumer"].into_iter());
        assert!(text.len() < 200, "{text}");
    }

    #[test]
    fn counts_are_in_english() {
        assert_eq!(plural(1, "capability"), "1 capability");
        assert_eq!(plural(0, "capability"), "0 capabilities");
        assert_eq!(plural(2, "probe"), "2 probes");
    }
}
