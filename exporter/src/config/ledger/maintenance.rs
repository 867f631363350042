//! `maintenance[]`: planned stops and emergencies (C2.3, C4.1i).

use super::common::{Context, optional_text, refuse, title};
use crate::config::decode::Cursor;
use crate::ledger::Maintenance;

/// The entry at `cursor`.
pub(super) fn read(cursor: &Cursor<'_>, context: &mut Context<'_>) -> Option<Maintenance> {
    let mut map = cursor.map()?;
    let id = context.id(&mut map);
    let title = title(&mut map);
    let text = optional_text(&mut map, "text");
    let functions = context.functions(&mut map);
    let announced_at = context.optional_fact(&mut map, "announced_at");
    let start = context.plan(&mut map, "start");
    let end = context.plan(&mut map, "end");
    let finished_at = context.optional_fact(&mut map, "finished_at");
    let emergency = map.get("emergency").map_or(Some(false), |c| c.bool());
    let cancelled_at = context.optional_fact(&mut map, "cancelled_at");
    let notices = context.notices(&mut map);
    map.finish();
    let entry = Maintenance {
        id: id?,
        title: title?,
        text: text?,
        functions: functions?,
        announced_at: announced_at?,
        start: start?,
        end: end?,
        finished_at: finished_at?,
        emergency: emergency?,
        cancelled_at: cancelled_at?,
        notices: notices?,
    };
    check(cursor, &entry).then_some(entry)
}

/// The order of its times; everything that is wrong is said.
fn check(cursor: &Cursor<'_>, entry: &Maintenance) -> bool {
    let mut good = true;
    let mut refuse = |key: &str, message: &str| {
        good = false;
        refuse::<()>(cursor, key, message);
    };
    let Maintenance { announced_at, start, end, finished_at, cancelled_at, .. } = entry;
    if end == start {
        refuse("end", "`end` is `start`: a stop that takes no time is none");
    } else if end < start {
        refuse("end", "`end` is before `start`");
    }
    if announced_at.is_some_and(|announced| announced > *start) {
        refuse(
            "announced_at",
            "`announced_at` is after `start`; it is when customers were told beforehand: leave it out for a stop that began unannounced",
        );
    }
    if finished_at.is_some_and(|finished| finished <= *start) {
        refuse("finished_at", "`finished_at` is not after `start`; it is when the functions were usable again");
    }
    if let Some(cancelled) = cancelled_at {
        if cancelled >= start {
            refuse(
                "cancelled_at",
                "`cancelled_at` is not before `start`; a stop that had begun and was broken off has `finished_at`",
            );
        }
        if announced_at.is_some_and(|announced| *cancelled < announced) {
            refuse("cancelled_at", "`cancelled_at` is before `announced_at`");
        }
        if finished_at.is_some() {
            refuse(
                "finished_at",
                "`finished_at` beside `cancelled_at`: a maintenance that was called off did not take place",
            );
        }
    }
    good
}
