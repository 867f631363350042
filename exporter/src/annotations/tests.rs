//! Which regions a ledger makes, and that whatever Grafana has becomes those and nothing of others is touched.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::contract::Text;
use crate::ledger::Cause;
use crate::report::sample;

const NOW: &str = "2026-11-05T00:00:00";

fn made(ledger: &Ledger, options: &Options, now: &str) -> Vec<Region> {
    regions(&sample::contract(), ledger, options, sample::seconds(now)).0
}

fn ledger(incidents: Vec<crate::ledger::Incident>) -> Ledger {
    Ledger { incidents, ..Ledger::default() }
}

#[test]
fn a_window_of_several_functions_is_one_region_with_a_tag_for_each() {
    let mut both =
        sample::incident("i", "client", Some(Cause::Internal), "2026-10-07T10:02:00", Some("2026-10-07T10:31:00"));
    both.functions.push("consumer".to_owned());
    let regions = made(&ledger(vec![both]), &Options::default(), NOW);
    let [region] = &regions[..] else { panic!("{regions:#?}") };
    let start = sample::seconds("2026-10-07T10:02:00") * 1000;
    assert_eq!((region.time, region.end), (start, start + 29 * 60_000));
    for tag in ["sla", "sla-ledger", "effect:down", "internal", "window:i", "function:client", "function:consumer"] {
        assert!(region.tags.iter().any(|t| t == tag), "{tag} in {:?}", region.tags);
    }
    assert_eq!(region.dashboard, None);
}

#[test]
fn what_goes_on_grows_slot_by_slot_and_everybody_sees_the_same_end() {
    let open = ledger(vec![sample::incident("i", "client", Some(Cause::ForceMajeure), "2026-11-04T23:01:00", None)]);
    let end = |now: &str| made(&open, &Options::default(), now)[0].end / 1000;
    assert_eq!(end("2026-11-05T00:00:00"), sample::seconds("2026-11-05T00:05:00"));
    assert_eq!(end("2026-11-05T00:04:59"), sample::seconds("2026-11-05T00:05:00"));
    assert_eq!(end("2026-11-05T00:05:00"), sample::seconds("2026-11-05T00:10:00"));
    // Before it begins, and it never has no length.
    assert_eq!(end("2026-11-01T00:00:00"), sample::seconds("2026-11-04T23:05:00"));
    let text = &made(&open, &Options::default(), NOW)[0].text;
    assert!(text.contains("継続中 / Going on"), "{text}");
}

#[test]
fn an_entry_that_decides_nothing_has_no_region_and_an_overrun_has_two() {
    let unjudged = ledger(vec![sample::incident("i", "client", None, "2026-10-07T10:02:00", None)]);
    assert_eq!(made(&unjudged, &Options::default(), NOW), []);
    let mut stop = sample::stop("m", &["client"], "2026-10-10T22:00:00", "2026-10-11T02:00:00");
    stop.finished_at = Some(sample::at("2026-10-11T02:30:00"));
    let stops = Ledger { maintenance: vec![stop], ..Ledger::default() };
    let made = made(&stops, &Options::default(), NOW);
    let reasons: Vec<&str> = made.iter().map(|region| region.tags[4].as_str()).collect();
    assert_eq!(reasons, ["overrun", "planned"]);
    assert_eq!(made[1].end, made[0].time);
    assert_ne!(made[0].key, made[1].key);
}

#[test]
fn each_dashboard_of_the_list_has_a_region_of_its_own() {
    let one = ledger(vec![sample::incident(
        "i",
        "client",
        Some(Cause::Internal),
        "2026-10-07T10:02:00",
        Some("2026-10-07T10:31:00"),
    )]);
    let options = Options { dashboards: vec!["a".to_owned(), "b".to_owned()], tags: vec!["team:x".to_owned()] };
    let regions = made(&one, &options, NOW);
    assert_eq!(regions.iter().map(|r| r.dashboard.as_deref()).collect::<Vec<_>>(), [Some("a"), Some("b")]);
    assert_ne!(regions[0].key, regions[1].key);
    assert!(regions.iter().all(|region| region.tags.last().unwrap() == "team:x"));
}

#[test]
fn what_the_ledger_says_is_shown_and_not_run() {
    let mut hostile =
        sample::incident("i", "client", Some(Cause::FalseAlarm), "2026-10-07T10:02:00", Some("2026-10-07T10:31:00"));
    hostile.title = Text { ja: "<script>x</script>".to_owned(), en: "a & b\n<b>".to_owned() };
    let text = &made(&ledger(vec![hostile]), &Options::default(), NOW)[0].text;
    assert!(text.contains("&lt;script&gt;x&lt;/script&gt; / a &amp; b &lt;b&gt;"), "{text}");
    assert!(text.starts_with("誤検知（停止なし） / False alarm (was up)\n"), "{text}");
    assert!(text.ends_with("\n台帳 / Ledger: i"), "{text}");
    assert!(!text.contains('<'), "{text}");
}

#[test]
fn the_newest_regions_stay_where_there_are_too_many() {
    let at = |i: usize| jiff::Timestamp::from_second(1_700_000_000 + i as i64 * 600).unwrap();
    let entry = |i: usize| crate::ledger::Incident {
        id: format!("i{i}"),
        started_at: at(i),
        resolved_at: Some(at(i + 1)),
        ..sample::incident("i", "client", Some(Cause::Internal), "2026-10-07T10:02:00", None)
    };
    let many = ledger((0..MAX_REGIONS + 3).map(entry).collect());
    let (regions, more) = regions(&sample::contract(), &many, &Options::default(), sample::seconds(NOW));
    assert_eq!((regions.len(), more), (MAX_REGIONS, 3));
    assert!(regions.iter().all(|region| region.time >= 1_700_000_000_000 + 3 * 600_000));
}

fn region(key: &str, version: i64) -> Region {
    let tags = ["sla", "sla-ledger", "contract:c"].map(str::to_owned);
    let tags = tags.into_iter().chain([format!("sla-key:{key}")]).collect();
    Region { key: key.to_owned(), dashboard: None, time: 1000, end: 2000 + version, tags, text: format!("v{version}") }
}

/// A Grafana, as far as it goes: annotations by number.
#[derive(Clone, Debug, Default)]
struct Store {
    next: i64,
    all: BTreeMap<i64, (i64, i64, Vec<String>, String)>,
}

impl Store {
    fn add(&mut self, (time, end, tags, text): (i64, i64, Vec<String>, String)) {
        self.next += 1;
        self.all.insert(self.next, (time, end, tags, text));
    }

    fn ours(&self) -> Vec<Existing> {
        let existing = |(&id, (time, end, tags, text)): (&i64, &(i64, i64, Vec<String>, String))| {
            let key = tags::key_of("contract:c", tags)?.to_owned();
            Some(Existing { id, key, time: *time, end: *end, tags: tags.clone(), text: text.clone() })
        };
        self.all.iter().filter_map(existing).collect()
    }

    fn others(&self) -> Vec<(i64, String)> {
        let other = |(_, (_, _, tags, _)): &(&i64, &(i64, i64, Vec<String>, String))| {
            tags::key_of("contract:c", tags).is_none()
        };
        self.all.iter().filter(other).map(|(&id, (.., text))| (id, text.clone())).collect()
    }

    fn apply(&mut self, change: &Change<'_>) {
        match change {
            Change::Create(r) => self.add((r.time, r.end, r.tags.clone(), r.text.clone())),
            Change::Update { id, region: r } => {
                // 404 where somebody was faster.
                if let Some(found) = self.all.get_mut(id) {
                    *found = (r.time, r.end, r.tags.clone(), r.text.clone());
                }
            }
            Change::Delete { id, .. } => drop(self.all.remove(id)),
        }
    }
}

/// What somebody wrote: of ours or not, tags in another order.
fn found() -> impl Strategy<Value = (i64, i64, Vec<String>, String)> {
    (0..6u8, 0..3i64, any::<bool>(), 0..5usize).prop_map(|(key, version, turned, lost)| {
        let Region { time, end, mut tags, text, .. } = region(&format!("k{key}"), version);
        if lost < tags.len() && version == 2 {
            tags.remove(lost);
        }
        if turned {
            tags.reverse();
        }
        (time, end, tags, text)
    })
}

fn wanted() -> impl Strategy<Value = Vec<Region>> {
    proptest::collection::btree_map(0..6u8, 0..3i64, 0..6)
        .prop_map(|all| all.into_iter().map(|(key, version)| region(&format!("k{key}"), version)).collect())
}

proptest! {
    #[test]
    fn whatever_grafana_has_becomes_what_is_wanted_and_others_stay(
        wanted in wanted(), had in proptest::collection::vec(found(), 0..20),
    ) {
        let mut store = Store::default();
        had.into_iter().for_each(|annotation| store.add(annotation));
        let others = store.others();
        let ours = store.ours();
        plan(&wanted, &ours).iter().for_each(|change| store.apply(change));
        let ours = store.ours();
        let mut shown: Vec<_> = ours.iter().map(|a| (a.key.clone(), a.time, a.end, a.text.clone())).collect();
        shown.sort();
        let expected: Vec<_> = wanted.iter().map(|r| (r.key.clone(), r.time, r.end, r.text.clone())).collect();
        prop_assert_eq!(shown, expected);
        prop_assert_eq!(plan(&wanted, &ours), vec![]);
        prop_assert_eq!(store.others(), others);
    }

    /// Each reads, and then both write, in turns: they agree after the second look.
    #[test]
    fn two_exporters_with_one_ledger_agree(wanted in wanted(), had in proptest::collection::vec(found(), 0..12)) {
        let mut store = Store::default();
        had.into_iter().for_each(|annotation| store.add(annotation));
        for _ in 0..2 {
            let (a, b) = (store.ours(), store.ours());
            let (a, b) = (plan(&wanted, &a), plan(&wanted, &b));
            for turn in 0..a.len().max(b.len()) {
                a.get(turn).into_iter().chain(b.get(turn)).for_each(|change| store.apply(change));
            }
        }
        let ours = store.ours();
        prop_assert_eq!(plan(&wanted, &ours), vec![]);
    }
}

#[test]
fn nothing_goes_before_what_replaces_it_is_there() {
    let old = region("old", 0);
    let existing = Existing { id: 7, key: old.key, time: old.time, end: old.end, tags: old.tags, text: old.text };
    let wanted = [region("new", 0)];
    let ours = [existing];
    let changes = plan(&wanted, &ours);
    assert_eq!(changes.iter().map(Change::word).collect::<Vec<_>>(), ["created", "deleted"]);
}

#[test]
fn what_somebody_undoes_is_done_again_twice_at_once_and_then_ever_more_rarely() {
    let mut disputes = Disputes::default();
    let wanted = region("k", 0);
    let create = Change::Create(&wanted);
    let mut now = 1_000_000;
    let mut pauses = Vec::new();
    for _ in 0..13 {
        let before = now;
        while !disputes.allow(&create, now) {
            now += 60;
        }
        pauses.push(now - before);
        disputes.made(&create, now);
    }
    assert_eq!(pauses[..6], [0, 0, 0, 600, 1200, 2400]);
    assert_eq!(pauses.last(), Some(&86_400));
    // Something else is wanted: no dispute about that yet. And a clock set back holds nothing up.
    let other = region("k", 1);
    assert!(disputes.allow(&Change::Update { id: 1, region: &other }, now));
    assert!(disputes.allow(&Change::Delete { id: 1, key: "k", twice: false }, now));
    assert!(disputes.allow(&create, now - 10));
    // Of two for one region one goes in any case.
    let twice = Change::Delete { id: 1, key: "k", twice: true };
    (0..9).for_each(|_| disputes.made(&twice, now));
    assert!(disputes.allow(&twice, now));
    // What nobody undid for long is none any more.
    now += 3 * 86_400;
    disputes.made(&create, now);
    assert!(disputes.allow(&create, now));
    disputes.forget(&[], now + 3 * 86_400);
    assert!(disputes.allow(&create, now));
}
