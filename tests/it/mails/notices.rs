//! What customers and the account team read (C2.2).

use serde_json::{Value, json};

use super::{notice, opened, render_for};

/// C2.2: what customers read is what the exporter wrote, Japanese first, and nothing of the monitoring.
#[test]
fn a_notice_says_its_own_words_in_both_parts_and_nothing_of_the_monitoring() {
    let alerts = [opened()];
    let notice = |part: &str| render_for("customers", &format!("sla.notice.{part}"), &alerts, "UTC");
    assert_eq!(notice("subject"), "【障害】クライアント機能: ログイン障害 / [Failure] Client function: Login failure");
    let text = notice("text");
    assert!(text.starts_with("【障害】クライアント機能: ログイン障害\n\n下記の障害が発生しています。\n\n発生日時: 2026年10月7日(水) 10:02 JST\n"), "{text}");
    assert!(text.contains("[Failure] Client function: Login failure\n\nThere is a failure, as below.\n\nSince: Wed 7 Oct 2026 10:02 JST\n"), "{text}");
    let html = notice("html");
    assert!(html.contains("下記の障害が発生しています。<br><br>発生日時: 2026年10月7日(水) 10:02 JST"), "{html}");
    assert!(html.contains("There is a failure, as below.<br><br>Since: Wed 7 Oct 2026 10:02 JST"), "{html}");
    for mail in [text, html] {
        for said in ["support@example.com", "サービス品質保証", "Service level agreement"] {
            assert!(mail.contains(said), "{said} is not in\n{mail}");
        }
        for inside in ["alertmanager", "prometheus", "SlaNotice", "synergy-lead", "2026-10-07-login", "<no value>"] {
            assert!(!mail.contains(inside), "{inside} is in\n{mail}");
        }
    }
}

#[test]
fn every_event_has_its_words_also_where_the_notice_has_none() {
    for (event, japanese, english) in [
        ("opened", "障害のお知らせ", "Failure"),
        ("update", "障害の続報", "Failure: update"),
        ("resolved", "障害復旧のお知らせ", "Failure resolved"),
        ("announced", "メンテナンスのお知らせ", "Maintenance"),
        ("reminder", "メンテナンス実施予定のお知らせ", "Maintenance: reminder"),
        ("started", "メンテナンス開始のお知らせ", "Maintenance begins"),
        ("finished", "メンテナンス終了のお知らせ", "Maintenance finished"),
        ("cancelled", "メンテナンス中止のお知らせ", "Maintenance cancelled"),
        ("overrun", "メンテナンス延長のお知らせ", "Maintenance takes longer"),
        ("anything", "お知らせ", "Notice"),
    ] {
        let alerts = [notice(event, &json!({"functions": "client, consumer"}))];
        let subject = render_for("customers", "sla.notice.subject", &alerts, "UTC");
        assert_eq!(subject, format!("{japanese} / {english}"));
        for part in ["text", "html"] {
            let mail = render_for("customers", &format!("sla.notice.{part}"), &alerts, "UTC");
            assert!(
                mail.contains("対象機能: client, consumer") && mail.contains("Affected: client, consumer"),
                "{mail}"
            );
            assert!(!mail.contains("<no value>"), "{mail}");
        }
    }
}

/// C2.2c: the account team reads whom to call, then what the customers read.
#[test]
fn the_account_team_is_told_whom_to_call() {
    let alerts = [opened()];
    let subject = render_for("account-team", "sla.account.subject", &alerts, "UTC");
    assert_eq!(
        subject,
        "[要連絡 CALL] 【障害】クライアント機能: ログイン障害 / [Failure] Client function: Login failure"
    );
    for part in ["text", "html"] {
        let mail = render_for("account-team", &format!("sla.account.{part}"), &alerts, "UTC");
        for expected in [
            "山田様　03-0000-0000",
            "佐藤様",
            "C2.2c",
            "発生日時: 2026年10月7日(水) 10:02 JST",
            "2026-10-07-login/opened",
        ] {
            assert!(mail.contains(expected), "{part}: {expected} is not in\n{mail}");
        }
    }
}

#[test]
fn a_contract_without_customers_or_contacts_is_said_to_have_none() {
    let mut alert = opened();
    alert["labels"]["contract"] = json!("another");
    let alerts = [alert];
    let subject = render_for("no-customers", "sla.account.subject", &alerts, "UTC");
    assert!(subject.starts_with("[顧客宛先なし NO CUSTOMERS] 【障害】"), "{subject}");
    for part in ["text", "html"] {
        let mail = render_for("no-customers", &format!("sla.account.{part}"), &alerts, "UTC");
        assert!(
            mail.contains("No customer has been told") && mail.contains("どのお客様にも送信されていません"),
            "{mail}"
        );
        assert!(mail.contains("No contacts of this contract") && !mail.contains("山田様"), "{mail}");
    }
}

/// Two Alertmanagers that both send an event send one message; events of one entry are one thread.
#[test]
fn a_notice_has_one_identity_and_its_entry_one_thread() {
    let of = |what: &str, alert: &Value| {
        render_for("customers", &format!("sla.notice.{what}"), std::slice::from_ref(alert), "UTC")
    };
    let (first, mut later) = (opened(), notice("resolved", &json!({})));
    later["fingerprint"] = json!("fedcba9876543210");
    assert_eq!(of("id", &first), "<sla.0123456789abcdef@example.com>");
    assert_ne!(of("id", &first), of("id", &later));
    assert_eq!(of("thread", &first), of("thread", &later));
    let mut other = opened();
    other["labels"]["entry"] = json!("2026-10-08-login");
    assert_ne!(of("thread", &first), of("thread", &other));
    // An id in Japanese is a header nevertheless.
    other["labels"]["entry"] = json!("障害 <1>\r\nBcc: a@example.com");
    assert!(of("thread", &other).bytes().all(|sign| sign.is_ascii_graphic()), "{}", of("thread", &other));
}
