//! Certificates out of a file's bytes: PEM, DER, or PKCS#12. Pure. Private keys are passed over and never kept.

use p12_keystore::Pkcs12Archive;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use crate::probe::tls::name;

/// The longest subject shown, in characters.
const MAX_SUBJECT: usize = 200;

/// What one certificate says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// Whose it is, such as `CN=customer-a,O=Example`.
    pub subject: String,
    /// Serial number in hexadecimal, without leading zeros.
    pub serial: String,
    /// Valid from (seconds since the epoch).
    pub not_before: i64,
    /// Valid until (seconds since the epoch).
    pub not_after: i64,
}

/// Every certificate in `bytes`; `password` is that of a PKCS#12 file.
///
/// # Errors
/// With why there is none to be read; never with what is in the file.
pub fn read(bytes: &[u8], password: &str) -> Result<Vec<Certificate>, String> {
    if bytes.windows(11).any(|window| window == b"-----BEGIN ") {
        let found: Vec<_> = CertificateDer::pem_slice_iter(bytes)
            .collect::<Result<_, _>>()
            .map_err(|error| format!("is not good PEM: {error}"))?;
        if found.is_empty() {
            return Err("holds no certificate in PEM form".to_owned());
        }
        return found.iter().map(|der| parse(der)).collect();
    }
    if X509Certificate::from_der(bytes).is_ok() {
        return Ok(vec![parse(bytes)?]);
    }
    match Pkcs12Archive::from_pkcs12(bytes, password) {
        Ok(archive) if archive.certs.is_empty() => Err("is PKCS#12 and holds no certificate".to_owned()),
        Ok(archive) => archive.certs.iter().map(|bag| parse(bag.cert.as_der())).collect(),
        // The library's texts are about structure; a wrong password is what it mostly is.
        Err(error) => Err(format!(
            "is neither PEM nor DER, and as PKCS#12: {error}; where it has a password, name its file in `password_file`"
        )),
    }
}

fn parse(der: &[u8]) -> Result<Certificate, String> {
    let (_, found) =
        X509Certificate::from_der(der).map_err(|error| format!("holds a certificate that cannot be read: {error}"))?;
    let serial = found.raw_serial();
    let serial = &serial[serial.iter().take_while(|byte| **byte == 0).count().min(serial.len().saturating_sub(1))..];
    Ok(Certificate {
        subject: name::text(found.subject()).chars().take(MAX_SUBJECT).collect(),
        serial: serial.iter().map(|byte| format!("{byte:02x}")).collect(),
        not_before: found.validity().not_before.timestamp(),
        not_after: found.validity().not_after.timestamp(),
    })
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, DnType, KeyPair, SerialNumber, date_time_ymd};

    use super::*;

    fn certificate(name: &str) -> (rcgen::Certificate, KeyPair) {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.serial_number = Some(SerialNumber::from(vec![0x00, 0xab, 0x01]));
        params.not_before = date_time_ymd(2026, 1, 1);
        params.not_after = date_time_ymd(2027, 1, 1);
        let key = KeyPair::generate().unwrap();
        (params.self_signed(&key).unwrap(), key)
    }

    fn expected(name: &str) -> Certificate {
        let subject = format!("CN={name}");
        Certificate { subject, serial: "ab01".to_owned(), not_before: 1_767_225_600, not_after: 1_798_761_600 }
    }

    #[test]
    fn pem_with_several_and_a_key_among_them_and_der() {
        let ((a, key), (b, _)) = (certificate("customer-a"), certificate("customer-b"));
        let pem = format!("some words\n{}{}{}", a.pem(), key.serialize_pem(), b.pem());
        let own = |name: &str, found: &Certificate| assert_eq!(found.subject, expected(name).subject);
        let found = read(pem.as_bytes(), "").unwrap();
        assert_eq!(found.len(), 2);
        own("customer-a", &found[0]);
        own("customer-b", &found[1]);
        assert_eq!(read(a.der(), "").unwrap(), [expected("customer-a")]);
    }

    #[test]
    fn what_holds_none_is_refused_without_its_content() {
        let (_, key) = certificate("a");
        let spoilt = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        for (bytes, part) in [
            (key.serialize_pem().into_bytes(), "holds no certificate in PEM form"),
            (spoilt.as_bytes().to_vec(), "cannot be read"),
            (b"hello".to_vec(), "is neither PEM nor DER"),
            (Vec::new(), "is neither PEM nor DER"),
        ] {
            let why = read(&bytes, "s3cret").unwrap_err();
            assert!(why.contains(part) && !why.contains("s3cret") && why.len() < 300, "{why}");
        }
    }
}
