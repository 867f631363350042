//! What `su` and `login` say. PAM's lines about them come besides and are left alone, as with `sudo`.

use super::{Said, user};
use crate::logins::kinds::{Reason, System};

/// util-linux: `FAILED SU (to root) alice on pts/0`; shadow: `FAILED su for root by alice`.
pub(super) fn su(text: &str) -> Option<Said<'_>> {
    let target = match (text.strip_prefix("FAILED SU (to "), text.strip_prefix("FAILED su for ")) {
        (Some(rest), _) => rest.split_once(") ")?.0,
        (_, Some(rest)) => rest.rsplit_once(" by ")?.0,
        _ => return None,
    };
    Some(Said { system: System::Su, reason: Reason::Password, kind: 0, count: 1, user: user(target), last: false })
}

/// util-linux: `FAILED LOGIN (1) on '/dev/tty1' FOR 'root', Authentication failure`; the last of several has other words.
pub(super) fn login(text: &str) -> Option<Said<'_>> {
    let last = ["FAILED LOGIN ", "TOO MANY LOGIN TRIES "].iter().find_map(|start| text.strip_prefix(start))?;
    let (_, rest) = last.split_once(" FOR ").or_else(|| last.split_once(" for "))?;
    let (name, why) = rest.rsplit_once(", ").unwrap_or((rest, ""));
    let reason = match why {
        _ if why.starts_with("User not known") => Reason::UnknownUser,
        _ if why.contains("expired") || why.contains("Permission denied") => Reason::Locked,
        _ => Reason::Password,
    };
    let name = name.trim_matches(['\'', '`', '"']);
    Some(Said { system: System::Login, reason, kind: 0, count: 1, user: user(name), last: false })
}
