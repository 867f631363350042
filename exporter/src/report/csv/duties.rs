//! The contract's duties.

use super::tables::Written;
use super::{Rows, cell, moment, text, word};
use crate::report::duties::kinds::AVAILABILITY;
use crate::report::model::DutyEvidence;
use crate::report::words::Words;

/// In the column of how something broke a duty: nobody knows whether it did.
const NOT_MEASURED: &str = "not_measured";

/// The word JSON has for it.
fn kind(evidence: &DutyEvidence) -> String {
    let value = serde_json::to_value(evidence).unwrap_or_default();
    value.get("kind").and_then(serde_json::Value::as_str).map(str::to_owned).unwrap_or_default()
}

impl Rows<'_> {
    /// A row for each duty, or, where something broke it or was not measured, for each such thing.
    pub(super) fn duties(&mut self) -> Written {
        self.head(&[
            "clause",
            "duty",
            "title",
            "state",
            "expected_seconds",
            "measured_seconds",
            "broken_seconds",
            "expected_days",
            "measured_days",
            "item",
            "how",
            "start",
            "end",
            "seconds",
            "stretches",
            "evidence",
            "explanation",
        ])?;
        let report = self.report;
        let words = Words::new(report, self.lang);
        for duty in &report.duties {
            let function = duty.duty.strip_prefix(AVAILABILITY).unwrap_or_default();
            let mut cells =
                vec![text(&duty.clause), text(&duty.duty), text(duty.title.of(self.lang)), word(&duty.state)];
            cells.extend(match &duty.evidence {
                DutyEvidence::Slots {
                    expected_seconds,
                    measured_seconds,
                    broken_seconds,
                    expected_days,
                    measured_days,
                } => [
                    expected_seconds.to_string(),
                    measured_seconds.to_string(),
                    broken_seconds.to_string(),
                    cell(*expected_days),
                    cell(*measured_days),
                ],
                DutyEvidence::Answers { expected_days, measured_days, .. } => {
                    let mut cells: [String; 5] = Default::default();
                    (cells[3], cells[4]) = (cell(*expected_days), cell(*measured_days));
                    cells
                }
                _ => Default::default(),
            });
            let mut explanation = words.duty_evidence(duty);
            if duty.more_breaches > 0 {
                explanation = format!("{explanation} {}", words.more_breaches(duty.more_breaches));
            }
            let why = [kind(&duty.evidence), text(&explanation)];
            for breach in &duty.breaches {
                let mut cells = cells.clone();
                cells.extend([
                    text(&breach.item),
                    word(&breach.how),
                    cell(breach.start.map(moment)),
                    cell(breach.end.map(moment)),
                    breach.seconds.to_string(),
                    breach.stretches.to_string(),
                ]);
                cells.extend(why.clone());
                self.row(function, cells)?;
            }
            for missing in &duty.missing {
                let mut cells = cells.clone();
                let [start, end, stretches] = Default::default();
                let how = NOT_MEASURED.to_owned();
                cells.extend([text(&missing.item), how, start, end, missing.seconds.to_string(), stretches]);
                cells.extend(why.clone());
                self.row(function, cells)?;
            }
            if duty.breaches.is_empty() && duty.missing.is_empty() {
                cells.extend(std::iter::repeat_n(String::new(), 6));
                cells.extend(why);
                self.row(function, cells)?;
            }
        }
        Ok(())
    }
}
