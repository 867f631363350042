//! The ledger: what people recorded and decided (C2.2, C2.3, C2.5, C2.6.8, C4.1.2), as values.
//!
//! Times are whole seconds. Pure: no clock, no I/O, nothing of the files. `config::ledger` reads and checks the files;
//! here is what an entry says of itself. Not for: what entries decide about a function (`windows`), seconds of a
//! month (`months`).

mod assessment;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::contract::Text;
use crate::span::Span;

pub use self::assessment::{Assessment, Exclusion};

/// Everything recorded, each list in the order of the files.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    /// Planned stops and emergencies (C2.3).
    pub maintenance: Vec<Maintenance>,
    /// Failures and what was decided about them (C4.1.2).
    pub incidents: Vec<Incident>,
    /// Restore drills (C2.5).
    pub drills: Vec<Drill>,
    /// Security updates (C2.6.8).
    pub advisories: Vec<Advisory>,
}

/// A planned stop.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Maintenance {
    /// Unique among all entries; label `maintenance`, label `window`.
    pub id: String,
    /// What customers read.
    pub title: Text,
    /// Scope in more words, what stands in meanwhile; may be empty.
    #[serde(default)]
    pub text: Text,
    /// Names of functions of the contract, each once; never empty.
    pub functions: Vec<String>,
    /// When customers were told; absent: not yet. Not after `start`.
    pub announced_at: Option<Timestamp>,
    /// Announced begin.
    pub start: Timestamp,
    /// Announced end, after `start`.
    pub end: Timestamp,
    /// When the functions were usable again, after `start`; absent: not recorded, measurement decides after `end`.
    pub finished_at: Option<Timestamp>,
    /// May be announced late (C2.3); it is then counted (C4.1i).
    pub emergency: bool,
    /// When it was called off, before `start`.
    pub cancelled_at: Option<Timestamp>,
    /// How customers were told by hand.
    pub notices: Vec<Notice>,
}

impl Maintenance {
    /// From the announced begin to the announced end.
    #[must_use]
    pub fn announced(&self) -> Option<Span> {
        Span::new(self.start.as_second(), self.end.as_second())
    }
}

/// A failure, or what was taken for one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incident {
    /// Unique among all entries; label `window`.
    pub id: String,
    /// What customers read.
    pub title: Text,
    /// Names of functions of the contract, each once; never empty.
    pub functions: Vec<String>,
    /// Whose doing it was; absent: not known yet, and measurement decides.
    pub cause: Option<Cause>,
    /// When it occurred (C4.1.2).
    pub started_at: Timestamp,
    /// When it converged, after `started_at`; absent while it goes on.
    pub resolved_at: Option<Timestamp>,
    /// Who judged it; absent: nobody yet.
    pub decided: Option<Decision>,
    /// How customers were told by hand.
    pub notices: Vec<Notice>,
    /// What customers were told, in order of time.
    pub updates: Vec<Update>,
}

/// Whose doing an incident was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The service's own: downtime (C4.1.2).
    Internal,
    /// That of an upstream platform, by name: excluded (C4.1ii).
    Upstream(String),
    /// Beyond reasonable control: excluded (C4.1iii).
    ForceMajeure,
    /// The function was up, whatever was measured.
    FalseAlarm,
}

impl Cause {
    /// As the ledger writes it.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Internal => "internal",
            Self::Upstream(_) => "upstream",
            Self::ForceMajeure => "force_majeure",
            Self::FalseAlarm => "false_alarm",
        }
    }
}

/// A ruling.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// Who judged.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// On what: a link or a text; may be empty.
    pub evidence: Text,
}

/// Customers were told (C2.2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// When.
    pub at: Timestamp,
    /// How.
    pub channel: Channel,
}

/// A way of telling customers (C2.2 a, b, c).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// The support page.
    Page,
    /// E-mail.
    Mail,
    /// Telephone.
    Phone,
}

impl Channel {
    /// As the ledger writes it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Page => "page",
            Self::Mail => "mail",
            Self::Phone => "phone",
        }
    }
}

/// One step of an incident as customers were told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Update {
    /// When.
    pub at: Timestamp,
    /// How far it was.
    pub status: Status,
    /// What was said.
    pub text: Text,
}

/// How far an incident is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Known, not understood.
    Investigating,
    /// Understood.
    Identified,
    /// Mended, being watched.
    Monitoring,
    /// Over.
    Resolved,
}

impl Status {
    /// As the ledger writes it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Investigating => "investigating",
            Self::Identified => "identified",
            Self::Monitoring => "monitoring",
            Self::Resolved => "resolved",
        }
    }
}

/// A restore drill (C2.5).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drill {
    /// When.
    pub at: Timestamp,
    /// What was done and found.
    pub text: Text,
}

/// A published security update (C2.6.8).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Advisory {
    /// Unique among all entries, such as a CVE.
    pub id: String,
    /// What it is about.
    pub component: String,
    /// When it was published.
    pub published_at: Timestamp,
    /// What was decided; absent: not yet.
    pub decision: Option<AdvisoryDecision>,
    /// When it was applied; absent: not yet.
    pub applied_at: Option<Timestamp>,
}

/// What was decided about an advisory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AdvisoryDecision {
    /// It is to be applied.
    Apply,
    /// It does not concern this system.
    NotApplicable,
}

impl Ledger {
    /// How many entries there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.maintenance.len() + self.incidents.len() + self.drills.len() + self.advisories.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What identifies its content: equal for two ledgers that say the same, however their files are laid out, ordered or
    /// commented. Lower-case hexadecimal.
    #[must_use]
    pub fn sha256(&self) -> String {
        let mut sorted = self.clone();
        sorted.maintenance.sort_by(|a, b| a.id.cmp(&b.id));
        for entry in &mut sorted.maintenance {
            entry.functions.sort();
            entry.notices.sort_by_key(|notice| (notice.at, notice.channel.word()));
        }
        sorted.incidents.sort_by(|a, b| a.id.cmp(&b.id));
        for entry in &mut sorted.incidents {
            entry.functions.sort();
            entry.notices.sort_by_key(|notice| (notice.at, notice.channel.word()));
        }
        sorted.drills.sort_by(|a, b| (a.at, &a.text.en, &a.text.ja).cmp(&(b.at, &b.text.en, &b.text.ja)));
        sorted.advisories.sort_by(|a, b| a.id.cmp(&b.id));
        // Strings, numbers and times: nothing here that JSON could not write.
        let text = serde_json::to_vec(&sorted).unwrap_or_default();
        Sha256::digest(&text).iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn incident(id: &str, cause: Option<Cause>) -> Incident {
        Incident {
            id: id.to_owned(),
            title: Text { ja: "障害".to_owned(), en: "Failure".to_owned() },
            functions: vec!["client".to_owned()],
            cause,
            started_at: at("2026-10-07T10:02:00+09:00"),
            resolved_at: None,
            decided: None,
            notices: Vec::new(),
            updates: Vec::new(),
        }
    }

    #[test]
    fn the_hash_is_of_what_is_said_not_of_its_order() {
        let one = incident("a", Some(Cause::Upstream("sfdc".to_owned())));
        let mut two = incident("b", None);
        two.functions.push("consumer".to_owned());
        two.notices = [Channel::Mail, Channel::Phone].map(|channel| Notice { at: two.started_at, channel }).to_vec();
        let mut turned = two.clone();
        turned.functions.reverse();
        turned.notices.reverse();
        let there = Ledger { incidents: vec![one.clone(), two.clone()], ..Ledger::default() };
        let back = Ledger { incidents: vec![turned, one.clone()], ..Ledger::default() };
        let ruled =
            Ledger { incidents: vec![one, Incident { cause: Some(Cause::Internal), ..two }], ..Ledger::default() };
        assert_eq!(there.sha256(), back.sha256());
        assert_ne!(there.sha256(), ruled.sha256());
        assert_eq!(there.sha256().len(), 64);
    }

    #[test]
    fn what_is_written_as_json_is_read_back() {
        let ledger =
            Ledger { incidents: vec![incident("a", Some(Cause::Upstream("sfdc".to_owned())))], ..Ledger::default() };
        let text = serde_json::to_string(&ledger).unwrap();
        assert_eq!(serde_json::from_str::<Ledger>(&text).unwrap(), ledger, "{text}");
    }
}
