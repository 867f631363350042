//! The month before this one, this one, and the last days: one of everything the ledger knows.

use jiff::civil::Weekday::{Friday, Monday, Saturday, Sunday, Thursday, Tuesday, Wednesday};

use super::calendar::{at, date, next};
use super::probes::Watch;
use super::story::{BOTH, CLIENT, CONSUMER, Cause, DAY, HOUR, Incident, MINUTE, Ruling, Stop, Story};
use super::{Month, SLOT};

/// Tells them up to `now`. The days of the month before end with its third week, those of this one three days ago, so that
/// nothing meets the last days' events, whatever the date.
pub(super) fn tell(story: &mut Story, current: Month, now: i64) {
    let before = current.back(1);
    maintenance(story, before);
    others(story, before);
    own(story, before);
    unjudged(story, before);
    monitoring(story, before);
    let today = at(date(now), 0, 0);
    this_month(story, current, today - 3 * DAY);
    lately(story, today, now);
}

fn id(month: Month, what: &str) -> String {
    format!("{}-{what}", month.name())
}

/// Planned stops: as it should be, too late, over its end, and an emergency.
fn maintenance(story: &mut Story, month: Month) {
    let start = month.on(1, Saturday, (22, 0));
    story.service_down(start, start + 3 * HOUR + 40 * MINUTE, "refused");
    story.stops.push(Stop {
        shows: "As it should be: announced 20 days ahead, in the slot, within the limit. Excluded (C4.1i).",
        id: id(month, "regular"),
        title: ("定期メンテナンス", "Regular maintenance"),
        functions: BOTH,
        announced: start - 20 * DAY - 12 * HOUR,
        start,
        end: start + 4 * HOUR,
        finished: Some(start + 3 * HOUR + 40 * MINUTE),
        ..Stop::default()
    });

    let start = month.on(2, Friday, (21, 30));
    story.service_down(start, start + 2 * HOUR + 45 * MINUTE, "refused");
    story.stops.push(Stop {
        shows: "45 minutes over its announced end: the excess is downtime (C4.1.2).",
        id: id(month, "network"),
        title: ("ネットワーク機器の交換", "Replacement of network devices"),
        functions: BOTH,
        announced: start - 17 * DAY,
        start,
        end: start + 2 * HOUR,
        finished: Some(start + 2 * HOUR + 45 * MINUTE),
        ..Stop::default()
    });

    let start = month.on(3, Saturday, (22, 0));
    story.fault(
        start,
        start + HOUR + 50 * MINUTE,
        &[Watch::WebForm, Watch::Link1, Watch::Link2, Watch::Link3],
        "refused",
    );
    story.stops.push(Stop {
        shows: "Announced 13 days ahead, one too few: not excluded, the stop counts. Try a day earlier, and the month is kept.",
        id: id(month, "form-servers"),
        title: ("フォームサーバーの更新", "New form servers"),
        functions: CONSUMER,
        announced: start - 13 * DAY,
        start,
        end: start + 2 * HOUR,
        ..Stop::default()
    });

    let start = month.on(3, Wednesday, (13, 0));
    story.fault(start, start + 20 * MINUTE, &[Watch::WebApp], "status");
    story.stops.push(Stop {
        shows: "An emergency may be announced an hour before (C2.3). It counts all the same.",
        id: id(month, "emergency-patch"),
        title: ("緊急セキュリティ対応", "Emergency security update"),
        functions: CLIENT,
        announced: start - HOUR,
        start,
        end: start + 30 * MINUTE,
        finished: Some(start + 20 * MINUTE),
        emergency: true,
        ..Stop::default()
    });
}

/// What was not the service's doing.
fn others(story: &mut Story, month: Month) {
    let start = month.on(2, Wednesday, (10, 10));
    let end = start + 2 * HOUR + 30 * MINUTE;
    story.fault(start, end, &[Watch::WebApp, Watch::Upstream], "status");
    story.incidents.push(Incident {
        shows: "The platform's failure. Judged five days later, it changed the month's figure then (C4.1ii).",
        id: id(month, "sfdc"),
        title: ("SFDC の障害によるログイン停止", "Logins failed with Salesforce"),
        functions: CLIENT,
        cause: Some(Cause::Upstream),
        start,
        resolved: Some(end),
        ruled: Some(Ruling {
            at: start + 5 * DAY + 5 * HOUR,
            by: "ops-lead",
            evidence: (
                "SFDC の障害情報と、同時刻のプローブ sfdc の失敗",
                "Salesforce's status page, and the probe sfdc failed at the same time",
            ),
        }),
        notices: vec![(start + 10 * MINUTE, "mail"), (start + 20 * MINUTE, "page")],
        updates: vec![
            (
                start + 10 * MINUTE,
                "investigating",
                ("ログインできない状況を確認し、調査しています。", "Logins fail. We are looking into it."),
            ),
            (
                start + 40 * MINUTE,
                "identified",
                (
                    "SFDC の障害によるものです。復旧を待っています。",
                    "Salesforce has a failure. We wait for its recovery.",
                ),
            ),
            (
                end + 5 * MINUTE,
                "resolved",
                ("SFDC の復旧に伴い、ログインできるようになりました。", "Salesforce is back, and logins work again."),
            ),
        ],
    });

    let start = month.on(3, Thursday, (5, 10));
    let end = start + 70 * MINUTE;
    story.service_down(start, end, "timeout");
    story.incidents.push(Incident {
        shows: "An earthquake (C4.1iii): excluded.",
        id: id(month, "earthquake"),
        title: ("地震によるデータセンターの停電", "Power cut at the data centre after an earthquake"),
        functions: BOTH,
        cause: Some(Cause::ForceMajeure),
        start,
        resolved: Some(end),
        ruled: Some(Ruling {
            at: start + DAY + 6 * HOUR,
            by: "ops-lead",
            evidence: ("データセンター事業者の報告書", "report of the data centre"),
        }),
        notices: vec![(start + 15 * MINUTE, "mail")],
        updates: vec![
            (
                start + 15 * MINUTE,
                "identified",
                ("地震により停電し、サービスが停止しています。", "An earthquake cut the power; the service is down."),
            ),
            (end + 10 * MINUTE, "resolved", ("電源が回復し、復旧しました。", "Power and service are back.")),
        ],
    });

    let start = month.on(1, Wednesday, (13, 20));
    let end = start + 25 * MINUTE;
    story.fault(start, end, &[Watch::WebForm], "body");
    story.incidents.push(Incident {
        shows: "A false alarm: the page's wording had changed, and the probe looked for the old one. Up, whatever was measured.",
        id: id(month, "form-wording"),
        title: ("フォーム画面の文言変更による誤検知", "False alarm after a change of the form's wording"),
        functions: CONSUMER,
        cause: Some(Cause::FalseAlarm),
        start,
        resolved: Some(end),
        ruled: Some(Ruling { at: end + 20 * HOUR, by: "ops-lead", evidence: ("アクセスログではフォーム送信が続いていた", "the access log shows that forms were sent all the time") }),
        ..Incident::default()
    });
}

/// The service's own failures.
fn own(story: &mut Story, month: Month) {
    let start = month.on(2, Tuesday, (10, 0));
    let end = start + 30 * MINUTE;
    story.fault(start, end, &[Watch::WebApp], "status");
    story.incidents.push(Incident {
        shows: "Own failure: downtime.",
        id: id(month, "login"),
        title: ("ログイン障害", "Login failure"),
        functions: CLIENT,
        cause: Some(Cause::Internal),
        start,
        resolved: Some(end),
        ruled: Some(Ruling {
            at: start + 5 * HOUR,
            by: "ops-lead",
            evidence: ("障害報告書 4711", "incident report 4711"),
        }),
        notices: vec![(start + 5 * MINUTE, "phone")],
        updates: vec![
            (
                start + 5 * MINUTE,
                "investigating",
                ("ログインできない状況を確認し、調査しています。", "Logins fail. We are looking into it."),
            ),
            (
                end + 5 * MINUTE,
                "resolved",
                ("復旧しました。ご迷惑をおかけしました。", "Logins work again. We apologise."),
            ),
        ],
    });

    let start = month.on(3, Tuesday, (9, 40));
    let end = start + 5 * HOUR + 15 * MINUTE;
    story.fault(start, start + 3 * HOUR, &[Watch::WebForm], "status");
    story.fault(start + 3 * HOUR, end, &[Watch::WebForm], "timeout");
    story.incidents.push(Incident {
        shows: "Own failure of five hours: most of what the month had left. Customers were told at each step.",
        id: id(month, "form-database"),
        title: ("WEB フォームの送信障害", "Web forms could not be sent"),
        functions: CONSUMER,
        cause: Some(Cause::Internal),
        start,
        resolved: Some(end),
        ruled: Some(Ruling {
            at: start + DAY + 4 * HOUR,
            by: "ops-lead",
            evidence: ("障害報告書 4712", "incident report 4712"),
        }),
        notices: vec![
            (start + 10 * MINUTE, "mail"),
            (start + 15 * MINUTE, "page"),
            (start + 30 * MINUTE, "phone"),
            (start + 3 * HOUR, "mail"),
            (end + 10 * MINUTE, "mail"),
        ],
        updates: vec![
            (
                start + 10 * MINUTE,
                "investigating",
                (
                    "WEB フォームを送信できない状況を確認し、調査しています。",
                    "Web forms cannot be sent. We are looking into it.",
                ),
            ),
            (
                start + HOUR,
                "identified",
                (
                    "原因はフォーム用データベースのディスク障害です。12:30 頃の復旧を見込んでいます。",
                    "A disk of the forms' database failed. We expect recovery at about 12:30.",
                ),
            ),
            (
                start + 3 * HOUR,
                "identified",
                (
                    "復元に時間を要しています。復旧見込みを 15:00 に変更します。",
                    "Restoring takes longer. We now expect recovery at 15:00.",
                ),
            ),
            (
                start + 5 * HOUR,
                "monitoring",
                ("復元が完了し、動作を確認しています。", "The database is restored; we are watching it."),
            ),
            (
                end + 10 * MINUTE,
                "resolved",
                (
                    "14:55 に復旧しました。長時間ご迷惑をおかけしました。",
                    "Web forms work again since 14:55. We apologise for the long outage.",
                ),
            ),
        ],
    });
}

/// Measured, and in no entry: what `sla-exporter ledger draft` is for.
fn unjudged(story: &mut Story, month: Month) {
    let start = month.on(3, Monday, (2, 15));
    story.fault(start, start + 20 * MINUTE, &[Watch::WebApp], "timeout");
    // Two links of three: no majority.
    let start = month.on(3, Wednesday, (18, 5));
    story.fault(start, start + 15 * MINUTE, &[Watch::Link1, Watch::Link3], "refused");
    // One of three: a replica is down, the function is up (C2.4).
    let start = month.on(2, Monday, (9, 0));
    story.fault(start, start + 8 * HOUR, &[Watch::Link2], "refused");
}

/// Nobody was looking: neither up nor down.
fn monitoring(story: &mut Story, month: Month) {
    // The site was cut off: all its references failed at once, and what else failed says nothing.
    let start = month.on(2, Sunday, (4, 0));
    story.fault(start, start + 25 * MINUTE, &Watch::ALL, "connect");
    // The exporter was away.
    let start = month.on(2, Thursday, (3, 0));
    story.silences.push((start, start + 10 * MINUTE));
}

/// As far as it is over by `until`.
fn this_month(story: &mut Story, month: Month, until: i64) {
    let start = month.on(1, Tuesday, (11, 0));
    let end = start + 20 * MINUTE;
    if end + HOUR < until {
        story.fault(start, end, &[Watch::WebApp], "reset");
        story.incidents.push(Incident {
            shows: "The cause is noted, but nobody has decided it yet: the figure stays provisional.",
            id: id(month, "session-server"),
            title: ("セッションサーバーの再起動", "A session server restarted"),
            functions: CLIENT,
            cause: Some(Cause::Internal),
            start,
            resolved: Some(end),
            ruled: Some(Ruling { at: end + HOUR, by: "", evidence: ("", "") }),
            notices: vec![(start + 10 * MINUTE, "mail")],
            updates: vec![(
                end,
                "resolved",
                ("一時的にログインできない状態でしたが、復旧しました。", "Logins failed for a while and work again."),
            )],
        });
    }
    let start = month.on(2, Thursday, (16, 0));
    if start + HOUR < until {
        story.fault(start, start + 10 * MINUTE, &[Watch::WebForm], "timeout");
    }
}

/// Yesterday, today, and what is planned.
fn lately(story: &mut Story, today: i64, now: i64) {
    // The platform's probe failed at the same time: for somebody to judge.
    let start = today - DAY + 10 * HOUR + 20 * MINUTE;
    story.fault(start, start + 15 * MINUTE, &[Watch::WebApp, Watch::Upstream], "status");

    let start = now / SLOT * SLOT - 50 * MINUTE;
    story.fault(start, start + 30 * MINUTE, &[Watch::Link3], "timeout");
    story.incidents.push(Incident {
        shows: "Open: one link of three was out of order, so no function was down. No cause yet, so measurement decides.",
        id: format!("{}-link", date(now)),
        title: ("クリックカウントの一部遅延", "Some click counts are slow"),
        functions: CONSUMER,
        start,
        notices: vec![(start + 10 * MINUTE, "page")],
        updates: vec![
            (start + 10 * MINUTE, "investigating", ("一部のリンクで応答の遅れを確認し、調査しています。", "Some links answer slowly. We are looking into it.")),
            (start + 30 * MINUTE, "monitoring", ("応答は正常に戻りました。引き続き状況を確認しています。", "They answer normally again. We keep watching.")),
        ],
        ..Incident::default()
    });

    // Of a component: nobody's figure.
    let start = now / SLOT * SLOT - 3 * HOUR;
    story.fault(start, start + 10 * MINUTE, &[Watch::Loopback], "timeout");

    let start = next(now + 8 * DAY, Saturday, 22, 0);
    story.stops.push(Stop {
        shows: "Called off: there will be no stop, and nothing is excluded.",
        id: format!("{}-storage", date(start)),
        title: ("ストレージ増設", "More storage"),
        functions: CLIENT,
        announced: start - 20 * DAY - 12 * HOUR,
        start,
        end: start + 3 * HOUR,
        cancelled: Some(today - 8 * HOUR),
        ..Stop::default()
    });
    let start = next(now + 15 * DAY, Saturday, 22, 0);
    story.stops.push(Stop {
        shows: "To come, announced in time.",
        id: format!("{}-regular", date(start)),
        title: ("定期メンテナンス", "Regular maintenance"),
        functions: BOTH,
        announced: today - 14 * HOUR,
        start,
        end: start + 4 * HOUR,
        ..Stop::default()
    });
}
