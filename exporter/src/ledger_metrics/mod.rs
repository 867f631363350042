//! The contract's months and what the ledger decides about them, as metrics (C2.3, C4.1f, C4.1i–iii, C4.1.2).
//!
//! Recording rules lay these over the measured slots. Pure: configuration and time in, families out; the same months at
//! every site with the same ledger. Not for: measured slots and what becomes of them (recording-rules/months.yml).
//!
//! No series is on the page twice: ids of entries are unique, an entry names a function once, and of its windows those of one
//! function differ by their reason, as those of one reason do by their month.

mod duties;
mod incidents;
mod maintenance;
mod months;
mod windows;

use crate::calendar::Month;
use crate::config::Config;
use crate::contract::Contract;
use crate::exposition::{Kind, Page};
use crate::ledger::Ledger;
use crate::months::{Judged, Seconds};
use crate::span::Span;
use crate::windows::{Rulings, Window, windows as windows_of};

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
        Self { windows: windows_of(&config.contract, &config.ledger, Rulings::All), sha256: config.ledger.sha256() }
    }
}

/// A month as it is shown.
#[derive(Debug)]
struct Shown<'a> {
    name: String,
    period: &'static str,
    span: Span,
    /// Those that touch it, with the part that does.
    windows: Vec<(&'a Window, Span)>,
    /// In the order of the contract's functions.
    seconds: Vec<Seconds>,
}

/// Writes all families at `now`, in seconds since the epoch.
pub fn write(config: &Config, view: &LedgerView, now: i64, page: &mut Page) {
    let contract = &config.contract;
    let months = shown(contract, &view.windows, now);
    months::write_edges(contract, &months, page);
    months::write_seconds(contract, &months, page);
    windows::write(contract, &months, page);
    let oldest = months.last().map_or(now, |month| month.span.start());
    maintenance::write(contract, &config.ledger, oldest, page);
    incidents::write(contract, &config.ledger, oldest, page);
    duties::write(contract, &config.ledger, config.restore_drills, now, page);
    write_ledger(contract, &config.ledger, &view.sha256, page);
}

/// From the current month back.
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

    use jiff::Timestamp;

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
  - {id: up, title: t, functions: [f], cause: upstream, upstream: u, started_at: 2026-11-10T00:00:00+09:00, resolved_at: 2026-11-10T00:10:00+09:00, decided: {by: b, at: 2026-11-15T00:00:00+09:00}}
  - {id: past, title: t, functions: [f], cause: internal, started_at: 2025-09-10T00:00:00+09:00, resolved_at: 2025-10-01T00:00:00+09:00}
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
            ("sla_maintenance_excluded", "contract=\"c\",maintenance=\"good\",function=\"f\"".to_owned(), 1),
            ("sla_maintenance_excluded", "contract=\"c\",maintenance=\"late\",function=\"f\"".to_owned(), 0),
            (
                "sla_incident_started_timestamp_seconds",
                "contract=\"c\",function=\"f\",incident=\"unjudged\",cause=\"\"".to_owned(),
                at("2026-11-11T00:00:00+09:00"),
            ),
            (
                "sla_incident_resolved_timestamp_seconds",
                "contract=\"c\",function=\"f\",incident=\"up\",cause=\"upstream\"".to_owned(),
                at("2026-11-10T00:10:00+09:00"),
            ),
            (
                "sla_incident_decided_timestamp_seconds",
                "contract=\"c\",function=\"f\",incident=\"up\",cause=\"upstream\"".to_owned(),
                at("2026-11-15T00:00:00+09:00"),
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
        for absent in [
            "maintenance=\"off\"",
            "maintenance=\"old\"",
            "window=\"late\"",
            "window=\"unjudged\"",
            "window=\"old\"",
            "past",
        ] {
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
