//! Copies of shipped files with intervals shortened, so that a test takes a minute and not an hour.
//!
//! The shipped files are not touched, and a replacement that finds nothing fails: a test of something else than what is
//! shipped would be worth nothing.

use std::path::Path;

/// Copies `from` to `to`, each `(old, new)` replaced everywhere.
pub fn copy(from: &Path, to: &Path, replace: &[(&str, &str)]) {
    let mut text = std::fs::read_to_string(from).unwrap_or_else(|error| panic!("{}: {error}", from.display()));
    for (old, new) in replace {
        assert!(text.contains(old), "{} no longer has `{old}`", from.display());
        text = text.replace(old, new);
    }
    std::fs::create_dir_all(to.parent().expect("a file")).expect("a folder");
    std::fs::write(to, text).unwrap_or_else(|error| panic!("{}: {error}", to.display()));
}

/// Copies every file of a folder as it is.
pub fn copy_all(from: &Path, to: &Path) {
    let list = std::fs::read_dir(from).unwrap_or_else(|error| panic!("{}: {error}", from.display()));
    for entry in list.map(|entry| entry.expect("an entry")) {
        copy(&entry.path(), &to.join(entry.file_name()), &[]);
    }
}
