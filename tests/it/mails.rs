//! Alertmanager: its configuration is read, alerts reach the right people, and mails say what is down, since when, for whom and
//! what to do, in both languages and in the zone it runs in.

use std::collections::BTreeSet;
use std::io::Write as _;

use serde_json::{Value, json};

use crate::rules::{alerts, tool, yaml};

const CONFIG: &str = "deploy/alertmanager/alertmanager.yml";

fn amtool(arguments: &[&str], env: &[(&str, &str)]) -> String {
    tool("prometheus-alertmanager", "amtool", arguments, env)
}

/// An alert as Alertmanager hands it to a template: the rule's own texts, with labels filled in for those of `labels`.
fn alert(name: &str, status: &str, labels: Value, starts_at: &str, ends_at: &str) -> Value {
    let rule = alerts().into_iter().find(|rule| rule.name == name).unwrap_or_else(|| panic!("no alert {name}"));
    let mut labels = labels;
    labels["alertname"] = json!(name);
    labels["severity"] = json!(rule.text(&["labels", "severity"]));
    labels["clause"] = json!(rule.text(&["labels", "clause"]));
    json!({
        "status": status, "labels": labels, "startsAt": starts_at, "endsAt": ends_at,
        "generatorURL": "http://prometheus.example.com/graph?g0.expr=up&g0.tab=1", "fingerprint": "00",
        "annotations": {
            "summary": rule.text(&["annotations", "summary"]), "summary_ja": rule.text(&["annotations", "summary_ja"]),
            "description": "Something <b>bad</b> & more.", "description_ja": "詳細。",
            "runbook_url": rule.text(&["annotations", "runbook_url"]),
        },
    })
}

fn down(status: &str, starts_at: &str, ends_at: &str) -> Value {
    alert("SlaFunctionDown", status, json!({"contract": "synergy-lead", "function": "consumer"}), starts_at, ends_at)
}

const NEVER: &str = "0001-01-01T00:00:00Z";

/// What a part of the mail (`subject`, `text`, `html`) says about a group of alerts.
#[track_caller]
fn render(part: &str, alerts: &[Value], zone: &str) -> String {
    let mut common = alerts[0]["labels"].as_object().unwrap().clone();
    common.retain(|name, value| alerts.iter().all(|alert| alert["labels"][name] == *value));
    let firing = alerts.iter().any(|alert| alert["status"] == "firing");
    let data = json!({
        "receiver": "operations", "status": if firing { "firing" } else { "resolved" }, "alerts": alerts,
        "groupLabels": {}, "commonLabels": common, "commonAnnotations": {}, "externalURL": "http://alertmanager.example.com",
    });
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(data.to_string().as_bytes()).unwrap();
    let text = format!("--template.text={{{{ template \"sla.mail.{part}\" . }}}}");
    let data = format!("--template.data={}", file.path().display());
    let kind = format!("--template.type={}", if part == "html" { "html" } else { "text" });
    let glob = "--template.glob=deploy/alertmanager/templates/*.tmpl";
    let printed = amtool(&["template", "render", glob, &text, &data, &kind], &[("TZ", zone)]);
    printed.trim_end_matches('\n').to_owned()
}

#[test]
fn alertmanager_reads_its_configuration_and_templates() {
    let printed = amtool(&["check-config", CONFIG], &[]);
    assert!(printed.contains("1 templates"), "{printed}");
}

#[test]
fn alerts_reach_the_receiver_of_their_severity() {
    for (receiver, labels) in [
        ("operations", "severity=page alertname=SlaFunctionDown contract=c function=f"),
        ("tickets", "severity=ticket alertname=HostUnmeasured host=h"),
        ("nobody", "severity=info alertname=X"),
        ("tickets", "alertname=SomebodyElses"),
    ] {
        let config = format!("--config.file={CONFIG}");
        let expected = format!("--verify.receivers={receiver}");
        let mut arguments = vec!["config", "routes", "test", &config, &expected];
        arguments.extend(labels.split(' '));
        amtool(&arguments, &[]);
    }
}

#[test]
fn every_mail_receiver_sends_recoveries_and_uses_the_templates() {
    let config = yaml(CONFIG);
    let mut mails = 0;
    for receiver in config["receivers"].as_sequence().unwrap() {
        for mail in receiver["email_configs"].as_sequence().into_iter().flatten() {
            mails += 1;
            assert_eq!(mail["send_resolved"], true, "{receiver:?}: email does not send recoveries by default");
            assert_eq!(mail["headers"]["Subject"], "{{ template \"sla.mail.subject\" . }}", "{receiver:?}");
            assert_eq!(mail["html"], "{{ template \"sla.mail.html\" . }}", "{receiver:?}");
            assert_eq!(mail["text"], "{{ template \"sla.mail.text\" . }}", "{receiver:?}");
        }
    }
    assert!(mails >= 2, "{mails} mail receivers");
}

#[test]
fn inhibitions_name_alerts_that_exist() {
    let names: BTreeSet<String> = alerts().into_iter().map(|rule| rule.name).collect();
    let config = yaml(CONFIG);
    for rule in config["inhibit_rules"].as_sequence().unwrap() {
        for side in ["source_matchers", "target_matchers"] {
            for matcher in rule[side].as_sequence().unwrap() {
                let matcher = matcher.as_str().unwrap();
                let values = matcher.split('"').nth(1).unwrap_or_else(|| panic!("{matcher}: value without quotes"));
                for value in values.split('|') {
                    assert!(names.contains(value), "{matcher}: there is no alert {value}");
                }
            }
        }
    }
}

#[test]
fn the_subject_says_state_function_and_since_when_in_both_languages() {
    let subject = render("subject", &[down("firing", "2026-11-23T03:00:40Z", NEVER)], "Asia/Tokyo");
    assert_eq!(
        subject,
        "[発生 FIRING] synergy-lead/consumer 契約の機能が停止しています。 / A function of the contract is down. (2026-11-23 12:00 JST –)"
    );
    let subject = render("subject", &[down("resolved", "2026-11-23T14:59:00Z", "2026-11-23T15:12:00Z")], "Asia/Tokyo");
    assert_eq!(
        subject,
        "[復旧 RESOLVED] synergy-lead/consumer 契約の機能が停止しています。 / A function of the contract is down. (2026-11-23 23:59 JST – 2026-11-24 00:12 JST)"
    );
}

#[test]
fn times_are_in_the_zone_alertmanager_runs_in_and_name_it() {
    for (zone, expected) in [
        ("Asia/Tokyo", "2026-07-01 09:30 JST"),
        ("America/New_York", "2026-06-30 20:30 EDT"),
        ("UTC", "2026-07-01 00:30 UTC"),
        // No such zone: said as UTC rather than wrong.
        ("Nowhere/Nothing", "2026-07-01 00:30 UTC"),
    ] {
        for part in ["subject", "text", "html"] {
            let mail = render(part, &[down("firing", "2026-07-01T00:30:00Z", NEVER)], zone);
            assert!(mail.contains(expected), "{zone}: {expected} is not in\n{mail}");
        }
    }
}

#[test]
fn the_body_says_what_is_down_for_whom_since_when_and_what_to_do() {
    for part in ["text", "html"] {
        let mail = render(part, &[down("firing", "2026-11-23T03:00:40Z", NEVER)], "Asia/Tokyo");
        for expected in [
            "契約の機能が停止しています。",
            "A function of the contract is down.",
            "synergy-lead",
            "consumer",
            "users of the function",
            "2026-11-23 12:00 JST",
            "詳細。",
            "https://example.com/docs/runbooks/SlaFunctionDown.md",
            "C4.1 C4.2",
            "http://alertmanager.example.com",
        ] {
            assert!(mail.contains(expected), "{part}: {expected} is not in\n{mail}");
        }
        assert!(!mail.contains("<no value>") && !mail.contains("0001-"), "{part}:\n{mail}");
    }
}

#[test]
fn outside_text_is_escaped_in_html_and_plain_in_text() {
    let alerts = [down("firing", "2026-11-23T03:00:40Z", NEVER)];
    let html = render("html", &alerts, "UTC");
    assert!(html.contains("Something &lt;b&gt;bad&lt;/b&gt; &amp; more."), "{html}");
    assert!(render("text", &alerts, "UTC").contains("Something <b>bad</b> & more."));
}

#[test]
fn a_group_that_recovers_in_part_lists_both_and_leads_with_what_goes_on() {
    let alerts = [
        down("resolved", "2026-11-23T02:00:00Z", "2026-11-23T02:20:00Z"),
        alert(
            "SlaFunctionUnmeasured",
            "firing",
            json!({"contract": "synergy-lead", "function": "consumer"}),
            "2026-11-23T03:00:00Z",
            NEVER,
        ),
    ];
    let subject = render("subject", &alerts, "UTC");
    assert_eq!(
        subject,
        "[発生 FIRING] synergy-lead/consumer 契約の機能の稼働状態が計測できていません。 / Nobody knows whether a function of the contract is up. (2026-11-23 03:00 UTC –)"
    );
    let text = render("text", &alerts, "UTC");
    let (firing, resolved) = text.split_once("復旧 RESOLVED: 1").unwrap_or_else(|| panic!("{text}"));
    assert!(firing.contains("SlaFunctionUnmeasured.md") && resolved.contains("SlaFunctionDown.md"), "{text}");
    assert!(resolved.contains("2026-11-23 02:20 UTC"), "{text}");
}

#[test]
fn a_page_leads_the_subject_whatever_comes_first() {
    let ticket =
        alert("HostUnmeasured", "firing", json!({"contract": "c", "host": "web1"}), "2026-11-23T02:00:00Z", NEVER);
    let subject = render("subject", &[ticket, down("firing", "2026-11-23T03:00:00Z", NEVER)], "UTC");
    assert!(subject.starts_with("[発生 FIRING 2] "), "{subject}");
    assert!(subject.contains("A function of the contract is down. (2026-11-23 02:00 UTC –)"), "{subject}");
}

#[test]
fn many_alerts_are_counted_and_the_first_twenty_shown() {
    let alerts: Vec<Value> = (0..25)
        .map(|number| {
            let labels = json!({"contract": "c", "site": "s", "probe": "ping", "target": format!("10.0.0.{number}")});
            alert("SlaProbeFailing", "firing", labels, "2026-11-23T02:00:00Z", NEVER)
        })
        .collect();
    assert!(render("subject", &alerts, "UTC").starts_with("[発生 FIRING 25] c@s "));
    for part in ["text", "html"] {
        let mail = render(part, &alerts, "UTC");
        // In HTML the address is both the link and its text.
        let shown = mail.matches("runbooks/SlaProbeFailing.md").count();
        assert_eq!(shown, if part == "html" { 40 } else { 20 }, "{mail}");
        assert!(mail.contains("The first 20 only."), "{mail}");
    }
}

#[test]
fn somebody_elses_alert_without_our_labels_is_still_a_readable_mail() {
    let foreign = json!({
        "status": "firing", "startsAt": "2026-11-23T02:00:00Z", "endsAt": NEVER, "generatorURL": "", "fingerprint": "00",
        "labels": {"alertname": "NodeDown", "job": "node"}, "annotations": {},
    });
    for part in ["subject", "text", "html"] {
        let mail = render(part, std::slice::from_ref(&foreign), "UTC");
        assert!(mail.contains("NodeDown"), "{part}: {mail}");
        assert!(!mail.contains("<no value>"), "{part}: {mail}");
    }
}
