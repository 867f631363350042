//! A month that has one of everything, for tests of the report and its documents: October 2026 of a contract with two functions.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::{Time, Weekday, date};
use jiff::tz::TimeZone;

use super::assemble::{Input, Past, Sent, assemble};
use super::duties::{Stretch, Tickets, Watch, Watched};
use super::model::{Origin, Report, Source};
use super::slots::Slot;
use crate::calendar::Month;
use crate::contract::{Capability, Contract, Function, MaintenanceTerms, Quorum, Text, Upstream, WeekSlot};
use crate::ledger::{
    Advisory, AdvisoryDecision, Cause, Channel, Decision, Drill, Incident, Ledger, Maintenance, Notice, Status, Update,
};
use crate::span::{Span, Spans};

/// Slots come this long before the clock's five minutes end.
pub(crate) const BEAT: i64 = 47;

/// The moment of a time such as `2026-10-07T10:02:00`, in Tokyo.
pub(crate) fn at(text: &str) -> Timestamp {
    format!("{text}+09:00").parse().unwrap()
}

/// The same in seconds.
pub(crate) fn seconds(text: &str) -> i64 {
    at(text).as_second()
}

pub(crate) fn text(ja: &str, en: &str) -> Text {
    Text { ja: ja.to_owned(), en: en.to_owned() }
}

pub(crate) fn contract() -> Contract {
    let function = |name: &str, title, hours: u64, capabilities| Function {
        name: name.to_owned(),
        title,
        objective: 0.99,
        maintenance_limit: Some(Duration::from_secs(hours * 3600)),
        capabilities,
    };
    let capability = |name: &str, title| Capability { name: name.to_owned(), title, quorum: Quorum::All };
    let time = |hour| Time::constant(hour, 0, 0, 0);
    Contract {
        name: "synergy-lead".to_owned(),
        title: text("Synergy!LEAD サービス品質保証制度", "Synergy!LEAD service level agreement"),
        timezone: TimeZone::get("Asia/Tokyo").unwrap(),
        timezone_name: "Asia/Tokyo".to_owned(),
        start: Some(date(2026, 8, 15)),
        maintenance: MaintenanceTerms {
            notice: Duration::from_secs(14 * 86_400),
            slot: Some(WeekSlot { from: (Weekday::Friday, time(21)), to: (Weekday::Monday, time(3)) }),
        },
        functions: vec![
            function(
                "client",
                text("クライアント機能", "Client function"),
                8,
                vec![capability("web_app", text("Web アプリケーション", "Web application"))],
            ),
            function(
                "consumer",
                text("コンシューマ機能", "Consumer function"),
                4,
                vec![
                    capability("web_form", text("WEB フォーム機能", "Web form")),
                    capability("click_count", text("クリックカウント機能", "Click count")),
                ],
            ),
        ],
        upstreams: vec![Upstream { name: "sfdc".to_owned(), title: text("SFDC", "Salesforce"), probes: Vec::new() }],
        connectivity: Vec::new(),
        duties: Vec::new(),
    }
}

pub(crate) fn stop(id: &str, functions: &[&str], start: &str, end: &str) -> Maintenance {
    Maintenance {
        id: id.to_owned(),
        title: text("定期メンテナンス", "Regular maintenance"),
        text: Text::default(),
        functions: functions.iter().map(|name| (*name).to_owned()).collect(),
        announced_at: Some(at("2026-09-10T10:00:00")),
        start: at(start),
        end: at(end),
        finished_at: None,
        emergency: false,
        cancelled_at: None,
        notices: Vec::new(),
    }
}

pub(crate) fn incident(id: &str, function: &str, cause: Option<Cause>, start: &str, end: Option<&str>) -> Incident {
    Incident {
        id: id.to_owned(),
        title: text("障害", "Failure"),
        functions: vec![function.to_owned()],
        cause,
        started_at: at(start),
        resolved_at: end.map(at),
        decided: None,
        notices: Vec::new(),
        updates: Vec::new(),
    }
}

pub(crate) fn decided(incident: Incident, day: &str) -> Incident {
    let decision =
        Decision {
            by: "ops-lead".to_owned(), at: at(day), evidence: text("障害報告書 2026-014", "Report 2026-014")
        };
    Incident { decided: Some(decision), ..incident }
}

fn notice(when: &str, channel: Channel) -> Notice {
    Notice { at: at(when), channel }
}

/// One of everything.
pub(crate) fn ledger() -> Ledger {
    Ledger {
        maintenance: vec![
            Maintenance {
                text: text("全機能が停止します。", "All functions stop."),
                notices: vec![
                    notice("2026-09-10T10:00:00", Channel::Mail),
                    notice("2026-09-10T10:05:00", Channel::Page),
                ],
                ..stop("2026-10-regular", &["client", "consumer"], "2026-10-03T22:00:00", "2026-10-04T01:00:00")
            },
            // An end that is recorded, later than announced.
            Maintenance {
                title: text("データベース更新", "Database update"),
                finished_at: Some(at("2026-10-11T03:25:30")),
                ..stop("2026-10-database", &["consumer"], "2026-10-10T23:00:00", "2026-10-11T03:00:00")
            },
            // Went on, and nobody recorded until when.
            Maintenance {
                title: text("ネットワーク工事", "Network works"),
                ..stop("2026-10-network", &["client"], "2026-10-17T23:00:00", "2026-10-18T01:00:00")
            },
            // 13 days ahead, and on a Tuesday.
            Maintenance {
                title: text("証明書更新", "Certificate renewal"),
                announced_at: Some(at("2026-10-07T09:00:00")),
                emergency: true,
                finished_at: Some(at("2026-10-20T09:20:00")),
                ..stop("2026-10-certificate", &["client"], "2026-10-20T09:00:00", "2026-10-20T09:30:00")
            },
            Maintenance {
                title: text("増設工事", "Extension"),
                cancelled_at: Some(at("2026-10-12T12:00:00")),
                ..stop("2026-10-extension", &["consumer"], "2026-10-24T22:00:00", "2026-10-25T02:00:00")
            },
        ],
        incidents: vec![
            decided(
                Incident {
                    title: text("ログイン障害", "Login failure"),
                    notices: vec![
                        notice("2026-10-07T10:09:00", Channel::Phone),
                        notice("2026-10-07T10:14:00", Channel::Page),
                    ],
                    updates: vec![
                        Update {
                            at: at("2026-10-07T10:14:00"),
                            status: Status::Investigating,
                            text: text(
                                "ログインできない状態です。原因を調査しています。",
                                "Logins fail; we are looking into it.",
                            ),
                        },
                        Update {
                            at: at("2026-10-07T10:40:00"),
                            status: Status::Resolved,
                            text: text("復旧しました。", "It is over."),
                        },
                    ],
                    ..incident(
                        "2026-10-07-login",
                        "client",
                        Some(Cause::Internal),
                        "2026-10-07T10:02:00",
                        Some("2026-10-07T10:31:00"),
                    )
                },
                "2026-10-07T15:00:00",
            ),
            decided(
                Incident {
                    title: text("SFDC 障害の影響", "Failure of Salesforce"),
                    ..incident(
                        "2026-10-14-sfdc",
                        "client",
                        Some(Cause::Upstream("sfdc".to_owned())),
                        "2026-10-14T13:00:00",
                        Some("2026-10-14T14:10:00"),
                    )
                },
                "2026-10-19T11:00:00",
            ),
            decided(
                Incident {
                    title: text("データセンター地域の停電", "Power cut around the data centre"),
                    ..incident(
                        "2026-10-21-power",
                        "consumer",
                        Some(Cause::ForceMajeure),
                        "2026-10-21T04:00:00",
                        Some("2026-10-21T05:30:00"),
                    )
                },
                "2026-10-22T11:00:00",
            ),
            decided(
                Incident {
                    title: text("監視の誤検知 | \"proxy\"", "False alarm | \"proxy\""),
                    ..incident(
                        "2026-10-23-proxy",
                        "consumer",
                        Some(Cause::FalseAlarm),
                        "2026-10-23T16:00:00",
                        Some("2026-10-23T16:30:00"),
                    )
                },
                "2026-10-23T18:00:00",
            ),
            // Nobody knows yet why.
            Incident {
                title: text("=フォーム送信の失敗", "=Form failures"),
                ..incident("2026-10-28-form", "consumer", None, "2026-10-28T20:00:00", Some("2026-10-28T20:25:00"))
            },
            // Goes on.
            Incident {
                title: text("応答遅延", "Slow answers"),
                ..incident("2026-10-31-slow", "client", Some(Cause::Internal), "2026-10-31T23:40:00", None)
            },
        ],
        drills: vec![Drill {
            at: at("2026-10-15T14:00:00"), text: text("復元訓練を実施、成功", "Restored, complete")
        }],
        advisories: vec![
            Advisory {
                id: "CVE-2026-1234".to_owned(),
                component: "PostgreSQL".to_owned(),
                published_at: at("2026-09-28T00:00:00"),
                decision: Some(AdvisoryDecision::Apply),
                applied_at: Some(at("2026-10-11T02:00:00")),
            },
            Advisory {
                id: "CVE-2026-5678".to_owned(),
                component: "OpenSSL".to_owned(),
                published_at: at("2026-10-20T00:00:00"),
                decision: None,
                applied_at: None,
            },
        ],
    }
}

/// What was measured of each function.
pub(crate) fn slots() -> BTreeMap<String, Vec<Slot>> {
    let down: [(&str, &[(&str, &str)]); 2] = [
        (
            "client",
            &[
                ("2026-10-03T22:00:00", "2026-10-04T00:50:00"),
                ("2026-10-07T10:05:00", "2026-10-07T10:30:00"),
                ("2026-10-14T13:00:00", "2026-10-14T14:10:00"),
                ("2026-10-17T23:00:00", "2026-10-18T01:15:00"),
                ("2026-10-20T09:00:00", "2026-10-20T09:20:00"),
                ("2026-10-26T03:10:00", "2026-10-26T03:20:00"),
                ("2026-10-31T23:40:00", "2026-11-01T00:00:00"),
            ],
        ),
        (
            "consumer",
            &[
                ("2026-10-03T22:00:00", "2026-10-04T01:00:00"),
                ("2026-10-10T23:00:00", "2026-10-11T03:25:00"),
                ("2026-10-21T04:00:00", "2026-10-21T05:30:00"),
                ("2026-10-23T16:00:00", "2026-10-23T16:30:00"),
                ("2026-10-28T20:05:00", "2026-10-28T20:20:00"),
            ],
        ),
    ];
    // Nothing was measured.
    let missing = [("2026-10-29T02:00:00", "2026-10-29T03:30:00")];
    let (start, end) = (seconds("2026-10-01T00:00:00"), seconds("2026-11-01T00:00:00"));
    let spans = |spans: &[(&str, &str)]| -> Spans {
        spans.iter().filter_map(|(from, to)| Span::new(seconds(from), seconds(to))).collect()
    };
    let missing = spans(&missing);
    down.into_iter()
        .map(|(function, down)| {
            let down = spans(down);
            let clocks = (start + 300..=end).step_by(300).filter(|clock| !missing.holds_slot(*clock));
            let slots = clocks.map(|clock| Slot { at: clock - BEAT, up: !down.holds_slot(clock) });
            (function.to_owned(), slots.collect())
        })
        .collect()
}

/// The months before.
pub(crate) fn past() -> Vec<Past> {
    let past = |month: &str, function: &str, origin, service, down, missing| Past {
        month: month.parse().unwrap(),
        function: function.to_owned(),
        origin,
        service_seconds: service,
        downtime_seconds: down,
        unmeasured_seconds: missing,
        known: true,
    };
    vec![
        past("2025-12", "client", Origin::Recorded, 2_678_400, 0, 0),
        past("2026-09", "client", Origin::Recorded, 2_592_000, 1_500, 0),
        past("2026-08", "client", Origin::Recorded, 2_678_400, 30_000, 900),
        past("2026-09", "client", Origin::Closed { revision: 2 }, 2_592_000, 1_800, 0),
        past("2026-09", "consumer", Origin::Recorded, 2_577_600, 25_776, 600),
    ]
}

/// When it is looked at: in the night after.
pub(crate) const NOW: &str = "2026-11-01T00:10:00";

/// What was watched of the duties: one kept, one broken twice, one with days missing; of the others nothing is configured.
pub(crate) fn watch() -> Watch {
    let month = (seconds("2026-10-01T00:00:00"), seconds("2026-11-01T00:00:00"));
    let stretch = |from: &str, to: &str| Stretch::from((seconds(from), seconds(to)));
    let whole = vec![Stretch::from(month)];
    let first = stretch("2026-10-12T02:05:00", "2026-10-12T02:25:00");
    let second = stretch("2026-10-20T11:00:00", "2026-10-20T11:05:00");
    let between = |from: i64, to: i64| Stretch { start: from, end: to };
    let monitoring = Watched {
        kept: vec![between(month.0, first.start), between(first.end, second.start), between(second.end, month.1)],
        broken: vec![first, second],
        items: BTreeMap::from([("web2".to_owned(), vec![first, second]), ("db|1".to_owned(), vec![second])]),
        missing: BTreeMap::new(),
    };
    let backups = Watched {
        kept: vec![between(month.0, seconds("2026-10-25T00:00:00")), between(seconds("2026-10-27T06:00:00"), month.1)],
        missing: BTreeMap::from([(
            "db 10.0.0.5:10115".to_owned(),
            vec![stretch("2026-10-25T00:00:00", "2026-10-27T06:00:00")],
        )]),
        ..Watched::default()
    };
    let answers = Watched { kept: whole.clone(), ..Watched::default() };
    let duties = [
        ("monitoring", monitoring),
        ("backups", backups),
        ("encryption", Watched { kept: whole, ..Watched::default() }),
        ("answers", answers),
    ];
    Watch {
        asked: true,
        configured: BTreeSet::from(["client_certificates".to_owned()]),
        duties: duties.into_iter().map(|(name, watched)| (name.to_owned(), watched)).collect(),
        tickets: Some(Tickets { in_time: 41, late: 1, overdue: 0, waiting: 0 }),
    }
}

/// The report of it all.
pub(crate) fn report() -> Report {
    of(&contract(), &ledger(), &slots(), NOW)
}

/// A report of October 2026.
pub(crate) fn of(contract: &Contract, ledger: &Ledger, slots: &BTreeMap<String, Vec<Slot>>, now: &str) -> Report {
    let month: Month = "2026-10".parse().unwrap();
    let source =
        Source { url: "http://127.0.0.1:9090".to_owned(), version: Some("2.42.0".to_owned()), warnings: Vec::new() };
    assemble(&Input {
        contract,
        ledger,
        month,
        now: seconds(now),
        slots,
        past: &past(),
        sent: &[Sent { entry: "2026-10-07-login".to_owned(), at: seconds("2026-10-07T10:06:00") }],
        watch: &watch(),
        source: &source,
        revision: None,
    })
}
