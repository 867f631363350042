//! The calendar year up to the month: a row per month, with its downtime as a bar against what the objective allows.
//!
//! Downtime and not the percentage, because a bar of downtime begins at zero and twice the length is twice the harm. A month nothing
//! is known of has a row that says so. Not for: the month of the report in detail.

use maud::{Markup, html};

use super::Page;
use crate::calendar::Month;
use crate::report::figures::allowed;
use crate::report::model::{FunctionReport, YearMonth};
use crate::report::rounding;
use crate::report::words::labels;

/// Width of the downtime that is allowed.
const ALLOWED: f64 = 100.0;
/// Width of everything; what is longer ends in an arrow.
const WIDTH: f64 = 180.0;

pub(super) fn section(page: &Page<'_>, function: &FunctionReport) -> Markup {
    let lang = page.lang;
    html! {
        section.year {
            h3 { (labels::year(lang)) }
            div.scroll {
                table {
                    thead {
                        tr {
                            th scope="col" { (labels::month(lang)) }
                            th.number scope="col" { (labels::availability_short(lang)) }
                            th scope="col" {
                                (labels::downtime(lang)) " " span.small { (page.say("（縦線: 目標値の許容停止時間）", "(line: what the objective allows)")) }
                            }
                            th.number scope="col" { (labels::downtime(lang)) }
                            th.number scope="col" { (labels::availability_lower(lang)) }
                            th scope="col" { (labels::verdict(lang)) }
                            th scope="col" { (labels::origin(lang)) }
                        }
                    }
                    tbody {
                        @for row in rows(page, function) { (row) }
                    }
                }
            }
        }
    }
}

/// January to the month: a row each, and one for consecutive months of which nothing is known.
fn rows(page: &Page<'_>, function: &FunctionReport) -> Vec<Markup> {
    let last = page.report.month;
    let months = (1..=last.number()).filter_map(|number| Month::new(last.year(), number));
    let (mut rows, mut missing) = (Vec::new(), Vec::new());
    for month in months {
        if let Some(known) = function.year.iter().find(|known| known.month == month) {
            rows.extend(nothing(page, &mut missing));
            rows.push(row(page, function, known));
        } else {
            missing.push(month);
        }
    }
    rows.extend(nothing(page, &mut missing));
    rows
}

/// One row for months of which nothing is known; none of them are left.
fn nothing(page: &Page<'_>, months: &mut Vec<Month>) -> Option<Markup> {
    let (first, last) = (*months.first()?, *months.last()?);
    months.clear();
    let is_before = page.report.contract.start.is_some_and(|start| last.next().first_day() <= start);
    let name = if first == last {
        short(page, first)
    } else {
        format!("{}{}{}", short(page, first), page.say("〜", " – "), short(page, last))
    };
    Some(html! {
        tr.nothing {
            th scope="row" { (name) }
            td.number { "–" }
            td colspan="5" {
                @if is_before { (page.say("契約開始前", "before the contract")) } @else { (page.say("データなし", "nothing is known")) }
            }
        }
    })
}

fn short(page: &Page<'_>, month: Month) -> String {
    page.say(format!("{}月", month.number()), month.first_day().strftime("%b").to_string())
}

fn row(page: &Page<'_>, function: &FunctionReport, month: &YearMonth) -> Markup {
    let objective = function.objective;
    let share = |downtime| rounding::percent(month.service_seconds, downtime, objective);
    let availability = month.availability.and_then(|_| share(month.downtime_seconds));
    let lower = month.availability_lower.and_then(|_| share(month.downtime_seconds + month.unmeasured_seconds));
    html! {
        tr.this[month.month == page.report.month] {
            th scope="row" { (short(page, month.month)) }
            td.number { (page.words.percent(availability)) }
            td { (bar(month, objective)) }
            td.number { (page.length(month.downtime_seconds)) }
            td.number { (page.words.percent(lower)) }
            td { (page.outcome(month.outcome)) }
            td { (page.words.origin(month.origin)) }
        }
    }
}

/// Downtime, then unmeasured time as its possible continuation.
fn bar(month: &YearMonth, objective: f64) -> Markup {
    let allowed = allowed(month.service_seconds, objective).max(1) as f64;
    let width = |seconds: i64| ALLOWED * seconds as f64 / allowed;
    let down = width(month.downtime_seconds).min(WIDTH);
    let end = width(month.downtime_seconds + month.unmeasured_seconds).min(WIDTH);
    let is_longer = width(month.downtime_seconds + month.unmeasured_seconds) > WIDTH;
    html! {
        svg.bar width="190" height="14" viewBox="0 0 190 14" aria-hidden="true" focusable="false" {
            rect.ground y="3" width=(ALLOWED) height="8" {}
            rect fill="url(#slot-unmeasured)" x=(tenth(down)) y="3" width=(tenth(end - down)) height="8" {}
            rect.used.over[month.downtime_seconds as f64 > allowed] y="3" width=(tenth(down)) height="8" {}
            path.line d={ "M" (ALLOWED) " 0v14" } {}
            @if is_longer { path.used.over d="M181 3l6 4-6 4z" {} }
        }
    }
}

fn tenth(value: f64) -> String {
    format!("{value:.1}")
}
