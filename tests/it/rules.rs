//! The rule files: they load, their unit tests pass, and alerts, runbooks, unit tests and docs/rules.md match one to one.
//!
//! Expectations about values are in `tests/promtool`; here is what promtool cannot see. Not for: mails and containers
//! (`mails.rs`, `compose.rs`).

mod coverage;
pub(crate) mod metrics;
mod texts;
mod timing;
mod victoria;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_yaml::Value;

/// The repository's root.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The text of a file of the repository.
#[track_caller]
pub(crate) fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// A YAML file of the repository, anchors and merges resolved.
#[track_caller]
pub(crate) fn yaml(path: &str) -> Value {
    let mut value: Value = serde_yaml::from_str(&read(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    value.apply_merge().unwrap_or_else(|error| panic!("{path}: {error}"));
    value
}

/// The files of a folder with this ending, sorted, relative to the root.
#[track_caller]
pub(crate) fn files(folder: &str, ending: &str) -> Vec<String> {
    let mut found: Vec<String> = fs::read_dir(root().join(folder))
        .unwrap_or_else(|error| panic!("{folder}: {error}"))
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(ending))
        .map(|name| format!("{folder}/{name}"))
        .collect();
    found.sort();
    assert!(!found.is_empty(), "no *{ending} in {folder}");
    found
}

/// Runs a tool in the repository's root and returns what it printed; panics with that when it fails.
#[track_caller]
pub(crate) fn tool(package: &str, name: &str, arguments: &[&str], env: &[(&str, &str)]) -> String {
    let output =
        Command::new(name).args(arguments).envs(env.iter().copied()).current_dir(root()).output().unwrap_or_else(
            |error| panic!("{name} does not start ({error}); install it with: apt-get install {package}"),
        );
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{name} {}: {}\n{stdout}{}",
        arguments.join(" "),
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    stdout
}

/// One rule with the file it is in.
pub(crate) struct Rule {
    pub(crate) file: String,
    /// `alert` or `record`.
    pub(crate) name: String,
    pub(crate) rule: Value,
}

impl Rule {
    /// A text below the rule, such as `["annotations", "summary"]`.
    pub(crate) fn text(&self, path: &[&str]) -> &str {
        let mut value = &self.rule;
        for key in path {
            value = &value[*key];
        }
        value.as_str().unwrap_or_default()
    }
}

/// All rules of a folder that have this key.
#[track_caller]
pub(crate) fn rules(folder: &str, key: &str) -> Vec<Rule> {
    let mut found = Vec::new();
    for file in files(folder, ".yml") {
        for group in yaml(&file)["groups"].as_sequence().expect("groups") {
            for rule in group["rules"].as_sequence().expect("rules") {
                if let Some(name) = rule[key].as_str() {
                    found.push(Rule { file: file.clone(), name: name.to_owned(), rule: rule.clone() });
                }
            }
        }
    }
    assert!(!found.is_empty(), "no {key} in {folder}");
    found
}

pub(crate) fn alerts() -> Vec<Rule> {
    rules("alert-rules", "alert")
}

pub(crate) fn records() -> Vec<Rule> {
    rules("recording-rules", "record")
}

fn rule_files() -> Vec<String> {
    [files("recording-rules", ".yml"), files("alert-rules", ".yml")].concat()
}

#[test]
fn rule_files_load_without_a_finding() {
    let files = rule_files();
    let mut arguments = vec!["check", "rules", "--lint=all", "--lint-fatal"];
    arguments.extend(files.iter().map(String::as_str));
    tool("prometheus", "promtool", &arguments, &[]);
}

#[test]
fn rules_do_what_their_unit_tests_say() {
    let files = files("tests/promtool", ".yml");
    let mut arguments = vec!["test", "rules"];
    arguments.extend(files.iter().map(String::as_str));
    tool("prometheus", "promtool", &arguments, &[]);
}

#[test]
fn rule_files_load_in_vmalert() {
    if Command::new("vmalert").arg("-version").output().is_err() {
        println!("NOT TESTED: vmalert reads the rule files. Install it with: apt-get install victoria-metrics");
        return;
    }
    tool("victoria-metrics", "vmalert", &["-dryRun", "-rule=recording-rules/*.yml", "-rule=alert-rules/*.yml"], &[]);
}

#[test]
fn prometheus_reads_its_configuration_and_finds_every_rule_file() {
    let printed = tool("prometheus", "promtool", &["check", "config", "deploy/prometheus/prometheus.yml"], &[]);
    let expected = format!("{} rule files found", rule_files().len());
    assert!(printed.contains(&expected), "{expected}, but:\n{printed}");
}

#[test]
fn the_job_the_rules_ask_for_is_in_prometheus_configuration() {
    let config = yaml("deploy/prometheus/prometheus.yml");
    let jobs: Vec<&str> =
        config["scrape_configs"].as_sequence().unwrap().iter().filter_map(|job| job["job_name"].as_str()).collect();
    for file in rule_files() {
        for piece in read(&file).split("job=\"").skip(1) {
            let job = piece.split('"').next().unwrap();
            assert!(jobs.contains(&job), "{file} asks for job {job:?}; prometheus.yml has {jobs:?}");
        }
    }
}

/// What a device's own exporter finds on its host (C2.5, C2.6.6 to C2.6.8) is not lost on the way; its months and probes are not evidence.
#[test]
fn of_a_devices_exporter_what_it_finds_on_its_host_is_kept_and_nothing_of_its_contract() {
    let config = yaml("deploy/prometheus/prometheus.yml");
    let jobs = config["scrape_configs"].as_sequence().unwrap();
    let hosts = jobs.iter().find(|job| job["job_name"] == "hosts").unwrap();
    let steps = hosts["metric_relabel_configs"].as_sequence().unwrap();
    // As Prometheus does it: a regular expression matches the whole of the labels' values, joined by `;`.
    let kept = |name: &str| {
        let mut labels = BTreeMap::from([("__name__", name.to_owned())]);
        for step in steps {
            let regex = regex::Regex::new(&format!("^(?:{})$", step["regex"].as_str().unwrap())).unwrap();
            if step["action"] == "labeldrop" {
                labels.retain(|label, _| !regex.is_match(label));
                continue;
            }
            let sources = step["source_labels"].as_sequence().unwrap().iter().map(|label| label.as_str().unwrap());
            let values: Vec<String> = sources.map(|label| labels.get(label).cloned().unwrap_or_default()).collect();
            if !regex.is_match(&values.join(";")) {
                continue;
            }
            match step["target_label"].as_str() {
                Some(target) => drop(labels.insert(target, step["replacement"].as_str().unwrap().to_owned())),
                None if step["action"] == "drop" => return false,
                None => panic!("{step:?}"),
            }
        }
        assert_eq!(labels.into_keys().collect::<Vec<_>>(), ["__name__"], "{name}");
        true
    };
    let reference = read("docs/metrics.md");
    let documented = |family: &str| assert!(reference.contains(&format!("`{family}`")), "{family}");
    for family in [
        "sla_backup_newest_timestamp_seconds",
        "sla_backup_scan_success",
        "sla_certificate_due_timestamp_seconds",
        "sla_login_failures_total",
        "sla_login_log_success",
        "sla_reboot_required",
        "sla_security_update_oldest_timestamp_seconds",
        "sla_security_updates_pending",
        "sla_updates_scan_success",
        "sla_exporter_config_last_reload_successful",
        "sla_exporter_textfile_error",
    ] {
        documented(family);
        assert!(kept(family), "{family}");
    }
    for family in [
        "probe_success",
        "sla_host_info",
        "sla_month_service_seconds",
        "sla_objective_ratio",
        "sla_support_open",
        "sla_restore_drill_last_timestamp_seconds",
        "sla_exporter_ledger_info",
    ] {
        documented(family);
        assert!(!kept(family), "{family}");
    }
    assert!(kept("node_load1") && kept("up"));
}

#[test]
fn no_two_rules_share_a_name_and_labels() {
    let mut seen = BTreeMap::new();
    for rule in alerts().into_iter().chain(records()) {
        let key = format!("{} {:?}", rule.name, rule.rule["labels"]);
        if let Some(other) = seen.insert(key, rule.file.clone()) {
            panic!("{} is in {other} and again in {}", rule.name, rule.file);
        }
    }
}
