//! The page says what the model holds, and is a sound document whatever the ledger says.

use std::collections::BTreeSet;

use scraper::{ElementRef, Html, Selector};

use super::samples::{breached, good, open};
use super::*;
use crate::contract::Text;
use crate::report::model::{FunctionReport, Outcome, State};
use crate::report::rounding;
use crate::report::sample::{report, text};

fn selector(text: &str) -> Selector {
    Selector::parse(text).unwrap()
}

fn words_of(element: ElementRef<'_>) -> String {
    element.text().collect::<String>().split_whitespace().collect::<Vec<_>>().join(" ")
}

fn texts(document: &Html, select: &str) -> Vec<String> {
    document.select(&selector(select)).map(words_of).collect()
}

/// Parses, and finds nothing that a browser would have to mend or to fetch.
fn sound(page: &str) -> Html {
    let document = Html::parse_document(page);
    assert_eq!(document.errors, Vec::<std::borrow::Cow<'static, str>>::new());
    let mut ids = BTreeSet::new();
    for element in document.select(&selector("[id]")) {
        assert!(ids.insert(element.attr("id").unwrap()), "{:?} twice", element.attr("id"));
    }
    for element in document.select(&selector("a[href^='#']")) {
        let target = &element.attr("href").unwrap()[1..];
        assert!(ids.contains(target), "nothing at #{target}");
    }
    for element in document.select(&selector("[fill^='url'], [stroke^='url']")) {
        let paint = element.attr("fill").or(element.attr("stroke")).unwrap();
        let target = paint.trim_start_matches("url(#").trim_end_matches(')');
        assert!(ids.contains(target), "no pattern {paint}");
    }
    for element in document.select(&selector("[aria-labelledby]")) {
        let names = element.attr("aria-labelledby").unwrap().split(' ');
        names.for_each(|name| assert!(ids.contains(name), "no name {name}"));
    }
    let fetching =
        "script, link, img, iframe, object, embed, base, form, image, use, [src], [onclick], [onload], [style*='url']";
    assert_eq!(document.select(&selector(fetching)).count(), 0);
    for style in texts(&document, "style") {
        assert!(!style.contains("url(") && !style.contains("@import"), "{style}");
    }
    document
}

fn all() -> Vec<Report> {
    vec![good(), breached(), open(), report()]
}

#[test]
fn every_page_is_one_sound_document_that_fetches_nothing() {
    for report in all() {
        for lang in Lang::ALL {
            let page = render(&report, lang);
            let document = sound(&page);
            assert!(page.starts_with("<!DOCTYPE html>"));
            assert_eq!(document.root_element().attr("lang"), Some(lang.code()));
            assert!(page.len() < 130_000, "{} bytes", page.len());
            let tables = document.select(&selector("table")).count();
            assert_eq!(document.select(&selector("table > thead")).count(), tables, "heads repeat in print");
        }
    }
}

/// The numbers of a function's section, as rounding has them.
fn check_function(document: &Html, words: &Words<'_>, number: usize, function: &FunctionReport) {
    let section = format!("section.function:has(#function-{number})");
    let (figures, objective) = (&function.provisional, function.objective);
    let one = |select: &str| texts(document, &format!("{section} {select}")).join(" | ");
    let shown = |share: Option<String>| words.percent(share);
    assert_eq!(one(".big"), shown(rounding::availability(figures, objective)));
    for (row, of) in [
        (1, rounding::availability as fn(&crate::report::model::Figures, f64) -> Option<String>),
        (2, rounding::availability_lower),
    ] {
        let all = [&function.measured, &function.provisional, &function.adjudicated];
        let expected: Vec<String> = all
            .iter()
            .map(|other| {
                let (own, headline) = (shown(of(other, objective)), shown(of(figures, objective)));
                if own == headline { own } else { format!("≠ {own}") }
            })
            .collect();
        assert_eq!(one(&format!(".three tbody tr:nth-child({row}) td")), expected.join(" | "));
    }
    assert_eq!(document.select(&selector(&format!("{section} svg[role=img]"))).count(), 1);
}

#[test]
fn numbers_are_the_models_rounded_as_everywhere() {
    for report in all() {
        for lang in Lang::ALL {
            let page = render(&report, lang);
            let document = sound(&page);
            let rows = texts(&document, ".results tbody tr");
            assert_eq!(rows.len(), report.functions.len());
            let words = Words::new(&report, lang);
            for (number, function) in report.functions.iter().enumerate() {
                check_function(&document, &words, number, function);
                let share = rounding::availability(&function.provisional, function.objective).unwrap();
                assert!(rows[number].contains(&words.percent(Some(share))), "{}", rows[number]);
                assert!(rows[number].contains(words.outcome(function.outcome)), "{}", rows[number]);
                let figures = &function.provisional;
                let breakdown = texts(&document, &format!("section:has(#function-{number}) .breakdown td.number"));
                let mut expected = vec![
                    figures.calendar_seconds,
                    figures.excluded.planned_seconds,
                    figures.excluded.upstream_seconds,
                    figures.excluded.force_majeure_seconds,
                    figures.service_seconds,
                    figures.downtime_seconds,
                    figures.judged_downtime_seconds,
                    figures.measured_downtime_seconds,
                ];
                let overrun = function.overrun.judged_seconds + function.overrun.measured_seconds;
                expected.extend((overrun > 0).then_some(overrun));
                expected.extend([figures.allowed_downtime_seconds, figures.budget_remaining_seconds.unwrap()]);
                expected.push(figures.unmeasured_seconds);
                let expected: Vec<String> = expected.into_iter().map(|seconds| words.length(seconds)).collect();
                assert_eq!(breakdown, expected);
            }
        }
    }
}

/// C4.1f: the formula with its numbers, to be checked with a pocket calculator.
#[test]
fn the_formula_is_filled_in() {
    let of = |lang| texts(&sound(&render(&breached(), lang)), ".formula .line");
    let (ja, en) = (of(Lang::Ja), of(Lang::En));
    assert_eq!(
        ja[..6],
        [
            "= 日数 × 24 × 60 − 除外時間",
            "= 31 × 1,440分 − 370分",
            "= 44,270分",
            "= (サービス提供時間 − 停止時間) ÷ サービス提供時間 × 100",
            "= (44,270分 − 548分30秒) ÷ 44,270分 × 100",
            "= 98.761%",
        ]
    );
    assert_eq!(en[1], "= 31 × 1,440 min − 370 min");
    assert_eq!(en[4], "= (44,270 min − 548 min 30 s) ÷ 44,270 min × 100");
}

/// Each line of the calculation names the entries that make it up, with as many seconds as it has.
#[test]
fn every_number_has_its_origin() {
    let document = sound(&render(&breached(), Lang::En));
    let origins = texts(&document, "section:has(#function-0) .breakdown td.origin");
    assert_eq!(origins[1], "2026-10-regular 180 min, 2026-10-network 120 min");
    assert_eq!(origins[2], "2026-10-14-sfdc 70 min");
    assert_eq!(origins[6], "2026-10-07-login 29 min, 2026-10-12-database 454 min 30 s, 2026-10-31-slow 20 min");
    assert_eq!(origins[7], "Downtime to be judged");
    assert_eq!(origins[8], "2026-10-network 15 min");
}

#[test]
fn status_verdict_and_what_is_waited_for_are_in_words() {
    for (report, badge, verdict) in
        [(good(), "確定", "✓ 達成"), (breached(), "暫定", "✕ 未達"), (open(), "暫定", "… 期間中（未達なし）")]
    {
        let document = sound(&render(&report, Lang::Ja));
        assert_eq!(texts(&document, ".badge"), [badge]);
        assert_eq!(texts(&document, ".hero .outcome")[0], verdict);
        let words = Words::new(&report, Lang::Ja);
        let waiting: Vec<String> = report.status.waiting.iter().map(|waiting| words.waiting(waiting)).collect();
        assert_eq!(texts(&document, ".state li"), waiting);
        let notes: Vec<String> = report.status.notes.iter().map(|note| words.note(note)).collect();
        assert_eq!(texts(&document, ".notes li"), notes);
        assert_eq!(report.status.state == State::Final, texts(&document, ".state.final").len() == 1);
    }
}

#[test]
fn entries_say_who_when_why_and_what_it_counts() {
    let document = sound(&render(&breached(), Lang::Ja));
    let entry = |id: &str| texts(&document, &format!("[id='entry-{id}']")).join("");
    let login = entry("2026-10-07-login");
    for part in [
        "ログイン障害",
        "当社設備・運用",
        "発生日時2026/10/07 10:02",
        "収束日時2026/10/07 10:31",
        "第一報まで4分",
        "ops-lead · 2026/10/07 15:00 · 根拠: 障害報告書 2026-014",
        "2026/10/07 10:06 メール（自動送信）",
        "2026/10/07 10:09 電話",
        "2026/10/07 10:40 復旧 復旧しました。",
        "クライアント機能29分0分0分稼働1・停止5・未測定0（各5分）",
    ] {
        assert!(login.contains(part), "{part}: {login}");
    }
    let late = entry("2026-10-certificate");
    for part in ["✕ 除外しない（通知が14日前に満たない）", "✕ 13日", "必要: 14日前", "✕ 不適合", "緊急"]
    {
        assert!(late.contains(part), "{part}: {late}");
    }
    assert!(entry("2026-10-database").contains("✕ 240分"));
    assert!(entry("2026-10-extension").contains("中止のため対象外"));
    assert!(entry("2026-10-28-form").contains("未判定"));
    assert!(entry("2026-10-31-slow").contains("継続中"));
}

/// What a text of the ledger must not do, wherever it is shown.
const HOSTILE: &str = "</style></title><script>alert(1)</script>\"'&amp;<img src=x onerror=y>\u{202e}]]>";

fn hostile() -> Report {
    let mut report = breached();
    let bad = || Text { ja: HOSTILE.to_owned(), en: HOSTILE.to_owned() };
    report.contract.title = bad();
    report.contract.name = HOSTILE.to_owned();
    report.contract.maintenance_slot.as_mut().unwrap().from = HOSTILE.to_owned();
    report.ledger_sha256 = HOSTILE.to_owned();
    report.source.url = HOSTILE.to_owned();
    report.source.version = Some(HOSTILE.to_owned());
    report.source.warnings = vec![HOSTILE.to_owned()];
    report.tool_version = HOSTILE.to_owned();
    for function in &mut report.functions {
        function.title = bad();
        function.capabilities.iter_mut().for_each(|capability| capability.title = bad());
    }
    for incident in &mut report.incidents {
        incident.title = bad();
        incident.updates.iter_mut().for_each(|update| update.text = bad());
        if let Some(decided) = &mut incident.decided {
            (decided.by, decided.evidence) = (HOSTILE.to_owned(), bad());
        }
        if let Some(upstream) = &mut incident.upstream {
            upstream.title = bad();
        }
    }
    for stop in &mut report.maintenance {
        (stop.title, stop.text) = (bad(), bad());
    }
    report.drills.iter_mut().for_each(|drill| drill.text = bad());
    for advisory in &mut report.advisories {
        (advisory.id, advisory.component) = (HOSTILE.to_owned(), HOSTILE.to_owned());
    }
    report
}

#[test]
fn texts_of_the_ledger_stay_texts() {
    for lang in Lang::ALL {
        let page = render(&hostile(), lang);
        let document = sound(&page);
        assert!(!page.contains("<script") && !page.contains("<img"));
        assert!(texts(&document, ".entry h3").iter().filter(|title| title.starts_with("</style>")).count() > 5);
    }
}

#[test]
fn only_an_address_of_the_web_becomes_a_link() {
    for (evidence, is_link) in [
        ("https://wiki.example.com/4711?a=1&b=\"", true),
        ("http://a.example", true),
        ("javascript:alert(1)", false),
        ("data:text/html,x", false),
        ("see https://a.example", false),
        ("//a.example", false),
    ] {
        let mut report = breached();
        report.incidents[0].decided.as_mut().unwrap().evidence = text(evidence, evidence);
        let document = sound(&render(&report, Lang::En));
        let links: Vec<_> = document.select(&selector("a:not([href^='#'])")).collect();
        assert_eq!(links.len(), usize::from(is_link), "{evidence}");
        assert!(links.iter().all(|link| link.attr("href") == Some(evidence)));
        assert!(texts(&document, "article").iter().any(|entry| entry.contains(evidence)));
    }
}

#[test]
fn a_month_without_anything_says_so() {
    let mut report = good();
    (report.maintenance, report.drills) = (Vec::new(), Vec::new());
    report.functions.truncate(1);
    for function in &mut report.functions {
        (function.windows, function.year, function.slots) = (Vec::new(), Vec::new(), Vec::new());
        function.outcome = Outcome::Unmeasured;
        for figures in [&mut function.measured, &mut function.provisional, &mut function.adjudicated] {
            (figures.availability, figures.availability_lower, figures.budget_remaining_seconds) = (None, None, None);
        }
    }
    let document = sound(&render(&report, Lang::Ja));
    assert_eq!(texts(&document, ".big"), ["–"]);
    assert_eq!(texts(&document, ".hero .outcome"), ["– 測定なし"]);
    assert!(texts(&document, ".entries p").iter().any(|words| words == "当月に記録された障害はありません。"));
    assert_eq!(texts(&document, ".year .nothing").len(), 1);
}

#[test]
fn ten_functions_and_five_hundred_incidents_are_one_page_of_bounded_size() {
    let mut report = breached();
    let function = report.functions[0].clone();
    report.functions = (0..10).map(|n| FunctionReport { name: format!("f{n}"), ..function.clone() }).collect();
    let incident = report.incidents[0].clone();
    report.incidents = (0..500)
        .map(|n| {
            let mut incident = incident.clone();
            incident.id = format!("2026-10-{n}");
            incident.title = text(&"とても長い題名".repeat(30), &"an-endless-title".repeat(15));
            incident.updates[0].text = text(&"長い経過。\n".repeat(500), &"words ".repeat(1500));
            incident
        })
        .collect();
    for function in &mut report.functions {
        function.windows.clear();
        function.unexplained.clear();
    }
    report.status.waiting.clear();
    report.maintenance.clear();
    let page = render(&report, Lang::Ja);
    // Some 10 kB of text and 3 kB of markup for each incident.
    assert!(page.len() < 500 * 16_000 + 10 * 60_000, "{}", page.len());
    let document = Html::parse_document(&page);
    assert_eq!(document.errors, Vec::<std::borrow::Cow<'static, str>>::new());
    assert_eq!(document.select(&selector("article")).count(), 500);
    assert_eq!(document.select(&selector("#incidents ~ .scroll tbody tr")).count(), 500);
    assert_eq!(document.select(&selector("svg[role=img]")).count(), 10);
}

/// Months of the year that are missing are said to be, together where they follow one another.
#[test]
fn the_year_has_a_row_for_every_month() {
    let document = sound(&render(&breached(), Lang::Ja));
    let rows = texts(&document, "section:has(#function-0) .year tbody tr");
    assert_eq!(rows.len(), 4);
    assert!(rows[0].starts_with("1月〜7月") && rows[0].ends_with("契約開始前"), "{}", rows[0]);
    assert!(rows[1].starts_with("8月") && rows[1].contains("98.879%"), "{}", rows[1]);
    assert!(rows[3].starts_with("10月") && rows[3].contains("本報告書"), "{}", rows[3]);
}

/// Where clocks change, the true length of the month is in the formula, and times say their offset.
#[test]
fn a_change_of_clocks_is_in_the_formula() {
    let mut report = good();
    report.contract.timezone = "Europe/Berlin".to_owned();
    for function in &mut report.functions {
        function.provisional.calendar_seconds += 3600;
    }
    report.status.notes.push(crate::report::model::Note::ClocksChanged { seconds: 3600 });
    let document = sound(&render(&report, Lang::En));
    assert_eq!(texts(&document, ".formula .line")[1], "= 31 × 1,440 min + 60 min − 170 min");
    assert!(texts(&document, ".formula .small")[0].starts_with("Clocks changed"));
}

/// C4.1.2: a later ruling makes a revision, and the page says what it changed.
#[test]
fn a_revision_says_what_it_changed() {
    use crate::report::model::{Change, Difference, EntryChange, FigureChange, Figures};
    let mut report = breached();
    assert!(!render(&report, Lang::En).contains("id=\"difference\""));
    let after = report.functions[0].provisional;
    let before = Figures { downtime_seconds: after.downtime_seconds - 1740, ..after };
    report.revision = Some(2);
    report.difference = Some(Difference {
        revision: 1,
        closed_at: report.month_end + 600,
        functions: vec![FigureChange { function: "client".to_owned(), before: Some(before), after }],
        entries: vec![EntryChange { id: "2026-10-07-login".to_owned(), change: Change::Added }],
        terms: true,
    });
    let document = sound(&render(&report, Lang::En));
    let section = texts(&document, "section:has(#difference)").join("");
    for part in ["98.826 %", "≠ 98.761 %", "519 min 30 s", "≠ 548 min 30 s", "370 min", "added: 2026-10-07-login"] {
        assert!(section.contains(part), "{part}: {section}");
    }
    assert_eq!(texts(&document, ".badge"), ["provisional", "Revision 2"]);
}

/// Such as an overrun of a maintenance that ended, as announced, in the month before.
#[test]
fn an_entry_the_page_has_no_part_about_is_named_without_a_link() {
    let mut report = breached();
    (report.maintenance, report.incidents) = (Vec::new(), Vec::new());
    let document = sound(&render(&report, Lang::En));
    let links = texts(&document, "section:has(#function-0) td").join(" ");
    assert!(links.contains("2026-10-regular") && links.contains("2026-10-network"), "{links}");
}

/// A report that was read back where its zone is not known, or whose moments make no sense, is a page all the same.
#[test]
fn a_zone_or_a_moment_nobody_knows_is_no_end() {
    let mut report = breached();
    report.contract.timezone = "Nowhere/Else".to_owned();
    for moment in [i64::MIN, -1, 0, i64::MAX] {
        report.generated_at = moment;
        report.incidents[0].started_at = moment;
        report.functions[0].windows[0].start = moment;
        sound(&render(&report, Lang::Ja));
    }
}

#[test]
fn one_entry_of_the_ledger_is_one() {
    for (entries, words) in [(0, "0 entries ·"), (1, "1 entry ·"), (2, "2 entries ·")] {
        let page = render(&Report { ledger_entries: entries, ..good() }, Lang::En);
        assert!(texts(&sound(&page), "footer dd").iter().any(|said| said.starts_with(words)), "{words}");
    }
}
