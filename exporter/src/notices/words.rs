//! What customers read (C2.2): subject and body of each event, Japanese and English.
//!
//! Pure. The mail's frame is Alertmanager's template; here is what it says.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{Entry, Event, Happening};
use crate::contract::{Contract, Text};
use crate::ledger::{Cause, Incident, Maintenance, Status};

/// A mail's subject and body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// One line.
    pub subject: Text,
    /// Lines of text.
    pub body: Text,
}

/// What `event` says.
#[must_use]
pub fn message(event: &Event<'_>, contract: &Contract) -> Message {
    let functions = titles(event.entry.functions(), contract);
    let (subject, lines) = match event.entry {
        Entry::Incident(incident) => of_incident(incident, event.happening, &functions, contract),
        Entry::Maintenance(stop) => of_maintenance(stop, event.happening, &functions, contract),
    };
    Message {
        subject: Text { ja: one_line(&subject.ja), en: one_line(&subject.en) },
        body: Text { ja: joined(&lines, |l| &l.ja), en: joined(&lines, |l| &l.en) },
    }
}

fn both(ja: impl Into<String>, en: impl Into<String>) -> Text {
    Text { ja: ja.into(), en: en.into() }
}

fn of_incident(incident: &Incident, what: Happening, functions: &Text, contract: &Contract) -> (Text, Vec<Text>) {
    let title = &incident.title;
    let zone = &contract.timezone;
    let began = moment(incident.started_at, zone);
    let mut lines = Vec::new();
    let subject = match what {
        Happening::Updated { index, .. } => {
            if let Some(update) = incident.updates.get(index) {
                let status = status(update.status);
                let at = moment(update.at, zone);
                lines.push(both(
                    format!("{}現在の状況: {}", at.ja, status.ja),
                    format!("Status as of {}: {}", at.en, status.en),
                ));
                lines.push(update.text.clone());
            }
            both(format!("【続報】{}: {}", functions.ja, title.ja), format!("[Update] {}: {}", functions.en, title.en))
        }
        Happening::Resolved => {
            lines.push(if incident.cause == Some(Cause::FalseAlarm) {
                both(
                    "先にお知らせした下記の障害は誤報でした。サービスは正常に稼働していました。ご迷惑をおかけし申し訳ございません。",
                    "What we reported below was a false alarm; the service worked throughout. We apologise.",
                )
            } else {
                both("下記の障害は復旧しました。", "The failure below is over.")
            });
            // Said last, it is what is to be said of the recovery.
            if let Some(last) = incident.updates.last().filter(|update| update.status == Status::Resolved) {
                lines.push(last.text.clone());
            }
            both(
                format!("【復旧】{}: {}", functions.ja, title.ja),
                format!("[Resolved] {}: {}", functions.en, title.en),
            )
        }
        // Written up afterwards; the next mail says the rest.
        _ if incident.resolved_at.is_some() => {
            lines.push(both(
                "下記の障害が発生しました。現在は復旧しています。",
                "There was a failure, as below. It is over now.",
            ));
            both(format!("【障害】{}: {}", functions.ja, title.ja), format!("[Failure] {}: {}", functions.en, title.en))
        }
        _ => {
            lines.push(both(
                "下記の障害が発生しています。詳細は判明次第お知らせします。",
                "There is a failure, as below. We will write again as soon as we know more.",
            ));
            both(format!("【障害】{}: {}", functions.ja, title.ja), format!("[Failure] {}: {}", functions.en, title.en))
        }
    };
    lines.push(Text::default());
    lines.push(title.clone());
    lines.push(both(format!("対象機能: {}", functions.ja), format!("Affected: {}", functions.en)));
    lines.push(both(format!("発生日時: {}", began.ja), format!("Since: {}", began.en)));
    if let Some(over) = incident.resolved_at.filter(|_| what == Happening::Resolved) {
        let over = moment(over, zone);
        lines.push(both(format!("復旧日時: {}", over.ja), format!("Until: {}", over.en)));
        if let Some(Cause::Upstream(name)) = &incident.cause {
            let upstream = contract.upstreams.iter().find(|upstream| upstream.name == *name);
            let title = upstream.map_or_else(|| both(name.clone(), name.clone()), |upstream| upstream.title.clone());
            lines.push(both(format!("原因: {}", title.ja), format!("Cause: {}", title.en)));
        }
    }
    (subject, lines)
}

fn of_maintenance(stop: &Maintenance, what: Happening, functions: &Text, contract: &Contract) -> (Text, Vec<Text>) {
    let (title, zone) = (&stop.title, &contract.timezone);
    let day = day(stop.start, zone);
    let emergency = if stop.emergency { both("緊急", "Emergency maintenance") } else { both("", "Maintenance") };
    let heading = |ja: &str, en: &str| {
        both(
            format!("【{}メンテナンス{ja}】{} {}: {}", emergency.ja, day.ja, functions.ja, title.ja),
            format!("[{}{en}] {} {}: {}", emergency.en, day.en, functions.en, title.en),
        )
    };
    let (subject, first) = match what {
        Happening::Reminder => (
            heading("実施予定", ": reminder"),
            both("下記のとおりメンテナンスを実施します。", "The maintenance below will take place as announced."),
        ),
        Happening::Changed(_) => (
            heading("変更", " changed"),
            both(
                "お知らせしたメンテナンスの日時または対象機能を、下記のとおり変更します。",
                "The time or the scope of the maintenance has changed. What follows replaces what we announced.",
            ),
        ),
        Happening::Started => {
            (heading("開始", " begins"), both("下記のメンテナンスを開始しました。", "The maintenance below has begun."))
        }
        Happening::Finished => (
            heading("終了", " finished"),
            both("下記のメンテナンスは終了しました。", "The maintenance below is finished."),
        ),
        Happening::Overrun => (
            heading("延長", " takes longer"),
            both(
                "下記のメンテナンスは予定の時刻を過ぎて続いています。ご迷惑をおかけします。終了次第お知らせします。",
                "The maintenance below goes on beyond its announced end. We apologise, and will write when it is finished.",
            ),
        ),
        Happening::Cancelled => (
            heading("中止", " cancelled"),
            both("下記のメンテナンスは中止します。", "The maintenance below will not take place."),
        ),
        _ => (
            heading("のお知らせ", ""),
            both(
                "下記のとおりメンテナンスを実施します。作業中は対象機能をご利用いただけません。",
                "The maintenance below will take place. The functions named cannot be used meanwhile.",
            ),
        ),
    };
    let (start, end) = (moment(stop.start, zone), moment(stop.end, zone));
    let mut lines = vec![first, Text::default(), title.clone()];
    if !stop.text.en.is_empty() || !stop.text.ja.is_empty() {
        lines.push(stop.text.clone());
    }
    lines.push(both(format!("対象機能: {}", functions.ja), format!("Affected: {}", functions.en)));
    lines.push(both(format!("予定日時: {} 〜 {}", start.ja, end.ja), format!("Planned: {} to {}", start.en, end.en)));
    if let Some(over) = stop.finished_at.filter(|_| what == Happening::Finished) {
        let over = moment(over, zone);
        lines.push(both(format!("終了日時: {}", over.ja), format!("Finished: {}", over.en)));
    }
    (subject, lines)
}

fn status(status: Status) -> Text {
    match status {
        Status::Investigating => both("調査中", "investigating"),
        Status::Identified => both("原因判明", "identified"),
        Status::Monitoring => both("経過観察中", "monitoring"),
        Status::Resolved => both("復旧", "resolved"),
    }
}

/// What the functions are called.
fn titles(names: &[String], contract: &Contract) -> Text {
    let title = |name: &String| {
        let function = contract.functions.iter().find(|function| function.name == *name);
        function.map_or_else(|| both(name.clone(), name.clone()), |function| function.title.clone())
    };
    let titles: Vec<Text> = names.iter().map(title).collect();
    let join = |pick: fn(&Text) -> &str, comma: &str| titles.iter().map(pick).collect::<Vec<_>>().join(comma);
    both(join(|t| &t.ja, "、"), join(|t| &t.en, ", "))
}

/// A moment on the contract's clocks, with the zone's name: `2026年11月20日(金) 21:00 JST`.
#[must_use]
pub fn moment(at: Timestamp, zone: &TimeZone) -> Text {
    let zoned = at.to_zoned(zone.clone());
    let day = day(at, zone);
    let time = zoned.strftime("%H:%M %Z").to_string();
    both(format!("{} {time}", day.ja), format!("{} {time}", day.en))
}

/// The same without the time: `2026年11月20日(金)`.
#[must_use]
pub fn day(at: Timestamp, zone: &TimeZone) -> Text {
    let zoned = at.to_zoned(zone.clone());
    let weekday = ["月", "火", "水", "木", "金", "土", "日"]
        .get(usize::from(zoned.weekday().to_monday_zero_offset().unsigned_abs()))
        .copied()
        .unwrap_or_default();
    both(
        zoned.strftime("%Y年%-m月%-d日").to_string() + &format!("({weekday})"),
        zoned.strftime("%a %-d %b %Y").to_string(),
    )
}

fn joined(lines: &[Text], pick: impl Fn(&Text) -> &str) -> String {
    lines.iter().map(pick).collect::<Vec<_>>().join("\n")
}

/// Subjects are one line, and not endless.
fn one_line(text: &str) -> String {
    let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if flat.chars().count() <= 200 { flat } else { flat.chars().take(199).chain(['…']).collect() }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::contract::{Function, MaintenanceTerms, Upstream};
    use crate::ledger::Update;

    pub(in crate::notices) fn contract() -> Contract {
        let function = |name: &str, ja: &str, en: &str| Function {
            name: name.to_owned(),
            title: both(ja, en),
            objective: 0.99,
            maintenance_limit: None,
            capabilities: Vec::new(),
        };
        Contract {
            name: "c".to_owned(),
            title: both("契約", "Contract"),
            timezone: TimeZone::get("Asia/Tokyo").unwrap(),
            timezone_name: "Asia/Tokyo".to_owned(),
            start: None,
            maintenance: MaintenanceTerms { notice: std::time::Duration::ZERO, slot: None },
            functions: vec![
                function("client", "クライアント機能", "Client function"),
                function("consumer", "コンシューマ機能", "Consumer function"),
            ],
            upstreams: vec![Upstream {
                name: "sfdc".to_owned(),
                title: both("SFDC", "Salesforce"),
                probes: Vec::new(),
            }],
            connectivity: Vec::new(),
            duties: Vec::new(),
        }
    }

    fn incident() -> Incident {
        let update =
            |at: &str, status, ja: &str, en: &str| Update { at: at.parse().unwrap(), status, text: both(ja, en) };
        Incident {
            id: "i".to_owned(),
            title: both("ログイン\n障害", "Login failure"),
            functions: vec!["client".to_owned(), "consumer".to_owned()],
            cause: Some(Cause::Upstream("sfdc".to_owned())),
            started_at: "2026-10-07T01:02:00Z".parse().unwrap(),
            resolved_at: Some("2026-10-07T01:31:00Z".parse().unwrap()),
            decided: None,
            notices: Vec::new(),
            updates: vec![
                update("2026-10-07T01:10:00Z", Status::Identified, "原因が判明しました。", "We know the cause."),
                update("2026-10-07T01:31:00Z", Status::Resolved, "ご迷惑をおかけしました。", "We apologise."),
            ],
        }
    }

    #[test]
    fn a_customer_reads_what_failed_since_when_and_how_it_stands_in_both_languages() {
        let incident = incident();
        let say = |happening| message(&Event { entry: Entry::Incident(&incident), happening, at: 0 }, &contract());
        let opened = say(Happening::Opened);
        assert_eq!(opened.subject.ja, "【障害】クライアント機能、コンシューマ機能: ログイン 障害");
        assert_eq!(opened.subject.en, "[Failure] Client function, Consumer function: Login failure");
        assert!(opened.body.ja.ends_with("発生日時: 2026年10月7日(水) 10:02 JST"), "{}", opened.body.ja);
        assert!(opened.body.en.ends_with("Since: Wed 7 Oct 2026 10:02 JST"), "{}", opened.body.en);
        let update = say(Happening::Updated { index: 0, number: 1 });
        assert!(
            update.body.ja.starts_with("2026年10月7日(水) 10:10 JST現在の状況: 原因判明\n原因が判明しました。\n\n"),
            "{}",
            update.body.ja
        );
        assert!(
            update.body.en.starts_with("Status as of Wed 7 Oct 2026 10:10 JST: identified\nWe know"),
            "{}",
            update.body.en
        );
        let resolved = say(Happening::Resolved);
        assert!(resolved.body.ja.contains("復旧しました。\nご迷惑をおかけしました。"), "{}", resolved.body.ja);
        assert!(
            resolved.body.ja.ends_with("復旧日時: 2026年10月7日(水) 10:31 JST\n原因: SFDC"),
            "{}",
            resolved.body.ja
        );
        assert!(resolved.body.en.ends_with("Cause: Salesforce"), "{}", resolved.body.en);
    }

    #[test]
    fn a_maintenance_is_announced_with_date_stop_and_scope() {
        let mut stop = Maintenance {
            id: "m".to_owned(),
            title: both("定期メンテナンス", "Regular maintenance"),
            text: both("メール配信は停止しません。", "Mail goes on."),
            functions: vec!["consumer".to_owned()],
            announced_at: None,
            start: "2026-11-20T12:00:00Z".parse().unwrap(),
            end: "2026-11-20T16:00:00Z".parse().unwrap(),
            finished_at: Some("2026-11-20T15:00:00Z".parse().unwrap()),
            emergency: false,
            cancelled_at: None,
            notices: Vec::new(),
        };
        let say = |stop: &Maintenance, happening| {
            message(&Event { entry: Entry::Maintenance(stop), happening, at: 0 }, &contract())
        };
        let announced = say(&stop, Happening::Announced);
        assert_eq!(
            announced.subject.ja,
            "【メンテナンスのお知らせ】2026年11月20日(金) コンシューマ機能: 定期メンテナンス"
        );
        assert_eq!(announced.subject.en, "[Maintenance] Fri 20 Nov 2026 Consumer function: Regular maintenance");
        assert!(announced.body.ja.ends_with("メール配信は停止しません。\n対象機能: コンシューマ機能\n予定日時: 2026年11月20日(金) 21:00 JST 〜 2026年11月21日(土) 01:00 JST"), "{}", announced.body.ja);
        assert!(!announced.body.en.contains("Finished"));
        assert!(say(&stop, Happening::Finished).body.en.ends_with("Finished: Sat 21 Nov 2026 00:00 JST"));
        stop.emergency = true;
        assert!(say(&stop, Happening::Started).subject.ja.starts_with("【緊急メンテナンス開始】"));
        let subjects = [
            Happening::Announced,
            Happening::Changed(1),
            Happening::Reminder,
            Happening::Started,
            Happening::Finished,
            Happening::Overrun,
            Happening::Cancelled,
        ]
        .map(|happening| say(&stop, happening).subject.en);
        let different: std::collections::BTreeSet<_> = subjects.iter().collect();
        assert_eq!(different.len(), subjects.len(), "{subjects:?}");
    }

    #[test]
    fn a_subject_stays_one_line_of_bounded_length() {
        let long = Incident { title: both("障".repeat(5000), "line\r\nBcc: x"), ..incident() };
        let message =
            message(&Event { entry: Entry::Incident(&long), happening: Happening::Opened, at: 0 }, &contract());
        assert_eq!(message.subject.ja.chars().count(), 200);
        assert!(!message.subject.en.contains(['\r', '\n']));
    }
}
