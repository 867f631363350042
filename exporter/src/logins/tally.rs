//! How many failed logins there were, by service and reason, and of the accounts the configuration names.
//!
//! Kept together with the places in the logs, so that after a crash both are of the same moment. Pure; bounded by the
//! configuration and the closed lists.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::classify::syslog::{self, Message};
use super::classify::{self};
use super::kinds::{Failure, Reason, System};
use super::once::Once;
use super::patterns::{self, Pattern};

/// The counts, and what is needed to count on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tally {
    /// By service, then reason.
    failures: BTreeMap<String, BTreeMap<String, u64>>,
    /// By service, then account.
    users: BTreeMap<String, BTreeMap<String, u64>>,
    once: Once,
}

impl Tally {
    /// A line of a system log.
    pub fn system(&mut self, line: &str, users: &[String], now: i64) {
        if let Some(message) = syslog::parse(line) {
            self.message(&message, users, now);
        }
    }

    /// A message of the system, at `now`.
    pub fn message(&mut self, message: &Message<'_>, users: &[String], now: i64) {
        let Some(said) = classify::classify(message) else {
            if let Some(process) = message.process.filter(|_| classify::accepted(message)) {
                self.once.forget(System::Sshd, process);
            }
            return;
        };
        let (count, keys) = self.once.add(&said, message.process, now);
        let reason = if said.reason == Reason::GaveUp && keys { Reason::Publickey } else { said.reason };
        self.add(&Failure { service: said.system.label(), reason, count, user: said.user }, users);
    }

    /// A line of an application.
    pub fn application(&mut self, line: &str, patterns: &[Pattern], users: &[String]) {
        if let Some(failure) = patterns::failure(patterns, line) {
            self.add(&failure, users);
        }
    }

    fn add(&mut self, failure: &Failure<'_>, users: &[String]) {
        if failure.count == 0 {
            return;
        }
        raise(&mut self.failures, failure.service, failure.reason.label(), failure.count);
        if let Some(user) = failure.user.as_deref().filter(|user| users.iter().any(|named| named == user)) {
            raise(&mut self.users, failure.service, user, failure.count);
        }
    }

    /// How many of `service` for `reason`.
    #[must_use]
    pub fn failures(&self, service: &str, reason: Reason) -> u64 {
        self.failures.get(service).and_then(|of| of.get(reason.label())).copied().unwrap_or_default()
    }

    /// How many of `service` by the account `user`.
    #[must_use]
    pub fn by_user(&self, service: &str, user: &str) -> u64 {
        self.users.get(service).and_then(|of| of.get(user)).copied().unwrap_or_default()
    }

    /// Drops what the configuration does not name any more: what is stored does not grow.
    pub fn keep(&mut self, series: &[(&str, Reason)], users: &[String]) {
        let known = |service: &str| series.iter().any(|(name, _)| *name == service);
        self.failures.retain(|service, _| known(service));
        self.users.retain(|service, _| known(service));
        for of in self.users.values_mut() {
            of.retain(|user, _| users.contains(user));
        }
    }
}

fn raise(counts: &mut BTreeMap<String, BTreeMap<String, u64>>, service: &str, of: &str, count: u64) {
    let count_of = counts.entry(service.to_owned()).or_default().entry(of.to_owned()).or_default();
    *count_of = count_of.saturating_add(count);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_named_accounts_are_counted_by_name() {
        let mut tally = Tally::default();
        let users = ["root".to_owned()];
        for (process, user) in [(1, "root"), (2, "invalid user hunter2"), (3, "root"), (4, "alice")] {
            let line =
                format!("Nov 23 09:24:01 web1 sshd[{process}]: Failed password for {user} from 10.0.0.9 port 5 ssh2");
            tally.system(&line, &users, 0);
        }
        tally.system("garbage", &users, 0);
        assert_eq!(tally.failures("sshd", Reason::Password), 3);
        assert_eq!(tally.failures("sshd", Reason::UnknownUser), 1);
        assert_eq!(tally.by_user("sshd", "root"), 2);
        let stored = serde_json::to_string(&tally).unwrap();
        assert!(!stored.contains("hunter2") && !stored.contains("alice"), "{stored}");
        assert_eq!(serde_json::from_str::<Tally>(&stored).unwrap(), tally);
        tally.keep(&[("sudo", Reason::Password)], &[]);
        assert_eq!((tally.failures("sshd", Reason::Password), tally.by_user("sshd", "root")), (0, 0));
    }

    #[test]
    fn a_client_that_offers_keys_and_leaves_is_refused_for_its_keys() {
        let mut tally = Tally::default();
        for text in [
            "Failed publickey for root from 10.0.0.9 port 5 ssh2: RSA SHA256:x",
            "Connection closed by authenticating user root 10.0.0.9 port 5 [preauth]",
        ] {
            tally.system(&format!("Nov 23 09:24:01 web1 sshd[1]: {text}"), &[], 0);
        }
        assert_eq!(tally.failures("sshd", Reason::Publickey), 1);
        // Under the same number somebody else, who comes in at the second attempt.
        for text in ["Failed password for root from x port 5 ssh2", "Accepted password for root from x port 5 ssh2"] {
            tally.system(&format!("Nov 23 09:24:01 web1 sshd[1]: {text}"), &[], 0);
        }
        tally.system("Nov 23 09:24:01 web1 sshd[1]: Failed password for root from x port 5 ssh2", &[], 0);
        assert_eq!(tally.failures("sshd", Reason::Password), 2);
    }
}
