//! The page for people: one document that needs nothing else, no script, font, style or picture from elsewhere.
//!
//! States are told by words and shapes, colour only goes with them. Everything that came from a file is escaped by the markup
//! macro. Pure. Not for: what is on it (`page`).

mod days;
mod entries;
mod functions;

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest as _, Sha256};

use super::badge::mark;
use super::document::{Document, Place};
use super::page::Page;
use super::state::State;
use super::words::Words;
use crate::lang::Lang;

const STYLE: &str = include_str!("style.css");

static POLICY: LazyLock<String> = LazyLock::new(|| {
    let hash = STANDARD.encode(Sha256::digest(STYLE));
    format!("default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'")
});

/// For `Content-Security-Policy`: nothing is loaded or run but the page's own style.
#[must_use]
pub fn content_security_policy() -> &'static str {
    &POLICY
}

/// The document.
#[must_use]
pub fn render(page: &Page, lang: Lang, place: Place) -> String {
    View { page, words: Words { page, lang }, lang, place }.document().into_string()
}

/// What all parts of the page need.
struct View<'a> {
    page: &'a Page,
    words: Words<'a>,
    lang: Lang,
    place: Place,
}

impl View<'_> {
    fn document(&self) -> Markup {
        let worst = self.page.worst();
        html! {
            (DOCTYPE)
            html lang=(self.lang.code()) {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    @if self.place == Place::Files { meta http-equiv="Content-Security-Policy" content=(*POLICY); }
                    meta name="color-scheme" content="light dark";
                    title { (mark(worst)) " " (self.words.overall()) " – " (self.words.title()) }
                    link rel="alternate" type="application/atom+xml" title=(self.words.title()) href=(self.link(&Document::Feed));
                    link rel="alternate" hreflang=(self.other().code()) href=(self.place.link(self.lang, &Document::Html, self.other()));
                    style { (PreEscaped(STYLE)) }
                }
                body {
                    a.skip href="#main" { (self.say("本文へ", "Skip to content")) }
                    (self.head())
                    main id="main" {
                        (self.overall(worst))
                        (entries::now(self))
                        (functions::section(self))
                        (entries::planned(self))
                        (entries::past(self))
                        (entries::done(self))
                    }
                    (self.foot())
                }
            }
        }
    }

    fn head(&self) -> Markup {
        let other = self.other();
        html! {
            header {
                p.contract { (self.words.text(&self.page.title)) }
                nav aria-label=(self.say("言語", "Language")) {
                    span aria-current="true" { (self.say("日本語", "English")) }
                    a href=(self.place.link(self.lang, &Document::Html, other)) lang=(other.code()) hreflang=(other.code()) {
                        (other.pick("日本語", "English"))
                    }
                }
            }
        }
    }

    fn overall(&self, worst: State) -> Markup {
        html! {
            section.overall.(worst.word()) aria-labelledby="overall" {
                span.sign aria-hidden="true" { (mark(worst)) }
                div {
                    h1 id="overall" { (self.words.overall()) }
                    p { (self.time(self.page.minute())) (self.say(" 現在", "")) }
                }
            }
        }
    }

    fn foot(&self) -> Markup {
        html! {
            footer {
                nav aria-label=(self.say("購読", "Subscribe")) {
                    a href=(self.link(&Document::Feed)) { (self.say("Atom フィード", "Atom feed")) }
                    a href=(self.link(&Document::Calendar)) { (self.say("メンテナンスのカレンダー (iCalendar)", "Maintenance calendar (iCalendar)")) }
                    a href=(self.link(&Document::Summary)) { (self.say("状態 (JSON)", "State (JSON)")) }
                }
                p {
                    (self.say("時刻はすべて ", "All times are those of ")) (self.page.zone_name)
                    (self.say(" です。稼働状況は5分ごとの測定に基づきます。", ". Measured every five minutes."))
                }
            }
        }
    }

    fn state(&self, state: State) -> Markup {
        html! { span.state.(state.word()) { span.sign aria-hidden="true" { (mark(state)) } (self.words.state(state)) } }
    }

    fn time(&self, at: i64) -> Markup {
        html! { time datetime=(self.words.machine(at)) { (self.words.moment(at)) } }
    }

    fn say<T>(&self, ja: T, en: T) -> T {
        self.words.say(ja, en)
    }

    fn other(&self) -> Lang {
        self.lang.pick(Lang::En, Lang::Ja)
    }

    fn link(&self, to: &Document) -> String {
        self.place.link(self.lang, to, self.lang)
    }
}
