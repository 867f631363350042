//! Incidents and maintenance.

use maud::{Markup, html};

use super::View;
use crate::status::entries::{IncidentView, StopView};
use crate::status::state::Phase;

/// What goes on: incidents, and maintenance under way.
pub(super) fn now(view: &View<'_>) -> Markup {
    let stops: Vec<&StopView> = view.page.planned.iter().filter(|stop| is_running(stop)).collect();
    html! {
        @if !view.page.open.is_empty() {
            section aria-labelledby="open" {
                h2 id="open" { (view.say("発生中の障害", "Current incidents")) }
                @for incident in &view.page.open { (one_incident(view, incident, true)) }
            }
        }
        @if !stops.is_empty() {
            section aria-labelledby="running" {
                h2 id="running" { (view.say("実施中のメンテナンス", "Maintenance in progress")) }
                @for stop in stops { (one_stop(view, stop)) }
            }
        }
    }
}

/// Maintenance to come.
pub(super) fn planned(view: &View<'_>) -> Markup {
    let stops: Vec<&StopView> = view.page.planned.iter().filter(|stop| !is_running(stop)).collect();
    html! {
        section aria-labelledby="planned" {
            h2 id="planned" { (view.say("今後のメンテナンス", "Scheduled maintenance")) }
            @if stops.is_empty() { p.none { (view.say("予定されているメンテナンスはありません。", "No maintenance is scheduled.")) } }
            @for stop in stops { (one_stop(view, stop)) }
        }
    }
}

/// Incidents that are over.
pub(super) fn past(view: &View<'_>) -> Markup {
    html! {
        section aria-labelledby="past" {
            h2 id="past" { (view.say("過去の障害", "Past incidents")) " " small { (view.say("90日間", "90 days")) } }
            @if view.page.past.is_empty() { p.none { (view.say("障害の記録はありません。", "No incident was recorded.")) } }
            @for incident in &view.page.past { (one_incident(view, incident, false)) }
        }
    }
}

/// Maintenance that is over.
pub(super) fn done(view: &View<'_>) -> Markup {
    html! {
        @if !view.page.done.is_empty() {
            section aria-labelledby="done" {
                h2 id="done" { (view.say("過去のメンテナンス", "Past maintenance")) " " small { (view.say("90日間", "90 days")) } }
                @for stop in &view.page.done { (one_stop(view, stop)) }
            }
        }
    }
}

fn is_running(stop: &StopView) -> bool {
    matches!(stop.phase, Phase::InProgress | Phase::Overrun)
}

fn one_incident(view: &View<'_>, incident: &IncidentView, open: bool) -> Markup {
    let words = view.words;
    html! {
        article.entry.open[open] id={ "e-" (incident.id) } {
            h3 { (words.text(&incident.title)) " " span.tag { (words.status(incident.status)) } }
            p.facts {
                span { (words.functions(&incident.functions)) }
                " " span { (words.lasted(incident)) }
                @if let Some(end) = incident.resolved {
                    " " span { "(" (crate::report::words::length(view.lang, end - incident.started)) ")" }
                }
            }
            @if let Some(cause) = &incident.cause { p { (words.cause(cause)) } }
            @if incident.updates.is_empty() && open {
                p { (view.say("詳細は判明次第お知らせします。", "More will be written here as soon as it is known.")) }
            }
            @if !incident.updates.is_empty() {
                ol.updates {
                    @for update in &incident.updates {
                        li {
                            p.when { strong { (words.status(update.status)) } " " (view.time(update.at)) }
                            p.text { (words.text(&update.text)) }
                        }
                    }
                }
            }
        }
    }
}

fn one_stop(view: &View<'_>, stop: &StopView) -> Markup {
    let words = view.words;
    html! {
        article.entry.stop.cancelled[stop.phase == Phase::Cancelled].open[is_running(stop)] id={ "e-" (stop.id) } {
            h3 { (words.text(&stop.title)) " " span.tag { (words.phase(stop.phase)) } }
            p.facts {
                span { (words.functions(&stop.functions)) }
                " " span { (words.stretch(stop.start, stop.end)) }
                @if stop.emergency { " " span { (words.stop_kind(stop)) } }
            }
            @if let Some(finished) = stop.finished.filter(|_| stop.phase == Phase::Completed) {
                p.facts { (view.say("終了: ", "Finished: ")) (view.time(finished)) }
            }
            @if stop.phase == Phase::Overrun {
                p { (view.say("予定の時刻を過ぎて続いています。ご迷惑をおかけします。", "It goes on beyond its announced end. We apologise.")) }
            }
            @if !words.text(&stop.text).is_empty() { p.text { (words.text(&stop.text)) } }
        }
    }
}
