//! The contract: functions, what they are made of, and what was promised of them (C2.3, C4.1, C4.2).
//!
//! Pure values: no clock, no I/O, nothing of the file they came from. `config` builds them and
//! checks what one value cannot check alone (names that refer to each other).

use std::fmt;
use std::time::Duration;

use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

/// A text in the two languages customers read. A single text in the file stands for both.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Text {
    /// Japanese.
    pub ja: String,
    /// English.
    pub en: String,
}

/// What was promised, to be measured and reported.
#[derive(Clone, Debug)]
pub struct Contract {
    /// Label `contract` of every SLA series.
    pub name: String,
    /// Shown on pages and in mails.
    pub title: Text,
    /// The zone of months, slots and business hours.
    pub timezone: TimeZone,
    /// Its IANA name as configured.
    pub timezone_name: String,
    /// Nothing before this day is owed, so nothing before it is unmeasured.
    pub start: Option<Date>,
    /// Terms of planned stops (C2.3).
    pub maintenance: MaintenanceTerms,
    /// The functions the contract promises, in the file's order.
    pub functions: Vec<Function>,
    /// Whom an exclusion may name as the cause (C4.1ii).
    pub upstreams: Vec<Upstream>,
    /// Names of the probes that tell whether this site is cut off.
    pub connectivity: Vec<String>,
    /// What the configuration says of single duties; all others are owed, under the reference contract's clauses.
    pub duties: Vec<DutyTerms>,
}

/// C2.3: how early a planned stop is announced, and when it may take place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MaintenanceTerms {
    /// Shorter notice than this, and the stop is counted (C4.1i). Elapsed time, also over a change of clocks.
    pub notice: Duration,
    /// The weekly stretch a stop should lie in; absent: any time.
    pub slot: Option<WeekSlot>,
}

/// A stretch of the week in the contract's zone, such as Friday 21:00 to Monday 03:00.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WeekSlot {
    /// First moment inside.
    pub from: (Weekday, Time),
    /// First moment outside.
    pub to: (Weekday, Time),
}

impl WeekSlot {
    /// A moment of the week as the configuration writes it: `Fri 21:00`.
    #[must_use]
    pub fn written((day, time): (Weekday, Time)) -> String {
        let day = match day {
            Weekday::Monday => "Mon",
            Weekday::Tuesday => "Tue",
            Weekday::Wednesday => "Wed",
            Weekday::Thursday => "Thu",
            Weekday::Friday => "Fri",
            Weekday::Saturday => "Sat",
            Weekday::Sunday => "Sun",
        };
        format!("{day} {:02}:{:02}", time.hour(), time.minute())
    }
}

/// `Fri 21:00 to Mon 03:00`.
impl fmt::Display for WeekSlot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} to {}", Self::written(self.from), Self::written(self.to))
    }
}

/// Something customers use and the contract promises (C4.1, C4.2).
#[derive(Clone, Debug, PartialEq)]
pub struct Function {
    /// Label `function`.
    pub name: String,
    /// Shown on pages and in mails.
    pub title: Text,
    /// Promised share of a calendar month, 0 < objective ≤ 1.
    pub objective: f64,
    /// Longest total stop of one maintenance (C2.3); absent: no limit.
    pub maintenance_limit: Option<Duration>,
    /// All of them must be up for the function to be up; never empty.
    pub capabilities: Vec<Capability>,
}

/// A part of a function that must work on its own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Capability {
    /// Label `capability`.
    pub name: String,
    /// Shown on pages and in mails; the name where none is given.
    pub title: Text,
    /// How much of its evidence must be up.
    pub quorum: Quorum,
}

/// Someone else's platform that can be the cause of downtime (C4.1ii).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upstream {
    /// What ledger entries refer to.
    pub name: String,
    /// Shown on pages and in mails.
    pub title: Text,
    /// Names of the probes that tell how it is: evidence for a judgement, which they do not make.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub probes: Vec<String>,
}

/// What the configuration says of a duty: `contract.duties`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DutyTerms {
    /// Which, such as `backups` or `availability/<function>`.
    pub duty: String,
    /// Whether the contract has it.
    pub owed: bool,
    /// The contract's own clause; `None`: the reference's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clause: Option<String>,
    /// The contract's own title; `None`: the reference's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<Text>,
}

/// Share of a capability's evidence that must be up.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quorum {
    /// Every probe.
    All,
    /// More than half.
    Majority,
    /// At least one.
    Any,
    /// This share, 0 < ratio ≤ 1, rounded to whole probes: 0.67 of three means two.
    Ratio(f64),
}

impl Quorum {
    /// What a comparison `share >= ratio` on measured shares allows for rounding in the averages.
    const TOLERANCE: f64 = 1e-9;

    /// How many of `evidences` must be up; at least one where there is any.
    #[must_use]
    #[allow(clippy::cast_possible_truncation)]
    pub fn required(self, evidences: usize) -> usize {
        match self {
            Self::All => evidences,
            Self::Majority => evidences / 2 + 1,
            Self::Any => 1,
            Self::Ratio(ratio) => ((ratio * evidences as f64).round() as usize).max(1),
        }
        .min(evidences.max(1))
    }

    /// The value of `sla_capability_quorum_ratio`: up when the measured share is at least this.
    ///
    /// `any` is just above 0 and `majority` just above one half whatever the number of probes, so
    /// that evidence of several sites can be pooled; a ratio is rounded to `evidences` whole probes.
    #[must_use]
    pub fn ratio(self, evidences: usize) -> f64 {
        match self {
            Self::All => 1.0 - Self::TOLERANCE,
            Self::Majority => 0.5 + Self::TOLERANCE,
            Self::Any => Self::TOLERANCE,
            Self::Ratio(ratio) if evidences == 0 => ratio - Self::TOLERANCE,
            Self::Ratio(_) => self.required(evidences) as f64 / evidences as f64 - Self::TOLERANCE,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(quorum: Quorum, evidences: usize, required: usize) {
        assert_eq!(quorum.required(evidences), required, "{quorum:?} of {evidences}");
        for up in 0..=evidences {
            let share = up as f64 / evidences as f64;
            assert_eq!(share >= quorum.ratio(evidences), up >= required, "{quorum:?}: {up} of {evidences}");
        }
    }

    #[test]
    fn quorum_is_met_exactly_from_the_required_number_on() {
        for (quorum, evidences, required) in [
            (Quorum::All, 1, 1),
            (Quorum::All, 7, 7),
            (Quorum::Any, 1, 1),
            (Quorum::Any, 300, 1),
            (Quorum::Majority, 1, 1),
            (Quorum::Majority, 2, 2),
            (Quorum::Majority, 3, 2),
            (Quorum::Majority, 4, 3),
            (Quorum::Ratio(0.67), 3, 2),
            (Quorum::Ratio(0.67), 2, 1),
            (Quorum::Ratio(0.5), 4, 2),
            (Quorum::Ratio(0.01), 3, 1),
            (Quorum::Ratio(1.0), 3, 3),
        ] {
            check(quorum, evidences, required);
        }
    }
}
