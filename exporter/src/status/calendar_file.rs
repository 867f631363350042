//! Maintenance as an iCalendar (RFC 5545), to subscribe to: what is called off stays in it as cancelled.
//!
//! All times are UTC. `SEQUENCE` counts the changes the ledger shows: notices after the first, the recorded end, the cancellation.
//! There is no `METHOD`: what subscribers fetch is the whole calendar, and `DTSTAMP` is the last change. Pure.

use jiff::Timestamp;

use super::entries::StopView;
use super::page::Page;
use super::state::Phase;
use super::words::Words;
use crate::lang::Lang;

/// Octets of a line without its end.
const FOLD: usize = 75;

/// The calendar.
#[must_use]
pub fn render(page: &Page, lang: Lang) -> String {
    let words = Words { page, lang };
    let mut text = String::new();
    let mut line = |name: &str, value: &str| fold(&mut text, &format!("{name}:{value}"));
    line("BEGIN", "VCALENDAR");
    line("VERSION", "2.0");
    line("PRODID", "-//sla-exporter//status//EN");
    line("CALSCALE", "GREGORIAN");
    let name = words
        .say(format!("{} メンテナンス", words.text(&page.title)), format!("{}: maintenance", words.text(&page.title)));
    line("NAME", &escaped(&name));
    line("X-WR-CALNAME", &escaped(&name));
    line("X-WR-TIMEZONE", &escaped(&page.zone_name));
    line("REFRESH-INTERVAL;VALUE=DURATION", "PT1H");
    line("X-PUBLISHED-TTL", "PT1H");
    for stop in page.done.iter().rev().chain(&page.planned) {
        event(words, stop, &mut line);
    }
    line("END", "VCALENDAR");
    text
}

fn event(words: Words<'_>, stop: &StopView, line: &mut impl FnMut(&str, &str)) {
    let functions = words.functions(&stop.functions);
    line("BEGIN", "VEVENT");
    line("UID", &stop.id);
    line("DTSTAMP", &utc(stop.updated));
    line("CREATED", &utc(stop.announced));
    line("LAST-MODIFIED", &utc(stop.updated));
    line("SEQUENCE", &stop.revision.to_string());
    line("DTSTART", &utc(stop.start));
    line("DTEND", &utc(stop.finished.filter(|at| *at > stop.start).unwrap_or(stop.end)));
    line("SUMMARY", &escaped(&format!("{}: {functions}", words.text(&stop.title))));
    let mut about = [words.stop_kind(stop), words.phase(stop.phase)].join(words.say("・", ", "));
    if !words.text(&stop.text).is_empty() {
        about = format!("{about}\n{}", words.text(&stop.text));
    }
    line("DESCRIPTION", &escaped(&about));
    line("CATEGORIES", "MAINTENANCE");
    line("STATUS", if stop.phase == Phase::Cancelled { "CANCELLED" } else { "CONFIRMED" });
    // Nobody's own time is taken.
    line("TRANSP", "TRANSPARENT");
    line("END", "VEVENT");
}

fn utc(at: i64) -> String {
    Timestamp::from_second(at).unwrap_or_default().strftime("%Y%m%dT%H%M%SZ").to_string()
}

/// A TEXT value (3.3.11); a lone carriage return ends no line.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.replace("\r\n", "\n").replace('\r', "\n").chars() {
        match c {
            '\\' | ';' | ',' => escaped.extend(['\\', c]),
            '\n' => escaped.push_str("\\n"),
            c if c.is_control() && c != '\t' => {}
            c => escaped.push(c),
        }
    }
    escaped
}

/// Adds a content line (3.1), folded between characters.
fn fold(text: &mut String, line: &str) {
    let mut room = FOLD;
    for c in line.chars() {
        if c.len_utf8() > room {
            text.push_str("\r\n ");
            room = FOLD - 1;
        }
        room -= c.len_utf8();
        text.push(c);
    }
    text.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_75_octets_at_most_and_no_character_is_cut() {
        for line in ["a".repeat(75), "a".repeat(76), "障".repeat(200), format!("a{}", "𠮷".repeat(60)), String::new()]
        {
            let mut text = String::new();
            fold(&mut text, &line);
            assert!(text.ends_with("\r\n"));
            assert!(text.split("\r\n").all(|part| part.len() <= 75), "{text}");
            assert_eq!(text.replace("\r\n ", "").trim_end_matches("\r\n"), line);
        }
        let mut text = String::new();
        fold(&mut text, &"a".repeat(75));
        assert_eq!(text.matches("\r\n").count(), 1, "75 octets are not folded");
    }

    #[test]
    fn a_text_cannot_begin_a_property() {
        assert_eq!(escaped("a\r\nEND:VEVENT\rb;c,d\\e\u{1}"), "a\\nEND:VEVENT\\nb\\;c\\,d\\\\e");
    }
}
