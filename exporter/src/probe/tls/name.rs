//! Distinguished names as Go's `pkix.Name` writes them, which blackbox_exporter shows in labels.
//!
//! RFC 2253, most specific part first; Go sorts the parts it knows and puts the others last.

use x509_parser::der_parser::ber::Tag;
use x509_parser::x509::{AttributeTypeAndValue, X509Name};

/// The parts Go knows, in the order of its text, with their last arc below 2.5.4.
const KNOWN: [(u64, &str); 9] = [
    (5, "SERIALNUMBER"),
    (3, "CN"),
    (17, "POSTALCODE"),
    (9, "STREET"),
    (8, "ST"),
    (7, "L"),
    (11, "OU"),
    (10, "O"),
    (6, "C"),
];

/// The name as text.
pub(crate) fn text(name: &X509Name<'_>) -> String {
    let all: Vec<&AttributeTypeAndValue<'_>> = name.iter_attributes().collect();
    let mut parts = Vec::new();
    for (arc, short) in KNOWN {
        let mut values: Vec<String> = all
            .iter()
            .filter(|attribute| known_arc(attribute) == Some(arc))
            .map(|attribute| format!("{short}={}", escape(&value(attribute))))
            .collect();
        // Go keeps one of these two: the last.
        if matches!(short, "CN" | "SERIALNUMBER") && values.len() > 1 {
            values.drain(..values.len() - 1);
        }
        if !values.is_empty() {
            parts.push(values.join("+"));
        }
    }
    let others = all.iter().rev().filter(|attribute| known_arc(attribute).is_none());
    parts.extend(others.map(|attribute| format!("{}=#{}", attribute.attr_type(), der_hex(&value(attribute)))));
    parts.join(",")
}

fn known_arc(attribute: &AttributeTypeAndValue<'_>) -> Option<u64> {
    let arcs: Vec<u64> = attribute.attr_type().iter()?.collect();
    match arcs.as_slice() {
        [2, 5, 4, arc] if KNOWN.iter().any(|(known, _)| known == arc) => Some(*arc),
        _ => None,
    }
}

fn value(attribute: &AttributeTypeAndValue<'_>) -> String {
    let any = attribute.attr_value();
    let wide = |bytes: &[u8]| {
        let units = bytes.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
        char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
    };
    match any.header.tag() {
        Tag::BmpString => wide(any.data),
        _ => String::from_utf8_lossy(any.data).into_owned(),
    }
}

fn escape(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    let last = value.chars().count().saturating_sub(1);
    for (i, c) in value.chars().enumerate() {
        let special = match c {
            ',' | '+' | '"' | '\\' | '<' | '>' | ';' => true,
            '#' => i == 0,
            ' ' => i == 0 || i == last,
            _ => false,
        };
        if special {
            text.push('\\');
        }
        text.push(c);
    }
    text
}

/// The value in DER as Go would write it (a PrintableString where it can be one, else UTF-8), in hex.
fn der_hex(value: &str) -> String {
    use std::fmt::Write as _;
    let printable = value.chars().all(|c| c.is_ascii_alphanumeric() || " '()+,-./:=?*&".contains(c));
    let mut text = String::from(if printable { "13" } else { "0c" });
    let length = value.len();
    let _ = match length {
        0..=127 => write!(text, "{length:02x}"),
        128..=255 => write!(text, "81{length:02x}"),
        _ => write!(text, "82{length:04x}"),
    };
    for byte in value.bytes() {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};
    use x509_parser::prelude::{FromDer as _, X509Certificate};

    #[track_caller]
    fn check(parts: &[(DnType, &str)], expected: &str) {
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        for (kind, value) in parts {
            params.distinguished_name.push(kind.clone(), *value);
        }
        let certificate = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
        let (_, parsed) = X509Certificate::from_der(certificate.der()).unwrap();
        assert_eq!(text(parsed.subject()), expected);
    }

    #[test]
    fn parts_come_in_the_order_of_go_whatever_theirs_is() {
        use DnType as D;
        check(&[(D::CommonName, "www"), (D::CountryName, "JP"), (D::OrganizationName, "O")], "CN=www,O=O,C=JP");
        check(
            &[(D::LocalityName, "Chuo"), (D::StateOrProvinceName, "Tokyo"), (D::OrganizationalUnitName, "U")],
            "ST=Tokyo,L=Chuo,OU=U",
        );
        check(&[], "");
    }

    #[test]
    fn signs_with_a_meaning_are_escaped() {
        check(&[(DnType::CommonName, " a, b+c; \"d\" <e> \\ #f ")], r#"CN=\ a\, b\+c\; \"d\" \<e\> \\ #f\ "#);
        check(&[(DnType::CommonName, "#1")], r"CN=\#1");
        check(&[(DnType::CommonName, "日本")], "CN=日本");
    }

    #[test]
    fn parts_go_does_not_know_are_numbers_and_come_last() {
        let email = DnType::CustomDnType(vec![1, 2, 840, 113_549, 1, 9, 1]);
        check(&[(email, "a@b"), (DnType::CommonName, "c")], "CN=c,1.2.840.113549.1.9.1=#0c03614062");
    }
}
