//! The ledger's entries, and what is left to be judged.

use super::Page;
use super::text::{escaped, heading, table};
use crate::report::model::{FunctionReport, IncidentReport, MaintenanceReport};
use crate::report::rounding;
use crate::report::words::labels;

impl Page<'_> {
    pub(super) fn incidents(&self, out: &mut String) {
        let lang = self.lang;
        heading(out, 2, labels::incidents(lang));
        if self.report.incidents.is_empty() {
            *out += &format!("{}\n\n", labels::none(lang));
        }
        for incident in &self.report.incidents {
            self.incident(incident, out);
        }
    }

    fn incident(&self, incident: &IncidentReport, out: &mut String) {
        let (words, lang) = (&self.words, self.lang);
        heading(out, 3, &format!("{} ({})", escaped(incident.title.of(lang)), escaped(&incident.id)));
        let ruling = incident.decided.as_ref().map_or_else(
            || labels::not_yet(lang).to_owned(),
            |decided| escaped(&format!("{} ({})", words.moment(decided.at), decided.by)),
        );
        let notices: Vec<String> = incident.notices.iter().map(|notice| words.notice(notice)).collect();
        let mut rows = vec![
            [labels::occurred(lang).to_owned(), words.moment(incident.started_at)],
            [
                labels::converged(lang).to_owned(),
                incident.resolved_at.map_or_else(|| labels::ongoing(lang).to_owned(), |at| words.moment(at)),
            ],
            [labels::in_month(lang).to_owned(), words.length(incident.seconds_in_month)],
            [labels::cause(lang).to_owned(), escaped(&words.cause(incident))],
            [labels::ruling(lang).to_owned(), ruling],
        ];
        let evidence = incident.decided.as_ref().map_or("", |decided| decided.evidence.of(lang));
        if !evidence.is_empty() {
            rows.push([labels::evidence(lang).to_owned(), escaped(evidence)]);
        }
        rows.push([labels::first_report(lang).to_owned(), words.first_report(incident.first_report_seconds)]);
        if !notices.is_empty() {
            rows.push([labels::notices(lang).to_owned(), escaped(&notices.join("\n"))]);
        }
        table(out, &[labels::item(lang), labels::content(lang)], &rows);
        let rows: Vec<[String; 5]> = incident
            .functions
            .iter()
            .map(|of| {
                [
                    escaped(words.function(&of.function)),
                    words.length(of.downtime_seconds),
                    words.length(of.excluded_seconds),
                    words.length(of.unjudged_downtime_seconds),
                    words.slots(of.slots),
                ]
            })
            .collect();
        let columns = [
            labels::function(lang),
            labels::counted(lang),
            labels::not_counted(lang),
            labels::unjudged(lang),
            labels::measured_within(lang),
        ];
        table(out, &columns, &rows);
        for update in &incident.updates {
            let (at, status) = (words.moment(update.at), words.progress(update.status));
            *out += &format!("- {at} **{status}** {}\n", escaped(update.text.of(lang)));
        }
        if !incident.updates.is_empty() {
            *out += "\n";
        }
    }

    pub(super) fn maintenance(&self, out: &mut String) {
        let lang = self.lang;
        heading(out, 2, labels::maintenance(lang));
        if self.report.maintenance.is_empty() {
            *out += &format!("{}\n\n", labels::none(lang));
        }
        for stop in &self.report.maintenance {
            self.stop(stop, out);
        }
    }

    fn stop(&self, stop: &MaintenanceReport, out: &mut String) {
        let (words, lang) = (&self.words, self.lang);
        heading(out, 3, &format!("{} ({})", escaped(stop.title.of(lang)), escaped(&stop.id)));
        if !stop.text.of(lang).is_empty() {
            *out += &format!("{}\n\n", escaped(stop.text.of(lang)));
        }
        let kept = |kept: bool| if kept { labels::kept(lang) } else { labels::not_kept(lang) };
        let notice = stop.notice_seconds.map_or_else(
            || labels::none(lang).to_owned(),
            |seconds| format!("{} ({})", words.long(seconds), kept(stop.notice_kept)),
        );
        let slot = self.report.contract.maintenance_slot.as_ref().map_or_else(
            || labels::no_limit(lang).to_owned(),
            |slot| format!("{} ({})", words.weekly(slot), kept(stop.slot_kept)),
        );
        let mut rows = vec![
            [
                labels::kind(lang).to_owned(),
                if stop.emergency { labels::emergency(lang) } else { labels::regular(lang) }.to_owned(),
            ],
            [labels::planned_time(lang).to_owned(), words.stretch(stop.start, Some(stop.end))],
            [
                labels::finished(lang).to_owned(),
                stop.finished_at.map_or_else(|| labels::not_recorded(lang).to_owned(), |at| words.moment(at)),
            ],
            [
                labels::announced(lang).to_owned(),
                stop.announced_at.map_or_else(|| labels::none(lang).to_owned(), |at| words.moment(at)),
            ],
            [labels::notice(lang).to_owned(), notice],
            [labels::in_slot(lang).to_owned(), slot],
            [labels::exclusion(lang).to_owned(), format!("**{}**", words.exclusion(stop))],
        ];
        if let Some(at) = stop.cancelled_at {
            rows.push([labels::cancelled(lang).to_owned(), words.moment(at)]);
        }
        if !stop.notices.is_empty() {
            let notices: Vec<String> = stop.notices.iter().map(|notice| words.notice(notice)).collect();
            rows.push([labels::notices(lang).to_owned(), escaped(&notices.join("\n"))]);
        }
        table(out, &[labels::item(lang), labels::content(lang)], &rows);
        let rows: Vec<[String; 5]> = stop
            .functions
            .iter()
            .map(|of| {
                let limit = of.limit_seconds.map_or_else(
                    || labels::no_limit(lang).to_owned(),
                    |limit| format!("{} ({})", words.length(limit), kept(of.limit_kept)),
                );
                [
                    escaped(words.function(&of.function)),
                    limit,
                    words.length(of.excluded_seconds),
                    words.length(of.overrun_judged_seconds + of.overrun_measured_seconds),
                    words.length(of.counted_downtime_seconds),
                ]
            })
            .collect();
        let columns = [
            labels::function(lang),
            labels::limit(lang),
            labels::not_counted(lang),
            labels::overrun(lang),
            labels::unjudged(lang),
        ];
        table(out, &columns, &rows);
    }

    pub(super) fn unexplained(&self, out: &mut String) {
        let (words, lang) = (&self.words, self.lang);
        let all = |function: &FunctionReport| -> Vec<[String; 4]> {
            let stretches = function.unexplained.iter();
            stretches
                .map(|stretch| {
                    [
                        escaped(function.title.of(lang)),
                        words.stretch(stretch.start, Some(stretch.end)),
                        words.length(stretch.seconds),
                        escaped(&words.link(stretch.link.as_ref())),
                    ]
                })
                .collect()
        };
        let rows: Vec<[String; 4]> = self.report.functions.iter().flat_map(all).collect();
        let columns = [labels::function(lang), labels::span(lang), labels::time(lang), labels::about(lang)];
        self.listed(labels::unexplained(lang), &columns, &rows, out);
    }

    pub(super) fn gaps(&self, out: &mut String) {
        let (words, lang) = (&self.words, self.lang);
        let rows: Vec<[String; 3]> = self
            .report
            .functions
            .iter()
            .flat_map(|function| {
                function.gaps.iter().map(|gap| {
                    [
                        escaped(function.title.of(lang)),
                        words.stretch(gap.start, Some(gap.end)),
                        words.length(gap.seconds),
                    ]
                })
            })
            .collect();
        let columns = [labels::function(lang), labels::span(lang), labels::time(lang)];
        self.listed(labels::gaps(lang), &columns, &rows, out);
    }

    pub(super) fn year(&self, out: &mut String) {
        let (words, lang) = (&self.words, self.lang);
        let rows: Vec<[String; 7]> = self
            .report
            .functions
            .iter()
            .flat_map(|function| {
                function.year.iter().map(|month| {
                    let share = |known: Option<f64>, downtime| {
                        words.percent(
                            known.and_then(|_| rounding::percent(month.service_seconds, downtime, function.objective)),
                        )
                    };
                    let (down, missing) = (month.downtime_seconds, month.unmeasured_seconds);
                    [
                        escaped(function.title.of(lang)),
                        words.month(month.month),
                        share(month.availability, down),
                        share(month.availability_lower, down + missing),
                        words.length(down),
                        words.outcome(month.outcome).to_owned(),
                        words.origin(month.origin),
                    ]
                })
            })
            .collect();
        let columns = [
            labels::function(lang),
            labels::month(lang),
            labels::availability(lang),
            labels::availability_lower(lang),
            labels::downtime(lang),
            labels::verdict(lang),
            labels::origin(lang),
        ];
        self.listed(labels::year(lang), &columns, &rows, out);
    }

    pub(super) fn drills(&self, out: &mut String) {
        let (words, lang) = (&self.words, self.lang);
        let rows: Vec<[String; 2]> =
            self.report.drills.iter().map(|drill| [words.moment(drill.at), escaped(drill.text.of(lang))]).collect();
        self.listed(labels::drills(lang), &[labels::time(lang), labels::content(lang)], &rows, out);
    }

    pub(super) fn advisories(&self, out: &mut String) {
        let (words, lang) = (&self.words, self.lang);
        let rows: Vec<[String; 6]> = self
            .report
            .advisories
            .iter()
            .map(|advisory| {
                [
                    escaped(&advisory.id),
                    escaped(&advisory.component),
                    words.day(advisory.published_at),
                    words.day(advisory.due_at),
                    words.advisory(advisory).to_owned(),
                    advisory.applied_at.map_or_else(|| "–".to_owned(), |at| words.day(at)),
                ]
            })
            .collect();
        let columns = [
            labels::advisory(lang),
            labels::component(lang),
            labels::published(lang),
            labels::due(lang),
            labels::decision(lang),
            labels::applied(lang),
        ];
        self.listed(labels::advisories(lang), &columns, &rows, out);
    }

    /// A section with one table, or the word that there is nothing.
    fn listed<const N: usize>(&self, title: &str, columns: &[&str; N], rows: &[[String; N]], out: &mut String) {
        heading(out, 2, title);
        match rows {
            [] => *out += &format!("{}\n\n", labels::none(self.lang)),
            rows => table(out, columns, rows),
        }
    }
}
