//! The loop that reads tickets in the background: never within a scrape, one reading at a time, each bounded.

use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::csv::{Look, Stamp};
use super::settings::{CsvFile, Source, Tickets};
use super::ticket::Ticket;
use super::{csv, postgres};
use crate::app::App;
use crate::clock;
use crate::duties::background::Complaint;

/// How often the configuration is looked at: a reload is followed within that.
const LOOK: Duration = Duration::from_secs(1);

/// A look at a file that has not ended.
type Looking = JoinHandle<Result<Look, String>>;

/// Reads tickets until `shutdown`, as the configuration in force says. Does nothing while it names no source.
pub async fn run(app: Arc<App>, shutdown: CancellationToken) {
    tokio::select! {
        // A reading under way may be left behind: it changes nothing.
        () = shutdown.cancelled() => {}
        () = read_for_ever(&app) => {}
    }
}

async fn read_for_ever(app: &Arc<App>) {
    let mut last: Option<(String, Instant)> = None;
    let mut complaint = Complaint::default();
    let mut left = None;
    loop {
        let config = app.config();
        match config.support.as_ref().and_then(|support| support.tickets.as_ref()) {
            None => {
                app.support().forget();
                last = None;
            }
            Some(tickets) => {
                // Tickets of another source are not this one's: what they said is forgotten at once.
                let identity = format!("{tickets:?}");
                let same = last.as_ref().is_some_and(|(known, _)| *known == identity);
                if !same {
                    app.support().forget();
                }
                if !same || last.as_ref().is_some_and(|(_, ended)| ended.elapsed() >= tickets.interval) {
                    let found = read(app, tickets, &mut left).await;
                    let why = found.as_ref().err().map(String::as_str);
                    if complaint.is_new(why) {
                        tracing::warn!(why, "support tickets not read; what was known of them is no longer shown");
                    }
                    let (app, config) = (Arc::clone(app), Arc::clone(&config));
                    // What it works out of very many tickets takes a moment.
                    let kept = tokio::task::spawn_blocking(move || {
                        if let Some(support) = &config.support {
                            app.support().read(found, support, &config.contract.timezone, clock::whole_seconds());
                        }
                    });
                    let _ = kept.await;
                    last = Some((identity, Instant::now()));
                }
            }
        }
        tokio::time::sleep(LOOK).await;
    }
}

async fn read(app: &App, tickets: &Tickets, left: &mut Option<Looking>) -> Result<Vec<Ticket>, String> {
    match &tickets.source {
        Source::Postgres(source) => postgres::read(source, &tickets.zone, tickets.timeout, &app.shared()).await,
        Source::Csv(file) => {
            let late = Instant::now() + tickets.timeout;
            let mut before = None;
            loop {
                match look(file, &tickets.zone, before, late, left).await? {
                    Look::Tickets(found) => return Ok(found),
                    Look::Changing(stamp) => before = Some(stamp),
                }
                if Instant::now() + csv::SETTLE > late {
                    return Err(format!(
                        "{} is being written all the time and its last line has no end; write it under another name and rename it",
                        file.path.display()
                    ));
                }
                tokio::time::sleep(csv::SETTLE).await;
            }
        }
    }
}

/// One look at a file, until `late`. One that hangs, with its file system, holds one thread and not one more at each try.
async fn look(
    file: &CsvFile,
    zone: &TimeZone,
    before: Option<Stamp>,
    late: Instant,
    left: &mut Option<Looking>,
) -> Result<Look, String> {
    if left.take_if(|looking| looking.is_finished()).is_none() && left.is_some() {
        return Err(format!("{} is still being read; is its file system there?", file.path.display()));
    }
    let (file, zone) = (file.clone(), zone.clone());
    let mut looking = tokio::task::spawn_blocking(move || csv::look(&file, &zone, before.as_ref()));
    match tokio::time::timeout_at(late, &mut looking).await {
        Ok(Ok(found)) => found,
        Ok(Err(_)) => Err("reading was interrupted".to_owned()),
        Err(_) => {
            *left = Some(looking);
            Err("the file was not read in time; is its file system there?".to_owned())
        }
    }
}
