//! A query as Grafana's server sends it: instant at the end of the range, or a range in steps.

use serde_json::Value;
use sla_tests::http;

use super::super::interpolate::{Choices, Window, interpolate};
use super::super::{Dashboard, text};
use super::ranges::moment;

/// The data source's scrape interval (deploy/grafana/provisioning), which `$__rate_interval` is made of.
const SCRAPE: i64 = 15;
/// Points in a panel of usual width.
const POINTS: i64 = 1000;

/// A series: its labels, and moments with values.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) labels: Value,
    pub(crate) samples: Vec<(f64, f64)>,
}

impl Row {
    pub(crate) fn label(&self, name: &str) -> &str {
        self.labels[name].as_str().unwrap_or_default()
    }

    pub(crate) fn last(&self) -> f64 {
        self.samples.last().map_or(f64::NAN, |sample| sample.1)
    }

    pub(crate) fn has_value(&self) -> bool {
        self.samples.iter().any(|(_, value)| !value.is_nan())
    }
}

/// The range of a dashboard, or of a panel with a range of its own.
fn window(dashboard: &Dashboard, panel: &Value, least: &str) -> Result<Window, String> {
    let (now, zone, time) = (sla_demo::clock::now(), text(&dashboard.json, "timezone"), &dashboard.json["time"]);
    let to = moment(text(time, "to"), now, zone, true)?;
    let from = match text(panel, "timeFrom") {
        "" => moment(text(time, "from"), now, zone, false)?,
        own if own.starts_with("now") => moment(own, now, zone, false)?,
        own => moment(&format!("now-{own}"), now, zone, false)?,
    };
    let scrape = if least.is_empty() { SCRAPE } else { to - moment(&format!("now-{least}"), to, zone, false)? };
    let points = panel["maxDataPoints"].as_i64().unwrap_or(POINTS);
    Ok(Window { from, to, step: scrape.max((to - from) / points).max(1), scrape })
}

/// What a panel's query finds.
pub(crate) async fn ask(
    port: u16,
    dashboard: &Dashboard,
    panel: &Value,
    target: &Value,
    choices: &Choices,
) -> Result<Vec<Row>, String> {
    let least = match text(target, "interval") {
        "" => text(panel, "interval"),
        own => own,
    };
    let window = window(dashboard, panel, least)?;
    let expression = interpolate(text(target, "expr"), choices, window)?;
    if target["instant"] == true {
        instant(port, &expression, window.to).await
    } else {
        let rows = range(port, &expression, window).await?;
        if rows.iter().any(Row::has_value) {
            return Ok(rows);
        }
        // The stack is seconds old: what it has no history of lies behind the last step.
        let last = Window { from: window.to - 60, step: 1, scrape: SCRAPE, ..window };
        range(port, &interpolate(text(target, "expr"), choices, last)?, last).await
    }
}

/// What an annotation's query finds in this month and the one before.
pub(crate) async fn annotation(port: u16, annotation: &Value, choices: &Choices) -> Result<Vec<Row>, String> {
    let to = sla_demo::clock::now();
    let window = Window { from: to - 61 * 86_400, to, step: 1800, scrape: SCRAPE };
    range(port, &interpolate(text(&annotation["target"], "expr"), choices, window)?, window).await
}

/// A query of one moment.
pub(crate) async fn instant(port: u16, expression: &str, at: i64) -> Result<Vec<Row>, String> {
    let rows = http::query_at(port, expression, at).await?;
    #[allow(clippy::cast_precision_loss)]
    let row = |(labels, value)| Row { labels, samples: vec![(at as f64, value)] };
    Ok(rows.into_iter().map(row).collect())
}

/// A query of a range. Grafana's server makes both ends multiples of the step; here only the steps are, and the end stays: the exporter of a
/// test is seconds old, and `@ end()` finds nothing of the time before.
pub(crate) async fn range(port: u16, expression: &str, window: Window) -> Result<Vec<Row>, String> {
    let start = window.from / window.step * window.step;
    let form = format!("query={}&start={start}&end={}&step={}", http::encode(expression), window.to, window.step);
    let body = http::post_body(port, "/api/v1/query_range", "application/x-www-form-urlencoded", &form).await?;
    let json: Value = serde_json::from_str(&body).map_err(|error| format!("{expression}: {error}: {body}"))?;
    let rows = json["data"]["result"].as_array().ok_or_else(|| format!("{expression}: {body}"))?;
    let sample = |pair: &Value| Some((pair[0].as_f64()?, pair[1].as_str()?.parse().ok()?));
    let row = |row: &Value| Row {
        labels: row["metric"].clone(),
        samples: row["values"].as_array().into_iter().flatten().filter_map(sample).collect(),
    };
    Ok(rows.iter().map(row).collect())
}
