//! The months of the page, with any ledger and in zones of all kinds, are what a slow calculation makes of each second.

mod random;
mod slow;

use std::collections::BTreeMap;

use chrono_tz::Tz;
use proptest::prelude::*;
use sla_exporter::calendar::Month;
use sla_exporter::config::{self, Config};
use sla_exporter::exposition::{Format, Page};
use sla_exporter::ledger::Ledger;
use sla_exporter::ledger_metrics::{self, LedgerView};
use sla_exporter::months::Judged;
use sla_exporter::span::Spans;
use sla_exporter::windows::{Rulings, windows};

use self::random::When;
use self::slow::{Name, Sums};

/// A zone, and a time about which its clocks do something worth a test.
const ZONES: [(&str, &str); 12] = [
    ("Asia/Tokyo", "2026-11-15T00:00:00Z"),
    ("Asia/Tokyo", "2025-12-31T15:00:00Z"),
    ("UTC", "2024-03-01T00:00:00Z"),
    ("Europe/Berlin", "2025-04-01T00:00:00Z"),
    ("Europe/Berlin", "2025-11-01T00:00:00Z"),
    ("America/New_York", "2025-03-20T00:00:00Z"),
    ("America/New_York", "2025-11-30T00:00:00Z"),
    ("Australia/Lord_Howe", "2025-04-20T00:00:00Z"),
    // 30 December 2011 did not take place.
    ("Pacific/Apia", "2011-12-31T12:00:00Z"),
    // Clocks change at midnight; at one minute past midnight, on the first.
    ("America/Sao_Paulo", "2013-10-25T00:00:00Z"),
    ("America/Sao_Paulo", "2012-02-26T02:30:00Z"),
    ("America/St_Johns", "2009-11-01T03:00:00Z"),
];

/// The configuration of a contract in `zone`, without a ledger.
fn config(zone: &str) -> Config {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sla.yml");
    let text = format!(
        "site: s
contract:
  name: c
  timezone: {zone}
  maintenance: {{notice: 14d, slot: {{from: \"Fri 21:00\", to: \"Mon 03:00\"}}}}
  functions:
    f: {{objective: 99, maintenance_limit: 4h, capabilities: {{a: {{quorum: all}}}}}}
    g: {{objective: 99, capabilities: {{a: {{quorum: all}}}}}}
  upstreams: {{u: {{title: U}}}}
"
    );
    std::fs::write(&path, text).unwrap();
    config::load(&path).unwrap_or_else(|findings| panic!("{findings:?}")).config
}

/// Every series of the page, none of them twice.
fn series(config: &Config, now: i64) -> BTreeMap<String, f64> {
    let mut page = Page::new(Format::Text, Vec::new());
    ledger_metrics::write(config, &LedgerView::of(config), now, &mut page);
    let mut series = BTreeMap::new();
    for line in String::from_utf8(page.finish()).unwrap().lines().filter(|line| !line.starts_with('#')) {
        let (name, value) = line.rsplit_once(' ').unwrap();
        assert!(series.insert(name.to_owned(), value.parse().unwrap()).is_none(), "{name} is on the page twice");
    }
    series
}

/// What the page should say of months and windows.
fn expected(ledger: &Ledger, zone: Tz, now: i64) -> BTreeMap<String, f64> {
    let current = slow::month_of(now, zone);
    let mut series = BTreeMap::new();
    let mut add = |name: String, value: i64| assert!(series.insert(name, value as f64).is_none());
    for back in 0..=13 {
        let month = current.plus(-back);
        let (start, end) = (slow::begins(month, zone), slow::begins(month.plus(1), zone));
        let period = ["current", "previous"].get(usize::try_from(back).unwrap()).unwrap_or(&"closed");
        let when = format!("month=\"{month}\",period=\"{period}\"");
        add(format!("sla_month_start_timestamp_seconds{{contract=\"c\",{when}}}"), start);
        add(format!("sla_month_end_timestamp_seconds{{contract=\"c\",{when}}}"), end);
        for function in ["f", "g"] {
            let sums = slow::months(ledger, function, zone, now, month, month)[&month];
            let labels = format!("contract=\"c\",function=\"{function}\"");
            add(format!("sla_month_service_seconds{{{labels},{when}}}"), sums.service);
            add(format!("sla_month_elapsed_service_seconds{{{labels},{when}}}"), sums.elapsed);
            add(format!("sla_month_judged_downtime_seconds{{{labels},{when}}}"), sums.judged);
            for (reason, seconds) in ["planned", "upstream", "force_majeure"].iter().zip(sums.excluded) {
                add(format!("sla_month_excluded_seconds{{{labels},reason=\"{reason}\",{when}}}"), seconds);
            }
            let mut window = |id: &str, effect: &str, reason: &str, from: i64, to: i64| {
                let (from, to) = (from.max(start), to.min(end));
                if from < to {
                    let labels = format!("{labels},window=\"{id}\",effect=\"{effect}\",reason=\"{reason}\",{when}");
                    add(format!("sla_window_start_timestamp_seconds{{{labels}}}"), from);
                    add(format!("sla_window_end_timestamp_seconds{{{labels}}}"), to);
                }
            };
            for stop in slow::excluded_stops(ledger, function) {
                let (from, to) = (stop.start.as_second(), stop.end.as_second());
                let finished = stop.finished_at.map_or(to, jiff::Timestamp::as_second);
                window(&stop.id, "exclude", "planned", from, if finished < to { finished } else { to });
                window(&stop.id, "down", "overrun", to, finished);
            }
            for incident in slow::incidents(ledger, function) {
                let Some(cause) = &incident.cause else { continue };
                let effect = match cause.word() {
                    "internal" => "down",
                    "false_alarm" => "up",
                    _ => "exclude",
                };
                let end = incident.resolved_at.map_or(end, jiff::Timestamp::as_second);
                window(&incident.id, effect, cause.word(), incident.started_at.as_second(), end);
            }
        }
    }
    series
}

/// No two have a second in common.
fn are_disjoint(sets: &[&Spans]) -> bool {
    let all: Spans = sets.iter().flat_map(|set| set.as_slice()).copied().collect();
    all.seconds() == sets.iter().map(|set| set.seconds()).sum::<i64>()
}

fn check(config: &mut Config, zone: Tz, ledger: Ledger, now: i64) {
    let current = slow::month_of(now, zone);
    assert_eq!(Month::containing(now, &config.contract.timezone).to_string(), current.to_string());

    // Months of the page and the two that come.
    let all = windows(&config.contract, &ledger, Rulings::All);
    for function in ["f", "g"] {
        for (Name(year, month), slow) in slow::months(&ledger, function, zone, now, current.plus(-13), current.plus(2))
        {
            let month = Month::new(year.try_into().unwrap(), month.try_into().unwrap()).unwrap();
            let judged = Judged::of(&all, function, month.span(&config.contract.timezone), now);
            let fast = judged.seconds();
            let fast = Sums {
                calendar: fast.calendar,
                service: fast.service,
                elapsed: fast.elapsed_service,
                excluded: fast.excluded,
                judged: fast.judged_downtime,
            };
            assert_eq!(fast, slow, "{function} {month}");
            let [planned, upstream, force_majeure] = &judged.excluded;
            assert!(are_disjoint(&[planned, upstream, force_majeure, &judged.up, &judged.down]));
            assert_eq!(fast.service + fast.excluded.iter().sum::<i64>(), fast.calendar);
            assert!(0 <= fast.judged && fast.judged <= fast.elapsed && fast.elapsed <= fast.service);
        }
    }

    let expected = expected(&ledger, zone, now);
    for stop in &ledger.maintenance {
        let rules = sla_exporter::ledger::Assessment::of(stop, &config.contract);
        assert_eq!(rules.slot_kept, slow::is_in_slot(stop, zone), "{stop:?}");
        assert_eq!(rules.notice_kept, slow::is_announced_in_time(stop), "{stop:?}");
    }
    config.ledger = ledger.into();
    let page = series(config, now);
    let own = |name: &str| name.starts_with("sla_month_") || name.starts_with("sla_window_");
    let shown: BTreeMap<_, _> = page.into_iter().filter(|(name, _)| own(name)).collect();
    for (name, value) in &expected {
        assert_eq!(shown.get(name), Some(value), "{name}");
    }
    let more: Vec<_> = shown.keys().filter(|name| !expected.contains_key(*name)).collect();
    assert!(more.is_empty(), "not expected: {more:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    /// C4.1f, C4.1i–iii, C4.1.2.
    #[test]
    fn the_pages_months_are_what_their_seconds_are_one_by_one(
        entries in random::entries(),
        after in prop_oneof![Just(0i64), -3i64..=3, -3_000_000i64..3_000_000],
        at_edge in prop::bool::weighted(0.3),
    ) {
        for (name, about) in ZONES {
            let zone: Tz = name.parse().unwrap();
            let about = about.parse::<jiff::Timestamp>().unwrap().as_second();
            let now = if at_edge { slow::begins(slow::month_of(about, zone), zone) + after % 3 } else { about + after };
            let current = slow::month_of(now, zone);
            let ledger = random::ledger(&entries, |when| match when {
                When::Now(seconds) => now + seconds,
                When::Month(months, seconds) => slow::begins(current.plus(months), zone) + seconds,
            });
            check(&mut config(name), zone, ledger, now);
        }
    }
}

/// A family of the page is worth having only if scrapes stay quick: time and size go with the number of entries.
#[test]
fn five_thousand_entries_do_not_hold_a_scrape_up() {
    let mut config = config("Asia/Tokyo");
    let now = 1_790_000_000;
    let moment = |second: i64| jiff::Timestamp::from_second(second).unwrap();
    let incident = |i: i64| sla_exporter::ledger::Incident {
        id: format!("i{i}"),
        title: sla_exporter::contract::Text::default(),
        functions: vec!["f".to_owned(), "g".to_owned()],
        cause: Some(sla_exporter::ledger::Cause::Internal),
        started_at: moment(now - i * 7000),
        resolved_at: Some(moment(now - i * 7000 + 3600)),
        decided: None,
        notices: Vec::new(),
        updates: Vec::new(),
    };
    config.ledger = Ledger { incidents: (0..5000).map(incident).collect(), ..Ledger::default() }.into();
    let view = LedgerView::of(&config);
    let write = || {
        let mut page = Page::new(Format::Text, Vec::new());
        let started = tokio::time::Instant::now();
        ledger_metrics::write(&config, &view, now, &mut page);
        (started.elapsed(), page.finish().len())
    };
    let (took, bytes) = (0..5).map(|_| write()).min().unwrap();
    println!("5000 incidents of two functions: {took:?}, {bytes} bytes");
    // Unoptimized, on a machine with other things to do.
    assert!(took < std::time::Duration::from_secs(2), "{took:?}");
    assert!(bytes < 10_000_000, "{bytes}");
}
