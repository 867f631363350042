//! `sla_month_*`: where months begin and end, and the seconds the ledger decides in them (C4.1f, C4.1i–iii, C4.1.2).

use super::Shown;
use crate::contract::Contract;
use crate::exposition::{Kind, Page};
use crate::months::Seconds;
use crate::span::Span;
use crate::windows::Reason;

/// Of every month, once for all functions.
pub(super) fn write_edges(contract: &Contract, months: &[Shown<'_>], page: &mut Page) {
    let mut family = |name, help, value: fn(Span) -> i64| {
        page.family(name, help, Kind::Gauge);
        for month in months {
            let labels = [("contract", contract.name.as_str()), ("month", &month.name), ("period", month.period)];
            page.sample(&labels, value(month.span) as f64);
        }
    };
    family(
        "sla_month_start_timestamp_seconds",
        "First second of the calendar month in the contract's zone, since the epoch.",
        Span::start,
    );
    family(
        "sla_month_end_timestamp_seconds",
        "First second after the calendar month in the contract's zone, since the epoch.",
        Span::end,
    );
}

/// Of every month and function.
pub(super) fn write_seconds(contract: &Contract, months: &[Shown<'_>], page: &mut Page) {
    let each = || {
        months.iter().flat_map(|month| {
            contract.functions.iter().zip(&month.seconds).map(move |(function, seconds)| {
                let labels = [
                    ("contract", contract.name.as_str()),
                    ("function", function.name.as_str()),
                    ("month", month.name.as_str()),
                    ("period", month.period),
                ];
                (labels, seconds)
            })
        })
    };
    let mut family = |name, help, value: fn(&Seconds) -> i64| {
        page.family(name, help, Kind::Gauge);
        for (labels, seconds) in each() {
            page.sample(&labels, value(seconds) as f64);
        }
    };
    family(
        "sla_month_service_seconds",
        "The contract's service time of the month: its length without what is excluded, to the second (C4.1f).",
        |s| s.service,
    );
    family(
        "sla_month_elapsed_service_seconds",
        "The contract's service time of the month up to now, to the second (C4.1f).",
        |s| s.elapsed_service,
    );
    family(
        "sla_month_judged_downtime_seconds",
        "Downtime the ledger decides, without what is excluded, up to now, to the second (C4.1.2).",
        |s| s.judged_downtime,
    );
    page.family(
        "sla_month_excluded_seconds",
        "Time taken out of the month's service time, by reason; reasons share no second (C4.1i-iii).",
        Kind::Gauge,
    );
    for ([contract, function, month, period], seconds) in each() {
        for (reason, excluded) in Reason::EXCLUDING.iter().zip(seconds.excluded) {
            page.sample(&[contract, function, ("reason", reason.word()), month, period], excluded as f64);
        }
    }
}
