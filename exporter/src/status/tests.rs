//! Documents read back by parsers of others, and held against the model.

use std::collections::BTreeSet;
use std::sync::Arc;

use scraper::{Html, Selector};

use super::document::{Document, Place};
use super::history::{DAYS, History};
use super::page::Page;
use super::sample::{NOW, Scene, config, measurements, page, states};
use super::state::State;
use crate::config::Config;
use crate::contract::Text;
use crate::lang::Lang;
use crate::report::sample::{at, seconds, stop, text};

fn document(page: &Page, document: &Document, lang: Lang) -> String {
    String::from_utf8(document.render(page, lang, Place::Served).unwrap()).unwrap()
}

fn all(page: &Page) -> Vec<(Document, Lang, String)> {
    let each = |lang| Document::all(page).into_iter().map(move |d| (lang, d));
    Lang::ALL.into_iter().flat_map(each).map(|(lang, d)| (d.clone(), lang, document(page, &d, lang))).collect()
}

fn select(html: &Html, selector: &str) -> Vec<String> {
    let selector = Selector::parse(selector).unwrap();
    html.select(&selector).map(|found| found.text().collect::<String>()).collect()
}

#[test]
fn documents_are_as_they_were_last_looked_at() {
    for scene in Scene::ALL {
        let page = page(scene);
        for (lang, file) in [(Lang::Ja, ""), (Lang::En, "en.")] {
            let html = document(&page, &Document::Html, lang);
            crate::report::golden::check_in(
                "src/status/golden",
                &format!("{}.{file}html", scene.name()),
                html.as_bytes(),
            );
        }
    }
    let page = page(Scene::Outage);
    for (of, name) in [
        (Document::Feed, "outage.feed.atom"),
        (Document::Summary, "outage.summary.json"),
        (Document::Calendar, "outage.maintenance.ics"),
        (Document::Badge("consumer".to_owned()), "outage.badge.svg"),
    ] {
        crate::report::golden::check_in("src/status/golden", name, document(&page, &of, Lang::Ja).as_bytes());
    }
}

#[test]
fn the_page_says_how_each_function_is_in_words_and_shapes() {
    for (scene, states, ja) in [
        (Scene::Up, [State::Up, State::Up], "すべての機能が稼働しています"),
        (Scene::Outage, [State::Up, State::Down], "コンシューマ機能が停止しています"),
        (Scene::Maintenance, [State::Maintenance, State::Up], "クライアント機能はメンテナンス中です"),
        (Scene::Unknown, [State::Unknown, State::Unknown], "現在の状態を確認できません"),
    ] {
        let page = page(scene);
        assert_eq!(page.functions.iter().map(|f| f.state).collect::<Vec<_>>(), states);
        let html = Html::parse_document(&document(&page, &Document::Html, Lang::Ja));
        assert_eq!(select(&html, "h1"), [ja]);
        let words = super::words::Words { page: &page, lang: Lang::Ja };
        let expected = states.map(|state| format!("{}{}", super::badge::mark(state), words.state(state)));
        assert_eq!(select(&html, ".function .state"), expected);
    }
    let marks: BTreeSet<&str> = State::ALL.map(super::badge::mark).into();
    assert_eq!(marks.len(), State::ALL.len(), "each has a shape of its own");
}

#[test]
fn the_page_is_sound_html_with_landmarks_and_one_language() {
    for scene in Scene::ALL {
        for lang in Lang::ALL {
            let text = document(&page(scene), &Document::Html, lang);
            let html = Html::parse_document(&text);
            assert!(html.errors.is_empty(), "{:?}", html.errors);
            for (selector, count) in
                [("main", 1), ("header", 1), ("footer", 1), ("h1", 1), ("svg[role=img][aria-label]", 2)]
            {
                assert_eq!(html.select(&Selector::parse(selector).unwrap()).count(), count, "{selector}");
            }
            assert_eq!(html.root_element().attr("lang"), Some(lang.code()));
            // What the policy forbids would not be seen.
            for selector in ["script", "[style]", "[onclick]", "img", "link[rel=stylesheet]", "form"] {
                assert_eq!(html.select(&Selector::parse(selector).unwrap()).count(), 0, "{selector}");
            }
            let ids: Vec<&str> =
                html.select(&Selector::parse("[id]").unwrap()).filter_map(|found| found.attr("id")).collect();
            assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "{ids:?}");
            for labelled in html.select(&Selector::parse("[aria-labelledby]").unwrap()) {
                assert!(ids.contains(&labelled.attr("aria-labelledby").unwrap()));
            }
        }
    }
}

/// A day is a part of the month: what the bars say in minutes is what the figures are made of.
#[test]
fn the_days_of_a_month_add_up_to_its_figures() {
    for scene in Scene::ALL {
        let history = History::of(&config(scene), &measurements(scene)).unwrap();
        for report in &history.months {
            for function in &report.functions {
                let days = &history.days[&function.name];
                assert_eq!(days.len(), usize::try_from(DAYS).unwrap());
                let month = days.iter().filter(|day| day.date.first_of_month() == report.month.first_day());
                let (mut down, mut excluded, mut unmeasured) = (0, 0, 0);
                for day in month {
                    down += day.down;
                    excluded += day.excluded;
                    unmeasured += day.unmeasured;
                }
                let figures = &function.provisional;
                assert_eq!((down, unmeasured), (figures.downtime_seconds, figures.unmeasured_seconds));
                // What is planned for the rest of the month has not happened on any day.
                let ahead = if report.month.number() == 11 { 4 * 3600 } else { 0 };
                let counted = figures.calendar_seconds - figures.service_seconds;
                assert!(counted - excluded == ahead || counted == excluded, "{counted} {excluded}");
            }
        }
    }
}

#[test]
fn a_bar_says_its_minutes_and_a_day_that_was_not_measured_is_no_day_up() {
    let page = page(Scene::Outage);
    let html = Html::parse_document(&document(&page, &Document::Html, Lang::En));
    let titles = select(&html, "svg.days title");
    assert_eq!(titles.len(), 180);
    for told in [
        // Judged to the second, over slots of five minutes.
        "7 Oct 2026: down 29 min, up 1,410 min",
        "14 Sep 2026: unmeasured 330 min, up 1,110 min",
        "20 Oct 2026: excluded 130 min, up 1,310 min",
        "28 Aug 2026: down 80 min, up 1,360 min",
        "10 Aug 2026: not counted",
    ] {
        let start = told.split(" min").next().unwrap();
        assert!(titles.iter().any(|title| title.starts_with(start)), "{told}: {titles:?}");
    }
}

#[test]
fn without_measurements_nothing_is_shown_as_up() {
    let config = config(Scene::Up);
    let old = History::of(&config, &measurements(Scene::Up)).map(Arc::new);
    for (history, now) in [(None, NOW), (old, "2026-11-05T20:20:30")] {
        let page = Page::of(&config, &states(Scene::Unknown), history, None, seconds(now));
        let text = document(&page, &Document::Html, Lang::En);
        assert!(text.contains("not available at present") && !text.contains("svg class=\"days\""), "{text}");
        assert!(text.contains("The current state is unknown"));
        let json: serde_json::Value = serde_json::from_str(&document(&page, &Document::Summary, Lang::En)).unwrap();
        assert!(
            json["components"]
                .as_array()
                .unwrap()
                .iter()
                .all(|c| c["status"] != "operational" && c["state"] == "unknown")
        );
        assert_eq!(json["status"]["indicator"], "minor");
    }
    let other = super::history::Measurements { contract: "other".to_owned(), ..measurements(Scene::Up) };
    assert!(History::of(&config, &other).is_none(), "another contract's slots");
}

/// What must be on no document: each is put wherever a configuration or ledger has a place for it.
const INTERNAL: [&str; 7] = [
    "10.99.88.77",
    "internal-probe-name",
    "ops-lead",
    "Report 2026-014",
    "障害報告書",
    "Secret work",
    "2026-10-07-login",
];

#[test]
fn nothing_internal_is_on_any_document() {
    let mut config = config(Scene::Outage);
    config.site = "10.99.88.77-site".to_owned();
    config.contract.connectivity = vec!["internal-probe-name".to_owned()];
    for capability in config.contract.functions.iter_mut().flat_map(|function| &mut function.capabilities) {
        capability.name = "internal-probe-name".to_owned();
        capability.title = text("internal-probe-name", "internal-probe-name");
    }
    for incident in &mut Arc::make_mut(&mut config.ledger).incidents {
        incident.id = format!("{}-10.99.88.77", incident.id);
    }
    let history = History::of(&config, &measurements(Scene::Outage)).map(Arc::new);
    let page = Page::of(&config, &states(Scene::Outage), history, None, seconds(NOW));
    for (document, _, text) in all(&page) {
        for internal in INTERNAL {
            assert!(!text.contains(internal), "{internal} is on {document:?}");
        }
    }
}

fn hostile() -> Page {
    let evil = "\"'><script>alert(1)</script>&amp;]]>\r\nEND:VEVENT\r\n<!--\u{1}\u{202e}";
    let mut config: Config = config(Scene::Outage);
    let both = || Text { ja: evil.to_owned(), en: evil.to_owned() };
    config.contract.title = both();
    config.contract.functions.iter_mut().for_each(|function| function.title = both());
    for incident in &mut Arc::make_mut(&mut config.ledger).incidents {
        incident.title = both();
        incident.updates.iter_mut().for_each(|update| update.text = both());
    }
    for stop in &mut Arc::make_mut(&mut config.ledger).maintenance {
        (stop.title, stop.text) = (both(), both());
    }
    let history = History::of(&config, &measurements(Scene::Outage)).map(Arc::new);
    Page::of(&config, &states(Scene::Outage), history, Some("https://status.example.com/a"), seconds(NOW))
}

#[test]
fn texts_stay_texts_in_every_format() {
    let page = hostile();
    for lang in Lang::ALL {
        let html = Html::parse_document(&document(&page, &Document::Html, lang));
        assert_eq!(select(&html, "script").len(), 0);
        assert!(select(&html, "h1")[0].contains("<script>"));
        let feed = document(&page, &Document::Feed, lang);
        let feed = atom_syndication::Feed::read_from(feed.as_bytes()).unwrap();
        assert_eq!(feed.entries().len(), 6);
        assert!(feed.title().contains("<script>"));
        let content = feed.entries()[0].content().unwrap();
        assert_eq!(select(&Html::parse_fragment(content.value().unwrap()), "script").len(), 0);
        let calendar = document(&page, &Document::Calendar, lang);
        assert_eq!(calendar.matches("\r\nEND:VEVENT\r\n").count(), 3);
        let badge = document(&page, &Document::Badge("client".to_owned()), lang);
        well_formed(&badge);
    }
}

fn well_formed(xml: &str) {
    let mut reader = quick_xml::Reader::from_str(xml);
    reader.config_mut().check_end_names = true;
    loop {
        match reader.read_event().unwrap_or_else(|error| panic!("{error}: {xml}")) {
            quick_xml::events::Event::Eof => return,
            quick_xml::events::Event::Start(start) | quick_xml::events::Event::Empty(start) => {
                start.attributes().for_each(|attribute| drop(attribute.unwrap().unescape_value().unwrap()));
            }
            quick_xml::events::Event::Text(text) => drop(text.decode().unwrap()),
            _ => {}
        }
    }
}

#[test]
fn the_feed_is_atom_with_an_entry_for_each_incident_and_maintenance() {
    let page = page(Scene::Outage);
    let feed = atom_syndication::Feed::read_from(document(&page, &Document::Feed, Lang::En).as_bytes()).unwrap();
    let links: Vec<&str> = feed.links().iter().map(atom_syndication::Link::rel).collect();
    assert_eq!(links, ["self", "alternate"]);
    let titles: Vec<&str> = feed.entries().iter().map(|entry| entry.title().as_str()).collect();
    assert_eq!(
        titles,
        [
            "[Identified] Consumer function: Web forms are hard to reach",
            "[Planned maintenance: Scheduled] Fri 20 Nov 2026 Client function, Consumer function: Regular maintenance",
            "[Resolved] Consumer function: Failure of a platform",
            "[Resolved] Client function: Login failure",
            "[Planned maintenance: Completed] Sat 3 Oct 2026 Client function, Consumer function: Regular maintenance",
            "[Planned maintenance: Cancelled] Sat 26 Sep 2026 Client function: Replacement of network devices",
        ]
    );
    assert_eq!(feed.updated(), feed.entries()[0].updated());
    assert_eq!(feed.entries()[0].updated().to_rfc3339(), "2026-11-05T14:05:00+09:00");
    // A ruling is a change too.
    assert_eq!(feed.entries()[3].updated().to_rfc3339(), "2026-10-07T15:00:00+09:00");
    let ids: BTreeSet<&str> = feed.entries().iter().map(atom_syndication::Entry::id).chain([feed.id()]).collect();
    assert_eq!(ids.len(), 7);
    assert!(ids.iter().all(|id| id.starts_with("urn:uuid:")));
}

#[test]
fn an_entry_keeps_its_id_when_all_else_of_it_changes() {
    let ids = |config: &Config| {
        let page = Page::of(config, &states(Scene::Up), None, None, seconds(NOW));
        page.past.iter().map(|i| i.id.clone()).chain(page.planned.iter().map(|s| s.id.clone())).collect::<BTreeSet<_>>()
    };
    let before = config(Scene::Up);
    let mut after = config(Scene::Up);
    let ledger = Arc::make_mut(&mut after.ledger);
    ledger.incidents.reverse();
    ledger.incidents[0].title = text("別の題", "Another title");
    ledger.maintenance[2].start = at("2026-11-20T22:00:00");
    assert_eq!(ids(&before), ids(&after));
}

#[test]
fn the_calendar_is_read_by_a_parser_of_others_and_keeps_what_was_called_off() {
    use icalendar::Component as _;
    let text = document(&page(Scene::Up), &Document::Calendar, Lang::Ja);
    assert!(text.split("\r\n").all(|line| line.len() <= 75 && !line.contains('\n')));
    let calendar: icalendar::Calendar = text.parse().unwrap();
    let events: Vec<&icalendar::Event> =
        calendar.components.iter().filter_map(|component| component.as_event()).collect();
    let of = |property: &str| events.iter().map(|e| e.property_value(property).unwrap()).collect::<Vec<_>>();
    assert_eq!(of("STATUS"), ["CANCELLED", "CONFIRMED", "CONFIRMED"]);
    assert_eq!(of("SEQUENCE"), ["1", "1", "0"]);
    assert_eq!(of("DTSTART"), ["20260926T130000Z", "20261003T130000Z", "20261120T120000Z"]);
    // Over earlier than announced.
    assert_eq!(of("DTEND"), ["20260926T170000Z", "20261003T154000Z", "20261120T160000Z"]);
    assert_eq!(of("DTSTAMP")[2], "20261102T010000Z");
    assert_eq!(of("UID").into_iter().collect::<BTreeSet<_>>().len(), 3);
}

#[test]
fn the_summary_has_the_shape_that_readers_of_statuspage_know() {
    for (scene, indicator, component) in [
        (Scene::Up, "none", ["operational", "operational"]),
        (Scene::Outage, "major", ["operational", "major_outage"]),
        (Scene::Maintenance, "maintenance", ["under_maintenance", "operational"]),
        (Scene::Unknown, "minor", ["degraded_performance", "degraded_performance"]),
    ] {
        let json: serde_json::Value =
            serde_json::from_str(&document(&page(scene), &Document::Summary, Lang::En)).unwrap();
        assert_eq!(json["status"]["indicator"], indicator);
        assert_eq!(json["page"]["time_zone"], "Asia/Tokyo");
        assert_eq!(json["page"]["updated_at"], "2026-11-05T14:20:00.000+09:00");
        let components = json["components"].as_array().unwrap();
        assert_eq!(components.iter().map(|c| c["status"].as_str().unwrap()).collect::<Vec<_>>(), component);
        assert_eq!(json["incidents"].as_array().unwrap().len(), usize::from(scene == Scene::Outage));
        let planned = if scene == Scene::Maintenance { vec!["in_progress", "scheduled"] } else { vec!["scheduled"] };
        let maintenance = json["scheduled_maintenances"].as_array().unwrap();
        assert_eq!(maintenance.iter().map(|m| m["status"].as_str().unwrap()).collect::<Vec<_>>(), planned);
        assert!(maintenance.iter().all(|m| m["impact"] == "maintenance" && m["scheduled_for"].is_string()));
    }
    let json: serde_json::Value =
        serde_json::from_str(&document(&page(Scene::Outage), &Document::Summary, Lang::En)).unwrap();
    let incident = &json["incidents"][0];
    assert_eq!(incident["status"], "identified");
    assert_eq!(incident["incident_updates"][0]["body"].as_str().unwrap().lines().count(), 2);
    assert_eq!(incident["components"][0]["name"], "Consumer function");
    assert!(incident["shortlink"].as_str().unwrap().starts_with("https://status.example.com?lang=en#e-"));
}

#[test]
fn only_what_was_announced_is_told_and_only_from_then_on() {
    let mut config = config(Scene::Up);
    let ledger = Arc::make_mut(&mut config.ledger);
    ledger.maintenance = vec![stop("m", &["client"], "2026-11-20T21:00:00", "2026-11-21T01:00:00")];
    ledger.maintenance[0].announced_at = Some(at(NOW));
    let count = |now: i64| Page::of(&config, &states(Scene::Up), None, None, now).planned.len();
    assert_eq!((count(seconds(NOW) - 1), count(seconds(NOW))), (0, 1));
}

#[test]
fn badges_say_the_state_in_words() {
    for (scene, state) in [(Scene::Up, "稼働中"), (Scene::Outage, "停止中"), (Scene::Unknown, "状態不明")] {
        let badge = document(&page(scene), &Document::Badge("consumer".to_owned()), Lang::Ja);
        well_formed(&badge);
        assert!(badge.contains(&format!("<title>コンシューマ機能: {state} (")), "{badge}");
    }
    let page = page(Scene::Up);
    assert!(Document::Badge("nobody".to_owned()).render(&page, Lang::Ja, Place::Served).is_none());
}

/// WCAG 2: letters 4.5 to 1, in both schemes, on every ground they stand on.
#[test]
fn letters_stand_out_from_their_ground() {
    const STYLE: &str = include_str!("html/style.css");
    let (light, dark) = STYLE.split_once("prefers-color-scheme:dark").unwrap();
    for scheme in [light, dark.split_once("}}").unwrap().0] {
        let colour = |name: &str| {
            let (_, rest) = scheme.split_once(&format!("--{name}:#")).unwrap_or_else(|| panic!("no --{name}"));
            let digits: String = rest.chars().take_while(char::is_ascii_hexdigit).collect();
            if digits.len() == 3 { digits.chars().flat_map(|c| [c, c]).collect() } else { digits }
        };
        for letters in ["ink", "soft", "accent", "up", "maintenance", "unknown", "impaired", "down"] {
            for ground in ["ground", "card"] {
                let ratio = contrast(&colour(letters), &colour(ground));
                assert!(ratio >= 4.5, "--{letters} on --{ground}: {ratio}");
            }
        }
        // What is drawn needs 3 to 1.
        for drawn in ["up-bar", "down", "hatch-b", "dots-b"] {
            let ratio = contrast(&colour(drawn), &colour("card"));
            assert!(ratio >= 3.0, "--{drawn}: {ratio}");
        }
    }
}

fn contrast(one: &str, other: &str) -> f64 {
    let luminance = |digits: &str| {
        let part = |at: usize| {
            let share = f64::from(u8::from_str_radix(&digits[at..at + 2], 16).unwrap()) / 255.0;
            if share <= 0.04045 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * part(0) + 0.7152 * part(2) + 0.0722 * part(4)
    };
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}
