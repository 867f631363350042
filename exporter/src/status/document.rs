//! The documents of the status page: their names, types and addresses, in the running exporter and in a static site.
//!
//! Not for: what is in them.

use super::page::Page;
use super::{badge, calendar_file, feed, html, summary};
use crate::lang::Lang;

/// One document.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Document {
    /// The page for people.
    Html,
    /// Atom.
    Feed,
    /// JSON for programs.
    Summary,
    /// iCalendar.
    Calendar,
    /// One function's state as a picture.
    Badge(String),
}

/// Where documents are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// `/status` of the running exporter; the language is a parameter.
    Served,
    /// Files in a folder; English ones are in the folder `en` of it.
    Files,
}

impl Document {
    /// All of `page`.
    #[must_use]
    pub fn all(page: &Page) -> Vec<Self> {
        let badges = page.functions.iter().map(|function| Self::Badge(function.name.clone()));
        [Self::Html, Self::Feed, Self::Summary, Self::Calendar].into_iter().chain(badges).collect()
    }

    /// The document at what follows `/status` in an address.
    #[must_use]
    pub fn at(path: &str) -> Option<Self> {
        match path {
            "" => Some(Self::Html),
            "/feed.atom" => Some(Self::Feed),
            "/summary.json" => Some(Self::Summary),
            "/maintenance.ics" => Some(Self::Calendar),
            _ => Some(Self::Badge(path.strip_prefix("/badge/")?.strip_suffix(".svg")?.to_owned())),
        }
    }

    /// The name of its file.
    #[must_use]
    pub fn file(&self) -> String {
        match self {
            Self::Html => "index.html".to_owned(),
            Self::Feed => "feed.atom".to_owned(),
            Self::Summary => "summary.json".to_owned(),
            Self::Calendar => "maintenance.ics".to_owned(),
            Self::Badge(function) => format!("badge/{function}.svg"),
        }
    }

    /// For `Content-Type`.
    #[must_use]
    pub fn content_type(&self) -> &'static str {
        match self {
            Self::Html => "text/html; charset=utf-8",
            Self::Feed => "application/atom+xml; charset=utf-8",
            Self::Summary => "application/json",
            Self::Calendar => "text/calendar; charset=utf-8",
            Self::Badge(_) => "image/svg+xml",
        }
    }

    /// Its bytes; nothing where the page has no such document.
    #[must_use]
    pub fn render(&self, page: &Page, lang: Lang, place: Place) -> Option<Vec<u8>> {
        Some(match self {
            Self::Html => html::render(page, lang, place).into_bytes(),
            Self::Feed => feed::render(page, lang, place),
            Self::Summary => summary::render(page, lang, place),
            Self::Calendar => calendar_file::render(page, lang).into_bytes(),
            Self::Badge(name) => badge::render(page.functions.iter().find(|f| f.name == *name)?, page, lang),
        })
    }
}

impl Place {
    /// The address of `to` as written in the page for people in `from`.
    #[must_use]
    pub fn link(self, from: Lang, to: &Document, lang: Lang) -> String {
        match self {
            // Relative to `…/status`: right behind a proxy that adds a path, too.
            Self::Served if *to == Document::Html => format!("?lang={}", lang.code()),
            Self::Served => format!("status/{}?lang={}", to.file(), lang.code()),
            Self::Files => {
                let up = if from == Lang::En { "../" } else { "" };
                let folder = if lang == Lang::En { "en/" } else { "" };
                let path = if from == lang { String::new() } else { format!("{up}{folder}") };
                path + &to.file()
            }
        }
    }

    /// The full address of `to`, where it is known.
    #[must_use]
    pub fn address(self, page: &Page, to: &Document, lang: Lang) -> Option<String> {
        let base = page.url.as_deref()?;
        Some(match self {
            Self::Served if *to == Document::Html => format!("{}?lang={}", base.trim_end_matches('/'), lang.code()),
            Self::Served => format!("{base}{}?lang={}", to.file(), lang.code()),
            Self::Files => {
                let file = if *to == Document::Html { String::new() } else { to.file() };
                format!("{base}{}{file}", if lang == Lang::En { "en/" } else { "" })
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_one_document_or_none() {
        for (path, document) in [
            ("", Some(Document::Html)),
            ("/feed.atom", Some(Document::Feed)),
            ("/summary.json", Some(Document::Summary)),
            ("/maintenance.ics", Some(Document::Calendar)),
            ("/badge/client.svg", Some(Document::Badge("client".to_owned()))),
            ("/", None),
            ("/badge/client", None),
            ("/feed.atom/", None),
            ("es", None),
        ] {
            assert_eq!(Document::at(path), document, "{path}");
        }
    }

    #[test]
    fn links_are_relative_to_where_they_stand() {
        let badge = Document::Badge("f".to_owned());
        for (place, from, to, lang, link) in [
            (Place::Served, Lang::Ja, &Document::Html, Lang::En, "?lang=en"),
            (Place::Served, Lang::En, &Document::Feed, Lang::En, "status/feed.atom?lang=en"),
            (Place::Files, Lang::Ja, &Document::Html, Lang::En, "en/index.html"),
            (Place::Files, Lang::En, &Document::Html, Lang::Ja, "../index.html"),
            (Place::Files, Lang::En, &badge, Lang::En, "badge/f.svg"),
            (Place::Files, Lang::Ja, &badge, Lang::Ja, "badge/f.svg"),
        ] {
            assert_eq!(place.link(from, to, lang), link);
        }
    }
}
