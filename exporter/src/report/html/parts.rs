//! Small parts that sections are made of.
//!
//! Not for: what any of them means.

use jiff::Timestamp;
use maud::{Markup, html};

use super::Page;
use crate::contract::Text;
use crate::report::model::Outcome;

impl Page<'_> {
    /// A moment, for readers and for machines.
    pub(super) fn moment(&self, at: i64) -> Markup {
        let machine = Timestamp::from_second(at).map(|moment| moment.to_string()).unwrap_or_default();
        html! { time datetime=(machine) { (self.words.moment(at)) } }
    }

    /// A stretch, that is not torn between its two moments' parts.
    pub(super) fn stretch(&self, start: i64, end: Option<i64>) -> Markup {
        html! { span.stretch { (self.words.stretch(start, end)) } }
    }

    /// A length: in a cell, a zero steps back.
    pub(super) fn length(&self, seconds: i64) -> Markup {
        html! { span.length.zero[seconds == 0] { (self.words.length(seconds)) } }
    }

    /// A text of the ledger, with the lines it has.
    pub(super) fn text(&self, text: &Text) -> Markup {
        html! { span.text { (text.of(self.lang)) } }
    }

    /// On what a ruling rests: an address can be followed, whatever else it is stays a text.
    pub(super) fn evidence(&self, text: &Text) -> Markup {
        let text = text.of(self.lang);
        let is_link = url::Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
        html! {
            @if is_link { a href=(text) rel="noopener noreferrer" { (text) } } @else { span.text { (text) } }
        }
    }

    /// The entry's id as a way to what is said about it.
    pub(super) fn entry(&self, id: &str) -> Markup {
        html! { span.id { (self.about(id, id)) } }
    }

    /// Words as a way to what is said about an entry, where anything is.
    pub(super) fn about(&self, id: &str, words: &str) -> Markup {
        html! { @if self.entries.contains(id) { a href={ "#entry-" (id) } { (words) } } @else { (words) } }
    }

    /// A sign and words, for something that was kept or not.
    pub(super) fn check(&self, kept: bool, words: &str) -> Markup {
        html! {
            span.check.kept[kept].broken[!kept] { span.sign aria-hidden="true" { (if kept { "✓" } else { "✕" }) } " " (words) }
        }
    }

    /// What became of an objective: sign, word and colour.
    pub(super) fn outcome(&self, outcome: Outcome) -> Markup {
        let (class, sign) = match outcome {
            Outcome::Met => ("met", "✓"),
            Outcome::Unproven => ("unproven", "△"),
            Outcome::Missed => ("missed", "✕"),
            Outcome::Open => ("open", "…"),
            Outcome::Unmeasured | Outcome::NoService | Outcome::NotOwed => ("nothing", "–"),
        };
        html! {
            span.outcome.(class) { span.sign aria-hidden="true" { (sign) } "\u{a0}" (self.words.outcome(outcome)) }
        }
    }
}

/// A term and what it is.
pub(super) fn fact(term: &str, value: impl maud::Render) -> Markup {
    html! { div { dt { (term) } dd { (value) } } }
}
