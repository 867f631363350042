//! What a closed month stands for.

use super::*;
use crate::lang::Lang;
use crate::ledger::Cause;
use crate::report::model::{Change, DutyState};
use crate::report::sample;

/// Nothing watched: as in a file from before duties.
static NOTHING: std::sync::LazyLock<Watch> = std::sync::LazyLock::new(Watch::default);

fn input<'a>(
    contract: &'a crate::contract::Contract,
    ledger: &'a Ledger,
    slots: &'a BTreeMap<String, Vec<Slot>>,
    now: &str,
    source: &'a Source,
) -> Input<'a> {
    Input {
        contract,
        ledger,
        month: "2026-10".parse().unwrap(),
        now: sample::seconds(now),
        slots,
        past: &[],
        sent: &[],
        watch: &NOTHING,
        source,
        revision: None,
    }
}

fn closed() -> Closed {
    let (contract, ledger, slots) = (sample::contract(), sample::ledger(), sample::slots());
    let source = Source::default();
    let closing = close(&input(&contract, &ledger, &slots, "2026-11-05T09:00:00", &source), None).unwrap();
    assert!(closing.new);
    closing.closed
}

fn text(closed: &Closed) -> String {
    String::from_utf8(closed.write().unwrap()).unwrap()
}

#[test]
fn a_file_gives_the_same_report_with_nothing_else_at_hand() {
    let closed = closed();
    let (contract, ledger, slots) = (sample::contract(), sample::ledger(), sample::slots());
    let source = Source::default();
    let open = assemble(&input(&contract, &ledger, &slots, "2026-11-05T09:00:00", &source));
    let read = Closed::read(text(&closed).as_bytes()).unwrap();
    assert_eq!(read, closed);
    let report = read.report(None).unwrap();
    assert_eq!(report, Report { revision: Some(1), ..open });
}

#[test]
fn slots_are_one_line_and_the_rest_is_readable() {
    let text = text(&closed());
    assert!(text.lines().any(|line| line.starts_with("  \"slots\": {\"client\":[[")), "{}", &text[..400]);
    assert!(text.contains("\n      \"ledger_sha256\": \""));
    assert!(text.ends_with("}\n"));
}

#[test]
fn a_month_that_goes_on_is_not_closed() {
    let (contract, ledger, slots) = (sample::contract(), sample::ledger(), sample::slots());
    let source = Source::default();
    for (now, over) in [("2026-10-20T00:00:00", false), ("2026-11-01T00:00:59", false), ("2026-11-01T00:01:00", true)] {
        let result = close(&input(&contract, &ledger, &slots, now, &source), None);
        assert_eq!(result.is_ok(), over, "{now}");
    }
}

#[test]
fn closing_again_adds_nothing_unless_the_month_is_another_one_now() {
    let first = closed();
    let (contract, mut ledger) = (sample::contract(), sample::ledger());
    let source = Source::default();
    // Prometheus may have forgotten: the slots that were closed stand.
    let forgotten = BTreeMap::new();
    let again = close(&input(&contract, &ledger, &forgotten, "2026-11-06T09:00:00", &source), Some(first.clone()));
    assert_eq!(again.unwrap(), Closing { closed: first.clone(), new: false });

    // Another month's entry changes the ledger and not this month.
    let mut later = ledger.clone();
    later.incidents.push(sample::incident(
        "november",
        "client",
        Some(Cause::Internal),
        "2026-11-02T00:00:00",
        Some("2026-11-02T01:00:00"),
    ));
    let again = close(&input(&contract, &later, &forgotten, "2026-11-06T09:00:00", &source), Some(first.clone()));
    assert!(!again.unwrap().new);

    ledger.incidents.push(sample::incident(
        "ruled-later",
        "client",
        Some(Cause::Internal),
        "2026-10-30T00:00:00",
        Some("2026-10-30T01:00:00"),
    ));
    let second = close(&input(&contract, &ledger, &forgotten, "2026-11-20T09:00:00", &source), Some(first)).unwrap();
    assert!(second.new);
    let read = Closed::read(text(&second.closed).as_bytes()).unwrap();
    assert_eq!(read.report(Some(1)).unwrap().difference, None);
    let report = read.report(None).unwrap();
    assert_eq!(report.revision, Some(2));
    let difference = report.difference.unwrap();
    assert_eq!((difference.revision, difference.terms), (1, false));
    let entries: Vec<_> = difference.entries.iter().map(|entry| (entry.id.as_str(), entry.change)).collect();
    assert_eq!(entries, [("ruled-later", Change::Added)]);
    let client = &difference.functions[0];
    let before = client.before.unwrap();
    assert_eq!(client.after.judged_downtime_seconds - before.judged_downtime_seconds, 3600);
    assert!(client.after.availability < before.availability);
    assert_eq!(read.report(Some(3)).unwrap_err(), ClosedError::NoRevision(3, 2));
    assert_eq!(read.report(Some(0)).unwrap_err(), ClosedError::NoRevision(0, 2));
}

#[test]
fn whatever_is_altered_is_noticed() {
    let text = text(&closed());
    let edits: Vec<(&str, String)> = vec![
        ("a slot", text.replacen(",0]", ",1]", 1)),
        ("a figure", text.replacen("\"downtime_seconds\": ", "\"downtime_seconds\": 1", 1)),
        ("a ruling", text.replacen("\"cause\": \"internal\"", "\"cause\": \"false_alarm\"", 1)),
        ("a time", text.replacen("\"closed_at\": 1", "\"closed_at\": 2", 1)),
        ("the objective", text.replacen("\"objective\": 0.99", "\"objective\": 0.9", 1)),
        ("the seal", {
            let at = text.find("\"seal\": \"").unwrap() + 9;
            let other = if &text[at..=at] == "0" { "1" } else { "0" };
            format!("{}{other}{}", &text[..at], &text[at + 1..])
        }),
    ];
    for (what, edited) in edits {
        assert_ne!(edited, text, "{what}: the sample has none");
        let error = Closed::read(edited.as_bytes()).unwrap_err();
        assert!(matches!(error, ClosedError::Altered(_)), "{what}: {error}");
    }
    // Layout is no content.
    let flat = serde_json::to_string(&serde_json::from_str::<serde_json::Value>(&text).unwrap()).unwrap();
    assert!(Closed::read(flat.as_bytes()).is_ok());
}

#[test]
fn what_is_no_closed_month_is_refused_and_does_not_panic() {
    for text in ["", "{}", "[]", "{\"format\": 1}", "{\"format\": 2}", "{\"format\": 1, \"slots\": 3}"] {
        let error = Closed::read(text.as_bytes()).unwrap_err();
        assert!(matches!(error, ClosedError::Shape(_) | ClosedError::Format(2)), "{text}: {error}");
    }
    let mut none = closed();
    none.revisions.clear();
    assert!(matches!(Closed::read(text(&none).as_bytes()), Err(ClosedError::Shape(_))));
}

#[test]
fn another_month_or_contract_is_not_written_over() {
    let (mut contract, ledger, slots) = (sample::contract(), sample::ledger(), sample::slots());
    "other".clone_into(&mut contract.name);
    let source = Source::default();
    let error = close(&input(&contract, &ledger, &slots, "2026-11-05T09:00:00", &source), Some(closed())).unwrap_err();
    assert!(error.to_string().contains("it is of synergy-lead 2026-10, not of other 2026-10"), "{error}");
}

#[test]
fn the_report_of_a_revision_shows_what_it_changed_in_both_languages() {
    let (contract, mut ledger) = (sample::contract(), sample::ledger());
    let source = Source::default();
    let (start, end) = ("2026-10-30T00:00:00", "2026-10-30T01:00:00");
    ledger.incidents.push(sample::incident("ruled-later", "client", Some(Cause::Internal), start, Some(end)));
    let slots = BTreeMap::new();
    let second = close(&input(&contract, &ledger, &slots, "2026-11-20T09:00:00", &source), Some(closed())).unwrap();
    let report = second.closed.report(None).unwrap();

    for (lang, parts) in [
        (Lang::Ja, ["前回の改訂からの変更", "第1版", "第2版", "ruled-later: 追加"]),
        (Lang::En, ["Changes since the revision before", "Revision 1", "Revision 2", "ruled-later: added"]),
    ] {
        let page = crate::report::markdown::render(&report, lang);
        for part in parts {
            assert!(page.contains(part), "{part} is missing in\n{page}");
        }
        assert!(!crate::report::markdown::render(&second.closed.report(Some(1)).unwrap(), lang).contains(parts[0]));
    }
}

/// Written by the version before duties: its seal and its figures stand, and of what was not watched then nothing is claimed.
#[test]
fn a_file_from_before_duties_is_read_and_its_seal_stands() {
    let text = include_bytes!("../../../testdata/closed/before-duties.json");
    let closed = Closed::read(text).unwrap();
    assert!(closed.watch.is_empty());
    let report = closed.report(None).unwrap();
    let state = |name: &str| report.duties.iter().find(|duty| duty.duty == name).unwrap().state;
    assert_eq!(state("backups"), DutyState::NotMeasured);
    for (lang, said) in
        [(Lang::Ja, "| **未測定** | 記録がありません（"), (Lang::En, "| **not measured** | Not recorded: ")]
    {
        let page = crate::report::markdown::render(&report, lang);
        // Of all that the recording rules watch.
        assert_eq!(page.matches(said).count(), crate::report::duties::facts::FACTS.len(), "{page}");
    }
    // What the ledger tells is known all the same.
    assert_eq!([state("notices"), state("advisories")], [DutyState::NotKept, DutyState::Kept]);
    // And written again it is the same file.
    assert_eq!(closed.write().unwrap(), text);
}

#[test]
fn duties_are_frozen_with_the_first_closing_and_altered_ones_are_noticed() {
    let (contract, ledger, slots) = (sample::contract(), sample::ledger(), sample::slots());
    let (source, watch) = (Source::default(), sample::watch());
    let watched = |now, watch| Input { watch, ..input(&contract, &ledger, &slots, now, &source) };
    let first = close(&watched("2026-11-05T09:00:00", &watch), None).unwrap().closed;
    let read = Closed::read(text(&first).as_bytes()).unwrap();
    let open = assemble(&watched("2026-11-05T09:00:00", &watch));
    assert_eq!(read.report(None).unwrap().duties, open.duties);
    // Prometheus may have forgotten.
    let again = close(&watched("2026-11-06T09:00:00", &NOTHING), Some(first.clone())).unwrap();
    assert_eq!(again, Closing { closed: first.clone(), new: false });
    let whole = text(&first);
    let edited = whole.replacen("\"late\": 1", "\"late\": 0", 1);
    assert_ne!(edited, whole);
    assert!(matches!(Closed::read(edited.as_bytes()), Err(ClosedError::Altered(_))));
    // Other clauses are other terms.
    let mut other = contract.clone();
    other.duties.push(crate::contract::DutyTerms { duty: "backups".to_owned(), ..Default::default() });
    let changed = Input { contract: &other, ..watched("2026-11-06T09:00:00", &NOTHING) };
    let second = close(&changed, Some(first)).unwrap();
    assert!(second.new && second.closed.report(None).unwrap().difference.unwrap().terms);
}
