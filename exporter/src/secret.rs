//! Secrets: read from files, used, and never shown.
//!
//! Not for keeping secrets out of memory; only out of logs, metrics, pages and error texts.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::regular_file;

/// The largest secret file that is read, in bytes; more is a mistake in the path.
const MAX_BYTES: u64 = 64 * 1024;

/// A text whose `Debug` and `Display` print `<secret>`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Secret(String);

impl Secret {
    /// Wraps a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself: hand it to the peer it is for and to nobody else.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<secret>")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<secret>")
    }
}

/// Where a secret comes from.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum SecretSource {
    /// Read at each use, so that a rotated secret works without a reload.
    File(PathBuf),
    /// Written inline: only in a blackbox.yml that is taken as it is.
    Inline(Secret),
}

impl SecretSource {
    /// The secret as it is now, without the line ends editors leave behind it.
    ///
    /// # Errors
    /// When the file cannot be read, is larger than 64 KiB or is not UTF-8; the text names the file, not its content.
    pub fn read(&self) -> Result<Secret, SecretError> {
        match self {
            Self::Inline(secret) => Ok(secret.clone()),
            Self::File(path) => read_file(path),
        }
    }
}

/// Why a secret could not be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read secret file {}: {source}", path.display())]
pub struct SecretError {
    path: PathBuf,
    source: io::Error,
}

fn read_file(path: &Path) -> Result<Secret, SecretError> {
    let fail = |source| SecretError { path: path.to_owned(), source };
    let text = regular_file::read_text(path, MAX_BYTES).map_err(fail)?;
    Ok(Secret::new(text.trim_end_matches(['\n', '\r'])))
}
