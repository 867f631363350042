//! Which of two versions of a Debian package is newer, as dpkg decides it (deb-version(7)).
//!
//! Pure. Not for checking that a version is a valid one: every text has its place in the order.

use std::cmp::Ordering;

/// Compares `[epoch:]upstream[-revision]`.
#[must_use]
pub fn compare(a: &str, b: &str) -> Ordering {
    let (a, b) = (split(a), split(b));
    number(a.0, b.0).then_with(|| part(a.1, b.1)).then_with(|| part(a.2, b.2))
}

fn split(version: &str) -> (&str, &str, &str) {
    let (epoch, rest) = version.split_once(':').unwrap_or(("", version));
    let (upstream, revision) = rest.rsplit_once('-').unwrap_or((rest, ""));
    (epoch, upstream, revision)
}

/// What is no digit and what is one take turns.
fn part(mut a: &str, mut b: &str) -> Ordering {
    while !(a.is_empty() && b.is_empty()) {
        let (text_a, rest_a) = a.split_at(a.find(|c: char| c.is_ascii_digit()).unwrap_or(a.len()));
        let (text_b, rest_b) = b.split_at(b.find(|c: char| c.is_ascii_digit()).unwrap_or(b.len()));
        let (digits_a, after_a) = rest_a.split_at(rest_a.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest_a.len()));
        let (digits_b, after_b) = rest_b.split_at(rest_b.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest_b.len()));
        let order = text(text_a, text_b).then_with(|| number(digits_a, digits_b));
        if order.is_ne() {
            return order;
        }
        (a, b) = (after_a, after_b);
    }
    Ordering::Equal
}

/// `~` is before the end, the end before letters, letters before all else.
fn text(a: &str, b: &str) -> Ordering {
    let weight = |c: Option<u8>| match c {
        None => 0,
        Some(b'~') => -1,
        Some(c) if c.is_ascii_alphabetic() => i32::from(c),
        Some(c) => i32::from(c) + 256,
    };
    let longer = a.len().max(b.len());
    (0..longer)
        .map(|at| weight(a.as_bytes().get(at).copied()).cmp(&weight(b.as_bytes().get(at).copied())))
        .find(|order| order.is_ne())
        .unwrap_or(Ordering::Equal)
}

/// Of any length.
fn number(a: &str, b: &str) -> Ordering {
    let (a, b) = (a.trim_start_matches('0'), b.trim_start_matches('0'));
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Older first; what is between commas is the same.
    const ORDERED: &[&[&str]] = &[
        &["1.0~~", "1.0~~a", "1.0~", "1.0", "1.0a", "1.0+b", "1.0.1"],
        &["1.2-1~deb12u1", "1.2-1", "1.2-1+b1", "1.2-1+b2", "1.2-1+b10", "1.2-1+deb12u1", "1.2-1.1", "1.2-2"],
        &["9.9", "1:0.1", "1:0.2", "10:0"],
        &["1.9", "1.10", "1.100000000000000000000000000000000", "1.100000000000000000000000000000001"],
        &["6.1.0-9", "6.1.0-37", "6.12.41+deb13"],
        &["249.11-0ubuntu3.9", "249.11-0ubuntu3.16"],
        &["", "a", "a1", "ab"],
    ];

    #[test]
    fn versions_stand_in_dpkgs_order() {
        for list in ORDERED {
            for (at, a) in list.iter().enumerate() {
                for (other, b) in list.iter().enumerate() {
                    assert_eq!(compare(a, b), at.cmp(&other), "{a} {b}");
                }
            }
        }
        for (a, b) in [("1.0", "1.00"), ("0:1.0", "1.0"), ("1.0-0", "1.0"), ("1.01", "1.1")] {
            assert_eq!(compare(a, b), Ordering::Equal, "{a} {b}");
        }
        assert_eq!(compare("1.é-ü", "1.é-ü"), Ordering::Equal);
    }
}
