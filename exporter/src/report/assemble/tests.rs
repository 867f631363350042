//! A report put together from slots and a ledger: figures, entries, what still waits, gaps, the year.

use super::*;
use crate::ledger::{Cause, Maintenance};
use crate::report::model::{
    ExclusionKind, Gap, IncidentFunction, MaintenanceFunction, Origin, Outcome, Sender, SlotCount,
};
use crate::report::sample::{BEAT, contract, decided, incident, ledger, of, report, seconds, slots, stop};

const AFTER: &str = "2026-11-01T00:10:00";

fn function<'a>(report: &'a Report, name: &str) -> &'a FunctionReport {
    report.functions.iter().find(|function| function.name == name).unwrap()
}

fn all_up() -> BTreeMap<String, Vec<Slot>> {
    let all = slots();
    all.into_iter()
        .map(|(name, slots)| (name, slots.into_iter().map(|slot| Slot { up: true, ..slot }).collect()))
        .collect()
}

fn down(mut slots: BTreeMap<String, Vec<Slot>>, from: &str, to: &str) -> BTreeMap<String, Vec<Slot>> {
    for slot in slots.values_mut().flatten() {
        slot.up &= !(seconds(from) < slot.at && slot.at <= seconds(to));
    }
    slots
}

#[test]
fn the_parts_add_up() {
    let report = report();
    for function in &report.functions {
        for figures in [&function.measured, &function.provisional, &function.adjudicated] {
            assert_eq!(figures.calendar_seconds - figures.excluded_seconds(), figures.service_seconds);
            assert_eq!(figures.judged_downtime_seconds + figures.measured_downtime_seconds, figures.downtime_seconds);
        }
        let of_incidents = |part: &dyn Fn(&IncidentFunction) -> i64| -> i64 {
            let all = report.incidents.iter().flat_map(|incident| &incident.functions);
            all.filter(|of| of.function == function.name).map(part).sum()
        };
        let of_stops = |part: &dyn Fn(&MaintenanceFunction) -> i64| -> i64 {
            let all = report.maintenance.iter().flat_map(|stop| &stop.functions);
            all.filter(|of| of.function == function.name).map(part).sum()
        };
        let figures = &function.provisional;
        assert_eq!(
            of_incidents(&|of| of.downtime_seconds) + of_stops(&|of| of.overrun_judged_seconds),
            figures.judged_downtime_seconds
        );
        assert_eq!(
            of_incidents(&|of| of.excluded_seconds) + of_stops(&|of| of.excluded_seconds),
            figures.excluded_seconds()
        );
        let unexplained: i64 = function.unexplained.iter().map(|stretch| stretch.seconds).sum();
        assert_eq!(unexplained, figures.measured_downtime_seconds);
        assert_eq!(function.gaps.iter().map(|gap| gap.seconds).sum::<i64>(), figures.unmeasured_seconds);
        assert_eq!(function.overrun.judged_seconds, of_stops(&|of| of.overrun_judged_seconds));
        assert_eq!(function.overrun.measured_seconds, of_stops(&|of| of.overrun_measured_seconds));
    }
}

#[test]
fn three_figures_stand_side_by_side() {
    let report = report();
    let client = function(&report, "client");
    // Nothing of the ledger: the whole month is service time, each slot that is down counts.
    assert_eq!(client.measured.service_seconds, 31 * 86_400);
    assert_eq!(client.measured.downtime_seconds, (34 + 5 + 14 + 27 + 4 + 2 + 4) * 300);
    assert_eq!(client.measured.judged_downtime_seconds, 0);
    // All of it: 3 h and 2 h of maintenance, 70 min upstream; 29 min and 20 min judged.
    let provisional = &client.provisional;
    assert_eq!(provisional.excluded.planned_seconds, 5 * 3600);
    assert_eq!(provisional.excluded.upstream_seconds, 70 * 60);
    assert_eq!(provisional.judged_downtime_seconds, 29 * 60 + 20 * 60);
    // Only what somebody decided: the open incident is not, its slots count as measured.
    assert_eq!(client.adjudicated.judged_downtime_seconds, 29 * 60);
    assert_eq!(client.adjudicated.measured_downtime_seconds, provisional.measured_downtime_seconds + 4 * 300);
}

#[test]
fn a_report_waits_for_all_that_can_change_it() {
    let report = report();
    assert_eq!(report.status.state, State::Provisional);
    let waiting = |kind: &dyn Fn(&Waiting) -> bool| report.status.waiting.iter().filter(|w| kind(w)).count();
    assert_eq!(waiting(&|w| *w == Waiting::MonthNotOver), 0);
    assert_eq!(waiting(&|w| *w == Waiting::OpenIncident { id: "2026-10-31-slow".to_owned() }), 1);
    assert_eq!(waiting(&|w| *w == Waiting::UndecidedIncident { id: "2026-10-28-form".to_owned() }), 1);
    assert_eq!(waiting(&|w| matches!(w, Waiting::UnexplainedDowntime { .. })), 2);
    assert_eq!(report.status.waiting.len(), 4);
    assert_eq!(report.status.notes.len(), 2, "unmeasured time of both functions");
}

#[test]
fn a_report_is_final_when_nothing_waits_and_not_a_second_earlier() {
    let quiet = Ledger::default();
    for (now, state) in [("2026-11-01T00:00:59", State::Provisional), ("2026-11-01T00:01:00", State::Final)] {
        let report = of(&contract(), &quiet, &all_up(), now);
        assert_eq!(report.status.state, state, "{now}");
        assert_eq!(report.status.waiting.is_empty(), state == State::Final);
    }
    // Unmeasured time is noted, and waits for nobody.
    let report = of(&contract(), &quiet, &all_up(), AFTER);
    assert!(matches!(report.status.notes[..], [Note::UnmeasuredTime { .. }, Note::UnmeasuredTime { .. }]));
}

#[test]
fn a_decided_incident_that_goes_on_is_waited_for() {
    let open = incident("a", "client", Some(Cause::Internal), "2026-10-31T23:00:00", None);
    let ledger = Ledger { incidents: vec![decided(open, "2026-11-01T00:01:00")], ..Ledger::default() };
    let report = of(&contract(), &ledger, &all_up(), AFTER);
    assert_eq!(report.status.waiting, [Waiting::OpenIncident { id: "a".to_owned() }]);
    assert_eq!(report.incidents[0].seconds_in_month, 3600, "not the ten minutes after the month");
}

/// C4.1.2: recorded, it is judged to the second; not recorded, slots that follow the end without a break are linked.
#[test]
fn an_overrun_is_told_with_its_maintenance() {
    let report = report();
    let of = |id: &str| report.maintenance.iter().find(|stop| stop.id == id).unwrap();
    assert_eq!(of("2026-10-database").functions[0].overrun_judged_seconds, 25 * 60 + 30);
    assert_eq!(of("2026-10-network").functions[0].overrun_measured_seconds, 15 * 60);
    let client = function(&report, "client");
    let overrun = client.unexplained.iter().find(|s| matches!(s.link, Some(Link::Overrun { .. }))).unwrap();
    let end = seconds("2026-10-18T01:15:00") - BEAT;
    assert_eq!((overrun.start, overrun.end, overrun.seconds), (end - 900, end, 900));
    assert_eq!(client.overrun, Overrun { judged_seconds: 0, measured_seconds: 900 });
}

#[test]
fn a_slot_that_was_up_or_missing_ends_an_overrun() {
    let ledger = Ledger {
        maintenance: vec![stop("m", &["client"], "2026-10-17T23:00:00", "2026-10-18T01:00:00")],
        ..Ledger::default()
    };
    let overran = |slots: &BTreeMap<String, Vec<Slot>>| {
        function(&of(&contract(), &ledger, slots, AFTER), "client").overrun.measured_seconds
    };
    let long = down(all_up(), "2026-10-17T23:00:00", "2026-10-18T02:00:00");
    assert_eq!(overran(&long), 3600);
    let mut broken = long.clone();
    for slot in broken.values_mut().flatten() {
        slot.up |= slot.at == seconds("2026-10-18T01:30:00") - BEAT;
    }
    assert_eq!(overran(&broken), 1500);
    let mut holed = long;
    holed.values_mut().for_each(|slots| slots.retain(|slot| slot.at != seconds("2026-10-18T01:05:00") - BEAT));
    assert_eq!(overran(&holed), 0);
}

/// C4.1i
#[test]
fn a_maintenance_announced_late_is_counted_and_says_so() {
    let report = report();
    let late = report.maintenance.iter().find(|stop| stop.id == "2026-10-certificate").unwrap();
    assert_eq!(late.exclusion, ExclusionKind::ShortNotice);
    assert_eq!((late.notice_seconds, late.notice_kept, late.slot_kept), (Some(13 * 86_400), false, false));
    assert_eq!((late.functions[0].excluded_seconds, late.functions[0].counted_downtime_seconds), (0, 1200));
    let off = report.maintenance.iter().find(|stop| stop.id == "2026-10-extension").unwrap();
    assert_eq!((off.exclusion, off.functions[0].excluded_seconds), (ExclusionKind::Cancelled, 0));
}

#[test]
fn downtime_within_an_incident_without_a_cause_is_its_own() {
    let report = report();
    let form = report.incidents.iter().find(|incident| incident.id == "2026-10-28-form").unwrap();
    assert_eq!(form.cause, None);
    let expected = IncidentFunction {
        function: "consumer".to_owned(),
        downtime_seconds: 0,
        excluded_seconds: 0,
        unjudged_downtime_seconds: 900,
        slots: SlotCount { up: 2, down: 3, unmeasured: 0 },
    };
    assert_eq!(form.functions, [expected]);
}

#[test]
fn time_that_two_entries_judge_counts_for_the_first() {
    let two = ["a", "b"]
        .map(|id| incident(id, "client", Some(Cause::Internal), "2026-10-05T10:00:00", Some("2026-10-05T11:00:00")));
    let stop = Maintenance {
        finished_at: Some(seconds_to("2026-10-05T10:30:00")),
        ..stop("m", &["client"], "2026-10-05T08:00:00", "2026-10-05T09:00:00")
    };
    let ledger = Ledger { maintenance: vec![stop], incidents: two.to_vec(), ..Ledger::default() };
    let report = of(&contract(), &ledger, &all_up(), AFTER);
    assert_eq!(report.maintenance[0].functions[0].overrun_judged_seconds, 90 * 60);
    assert_eq!(report.incidents.iter().map(|i| i.functions[0].downtime_seconds).collect::<Vec<_>>(), [30 * 60, 0]);
    assert_eq!(function(&report, "client").provisional.judged_downtime_seconds, 120 * 60);
}

fn seconds_to(text: &str) -> jiff::Timestamp {
    crate::report::sample::at(text)
}

#[test]
fn the_first_report_is_the_earliest_notice_whoever_sent_it() {
    let report = report();
    let login = report.incidents.iter().find(|incident| incident.id == "2026-10-07-login").unwrap();
    assert_eq!(login.first_report_seconds, Some(240));
    assert_eq!(
        login.notices.iter().map(|notice| notice.sender).collect::<Vec<_>>(),
        [Sender::Exporter, Sender::Ledger, Sender::Ledger]
    );
    assert!(report.incidents.iter().any(|incident| incident.first_report_seconds.is_none()));
}

#[test]
fn a_gap_is_whole_and_ends_with_its_last_slot() {
    let report = report();
    let end = seconds("2026-10-29T03:30:00") - BEAT;
    assert_eq!(function(&report, "client").gaps, [Gap { start: end - 5400, end, seconds: 5400 }]);
}

#[test]
fn nothing_before_the_contract_began_is_unmeasured() {
    let mut contract = contract();
    contract.start = Some(jiff::civil::date(2026, 10, 29));
    let none = BTreeMap::from([("client".to_owned(), Vec::new())]);
    let report = of(&contract, &Ledger::default(), &none, AFTER);
    let client = function(&report, "client");
    assert_eq!(client.provisional.unmeasured_seconds, 3 * 86_400);
    assert_eq!(client.outcome, Outcome::Unmeasured);
    assert!(report.status.notes.contains(&Note::ContractBegan { at: seconds("2026-10-29T00:00:00") }));
    // And a function nobody measured has slots of its own: none.
    assert_eq!(function(&report, "consumer").provisional.unmeasured_seconds, 3 * 86_400);
}

#[test]
fn a_month_nothing_was_owed_in_waits_for_nothing() {
    let mut contract = contract();
    contract.start = Some(jiff::civil::date(2026, 11, 1));
    let slots = down(all_up(), "2026-10-05T00:00:00", "2026-10-06T00:00:00");
    let report = of(&contract, &Ledger::default(), &slots, AFTER);
    assert!(report.functions.iter().all(|function| function.outcome == Outcome::NotOwed));
    assert_eq!(report.status.state, State::Final);
}

#[test]
fn the_year_has_the_newest_of_each_month_and_no_other_years() {
    let report = report();
    let rows = |name: &str| -> Vec<(String, Origin, Outcome)> {
        let year = &function(&report, name).year;
        year.iter().map(|row| (row.month.to_string(), row.origin, row.outcome)).collect()
    };
    assert_eq!(
        rows("client"),
        [
            ("2026-08".to_owned(), Origin::Recorded, Outcome::Missed),
            ("2026-09".to_owned(), Origin::Closed { revision: 2 }, Outcome::Met),
            ("2026-10".to_owned(), Origin::Report, Outcome::Met),
        ]
    );
    // 99 % exactly, and ten minutes nobody knows of.
    assert_eq!(rows("consumer")[0], ("2026-09".to_owned(), Origin::Recorded, Outcome::Unproven));
}

#[test]
fn drills_and_advisories_are_the_months() {
    let ledger = ledger();
    let report = report();
    assert_eq!((report.drills.len(), report.advisories.len()), (1, 2));
    assert_eq!(report.advisories[0].due_at, seconds("2026-10-28T00:00:00"));
    assert_eq!(report.ledger_entries, ledger.len());
}

#[test]
fn a_report_is_read_back_from_its_json() {
    let report = report();
    let json = serde_json::to_string(&report).unwrap();
    assert!(serde_json::from_str::<Report>(&json).unwrap() == report);
}
