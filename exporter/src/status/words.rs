//! What the status page says, Japanese and English. Pure.

use jiff::Timestamp;

use super::entries::{CauseView, IncidentView, StopView};
use super::page::Page;
use super::state::{Phase, State};
use crate::contract::Text;
use crate::lang::Lang;
use crate::ledger::Status;
use crate::notices::words::{day, moment};

/// Words for one page in one language.
#[derive(Clone, Copy, Debug)]
pub struct Words<'a> {
    /// The page.
    pub page: &'a Page,
    /// The language.
    pub lang: Lang,
}

impl Words<'_> {
    /// One of two texts.
    pub fn say<T>(&self, ja: T, en: T) -> T {
        self.lang.pick(ja, en)
    }

    /// A text in this language; in the other where it has none in this one.
    #[must_use]
    pub fn text<'t>(&self, text: &'t Text) -> &'t str {
        match text.of(self.lang) {
            "" => self.lang.pick(&text.en, &text.ja),
            own => own,
        }
    }

    /// What the page is called.
    #[must_use]
    pub fn title(&self) -> String {
        let title = self.text(&self.page.title);
        self.say(format!("{title} 稼働状況"), format!("{title}: status"))
    }

    /// How a function is.
    #[must_use]
    pub fn state(&self, state: State) -> &'static str {
        match state {
            State::Up => self.say("稼働中", "Operational"),
            State::Maintenance => self.say("メンテナンス中", "Under maintenance"),
            State::Unknown => self.say("状態不明", "Unknown"),
            State::Impaired => self.say("障害対応中", "Incident in progress"),
            State::Down => self.say("停止中", "Down"),
        }
    }

    /// The whole in one sentence.
    #[must_use]
    pub fn overall(&self) -> String {
        let functions = &self.page.functions;
        let worst = self.page.worst();
        let concerned: Vec<&str> = functions
            .iter()
            .filter(|function| function.state == worst)
            .map(|function| self.text(&function.title))
            .collect();
        let all = concerned.len() == functions.len();
        let names = self.join(&concerned);
        let are = if concerned.len() == 1 { "is" } else { "are" };
        match worst {
            State::Up => {
                self.say("すべての機能が稼働しています".to_owned(), "All functions are operational".to_owned())
            }
            State::Maintenance => {
                self.say(format!("{names}はメンテナンス中です"), format!("{names} {are} under maintenance"))
            }
            State::Unknown if all => {
                self.say("現在の状態を確認できません".to_owned(), "The current state is unknown".to_owned())
            }
            State::Unknown => {
                self.say(format!("{names}の状態を確認できません"), format!("The state of {names} is unknown"))
            }
            State::Impaired => {
                self.say(format!("{names}で障害対応中です"), format!("There is an incident with {names}"))
            }
            State::Down => self.say(format!("{names}が停止しています"), format!("{names} {are} down")),
        }
    }

    /// How far an incident is.
    #[must_use]
    pub fn status(&self, status: Status) -> &'static str {
        match status {
            Status::Investigating => self.say("調査中", "Investigating"),
            Status::Identified => self.say("原因判明", "Identified"),
            Status::Monitoring => self.say("経過観察中", "Monitoring"),
            Status::Resolved => self.say("復旧", "Resolved"),
        }
    }

    /// How far a maintenance is.
    #[must_use]
    pub fn phase(&self, phase: Phase) -> &'static str {
        match phase {
            Phase::Scheduled => self.say("予定", "Scheduled"),
            Phase::InProgress => self.say("実施中", "In progress"),
            Phase::Overrun => self.say("延長中", "Taking longer"),
            Phase::Completed => self.say("終了", "Completed"),
            Phase::Cancelled => self.say("中止", "Cancelled"),
        }
    }

    /// Whose doing an incident was, as a sentence.
    #[must_use]
    pub fn cause(&self, cause: &CauseView) -> String {
        match cause {
            CauseView::Upstream(title) => {
                let title = self.text(title);
                self.say(format!("{title}に起因する障害です。"), format!("The cause was {title}."))
            }
            CauseView::ForceMajeure => {
                self.say("不可抗力による障害です。", "The cause was beyond reasonable control.").to_owned()
            }
            CauseView::FalseAlarm => self
                .say("調査の結果、機能の停止はありませんでした。", "On examination, no function had stopped.")
                .to_owned(),
        }
    }

    /// The functions an entry is about.
    #[must_use]
    pub fn functions(&self, names: &[String]) -> String {
        let titles: Vec<&str> = self.page.titles(names).map(|title| self.text(title)).collect();
        self.join(&titles)
    }

    fn join(&self, items: &[&str]) -> String {
        items.join(self.say("、", ", "))
    }

    /// A moment on the contract's clocks, with the zone.
    #[must_use]
    pub fn moment(&self, at: i64) -> String {
        Timestamp::from_second(at)
            .map_or_else(|_| at.to_string(), |at| self.text(&moment(at, &self.page.zone)).to_owned())
    }

    /// The day of a moment.
    #[must_use]
    pub fn day(&self, at: i64) -> String {
        Timestamp::from_second(at).map_or_else(|_| at.to_string(), |at| self.text(&day(at, &self.page.zone)).to_owned())
    }

    /// A moment for programs, with the zone's offset.
    #[must_use]
    pub fn machine(&self, at: i64) -> String {
        rfc3339(self.page, at, "%Y-%m-%dT%H:%M:%S%:z")
    }

    /// The sentence a maintenance is told with in lists.
    #[must_use]
    pub fn stop_kind(&self, stop: &StopView) -> &'static str {
        if stop.emergency {
            self.say("緊急メンテナンス", "Emergency maintenance")
        } else {
            self.say("計画メンテナンス", "Planned maintenance")
        }
    }

    /// From when to when an incident lasted.
    #[must_use]
    pub fn lasted(&self, incident: &IncidentView) -> String {
        match incident.resolved {
            Some(end) => self.stretch(incident.started, end),
            None => self.say(
                format!("{} から継続中", self.moment(incident.started)),
                format!("since {}", self.moment(incident.started)),
            ),
        }
    }

    /// From one moment to another; a day they share is said once.
    #[must_use]
    pub fn stretch(&self, start: i64, end: i64) -> String {
        let last = self.moment(end);
        let last = match last.strip_prefix(&self.day(end)) {
            Some(time) if self.day(start) == self.day(end) => time.trim_start().to_owned(),
            _ => last,
        };
        let first = self.moment(start);
        // The zone is said once where both have the same.
        let zone = |text: &str| text.rsplit_once(' ').map(|(_, zone)| zone.to_owned());
        let first = match first.rsplit_once(' ') {
            Some((time, own)) if zone(&last).as_deref() == Some(own) => time.to_owned(),
            _ => first,
        };
        format!("{first} {} {last}", self.say("〜", "–"))
    }
}

/// A moment in the page's zone, by a format of jiff.
#[must_use]
pub fn rfc3339(page: &Page, at: i64, format: &str) -> String {
    let at = Timestamp::from_second(at).unwrap_or_default();
    at.to_zoned(page.zone.clone()).strftime(format).to_string()
}
