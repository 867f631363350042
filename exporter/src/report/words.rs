//! What a report says, in Japanese and English: moments, lengths, labels, and sentences about what the model holds.
//!
//! Shared by all documents for people. Pure; the zone is the contract's. Not for: layout, escaping (the renderers), the
//! digits of shares (`rounding`).

mod duties;
pub mod labels;
mod sentences;
mod times;

use jiff::tz::TimeZone;

pub use self::times::length;

use super::model::{Note, Report, WeeklySlot};
use crate::lang::Lang;

/// Words for one report in one language.
#[derive(Clone, Debug)]
pub struct Words<'a> {
    /// The language.
    pub lang: Lang,
    report: &'a Report,
    zone: TimeZone,
    /// Clocks changed in the month: times say which offset they are of.
    offsets: bool,
}

impl<'a> Words<'a> {
    /// Words for `report` in `lang`.
    #[must_use]
    pub fn new(report: &'a Report, lang: Lang) -> Self {
        // The zone is one the configuration was checked with; a report read back elsewhere falls back to what is true
        // everywhere, and says so by its offsets.
        let zone = TimeZone::get(&report.contract.timezone);
        let changed = report.status.notes.iter().any(|note| matches!(note, Note::ClocksChanged { .. }));
        let offsets = changed || zone.is_err();
        Self { lang, report, zone: zone.unwrap_or(TimeZone::UTC), offsets }
    }

    /// The zone of all times that are said.
    #[must_use]
    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// The title of a function, or its name where it is not of this contract.
    #[must_use]
    pub fn function<'b>(&'b self, name: &'b str) -> &'b str {
        let known = self.report.functions.iter().find(|function| function.name == name);
        known.map_or(name, |function| function.title.of(self.lang))
    }

    /// A share that `rounding` printed, with its sign; a dash where there is none.
    #[must_use]
    pub fn percent(&self, printed: Option<String>) -> String {
        printed.map_or_else(|| "–".to_owned(), |share| self.lang.pick(format!("{share}%"), format!("{share} %")))
    }

    /// The objective as a promise: `99%以上`, `≥ 99 %`.
    #[must_use]
    pub fn promised(&self, objective: f64) -> String {
        let share = super::rounding::objective(objective);
        self.lang.pick(format!("{share}%以上"), format!("≥ {share} %"))
    }

    /// The weekly stretch for maintenance: `金 21:00 〜 月 03:00`.
    #[must_use]
    pub fn weekly(&self, slot: &WeeklySlot) -> String {
        let day = |text: &str| {
            const DAYS: [(&str, &str); 7] = [
                ("Mon", "月"),
                ("Tue", "火"),
                ("Wed", "水"),
                ("Thu", "木"),
                ("Fri", "金"),
                ("Sat", "土"),
                ("Sun", "日"),
            ];
            let known = DAYS.iter().find(|(en, _)| text.starts_with(en));
            known.map_or_else(|| text.to_owned(), |(en, ja)| text.replacen(en, self.lang.pick(ja, en), 1))
        };
        format!("{} {} {}", day(&slot.from), self.lang.pick("〜", "–"), day(&slot.to))
    }

    /// Several of something, joined.
    #[must_use]
    pub fn list<S: AsRef<str>>(&self, items: &[S]) -> String {
        items.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(self.lang.pick("、", ", "))
    }
}

/// The language a contract is written in: Japanese where its title is, else English.
#[must_use]
pub fn natural(title: &crate::contract::Text) -> Lang {
    let japanese = |c: char| matches!(c, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{ff66}'..='\u{ff9f}');
    if title.ja.chars().any(japanese) { Lang::Ja } else { Lang::En }
}

#[cfg(test)]
mod tests;
