//! What the contract makes of the entries, where that may surprise whoever wrote them (C2.3, C4.1i, C4.1.2): warnings.
//!
//! About what can still be changed only, so that a reload does not repeat the past for years: stops of the months whose
//! figures are open (this one and the one before) or to come, and exclusions nobody has decided, however old.

use std::time::Duration;

use jiff::Timestamp;

use super::place::Placed;
use super::{Entries, Terms, warn};
use crate::calendar::Month;
use crate::config::diagnostics::Document;
use crate::config::units::format_duration;
use crate::contract::{Contract, WeekSlot};
use crate::ledger::{Assessment, Cause, Exclusion, Incident, Maintenance};

/// Clocks of whoever wrote the entry and of whoever reads it may differ by this many seconds.
const CLOCK_SKEW: i64 = 600;

/// Reports what is odd about the entries.
pub(super) fn check(entries: &Entries, terms: Terms<'_>, documents: &[Document]) {
    for stop in &entries.maintenance {
        future_stop(stop, terms.now, documents);
        if let Some(contract) = terms.contract {
            maintenance(stop, contract, terms.now, documents);
        }
    }
    for incident in &entries.incidents {
        future_incident(incident, terms.now, documents);
        undecided(incident, documents);
    }
}

fn maintenance(stop: &Placed<Maintenance>, contract: &Contract, now: i64, documents: &[Document]) {
    let Maintenance { start, end, finished_at, emergency, cancelled_at, .. } = &stop.value;
    let open = Month::containing(now, &contract.timezone).previous().span(&contract.timezone).start();
    let last = finished_at.map_or(*end, |finished| finished.max(*end));
    if cancelled_at.is_some() || last.as_second() <= open {
        return;
    }
    let assessment = Assessment::of(&stop.value, contract);
    // An emergency comes when it comes, and whoever marked it as one knows that it counts.
    if !emergency {
        if let (false, Some(slot)) = (assessment.slot_kept, contract.maintenance.slot) {
            let (slot, zone) = (week_slot(slot), &contract.timezone_name);
            warn(
                documents,
                &stop.place,
                "start",
                format_args!("it is not within the weekly slot {slot} in {zone} (C2.3)"),
            );
        }
        let asked = format_duration(contract.maintenance.notice);
        let required = i64::try_from(contract.maintenance.notice.as_secs()).unwrap_or(i64::MAX);
        match assessment.exclusion {
            Exclusion::ShortNotice(given) => warn(
                documents,
                &stop.place,
                "announced_at",
                format_args!(
                    "announced {} before the start, {} less than the {asked} asked: the stop counts, it is not excluded (C4.1i)",
                    duration(given),
                    duration(required - given)
                ),
            ),
            // Until then there is time.
            Exclusion::NotAnnounced if start.as_second().saturating_sub(required) < now => {
                let when = if start.as_second() <= now {
                    "was not announced"
                } else {
                    "is not announced, and it is too late for"
                };
                let asked = if start.as_second() <= now { String::new() } else { format!(" the {asked} asked") };
                warn(
                    documents,
                    &stop.place,
                    "start",
                    format_args!(
                        "it {when}{asked}: the stop counts, it is not excluded (C4.1i); give `announced_at` if customers were told"
                    ),
                );
            }
            _ => {}
        }
    }
    for function in contract.functions.iter().filter(|function| stop.value.functions.contains(&function.name)) {
        if let (false, Some(limit)) = (Assessment::limit_kept(&stop.value, function), function.maintenance_limit) {
            let took = duration(Assessment::stop_seconds(&stop.value));
            let (key, verb) = if finished_at.is_some() { ("finished_at", "took") } else { ("end", "takes") };
            warn(
                documents,
                &stop.place,
                key,
                format_args!(
                    "the stop {verb} {took}, longer than the {} of `{}` (C2.3)",
                    format_duration(limit),
                    function.name
                ),
            );
        }
    }
}

/// An exclusion, or a failure said to be none, on nobody's authority.
fn undecided(incident: &Placed<Incident>, documents: &[Document]) {
    let Incident { cause, resolved_at, decided, .. } = &incident.value;
    let favourable = matches!(cause, Some(Cause::Upstream(_) | Cause::ForceMajeure | Cause::FalseAlarm));
    if favourable && resolved_at.is_some() && decided.is_none() {
        warn(
            documents,
            &incident.place,
            "cause",
            "it is over and nobody has decided this: add `decided` (by, at, evidence); the month's figure stays provisional until then (C4.1.2)",
        );
    }
}

fn future_stop(stop: &Placed<Maintenance>, now: i64, documents: &[Document]) {
    let Maintenance { announced_at, finished_at, cancelled_at, .. } = &stop.value;
    let times = [("announced_at", announced_at), ("finished_at", finished_at), ("cancelled_at", cancelled_at)];
    for (key, at) in times {
        in_future(stop, key, *at, now, documents);
    }
}

fn future_incident(incident: &Placed<Incident>, now: i64, documents: &[Document]) {
    let Incident { started_at, resolved_at, decided, .. } = &incident.value;
    let decided = decided.as_ref().map(|decision| decision.at);
    for (key, at) in [("started_at", Some(*started_at)), ("resolved_at", *resolved_at), ("decided", decided)] {
        in_future(incident, key, at, now, documents);
    }
}

fn in_future<T>(entry: &Placed<T>, key: &'static str, at: Option<Timestamp>, now: i64, documents: &[Document]) {
    if at.is_some_and(|at| at.as_second() > now.saturating_add(CLOCK_SKEW)) {
        warn(documents, &entry.place, key, format_args!("`{key}` is in the future; it is for what has happened"));
    }
}

/// `Fri 21:00 to Mon 03:00`.
fn week_slot(slot: WeekSlot) -> String {
    use jiff::civil::{Time, Weekday};
    let moment = |(day, time): (Weekday, Time)| {
        let day = match day {
            Weekday::Monday => "Mon",
            Weekday::Tuesday => "Tue",
            Weekday::Wednesday => "Wed",
            Weekday::Thursday => "Thu",
            Weekday::Friday => "Fri",
            Weekday::Saturday => "Sat",
            Weekday::Sunday => "Sun",
        };
        format!("{day} {:02}:{:02}", time.hour(), time.minute())
    };
    format!("{} to {}", moment(slot.from), moment(slot.to))
}

fn duration(seconds: i64) -> String {
    format_duration(Duration::from_secs(seconds.unsigned_abs()))
}
