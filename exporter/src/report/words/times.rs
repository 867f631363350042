//! Moments and lengths.

use jiff::{Timestamp, Zoned};

use super::Words;
use crate::calendar::Month;
use crate::lang::Lang;
use crate::report::rounding::{grouped, minutes};

/// A length in minutes, exact: `44,640分`, `25分30秒`, `25 min 30 s`.
#[must_use]
pub fn length(lang: Lang, seconds: i64) -> String {
    let (whole, rest) = minutes(seconds);
    let sign = if seconds < 0 { "-" } else { "" };
    let (whole, rest) = (grouped(whole.abs()), rest.abs());
    match (rest, whole.as_str()) {
        (0, _) => sign.to_owned() + &lang.pick(format!("{whole}分"), format!("{whole} min")),
        (_, "0") => sign.to_owned() + &lang.pick(format!("{rest}秒"), format!("{rest} s")),
        _ => sign.to_owned() + &lang.pick(format!("{whole}分{rest}秒"), format!("{whole} min {rest} s")),
    }
}

impl Words<'_> {
    /// A moment to the minute, with seconds where it has some: `2026/10/07 10:02`, `2026-10-07 10:02:30`.
    #[must_use]
    pub fn moment(&self, at: i64) -> String {
        let Some(zoned) = self.zoned(at) else { return at.to_string() };
        let mut text = format!("{} {:02}:{:02}", self.date(&zoned), zoned.hour(), zoned.minute());
        if zoned.second() != 0 {
            text += &format!(":{:02}", zoned.second());
        }
        if self.offsets {
            text += &format!(" {}", zoned.strftime("%:z"));
        }
        text
    }

    /// The day of a moment.
    #[must_use]
    pub fn day(&self, at: i64) -> String {
        self.zoned(at).map_or_else(|| at.to_string(), |zoned| self.date(&zoned))
    }

    /// A stretch; the day is said once where it is the same.
    #[must_use]
    pub fn stretch(&self, start: i64, end: Option<i64>) -> String {
        let dash = self.lang.pick("〜", "–");
        let begin = self.moment(start);
        match end {
            None => format!("{begin} {dash}"),
            Some(end) if self.day(start) == self.day(end) => {
                let last = self.moment(end);
                let time = last.split_once(' ').map_or(last.as_str(), |(_, time)| time);
                format!("{begin} {dash} {time}")
            }
            Some(end) => format!("{begin} {dash} {}", self.moment(end)),
        }
    }

    /// A month: `2026年10月`, `October 2026`.
    #[must_use]
    pub fn month(&self, month: Month) -> String {
        let (year, number) = (month.year(), month.number());
        self.lang.pick(format!("{year}年{number}月"), format!("{} {year}", month.first_day().strftime("%B")))
    }

    /// A length in minutes, exact: `44,640分`, `25分30秒`, `25 min 30 s`.
    #[must_use]
    pub fn length(&self, seconds: i64) -> String {
        length(self.lang, seconds)
    }

    /// A long length, exact, in days and hours: `13日23時間59分`, `13 d 23 h 59 min`.
    #[must_use]
    pub fn long(&self, seconds: i64) -> String {
        let units = [(86_400, self.lang.pick("日", " d")), (3600, self.lang.pick("時間", " h"))];
        let units = [units[0], units[1], (60, self.lang.pick("分", " min")), (1, self.lang.pick("秒", " s"))];
        let (mut rest, mut parts) = (seconds.abs(), Vec::new());
        for (length, unit) in units {
            if rest >= length {
                parts.push(format!("{}{unit}", rest / length));
                rest %= length;
            }
        }
        let text = parts.join(self.lang.pick("", " "));
        match seconds {
            0 => self.length(0),
            ..0 => format!("-{text}"),
            _ => text,
        }
    }

    fn date(&self, zoned: &Zoned) -> String {
        let separator = self.lang.pick("/", "-");
        format!("{:04}{separator}{:02}{separator}{:02}", zoned.year(), zoned.month(), zoned.day())
    }

    fn zoned(&self, at: i64) -> Option<Zoned> {
        Some(Timestamp::from_second(at).ok()?.to_zoned(self.zone.clone()))
    }
}
