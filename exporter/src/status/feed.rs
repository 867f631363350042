//! The Atom feed (RFC 4287): one entry per incident and per announced maintenance, updated with each step.
//!
//! An entry's id never changes, and `updated` moves on with every update, ruling, recovery and cancellation, so that readers
//! show it again. Pure.

use maud::{Markup, html};
use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};

use super::document::{Document, Place};
use super::entries::{IncidentView, StopView};
use super::page::Page;
use super::words::Words;
use crate::lang::Lang;

/// A reader that was away for longer looks at the page.
const MOST: usize = 100;

struct Entry {
    id: String,
    title: String,
    published: i64,
    updated: i64,
    content: Markup,
}

/// The feed.
#[must_use]
pub fn render(page: &Page, lang: Lang, place: Place) -> Vec<u8> {
    let words = Words { page, lang };
    let mut entries: Vec<Entry> =
        page.open.iter().chain(&page.past).map(|incident| of_incident(words, incident)).collect();
    entries.extend(page.planned.iter().chain(&page.done).map(|stop| of_stop(words, stop)));
    entries.sort_by(|a, b| (b.updated, &b.id).cmp(&(a.updated, &a.id)));
    entries.truncate(MOST);
    let mut feed = Xml(Writer::new_with_indent(Vec::new(), b' ', 1));
    feed.event(Event::Decl(BytesDecl::new("1.0", Some("utf-8"), None)));
    feed.open("feed", &[("xmlns", "http://www.w3.org/2005/Atom"), ("xml:lang", lang.code())]);
    // In each language a feed of its own.
    feed.text("id", &[], &format!("urn:uuid:{}", super::identity::uuid(&page.id, "feed", lang.code())));
    feed.text("title", &[], &words.title());
    // Without entries nothing ever happened: the moment the software counts from, not now, which would be news each time.
    feed.text("updated", &[], &words.machine(entries.first().map_or(0, |entry| entry.updated)));
    feed.open("author", &[]);
    feed.text("name", &[], words.text(&page.title));
    feed.close("author");
    if let Some(own) = place.address(page, &Document::Feed, lang) {
        feed.empty("link", &[("rel", "self"), ("type", "application/atom+xml"), ("href", &own)]);
    }
    let html = place.address(page, &Document::Html, lang);
    if let Some(html) = &html {
        feed.empty("link", &[("rel", "alternate"), ("type", "text/html"), ("href", html)]);
    }
    for entry in &entries {
        feed.open("entry", &[]);
        feed.text("id", &[], &format!("urn:uuid:{}", entry.id));
        feed.text("title", &[], &entry.title);
        feed.text("published", &[], &words.machine(entry.published));
        feed.text("updated", &[], &words.machine(entry.updated));
        if let Some(html) = &html {
            feed.empty(
                "link",
                &[("rel", "alternate"), ("type", "text/html"), ("href", &format!("{html}#e-{}", entry.id))],
            );
        }
        feed.text("content", &[("type", "html")], &entry.content.0);
        feed.close("entry");
    }
    feed.close("feed");
    feed.0.into_inner()
}

fn of_incident(words: Words<'_>, incident: &IncidentView) -> Entry {
    let functions = words.functions(&incident.functions);
    let content = html! {
        p { (functions) " — " (words.lasted(incident)) }
        @if let Some(cause) = &incident.cause { p { (words.cause(cause)) } }
        @for update in &incident.updates {
            p { strong { (words.status(update.status)) } " " (words.moment(update.at)) }
            p { @for line in words.text(&update.text).lines() { (line) br; } }
        }
    };
    let status = words.status(incident.status);
    let title = words.text(&incident.title);
    Entry {
        id: incident.id.clone(),
        title: words.say(format!("【{status}】{functions}: {title}"), format!("[{status}] {functions}: {title}")),
        published: incident.started,
        updated: incident.updated,
        content,
    }
}

fn of_stop(words: Words<'_>, stop: &StopView) -> Entry {
    let functions = words.functions(&stop.functions);
    let content = html! {
        p { (words.stop_kind(stop)) " — " (functions) " — " (words.stretch(stop.start, stop.end)) }
        @if let Some(finished) = stop.finished { p { (words.say("終了: ", "Finished: ")) (words.moment(finished)) } }
        @if !words.text(&stop.text).is_empty() { p { @for line in words.text(&stop.text).lines() { (line) br; } } }
    };
    let (kind, phase, title) = (words.stop_kind(stop), words.phase(stop.phase), words.text(&stop.title));
    let day = words.day(stop.start);
    // Begin and end are steps too.
    let updated = match stop.phase {
        super::state::Phase::InProgress | super::state::Phase::Overrun => stop.updated.max(stop.start),
        super::state::Phase::Completed => stop.updated.max(stop.finished.unwrap_or(stop.end)),
        _ => stop.updated,
    };
    Entry {
        id: stop.id.clone(),
        title: words.say(
            format!("【{kind}・{phase}】{day} {functions}: {title}"),
            format!("[{kind}: {phase}] {day} {functions}: {title}"),
        ),
        published: stop.announced,
        updated,
        content,
    }
}

/// XML into memory, where writing does not fail.
struct Xml(Writer<Vec<u8>>);

impl Xml {
    fn event(&mut self, event: Event<'_>) {
        let _ = self.0.write_event(event);
    }

    fn start<'a>(name: &'a str, attributes: &[(&'a str, &'a str)]) -> BytesStart<'a> {
        BytesStart::new(name).with_attributes(attributes.iter().copied())
    }

    fn open(&mut self, name: &str, attributes: &[(&str, &str)]) {
        self.event(Event::Start(Self::start(name, attributes)));
    }

    fn close(&mut self, name: &str) {
        self.event(Event::End(BytesEnd::new(name)));
    }

    fn empty(&mut self, name: &str, attributes: &[(&str, &str)]) {
        self.event(Event::Empty(Self::start(name, attributes)));
    }

    fn text(&mut self, name: &str, attributes: &[(&str, &str)], text: &str) {
        self.open(name, attributes);
        // What XML cannot hold, not even escaped.
        let clean: String = text.chars().filter(|c| is_xml(*c)).collect();
        self.event(Event::Text(BytesText::new(&clean)));
        self.close(name);
    }
}

/// Whether XML 1.0 has this character.
pub(super) fn is_xml(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}
