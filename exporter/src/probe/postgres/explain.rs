//! What an error of the client library means: a reason from the closed list, and a text without secrets.

use std::error::Error as _;
use std::io;

use tokio_postgres::Error;
use tokio_postgres::error::{DbError, SqlState};

use crate::probe::{Failure, Reason};

/// What the session was doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Doing {
    Login {
        /// Whether the module has a password.
        password: bool,
    },
    Query {
        read_only: bool,
        /// Whether the time is over: what the server cancelled then, it cancelled for us.
        late: bool,
    },
    /// A query of which all rows are wanted, and that can never write.
    Rows {
        /// As above.
        late: bool,
    },
}

impl Doing {
    fn text(self) -> &'static str {
        match self {
            Self::Login { .. } => "login",
            Self::Query { .. } | Self::Rows { .. } => "query",
        }
    }
}

/// The failure an error amounts to.
pub(super) fn failure(error: &Error, doing: Doing) -> Failure {
    if let Some(db) = error.as_db_error() {
        return database(db, doing);
    }
    let source = error.source();
    if let Some(io) = source.and_then(|s| s.downcast_ref::<io::Error>()) {
        // What the guard found travels inside the error.
        if let Some(found) = io.get_ref().and_then(|inner| inner.downcast_ref::<Failure>()) {
            return found.clone();
        }
        let of_tls = io.get_ref().is_some_and(|inner| inner.downcast_ref::<rustls::Error>().is_some());
        if of_tls || io.raw_os_error().is_some() {
            return Failure::io(doing.text(), io);
        }
        return Failure::new(Reason::Protocol, format_args!("{}: {error}: {io}", doing.text()));
    }
    if error.is_closed() {
        return Failure::new(Reason::Reset, format_args!("{}: the server closed the connection", doing.text()));
    }
    let chain = source.map_or_else(|| error.to_string(), |source| format!("{error}: {source}"));
    match doing {
        Doing::Login { password: false } if chain.contains("password missing") => {
            Failure::new(Reason::Permission, "login: the server asks for a password; set password_file")
        }
        // Methods other than password, MD5 and SCRAM; a server that does not know the password itself; no channel binding.
        Doing::Login { .. } if chain.starts_with("authentication error") => {
            Failure::new(Reason::Permission, format_args!("login: {chain}"))
        }
        _ => Failure::new(Reason::Protocol, format_args!("{}: {chain}", doing.text())),
    }
}

fn database(error: &DbError, doing: Doing) -> Failure {
    let code = error.code();
    let reason = match code.code().get(..2).unwrap_or_default() {
        // Wrong password, no entry in pg_hba.conf, no CONNECT or SELECT privilege.
        _ if *code == SqlState::INSUFFICIENT_PRIVILEGE => Reason::Permission,
        "28" => Reason::Permission,
        "08" => Reason::Protocol,
        // Starting up, shutting down, recovering; and an administrator who ends the session.
        "57" if *code != SqlState::QUERY_CANCELED => Reason::Status,
        "57" if matches!(doing, Doing::Query { late: true, .. } | Doing::Rows { late: true }) => Reason::Timeout,
        // 53300 too many connections, also where it is said late.
        "53" => Reason::Status,
        _ if matches!(doing, Doing::Login { .. }) => Reason::Status,
        _ => Reason::Query,
    };
    let hint = match doing {
        Doing::Query { read_only: true, .. } if *code == SqlState::READ_ONLY_SQL_TRANSACTION => {
            " (the module is read-only; `read_only: false` permits writing)"
        }
        Doing::Rows { .. } if *code == SqlState::READ_ONLY_SQL_TRANSACTION => {
            " (it runs in a transaction that only reads)"
        }
        _ => "",
    };
    Failure::new(reason, format_args!("{}: {}: {}{hint}", doing.text(), code.code(), error.message()))
}
