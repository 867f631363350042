//! One look at all logs: reads what is new, counts, notes where it stands, and only then shows the counts.
//!
//! Not for: how a log is read (`follow`, `journal`).

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::book::{self, Book, JournalPosition};
use super::classify::syslog::{Message, name};
use super::follow::Follower;
use super::journal;
use super::metrics::{LogState, LoginMetrics};
use super::settings::{Journal, Logins, Place, Source};

/// How much of one log is read at one look, in bytes; the next look goes on.
const BUDGET: u64 = 8 << 20;

/// Who reads.
#[derive(Debug)]
pub(super) struct Desk {
    storage: PathBuf,
    work: Option<Work>,
    /// What was complained of last, by log; the storage folder's is under the empty name.
    complaints: BTreeMap<String, String>,
}

/// What goes to the blocking threads and comes back.
#[derive(Debug)]
struct Work {
    book: Book,
    followers: BTreeMap<String, Follower>,
    logins: Logins,
}

/// How it went with one log.
#[derive(Debug)]
struct Outcome {
    caught_up: bool,
    /// When its newest line was written, where that is known.
    newest: Option<i64>,
}

impl Desk {
    pub(super) fn new(storage: PathBuf) -> Self {
        Self { storage, work: None, complaints: BTreeMap::new() }
    }

    /// No log is configured.
    pub(super) fn nothing(&mut self, metrics: &LoginMetrics) {
        self.work = None;
        metrics.nothing();
    }

    /// Looks at all logs; returns whether everything that was there was read.
    pub(super) async fn look(&mut self, metrics: &LoginMetrics, contract: &str, logins: &Logins, now: i64) -> bool {
        let mut work = match self.begin(logins).await {
            Ok(work) => work,
            Err(why) => {
                self.complain("", Some(format!("failed logins are not counted: {why}")));
                let states = logins.sources.iter().map(LogState::failed).collect();
                metrics.show(contract, logins, &Book::default().tally, states, false, now);
                return true;
            }
        };
        let before = work.book.clone();
        let mut outcomes = Vec::new();
        for source in &logins.sources {
            let outcome = match &source.place {
                Place::Journal(journal) => work.journal(source, journal, now).await,
                Place::System(path) | Place::Application(path, _) => {
                    let (back, outcome) = file(work, source.clone(), path.clone(), now).await;
                    match back {
                        Some(back) => work = back,
                        // A bug of ours in the thread: what was noted is read again.
                        None => return true,
                    }
                    outcome
                }
            };
            self.complain(&source.name, outcome.as_ref().err().map(|why| format!("log {}: {why}", source.name)));
            outcomes.push(outcome.ok());
        }
        let stored = self.store(&work.book, &before).await;
        let caught_up = outcomes.iter().flatten().all(|outcome| outcome.caught_up);
        let states = logins.sources.iter().zip(outcomes).map(|(source, outcome)| work.state(source, outcome)).collect();
        metrics.show(contract, logins, &work.book.tally, states, stored, now);
        self.work = Some(work);
        caught_up
    }

    /// The work as it was left, in line with the configuration.
    async fn begin(&mut self, logins: &Logins) -> Result<Work, String> {
        let mut work = match self.work.take() {
            Some(work) if work.logins == *logins => return Ok(work),
            Some(work) => work,
            None => {
                let storage = self.storage.clone();
                let read = tokio::task::spawn_blocking(move || book::read(&storage)).await;
                let book = read.unwrap_or_else(|error| Err(error.to_string()))?;
                Work { book, followers: BTreeMap::new(), logins: logins.clone() }
            }
        };
        work.logins = logins.clone();
        work.book.tally.keep(&logins.series(), &logins.users);
        let named = |name: &String| logins.sources.iter().any(|source| source.name == *name);
        work.book.files.retain(|name, _| named(name));
        work.book.journals.retain(|name, _| named(name));
        work.followers.retain(|name, _| named(name));
        Ok(work)
    }

    /// Notes where it stands, if that has changed; returns whether it is noted.
    async fn store(&mut self, book: &Book, before: &Book) -> bool {
        if book == before && !self.complaints.contains_key("") {
            return true;
        }
        let (storage, book) = (self.storage.clone(), book.clone());
        let written = tokio::task::spawn_blocking(move || book::write(&storage, &book)).await;
        let written = written.unwrap_or_else(|error| Err(error.to_string()));
        let stored = written.is_ok();
        self.complain("", written.err());
        stored
    }

    /// Once each: it is tried every few seconds.
    fn complain(&mut self, about: &str, complaint: Option<String>) {
        match complaint {
            Some(complaint) => {
                if self.complaints.get(about) != Some(&complaint) {
                    tracing::error!("{complaint}");
                    self.complaints.insert(about.to_owned(), complaint);
                }
            }
            None => {
                if self.complaints.remove(about).is_some() {
                    tracing::info!(log = about, "failed logins: it works again");
                }
            }
        }
    }
}

impl Work {
    async fn journal(&mut self, source: &Source, journal: &Journal, now: i64) -> Result<Outcome, String> {
        let position = self.book.journals.get(&source.name).cloned().unwrap_or_default();
        let found = journal::look(journal, position.cursor.as_deref()).await.map_err(|error| error.to_string())?;
        for entry in &found.entries {
            let message =
                Message { program: name(&entry.program), process: entry.process, text: entry.text.trim_start() };
            self.book.tally.message(&message, &self.logins.users, now);
        }
        let newest = found.newest.or(position.newest);
        self.book.journals.insert(source.name.clone(), JournalPosition { cursor: found.cursor, newest });
        Ok(Outcome { caught_up: found.caught_up, newest })
    }

    fn file(&mut self, source: &Source, path: &Path, now: i64) -> Result<Outcome, String> {
        let Self { book, followers, logins } = self;
        let follower = followers
            .entry(source.name.clone())
            .or_insert_with(|| Follower::new(path.to_owned(), book.files.get(&source.name).cloned()));
        let tally = &mut book.tally;
        let look = follower.look(now, BUDGET, &mut |line| {
            let line = String::from_utf8_lossy(line);
            match &source.place {
                Place::Application(_, patterns) => tally.application(&line, patterns, &logins.users),
                Place::System(_) | Place::Journal(_) => tally.system(&line, &logins.users, now),
            }
        });
        book.files.insert(source.name.clone(), follower.position());
        let look = look.map_err(|error| match error.kind() {
            std::io::ErrorKind::PermissionDenied => {
                format!("{error}; let this process read it, on Debian by the group adm")
            }
            _ => error.to_string(),
        })?;
        let newest = std::fs::metadata(path).ok().map(|metadata| metadata.mtime());
        Ok(Outcome { caught_up: look.caught_up, newest })
    }

    fn state(&self, source: &Source, outcome: Option<Outcome>) -> LogState {
        let follower = self.followers.get(&source.name);
        LogState {
            name: source.name.clone(),
            silent_after: source.silent_after,
            gaps: follower.map(Follower::gaps),
            position: follower.and_then(Follower::offset),
            read: outcome.map(|outcome| (outcome.caught_up, outcome.newest)),
        }
    }
}

/// Reads a file on a thread that may block. `None`: the work is lost to a bug.
async fn file(mut work: Work, source: Source, path: PathBuf, now: i64) -> (Option<Work>, Result<Outcome, String>) {
    let read = tokio::task::spawn_blocking(move || {
        let outcome = work.file(&source, &path, now);
        (work, outcome)
    });
    match read.await {
        Ok((work, outcome)) => (Some(work), outcome),
        Err(error) => (None, Err(error.to_string())),
    }
}
