//! The contract's formula with its numbers, line by line, and the three figures side by side (C4.1f, C4.1.2).
//!
//! Every line says where it comes from: the clause, and the entries that make it up. Not for: calculating (`report::figures`).

use maud::{Markup, html};

use super::Page;
use crate::report::model::{CauseKind, Figures, FunctionReport};
use crate::report::rounding::{self, grouped};
use crate::report::words::labels;

/// So many entries are named beside a number; all of them are in the sections about them.
const NAMED: usize = 12;

/// The formula of the contract, filled in.
pub(super) fn formula(page: &Page<'_>, function: &FunctionReport) -> Markup {
    let (figures, lang) = (&function.provisional, page.lang);
    let length = |seconds| page.words.length(seconds);
    let days = i64::from(page.report.days);
    let changed = figures.calendar_seconds - days * 86_400;
    let excluded = figures.excluded_seconds();
    let (service, downtime) = (labels::service(lang), labels::downtime(lang));
    html! {
        div.formula {
            p {
                span.name { (service) }
                span.line { "= " (page.say("日数", "days")) " × 24 × 60 − " (labels::excluded(lang)) }
                span.line {
                    "= " (days) " × 1,440" (page.say("分", " min"))
                    @if changed != 0 { (if changed > 0 { " + " } else { " − " }) (length(changed.abs())) }
                    " − " (length(excluded))
                }
                span.line.result { "= " (length(figures.service_seconds)) }
            }
            p {
                span.name { (labels::availability(lang)) }
                span.line { "= (" (service) " − " (downtime) ") ÷ " (service) " × 100" }
                @match rounding::availability(figures, function.objective) {
                    Some(share) => {
                        span.line { "= (" (length(figures.service_seconds)) " − " (length(figures.downtime_seconds)) ") ÷ " (length(figures.service_seconds)) " × 100" }
                        span.line.result { "= " (page.words.percent(Some(share))) }
                    }
                    None => span.line.result { "= – (" (page.words.outcome(function.outcome)) ")" },
                }
            }
            @if changed != 0 {
                p.small { (page.say("時計の切り替えがあった月は、実際に経過した時間で計算します。", "Clocks changed in this month: what really passed is counted.")) }
            }
            p.small {
                (page.say("計算は秒単位で行い、割合は切り捨てて表示します（四捨五入しないため、目標値に届かない値が届いたように見えることはありません）。", "Shares are cut, never rounded up to an objective. All is calculated in seconds."))
            }
        }
    }
}

/// All lines of the calculation with their origin.
pub(super) fn breakdown(page: &Page<'_>, number: usize, function: &FunctionReport) -> Markup {
    let (figures, lang) = (&function.provisional, page.lang);
    let excluded = &figures.excluded;
    let overrun = function.overrun.judged_seconds + function.overrun.measured_seconds;
    let calendar = page.say(format!("{}日", page.report.days), format!("{} days", page.report.days));
    let row = |class: &str, name: &str, clause: &str, seconds: i64, origin: Markup| {
        html! {
            tr.(class) {
                th scope="row" { (name) }
                td.number { (page.length(seconds)) }
                td.clause { (clause) }
                td.origin { (origin) }
            }
        }
    };
    let to = |anchor: &str, words: &str| html! { a href={ "#" (anchor) "-" (number) } { (words) } };
    let nothing = || html! {};
    html! {
        div.scroll {
            table.breakdown {
                thead {
                    tr {
                        th scope="col" { (labels::item(lang)) }
                        th.number scope="col" { (labels::time(lang)) }
                        th scope="col" { (page.say("条項", "Clause")) }
                        th scope="col" { (page.say("根拠となる記録", "From")) }
                    }
                }
                tbody {
                    (row("sum", labels::calendar(lang), "C4.1f", figures.calendar_seconds, html! { (calendar) }))
                    (row("part", &format!("− {}", labels::excluded_planned(lang)), "C4.1i", excluded.planned_seconds, planned(page, function)))
                    (row("part", &format!("− {}", labels::excluded_upstream(lang)), "C4.1ii", excluded.upstream_seconds, excluding(page, function, CauseKind::Upstream)))
                    (row("part", &format!("− {}", labels::excluded_force_majeure(lang)), "C4.1iii", excluded.force_majeure_seconds, excluding(page, function, CauseKind::ForceMajeure)))
                    (row("sum", &format!("= {}", labels::service(lang)), "C4.1f", figures.service_seconds, nothing()))
                    (row("sum", labels::downtime(lang), "C4.1.2", figures.downtime_seconds, nothing()))
                    (row("part", labels::downtime_judged(lang), "C4.1.2", figures.judged_downtime_seconds, judged(page, function)))
                    (row("part", labels::downtime_measured(lang), "C2.1", figures.measured_downtime_seconds,
                        if figures.measured_downtime_seconds > 0 { to("unexplained", labels::unexplained(lang)) } else { nothing() }))
                    @if overrun > 0 { (row("part", labels::downtime_overrun(lang), "C4.1.2", overrun, overruns(page, function))) }
                    (row("sum", labels::allowed(lang), "C4.1", figures.allowed_downtime_seconds, html! {
                        (labels::objective(lang)) " " (page.words.promised(function.objective))
                    }))
                    @if let Some(left) = figures.budget_remaining_seconds {
                        (row("part", labels::budget(lang), "", left, nothing()))
                    }
                    (row("sum", labels::unmeasured(lang), "C2.1", figures.unmeasured_seconds,
                        if figures.unmeasured_seconds > 0 { to("gaps", labels::gaps(lang)) } else { nothing() }))
                }
            }
        }
    }
}

/// Entries with what each contributes.
fn entries(page: &Page<'_>, parts: impl Iterator<Item = (String, i64)>) -> Markup {
    let parts: Vec<(String, i64)> = parts.filter(|(_, seconds)| *seconds > 0).collect();
    let rest = parts.len().saturating_sub(NAMED);
    let shown = parts.len() - rest;
    html! {
        @for (number, (id, seconds)) in parts.iter().take(NAMED).enumerate() {
            span.part { (page.entry(id)) " " (page.words.length(*seconds)) @if number + 1 < shown { (page.say("、", ",")) } } " "
        }
        @if rest > 0 {
            (page.say(format!("ほか{}件", grouped(i64::try_from(rest).unwrap_or(i64::MAX))), format!("and {rest} more")))
        }
    }
}

fn planned(page: &Page<'_>, function: &FunctionReport) -> Markup {
    let stops = page.report.maintenance.iter().flat_map(|stop| {
        let own = stop.functions.iter().filter(|part| part.function == function.name);
        own.map(|part| (stop.id.clone(), part.excluded_seconds))
    });
    entries(page, stops)
}

fn excluding(page: &Page<'_>, function: &FunctionReport, cause: CauseKind) -> Markup {
    let incidents = page.report.incidents.iter().filter(|incident| incident.cause == Some(cause));
    entries(
        page,
        incidents.flat_map(|incident| {
            let own = incident.functions.iter().filter(|part| part.function == function.name);
            own.map(|part| (incident.id.clone(), part.excluded_seconds))
        }),
    )
}

fn judged(page: &Page<'_>, function: &FunctionReport) -> Markup {
    let stops = page.report.maintenance.iter().flat_map(|stop| {
        let own = stop.functions.iter().filter(|part| part.function == function.name);
        own.map(|part| (stop.id.clone(), part.overrun_judged_seconds))
    });
    let incidents = page.report.incidents.iter().flat_map(|incident| {
        let own = incident.functions.iter().filter(|part| part.function == function.name);
        own.map(|part| (incident.id.clone(), part.downtime_seconds))
    });
    entries(page, stops.chain(incidents))
}

fn overruns(page: &Page<'_>, function: &FunctionReport) -> Markup {
    let stops = page.report.maintenance.iter().flat_map(|stop| {
        let own = stop.functions.iter().filter(|part| part.function == function.name);
        own.map(|part| (stop.id.clone(), part.overrun_judged_seconds + part.overrun_measured_seconds))
    });
    entries(page, stops)
}

/// Measured, provisional and adjudicated, and in what they differ.
pub(super) fn three(page: &Page<'_>, function: &FunctionReport) -> Markup {
    let lang = page.lang;
    let all = [&function.measured, &function.provisional, &function.adjudicated];
    let length = |of: fn(&Figures) -> i64| all.map(|figures| page.words.length(of(figures)));
    let share = |of: fn(&Figures, f64) -> Option<String>| {
        all.map(|figures| page.words.percent(of(figures, function.objective)))
    };
    let row = |name: &str, cells: [String; 3], class: &str| {
        html! {
            tr.(class) {
                th scope="row" { (name) }
                @for cell in &cells {
                    @let differs = *cell != cells[1];
                    td.number.differs[differs] {
                        @if differs { span.sign title=(page.say("暫定値と異なる", "not the provisional figure")) { "≠" } " " }
                        (cell)
                    }
                }
            }
        }
    };
    html! {
        div.scroll {
            table.three {
                thead {
                    tr {
                        td {}
                        th.number scope="col" { (labels::measured(lang)) }
                        th.number scope="col" { (labels::provisional(lang)) }
                        th.number scope="col" { (labels::adjudicated(lang)) }
                    }
                }
                tbody {
                    (row(labels::availability(lang), share(rounding::availability), "sum"))
                    (row(labels::availability_lower(lang), share(rounding::availability_lower), ""))
                    (row(labels::excluded(lang), length(Figures::excluded_seconds), ""))
                    (row(labels::service(lang), length(|figures| figures.service_seconds), ""))
                    (row(labels::downtime(lang), length(|figures| figures.downtime_seconds), ""))
                    (row(labels::unmeasured(lang), length(|figures| figures.unmeasured_seconds), ""))
                }
            }
        }
        p.small { (labels::figures_explained(lang)) }
    }
}
