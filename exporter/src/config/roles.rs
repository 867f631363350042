//! `roles`: thresholds by device role (C2.1), exported as `sla_threshold{role,check}`.

use std::collections::HashSet;

use super::Role;
use super::decode::{Cursor, MapCursor};
use super::inventory_checks;
use super::names::{self, check_label};

/// The checks that have a threshold, and the largest one that means something.
pub const CHECKS: &[(&str, f64)] =
    &[("load_per_cpu", 1000.0), ("filesystem_used_percent", 100.0), ("memory_used_percent", 100.0)];

/// All roles, and all names that were given.
#[derive(Default)]
pub(super) struct Roles {
    list: Vec<Role>,
    names: HashSet<String>,
}

/// Reads the section.
pub(super) fn read(cursor: &Cursor<'_>) -> Roles {
    let mut roles = Roles::default();
    for (name, mark, entry) in cursor.named().unwrap_or_default() {
        roles.names.insert(name.to_owned());
        let fits = check_label(name, names::MAX_NAME).map_err(|why| entry.error_at(mark, why)).is_ok();
        let limits = limits(&entry);
        if let (true, Some((thresholds, require))) = (fits, limits) {
            roles.list.push(Role { name: name.to_owned(), thresholds, require });
        }
    }
    roles
}

/// A check's limits.
pub(super) type Thresholds = Vec<(&'static str, f64)>;

fn limits(cursor: &Cursor<'_>) -> Option<(Thresholds, Vec<&'static str>)> {
    // A role without thresholds: its hosts are only watched by probes.
    if cursor.node().is_null() {
        return Some(Default::default());
    }
    let mut map = cursor.map()?;
    let thresholds = thresholds(&mut map);
    let require = map.get("require").map_or(Some(Vec::new()), |c| inventory_checks::read(&c));
    map.finish();
    Some((thresholds?, require?))
}

/// The limits in a mapping; what else it has is the caller's.
pub(super) fn thresholds(map: &mut MapCursor<'_>) -> Option<Thresholds> {
    let mut thresholds = Vec::new();
    let mut complete = true;
    for (check, max) in CHECKS {
        let Some(value) = map.get(check) else { continue };
        match value.positive(*max) {
            Some(number) => thresholds.push((*check, number)),
            None => complete = false,
        }
    }
    complete.then_some(thresholds)
}

impl Roles {
    /// The role `cursor` names.
    pub(super) fn find(&self, cursor: &Cursor<'_>) -> Option<String> {
        let name = cursor.string()?;
        if self.names.contains(&name) {
            return Some(name);
        }
        // In the file's order; a role that was refused itself is not recommended.
        cursor.error(names::unknown("role", &name, self.list.iter().map(|role| role.name.as_str())))
    }

    /// What a role requires of its devices.
    pub(super) fn required_by(&self, name: &str) -> Vec<&'static str> {
        self.list.iter().find(|role| role.name == name).map_or_else(Vec::new, |role| role.require.clone())
    }

    /// The roles in the file's order.
    pub(super) fn into_list(self) -> Vec<Role> {
        self.list
    }
}
