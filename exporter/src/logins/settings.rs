//! What the configuration says of failed logins (C2.6.7).

use std::path::PathBuf;
use std::time::Duration;

use super::kinds::{Reason, System};
use super::patterns::Pattern;

/// Where failed logins are read, and what is too many.
#[derive(Clone, Debug, PartialEq)]
pub struct Logins {
    /// How often logs are looked at.
    pub interval: Duration,
    /// So many failed logins of one service within a quarter of an hour are told to the security list.
    pub threshold: u64,
    /// The same for some services, by name.
    pub thresholds: Vec<(String, u64)>,
    /// Accounts whose failed logins are counted by name; no other name is shown.
    pub users: Vec<String>,
    /// The logs.
    pub sources: Vec<Source>,
}

/// One log.
#[derive(Clone, Debug, PartialEq)]
pub struct Source {
    /// Label `log`.
    pub name: String,
    /// Where it is.
    pub place: Place,
    /// A log without a line for so long is said to be silent; zero: never.
    pub silent_after: Duration,
}

/// Where a log is.
#[derive(Clone, Debug, PartialEq)]
pub enum Place {
    /// A file in the format of syslog daemons, such as `/var/log/auth.log`.
    System(PathBuf),
    /// An application's file.
    Application(PathBuf, Vec<Pattern>),
    /// systemd's journal.
    Journal(Journal),
}

/// How the journal is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Journal {
    /// The program: `journalctl`.
    pub program: PathBuf,
    /// A folder of journal files in place of the system's own.
    pub directory: Option<PathBuf>,
}

impl Logins {
    /// Every service and reason that can occur, for the page to show each from the start.
    #[must_use]
    pub fn series(&self) -> Vec<(&str, Reason)> {
        let mut found: Vec<(&str, Reason)> = Vec::new();
        for source in &self.sources {
            match &source.place {
                Place::Application(_, patterns) => {
                    for pattern in patterns {
                        let reasons = pattern.reasons();
                        found.extend(
                            pattern.services.iter().flat_map(|s| reasons.iter().map(move |r| (s.as_str(), *r))),
                        );
                    }
                }
                Place::System(_) | Place::Journal(_) => {
                    found.extend(System::ALL.iter().flat_map(|s| s.reasons().iter().map(|r| (s.label(), *r))));
                }
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    /// What is too many for `service`.
    #[must_use]
    pub fn threshold(&self, service: &str) -> u64 {
        self.thresholds.iter().find(|(name, _)| name == service).map_or(self.threshold, |(_, threshold)| *threshold)
    }
}
