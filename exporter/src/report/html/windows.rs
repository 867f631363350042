//! What the ledger decided about a function's time, what nobody has judged yet, and what nobody knows.
//!
//! Not for: the entries themselves (`incidents`, `maintenance`).

use maud::{Markup, html};

use super::Page;
use super::picture::{State, swatch};
use crate::report::model::FunctionReport;
use crate::report::words::labels;

/// A row for each window, as it counts in the month.
pub(super) fn decided(page: &Page<'_>, function: &FunctionReport) -> Markup {
    let lang = page.lang;
    let mut windows: Vec<_> =
        function.windows.iter().filter_map(|window| Some((window, window.shown(page.frame.month)?))).collect();
    windows.sort_by_key(|(window, span)| (span.start(), window.reason));
    let counted = |window: &crate::windows::Window| {
        let span = window.counted(page.report.generated_at).and_then(|span| span.clip(page.frame.month));
        span.map_or(0, crate::span::Span::seconds)
    };
    html! {
        @if !windows.is_empty() {
            h3 { (page.say("運用台帳による判定の一覧", "What the ledger decides")) }
            div.scroll {
                table {
                    thead {
                        tr {
                            th scope="col" { (labels::span(lang)) }
                            th.number scope="col" { (labels::in_month(lang)) }
                            th scope="col" { (page.say("扱い", "Counts as")) }
                            th scope="col" { (page.say("記録", "Entry")) }
                        }
                    }
                    tbody {
                        @for (window, _) in &windows {
                            @let state = State::Decided(window.reason);
                            tr {
                                td { (page.stretch(window.start, window.end)) @if window.end.is_none() { " " (labels::ongoing(lang)) } }
                                td.number { (page.length(counted(window))) }
                                td { (swatch(state)) " " (state.name(lang)) }
                                td { (page.entry(&window.entry)) }
                            }
                        }
                    }
                }
            }
            p.small {
                (page.say(
                    "時間が重なる場合は、除外、稼働、停止の順に優先し、同じ時間を二重に数えません。",
                    "Where time is shared, excluded goes before up and up before down; no second is counted twice.",
                ))
            }
        }
    }
}

/// Measured downtime that waits for a judgement.
pub(super) fn unexplained(page: &Page<'_>, number: usize, function: &FunctionReport) -> Markup {
    let lang = page.lang;
    html! {
        @if !function.unexplained.is_empty() {
            h3 id={ "unexplained-" (number) } { (labels::unexplained(lang)) }
            p.small {
                (page.say(
                    "監視で停止と測定され、まだ誰も判定していない時間です。判定されるまで停止時間に含めています。",
                    "Measured as down, and nobody has judged it. Until then it counts as downtime.",
                ))
            }
            div.scroll {
                table {
                    thead {
                        tr {
                            th scope="col" { (labels::span(lang)) }
                            th.number scope="col" { (labels::time(lang)) }
                            th scope="col" { (labels::about(lang)) }
                        }
                    }
                    tbody {
                        @for stretch in &function.unexplained {
                            tr {
                                td { (page.stretch(stretch.start, Some(stretch.end))) }
                                td.number { (page.length(stretch.seconds)) }
                                td {
                                    @let words = page.words.link(stretch.link.as_ref());
                                    @match &stretch.link {
                                        Some(link) => (page.about(link.id(), &words)),
                                        None => (words),
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Time nobody knows anything about.
pub(super) fn gaps(page: &Page<'_>, number: usize, function: &FunctionReport) -> Markup {
    let lang = page.lang;
    html! {
        @if !function.gaps.is_empty() {
            h3 id={ "gaps-" (number) } { (labels::gaps(lang)) }
            p.small {
                (page.say(
                    "監視そのものが行えず、稼働とも停止とも言えない時間です。停止時間には含めず、下限の計算で停止とみなします。",
                    "The monitoring itself was interrupted: neither up nor down. It is no downtime; the lower bound takes it as such.",
                ))
            }
            div.scroll {
                table.narrow {
                    thead {
                        tr { th scope="col" { (labels::span(lang)) } th.number scope="col" { (labels::time(lang)) } }
                    }
                    tbody {
                        @for gap in &function.gaps {
                            tr { td { (page.stretch(gap.start, Some(gap.end))) } td.number { (page.length(gap.seconds)) } }
                        }
                    }
                }
            }
        }
    }
}
