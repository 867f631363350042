//! Incidents of the month: from when to when, whose doing, who ruled on what, what it counts, and how customers were told.
//!
//! Not for: which incidents belong to the month (`assemble`).

use maud::{Markup, html};

use super::Page;
use super::parts::fact;
use crate::report::model::{DecisionReport, IncidentReport, NoticeReport};
use crate::report::words::labels;

/// Up to so many are read without a list of them.
const FEW: usize = 8;

pub(super) fn section(page: &Page<'_>) -> Markup {
    let lang = page.lang;
    let incidents = &page.report.incidents;
    html! {
        section.entries aria-labelledby="incidents" {
            h2 id="incidents" { (labels::incidents(lang)) " " span.count { (page.say(format!("{}件", incidents.len()), format!("{}", incidents.len()))) } }
            @if incidents.is_empty() {
                p { (page.say("当月に記録された障害はありません。", "No incident is recorded in this month.")) }
            }
            @if incidents.len() > FEW { (overview(page, incidents)) }
            @for incident in incidents { (one(page, incident)) }
        }
    }
}

/// A row for each, to find one among many.
fn overview(page: &Page<'_>, incidents: &[IncidentReport]) -> Markup {
    let lang = page.lang;
    let counted = |incident: &IncidentReport| {
        let functions =
            incident.functions.iter().map(|part| (part, part.downtime_seconds + part.unjudged_downtime_seconds));
        let counted = functions.filter(|(_, seconds)| *seconds > 0);
        let words = counted
            .map(|(part, seconds)| format!("{} {}", page.words.function(&part.function), page.words.length(seconds)));
        page.words.list(&words.collect::<Vec<_>>())
    };
    html! {
        div.scroll {
            table.slim.overview {
                thead {
                    tr {
                        th scope="col" { (labels::span(lang)) }
                        th scope="col" { (labels::incident(lang)) }
                        th scope="col" { (labels::cause(lang)) }
                        th scope="col" { (labels::counted(lang)) }
                    }
                }
                tbody {
                    @for incident in incidents {
                        tr {
                            td { (page.stretch(incident.started_at, incident.resolved_at)) }
                            td { a href={ "#entry-" (incident.id) } { (incident.title.of(lang)) } }
                            td { (page.words.cause(incident)) @if incident.decided.is_none() { " · " (page.say("未判定", "not decided")) } }
                            td { (counted(incident)) }
                        }
                    }
                }
            }
        }
    }
}

fn one(page: &Page<'_>, incident: &IncidentReport) -> Markup {
    let lang = page.lang;
    html! {
        article.entry id={ "entry-" (incident.id) } {
            header {
                h3 { (page.text(&incident.title)) }
                p.tag { span.id { (incident.id) } " " span.cause { (page.words.cause(incident)) } }
            }
            dl.facts {
                (fact(labels::occurred(lang), page.moment(incident.started_at)))
                (fact(labels::converged(lang), match incident.resolved_at {
                    Some(at) => page.moment(at),
                    None => html! { strong { (labels::ongoing(lang)) } },
                }))
                (fact(labels::in_month(lang), page.length(incident.seconds_in_month)))
                (fact(labels::first_report(lang), page.words.first_report(incident.first_report_seconds)))
            }
            (functions(page, incident))
            dl.facts.wide {
                (fact(labels::ruling(lang), ruling(page, incident.decided.as_ref())))
                (fact(labels::notices(lang), notices(page, &incident.notices)))
            }
            @if !incident.updates.is_empty() {
                h4 { (labels::updates(lang)) }
                ol.updates {
                        @for update in &incident.updates {
                            li { (page.moment(update.at)) " " span.progress { (page.words.progress(update.status)) } " " (page.text(&update.text)) }
                    }
                }
            }
        }
    }
}

fn functions(page: &Page<'_>, incident: &IncidentReport) -> Markup {
    let lang = page.lang;
    html! {
        div.scroll {
            table.slim {
                thead {
                    tr {
                        th scope="col" { (labels::function(lang)) }
                        th.number scope="col" { (labels::counted(lang)) }
                        th.number scope="col" { (labels::not_counted(lang)) }
                        th.number scope="col" { (labels::unjudged(lang)) }
                        th scope="col" { (labels::measured_within(lang)) }
                    }
                }
                tbody {
                    @for part in &incident.functions {
                        tr {
                            th scope="row" { (page.words.function(&part.function)) }
                            td.number { (page.length(part.downtime_seconds)) }
                            td.number { (page.length(part.excluded_seconds)) }
                            td.number { (page.length(part.unjudged_downtime_seconds)) }
                            td { (page.words.slots(part.slots)) }
                        }
                    }
                }
            }
        }
    }
}

fn ruling(page: &Page<'_>, decided: Option<&DecisionReport>) -> Markup {
    html! {
        @match decided {
            None => span.broken { (page.say("未判定", "not decided yet")) },
            Some(decision) => {
                (decision.by) " · " (page.moment(decision.at))
                @if !decision.evidence.of(page.lang).is_empty() {
                    " · " (labels::evidence(page.lang)) ": " (page.evidence(&decision.evidence))
                }
            }
        }
    }
}

/// How customers were told.
pub(super) fn notices(page: &Page<'_>, notices: &[NoticeReport]) -> Markup {
    html! {
        @if notices.is_empty() { (labels::none(page.lang)) }
        @else { ul.plain { @for notice in notices { li { (page.words.notice(notice)) } } } }
    }
}
