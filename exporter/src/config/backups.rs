//! `backups`: which files are backups, and what was promised of them (C2.5).

use std::collections::HashMap;
use std::time::Duration;

use super::decode::{Cursor, collect};
use crate::backups::{BackupSet, check_path};

const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;

/// Reads `restore_drills`: how often one is to be made.
pub(super) fn drills(cursor: &Cursor<'_>) -> Option<Duration> {
    let every = cursor.duration()?;
    let fits = (Duration::from_secs(DAY)..=Duration::from_secs(4000 * DAY)).contains(&every);
    if fits { Some(every) } else { cursor.error("expected a duration from 1d to 4000d, such as 366d") }
}

/// Reads the section.
pub(super) fn read(cursor: &Cursor<'_>) -> Option<Vec<BackupSet>> {
    let list = cursor.list()?;
    let mut seen: HashMap<String, String> = HashMap::new();
    collect(&list, |c| {
        let set = one(c)?;
        match seen.insert(set.name.clone(), c.path().to_owned()) {
            Some(first) => c.error(format_args!("`{}` is the name of {first} already", set.name)),
            None => Some(set),
        }
    })
}

fn one(cursor: &Cursor<'_>) -> Option<BackupSet> {
    let mut map = cursor.map()?;
    let within = |c: Cursor<'_>, least: u64, most: u64, words: &str| {
        let duration = c.duration()?;
        let fits = (Duration::from_secs(least)..=Duration::from_secs(most)).contains(&duration);
        if fits { Some(duration) } else { c.error(format_args!("expected a duration {words}")) }
    };
    let name = map.require("name").and_then(|c| c.label());
    let path = map.require("path").and_then(|c| {
        let path = c.non_empty()?;
        match check_path(&path) {
            Ok(()) => Some(path),
            Err(why) => c.error(why),
        }
    });
    let max_age = map
        .get("max_age")
        .map_or(Some(Duration::from_secs(26 * HOUR)), |c| within(c, 60, 400 * DAY, "from 1m to 400d"));
    let keep_days =
        map.get("keep_days").map_or(Some(7), |c| c.integer(1..=400).and_then(|days| u32::try_from(days).ok()));
    let min_size_ratio = map.get("min_size_ratio").map_or(Some(0.5), |c| c.number(0.0..=1.0));
    let settle = map.get("settle").map_or(Some(Duration::from_secs(60)), |c| within(c, 0, DAY, "up to 1d"));
    let interval = map.get("interval").map_or(Some(Duration::from_secs(300)), |c| within(c, 10, DAY, "from 10s to 1d"));
    map.finish();
    Some(BackupSet {
        name: name?,
        path: path?,
        max_age: max_age?,
        keep_days: keep_days?,
        min_size_ratio: min_size_ratio?,
        settle: settle?,
        interval: interval?,
    })
}
