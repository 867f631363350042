//! dashboards/README.md, as far as a program can tell.

use serde_json::Value;

use super::{Dashboard, Findings, list, text, title};
use crate::rules::metrics::{exists, identifiers, known};
use crate::rules::{read, yaml};

/// The order in which the bar at the top has them; others follow.
const VARIABLES: [&str; 4] = ["datasource", "contract", "function", "month"];

/// Colours: Okabe and Ito's, which people with any kind of colour vision tell apart; dashboards/README.md says what each means.
const COLOURS: [&str; 9] =
    ["#0072B2", "#D55E00", "#E69F00", "#56B4E9", "#CC79A7", "#F0E442", "#009E73", "#999999", "text"];

/// Units that are in use. Grafana shows one it does not know behind the number, without a word.
const UNITS: [&str; 28] = [
    "percentunit",
    "percent",
    "s",
    "ms",
    "m",
    "h",
    "d",
    "dtdurations",
    "dthms",
    "dtdhms",
    "dateTimeAsIso",
    "dateTimeAsSystem",
    "dateTimeFromNow",
    "short",
    "none",
    "string",
    "bytes",
    "decbytes",
    "Bps",
    "binBps",
    "bps",
    "iops",
    "reqps",
    "cps",
    "bool",
    "locale",
    "celsius",
    "pps",
];

/// Series that are of no contract, by their beginning: of a device, of the exporter's process, of Prometheus.
const OF_NO_CONTRACT: [&str; 9] =
    ["sla_exporter_", "sla:host_", "node_", "process_", "prometheus_", "alertmanager_", "up", "ALERTS", "scrape_"];

/// English and Japanese, in this order: `Availability / 稼働率`.
fn is_bilingual(title: &str) -> bool {
    let japanese =
        |text: &str| text.chars().any(|sign| matches!(sign, '\u{3040}'..='\u{30ff}' | '\u{4e00}'..='\u{9fff}'));
    title.split_once(" / ").is_some_and(|(english, other)| !japanese(english) && japanese(other))
}

#[test]
fn titles_in_two_languages_are_told_from_others() {
    for (title, expected) in [
        ("Availability / 稼働率", true),
        ("ICMP loss / パケット損失", true),
        ("Availability", false),
        ("稼働率 / Availability", false),
        ("Up / down", false),
    ] {
        assert_eq!(is_bilingual(title), expected, "{title}");
    }
}

#[test]
fn files_uids_and_heads_are_alike() {
    let zone = yaml("config/sla.yml")["contract"]["timezone"].as_str().unwrap().to_owned();
    let mut findings = Findings::default();
    for Dashboard { file, json, .. } in &Dashboard::all() {
        let uid = text(json, "uid");
        let mut check = |good: bool, what: &str| findings.check(good, || format!("{file}: {what}"));
        check(*file == format!("dashboards/{uid}.json"), "the file is not named as its uid");
        let signs = uid.bytes().all(|sign| sign.is_ascii_lowercase() || sign == b'-');
        check(uid.starts_with("sla-") && signs && (8..=40).contains(&uid.len()), "uid: sla-, 8 to 40 of a-z and -");
        check(title(json).starts_with("SLA: ") && is_bilingual(title(json)), "title: `SLA: English / 日本語`");
        check(list(&json["tags"]).first().and_then(Value::as_str) == Some("sla"), "tags: sla first");
        check(text(json, "timezone") == zone, "timezone: config/sla.yml's");
        check(text(json, "description").len() > 40, "a description: the question it answers");
        check(json.get("id").is_none() && json.get("version").is_none(), "id and version are the server's");
        check(json["time"]["to"] == "now", "time.to: now, or instant queries find nothing");
        check(!json.to_string().contains("${DS_"), "an input of the import dialog");
        check(is_bilingual(text(json, "title")), "title");
        let built_in = list(&json["annotations"]["list"]).iter().filter(|entry| entry["builtIn"] == 1).count();
        check(built_in == 1, "the built-in annotation entry");
    }
    findings.none();
}

/// `UPDATE=1 cargo test -p sla-tests --test it dashboards::` writes them so: keys sorted, two spaces.
#[test]
fn files_are_written_in_one_way() {
    let mut findings = Findings::default();
    for Dashboard { file, json, text } in &Dashboard::all() {
        let wanted = format!("{}\n", serde_json::to_string_pretty(json).unwrap());
        if *text != wanted && std::env::var_os("UPDATE").is_some() {
            std::fs::write(crate::rules::root().join(file), &wanted).unwrap();
        } else {
            findings.check(*text == wanted, || format!("{file}: not as UPDATE=1 would write it"));
        }
    }
    findings.none();
}

#[test]
fn every_panel_says_what_it_is() {
    let mut findings = Findings::default();
    for dashboard in &Dashboard::all() {
        for panel in dashboard.boxes() {
            let what = format!("{}: {:?}", dashboard.file, title(panel));
            findings.check(is_bilingual(title(panel)), || format!("{what}: title `English / 日本語`"));
        }
        for panel in dashboard.panels() {
            let what = format!("{}: {:?}", dashboard.file, title(panel));
            let words = text(panel, "description").split_whitespace().count();
            findings.check(words >= 8, || format!("{what}: a description of {words} words"));
        }
        for panel in dashboard.data_panels() {
            let what = format!("{}: {:?}", dashboard.file, title(panel));
            let defaults = &panel["fieldConfig"]["defaults"];
            findings.check(!text(defaults, "noValue").is_empty(), || format!("{what}: no noValue"));
            let properties =
                list(&panel["fieldConfig"]["overrides"]).iter().flat_map(|entry| list(&entry["properties"]));
            let units: Vec<&str> = std::iter::once(text(defaults, "unit"))
                .chain(properties.filter(|property| property["id"] == "unit").map(|property| text(property, "value")))
                .collect();
            for unit in units {
                let good = UNITS.contains(&unit) || unit.starts_with("suffix:") || unit.starts_with("time:");
                findings.check(good, || format!("{what}: unit {unit:?}"));
            }
        }
    }
    findings.none();
}

/// States are told by words, and their colours by people with any kind of colour vision.
#[test]
fn colours_are_from_the_palette() {
    fn walk(value: &Value, what: &str, findings: &mut Findings) {
        match value {
            Value::Object(map) => {
                for (key, value) in map {
                    match (key.as_str(), value) {
                        ("color" | "fixedColor" | "iconColor", Value::String(colour)) => {
                            let built_in = colour == "rgba(0, 211, 255, 1)";
                            findings
                                .check(built_in || COLOURS.contains(&colour.as_str()), || format!("{what}: {colour}"));
                        }
                        _ => walk(value, what, findings),
                    }
                }
            }
            Value::Array(list) => list.iter().for_each(|value| walk(value, what, findings)),
            _ => {}
        }
    }
    let mut findings = Findings::default();
    for Dashboard { file, json, .. } in &Dashboard::all() {
        walk(json, file, &mut findings);
    }
    findings.none();
}

#[test]
fn variables_are_the_same_everywhere() {
    let mut findings = Findings::default();
    for dashboard in &Dashboard::all() {
        let names: Vec<&str> = dashboard.variables().iter().map(|variable| text(variable, "name")).collect();
        let known: Vec<&str> = names.iter().copied().filter(|name| VARIABLES.contains(name)).collect();
        let ordered: Vec<&str> = VARIABLES.iter().copied().filter(|name| names.contains(name)).collect();
        findings.check(names.starts_with(&ordered) && known == ordered, || {
            format!("{}: variables {names:?}, not {ordered:?} first", dashboard.file)
        });
        for variable in dashboard.variables() {
            let what = format!("{}: variable {}", dashboard.file, text(variable, "name"));
            let shown = variable["hide"].as_i64().unwrap_or_default() == 0;
            findings.check(
                !shown || is_bilingual(text(variable, "label")) || text(variable, "type") == "datasource",
                || format!("{what}: label `English / 日本語`"),
            );
            let all = variable["includeAll"] == true;
            findings.check(!all || text(variable, "allValue") == ".+", || format!("{what}: allValue `.+`"));
            let saved = variable["current"].as_object().is_some_and(|current| !current.is_empty());
            findings.check(!saved && list(&variable["options"]).is_empty(), || format!("{what}: a saved choice"));
            let used = dashboard.text.matches(&format!("${}", text(variable, "name"))).count()
                + dashboard.text.matches(&format!("${{{}", text(variable, "name"))).count();
            findings.check(used > 0, || format!("{what}: nothing asks for it"));
        }
    }
    findings.none();
}

#[test]
fn queries_ask_for_what_exists_and_for_the_chosen_contract() {
    let (known, mut findings) = (known(), Findings::default());
    for dashboard in &Dashboard::all() {
        for (place, expression) in dashboard.expressions() {
            for name in identifiers(expression) {
                let metric =
                    ["sla_", "sla:", "probe_", "node_", "process_"].iter().any(|start| name.starts_with(start));
                let family = name.trim_end_matches("_bucket");
                findings.check(!metric || exists(&known, family), || format!("{place}: nothing writes {name}"));
                if !metric || OF_NO_CONTRACT.iter().any(|start| name.starts_with(start)) {
                    continue;
                }
                for (at, _) in expression.match_indices(&name) {
                    let rest = &expression[at + name.len()..];
                    if rest.starts_with(|sign: char| sign.is_alphanumeric() || sign == '_' || sign == ':')
                        || expression[..at].ends_with(|sign: char| sign.is_alphanumeric() || sign == '_' || sign == ':')
                    {
                        continue;
                    }
                    let labels = rest.strip_prefix('{').and_then(|rest| rest.split('}').next()).unwrap_or_default();
                    findings.check(labels.contains("contract=\"$contract\""), || {
                        format!("{place}: {name}{{{labels}}} is not bound to contract=\"$contract\"")
                    });
                }
            }
        }
    }
    findings.none();
}

#[test]
fn the_readme_has_every_colour() {
    let readme = read("dashboards/README.md");
    for colour in COLOURS.iter().filter(|colour| colour.starts_with('#')) {
        assert!(readme.contains(colour), "dashboards/README.md does not say what {colour} means");
    }
}
