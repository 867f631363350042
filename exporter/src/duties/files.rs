//! Files that a pattern matches, as shells have it. Blocks.

use std::path::{Path, PathBuf};

use glob::{MatchOptions, Pattern, glob_with};

/// `*` takes no hidden files, which is what copying tools write to first.
const OPTIONS: MatchOptions =
    MatchOptions { case_sensitive: true, require_literal_separator: true, require_literal_leading_dot: true };

/// Whether `pattern` can be one; `example` is shown where it cannot.
///
/// # Errors
/// With what is accepted.
pub(crate) fn check(pattern: &str, example: &str) -> Result<(), String> {
    if !pattern.starts_with('/') {
        return Err(format!("expected a pattern from the root on, such as {example}"));
    }
    Pattern::new(pattern).map(drop).map_err(|error| format!("is not a pattern: {error}; write for example {example}"))
}

/// What `pattern` matches, at most `most`.
///
/// # Errors
/// With the folder that cannot be read, or `most`: what is there is not known then.
pub(crate) fn matching(pattern: &str, most: usize) -> Result<Vec<PathBuf>, String> {
    let found = glob_with(pattern, OPTIONS).map_err(|error| format!("{pattern} is not a pattern: {error}"))?;
    folder_is_readable(pattern)?;
    let mut paths = Vec::new();
    for entry in found {
        if paths.len() == most {
            return Err(format!("{pattern} matches more than {most} files"));
        }
        paths.push(entry.map_err(|error| format!("cannot read {}: {}", error.path().display(), error.error()))?);
    }
    Ok(paths)
}

/// A pattern matches nothing as well where its folder is missing or forbidden, and that is not the same.
fn folder_is_readable(pattern: &str) -> Result<(), String> {
    let fixed = pattern.split('/').take_while(|part| !part.contains(['*', '?', '['])).collect::<Vec<_>>().join("/");
    let fixed =
        if fixed == pattern { Path::new(pattern).parent().unwrap_or(Path::new("/")) } else { Path::new(&fixed) };
    let folder = if fixed.as_os_str().is_empty() { Path::new("/") } else { fixed };
    std::fs::read_dir(folder).map(drop).map_err(|error| format!("cannot read {}: {error}", folder.display()))
}
