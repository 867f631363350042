//! The loop that looks at backups in the background, each set by itself: one that hangs keeps no other from being looked at.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::figures::Backup;
use super::{BackupSet, scan};
use crate::app::App;
use crate::clock;
use crate::duties::background::{Complaint, Job, Step};

/// How often the configuration and running looks are looked at.
const LOOK: Duration = Duration::from_secs(1);
/// The longest look at one set.
const LIMIT: Duration = Duration::from_secs(120);

type Found = Result<Vec<Backup>, String>;

/// Looks at the backups of the configuration in force, until `shutdown`.
pub async fn run(app: Arc<App>, shutdown: CancellationToken) {
    tokio::select! {
        () = shutdown.cancelled() => {}
        () = look_for_ever(&app) => {}
    }
}

async fn look_for_ever(app: &App) {
    // A pattern that is changed is another job: what the old one finds is not the new one's.
    let mut jobs: HashMap<(String, String), (Job<Found>, Complaint)> = HashMap::new();
    loop {
        let config = app.config();
        let wanted = |name: &str, path: &str| config.backups.iter().any(|set| set.name == name && set.path == path);
        jobs.retain(|(name, path), _| wanted(name, path));
        app.backups().keep(&config.backups);
        for set in &config.backups {
            let (job, complaint) = jobs.entry((set.name.clone(), set.path.clone())).or_default();
            let path = set.path.clone();
            let found = match job.step(set.interval, LIMIT, move || scan::scan(&path)).await {
                Step::Nothing => continue,
                Step::Done(found) => found,
                Step::Late => Err(format!("not done after {} s: is the file system there?", LIMIT.as_secs())),
                Step::Broken => Err("looking at it was interrupted".to_owned()),
            };
            note(app, set, found, complaint);
        }
        tokio::time::sleep(LOOK).await;
    }
}

fn note(app: &App, set: &BackupSet, found: Found, complaint: &mut Complaint) {
    let why = found.as_ref().err().map(String::as_str);
    if complaint.is_new(why) {
        tracing::warn!(backup = set.name, why, "backups not looked at; what was known of them is no longer shown");
    }
    app.backups().found(&set.name, found, clock::whole_seconds());
}
