//! The folder of closed months: one file for each, `2026-10.json`.
//!
//! Not for: what is in a file and whether it is sound (`closed`).

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::assemble::Past;
use super::closed::{Closed, ClosedError};
use super::model::Origin;
use crate::calendar::Month;
use crate::contract::Contract;
use crate::{atomic_file, regular_file};

/// A month of slots of a hundred functions is less.
const MAX_BYTES: u64 = 256 << 20;

/// Why a file of the folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// It cannot be read.
    #[error("cannot read {file}: {error}")]
    Read {
        /// Which.
        file: String,
        /// Why.
        error: io::Error,
    },
    /// It cannot be written.
    #[error("cannot write {file}: {error}")]
    Write {
        /// Which.
        file: String,
        /// Why.
        error: io::Error,
    },
    /// What is in it.
    #[error("{file}: {error}")]
    Content {
        /// Which.
        file: String,
        /// What is wrong.
        error: ClosedError,
    },
}

/// Reads a closed month.
///
/// # Errors
/// When it cannot be read, or was altered.
pub fn read(file: &Path) -> Result<Closed, ArchiveError> {
    let text = regular_file::read(file, MAX_BYTES)
        .map_err(|error| ArchiveError::Read { file: file.display().to_string(), error })?;
    Closed::read(&text).map_err(|error| ArchiveError::Content { file: file.display().to_string(), error })
}

/// The file of `month` in `folder`.
#[must_use]
pub fn file(folder: &Path, month: Month) -> PathBuf {
    folder.join(format!("{month}.json"))
}

/// Reads the closed `month` of `folder`; `None` where there is none yet.
///
/// # Errors
/// As [`read`].
pub fn find(folder: &Path, month: Month) -> Result<Option<Closed>, ArchiveError> {
    let file = file(folder, month);
    match std::fs::symlink_metadata(&file) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        _ => read(&file).map(Some),
    }
}

/// Writes `closed` into `folder`, which is made where it is missing. Returns the file.
///
/// # Errors
/// Those of the file system; what was there stays.
pub fn write(folder: &Path, closed: &Closed) -> Result<PathBuf, ArchiveError> {
    let file = file(folder, closed.month);
    let written = closed.write().map_err(io::Error::other).and_then(|content| {
        std::fs::create_dir_all(folder)?;
        atomic_file::write(&file, &content)
    });
    match written {
        Ok(()) => Ok(file),
        Err(error) => Err(ArchiveError::Write { file: file.display().to_string(), error }),
    }
}

/// The closed months of the year before `month`, in place of what Prometheus recorded of them.
///
/// # Errors
/// When one of the files was altered or cannot be read: its figure must not be replaced by another one unnoticed.
pub fn year(folder: &Path, contract: &Contract, month: Month, recorded: Vec<Past>) -> Result<Vec<Past>, ArchiveError> {
    let mut past = recorded;
    let mut earlier = month.previous();
    while earlier.year() == month.year() {
        if let Some(closed) = find(folder, earlier)?.filter(|closed| closed.contract == contract.name)
            && let Some(revision) = closed.revisions.last()
        {
            past.retain(|past| past.month != earlier);
            past.extend(revision.figures.iter().map(|closed| Past {
                month: earlier,
                function: closed.function.clone(),
                origin: Origin::Closed { revision: revision.revision },
                service_seconds: closed.provisional.service_seconds,
                downtime_seconds: closed.provisional.downtime_seconds,
                unmeasured_seconds: closed.provisional.unmeasured_seconds,
                known: closed.provisional.availability.is_some(),
            }));
        }
        earlier = earlier.previous();
    }
    Ok(past)
}
