//! `updates`: security updates of the host's packages (C2.6.8).

use std::path::PathBuf;
use std::time::Duration;

use super::decode::{Cursor, collect};
use crate::updates::Updates;

const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;
/// Each is compared with every archive.
const MAX_ORIGINS: usize = 32;

/// Reads the section.
pub(super) fn read(cursor: &Cursor<'_>) -> Option<Updates> {
    let mut map = cursor.map()?;
    let within = |c: Cursor<'_>, least: u64, most: u64, words: &str| {
        let duration = c.duration()?;
        let fits = (Duration::from_secs(least)..=Duration::from_secs(most)).contains(&duration);
        if fits { Some(duration) } else { c.error(format_args!("expected a duration {words}")) }
    };
    let interval =
        map.get("interval").map_or(Some(Duration::from_secs(HOUR)), |c| within(c, 10, DAY, "from 10s to 1d"));
    let lists_max_age = map
        .get("lists_max_age")
        .map_or(Some(Duration::from_secs(7 * DAY)), |c| within(c, HOUR, 400 * DAY, "from 1h to 400d"));
    let origins = map.get("origins").map_or(Some(Vec::new()), |c| origins(&c));
    let program = map.get("program").map_or(Some(PathBuf::from("apt-cache")), |c| c.non_empty().map(PathBuf::from));
    map.finish();
    Some(Updates { interval: interval?, lists_max_age: lists_max_age?, origins: origins?, program: program? })
}

fn origins(cursor: &Cursor<'_>) -> Option<Vec<String>> {
    let list = cursor.list()?;
    if list.len() > MAX_ORIGINS {
        return cursor.error(format_args!("{} origins; at most {MAX_ORIGINS} are accepted", list.len()));
    }
    collect(&list, Cursor::non_empty)
}
