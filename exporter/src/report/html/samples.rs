//! Months for tests of the page: a good one, one that was breached and has everything, one that goes on.

use std::collections::BTreeMap;

use crate::ledger::{Cause, Incident, Ledger, Maintenance};
use crate::report::model::Report;
use crate::report::sample::{self, at, contract, decided, incident, ledger, of, seconds, slots, stop, text};
use crate::report::slots::{STEP, Slot};

/// Slots of the month as far as they are there at `now`, down in `down`.
fn measured(now: &str, down: &[(&str, &str)]) -> BTreeMap<String, Vec<Slot>> {
    let (start, end) = (seconds("2026-10-01T00:00:00"), seconds("2026-11-01T00:00:00").min(seconds(now)));
    let is_down = |clock: i64| down.iter().any(|(from, to)| seconds(from) < clock && clock <= seconds(to));
    let clocks = (start + STEP..=end).step_by(300);
    let slots: Vec<Slot> = clocks.map(|clock| Slot { at: clock - sample::BEAT, up: !is_down(clock) }).collect();
    ["client", "consumer"].into_iter().map(|name| (name.to_owned(), slots.clone())).collect()
}

/// One regular stop, kept in all respects, and nothing else: final.
pub(crate) fn good() -> Report {
    let stop = Maintenance {
        finished_at: Some(at("2026-10-04T00:50:00")),
        ..stop("2026-10-regular", &["client", "consumer"], "2026-10-03T22:00:00", "2026-10-04T01:00:00")
    };
    let ledger = Ledger { maintenance: vec![stop], drills: sample::ledger().drills, ..Ledger::default() };
    let now = "2026-11-04T09:00:00";
    of(&contract(), &ledger, &measured(now, &[("2026-10-03T22:00:00", "2026-10-04T00:50:00")]), now)
}

/// One of everything, and the objective missed.
pub(crate) fn breached() -> Report {
    let mut ledger = ledger();
    ledger.incidents.push(decided(
        Incident {
            title: text("基幹データベースの障害", "Failure of the main database"),
            functions: vec!["client".to_owned(), "consumer".to_owned()],
            ..incident(
                "2026-10-12-database",
                "client",
                Some(Cause::Internal),
                "2026-10-12T08:31:00",
                Some("2026-10-12T16:05:30"),
            )
        },
        "2026-10-13T10:00:00",
    ));
    let mut slots = slots();
    for slot in slots.values_mut().flatten() {
        slot.up &= !(seconds("2026-10-12T08:35:00") < slot.at && slot.at <= seconds("2026-10-12T16:05:00"));
    }
    of(&contract(), &ledger, &slots, "2026-11-02T10:00:00")
}

/// In the middle of the month, with a stop still to come.
pub(crate) fn open() -> Report {
    let now = "2026-10-16T09:41:20";
    let mut ledger = ledger();
    ledger.incidents.retain(|incident| incident.started_at < at("2026-10-09T00:00:00"));
    ledger.maintenance.retain(|stop| stop.id != "2026-10-certificate");
    for stop in &mut ledger.maintenance {
        stop.cancelled_at = None;
    }
    ledger.drills.clear();
    let down = [("2026-10-03T22:00:00", "2026-10-04T00:50:00"), ("2026-10-07T10:00:00", "2026-10-07T10:30:00")];
    of(&contract(), &ledger, &measured(now, &down), now)
}
