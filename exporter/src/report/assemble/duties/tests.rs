//! When a duty is kept, when it is not, and when nobody knows.

use std::collections::BTreeMap;

use super::*;
use crate::contract::Contract;
use crate::ledger::{Advisory, AdvisoryDecision, Cause, Channel, Ledger, Notice};
use crate::report::assemble::{Input, assemble};
use crate::report::duties::{Stretch, Tickets, Watch, Watched};
use crate::report::model::{BreachKind, Source as Slots};
use crate::report::sample::{at, contract, incident, report, seconds, stop};
use crate::report::slots::Slot;

fn of(contract: &Contract, ledger: &Ledger, watch: &Watch, now: &str) -> Vec<DutyReport> {
    of_slots(contract, ledger, watch, &all_up(), now)
}

/// Every slot of October, up.
fn all_up() -> BTreeMap<String, Vec<Slot>> {
    let up = |name: &str| {
        let moments = (seconds(BEGIN) + 300..=seconds(END)).step_by(300);
        (name.to_owned(), moments.map(|at| Slot { at, up: true }).collect())
    };
    BTreeMap::from([up("client"), up("consumer")])
}

fn of_slots(
    contract: &Contract,
    ledger: &Ledger,
    watch: &Watch,
    slots: &BTreeMap<String, Vec<Slot>>,
    now: &str,
) -> Vec<DutyReport> {
    let input = Input {
        contract,
        ledger,
        month: "2026-10".parse().unwrap(),
        now: seconds(now),
        slots,
        past: &[],
        sent: &[],
        watch,
        source: &Slots::default(),
        revision: None,
    };
    assemble(&input).duties
}

fn duty<'a>(duties: &'a [DutyReport], name: &str) -> &'a DutyReport {
    duties.iter().find(|duty| duty.duty == name).unwrap()
}

fn watch(name: &str, kept: &[(&str, &str)], broken: &[(&str, &str)]) -> Watch {
    let stretches = |of: &[(&str, &str)]| of.iter().map(|(a, b)| Stretch::from((seconds(a), seconds(b)))).collect();
    let broken: Vec<Stretch> = stretches(broken);
    let items = if broken.is_empty() { BTreeMap::new() } else { BTreeMap::from([("it".to_owned(), broken.clone())]) };
    let watched = Watched { kept: stretches(kept), broken, items, missing: BTreeMap::new() };
    Watch { asked: true, duties: BTreeMap::from([(name.to_owned(), watched)]), ..Watch::default() }
}

const AFTER: &str = "2026-11-01T00:10:00";
const BEGIN: &str = "2026-10-01T00:00:00";
const END: &str = "2026-11-01T00:00:00";

#[track_caller]
fn check(watch: &Watch, name: &str, now: &str, state: DutyState) {
    assert_eq!(duty(&of(&contract(), &Ledger::default(), watch, now), name).state, state);
}

#[test]
fn every_duty_has_a_line_which_says_whether_it_was_not_configured_or_not_recorded() {
    let nothing = Watch { asked: true, ..Watch::default() };
    let duties = of(&contract(), &Ledger::default(), &nothing, AFTER);
    assert_eq!(duties.len(), KINDS.len() + 2);
    assert_eq!(duty(&duties, "availability/consumer").clause, "C4.2");
    let configured =
        |names: &[&str]| Watch { configured: names.iter().map(|name| (*name).to_owned()).collect(), ..nothing.clone() };
    let setting = |setting: &str| DutyEvidence::NotConfigured { setting: setting.to_owned() };
    for (watch, backups, answers) in [
        (nothing.clone(), setting("backups"), setting("support.tickets")),
        (configured(&["backups"]), DutyEvidence::NotRecorded, setting("support.tickets")),
        (configured(&["answers"]), setting("backups"), DutyEvidence::NotRecorded),
        // Of something else there were verdicts, noted by a version that did not note that it had asked.
        (Watch { asked: false, ..watch("monitoring", &[], &[]) }, setting("backups"), setting("support.tickets")),
        // A closed month from before duties.
        (Watch::default(), DutyEvidence::NotAsked, DutyEvidence::NotAsked),
    ] {
        let duties = of(&contract(), &Ledger::default(), &watch, AFTER);
        for (name, evidence) in [("backups", backups), ("answers", answers)] {
            let duty = duty(&duties, name);
            assert_eq!((duty.state, &duty.evidence), (DutyState::NotMeasured, &evidence), "{name} {watch:?}");
        }
    }
}

#[test]
fn five_minutes_broken_are_not_kept_however_much_was_measured() {
    let kept = [(BEGIN, "2026-10-12T00:00:00"), ("2026-10-12T00:05:00", END)];
    let duties = of(
        &contract(),
        &Ledger::default(),
        &watch("monitoring", &kept, &[("2026-10-12T00:00:00", "2026-10-12T00:05:00")]),
        AFTER,
    );
    let monitoring = duty(&duties, "monitoring");
    assert_eq!(monitoring.state, DutyState::NotKept);
    let start = seconds("2026-10-12T00:00:00");
    let expected = Breach {
        item: "it".to_owned(),
        how: BreachKind::Measured,
        start: Some(start),
        end: Some(start + 300),
        seconds: 300,
        stretches: 1,
    };
    assert_eq!(monitoring.breaches, [expected]);
}

/// 1 % of October is 7 h 26 min 24 s.
#[test]
fn what_is_watched_all_the_time_is_kept_where_nearly_all_of_it_is_known() {
    check(&watch("monitoring", &[("2026-10-01T07:25:00", END)], &[]), "monitoring", AFTER, DutyState::Kept);
    check(&watch("monitoring", &[("2026-10-01T07:30:00", END)], &[]), "monitoring", AFTER, DutyState::NotMeasured);
    check(&watch("monitoring", &[], &[]), "monitoring", AFTER, DutyState::NotMeasured);
}

#[test]
fn what_changes_slowly_is_kept_with_one_verdict_on_every_day_and_not_with_a_day_missing() {
    let days: Vec<(String, String)> =
        (1..=31).map(|day| (format!("2026-10-{day:02}T23:55:00"), format!("2026-10-{day:02}T23:59:00"))).collect();
    let of_days = |skip: usize| -> Vec<(&str, &str)> {
        let all = days.iter().enumerate().filter(|(day, _)| *day != skip);
        all.map(|(_, (from, to))| (from.as_str(), to.as_str())).collect()
    };
    check(&watch("backups", &of_days(99), &[]), "backups", AFTER, DutyState::Kept);
    check(&watch("backups", &of_days(16), &[]), "backups", AFTER, DutyState::NotMeasured);
    // The day that goes on is not asked for yet; the one before is.
    check(&watch("backups", &[(BEGIN, "2026-10-02T00:00:00")], &[]), "backups", "2026-10-02T12:00:00", DutyState::Kept);
    check(
        &watch("backups", &[(BEGIN, "2026-10-02T00:00:00")], &[]),
        "backups",
        "2026-10-03T00:02:00",
        DutyState::NotMeasured,
    );
}

#[test]
fn nothing_is_owed_before_the_contract_and_nothing_broken_then_counts() {
    let contract = Contract { start: Some(jiff::civil::date(2026, 10, 16)), ..contract() };
    let broken = [("2026-10-15T00:00:00", "2026-10-16T00:00:00")];
    let duties = of(&contract, &Ledger::default(), &watch("backups", &[("2026-10-16T00:00:00", END)], &broken), AFTER);
    let backups = duty(&duties, "backups");
    assert_eq!((backups.state, backups.breaches.len()), (DutyState::Kept, 0));
    let later = Contract { start: Some(jiff::civil::date(2026, 11, 1)), ..contract };
    let duties = of(&later, &Ledger::default(), &Watch::default(), AFTER);
    assert!(
        duties.iter().all(|duty| duty.state == DutyState::NotMeasured && duty.evidence == DutyEvidence::BeforeContract)
    );
}

/// C2.2
#[test]
fn an_incident_nobody_was_told_of_is_not_kept_and_a_false_alarm_needs_no_telling() {
    let (start, end) = ("2026-10-05T10:00:00", Some("2026-10-05T11:00:00"));
    let state = |cause, told: bool| {
        let mut entry = incident("a", "client", Some(cause), start, end);
        entry.notices.extend(told.then(|| Notice { at: at("2026-10-05T10:07:00"), channel: Channel::Mail }));
        let ledger = Ledger { incidents: vec![entry], ..Ledger::default() };
        duty(&of(&contract(), &ledger, &Watch::default(), AFTER), "notices").clone()
    };
    let told = state(Cause::Internal, true);
    assert_eq!(told.state, DutyState::Kept);
    assert_eq!(
        told.evidence,
        DutyEvidence::Notices { incidents: 1, told: 1, slowest_seconds: Some(420), unexplained: 0 }
    );
    let untold = state(Cause::Internal, false);
    assert_eq!((untold.state, untold.breaches[0].how), (DutyState::NotKept, BreachKind::Untold));
    assert_eq!(state(Cause::FalseAlarm, false).state, DutyState::Kept);
}

/// C2.2
#[test]
fn downtime_nobody_has_judged_may_be_a_failure_nobody_was_told_of() {
    let mut down = all_up();
    down.get_mut("client").unwrap()[40].up = false;
    let (contract, ledger, watch) = (contract(), Ledger::default(), Watch::default());
    let notices = |now: &str| duty(&of_slots(&contract, &ledger, &watch, &down, now), "notices").clone();
    let unjudged = notices(AFTER);
    assert_eq!(unjudged.state, DutyState::NotMeasured);
    assert_eq!(
        unjudged.evidence,
        DutyEvidence::Notices { incidents: 0, told: 0, slowest_seconds: None, unexplained: 1 }
    );
}

/// C4.1
#[test]
fn a_month_that_goes_on_keeps_an_availability_only_where_unmeasured_time_cannot_have_missed_it() {
    let whole = all_up();
    let availability = |slots: &BTreeMap<String, Vec<Slot>>, now: &str| {
        let duties = of_slots(&contract(), &Ledger::default(), &Watch::default(), slots, now);
        duty(&duties, "availability/client").state
    };
    let half = "2026-10-16T00:00:00";
    assert_eq!(availability(&whole, half), DutyState::Kept);
    // 1 % of October is 7 h 26 min: 89 slots.
    for (missing, state) in [(89, DutyState::Kept), (90, DutyState::NotMeasured), (4000, DutyState::NotMeasured)] {
        let mut torn = whole.clone();
        torn.get_mut("client").unwrap().drain(10..10 + missing);
        assert_eq!(availability(&torn, half), state, "{missing}");
    }
}

#[test]
fn what_monitoring_cannot_see_has_a_line_and_is_never_kept() {
    for duty in of(&contract(), &Ledger::default(), &Watch::default(), AFTER) {
        let unseen = KINDS.iter().any(|kind| kind.name == duty.duty && kind.source == Source::Unseen);
        assert_eq!(duty.evidence == DutyEvidence::Unseen, unseen, "{}", duty.duty);
        assert!(!unseen || duty.state == DutyState::NotMeasured, "{}", duty.duty);
    }
}

/// C2.3
#[test]
fn maintenance_keeps_its_notice_slot_and_limit_and_emergencies_only_the_limit() {
    let of_stop = |change: &dyn Fn(&mut crate::ledger::Maintenance)| {
        let mut entry = stop("m", &["consumer"], "2026-10-03T22:00:00", "2026-10-04T02:00:00");
        change(&mut entry);
        let ledger = Ledger { maintenance: vec![entry], ..Ledger::default() };
        let duties = of(&contract(), &ledger, &Watch::default(), AFTER);
        duty(&duties, "maintenance").breaches.iter().map(|breach| breach.how).collect::<Vec<_>>()
    };
    assert_eq!(of_stop(&|_| {}), []);
    assert_eq!(of_stop(&|m| m.announced_at = Some(at("2026-09-19T22:00:00"))), []);
    assert_eq!(of_stop(&|m| m.announced_at = Some(at("2026-09-19T22:00:01"))), [BreachKind::Notice]);
    assert_eq!(of_stop(&|m| m.announced_at = None), [BreachKind::Notice]);
    assert_eq!(of_stop(&|m| m.finished_at = Some(at("2026-10-04T02:00:01"))), [BreachKind::Limit]);
    let tuesday = |m: &mut crate::ledger::Maintenance| {
        m.start = at("2026-10-06T22:00:00");
        m.end = at("2026-10-06T23:00:00");
    };
    assert_eq!(of_stop(&tuesday), [BreachKind::Slot]);
    let emergency = |m: &mut crate::ledger::Maintenance| {
        tuesday(m);
        m.emergency = true;
        m.announced_at = None;
    };
    assert_eq!(of_stop(&emergency), []);
    assert_eq!(
        of_stop(&|m| {
            m.announced_at = None;
            m.cancelled_at = Some(at("2026-10-01T00:00:00"));
        }),
        []
    );
}

/// C2.6.8
#[test]
fn an_advisory_is_broken_from_its_due_day_until_it_is_settled_and_a_ledger_without_any_says_nothing() {
    let of_applied = |decision, applied: Option<&str>| {
        let advisory = Advisory {
            id: "CVE-1".to_owned(),
            component: "nginx".to_owned(),
            published_at: at("2026-09-10T00:00:00"),
            decision,
            applied_at: applied.map(at),
        };
        let ledger = Ledger { advisories: vec![advisory], ..Ledger::default() };
        let found = duty(&of(&contract(), &ledger, &Watch::default(), AFTER), "advisories").clone();
        (found.state, found.breaches.first().map_or(0, |breach| breach.seconds))
    };
    let apply = Some(AdvisoryDecision::Apply);
    assert_eq!(of_applied(apply, Some("2026-10-10T00:00:00")), (DutyState::Kept, 0));
    assert_eq!(of_applied(apply, Some("2026-10-10T00:00:01")), (DutyState::NotKept, 1));
    assert_eq!(of_applied(apply, None), (DutyState::NotKept, 22 * 86_400));
    assert_eq!(of_applied(None, None), (DutyState::NotKept, 22 * 86_400));
    assert_eq!(of_applied(Some(AdvisoryDecision::NotApplicable), None), (DutyState::Kept, 0));
    check(&Watch::default(), "advisories", AFTER, DutyState::NotMeasured);
}

/// C3.4
#[test]
fn one_late_answer_is_not_kept_and_without_any_figures_nobody_knows() {
    let of_late = |late, overdue| Watch {
        tickets: Some(Tickets { in_time: 40, late, overdue, waiting: 1 }),
        ..watch("answers", &[(BEGIN, END)], &[])
    };
    check(&of_late(0, 0), "answers", AFTER, DutyState::Kept);
    check(&of_late(1, 0), "answers", AFTER, DutyState::NotKept);
    check(&of_late(0, 1), "answers", AFTER, DutyState::NotKept);
    check(&Watch::default(), "answers", AFTER, DutyState::NotMeasured);
}

#[test]
fn another_contract_has_its_own_clauses_and_leaves_out_what_it_did_not_promise() {
    let terms = |duty: &str, owed, clause: Option<&str>| DutyTerms {
        duty: duty.to_owned(),
        owed,
        clause: clause.map(str::to_owned),
        title: None,
    };
    let contract = Contract {
        duties: vec![terms("virus_check", false, None), terms("availability/client", true, Some("§ 3"))],
        ..contract()
    };
    let duties = of(&contract, &Ledger::default(), &Watch::default(), AFTER);
    assert!(duties.iter().all(|duty| duty.duty != "virus_check"));
    assert_eq!(duty(&duties, "availability/client").clause, "§ 3");
}

#[test]
fn the_sample_has_every_state() {
    let duties = report().duties;
    for state in [DutyState::Kept, DutyState::NotKept, DutyState::NotMeasured] {
        assert!(duties.iter().any(|duty| duty.state == state), "{state:?}");
    }
}
