//! Maintenance of the month: how early it was announced, whether slot and limits were kept, and whether it is excluded (C2.3,
//! C4.1i, C4.1.2).
//!
//! Not for: what decides that (`ledger::assessment`).

use maud::{Markup, html};

use super::Page;
use super::incidents::notices;
use super::parts::fact;
use crate::report::model::{ExclusionKind, MaintenanceReport};
use crate::report::words::labels;

pub(super) fn section(page: &Page<'_>) -> Markup {
    let lang = page.lang;
    let stops = &page.report.maintenance;
    html! {
        section.entries aria-labelledby="maintenance" {
            h2 id="maintenance" { (labels::maintenance(lang)) " " span.count { (page.say(format!("{}件", stops.len()), format!("{}", stops.len()))) } }
            @if stops.is_empty() {
                p { (page.say("当月に記録された計画メンテナンスはありません。", "No maintenance is recorded in this month.")) }
            }
            @for stop in stops { (one(page, stop)) }
        }
    }
}

fn one(page: &Page<'_>, stop: &MaintenanceReport) -> Markup {
    let lang = page.lang;
    let kind = if stop.emergency { labels::emergency(lang) } else { labels::regular(lang) };
    let is_excluded = stop.exclusion == ExclusionKind::Excluded;
    let is_neutral = stop.exclusion == ExclusionKind::Cancelled;
    html! {
        article.entry id={ "entry-" (stop.id) } {
            header {
                h3 { (page.text(&stop.title)) }
                p.tag {
                    span.id { (stop.id) } " " span.cause { (kind) } " "
                    @if is_neutral { span.check { (page.words.exclusion(stop)) } }
                    @else { (page.check(is_excluded, &page.words.exclusion(stop))) }
                }
            }
            @if !stop.text.of(lang).is_empty() { p { (page.text(&stop.text)) } }
            dl.facts {
                (fact(labels::planned_time(lang), page.stretch(stop.start, Some(stop.end))))
                (fact(labels::announced(lang), match stop.announced_at {
                    Some(at) => page.moment(at),
                    None => html! { (page.say("通知なし", "never")) },
                }))
                (fact(labels::notice(lang), notice(page, stop)))
                (fact(labels::in_slot(lang), page.check(stop.slot_kept, kept(page, stop.slot_kept))))
                @match stop.cancelled_at {
                    Some(at) => (fact(page.say("中止", "Called off"), page.moment(at))),
                    None => {
                        (fact(labels::finished(lang), match stop.finished_at {
                            Some(at) => page.moment(at),
                            None => html! { (labels::not_recorded(lang)) },
                        }))
                        (fact(labels::stop(lang), page.words.length(stop.stop_seconds)))
                    }
                }
            }
            @if stop.cancelled_at.is_none() { (functions(page, stop)) }
            dl.facts.wide { (fact(labels::notices(lang), notices(page, &stop.notices))) }
        }
    }
}

fn notice(page: &Page<'_>, stop: &MaintenanceReport) -> Markup {
    let required = page.words.long(page.report.contract.notice_required_seconds);
    let given = stop.notice_seconds.map_or_else(|| "–".to_owned(), |seconds| page.words.long(seconds));
    html! {
        (page.check(stop.notice_kept, &given)) " "
        span.small { (page.say(format!("（必要: {required}前）"), format!("(required: {required})"))) }
    }
}

fn kept<'a>(page: &Page<'_>, kept: bool) -> &'a str {
    if kept { labels::kept(page.lang) } else { labels::not_kept(page.lang) }
}

fn functions(page: &Page<'_>, stop: &MaintenanceReport) -> Markup {
    let lang = page.lang;
    html! {
        div.scroll {
            table.slim {
                thead {
                    tr {
                        th scope="col" { (labels::function(lang)) }
                        th scope="col" { (page.say("停止時間の上限", "Limit of the stop")) }
                        th.number scope="col" { (labels::not_counted(lang)) }
                        th.number scope="col" { (page.say("超過（停止時間に算入）", "Overrun, counted as downtime")) }
                        th.number scope="col" { (page.say("予定時間内の停止時間", "Downtime within it")) }
                    }
                }
                tbody {
                    @for part in &stop.functions {
                        tr {
                            th scope="row" { (page.words.function(&part.function)) }
                            td {
                                @match part.limit_seconds {
                                    Some(limit) => (page.check(part.limit_kept, &page.words.length(limit))),
                                    None => (labels::no_limit(lang)),
                                }
                            }
                            td.number { (page.length(part.excluded_seconds)) }
                            td.number { (page.length(part.overrun_judged_seconds + part.overrun_measured_seconds)) }
                            td.number { (page.length(part.counted_downtime_seconds)) }
                        }
                    }
                }
            }
        }
    }
}
