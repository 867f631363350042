//! clamd's answers, for fuzzing.

use jiff::tz::TimeZone;

use super::{talk, version};
use crate::fuzzing::{now, peer};
use crate::probe::Samples;

/// To whatever it was asked, VERSION among it.
pub(crate) fn answer(data: &[u8]) {
    let Ok(said) = now(talk::exchange(peer(data), b"zVERSION\0", &[])) else { return };
    let _ = talk::strange("VERSION", "ClamAV", &said);
    if let Some(version) = version::read(&said, &TimeZone::UTC) {
        version.show(&mut Samples::new());
    }
}
