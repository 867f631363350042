//! The values a dashboard's variables have when it is opened, asked of Prometheus in their order.

use std::collections::BTreeMap;

use regex::Regex;
use serde_json::Value;
use sla_tests::http;

use super::super::interpolate::{Choice, Choices, Window, interpolate};
use super::super::{Dashboard, text};

/// The first of everything, or "All" where that is offered; of the variables `given`, the value at that place, or the last.
pub(crate) async fn choices(
    port: u16,
    dashboard: &Dashboard,
    given: &BTreeMap<&'static str, usize>,
) -> Result<Choices, String> {
    let mut chosen = Choices::new();
    for variable in dashboard.variables() {
        let name = text(variable, "name");
        let values = match text(variable, "type") {
            "datasource" => vec!["prometheus".to_owned()],
            "query" => asked(port, variable, &chosen).await.map_err(|why| format!("variable {name}: {why}"))?,
            "custom" => {
                let value = |one: &str| one.split(" : ").last().unwrap_or_default().trim().to_owned();
                text(variable, "query").split(',').map(value).collect()
            }
            _ => vec![text(variable, "query").to_owned()],
        };
        let multi = variable["multi"] == true || variable["includeAll"] == true;
        let choice = if variable["includeAll"] == true && !given.contains_key(name) {
            Choice { values, multi, all: Some(text(variable, "allValue").to_owned()) }
        } else {
            let place = given.get(name).copied().unwrap_or_default().min(values.len().saturating_sub(1));
            let value = values.get(place).cloned();
            Choice { values: value.into_iter().collect(), multi, all: None }
        };
        chosen.insert(name.to_owned(), choice);
    }
    Ok(chosen)
}

async fn asked(port: u16, variable: &Value, chosen: &Choices) -> Result<Vec<String>, String> {
    let now = sla_demo::clock::now();
    let window = Window { from: now - 3600, to: now, step: 15, scrape: 15 };
    let query = interpolate(text(&variable["query"], "query"), chosen, window)?;
    let inside = |name: &str| query.strip_prefix(name)?.strip_prefix('(')?.strip_suffix(')');
    let mut values = if let Some(inside) = inside("label_values") {
        let (selector, label) = inside.rsplit_once(',').ok_or("label_values without a selector")?;
        let rows = http::query_at(port, &format!("count by ({0}) ({selector})", label.trim()), now).await?;
        rows.iter().filter_map(|(labels, _)| labels[label.trim()].as_str().map(str::to_owned)).collect::<Vec<_>>()
    } else if let Some(inside) = inside("query_result") {
        http::query_at(port, inside, now).await?.iter().map(|(labels, value)| shown(labels, *value, now)).collect()
    } else {
        return Err(format!("{query} is neither label_values(selector, label) nor query_result(query)"));
    };
    values = picked(values, text(variable, "regex"))?;
    let natural = |value: &String| value.parse::<f64>().unwrap_or(f64::INFINITY);
    match variable["sort"].as_i64().unwrap_or_default() {
        0 => {}
        sort @ (1 | 5 | 7) | sort @ (2 | 6 | 8) => {
            values.sort();
            if sort % 2 == 0 {
                values.reverse();
            }
        }
        3 => values.sort_by(|a, b| natural(a).total_cmp(&natural(b))),
        4 => values.sort_by(|a, b| natural(b).total_cmp(&natural(a))),
        other => return Err(format!("sort {other}")),
    }
    values.dedup();
    Ok(values)
}

/// A row as Grafana shows it to the variable's regular expression.
fn shown(labels: &Value, value: f64, at: i64) -> String {
    let name = labels["__name__"].as_str().unwrap_or_default();
    let labels = labels.as_object().into_iter().flatten().filter(|(key, _)| *key != "__name__");
    let labels: Vec<String> =
        labels.map(|(key, value)| format!("{key}=\"{}\"", value.as_str().unwrap_or_default())).collect();
    format!("{name}{{{}}} {value} {}", labels.join(","), at * 1000)
}

/// The group `value`, or the first, or the whole match.
fn picked(values: Vec<String>, pattern: &str) -> Result<Vec<String>, String> {
    let Some(pattern) = pattern.strip_prefix('/').and_then(|rest| rest.strip_suffix('/')) else {
        return if pattern.is_empty() { Ok(values) } else { Err(format!("{pattern}: write it as /…/")) };
    };
    let regex = Regex::new(&pattern.replace("(?<", "(?P<")).map_err(|error| error.to_string())?;
    let pick = |value: &String| {
        let found = regex.captures(value)?;
        let group = found.name("value").or_else(|| found.get(1)).or_else(|| found.get(0))?;
        Some(group.as_str().to_owned())
    };
    Ok(values.iter().filter_map(pick).collect())
}
