//! Random ledgers, written down and read back.

use std::fs;

use jiff::Timestamp;
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::Value;
use sla_exporter::contract::Text;
use sla_exporter::ledger::{
    Advisory, AdvisoryDecision, Cause, Channel, Decision, Drill, Incident, Ledger, Maintenance, Notice, Status, Update,
};

use super::load;
use crate::config::NOW;

/// A text of one line as a title has it.
fn line() -> impl Strategy<Value = String> + Clone {
    "[^\\s\\pC]([ \\PC]{0,20}[^\\s\\pC])?"
        .prop_map(|text| text.trim().to_owned())
        .prop_filter("empty", |text| !text.is_empty())
}

fn one_or_two(text: impl Strategy<Value = String> + Clone) -> impl Strategy<Value = Text> {
    (text.clone(), text).prop_map(|(ja, en)| Text { ja, en })
}

/// Seconds of the year 2026 until `NOW`, in order and all different.
fn moments<const N: usize>() -> impl Strategy<Value = [Timestamp; N]> {
    proptest::collection::btree_set(1_767_225_600..NOW, N).prop_map(|set| {
        let mut moments = [Timestamp::UNIX_EPOCH; N];
        for (moment, second) in moments.iter_mut().zip(set) {
            *moment = Timestamp::from_second(second).unwrap();
        }
        moments
    })
}

fn notices() -> impl Strategy<Value = Vec<Notice>> {
    let channel = prop_oneof![Just(Channel::Page), Just(Channel::Mail), Just(Channel::Phone)];
    vec((moments::<1>(), channel), 0..3).prop_map(|list| {
        let mut list: Vec<Notice> = list.into_iter().map(|([at], channel)| Notice { at, channel }).collect();
        list.sort_by_key(|notice| notice.at);
        list
    })
}

fn functions() -> impl Strategy<Value = Vec<String>> {
    prop_oneof![Just(vec!["f"]), Just(vec!["g", "f"])].prop_map(|list| list.into_iter().map(str::to_owned).collect())
}

fn maintenance() -> impl Strategy<Value = Maintenance> {
    let texts = (one_or_two(line()), prop_oneof![Just(Text::default()), one_or_two("[a-zあ](\\n?[ -~]{1,9}){0,3}z")]);
    (texts, functions(), moments::<4>(), any::<[bool; 4]>(), notices()).prop_map(
        |((title, text), functions, [announced, cancelled, start, later], [told, off, over, emergency], notices)| {
            Maintenance {
                id: String::new(),
                title,
                text,
                functions,
                announced_at: told.then_some(announced),
                start,
                end: later,
                finished_at: (over && !off).then_some(later),
                emergency,
                cancelled_at: off.then_some(cancelled),
                notices,
            }
        },
    )
}

fn an_incident() -> impl Strategy<Value = Incident> {
    let cause = prop_oneof![
        Just(Cause::Internal),
        Just(Cause::Upstream("u".to_owned())),
        Just(Cause::ForceMajeure),
        Just(Cause::FalseAlarm)
    ];
    let texts = (one_or_two(line()), line(), one_or_two(line()));
    (texts, functions(), proptest::option::of(cause), moments::<4>(), any::<[bool; 3]>(), notices()).prop_map(
        |(
            (title, by, said),
            functions,
            cause,
            [started_at, first, resolved, told],
            [over, ruled, updated],
            notices,
        )| {
            let update = |at, status| Update { at, status, text: said.clone() };
            let mut updates = vec![update(first, Status::Investigating), update(first, Status::Monitoring)];
            if over {
                updates.push(update(told, Status::Resolved));
            }
            updates.retain(|_| updated);
            let decided = (ruled && cause.is_some()).then(|| Decision { by, at: told, evidence: said.clone() });
            let resolved_at = over.then_some(resolved);
            Incident { id: String::new(), title, functions, cause, started_at, resolved_at, decided, notices, updates }
        },
    )
}

/// A ledger without the contradictions that are refused: at most one incident, and ids of its own for each entry.
fn ledgers() -> impl Strategy<Value = Ledger> {
    let drill = (moments::<1>(), one_or_two(line())).prop_map(|([at], text)| Drill { at, text });
    let advisory = (line(), moments::<2>(), 0..4u8).prop_map(|(component, [published_at, applied], what)| Advisory {
        id: String::new(),
        component,
        published_at,
        decision: [None, Some(AdvisoryDecision::NotApplicable), Some(AdvisoryDecision::Apply)]
            [usize::from(what.min(2))],
        applied_at: (what == 3).then_some(applied),
    });
    (vec(maintenance(), 0..4), vec(an_incident(), 0..2), vec(drill, 0..3), vec(advisory, 0..3)).prop_map(
        |(maintenance, incidents, drills, advisories)| {
            let mut ledger = Ledger { maintenance, incidents, drills, advisories };
            ledger.maintenance.iter_mut().enumerate().for_each(|(i, entry)| entry.id = format!("m.{i}"));
            ledger.incidents.iter_mut().enumerate().for_each(|(i, entry)| entry.id = format!("i-{i}"));
            ledger.advisories.iter_mut().enumerate().for_each(|(i, entry)| entry.id = format!("a:{i} 脆弱性"));
            ledger
        },
    )
}

/// A ledger as somebody would write it: nothing for what is absent, one text where both languages have the same.
fn written(ledger: &Ledger) -> Value {
    fn tidy(value: Value) -> Value {
        match value {
            Value::Object(mut map) => {
                // The cause of an upstream is written beside it.
                if let Some(Value::Object(cause)) = map.get("cause").cloned() {
                    map.insert("cause".to_owned(), "upstream".into());
                    map.insert("upstream".to_owned(), cause["upstream"].clone());
                }
                if map.len() == 2 && map.contains_key("ja") && map["ja"] == map["en"] {
                    return if map["ja"] == "" { Value::Null } else { map["ja"].clone() };
                }
                map.into_iter().map(|(key, value)| (key, tidy(value))).collect()
            }
            Value::Array(list) => list.into_iter().map(tidy).collect(),
            other => other,
        }
    }
    tidy(serde_json::to_value(ledger).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    /// JSON is YAML: every field arrives where it belongs, whatever the texts.
    #[test]
    fn what_is_written_down_is_what_is_read(ledger in ledgers()) {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("ledger.yml"), serde_json::to_string_pretty(&written(&ledger)).unwrap()).unwrap();
        match load(folder.path(), "ledger.yml") {
            Ok(loaded) => prop_assert_eq!(&*loaded.config.ledger, &ledger),
            Err(findings) => prop_assert!(false, "{:#?}", findings),
        }
    }
}
