//! Certificates out of a file's bytes: PEM, DER, or PKCS#12. Pure. Private keys are passed over and never kept.

use std::collections::HashSet;

use p12_keystore::Pkcs12Archive;
use p12_keystore::error::Error as Pkcs12Error;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::pem;
use crate::probe::tls::name;

/// The longest subject shown, in characters.
const MAX_SUBJECT: usize = 200;

/// What one certificate says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Certificate {
    /// Whose it is, such as `CN=customer-a,O=Example`.
    pub subject: String,
    /// Serial number in hexadecimal, without leading zeros.
    pub serial: String,
    /// Valid from (seconds since the epoch).
    pub not_before: i64,
    /// Valid until (seconds since the epoch).
    pub not_after: i64,
    /// Whether it issued another of its set, see [`mark_authorities`].
    pub authority: bool,
    /// Whose it is and who issued it.
    pub names: Names,
}

/// Subject and issuer as the certificate has them, in DER: cut by nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// Whose it is.
    pub subject: Vec<u8>,
    /// Who issued it.
    pub issuer: Vec<u8>,
}

/// Marks those of a set that issued others of it: a chain brings its authorities along.
pub fn mark_authorities<'a>(all: impl Iterator<Item = &'a mut Certificate>) {
    let mut all: Vec<_> = all.collect();
    let names = all.iter().map(|one| &one.names).filter(|names| names.issuer != names.subject);
    let issuers: HashSet<Vec<u8>> = names.map(|names| names.issuer.clone()).collect();
    for one in &mut all {
        one.authority = issuers.contains(&one.names.subject);
    }
}

/// Every certificate in `bytes`; `password` is that of a PKCS#12 file. None in PEM where there are only private keys and their like.
///
/// # Errors
/// With why there is none to be read; never with what is in the file.
pub fn read(bytes: &[u8], password: &str) -> Result<Vec<Certificate>, String> {
    if bytes.windows(11).any(|window| window == b"-----BEGIN ") {
        return pem::certificates(bytes)?.iter().map(|der| parse(der)).collect();
    }
    if let Ok((behind, _)) = X509Certificate::from_der(bytes) {
        if !behind.trim_ascii().is_empty() {
            return Err("has something behind its certificate in DER form; several are written as PEM".to_owned());
        }
        return Ok(vec![parse(bytes)?]);
    }
    match Pkcs12Archive::from_pkcs12(bytes, password) {
        Ok(archive) if archive.certs.is_empty() => Err("is PKCS#12 and holds no certificate".to_owned()),
        Ok(archive) => archive.certs.iter().map(|bag| parse(bag.cert.as_der())).collect(),
        Err(Pkcs12Error::MacError(_)) if password.is_empty() => {
            Err("is PKCS#12 and has a password: name its file in `password_file`".to_owned())
        }
        Err(Pkcs12Error::MacError(_)) => {
            Err("is PKCS#12, and the password in `password_file` is not its own".to_owned())
        }
        // The library's texts are about structure.
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
        authority: false,
        names: Names { subject: found.subject().as_raw().to_vec(), issuer: found.issuer().as_raw().to_vec() },
    })
}

#[cfg(test)]
mod tests {
    use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, SerialNumber, date_time_ymd};

    use super::*;

    fn params(name: &str) -> CertificateParams {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.serial_number = Some(SerialNumber::from(vec![0x00, 0xab, 0x01]));
        params.not_before = date_time_ymd(2026, 1, 1);
        params.not_after = date_time_ymd(2027, 1, 1);
        params
    }

    fn certificate(name: &str) -> (rcgen::Certificate, KeyPair) {
        let key = KeyPair::generate().unwrap();
        (params(name).self_signed(&key).unwrap(), key)
    }

    #[test]
    fn pem_with_several_and_a_key_among_them_and_der() {
        let ((a, key), (b, _)) = (certificate("customer-a"), certificate("customer-b"));
        let pem = format!("some words\n{}{}{}", a.pem(), key.serialize_pem(), b.pem());
        let found = read(pem.as_bytes(), "").unwrap();
        let subjects: Vec<_> = found.iter().map(|one| one.subject.as_str()).collect();
        assert_eq!(subjects, ["CN=customer-a", "CN=customer-b"]);
        let found = &read(a.der(), "").unwrap()[0];
        let said = (found.subject.as_str(), found.serial.as_str(), found.not_before, found.not_after);
        assert_eq!(said, ("CN=customer-a", "ab01", 1_767_225_600, 1_798_761_600));
        assert_eq!(read(key.serialize_pem().as_bytes(), "").unwrap(), []);
    }

    #[test]
    fn what_holds_none_is_refused_without_its_content() {
        let (a, _) = certificate("a");
        let spoilt = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        for (bytes, part) in [
            (spoilt.as_bytes().to_vec(), "cannot be read"),
            ([&a.der()[..], b"\n"].concat(), ""),
            ([&a.der()[..], &a.der()[..]].concat(), "has something behind its certificate"),
            (b"hello".to_vec(), "is neither PEM nor DER"),
            (Vec::new(), "is neither PEM nor DER"),
        ] {
            match read(&bytes, "s3cret") {
                Ok(found) => assert!(part.is_empty() && found.len() == 1, "{found:?}"),
                Err(why) => assert!(why.contains(part) && !why.contains("s3cret") && why.len() < 300, "{why}"),
            }
        }
    }

    #[test]
    fn an_authority_is_who_issued_another_of_the_set_and_nobody_by_itself() {
        let mut of_ca = params("authority");
        of_ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let ca_key = KeyPair::generate().unwrap();
        let ca = of_ca.self_signed(&ca_key).unwrap();
        let key = KeyPair::generate().unwrap();
        let user = params("user").signed_by(&key, &Issuer::from_params(&of_ca, &ca_key)).unwrap();
        let authorities = |pem: String| {
            let mut found = read(pem.as_bytes(), "").unwrap();
            mark_authorities(found.iter_mut());
            found.iter().map(|one| one.authority).collect::<Vec<_>>()
        };
        assert_eq!(authorities(format!("{}{}", user.pem(), ca.pem())), [false, true]);
        // Alone it is what somebody shows, whatever it says of itself.
        assert_eq!(authorities(ca.pem()), [false]);
        assert_eq!(authorities(format!("{}{}", ca.pem(), ca.pem())), [false, false]);
        assert_eq!(authorities(user.pem()), [false]);
    }
}
