//! `sla_window_*`: what the ledger decides, cut at the edges of months (C4.1i–iii, C4.1.2). A window that touches none of the months
//! shown is left out.

use super::Shown;
use crate::contract::Contract;
use crate::exposition::{Kind, Page};
use crate::span::Span;

/// Two series for each window and month it touches.
pub(super) fn write(contract: &Contract, months: &[Shown<'_>], page: &mut Page) {
    if months.iter().all(|month| month.windows.is_empty()) {
        return;
    }
    let mut family = |name, help, value: fn(Span) -> i64| {
        page.family(name, help, Kind::Gauge);
        for month in months {
            for (window, span) in &month.windows {
                let labels = [
                    ("contract", contract.name.as_str()),
                    ("function", &window.function),
                    ("window", &window.entry),
                    ("effect", window.reason.effect().word()),
                    ("reason", window.reason.word()),
                    ("month", &month.name),
                    ("period", month.period),
                ];
                page.sample(&labels, value(*span) as f64);
            }
        }
    };
    family(
        "sla_window_start_timestamp_seconds",
        "Where a window of the ledger begins within the month, in seconds since the epoch.",
        Span::start,
    );
    family(
        "sla_window_end_timestamp_seconds",
        "Where a window of the ledger ends within the month, in seconds since the epoch; an incident that goes on ends with it.",
        Span::end,
    );
}
