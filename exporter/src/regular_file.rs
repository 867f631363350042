//! Reading files that a configuration names: regular files only, and only so much of them.
//!
//! A mistaken path can name a pipe nobody writes to, a device without an end, or a disk image. Not for the files of
//! `/proc` and `/sys`, which say nothing true about their size.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

/// The whole content of `path`.
///
/// # Errors
/// When it cannot be read, is not a regular file, or is larger than `max` bytes.
pub fn read(path: &Path, max: u64) -> io::Result<Vec<u8>> {
    // Asked before opening: opening a pipe without a writer already waits.
    let metadata = std::fs::metadata(path)?;
    if metadata.is_dir() {
        return Err(io::Error::other("it is a directory, expected a file"));
    }
    if !metadata.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    let too_large = || io::Error::other(format!("it is larger than {max} bytes"));
    if metadata.len() > max {
        return Err(too_large());
    }
    let mut content = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or_default());
    // One byte more, to see a file that grew in the meantime.
    File::open(path)?.take(max.saturating_add(1)).read_to_end(&mut content)?;
    if content.len() as u64 > max { Err(too_large()) } else { Ok(content) }
}

/// As [`read`], as text.
///
/// # Errors
/// As [`read`], and when it is not UTF-8; the message says where.
pub fn read_text(path: &Path, max: u64) -> io::Result<String> {
    String::from_utf8(read(path, max)?).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let line = 1 + error.as_bytes()[..valid].iter().filter(|byte| **byte == b'\n').count();
        io::Error::other(format!("it is not UTF-8 on line {line}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_up_to_its_limit_and_refused_beyond() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        std::fs::write(&path, b"12345").unwrap();
        assert_eq!(read(&path, 5).unwrap(), b"12345");
        assert_eq!(read(&path, 4).unwrap_err().to_string(), "it is larger than 4 bytes");
    }

    #[test]
    fn what_is_no_regular_file_is_refused_without_waiting() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(read(folder.path(), 9).unwrap_err().to_string(), "it is a directory, expected a file");
        assert_eq!(read(Path::new("/dev/zero"), 9).unwrap_err().to_string(), "it is not a regular file");
        let pipe = folder.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        assert_eq!(read(&pipe, 9).unwrap_err().to_string(), "it is not a regular file");
    }

    #[test]
    fn a_byte_that_is_not_utf_8_is_reported_with_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        std::fs::write(&path, b"a: 1\nb: \xff\n").unwrap();
        assert_eq!(read_text(&path, 99).unwrap_err().to_string(), "it is not UTF-8 on line 2");
    }
}
