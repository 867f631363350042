//! The contract's months and what the ledger decides about them, as metrics (C2.3, C4.1f, C4.1i–iii, C4.1.2).
//!
//! Recording rules lay these over the measured slots. Pure: configuration and time in, families out; the same months at
//! every site with the same ledger. Not for: measured slots and what becomes of them (recording-rules/months.yml).

use jiff::Timestamp;

use crate::calendar::Month;
use crate::config::Config;
use crate::contract::Contract;
use crate::exposition::{Kind, Page};
use crate::ledger::{Assessment, Ledger, Maintenance};
use crate::months::{Judged, Seconds};
use crate::span::Span;
use crate::windows::{self, Reason, Rulings, Window};

/// The current month and so many before it.
const MONTHS_BACK: usize = 13;

/// What of a ledger does not change with the time; made once per configuration.
#[derive(Clone, Debug)]
pub struct LedgerView {
    /// Everything the ledger decides.
    pub windows: Vec<Window>,
    /// [`Ledger::sha256`].
    pub sha256: String,
}

impl LedgerView {
    /// Of the ledger of `config`.
    #[must_use]
    pub fn of(config: &Config) -> Self {
        Self {
            windows: windows::windows(&config.contract, &config.ledger, Rulings::All),
            sha256: config.ledger.sha256(),
        }
    }
}

/// A month as it is shown.
#[derive(Debug)]
struct Shown<'a> {
    name: String,
    period: &'static str,
    span: Span,
    /// Those that touch it.
    windows: Vec<(&'a Window, Span)>,
    /// In the order of the contract's functions.
    seconds: Vec<Seconds>,
}

/// Writes all families at `now`, in seconds since the epoch.
pub fn write(config: &Config, view: &LedgerView, now: i64, page: &mut Page) {
    let contract = &config.contract;
    let months = shown(contract, &view.windows, now);
    write_edges(contract, &months, page);
    write_seconds(contract, &months, page);
    write_windows(contract, &months, page);
    let oldest = months.last().map_or(now, |month| month.span.start());
    write_maintenance(contract, &config.ledger, oldest, page);
    write_ledger(contract, &config.ledger, &view.sha256, page);
}

fn shown<'a>(contract: &Contract, windows: &'a [Window], now: i64) -> Vec<Shown<'a>> {
    let zone = &contract.timezone;
    let current = Month::containing(now, zone);
    std::iter::successors(Some(current), |month| Some(month.previous()))
        .take(1 + MONTHS_BACK)
        .enumerate()
        .map(|(back, month)| {
            let span = month.span(zone);
            let windows: Vec<_> = windows.iter().filter_map(|window| Some((window, window.shown(span)?))).collect();
            let of = |name: &str| Judged::of(windows.iter().map(|(window, _)| *window), name, span, now).seconds();
            Shown {
                name: month.to_string(),
                period: ["current", "previous"].get(back).copied().unwrap_or("closed"),
                span,
                seconds: contract.functions.iter().map(|function| of(&function.name)).collect(),
                windows,
            }
        })
        .collect()
}

#[allow(clippy::cast_precision_loss)]
fn write_edges(contract: &Contract, months: &[Shown<'_>], page: &mut Page) {
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

#[allow(clippy::cast_precision_loss)]
fn write_seconds(contract: &Contract, months: &[Shown<'_>], page: &mut Page) {
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

#[allow(clippy::cast_precision_loss)]
fn write_windows(contract: &Contract, months: &[Shown<'_>], page: &mut Page) {
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

#[allow(clippy::cast_precision_loss)]
fn write_maintenance(contract: &Contract, ledger: &Ledger, oldest: i64, page: &mut Page) {
    let name = contract.name.as_str();
    page.family(
        "sla_maintenance_notice_required_seconds",
        "How long before its start a maintenance must be announced to be excluded (C2.3, C4.1i).",
        Kind::Gauge,
    );
    page.sample(&[("contract", name)], contract.maintenance.notice.as_secs() as f64);
    let limits: Vec<_> =
        contract.functions.iter().filter_map(|function| Some((function, function.maintenance_limit?))).collect();
    if !limits.is_empty() {
        page.family(
            "sla_maintenance_limit_seconds",
            "The longest stop of the function that one maintenance should make (C2.3).",
            Kind::Gauge,
        );
        for (function, limit) in limits {
            page.sample(&[("contract", name), ("function", &function.name)], limit.as_secs_f64());
        }
    }

    let stops: Vec<(&Maintenance, Assessment)> = ledger
        .maintenance
        .iter()
        .filter(|stop| stop.cancelled_at.is_none())
        .filter(|stop| stop.finished_at.unwrap_or(stop.end).max(stop.end).as_second() > oldest)
        .map(|stop| (stop, Assessment::of(stop, contract)))
        .collect();
    // A family without samples is left out.
    let mut family = |metric, help, value: &dyn Fn(&Maintenance, &Assessment) -> Option<i64>| {
        let found: Vec<_> = stops.iter().filter_map(|(stop, rules)| Some((stop, value(stop, rules)?))).collect();
        if found.is_empty() {
            return;
        }
        page.family(metric, help, Kind::Gauge);
        for (stop, value) in found {
            for function in &stop.functions {
                page.sample(&[("contract", name), ("maintenance", &stop.id), ("function", function)], value as f64);
            }
        }
    };
    let second = Timestamp::as_second;
    family(
        "sla_maintenance_start_timestamp_seconds",
        "Announced begin of a maintenance, in seconds since the epoch.",
        &|stop, _| Some(second(stop.start)),
    );
    family(
        "sla_maintenance_end_timestamp_seconds",
        "Announced end of a maintenance, in seconds since the epoch.",
        &|stop, _| Some(second(stop.end)),
    );
    family(
        "sla_maintenance_announced_timestamp_seconds",
        "When a maintenance was announced, in seconds since the epoch; absent: not yet (C2.3).",
        &|stop, _| stop.announced_at.map(second),
    );
    family(
        "sla_maintenance_finished_timestamp_seconds",
        "When the functions were usable again, in seconds since the epoch; absent: not recorded.",
        &|stop, _| stop.finished_at.map(second),
    );
    family(
        "sla_maintenance_notice_seconds",
        "From the announcement of a maintenance to its start (C2.3, C4.1i).",
        &|_, rules| rules.notice,
    );

    if stops.is_empty() {
        return;
    }
    page.family(
        "sla_maintenance_compliant",
        "Whether a maintenance keeps the contract's notice, weekly slot and longest stop (C2.3); 0: no.",
        Kind::Gauge,
    );
    for (stop, rules) in &stops {
        for function in &stop.functions {
            let limit = contract
                .functions
                .iter()
                .find(|known| known.name == *function)
                .is_none_or(|known| Assessment::limit_kept(stop, known));
            for (rule, kept) in [("notice", rules.notice_kept), ("slot", rules.slot_kept), ("limit", limit)] {
                let labels = [("contract", name), ("maintenance", &stop.id), ("function", function), ("rule", rule)];
                page.sample(&labels, f64::from(u8::from(kept)));
            }
        }
    }
}

#[allow(clippy::cast_precision_loss)]
fn write_ledger(contract: &Contract, ledger: &Ledger, sha256: &str, page: &mut Page) {
    page.family("sla_exporter_ledger_entries", "Entries of the ledger in force, by kind.", Kind::Gauge);
    for (kind, count) in [
        ("maintenance", ledger.maintenance.len()),
        ("incident", ledger.incidents.len()),
        ("drill", ledger.drills.len()),
        ("advisory", ledger.advisories.len()),
    ] {
        page.sample(&[("contract", &contract.name), ("kind", kind)], count as f64);
    }
    page.family(
        "sla_exporter_ledger_info",
        "Which ledger is in force: sites that carry the same one have the same sum of its content; always 1.",
        Kind::Gauge,
    );
    page.sample(&[("contract", &contract.name), ("sha256", sha256)], 1.0);
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::config;
    use crate::exposition::Format;

    const CONFIGURATION: &str = "site: s
contract:
  name: c
  timezone: Asia/Tokyo
  maintenance: {notice: 14d, slot: {from: \"Fri 21:00\", to: \"Mon 03:00\"}}
  functions:
    f: {objective: 99, maintenance_limit: 4h, capabilities: {a: {quorum: all}}}
  upstreams: {u: {title: U}}
ledger: ledger.yml
";

    const LEDGER: &str = "maintenance:
  - {id: good, title: t, functions: [f], announced_at: 2026-10-16T21:00:00+09:00, start: 2026-10-30T21:00:00+09:00, end: 2026-11-01T01:00:00+09:00, finished_at: 2026-11-01T02:00:00+09:00}
  - {id: late, title: t, functions: [f], announced_at: 2026-11-01T00:00:00+09:00, start: 2026-11-14T00:00:00+09:00, end: 2026-11-14T01:00:00+09:00}
  - {id: off, title: t, functions: [f], announced_at: 2026-10-01T00:00:00+09:00, cancelled_at: 2026-10-02T00:00:00+09:00, start: 2026-11-28T00:00:00+09:00, end: 2026-11-28T01:00:00+09:00}
  - {id: old, title: t, functions: [f], announced_at: 2024-10-01T00:00:00+09:00, start: 2024-11-28T00:00:00+09:00, end: 2024-11-28T01:00:00+09:00}
incidents:
  - {id: open, title: t, functions: [f], cause: internal, started_at: 2026-11-20T00:00:00+09:00}
  - {id: up, title: t, functions: [f], cause: upstream, upstream: u, started_at: 2026-11-10T00:00:00+09:00, resolved_at: 2026-11-10T00:10:00+09:00}
  - {id: unjudged, title: t, functions: [f], started_at: 2026-11-11T00:00:00+09:00}
";

    fn page(now: &str) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sla.yml");
        std::fs::write(&path, CONFIGURATION).unwrap();
        std::fs::write(folder.path().join("ledger.yml"), LEDGER).unwrap();
        let config = config::load(&path).unwrap_or_else(|findings| panic!("{findings:?}")).config;
        let mut page = Page::new(Format::Text, Vec::new());
        let now: Timestamp = now.parse().unwrap();
        write(&config, &LedgerView::of(&config), now.as_second(), &mut page);
        String::from_utf8(page.finish()).unwrap()
    }

    fn at(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap().as_second()
    }

    #[test]
    fn months_windows_and_maintenance_are_shown_as_the_ledger_has_them() {
        let page = page("2026-11-20T01:00:00+09:00");
        let month = |month: &str, period: &str| format!("month=\"{month}\",period=\"{period}\"");
        let (november, october) = (month("2026-11", "current"), month("2026-10", "previous"));
        let window = |id: &str, effect: &str, reason: &str, month: &str| {
            format!("contract=\"c\",function=\"f\",window=\"{id}\",effect=\"{effect}\",reason=\"{reason}\",{month}")
        };
        let hour = 3600;
        for (metric, labels, value) in [
            (
                "sla_month_start_timestamp_seconds",
                format!("contract=\"c\",{november}"),
                at("2026-11-01T00:00:00+09:00"),
            ),
            ("sla_month_end_timestamp_seconds", format!("contract=\"c\",{october}"), at("2026-11-01T00:00:00+09:00")),
            ("sla_month_service_seconds", format!("contract=\"c\",function=\"f\",{november}"), 720 * hour - hour - 600),
            (
                "sla_month_elapsed_service_seconds",
                format!("contract=\"c\",function=\"f\",{november}"),
                457 * hour - hour - 600,
            ),
            ("sla_month_service_seconds", format!("contract=\"c\",function=\"f\",{october}"), 744 * hour - 27 * hour),
            (
                "sla_month_excluded_seconds",
                format!("contract=\"c\",function=\"f\",reason=\"upstream\",{november}"),
                600,
            ),
            (
                "sla_month_excluded_seconds",
                format!("contract=\"c\",function=\"f\",reason=\"force_majeure\",{november}"),
                0,
            ),
            // An hour of overrun, and the hour the open incident lasts.
            ("sla_month_judged_downtime_seconds", format!("contract=\"c\",function=\"f\",{november}"), 2 * hour),
            (
                "sla_window_end_timestamp_seconds",
                window("good", "exclude", "planned", &october),
                at("2026-11-01T00:00:00+09:00"),
            ),
            (
                "sla_window_end_timestamp_seconds",
                window("good", "exclude", "planned", &november),
                at("2026-11-01T01:00:00+09:00"),
            ),
            (
                "sla_window_end_timestamp_seconds",
                window("good", "down", "overrun", &november),
                at("2026-11-01T02:00:00+09:00"),
            ),
            (
                "sla_window_end_timestamp_seconds",
                window("open", "down", "internal", &november),
                at("2026-12-01T00:00:00+09:00"),
            ),
            (
                "sla_maintenance_compliant",
                "contract=\"c\",maintenance=\"good\",function=\"f\",rule=\"notice\"".to_owned(),
                1,
            ),
            (
                "sla_maintenance_compliant",
                "contract=\"c\",maintenance=\"good\",function=\"f\",rule=\"limit\"".to_owned(),
                0,
            ),
            (
                "sla_maintenance_compliant",
                "contract=\"c\",maintenance=\"late\",function=\"f\",rule=\"notice\"".to_owned(),
                0,
            ),
            (
                "sla_maintenance_notice_seconds",
                "contract=\"c\",maintenance=\"late\",function=\"f\"".to_owned(),
                13 * 24 * hour,
            ),
        ] {
            let line = format!("{metric}{{{labels}}} {value}\n");
            assert!(page.contains(&line), "{line}is missing in\n{page}");
        }
        for absent in
            ["maintenance=\"off\"", "maintenance=\"old\"", "window=\"late\"", "window=\"unjudged\"", "window=\"old\""]
        {
            assert!(!page.contains(absent), "{absent} in\n{page}");
        }
        assert_eq!(page.matches("sla_month_start_timestamp_seconds{").count(), 14);
        let series: Vec<&str> =
            page.lines().filter(|l| !l.starts_with('#')).map(|l| l.rsplit_once(' ').unwrap().0).collect();
        assert_eq!(series.iter().collect::<BTreeSet<_>>().len(), series.len(), "a series twice");
    }

    #[test]
    fn the_month_changes_at_the_zones_midnight() {
        for (now, current) in [("2026-10-31T23:59:59+09:00", "2026-10"), ("2026-11-01T00:00:00+09:00", "2026-11")] {
            let line = format!("month=\"{current}\",period=\"current\"");
            assert!(page(now).contains(&line), "{now}");
        }
    }
}
