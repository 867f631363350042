//! What was drawn becomes entries that a ledger takes, whatever somebody wrote beside it.

use proptest::prelude::*;

use super::*;
use crate::config;
use crate::ledger::{Cause, Incident};
use crate::report::sample::{self, contract, seconds};

const NOW: &str = "2026-11-05T00:00:00";

fn drew(id: i64, from: &str, to: Option<&str>, tags: &[&str], text: &str) -> Annotation {
    let time = seconds(from) * 1000;
    Annotation {
        id,
        time,
        end: to.map_or(time, |to| seconds(to) * 1000),
        text: text.to_owned(),
        tags: ["sla"].iter().chain(tags).map(|&tag| tag.to_owned()).collect(),
        dashboard: Some("sla-overview".to_owned()),
        login: Some("tanaka".to_owned()),
    }
}

fn text(drawn: &Drawn) -> String {
    write(drawn, &Head { contract: &contract(), of: "2026-10", source: "http://127.0.0.1:3000", now: seconds(NOW) })
}

fn alone(annotation: Annotation) -> String {
    text(&read(vec![annotation], &contract(), &Ledger::default()))
}

/// The text as the ledger's own reader takes it: the ledger, or what it says against it.
fn taken(text: &str) -> Result<Ledger, Vec<String>> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("ledger.yml"), text).unwrap();
    let config = "site: s\ncontract:\n  name: c\n  timezone: Asia/Tokyo\n  functions:\n    client: {objective: 99, capabilities: {a: {quorum: \
                  all}}}\n    consumer: {objective: 99, capabilities: {a: {quorum: all}}}\n  upstreams: {sfdc: {}}\nledger: ledger.yml\n";
    let file = folder.path().join("sla.yml");
    std::fs::write(&file, config).unwrap();
    match config::load(&file) {
        Ok(loaded) => Ok(Ledger::clone(&loaded.config.ledger)),
        Err(findings) => Err(findings.iter().map(ToString::to_string).collect()),
    }
}

#[test]
fn a_region_is_an_incident_to_judge_and_its_cause_is_a_comment() {
    let made = alone(drew(
        12,
        "2026-10-07T10:02:00",
        Some("2026-10-07T10:31:00"),
        &["function:client", "internal"],
        "Login\nfailed after the release",
    ));
    let expected =
        "\nincidents:\n  # annotation 12 by tanaka on dashboard sla-overview; tags: sla, function:client, internal
  #   says: Login\n  #   says: failed after the release\n  # proposed: cause: internal — by its tags
  - id: draft-2026-10-07-1002-grafana-12\n    title: {ja: \"Login\", en: \"Login\"}\n    functions: [client]
    # cause: internal | upstream | force_majeure | false_alarm\n    started_at: 2026-10-07T10:02:00+09:00
    resolved_at: 2026-10-07T10:31:00+09:00\n";
    assert!(made.ends_with(expected), "{made}");
    // As documented.
    assert!(include_str!("../../../../docs/grafana.md").contains(expected.trim()));
    let ledger = taken(&made).unwrap();
    assert_eq!(ledger.incidents[0].cause, None);
}

#[test]
fn a_planned_region_is_a_maintenance_that_excludes_nothing_until_somebody_says_when_it_was_announced() {
    let made = alone(drew(
        3,
        "2026-11-20T21:00:00",
        Some("2026-11-21T01:00:00"),
        &["planned", "function:consumer", "function:client"],
        "",
    ));
    let ledger = taken(&made).unwrap();
    let stop = &ledger.maintenance[0];
    assert_eq!(stop.functions, ["client", "consumer"]);
    assert_eq!((stop.announced_at, stop.title.ja.as_str()), (None, "Grafana で記録（要記入）"));
    assert_eq!(crate::windows::windows(&contract(), &ledger, crate::windows::Rulings::All), []);
}

#[test]
fn what_is_not_said_is_left_to_be_written() {
    // Which function.
    let made = alone(drew(1, "2026-10-07T10:02:00", Some("2026-10-07T10:31:00"), &[], "x"));
    assert!(made.contains("# no tag says which function; write one or more of: client, consumer\n"), "{made}");
    let why = taken(&made).unwrap_err();
    assert!(why.iter().any(|why| why.contains("expected at least one function")), "{why:?}");
    // Until when.
    let made = alone(drew(1, "2026-10-07T10:02:00", None, &["function:client"], "x"));
    assert!(made.contains("# a moment was marked") && made.contains("    # resolved_at: when it was over\n"), "{made}");
    assert_eq!(taken(&made).unwrap().incidents[0].resolved_at, None);
    // In a contract with one function it is that.
    let mut contract = contract();
    contract.functions.truncate(1);
    let drawn = read(vec![drew(1, "2026-10-07T10:02:00", None, &[], "x")], &contract, &Ledger::default());
    let made = write(&drawn, &Head { contract: &contract, of: "", source: "", now: 0 });
    assert!(made.contains("    functions: [client]\n"), "{made}");
}

#[test]
fn tags_propose_and_say_where_they_name_nothing() {
    for (tags, words) in [
        (&["function:client", "upstream:sfdc"][..], "# proposed: cause: upstream, upstream: sfdc — by its tags"),
        (&["function:client", "upstream"], "# proposed: cause: upstream — by its tags"),
        (&["function:client", "cause:force_majeure"], "# proposed: cause: force_majeure — by its tags"),
        (&["function:client", "internal", "false_alarm"], "# its tags contradict each other: internal, false_alarm"),
        (&["function:client", "planned", "internal"], "# tagged internal as well"),
        (&["function:costumer"], "# `function:costumer` names nothing of the contract; known: client, consumer"),
        (&["function:client", "upstream:aws"], "# `upstream:aws` names nothing of the contract; known: sfdc"),
        (&["function:client", "cause:rain"], "# `cause:rain` names nothing of the contract; known: internal"),
        (&["function:client", "ledger:nowhere"], "# tagged as nowhere, which the ledger does not have"),
    ] {
        let made = alone(drew(1, "2026-10-07T10:02:00", Some("2026-10-07T10:31:00"), tags, "x"));
        assert!(made.contains(words), "{words}\n{made}");
        assert!(!made.lines().any(|line| line.trim_start().starts_with("cause:")), "{made}");
    }
}

#[test]
fn what_the_exporter_wrote_and_what_lacks_the_tag_is_left_out() {
    let mut other = drew(1, "2026-10-07T10:02:00", None, &[], "x");
    other.tags = vec!["SLA".to_owned(), "deploy".to_owned()];
    let ours = drew(2, "2026-10-07T10:02:00", None, &["sla-ledger"], "x");
    let drawn = read(vec![other, ours], &contract(), &Ledger::default());
    assert_eq!(drawn, Drawn::default());
    assert!(text(&drawn).ends_with("# There is nothing.\n"));
}

fn with(incident: Incident) -> Ledger {
    Ledger { incidents: vec![incident], ..Ledger::default() }
}

#[test]
fn what_the_ledger_has_is_told_and_not_proposed_again() {
    let there =
        sample::incident("known", "client", Some(Cause::Internal), "2026-10-07T10:00:00", Some("2026-10-07T10:30:00"));
    let open = Incident { resolved_at: None, ..there.clone() };
    let renamed = Incident { id: "2026-10-07-grafana-7".to_owned(), ..there.clone() };
    for (ledger, from, to, tags, known) in [
        // Both ends within ten minutes, and no function or the same.
        (&there, "10:10:00", Some("10:40:00"), &[][..], true),
        (&there, "10:10:01", Some("10:40:00"), &[], false),
        (&there, "10:10:00", Some("10:40:01"), &[], false),
        (&there, "09:50:00", Some("10:20:00"), &["function:client"], true),
        (&there, "10:00:00", Some("10:30:00"), &["function:consumer"], false),
        // A moment of it, or within ten minutes of it.
        (&there, "10:15:00", None, &[], true),
        (&there, "09:50:00", None, &[], true),
        (&there, "09:49:59", None, &[], false),
        (&there, "10:40:00", None, &[], true),
        (&there, "10:40:01", None, &[], false),
        // It goes on.
        (&open, "10:05:00", Some("12:00:00"), &[], true),
        (&open, "10:11:00", Some("12:00:00"), &[], false),
        // Somebody says so, or kept the draft's id.
        (&there, "15:00:00", None, &["ledger:known"], true),
        (&there, "15:00:00", None, &["ledger:unknown"], false),
        (&renamed, "15:00:00", None, &[], true),
    ] {
        let (from, to) = (format!("2026-10-07T{from}"), to.map(|to| format!("2026-10-07T{to}")));
        let drawn = read(vec![drew(7, &from, to.as_deref(), tags, "x")], &contract(), &with(ledger.clone()));
        assert_eq!(
            (drawn.known.len(), drawn.entries.len()),
            if known { (1, 0) } else { (0, 1) },
            "{from} {to:?} {tags:?}"
        );
    }
    // What merely overlaps is named.
    let drawn =
        read(vec![drew(7, "2026-10-07T10:15:00", Some("2026-10-07T12:00:00"), &[], "x")], &contract(), &with(there));
    assert!(text(&drawn).contains("# close to known: if it is the same"), "{}", text(&drawn));
    let known = Drawn {
        known: vec![Known { origin: drawn.entries[0].origin.clone(), start: 0, end: None, entry: "e".to_owned() }],
        ..Drawn::default()
    };
    let text = text(&known);
    assert!(
        text.contains("# In the ledger already:\n# - e: annotation 7 by tanaka on dashboard sla-overview, 1970"),
        "{text}"
    );
    assert!(!text.contains("incidents:"), "{text}");
}

#[test]
fn the_newest_are_kept_of_too_many_and_odd_years_are_left_out() {
    let mut many: Vec<Annotation> =
        (0..MAX_DRAWN as i64 + 5).map(|id| drew(id, "2026-10-07T10:02:00", None, &[], "x")).collect();
    many.insert(0, Annotation { time: i64::MAX, end: i64::MAX, ..many[0].clone() });
    many.insert(0, Annotation { time: i64::MIN, end: 0, ..many[0].clone() });
    let drawn = read(many, &contract(), &Ledger::default());
    assert_eq!((drawn.entries.len(), drawn.more, drawn.odd), (MAX_DRAWN, 5, 2));
    assert!(drawn.entries.iter().all(|entry| entry.origin.id < MAX_DRAWN as i64));
}

#[test]
fn milliseconds_are_rounded_outwards() {
    let mut one = drew(1, "2026-10-07T10:02:00", None, &[], "x");
    (one.time, one.end) = (one.time + 999, one.time + 1001);
    let drawn = read(vec![one], &contract(), &Ledger::default());
    let start = seconds("2026-10-07T10:02:00");
    assert_eq!((drawn.entries[0].start, drawn.entries[0].end), (start, Some(start + 2)));
}

proptest! {
    /// A text, a name or a tag is never more than it: what is read has one entry, without cause.
    #[test]
    fn nothing_that_is_written_beside_it_gets_into_the_ledger(
        words in "\\PC{0,300}|(\\n|\\r|\"|'|:|#|\\{|\\}|\\[|- |cause: internal|\u{85}|\u{2028}|\u{202e}|\u{0}|\\\\){0,40}",
        login in ".{0,30}", tag in "[^,]{0,40}", point in any::<bool>(),
    ) {
        let to = (!point).then_some("2026-10-07T10:31:00");
        let mut one = drew(1, "2026-10-07T10:02:00", to, &["function:client"], &words);
        one.login = Some(login);
        if !tag.starts_with("ledger") && tag.trim() != "planned" && !tag.starts_with("sla") {
            one.tags.push(tag);
        }
        let made = alone(one);
        let ledger = taken(&made).map_err(|why| TestCaseError::fail(format!("{why:?}\n{made}")))?;
        prop_assert_eq!(ledger.len(), 1);
        prop_assert_eq!(&ledger.incidents[0].cause, &None);
        prop_assert!(ledger.incidents[0].decided.is_none());
        prop_assert_eq!(&ledger.incidents[0].functions, &["client"]);
    }
}
