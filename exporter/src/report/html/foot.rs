//! What identifies the report: ledger, tool, source and moment. With them anybody can make it again.
//!
//! Not for: who wrote it.

use maud::{Markup, html};

use super::Page;
use super::parts::fact;
use crate::report::rounding::grouped;
use crate::report::words::labels;

pub(super) fn foot(page: &Page<'_>) -> Markup {
    let (report, lang) = (page.report, page.lang);
    let entries = grouped(i64::try_from(report.ledger_entries).unwrap_or(i64::MAX));
    let noun = if report.ledger_entries == 1 { "entry" } else { "entries" };
    html! {
        footer {
            h2 { (page.say("本報告書の出どころ", "What this report was made of")) }
            dl.facts.wide {
                (fact(page.say("契約", "Contract"), html! { span.id { (report.contract.name) } }))
                (fact(labels::ledger(lang), html! {
                    (page.say(format!("{entries}件"), format!("{entries} {noun}"))) " · SHA-256 " code.hash { (report.ledger_sha256) }
                }))
                (fact(labels::source(lang), html! {
                    @if report.source.url.is_empty() { "–" } @else { (report.source.url) }
                    @if let Some(version) = &report.source.version { " · " (version) }
                }))
                @if !report.source.warnings.is_empty() {
                    (fact(page.say("測定データへの注意", "Remarks of the source"), html! {
                        ul.plain { @for warning in &report.source.warnings { li.text { (warning) } } }
                    }))
                }
                (fact(page.say("集計済みの時刻", "Counted until"), page.moment(report.counted_until)))
                (fact(labels::generated(lang), page.moment(report.generated_at)))
                @if let Some(revision) = report.revision { (fact(labels::revision(lang), revision)) }
                (fact(labels::tool(lang), html! { "sla-exporter " (report.tool_version) }))
            }
            p.small { (page.say("すべての時刻は", "All times are of ")) (report.contract.timezone) (page.say("のものです。", ".")) }
        }
    }
}
