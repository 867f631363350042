//! Every rule, with the data of its own unit tests, evaluated by VictoriaMetrics: the same series and the same alerts.
//!
//! promtool evaluates rules one after the other over the tests' time and says what each recorded. With that, and with the tests'
//! series, in VictoriaMetrics, each expression is asked there at the moments the tests look at, seeing what it saw: what rules
//! before it recorded at that moment, and what those after it, and itself, recorded before. Not for how vmalert runs rules
//! (`months.rs`), nor for what the figures should be (tests/promtool).

mod promtool;
mod remote_write;

use std::collections::{BTreeMap, BTreeSet};

use sla_tests::http;
use sla_tests::program::Program;

use self::promtool::{Evaluated, Recorded, Rule};
use self::remote_write::{Data, Labels};
use super::files;

/// Where the tests' moment 0 is in VictoriaMetrics, in seconds: windows must not reach beyond 1970. Whole weeks later, so that
/// it is the same time of the same day.
const EPOCH: i64 = 2000 * 7 * 86_400;

/// What differs, and may: a sample that is as old as a window is long belongs to it on Prometheus 2, and not on VictoriaMetrics and
/// Prometheus 3. Only in tests do scrapes and evaluations fall on the same moment.
const AT_THE_EDGE: &[(&str, &str)] = &[
    ("budget.yml", "SlaMonthBudgetBurnFast"),
    ("budget.yml", "sla:month_budget_spent:ratio30m"),
    ("meta.yml", "sla:capability_up:5m"),
    ("meta.yml", "sla:function_up:5m"),
    ("meta.yml", "sla:probe_up:5m"),
    ("probes.yml", "SlaProbeUnmeasured"),
    ("slots.yml", "sla:probe_up:now"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rules_come_to_the_same_on_victoria_metrics() {
    let tests: Vec<Evaluated> =
        files("tests/promtool", ".yml").iter().flat_map(|file| promtool::evaluate(file)).collect();
    let folder = tempfile::tempdir().unwrap();
    let arguments = |port: u16| {
        vec![
            format!("-storageDataPath={}", folder.path().join("data").display()),
            "-retentionPeriod=100y".to_owned(),
            "-search.disableCache".to_owned(),
            format!("-httpListenAddr=127.0.0.1:{port}"),
        ]
    };
    let (mut server, port) = Program::listening("victoria-metrics", arguments, folder.path());
    server.ready(port, "/health").await;
    let mut data = Data::default();
    for (number, test) in tests.iter().enumerate() {
        write(number, test, &mut data);
    }
    data.send(port).await;
    // Kept in the order it was sent in: once the last of it is found, all of it is.
    let (number, at) = (tests.len() - 1, *tests.last().unwrap().looked_at.last().unwrap());
    sla_tests::eventually("VictoriaMetrics has the samples", async || {
        let found = format!("count(last_over_time({{zt=\"{number}\"}}[1w]))");
        let found = http::query_at(port, &found, EPOCH + at / 1000).await?;
        if found.is_empty() { Err("nothing".to_owned()) } else { Ok(()) }
    })
    .await;

    let (mut asked, mut different, mut wrong) = (0, BTreeSet::new(), Vec::new());
    for (number, test) in tests.iter().enumerate() {
        for &at in &test.looked_at {
            for (place, rule) in test.rules.iter().enumerate() {
                let Some(expected) = test.said(place, at) else { continue };
                asked += 1;
                let found = ask(port, number, test, place, at).await;
                let found = found.unwrap_or_else(|why| panic!("{}: {}: {why}", test.file, rule.name));
                if let Some(why) = difference(&expected, &found, rule.is_alert) {
                    let key = (test.file.as_str(), rule.name.as_str());
                    different.insert((test.file.clone(), rule.name.clone()));
                    if !AT_THE_EDGE.contains(&key) {
                        wrong.push(format!(
                            "{}: {}: after {} s: {}: {why}",
                            test.file,
                            test.name,
                            at / 1000,
                            rule.name
                        ));
                    }
                }
            }
        }
    }
    wrong.truncate(20);
    assert!(wrong.is_empty(), "VictoriaMetrics, Prometheus:\n{}", wrong.join("\n"));
    let known: BTreeSet<_> = AT_THE_EDGE.iter().map(|(file, name)| ((*file).to_owned(), (*name).to_owned())).collect();
    assert_eq!(different, known, "what differs at a window's edge is listed, and nothing else");
    assert!(asked > 4000, "{asked}");
    println!("{asked} evaluations of {} tests", tests.len());
}

/// The test's own series, and what each rule recorded, twice: seen at its moment, and a millisecond after.
fn write(number: usize, test: &Evaluated, data: &mut Data) {
    let labelled = |labels: &Labels, view: &str, place: Option<usize>| {
        let mut labels = labels.clone();
        labels.insert("zt".to_owned(), number.to_string());
        labels.insert("zv".to_owned(), view.to_owned());
        labels.extend(place.map(|place| ("zk".to_owned(), place.to_string())));
        labels
    };
    for (labels, samples) in &test.given {
        data.add(&labelled(labels, "given", None), samples.iter().map(|(at, value)| (EPOCH * 1000 + at, *value)));
    }
    for Recorded { labels, place, samples } in &test.recorded {
        for (view, later) in [("now", 0), ("before", 1)] {
            let samples = samples.iter().map(|(at, value)| (EPOCH * 1000 + at + later, *value));
            data.add(&labelled(labels, view, Some(*place)), samples);
        }
    }
}

type Row = (Labels, f64);

/// What the expression comes to, with the rule's labels.
async fn ask(port: u16, number: usize, test: &Evaluated, place: usize, at: i64) -> Result<Vec<Row>, String> {
    let rule = &test.rules[place];
    let places = |places: std::ops::Range<usize>| places.map(|k| k.to_string()).collect::<Vec<_>>().join("|");
    let filters = [
        format!("{{zt=\"{number}\",zv=\"given\"}}"),
        format!("{{zt=\"{number}\",zv=\"now\",zk=~\"none|{}\"}}", places(0..place)),
        format!("{{zt=\"{number}\",zv=\"before\",zk=~\"none|{}\"}}", places(place..test.rules.len())),
    ];
    let mut further = format!("&time={}&step=300s&nocache=1", EPOCH + at / 1000);
    for filter in &filters {
        further.push_str(&format!("&extra_filters[]={}", http::encode(filter)));
    }
    let rows = http::instant(port, &moved(rule), &further).await?;
    rows.into_iter()
        .map(|(labels, value)| {
            let labels = labels.as_object().ok_or("not a vector")?;
            let own = labels.iter().filter(|(name, _)| !["zt", "zv", "zk", "__name__"].contains(&name.as_str()));
            let mut labels: Labels =
                own.map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned())).collect();
            labels.extend(rule.labels.clone());
            Ok((labels, value))
        })
        .collect()
}

/// The rule's expression for a clock that began at [`EPOCH`]; what is compared with it began in 1970.
fn moved(rule: &Rule) -> String {
    let time = regex::Regex::new(r"\btime\(\)").unwrap();
    let timestamp = regex::Regex::new(r"\btimestamp\(").unwrap();
    let text = time.replace_all(&rule.expr, format!("(time() - {EPOCH})"));
    let text = timestamp.replace_all(&text, "moment(");
    format!("WITH (moment(q) = (timestamp(q) - {EPOCH})) {text}")
}

/// What is different between what Prometheus said and what VictoriaMetrics says; of alerts, only which there are.
fn difference(expected: &[Row], found: &[Row], is_alert: bool) -> Option<String> {
    let map = |rows: &[Row]| rows.iter().cloned().collect::<BTreeMap<Labels, f64>>();
    let (expected, found) = (map(expected), map(found));
    let close = |a: f64, b: f64| is_alert || (a.is_nan() && b.is_nan()) || (a - b).abs() <= 1e-9 * a.abs().max(1.0);
    let labels: BTreeSet<&Labels> = expected.keys().chain(found.keys()).collect();
    labels.into_iter().find_map(|labels| match (found.get(labels), expected.get(labels)) {
        (Some(found), Some(expected)) if close(*found, *expected) => None,
        (found, expected) => Some(format!("{found:?}, {expected:?} of {labels:?}")),
    })
}

#[test]
fn a_difference_is_one() {
    let row = |host: &str, value| (Labels::from([("host".to_owned(), host.to_owned())]), value);
    assert_eq!(difference(&[row("a", 1.0)], &[row("a", 1.0)], false), None);
    assert_eq!(difference(&[row("a", 1.0)], &[row("a", 2.0)], true), None, "an alert's value is not known");
    for (expected, found) in [
        (vec![row("a", 1.0)], vec![row("a", 1.001)]),
        (vec![row("a", 1.0)], vec![]),
        (vec![], vec![row("a", 1.0)]),
        (vec![row("a", 1.0)], vec![row("b", 1.0)]),
    ] {
        assert!(difference(&expected, &found, false).is_some(), "{expected:?} {found:?}");
    }
}
