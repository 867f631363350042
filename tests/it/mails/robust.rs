//! What neither odd content nor an odd mail program does to a mail; and that Debian's Alertmanager reads the templates.

use serde_json::json;

use super::{NEVER, bare, down, opened, render, render_for};
use crate::rules::{files, read};

/// The `Subject:` header as Go's `mime.QEncoding` writes it, in octets: words of 75 signs, a sign never split.
fn header_octets(subject: &str) -> usize {
    if subject.is_ascii() {
        return "Subject: ".len() + subject.len();
    }
    let (mut words, mut used, mut total) = (1, 0, 0);
    for sign in subject.chars() {
        let octets = if sign.is_ascii() && !"=?_".contains(sign) { 1 } else { 3 * sign.len_utf8() };
        if used + octets > 75 - "=?utf-8?q?".len() - "?=".len() {
            words += 1;
            used = 0;
        }
        used += octets;
        total += octets;
    }
    "Subject: ".len() + total + words * "=?utf-8?q??= ".len()
}

#[test]
fn odd_content_neither_breaks_a_mail_nor_becomes_part_of_it() {
    let odd = [
        "<script>alert(1)</script>",
        "</td></tr></table>\"'><img src=x onerror=alert(1)>",
        "{{ .Labels }} %s %n ${x}",
        "one\r\nBcc: other@example.com\r\n\r\nbody",
        "\u{202e}reversed\u{0} \t tab",
        ".\n.\r\n.",
        "",
    ];
    for text in odd {
        let labels = json!({"alertname": "SlaFunctionDown", "contract": text, "function": text, "severity": text, "clause": text});
        let annotations = json!({
            "summary": text, "summary_ja": text, "description": text, "description_ja": text, "subject_ja": text,
            "subject_en": text, "body_ja": text, "body_en": text, "functions": text,
            "runbook_url": "javascript:alert(1)", "dashboard_url": text,
        });
        let alerts = [bare(&labels, &annotations)];
        for (receiver, family) in [("operations", "mail"), ("customers", "notice"), ("account-team", "account")] {
            let subject = render_for(receiver, &format!("sla.{family}.subject"), &alerts, "UTC");
            assert!(!subject.contains(['\r', '\n']), "{text:?}: {subject:?}");
            let html = render_for(receiver, &format!("sla.{family}.html"), &alerts, "UTC");
            for bad in ["<script", "<img", "javascript:"] {
                assert!(!html.contains(bad), "{text:?}: {bad} is in\n{html}");
            }
            assert_eq!(html.matches("<table").count(), html.matches("</table>").count(), "{text:?}: {html}");
            render_for(receiver, &format!("sla.{family}.text"), &alerts, "UTC");
        }
    }
}

#[test]
fn a_subject_fits_into_a_line_of_a_mail_however_long_its_parts_are() {
    for sign in ["x", "障", "𠮷", "é"] {
        let long = sign.repeat(5000);
        let mut alert = bare(
            &json!({"alertname": "X", "contract": long, "function": long, "severity": "page"}),
            &json!({"summary": long, "summary_ja": long, "subject_ja": long, "subject_en": long, "description": long}),
        );
        alert["status"] = json!("resolved");
        alert["endsAt"] = json!("2026-11-23T04:00:00Z");
        // Of other kinds besides, each longer than any there is, of the signs that take most room.
        let others = ["_", "?", "=", "é"].map(|sign| {
            let mut other = alert.clone();
            other["labels"]["alertname"] = json!(sign.repeat(500));
            other
        });
        let alerts: Vec<_> = std::iter::once(alert).chain(others).collect();
        for (receiver, family) in [("operations", "mail"), ("customers", "notice"), ("no-customers", "account")] {
            let subject = render_for(receiver, &format!("sla.{family}.subject"), &alerts, "America/New_York");
            assert!(subject.contains('…'), "{subject}");
            let octets = header_octets(&subject);
            assert!(octets <= 998, "{octets} octets: {subject}");
        }
        let text = render("text", &alerts[..1], "UTC");
        assert!(text.contains(&sign.repeat(2000)) && !text.contains(&sign.repeat(5001)), "{}", text.len());
    }
}

/// Nothing is fetched when a mail is read: no picture, no font, no script; and every language is named.
#[test]
fn html_parts_need_nothing_from_elsewhere_and_are_readable_by_machines() {
    let operations = render("html", &[down("firing", "2026-11-23T03:00:40Z", NEVER)], "Asia/Tokyo");
    let notice = render_for("customers", "sla.notice.html", &[opened()], "Asia/Tokyo");
    let account = render_for("account-team", "sla.account.html", &[opened()], "Asia/Tokyo");
    for html in [operations, notice, account] {
        for bad in ["<img", "<link", "<script", "<iframe", "@import", "url(", "@font-face", " src=", "ZgotmplZ"] {
            assert!(!html.contains(bad), "{bad} is in\n{html}");
        }
        for needed in [
            "<!DOCTYPE html>",
            "<html lang=\"ja\">",
            "lang=\"en\"",
            "<title>",
            "<h1",
            "color-scheme",
            "prefers-color-scheme: dark",
            "width=device-width",
            "<!--[if mso]>",
        ] {
            assert!(html.contains(needed), "{needed} is not in\n{html}");
        }
        // A table is either layout, and says so, or facts with headings.
        for table in html.split("<table").skip(1) {
            assert!(table.starts_with(" role=\"presentation\"") || table.contains("scope=\"row\""), "{table}");
        }
        // Ground and ink come in pairs, or a dark theme turns one of them only.
        for style in html.split("style=\"").skip(1).map(|rest| rest.split('"').next().unwrap()) {
            if style.contains("background-color:") && !style.contains("border-radius") {
                assert!(style.split(';').any(|rule| rule.starts_with("color:")), "{style}");
            }
        }
    }
}

/// Debian's Alertmanager refuses a file with a function it does not know, and then sends nothing at all.
#[test]
fn templates_use_only_what_alertmanager_0_25_has() {
    let newer = [
        "trimSpace",
        "date",
        "tz",
        "since",
        "humanizeDuration",
        "toJson",
        "urlUnescape",
        "safeUrl",
        "dict",
        "list",
        "append",
        "now",
        "toDate",
        "mustToDate",
        "routeLabels",
        "base64encode",
        "break",
        "continue",
    ];
    for path in files("deploy/alertmanager/templates", ".tmpl") {
        for action in read(&path).split("{{").skip(1).map(|rest| rest.split("}}").next().unwrap()) {
            if action.trim_start_matches('-').trim_start().starts_with("/*") {
                continue;
            }
            // Strings are no functions.
            let bare: String = action.split('"').step_by(2).collect::<Vec<_>>().join(" ");
            for word in bare.split(|sign: char| !sign.is_alphanumeric() && !"_.$".contains(sign)) {
                assert!(!newer.contains(&word), "{path}: {word} in {{{{{action}}}}}");
            }
        }
    }
}
