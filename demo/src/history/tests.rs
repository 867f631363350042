//! The story holds together whatever the date, and its figures make the point they are there for.

use super::figures::recorded;
use super::story::{Effect, Story};
use super::*;

pub(super) fn addresses() -> Addresses {
    let local = |port: u16| format!("127.0.0.1:{port}");
    Addresses {
        demo: local(1),
        demo_tls: local(6),
        mail: local(2),
        prometheus: local(3),
        alertmanager: local(4),
        exporter: local(5),
        ping: true,
    }
}

/// Moments all over four years with a leap day in them: each month's first minutes, its last ones, and days between.
fn moments() -> Vec<i64> {
    let first = Month::containing(1_795_000_000);
    (0..48)
        .flat_map(|ahead| {
            let month = first.back(-ahead);
            [0, 1, 299, 300, 7 * 3600, 2 * 86_400 + 77, 17 * 86_400 + 4321].map(|later| month.start() + later)
        })
        .chain((0..48).map(|ahead| first.back(-ahead).end() - 1))
        .collect()
}

#[test]
fn nothing_has_happened_in_the_future_and_everything_lies_on_the_slots() {
    for now in moments() {
        let history = History::new(now, addresses());
        let Story { stops, incidents, faults, silences } = &history.story;
        let edges = faults.iter().flat_map(|fault| [fault.start, fault.end]);
        let silent = silences.iter().flat_map(|(start, end)| [*start, *end]);
        let known = stops.iter().flat_map(|stop| {
            assert!(stop.announced <= stop.start && stop.start < stop.end, "{}", stop.id);
            [Some(stop.announced), stop.finished, stop.cancelled].into_iter().flatten()
        });
        let told = incidents.iter().flat_map(|incident| {
            let steps = incident.updates.iter().map(|update| update.0).chain(incident.notices.iter().map(|n| n.0));
            let ruled = incident.ruled.map(|ruling| ruling.at);
            // A ruling knows what it rules about.
            assert!(ruled.is_none_or(|at| incident.resolved.is_some_and(|resolved| resolved <= at)), "{}", incident.id);
            steps.chain([Some(incident.start), incident.resolved, ruled].into_iter().flatten())
        });
        for at in edges.chain(silent).chain(known).chain(told) {
            assert!(at <= now && at % SLOT == 0, "{at} at {now}");
        }
        assert!(stops.iter().all(|stop| stop.start % SLOT == 0 && stop.end % SLOT == 0));
        let mut ids: Vec<&str> =
            stops.iter().map(|s| s.id.as_str()).chain(incidents.iter().map(|i| i.id.as_str())).collect();
        let count = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), count, "at {now}");
    }
}

#[test]
fn one_function_misses_the_month_before_because_a_stop_was_announced_a_day_late() {
    for now in moments() {
        let mut history = History::new(now, addresses());
        let before = history.current().back(1);
        let [client, consumer] = history.figures(before);
        assert!(client.availability().unwrap() > 0.995, "{client:?} at {now}");
        assert!(consumer.availability().unwrap() < 0.99, "{consumer:?} at {now}");
        // Little was unmeasured: less than what the alert for it takes offence at.
        let budget = consumer.service / 100;
        assert!(consumer.unmeasured > 0 && consumer.unmeasured * 10 < budget, "{consumer:?} at {now}");
        let late = history.story.stops.iter_mut().find(|stop| stop.id.ends_with("form-servers")).unwrap();
        late.announced -= 86_400;
        let [_, kept] = history.figures(before);
        assert!(kept.availability().unwrap() > 0.99, "{kept:?} at {now}");
        // And now everything works.
        assert_eq!(history.measured.stretches().last().unwrap().functions, [Some(true); 2]);
    }
}

#[test]
fn a_ruling_changes_the_figure_when_it_comes() {
    let now = 1_795_000_000;
    let history = History::new(now, addresses());
    let before = history.current().back(1);
    let outage =
        history.story.incidents.iter().find(|incident| incident.id == format!("{}-sfdc", before.name())).unwrap();
    let ruled = outage.ruled.unwrap().at;
    let all = recorded(&history.story, &history.measured, before.start(), now);
    let (.., client) = all.iter().find(|(month, function, _)| *month == before && *function == "client").unwrap();
    let at = |moment: i64| client.iter().find(|(at, _)| *at == moment).unwrap().1;
    let (until, since) = (at(ruled - SLOT), at(ruled));
    assert_eq!(until.unexplained - since.unexplained, 9000);
    assert_eq!(until.service - since.service, 9000);
    assert!(since.availability() > until.availability());
    // Decided so until the end, and last month's figure is what it closed with.
    assert_eq!(client.last().unwrap().1.availability(), history.figures(before)[0].availability());
}

#[test]
fn slots_follow_the_rules_from_probes_to_functions() {
    let history = History::new(1_795_000_000, addresses());
    let before = history.current().back(1);
    let state = |nth, weekday, time| {
        let at = before.on(nth, weekday, time) + 1;
        let stretch = history.measured.stretches().iter().find(|stretch| stretch.start < at && at <= stretch.end);
        stretch.unwrap()
    };
    use jiff::civil::Weekday::{Monday, Sunday, Thursday, Tuesday, Wednesday};
    // One link of three is no majority, two are.
    assert_eq!(state(2, Monday, (9, 0)).functions, [Some(true), Some(true)]);
    assert_eq!(state(3, Wednesday, (18, 5)).functions, [Some(true), Some(false)]);
    assert_eq!(state(3, Tuesday, (9, 40)).functions, [Some(true), Some(false)]);
    // Cut off: everything failed, and nothing is known.
    let cut_off = state(2, Sunday, (4, 0));
    assert_eq!((cut_off.connected, cut_off.functions), (Some(false), [None, None]));
    assert!(cut_off.failing.unwrap().iter().all(Option::is_some));
    // Nobody there.
    let silent = state(2, Thursday, (3, 0));
    assert_eq!((silent.connected, silent.functions, silent.failing), (None, [None, None], None));
}

#[test]
fn windows_are_what_the_ledger_says() {
    let now = 1_795_000_000;
    let history = History::new(now, addresses());
    let month = history.current().back(1);
    let inside = |windows: Vec<(i64, i64, Effect)>| -> Vec<(i64, Effect)> {
        let own = windows.into_iter().filter(|(start, ..)| month.start() <= *start && *start < month.end());
        own.map(|(start, end, effect)| ((end - start) / 60, effect)).collect()
    };
    assert_eq!(
        inside(history.story.windows("consumer", now)),
        [
            (220, Effect::Exclude),
            (120, Effect::Exclude),
            (45, Effect::Down),
            (25, Effect::Up),
            (70, Effect::Exclude),
            (315, Effect::Down),
        ]
    );
}

#[test]
fn samples_stand_in_order_end_with_the_history_and_are_the_same_each_time() {
    let folder = tempfile::tempdir().unwrap();
    // Not a multiple of a slot: the last slot is the end itself.
    let now = 1_795_000_111;
    let write = |name: &str| {
        let path = folder.path().join(name);
        History::new(now, addresses()).write_samples(&path).unwrap();
        std::fs::read_to_string(path).unwrap()
    };
    let text = write("a");
    assert!(text == write("b") && text.ends_with("\n# EOF\n"));
    let (mut before, mut last) = (("", 0), 0);
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (rest, at) = line.rsplit_once(' ').unwrap();
        let (series, value) = rest.rsplit_once(' ').unwrap();
        let at: i64 = at.parse().unwrap();
        assert!(value.parse::<f64>().unwrap().is_finite(), "{line}");
        assert!(before.0 != series || before.1 < at, "{line}");
        (before, last) = ((series, at), last.max(at));
    }
    assert_eq!(last, now);
}

#[test]
fn the_configuration_says_that_the_history_is_invented() {
    let shipped = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/demo/sla.yml");
    let history = History::new(1_795_000_000, addresses());
    let text = history.configure(&std::fs::read_to_string(shipped).unwrap()).unwrap();
    assert!(
        text.contains("履歴は架空") && text.contains("invented history") && text.contains("\nledger: ledger.yml\n")
    );
    assert!(text.contains(&format!("start: {}-01\n", history.start().name())));
    assert!(history.configure("modules:\n").unwrap_err().contains("0 times"));
}
