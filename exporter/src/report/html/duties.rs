//! The contract's duties: a line for each with what broke it.
//!
//! Not for: the functions' figures, which have sections of their own.

use maud::{Markup, html};

use super::Page;
use crate::report::model::{DutyReport, DutyState};
use crate::report::words::labels;

pub(super) fn section(page: &Page<'_>) -> Markup {
    let (lang, duties) = (page.lang, &page.report.duties);
    html! {
        @if !duties.is_empty() {
            section.duties aria-labelledby="duties" {
                h2 id="duties" { (labels::duties(lang)) }
                p.small { (labels::duties_explained(lang)) }
                div.scroll {
                    table {
                        thead {
                            tr {
                                th scope="col" { (labels::clause(lang)) }
                                th scope="col" { (labels::duty(lang)) }
                                th scope="col" { (labels::verdict(lang)) }
                                th scope="col" { (labels::evidence(lang)) }
                            }
                        }
                        tbody { @for duty in duties { (row(page, duty)) } }
                    }
                }
            }
        }
    }
}

fn row(page: &Page<'_>, duty: &DutyReport) -> Markup {
    html! {
        tr {
            td { span.clause { (duty.clause) } }
            th scope="row" { (duty.title.of(page.lang)) }
            td { (state(page, duty.state)) }
            td {
                (page.words.duty_evidence(duty))
                @if !duty.breaches.is_empty() {
                    ul.breaches {
                        @for breach in &duty.breaches { li { (page.words.breach(breach)) } }
                        @if duty.more_breaches > 0 { li { (page.words.more_breaches(duty.more_breaches)) } }
                    }
                }
                @if !duty.missing.is_empty() {
                    ul.missing { @for missing in &duty.missing { li { (page.words.missing(missing)) } } }
                }
            }
        }
    }
}

/// Sign, word and colour.
fn state(page: &Page<'_>, state: DutyState) -> Markup {
    let (class, sign) = match state {
        DutyState::Kept => ("met", "✓"),
        DutyState::NotKept => ("missed", "✕"),
        DutyState::NotMeasured => ("nothing", "–"),
    };
    html! { span.outcome.(class) { span.sign aria-hidden="true" { (sign) } "\u{a0}" (page.words.duty_state(state)) } }
}
