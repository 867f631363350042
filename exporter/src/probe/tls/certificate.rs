//! What a peer's certificates say: expiry and identity, as blackbox_exporter shows them.
//!
//! Parsing costs more than the rest of a probe's bookkeeping and certificates seldom change, so the
//! facts are kept by fingerprint.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use rustls::pki_types::CertificateDer;
use sha2::{Digest as _, Sha256};
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::name;
use super::roots::Roots;
use super::verify::Seen;
use crate::probe::{Metric, Samples, trace};

/// How many chains' facts are kept; past it all are forgotten and read again as they come.
const MAX_KEPT: usize = 16_384;
/// Alternative names told of one certificate.
const MAX_NAMES: usize = 50;
/// The longest label value kept, in characters: a certificate may list thousands of names.
const MAX_LABEL: usize = 1024;

/// SHA-256 of a certificate.
pub(super) fn digest(certificate: &[u8]) -> [u8; 32] {
    Sha256::digest(certificate).into()
}

/// Facts by chain.
#[derive(Debug, Default)]
pub(super) struct Cache {
    hasher: RandomState,
    kept: Mutex<HashMap<Key, Arc<Facts>>>,
}

/// The leaf's digest; the rest of the chain and whether it was verified, hashed.
type Key = ([u8; 32], u64);

/// What one chain says.
#[derive(Debug)]
pub(super) struct Facts {
    /// Seconds since the epoch.
    earliest: i64,
    /// Seconds since the epoch; absent where no chain leads to a root.
    last_chain: Option<i64>,
    fingerprint: String,
    subject: String,
    issuer: String,
    names: String,
    serial: String,
}

impl Cache {
    /// The facts of a chain; `None` where its leaf cannot be read.
    pub(super) fn of(&self, seen: &Seen, roots: Option<&Roots>) -> Option<Arc<Facts>> {
        let (leaf, rest) = seen.chain.split_first()?;
        let fingerprint = digest(leaf);
        let key = (fingerprint, self.hasher.hash_one((rest, seen.verified)));
        let now = i64::try_from(seen.at).unwrap_or(i64::MAX);
        let lock = || self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(facts) = lock().get(&key) {
            // A path that has ended since may have left a longer one: look again.
            if facts.last_chain.is_none_or(|end| end >= now) {
                return Some(Arc::clone(facts));
            }
        }
        let facts = Arc::new(Facts::read(&seen.chain, fingerprint, roots.filter(|_| seen.verified), now)?);
        let mut kept = lock();
        if kept.len() >= MAX_KEPT {
            kept.clear();
        }
        kept.insert(key, Arc::clone(&facts));
        Some(facts)
    }
}

impl Facts {
    pub(super) fn read(
        chain: &[CertificateDer<'_>],
        fingerprint: [u8; 32],
        roots: Option<&Roots>,
        now: i64,
    ) -> Option<Self> {
        let parsed: Vec<_> = chain.iter().map(|der| X509Certificate::from_der(der).ok().map(|(_, c)| c)).collect();
        let leaf = parsed.first()?.as_ref()?;
        let readable: Vec<_> = parsed.iter().flatten().collect();
        let names = leaf.subject_alternative_name().ok().flatten().map_or_else(String::new, |extension| {
            let dns = extension.value.general_names.iter().filter_map(|name| match name {
                GeneralName::DNSName(name) => Some(*name),
                _ => None,
            });
            dns.collect::<Vec<_>>().join(",")
        });
        let last_chain = roots.map(|roots| {
            let listed = roots.lists(&chain[0]).then(|| not_after(leaf));
            // Verification found a path: where ours finds none by name, what was sent bounds it.
            listed.or_else(|| last_path(leaf, &readable, roots, now)).unwrap_or_else(|| earliest(&readable))
        });
        Some(Self {
            earliest: earliest(&readable),
            last_chain,
            fingerprint: hex(&fingerprint),
            subject: shorten(name::text(leaf.subject())),
            issuer: shorten(name::text(leaf.issuer())),
            names: shorten(names),
            serial: hex(leaf.raw_serial().strip_prefix(&[0]).unwrap_or(leaf.raw_serial())),
        })
    }

    /// Sets the metrics.
    pub(super) fn write(&self, verified: bool, out: &mut Samples) {
        // exact for the next 285 million years
        let seconds = |at: i64| at as f64;
        out.set(Metric::SslEarliestCertExpiry, seconds(self.earliest));
        if let (true, Some(end)) = (verified, self.last_chain) {
            out.set(Metric::SslLastChainExpiry, seconds(end));
        }
        out.set_info(
            Metric::SslLastChainInfo,
            &[
                ("fingerprint_sha256", &self.fingerprint),
                ("subject", &self.subject),
                ("issuer", &self.issuer),
                ("subjectalternative", &self.names),
                ("serialnumber", &self.serial),
            ],
            1.0,
        );
    }
}

/// What each certificate of a chain says, for a person; one that cannot be read is left out.
pub(super) fn told(chain: &[CertificateDer<'_>]) -> impl Iterator<Item = trace::Certificate> {
    chain.iter().filter_map(|der| {
        let (_, certificate) = X509Certificate::from_der(der).ok()?;
        let names = certificate.subject_alternative_name().ok().flatten().map_or_else(Vec::new, |extension| {
            let names = extension.value.general_names.iter().filter_map(|name| match name {
                GeneralName::DNSName(name) => Some((*name).to_owned()),
                GeneralName::IPAddress(bytes) => address(bytes),
                _ => None,
            });
            names.take(MAX_NAMES).collect()
        });
        Some(trace::Certificate {
            subject: name::text(certificate.subject()),
            issuer: name::text(certificate.issuer()),
            names,
            not_before: certificate.validity().not_before.timestamp(),
            not_after: not_after(&certificate),
        })
    })
}

fn address(bytes: &[u8]) -> Option<String> {
    let v4 = <[u8; 4]>::try_from(bytes).map(|bytes| IpAddr::from(bytes).to_string());
    v4.or_else(|_| <[u8; 16]>::try_from(bytes).map(|bytes| IpAddr::from(bytes).to_string())).ok()
}

fn not_after(certificate: &X509Certificate<'_>) -> i64 {
    certificate.validity().not_after.timestamp()
}

fn earliest(chain: &[&X509Certificate<'_>]) -> i64 {
    chain.iter().map(|certificate| not_after(certificate)).min().unwrap_or(0)
}

/// The end of the path from `certificate` to a root that lasts longest, among those valid now.
///
/// Paths are followed by names; that the signatures hold is known from the verification before.
fn last_path(
    certificate: &X509Certificate<'_>,
    unused: &[&X509Certificate<'_>],
    roots: &Roots,
    now: i64,
) -> Option<i64> {
    let own = not_after(certificate);
    let issuer = certificate.issuer().as_raw();
    let direct = roots.expiry_of(issuer).iter().copied().filter(|end| *end >= now).max();
    let others: Vec<_> = unused.iter().copied().filter(|other| !std::ptr::eq(*other, certificate)).collect();
    let mut best = direct;
    // Longer than any real chain; and the number of paths through same-named certificates stays small.
    if others.len() < 8 {
        for next in others.iter().filter(|next| next.subject().as_raw() == issuer && not_after(next) >= now) {
            best = best.max(last_path(next, &others, roots, now));
        }
    }
    best.map(|end| end.min(own))
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn shorten(mut text: String) -> String {
    if let Some((end, _)) = text.char_indices().nth(MAX_LABEL) {
        text.truncate(end);
        text.push('…');
    }
    text
}
