//! The top of the report: whose, which month, how final, and the result of each function in a line.
//!
//! Not for: how a figure came about (`figures`).

use maud::{Markup, html};

use super::Page;
use super::parts::fact;
use crate::lang::Lang;
use crate::report::model::{FunctionReport, State};
use crate::report::rounding;
use crate::report::words::labels;

pub(super) fn head(page: &Page<'_>) -> Markup {
    let (report, lang) = (page.report, page.lang);
    let state = report.status.state;
    html! {
        header.cover {
            p.contract { (report.contract.title.of(lang)) }
            h1 {
                @let (month, title) = (page.words.month(report.month), labels::title(lang));
                @match lang {
                    Lang::Ja => { (month) " " span { (title) } },
                    Lang::En => { (title) ", " span { (month) } },
                }
            }
            p.badges {
                span.badge.final[state == State::Final].provisional[state == State::Provisional] { (page.words.state(state)) }
                @if let Some(revision) = report.revision {
                    " " span.badge { (page.words.revision(revision)) }
                }
            }
            dl.facts {
                (fact(labels::period(lang), page.stretch(report.month_start, Some(report.month_end))))
                (fact(page.say("タイムゾーン", "Time zone"), report.contract.timezone.as_str()))
                (fact(labels::generated(lang), page.moment(report.generated_at)))
            }
            nav aria-label=(page.say("目次", "Contents")) {
                @for (number, function) in report.functions.iter().enumerate() {
                    a href={ "#function-" (number) } { (function.title.of(lang)) }
                }
                a href="#incidents" { (labels::incidents(lang)) }
                a href="#maintenance" { (labels::maintenance(lang)) }
                @if !report.duties.is_empty() { a href="#duties" { (labels::duties(lang)) } }
                a href="#terms" { (page.say("用語と算出方法", "Terms and method")) }
            }
        }
    }
}

/// Results, what is waited for, and what belongs beside them.
pub(super) fn summary(page: &Page<'_>) -> Markup {
    let (report, lang) = (page.report, page.lang);
    html! {
        section.summary aria-labelledby="summary" {
            h2 id="summary" { (labels::result(lang)) }
            div.scroll {
                table.results {
                    thead {
                        tr {
                            th scope="col" { (labels::function(lang)) }
                            th.number scope="col" { (labels::availability(lang)) }
                            th.number scope="col" { (labels::objective(lang)) }
                            th scope="col" { (labels::verdict(lang)) }
                            th.number scope="col" { (labels::downtime(lang)) }
                            th.number scope="col" { (labels::availability_lower(lang)) }
                        }
                    }
                    tbody { @for (number, function) in report.functions.iter().enumerate() { (result(page, number, function)) } }
                }
            }
            p.small { (labels::lower_explained(lang)) }
            div.state.final[report.status.state == State::Final].provisional[report.status.state == State::Provisional] {
                p { strong { (page.words.state_sentence(report.status.state)) } }
                @if !report.status.waiting.is_empty() {
                    ul { @for waiting in &report.status.waiting { li { (page.words.waiting(waiting)) } } }
                }
            }
            @if !report.status.notes.is_empty() {
                ul.notes { @for note in &report.status.notes { li { (page.words.note(note)) } } }
            }
        }
    }
}

fn result(page: &Page<'_>, number: usize, function: &FunctionReport) -> Markup {
    let (figures, objective) = (&function.provisional, function.objective);
    html! {
        tr {
            th scope="row" { a href={ "#function-" (number) } { (function.title.of(page.lang)) } }
            td.number { strong { (page.words.percent(rounding::availability(figures, objective))) } }
            td.number { (page.words.promised(objective)) }
            td { (page.outcome(function.outcome)) }
            td.number { (page.length(figures.downtime_seconds)) }
            td.number { (page.words.percent(rounding::availability_lower(figures, objective))) }
        }
    }
}
