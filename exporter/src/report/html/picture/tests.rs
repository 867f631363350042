//! What is in the picture is what counted: read back from its paths, as a browser paints them.

use std::collections::BTreeMap;

use proptest::prelude::*;
use scraper::{Html, Selector};

use super::states::tests::{slow, windows};
use super::*;
use crate::report::slots::{LATE, STEP};
use crate::windows::Reason;

/// Half-rows by their top in tenths and their place in hundredths of a unit, as painted.
type Painted = BTreeMap<(i64, i64), String>;

fn picture(month: &str, zone_name: &str, now: i64, slots: &[Slot], windows: &[Window], lang: Lang) -> String {
    let (month, zone): (Month, _) = (month.parse().unwrap(), TimeZone::get(zone_name).unwrap());
    let span = month.span(&zone);
    let beat = crate::report::slots::beat([slots]);
    let frame = Frame::new(span, span.start() + now, None, beat);
    let weekly = WeeklySlot { from: "Fri 21:00".to_owned(), to: "Mon 03:00".to_owned() };
    let picture = Picture {
        id: "f0",
        name: "<Client> & \"more\"",
        month,
        zone: &zone,
        frame: &frame,
        slots,
        windows,
        weekly: Some((&weekly, "金 21:00 〜 月 03:00")),
    };
    picture.render(lang).into_string()
}

/// Paints the paths in their order, in steps of a slot's quarter: 75 seconds.
#[allow(clippy::cast_possible_truncation)]
fn paint(svg: &str) -> Painted {
    let document = Html::parse_fragment(svg);
    let mut painted = Painted::new();
    for path in document.select(&Selector::parse("g.slots path").unwrap()) {
        let state = path.attr("data-state").unwrap();
        let thickness: f64 = path.attr("stroke-width").unwrap().parse().unwrap();
        let (mut x, mut y) = (0.0f64, 0.0f64);
        let mut rest = path.attr("d").unwrap();
        while let Some(kind) = rest.chars().next() {
            let end = rest[1..].find(['M', 'm', 'h']).map_or(rest.len(), |at| at + 1);
            let numbers: Vec<f64> = rest[1..end].split(' ').map(|number| number.parse().unwrap()).collect();
            match (kind, numbers.as_slice()) {
                ('M', [to_x, to_y]) => (x, y) = (*to_x, *to_y),
                ('m', [by_x, by_y]) => (x, y) = (x + by_x, y + by_y),
                ('h', [by]) => {
                    let (from, to) = ((x * 100.0).round(), ((x + by) * 100.0).round());
                    let (top, bottom) = (y - thickness / 2.0, y + thickness / 2.0);
                    for half in [(top, 0), (bottom - 5.0, 1)].iter().take(if thickness > 6.0 { 2 } else { 1 }) {
                        let mut at = from;
                        while at < to {
                            painted.insert(((half.0 * 10.0).round() as i64, at as i64), state.to_owned());
                            at += 75.0;
                        }
                    }
                    x += by;
                }
                other => panic!("{other:?}"),
            }
            rest = &rest[end..];
        }
    }
    painted
}

/// Every slot of the month is painted where its wall clock is, with nothing of the code above.
fn check(month: &str, zone_name: &str, now: i64, slots: &[Slot], windows: &[Window]) {
    let svg = picture(month, zone_name, now, slots, windows, Lang::Ja);
    let painted = paint(&svg);
    let (month, zone): (Month, _) = (month.parse().unwrap(), TimeZone::get(zone_name).unwrap());
    let span = month.span(&zone);
    let frame = Frame::new(span, span.start() + now, None, crate::report::slots::beat([slots]));
    let mut expected = Painted::new();
    for clock in (span.start() + STEP..=span.end()).step_by(300) {
        let state = slow(&frame, slots, windows, clock);
        if state == State::Ahead {
            continue;
        }
        for moment in (clock - STEP..clock).step_by(75) {
            let local = |at: i64| zone.to_datetime(jiff::Timestamp::from_second(at).unwrap());
            let here = local(moment);
            let wall = i64::from(here.hour()) * 3600 + i64::from(here.minute()) * 60 + i64::from(here.second());
            let top = (TOP + (i64::from(here.day()) - 1) * PITCH) * 10;
            let twice = |other: i64| local(other) == here;
            let halves: &[i64] = if twice(moment + 3600) || twice(moment + 1800) {
                &[top]
            } else if twice(moment - 3600) || twice(moment - 1800) {
                &[top + 60]
            } else {
                &[top, top + 60]
            };
            for half in halves {
                expected.insert((*half, LEFT * 100 + wall), state.id().to_owned());
            }
        }
    }
    assert_eq!(painted.len(), expected.len(), "{month} {zone_name}");
    for (place, state) in &expected {
        assert_eq!(painted.get(place), Some(state), "{month} {zone_name} {place:?}");
    }
}

/// Slots of a month out of a few numbers: down, missing and up stretches that never line up with days.
fn some_slots(month: &str, zone: &str, beat: i64, pattern: &[usize]) -> Vec<Slot> {
    let span = month.parse::<Month>().unwrap().span(&TimeZone::get(zone).unwrap());
    let states = [Some(true), Some(false), Some(true), None];
    let stretches = pattern.iter().zip(states.iter().cycle());
    let mut all = stretches.flat_map(|(count, state)| std::iter::repeat_n(*state, *count)).collect::<Vec<_>>();
    let count = usize::try_from(span.seconds() / STEP).unwrap();
    all.resize(count, Some(true));
    let clocks = (span.start() + STEP..=span.end()).step_by(300);
    clocks.zip(all).filter_map(|(clock, up)| Some(Slot { at: clock - beat, up: up? })).collect()
}

fn moved(windows: Vec<Window>, month: &str, zone: &str) -> Vec<Window> {
    let start = month.parse::<Month>().unwrap().span(&TimeZone::get(zone).unwrap()).start();
    let by = start - super::states::tests::START;
    let window = |window: Window| Window { start: window.start + by, end: window.end.map(|end| end + by), ..window };
    windows.into_iter().map(window).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]
    #[test]
    fn every_slot_is_painted_in_its_state_at_its_wall_clock(
        (month, zone) in prop::sample::select(vec![
            ("2026-10", "Asia/Tokyo"),
            ("2026-10", "Europe/Berlin"),
            ("2026-03", "Europe/Berlin"),
            ("2026-11", "America/Havana"),
            ("2026-04", "Australia/Lord_Howe"),
            ("2011-12", "Pacific/Apia"),
        ]),
        pattern in prop::collection::vec(1..400usize, 0..60),
        beat in 0i64..300,
        windows in windows(),
        now in 0i64..33 * 86_400,
    ) {
        let span = month.parse::<Month>().unwrap().span(&TimeZone::get(zone).unwrap());
        let slots: Vec<Slot> = some_slots(month, zone, beat, &pattern)
            .into_iter().filter(|slot| slot.at <= span.start() + now).collect();
        check(month, zone, now, &slots, &moved(windows, month, zone));
    }
}

#[test]
fn a_month_in_tatters_is_a_small_picture_all_the_same() {
    let span = "2026-10".parse::<Month>().unwrap().span(&TimeZone::get("Europe/Berlin").unwrap());
    let now = span.seconds() + LATE;
    let alternating = vec![1; 10_000];
    let every = |seconds: i64, length: i64| -> Vec<Window> {
        let starts = (span.start()..span.end()).step_by(usize::try_from(seconds).unwrap());
        let window = |(n, start)| Window {
            function: "f".to_owned(),
            entry: format!("2026-10-{n}-{}", "long".repeat(60)),
            reason: [Reason::Internal, Reason::Upstream, Reason::FalseAlarm][n % 3],
            start,
            end: Some(start + length),
        };
        starts.enumerate().map(window).collect()
    };
    for windows in [Vec::new(), every(900, 300), every(5400, 60), every(5400, 5000)] {
        let slots = some_slots("2026-10", "Europe/Berlin", 17, &alternating);
        for lang in Lang::ALL {
            let svg = picture("2026-10", "Europe/Berlin", now, &slots, &windows, lang);
            assert!(svg.len() < 60_000, "{} bytes with {} windows", svg.len(), windows.len());
        }
    }
}

#[test]
fn an_ordinary_month_is_a_few_kilobytes() {
    let slots = some_slots("2026-10", "Asia/Tokyo", 17, &[700, 5, 300, 12]);
    let svg = picture("2026-10", "Asia/Tokyo", 40 * 86_400, &slots, &[], Lang::Ja);
    assert!(svg.len() < 12_000, "{}", svg.len());
}

#[test]
fn days_hours_and_states_are_named_in_the_readers_language() {
    let slots = some_slots("2026-10", "Asia/Tokyo", 17, &[700, 5, 300, 12]);
    let of = |lang| {
        let svg = picture("2026-10", "Asia/Tokyo", 40 * 86_400, &slots, &[], lang);
        let document = Html::parse_fragment(&svg);
        assert_eq!(document.errors, Vec::<std::borrow::Cow<'static, str>>::new());
        let texts = |selector: &str| -> Vec<String> {
            let selector = Selector::parse(selector).unwrap();
            document.select(&selector).map(|element| element.text().collect::<String>().trim().to_owned()).collect()
        };
        (texts("text.day"), texts("ul.legend li"), texts("g.tips title"), texts("desc"), texts("svg > title"))
    };
    let (days, legend, tips, desc, name) = of(Lang::Ja);
    assert_eq!((days.len(), days[0].as_str(), days[30].as_str()), (31, "1日(木)", "31日(土)"));
    assert_eq!(legend, ["稼働", "停止（測定のみ・未判定）", "未測定", "メンテナンス時間帯 金 21:00 〜 月 03:00"]);
    assert_eq!(tips, ["3日(土) 10:20–10:45 停止（測定のみ・未判定）", "4日(日) 11:45–12:45 未測定"]);
    assert!(desc[0].ends_with("停止（測定のみ・未判定） 1区間、未測定 1区間。"), "{}", desc[0]);
    assert_eq!(name, ["<Client> & \"more\""]);
    let (days, legend, tips, ..) = of(Lang::En);
    assert_eq!((days[0].as_str(), legend[0].as_str()), ("Thu 1", "up"));
    assert_eq!(tips[0], "Sat 3 10:20–10:45 down as measured, not judged");
}

#[test]
fn an_entry_is_named_where_it_decides_and_marked_where_it_is_too_short_to_be_seen() {
    let start = "2026-10".parse::<Month>().unwrap().span(&TimeZone::get("Asia/Tokyo").unwrap()).start();
    let window = |entry: &str, from: i64, to: i64| Window {
        function: "f".to_owned(),
        entry: entry.to_owned(),
        reason: Reason::Internal,
        start: start + from,
        end: Some(start + to),
    };
    let windows = [window("long", 3600, 7200), window("short", 9001, 9050)];
    let slots = some_slots("2026-10", "Asia/Tokyo", 0, &[]);
    let svg = picture("2026-10", "Asia/Tokyo", 40 * 86_400, &slots, &windows, Lang::En);
    assert!(svg.contains("<title>Thu 1 01:00–02:00 down as judged: long</title>"), "{svg}");
    assert!(svg.contains("<title>Thu 1 02:30:01–02:30:50 down as judged: short</title>"), "{svg}");
    assert!(svg.contains("too short for a slot"));
}

#[test]
fn a_skipped_hour_is_blank_and_said() {
    let slots = some_slots("2026-03", "Europe/Berlin", 0, &[]);
    let svg = picture("2026-03", "Europe/Berlin", 40 * 86_400, &slots, &[], Lang::En);
    assert_eq!(svg.matches("class=\"skipped\"").count(), 1);
    assert!(!svg.contains("two lanes"));
    let slots = some_slots("2026-10", "Europe/Berlin", 0, &[]);
    let svg = picture("2026-10", "Europe/Berlin", 40 * 86_400, &slots, &[], Lang::En);
    assert!(svg.contains("two lanes") && !svg.contains("class=\"skipped\""));
}
