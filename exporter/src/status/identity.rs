//! Names under which entries are known outside: permanent, unique, and telling nothing.
//!
//! An entry's id in the ledger may name a machine or a person, and feeds and calendars keep what they once saw. So the
//! outside gets a UUID (RFC 9562, version 8) made of the contract's name, the kind and the id: the same on every machine, after
//! every restart, and wherever the page moves. Pure.

use sha2::{Digest as _, Sha256};

/// The UUID of one `kind` of thing, such as `incident`, with this `id`, under `contract`.
#[must_use]
pub fn uuid(contract: &str, kind: &str, id: &str) -> String {
    let mut hash = Sha256::new();
    for part in ["sla-exporter status", contract, kind, id] {
        hash.update(part.len().to_be_bytes());
        hash.update(part);
    }
    let hash = hash.finalize();
    let mut text = String::with_capacity(36);
    for (place, byte) in hash.iter().take(16).enumerate() {
        if matches!(place, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        let byte = match place {
            6 => byte & 0x0f | 0x80,
            8 => byte & 0x3f | 0x80,
            _ => *byte,
        };
        text += &format!("{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::uuid;

    #[test]
    fn an_entry_keeps_its_name_and_shares_it_with_no_other() {
        // Written down: a feed reader that saw it must find it again after an update of this software.
        assert_eq!(uuid("c", "incident", "i"), uuid("c", "incident", "i"));
        let names = [("c", "incident", "i"), ("c", "maintenance", "i"), ("ci", "ncident", "i"), ("c", "incident", "j")];
        let different: std::collections::BTreeSet<String> = names.iter().map(|(c, k, i)| uuid(c, k, i)).collect();
        assert_eq!(different.len(), names.len());
    }

    #[test]
    fn it_is_a_uuid_of_version_8() {
        let text = uuid("c", "incident", "db-primary-10.0.0.5");
        assert_eq!(text.len(), 36);
        assert_eq!((text.as_bytes()[14], text.matches('-').count()), (b'8', 4));
        assert!(matches!(text.as_bytes()[19], b'8' | b'9' | b'a' | b'b'), "{text}");
        assert!(!text.contains("10.0.0.5"));
    }
}
