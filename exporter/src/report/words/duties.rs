//! Sentences about the contract's duties.

use super::Words;
use crate::report::model::{Breach, BreachKind, DutyEvidence, DutyReport, DutyState, Missing, Outcome};
use crate::report::rounding;

impl Words<'_> {
    /// `遵守`, `not kept`.
    #[must_use]
    pub fn duty_state(&self, state: DutyState) -> &'static str {
        let goes_on = self.report.counted_until < self.report.month_end;
        match state {
            DutyState::Kept if goes_on => self.lang.pick("遵守（現時点）", "kept so far"),
            DutyState::Kept => self.lang.pick("遵守", "kept"),
            DutyState::NotKept => self.lang.pick("不遵守", "not kept"),
            DutyState::NotMeasured => self.lang.pick("未測定", "not measured"),
        }
    }

    /// On what a duty's state rests, as one sentence.
    #[must_use]
    pub fn duty_evidence(&self, duty: &DutyReport) -> String {
        let both = |ja: String, en: String| self.lang.pick(ja, en);
        match &duty.evidence {
            DutyEvidence::BeforeContract => {
                both("契約開始前の月です。".to_owned(), "The contract had not begun.".to_owned())
            }
            DutyEvidence::NotConfigured { setting } => both(
                format!("当月、測定の設定がありません（sla.ymlの「{setting}」で設定します）。"),
                format!("Not configured in the month: “{setting}” in sla.yml measures it."),
            ),
            DutyEvidence::NotRecorded => both(
                "測定の設定はありますが、当月の記録がありません（Prometheusでrecording-rules/duties.ymlが評価されているかをご確認ください）。"
                    .to_owned(),
                "It was configured, but the month has no records of it; see that Prometheus evaluates recording-rules/duties.yml."
                    .to_owned(),
            ),
            DutyEvidence::NotAsked => both(
                "記録がありません（遵守状況の記録を始める前に確定した月です）。".to_owned(),
                "Not recorded: the month was closed before duties were recorded.".to_owned(),
            ),
            DutyEvidence::Unseen => both(
                "監視では確認できない事項のため、測定の対象外です。".to_owned(),
                "Monitoring cannot see this; it has to be shown otherwise.".to_owned(),
            ),
            DutyEvidence::Slots { .. } => self.duty_slots(&duty.evidence),
            DutyEvidence::Availability { outcome: Outcome::Unmeasured, .. } => both(
                "当月の記録がありません（この機能の監視が設定され、Prometheusでrecording-rules/slots.ymlが評価されているかをご確認ください）。"
                    .to_owned(),
                "The month has no records of it; see that probes are its evidence and that Prometheus evaluates recording-rules/slots.yml."
                    .to_owned(),
            ),
            DutyEvidence::Availability { function, outcome } => {
                let outcome = match outcome {
                    Outcome::Open if duty.state == DutyState::NotMeasured => {
                        self.lang.pick("期間中（未測定時間があり未確認）", "open, unproven (unmeasured time)")
                    }
                    outcome => self.outcome(*outcome),
                };
                match self.report.functions.iter().find(|known| known.name == *function) {
                    Some(known) => {
                        let share = self.percent(rounding::availability(&known.provisional, known.objective));
                        let promised = self.promised(known.objective);
                        both(
                            format!("月間稼働率{share}、目標{promised}: {outcome}。"),
                            format!("Availability {share}, promised {promised}: {outcome}."),
                        )
                    }
                    None => outcome.to_owned(),
                }
            }
            DutyEvidence::Maintenance { stops: 0 } => {
                both("計画メンテナンスはありませんでした。".to_owned(), "There was no planned maintenance.".to_owned())
            }
            DutyEvidence::Maintenance { stops } => {
                let broken = duty.breaches.len() + duty.more_breaches;
                both(
                    format!("計画メンテナンス{stops}件、条件への違反{broken}件。"),
                    format!("Planned stops: {stops}; breaches of their terms: {broken}."),
                )
            }
            DutyEvidence::Notices { incidents: 0, unexplained, .. } => {
                let more = self.unexplained(*unexplained);
                both(format!("障害の記録はありません。{more}"), format!("There is no incident.{more}"))
            }
            DutyEvidence::Notices { incidents, told, slowest_seconds, unexplained } => {
                let more = self.unexplained(*unexplained);
                let slowest = match slowest_seconds {
                    None => String::new(),
                    Some(seconds) => {
                        let length = self.first_report(Some(*seconds));
                        both(format!("第一報まで最長{length}。"), format!(" Slowest first report: {length}."))
                    }
                };
                both(
                    format!("障害{incidents}件のうち{told}件をお知らせしました。{slowest}{more}"),
                    format!("Incidents: {incidents}; customers were told of {told}.{slowest}{more}"),
                )
            }
            DutyEvidence::Advisories { recorded: 0, .. } => {
                both(
                    "運用台帳に脆弱性情報の記録がありません（台帳の「advisories」に記入すると判定されます）。".to_owned(),
                    "The ledger has no advisories; those entered under “advisories” are judged.".to_owned(),
                )
            }
            DutyEvidence::Advisories { advisories, .. } => {
                let overdue = duty.breaches.len() + duty.more_breaches;
                both(
                    format!("当月に対応を要した脆弱性情報{advisories}件、期限超過{overdue}件。"),
                    format!("Advisories that waited in the month: {advisories}; past their due day: {overdue}."),
                )
            }
            DutyEvidence::Answers { tickets, expected_days, measured_days } => {
                let days = match (expected_days, measured_days) {
                    (Some(expected), Some(measured)) if measured < expected => self.lang.pick(
                        format!("受付状況を確認できたのは{expected}日のうち{measured}日です。"),
                        format!(" Days on which they were read: {measured} of {expected}."),
                    ),
                    _ => String::new(),
                };
                let all = tickets.in_time + tickets.late + tickets.overdue + tickets.waiting;
                both(
                    format!(
                        "当月受付{all}件: 期限内の回答{}件、期限後の回答{}件、期限超過の未回答{}件、期限前の未回答{}件。{days}",
                        tickets.in_time, tickets.late, tickets.overdue, tickets.waiting
                    ),
                    format!(
                        "Inquiries received: {all}; answered in time: {}, late: {}; not answered and overdue: {}, still in time: {}.{days}",
                        tickets.in_time, tickets.late, tickets.overdue, tickets.waiting
                    ),
                )
            }
        }
    }

    /// Downtime no entry is about, as a sentence to be added.
    fn unexplained(&self, stretches: usize) -> String {
        match stretches {
            0 => String::new(),
            stretches => self.lang.pick(
                format!("ほかに、障害かどうか未判定の停止が{stretches}件あります（運用台帳への記入待ち）。"),
                format!(" Stretches of downtime nobody has judged: {stretches}; they wait for an entry in the ledger."),
            ),
        }
    }

    fn duty_slots(&self, evidence: &DutyEvidence) -> String {
        let DutyEvidence::Slots { expected_seconds, measured_seconds, broken_seconds, expected_days, measured_days } =
            evidence
        else {
            return String::new();
        };
        let measured = match (expected_days, measured_days) {
            (Some(expected), Some(measured)) => self.lang.pick(
                format!("対象{expected}日のうち{measured}日を測定"),
                format!("Days measured: {measured} of {expected}"),
            ),
            _ => {
                let share = self.percent(share(*measured_seconds, *expected_seconds));
                let (expected, measured) = (self.length(*expected_seconds), self.length(*measured_seconds));
                self.lang.pick(
                    format!("対象{expected}のうち{measured}（{share}）を測定"),
                    format!("Measured for {measured} of {expected} ({share})"),
                )
            }
        };
        match broken_seconds {
            0 if *measured_seconds == 0 => self.lang.pick(format!("{measured}。"), format!("{measured}.")),
            0 => self.lang.pick(format!("{measured}、違反なし。"), format!("{measured}; never broken.")),
            broken => {
                let length = self.length(*broken);
                self.lang.pick(format!("{measured}、違反{length}。"), format!("{measured}; broken for {length}."))
            }
        }
    }

    /// What broke a duty, as one sentence without a full stop.
    #[must_use]
    pub fn breach(&self, breach: &Breach) -> String {
        let both = |ja: String, en: String| self.lang.pick(ja, en);
        let item = self.duty_item(&breach.item);
        match breach.how {
            BreachKind::Measured => {
                let item = match breach.item.as_str() {
                    "inquiries" => {
                        both("期限を過ぎたお問い合わせ".to_owned(), "inquiries past their deadline".to_owned())
                    }
                    _ => item,
                };
                let when = breach.start.map(|start| self.stretch(start, breach.end)).unwrap_or_default();
                match breach.stretches {
                    0 | 1 => format!("{item}: {when}"),
                    times => {
                        let length = self.length(breach.seconds);
                        both(
                            format!("{item}: {when}に{times}回、計{length}"),
                            format!("{item}: {when}, {times} times, {length} in all"),
                        )
                    }
                }
            }
            BreachKind::Notice => {
                let (stop, required) =
                    (self.stop(&breach.item), self.long(self.report.contract.notice_required_seconds));
                both(
                    format!("メンテナンス「{stop}」: 通知が{required}前に満たない"),
                    format!("the maintenance “{stop}”: announced less than {required} ahead"),
                )
            }
            BreachKind::Slot => {
                let stop = self.stop(&breach.item);
                let slot = self.report.contract.maintenance_slot.as_ref().map(|slot| self.weekly(slot));
                let slot = slot.unwrap_or_default();
                both(
                    format!("メンテナンス「{stop}」: 実施時間帯（{slot}）の外"),
                    format!("the maintenance “{stop}”: outside of {slot}"),
                )
            }
            BreachKind::Limit => {
                let (stop, length) = (self.stop(&breach.item), self.length(breach.seconds));
                both(
                    format!("メンテナンス「{stop}」: 停止{length}が上限を超過"),
                    format!("the maintenance “{stop}”: {length}, over the limit"),
                )
            }
            BreachKind::Untold => {
                let incident = self.incident(&breach.item);
                both(
                    format!("障害「{incident}」: お知らせの記録なし"),
                    format!("the incident “{incident}”: nobody was told"),
                )
            }
            BreachKind::Overdue => {
                let due = breach.start.map(|start| self.day(start)).unwrap_or_default();
                match breach.end {
                    Some(end) => {
                        let end = self.day(end);
                        both(format!("{item}: 期限{due}、適用{end}"), format!("{item}: due on {due}, applied on {end}"))
                    }
                    None => both(format!("{item}: 期限{due}、未対応"), format!("{item}: due on {due}, not settled")),
                }
            }
            BreachKind::Late => {
                let count = breach.stretches;
                both(
                    format!("期限内に回答しなかったお問い合わせ{count}件"),
                    format!("inquiries not answered in time: {count}"),
                )
            }
        }
    }

    /// That there are more breaches than are listed.
    #[must_use]
    pub fn more_breaches(&self, more: usize) -> String {
        self.lang.pick(format!("ほか{more}件"), format!("and {more} more"))
    }

    /// What was not measured, without a full stop.
    #[must_use]
    pub fn missing(&self, missing: &Missing) -> String {
        let (item, length) = (self.duty_item(&missing.item), self.length(missing.seconds));
        self.lang.pick(format!("{item}: 未測定{length}"), format!("{item}: not measured for {length}"))
    }

    /// An item as the rules name it; the few words of theirs in the reader's language.
    fn duty_item(&self, item: &str) -> String {
        const WORDS: [(&str, &str, &str); 5] = [
            ("restore drill", "復元訓練", "restore drill"),
            ("inquiries", "お問い合わせ", "inquiries"),
            (" age", " 経過時間", " age"),
            (" days", " 保存日数", " days kept"),
            (" size", " サイズ", " size"),
        ];
        for (end, ja, en) in WORDS {
            if let Some(rest) = item.strip_suffix(end) {
                return format!("{rest}{}", self.lang.pick(ja, en));
            }
        }
        item.to_owned()
    }
}

/// Percent with two digits, rounded down: never all where something is missing.
fn share(part: i64, whole: i64) -> Option<String> {
    let hundredths = part.checked_mul(10_000)?.checked_div(whole)?;
    Some(match hundredths % 100 {
        0 => (hundredths / 100).to_string(),
        rest => format!("{}.{rest:02}", hundredths / 100),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lang::Lang;
    use crate::report::sample::report;

    #[test]
    fn a_share_is_never_all_where_something_is_missing() {
        let cases = [(1, 1, "100"), (2_678_100, 2_678_400, "99.98"), (9_999_999, 10_000_000, "99.99"), (0, 5, "0")];
        for (part, whole, text) in cases {
            assert_eq!(share(part, whole).as_deref(), Some(text));
        }
        assert_eq!(share(0, 0), None);
    }

    #[test]
    fn evidence_and_breaches_say_what_when_and_how_long() {
        let report = report();
        let duty = |name: &str| report.duties.iter().find(|duty| duty.duty == name).unwrap();
        let (ja, en) = (Words::new(&report, Lang::Ja), Words::new(&report, Lang::En));
        let monitoring = duty("monitoring");
        assert_eq!(ja.duty_evidence(monitoring), "対象44,640分のうち44,640分（100%）を測定、違反25分。");
        assert_eq!(en.duty_evidence(monitoring), "Measured for 44,640 min of 44,640 min (100 %); broken for 25 min.");
        assert_eq!(ja.breach(&monitoring.breaches[0]), "web2: 2026/10/12 02:05 〜 2026/10/20 11:05に2回、計25分");
        assert_eq!(en.breach(&monitoring.breaches[1]), "db|1: 2026-10-20 11:00 – 11:05");
        // Configured without any record, and not configured: each says what to do.
        let (recorded, configured) = (duty("client_certificates"), duty("virus_check"));
        assert!(ja.duty_evidence(recorded).starts_with("測定の設定はありますが、当月の記録がありません（"));
        assert!(en.duty_evidence(recorded).ends_with("see that Prometheus evaluates recording-rules/duties.yml."));
        assert_eq!(
            ja.duty_evidence(configured),
            "当月、測定の設定がありません（sla.ymlの「prober: clamd」で設定します）。"
        );
        assert_eq!(
            en.duty_evidence(configured),
            "Not configured in the month: “prober: clamd” in sla.yml measures it."
        );
        let mut client = duty("availability/client").clone();
        let DutyEvidence::Availability { outcome, .. } = &mut client.evidence else { panic!("{client:?}") };
        *outcome = Outcome::Unmeasured;
        assert!(ja.duty_evidence(&client).starts_with("当月の記録がありません（"));
        assert!(en.duty_evidence(&client).starts_with("The month has no records of it; "));
        let late = Breach {
            item: "inquiries".to_owned(),
            how: BreachKind::Measured,
            start: Some(1_791_939_600),
            end: Some(1_791_943_200),
            seconds: 3600,
            stretches: 1,
        };
        assert_eq!(en.breach(&late), "inquiries past their deadline: 2026-10-14 10:00 – 11:00");
        assert_eq!(ja.breach(&late), "期限を過ぎたお問い合わせ: 2026/10/14 10:00 〜 11:00");
        let backups = duty("backups");
        assert_eq!(en.duty_evidence(backups), "Days measured: 29 of 31; never broken.");
        assert_eq!(ja.missing(&backups.missing[0]), "db 10.0.0.5:10115: 未測定3,240分");
        assert_eq!(en.duty_item("db a:1 days"), "db a:1 days kept");
    }
}
