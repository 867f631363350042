//! months.yml evaluated over and over, as it is shipped but more often, while the ledger changes and the exporter goes away
//! and comes back. Contracts in four zones share a server; two sites carry the same ledger.

use std::sync::{Arc, Mutex};

use chrono_tz::{America, Asia, Australia, Europe, Tz};
use fastrand::Rng;
use hyper::body::Incoming;
use hyper::{Request, StatusCode};
use sla_demo::web;
use sla_tests::samples::Samples;
use sla_tests::slow::{Beat, Cause, Contract, Entry, Function, Kind, slots, two_months};
use sla_tests::{eventually, http};

use super::expected::{self, SERIES, Values, compare, values};
use super::servers::{Scraped, Server, prometheus, victoria_metrics};

const DAY: i64 = 86_400;

/// Prometheus evaluates by the real time.
#[allow(clippy::disallowed_methods)]
pub(crate) fn clock() -> i64 {
    chrono::DateTime::<chrono::Utc>::from(std::time::SystemTime::now()).timestamp()
}

/// What an exporter shows; nothing: it fails.
#[derive(Debug, Default)]
struct Exporter(Mutex<Option<String>>);

impl Exporter {
    fn show(&self, page: Option<String>) {
        *self.0.lock().unwrap() = page;
    }
}

impl web::Handler for Exporter {
    async fn handle(&self, _: Request<Incoming>) -> Option<web::Page> {
        let page = self.0.lock().unwrap().clone();
        Some(match page {
            Some(text) => web::text(StatusCode::OK, text),
            None => web::text(StatusCode::SERVICE_UNAVAILABLE, "out of order"),
        })
    }
}

/// Random slots up to `now`, and a random ledger.
fn contract(name: &str, zone: Tz, beat: Beat, start: Option<i64>, seed: u64, now: i64) -> Contract {
    println!("{name}: seed {seed}, now {now}");
    let mut rng = Rng::with_seed(seed);
    let months = two_months(zone, now);
    let functions = ["client", "consumer"]
        .map(|name| Function { name: name.to_owned(), slots: slots(&mut rng, beat, months[0].start - DAY, now) });
    let entries = Entry::random(&mut rng, 8, &["client", "consumer"], &months, now, beat, false);
    Contract { name: name.to_owned(), zone, start, lag: beat.0, functions: functions.into(), entries }
}

fn contracts(now: i64) -> Vec<Contract> {
    let mut contracts = vec![
        contract("tokyo", Asia::Tokyo, Beat(120_345), Some(now - 50 * DAY), 1, now),
        contract("berlin", Europe::Berlin, Beat(0), Some(now - 400 * DAY), 2, now),
        contract("new-york", America::New_York, Beat(1_000), None, 3, now),
        contract("lord-howe", Australia::Lord_Howe, Beat(250_000), Some(now - 10 * DAY), 4, now),
    ];
    // Nobody ever measured it, and the ledger says nothing of it.
    let mut silent = contract("silent", Asia::Tokyo, Beat(0), None, 5, now);
    silent.entries.clear();
    silent.functions.iter_mut().for_each(|function| function.slots.clear());
    contracts.push(silent);
    contracts
}

fn page(contracts: &[Contract], now: i64) -> String {
    let lines = contracts.iter().flat_map(|contract| contract.page(now));
    lines.map(|line| format!("{}{{{}}} {}\n", line.metric, line.labels, line.value)).collect()
}

pub(crate) fn samples(contracts: &[Contract]) -> Samples {
    let mut samples = Samples::default();
    for contract in contracts {
        for Function { name, slots } in &contract.functions {
            let labels = format!("contract=\"{}\",function=\"{name}\"", contract.name);
            for slot in slots {
                samples.add("sla:function_up:5m", &labels, slot.at, f64::from(u8::from(slot.up)));
            }
        }
    }
    samples
}

fn calculated(contracts: &[Contract], now: i64, evaluated: i64) -> Values {
    contracts.iter().flat_map(|contract| expected::all(contract, now, evaluated)).collect()
}

/// All that is recorded now.
pub(crate) async fn recorded(server: &Server) -> Result<Values, String> {
    let mut all = Values::new();
    for series in SERIES {
        all.extend(values(series, &http::query(server.port, series).await?));
    }
    Ok(all)
}

async fn records(server: &Server, what: &str, contracts: &[Contract], now: i64) {
    // It changes a minute after the clock's marks only.
    let mut last: Option<(i64, Values)> = None;
    eventually(&format!("{} records {what}", server.name), async || {
        let mark = (clock() - 60) / 300 * 300 + 60;
        let expected = last.take().filter(|(at, _)| *at == mark).map(|(_, values)| values);
        let (_, expected) = last.insert((mark, expected.unwrap_or_else(|| calculated(contracts, now, mark))));
        compare(&recorded(server).await?, expected)
    })
    .await;
    println!("{} {what}: {} s", server.name, clock() - now);
}

/// An incident of the previous month is entered in each ledger: one excludes, one is downtime.
fn with_late_rulings(mut contracts: Vec<Contract>, now: i64) -> Vec<Contract> {
    for contract in &mut contracts {
        let started = two_months(contract.zone, now)[0].end - 5 * DAY;
        for (id, function, cause, length) in
            [("late-ruling", "client", Cause::Upstream, 3 * 3600), ("late-report", "consumer", Cause::Internal, 7201)]
        {
            contract.entries.push(Entry {
                id: id.to_owned(),
                functions: vec![function.to_owned()],
                kind: Kind::Incident { cause: Some(cause), started, resolved: Some(started + length) },
            });
        }
    }
    contracts
}

/// Every sample ever recorded is what one of the ledgers says of a moment not longer ago than a few evaluations.
async fn never_wrong(server: &Server, ledgers: &[Vec<Contract>], now: i64) {
    let upto = clock();
    let right: Vec<Values> = (now - 30..=upto)
        .filter(|at| *at == now - 30 || *at == upto || at % 300 == 60)
        .flat_map(|at| ledgers.iter().map(move |ledger| calculated(ledger, now, at)))
        .collect();
    let mut seen = 0;
    for series in SERIES {
        for (labels, samples) in http::matrix(server.port, &format!("{series}[10m]")).await.unwrap() {
            // VictoriaMetrics shows its marks of where a series ended.
            for (at, value) in samples.into_iter().filter(|(_, value)| !value.is_nan()) {
                let one = values(series, &[(labels.clone(), value)]);
                let (key, value) = one.iter().next().unwrap();
                assert!(
                    right.iter().any(|right| right.get(key) == Some(value)),
                    "{} recorded {key} {value} at {at}, which was never so",
                    server.name
                );
                seen += 1;
            }
        }
    }
    assert!(seen > 200, "{}: only {seen} samples were recorded", server.name);
}

/// The ledger of another site.
fn other_ledger(contracts: &[Contract]) -> String {
    let of = |contract: &Contract| {
        format!("sla_exporter_ledger_info{{contract=\"{}\",sha256=\"other\"}} 1\n", contract.name)
    };
    contracts.iter().map(of).collect()
}

async fn records_nothing(server: &Server, when: &str) {
    eventually(&format!("{} records nothing {when}", server.name), async || {
        let left = recorded(server).await?;
        if left.is_empty() { Ok(()) } else { Err(format!("{left:?}")) }
    })
    .await;
}

async fn exporter(contracts: &[Contract], now: i64) -> (Arc<Exporter>, Scraped) {
    let exporter = Arc::new(Exporter::default());
    exporter.show(Some(page(contracts, now)));
    let listener = web::listen("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let scraped = Scraped { exporters: vec![listener.local_addr().unwrap().port()] };
    tokio::spawn(web::serve(listener, Arc::clone(&exporter)));
    (exporter, scraped)
}

/// C4.1, C4.1f, C4.1.2: to the slot; a ruling that comes later changes the month before; without the exporter there is no
/// figure, and at no time a wrong one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn prometheus_follows_the_ledger_and_never_guesses() {
    let now = clock();
    let before = contracts(now);
    let after = with_late_rulings(before.clone(), now);
    let (exporter, scraped) = exporter(&before, now).await;
    let server = prometheus(&[samples(&before)], Some(scraped)).await;
    records(&server, "what a slow calculation says", &before, now).await;

    exporter.show(Some(page(&after, now)));
    records(&server, "the ledger as it is now", &after, now).await;

    // Two ledgers at once: a change has reached one site and not yet the other.
    exporter.show(Some(format!("{}{}", page(&after, now), other_ledger(&after))));
    records_nothing(&server, "while ledgers differ").await;
    exporter.show(Some(page(&after, now)));
    records(&server, "the figures when they agree", &after, now).await;

    exporter.show(None);
    records_nothing(&server, "without the exporter").await;
    exporter.show(Some(page(&after, now)));
    records(&server, "the figures again", &after, now).await;

    never_wrong(&server, &[before, after], now).await;
}

/// The same file in vmalert gives the same figures, from the ledger as it was some minutes ago: longer than a scrape
/// takes to be seen whole.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn vmalert_records_the_same() {
    let now = clock();
    let before = contracts(now);
    let after = with_late_rulings(before.clone(), now);
    let (_exporter, scraped) = exporter(&after, now).await;
    let mut samples = samples(&before);
    for (ledger, from, to) in [(&before, 1800, 510), (&after, 495, 0)] {
        for line in ledger.iter().flat_map(|contract| contract.page(now)) {
            // As it will be scraped, so that no series ends.
            for site in ["a", "b"] {
                let instance = format!("instance=\"127.0.0.1:{}\",job=\"sla-exporter\"", scraped.exporters[0]);
                let labels = format!("{},{instance},replica=\"{site}\"", line.labels);
                for ago in (to..=from).rev().step_by(15) {
                    samples.add(line.metric, &labels, (now - ago) * 1000, line.value);
                }
            }
        }
    }
    let server = victoria_metrics(&[samples], Some(scraped)).await;
    records(&server, "what a slow calculation says", &after, now).await;
    never_wrong(&server, &[after], now).await;
}
