//! The real exporter with real ledgers, from `ledger.yml` to the month's figure.

use std::fs;
use std::path::PathBuf;

use chrono_tz::{Asia, Australia, Europe, Tz};
use fastrand::Rng;
use sla_tests::program::{Program, ours};
use sla_tests::slow::{Beat, Cause, Contract, Entry, Function, Kind, slots, two_months};
use sla_tests::{eventually, free_port};
use tempfile::TempDir;

use super::expected::{self, Values};
use super::live::{clock, recorded, samples};
use super::servers::{Scraped, Server, prometheus};

const DAY: i64 = 86_400;
/// The exporter's clock, the scrape, the evaluation and the comparison are not at one moment.
const SECONDS: f64 = 20.0;

/// A contract and the exporter that has it.
struct Exported {
    contract: Contract,
    port: u16,
    ledger: PathBuf,
    _program: Program,
    _folder: TempDir,
}

/// Random slots up to `now` and a random ledger, such as the exporter takes.
fn contract(name: &str, zone: Tz, beat: Beat, seed: u64, now: i64) -> Contract {
    println!("{name}: seed {seed}, now {now}");
    let mut rng = Rng::with_seed(seed);
    let months = two_months(zone, now);
    let functions = ["client", "consumer"]
        .map(|name| Function { name: name.to_owned(), slots: slots(&mut rng, beat, months[0].start - DAY, now) });
    let entries = Entry::random(&mut rng, 16, &["client", "consumer"], &months, now, beat, true);
    Contract { name: name.to_owned(), zone, start: None, lag: beat.0, functions: functions.into(), entries }
}

async fn start(contract: Contract) -> Exported {
    let folder = tempfile::tempdir().unwrap();
    let (config, ledger) = (folder.path().join("sla.yml"), folder.path().join("ledger.yml"));
    fs::write(&ledger, Entry::yaml(&contract.entries)).unwrap();
    let port = free_port();
    let text = format!(
        "site: here\n\
         contract:\n  name: {}\n  timezone: {}\n  functions:\n\
         \x20   client: {{objective: 99, capabilities: {{web_app: {{quorum: all}}}}}}\n\
         \x20   consumer: {{objective: 99, capabilities: {{web_form: {{quorum: all}}}}}}\n\
         \x20 upstreams: {{sfdc: {{}}}}\n  maintenance: {{notice: 14d}}\n\
         ledger: ledger.yml\n\
         modules: {{self: {{prober: http}}}}\n\
         probes:\n\
         \x20 - {{name: a, module: self, targets: [\"http://127.0.0.1:{port}/-/healthy\"], evidence: client/web_app}}\n\
         \x20 - {{name: b, module: self, targets: [\"http://127.0.0.1:{port}/-/healthy\"], evidence: consumer/web_form}}\n",
        contract.name, contract.zone
    );
    fs::write(&config, text).unwrap();
    let arguments = [format!("--config.file={}", config.display()), format!("--web.listen-address=127.0.0.1:{port}")];
    let mut program = Program::start("sla-exporter", &ours("sla-exporter"), &arguments, folder.path());
    program.ready(port, "/-/ready").await;
    Exported { contract, port, ledger, _program: program, _folder: folder }
}

async fn are_as_calculated(server: &Server, exported: &[Exported], what: &str) {
    // Slow, and good for some seconds.
    let mut last: Option<(i64, Values)> = None;
    eventually(what, async || {
        let recorded = recorded(server).await?;
        let now = clock();
        if last.as_ref().is_none_or(|(at, _)| now - at > 5) {
            let of = |one: &Exported| expected::all(&one.contract, now, now);
            last = Some((now, exported.iter().flat_map(of).collect()));
        }
        last.as_ref().map_or(Ok(()), |(_, expected)| compare(&recorded, expected))
    })
    .await;
}

/// Equal, where time goes on almost.
fn compare(recorded: &Values, expected: &Values) -> Result<(), String> {
    if let Some(odd) =
        recorded.keys().chain(expected.keys()).find(|key| !recorded.contains_key(*key) || !expected.contains_key(*key))
    {
        return Err(format!("{odd}: {:?}, calculated slowly {:?}", recorded.get(odd), expected.get(odd)));
    }
    for (key, expected) in expected {
        let number = |text: &str| text.parse::<f64>().unwrap();
        // What ratios are made of has been compared, or is in a moment; early in a month seconds matter.
        let allowed = match key.split_once(":ratio ") {
            Some((_, month)) => {
                SECONDS / number(&recorded[&format!("sla:month_parts:seconds {month} elapsed")]).max(1.0)
            }
            None => SECONDS,
        };
        if (number(&recorded[key]) - number(expected)).abs() > allowed {
            return Err(format!("{key}: {}, calculated slowly {expected}", recorded[key]));
        }
    }
    Ok(())
}

/// C4.1.2: what the ledger says is in the figure, and an incident entered today for three weeks ago changes the month it
/// was in at the next evaluation.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_incident_entered_today_changes_the_month_it_was_in() {
    let now = clock();
    let mut exported = Vec::new();
    for (seed, name, zone, beat) in [
        (21, "tokyo", Asia::Tokyo, Beat(120_345)),
        (22, "berlin", Europe::Berlin, Beat(0)),
        (23, "lord-howe", Australia::Lord_Howe, Beat(7_000)),
    ] {
        exported.push(start(contract(name, zone, beat, seed, now)).await);
    }
    let contracts: Vec<Contract> = exported.iter().map(|one| one.contract.clone()).collect();
    let scraped = Scraped { exporters: exported.iter().map(|one| one.port).collect() };
    let server = prometheus(&[samples(&contracts)], Some(scraped)).await;
    are_as_calculated(&server, &exported, "the months are as calculated slowly").await;

    let before = recorded(&server).await.unwrap();
    let mut months = Vec::new();
    for one in &mut exported {
        let [previous, _] = two_months(one.contract.zone, now);
        let key = format!("sla:month_downtime:seconds {} client {}", one.contract.name, previous.name);
        // Three weeks ago, or as late as the previous month allows; earlier where that adds nothing to what was down anyway.
        let latest = (now - 21 * DAY).min(previous.end - 3 * 3600);
        let (unchanged, mut started) = (expected::all(&one.contract, now, now)[&key].clone(), latest);
        one.contract = loop {
            let entered = with_incident(&one.contract, started);
            if expected::all(&entered, now, now)[&key] != unchanged {
                break entered;
            }
            started -= 3 * 3600;
            assert!(previous.start < started, "{key}: nothing was up");
        };
        months.push(key);
        fs::write(&one.ledger, Entry::yaml(&one.contract.entries)).unwrap();
    }
    are_as_calculated(&server, &exported, "the months follow the ledger").await;
    let after = recorded(&server).await.unwrap();
    for key in months {
        assert_ne!(before[&key], after[&key], "{key}");
    }
}

/// The contract with 9 973 s of an incident in its ledger.
fn with_incident(contract: &Contract, started: i64) -> Contract {
    let mut contract = contract.clone();
    contract.entries.push(Entry {
        id: "entered-today".to_owned(),
        functions: vec!["client".to_owned()],
        kind: Kind::Incident { cause: Some(Cause::Internal), started, resolved: Some(started + 9_973) },
    });
    // A ruling that would contradict an entry of the same time goes.
    while let Err(at) = contract.entries.last().unwrap().agrees_with_all(&contract.entries) {
        contract.entries.remove(at);
    }
    contract
}
