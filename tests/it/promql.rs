//! docs/promql.md: every query of the cookbook is run, on Prometheus and on VictoriaMetrics, with data of two contracts, and
//! finds something. Not for what the recorded series are worth (`months.rs`).

use chrono_tz::{Asia, Europe, Tz};
use fastrand::Rng;
use sla_tests::http;
use sla_tests::samples::Samples;
use sla_tests::slow::{Beat, Cause, Contract, Entry, Function, Kind, slots, two_months};

use crate::months::expected;
use crate::months::servers::{prometheus, victoria_metrics};
use crate::rules::read;

/// 2026-10-20 12:34 in Tokyo: October is current, September the previous month, as in the file.
const NOW: i64 = 1_792_467_240;
const DAY: i64 = 86_400;
/// Raw samples of probes reach back so far.
const PROBED: i64 = 8 * DAY;

/// A section of the file: its title, and the queries in it.
struct Section {
    title: String,
    text: String,
    queries: Vec<String>,
}

fn sections() -> Vec<Section> {
    let text = read("docs/promql.md");
    let of = |section: &str| {
        let (title, text) = section.split_once('\n').expect("a title");
        let queries = text.split("```promql\n").skip(1).map(|rest| rest.split("```").next().unwrap().to_owned());
        Section { title: title.to_owned(), text: text.to_owned(), queries: queries.collect() }
    };
    text.split("\n### ").skip(1).map(of).collect()
}

#[test]
fn every_section_has_a_query_what_it_says_and_its_trap() {
    let sections = sections();
    assert!(sections.len() > 25, "only {} sections were found", sections.len());
    for Section { title, text, queries } in &sections {
        assert_eq!(queries.len(), 1, "{title}");
        let text = text.split("\n## ").next().unwrap();
        let trap = text.split_once("*Trap:* ").unwrap_or_else(|| panic!("{title}: no trap")).1;
        assert!(trap.trim().len() > 30, "{title}: the trap is {trap}");
        let before: String = text.split("*Trap:*").next().unwrap().split("```").step_by(2).collect();
        assert!(before.trim().len() > 15, "{title}: the file does not say what it says");
    }
    let all = read("docs/promql.md").matches("```promql").count();
    assert_eq!(all, sections.len(), "a query outside of the sections");
}

fn contract(name: &str, zone: Tz, seed: u64) -> Contract {
    println!("{name}: seed {seed}");
    let mut rng = Rng::with_seed(seed);
    let months = two_months(zone, NOW);
    let functions = ["client", "consumer"]
        .map(|name| Function { name: name.to_owned(), slots: slots(&mut rng, Beat(0), months[0].start - DAY, NOW) });
    let mut entries = Entry::random(&mut rng, 10, &["client", "consumer"], &months, NOW, Beat(0), false);
    // One of each, so that no query is empty by chance.
    let mut add = |id: &str, kind| {
        let functions = vec!["client".to_owned(), "consumer".to_owned()];
        entries.push(Entry { id: id.to_owned(), functions, kind });
    };
    let begun = NOW - 6 * DAY;
    let incident = |cause, started, length: Option<i64>| Kind::Incident {
        cause: Some(cause),
        started,
        resolved: length.map(|length| started + length),
    };
    add("upstream", incident(Cause::Upstream, begun, Some(4000)));
    add("flood", incident(Cause::ForceMajeure, begun + DAY, Some(5000)));
    add("open", incident(Cause::Internal, NOW - 4321, None));
    let (start, announced) = (begun + 2 * DAY, Some(begun - 20 * DAY));
    add("stop", Kind::Maintenance { announced, start, end: start + 7200, finished: None, cancelled: None });
    Contract { name: name.to_owned(), zone, start: None, lag: 0, functions: functions.into(), entries }
}

/// What Prometheus would hold of `contract`.
fn samples(contract: &Contract) -> Samples {
    let mut samples = Samples::default();
    let name = &contract.name;
    for Function { name: function, slots } in &contract.functions {
        let of = format!("contract=\"{name}\",function=\"{function}\"");
        for slot in slots {
            let up = f64::from(u8::from(slot.up));
            samples.add("sla:function_up:5m", &of, slot.at, up);
            if slot.at > (NOW - PROBED) * 1000 {
                samples.add("sla:capability_up:5m", &format!("{of},capability=\"web\""), slot.at, up);
                let probe = format!("{of},capability=\"web\",site=\"here\",probe=\"web\",target=\"http://web/\"");
                samples.add("sla:probe_up:5m", &probe, slot.at, up);
            }
        }
        let failed = format!("{of},site=\"here\",probe=\"web\",target=\"http://web/\",reason=\"timeout\"");
        for (n, at) in (0_u32..).zip((NOW - PROBED..=NOW).step_by(300)) {
            samples.add("probe_failures_total", &failed, at * 1000, f64::from(n / 10));
        }
    }
    // A function that is in the contract and that nobody measures.
    let silent = format!("contract=\"{name}\",function=\"silent\"");
    let page = contract.page(NOW);
    for at in (NOW - 720..=NOW).step_by(60) {
        for line in &page {
            samples.add(line.metric, &line.labels, at * 1000, line.value);
        }
        samples.add("sla_objective_ratio", &silent, at * 1000, 0.99);
    }
    record(&mut samples, contract);
    samples
}

/// What months.yml and burn.yml recorded, this month and in those that are closed.
fn record(samples: &mut Samples, contract: &Contract) {
    let name = &contract.name;
    let mut recorded: Vec<(String, String, f64, [i64; 2])> = Vec::new();
    for (key, value) in expected::all(contract, NOW, NOW) {
        let words: Vec<&str> = key.split(' ').collect();
        let mut labels = format!("contract=\"{}\",function=\"{}\",month=\"{}\"", words[1], words[2], words[3]);
        if let Some(part) = words.get(4) {
            labels += &format!(",part=\"{part}\"");
        }
        recorded.push((words[0].to_owned(), labels, value.parse().unwrap(), [NOW - 290, NOW - 5]));
    }
    for (n, month) in (1..).zip(["2026-08", "2026-07", "2026-06"]) {
        let labels = format!("contract=\"{name}\",function=\"client\",month=\"{month}\"");
        let last = [NOW - (n + 1) * 30 * DAY, NOW - (n + 1) * 30 * DAY + 300];
        for (series, further, value) in [
            ("sla:month_availability:ratio", "", 0.983),
            ("sla:month_downtime:seconds", "", 45_000.0),
            ("sla:month_parts:seconds", ",part=\"service\"", 2_600_000.0),
        ] {
            recorded.push((series.to_owned(), format!("{labels}{further}"), value, last));
        }
    }
    for series in ["sla:month_budget_spent:ratio6h", "sla:month_budget_spent:ratio3d"] {
        let labels = format!("contract=\"{name}\",function=\"client\",month=\"2026-10\"");
        recorded.push((series.to_owned(), labels, 0.125, [NOW - 60, NOW - 5]));
    }
    for (series, labels, value, times) in recorded {
        times.iter().for_each(|at| samples.add(&series, &labels, at * 1000, value));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_query_of_the_cookbook_finds_something() {
    let contracts = [contract("synergy-lead", Asia::Tokyo, 31), contract("other", Europe::Berlin, 32)];
    let samples = contracts.each_ref().map(samples);
    let (prometheus, victoria) = tokio::join!(prometheus(&samples, None), victoria_metrics(&samples, None));
    let mut wrong = Vec::new();
    for Section { title, queries, .. } in sections() {
        let mut answers = Vec::new();
        for server in [&prometheus, &victoria] {
            let rows = http::query_at(server.port, &queries[0], NOW).await;
            let rows = rows.unwrap_or_else(|error| panic!("{}: {title}: {error}", server.name));
            let mut values: Vec<f64> = rows.iter().map(|(_, value)| *value).collect();
            values.sort_by(f64::total_cmp);
            if values.is_empty() || !values.iter().all(|value| value.is_finite()) {
                wrong.push(format!("{title}, {}: {rows:?}", server.name));
            }
            answers.push(values);
        }
        // `increase` is not the same in both, but nearly.
        let same = |a: &f64, b: &f64| (a - b).abs() <= 0.01 * a.abs();
        if answers[0].len() != answers[1].len() || !answers[0].iter().zip(&answers[1]).all(|(a, b)| same(a, b)) {
            wrong.push(format!("{title}: {answers:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));

    // A month of one's choice is the recorded figure, where slots lie on the clock's marks.
    let sections = sections();
    let own = sections.iter().find(|section| section.title == "A month of one's choice").unwrap();
    for server in [&prometheus, &victoria] {
        for (labels, value) in http::query_at(server.port, &own.queries[0], NOW).await.unwrap() {
            let [contract, function] = ["contract", "function"].map(|label| labels[label].as_str().unwrap().to_owned());
            let recorded = format!(
                "sla:month_availability:ratio{{contract=\"{contract}\",function=\"{function}\",month=\"2026-09\"}}"
            );
            let rows = http::query_at(server.port, &recorded, NOW).await.unwrap();
            assert!((rows[0].1 - value).abs() < 1e-8, "{}: {recorded}: {} and {value}", server.name, rows[0].1);
        }
    }
}
