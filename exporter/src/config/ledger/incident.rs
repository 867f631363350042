//! `incidents[]`: failures, how customers were kept informed, and what was decided (C2.2, C4.1.2).

use jiff::Timestamp;

use super::common::{Context, bounded, optional_text, refuse, text, title};
use crate::config::decode::{Cursor, MapCursor, collect};
use crate::config::names;
use crate::ledger::{Cause, Decision, Incident, Status, Update};

/// The entry at `cursor`.
pub(super) fn read(cursor: &Cursor<'_>, context: &mut Context<'_>) -> Option<Incident> {
    let mut map = cursor.map()?;
    let id = context.id(&mut map);
    let title = title(&mut map);
    let functions = context.functions(&mut map);
    let cause = cause(&mut map, context);
    let started_at = context.fact(&mut map, "started_at");
    let resolved_at = context.optional_fact(&mut map, "resolved_at");
    let decided = map.get("decided").map_or(Some(None), |c| decision(&c, context).map(Some));
    let notices = context.notices(&mut map);
    let updates = map.get("updates").map_or_else(|| Some(Vec::new()), |c| updates(&c, context));
    map.finish();
    let entry = Incident {
        id: id?,
        title: title?,
        functions: functions?,
        cause: cause?,
        started_at: started_at?,
        resolved_at: resolved_at?,
        decided: decided?,
        notices: notices?,
        updates: updates?,
    };
    check(cursor, &entry).then_some(entry)
}

/// `cause`, with `upstream` where that is the cause and only there. `Some(None)`: nobody knows yet.
fn cause(map: &mut MapCursor<'_>, context: &Context<'_>) -> Option<Option<Cause>> {
    let cause = map.get("cause");
    let upstream = map.get("upstream");
    // Which upstream, is said afterwards.
    let words = [Cause::Internal, Cause::Upstream(String::new()), Cause::ForceMajeure, Cause::FalseAlarm]
        .map(|cause| (cause.word(), cause));
    match (cause.map(|c| c.one_of(&words)), upstream) {
        (None, None) => Some(None),
        (Some(Some(Cause::Upstream(_))), Some(name)) => {
            let found = name.identifier()?;
            if let Some(contract) = context.contract()
                && !contract.upstreams.iter().any(|upstream| upstream.name == found)
            {
                let known = contract.upstreams.iter().map(|upstream| upstream.name.as_str());
                return name.error(names::unknown("upstream", &found, known));
            }
            Some(Some(Cause::Upstream(found)))
        }
        (Some(Some(Cause::Upstream(_))), None) => {
            let known = context.contract().map_or_else(String::new, |contract| {
                let known = names::list(contract.upstreams.iter().map(|upstream| upstream.name.as_str()));
                format!("; the contract has {known}")
            });
            map.error(format_args!("`cause: upstream` needs `upstream`, whose failure it was (C4.1ii){known}"));
            None
        }
        (Some(None), _) => None,
        (Some(Some(cause)), None) => Some(Some(cause)),
        (_, Some(name)) => name.error("`upstream` is for `cause: upstream` alone"),
    }
}

fn decision(cursor: &Cursor<'_>, context: &Context<'_>) -> Option<Decision> {
    let mut map = cursor.map()?;
    let by = map.require("by").and_then(|c| c.label());
    let at = context.fact(&mut map, "at");
    let evidence = optional_text(&mut map, "evidence");
    map.finish();
    Some(Decision { by: by?, at: at?, evidence: evidence? })
}

fn updates(list: &Cursor<'_>, context: &Context<'_>) -> Option<Vec<Update>> {
    let statuses = [Status::Investigating, Status::Identified, Status::Monitoring, Status::Resolved]
        .map(|status| (status.word(), status));
    let mut before: Option<(Timestamp, Status)> = None;
    collect(&bounded(list)?, |item| {
        let mut map = item.map()?;
        let at = context.fact(&mut map, "at");
        let status = map.require("status").and_then(|c| c.one_of(&statuses));
        let text = map.require("text").and_then(|c| text(&c));
        map.finish();
        let update = Update { at: at?, status: status?, text: text? };
        let previous = before.replace((update.at, update.status));
        if previous.is_some_and(|(at, _)| update.at < at) {
            return refuse(
                item,
                "at",
                "this update is before the one above it; updates stand in the order they were made",
            );
        }
        if update.status != Status::Resolved && previous.is_some_and(|(_, status)| status == Status::Resolved) {
            return refuse(
                item,
                "status",
                "this update comes after the incident was `resolved`; a failure that came back is an incident of its own",
            );
        }
        Some(update)
    })
}

/// The order of its times, and what contradicts; everything that is wrong is said.
fn check(cursor: &Cursor<'_>, entry: &Incident) -> bool {
    let mut good = true;
    let mut refuse = |key: &str, message: &str| {
        good = false;
        refuse::<()>(cursor, key, message);
    };
    let Incident { started_at, resolved_at, decided, cause, updates, .. } = entry;
    match resolved_at {
        Some(resolved) if resolved == started_at => {
            refuse("resolved_at", "`resolved_at` is `started_at`: an incident that takes no time is none");
        }
        Some(resolved) if resolved < started_at => refuse("resolved_at", "`resolved_at` is before `started_at`"),
        _ => {}
    }
    if let Some(decision) = decided {
        if cause.is_none() {
            refuse("decided", "`decided` without `cause`: it is the cause that is decided");
        }
        if decision.at < *started_at {
            refuse("decided", "it was decided (`at`) before `started_at`");
        }
    }
    for (i, update) in updates.iter().enumerate() {
        match (update.status, resolved_at) {
            (Status::Resolved, None) => {
                refuse(
                    "updates",
                    &format!("`updates[{i}]` says resolved, but there is no `resolved_at`: write when it was over"),
                );
                break;
            }
            // That it is over is told afterwards; everything else belongs to the time before.
            (Status::Investigating | Status::Identified | Status::Monitoring, Some(resolved))
                if update.at > *resolved =>
            {
                refuse(
                    "updates",
                    &format!(
                        "`updates[{i}]` is {} after `resolved_at`; what is told after the end has status resolved",
                        update.status.word()
                    ),
                );
                break;
            }
            _ => {}
        }
    }
    good
}
