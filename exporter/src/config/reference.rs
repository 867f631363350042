//! Holds the reference documentation and the readers together: the same keys in both, and the documented file is good.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::decode::{format_duration, parse_duration};
use super::diagnostics::Document;
use super::load::{load_at, load_recorded, parse};
use super::node::{Node, Value};
use super::{CHECKS, DEFAULT_TEXTFILE_DIRECTORY};

fn docs(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The text of all blocks marked as YAML, lines kept where they are so that findings name the document's lines.
fn blocks(text: &str) -> String {
    let mut inside = false;
    let mut yaml = String::new();
    for line in text.lines() {
        match line {
            "```yaml" => inside = true,
            "```" => inside = false,
            _ if inside => yaml += line,
            _ => {}
        }
        yaml.push('\n');
    }
    yaml
}

/// `contract.functions.consumer.title` → `contract.functions.*.title`, `probes[3].name` → `probes[].name`.
fn general(path: &str) -> String {
    let mut parts: Vec<String> = path
        .split('.')
        .map(|part| part.split_once('[').map_or_else(|| part.to_owned(), |(name, _)| format!("{name}[]")))
        .collect();
    for names in [
        "contract.functions",
        "contract.functions.*.capabilities",
        "contract.upstreams",
        "contract.duties",
        "modules",
        "roles",
        "logins.thresholds",
    ] {
        let depth = names.split('.').count();
        if parts.len() > depth && parts[..depth].join(".") == names {
            "*".clone_into(&mut parts[depth]);
        }
    }
    parts.join(".")
}

/// Names are no keys, and a prober's options are documented beside it.
fn is_key(path: &str) -> bool {
    let depth = path.split('.').count();
    let name = path.ends_with(".*") || path.ends_with("[].textfile");
    let option = path.starts_with("modules.") && depth > 3;
    // Those of any HTTP client are in docs/prometheus-access.md, which has a test of its own.
    let client = path.strip_prefix("alertmanager.").is_some_and(|key| !["urls", "timeout", "reminder"].contains(&key));
    let own = ["url", "token_file", "org_id", "timeout", "write", "dashboards[]", "dashboards", "tags"];
    let client = client || path.strip_prefix("grafana.").is_some_and(|key| !own.contains(&key));
    // It excludes `csv`; an example of its own is read by a test.
    let other = path == "support.tickets.postgres";
    !name && !option && !client && !other
}

fn keys(node: &Node, path: &str, found: &mut BTreeSet<String>) {
    match &node.value {
        Value::Map(entries) => {
            for entry in entries {
                let path = if path.is_empty() { entry.key.clone() } else { format!("{path}.{}", entry.key) };
                found.insert(general(&path));
                keys(&entry.node, &path, found);
            }
        }
        Value::List(items) => {
            items.iter().for_each(|item| keys(item, &format!("{path}[]"), found));
        }
        Value::Scalar { .. } => {}
    }
}

#[test]
fn every_key_is_documented_and_every_documented_key_is_read() {
    let text = blocks(&docs("configuration.md"));
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("blackbox.yml"), "modules: {}\n").unwrap();
    std::fs::write(folder.path().join("ledger.yml"), "maintenance: []\n").unwrap();
    let file = folder.path().join("configuration.md");
    let (loaded, read) = load_recorded(&file, &text);
    if let Err(findings) = loaded {
        panic!("{}", findings.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"));
    }
    let read: BTreeSet<String> = read.iter().map(|path| general(path)).filter(|path| is_key(path)).collect();
    let mut documented = BTreeSet::new();
    keys(&parse(&Document::new(&file), &text).unwrap(), "", &mut documented);
    documented.retain(|path| is_key(path));
    assert_eq!(documented.difference(&read).collect::<Vec<_>>(), Vec::<&String>::new(), "documented, not read");
    assert_eq!(read.difference(&documented).collect::<Vec<_>>(), Vec::<&String>::new(), "read, not documented");
    assert!(read.len() > 40, "{read:?}");
}

/// A ledger's text with the shipped contract, as its reader sees it: the findings, and the keys it would have accepted.
fn ledger(text: &str) -> (Vec<String>, BTreeSet<String>) {
    // 2026-11-23T00:00:00Z: what is said of a ledger depends on the time.
    let now = 1_795_392_000;
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../config/sla.yml");
    let contract = load_at(&shipped, now).unwrap().config.contract;
    let terms = super::ledger::Terms { contract: Some(&contract), now };
    let (_, mut documents) =
        super::ledger::read(vec![(Document::recording(Path::new("ledger.yml")), text.to_owned())], terms);
    let document = documents.remove(0);
    let keys = document.accepted_keys();
    (document.into_parts().0.iter().map(ToString::to_string).collect(), keys)
}

#[test]
fn every_key_of_the_ledger_is_documented_and_every_documented_one_is_read() {
    let page = docs("ledger.md");
    let (reference, _) = page.split_once("## Worked examples").unwrap();
    let text = blocks(reference);
    let (findings, read) = ledger(&text);
    assert_eq!(findings, Vec::<String>::new());
    let read: BTreeSet<String> = read.iter().map(|path| general(path)).collect();
    let mut documented = BTreeSet::new();
    keys(&parse(&Document::new(Path::new("ledger.md")), &text).unwrap(), "", &mut documented);
    assert_eq!(documented.difference(&read).collect::<Vec<_>>(), Vec::<&String>::new(), "documented, not read");
    assert_eq!(read.difference(&documented).collect::<Vec<_>>(), Vec::<&String>::new(), "read, not documented");
    assert!(read.len() > 40, "{read:?}");
}

#[test]
fn the_worked_examples_of_the_ledger_are_good_and_what_is_said_of_them_is_shown() {
    let page = docs("ledger.md");
    let (_, examples) = page.split_once("## Worked examples").unwrap();
    let examples: Vec<&str> =
        examples.split("```yaml\n").skip(1).map(|block| block.split("```").next().unwrap_or_default()).collect();
    assert!(examples.len() >= 5, "{examples:?}");
    let mut said = 0;
    for example in examples {
        for finding in ledger(example).0 {
            assert!(finding.contains(": warning: ") && page.contains(&finding), "{example}\n{finding}");
            said += 1;
        }
    }
    assert_eq!(said, 1);
}

#[test]
fn names_and_defaults_in_the_reference_are_those_of_the_code() {
    let text = docs("configuration.md").replace("\n# ", " ");
    let collectors = crate::host::NAMES.join(", ");
    for wanted in
        [collectors.as_str(), DEFAULT_TEXTFILE_DIRECTORY].into_iter().chain(CHECKS.iter().map(|(check, _)| *check))
    {
        assert!(text.contains(wanted), "docs/configuration.md does not have: {wanted}");
    }
}

/// The text behind `Default: ` in the comment above `key`.
fn documented_default(text: &str, key: &str) -> String {
    let mut comment = String::new();
    for line in text.lines().map(|line| line.trim_start_matches([' ', '-'])) {
        if let Some(more) = line.strip_prefix('#') {
            comment += more;
        } else if line.starts_with(&format!("{key}:")) {
            let default = comment.split("Default: ").nth(1).unwrap_or_else(|| panic!("`{key}` has no default"));
            return default.split([',', ' ']).next().unwrap_or_default().to_owned();
        } else {
            comment.clear();
        }
    }
    panic!("`{key}` is not documented")
}

#[test]
fn documented_defaults_are_what_an_absent_key_means() {
    let least = "site: s\ncontract: {name: c, timezone: UTC, functions: {f: {objective: 99, capabilities: {a: }}}}\n\
         modules: {m: {prober: icmp}}\nprobes: [{name: p, module: m, targets: [127.0.0.1], evidence: f/a}]\n";
    let config = load_recorded(Path::new("sla.yml"), least).0.unwrap().config;
    let target = &config.targets[0];
    let text = blocks(&docs("configuration.md"));
    for (key, value) in [
        ("notice", format_duration(config.contract.maintenance.notice)),
        ("quorum", format!("{:?}", config.contract.functions[0].capabilities[0].quorum).to_lowercase()),
        ("timeout", format_duration(target.timeout)),
        ("interval", format_duration(target.interval)),
        ("attempts", target.attempts.to_string()),
    ] {
        let documented = documented_default(&text, key);
        // 60s and 1m are the same.
        let documented = parse_duration(&documented).map_or(documented, format_duration);
        assert_eq!(documented, value, "{key}");
    }
}

/// The keys directly in a prober's section, as its reader asks for them.
fn section_keys(prober: &str, section: &str) -> BTreeSet<String> {
    let text = format!(
        "site: s\ncontract: {{name: c, timezone: UTC, functions: {{f: {{objective: 99, capabilities: {{a: }}}}}}}}\n\
         modules: {{m: {{prober: {prober}, {prober}: {section}}}}}\n"
    );
    let (_, read) = load_recorded(Path::new("sla.yml"), &text);
    let prefix = format!("modules.m.{prober}.");
    read.iter().filter_map(|path| path.strip_prefix(&prefix)).map(str::to_owned).collect()
}

#[test]
fn every_option_of_a_prober_is_in_its_page() {
    for (prober, section) in [
        ("http", "{}"),
        ("tcp", "{}"),
        ("icmp", "{}"),
        ("dns", "{query_name: a.example.com}"),
        ("grpc", "{}"),
        ("unix", "{}"),
        ("websocket", "{}"),
        ("postgres", "{user: u, dbname: d}"),
    ] {
        let page = docs(&format!("modules/{prober}.md"));
        let keys = section_keys(prober, section);
        assert!(!keys.is_empty(), "{prober} has no options");
        for key in keys {
            let named = [format!("`{key}`"), format!("{key}:"), format!("`{key}:")];
            assert!(named.iter().any(|n| page.contains(n)), "docs/modules/{prober}.md does not have `{key}`");
        }
    }
}
