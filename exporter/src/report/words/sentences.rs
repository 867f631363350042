//! Sentences and words about the model's enumerations.

use super::Words;
use crate::ledger::{AdvisoryDecision, Channel, Status as Progress};
use crate::report::model::{
    AdvisoryReport, CauseKind, Change, Difference, ExclusionKind, IncidentReport, Link, MaintenanceReport, Note,
    NoticeReport, Origin, Outcome, Sender, SlotCount, State, Waiting,
};

impl Words<'_> {
    /// `確定`, `provisional`.
    #[must_use]
    pub fn state(&self, state: State) -> &'static str {
        match state {
            State::Final => self.lang.pick("確定", "final"),
            State::Provisional => self.lang.pick("暫定", "provisional"),
        }
    }

    /// What the status means for the reader.
    #[must_use]
    pub fn state_sentence(&self, state: State) -> &'static str {
        match state {
            State::Final => self.lang.pick("当月の値は確定しています。", "Nothing waits: the figures are final."),
            State::Provisional => self.lang.pick(
                "当月の値は暫定です。次の事項により変わることがあります。",
                "The figures are provisional. These can still change them:",
            ),
        }
    }

    /// What is waited for, as one sentence.
    #[must_use]
    pub fn waiting(&self, waiting: &Waiting) -> String {
        match waiting {
            Waiting::MonthNotOver => self.lang.pick("対象月が終了していません。", "The month is not over.").to_owned(),
            Waiting::OpenIncident { id } => {
                let incident = self.incident(id);
                self.lang.pick(
                    format!("障害「{incident}」が収束していません。"),
                    format!("The incident “{incident}” goes on."),
                )
            }
            Waiting::UndecidedIncident { id } => {
                let incident = self.incident(id);
                self.lang.pick(
                    format!("障害「{incident}」の判定が済んでいません。"),
                    format!("Nobody has decided the incident “{incident}” yet."),
                )
            }
            Waiting::UnexplainedDowntime { function, seconds } => {
                let (function, length) = (self.function(function), self.length(*seconds));
                self.lang.pick(
                    format!("{function}に、測定されたが判定されていない停止が{length}あります。"),
                    format!("{function}: {length} of measured downtime nobody has judged yet."),
                )
            }
        }
    }

    /// What belongs beside the figures, as one sentence.
    #[must_use]
    pub fn note(&self, note: &Note) -> String {
        match note {
            Note::UnmeasuredTime { function, seconds } => {
                let (function, length) = (self.function(function), self.length(*seconds));
                self.lang.pick(
                    format!("{function}に、稼働状況を測定できなかった時間が{length}あります。停止時間には含めず、下限の計算に用いています。"),
                    format!("{function}: for {length} nobody knows whether it was up. They are no downtime; the lower bound takes them as such."),
                )
            }
            Note::ContractBegan { at } => {
                let day = self.day(*at);
                self.lang.pick(
                    format!("契約開始日は{day}です。それより前の時間は未測定時間に含めていません。"),
                    format!("The contract began on {day}; nothing before that counts as unmeasured."),
                )
            }
            Note::ClocksChanged { seconds } => {
                let length = self.length(seconds.abs());
                match seconds {
                    ..0 => self.lang.pick(
                        format!("時計の切り替えにより、当月の実時間は日数×24×60分より{length}短くなっています。計算には実時間を用いています。"),
                        format!("Clocks changed: the month is {length} shorter than days × 24 × 60. The figures use its true length."),
                    ),
                    _ => self.lang.pick(
                        format!("時計の切り替えにより、当月の実時間は日数×24×60分より{length}長くなっています。計算には実時間を用いています。"),
                        format!("Clocks changed: the month is {length} longer than days × 24 × 60. The figures use its true length."),
                    ),
                }
            }
        }
    }

    /// `達成`, `missed`.
    #[must_use]
    pub fn outcome(&self, outcome: Outcome) -> &'static str {
        match outcome {
            Outcome::Met => self.lang.pick("達成", "met"),
            Outcome::Unproven => self.lang.pick("達成（未測定時間があり未確認）", "met, unproven (unmeasured time)"),
            Outcome::Missed => self.lang.pick("未達", "missed"),
            Outcome::Open => self.lang.pick("期間中（未達なし）", "open, not missed so far"),
            Outcome::Unmeasured => self.lang.pick("測定なし", "not measured"),
            Outcome::NoService => self.lang.pick("サービス提供時間なし", "no service time"),
            Outcome::NotOwed => self.lang.pick("契約開始前", "before the contract"),
        }
    }

    /// Whose doing an incident was.
    #[must_use]
    pub fn cause(&self, incident: &IncidentReport) -> String {
        match incident.cause {
            None => self.lang.pick("調査中", "not known yet").to_owned(),
            Some(CauseKind::Internal) => self.lang.pick("当社設備・運用", "internal").to_owned(),
            Some(CauseKind::Upstream) => match &incident.upstream {
                Some(upstream) => {
                    let title = upstream.title.of(self.lang);
                    let name = if title.is_empty() { upstream.name.as_str() } else { title };
                    self.lang.pick(format!("外部プラットフォーム（{name}）"), format!("upstream platform ({name})"))
                }
                None => self.lang.pick("外部プラットフォーム", "upstream platform").to_owned(),
            },
            Some(CauseKind::ForceMajeure) => self.lang.pick("不可抗力", "beyond reasonable control").to_owned(),
            Some(CauseKind::FalseAlarm) => self.lang.pick("誤検知（停止なし）", "false alarm (was up)").to_owned(),
        }
    }

    /// Whether a maintenance is excluded, and why not.
    #[must_use]
    pub fn exclusion(&self, stop: &MaintenanceReport) -> String {
        match stop.exclusion {
            ExclusionKind::Excluded => self.lang.pick("除外時間に算入", "excluded").to_owned(),
            ExclusionKind::Cancelled => self.lang.pick("中止のため対象外", "called off").to_owned(),
            ExclusionKind::NotAnnounced => {
                self.lang.pick("除外しない（事前通知なし）", "not excluded: not announced").to_owned()
            }
            ExclusionKind::ShortNotice => {
                let required = self.long(self.report.contract.notice_required_seconds);
                self.lang.pick(
                    format!("除外しない（通知が{required}前に満たない）"),
                    format!("not excluded: announced less than {required} ahead"),
                )
            }
        }
    }

    /// The entry downtime is about.
    #[must_use]
    pub fn link(&self, link: Option<&Link>) -> String {
        match link {
            None => self.lang.pick("なし（要判定）", "none: to be judged").to_owned(),
            Some(Link::Incident { id }) => {
                let incident = self.incident(id);
                self.lang.pick(
                    format!("障害「{incident}」（原因調査中）"),
                    format!("incident “{incident}”, cause not known"),
                )
            }
            Some(Link::Overrun { id }) => {
                let stop = self.stop(id);
                self.lang.pick(format!("メンテナンス「{stop}」の超過"), format!("overrun of the maintenance “{stop}”"))
            }
            Some(Link::Counted { id }) => {
                let stop = self.stop(id);
                self.lang.pick(
                    format!("メンテナンス「{stop}」（除外対象外）"),
                    format!("the maintenance “{stop}”, which is not excluded"),
                )
            }
        }
    }

    /// How customers were told.
    #[must_use]
    pub fn notice(&self, notice: &NoticeReport) -> String {
        let channel = match notice.channel {
            Channel::Page => self.lang.pick("サポートページ", "support page"),
            Channel::Mail => self.lang.pick("メール", "mail"),
            Channel::Phone => self.lang.pick("電話", "phone"),
        };
        let by = match notice.sender {
            Sender::Ledger => "",
            Sender::Exporter => self.lang.pick("（自動送信）", " (automatic)"),
        };
        format!("{} {channel}{by}", self.moment(notice.at))
    }

    /// How soon customers were told.
    #[must_use]
    pub fn first_report(&self, seconds: Option<i64>) -> String {
        match seconds {
            None => self.lang.pick("通知なし", "nobody was told").to_owned(),
            Some(before @ ..0) => {
                let length = self.length(-before);
                self.lang.pick(format!("発生の{length}前"), format!("{length} before it occurred"))
            }
            Some(after) => self.length(after),
        }
    }

    /// How far an incident is.
    #[must_use]
    pub fn progress(&self, progress: Progress) -> &'static str {
        match progress {
            Progress::Investigating => self.lang.pick("調査中", "investigating"),
            Progress::Identified => self.lang.pick("原因判明", "identified"),
            Progress::Monitoring => self.lang.pick("経過観察中", "monitoring"),
            Progress::Resolved => self.lang.pick("復旧", "resolved"),
        }
    }

    /// What was measured within a stretch.
    #[must_use]
    pub fn slots(&self, count: SlotCount) -> String {
        let SlotCount { up, down, unmeasured } = count;
        self.lang.pick(
            format!("稼働{up}・停止{down}・未測定{unmeasured}（各5分）"),
            format!("{up} up, {down} down, {unmeasured} unmeasured (5 min each)"),
        )
    }

    /// Where a month of the year comes from.
    #[must_use]
    pub fn origin(&self, origin: Origin) -> String {
        match origin {
            Origin::Report => self.lang.pick("本報告書", "this report").to_owned(),
            Origin::Recorded => self.lang.pick("記録値", "recorded").to_owned(),
            Origin::Closed { revision } => {
                self.lang.pick(format!("確定報告 第{revision}版"), format!("closed, revision {revision}"))
            }
        }
    }

    /// What was decided about a security update.
    #[must_use]
    pub fn advisory(&self, advisory: &AdvisoryReport) -> &'static str {
        match (advisory.decision, advisory.applied_at) {
            (Some(AdvisoryDecision::NotApplicable), _) => self.lang.pick("対象外", "does not concern us"),
            (_, Some(_)) => self.lang.pick("適用済み", "applied"),
            (Some(AdvisoryDecision::Apply), None) => self.lang.pick("適用予定", "to be applied"),
            (None, None) => self.lang.pick("検討中", "not decided"),
        }
    }

    pub(super) fn incident<'b>(&'b self, id: &'b str) -> &'b str {
        let known = self.report.incidents.iter().find(|incident| incident.id == id);
        known.map(|incident| incident.title.of(self.lang)).filter(|title| !title.is_empty()).unwrap_or(id)
    }

    pub(super) fn stop<'b>(&'b self, id: &'b str) -> &'b str {
        let known = self.report.maintenance.iter().find(|stop| stop.id == id);
        known.map(|stop| stop.title.of(self.lang)).filter(|title| !title.is_empty()).unwrap_or(id)
    }
}

impl Words<'_> {
    /// A revision's number.
    #[must_use]
    pub fn revision(&self, number: u32) -> String {
        self.lang.pick(format!("第{number}版"), format!("Revision {number}"))
    }

    /// Against which revision the changes are.
    #[must_use]
    pub fn difference(&self, difference: &Difference) -> String {
        let (before, at) = (self.revision(difference.revision), self.moment(difference.closed_at));
        self.lang.pick(
            format!("{before}（{at}作成）以降の判定を反映しました。測定データは同じです。"),
            format!("Rulings after {before} ({at}) are taken in. The measured data are the same."),
        )
    }

    /// What became of an entry.
    #[must_use]
    pub fn change(&self, change: Change) -> &'static str {
        match change {
            Change::Added => self.lang.pick("追加", "added"),
            Change::Removed => self.lang.pick("削除", "removed"),
            Change::Changed => self.lang.pick("変更", "changed"),
        }
    }
}
