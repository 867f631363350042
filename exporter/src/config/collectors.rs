//! `collectors`: what this process measures of its own host, by name, with settings where one has any.

use std::path::{Path, PathBuf};

use super::Collectors;
use super::decode::Cursor;
use super::names;
use super::node::{Mark, Value};
use crate::host::NAMES;

/// Where Debian's textfile scripts write; used when `textfile` is listed without a directory.
pub const DEFAULT_TEXTFILE_DIRECTORY: &str = "/var/lib/prometheus/node-exporter";
/// The one that reads what others write, so it runs only when asked for.
const TEXTFILE: &str = "textfile";

/// Reads the section; absent: all that need nothing from outside.
pub(super) fn read(cursor: Option<&Cursor<'_>>) -> Option<Collectors> {
    let Some(cursor) = cursor else {
        let enabled = NAMES.iter().filter(|name| **name != TEXTFILE).map(ToString::to_string).collect();
        return Some(Collectors { enabled, textfile_directory: None });
    };
    let items = cursor.list()?;
    let mut collectors = Collectors::default();
    let mut lines: Vec<usize> = Vec::new();
    for item in &items {
        let Some((name, mark, settings)) = named(item) else { continue };
        if !NAMES.contains(&name.as_str()) {
            item.error_at(mark, names::unknown("collector", &name, NAMES.iter().copied()));
            continue;
        }
        if let Some(first) = collectors.enabled.iter().position(|known| *known == name) {
            item.error_at(mark, format_args!("collector `{name}` is already listed on line {}", lines[first]));
            continue;
        }
        if name == TEXTFILE {
            collectors.textfile_directory = Some(textfile_directory(item, settings.as_ref()));
        } else if let Some(settings) = settings.and_then(|s| s.map()) {
            // No other collector has settings: every key is refused by name.
            settings.finish();
        }
        lines.push(mark.line);
        collectors.enabled.push(name);
    }
    Some(collectors)
}

/// `load`, or `textfile: {…}`.
fn named<'a>(item: &Cursor<'a>) -> Option<(String, Mark, Option<Cursor<'a>>)> {
    if !matches!(item.node().value, Value::Map(_)) {
        return Some((item.non_empty()?, item.node().mark, None));
    }
    let mut entries = item.named()?;
    if entries.len() != 1 {
        return item.error("expected one collector per list item, as `name` or `name: {…}`");
    }
    let (name, mark, settings) = entries.remove(0);
    let settings = (!settings.node().is_null()).then_some(settings);
    Some((name.to_owned(), mark, settings))
}

fn textfile_directory(item: &Cursor<'_>, settings: Option<&Cursor<'_>>) -> PathBuf {
    let mut directory = None;
    if let Some(mut map) = settings.and_then(Cursor::map) {
        // Resolved, not referred to: what is in there changes all the time, and is read at each scrape.
        directory = map.get("directory").and_then(|c| Some(c.document().resolve(&c.non_empty()?)));
        map.finish();
    }
    let directory = directory.unwrap_or_else(|| PathBuf::from(DEFAULT_TEXTFILE_DIRECTORY));
    if !Path::is_dir(&directory) {
        item.warn(format_args!("{} is not a directory: there is nothing to read until it is", directory.display()));
    }
    directory
}
