//! What OpenSSH's server says.
//!
//! An attempt is a user name with something that does not prove it. A connection that names nobody (a scan, a banner, a
//! timeout) is none, and neither is a key that is refused while another one of the same connection is accepted: clients offer
//! all they have.

use super::{Said, user};
use crate::logins::kinds::{Reason, System};

const NAMED: u8 = 0;
const FAILED: u8 = 1;
const KEY: u8 = 2;
const MAX: u8 = 3;
const LEFT: u8 = 4;
const LOCKED: u8 = 5;

pub(super) fn classify(text: &str) -> Option<Said<'_>> {
    let text = text.strip_prefix("error: ").unwrap_or(text);
    if let Some(rest) = text.strip_prefix("Failed ") {
        return failed(rest);
    }
    if let Some(rest) = text.strip_prefix("Invalid user ") {
        return said(Reason::UnknownUser, NAMED, until(rest, " from "));
    }
    if let Some(rest) = text.strip_prefix("maximum authentication attempts exceeded for ") {
        let (reason, name) = known(rest, Reason::MaxAttempts);
        return said(reason, MAX, until(name, " from "));
    }
    if text.starts_with("ROOT LOGIN REFUSED FROM ") {
        return said(Reason::NotAllowed, NAMED, "root");
    }
    if let Some(rest) = text.strip_prefix("User ") {
        // `User bob from 10.0.0.9 not allowed because not listed in AllowUsers`.
        let tail = rest.rsplit_once(" not allowed because ").or_else(|| rest.rsplit_once(" not allowed "));
        let (who, why) = tail?;
        let reason = if why.contains("locked") { Reason::Locked } else { Reason::NotAllowed };
        return said(reason, NAMED, until(who, " from "));
    }
    if let Some(rest) = text.strip_prefix("fatal: Access denied for user ") {
        return said(Reason::Locked, LOCKED, until(rest, " by "));
    }
    left(text)
}

/// `password for invalid user bob from 10.0.0.9 port 5 ssh2`.
fn failed(rest: &str) -> Option<Said<'_>> {
    let (method, rest) = rest.split_once(" for ")?;
    let (reason, kind) = match method.split('/').next()? {
        "password" | "keyboard-interactive" => (Reason::Password, FAILED),
        // Said of each key a client offers, where LogLevel is VERBOSE: many keys are one attempt.
        "publickey" | "hostbased" | "gssapi-with-mic" | "gssapi-keyex" => return key(rest),
        // `none` is how a client asks what is possible.
        _ => return None,
    };
    let (reason, name) = known(rest, reason);
    said(reason, kind, until(name, " from "))
}

/// A refused key says nothing by itself: that the client leaves without anything better does ([`left`]).
fn key(rest: &str) -> Option<Said<'_>> {
    let (reason, name) = known(rest, Reason::Publickey);
    let mut said = said(reason, KEY, until(name, " from "))?;
    said.count = 0;
    Some(said)
}

/// The client went before it had proved anything.
fn left(text: &str) -> Option<Said<'_>> {
    let rest = ["Connection closed by ", "Connection reset by ", "Disconnected from ", "Disconnecting "]
        .iter()
        .find_map(|start| text.strip_prefix(start))?;
    if let Some(name) = rest.strip_prefix("authenticating user ") {
        return said(Reason::GaveUp, LEFT, address(name));
    }
    said(Reason::UnknownUser, LEFT, address(rest.strip_prefix("invalid user ")?))
}

fn said(reason: Reason, kind: u8, name: &str) -> Option<Said<'_>> {
    Some(Said { system: System::Sshd, reason, kind, count: 1, user: user(name), last: kind == LEFT })
}

/// Whether there is such a user.
fn known(rest: &str, reason: Reason) -> (Reason, &str) {
    match rest.strip_prefix("invalid user ") {
        Some(name) => (Reason::UnknownUser, name),
        None => (reason, rest),
    }
}

/// What stands before the last `mark`: a name may contain anything, what follows it is sshd's.
fn until<'a>(text: &'a str, mark: &str) -> &'a str {
    text.rsplit_once(mark).map_or(text, |(name, _)| name)
}

/// `bob 10.0.0.9 port 5 [preauth]`.
fn address(text: &str) -> &str {
    until(until(text, " port "), " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_looks_like_a_message_stays_a_name() {
        let said =
            classify("Failed password for invalid user root from 1.2.3.4 port 22 ssh2 from 10.0.0.9 port 5 ssh2");
        assert_eq!(said.unwrap().user.unwrap(), "root from 1.2.3.4 port 22 ssh2");
        assert_eq!(
            classify("Invalid user Accepted password for root from 10.0.0.9 port 1").unwrap().reason,
            Reason::UnknownUser
        );
    }
}
