//! What mails say: the shipped templates, rendered by amtool. What is down, since when, for whom and what to do, in both
//! languages and in the zone Alertmanager runs in; and nothing that odd content could do to it.
//!
//! Not for: who gets them (`routing.rs`), and how a real Alertmanager sends them (`told.rs`).

mod notices;
mod robust;

use std::io::Write as _;

use serde_json::{Value, json};

use crate::rules::{Rule, alerts, tool};

const NEVER: &str = "0001-01-01T00:00:00Z";

/// An alert as Alertmanager hands it to a template: the rule's own texts, with labels filled in for those of `labels`.
fn alert(name: &str, status: &str, labels: Value, starts_at: &str, ends_at: &str) -> Value {
    let rule = alerts().into_iter().find(|rule| rule.name == name).unwrap_or_else(|| panic!("no alert {name}"));
    alert_of(&rule, status, labels, starts_at, ends_at)
}

fn alert_of(rule: &Rule, status: &str, mut labels: Value, starts_at: &str, ends_at: &str) -> Value {
    labels["alertname"] = json!(rule.name);
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

/// An alert with these labels and annotations and nothing else.
fn bare(labels: &Value, annotations: &Value) -> Value {
    json!({
        "status": "firing", "startsAt": "2026-11-23T02:00:00Z", "endsAt": NEVER, "generatorURL": "",
        "fingerprint": "0123456789abcdef", "labels": labels, "annotations": annotations,
    })
}

/// A notice as the exporter posts it.
fn notice(event: &str, annotations: &Value) -> Value {
    let labels = json!({
        "alertname": "SlaNotice", "severity": "notice", "contract": "synergy-lead", "entry": "2026-10-07-login",
        "notice": format!("2026-10-07-login/{event}"), "kind": "incident", "event": event,
    });
    bare(&labels, annotations)
}

fn opened() -> Value {
    notice(
        "opened",
        &json!({
            "subject_ja": "【障害】クライアント機能: ログイン障害", "subject_en": "[Failure] Client function: Login failure",
            "body_ja": "下記の障害が発生しています。\n\n発生日時: 2026年10月7日(水) 10:02 JST",
            "body_en": "There is a failure, as below.\n\nSince: Wed 7 Oct 2026 10:02 JST",
            "contract_ja": "サービス品質保証", "contract_en": "Service level agreement",
        }),
    )
}

/// What the template `name` makes of a group of alerts; those named `….html` as HTML.
#[track_caller]
fn render_for(receiver: &str, name: &str, alerts: &[Value], zone: &str) -> String {
    let mut common = alerts[0]["labels"].as_object().unwrap().clone();
    common.retain(|name, value| alerts.iter().all(|alert| alert["labels"][name] == *value));
    let firing = alerts.iter().any(|alert| alert["status"] == "firing");
    let mut grouped = common.clone();
    grouped.retain(|name, _| ["contract", "function", "host", "notice"].contains(&name.as_str()));
    let data = json!({
        "receiver": receiver, "status": if firing { "firing" } else { "resolved" }, "alerts": alerts,
        "groupLabels": grouped, "commonLabels": common, "commonAnnotations": {},
        "externalURL": "http://alertmanager.example.com",
    });
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(data.to_string().as_bytes()).unwrap();
    let text = format!("--template.text={{{{ template \"{name}\" . }}}}");
    let data = format!("--template.data={}", file.path().display());
    let kind = format!("--template.type={}", if name.ends_with(".html") { "html" } else { "text" });
    let glob = "--template.glob=deploy/alertmanager/templates/*.tmpl";
    let arguments = ["template", "render", glob, &text, &data, &kind];
    let printed = tool("prometheus-alertmanager", "amtool", &arguments, &[("TZ", zone)]);
    printed.trim_end_matches('\n').to_owned()
}

/// What a part of the mail to operations (`subject`, `text`, `html`) says.
#[track_caller]
fn render(part: &str, alerts: &[Value], zone: &str) -> String {
    render_for("operations", &format!("sla.mail.{part}"), alerts, zone)
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
fn the_link_to_the_dashboard_shows_the_alerts_time() {
    let ended = down("resolved", "2026-11-23T14:59:00Z", "2026-11-23T15:12:00Z");
    for (status, url, expected) in [
        (
            "firing",
            "https://g.example.com/d/x?var-function=f",
            "https://g.example.com/d/x?var-function=f&from=1795442340000&to=now",
        ),
        (
            "resolved",
            "https://g.example.com/d/x?var-function=f",
            "https://g.example.com/d/x?var-function=f&from=1795442340000&to=1795448520000",
        ),
        ("firing", "https://g.example.com/d/x", "https://g.example.com/d/x?from=1795442340000&to=now"),
        // A range of its own stays.
        ("resolved", "https://g.example.com/d/x?from=now%2FM&to=now", "https://g.example.com/d/x?from=now%2FM&to=now"),
    ] {
        let mut alert = ended.clone();
        alert["status"] = json!(status);
        alert["annotations"]["dashboard_url"] = json!(url);
        let alerts = [alert];
        let text = render("text", &alerts, "UTC");
        assert!(text.contains(&format!("状況 Dashboard  : {expected}\n")), "{text}");
        let html = render("html", &alerts, "UTC");
        assert!(html.contains(&format!("href=\"{}\"", expected.replace('&', "&amp;"))), "{expected}: {html}");
    }
}

#[test]
fn the_body_says_what_is_down_for_whom_since_when_and_what_to_do() {
    let mut alert = down("firing", "2026-11-23T03:00:40Z", NEVER);
    alert["annotations"]["dashboard_url"] = json!("https://grafana.example.com/d/sla-month");
    for part in ["text", "html"] {
        let mail = render(part, std::slice::from_ref(&alert), "Asia/Tokyo");
        for expected in [
            "契約の機能が停止しています。",
            "A function of the contract is down.",
            "synergy-lead / consumer",
            "users of the function consumer",
            "今すぐ対応 / act now",
            "2026-11-23 12:00 JST",
            "詳細。",
            "https://example.com/docs/runbooks/SlaFunctionDown.md",
            "https://grafana.example.com/d/sla-month",
            "http://prometheus.example.com/graph?g0.expr=up&",
            "C4.1 C4.2",
            "http://alertmanager.example.com",
        ] {
            assert!(mail.contains(expected), "{part}: {expected} is not in\n{mail}");
        }
        assert!(!mail.contains("<no value>") && !mail.contains("0001-"), "{part}:\n{mail}");
        let (japanese, english) = (mail.find("契約の機能"), mail.find("A function of"));
        // In HTML the subject is the title, both languages in it.
        assert!(japanese < english, "{part}: Japanese comes first:\n{mail}");
    }
}

#[test]
fn a_recovery_says_how_long_it_lasted_and_asks_for_nothing() {
    let alerts = [down("resolved", "2026-11-23T03:00:40Z", "2026-11-23T04:15:40.6Z")];
    for part in ["text", "html"] {
        let mail = render(part, &alerts, "Asia/Tokyo");
        assert!(mail.contains("2026-11-23 13:15 JST (1h15m0s)"), "{part}: {mail}");
        assert!(mail.contains("復旧") && !mail.contains("act now") && !mail.contains("発生中"), "{part}: {mail}");
        // What follows was true while it fired, and is not now.
        assert!(mail.contains("発報時の内容 While it fired"), "{part}: {mail}");
        let firing = render(part, &[down("firing", "2026-11-23T03:00:40Z", "0001-01-01T00:00:00Z")], "Asia/Tokyo");
        assert!(!firing.contains("While it fired"), "{part}: {firing}");
    }
}

#[test]
fn every_alert_there_is_makes_a_whole_mail() {
    let labels = json!({
        "contract": "synergy-lead", "function": "consumer", "capability": "web_form", "site": "tokyo-1", "probe": "form",
        "target": "https://form.example.com/", "host": "web1", "maintenance": "2026-11-regular",
    });
    for rule in alerts() {
        let alert = alert_of(&rule, "firing", labels.clone(), "2026-11-23T03:00:40Z", NEVER);
        for part in ["text", "html"] {
            let mail = render(part, std::slice::from_ref(&alert), "UTC");
            for text in ["summary_ja", "summary", "runbook_url"] {
                // What HTML escapes of a summary is its apostrophe.
                let text = rule.text(&["annotations", text]).replace('\'', if part == "html" { "&#39;" } else { "'" });
                assert!(mail.contains(&text), "{} {part}: {text} is not in\n{mail}", rule.name);
            }
            for expected in [rule.name.as_str(), "web1", "tokyo-1", "https://form.example.com/"] {
                assert!(mail.contains(expected), "{} {part}: {expected} is not in\n{mail}", rule.name);
            }
        }
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
fn japanese_that_a_rule_writes_in_several_lines_has_no_spaces_between_its_sentences() {
    let mut alert = down("firing", "2026-11-23T03:00:40Z", NEVER);
    alert["annotations"]["description_ja"] = json!("停止しました。 原因（不明） を、 web1 で調べてください。");
    for part in ["text", "html"] {
        let mail = render(part, std::slice::from_ref(&alert), "UTC");
        assert!(mail.contains("停止しました。原因（不明）を、web1 で調べてください。"), "{part}: {mail}");
    }
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
    assert!(
        subject.contains("A function of the contract is down. + HostUnmeasured (2026-11-23 02:00 UTC –)"),
        "{subject}"
    );
}

#[test]
fn the_subject_names_two_other_kinds_of_alerts_and_says_that_there_are_more() {
    let of = |name: &str, status: &str| alert(name, status, json!({"contract": "c"}), "2026-11-23T02:00:00Z", NEVER);
    let subject = |names: &[(&str, &str)]| {
        let alerts: Vec<Value> = names.iter().map(|(name, status)| of(name, status)).collect();
        render("subject", &alerts, "UTC")
    };
    let (due, overdue) = (("SlaSupportAnswerDue", "firing"), ("SlaSupportAnswerOverdue", "firing"));
    let late = ("SlaBackupLate", "firing");
    assert_eq!(
        subject(&[due, overdue, due]),
        "[発生 FIRING 3] c まもなく回答期限を迎えるお問い合わせがあります。 / An inquiry must be answered soon. + SlaSupportAnswerOverdue (2026-11-23 02:00 UTC –)"
    );
    assert!(subject(&[due, overdue, late]).contains(" soon. + SlaSupportAnswerOverdue + SlaBackupLate ("));
    let many = subject(&[due, overdue, late, ("SlaBackupMissing", "firing"), ("SlaBackupTooSmall", "firing")]);
    assert!(many.contains(" soon. + SlaSupportAnswerOverdue + SlaBackupLate + … ("), "{many}");
    assert!(!subject(&[due, due]).contains(" + "));
    // What is over is not said to be besides; where all is over, it is.
    assert!(!subject(&[due, ("SlaBackupLate", "resolved")]).contains(" + "));
    let over = subject(&[("SlaSupportAnswerDue", "resolved"), ("SlaBackupLate", "resolved")]);
    assert!(over.contains(" soon. + SlaBackupLate ("), "{over}");
    // A name within another, and the start of one, are names of their own.
    let names = ["Up", "SlaUp", "SlaUpNow", "Sla"].map(|name| bare(&json!({"alertname": name}), &json!({})));
    assert!(render("subject", &names, "UTC").contains(" Up + SlaUp + SlaUpNow + … ("));
}

#[test]
fn of_many_alerts_ten_are_shown_forty_named_and_all_counted() {
    let alerts: Vec<Value> = (0..70)
        .map(|number| {
            let labels = json!({"contract": "c", "site": "s", "probe": "ping", "target": format!("10.0.0.{number}")});
            alert("SlaProbeFailing", "firing", labels, "2026-11-23T02:00:00Z", NEVER)
        })
        .collect();
    assert!(render("subject", &alerts, "UTC").starts_with("[発生 FIRING 70] c@s "));
    for part in ["text", "html"] {
        let mail = render(part, &alerts, "UTC");
        assert!(mail.to_uppercase().contains("発生中 FIRING: 70"), "{part}: {mail}");
        assert_eq!(mail.matches("runbooks/SlaProbeFailing.md").count(), 10, "{part}: {mail}");
        assert_eq!(mail.matches("ping → 10.0.0.").count(), 50, "{part}: {mail}");
        assert!(mail.contains("10.0.0.49") && !mail.contains("10.0.0.50"), "{part}: {mail}");
        assert!(mail.len() < 100_000, "{part}: Gmail cuts mails at 102 kB, this one has {}", mail.len());
    }
}

#[test]
fn two_things_of_one_host_or_contract_are_told_apart_by_what_they_are() {
    for (name, first, second) in [
        ("SlaBackupLate", json!({"backup": "db"}), json!({"backup": "files"})),
        ("SlaAdvisoryOverdue", json!({"advisory": "CVE-1", "component": "nginx"}), json!({"advisory": "CVE-2"})),
        ("RedundancyLost", json!({"redundancy_group": "web"}), json!({"redundancy_group": "db"})),
        ("SlaMonthBreached", json!({"month": "2026-10"}), json!({"month": "2026-11"})),
    ] {
        let of = |own: &Value| {
            let mut labels = json!({"contract": "c", "instance": "e:1"});
            labels.as_object_mut().unwrap().extend(own.as_object().unwrap().clone());
            alert(name, "firing", labels, "2026-11-23T02:00:00Z", NEVER)
        };
        for part in ["text", "html"] {
            let mail = render(part, &[of(&first), of(&second)], "UTC");
            for value in [&first, &second].iter().flat_map(|labels| labels.as_object().unwrap().values()) {
                let value = value.as_str().unwrap();
                assert!(mail.contains(&format!(", {value}")), "{part}: {value} in {mail}");
            }
        }
    }
}

#[test]
fn somebody_elses_alert_without_our_labels_is_still_a_readable_mail() {
    let foreign = bare(&json!({"alertname": "NodeDown", "job": "node"}), &json!({}));
    for part in ["subject", "text", "html"] {
        let mail = render(part, std::slice::from_ref(&foreign), "UTC");
        assert!(mail.contains("NodeDown"), "{part}: {mail}");
        assert!(!mail.contains("<no value>"), "{part}: {mail}");
    }
}

#[test]
fn mails_of_one_outage_are_one_thread_and_the_next_outage_is_another() {
    let thread = |alerts: &[Value]| render("thread", alerts, "UTC");
    let first = thread(&[down("firing", "2026-11-23T03:00:40Z", NEVER)]);
    assert!(first.starts_with("<sla.") && first.ends_with("@example.com>"), "{first}");
    assert!(first.bytes().all(|sign| sign.is_ascii_graphic()), "{first}");
    let joined = alert(
        "SlaFunctionUnmeasured",
        "firing",
        json!({"contract": "synergy-lead", "function": "consumer"}),
        "2026-11-23T03:20:00Z",
        NEVER,
    );
    assert_eq!(thread(&[joined, down("resolved", "2026-11-23T03:00:40Z", "2026-11-23T03:30:00Z")]), first);
    assert_ne!(thread(&[down("firing", "2026-11-23T05:00:00Z", NEVER)]), first);
    let other = alert(
        "SlaFunctionDown",
        "firing",
        json!({"contract": "synergy-lead", "function": "client"}),
        "2026-11-23T03:00:40Z",
        NEVER,
    );
    assert_ne!(thread(&[other]), first);
}
