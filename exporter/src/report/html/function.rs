//! One function's month: the result, the calculation, the picture, and where each of its minutes comes from.
//!
//! Not for: the entries themselves (`incidents`, `maintenance`).

use maud::{Markup, html};

use super::Page;
use super::picture::Picture;
use super::{figures, windows, year};
use crate::report::model::{FunctionReport, Outcome};
use crate::report::rounding;
use crate::report::words::labels;

pub(super) fn section(page: &Page<'_>, number: usize, function: &FunctionReport) -> Markup {
    let lang = page.lang;
    let title = function.title.of(lang);
    let id = format!("function-{number}");
    let picture_name = page.say(
        format!("{title} {}: 5分ごとの状況", page.words.month(page.report.month)),
        format!("{title}, {}: five minutes at a time", page.words.month(page.report.month)),
    );
    let weekly = page.report.contract.maintenance_slot.as_ref().map(|slot| (slot, page.words.weekly(slot)));
    let picture = Picture {
        id: &format!("picture-{number}"),
        name: &picture_name,
        month: page.report.month,
        zone: page.words.zone(),
        frame: &page.frame,
        slots: &function.slots,
        windows: &function.windows,
        weekly: weekly.as_ref().map(|(slot, words)| (*slot, words.as_str())),
    };
    html! {
        section.function aria-labelledby=(id) {
            h2 id=(id) { (title) }
            (capabilities(page, function))
            (result(page, function))
            h3 { (labels::calculation(lang)) }
            (figures::formula(page, function))
            section.month aria-label=(labels::picture(lang)) {
                h3 { (labels::picture(lang)) }
                (picture.render(lang))
            }
            h3 { (page.say("内訳", "In detail")) }
            (figures::breakdown(page, number, function))
            h3 { (labels::figures(lang)) }
            (figures::three(page, function))
            (windows::decided(page, function))
            (windows::unexplained(page, number, function))
            (windows::gaps(page, number, function))
            (year::section(page, function))
        }
    }
}

fn capabilities(page: &Page<'_>, function: &FunctionReport) -> Markup {
    let titles: Vec<&str> = function.capabilities.iter().map(|capability| capability.title.of(page.lang)).collect();
    let list = page.words.list(&titles);
    html! {
        @match titles.len() {
            0 => {}
            1 => p.lead { (page.say(format!("「{list}」が利用できることを稼働とします。"), format!("Up when “{list}” can be used."))) },
            _ => p.lead {
                (page.say(
                    format!("「{}」のいずれもが利用できることを稼働とします。", titles.join("」「")),
                    format!("Up when all of these can be used: {list}."),
                ))
            },
        }
    }
}

/// The figure against the objective.
fn result(page: &Page<'_>, function: &FunctionReport) -> Markup {
    let (figures, objective, lang) = (&function.provisional, function.objective, page.lang);
    let is_open = function.outcome == Outcome::Open;
    html! {
        div.hero {
            div.figure {
                p.name { (labels::availability(lang)) }
                p.big {
                    @match rounding::availability(figures, objective) {
                        Some(share) => { (share) span.unit { (page.say("%", " %")) } }
                        None => "–",
                    }
                }
                @if is_open && figures.availability.is_some() {
                    p.small { (page.say("月末まで停止がない場合の値", "if there is no more downtime until the month ends")) }
                }
            }
            div.against {
                p { span.name { (labels::objective(lang)) } " " strong { (page.words.promised(objective)) } }
                p { (page.outcome(function.outcome)) }
                (budget(page, function))
            }
            dl.bounds {
                @if is_open {
                    div { dt { (labels::availability_to_date(lang)) } dd { (page.words.percent(rounding::availability_to_date(figures, objective))) } }
                }
                div {
                    dt { (labels::availability_lower(lang)) }
                    dd { (page.words.percent(rounding::availability_lower(figures, objective))) }
                }
                div { dt { (labels::unmeasured(lang)) } dd { (page.words.length(figures.unmeasured_seconds)) } }
            }
        }
    }
}

/// How much of the downtime that is allowed has been used: a bar, and the same in words.
fn budget(page: &Page<'_>, function: &FunctionReport) -> Markup {
    let figures = &function.provisional;
    let Some(left) = figures.budget_remaining_seconds else { return html! {} };
    let (used, allowed) = (figures.downtime_seconds, figures.allowed_downtime_seconds);
    let full = used.max(allowed).max(1);
    let part = |seconds: i64| format!("{:.1}", 200.0 * seconds as f64 / full as f64);
    let words = match left {
        0.. => page.say(
            format!(
                "停止 {} / 許容 {}（残り {}）",
                page.words.length(used),
                page.words.length(allowed),
                page.words.length(left)
            ),
            format!(
                "{} down of {} allowed ({} left)",
                page.words.length(used),
                page.words.length(allowed),
                page.words.length(left)
            ),
        ),
        _ => page.say(
            format!(
                "停止 {} / 許容 {}（{} 超過）",
                page.words.length(used),
                page.words.length(allowed),
                page.words.length(-left)
            ),
            format!(
                "{} down of {} allowed ({} too much)",
                page.words.length(used),
                page.words.length(allowed),
                page.words.length(-left)
            ),
        ),
    };
    html! {
        div.budget {
            svg viewBox="0 0 204 14" width="204" height="14" aria-hidden="true" focusable="false" {
                rect.allowed x="2" y="3" width=(part(allowed)) height="8" {}
                rect.used.over[left < 0] x="2" y="3" width=(part(used)) height="8" {}
                path.line d={ "M" (format!("{:.1}", 2.0 + 200.0 * allowed as f64 / full as f64)) " 0v14" } {}
            }
            p.small { (words) }
        }
    }
}
