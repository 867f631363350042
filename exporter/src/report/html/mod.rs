//! The report as one HTML file that needs nothing else: no script, no style sheet, font or picture from elsewhere. It reads on a
//! screen and a phone, and prints on A4.
//!
//! Pure: a [`Report`] in, a document out. Everything that came from a ledger or a contract is escaped by the markup macro; what is
//! told by colour is also told in words. Not for: what figures are (`figures`), their digits (`rounding`), words that all
//! documents share (`words`).

mod difference;
mod duties;
mod figures;
mod foot;
mod function;
mod head;
mod incidents;
mod maintenance;
mod others;
mod parts;
pub mod picture;
mod style;
mod terms;
mod windows;
mod year;

use std::collections::BTreeSet;

use maud::{DOCTYPE, Markup, html};

use super::figures::Frame;
use super::model::Report;
use super::slots::beat;
use super::words::{Words, labels};
use crate::lang::Lang;

/// What all parts of the page need.
struct Page<'a> {
    report: &'a Report,
    words: Words<'a>,
    lang: Lang,
    frame: Frame,
    /// Ids of the entries the page has a part about: there are others, such as a maintenance that ended the month before.
    entries: BTreeSet<&'a str>,
}

/// The document.
#[must_use]
pub fn render(report: &Report, lang: Lang) -> String {
    let words = Words::new(report, lang);
    let month = report.month.span(words.zone());
    let beat = beat(report.functions.iter().map(|function| function.slots.as_slice()));
    let frame = Frame::new(month, report.generated_at, report.contract.start_at, beat);
    let incidents = report.incidents.iter().map(|incident| incident.id.as_str());
    let entries = incidents.chain(report.maintenance.iter().map(|stop| stop.id.as_str())).collect();
    Page { report, words, lang, frame, entries }.document().into_string()
}

impl Page<'_> {
    fn document(&self) -> Markup {
        let title = format!(
            "{} {} {}",
            self.report.contract.title.of(self.lang),
            self.words.month(self.report.month),
            labels::title(self.lang)
        );
        html! {
            (DOCTYPE)
            html lang=(self.lang.code()) {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    // Nothing is loaded and nothing runs, whatever a text in it says.
                    meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'";
                    meta name="color-scheme" content="light";
                    meta name="generator" content={ "sla-exporter " (self.report.tool_version) };
                    title { (title) }
                    (style::style(self))
                }
                body {
                    (picture::patterns())
                    (head::head(self))
                    main {
                        (head::summary(self))
                        (difference::section(self))
                        @for (number, function) in self.report.functions.iter().enumerate() {
                            (function::section(self, number, function))
                        }
                        (incidents::section(self))
                        (maintenance::section(self))
                        (duties::section(self))
                        (others::drills(self))
                        (others::advisories(self))
                        (terms::section(self))
                    }
                    (foot::foot(self))
                }
            }
        }
    }

    /// One of two texts.
    fn say<T>(&self, ja: T, en: T) -> T {
        self.lang.pick(ja, en)
    }
}

#[cfg(test)]
pub(crate) mod samples;
#[cfg(test)]
mod tests;
