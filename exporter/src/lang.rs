//! The languages of what customers read: report, status page, mails.
//!
//! Not for: code, logs, metrics, files and the command line, which are English.

use serde::{Deserialize, Serialize};

use crate::contract::Text;

/// A language.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Lang {
    /// Japanese.
    #[default]
    Ja,
    /// English.
    En,
}

impl Lang {
    /// Both, in the order in which they are offered.
    pub const ALL: [Self; 2] = [Self::Ja, Self::En];

    /// The language tag (BCP 47).
    #[must_use]
    pub fn code(self) -> &'static str {
        self.pick("ja", "en")
    }

    /// The one of two that is in this language.
    #[must_use]
    pub fn pick<T>(self, ja: T, en: T) -> T {
        match self {
            Self::Ja => ja,
            Self::En => en,
        }
    }
}

impl Text {
    /// The text in `lang`.
    #[must_use]
    pub fn of(&self, lang: Lang) -> &str {
        lang.pick(&self.ja, &self.en)
    }
}
