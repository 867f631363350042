//! What single entries contribute to a function's month, so that the parts add up: time that several entries decide alike
//! counts for the first in the ledger.

use std::collections::BTreeMap;

use crate::months::Judged;
use crate::report::figures::Frame;
use crate::span::{Span, Spans};
use crate::windows::{Effect, Reason, Window};

/// One function's contributions.
#[derive(Debug, Default)]
pub(super) struct Shares(BTreeMap<(String, Reason), i64>);

impl Shares {
    /// Those of `windows` to `function`.
    pub(super) fn of(frame: &Frame, function: &str, windows: &[Window]) -> Self {
        let judged = Judged::of(windows, function, frame.month, frame.now);
        let mut left: BTreeMap<Reason, Spans> = Reason::EXCLUDING.into_iter().zip(judged.excluded).collect();
        let mut down = judged.down;
        let mut shares = Self::default();
        for window in windows.iter().filter(|window| window.function == function) {
            let pool = match window.reason.effect() {
                Effect::Exclude => left.get_mut(&window.reason),
                Effect::Down => Some(&mut down),
                Effect::Up => None,
            };
            let (Some(pool), Some(span)) = (pool, window.counted(frame.now)) else { continue };
            let part = take(pool, span);
            *shares.0.entry((window.entry.clone(), window.reason)).or_default() += part;
        }
        shares
    }

    /// Judged downtime or excluded time of an entry.
    pub(super) fn seconds(&self, entry: &str, reasons: &[Reason]) -> i64 {
        reasons.iter().filter_map(|reason| self.0.get(&(entry.to_owned(), *reason))).sum()
    }

    /// Judged downtime of all overruns.
    pub(super) fn overrun(&self) -> i64 {
        self.0.iter().filter(|((_, reason), _)| *reason == Reason::Overrun).map(|(_, seconds)| seconds).sum()
    }
}

/// Takes the part of `pool` inside `span` away, and says how long it is.
fn take(pool: &mut Spans, span: Span) -> i64 {
    let part = pool.clip(span);
    *pool = pool.minus(&part);
    part.seconds()
}
