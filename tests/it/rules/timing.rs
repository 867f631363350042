//! From failure to page mail within two minutes at 15 s probes: the sum of the shipped intervals, each step at its worst.

use serde_yaml::Value;

use super::{alerts, yaml};

/// What the design promises.
const PROMISED: u64 = 120;
/// Interval of the probes it is promised for; all attempts of a run stay inside it.
const PROBE_INTERVAL: u64 = 15;
/// A mail's way through SMTP.
const SMTP: u64 = 1;

#[track_caller]
fn seconds(value: &Value) -> u64 {
    let text = value.as_str().unwrap_or_else(|| panic!("no duration: {value:?}"));
    text.strip_suffix('s').and_then(|number| number.parse().ok()).unwrap_or_else(|| panic!("{text} is not in seconds"))
}

#[test]
fn a_failure_is_a_page_mail_within_two_minutes() {
    let prometheus = yaml("deploy/prometheus/prometheus.yml");
    let scrape = seconds(&prometheus["global"]["scrape_interval"]);
    let group = |file: &str, name: &str| -> u64 {
        let file = yaml(file);
        let group = file["groups"].as_sequence().unwrap().iter().find(|group| group["name"] == name);
        seconds(&group.expect(name)["interval"])
    };
    let recorded = group("recording-rules/slots.yml", "sla-now");
    let alerted = group("alert-rules/functions.yml", "sla-functions");
    let down = alerts().into_iter().find(|rule| rule.name == "SlaFunctionDown").expect("SlaFunctionDown");
    let pending = seconds(&down.rule["for"]);
    let route = yaml("deploy/alertmanager/alertmanager.yml")["route"].clone();
    let page = route["routes"].as_sequence().unwrap().iter().find(|route| route["receiver"] == "operations");
    let grouped = seconds(&page.expect("operations")["group_wait"]);

    let next_run_and_its_attempts = 2 * PROBE_INTERVAL;
    let two_bad_samples = 2 * scrape;
    let evaluations = recorded + alerted;
    // Seen again at a multiple of the group's interval.
    let held = pending.div_ceil(alerted) * alerted + alerted;
    let worst = next_run_and_its_attempts + two_bad_samples + evaluations + held + grouped + SMTP;
    assert!(worst <= PROMISED, "{worst} s at worst, promised are {PROMISED} s");
    let said = format!("= {worst} s");
    assert!(super::read("alert-rules/functions.yml").contains(&said), "the comment in functions.yml should say {said}");
}
