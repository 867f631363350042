//! An application's own log: lines that one of the configured patterns matches are failed logins.
//!
//! Group `service`, `reason` and `user` of a pattern say who refused whom and why; what a group finds becomes a label only
//! where the configuration or the closed list of reasons has it. A line counts once, by the first pattern that matches.

use std::borrow::Cow;

use regex::Regex;

use super::kinds::{Failure, Reason};

/// How a line of a failed login looks.
#[derive(Clone, Debug)]
pub struct Pattern {
    /// Not anchored.
    pub regex: Regex,
    /// The names that group `service` may find; the first one stands for anything else, and where there is no such group.
    pub services: Vec<String>,
    /// The reason where there is no group `reason`.
    pub reason: Reason,
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.regex.as_str() == other.regex.as_str() && self.services == other.services && self.reason == other.reason
    }
}

/// The names of groups that mean something.
pub const GROUPS: [&str; 3] = ["service", "reason", "user"];

impl Pattern {
    fn failure<'a>(&'a self, line: &'a str) -> Option<Failure<'a>> {
        let found = self.regex.captures(line)?;
        let group = |name| found.name(name).map(|group| group.as_str());
        let named = group("service").and_then(|name| self.services.iter().find(|service| *service == name));
        Some(Failure {
            service: named.or(self.services.first())?,
            reason: group("reason").map_or(self.reason, Reason::of),
            count: 1,
            user: group("user").filter(|user| !user.is_empty()).map(Cow::Borrowed),
        })
    }

    /// The reasons it can come to.
    #[must_use]
    pub fn reasons(&self) -> Vec<Reason> {
        let named = self.regex.capture_names().flatten().any(|name| name == "reason");
        if named { Reason::ALL.to_vec() } else { vec![self.reason] }
    }
}

/// The failed login that `line` tells of.
#[must_use]
pub fn failure<'a>(patterns: &'a [Pattern], line: &'a str) -> Option<Failure<'a>> {
    patterns.iter().find_map(|pattern| pattern.failure(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(regex: &str, services: &[&str]) -> Pattern {
        let services = services.iter().map(ToString::to_string).collect();
        Pattern { regex: Regex::new(regex).unwrap(), services, reason: Reason::Password }
    }

    #[test]
    fn labels_come_from_the_configuration_and_the_closed_list() {
        let patterns = [
            pattern(r"^AUTH (?P<service>\w+) (?P<reason>\w+) user=(?P<user>.*)$", &["web", "api"]),
            pattern("login failed", &["batch"]),
        ];
        for (line, expected) in [
            ("AUTH api unknown_user user=bob", Some(("api", Reason::UnknownUser, Some("bob")))),
            ("AUTH api LOCKED user=", Some(("api", Reason::Locked, None))),
            ("AUTH x12345 r98765 user=bob", Some(("web", Reason::Other, Some("bob")))),
            ("2026 login failed for bob", Some(("batch", Reason::Password, None))),
            ("AUTH web password user=login failed", Some(("web", Reason::Password, Some("login failed")))),
            ("login ok", None),
            ("", None),
        ] {
            let found = failure(&patterns, line);
            assert_eq!(found.as_ref().map(|f| (f.service, f.reason, f.user.as_deref())), expected, "{line}");
        }
    }
}
