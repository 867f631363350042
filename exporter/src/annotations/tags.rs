//! Tags: what a region of ours is found by, and told from others' by.
//!
//! Grafana reads `key:value` out of a tag, keeps 100 characters of each in its tables, and refuses an annotation whose tags come
//! to more than 500 bytes together (`[annotations] tags_length`); a name in the ledger may have 256. So long names are cut and
//! told apart by a hash, and many functions are spread over several regions.

use sha2::{Digest as _, Sha256};

use crate::windows::Reason;

/// On everything that is about the contract, drawn by whomever.
pub const SLA: &str = "sla";
/// On what an exporter wrote, and on nothing else.
pub const LEDGER: &str = "sla-ledger";
/// In front of the tag by which a region is known.
const KEY: &str = "sla-key:";
/// The longest value of a tag, in bytes; every name is ASCII.
const MAX_VALUE: usize = 64;
/// Bytes that tags of functions may take of one region's tags.
const MAX_FUNCTIONS: usize = 180;
/// Bytes of a tag beside its own: quotes and comma.
const AROUND: usize = 3;

/// The tag of a contract's regions.
#[must_use]
pub fn contract(name: &str) -> String {
    format!("contract:{}", short(name))
}

/// Whether an annotation with these tags was written for the contract by an exporter, and as which region.
#[must_use]
pub fn key_of<'t>(contract_tag: &str, tags: &'t [String]) -> Option<&'t str> {
    // Compared here too: a database may take capitals and small letters for the same.
    let has = |tag: &str| tags.iter().any(|t| t == tag);
    if !has(SLA) || !has(LEDGER) || !has(contract_tag) {
        return None;
    }
    tags.iter().find_map(|tag| tag.strip_prefix(KEY)).filter(|key| !key.is_empty())
}

/// What the region of an entry, a reason and a part of its functions is known by at `dashboard`.
#[must_use]
pub(super) fn key(contract: &str, entry: &str, reason: Reason, part: usize, dashboard: Option<&str>) -> String {
    let part = part.to_string();
    let mut digest = Sha256::new();
    for text in [contract, entry, reason.word(), &part, dashboard.unwrap_or_default()] {
        // With its length, so that no two lists come to the same bytes.
        digest.update((text.len() as u64).to_be_bytes());
        digest.update(text);
    }
    hex(&digest.finalize(), 12)
}

/// The functions in parts whose tags fit; at least one part.
pub(super) fn parts<'a, 'n>(functions: &'a [&'n str]) -> Vec<&'a [&'n str]> {
    let mut parts = Vec::new();
    let mut from = 0;
    let mut taken = 0;
    for (index, name) in functions.iter().enumerate() {
        let bytes = function(name).len() + AROUND;
        if index > from && taken + bytes > MAX_FUNCTIONS {
            parts.push(&functions[from..index]);
            (from, taken) = (index, 0);
        }
        taken += bytes;
    }
    parts.push(&functions[from..]);
    parts
}

/// All tags of a region.
pub(super) fn all(
    of: &str,
    entry: &str,
    reason: Reason,
    functions: &[&str],
    key: &str,
    more: &[String],
) -> Vec<String> {
    let mut tags = vec![SLA.to_owned(), LEDGER.to_owned(), contract(of)];
    tags.push(format!("effect:{}", reason.effect().word()));
    tags.push(reason.word().to_owned());
    tags.push(format!("window:{}", short(entry)));
    tags.extend(functions.iter().map(|name| function(name)));
    tags.push(format!("{KEY}{key}"));
    for tag in more {
        if !tags.contains(tag) {
            tags.push(tag.clone());
        }
    }
    tags
}

fn function(name: &str) -> String {
    format!("function:{}", short(name))
}

/// A name that fits: the same for the same, another for another.
fn short(name: &str) -> String {
    if name.len() <= MAX_VALUE {
        return name.to_owned();
    }
    let hash = hex(&Sha256::digest(name), 4);
    let start = name.floor_char_boundary(MAX_VALUE - hash.len() - 1);
    format!("{}~{hash}", &name[..start])
}

fn hex(bytes: &[u8], length: usize) -> String {
    bytes.iter().take(length).map(|byte| format!("{byte:02x}")).collect()
}

/// What a tag of the configuration may be.
///
/// # Errors
/// With what is accepted.
pub(crate) fn check(tag: &str) -> Result<(), String> {
    let fits = |part: &str| part.len() <= 40 && part.trim() == part && !part.is_empty();
    let (name, value) = tag.split_once(':').map_or((tag, None), |(name, value)| (name, Some(value)));
    if tag.chars().any(char::is_control)
        || !fits(name)
        || !value.is_none_or(|value| fits(value) && !value.contains(':'))
    {
        return Err(
            "is not a tag; write a word or `key:value`, each part of at most 40 bytes without spaces around it"
                .to_owned(),
        );
    }
    if ["sla", "sla-ledger", "sla-key", "contract", "function", "window", "effect"].contains(&name) {
        return Err(format!("`{name}` is a tag of the exporter's own; choose another"));
    }
    Ok(())
}

/// Bytes that these may take together, quotes and commas included.
pub(crate) const MAX_MORE_BYTES: usize = 80;

/// What Grafana takes for the length of a list of tags.
#[must_use]
pub(crate) fn bytes(tags: &[String]) -> usize {
    1 + tags.iter().map(|tag| tag.len() + AROUND).sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: Reason = Reason::ForceMajeure;

    #[test]
    fn tags_fit_what_grafana_keeps_whatever_the_names() {
        for (length, count) in [(1, 1), (1, 200), (64, 1), (65, 1), (256, 1), (256, 30), (30, 30)] {
            let names: Vec<String> = (0..count).map(|i| format!("{i:0length$}")).collect();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let long = "x".repeat(length);
            let parts = parts(&names);
            assert_eq!(parts.concat(), names);
            for (part, functions) in parts.into_iter().enumerate() {
                let key = key(&long, &long, KEYS, part, Some(&long));
                let more: Vec<String> = vec!["y".repeat(37), "z".repeat(37)];
                assert!(bytes(&more) <= MAX_MORE_BYTES + 1);
                let tags = all(&long, &long, KEYS, functions, &key, &more);
                assert!(bytes(&tags) <= 500, "{length} × {count}: {} in {tags:?}", bytes(&tags));
                for tag in &tags {
                    assert!(tag.split(':').all(|half| half.len() <= 100), "{tag}");
                    assert!(tag.split(':').count() <= 2, "{tag}");
                }
                assert_eq!(key_of(&contract(&long), &tags), Some(key.as_str()));
            }
        }
    }

    #[test]
    fn long_names_that_differ_at_their_ends_have_tags_that_differ() {
        let (a, b) = ("x".repeat(255) + "a", "x".repeat(255) + "b");
        assert_ne!(contract(&a), contract(&b));
        assert_eq!(contract("c"), "contract:c");
        assert_eq!(short(&"x".repeat(64)), "x".repeat(64));
        assert_eq!(short(&"x".repeat(65)).len(), 64);
    }

    #[test]
    fn every_part_of_what_a_region_is_makes_another_key() {
        let usual = key("c", "e", Reason::Planned, 0, None);
        let others = [
            key("d", "e", Reason::Planned, 0, None),
            key("c", "f", Reason::Planned, 0, None),
            key("c", "e", Reason::Overrun, 0, None),
            key("c", "e", Reason::Planned, 1, None),
            key("c", "e", Reason::Planned, 0, Some("d")),
            key("ce", "", Reason::Planned, 0, None),
        ];
        assert!(others.iter().all(|other| *other != usual), "{usual} {others:?}");
        assert_eq!(usual, key("c", "e", Reason::Planned, 0, None));
    }

    #[test]
    fn only_what_has_all_of_our_tags_to_the_letter_is_ours() {
        let ours = ["sla", "sla-ledger", "contract:c", "sla-key:k"];
        let tags = |tags: &[&str]| tags.iter().map(|&tag| tag.to_owned()).collect::<Vec<_>>();
        assert_eq!(key_of("contract:c", &tags(&ours)), Some("k"));
        for left_out in 0..ours.len() {
            let mut rest = ours.to_vec();
            rest.remove(left_out);
            assert_eq!(key_of("contract:c", &tags(&rest)), None, "without {}", ours[left_out]);
        }
        assert_eq!(key_of("contract:C", &tags(&ours)), None);
        assert_eq!(key_of("contract:c", &tags(&["SLA", "sla-ledger", "contract:c", "sla-key:k"])), None);
        assert_eq!(key_of("contract:c", &tags(&["sla", "sla-ledger", "contract:c", "sla-key:"])), None);
    }

    #[test]
    fn tags_of_the_configuration_are_words_and_not_ours() {
        for good in ["production", "team:a", "本番", &"x".repeat(40)] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        for (bad, words) in [
            ("", "is not a tag"),
            (" a", "is not a tag"),
            ("a:b:c", "is not a tag"),
            ("a:", "is not a tag"),
            ("a\nb", "is not a tag"),
            (&"x".repeat(41), "is not a tag"),
            ("sla", "of the exporter's own"),
            ("function:x", "of the exporter's own"),
        ] {
            let why = check(bad).unwrap_err();
            assert!(why.contains(words), "{bad}: {why}");
        }
    }
}
