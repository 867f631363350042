//! Moments of history: changes of the clock, a skipped day, leap days, edges of months and years.

use chrono_tz::{America, Asia, Australia, Europe, Pacific, Tz};
use fastrand::Rng;
use sla_tests::http;
use sla_tests::samples::Samples;
use sla_tests::slow::{Beat, Contract, Entry, Function, month_of, slots, two_months};

use super::expected::{self, SERIES, compare, values};
use super::expression;
use super::servers::{prometheus, victoria_metrics};

const DAY: i64 = 86_400;

/// A contract whose current month is the one around a moment.
struct Case {
    name: &'static str,
    zone: Tz,
    /// A moment in the current month.
    within: i64,
    /// When slots are recorded, in milliseconds before the clock's five minutes.
    lag: i64,
    /// `contract.start`, in days after the previous month's start.
    start: Option<i64>,
}

const CASES: [Case; 9] = [
    // 2025-10 has an hour more, 2025-03 one less.
    Case { name: "berlin-autumn", zone: Europe::Berlin, within: 1_762_500_000, lag: 162_541, start: None },
    Case { name: "berlin-spring", zone: Europe::Berlin, within: 1_743_000_000, lag: 0, start: Some(10) },
    Case { name: "new-york", zone: America::New_York, within: 1_762_700_000, lag: 63_000, start: Some(-400) },
    // Half an hour, and months that begin on a half hour of the world's clock.
    Case { name: "lord-howe", zone: Australia::Lord_Howe, within: 1_775_800_000, lag: 299_998, start: Some(3) },
    // 2011-12-30 was skipped.
    Case { name: "apia", zone: Pacific::Apia, within: 1_325_700_000, lag: 1_000, start: None },
    Case { name: "apia-december", zone: Pacific::Apia, within: 1_324_500_000, lag: 120_000, start: Some(31) },
    // February of a leap year, and the first months of a year.
    Case { name: "tokyo-leap", zone: Asia::Tokyo, within: 1_709_600_000, lag: 300, start: Some(0) },
    Case { name: "tokyo-year", zone: Asia::Tokyo, within: 1_768_000_000, lag: 137_000, start: None },
    // It begins in the current month: the previous one is none of its months.
    Case { name: "kathmandu", zone: Asia::Kathmandu, within: 1_760_900_000, lag: 200_000, start: Some(45) },
];

impl Case {
    fn contract(&self, seed: u64) -> Contract {
        println!("{}: seed {seed}", self.name);
        let mut rng = Rng::with_seed(seed);
        let beat = Beat(self.lag);
        let months = two_months(self.zone, self.within);
        let now = months[1].end - 1;
        // On a mark of the clock and off it. Nothing is measured around it: where unmeasured time begins shows.
        let start = self.start.map(|days| months[0].start + days * DAY + [0, 77][usize::from(self.lag % 2 == 0)]);
        let functions = ["client", "consumer"].map(|name| {
            let mut slots = slots(&mut rng, beat, months[0].start - DAY, months[1].end);
            slots.retain(|slot| start.is_none_or(|start| (slot.at / 1000 - start).abs() > 3600));
            Function { name: name.to_owned(), slots }
        });
        Contract {
            name: self.name.to_owned(),
            zone: self.zone,
            start,
            lag: self.lag,
            functions: functions.into(),
            entries: Entry::random(&mut rng, 24, &["client", "consumer"], &months, now, beat, false),
        }
    }

    /// At the edges of the month and in its middle. Its first slot counts six minutes after it began: half of the cases look
    /// one second before that, the others at it.
    fn moments(&self) -> Vec<i64> {
        let month = month_of(self.zone, self.within);
        let middle = month.start + (month.end - month.start) / 2;
        let first = month.start + if self.lag % 2 == 0 { 360 } else { 359 };
        vec![first, middle, month.end - 1]
    }
}

/// C4.1f: the same seconds as the slow calculation on both servers, at every moment.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_parts_of_months_are_what_a_slow_calculation_says() {
    let contracts: Vec<Contract> = (1..).zip(&CASES).map(|(seed, case)| case.contract(seed)).collect();
    let samples: Vec<Samples> = contracts.iter().zip(&CASES).map(|(contract, case)| samples(contract, case)).collect();
    let (prometheus, victoria) = tokio::join!(prometheus(&samples, None), victoria_metrics(&samples, None));
    let rule = expression(SERIES[0]);
    for (contract, case) in contracts.iter().zip(&CASES) {
        for at in case.moments() {
            let expected = expected::parts(contract, at, at);
            for server in [&prometheus, &victoria] {
                let mut rows = http::query_at(server.port, &rule, at).await.unwrap();
                // Two cases look at the same moment.
                rows.retain(|(labels, _)| labels["contract"] == contract.name.as_str());
                compare(&values(SERIES[0], &rows), &expected)
                    .unwrap_or_else(|why| panic!("{}, {} at {at}:\n{why}", server.name, contract.name));
            }
        }
    }
}

/// Unknown is not up: when the exporter's series have ended, what is recorded while they are still looked back at is right,
/// and then nothing is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_exporter_there_are_no_months() {
    let case = &CASES[0];
    let contract = case.contract(11);
    let samples = [samples(&contract, case)];
    let (prometheus, victoria) = tokio::join!(prometheus(&samples, None), victoria_metrics(&samples, None));
    let (rule, last) = (expression(SERIES[0]), case.moments()[1]);
    for server in [&prometheus, &victoria] {
        for after in [1, 100, 240, 299, 301, 400, 550, 650, 700] {
            let expected = expected::parts(&contract, last, last + after);
            let rows = http::query_at(server.port, &rule, last + after).await.unwrap();
            for (key, value) in values(SERIES[0], &rows) {
                assert_eq!(expected.get(&key), Some(&value), "{}: {key} {after} s after the last scrape", server.name);
            }
            assert!(after > 299 || rows.len() == expected.len(), "{}: {after}: {rows:?}", server.name);
        }
        let rows = http::query_at(server.port, &rule, last + 1000).await.unwrap();
        assert_eq!(rows, [], "{}", server.name);
    }
}

/// All slots, and what scrapes before each moment saw. VictoriaMetrics reads those some minutes ago.
fn samples(contract: &Contract, case: &Case) -> Samples {
    let mut samples = Samples::default();
    for Function { name, slots } in &contract.functions {
        let labels = format!("contract=\"{}\",function=\"{name}\"", contract.name);
        for slot in slots {
            samples.add("sla:function_up:5m", &labels, slot.at, f64::from(u8::from(slot.up)));
        }
    }
    for at in case.moments() {
        let page = contract.page(at);
        for before in (0..=720).rev().step_by(60) {
            for line in &page {
                samples.add(line.metric, &line.labels, (at - before) * 1000, line.value);
            }
        }
    }
    samples
}
