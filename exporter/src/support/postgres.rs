//! Tickets out of a PostgreSQL database, over the connection of a module.

use std::time::Duration;

use jiff::tz::TimeZone;

use super::csv::MAX_TICKETS;
use super::settings::PostgresQuery;
use super::ticket::Ticket;
use crate::probe::postgres::{Rows, rows};
use crate::probe::{Prober, Shared};

/// Asks for all tickets, now.
///
/// # Errors
/// With what failed, or the row at fault; no secrets.
pub(super) async fn read(
    source: &PostgresQuery,
    zone: &TimeZone,
    timeout: Duration,
    shared: &Shared,
) -> Result<Vec<Ticket>, String> {
    let Prober::Postgres(settings) = &source.module.prober else {
        return Err(format!("module `{}` is not one of postgres", source.module.name));
    };
    let asked =
        tokio::time::timeout(timeout, rows(settings, &source.target, &source.query, MAX_TICKETS, timeout, shared));
    let found = match asked.await {
        Ok(found) => found.map_err(|failure| failure.detail)?,
        Err(_) => return Err(format!("no answer within {} s", timeout.as_secs())),
    };
    tickets(&found, zone)
}

fn tickets(found: &Rows, zone: &TimeZone) -> Result<Vec<Ticket>, String> {
    let place = |name: &str| {
        let mut places = found.columns.iter().enumerate().filter(|(_, column)| *column == name).map(|(at, _)| at);
        match (places.next(), places.next()) {
            (_, Some(_)) => Err(format!("the query returns two columns `{name}`; which one is meant?")),
            (found, None) => Ok(found),
        }
    };
    let need = |name: &str| {
        let columns = || found.columns.join(", ");
        place(name)?.ok_or_else(|| format!("the query returns no column `{name}`; it returns: {}", columns()))
    };
    let (received, answered, closed) = (need("received_at")?, need("answered_at")?, place("closed_at")?);
    let read = |(number, row): (usize, &Vec<Option<String>>)| {
        let text = |at: usize| row.get(at).and_then(Option::as_deref).unwrap_or_default();
        let ticket = Ticket::read(text(received), text(answered), closed.map_or("", text), zone);
        ticket.map_err(|why| format!("row {}: {why}", number + 1))
    };
    found.rows.iter().enumerate().map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(columns: &[&str], row: &[Option<&str>]) -> Rows {
        Rows {
            columns: columns.iter().map(|&name| name.to_owned()).collect(),
            rows: vec![row.iter().map(|text| text.map(str::to_owned)).collect()],
        }
    }

    #[test]
    fn columns_are_found_by_name() {
        let rows = found(&["id", "answered_at", "received_at"], &[Some("1"), None, Some("2025-11-20 10:05:05+09")]);
        let expected = Ticket { received_at: 1_763_600_705, done_at: None };
        assert_eq!(tickets(&rows, &TimeZone::UTC), Ok(vec![expected]));
        let why = tickets(&found(&["a", "received_at"], &[]), &TimeZone::UTC).unwrap_err();
        assert!(why.contains("no column `answered_at`; it returns: a, received_at"), "{why}");
        let why = tickets(&found(&["received_at", "answered_at", "received_at"], &[]), &TimeZone::UTC).unwrap_err();
        assert_eq!(why, "the query returns two columns `received_at`; which one is meant?");
        let why = tickets(&found(&["received_at", "answered_at"], &[None, None]), &TimeZone::UTC).unwrap_err();
        assert!(why.starts_with("row 1: received_at: is empty"), "{why}");
    }
}
