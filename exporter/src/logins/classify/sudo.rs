//! What `sudo` says when it ends: `alice : 3 incorrect password attempts ; TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/ls`.
//!
//! PAM's lines about sudo are left alone: they come besides, and where accounts are kept elsewhere (SSSD, LDAP) one comes with
//! each password that is right. A wrong password followed by the right one is therefore not counted: sudo itself does not
//! log it.

use super::{Said, user};
use crate::logins::kinds::{Reason, System};

pub(super) fn classify(text: &str) -> Option<Said<'_>> {
    let (name, rest) = text.split_once(" : ")?;
    let why = rest.split(" ; ").next()?;
    let said =
        |reason, count| Some(Said { system: System::Sudo, reason, kind: 0, count, user: user(name), last: false });
    if let Some(number) =
        why.strip_suffix(" incorrect password attempts").or(why.strip_suffix(" incorrect password attempt"))
    {
        // At most passwd_tries, which nobody sets to thousands.
        return said(Reason::Password, number.trim().parse().ok().filter(|count| (1..=1000).contains(count))?);
    }
    match why {
        _ if why.starts_with("user NOT in sudoers") || why.starts_with("user NOT authorized on host") => {
            said(Reason::NotAllowed, 1)
        }
        _ if why.starts_with("command not allowed") => said(Reason::NotAllowed, 1),
        _ if why.starts_with("account validation failure") || why.starts_with("Account expired") => {
            said(Reason::Locked, 1)
        }
        // `a password is required`: nobody was asked, because of `sudo -n`.
        _ => None,
    }
}
