//! systemd's journal, read with `journalctl` from where reading stopped.
//!
//! A child process for each look: it ends by itself, and is ended when it takes too long or says too much. Only messages of
//! the facilities that logins have are asked for. The cursor of the last one read is kept.
//! Not for: what messages mean (`classify`).

mod entry;
#[cfg(test)]
mod tests;

use std::io;
use std::time::Duration;

use tokio::process::Command;

pub use self::entry::Entry;
#[cfg(any(test, fuzzing))]
pub(crate) use self::entry::parse as fuzz_entry;
use super::settings::Journal;
use crate::duties::child;

/// How long one look may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// How much is read at one look; the next one goes on.
const MAX_BYTES: u64 = 16 << 20;

/// What a look found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Oldest first.
    pub entries: Vec<Entry>,
    /// Where the next look begins; as before where there was nothing.
    pub cursor: Option<String>,
    /// When the last entry was written, in seconds since the epoch.
    pub newest: Option<i64>,
    /// Everything that was there was read.
    pub caught_up: bool,
}

/// What came after `cursor`; without one, nothing but where the journal ends now.
///
/// # Errors
/// When `journalctl` cannot be run, fails or takes too long, and when there is nothing to begin at.
pub async fn look(journal: &Journal, cursor: Option<&str>) -> io::Result<Found> {
    let mut command = Command::new(&journal.program);
    command.args(["--output=json", "--no-pager", "--quiet", "--utc"]);
    command.arg("--output-fields=MESSAGE,SYSLOG_IDENTIFIER,SYSLOG_PID,_PID,_COMM");
    if let Some(directory) = &journal.directory {
        command.arg("--directory").arg(directory);
    }
    match cursor {
        // LOG_AUTH and LOG_AUTHPRIV. Not `--after-cursor`: it passes over the first entry there is, also where that is not
        // the cursor's, which is of another facility, or is gone.
        Some(cursor) => command.arg(format!("--cursor={cursor}")).args(["SYSLOG_FACILITY=4", "SYSLOG_FACILITY=10"]),
        // The newest entry of any kind: its cursor is where to begin.
        None => command.arg("--lines=1"),
    };
    let (text, cut) = child::output(command, &journal.program.display().to_string(), PATIENCE, MAX_BYTES).await?;
    let mut found = Found { cursor: cursor.map(str::to_owned), caught_up: !cut, ..Found::default() };
    // What was cut within a line is read again.
    let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(&[][..], |end| &text[..end]);
    for line in whole.split(|byte| *byte == b'\n') {
        let Some((here, entry)) = entry::parse(line) else { continue };
        if cursor == Some(here.as_str()) {
            continue;
        }
        found.cursor = Some(here);
        found.newest = entry.as_ref().and_then(|entry| entry.at).or(found.newest);
        found.entries.extend(entry.filter(|_| cursor.is_some()));
    }
    if found.cursor.is_none() {
        // Without a place to begin at, what comes until the next look would be passed over; journald writes one when it starts.
        return Err(io::Error::other(
            "the journal has no entry; see that its folder is right, and that we may read it",
        ));
    }
    if cut && found.cursor.as_deref() == cursor {
        return Err(io::Error::other("an entry of the journal is larger than 16 MiB"));
    }
    Ok(found)
}
