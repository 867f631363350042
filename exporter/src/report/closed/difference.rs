//! What a revision changed.

use std::collections::BTreeMap;

use super::Revision;
use crate::report::model::{Change, Difference, EntryChange, FigureChange};

/// From `before` to `after`.
pub(super) fn between(before: &Revision, after: &Revision) -> Difference {
    let earlier: BTreeMap<&str, _> = before.figures.iter().map(|f| (f.function.as_str(), f.provisional)).collect();
    let functions = after.figures.iter().map(|now| FigureChange {
        function: now.function.clone(),
        before: earlier.get(now.function.as_str()).copied(),
        after: now.provisional,
    });
    Difference {
        revision: before.revision,
        closed_at: before.closed_at,
        functions: functions.collect(),
        entries: entries(before, after),
        terms: before.terms != after.terms,
    }
}

/// Incidents and maintenance that differ, by id.
fn entries(before: &Revision, after: &Revision) -> Vec<EntryChange> {
    let of = |revision: &Revision| -> BTreeMap<String, serde_json::Value> {
        let incidents = revision.ledger.incidents.iter().map(|entry| (entry.id.clone(), serde_json::json!(entry)));
        let stops = revision.ledger.maintenance.iter().map(|entry| (entry.id.clone(), serde_json::json!(entry)));
        incidents.chain(stops).collect()
    };
    let (old, new) = (of(before), of(after));
    let ids: std::collections::BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    ids.into_iter()
        .filter_map(|id| {
            let change = match (old.get(id), new.get(id)) {
                (None, Some(_)) => Change::Added,
                (Some(_), None) => Change::Removed,
                (Some(old), Some(new)) if old != new => Change::Changed,
                _ => return None,
            };
            Some(EntryChange { id: id.clone(), change })
        })
        .collect()
}
