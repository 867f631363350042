//! What the section `support` says.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;

use crate::business::{Calendar, DayEnd};
use crate::probe::Module;

/// The support desk.
#[derive(Clone, Debug)]
pub struct Support {
    /// When somebody is there (C3.2).
    pub calendar: Calendar,
    /// Business days after the day of receipt until an answer is due (C3.4).
    pub answer_within: u32,
    /// When the last of them ends.
    pub day_end: DayEnd,
    /// Business time before a deadline from which an open ticket is called due soon.
    pub due_soon: Duration,
    /// Where tickets are read from; absent: there is only the calendar.
    pub tickets: Option<Tickets>,
}

/// Where tickets come from, and how often they are read.
#[derive(Clone, Debug)]
pub struct Tickets {
    /// From the end of one reading to the next.
    pub interval: Duration,
    /// Bound of one reading.
    pub timeout: Duration,
    /// Of moments without an offset.
    pub zone: TimeZone,
    /// The source.
    pub source: Source,
}

/// A source of tickets.
#[derive(Clone, Debug)]
pub enum Source {
    /// A file that something exports.
    Csv(CsvFile),
    /// A query.
    Postgres(PostgresQuery),
}

/// A CSV file with a head line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CsvFile {
    /// The file.
    pub path: PathBuf,
    /// How its text is written.
    pub encoding: Encoding,
    /// What its columns are called.
    pub columns: Columns,
}

/// How a file's text is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// With or without a byte order mark.
    Utf8,
    /// As Japanese spreadsheets save it (Windows-31J).
    ShiftJis,
}

/// Names of columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Columns {
    /// When the inquiry came.
    pub received_at: String,
    /// When it was answered; empty while it was not.
    pub answered_at: String,
    /// When it was closed, where there is such a column: a ticket closed without an answer waits for none.
    pub closed_at: Option<String>,
}

/// A query on a PostgreSQL server, over the connection a module describes.
#[derive(Clone, Debug)]
pub struct PostgresQuery {
    /// User, password, TLS; its own query is not asked.
    pub module: Arc<Module>,
    /// `host:port`, or the folder of a socket.
    pub target: String,
    /// Returns the columns `received_at`, `answered_at` and, if there is one, `closed_at`.
    pub query: String,
}
