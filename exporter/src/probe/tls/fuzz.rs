//! Certificates of a peer, for fuzzing: one, or two that the first byte cuts apart.

use rustls::pki_types::CertificateDer;

use super::certificate::{Facts, digest, told};
use super::explain;
use crate::probe::Samples;

/// A chain, as it comes with a handshake.
pub(crate) fn chain(data: &[u8]) {
    let Some((cut, data)) = data.split_first() else { return };
    let (leaf, rest) = match cut {
        0 => (data, &[][..]),
        cut => data.split_at(usize::from(*cut).saturating_mul(8).min(data.len())),
    };
    let chain: Vec<CertificateDer<'_>> =
        [leaf, rest].into_iter().filter(|der| !der.is_empty()).map(Into::into).collect();
    if chain.is_empty() {
        return;
    }
    if let Some(facts) = Facts::read(&chain, digest(leaf), None, 1_795_392_000) {
        facts.write(true, &mut Samples::new());
    }
    let _ = told(&chain).count();
    let _ = explain::is_self_signed(Some(leaf));
}
