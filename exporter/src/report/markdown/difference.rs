//! What a revision of a closed month changed.

use super::Page;
use super::text::{escaped, heading, table};
use crate::report::model::Figures;
use crate::report::rounding;
use crate::report::words::labels;

impl Page<'_> {
    /// Nothing where there was no revision before.
    pub(super) fn difference(&self, out: &mut String) {
        let (words, lang) = (&self.words, self.lang);
        let Some(difference) = &self.report.difference else { return };
        heading(out, 2, labels::difference(lang));
        *out += &format!("{}\n\n", words.difference(difference));
        let objective = |name: &str| {
            let function = self.report.functions.iter().find(|function| function.name == name);
            function.map_or(0.0, |function| function.objective)
        };
        let mut rows = Vec::new();
        for change in &difference.functions {
            let objective = objective(&change.function);
            let before = |of: &dyn Fn(&Figures) -> String| change.before.as_ref().map_or("—".to_owned(), of);
            let mut row = |label: &str, of: &dyn Fn(&Figures) -> String| {
                let function = escaped(words.function(&change.function));
                rows.push([function, label.to_owned(), before(of), of(&change.after)]);
            };
            row(labels::availability(lang), &|f| words.percent(rounding::availability(f, objective)));
            row(labels::downtime(lang), &|f| words.length(f.downtime_seconds));
            row(labels::excluded(lang), &|f| words.length(f.excluded_seconds()));
        }
        let (before, after) = (words.revision(difference.revision), words.revision(difference.revision + 1));
        table(out, &[labels::function(lang), labels::item(lang), &before, &after], &rows);
        let lines: Vec<String> = difference
            .entries
            .iter()
            .map(|entry| format!("{}: {}", escaped(&entry.id), words.change(entry.change)))
            .chain(difference.terms.then(|| labels::terms_changed(lang).to_owned()))
            .collect();
        super::list(out, &lines);
    }
}
