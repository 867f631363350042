//! The closed lists that label values come from: which service refused somebody, and why.
//!
//! Not for: recognising either in a line (`classify`).

use std::borrow::Cow;

/// Who refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum System {
    /// OpenSSH's server.
    Sshd,
    /// `sudo`.
    Sudo,
    /// `su`.
    Su,
    /// `login` on a console or a serial line.
    Login,
    /// A graphical display manager or screen lock.
    Desktop,
    /// polkit's question for a password.
    Polkit,
    /// Cockpit, the web console.
    Cockpit,
    /// A mail server's login (Dovecot, Postfix' SASL).
    Mail,
    /// An FTP server.
    Ftp,
    /// Anything else that asks PAM.
    Pam,
}

impl System {
    /// All of them, as the page lists them.
    pub const ALL: [Self; 10] = [
        Self::Sshd,
        Self::Sudo,
        Self::Su,
        Self::Login,
        Self::Desktop,
        Self::Polkit,
        Self::Cockpit,
        Self::Mail,
        Self::Ftp,
        Self::Pam,
    ];

    /// Label `service`.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Sshd => "sshd",
            Self::Sudo => "sudo",
            Self::Su => "su",
            Self::Login => "login",
            Self::Desktop => "desktop",
            Self::Polkit => "polkit",
            Self::Cockpit => "cockpit",
            Self::Mail => "mail",
            Self::Ftp => "ftp",
            Self::Pam => "pam",
        }
    }

    /// The reasons it can have, so that each is on the page at 0 before the first failure: what a counter did not show
    /// before its first increase is lost to whoever reads it.
    #[must_use]
    pub const fn reasons(self) -> &'static [Reason] {
        match self {
            Self::Sshd => &[
                Reason::Password,
                Reason::Publickey,
                Reason::UnknownUser,
                Reason::NotAllowed,
                Reason::MaxAttempts,
                Reason::GaveUp,
                Reason::Locked,
                Reason::Other,
            ],
            Self::Sudo => &[Reason::Password, Reason::NotAllowed, Reason::Locked],
            _ => &[Reason::Password, Reason::UnknownUser, Reason::Locked],
        }
    }
}

/// Why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    /// A wrong password, or whatever stands in for one.
    Password,
    /// No key that was offered is accepted.
    Publickey,
    /// There is no such user.
    UnknownUser,
    /// The user is known and may not do this.
    NotAllowed,
    /// As many attempts as one connection may make.
    MaxAttempts,
    /// Named a user, proved nothing and left.
    GaveUp,
    /// The account is locked or has expired.
    Locked,
    /// Something else.
    Other,
}

impl Reason {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Password,
        Self::Publickey,
        Self::UnknownUser,
        Self::NotAllowed,
        Self::MaxAttempts,
        Self::GaveUp,
        Self::Locked,
        Self::Other,
    ];

    /// Label `reason`.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Publickey => "publickey",
            Self::UnknownUser => "unknown_user",
            Self::NotAllowed => "not_allowed",
            Self::MaxAttempts => "max_attempts",
            Self::GaveUp => "gave_up",
            Self::Locked => "locked",
            Self::Other => "other",
        }
    }

    /// The reason of this label; anything else is [`Other`](Self::Other).
    #[must_use]
    pub fn of(label: &str) -> Self {
        Self::ALL.into_iter().find(|reason| reason.label().eq_ignore_ascii_case(label)).unwrap_or(Self::Other)
    }
}

/// One or several failed logins, as a line has them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure<'a> {
    /// Label `service`: [`System::label`], or a name of the configuration.
    pub service: &'a str,
    /// Why.
    pub reason: Reason,
    /// How many the line stands for.
    pub count: u64,
    /// Who tried. Never shown but for the users the configuration names: people type passwords here.
    pub user: Option<Cow<'a, str>>,
}
