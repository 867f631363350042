//! Each function: how it is, its ninety days, and the figures of this month and the last.

use maud::{Markup, html};

use super::{View, days};
use crate::report::model::{FunctionReport, Report, State as Finality};
use crate::report::rounding;
use crate::report::words::{Words as ReportWords, labels, length};
use crate::status::page::FunctionView;

pub(super) fn section(view: &View<'_>) -> Markup {
    html! {
        section aria-labelledby="functions" {
            h2 id="functions" { (view.say("機能別の稼働状況", "Functions")) }
            (days::patterns())
            @for function in &view.page.functions { (one(view, function)) }
            @match &view.page.history {
                Some(history) => {
                    (days::legend(view))
                    p.small {
                        (view.say("履歴と稼働率は ", "History and figures as of ")) (view.time(history.at)) (view.say(" 時点の値です。", ". "))
                        (labels::lower_explained(view.lang))
                        @if history.months.iter().any(|month| month.status.state == Finality::Provisional) {
                            " " (view.say(
                                "「暫定」の値は、月の途中であるか、判定が済んでいない停止があるため変わることがあります。",
                                "A provisional figure may change: its month is not over, or downtime in it is still to be judged.",
                            ))
                        }
                    }
                }
                None => p.none {
                    (view.say("履歴と稼働率は現在表示できません。", "History and figures are not available at present."))
                }
            }
        }
    }
}

fn one(view: &View<'_>, function: &FunctionView) -> Markup {
    html! {
        article.function {
            div.now {
                h3 { (view.words.text(&function.title)) }
                (view.state(function.state))
            }
            @if let Some(history) = &view.page.history {
                (days::bars(view, function, history.days.get(&function.name).map_or(&[], Vec::as_slice)))
                dl.months {
                    @for report in &history.months {
                        @if let Some(of) = report.functions.iter().find(|of| of.name == function.name) {
                            (month(view, report, of))
                        }
                    }
                }
            }
        }
    }
}

fn month(view: &View<'_>, report: &Report, function: &FunctionReport) -> Markup {
    let words = ReportWords::new(report, view.lang);
    let (figures, objective) = (&function.provisional, function.objective);
    let share = |printed: Option<String>| words.percent(printed);
    html! {
        div {
            dt {
                (words.month(report.month)) " "
                @if report.status.state == Finality::Provisional { span.tag { (words.state(Finality::Provisional)) } }
            }
            dd {
                strong { (share(rounding::availability(figures, objective))) }
                " " span.bound { (labels::availability_lower(view.lang)) " " (share(rounding::availability_lower(figures, objective))) }
            }
            dd.small {
                (labels::objective(view.lang)) " " (words.promised(objective)) " · " (words.outcome(function.outcome))
            }
            dd.small {
                (labels::downtime(view.lang)) " " (length(view.lang, figures.downtime_seconds)) " · "
                (labels::excluded(view.lang)) " " (length(view.lang, figures.calendar_seconds - figures.service_seconds)) " · "
                (labels::unmeasured(view.lang)) " " (length(view.lang, figures.unmeasured_seconds))
            }
        }
    }
}
