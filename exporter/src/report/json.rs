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
    fn it_is_one_line_and_read_back() {
        let report = report();
        let json = render(&report).unwrap();
        assert_eq!(json.matches('\n').count(), 1);
        assert!(serde_json::from_str::<Report>(&json).unwrap() == report);
    }
}
