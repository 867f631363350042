//! What the contract makes of the entries, where that may surprise whoever wrote them (C2.3, C4.1i, C4.1.2): warnings.
//!
//! About what still matters only, so that no reload repeats the past for years: entries of the months whose figures are
//! open (this one and the one before) or to come; and incidents that wait for somebody, however old.

use std::time::Duration;

use super::place::Placed;
use super::{Entries, Terms, warn};
use crate::calendar::Month;
use crate::config::diagnostics::Document;
use crate::config::units::format_duration;
use crate::contract::Contract;
use crate::ledger::{Assessment, Cause, Exclusion, Incident, Maintenance};

/// What takes longer than this many seconds, a week, has rather a mistaken day or month.
const LONG: i64 = 7 * 86_400;
/// A stop that begins later than this many seconds from now, two years, has rather a mistaken year.
const FAR: i64 = 2 * 365 * 86_400;

/// Reports what is odd about the entries.
pub(super) fn check(entries: &Entries, terms: Terms<'_>, documents: &[Document]) {
    if let Some(contract) = terms.contract {
        let open = Month::containing(terms.now, &contract.timezone).previous().span(&contract.timezone).start();
        for stop in &entries.maintenance {
            let last = stop.value.finished_at.unwrap_or(stop.value.end).max(stop.value.end);
            if stop.value.cancelled_at.is_none() && last.as_second() > open {
                Stop { stop, contract, now: terms.now, documents }.check();
            }
        }
    }
    for incident in &entries.incidents {
        undecided(incident, documents);
        forgotten(incident, terms.now, documents);
    }
}

/// A maintenance that still matters.
struct Stop<'a> {
    stop: &'a Placed<Maintenance>,
    contract: &'a Contract,
    now: i64,
    documents: &'a [Document],
}

impl Stop<'_> {
    fn check(&self) {
        let assessment = Assessment::of(&self.stop.value, self.contract);
        // An emergency comes when it comes, and whoever marked it as one knows that it counts.
        if !self.stop.value.emergency {
            self.slot(&assessment);
            self.notice(&assessment);
        }
        self.limits();
        self.slips();
    }

    fn slot(&self, assessment: &Assessment) {
        if let (false, Some(slot)) = (assessment.slot_kept, self.contract.maintenance.slot) {
            let (slot, zone) = (slot, &self.contract.timezone_name);
            self.warn("start", format_args!("the stop is not within the weekly slot, {slot} in {zone} (C2.3)"));
        }
    }

    fn notice(&self, assessment: &Assessment) {
        let stop = &self.stop.value;
        let required = i64::try_from(self.contract.maintenance.notice.as_secs()).unwrap_or(i64::MAX);
        let asked = duration(required);
        let start = stop.start.as_second();
        let counts = "it counts and is not excluded (C4.1i)";
        match (assessment.exclusion, stop.notices.first().filter(|notice| notice.at < stop.start)) {
            (Exclusion::ShortNotice(given), _) => {
                let (given, missing) = (duration(given), duration(required - given));
                self.warn(
                    "announced_at",
                    format_args!(
                        "the stop is announced {given} ahead, {missing} less than the {asked} asked: {counts}"
                    ),
                );
            }
            (Exclusion::NotAnnounced, Some(_)) => self.warn(
                "notices",
                format_args!("customers were told, but there is no `announced_at`: {counts} until it says when"),
            ),
            (Exclusion::NotAnnounced, None) if start <= self.now => {
                self.warn("start", format_args!("the stop was not announced: {counts}"));
            }
            // Until then there is time to announce it.
            (Exclusion::NotAnnounced, None) if start.saturating_sub(required) < self.now => self.warn(
                "start",
                format_args!("the stop is not announced, and for the {asked} asked it is too late: {counts}"),
            ),
            _ => {}
        }
    }

    fn limits(&self) {
        let stop = &self.stop.value;
        for function in self.contract.functions.iter().filter(|function| stop.functions.contains(&function.name)) {
            if let (false, Some(limit)) = (Assessment::limit_kept(stop, function), function.maintenance_limit) {
                let took = duration(Assessment::stop_seconds(stop));
                let (key, verb) = if stop.finished_at.is_some() { ("finished_at", "took") } else { ("end", "takes") };
                let limit = format_duration(limit);
                self.warn(
                    key,
                    format_args!(
                        "the stop {verb} {took}, longer than the {limit} of function `{}` (C2.3)",
                        function.name
                    ),
                );
            }
        }
    }

    fn slips(&self) {
        let stop = &self.stop.value;
        let ahead = stop.start.as_second().saturating_sub(self.now);
        if ahead > FAR {
            self.warn("start", format_args!("the stop is {} days ahead; is its year right?", ahead / 86_400));
        }
        let takes = Assessment::stop_seconds(stop);
        if takes > LONG {
            self.warn("end", format_args!("the stop takes {} days; are day and month right?", takes / 86_400));
        }
    }

    fn warn(&self, key: &str, message: impl std::fmt::Display) {
        warn(self.documents, &self.stop.place, key, message);
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
            "the incident is over and nobody has decided its cause; give `decided`, the month's figure is provisional until then (C4.1.2)",
        );
    }
}

/// What goes on for long was perhaps not closed; what lasted for long was perhaps in another month.
fn forgotten(incident: &Placed<Incident>, now: i64, documents: &[Document]) {
    let Incident { started_at, resolved_at, decided, .. } = &incident.value;
    let until = |end: i64| Some(end.saturating_sub(started_at.as_second())).filter(|seconds| *seconds > LONG);
    match resolved_at {
        None => {
            if let Some(seconds) = until(now) {
                let days = seconds / 86_400;
                let message = format_args!("the incident goes on for {days} days; give `resolved_at` if it is over");
                warn(documents, &incident.place, "started_at", message);
            }
        }
        // Whoever decided it has looked.
        Some(resolved) if decided.is_none() => {
            if let Some(seconds) = until(resolved.as_second()) {
                let message = format_args!("the incident lasts {}; are day and month right?", duration(seconds));
                warn(documents, &incident.place, "resolved_at", message);
            }
        }
        Some(_) => {}
    }
}

fn duration(seconds: i64) -> String {
    format_duration(Duration::from_secs(seconds.unsigned_abs()))
}
