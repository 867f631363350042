//! A contract whose ninety days have one of everything, for tests of the status page.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::history::{History, Measurements, first};
use super::page::Page;
use crate::config::{self, Config};
use crate::ledger::{Cause, Ledger, Maintenance, Status, Update};
use crate::report::sample::{BEAT, at, contract, decided, incident, seconds, stop, text};
use crate::report::slots::{STEP, Slot};

/// The moment the samples are of.
pub(crate) const NOW: &str = "2026-11-05T14:20:30";

/// What goes on at [`NOW`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scene {
    Up,
    Outage,
    Maintenance,
    Unknown,
}

impl Scene {
    pub(crate) const ALL: [Self; 4] = [Self::Up, Self::Outage, Self::Maintenance, Self::Unknown];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Outage => "outage",
            Self::Maintenance => "maintenance",
            Self::Unknown => "unknown",
        }
    }
}

pub(crate) fn config(scene: Scene) -> Config {
    let mut config = config::embedded(([127, 0, 0, 1], 10115).into(), false).unwrap().config;
    config.contract = contract();
    config.ledger = Arc::new(ledger(scene));
    config
}

fn ledger(scene: Scene) -> Ledger {
    let update = |when: &str, status, ja: &str, en: &str| Update { at: at(when), status, text: text(ja, en) };
    let mut login = decided(
        incident(
            "2026-10-07-login",
            "client",
            Some(Cause::Internal),
            "2026-10-07T10:02:00",
            Some("2026-10-07T10:31:00"),
        ),
        "2026-10-07T15:00:00",
    );
    login.title = text("ログイン障害", "Login failure");
    login.updates = vec![
        update(
            "2026-10-07T10:09:00",
            Status::Investigating,
            "ログインできない状況を確認し、調査しています。",
            "Logins fail. We are looking into it.",
        ),
        update(
            "2026-10-07T10:31:00",
            Status::Resolved,
            "認証サーバーを復旧しました。ご迷惑をおかけしました。",
            "The authentication server is back. We apologise.",
        ),
    ];
    let mut upstream = decided(
        incident(
            "2026-10-20-sfdc",
            "consumer",
            Some(Cause::Upstream("sfdc".to_owned())),
            "2026-10-20T03:00:00",
            Some("2026-10-20T05:10:00"),
        ),
        "2026-10-21T10:00:00",
    );
    upstream.title = text("外部プラットフォームの障害", "Failure of a platform");
    let mut network = stop("2026-09-network", &["client"], "2026-09-26T22:00:00", "2026-09-27T02:00:00");
    network.title = text("ネットワーク機器の交換", "Replacement of network devices");
    network.cancelled_at = Some(at("2026-09-24T16:00:00"));
    let mut ledger = Ledger {
        maintenance: vec![
            network,
            Maintenance {
                finished_at: Some(at("2026-10-04T00:40:00")),
                ..stop("2026-10-regular", &["client", "consumer"], "2026-10-03T22:00:00", "2026-10-04T01:00:00")
            },
            Maintenance {
                text: text(
                    "データベースの更新を行います。作業中は Web フォームとクリックカウントもご利用いただけません。",
                    "The databases are updated. Web forms and click counts are not available meanwhile either.",
                ),
                announced_at: Some(at("2026-11-02T10:00:00")),
                ..stop("2026-11-regular", &["client", "consumer"], "2026-11-20T21:00:00", "2026-11-21T01:00:00")
            },
            // Nobody was told of this one.
            Maintenance {
                title: text("秘密の作業", "Secret work"),
                announced_at: None,
                ..stop("2026-12-secret", &["client"], "2026-12-05T21:00:00", "2026-12-06T01:00:00")
            },
        ],
        incidents: vec![login, upstream],
        ..Ledger::default()
    };
    match scene {
        Scene::Up | Scene::Unknown => {}
        Scene::Outage => {
            let mut open = incident("2026-11-05-form", "consumer", None, "2026-11-05T13:41:00", None);
            open.title = text("Web フォームがつながりにくい状況", "Web forms are hard to reach");
            open.updates = vec![
                update(
                    "2026-11-05T13:50:00",
                    Status::Investigating,
                    "Web フォームの表示に失敗することを確認しました。",
                    "Web forms fail to load at times.",
                ),
                update(
                    "2026-11-05T14:05:00",
                    Status::Identified,
                    "負荷分散装置の故障が原因です。予備機への切り替えを進めています。\n復旧は15時ごろの見込みです。",
                    "A load balancer has failed; we are switching to the spare one.\nWe expect to be back at about 15:00.",
                ),
            ];
            ledger.incidents.push(open);
        }
        Scene::Maintenance => ledger.maintenance.push(Maintenance {
            title: text("緊急セキュリティ対応", "Emergency security update"),
            emergency: true,
            announced_at: Some(at("2026-11-05T12:00:00")),
            ..stop("2026-11-emergency", &["client"], "2026-11-05T14:00:00", "2026-11-05T15:00:00")
        }),
    }
    ledger
}

/// Up, but for what the ledger tells of, a failure nobody judged, and a night without measurement.
pub(crate) fn measurements(scene: Scene) -> Measurements {
    let contract = contract();
    let now = seconds(NOW);
    let is = |slot: i64, from: &str, to: &str| (seconds(from)..seconds(to)).contains(&slot);
    let slots = contract.functions.iter().map(|function| {
        let client = function.name == "client";
        let from = first(&contract, now).max(seconds("2026-08-15T00:00:00"));
        let slots = (from / STEP..=now / STEP).map(|five| five * STEP - BEAT).filter(|slot| *slot > from);
        let slots = slots.filter_map(|slot| {
            let down = is(slot, "2026-10-03T22:00:00", "2026-10-04T00:40:00")
                || client && is(slot, "2026-10-07T10:02:00", "2026-10-07T10:31:00")
                || client && is(slot, "2026-08-28T08:00:00", "2026-08-28T09:20:00")
                || !client && is(slot, "2026-10-20T03:00:00", "2026-10-20T05:10:00")
                || !client && scene == Scene::Outage && is(slot, "2026-11-05T13:41:00", NOW)
                || client && scene == Scene::Maintenance && is(slot, "2026-11-05T14:00:00", NOW);
            let missing = is(slot, "2026-09-14T01:00:00", "2026-09-14T06:30:00")
                || scene == Scene::Unknown && is(slot, "2026-11-05T09:00:00", NOW);
            (!missing).then_some(Slot { at: slot, up: !down })
        });
        (function.name.clone(), slots.collect())
    });
    Measurements { at: now, contract: contract.name.clone(), slots: slots.collect() }
}

pub(crate) fn page(scene: Scene) -> Page {
    let config = config(scene);
    let history = History::of(&config, &measurements(scene)).map(Arc::new);
    Page::of(&config, &states(scene), history, Some("https://status.example.com/"), seconds(NOW))
}

pub(crate) fn states(scene: Scene) -> BTreeMap<String, bool> {
    let all = [("client", scene != Scene::Maintenance), ("consumer", scene != Scene::Outage)];
    let known = all.into_iter().filter(|_| scene != Scene::Unknown);
    known.map(|(function, up)| (function.to_owned(), up)).collect()
}
