//! The documents: every link leads to a file that is there, and to a heading of it; the Japanese README says the same commands.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::rules::{read, root};

/// Every document, from the root on.
fn documents() -> Vec<PathBuf> {
    let (mut found, mut folders) = (Vec::new(), vec![root()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let entry = entry.unwrap();
            let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
            // Not what is built or written when something runs.
            if name.starts_with('.') || ["target", "data", "node_modules"].contains(&name.as_str()) {
                continue;
            }
            if entry.file_type().unwrap().is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                found.push(path);
            }
        }
    }
    // Reports as they were last looked at: their links are of a ledger.
    found.retain(|path| !path.to_string_lossy().contains("/golden/"));
    found.sort();
    found
}

/// A document without its blocks and spans of code.
fn prose(text: &str) -> String {
    let mut prose = String::new();
    let mut code = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            code = !code;
        } else if !code {
            // Spans of code are every second part.
            prose.extend(line.split('`').step_by(2));
            prose.push('\n');
        }
    }
    prose
}

/// The anchors of a document's headings, as GitHub makes them.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut code = false;
    let mut found = BTreeSet::new();
    for line in text.lines() {
        code ^= line.trim_start().starts_with("```");
        let Some(heading) = line.strip_prefix('#').filter(|_| !code) else { continue };
        let heading = heading.trim_start_matches('#').trim().to_lowercase();
        let kept = heading.chars().filter(|c| c.is_alphanumeric() || [' ', '-', '_'].contains(c));
        found.insert(kept.map(|c| if c == ' ' { '-' } else { c }).collect());
    }
    found
}

/// What is wrong with a link of `document`.
fn wrong(document: &Path, link: &str) -> Option<String> {
    if link.contains("://") || link.starts_with("mailto:") {
        return None;
    }
    let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
    let path = if file.is_empty() { document.to_owned() } else { document.parent()?.join(file) };
    if !path.exists() {
        return Some(format!("{link} does not exist"));
    }
    if anchor.is_empty() || path.extension().is_none_or(|extension| extension != "md") {
        return None;
    }
    let known = anchors(&std::fs::read_to_string(&path).unwrap());
    (!known.contains(anchor)).then(|| format!("{link}: no such heading"))
}

#[test]
fn every_link_of_every_document_leads_somewhere() {
    let (mut findings, mut links) = (Vec::new(), 0);
    for document in documents() {
        let text = prose(&std::fs::read_to_string(&document).unwrap());
        for link in text.split("](").skip(1).filter_map(|rest| rest.split([')', ' ']).next()) {
            links += 1;
            findings.extend(wrong(&document, link).map(|what| format!("{}: {what}", document.display())));
        }
    }
    assert!(links > 300, "{links}");
    assert!(findings.is_empty(), "{}", findings.join("\n"));
}

#[test]
fn a_link_to_what_is_not_there_is_found() {
    let readme = root().join("README.md");
    assert_eq!(wrong(&readme, "docs/report.md#closing-a-month"), None);
    assert_eq!(wrong(&readme, "https://example.com/#x"), None);
    assert!(wrong(&readme, "docs/report.md#opening-a-month").is_some());
    assert!(wrong(&readme, "docs/reports.md").is_some());
    assert!(wrong(&readme, "#no-such-heading").is_some());
}

/// The commands of a document's first block, without what is said about them.
fn first_commands(text: &str) -> Vec<String> {
    let block = text.split("```sh\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    block.lines().map(|line| line.split('#').next().unwrap().trim().to_owned()).collect()
}

#[test]
fn both_readmes_begin_with_the_same_commands_and_the_japanese_one_leads_where_the_english_one_does() {
    let (english, japanese) = (read("README.md"), read("README.ja.md"));
    assert_eq!(first_commands(&japanese), first_commands(&english));
    assert_eq!(first_commands(&english)[..2], ["make run", "make test"]);
    let links = |text: &str| -> BTreeSet<String> {
        let links = text.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next());
        links.map(str::to_owned).collect()
    };
    let own = ["README.md", "docs/images/report-ja.png"].map(str::to_owned).into();
    let further: Vec<String> = links(&japanese)
        .difference(&links(&english))
        .filter(|link| !BTreeSet::contains(&own, *link))
        .cloned()
        .collect();
    assert!(further.is_empty(), "not in README.md: {further:?}");
}
