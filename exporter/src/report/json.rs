//! The report for programs: the model as it is, one line of JSON. The shape is `model`'s.

use super::model::Report;

/// `report` as one line.
///
/// # Errors
/// Never for what `assemble` makes: all in it has a form in JSON.
pub fn render(report: &Report) -> Result<String, serde_json::Error> {
    Ok(serde_json::to_string(report)? + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::golden;
    use crate::report::sample::report;

    #[test]
    fn the_shape_is_what_it_was() {
        let mut report = report();
        for function in &mut report.functions {
            function.slots.truncate(3);
        }
        // Laid out for the eye; the document is one line.
        let json: serde_json::Value = serde_json::from_str(&render(&report).unwrap()).unwrap();
        golden::check("report.json", serde_json::to_string_pretty(&json).unwrap().as_bytes());
    }

    #[test]
    fn every_field_is_in_the_documentation() {
        fn keys(value: &serde_json::Value, all: &mut std::collections::BTreeSet<String>) {
            match value {
                serde_json::Value::Object(fields) => fields.iter().for_each(|(name, value)| {
                    all.insert(name.clone());
                    keys(value, all);
                }),
                serde_json::Value::Array(items) => items.iter().for_each(|item| keys(item, all)),
                _ => {}
            }
        }
        let documentation = include_str!("../../../docs/report.md");
        let mut all = std::collections::BTreeSet::new();
        keys(&serde_json::to_value(report()).unwrap(), &mut all);
        let languages = ["ja", "en"].map(str::to_owned);
        let missing: Vec<_> = all.iter().filter(|name| !documentation.contains(&format!("`{name}`"))).collect();
        assert!(missing.iter().all(|name| languages.contains(name)), "docs/report.md lacks {missing:?}");
    }

    #[test]
    fn it_is_one_line_and_read_back() {
        let report = report();
        let json = render(&report).unwrap();
        assert_eq!(json.matches('\n').count(), 1);
        assert!(serde_json::from_str::<Report>(&json).unwrap() == report);
    }
}
