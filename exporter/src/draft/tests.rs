//! What is proposed, and that it can be taken into a ledger as it stands.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::calendar::Month;
use crate::config;
use crate::contract::Contract;
use crate::ledger::{Cause, Ledger};
use crate::report::assemble::{Input, assemble};
use crate::report::duties::Watch;
use crate::report::model::{Report, Source};
use crate::report::sample::{self, contract, seconds};
use crate::report::slots::Slot;
use crate::span::Span;

const LATER: &str = "2026-11-05T00:00:00";
/// Slots of October.
const SLOTS: i64 = 31 * 288;

fn start() -> i64 {
    seconds("2026-10-01T00:00:00")
}

/// Slots of September's last day to November's fourth that come `beat` seconds before the clock's five minutes end; down in
/// those numbered from October's begin, the first being 1.
fn measured(down: &[(&str, &[i64])], beat: i64) -> BTreeMap<String, Vec<Slot>> {
    let slots = |name: &str| {
        let own: Vec<i64> =
            down.iter().filter(|(f, _)| *f == name).flat_map(|(_, down)| down.iter().copied()).collect();
        let all = -287..=SLOTS + 4 * 288;
        all.map(|n| Slot { at: start() + n * 300 - beat, up: !own.contains(&n) }).collect::<Vec<_>>()
    };
    ["client", "consumer"].map(|name| (name.to_owned(), slots(name))).into()
}

fn reports(
    contract: &Contract,
    ledger: &Ledger,
    slots: &BTreeMap<String, Vec<Slot>>,
    months: &[&str],
    now: i64,
) -> Vec<Report> {
    let report = |month: &&str| {
        let month: Month = month.parse().unwrap();
        let span = month.span(&contract.timezone);
        let known = |slot: &&Slot| slot.at <= now && span.holds_slot(slot.at);
        let own = |slots: &Vec<Slot>| slots.iter().filter(known).copied().collect::<Vec<_>>();
        let slots: BTreeMap<String, Vec<Slot>> = slots.iter().map(|(name, slots)| (name.clone(), own(slots))).collect();
        let source = Source::default();
        assemble(&Input {
            contract,
            ledger,
            month,
            now,
            slots: &slots,
            past: &[],
            sent: &[],
            watch: &Watch::default(),
            source: &source,
            revision: None,
        })
    };
    months.iter().map(report).collect()
}

fn draft_at(ledger: &Ledger, slots: &BTreeMap<String, Vec<Slot>>, months: &[&str], now: &str) -> Draft {
    let contract = contract();
    proposals(&reports(&contract, ledger, slots, months, seconds(now)), ledger, &contract.timezone)
}

/// October's, as of November.
fn draft(ledger: &Ledger, down: &[(&str, &[i64])]) -> Draft {
    draft_at(ledger, &measured(down, 0), &["2026-10"], LATER)
}

fn text(draft: &Draft, evidence: &[Evidence]) -> String {
    let head = Head { contract: &contract(), of: "2026-10", source: "http://127.0.0.1:9090", now: seconds(LATER) };
    write(draft, evidence, &[], &head)
}

/// A draft's entries as the ledger's own reader takes them, beside what is there, if somebody had given all this cause.
fn read(text: &str, cause: &str) -> Ledger {
    let folder = tempfile::tempdir().unwrap();
    let text =
        text.replace("    # cause: internal | upstream | force_majeure | false_alarm\n", &format!("    {cause}\n"));
    std::fs::write(folder.path().join("ledger.yml"), &text).unwrap();
    let functions: String = contract()
        .functions
        .iter()
        .map(|function| format!("    {}: {{objective: 99, capabilities: {{a: {{quorum: all}}}}}}\n", function.name))
        .collect();
    let config = format!(
        "site: s\ncontract:\n  name: c\n  timezone: Asia/Tokyo\n  functions:\n{functions}  upstreams: {{sfdc: {{}}}}\nledger: ledger.yml\n"
    );
    let file = folder.path().join("sla.yml");
    std::fs::write(&file, config).unwrap();
    let loaded = config::load(&file).unwrap_or_else(|findings| panic!("{findings:#?}\n{text}"));
    Ledger::clone(&loaded.config.ledger)
}

/// Id, begin and end counted in slots from October's begin.
fn told(draft: &Draft) -> Vec<(&str, i64, i64)> {
    let number = |at: i64| (at - start()).div_euclid(300);
    draft.proposals.iter().map(|p| (p.id.as_str(), number(p.started_at), number(p.ended_at))).collect()
}

#[test]
fn failures_less_than_a_quarter_of_an_hour_apart_are_one() {
    // Down until slot 101, again from 104 on: ten minutes. Until 200, from 204 on: a quarter of an hour.
    let draft = draft(&Ledger::default(), &[("client", &[100, 101, 104, 200, 204])]);
    assert_eq!(
        told(&draft),
        [
            ("draft-2026-10-01-0815-client", 99, 104),
            ("draft-2026-10-01-1635-client", 199, 200),
            ("draft-2026-10-01-1655-client", 203, 204),
        ]
    );
    let part = &draft.proposals[0].parts[0];
    assert_eq!((part.down, part.up, part.unmeasured), (3, 2, 0));
    assert!(text(&draft, &[]).contains("up in 2 slots of the entry's time (10 min)"), "{}", text(&draft, &[]));
}

#[test]
fn functions_that_fail_and_return_within_two_slots_of_each_other_are_one_entry() {
    for (consumer, together) in [
        (&[100, 101, 102][..], true),
        (&[102, 103, 104], true),
        (&[102, 103, 104, 105], false),
        (&[98, 99, 100], true),
        (&[97, 98, 99, 100, 101, 102], false),
        // The same length, and nothing in common.
        (&[103, 104], false),
    ] {
        let draft = draft(&Ledger::default(), &[("client", &[100, 101, 102]), ("consumer", consumer)]);
        assert_eq!(draft.proposals.len(), if together { 1 } else { 2 }, "{consumer:?}: {:?}", told(&draft));
        let whole = (99.min(consumer[0] - 1), 102.max(consumer[consumer.len() - 1]));
        if together {
            assert_eq!(told(&draft)[0].1..told(&draft)[0].2, whole.0..whole.1);
            assert!(draft.proposals[0].id.ends_with("-client-consumer"), "{}", draft.proposals[0].id);
        }
    }
}

#[test]
fn an_id_that_is_taken_gets_a_number() {
    let taken = sample::incident("draft-2026-10-01-0815-client", "client", None, "2026-10-20T00:00:00", None);
    let ledger = Ledger { incidents: vec![taken], ..Ledger::default() };
    assert_eq!(draft(&ledger, &[("client", &[100])]).proposals[0].id, "draft-2026-10-01-0815-client-2");
}

#[test]
fn an_outage_over_the_edge_of_months_is_one_whatever_the_beat() {
    for beat in [0, 1, 299] {
        let slots = measured(&[("client", &[-1, 0, 1, 2, SLOTS, SLOTS + 1])], beat);
        let draft = draft_at(&Ledger::default(), &slots, &["2026-09", "2026-10", "2026-11"], LATER);
        let found: Vec<_> = draft.proposals.iter().map(|p| (p.started_at - start(), p.ended_at - start())).collect();
        let end = SLOTS * 300;
        assert_eq!(found, [(-600 - beat, 600 - beat), (end - 300 - beat, end + 300 - beat)], "{beat}");
        // A month alone is not left, and says that there is more.
        let draft = draft_at(&Ledger::default(), &slots, &["2026-10"], LATER);
        assert_eq!((draft.proposals[0].started_at, draft.proposals[0].parts[0].before), (start(), State::Outside));
    }
}

#[test]
fn what_goes_on_has_no_end() {
    let at = |minutes: i64| {
        let moment = jiff::Timestamp::from_second(start() + minutes * 60).unwrap();
        moment.to_zoned(contract().timezone).strftime("%Y-%m-%dT%H:%M:%S").to_string()
    };
    // Down from slot 99 on; 100 ends after 500 minutes and counts a minute later.
    let slots = measured(&[("client", &(99..200).collect::<Vec<i64>>())], 0);
    let draft = draft_at(&Ledger::default(), &slots, &["2026-09", "2026-10"], &at(502));
    assert!(draft.proposals[0].open, "{draft:?}");
    let text = text(&draft, &[]);
    assert!(text.contains("it goes on") && !text.contains("resolved_at:"), "{text}");
    // Nothing measured since: for ten minutes it goes on, then nobody knows.
    let mut late = slots;
    late.values_mut().for_each(|slots| slots.retain(|slot| slot.at <= start() + 30_000));
    for (minutes, open) in [(502, true), (510, true), (515, true), (516, false)] {
        let draft = draft_at(&Ledger::default(), &late, &["2026-10"], &at(minutes));
        assert_eq!(draft.proposals[0].open, open, "{minutes}: {draft:?}");
    }
    // The next slot is there before it counts.
    for (down, open) in [(&[99, 100, 101][..], true), (&[99, 100], false)] {
        let early = measured(&[("client", down)], 200);
        let draft = draft_at(&Ledger::default(), &early, &["2026-10"], &at(502));
        assert_eq!((draft.proposals[0].ended_at, draft.proposals[0].open), (start() + 29_800, open));
    }
    // Up again.
    let over = measured(&[("client", &[99, 100])], 0);
    assert!(!draft_at(&Ledger::default(), &over, &["2026-10"], &at(507)).proposals[0].open);
}

#[test]
fn nothing_to_judge_is_a_text_of_comments_only() {
    let draft = draft(&Ledger::default(), &[]);
    assert!(draft.is_empty());
    let text = text(&draft, &[]);
    assert!(text.lines().all(|line| line.starts_with('#') || line.is_empty()), "{text}");
    assert_eq!(read(&text, ""), Ledger::default());
}

#[test]
fn before_the_contract_there_is_nothing_to_judge() {
    let begins = |day| Contract { start: Some(day), ..contract() };
    for (day, count) in [(jiff::civil::date(2026, 11, 1), 0), (jiff::civil::date(2026, 10, 31), 1)] {
        let contract = begins(day);
        let slots = measured(&[("client", &[100])], 0);
        let reports = reports(&contract, &Ledger::default(), &slots, &["2026-10"], seconds(LATER));
        let draft = proposals(&reports, &Ledger::default(), &contract.timezone);
        assert_eq!(draft.proposals.len(), count, "{day}");
    }
}

/// C4.1.2: it is the entry that is to be completed.
#[test]
fn what_an_entry_is_about_already_is_a_remark_and_no_entry() {
    let unjudged =
        sample::incident("open-question", "client", None, "2026-10-01T08:15:00", Some("2026-10-01T08:30:00"));
    let mut stop = sample::stop("work", &["consumer"], "2026-10-03T22:00:00", "2026-10-03T23:00:00");
    stop.announced_at = Some(sample::at("2026-09-01T00:00:00"));
    let ledger = Ledger { incidents: vec![unjudged], maintenance: vec![stop], ..Ledger::default() };
    // Two slots from 23:00 on the third.
    let over = 2 * 288 + 23 * 12;
    let draft = draft(&ledger, &[("client", &[100]), ("consumer", &[over + 1, over + 2])]);
    assert!(draft.proposals.is_empty(), "{draft:?}");
    let text = text(&draft, &[]);
    assert!(text.contains("# - incident open-question: down within it, and it has no `cause`\n"), "{text}");
    assert!(text.contains("# - maintenance work: down from its announced end on\n"), "{text}");
    assert!(text.contains("finished_at: 2026-10-03T23:10:00+09:00\n") && !text.contains("\nincidents:"), "{text}");
}

#[test]
fn an_overrun_goes_on_into_the_next_month() {
    let mut stop = sample::stop("work", &["client"], "2026-10-31T22:00:00", "2026-10-31T23:50:00");
    stop.announced_at = Some(sample::at("2026-09-01T00:00:00"));
    let ledger = Ledger { maintenance: vec![stop], ..Ledger::default() };
    let slots = measured(&[("client", &[SLOTS - 1, SLOTS, SLOTS + 1, SLOTS + 2])], 47);
    let draft = draft_at(&ledger, &slots, &["2026-10", "2026-11"], LATER);
    assert!(draft.proposals.is_empty(), "{draft:?}");
    assert_eq!(draft.remarks[0].end, start() + (SLOTS + 2) * 300 - 47);
}

/// C4.1i: announced too late it counts, and has to be judged like everything that counts.
#[test]
fn a_stop_that_is_not_excluded_is_proposed_as_our_own() {
    let mut stop = sample::stop("late", &["client"], "2026-10-01T08:00:00", "2026-10-01T08:30:00");
    stop.announced_at = Some(sample::at("2026-09-30T00:00:00"));
    let ledger = Ledger { maintenance: vec![stop], ..Ledger::default() };
    let draft = draft(&ledger, &[("client", &[98, 99, 100])]);
    assert_eq!(draft.proposals[0].counted.as_deref(), Some("late"));
    let text = text(&draft, &[]);
    assert!(
        text.contains("within maintenance late, which is not excluded") && text.contains("cause: internal\n"),
        "{text}"
    );
}

#[test]
fn what_is_close_to_an_entry_is_said_to_be() {
    let judged = |id, start, end| sample::incident(id, "client", Some(Cause::Internal), start, Some(end));
    let incidents = vec![
        judged("before", "2026-10-01T08:00:00", "2026-10-01T08:05:00"),
        judged("after", "2026-10-01T08:25:00", "2026-10-01T08:30:00"),
        judged("far", "2026-10-01T12:00:00", "2026-10-01T13:00:00"),
    ];
    let draft = draft(&Ledger { incidents, ..Ledger::default() }, &[("client", &[100])]);
    assert_eq!(draft.proposals[0].parts[0].near, ["before", "after"]);
}

/// What is ruled to have been up cannot be ruled to have been down: the ledger would be refused.
#[test]
fn no_entry_reaches_into_a_false_alarm() {
    let alarm = |start, end| sample::incident("alarm", "client", Some(Cause::FalseAlarm), start, Some(end));
    for (window, down, expected) in [
        // It ends within the slot before the first that is down and not ruled about.
        (alarm("2026-10-01T08:00:00", "2026-10-01T08:17:00"), &[100, 101][..], &["08:17:00"][..]),
        // Between two slots of a failure.
        (alarm("2026-10-01T08:21:00", "2026-10-01T08:22:00"), &[100, 101], &["08:15:00", "08:22:00"]),
        // Between two failures that would be one.
        (alarm("2026-10-01T08:20:00", "2026-10-01T08:25:00"), &[100, 102], &["08:15:00", "08:25:00"]),
    ] {
        let ledger = Ledger { incidents: vec![window], ..Ledger::default() };
        let draft = draft(&ledger, &[("client", down)]);
        let begins: Vec<i64> = draft.proposals.iter().map(|proposal| proposal.started_at).collect();
        let expected: Vec<i64> = expected.iter().map(|time| seconds(&format!("2026-10-01T{time}"))).collect();
        assert_eq!(begins, expected, "{down:?}");
    }
    // Of another function of the same outage.
    let consumer = sample::incident(
        "alarm",
        "consumer",
        Some(Cause::FalseAlarm),
        "2026-10-01T08:25:00",
        Some("2026-10-01T08:30:00"),
    );
    let ledger = Ledger { incidents: vec![consumer], ..Ledger::default() };
    let draft = draft(&ledger, &[("client", &[100, 101, 102]), ("consumer", &[100, 101, 102])]);
    assert_eq!(draft.proposals.len(), 2, "{draft:?}");
}

#[test]
fn of_a_shorter_time_only_what_has_a_second_in_it() {
    let all = draft(&Ledger::default(), &[("client", &[100, 200, 300])]);
    // Slot 200 is from 199 × 300 on.
    for (from, to, count) in [(199 * 300, 199 * 300 + 1, 1), (200 * 300, 299 * 300, 0), (0, 299 * 300 + 1, 3)] {
        let part = all.clone().within(Span::new(start() + from, start() + to).unwrap());
        assert_eq!(part.proposals.len(), count, "{from} {to}");
    }
}

fn failing(probe: &str, failed: usize, reasons: &[(&str, u64)]) -> Failing {
    Failing {
        what: What {
            function: "client".to_owned(),
            capability: "web_app".to_owned(),
            probe: probe.to_owned(),
            target: "https://app.example.com/\nlogin".to_owned(),
            site: "tokyo-1".to_owned(),
        },
        failed,
        measured: 2,
        reasons: reasons.iter().map(|(reason, count)| ((*reason).to_owned(), *count)).collect(),
    }
}

#[test]
fn evidence_is_told_and_a_cause_is_proposed_but_not_given() {
    let draft = draft(&Ledger::default(), &[("client", &[100, 101])]);
    let evidence = Evidence {
        capabilities: vec![failing("", 2, &[])],
        probes: Listed { first: vec![failing("web-app", 2, &[("timeout", 7), ("dns", 1)])], more: Some(3) },
        upstreams: vec![
            ("sfdc".to_owned(), failing("sfdc-a", 0, &[])),
            ("sfdc".to_owned(), failing("sfdc-b", 1, &[("status", 4)])),
            ("other".to_owned(), failing("o", 0, &[])),
        ],
        others: Listed { first: vec![failing("ping", 1, &[])], more: None },
    };
    let text = text(&draft, &[evidence]);
    for part in [
        "  # client: down in 2 slots, from 2026-10-01T08:15:00+09:00, until 2026-10-01T08:25:00+09:00\n",
        "  #   before: up, after: up\n",
        "  # consumer: meanwhile up in 2 slots\n",
        "  # client/web_app: down in 2 of 2 slots\n",
        "  # web-app (client/web_app) of https://app.example.com/ login from tokyo-1: failed in 2 of 2 slots; why: timeout 7×, dns 1×\n",
        "  # and 3 more that failed\n",
        "  # upstream sfdc: sfdc-b of https://app.example.com/ login from tokyo-1: failed in 1 of 2 slots; why: status 4×\n",
        "  # also ping of",
        "  # also others, too many to be listed\n",
        "  # proposed: cause: upstream, upstream: sfdc — its probe `sfdc-b` failed in 1 of 2 slots\n",
        "    title: {ja: \"クライアント機能の停止を検知（要記入）\", en: \"Client function measured as down (to be described)\"}\n",
        "    functions: [client]\n",
        "    started_at: 2026-10-01T08:15:00+09:00\n    resolved_at: 2026-10-01T08:25:00+09:00\n",
    ] {
        assert!(text.contains(part), "{part} is missing in\n{text}");
    }
    assert!(!text.contains("upstream: other"), "{text}");
    let ledger = read(&text, "# nothing");
    assert_eq!((ledger.incidents.len(), &ledger.incidents[0].cause), (1, &None));
}

/// docs/ledger.md shows an entry as it is written.
#[test]
fn the_documented_entry_is_what_is_written() {
    let of = |probe: &str, target: &str, failed, reasons: &[(&str, u64)]| {
        let failing = failing(probe, failed, reasons);
        Failing { what: What { target: target.to_owned(), ..failing.what }, measured: 5, ..failing }
    };
    // 10:02 to 10:27 on the seventh.
    let draft = draft_at(
        &Ledger::default(),
        &measured(&[("client", &[1850, 1851, 1852, 1853, 1854])], 180),
        &["2026-10"],
        LATER,
    );
    let evidence = Evidence {
        capabilities: vec![of("", "", 5, &[])],
        probes: Listed {
            first: vec![of("web-app", "https://app.example.com/login", 5, &[("status", 68), ("timeout", 32)])],
            more: Some(0),
        },
        upstreams: vec![("sfdc".to_owned(), of("sfdc", "https://login.salesforce.com/", 5, &[("status", 25)]))],
        others: Listed { first: vec![of("databases", "10.20.0.21:5432", 2, &[("timeout", 4)])], more: Some(0) },
    };
    let text = text(&draft, &[evidence]);
    let (_, entries) = text.split_once("\nincidents:\n").unwrap();
    let docs = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/ledger.md")).unwrap();
    assert!(docs.contains(&format!("```text\nincidents:\n{entries}```\n")), "docs/ledger.md does not have\n{entries}");
}

#[test]
fn an_upstream_that_failed_in_less_than_half_of_the_slots_is_told_and_not_proposed() {
    let draft = draft(&Ledger::default(), &[("client", &[100, 101, 102])]);
    let evidence = Evidence { upstreams: vec![("sfdc".to_owned(), failing("sfdc", 1, &[]))], ..Evidence::default() };
    let text = text(&draft, &[evidence]);
    assert!(text.contains("upstream sfdc: sfdc of") && !text.contains("proposed:"), "{text}");
}

#[test]
fn a_title_fits_into_a_ledger_whatever_functions_are_called() {
    let long = "機".repeat(256);
    let mut contract = contract();
    for function in &mut contract.functions {
        function.title = sample::text(&long, "\"quoted\" \\ {curly}: #");
    }
    let draft = draft(&Ledger::default(), &[("client", &[100]), ("consumer", &[100])]);
    let head = Head { contract: &contract, of: "2026-10", source: "s", now: 0 };
    let ledger = read(&write(&draft, &[], &[], &head), "");
    assert_eq!(ledger.incidents[0].title.ja.chars().count(), 256);
    assert!(ledger.incidents[0].title.en.starts_with("\"quoted\" \\ {curly}: #, \"quoted\""));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    /// Taken over with any cause, the entries explain every slot. As the service's own failures they add the slots in between
    /// that the comments tell of, and nothing else.
    #[test]
    fn a_draft_taken_over_explains_all(
        client in prop::collection::btree_set(1i64..SLOTS, 0..60),
        consumer in prop::collection::btree_set(1i64..SLOTS, 0..60),
        both in prop::collection::vec((1i64..SLOTS - 20, 1i64..12, -3i64..4), 0..4),
        alarm in prop::option::of((0i64..31 * 86_400, 1i64..5000)),
        beat in prop::sample::select(vec![0, 0, 47, 299]),
        cause in prop::sample::select(vec!["internal", "upstream\n    upstream: sfdc", "force_majeure", "false_alarm"]),
    ) {
        let lists = [client, consumer].map(|set| set.into_iter().collect::<Vec<i64>>());
        let mut down = [("client", lists[0].clone()), ("consumer", lists[1].clone())];
        for (first, length, shift) in both {
            down[0].1.extend(first..first + length);
            down[1].1.extend((first + shift).max(1)..first + shift + length);
        }
        let down: Vec<(&str, &[i64])> = down.iter().map(|(name, list)| (*name, list.as_slice())).collect();
        let slots = measured(&down, beat);
        let mut ledger = Ledger::default();
        ledger.incidents.extend(alarm.map(|(from, length)| {
            let at = |seconds: i64| jiff::Timestamp::from_second(start() + seconds).unwrap();
            let incident = sample::incident("alarm", "client", Some(Cause::FalseAlarm), "2026-10-01T00:00:00", None);
            crate::ledger::Incident { started_at: at(from), resolved_at: Some(at(from + length)), ..incident }
        }));
        let contract = contract();
        let assembled = |ledger: &Ledger| {
            reports(&contract, ledger, &slots, &["2026-10"], seconds(LATER)).remove(0)
        };
        let before = assembled(&ledger);
        let draft = proposals(std::slice::from_ref(&before), &ledger, &contract.timezone);
        let mut after = ledger.clone();
        after.incidents.extend(read(&text(&draft, &[]), &format!("cause: {cause}")).incidents);
        prop_assert_eq!(after.incidents.len() - ledger.incidents.len(), draft.proposals.len());
        // The reader would refuse rulings that contradict.
        for own in &draft.proposals {
            for alarm in ledger.incidents.iter().filter(|_| own.functions().any(|name| name == "client")) {
                let end = alarm.resolved_at.unwrap().as_second();
                prop_assert!(own.ended_at <= alarm.started_at.as_second() || end <= own.started_at);
            }
        }
        for (before, after) in before.functions.iter().zip(&assembled(&after).functions) {
            prop_assert_eq!(&after.unexplained, &Vec::new());
            let own = draft.proposals.iter().flat_map(|p| &p.parts).filter(|part| part.function == before.name);
            let (down, up) = own.fold((0, 0), |(down, up), part| (down + part.down, up + part.up));
            prop_assert_eq!(i64::try_from(down).unwrap() * 300, before.provisional.measured_downtime_seconds);
            if cause == "internal" && beat == 0 && ledger.incidents.is_empty() {
                let added = i64::try_from(up).unwrap() * 300;
                prop_assert_eq!(after.provisional.downtime_seconds, before.provisional.downtime_seconds + added);
            }
        }
    }
}
