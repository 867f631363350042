//! Where in an answer a text is: header, cookie, body; by regular expression, JSON path or CSS selector.
//!
//! What a target sends is searched with bounds: of bytes, of nesting, of what is kept. Not for: what the text must be (`check`).

use std::time::Duration;

use html5ever::driver::{ParseOpts, parse_document};
use html5ever::tendril::{StrTendril, TendrilSink as _};
use hyper::header::HeaderName;
use regex::bytes::Regex;
use scraper::{ElementRef, Html, HtmlTreeSink, Selector};
use serde_json_path::JsonPath;
use tokio::time::Instant;

use crate::config::decode::{Cursor, MapCursor};

/// The longest text that is kept of an answer, in bytes.
pub(super) const MAX_TEXT: usize = 4096;
/// Texts that are kept where several are found; all are counted.
const MAX_FOUND: usize = 20;
/// The deepest nesting of an HTML body that is searched: selectors look along it for each element.
const MAX_DEPTH: usize = 512;
/// How long one body is searched: a hostile one can make a parser slow, and what has begun off the async threads ends by itself
/// only. Usual bodies take milliseconds.
const PATIENCE: Duration = Duration::from_secs(2);
/// Bytes of HTML that are parsed between two looks at the clock.
const PIECE: usize = 2048;
/// Matches of a regular expression that are counted.
const MAX_MATCHES: usize = 1000;
/// The longest selector or JSON path.
const MAX_EXPRESSION: usize = 512;

/// Where a text is.
#[derive(Clone, Debug)]
pub(super) enum Source {
    Status,
    /// The URL that answered, after redirects.
    Url,
    Header(HeaderName),
    Cookie(String),
    /// The whole body, or what a regular expression finds in it: its first group, where it has one.
    Body(Option<Regex>),
    Json(JsonPath),
    Css {
        selector: Box<Css>,
        attribute: Option<String>,
    },
    /// What a query returned.
    Value,
}

/// A selector with its text; the parsed one is made for each search, since it cannot be shared between threads.
#[derive(Clone, Debug)]
pub(super) struct Css(String);

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    /// The first of them, each cut at 4096 bytes.
    pub(super) texts: Vec<String>,
    /// Whether one was cut.
    pub(super) cut: bool,
    /// How many there are.
    pub(super) count: usize,
}

impl Found {
    pub(super) fn one(text: &str) -> Self {
        let mut found = Self::default();
        found.add(text);
        found
    }

    pub(super) fn add(&mut self, text: &str) {
        self.count += 1;
        if self.texts.len() < MAX_FOUND {
            let end = text.floor_char_boundary(MAX_TEXT);
            self.cut |= end < text.len();
            self.texts.push(text[..end].to_owned());
        }
    }
}

impl Source {
    /// Reads the key that says where; `http` answers have other places than a query's.
    pub(super) fn decode(map: &mut MapCursor<'_>, http: bool) -> Option<Self> {
        let keys = ["status", "url", "header", "cookie", "body", "regex", "json", "css", "value"];
        let given: Vec<&str> = keys.into_iter().filter(|key| map.has(key)).collect();
        let of_query = given == ["value"];
        if given.len() != 1 || of_query == http {
            for key in keys {
                let _ = map.get(key);
            }
            let _ = map.get("attribute");
            map.error(if http {
                "say where to look: one of `header`, `cookie`, `regex`, `json`, `css`, `body: true`, `status: true`, `url: true`"
            } else {
                "say `value: true`: the first column of the first row"
            });
            return None;
        }
        let attribute = map.get("attribute").map_or(Some(None), |c| c.non_empty().map(|text| Some((text, c))));
        // All of them are known here; one is given.
        let mut found = None;
        for key in keys {
            if let Some(cursor) = map.get(key) {
                found = Some((key, cursor));
            }
        }
        let (key, cursor) = found?;
        if let (Some(Some((_, at))), true) = (&attribute, key != "css") {
            return at.error("`attribute` is for `css` alone");
        }
        Some(match key {
            "header" => Self::Header(header(&cursor)?),
            "cookie" => Self::Cookie(cursor.non_empty()?),
            "regex" => Self::Body(Some(regex(&cursor)?)),
            "json" => Self::Json(json_path(&cursor)?),
            "css" => Self::Css { selector: Box::new(css(&cursor)?), attribute: attribute?.map(|(text, _)| text) },
            flag => {
                if cursor.bool()? {
                    match flag {
                        "status" => Self::Status,
                        "url" => Self::Url,
                        "body" => Self::Body(None),
                        _ => Self::Value,
                    }
                } else {
                    return cursor.error("write true, or leave it out");
                }
            }
        })
    }

    /// Whether it is in the body.
    pub(super) fn is_body(&self) -> bool {
        matches!(self, Self::Body(_) | Self::Json(_) | Self::Css { .. })
    }

    /// For messages.
    pub(super) fn words(&self) -> String {
        match self {
            Self::Status => "the status".to_owned(),
            Self::Url => "the URL".to_owned(),
            Self::Header(name) => format!("header {name}"),
            Self::Cookie(name) => format!("cookie {name}"),
            Self::Body(None) => "the body".to_owned(),
            Self::Body(Some(regex)) => format!("`{}` in the body", regex.as_str()),
            Self::Json(path) => format!("`{path}` in the JSON body"),
            Self::Css { selector, attribute: None } => format!("`{}` in the HTML body", selector.0),
            Self::Css { selector, attribute: Some(attribute) } => {
                format!("attribute {attribute} of `{}` in the HTML body", selector.0)
            }
            Self::Value => "the query's value".to_owned(),
        }
    }
}

fn header(cursor: &Cursor<'_>) -> Option<HeaderName> {
    let text = cursor.non_empty()?;
    match HeaderName::from_bytes(text.as_bytes()) {
        Ok(name) => Some(name),
        Err(_) => cursor.error("is not a header's name; write for example Content-Type"),
    }
}

pub(super) fn regex(cursor: &Cursor<'_>) -> Option<Regex> {
    let regex = cursor.regex()?;
    match Regex::new(regex.as_str()) {
        Ok(regex) => Some(regex),
        Err(_) => cursor.error("is not a regular expression that can search bytes"),
    }
}

fn json_path(cursor: &Cursor<'_>) -> Option<JsonPath> {
    let text = cursor.non_empty()?;
    if text.len() > MAX_EXPRESSION {
        return cursor.error(format_args!("has {} bytes; at most {MAX_EXPRESSION} are accepted", text.len()));
    }
    // Each looks at everything below everything the one before found.
    if text.matches("..").count() > 1 {
        return cursor.error("has `..` more than once, which may take for ever on a hostile body; name the way");
    }
    // Asked anew for each thing that is looked at.
    if text.matches('$').count() > 1 {
        return cursor.error(
            "has `$` more than once, which may take for ever on a hostile body; compare with what is beside it (`@`)",
        );
    }
    match JsonPath::parse(&text) {
        Ok(path) => Some(path),
        Err(why) => cursor.error(format_args!("is not a JSON path (RFC 9535): {why}; write for example $.items[0].id")),
    }
}

fn css(cursor: &Cursor<'_>) -> Option<Css> {
    let text = cursor.non_empty()?;
    if text.len() > MAX_EXPRESSION {
        return cursor.error(format_args!("has {} bytes; at most {MAX_EXPRESSION} are accepted", text.len()));
    }
    match Selector::parse(&text) {
        Ok(_) => Some(Css(text)),
        Err(why) => cursor.error(format_args!("is not a CSS selector: {why}; write for example form input[name=csrf]")),
    }
}

/// What each of `sources` finds in `body`; of those that are elsewhere, nothing. Takes its time: off the async threads.
///
/// # Errors
/// With what the body is not, where a source needs it to be.
pub(super) fn search(body: &[u8], sources: &[Source]) -> Vec<Result<Found, String>> {
    let until = Instant::now() + PATIENCE;
    let mut json = None;
    let mut html = None;
    let one = |source: &Source| match source {
        Source::Body(None) => Ok(Found::one(&String::from_utf8_lossy(&body[..body.len().min(MAX_TEXT + 4)]))),
        Source::Body(Some(regex)) => {
            let mut found = Found::default();
            for captures in regex.captures_iter(body).take(MAX_MATCHES) {
                on_time(until)?;
                if let Some(text) = captures.get(1).or_else(|| captures.get(0)) {
                    found.add(&String::from_utf8_lossy(&text.as_bytes()[..text.len().min(MAX_TEXT + 4)]));
                }
            }
            Ok(found)
        }
        Source::Json(path) => {
            let json = json.get_or_insert_with(|| {
                serde_json::from_slice::<serde_json::Value>(body).map_err(|why| format!("the body is not JSON: {why}"))
            });
            let json = json.as_ref().map_err(Clone::clone)?;
            let mut found = Found::default();
            for node in path.query(json).iter() {
                match node {
                    serde_json::Value::String(text) => found.add(text),
                    other => found.add(&other.to_string()),
                }
            }
            Ok(found)
        }
        Source::Css { selector, attribute } => {
            let html = html.get_or_insert_with(|| parse_html(body, until));
            let html = html.as_ref().map_err(Clone::clone)?;
            let selector = Selector::parse(&selector.0).map_err(|why| why.to_string())?;
            let mut found = Found::default();
            for element in html.tree.nodes().filter_map(ElementRef::wrap) {
                on_time(until)?;
                if !selector.matches(&element) {
                    continue;
                }
                match attribute {
                    Some(name) => element.attr(name).into_iter().for_each(|text| found.add(text)),
                    None => found.add(&words(element.text())),
                }
            }
            Ok(found)
        }
        _ => Ok(Found::default()),
    };
    sources.iter().map(one).collect()
}

fn on_time(until: Instant) -> Result<(), String> {
    if Instant::now() < until {
        return Ok(());
    }
    Err(format!("the body takes more than {} s to search", PATIENCE.as_secs()))
}

fn parse_html(body: &[u8], until: Instant) -> Result<Html, String> {
    let text = String::from_utf8_lossy(body);
    let mut parser = parse_document(HtmlTreeSink::new(Html::new_document()), ParseOpts::default());
    let mut rest = &*text;
    while !rest.is_empty() {
        on_time(until)?;
        let (piece, after) = rest.split_at(rest.ceil_char_boundary(PIECE));
        parser.process(StrTendril::from_slice(piece));
        rest = after;
    }
    let html = parser.finish();
    let mut depth = 0_usize;
    for edge in html.tree.root().traverse() {
        match edge {
            ego_tree::iter::Edge::Open(_) => depth += 1,
            ego_tree::iter::Edge::Close(_) => depth -= 1,
        }
        if depth > MAX_DEPTH {
            return Err(format!("the HTML body is nested more than {MAX_DEPTH} deep"));
        }
    }
    Ok(html)
}

/// The text of an element, white space as one space. Stops where nobody keeps more.
fn words<'t>(texts: impl Iterator<Item = &'t str>) -> String {
    let mut out = String::new();
    let mut space = false;
    for c in texts.flat_map(str::chars) {
        if c.is_whitespace() {
            space = !out.is_empty();
            continue;
        }
        if std::mem::take(&mut space) {
            out.push(' ');
        }
        out.push(c);
        if out.len() > MAX_TEXT {
            break;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::testing;

    fn source(yaml: &str) -> Source {
        let read = |mut map: MapCursor<'_>| {
            let source = Source::decode(&mut map, true);
            map.finish();
            source
        };
        let (source, findings) = testing::read(yaml, read);
        assert_eq!(findings, Vec::<String>::new(), "{yaml}");
        source.unwrap()
    }

    fn found(body: &str, yaml: &str) -> Result<(Vec<String>, usize), String> {
        let found = search(body.as_bytes(), &[source(yaml)]).remove(0)?;
        Ok((found.texts, found.count))
    }

    #[track_caller]
    fn check(body: &str, yaml: &str, texts: &[&str]) {
        let texts: Vec<String> = texts.iter().map(|&text| text.to_owned()).collect();
        let count = texts.len();
        assert_eq!(found(body, yaml), Ok((texts, count)), "{yaml}");
    }

    #[test]
    fn texts_are_found_in_bodies_of_each_kind() {
        let html =
            "<html><form><input name=csrf value='a&amp;b'><p class=x>One\n <b>two</b>three</p><p class=x></p></form>";
        check(html, "{css: \"input[name=csrf]\", attribute: value}", &["a&b"]);
        check(html, "{css: p.x}", &["One twothree", ""]);
        check(html, "{css: p.y}", &[]);
        check(html, "{css: p, attribute: id}", &[]);
        let json = "{\"items\": [{\"id\": 1}, {\"id\": \"a\"}], \"ok\": true, \"no\": null}";
        check(json, "{json: \"$.items[*].id\"}", &["1", "a"]);
        check(json, "{json: $.ok}", &["true"]);
        check(json, "{json: $.no}", &["null"]);
        check(json, "{json: $.items}", &["[{\"id\":1},{\"id\":\"a\"}]"]);
        check(json, "{json: $.nothing}", &[]);
        check("id=12 id=3", "{regex: \"id=([0-9]+)\"}", &["12", "3"]);
        check("id=12 id=3", "{regex: \"id=[0-9]+\"}", &["id=12", "id=3"]);
        check("all of it", "{body: true}", &["all of it"]);
    }

    #[test]
    fn a_body_that_is_something_else_is_said_to_be() {
        assert!(found("<html>", "{json: $.a}").unwrap_err().starts_with("the body is not JSON: "));
        assert!(found(&"[".repeat(100_000), "{json: $.a}").unwrap_err().contains("recursion limit"));
        // Anything is HTML.
        check("{}", "{css: p}", &[]);
    }

    #[test]
    fn hostile_bodies_are_searched_within_bounds() {
        let (texts, count) = found(&"<p>x</p>".repeat(10_000), "{css: p}").unwrap();
        assert_eq!((texts.len(), count), (MAX_FOUND, 10_000));
        let (texts, _) = found(&format!("<p>{}", "é".repeat(100_000)), "{css: p}").unwrap();
        assert_eq!(texts[0].len(), MAX_TEXT);
        let one = search("x".repeat(MAX_TEXT + 1).as_bytes(), &[source("{body: true}")]).remove(0).unwrap();
        assert!(one.cut && one.texts[0].len() == MAX_TEXT);
        assert!(!search("x".repeat(MAX_TEXT).as_bytes(), &[source("{body: true}")]).remove(0).unwrap().cut);
        let why = found(&"<div>".repeat(1000), "{css: \"div p\"}").unwrap_err();
        assert!(why.contains("nested more than 512 deep"), "{why}");
        // Quadratic for the parser, and for a selector: both end.
        for (body, selector) in [("<div>", "p"), ("<p></p>", "p:nth-last-child(3):not(:empty)")] {
            let began = Instant::now();
            let result = found(&body.repeat(1 << 17), &format!("{{css: \"{selector}\"}}"));
            assert!(result.is_err() || began.elapsed() < PATIENCE, "{result:?}");
            assert!(began.elapsed() < PATIENCE * 5, "{body}: {:?}", began.elapsed());
        }
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(200))]

        /// Whatever is sent: something is found or not, and nothing is kept beyond its bound.
        #[test]
        fn any_body_is_searched_without_harm(
            pieces in proptest::collection::vec(
                proptest::sample::select(vec![
                    "<p>", "<div>", "<table>", "<tr>", "<td>", "<form>", "<input name=a value='", "<!--", "<![CDATA[", "<script>",
                    "<template>", "<svg>", "<select>", "</p>", "</table>", "&#x0;", "&#xd800;", "&amp", "[", "]", "{", "}", ":", ",", "\"a\"",
                    "1e999", "\u{0}", "é", "\u{202e}", " ", "a", "<",
                ]),
                0..80,
            ),
            bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..40),
        ) {
            let mut body = pieces.concat().into_bytes();
            body.extend(bytes);
            let sources = [
                "{css: \"p, td > *, form input[name=a]:not(:first-child)\"}",
                "{css: \"*\", attribute: value}",
                "{json: \"$..a\"}",
                "{json: \"$[?@.a > 1].b[::2]\"}",
                "{regex: \"a(.)?\"}",
                "{body: true}",
            ]
            .map(source);
            for found in search(&body, &sources).into_iter().flatten() {
                proptest::prop_assert!(found.texts.len() <= MAX_FOUND && found.texts.len() <= found.count);
                proptest::prop_assert!(found.texts.iter().all(|text| text.len() <= MAX_TEXT));
            }
        }
    }

    #[test]
    fn what_says_no_place_or_two_is_refused() {
        let read = |mut map: MapCursor<'_>| {
            let source = Source::decode(&mut map, true);
            map.finish();
            source
        };
        for (yaml, words) in [
            ("{}", "say where to look"),
            ("{regex: a, css: p}", "say where to look"),
            ("{value: true}", "say where to look"),
            ("{css: \"p[\"}", "is not a CSS selector"),
            ("{json: items}", "is not a JSON path (RFC 9535)"),
            ("{json: \"$..a..b\"}", "has `..` more than once"),
            ("{json: \"$.a[?@.b == $.c]\"}", "has `$` more than once"),
            ("{regex: \"(\"}", "is not a regular expression"),
            ("{header: \"a b\"}", "is not a header's name"),
            ("{regex: a, attribute: b}", "`attribute` is for `css` alone"),
            ("{body: false}", "write true, or leave it out"),
            ("{heder: x}", "unknown key `heder`"),
        ] {
            testing::finds(yaml, read, words);
        }
    }
}
