//! What is proposed, and that it can be taken into a ledger as it stands.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::config;
use crate::contract::Contract;
use crate::ledger::{Cause, Ledger};
use crate::report::model::Report;
use crate::report::sample;
use crate::report::slots::Slot;

const MONTH: &str = "2026-11-05T00:00:00";

fn report(ledger: &Ledger, slots: &BTreeMap<String, Vec<Slot>>, now: &str) -> Report {
    sample::of(&sample::contract(), ledger, slots, now)
}

fn draft(ledger: &Ledger, slots: &BTreeMap<String, Vec<Slot>>, now: &str) -> Draft {
    proposals(&[report(ledger, slots, now)], &sample::contract().timezone, &BTreeSet::new())
}

/// October's slots of both functions, five minutes of the clock apart, down in `down` (numbers of slots).
fn october(client: &[i64], consumer: &[i64]) -> BTreeMap<String, Vec<Slot>> {
    let start = sample::seconds("2026-10-01T00:00:00");
    let slots =
        |down: &[i64]| (1..=31 * 288).map(|n| Slot { at: start + n * 300, up: !down.contains(&n) }).collect::<Vec<_>>();
    BTreeMap::from([("client".to_owned(), slots(client)), ("consumer".to_owned(), slots(consumer))])
}

/// The draft's entries, read by the ledger's own reader, as if somebody had taken them over with this cause.
fn read(text: &str, contract: &Contract, cause: &str) -> Ledger {
    let folder = tempfile::tempdir().unwrap();
    let text =
        text.replace("    # cause: internal | upstream | force_majeure | false_alarm\n", &format!("    {cause}\n"));
    std::fs::write(folder.path().join("ledger.yml"), &text).unwrap();
    let functions: String = contract
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

#[test]
fn one_outage_of_both_functions_is_one_entry_and_each_other_stretch_its_own() {
    let draft = draft(&Ledger::default(), &october(&[100, 101, 500], &[100, 101, 103]), MONTH);
    let found: Vec<_> =
        draft.proposals.iter().map(|p| (p.id.as_str(), p.functions.len(), p.ended_at - p.started_at)).collect();
    assert_eq!(
        found,
        [
            ("draft-2026-10-01-0815-several", 2, 600),
            ("draft-2026-10-01-0830-consumer", 1, 300),
            ("draft-2026-10-02-1735-client", 1, 300),
        ]
    );
    assert!(draft.proposals.iter().all(|proposal| !proposal.open));
}

#[test]
fn an_id_that_is_taken_gets_a_number() {
    let report = report(&Ledger::default(), &october(&[100], &[]), MONTH);
    let taken = BTreeSet::from(["draft-2026-10-01-0815-client"]);
    let draft = proposals(&[report], &sample::contract().timezone, &taken);
    assert_eq!(draft.proposals[0].id, "draft-2026-10-01-0815-client-2");
}

#[test]
fn what_goes_on_has_no_end() {
    let now = "2026-10-01T08:22:00";
    let draft = draft(&Ledger::default(), &october(&[99, 100], &[]), now);
    assert_eq!(draft.proposals.len(), 1);
    assert!(draft.proposals[0].open, "{:?}", draft.proposals);
    let text = write(&draft, &[], &sample::contract());
    assert!(text.contains("it goes on") && !text.contains("resolved_at"), "{text}");
}

#[test]
fn nothing_to_judge_is_a_text_of_comments_only() {
    let draft = draft(&Ledger::default(), &october(&[], &[]), MONTH);
    assert!(draft.is_empty());
    let text = write(&draft, &[], &sample::contract());
    assert!(text.lines().all(|line| line.starts_with('#') || line.is_empty()), "{text}");
}

#[test]
fn what_an_entry_is_about_already_is_a_remark_and_no_entry() {
    let unjudged =
        sample::incident("open-question", "client", None, "2026-10-01T08:15:00", Some("2026-10-01T08:30:00"));
    let mut stop = sample::stop("work", &["consumer"], "2026-10-03T22:00:00", "2026-10-03T23:00:00");
    stop.announced_at = Some(sample::at("2026-09-01T00:00:00"));
    let ledger = Ledger { incidents: vec![unjudged], maintenance: vec![stop], ..Ledger::default() };
    // Two slots from 23:00 on the third.
    let over = 2 * 288 + 23 * 12;
    let draft = draft(&ledger, &october(&[100], &[over + 1, over + 2]), MONTH);
    assert!(draft.proposals.is_empty(), "{draft:?}");
    let text = write(&draft, &[], &sample::contract());
    assert!(text.contains("within open-question\n#   which has no cause yet"), "{text}");
    assert!(text.contains("maintenance work on") && text.contains("finished_at: 2026-10-03T23:10:00+09:00"), "{text}");
}

#[test]
fn evidence_is_told_and_a_cause_is_proposed_but_not_given() {
    let draft = draft(&Ledger::default(), &october(&[100, 101], &[]), MONTH);
    let evidence = Evidence {
        failing: vec![Failing {
            site: "tokyo-1".to_owned(),
            probe: "web-app".to_owned(),
            target: "https://app.example.com/\nlogin".to_owned(),
            evidence: "client/web_app".to_owned(),
            down: 2,
            measured: 2,
            reasons: vec![("timeout".to_owned(), 7), ("dns".to_owned(), 1)],
        }],
        more: 3,
        upstreams: vec![
            UpstreamSeen { name: "sfdc".to_owned(), probe: "sfdc".to_owned(), failed: 2, measured: 2 },
            UpstreamSeen { name: "other".to_owned(), probe: "o".to_owned(), failed: 0, measured: 2 },
        ],
    };
    let text = write(&draft, &[evidence], &sample::contract());
    for part in [
        "# web-app (client/web_app) of https://app.example.com/ login from tokyo-1: down in 2 of 2 slots: timeout 7×, dns 1×\n",
        "# and 3 more probes\n",
        "# proposed: cause: upstream, upstream: sfdc — its probe sfdc failed in 2 of 2 slots\n",
        "# upstream other: its probe o failed in 0 of 2 slots\n",
        "title: {ja: \"クライアント機能の停止（要記入）\", en: \"Client function down (to be described)\"}",
    ] {
        assert!(text.contains(part), "{part} is missing in\n{text}");
    }
    let ledger = read(&text, &sample::contract(), "# nothing");
    assert_eq!((ledger.incidents.len(), &ledger.incidents[0].cause), (1, &None));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Taken over as the service's own failures, the entries explain every slot and change no second.
    #[test]
    fn a_draft_taken_over_explains_all_and_changes_nothing(
        client in proptest::collection::btree_set(1i64..31 * 288, 0..40),
        consumer in proptest::collection::btree_set(1i64..31 * 288, 0..40),
    ) {
        let list = |set: BTreeSet<i64>| set.into_iter().collect::<Vec<_>>();
        let slots = october(&list(client), &list(consumer));
        let before = report(&Ledger::default(), &slots, MONTH);
        let text = write(&draft(&Ledger::default(), &slots, MONTH), &[], &sample::contract());
        let ledger = read(&text, &sample::contract(), "cause: internal");
        prop_assert!(ledger.incidents.iter().all(|incident| incident.cause == Some(Cause::Internal)));
        let after = report(&ledger, &slots, MONTH);
        for (before, after) in before.functions.iter().zip(&after.functions) {
            prop_assert_eq!(&after.unexplained, &Vec::new());
            prop_assert_eq!(after.provisional.judged_downtime_seconds, before.provisional.measured_downtime_seconds);
            prop_assert_eq!(after.provisional.downtime_seconds, before.provisional.downtime_seconds);
        }
    }
}
