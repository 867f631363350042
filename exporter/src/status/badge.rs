//! A function's state as a small picture (SVG), to show elsewhere.
//!
//! The state is told by words and a mark, the colour only goes with them. Pure.

use maud::{PreEscaped, html};

use super::feed::is_xml;
use super::page::{FunctionView, Page};
use super::state::State;
use super::words::Words;
use crate::lang::Lang;

/// The badge of `function`.
#[must_use]
pub fn render(function: &FunctionView, page: &Page, lang: Lang) -> Vec<u8> {
    let words = Words { page, lang };
    let label: String = words.text(&function.title).chars().filter(|c| is_xml(*c)).take(60).collect();
    let state = format!("{} {}", mark(function.state), words.state(function.state));
    let (left, right) = (width(&label) + 16, width(&state) + 16);
    let whole = left + right;
    let title = format!("{label}: {} ({})", words.state(function.state), words.moment(page.now));
    let drawing = html! {
        title { (title) }
        clipPath id="r" { rect width=(whole) height="22" rx="4" {} }
        g clip-path="url(#r)" {
            rect width=(left) height="22" fill="#39424e" {}
            rect x=(left) width=(right) height="22" fill=(ground(function.state)) {}
        }
        g fill="#fff" font-family="Verdana,'Hiragino Sans','Noto Sans CJK JP',sans-serif" font-size="12" {
            text x="8" y="15.5" textLength=(left - 16) lengthAdjust="spacingAndGlyphs" { (label) }
            text x=(left + 8) y="15.5" textLength=(right - 16) lengthAdjust="spacingAndGlyphs" { (state) }
        }
    };
    html! {
        (PreEscaped("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"))
        svg xmlns="http://www.w3.org/2000/svg" width=(whole) height="22" role="img" aria-label=(title) xml:lang=(lang.code()) {
            (drawing)
        }
    }
    .into_string()
    .into_bytes()
}

/// A sign of each state, different in shape.
#[must_use]
pub fn mark(state: State) -> &'static str {
    match state {
        State::Up => "✓",
        State::Maintenance => "◆",
        State::Unknown => "?",
        State::Impaired => "!",
        State::Down => "✕",
    }
}

/// Dark enough for white letters: 4.5 and more to one.
fn ground(state: State) -> &'static str {
    match state {
        State::Up => "#0b6b45",
        State::Maintenance => "#1b5fa8",
        State::Unknown => "#5f6772",
        State::Impaired => "#8a5300",
        State::Down => "#b3261e",
    }
}

/// About as wide as the text is, in pixels: letters of CJK are twice as wide.
fn width(text: &str) -> usize {
    text.chars().map(|c| if c.is_ascii() { 7 } else { 12 }).sum()
}
