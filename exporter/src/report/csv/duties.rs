//! The contract's duties.

use super::tables::Written;
use super::{Rows, cell, moment, text, word};
use crate::report::duties::kinds::AVAILABILITY;
use crate::report::model::DutyEvidence;

impl Rows<'_> {
    /// A row for each duty, or, where something broke it, for each such thing.
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
        ])?;
        let report = self.report;
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
                _ => Default::default(),
            });
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
                self.row(function, cells)?;
            }
            if duty.breaches.is_empty() {
                cells.extend(std::iter::repeat_n(String::new(), 6));
                self.row(function, cells)?;
            }
        }
        Ok(())
    }
}
