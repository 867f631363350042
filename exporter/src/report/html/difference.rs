//! What a revision of a closed month changed.
//!
//! Not for: finding that out (`closed`).

use maud::{Markup, html};

use super::Page;
use crate::report::model::{Difference, FigureChange, Figures};
use crate::report::rounding;
use crate::report::words::labels;

/// Nothing where there was no revision before.
pub(super) fn section(page: &Page<'_>) -> Markup {
    html! { @if let Some(difference) = &page.report.difference { (of(page, difference)) } }
}

fn of(page: &Page<'_>, difference: &Difference) -> Markup {
    let (words, lang) = (&page.words, page.lang);
    html! {
        section aria-labelledby="difference" {
            h2 id="difference" { (labels::difference(lang)) }
            p { (words.difference(difference)) }
            div.scroll {
                table.three {
                    thead {
                        tr {
                            th scope="col" { (labels::function(lang)) }
                            th scope="col" { (labels::item(lang)) }
                            th.number scope="col" { (words.revision(difference.revision)) }
                            th.number scope="col" { (words.revision(difference.revision.saturating_add(1))) }
                        }
                    }
                    tbody { @for change in &difference.functions { (rows(page, change)) } }
                }
            }
            ul.plain {
                @for entry in &difference.entries {
                    li { (words.change(entry.change)) ": " span.id { (entry.id) } }
                }
                @if difference.terms { li { (labels::terms_changed(lang)) } }
            }
        }
    }
}

fn rows(page: &Page<'_>, change: &FigureChange) -> Markup {
    let (words, lang) = (&page.words, page.lang);
    let function = page.report.functions.iter().find(|function| function.name == change.function);
    let objective = function.map_or(0.0, |function| function.objective);
    let printed = |figures: &Figures| {
        [
            words.percent(rounding::availability(figures, objective)),
            words.length(figures.downtime_seconds),
            words.length(figures.excluded_seconds()),
        ]
    };
    let names = [labels::availability(lang), labels::downtime(lang), labels::excluded(lang)];
    let none = || names.map(|_| "–".to_owned());
    let (before, after) = (change.before.as_ref().map_or_else(none, printed), printed(&change.after));
    let lines = names.iter().zip(before.iter().zip(&after));
    html! {
        @for (number, (label, (before, after))) in lines.enumerate() {
            @let differs = before != after;
            tr {
                @if number == 0 { th scope="rowgroup" rowspan=(names.len()) { (words.function(&change.function)) } }
                td { (label) }
                td.number { (before) }
                td.number.differs[differs] { @if differs { span.sign aria-hidden="true" { "≠" } " " } (after) }
            }
        }
    }
}
