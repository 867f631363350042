//! What entries of several kinds have: ids, functions, texts, notices, and times in their order.

use std::collections::HashSet;
use std::time::Duration;

use jiff::Timestamp;

use super::ids::Ids;
use super::{Terms, moment};
use crate::config::decode::{Cursor, MapCursor, collect, shorten};
use crate::config::names;
use crate::config::node::Value;
use crate::config::units::format_duration;
use crate::contract::{Contract, Text};
use crate::ledger::{Channel, Notice};

/// The longest text that is more than a title, in characters: a mail, not a book.
const MAX_TEXT: usize = 10_000;
/// Notices or updates of one entry.
const MAX_STEPS: usize = 1000;
/// Clocks of whoever wrote an entry and of whoever reads it may differ by this many seconds.
const CLOCK_SKEW: i64 = 600;

/// What a reader of entries needs beside the entry.
pub(super) struct Context<'r> {
    pub(super) terms: Terms<'r>,
    /// Which of the files this is.
    pub(super) index: usize,
    pub(super) ids: &'r mut Ids,
}

impl<'r> Context<'r> {
    /// The id of a maintenance or an incident: a label's value, part of addresses and of mails' subjects.
    pub(super) fn id(&mut self, map: &mut MapCursor<'_>) -> Option<String> {
        let cursor = map.require("id")?;
        let id = cursor.identifier()?;
        self.ids.take(&id, &cursor, self.index);
        Some(id)
    }

    /// As [`id`](Self::id) where the id is given by others: `RHSA-2026:1234`.
    pub(super) fn foreign_id(&mut self, map: &mut MapCursor<'_>) -> Option<String> {
        let cursor = map.require("id")?;
        let id = cursor.label()?;
        self.ids.take(&id, &cursor, self.index);
        Some(id)
    }

    /// The contract; absent where the ledger is checked on its own.
    pub(super) fn contract(&self) -> Option<&'r Contract> {
        self.terms.contract
    }

    /// A moment that is planned, or is to be.
    pub(super) fn plan(&self, map: &mut MapCursor<'_>, key: &'static str) -> Option<Timestamp> {
        moment::read(&map.require(key)?, self.contract())
    }

    /// A moment at which something happened.
    pub(super) fn fact(&self, map: &mut MapCursor<'_>, key: &'static str) -> Option<Timestamp> {
        self.past(&map.require(key)?)
    }

    /// The same where it may be absent: `Some(None)`. `None` after an error.
    pub(super) fn optional_fact(&self, map: &mut MapCursor<'_>, key: &'static str) -> Option<Option<Timestamp>> {
        match map.get(key) {
            None => Some(None),
            Some(cursor) => self.past(&cursor).map(Some),
        }
    }

    fn past(&self, cursor: &Cursor<'_>) -> Option<Timestamp> {
        let at = moment::read(cursor, self.contract())?;
        let ahead = at.as_second().saturating_sub(self.terms.now);
        if ahead > CLOCK_SKEW {
            let ahead = format_duration(Duration::from_secs(ahead.unsigned_abs()));
            cursor.warn(format_args!("it is in the future, by {ahead}; this key is for what has happened already"));
        }
        Some(at)
    }

    /// `functions`: of the contract, each once, at least one.
    pub(super) fn functions(&self, map: &mut MapCursor<'_>) -> Option<Vec<String>> {
        let list = map.require("functions")?;
        // One function may be written without brackets.
        let items = match &list.node().value {
            Value::Scalar { .. } => vec![list.clone()],
            _ => list.list()?,
        };
        if items.is_empty() {
            return list.error(format_args!("expected at least one function, found none{}", self.known_functions()));
        }
        let mut seen = HashSet::new();
        collect(&items, |item| {
            let name = item.identifier()?;
            if let Some(contract) = self.contract()
                && !contract.functions.iter().any(|function| function.name == name)
            {
                let known = contract.functions.iter().map(|function| function.name.as_str());
                return item.error(names::unknown("function", &name, known));
            }
            if !seen.insert(name.clone()) {
                return item.error(format_args!("function `{}` is listed twice", shorten(&name)));
            }
            Some(name)
        })
    }

    fn known_functions(&self) -> String {
        let known = |contract: &Contract| names::list(contract.functions.iter().map(|function| function.name.as_str()));
        self.contract().map_or_else(String::new, |contract| format!("; the contract has {}", known(contract)))
    }

    /// `notices`, in the order of time.
    pub(super) fn notices(&self, map: &mut MapCursor<'_>) -> Option<Vec<Notice>> {
        let Some(list) = map.get("notices") else { return Some(Vec::new()) };
        let mut notices = collect(&bounded(&list)?, |item| {
            let mut map = item.map()?;
            let at = self.fact(&mut map, "at");
            let channels = [Channel::Page, Channel::Mail, Channel::Phone].map(|channel| (channel.word(), channel));
            let channel = map.require("channel").and_then(|c| c.one_of(&channels));
            map.finish();
            Some(Notice { at: at?, channel: channel? })
        })?;
        notices.sort_by_key(|notice| notice.at);
        Some(notices)
    }
}

/// The items of a list of a bounded length.
pub(super) fn bounded<'a>(list: &Cursor<'a>) -> Option<Vec<Cursor<'a>>> {
    let items = list.list()?;
    match items.len() {
        0..=MAX_STEPS => Some(items),
        count => list.error(format_args!("{count} entries; at most {MAX_STEPS} are accepted")),
    }
}

/// A title: one line, in both languages or one for both.
pub(super) fn title(map: &mut MapCursor<'_>) -> Option<Text> {
    crate::config::contract::text(&map.require("title")?)
}

/// A text of several lines, in both languages or one for both.
pub(super) fn text(cursor: &Cursor<'_>) -> Option<Text> {
    if !matches!(cursor.node().value, Value::Map(_)) {
        let text = paragraphs(cursor)?;
        return Some(Text { ja: text.clone(), en: text });
    }
    let mut map = cursor.map()?;
    let ja = map.require("ja").and_then(|c| paragraphs(&c));
    let en = map.require("en").and_then(|c| paragraphs(&c));
    map.finish();
    Some(Text { ja: ja?, en: en? })
}

/// As [`text`]; empty where it is absent.
pub(super) fn optional_text(map: &mut MapCursor<'_>, key: &'static str) -> Option<Text> {
    map.get(key).map_or_else(|| Some(Text::default()), |c| text(&c))
}

fn paragraphs(cursor: &Cursor<'_>) -> Option<String> {
    let text = cursor.non_empty()?;
    // A block scalar ends with a line end.
    let text = text.trim();
    if text.chars().any(|c| c.is_control() && c != '\n' && c != '\t') {
        return cursor.error(format_args!("`{}` has a control character in it", shorten(text)));
    }
    match text.chars().count() {
        0..=MAX_TEXT => Some(text.to_owned()),
        count => cursor.error(format_args!("{count} characters; at most {MAX_TEXT} are accepted")),
    }
}

/// Reports an error at `key` of the entry; `None`, so that a reader can return it.
pub(super) fn refuse<T>(entry: &Cursor<'_>, key: &str, message: impl std::fmt::Display) -> Option<T> {
    let mark = match &entry.node().value {
        Value::Map(entries) => entries.iter().find(|e| e.key == key).map(|e| e.node.mark),
        _ => None,
    };
    let path = format!("{}.{key}", entry.path());
    entry.document().report(
        crate::config::diagnostics::Severity::Error,
        mark.unwrap_or(entry.node().mark),
        path,
        message,
    );
    None
}
