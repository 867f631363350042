//! `drills[]` (C2.5) and `advisories[]` (C2.6.8).

use super::common::{Context, refuse, text};
use crate::config::decode::Cursor;
use crate::ledger::{Advisory, AdvisoryDecision, Drill};

/// The restore drill at `cursor`.
pub(super) fn drill(cursor: &Cursor<'_>, context: &Context<'_>) -> Option<Drill> {
    let mut map = cursor.map()?;
    let at = context.fact(&mut map, "at");
    let text = map.require("text").and_then(|c| text(&c));
    map.finish();
    Some(Drill { at: at?, text: text? })
}

/// The security update at `cursor`.
pub(super) fn advisory(cursor: &Cursor<'_>, context: &mut Context<'_>) -> Option<Advisory> {
    let mut map = cursor.map()?;
    let id = context.foreign_id(&mut map);
    let component = map.require("component").and_then(|c| c.label());
    let published_at = context.fact(&mut map, "published_at");
    let words = [("apply", AdvisoryDecision::Apply), ("not_applicable", AdvisoryDecision::NotApplicable)];
    let decision = map.get("decision").map_or(Some(None), |c| c.one_of(&words).map(Some));
    let place = map.get("applied_at");
    let applied_at = context.optional_fact(&mut map, "applied_at");
    map.finish();
    let entry = Advisory {
        id: id?,
        component: component?,
        published_at: published_at?,
        decision: decision?,
        applied_at: applied_at?,
    };
    if entry.applied_at.is_some() && entry.decision != Some(AdvisoryDecision::Apply) {
        return refuse(cursor, "applied_at", "`applied_at` needs `decision: apply`");
    }
    // Possible for those who are told ahead, and more often a slip: then an update that is not applied would wait no longer.
    if let (Some(place), Some(applied_at)) = (place, entry.applied_at)
        && applied_at < entry.published_at
    {
        place.warn("it was applied before it was published; are both dates right?");
    }
    Some(entry)
}
