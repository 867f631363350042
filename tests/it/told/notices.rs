//! Notices to customers: each its own mail, each event once, and nobody learns of another (C2.2).

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use sla_tests::free_port;

use super::{SETTLED, Told, alert, assert_well_formed, header};

const A: &str = "customer-a@example.com";
const B: &str = "customer-b@example.com";
const ACCOUNT: &str = "account-team@example.com";

/// An event as the exporter posts it: an alert that ends by itself.
fn notice(contract: &str, event: &str) -> Value {
    let now = Timestamp::now();
    json!({
        "labels": {
            "alertname": "SlaNotice", "severity": "notice", "contract": contract, "entry": "2026-10-07-login",
            "notice": format!("2026-10-07-login/{event}"), "kind": "incident", "event": event.trim_end_matches(|c: char| !c.is_alphabetic()),
        },
        "annotations": {
            "subject_ja": format!("【障害】クライアント機能: ログイン障害 {event}"), "subject_en": format!("[Failure] Client function: {event}"),
            "body_ja": "下記の障害が発生しています。\n\n発生日時: 2026年10月7日(水) 10:02 JST", "body_en": "There is a failure.\n\nSince: Wed 7 Oct 2026 10:02 JST",
        },
        "startsAt": (now - Duration::from_secs(60)).to_string(),
        "endsAt": (now + Duration::from_secs(300)).to_string(),
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_customer_gets_a_mail_and_no_header_names_another() {
    let told = Told::start().await;
    told.post(&[notice("synergy-lead", "opened")]).await;
    let mails = [told.exactly(A, 1).await.remove(0), told.exactly(B, 1).await.remove(0)];
    for (mail, own, other) in [(&mails[0], A, B), (&mails[1], B, A)] {
        assert_well_formed(mail);
        assert_eq!(mail.recipients, [own], "the envelope");
        assert_eq!(mail.to, own);
        assert_eq!((mail.from.as_str(), header(mail, "Reply-To")), ("notices@example.com", "support@example.com"));
        let whole = format!("{}\n{}\n{}", mail.head, mail.text, mail.html);
        for hidden in [other, ACCOUNT, "customer-", "127.0.0.1", "lertmanager", "SlaNotice"] {
            assert!(!whole.replace(own, "").contains(hidden), "{hidden} is in\n{whole}");
        }
        assert_eq!(mail.subject, "【障害】クライアント機能: ログイン障害 opened / [Failure] Client function: opened");
        assert!(mail.text.starts_with("【障害】クライアント機能: ログイン障害 opened"), "{}", mail.text);
        assert!(mail.html.contains("下記の障害が発生しています。<br><br>発生日時"), "{}", mail.html);
    }
    let call = told.exactly(ACCOUNT, 1).await.remove(0);
    assert_well_formed(&call);
    assert!(call.subject.starts_with("[要連絡 CALL] 【障害】"), "{}", call.subject);
    assert!(call.text.contains("03-0000-0000") && call.html.contains("03-0000-0000"), "{}", call.text);
    assert_eq!(told.mails.all().len(), 3, "nobody else is told");
}

/// Five events are five mails to each customer, posted again and again, and over by themselves.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_is_one_mail_however_often_it_is_posted_and_none_when_it_ends() {
    let told = Told::start().await;
    let events = ["opened", "update-1", "update-2", "update-3", "resolved"];
    let mut posted = Vec::new();
    for (number, event) in events.iter().enumerate() {
        posted.push(notice("synergy-lead", event));
        for _ in 0..3 {
            told.post(&posted).await;
        }
        told.exactly(A, number + 1).await;
    }
    told.resolve(&posted).await;
    tokio::time::sleep(SETTLED).await;
    let (mails, others) = (told.to(A), told.to(B));
    assert_eq!((mails.len(), others.len(), told.to(ACCOUNT).len()), (5, 5, 2), "{:?}", told.mails.all());
    let threads: Vec<&str> = mails.iter().map(|mail| header(mail, "References")).collect();
    assert!(threads.iter().all(|thread| *thread == threads[0]), "one incident is one thread: {threads:?}");
    for (mail, other) in mails.iter().zip(&others) {
        // What two Alertmanagers would send twice is one message.
        assert_eq!(header(mail, "Message-Id"), header(other, "Message-Id"));
        assert_eq!(mails.iter().filter(|m| header(m, "Message-Id") == header(mail, "Message-Id")).count(), 1);
    }
}

/// Who was told is remembered by place in the list: a restart tells nobody twice, a customer added at its end is told what
/// is still news, and the others are not told again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_and_a_new_customer_repeat_nothing() {
    let mut told = Told::start().await;
    let event = [notice("synergy-lead", "opened")];
    told.post(&event).await;
    told.exactly(A, 1).await;
    told.exactly(B, 1).await;
    told.restart_with(&[(
        "        to: customer-b@example.com\n",
        "        to: customer-b@example.com\n      - <<: *notice\n        to: customer-c@example.com\n",
    )])
    .await;
    told.post(&event).await;
    told.exactly("customer-c@example.com", 1).await;
    assert_eq!((told.to(A).len(), told.to(B).len(), told.to(ACCOUNT).len()), (1, 1, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mail_server_that_fails_for_one_customer_keeps_no_other_from_being_told() {
    let dead = format!("        to: {B}\n        smarthost: 127.0.0.1:{}\n", free_port());
    let told = Told::start_with(&[(&format!("        to: {B}\n"), &dead)]).await;
    told.post(&[notice("synergy-lead", "opened")]).await;
    // Not told again either, each time the other is tried again.
    told.exactly(A, 1).await;
    assert!(told.to(B).is_empty());
    assert!(told.alertmanager.log().contains("email[1]"), "{}", told.alertmanager.log());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_contract_without_customers_reaches_nobody_outside() {
    let told = Told::start().await;
    told.post(&[notice("another", "opened"), notice("another", "update-1")]).await;
    for mail in told.exactly(ACCOUNT, 2).await {
        assert!(mail.subject.starts_with("[顧客宛先なし NO CUSTOMERS] "), "{}", mail.subject);
        assert!(mail.text.contains("No customer has been told"), "{}", mail.text);
        assert_well_formed(&mail);
    }
    assert_eq!(told.mails.all().len(), 2);
}

/// Notices and alerts do not touch one another: neither is kept back by the other.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn notices_go_out_while_a_maintenance_silences_the_function() {
    let told = Told::start().await;
    told.post(&[
        alert("SlaMaintenanceInProgress", "contract=synergy-lead function=client maintenance=m"),
        alert("SlaFunctionDown", "contract=synergy-lead function=client"),
        notice("synergy-lead", "overrun"),
    ])
    .await;
    told.exactly(A, 1).await;
    assert_eq!((told.to(B).len(), told.to(ACCOUNT).len(), told.to("operations@example.com").len()), (1, 1, 0));
}
