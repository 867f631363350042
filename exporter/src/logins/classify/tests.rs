//! Tables of what OpenSSH, sudo, su, login and PAM write, from their sources' formats.

use super::syslog::parse;
use super::*;
use crate::logins::kinds::{Reason, System};
use crate::logins::once::Once;

#[track_caller]
fn check(tag: &str, text: &str, expected: Option<(System, Reason, u64, &str)>) {
    let line = format!("Nov 23 09:24:01 web1 {tag}: {text}");
    let message = parse(&line).unwrap();
    let said = classify(&message);
    let found = said.as_ref().map(|s| (s.system, s.reason, s.count, s.user.as_deref().unwrap_or_default()));
    assert_eq!(found, expected, "{line}");
}

#[test]
fn sshd() {
    for (text, reason, count, user) in [
        ("Failed password for root from 10.0.0.9 port 5 ssh2", Reason::Password, 1, "root"),
        ("Failed password for invalid user bob from 10.0.0.9 port 5 ssh2", Reason::UnknownUser, 1, "bob"),
        ("Failed password for invalid user  from 10.0.0.9 port 5 ssh2", Reason::UnknownUser, 1, ""),
        ("Failed keyboard-interactive/pam for root from 10.0.0.9 port 5 ssh2", Reason::Password, 1, "root"),
        ("Failed publickey for root from 10.0.0.9 port 5 ssh2: RSA SHA256:x", Reason::Publickey, 0, "root"),
        ("Invalid user bob from 10.0.0.9 port 5", Reason::UnknownUser, 1, "bob"),
        ("Connection closed by authenticating user root 10.0.0.9 port 5 [preauth]", Reason::GaveUp, 1, "root"),
        ("Connection reset by authenticating user root 10.0.0.9 port 5 [preauth]", Reason::GaveUp, 1, "root"),
        ("Disconnected from authenticating user root 10.0.0.9 port 5 [preauth]", Reason::GaveUp, 1, "root"),
        ("Connection closed by invalid user bob 10.0.0.9 port 5 [preauth]", Reason::UnknownUser, 1, "bob"),
        (
            "error: maximum authentication attempts exceeded for root from 10.0.0.9 port 5 ssh2 [preauth]",
            Reason::MaxAttempts,
            1,
            "root",
        ),
        (
            "error: maximum authentication attempts exceeded for invalid user bob from 10.0.0.9 port 5 ssh2 [preauth]",
            Reason::UnknownUser,
            1,
            "bob",
        ),
        ("User bob from 10.0.0.9 not allowed because not listed in AllowUsers", Reason::NotAllowed, 1, "bob"),
        ("User bob not allowed because account is locked", Reason::Locked, 1, "bob"),
        ("ROOT LOGIN REFUSED FROM 10.0.0.9 port 5", Reason::NotAllowed, 1, "root"),
        ("fatal: Access denied for user bob by PAM account configuration [preauth]", Reason::Locked, 1, "bob"),
        (
            "message repeated 3 times: [ Failed password for root from 10.0.0.9 port 5 ssh2]",
            Reason::Password,
            3,
            "root",
        ),
    ] {
        for tag in ["sshd[81]", "sshd-session[81]"] {
            check(tag, text, Some((System::Sshd, reason, count, user)));
        }
    }
    for text in [
        "Accepted password for root from 10.0.0.9 port 5 ssh2",
        "Failed none for invalid user bob from 10.0.0.9 port 5 ssh2",
        "Connection closed by 10.0.0.9 port 5 [preauth]",
        "Received disconnect from 10.0.0.9 port 5:11: bye [preauth]",
        "Disconnected from user root 10.0.0.9 port 5",
        "Did not receive identification string from 10.0.0.9",
        "Timeout before authentication for 10.0.0.9 port 5",
        "pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=10.0.0.9  user=root",
        "PAM 2 more authentication failures; logname= uid=0 euid=0 tty=ssh ruser= rhost=10.0.0.9  user=root",
        "error: PAM: Authentication failure for root from 10.0.0.9",
        "pam_unix(sshd:session): session opened for user Failed password for root(uid=0) by (uid=0)",
        "message repeated 2 times: [ Accepted password for root from 10.0.0.9 port 5 ssh2]",
        "",
    ] {
        check("sshd[81]", text, None);
    }
}

#[test]
fn sudo_su_and_login() {
    let command = "TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/ls";
    let sudo = |reason, count| Some((System::Sudo, reason, count, "alice"));
    check("sudo", &format!("   alice : 3 incorrect password attempts ; {command}"), sudo(Reason::Password, 3));
    check("sudo[9]", &format!("alice : 1 incorrect password attempt ; {command}"), sudo(Reason::Password, 1));
    check("sudo", &format!("alice : user NOT in sudoers ; {command}"), sudo(Reason::NotAllowed, 1));
    check("sudo", &format!("alice : command not allowed ; {command}"), sudo(Reason::NotAllowed, 1));
    check(
        "sudo",
        &format!("alice : account validation failure, is your account locked? ; {command}"),
        sudo(Reason::Locked, 1),
    );
    check("sudo", &format!("alice : a password is required ; {command}"), None);
    check("sudo", &format!("alice : {command}"), None);
    check("sudo", "alice : TTY=pts/0 ; COMMAND=/bin/echo x : 3 incorrect password attempts ; y", None);
    check(
        "sudo",
        "pam_unix(sudo:auth): authentication failure; logname= uid=1000 ruser=alice rhost=  user=alice",
        None,
    );
    check("su[7]", "FAILED SU (to root) alice on pts/0", Some((System::Su, Reason::Password, 1, "root")));
    check("su[7]", "FAILED su for root by alice", Some((System::Su, Reason::Password, 1, "root")));
    check("su[7]", "(to root) alice on pts/0", None);
    check(
        "su[7]",
        "pam_unix(su:auth): authentication failure; logname=alice uid=1000 ruser=alice rhost=  user=root",
        None,
    );
    let login = |reason| Some((System::Login, reason, 1, "root"));
    check("login[5]", "FAILED LOGIN (1) on '/dev/tty1' FOR 'root', Authentication failure", login(Reason::Password));
    check(
        "login[5]",
        "FAILED LOGIN (2) on '/dev/tty1' FOR 'root', User not known to the underlying authentication module",
        login(Reason::UnknownUser),
    );
    check(
        "login[5]",
        "TOO MANY LOGIN TRIES (3) on '/dev/tty1' FOR 'root', Authentication failure",
        login(Reason::Password),
    );
    check("login[5]", "ROOT LOGIN ON tty1", None);
}

#[test]
fn services_that_say_nothing_themselves() {
    let failure = |service: &str| {
        format!(
            "pam_unix({service}:auth): authentication failure; logname= uid=0 euid=0 tty=:0 ruser= rhost=  user=alice"
        )
    };
    for (service, system) in [
        ("gdm-password", System::Desktop),
        ("lightdm", System::Desktop),
        ("polkit-1", System::Polkit),
        ("cockpit", System::Cockpit),
        ("dovecot", System::Mail),
        ("vsftpd", System::Ftp),
        ("our-own", System::Pam),
    ] {
        check("x[1]", &failure(service), Some((system, Reason::Password, 1, "alice")));
    }
    check("x[1]", &failure("sshd"), None);
    check(
        "gdm-password][1]",
        "PAM 2 more authentication failures; logname= uid=0 rhost=  user=alice",
        Some((System::Desktop, Reason::Password, 2, "alice")),
    );
    check(
        "x[1]",
        "pam_faillock(our-own:auth): Consecutive login failures for user alice account temporarily locked",
        Some((System::Pam, Reason::Locked, 1, "alice")),
    );
    check("x[1]", "pam_unix(our-own:session): session opened for user alice", None);
    check("x[1]", "pam_unix(our-own:auth): check pass; user unknown", None);
    check("CRON[1]", "pam_unix(cron:session): session opened for user root(uid=0) by (uid=0)", None);
}

/// What a day's log comes to, by reason.
#[track_caller]
fn counted(lines: &[&str], expected: &[(Reason, u64)]) {
    let mut once = Once::default();
    let mut found: Vec<(Reason, u64)> = Vec::new();
    for line in lines {
        let line = format!("Nov 23 09:24:01 web1 {line}");
        let message = parse(&line).unwrap();
        let Some(said) = classify(&message) else { continue };
        let (added, _) = once.add(&said, message.process, 0);
        if added > 0 {
            found.push((said.reason, added));
        }
    }
    assert_eq!(found, expected, "{lines:?}");
}

#[test]
fn one_attempt_of_several_lines_counts_once() {
    counted(
        &[
            "sshd[1]: Invalid user bob from 10.0.0.9 port 5",
            "sshd[1]: pam_unix(sshd:auth): check pass; user unknown",
            "sshd[1]: pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=10.0.0.9",
            "sshd[1]: Failed password for invalid user bob from 10.0.0.9 port 5 ssh2",
            "sshd[1]: Failed password for invalid user bob from 10.0.0.9 port 5 ssh2",
            "sshd[1]: Connection closed by invalid user bob 10.0.0.9 port 5 [preauth]",
            "sshd[1]: PAM 1 more authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=10.0.0.9",
        ],
        &[(Reason::UnknownUser, 1), (Reason::UnknownUser, 1)],
    );
    counted(
        &[
            "sshd[1]: Failed password for root from 10.0.0.9 port 5 ssh2",
            "sshd[1]: message repeated 5 times: [ Failed password for root from 10.0.0.9 port 5 ssh2]",
            "sshd[1]: error: maximum authentication attempts exceeded for root from 10.0.0.9 port 5 ssh2 [preauth]",
            "sshd[1]: Disconnecting authenticating user root 10.0.0.9 port 5: Too many authentication failures [preauth]",
        ],
        &[(Reason::Password, 1), (Reason::Password, 5)],
    );
    counted(
        &[
            "sudo:    alice : 3 incorrect password attempts ; TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/ls",
            "sudo: pam_unix(sudo:auth): authentication failure; logname= uid=1000 euid=0 ruser=alice rhost=  user=alice",
            "su[9]: pam_unix(su:auth): authentication failure; logname=alice uid=1000 euid=0 ruser=alice rhost=  user=root",
            "su[9]: FAILED SU (to root) alice on pts/0",
        ],
        &[(Reason::Password, 3), (Reason::Password, 1)],
    );
}

#[test]
fn keys_alone_are_an_attempt_only_when_nothing_better_follows() {
    let key = "sshd[1]: Failed publickey for root from 10.0.0.9 port 5 ssh2: RSA SHA256:x";
    counted(&[key, key, "sshd[1]: Accepted publickey for root from 10.0.0.9 port 5 ssh2"], &[]);
    counted(
        &[key, key, "sshd[1]: Connection closed by authenticating user root 10.0.0.9 port 5 [preauth]"],
        &[(Reason::GaveUp, 1)],
    );
}
