//! The report as Markdown (GitHub's tables): to read as it is, in a repository, a ticket or a wiki.
//!
//! Pure. Texts out of the ledger are escaped: they are shown as written and become neither markup nor links. Not for: the
//! picture of the month (`html`), figures (`figures`).

mod difference;
mod duties;
mod entries;
mod text;

use self::text::{escaped, heading, table};
use super::model::{Figures, FunctionReport, Report, Source, State};
use super::rounding;
use super::words::{Words, labels};
use crate::lang::Lang;

/// `report` as Markdown.
#[must_use]
pub fn render(report: &Report, lang: Lang) -> String {
    let page = Page { report, words: Words::new(report, lang), lang };
    let mut out = String::new();
    page.head(&mut out);
    page.status(&mut out);
    page.result(&mut out);
    page.difference(&mut out);
    for function in &report.functions {
        page.function(function, &mut out);
    }
    page.incidents(&mut out);
    page.maintenance(&mut out);
    page.unexplained(&mut out);
    page.gaps(&mut out);
    page.duties(&mut out);
    page.year(&mut out);
    page.drills(&mut out);
    page.advisories(&mut out);
    out
}

struct Page<'a> {
    report: &'a Report,
    words: Words<'a>,
    lang: Lang,
}

impl Page<'_> {
    fn head(&self, out: &mut String) {
        let Self { report, words, lang } = self;
        let title = escaped(report.contract.title.of(*lang));
        heading(out, 1, &format!("{} {}", labels::title(*lang), words.month(report.month)));
        *out += &format!("**{title}**\n\n");
        let zone = &report.contract.timezone;
        let period = words.stretch(report.month_start, Some(report.month_end));
        let Source { url, version, .. } = &report.source;
        let version = version.as_ref().map(|version| format!(" ({version})")).unwrap_or_default();
        let mut rows = vec![
            [labels::period(*lang).to_owned(), escaped(&format!("{period} ({zone})"))],
            [labels::status(*lang).to_owned(), words.state(report.status.state).to_owned()],
            [labels::generated(*lang).to_owned(), words.moment(report.generated_at)],
        ];
        rows.extend(report.revision.map(|number| [labels::revision(*lang).to_owned(), number.to_string()]));
        rows.extend([
            [labels::source(*lang).to_owned(), escaped(&format!("{url}{version}"))],
            [labels::ledger(*lang).to_owned(), format!("SHA-256 `{}`", report.ledger_sha256)],
            [labels::tool(*lang).to_owned(), format!("sla-exporter {}", escaped(&report.tool_version))],
        ]);
        table(out, &["", ""], &rows);
    }

    fn status(&self, out: &mut String) {
        let Self { report, words, .. } = self;
        let status = &report.status;
        let sentence = words.state_sentence(status.state);
        *out += &match status.state {
            State::Final => format!("{sentence}\n\n"),
            State::Provisional => format!("**{sentence}**\n\n"),
        };
        let lines: Vec<String> = status.waiting.iter().map(|waiting| words.waiting(waiting)).collect();
        list(out, &lines);
        let notes: Vec<String> = status.notes.iter().map(|note| words.note(note)).collect();
        list(out, &notes);
        list(out, &report.source.warnings);
    }

    fn result(&self, out: &mut String) {
        let Self { report, words, lang } = self;
        let lang = *lang;
        heading(out, 2, labels::result(lang));
        let rows: Vec<[String; 6]> = report
            .functions
            .iter()
            .map(|function| {
                let figures = &function.provisional;
                [
                    escaped(function.title.of(lang)),
                    words.promised(function.objective),
                    words.percent(rounding::availability(figures, function.objective)),
                    words.percent(rounding::availability_lower(figures, function.objective)),
                    words.length(figures.downtime_seconds),
                    format!("**{}**", words.outcome(function.outcome)),
                ]
            })
            .collect();
        let columns = [
            labels::function(lang),
            labels::objective(lang),
            labels::availability(lang),
            labels::availability_lower(lang),
            labels::downtime(lang),
            labels::verdict(lang),
        ];
        table(out, &columns, &rows);
        *out += &format!("{}\n\n", labels::lower_explained(lang));
    }

    fn function(&self, function: &FunctionReport, out: &mut String) {
        let (words, lang) = (&self.words, self.lang);
        heading(out, 2, &escaped(function.title.of(lang)));
        self.formula(function, out);
        self.parts(function, out);
        *out += &format!("{}\n\n", labels::figures_explained(lang));
        let row = |label: &str, of: &dyn Fn(&Figures) -> String| {
            let FunctionReport { measured, provisional, adjudicated, .. } = function;
            [label.to_owned(), of(measured), of(provisional), of(adjudicated)]
        };
        let rows = [
            row(labels::excluded(lang), &|figures| words.length(figures.excluded_seconds())),
            row(labels::service(lang), &|figures| words.length(figures.service_seconds)),
            row(labels::downtime_judged(lang), &|figures| words.length(figures.judged_downtime_seconds)),
            row(labels::downtime_measured(lang), &|figures| words.length(figures.measured_downtime_seconds)),
            row(labels::downtime(lang), &|figures| words.length(figures.downtime_seconds)),
            row(labels::unmeasured(lang), &|figures| words.length(figures.unmeasured_seconds)),
            row(labels::availability(lang), &|figures| {
                words.percent(rounding::availability(figures, function.objective))
            }),
            row(labels::availability_lower(lang), &|figures| {
                words.percent(rounding::availability_lower(figures, function.objective))
            }),
        ];
        let columns =
            [labels::figures(lang), labels::measured(lang), labels::provisional(lang), labels::adjudicated(lang)];
        table(out, &columns, &rows);
    }

    /// The contract's formula with its numbers filled in (C4.1f).
    fn formula(&self, function: &FunctionReport, out: &mut String) {
        let (words, lang) = (&self.words, self.lang);
        let figures = &function.provisional;
        let [excluded, service, downtime] =
            [figures.excluded_seconds(), figures.service_seconds, figures.downtime_seconds].map(|s| words.length(s));
        let days = i64::from(self.report.days);
        // Where clocks changed, days × 24 × 60 is not what passed.
        let calendar = if figures.calendar_seconds == days * 86_400 {
            lang.pick(format!("{days}日 × 24 × 60"), format!("{days} days × 24 × 60"))
        } else {
            words.length(figures.calendar_seconds)
        };
        let [service_label, excluded_label] = [labels::service(lang), labels::excluded(lang)];
        let (availability, open) = (labels::availability(lang), labels::downtime(lang));
        *out += &format!("- {service_label} = {calendar} − {excluded_label} {excluded} = {service}\n");
        if let Some(result) = rounding::availability(figures, function.objective) {
            let result = words.percent(Some(result));
            *out += &format!(
                "- {availability} = ({service_label} {service} − {open} {downtime}) ÷ {service_label} {service} × 100 = \
                 **{result}**\n"
            );
        }
        *out += "\n";
    }

    fn parts(&self, function: &FunctionReport, out: &mut String) {
        let (words, lang) = (&self.words, self.lang);
        let figures = &function.provisional;
        let excluded = figures.excluded;
        let overrun = function.overrun.judged_seconds + function.overrun.measured_seconds;
        let mut rows: Vec<[String; 2]> = [
            (labels::calendar(lang), figures.calendar_seconds),
            (labels::excluded_planned(lang), excluded.planned_seconds),
            (labels::excluded_upstream(lang), excluded.upstream_seconds),
            (labels::excluded_force_majeure(lang), excluded.force_majeure_seconds),
            (labels::service(lang), figures.service_seconds),
            (labels::downtime(lang), figures.downtime_seconds),
            (labels::downtime_judged(lang), figures.judged_downtime_seconds),
            (labels::downtime_measured(lang), figures.measured_downtime_seconds),
            (labels::downtime_overrun(lang), overrun),
            (labels::unmeasured(lang), figures.unmeasured_seconds),
            (labels::allowed(lang), figures.allowed_downtime_seconds),
        ]
        .map(|(label, seconds)| [label.to_owned(), words.length(seconds)])
        .into();
        if let Some(left) = figures.budget_remaining_seconds {
            rows.push([labels::budget(lang).to_owned(), words.length(left)]);
        }
        // What it would be if the month ended now; the headline is against the whole month.
        if self.report.counted_until < self.report.month_end {
            let to_date = words.percent(rounding::availability_to_date(figures, function.objective));
            rows.push([labels::availability_to_date(lang).to_owned(), to_date]);
        }
        table(out, &[labels::item(lang), labels::time(lang)], &rows);
    }
}

fn list(out: &mut String, lines: &[String]) {
    if lines.is_empty() {
        return;
    }
    for line in lines {
        *out += &format!("- {}\n", escaped(line));
    }
    *out += "\n";
}

#[cfg(test)]
mod tests;
