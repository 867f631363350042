//! What PAM's modules say for services that say nothing themselves:
//! `pam_unix(gdm-password:auth): authentication failure; logname= uid=0 … rhost=  user=alice`.
//!
//! A service whose own words are counted is none of these: its PAM lines come besides.

use super::{Said, user};
use crate::logins::kinds::{Reason, System};

/// Modules that check a password, in the order of their kinds.
const MODULES: [&str; 6] = ["pam_unix", "pam_sss", "pam_ldap", "pam_krb5", "pam_winbind", "pam_userdb"];

pub(super) fn classify<'a>(program: &str, text: &'a str) -> Option<Said<'a>> {
    if let Some(said) = more(program, text) {
        return Some(said);
    }
    let (head, rest) = text.split_once("): ")?;
    let (module, of) = head.split_once('(')?;
    let (service, what) = of.rsplit_once(':')?;
    let system = system(service)?;
    let said = |reason, kind, name| Some(Said { system, reason, kind, count: 1, user: user(name), last: false });
    if module == "pam_faillock" || module == "pam_tally2" {
        let locked = rest.starts_with("Consecutive login failures for user ") || rest.contains(" tally ");
        let name = rest.strip_prefix("Consecutive login failures for user ").unwrap_or_default();
        return if locked { said(Reason::Locked, 7, name.split(' ').next()?) } else { None };
    }
    if what != "auth" || !rest.starts_with("authentication failure;") {
        return None;
    }
    let kind = u8::try_from(MODULES.iter().position(|known| *known == module)?).ok()?;
    let name = rest.rsplit_once(" user=").map_or("", |(_, name)| name);
    said(Reason::Password, kind, name)
}

/// `PAM 2 more authentication failures; logname= … rhost=10.0.0.9  user=root`: what pam_unix says at the end, once for all but
/// the first. It does not say of which service: the program's name tells.
fn more<'a>(program: &str, text: &'a str) -> Option<Said<'a>> {
    let (number, rest) = text.strip_prefix("PAM ")?.split_once(" more authentication failure")?;
    let count = number.parse().ok().filter(|count| (1..=1000).contains(count))?;
    let name = rest.rsplit_once(" user=").map_or("", |(_, name)| name);
    let system = system(program.trim_end_matches(']'))?;
    Some(Said { system, reason: Reason::Password, kind: 0, count, user: user(name), last: false })
}

/// The label for PAM's name of a service; `None` for those that are counted by their own words.
fn system(service: &str) -> Option<System> {
    Some(match service {
        "sshd" | "sudo" | "sudo-i" | "su" | "su-l" | "login" => return None,
        "polkit-1" => System::Polkit,
        "cockpit" => System::Cockpit,
        "dovecot" | "smtp" | "imap" | "pop3" | "postfix" => System::Mail,
        "vsftpd" | "proftpd" | "ftp" | "pure-ftpd" => System::Ftp,
        _ if ["gdm", "lightdm", "sddm", "kde", "xdm", "xscreensaver", "xfce4-screensaver", "gnome-screensaver"]
            .iter()
            .any(|start| service.starts_with(start)) =>
        {
            System::Desktop
        }
        _ => System::Pam,
    })
}
