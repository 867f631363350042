//! The files against the schema made of Grafana's own types (tests/data/grafana).

use jsonschema::Validator;
use serde_json::{Value, json};

use super::{Dashboard, Findings, list, text, title};
use crate::rules::read;

/// The definition each panel type has: a fault is then told by its key, not as "matches none of ten kinds".
const KINDS: [(&str, &str); 11] = [
    ("row", "Row"),
    ("text", "Text"),
    ("stat", "Stat"),
    ("bargauge", "BarGauge"),
    ("gauge", "Gauge"),
    ("timeseries", "TimeSeries"),
    ("state-timeline", "StateTimeline"),
    ("status-history", "StatusHistory"),
    ("table", "Table"),
    ("barchart", "BarChart"),
    ("heatmap", "Heatmap"),
];

struct Schema(Value);

impl Schema {
    fn read() -> Self {
        Self(serde_json::from_str(&read("tests/data/grafana/dashboard.schema.json")).unwrap())
    }

    fn of(&self, definition: &str) -> Validator {
        assert!(self.0["definitions"].get(definition).is_some(), "the schema has no {definition}");
        let schema = json!({
            "$schema": self.0["$schema"],
            "$ref": format!("#/definitions/{definition}"),
            "definitions": self.0["definitions"],
        });
        jsonschema::validator_for(&schema).unwrap()
    }

    fn faults(&self, definition: &str, what: &str, value: &Value, findings: &mut Findings) {
        for error in self.of(definition).iter_errors(value) {
            findings.check(false, || format!("{what}: {}: {error}", error.instance_path()));
        }
    }

    fn dashboard(&self, file: &str, json: &Value, findings: &mut Findings) {
        for panel in list(&json["panels"]).iter().flat_map(|panel| std::iter::once(panel).chain(list(&panel["panels"])))
        {
            let kind = text(panel, "type");
            let what = format!("{file}: panel {:?}", title(panel));
            match KINDS.iter().find(|(name, _)| *name == kind) {
                Some((_, definition)) => self.faults(definition, &what, panel, findings),
                None => findings.check(false, || format!("{what}: type {kind:?} is none of {KINDS:?}")),
            }
        }
        self.faults("ClassicDashboard", file, json, findings);
    }
}

#[test]
fn every_dashboard_is_what_grafana_reads() {
    let (schema, mut findings) = (Schema::read(), Findings::default());
    for Dashboard { file, json, .. } in &Dashboard::all() {
        schema.dashboard(file, json, &mut findings);
    }
    findings.none();
}

/// Each of these is one that Grafana would ignore or stumble over.
#[test]
fn the_schema_finds_what_is_wrong() {
    let schema = Schema::read();
    let dashboards = Dashboard::all();
    let good = &dashboards.iter().find(|dashboard| dashboard.uid() == "sla-overview").expect("sla-overview").json;
    let panel =
        (0..list(&good["panels"]).len()).find(|at| text(&good["panels"][*at], "type") == "stat").expect("a stat");
    let at = |path: &str| path.replace("PANEL", &format!("/panels/{panel}"));
    for (path, value) in [
        ("/schemaVersion", json!("39")),
        ("/schemaVersion", json!(42)),
        ("/editable", json!(true)),
        ("/panels", json!({})),
        ("/__inputs", json!([])),
        ("/graphTooltip", json!(7)),
        ("/templating/list/0/type", json!("datasources")),
        ("/templating/list/0/refresh", json!(7)),
        ("/annotations/list/0/iconColour", json!("red")),
        ("PANEL/type", json!("singlestat")),
        ("PANEL/gridPos/x", json!("0")),
        ("PANEL/options/colorMod", json!("value")),
        ("PANEL/options/colorMode", json!("values")),
        ("PANEL/fieldConfig/defaults/thresholds", json!({"mode": "relative", "steps": []})),
        ("PANEL/fieldConfig/defaults/mappings", json!([{"type": "values", "options": {}}])),
        ("PANEL/fieldConfig/defaults/units", json!("s")),
        ("PANEL/datasource", json!("Prometheus")),
        ("PANEL/targets/0/exp", json!("up")),
        ("PANEL/description", Value::Null),
    ] {
        let (mut bad, path) = (good.clone(), at(path));
        let (parent, key) = path.rsplit_once('/').unwrap();
        bad.pointer_mut(parent).unwrap_or_else(|| panic!("{path}"))[key] = value;
        let mut findings = Findings::default();
        schema.dashboard("bad", &bad, &mut findings);
        assert!(!findings.0.is_empty(), "nothing is said about {path}");
    }
}
