//! dashboards/*.json: they are what Grafana reads, keep to dashboards/README.md, and every query of theirs finds something in a
//! real Prometheus with the demo's history.
//!
//! No Grafana runs here. What it would do with a file is known from its own types (`schema`), from the rules of
//! grafana/dashboard-linter (`linter`) and from how it replaces variables (`interpolate`).

mod alerts;
mod columns;
mod conventions;
mod documented;
mod duties;
mod figures;
mod interpolate;
mod layout;
mod links;
mod linter;
mod queries;
mod regions;
mod schema;

use serde_json::Value;

use crate::rules::{files, read};

/// One file.
pub(crate) struct Dashboard {
    /// Relative to the repository.
    pub(crate) file: String,
    pub(crate) text: String,
    pub(crate) json: Value,
}

/// A query of a panel.
pub(crate) struct Target<'a> {
    pub(crate) panel: &'a Value,
    pub(crate) json: &'a Value,
}

impl Dashboard {
    /// All of them, by file.
    #[track_caller]
    pub(crate) fn all() -> Vec<Self> {
        let read = |file: String| {
            let text = read(&file);
            let json = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{file}: {error}"));
            Self { file, text, json }
        };
        files("dashboards", ".json").into_iter().map(read).collect()
    }

    pub(crate) fn uid(&self) -> &str {
        text(&self.json, "uid")
    }

    /// Rows and panels as they lie, those of closed rows after their row.
    pub(crate) fn boxes(&self) -> Vec<&Value> {
        let top = list(&self.json["panels"]);
        top.iter().flat_map(|panel| std::iter::once(panel).chain(list(&panel["panels"]))).collect()
    }

    /// Panels without rows.
    pub(crate) fn panels(&self) -> Vec<&Value> {
        self.boxes().into_iter().filter(|panel| text(panel, "type") != "row").collect()
    }

    /// Panels that show data.
    pub(crate) fn data_panels(&self) -> Vec<&Value> {
        self.panels().into_iter().filter(|panel| text(panel, "type") != "text").collect()
    }

    pub(crate) fn targets(&self) -> Vec<Target<'_>> {
        let mut found = Vec::new();
        for panel in self.panels() {
            found.extend(list(&panel["targets"]).iter().map(|json| Target { panel, json }));
        }
        found
    }

    pub(crate) fn variables(&self) -> &[Value] {
        list(&self.json["templating"]["list"])
    }

    /// Annotations that ask Prometheus.
    pub(crate) fn annotations(&self) -> impl Iterator<Item = &Value> {
        let all = list(&self.json["annotations"]["list"]);
        all.iter().filter(|annotation| text(&annotation["datasource"], "type") == "prometheus")
    }

    /// Every expression with the place it is at: panels' queries, annotations and variables.
    pub(crate) fn expressions(&self) -> Vec<(String, &str)> {
        let targets = self.targets().into_iter().map(|target| {
            (
                format!("{} · {} · {}", self.file, title(target.panel), text(target.json, "refId")),
                text(target.json, "expr"),
            )
        });
        let annotations = self.annotations().map(|annotation| {
            (format!("{} · annotation {}", self.file, text(annotation, "name")), text(&annotation["target"], "expr"))
        });
        targets.chain(annotations).collect()
    }
}

/// The elements of a list; none where there is no list.
pub(crate) fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// A text of an object; empty where there is none.
pub(crate) fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

pub(crate) fn title(panel: &Value) -> &str {
    text(panel, "title")
}

/// Collects what is wrong, so that a test tells all of it at once.
#[derive(Default)]
pub(crate) struct Findings(Vec<String>);

impl Findings {
    /// `what` is wrong unless `good`.
    pub(crate) fn check(&mut self, good: bool, what: impl FnOnce() -> String) {
        if !good {
            self.0.push(what());
        }
    }

    #[track_caller]
    pub(crate) fn none(self) {
        assert!(self.0.is_empty(), "{} findings:\n{}", self.0.len(), self.0.join("\n"));
    }
}
