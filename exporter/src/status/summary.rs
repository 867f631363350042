//! The state for programs, in the shape of Statuspage's API v2 (`summary.json`), which dashboards and bots read.
//!
//! Beside its fields there is `state` of each component, as that API knows no unknown: what is not known is
//! `degraded_performance` there, never `operational`. Pure.

use serde::Serialize;

use super::document::{Document, Place};
use super::entries::{IncidentView, StopView};
use super::page::{FunctionView, Page};
use super::state::{Phase, State};
use super::words::{Words, rfc3339};
use crate::lang::Lang;

#[derive(Debug, Serialize)]
struct Summary<'a> {
    page: About<'a>,
    status: Overall,
    components: Vec<Component<'a>>,
    incidents: Vec<Incident<'a>>,
    scheduled_maintenances: Vec<Incident<'a>>,
}

#[derive(Debug, Serialize)]
struct About<'a> {
    id: &'a str,
    name: String,
    url: Option<String>,
    time_zone: &'a str,
    updated_at: String,
}

#[derive(Debug, Serialize)]
struct Overall {
    indicator: &'static str,
    description: String,
}

#[derive(Clone, Debug, Serialize)]
struct Component<'a> {
    id: &'a str,
    name: &'a str,
    status: &'static str,
    /// Ours: up, maintenance, unknown, impaired or down.
    state: &'static str,
    description: &'static str,
    position: usize,
    showcase: bool,
    group: bool,
    group_id: Option<()>,
    page_id: &'a str,
    only_show_if_degraded: bool,
    updated_at: String,
}

#[derive(Debug, Serialize)]
struct Incident<'a> {
    id: &'a str,
    name: &'a str,
    status: &'static str,
    impact: &'static str,
    page_id: &'a str,
    shortlink: Option<String>,
    created_at: String,
    updated_at: String,
    started_at: String,
    monitoring_at: Option<String>,
    resolved_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scheduled_for: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scheduled_until: Option<String>,
    incident_updates: Vec<Update<'a>>,
    components: Vec<Component<'a>>,
}

#[derive(Debug, Serialize)]
struct Update<'a> {
    id: String,
    incident_id: &'a str,
    status: &'static str,
    body: String,
    created_at: String,
    updated_at: String,
    display_at: String,
}

/// The summary.
#[must_use]
pub fn render(page: &Page, lang: Lang, place: Place) -> Vec<u8> {
    let words = Words { page, lang };
    let context = Context { page, words, place };
    let summary = Summary {
        page: About {
            id: &page.id,
            name: words.title(),
            url: place.address(page, &Document::Html, lang),
            time_zone: &page.zone_name,
            updated_at: context.time(page.minute()),
        },
        status: Overall { indicator: indicator(page), description: words.overall() },
        components: context.components(&mut |_| true),
        incidents: page.open.iter().map(|incident| context.incident(incident)).collect(),
        scheduled_maintenances: page
            .planned
            .iter()
            .filter(|stop| stop.phase != Phase::Cancelled)
            .map(|stop| context.stop(stop))
            .collect(),
    };
    // Texts, numbers and nothing that JSON could not write.
    serde_json::to_vec_pretty(&summary).unwrap_or_default()
}

fn indicator(page: &Page) -> &'static str {
    match page.worst() {
        State::Up => "none",
        State::Maintenance => "maintenance",
        State::Unknown | State::Impaired => "minor",
        State::Down if page.functions.iter().all(|function| function.state == State::Down) => "critical",
        State::Down => "major",
    }
}

struct Context<'a> {
    page: &'a Page,
    words: Words<'a>,
    place: Place,
}

impl<'a> Context<'a> {
    fn time(&self, at: i64) -> String {
        rfc3339(self.page, at, "%Y-%m-%dT%H:%M:%S.000%:z")
    }

    fn components(&self, wanted: &mut dyn FnMut(&FunctionView) -> bool) -> Vec<Component<'a>> {
        let functions = self.page.functions.iter().enumerate().filter(|(_, function)| wanted(function));
        functions
            .map(|(number, function)| Component {
                id: &function.id,
                name: match self.words.lang.pick(&function.title.ja, &function.title.en).as_str() {
                    "" => &function.name,
                    title => title,
                },
                status: match function.state {
                    State::Up => "operational",
                    State::Maintenance => "under_maintenance",
                    State::Unknown => "degraded_performance",
                    State::Impaired => "partial_outage",
                    State::Down => "major_outage",
                },
                state: function.state.word(),
                description: self.words.state(function.state),
                position: number + 1,
                showcase: true,
                group: false,
                group_id: None,
                page_id: &self.page.id,
                only_show_if_degraded: false,
                updated_at: self.time(self.page.minute()),
            })
            .collect()
    }

    fn link(&self, id: &str) -> Option<String> {
        Some(format!("{}#e-{id}", self.place.address(self.page, &Document::Html, self.words.lang)?))
    }

    fn incident(&self, incident: &'a IncidentView) -> Incident<'a> {
        let components = self.components(&mut |function| incident.functions.contains(&function.name));
        let monitoring =
            incident.updates.iter().rev().find(|update| update.status == crate::ledger::Status::Monitoring);
        Incident {
            id: &incident.id,
            name: incident.title.of(self.words.lang),
            status: incident.status.word(),
            impact: if components.len() == self.page.functions.len() { "critical" } else { "major" },
            page_id: &self.page.id,
            shortlink: self.link(&incident.id),
            created_at: self.time(incident.started),
            updated_at: self.time(incident.updated),
            started_at: self.time(incident.started),
            monitoring_at: monitoring.map(|update| self.time(update.at)),
            resolved_at: incident.resolved.map(|at| self.time(at)),
            scheduled_for: None,
            scheduled_until: None,
            incident_updates: incident
                .updates
                .iter()
                .enumerate()
                .map(|(number, update)| Update {
                    id: super::identity::uuid(&incident.id, "update", &(incident.updates.len() - number).to_string()),
                    incident_id: &incident.id,
                    status: update.status.word(),
                    body: self.words.text(&update.text).to_owned(),
                    created_at: self.time(update.at),
                    updated_at: self.time(update.at),
                    display_at: self.time(update.at),
                })
                .collect(),
            components,
        }
    }

    fn stop(&self, stop: &'a StopView) -> Incident<'a> {
        let told = Update {
            id: super::identity::uuid(&stop.id, "update", "1"),
            incident_id: &stop.id,
            status: "scheduled",
            body: match self.words.text(&stop.text) {
                "" => self.words.text(&stop.title).to_owned(),
                text => text.to_owned(),
            },
            created_at: self.time(stop.announced),
            updated_at: self.time(stop.updated),
            display_at: self.time(stop.announced),
        };
        Incident {
            id: &stop.id,
            name: stop.title.of(self.words.lang),
            status: if stop.phase == Phase::Scheduled { "scheduled" } else { "in_progress" },
            impact: "maintenance",
            page_id: &self.page.id,
            shortlink: self.link(&stop.id),
            created_at: self.time(stop.announced),
            updated_at: self.time(stop.updated),
            started_at: self.time(stop.announced),
            monitoring_at: None,
            resolved_at: None,
            scheduled_for: Some(self.time(stop.start)),
            scheduled_until: Some(self.time(stop.end)),
            incident_updates: vec![told],
            components: self.components(&mut |function| stop.functions.contains(&function.name)),
        }
    }
}
