//! What every alert must carry: severity, clause, texts in both languages, a runbook.

use super::{alerts, read};

#[test]
fn every_alert_has_severity_clause_texts_in_both_languages_and_a_runbook() {
    for rule in alerts() {
        let place = format!("{}: {}", rule.file, rule.name);
        let severity = rule.text(&["labels", "severity"]);
        assert!(["page", "ticket", "info"].contains(&severity), "{place}: severity {severity:?}");
        for summary in ["summary", "summary_ja"] {
            let text = rule.text(&["annotations", summary]);
            assert!(!text.contains("{{"), "{place}: {summary} is not static");
            assert!(text.ends_with(['.', '。']), "{place}: {summary} is no sentence: {text:?}");
        }
        for description in ["description", "description_ja"] {
            let text = rule.text(&["annotations", description]);
            // An alert about nothing in particular has no labels to name.
            let names = text.contains("$labels.") || rule.text(&["expr"]) == "vector(1)";
            assert!(names, "{place}: {description} does not say what it is about");
            assert!(text.ends_with(['.', '。']), "{place}: {description} is no sentence: {text:?}");
            assert!(!text.contains("{{ $labels }}"), "{place}: {description} dumps labels");
        }
        let runbook = rule.text(&["annotations", "runbook_url"]);
        let end = format!("/docs/runbooks/{}.md", rule.name);
        assert!(runbook.starts_with("https://") && runbook.ends_with(&end), "{place}: {runbook:?}");
    }
}

#[test]
fn every_clause_of_an_alert_is_one_the_contract_has() {
    let clauses = read("docs/clauses.md");
    for rule in alerts() {
        let clause = rule.text(&["labels", "clause"]);
        assert!(!clause.is_empty(), "{}: no clause", rule.name);
        for id in clause.split(' ') {
            assert!(clauses.contains(id), "{}: clause {id} is not in docs/clauses.md", rule.name);
        }
    }
}
