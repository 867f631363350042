//! The certificates among a PEM file's sections. Pure.
//!
//! Only sections of certificates are decoded: what a key looks like inside is nobody's business here, and one under a password of its own
//! (`Proc-Type: 4,ENCRYPTED`) is no base64 to the library. Not for what a certificate says.

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::{Error, PemObject as _};

const BEGIN: &[u8] = b"-----BEGIN ";
const CERTIFICATE: &[u8] = b"CERTIFICATE";
/// Sections that hold no certificate, beside private keys; what is neither may hold one that would not be seen.
const OTHERS: &[&[u8]] = &[
    b"PUBLIC KEY",
    b"CERTIFICATE REQUEST",
    b"NEW CERTIFICATE REQUEST",
    b"X509 CRL",
    b"DH PARAMETERS",
    b"EC PARAMETERS",
];

/// All certificates of `bytes`, in DER.
///
/// # Errors
/// With why they cannot be told; never with what is in the file, but for a section's name.
pub(super) fn certificates(bytes: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let mut found = Vec::new();
    let mut sections = 0;
    let mut lines = bytes.split_inclusive(|byte| matches!(byte, b'\n' | b'\r'));
    while let Some(line) = lines.next() {
        let Some(label) = label(line, BEGIN) else { continue };
        sections += 1;
        if label == CERTIFICATE {
            let mut section = line.to_vec();
            for line in lines.by_ref() {
                section.extend_from_slice(line);
                if self::label(line, b"-----END ").is_some() {
                    break;
                }
            }
            found.push(CertificateDer::from_pem_slice(&section).map_err(|error| explained(&error))?);
        } else if !(label.ends_with(b"PRIVATE KEY") || OTHERS.contains(&label)) {
            return Err(format!(
                "has a section {}, which is not read; certificates are in sections CERTIFICATE, as `openssl x509` and \
                 `openssl pkcs7 -print_certs` write them",
                shown(label)
            ));
        }
    }
    if sections == 0 { Err("holds no certificate in PEM form".to_owned()) } else { Ok(found) }
}

/// `X` of a line `-----BEGIN X-----`.
fn label<'a>(line: &'a [u8], start: &[u8]) -> Option<&'a [u8]> {
    line.strip_prefix(start)?.trim_ascii_end().strip_suffix(b"-----")
}

/// The library's own text has bytes.
fn explained(error: &Error) -> String {
    match error {
        Error::MissingSectionEnd { .. } => "is cut off: a certificate has no END line".to_owned(),
        Error::Base64Decode(_) => "is not good PEM: a certificate is not base64".to_owned(),
        _ => "is not good PEM".to_owned(),
    }
}

fn shown(label: &[u8]) -> String {
    match std::str::from_utf8(label) {
        Ok(name) if name.len() <= 40 && name.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ') => {
            name.to_owned()
        }
        _ => "of an unknown kind".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair};

    use super::*;

    #[test]
    fn what_is_no_certificate_is_passed_over_and_what_may_be_one_is_refused() {
        let key = KeyPair::generate().unwrap();
        let pem = CertificateParams::default().self_signed(&key).unwrap().pem();
        let private = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,ED1A\n\nAAAA\n\
                       -----END RSA PRIVATE KEY-----\n";
        let section = |label: &str| format!("-----BEGIN {label}-----\nAAAA\n-----END {label}-----\n");
        let (request, crl) = (section("CERTIFICATE REQUEST"), section("X509 CRL"));
        let cut = &pem[..pem.len() / 2];
        for (text, expected) in [
            (format!("{private}{pem}{}", key.serialize_pem()), Ok(1)),
            (format!("subject=CN = a\n{pem}{request}{crl}{pem}"), Ok(2)),
            (pem.replace('\n', "\r\n"), Ok(1)),
            (pem.trim_end().to_owned(), Ok(1)),
            (private.to_owned(), Ok(0)),
            (request, Ok(0)),
            (cut.to_owned(), Err("is cut off")),
            (format!("{cut}\n{pem}"), Err("not good PEM")),
            (section("CERTIFICATE").replace("AAAA", "A*A"), Err("not base64")),
            (format!("{pem}{}", section("TRUSTED CERTIFICATE")), Err("has a section TRUSTED CERTIFICATE")),
            (section("PKCS7"), Err("has a section PKCS7")),
            (section("\u{1b}[31m"), Err("of an unknown kind")),
            ("# -----BEGIN CERTIFICATE-----".to_owned(), Err("holds no certificate in PEM form")),
        ] {
            let found = certificates(text.as_bytes()).map(|found| found.len());
            match expected {
                Ok(count) => assert_eq!(found, Ok(count), "{text}"),
                Err(part) => assert!(found.as_ref().is_err_and(|why| why.contains(part)), "{part}: {found:?}"),
            }
        }
    }
}
