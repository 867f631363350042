//! The months of which only the functions' slots and the figures are left: little happened, and one of them was bad.

use jiff::civil::Weekday::{Monday, Saturday, Thursday, Tuesday, Wednesday};

use super::Month;
use super::probes::{LINKS, Watch};
use super::story::{BOTH, CLIENT, CONSUMER, Cause, DAY, HOUR, Incident, MINUTE, Ruling, Stop, Story, Text};

/// Tells the months before the one before `current`.
pub(super) fn tell(story: &mut Story, current: Month) {
    for back in [2, 5, 8, 11] {
        regular(story, current.back(back));
    }
    failure(
        story,
        "Own failure: downtime.",
        current.back(3),
        (2, Tuesday, (10, 20), 65 * MINUTE),
        (CLIENT, &[Watch::WebApp], "status"),
        (Cause::Internal, ("アプリケーションサーバーの障害", "Failure of an application server")),
    );
    failure(
        story,
        "Own failure, three hours.",
        current.back(4),
        (3, Thursday, (13, 0), 190 * MINUTE),
        (CONSUMER, &LINKS, "timeout"),
        (Cause::Internal, ("クリックカウントの応答遅延", "Click counting timed out")),
    );
    overrun_by_measurement(story, current.back(6));
    failure(
        story,
        "Nine hours and more: this month missed the objective of the client function.",
        current.back(7),
        (2, Wednesday, (8, 30), 9 * HOUR + 20 * MINUTE),
        (CLIENT, &[Watch::WebApp], "status"),
        (Cause::Internal, ("データベース障害による停止", "Outage after a database failure")),
    );
    failure(
        story,
        "Another's failure: excluded (C4.1ii).",
        current.back(9),
        (1, Monday, (15, 10), 4 * HOUR),
        (CLIENT, &[Watch::WebApp, Watch::Upstream], "status"),
        (Cause::Upstream, ("SFDC の障害による停止", "Outage of Salesforce")),
    );
    failure(
        story,
        "Nothing had failed: up, whatever was measured.",
        current.back(10),
        (3, Tuesday, (9, 0), 35 * MINUTE),
        (CONSUMER, &[Watch::WebForm], "certificate"),
        (
            Cause::FalseAlarm,
            ("監視側の証明書更新漏れ（サービスは正常）", "The monitoring's trust roots were out of date"),
        ),
    );
    failure(
        story,
        "Own failure: downtime.",
        current.back(12),
        (2, Thursday, (16, 40), 25 * MINUTE),
        (BOTH, &[Watch::WebApp, Watch::WebForm], "connect"),
        (Cause::Internal, ("負荷分散装置の障害", "Failure of a load balancer")),
    );
}

/// The maintenance of every third month, as the contract wants it.
fn regular(story: &mut Story, month: Month) {
    let start = month.on(2, Saturday, (22, 0));
    story.service_down(start, start + 2 * HOUR + 40 * MINUTE, "refused");
    story.stops.push(Stop {
        shows: "Announced 20 days ahead: excluded.",
        id: format!("{}-regular", month.name()),
        title: ("定期メンテナンス", "Regular maintenance"),
        functions: BOTH,
        announced: start - 20 * DAY - 12 * HOUR,
        start,
        end: start + 3 * HOUR,
        finished: Some(start + 2 * HOUR + 40 * MINUTE),
        ..Stop::default()
    });
}

/// Nobody wrote down when it was finished: after the announced end measurement decides.
fn overrun_by_measurement(story: &mut Story, month: Month) {
    let start = month.on(3, Saturday, (22, 0));
    story.fault(start, start + 2 * HOUR + 25 * MINUTE, &[Watch::WebApp], "status");
    story.stops.push(Stop {
        shows: "Went on 25 minutes after its announced end. Without `finished_at` the measured slots say so, and count.",
        id: format!("{}-storage", month.name()),
        title: ("ストレージ増設", "More storage"),
        functions: CLIENT,
        announced: start - 16 * DAY,
        start,
        end: start + 2 * HOUR,
        ..Stop::default()
    });
}

/// A failure from a weekday's time on for some seconds; what failed and why; judged the day after.
fn failure(
    story: &mut Story,
    shows: &'static str,
    month: Month,
    (nth, weekday, time, seconds): (i8, jiff::civil::Weekday, (i64, i64), i64),
    (functions, what, reason): (&'static [&'static str], &[Watch], &'static str),
    (cause, title): (Cause, Text),
) {
    let start = month.on(nth, weekday, time);
    let end = start + seconds;
    story.fault(start, end, what, reason);
    story.incidents.push(Incident {
        shows,
        id: format!("{}-{}", month.name(), functions.join("-")),
        title,
        functions,
        cause: Some(cause),
        start,
        resolved: Some(end),
        ruled: Some(Ruling { at: end + DAY, by: "ops-lead", evidence: ("障害報告書", "incident report") }),
        notices: vec![(start + 15 * MINUTE, "mail")],
        updates: vec![
            (
                start + 15 * MINUTE,
                "investigating",
                ("障害を確認し、調査しています。", "We see the failure and look into it."),
            ),
            (
                end + 10 * MINUTE,
                "resolved",
                ("復旧しました。ご迷惑をおかけしました。", "It works again. We apologise."),
            ),
        ],
    });
}
