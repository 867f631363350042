//! The loop that looks for updates in the background.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use super::Updates;
use super::book::Book;
use super::scan::{self, Place, Scan};
use crate::app::App;
use crate::clock;
use crate::duties::background::{Job, Step};

/// How often the configuration and a running look are looked at.
const LOOK: Duration = Duration::from_secs(1);
/// The longest look; each of two questions to apt has a bound of its own below it.
const LIMIT: Duration = Duration::from_secs(180);
/// Packages named in the log at once.
const NAMED: usize = 20;

/// Looks for updates as the configuration in force says, until `shutdown`; `storage` keeps first sights.
pub async fn run(app: Arc<App>, storage: PathBuf, shutdown: CancellationToken) {
    tokio::select! {
        () = shutdown.cancelled() => {}
        () = look_for_ever(&app, &storage) => {}
    }
}

async fn look_for_ever(app: &App, storage: &std::path::Path) {
    let mut watch = Watch::default();
    loop {
        match app.config().updates.clone() {
            None => {
                watch = Watch::default();
                app.updates().nothing();
            }
            Some(updates) => watch.step(app, updates, storage).await,
        }
        tokio::time::sleep(LOOK).await;
    }
}

#[derive(Default)]
struct Watch {
    job: Job<(Scan, Option<Arc<Book>>)>,
    /// What the running or next look is asked.
    updates: Option<Updates>,
    book: Option<Arc<Book>>,
    complaint: Option<String>,
    pending: Vec<(String, String)>,
}

impl Watch {
    async fn step(&mut self, app: &App, updates: Updates, storage: &std::path::Path) {
        if self.updates.as_ref().is_some_and(|before| *before != updates) {
            // What the old one finds is not the new one's; it may still write the book, which the next look then reads.
            *self = Self::default();
            app.updates().nothing();
        }
        let interval = updates.interval;
        self.updates = Some(updates.clone());
        let place = Place { updates, roots: app.options().roots.clone(), storage: storage.to_owned() };
        let (book, handle) = (self.book.clone(), Handle::current());
        let work = move || scan::scan(&place, book, clock::whole_seconds(), &handle);
        let failed = |why: String| Scan { known: Err(why), reboot: None, reboot_since: None, stored: Ok(()) };
        let found = match self.job.step(interval, LIMIT, work).await {
            Step::Nothing => return,
            Step::Done((scan, book)) => {
                self.book = book;
                scan
            }
            Step::Late => failed(format!("not done after {} s: is the file system there?", LIMIT.as_secs())),
            Step::Broken => failed("looking at it was interrupted".to_owned()),
        };
        self.tell(&found);
        app.updates().found(found, clock::whole_seconds());
    }

    /// Once each: what is wrong, and what is new.
    fn tell(&mut self, scan: &Scan) {
        let complaint = match (&scan.known, &scan.stored) {
            (Err(why), _) => {
                Some(format!("security updates not looked at; what was known of them is no longer shown: {why}"))
            }
            (Ok(_), Err(why)) => Some(format!("security updates: {why}")),
            (Ok(_), Ok(())) => None,
        };
        match &complaint {
            Some(complaint) if self.complaint.as_ref() != Some(complaint) => tracing::warn!("{complaint}"),
            None if self.complaint.is_some() => tracing::info!("security updates: it works again"),
            _ => {}
        }
        self.complaint = complaint;
        let Ok(known) = &scan.known else { return };
        let new: Vec<&(String, String)> =
            known.pending.iter().filter(|package| !self.pending.contains(package)).collect();
        if !new.is_empty() {
            let named: Vec<String> =
                new.iter().take(NAMED).map(|(name, version)| format!("{name} {version}")).collect();
            let packages = named.join(", ");
            tracing::info!(pending = known.pending.len(), new = new.len(), packages, "security updates wait");
        }
        self.pending.clone_from(&known.pending);
    }
}
