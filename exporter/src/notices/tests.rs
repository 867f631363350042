//! Which notices there are and when, and which of them a book lets through.

use super::book::{NEWS, Posted, Todo};
use super::*;
use crate::contract::Text;
use crate::ledger::Update;

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;
const START: i64 = 1_800_000_000;

struct All(Option<bool>);

impl Functions for All {
    fn is_up(&self, _: &str) -> Option<bool> {
        self.0
    }
}

fn at(seconds: i64) -> jiff::Timestamp {
    jiff::Timestamp::from_second(seconds).unwrap()
}

fn incident(updates: &[(i64, Status)], resolved_at: Option<i64>) -> Ledger {
    let update = |&(seconds, status): &(i64, Status)| Update { at: at(seconds), status, text: Text::default() };
    let incident = Incident {
        id: "i".to_owned(),
        title: Text::default(),
        functions: vec!["client".to_owned()],
        cause: None,
        started_at: at(START),
        resolved_at: resolved_at.map(at),
        decided: None,
        notices: Vec::new(),
        updates: updates.iter().map(update).collect(),
    };
    Ledger { incidents: vec![incident], ..Ledger::default() }
}

fn maintenance(change: impl FnOnce(&mut Maintenance)) -> Ledger {
    let mut stop = Maintenance {
        id: "m".to_owned(),
        title: Text::default(),
        text: Text::default(),
        functions: vec!["client".to_owned()],
        announced_at: Some(at(START - 20 * DAY)),
        start: at(START),
        end: at(START + 4 * HOUR),
        finished_at: None,
        emergency: false,
        cancelled_at: None,
        notices: Vec::new(),
    };
    change(&mut stop);
    Ledger { maintenance: vec![stop], ..Ledger::default() }
}

#[track_caller]
fn keys(ledger: &Ledger, up: Option<bool>, now: i64, expected: &[(&str, i64)]) {
    let found = due(ledger, &Book::default(), 3 * DAY, &All(up), now);
    let found: Vec<(String, i64)> = found.iter().map(|event| (event.key(), event.at)).collect();
    let expected: Vec<(String, i64)> = expected.iter().map(|(key, at)| ((*key).to_owned(), *at)).collect();
    assert_eq!(found, expected);
}

#[test]
fn an_incident_with_three_updates_makes_five_notices() {
    let steps =
        [(START + 60, Status::Investigating), (START + 600, Status::Identified), (START + 900, Status::Monitoring)];
    let ledger = incident(&steps, Some(START + 1200));
    keys(&ledger, None, START - 1, &[]);
    let all = [
        ("i/opened", START),
        ("i/update-1", START + 60),
        ("i/update-2", START + 600),
        ("i/update-3", START + 900),
        ("i/resolved", START + 1200),
    ];
    keys(&ledger, None, START + 600, &all[..3]);
    keys(&ledger, None, START + 9999, &all);
}

#[test]
fn the_update_that_says_it_is_over_is_the_notice_of_recovery() {
    let ledger = incident(&[(START + 1200, Status::Resolved)], Some(START + 1200));
    keys(&ledger, None, START + 9999, &[("i/opened", START), ("i/resolved", START + 1200)]);
}

#[test]
fn a_maintenance_is_told_reminded_of_begun_and_ended() {
    let told = [("m/announced", START - 20 * DAY), ("m/reminder", START - 3 * DAY), ("m/started", START)];
    let end = START + 4 * HOUR;
    let ledger = maintenance(|_| {});
    keys(&ledger, Some(true), START - 3 * DAY - 1, &told[..1]);
    keys(&ledger, Some(true), end + SETTLE - 1, &told);
    let finished = [&told[..], &[("m/finished", end)]].concat();
    keys(&ledger, Some(true), end + SETTLE, &finished);
    // Down or unknown is not over.
    keys(&ledger, None, end + DAY, &told);
    keys(&ledger, Some(false), end + OVERRUN_AFTER - 1, &told);
    let overrun = [&told[..], &[("m/overrun", end + OVERRUN_AFTER)]].concat();
    keys(&ledger, Some(false), end + OVERRUN_AFTER, &overrun);
}

#[test]
fn a_recorded_end_needs_no_measurement() {
    let end = START + 4 * HOUR;
    let ledger = maintenance(|stop| stop.finished_at = Some(at(end - HOUR)));
    let events = due(&ledger, &Book::default(), 3 * DAY, &All(None), end).iter().map(Event::key).collect::<Vec<_>>();
    assert_eq!(events.last().map(String::as_str), Some("m/finished"));
    let late = maintenance(|stop| stop.finished_at = Some(at(end + HOUR)));
    let events =
        due(&late, &Book::default(), 3 * DAY, &All(None), end + HOUR).iter().map(Event::key).collect::<Vec<_>>();
    assert_eq!(events[3..], ["m/overrun", "m/finished"]);
}

#[test]
fn what_customers_were_not_told_of_or_what_was_called_off_does_not_begin() {
    keys(&maintenance(|stop| stop.announced_at = None), Some(true), START + DAY, &[]);
    let off = maintenance(|stop| stop.cancelled_at = Some(at(START - DAY)));
    let expected = [("m/announced", START - 20 * DAY), ("m/cancelled", START - DAY)];
    keys(&off, Some(false), START + DAY, &expected);
}

#[test]
fn an_announcement_within_the_time_of_the_reminder_is_reminder_enough() {
    let short = maintenance(|stop| stop.announced_at = Some(at(START - 2 * DAY)));
    keys(&short, None, START - 1, &[("m/announced", START - 2 * DAY)]);
}

/// What is posted at each of the times, by one book that looks at them one after another.
fn posted(ledger: &Ledger, book: &mut Book, times: &[i64], up: Option<bool>) -> Vec<String> {
    let mut posted = Vec::new();
    for &now in times {
        // Twice: what waits for another to be told is told with the next look.
        for _ in 0..2 {
            book.study(ledger, now);
            for event in due(ledger, book, 3 * DAY, &All(up), now) {
                match book.todo(&event, now) {
                    Todo::Nothing => {}
                    Todo::PassOver => book.pass_over(&event, now),
                    Todo::Post => {
                        if book.accepted(&Posted::of(&event), now) {
                            posted.push(event.key());
                        }
                    }
                }
            }
            book.begin();
        }
    }
    posted
}

#[test]
fn each_event_is_told_once_over_restarts_and_edits_and_the_past_is_not_told() {
    let ledger = incident(&[(START + 60, Status::Identified)], None);
    let mut book = Book::default();
    // First start ever, in the middle of it.
    assert!(posted(&ledger, &mut book, &[START + 30], None).is_empty());
    assert_eq!(posted(&ledger, &mut book, &[START + 60, START + 65], None), ["i/update-1"]);
    // Stored and read again; a text and a time corrected.
    let stored = serde_json::to_string(&book).unwrap();
    let mut book: Book = serde_json::from_str(&stored).unwrap();
    let edited = incident(&[(START + 90, Status::Identified)], Some(START + 500));
    assert_eq!(posted(&edited, &mut book, &[START + 505, START + 9999], None), ["i/resolved"]);
    assert_eq!(book.told().map(|(key, _)| key).collect::<Vec<_>>(), ["i/resolved", "i/update-1"]);
}

#[test]
fn what_is_written_up_long_afterwards_is_history() {
    let mut book = Book::default();
    book.begin();
    let ledger = incident(&[], Some(START + HOUR));
    assert!(posted(&ledger, &mut book.clone(), &[START + HOUR + NEWS], None).is_empty());
    // A day's absence of the exporter loses the first report, not the recovery.
    assert_eq!(posted(&ledger, &mut book, &[START + NEWS], None), ["i/resolved"]);
}

#[test]
fn a_function_that_fails_after_a_maintenance_was_ended_is_no_overrun() {
    let ledger = maintenance(|_| {});
    let end = START + 4 * HOUR;
    let mut book = Book::default();
    posted(&ledger, &mut book, &[START + HOUR], Some(false));
    assert_eq!(posted(&ledger, &mut book, &[end + SETTLE], Some(true)), ["m/finished"]);
    assert!(posted(&ledger, &mut book, &[end + OVERRUN_AFTER], Some(false)).is_empty());
}

#[test]
fn an_overrun_is_told_and_then_its_end() {
    let ledger = maintenance(|_| {});
    let end = START + 4 * HOUR;
    let mut book = Book::default();
    posted(&ledger, &mut book, &[START + HOUR], Some(false));
    assert_eq!(posted(&ledger, &mut book, &[end + OVERRUN_AFTER], Some(false)), ["m/overrun"]);
    assert_eq!(posted(&ledger, &mut book, &[end + HOUR], Some(true)), ["m/finished"]);
}

#[test]
fn an_update_put_between_others_is_the_one_that_is_told() {
    let say = |steps: &[(i64, &str)]| {
        let mut ledger = incident(&[], None);
        ledger.incidents[0].updates = steps
            .iter()
            .map(|(seconds, text)| Update {
                at: at(START + seconds),
                status: Status::Identified,
                text: Text { ja: (*text).to_owned(), en: String::new() },
            })
            .collect();
        ledger
    };
    let mut book = Book::default();
    book.begin();
    let now = START + HOUR;
    let first = say(&[(60, "a"), (120, "b")]);
    assert_eq!(posted(&first, &mut book, &[now], None), ["i/opened", "i/update-1", "i/update-2"]);
    for (what, ledger, expected) in [
        ("put between", say(&[(60, "a"), (90, "x"), (120, "b")]), &["i/update-3"][..]),
        ("all times corrected", say(&[(61, "a"), (91, "x"), (121, "b")]), &[]),
        ("all texts corrected", say(&[(61, "A"), (91, "X"), (121, "B")]), &[]),
        ("time and text of one", say(&[(61, "A"), (99, "Y"), (121, "B")]), &[]),
        ("one taken out", say(&[(61, "A"), (121, "B")]), &[]),
        ("put back", say(&[(61, "A"), (99, "Y"), (121, "B")]), &[]),
        ("taken out again", say(&[(61, "A"), (121, "B")]), &[]),
        ("put in front", say(&[(1, "0"), (61, "A"), (121, "B")]), &["i/update-4"]),
        ("appended", say(&[(1, "0"), (61, "A"), (121, "B"), (300, "c")]), &["i/update-5"]),
    ] {
        let stored = serde_json::to_string(&book).unwrap();
        book = serde_json::from_str(&stored).unwrap();
        assert_eq!(posted(&ledger, &mut book, &[now], None), expected, "{what}");
    }
}

#[test]
fn a_change_of_what_was_announced_is_told_once_and_a_correction_of_the_past_is_not() {
    let mut book = Book::default();
    book.begin();
    let told = |book: &mut Book, now, change: &dyn Fn(&mut Maintenance)| {
        let stored = serde_json::to_string(&book).unwrap();
        *book = serde_json::from_str(&stored).unwrap();
        posted(&maintenance(change), book, &[now, now + 5], Some(false))
    };
    let soon = START - 10 * DAY;
    let announce = |stop: &mut Maintenance| stop.announced_at = Some(at(soon));
    assert_eq!(told(&mut book, soon, &announce), ["m/announced"]);
    let text = |stop: &mut Maintenance| {
        announce(stop);
        stop.text = Text { ja: "x".to_owned(), en: "x".to_owned() };
        stop.announced_at = Some(at(soon - 60));
    };
    assert!(told(&mut book, soon + 60, &text).is_empty(), "words");
    let later = |stop: &mut Maintenance| {
        announce(stop);
        stop.end = at(START + 5 * HOUR);
    };
    assert_eq!(told(&mut book, soon + HOUR, &later), ["m/changed-1"]);
    // And back: customers know the change by now.
    assert_eq!(told(&mut book, soon + 2 * HOUR, &announce), ["m/changed-2"]);
    let scope = |stop: &mut Maintenance| {
        announce(stop);
        stop.functions.push("consumer".to_owned());
    };
    assert_eq!(told(&mut book, START + HOUR, &scope), ["m/started", "m/changed-3"]);
    let end = START + 4 * HOUR;
    let shorter = |stop: &mut Maintenance| {
        scope(stop);
        stop.end = at(end - HOUR);
    };
    assert!(!told(&mut book, end + 1, &shorter).iter().any(|key| key.starts_with("m/changed")), "over");
}

#[test]
fn a_false_alarm_is_told_only_to_those_who_were_told_of_a_failure() {
    let mut ledger = incident(&[(START + 60, Status::Investigating)], Some(START + 600));
    ledger.incidents[0].cause = Some(crate::ledger::Cause::FalseAlarm);
    let mut book = Book::default();
    book.begin();
    assert!(posted(&ledger, &mut book.clone(), &[START + HOUR], None).is_empty());
    let before = incident(&[(START + 60, Status::Investigating)], None);
    assert_eq!(posted(&before, &mut book, &[START + 61], None), ["i/opened", "i/update-1"]);
    assert_eq!(posted(&ledger, &mut book, &[START + HOUR], None), ["i/resolved"]);
}

#[test]
fn nobody_is_reminded_of_what_has_begun_or_told_of_what_was_called_off_before_it_was_announced() {
    let mut book = Book::default();
    book.begin();
    let short = maintenance(|stop| stop.start = at(START - 20 * DAY + 3 * DAY + 60));
    let now = short.maintenance[0].start.as_second();
    assert!(!posted(&short, &mut book.clone(), &[now], Some(false)).contains(&"m/reminder".to_owned()));
    let off = maintenance(|stop| stop.cancelled_at = Some(at(START - 21 * DAY)));
    assert!(posted(&off, &mut book, &[START - 20 * DAY], None).is_empty());
}

#[test]
fn the_end_of_a_long_overrun_is_told_and_that_of_a_stop_written_up_afterwards_is_not() {
    let ledger = maintenance(|_| {});
    let end = START + 4 * HOUR;
    let mut book = Book::default();
    book.begin();
    posted(&ledger, &mut book, &[START + HOUR], Some(false));
    posted(&ledger, &mut book, &[end + OVERRUN_AFTER], Some(false));
    assert!(posted(&ledger, &mut book, &[end + 2 * DAY], Some(false)).is_empty());
    assert_eq!(posted(&ledger, &mut book, &[end + 2 * DAY + 5], Some(true)), ["m/finished"]);
    let mut other = Book::default();
    other.begin();
    assert!(posted(&ledger, &mut other, &[end + 2 * DAY], Some(true)).is_empty());
}

#[test]
fn an_entry_taken_out_and_put_back_is_not_told_again() {
    let ledger = incident(&[], None);
    let mut book = Book::default();
    book.begin();
    assert_eq!(posted(&ledger, &mut book, &[START], None), ["i/opened"]);
    assert!(posted(&Ledger::default(), &mut book, &[START + 5], None).is_empty());
    assert!(posted(&ledger, &mut book, &[START + HOUR], None).is_empty());
}

#[test]
fn a_clock_set_back_a_day_repeats_nothing_for_longer_than_usual() {
    let ledger = incident(&[], None);
    let mut book = Book::default();
    book.begin();
    posted(&ledger, &mut book, &[START + DAY / 2], None);
    let event = Event { entry: Entry::Incident(&ledger.incidents[0]), happening: Happening::Opened, at: START };
    assert_eq!(book.todo(&event, START + 1), Todo::Nothing);
    assert_eq!(book.todo(&event, START + DAY / 2 + book::INSIST - 1), Todo::Post);
    assert_eq!(book.todo(&event, START + DAY / 2 + book::INSIST), Todo::Nothing);
}

#[test]
fn what_falls_due_next_is_known_ahead() {
    let mut book = Book::default();
    let end = START + 4 * HOUR;
    let ledger = maintenance(|_| {});
    for (now, expected) in [
        (START - 21 * DAY, START - 20 * DAY),
        (START - 20 * DAY, START - 3 * DAY),
        (START - 1, START),
        (START, end + SETTLE),
        (end + SETTLE, end + SETTLE),
        (end + WATCH, i64::MAX),
    ] {
        assert_eq!(next(&ledger, &book, 3 * DAY, now), expected, "{now}");
    }
    book.begin();
    posted(&ledger, &mut book, &[START, end + SETTLE], Some(true));
    assert_eq!(next(&ledger, &book, 3 * DAY, end + SETTLE), i64::MAX);
    assert_eq!(next(&incident(&[], Some(START + 60)), &book, 0, START), START + 60);
}

/// A look at all of it is for when it changes; in between nothing is due.
#[test]
fn ten_thousand_past_entries_are_gone_through_once() {
    let one = incident(&[(START + 60, Status::Identified)], Some(START + 600)).incidents.remove(0);
    let incidents = (0..10_000).map(|number| Incident { id: format!("i{number}"), ..one.clone() }).collect();
    let ledger = Ledger { incidents, ..Ledger::default() };
    let mut book = Book::default();
    book.begin();
    let now = START + 30 * DAY;
    assert!(posted(&ledger, &mut book, &[now], None).is_empty());
    assert_eq!(next(&ledger, &book, 3 * DAY, now), i64::MAX);
    let began = tokio::time::Instant::now();
    assert!(posted(&ledger, &mut book, &[now], None).is_empty());
    let took = began.elapsed();
    eprintln!("two looks: {took:?}");
    assert!(took < std::time::Duration::from_secs(5), "{took:?}");
}

/// Equal at each posting and at each exporter, whatever its book says: Alertmanager mails it once.
#[test]
fn two_exporters_post_the_same_alert_until_it_is_no_news_any_more() {
    let ledger = incident(&[], None);
    let contract = words::tests::contract();
    let event = Event { entry: Entry::Incident(&ledger.incidents[0]), happening: Happening::Opened, at: START };
    let (one, other) = (post::alert(&event, &contract, START + 1), post::alert(&event, &contract, START + HOUR));
    assert_eq!(one, other);
    assert!(one.ends_at.as_second() >= START + NEWS + book::INSIST);
}
