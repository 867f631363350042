//! The contract's duties: a line for each, and below what broke them.

use super::Page;
use super::text::{escaped, heading, table};
use crate::report::words::labels;

impl Page<'_> {
    pub(super) fn duties(&self, out: &mut String) {
        let (words, lang, duties) = (&self.words, self.lang, &self.report.duties);
        if duties.is_empty() {
            return;
        }
        heading(out, 2, labels::duties(lang));
        *out += &format!("{}\n\n", labels::duties_explained(lang));
        let rows: Vec<[String; 4]> = duties
            .iter()
            .map(|duty| {
                let state = format!("**{}**", words.duty_state(duty.state));
                [escaped(&duty.clause), escaped(duty.title.of(lang)), state, escaped(&words.duty_evidence(duty))]
            })
            .collect();
        let columns = [labels::clause(lang), labels::duty(lang), labels::verdict(lang), labels::evidence(lang)];
        table(out, &columns, &rows);
        for duty in duties.iter().filter(|duty| !duty.breaches.is_empty() || !duty.missing.is_empty()) {
            heading(out, 3, &format!("{} {}", escaped(&duty.clause), escaped(duty.title.of(lang))));
            let breaches = duty.breaches.iter().map(|breach| words.breach(breach));
            let more = (duty.more_breaches > 0).then(|| words.more_breaches(duty.more_breaches));
            let missing = duty.missing.iter().map(|missing| words.missing(missing));
            super::list(out, &breaches.chain(more).chain(missing).collect::<Vec<_>>());
        }
    }
}
