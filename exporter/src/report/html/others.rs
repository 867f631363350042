//! Restore drills (C2.5) and security updates (C2.6.8) of the month.
//!
//! Not for: anything with an effect on availability.

use maud::{Markup, html};

use super::Page;
use crate::report::words::labels;

pub(super) fn drills(page: &Page<'_>) -> Markup {
    let (lang, drills) = (page.lang, &page.report.drills);
    html! {
        @if !drills.is_empty() {
            section aria-labelledby="drills" {
                h2 id="drills" { (labels::drills(lang)) }
                ul.plain {
                    @for drill in drills { li { (page.moment(drill.at)) " " (page.text(&drill.text)) } }
                }
            }
        }
    }
}

pub(super) fn advisories(page: &Page<'_>) -> Markup {
    let (lang, advisories) = (page.lang, &page.report.advisories);
    html! {
        @if !advisories.is_empty() {
            section aria-labelledby="advisories" {
                h2 id="advisories" { (labels::advisories(lang)) }
                div.scroll {
                    table {
                        thead {
                            tr {
                                th scope="col" { (labels::advisory(lang)) }
                                th scope="col" { (labels::component(lang)) }
                                th scope="col" { (labels::published(lang)) }
                                th scope="col" { (labels::due(lang)) }
                                th scope="col" { (labels::decision(lang)) }
                                th scope="col" { (labels::applied(lang)) }
                            }
                        }
                        tbody {
                            @for advisory in advisories {
                                tr {
                                    th scope="row" { (advisory.id) }
                                    td { (advisory.component) }
                                    td { (page.words.day(advisory.published_at)) }
                                    td { (page.words.day(advisory.due_at)) }
                                    td { (page.words.advisory(advisory)) }
                                    td { @match advisory.applied_at { Some(at) => (page.words.day(at)), None => "–" } }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
