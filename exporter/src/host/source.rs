//! Reading the kernel's text files: bounded, into memory that is used again, errors with file and line.
//!
//! Not for: files others write (`textfile`), whose size, kind and pace cannot be trusted.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use super::kernel::Kernel;
use super::{Collector, Roots};

/// More than any of these files has on a machine with thousands of processors and mounts.
const LIMIT: u64 = 32 << 20;

/// Why a collector has nothing to show.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read.
    #[error("{}: {source}", path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file reads differently from what the kernel documents.
    #[error("{}:{line}: {what}", path.display())]
    Parse {
        /// Which file.
        path: PathBuf,
        /// Counted from 1; 0 for the file as a whole.
        line: usize,
        /// What was found and what was expected.
        what: String,
    },
    /// The mounts are another system's, and where its root is was not said.
    #[error("the mounts below {} are of another system; say where its root is with --path.rootfs", proc.display())]
    UnknownRoot {
        /// Where its procfs is.
        proc: PathBuf,
    },
    /// The system did not answer a call.
    #[error("{call}: {source}")]
    Call {
        /// Which call.
        call: &'static str,
        /// Why.
        source: io::Error,
    },
}

/// What a text of the kernel has at some line that a collector cannot use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ParseError {
    /// Counted from 1; 0 for the text as a whole.
    pub line: usize,
    /// What was found and what was expected.
    pub what: String,
}

impl ParseError {
    /// `line` is counted from 0, as `enumerate` does.
    pub(super) fn at(line: usize, what: impl Into<String>) -> Self {
        Self { line: line + 1, what: what.into() }
    }

    /// The text as a whole is not what was expected.
    pub(super) fn whole(what: impl Into<String>) -> Self {
        Self { line: 0, what: what.into() }
    }

    /// With the file it was found in.
    pub(super) fn within(self, path: PathBuf) -> Error {
        Error::Parse { path, line: self.line, what: self.what }
    }
}

/// Memory of one scrape, used again by later ones.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    file: Vec<u8>,
    stat: Vec<u8>,
}

/// One scrape over one host: where the collectors read.
#[derive(Debug)]
pub(super) struct Pass<'a> {
    pub(super) roots: &'a Roots,
    pub(super) kernel: &'a dyn Kernel,
    collectors: &'a [Box<dyn Collector>],
    scratch: &'a mut Scratch,
    stat_read: bool,
}

impl<'a> Pass<'a> {
    pub(super) fn new(
        roots: &'a Roots,
        kernel: &'a dyn Kernel,
        collectors: &'a [Box<dyn Collector>],
        scratch: &'a mut Scratch,
    ) -> Self {
        Self { roots, kernel, collectors, scratch, stat_read: false }
    }

    /// Whether a family belongs to one of the enabled collectors.
    pub(super) fn owns(&self, family: &str) -> bool {
        self.collectors.iter().any(|collector| collector.owns(family))
    }

    /// Parses a file below `/proc`.
    pub(super) fn proc<T>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&[u8]) -> Result<T, ParseError>,
    ) -> Result<T, Error> {
        let path = self.roots.proc.join(name);
        read(&path, &mut self.scratch.file)?;
        parse(&self.scratch.file).map_err(|error| error.within(path))
    }

    /// Parses a file below `/sys`.
    pub(super) fn sys<T>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&[u8]) -> Result<T, ParseError>,
    ) -> Result<T, Error> {
        let path = self.roots.sys.join(name);
        read(&path, &mut self.scratch.file)?;
        parse(&self.scratch.file).map_err(|error| error.within(path))
    }

    /// Parses `/proc/stat`, the dearest of these files: read once for all collectors of a scrape.
    pub(super) fn stat<T>(&mut self, parse: impl FnOnce(&[u8]) -> Result<T, ParseError>) -> Result<T, Error> {
        let path = self.roots.proc.join("stat");
        if !self.stat_read {
            read(&path, &mut self.scratch.stat)?;
            self.stat_read = true;
        }
        parse(&self.scratch.stat).map_err(|error| error.within(path))
    }
}

/// Reads a whole file into `buffer`.
pub(super) fn read(path: &Path, buffer: &mut Vec<u8>) -> Result<(), Error> {
    buffer.clear();
    let failed = |source| Error::Read { path: path.to_owned(), source };
    let file = File::open(path).map_err(failed)?;
    // Through `take` also for its side effect: a plain read_to_end asks for a size these files do not have.
    let length = file.take(LIMIT).read_to_end(buffer).map_err(failed)?;
    if length as u64 == LIMIT {
        return Err(failed(io::Error::new(io::ErrorKind::FileTooLarge, format!("larger than {} MiB", LIMIT >> 20))));
    }
    Ok(())
}

/// The lines of a text, numbered from 0, without empty ones.
pub(super) fn lines(text: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    text.split(|byte| *byte == b'\n').enumerate().filter(|(_, line)| !line.trim_ascii().is_empty())
}

/// The words of a line.
pub(super) fn words(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty())
}

/// A count; the kernel writes no sign.
pub(super) fn number(line: usize, word: &[u8]) -> Result<u64, ParseError> {
    std::str::from_utf8(word)
        .ok()
        .filter(|word| !word.starts_with('+'))
        .and_then(|word| word.parse().ok())
        .ok_or_else(|| ParseError::at(line, format!("found `{}` where a count is expected", shown(word))))
}

/// Text from a file, fit for a message.
pub(super) fn shown(text: &[u8]) -> String {
    const LONGEST: usize = 60;
    let text = String::from_utf8_lossy(text);
    let short: String = text.chars().take(LONGEST).flat_map(char::escape_debug).collect();
    if text.chars().nth(LONGEST).is_some() { short + "…" } else { short }
}

/// A count as a sample's value; exact up to 2^53, as every value in Prometheus.
pub(super) fn value(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_have_no_sign_and_fit_64_bits() {
        assert_eq!(number(0, b"18446744073709551615"), Ok(u64::MAX));
        for word in ["18446744073709551616", "-1", "+1", "1.5", "", "x", "0x10"] {
            assert!(number(6, word.as_bytes()).is_err_and(|error| error.line == 7), "{word}");
        }
    }

    #[test]
    fn what_a_message_shows_of_a_file_is_short_and_printable() {
        assert_eq!(shown(b"a\xff\n\x1b[2J"), "a\u{fffd}\\n\\u{1b}[2J");
        assert_eq!(shown(&[b'x'; 61]), "x".repeat(60) + "…");
        assert_eq!(shown(&[b'x'; 60]), "x".repeat(60));
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = read(Path::new("/nowhere/stat"), &mut Vec::new()).unwrap_err();
        assert_eq!(error.to_string(), "/nowhere/stat: No such file or directory (os error 2)");
    }
}
